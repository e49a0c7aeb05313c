#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_nginx_peers.py - nginx between us and the others: in front of the room, of `serve DIR` and of WebSockets, and behind fetch and dial. It
is reloaded and killed while it works."""
import asyncio
import contextlib
import gzip
import http.client
import io
import os
import pathlib
import random
import re
import select
import socket
import subprocess
import tarfile
import threading

import pki
from duplexlib import SLOW, Process, host_port, run as duplex, start, temp, until
from guests import Guest, Stream
from members import Room, Ws
from needs import websockets
from nginxlib import PASS, nginx
from tap import case, run

BUILT = pathlib.Path(__file__).resolve().parents[2] / 'build/tests/e2e'
HTTP_SERVER = os.environ.get('HTTP_SERVER') or str(BUILT / 'http_server')
WS_CLIENT = os.environ.get('WS_CLIENT') or str(BUILT / 'ws_client')
MIB = random.Random(11).randbytes(1 << 20)
ROOM = f'location / {{ {PASS} }}'
# What somebody writes who knows no more than proxy_pass: HTTP/1.0, a connection each, and everything is buffered.
PLAIN = 'location / { proxy_pass http://us; proxy_set_header Host $http_host; }'


# ---- the room ----

@case
def a_stream_of_events_is_not_held_back():
    for server in ROOM, PLAIN, 'gzip on; gzip_types *; gzip_proxied any; ' + PLAIN:
        with Room() as room, nginx(room.port, server) as n:
            heard, done = Stream(n.port, 'hearer', proxied=True), threading.Event()
            t = threading.Thread(target=heard.hear, args=[done], daemon=True)
            t.start()
            a = room.tcp()
            until(lambda: heard.welcomes, words='a welcome')
            for i in range(5):  # none is said before the one before it is there
                a.say(f'{i} 你好')
                until(lambda i=i: len(heard.heard) == i + 1)
            done.set()
            a.say('the end')
            t.join(10 * SLOW)
            assert heard.cuts == 0 and [e['text'] for e in heard.heard[:5]] == [f'{i} 你好' for i in range(5)], vars(heard)


def as_docs_say(port):
    """(http, server): docs/room.md's lines for nginx, with our port."""
    text = (pathlib.Path(__file__).resolve().parents[2] / 'docs/room.md').read_text()
    lines = text.split('### Behind nginx\n')[1].split('\n\n')[0].replace('127.0.0.1:2333', f'127.0.0.1:{port}')
    return re.search(r'# in http \{ \}\n(.*)# in server \{ \}\n(.*)', lines, re.S).groups()


@case
def a_room_behind_nginx_as_the_docs_say():
    with Room('--host', 'chat.example') as room:
        http, server = as_docs_say(room.port)
        with nginx(room.port, server, http=http) as n:
            pages = []
            for origin in 'https://chat.example', 'http://chat.example', 'https://evil.example':
                s = socket.create_connection(('127.0.0.1', n.port), 10 * SLOW)
                room.closes(s)
                pages.append(Ws(s, '/~r/lobby', 'chat.example', 'duplex.json', {'Origin': origin}))
            assert [p.status for p in pages] == [101, 101, 403], [p.head for p in pages]
            for p in pages[:2]:
                p.do('hello', last=0)
                p.gets('welcome')
            ask = Web(n.port)
            assert [ask('/~r/lobby?poll&wait=0', Host=x).status for x in ('chat.example', 'evil.example')] == [200, 421]
            pages[0].say('你好')
            pages[1].gets('msg', text='你好')


