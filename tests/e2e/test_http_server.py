#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_http_server.py - the library as an HTTP server (http_server.c): curl, raw sockets, nginx in front of us, and slow clients by
the hundred, each of whom gets the answer it has earned while a good one is served as if they were not there."""
import asyncio
import contextlib
import multiprocessing
import os
import pathlib
import random
import select
import socket
import subprocess
import time

from duplexlib import SLOW, Process, recv_all, temp, until
from needs import needs, websockets
from nginxlib import PASS, nginx
from tap import Skip, case, run
import webdriver

SERVER = os.environ.get('HTTP_SERVER') or str(pathlib.Path(__file__).resolve().parents[2] / 'build/tests/e2e/http_server')
EACH = int(os.environ.get('SLOW_CLIENTS', '30'))  # of a kind
MIB = random.Random(5).randbytes(1 << 20)


@contextlib.contextmanager
def serving(*limits, scheme='http'):
    with Process([SERVER, f'{scheme}://127.0.0.1:0', *(f'{k}={v}' for k, v in limits)]) as p:
        p.said(r'listening .*\n')
        p.port = int(p.url.rsplit(':', 1)[1].strip('/'))
        yield p


def curl(*args, **how):
    needs('curl')
    p = subprocess.run(['curl', '-sS', '--noproxy', '*', '--max-time', str(20 * SLOW), *args], capture_output=True,
                       timeout=30 * SLOW, **how)
    assert p.returncode == 0, (args, p.returncode, p.stderr)
    return p.stdout.decode()


@case
def curl_asks_in_every_way():
    with serving() as p:
        url = p.url.rstrip('/')
        host = url.split('/')[2]
        assert curl(url + '/a?b=c') == f'GET /a host={host} for= version=11 body=0 prefix= user='
        assert curl('-0', url + '/a').endswith('version=10 body=0 prefix= user=')
        assert curl('--data-binary', '@-', url + '/up', input=MIB).startswith(f'POST /up host={host} for= version=11 body={1 << 20} ')
        assert f' body={1 << 20} ' in curl('-T', '-', url + '/up', input=MIB)  # in chunks
        assert curl('-I', url + '/a').startswith('HTTP/1.1 200 OK\r\n')
        assert len(curl(url + '/big?n=3000000')) == len(curl(url + '/whole?n=3000000')) == 3000000
        assert curl(url + '/a', url + '/b', '-w', '%{num_connects} ').endswith('user=0 ')  # on one connection
        assert curl('-o', '/dev/null', '-w', '%{http_code}', url + '/x/../locked/', '--path-as-is') == '401'
        assert curl('-u', 'ada:sesame', url + '/lock%65d/').endswith('prefix=/locked/ user=ada')


@case
def prefixes_and_logins_hold_behind_any_too():
    with serving(scheme='any') as p:
        url = f'http://127.0.0.1:{p.port}'
        assert curl('-u', 'ada:sesame', url + '/locked/x').endswith('prefix=/locked/ user=ada')
        assert curl('-o', '/dev/null', '-w', '%{http_code}', url + '/locked') == '401'
        assert curl(url + '/a').startswith('GET /a')


@case
def pipelined_requests_are_answered_in_order():
    with serving() as p, p.connect() as s:
        s.sendall(b''.join(b'GET /%d HTTP/1.1\r\nHost: x\r\n\r\n' % i for i in range(300)) +
                  b'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        got = recv_all(s)
        where = [got.index(b'GET /%d host' % i) for i in range(300)]
        assert where == sorted(where) and got.count(b'HTTP/1.1 200 OK') == 301 and b'GET /last' in got


@case
def a_client_that_goes_is_told_and_one_that_half_closes_is_answered():
    with serving() as p:
        with p.connect() as s:
            s.sendall(b'GET /hold HTTP/1.1\r\nHost: x\r\n\r\n')
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s).startswith(b'HTTP/1.1 204 ')
        assert p.stdout.readline() == b'gone /hold\n'
        with p.connect() as s:
            s.sendall(b'GET /hold HTTP/1.1\r\nHost: x\r\n\r\n')
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')  # a reset
        assert p.stdout.readline() == b'/hold -6\n'


@case
def a_drain_answers_what_was_asked_and_ends():
    with serving() as p:
        idle, busy, last = p.connect(), p.connect(), p.connect()
        idle.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        assert idle.recv(1000)
        busy.sendall(b'POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12')
        last.sendall(b'GET /drain?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n')
        assert b'\r\nConnection: close\r\n' in recv_all(last) and recv_all(idle) == b''
        busy.sendall(b'34')
        got = recv_all(busy)
        assert b'\r\nConnection: close\r\n' in got and b' body=4 ' in got, got
        assert p.wait() == 0


@case
def who_uploads_all_before_it_reads_is_told_why_it_was_refused():
    head, chunk = b'POST /locked/ HTTP/1.1\r\nHost: x\r\n', b'100000\r\n' + MIB + b'\r\n'
    with serving() as p:
        for request in (b'Content-Length: %d\r\n\r\n' % (4 << 20) + MIB * 4, b'Transfer-Encoding: chunked\r\n\r\n' + chunk * 4 + b'0\r\n\r\n'):
            with p.connect() as s:
                s.sendall(head + request)
                got = recv_all(s)
                assert got.startswith(b'HTTP/1.1 401 ') and b'\r\nConnection: close\r\n' in got, got
        with p.connect() as s:  # a short one costs no connection
            s.sendall(head + b'Content-Length: 4\r\n\r\n1234GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            assert b'\r\n\r\nGET /a ' in recv_all(s).split(b'HTTP/1.1 200 OK')[1]


@case
def a_csharp_client_that_expects_100_continue_is_answered():
    needs('mcs', 'mono')
    exe = temp('Listener.exe')
    subprocess.run(['mcs', '-nologo', f'-out:{exe}', pathlib.Path(__file__).with_name('Listener.cs')], check=True)
    with serving() as p:
        r = subprocess.run(['mono', exe, 'ask', p.url.rstrip('/')], capture_output=True, timeout=60 * SLOW)
        said = [x for x in r.stdout.decode().splitlines() if x]
        want = ['200 GET /a ', '200 POST /up ', '200 PUT /up ', '401 Unauthorized', '200 GET /locked/ ', '200 POST /locked/ ',
                *(f'200 POST /b{i} ' for i in range(20))]
        assert r.returncode == 0 and len(said) == len(want) and all(x.startswith(w) for x, w in zip(said, want)), r
        assert [int(x.split(' body=')[1].split()[0]) for x in said if ' POST /' in x] == [300000, 5000, *(1 + i * 1000 for i in range(20))], said
        assert said[5].endswith('user=ada') and ' body=300000 ' in said[2], said


# ---- nginx in front of us ----

SERVER_OF_NGINX = f'''location / {{ {PASS.replace('$http_host', 'front.example')} proxy_set_header X-Forwarded-For $remote_addr; }}
    location /unbuffered/ {{ proxy_pass http://us/; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
        proxy_set_header Connection ''; }}'''


@case
def nginx_passes_requests_on_over_connections_that_stay():
    with serving() as p, nginx(p.port, SERVER_OF_NGINX) as n:
        assert curl(n.at + '/a') == 'GET /a host=front.example for=127.0.0.1 version=11 body=0 prefix= user='
        many = curl(f'{n.at}/[1-200]')
        assert many.count('host=front.example') == 200, many
        inodes = os.listdir(f'/proc/{p.pid}/fd')
        assert len(inodes) < 20, inodes  # not a connection each
        for at in (n.at, n.at + '/unbuffered'):
            assert f' body={1 << 20} ' in curl('--data-binary', '@-', at + '/up', input=MIB)
            assert f' body={1 << 20} ' in curl('-T', '-', at + '/up', input=MIB)
            for how in ('big', 'whole'):
                assert len(curl(f'{at}/{how}?n=5000000')) == 5000000
        assert curl('-u', 'ada:sesame', n.at + '/locked/').endswith('user=ada')
        assert not n.popen.poll() and 'upstream prematurely' not in n.err, n.err


@case
def websockets_go_through_nginx():
    ws = websockets()

    async def talk(url):
        async with ws.connect(url, open_timeout=10 * SLOW, max_size=None) as s:
            for m in ('你好', MIB, b'', 'x' * 70000):
                await s.send(m)
                assert await asyncio.wait_for(s.recv(), 10 * SLOW) == m

    with serving() as p, nginx(p.port, SERVER_OF_NGINX) as n:
        asyncio.run(talk(n.at.replace('http', 'ws') + '/chat'))
        assert curl(n.at + '/a').startswith('GET /a')


# ---- Chromium ----

TALK = '''
const [url] = arguments, bytes = new Uint8Array(1 << 20), same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
for (let i = 0; i < bytes.length; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
const texts = ['', 'hello', '你好, '.repeat(50), 'x'.repeat(100000), 'many different words '.repeat(60000), '', '你好',
    Array.from(bytes.subarray(0, 100000)).join()];
const all = [...texts, ...texts.map(t => new TextEncoder().encode(t)), bytes, bytes.subarray(7, 200007), ...texts];
return new Promise(done => {
    const ws = new WebSocket(url), wrong = [];
    let n = 0;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => { for (const m of all) ws.send(m); };
    ws.onmessage = e => {
        const m = all[n++];
        if (!(typeof m === 'string' ? e.data === m : same(new Uint8Array(e.data), m))) wrong.push(n - 1);
        if (n === all.length) ws.close(4123);
    };
    ws.onclose = e => done({n, all: all.length, wrong, code: e.code, clean: e.wasClean, extensions: ws.extensions});
});'''


@case
def chromium_talks_packed_and_not():
    if not webdriver.find():
        raise Skip('no Chromium and chromedriver here')
    with webdriver.Browser() as b, serving(('queue_bytes_max', 64 << 20)) as p:
        b.go(f'http://127.0.0.1:{p.port}/page')
        for path in 'packed', 'chat':
            got = b.run(TALK, f'ws://127.0.0.1:{p.port}/{path}')
            assert got['n'] == got['all'] and not got['wrong'], got
            assert (got['code'], got['clean']) == (4123, True), got
            assert got['extensions'].startswith('permessage-deflate') == (path == 'packed'), got


# ---- slow clients ----

class Slow:
    """Says `first`, then `more` again and again, and reads at most `reads` bytes at a time. How it ended is in .got and .end."""

    def __init__(self, first=b'', more=b'', reads=65536, small=False):
        self.s = socket.socket()
        if small:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.first, self.more, self.reads, self.got, self.end = first, more, reads, b'', None

    def step(self):
        with contextlib.suppress(OSError):  # what has come can be read all the same
            if self.first:
                self.s.sendall(self.first)
                self.first = b''
            elif self.more:
                self.s.sendall(self.more[:1])
                self.more = self.more[1:] + self.more[:1]
        try:
            part = self.s.recv(self.reads)
            self.got += part
            self.end = None if part else 'end'
        except BlockingIOError:
            pass
        except OSError as e:
            self.end = type(e).__name__
        if self.end:
            self.s.close()
        return self.end is None


HEAD = b'GET /a HTTP/1.1\r\nHost: x\r\n'
KINDS = {
    'slow headers': lambda: Slow(HEAD, b'X-a: b\r\n'),
    'slow body': lambda: Slow(b'POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n', b'a=b&'),
    'slow read': lambda: Slow(b'GET /big?n=100000000 HTTP/1.1\r\nHost: x\r\n\r\n', reads=20, small=True),
    'many ranges': lambda: Slow(b'GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=0-' + b''.join(b',5-%d' % i for i in range(1300)) +
                                b'\r\nConnection: close\r\n\r\n'),
    'silent': Slow,
    'a byte at a time': lambda: Slow(b'', b'GET /' + b'a' * 1000),
    'never reads': lambda: Slow(b'GET /big?n=100000000 HTTP/1.1\r\nHost: x\r\n\r\n', reads=0, small=True),
    'idle': lambda: Slow(HEAD + b'\r\n'),
}
EARNED = {'slow headers': b'HTTP/1.1 408 ', 'slow body': b'HTTP/1.1 408 ', 'slow read': b'HTTP/1.1 200 ', 'many ranges': b'HTTP/1.1 200 ',
          'silent': b'', 'a byte at a time': b'HTTP/1.1 408 ', 'never reads': b'', 'idle': b'HTTP/1.1 200 '}


def never_reads(c):
    """Reads nothing: what becomes of its connection is asked of the kernel."""
    if c.first:
        c.s.sendall(c.first)
        c.first = b''
        c.poll = select.poll()
        c.poll.register(c.s, select.POLLRDHUP)
    if c.poll.poll(0):
        c.end = 'ended'
        c.s.close()
    return c.end is None


def annoy(port, tell):
    """A crowd, in a process of its own so that the good client is as quick as it can be. Tells how each one ended."""
    kinds = {name: [make() for _ in range(EACH)] for name, make in KINDS.items()}
    for c in kinds['never reads']:
        c.step = lambda c=c: never_reads(c)
    left = [c for k in zip(*kinds.values()) for c in k]
    for c in left:
        c.s.connect(('127.0.0.1', port))
        c.s.setblocking(False)
        c.step()  # says its first word at once
    tell.send('all there')
    while left:
        left = [c for c in left if c.step()]
        time.sleep(0.05)
    tell.send({name: [(c.end, len(c.got), c.got[:60]) for c in clients] for name, clients in kinds.items()})


def well(port, crowd_said):
    """A good client's times until the crowd has nobody left."""
    took, limit = [], time.monotonic() + 60 * SLOW
    with socket.create_connection(('127.0.0.1', port), timeout=20 * SLOW) as s:
        while not crowd_said.poll(0.01):
            began = time.monotonic()
            s.sendall(b'GET /good HTTP/1.1\r\nHost: x\r\n\r\n')
            assert b'GET /good' in s.recv(4096)
            took.append(time.monotonic() - began)
            assert began < limit, 'the server bears with slow clients for ever'
    return sorted(took)