@case
def nothing_is_lost_or_doubled_while_nginx_is_reloaded_and_killed():
    with Room() as room, contextlib.ExitStack() as stack:
        n = stack.enter_context(nginx(room.port, ROOM, patience=50))
        hearers = [kind(n.port, f'hearer {kind}', proxied=True) for kind in (Guest, Stream)]
        speaker, done, enough, faults, said = Guest(n.port, 'speaker', proxied=True), threading.Event(), threading.Event(), [], []

        def run_it(what, *args):
            try:
                what(*args)
            except Exception as e:
                faults.append(e)

        def speak():
            while not speaker.token:
                speaker.poll(wait=0)
            while not enough.is_set():
                said.append(f'said {len(said)} ' + '你好' * (len(said) % 30))
                assert speaker.do(do='say', id=str(len(said)), text=said[-1])[0]['is'] == 'ack'

        threads = [threading.Thread(target=run_it, args=args, daemon=True) for args in
                   [(speak,), *((g.hear, done) for g in hearers)]]
        for t in threads:
            t.start()

        def all_hear(more):
            want = [len(g.heard) + more for g in hearers]
            until(lambda: faults or all(len(g.heard) >= w for g, w in zip(hearers, want)), 30, 'the hearers hear')
        for i in range(8):
            all_hear(5)
            if i % 2:
                n.reload()
            else:
                n.kill()
                n = stack.enter_context(n.again())
        all_hear(5)
        enough.set()
        threads[0].join(20 * SLOW)
        until(lambda: faults or all(len(g.heard) >= len(said) for g in hearers), 30, 'all is heard')
        done.set()
        room.tcp().say('the end')  # which wakes who waits
        for t in threads:
            t.join(20 * SLOW)
        assert not faults, faults
        for g in hearers:
            assert [e['text'] for e in g.heard if e['text'] != 'the end'] == said, (g.me, len(said), len(g.heard))
            assert g.cuts >= 4, g.cuts


# ---- our WebSockets behind it ----

def secret():
    """What nginx's `listen` needs for TLS, and what is believed."""
    leaf = pki.leaf('good')
    return {'how': 'ssl', 'http': f'ssl_certificate {leaf.chain}; ssl_certificate_key {leaf.key};'}


def ways():
    """How a WebSocket gets to nginx: its URL without the port, and what else nginx is told."""
    return ('ws://127.0.0.1:', {}), (f'wss://127.0.0.1:%s/#ca={pki.ca().cert}', secret())


@contextlib.asynccontextmanager
async def python_behind_nginx(serve, how):
    async with websockets().serve(serve, '127.0.0.1', 0, max_size=None, ping_interval=None) as s:
        with nginx(s.sockets[0].getsockname()[1], ROOM, **how) as n:
            yield n


@case
def big_messages_in_pieces_and_closes_go_both_ways_through_nginx():
    ws = websockets()
    texts = [['你好'] * 3, ['x' * 70000, '', 'ж' * 2000000, 'end'], [MIB] * 9, [b''], ['in one']]

    async def serve(c, *_):
        try:
            for parts in texts:
                await c.send(parts if len(parts) > 1 else parts[0])
                whole = type(parts[0])().join(parts)
                assert await c.recv() == whole, len(whole)
            await (await c.ping(b'there?'))
            await c.close(4321, '够了')
        except (AssertionError, ws.ConnectionClosed) as e:
            faults.append(e)

    async def one(url, how):
        async with python_behind_nginx(serve, how) as n:
            with Process([WS_CLIENT, url % n.port if '%' in url else url + str(n.port), '2']) as p:
                assert await asyncio.to_thread(p.wait, 30) == 0, p.err
                return p.stdout.read().decode().splitlines()
    faults = []
    for url, how in ways():
        said = asyncio.run(one(url, how))
        assert not faults and len(said) == 2 and all(x.split()[1] == '4321' for x in said), (url, faults, said)


@case
def a_dial_through_nginx_says_a_close_and_is_shown_one():
    ws, seen, close = websockets(), [], None

    async def serve(c, *_):
        with contextlib.suppress(ws.ConnectionClosed):
            while True:
                await c.send(await c.recv())
                if close:
                    await c.close(*close)
        seen.append((c.close_code, c.close_reason))

    async def one(*args, **how):
        async with python_behind_nginx(serve, {}) as n:
            return await asyncio.to_thread(duplex, 'dial', *args, f'ws://127.0.0.1:{n.port}/chat', **how)
    r = asyncio.run(one('--close', '4001:够了', '--idle-ends', '500ms', input=b'hi'))
    assert (r.code, r.out, seen) == (0, b'hi', [(4001, '够了')]), (r, seen)
    close = 4002, 'not here'
    r = asyncio.run(one('--json', input=b'hi'))
    assert r.code and '"ws_close":4002,"ws_reason":"not here"' in r.out.decode() and '4002 not here' in r.err, r


def comes_back(data, *args):
    with start('dial', *args, ready=None) as d:
        t = threading.Thread(target=d.stdin.write, args=[data], daemon=True)
        t.start()
        got = b''
        while len(got) < len(data) and (part := d.stdout.read(1 << 20)):
            got += part
        t.join(10 * SLOW)
        assert got == data, (args, len(got), d.err)


@case
def a_dial_through_nginx_comes_to_our_own_listen():
    lines = ('不要回答' * 200000 + '\n').encode() * 2 + b'end\n'
    for url, how in ways():
        with start('listen', 'ws://127.0.0.1:0/', '--echo', '--deflate') as p, nginx(host_port(p.url)[1], ROOM, **how) as n:
            url = url % n.port if '%' in url else url + str(n.port)
            comes_back(lines, url, '--text', '--frame', 'line', '--deflate')
            comes_back(MIB * 4, url)


@case
def a_dial_whose_nginx_is_killed_says_so_or_dials_again():
    with start('listen', 'ws://127.0.0.1:0/', '--echo') as p, contextlib.ExitStack() as stack:
        n = stack.enter_context(nginx(host_port(p.url)[1], ROOM, patience=50))
        d = [stack.enter_context(start('dial', f'ws://127.0.0.1:{n.port}/', *how, ready=None)) for how in ([], ['--retry'])]

        def talks(x, word):
            x.stdin.write(word)
            got = b''
            while got != word:
                assert select.select([x.stdout], [], [], 20 * SLOW)[0], (word, got, x.err)
                got += os.read(x.stdout.fileno(), 100)

        def dials_again(n):  # what it is given before it knows is lost
            until(lambda: d[1].err.count('dialling again') > n, words=d[1].err)
        for x in d:
            talks(x, b'before\n')
        n.kill()
        assert d[0].wait() in (18, 56), d[0].err
        dials_again(0)
        n = stack.enter_context(n.again())
        talks(d[1], b'after\n')
        before = d[1].err.count('dialling again')
        n.reload()  # the worker that is told to go cuts off who stays
        dials_again(before)
        talks(d[1], b'and after\n')


# ---- files and uploads behind it ----

TEXT = b'a line that shrinks well\n' * 40000
BIG = MIB * 12
CACHE = '''location /sliced/ { slice 256k; proxy_cache kept; proxy_cache_key $uri$is_args$args$slice_range; proxy_cache_valid 200 206 1h;
    proxy_ignore_headers Cache-Control; proxy_set_header Range $slice_range; proxy_set_header Host $http_host; proxy_http_version 1.1;
    proxy_set_header Connection ''; proxy_pass http://us/; add_header X-Cache $upstream_cache_status; }'''


@contextlib.contextmanager
def folder_behind_nginx(server, *options):
    d = pathlib.Path(temp())
    for name, data in {'big.bin': BIG, 'text.txt': TEXT, 'a.txt': b'hello\n', 'sub/f': b'deep\n'}.items():
        (d / name).parent.mkdir(exist_ok=True)
        (d / name).write_bytes(data)
    with start('serve', '--listen', 'any://127.0.0.1:0', *options, str(d), stdin=subprocess.DEVNULL) as p:
        with nginx(host_port(p.urls[0])[1], server) as n:
            yield p, n, d


class Web:
    """One connection, kept."""

    def __init__(self, port):
        self.c = http.client.HTTPConnection('127.0.0.1', port, timeout=20 * SLOW)

    def __call__(self, path, method='GET', body=None, **fields):
        self.c.request(method, path, body, {k.replace('_', '-'): v for k, v in {'Accept_Encoding': 'identity', **fields}.items()})
        r = self.c.getresponse()
        r.body = r.read()
        return r


def descriptors(p):
    return len(os.listdir(f'/proc/{p.pid}/fd'))