@case
def slow_clients_get_what_they_earn_and_a_good_one_is_served():
    limits = dict(head_ms=1000, idle_ms=1000, receive_s_min=1000, send_s_min=10000, grace_ms=500, discard_ms=500)
    if EACH > 100:  # a measurement: the crowd needs time to come
        limits = dict(head_ms=10000, idle_ms=10000, receive_s_min=240, send_s_min=1000, grace_ms=5000)
    with serving(*limits.items()) as p:
        here, there = multiprocessing.Pipe()
        crowd = multiprocessing.get_context('fork').Process(target=annoy, args=(p.port, there), daemon=True)
        crowd.start()
        try:
            until(lambda: here.poll(0.01), 60)
            here.recv()
            took = well(p.port, here)
            ends = here.recv()
        finally:
            crowd.kill()
            crowd.join()
        print(f'# {EACH} of each kind; a good client: {len(took)} answers, p50 {took[len(took) // 2] * 1e3:.1f} ms, '
              f'p99 {took[len(took) * 99 // 100] * 1e3:.1f} ms, worst {took[-1] * 1e3:.1f} ms')
        for name, clients in ends.items():
            for end, n, got in clients:
                assert end and got.startswith(EARNED[name]) and n < 1000000, (name, end, n, got)
        until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) < 20, words='the server holds no connection of theirs')


run()