@case
def a_folder_behind_nginx_is_as_it_is_without():
    unbuffered = f'proxy_buffering off; proxy_request_buffering off; {ROOM}'
    for server in ROOM, unbuffered, PLAIN, f'gzip on; gzip_types *; gzip_proxied any; {ROOM}':
        with folder_behind_nginx(server) as (p, n, d):
            get = Web(n.port)
            assert get('/big.bin').body == BIG
            whole = get('/text.txt')
            tag, date = whole.getheader('etag'), whole.getheader('last-modified')
            head = get('/text.txt', 'HEAD')
            assert (head.status, head.body, head.getheader('content-length')) == (200, b'', str(len(TEXT))), head.headers
            assert whole.body == TEXT and whole.getheader('content-type').startswith('text/plain')
            for status, fields in [(304, {'If_Modified_Since': date}), (304, {'If_None_Match': tag}), (200, {'If_None_Match': '"x"'}),
                                   (412, {'If_Match': '"x"'}), (206, {'Range': 'bytes=5-9'}), (416, {'Range': 'bytes=99999999-'}),
                                   (206, {'Range': 'bytes=5-9', 'If_Range': tag}), (200, {'Range': 'bytes=5-9', 'If_Range': '"x"'})]:
                r = get('/text.txt', **fields)
                assert r.status == status, (server, fields, r.status)
                assert r.body == {200: TEXT, 206: TEXT[5:10], 304: b''}.get(status, r.body), (server, fields)
            assert get('/big.bin', Range='bytes=-1000000').body == BIG[-1000000:]
            r = get('/big.bin', Range='bytes=0-0,1000000-1999999')
            assert r.status == 206 and BIG[1000000:2000000] in r.body, r.headers
            r = get('/text.txt', Accept_Encoding='gzip')
            assert r.getheader('content-encoding') == 'gzip' and gzip.decompress(r.body) == TEXT, r.headers
            with tarfile.open(fileobj=io.BytesIO(get('/?tar').body)) as tar:
                assert tar.extractfile(f'{d.name}/big.bin').read() == BIG
            assert get('/nothing').status == 404 and get('/sub').getheader('location').endswith('/sub/')
            r = get('/text.txt', 'PUT', BIG)
            assert r.status == 405, r.status
            get = Web(n.port)  # nginx may have closed it, for the answer came before the body was read
            assert all(get('/a.txt').body == b'hello\n' for _ in range(50))
            assert descriptors(p) < 40 and not [x for x in ('prematurely', 'invalid', 'upstream sent') if x in n.err], n.err


@case
def nginx_keeps_slices_of_our_files():
    with folder_behind_nginx(CACHE) as (p, n, d):
        get = Web(n.port)
        for path, data in [('/sliced/big.bin', BIG), ('/sliced/text.txt', TEXT), ('/sliced/a.txt', b'hello\n')]:
            for cached in 'MISS', 'HIT':
                r = get(path)
                assert r.body == data and r.getheader('x-cache') == cached, (path, cached, len(r.body), r.headers, n.err)
            r = get(path, Range='bytes=3-5')
            assert (r.status, r.body) == (206, data[3:6]), (path, r.status)
        (d / 'big.bin').write_bytes(BIG[::-1])
        with contextlib.suppress(http.client.HTTPException):  # slices of two files make none
            assert get('/sliced/big.bin', Range='bytes=0-').body in (BIG, BIG[::-1]), n.err


@case
def big_bodies_go_through_nginx_to_us():
    with Process([HTTP_SERVER, 'http://127.0.0.1:0']) as p:
        p.said('listening .*\n')
        for how in '', 'proxy_request_buffering off; proxy_buffering off; ':
            with nginx(host_port(p.url)[1], how + ROOM) as n:
                ask = Web(n.port)
                for body in BIG, (MIB for _ in range(12)):  # by length, in chunks
                    r = ask('/up', 'POST', body)
                    assert r.status == 200 and f' body={len(BIG)} '.encode() in r.body, (how, r.body)
                for path in '/big', '/whole':
                    assert ask(f'{path}?n={len(BIG)}').body == bytes(len(BIG)), (how, path)
                r = duplex('fetch', '--data-file', '-', n.at + '/up', input=BIG)
                assert r.code == 0 and f' body={len(BIG)} '.encode() in r.out, r


# ---- nginx behind fetch ----

def store():
    d = pathlib.Path(temp())
    os.chmod(d, 0o755)
    for name, data in {'big.bin': BIG, 'text.txt': TEXT}.items():
        (d / name).write_bytes(data)
    return d, f'''root {d}; keepalive_requests 3; gzip on; gzip_types *; gzip_proxied any;
        location /up/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
        location /small/ {{ client_max_body_size 8k; proxy_pass http://us/; }}
        location /slow/ {{ alias {d}/; limit_rate 1m; limit_rate_after 4m; }}
        location /count {{ gzip off; return 200 "$connection_requests\\n"; }}'''


@case
def fetch_uploads_and_asks_again_where_nginx_has_closed():
    d, server = store()
    with nginx(1, server) as n:
        for more, status in (['--data-file', str(d / 'big.bin')], b'201'), (['--data-file', '-'], b'204'):  # by length; in chunks, anew
            r = duplex('fetch', '-i', '-X', 'PUT', *more, n.at + '/up/into/it', input=BIG)
            assert r.code == 0 and b' ' + status + b' ' in r.out.splitlines()[0], r
            assert (d / 'up/into/it').read_bytes() == BIG
        assert duplex('fetch', '-X', 'DELETE', n.at + '/up/into/it').code == 0 and not (d / 'up/into/it').exists()
        r = duplex('fetch', *[n.at + '/count'] * 7)
        assert (r.code, r.out) == (0, b'1\n2\n3\n1\n2\n3\n1\n'), r
        r = duplex('fetch', n.at + '/text.txt', '-H', 'Range: bytes=2-7', '--no-compression')
        assert (r.code, r.out) == (0, TEXT[2:8]), r
        r = duplex('fetch', '-I', '--no-compression', n.at + '/big.bin')
        tag = [x.split(b': ')[1] for x in r.out.splitlines() if x.startswith(b'ETag: ')]
        assert r.code == 0 and f'Content-Length: {len(BIG)}'.encode() in r.out, r
        r = duplex('fetch', '-i', '--no-compression', '-H', f'If-None-Match: {tag[0].decode()}', n.at + '/big.bin', n.at + '/count')
        assert r.code == 0 and b' 304 ' in r.out.splitlines()[0] and r.out.endswith(b'2\n'), r
        assert duplex('fetch', *[n.at + '/text.txt'] * 5).out == TEXT * 5  # unpacked


@case
def an_upload_that_nginx_refuses_while_it_comes_is_told():
    with Process([HTTP_SERVER, 'http://127.0.0.1:0']) as p:
        p.said('listening .*\n')
        with nginx(host_port(p.url)[1], store()[1]) as n:
            for body in BIG[:9000], BIG:
                for more in ['--data-file', '-'], ['--data-file', temp('body')]:
                    if more[1] != '-':
                        pathlib.Path(more[1]).write_bytes(body)
                    r = duplex('fetch', *more, n.at + '/small/up', input=body)
                    assert r.code == 22 and 'answers 413' in r.err, (len(body), more, r)


@case
def a_download_that_dies_with_nginx_is_gone_on_with():
    d, server = store()
    out = temp('big.bin')
    part = pathlib.Path(out + '.part')
    with nginx(1, server) as n:
        with start('fetch', '-q', '-o', out, n.at + '/slow/big.bin', ready=None) as f:
            until(lambda: part.exists() and part.stat().st_size > 1 << 20, words='a mebibyte')
            n.kill()
            assert f.wait() in (18, 56) and not os.path.exists(out), f.err
        had = part.stat().st_size
        with n.again() as n:
            r = duplex('fetch', '--continue', '--json', '-o', out, n.at + '/big.bin')
            assert r.code == 0 and b'"status":206' in r.out and pathlib.Path(out).read_bytes() == BIG, (had, r)


run()
