#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_fetch.py - duplex fetch against Python's http.server, and raw hostile servers."""
import contextlib
import gzip
import http.server
import json
import os
import pathlib
import random
import re
import socket
import threading
import zlib

import pki
from duplexlib import DUPLEX, Process, Server, run as duplex, temp, until
from proxylib import head_of
from tap import case, run
from terminal import Terminal
from tlslib import server_context

MIB = random.Random(5).randbytes(1 << 20)
GB = '你好，世界'.encode('gb2312')
for name in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


def fetch(*args, **how):
    return duplex('fetch', *args, **how)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def body(self):
        if n := self.headers.get('Content-Length'):
            return self.rfile.read(int(n))
        got = b''
        while self.headers.get('Transfer-Encoding') and (n := int(self.rfile.readline(), 16)):
            got += self.rfile.read(n)
            self.rfile.readline()
        if self.headers.get('Transfer-Encoding'):
            self.rfile.readline()
        return got

    def say(self, body, status=200, **fields):
        self.send_response(status)
        for k, v in fields.items():
            self.send_header(k.replace('_', '-'), v)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def answer(self):
        self.server.asked.append((self.command, self.path, dict(self.headers), self.body(), self.client_address[1]))
        path = self.path.split('?')[0]
        if path.startswith('/to/'):  # /to/STATUS/where
            _, _, status, where = path.split('/', 3)
            self.say(b'over there', int(status), Location=where if '://' in where else '/' + where)
        elif path == '/blank':
            self.say(b'', 302, Location='/a b\u00e9')
        elif path == '/echo':
            self.say(self.server.asked[-1][3])
        elif path == '/gzip':
            self.say(gzip.compress(MIB), Content_Encoding='gzip')
        elif path == '/deflate':
            self.say(zlib.compress(MIB), Content_Encoding='deflate')
        elif path == '/bomb':
            self.say(self.server.bomb, Content_Encoding='gzip')
        elif path == '/404':
            self.say(b'not here\n', 404)
        elif path == '/later':
            self.server.tries = getattr(self.server, 'tries', 0) + 1
            self.say(b'later\n', 503, Retry_After='0') if self.server.tries < 3 else self.say(b'now\n')
        else:
            self.say(b'hello\n')

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer


@contextlib.contextmanager
def web(handler=Handler, tls=False):
    s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    s.daemon_threads, s.asked, s.handle_error = True, [], lambda *_: None  # who is broken off need not say so
    if tls:
        s.socket = server_context().wrap_socket(s.socket, server_side=True)
    threading.Thread(target=s.serve_forever, args=(0.02,), daemon=True).start()
    s.url = f'http{"s" * tls}://127.0.0.1:{s.server_address[1]}'
    try:
        yield s
    finally:
        s.shutdown()
        s.server_close()


@contextlib.contextmanager
def raw(answer, then=lambda c: None):
    """A server that says this to each request's head, whatever it is; .results has the heads."""
    def serve(c):
        head = head_of(c)
        with contextlib.suppress(OSError):
            c.sendall(answer(head) if callable(answer) else answer)
            then(c)
        return head
    with Server(serve) as s:
        s.url = s.url.replace('tcp:', 'http:')
        yield s


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')


def stay(c):
    c.recv(1)


@case
def bodies_come_and_go_exactly_on_one_connection():
    with web() as s:
        r = fetch(*(f'{s.url}/{i}?q' for i in range(5)))
        assert (r.code, r.out, r.err) == (0, b'hello\n' * 5, ''), r
        assert len({a[4] for a in s.asked}) == 1 and [a[1] for a in s.asked] == [f'/{i}?q' for i in range(5)], s.asked
        for args, method, body, kind in ((['-d', 'a=b'], 'POST', b'a=b', 'application/x-www-form-urlencoded'),
                                         (['-d', ' {"a":1}'], 'POST', b' {"a":1}', 'application/json'),
                                         (['--data-file', '-'], 'POST', MIB, 'application/octet-stream'),
                                         (['-X', 'PUT', '-d', 'x', '-H', 'content-type: text/x'], 'PUT', b'x', 'text/x'),
                                         (['-X', 'DELETE'], 'DELETE', b'', None)):
            r = fetch(*args, s.url + '/echo', input=MIB)
            got = s.asked[-1]
            assert r.code == 0 and r.out == body and (got[0], got[3]) == (method, body), (args, r)
            assert {k.lower(): v for k, v in got[2].items()}.get('content-type') == kind, got[2]
        file = temp('body')
        pathlib.Path(file).write_bytes(MIB)
        r = fetch('--data-file', file, '-X', 'PUT', s.url + '/to/307/echo')
        assert r.code == 0 and r.out == MIB and s.asked[-1][2]['Content-Length'] == str(len(MIB)), r
        r = fetch('-I', s.url + '/x')
        assert r.code == 0 and r.out.startswith(b'HTTP/1.1 200 OK\r\nServer: ') and r.out.endswith(b'\r\n\r\n'), r
        r = fetch('-i', s.url + '/x')
        assert r.code == 0 and r.out.endswith(b'\r\n\r\nhello\n'), r


@case
def redirects_are_followed_and_secrets_stay():
    with web() as s, web() as other:
        r = fetch(s.url + '/to/302/to/301/x')
        assert (r.code, r.out) == (0, b'hello\n') and s.asked[-1][1] == '/x', r
        r = fetch(s.url + '/名字?a=é~')  # as typed: a request line is ASCII
        assert r.code == 0 and s.asked[-1][1] == '/%E5%90%8D%E5%AD%97?a=%C3%A9~', (r, s.asked[-1])
        r = fetch('--no-location', s.url + '/to/302/x')
        assert (r.code, r.out) == (0, b'over there'), r
        r = fetch('-d', 'abc', f'{s.url}/to/303/echo')
        assert (r.code, r.out, s.asked[-1][0]) == (0, b'', 'GET'), r
        r = fetch('--redirects', '1', s.url + '/to/302/to/302/x')
        assert r.code == 47 and 'Try: --redirects' in r.err, r
        secret = ['--user', 'ada:canary', '-H', 'Cookie: canary', '-H', 'X-Mine: 1']
        r = fetch(*secret, f'{s.url}/to/302/{other.url}/x')
        assert r.code == 0 and s.asked[-1][2]['Authorization'] == 'Basic YWRhOmNhbmFyeQ==', (r, s.asked[-1])
        fields = other.asked[-1][2]
        assert 'Authorization' not in fields and 'Cookie' not in fields and fields['X-Mine'] == '1', fields
        r = fetch(*secret, f'{s.url}/to/307/x')
        assert s.asked[-1][2]['Authorization'] and s.asked[-1][2]['Cookie'] == 'canary', s.asked[-1]
        for where in ('file:///etc/passwd', 'ftp://127.0.0.1/', 'tcp://127.0.0.1:1/', 'gopher://x/'):
            r = fetch(f'{s.url}/to/302/{where}')
            assert r.code == 22 and 'another kind of URL' in r.err and r.out == b'', (where, r)
        r = fetch('--data-file', '-', s.url + '/to/307/echo', input=MIB[:1000])
        assert (r.code, r.out) == (0, MIB[:1000]), r
        file = temp('x')
        for more in [], ['-o', file]:  # a pipe that is over what is kept of it
            r = fetch('--data-file', '-', *more, s.url + '/to/307/echo', input=MIB)
            assert r.code == 22 and '307' in r.err and 'by a pipe cannot be sent again' in r.err and not os.path.exists(file), r
        r = fetch('--data-file', '-', '--no-location', s.url + '/to/307/echo', input=MIB)
        assert (r.code, r.out) == (0, b'over there'), r
        r = fetch('-v', s.url + '/blank')
        assert r.code == 0 and s.asked[-1][1] == '/a%20b%E9' and '302 Found leads on to ' in r.err, (r, s.asked[-1][:2])
        r = fetch(s.url + '/你好?x=\u00e9')
        assert r.code == 0 and s.asked[-1][1] == '/%E4%BD%A0%E5%A5%BD?x=%C3%A9', s.asked[-1][:2]
    with web() as s, web(tls=True) as safe:
        trust = ['--ca', pki.ca().cert]
        r = fetch(*trust, f'{s.url}/to/302/{safe.url}/x', f'{safe.url}/y')
        assert (r.code, r.out) == (0, b'hello\n' * 2) and len({a[4] for a in safe.asked}) == 1, r
        r = fetch(*trust, f'{safe.url}/to/302/{s.url}/x')
        assert r.code == 22 and 'from https to http' in r.err and len(s.asked) == 1, r
        r = fetch(f'{safe.url}/to/302/x')
        assert r.code == 60, r


@case
def a_redirect_that_cannot_be_followed_is_no_success():
    page = b'HTTP/1.1 308 There\r\nLocation: /x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nover'
    file = temp('redirected')
    with raw(page) as s:
        for args, out in [((), b'over'), (('-o', file), b'')]:
            with Process([DUPLEX, 'fetch', *args, '--data-file', '-', s.url]) as p:  # the answer comes before the pipe's end
                assert p.wait() == 22 and 'answers 308' in p.err and 'Try: --data-file' in p.err and p.stdout.read() == out, p.err
        assert not os.path.exists(file)
        r = fetch('--no-location', '-d', 'x', s.url)
        assert r.code == 0 and r.out == b'over', r
    with raw(page.replace(b'/x', b'http://[')) as s:
        r = fetch(s.url)
        assert r.code == 22 and 'cannot be followed' in r.err, r


@case
def compressed_bodies_are_bounded():
    with web() as s:
        s.bomb = gzip.compress(bytes(64 << 20))
        for path in ('/gzip', '/deflate'):
            r = fetch(s.url + path)
            assert r.code == 0 and r.out == MIB, (path, r)
        assert s.asked[-1][2]['Accept-Encoding'] == 'gzip, deflate, br, zstd'
        r = fetch('--no-compression', s.url + '/gzip')
        assert r.code == 0 and gzip.decompress(r.out) == MIB and 'Accept-Encoding' not in s.asked[-1][2], r
        r = fetch(s.url + '/bomb')
        assert r.code == 63 and 'a bomb' in r.err and 16 << 20 <= len(r.out) < 17 << 20, r
        r = fetch('--max-size', '1000', s.url + '/gzip')
        assert r.code == 63 and '--max-size 1000' in r.err, r


HEAD = b'HTTP/1.1 200 OK\r\n'
HOSTILE = (
    (b'', 18, 'ended without an answer'),
    (HEAD, 18, 'inside the head'),
    (b'SSH-2.0-x\r\n', 22, 'not HTTP'),
    (HEAD + b'Content-Length: 9\r\n\r\nhi', 18, 'stopped inside its body'),
    (HEAD + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi', 22, 'not HTTP'),
    (HEAD + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 22, 'chunks'),
    (HEAD + b'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n', 18, ''),
    (HEAD + b'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi', 22, 'not HTTP'),
    (HEAD + b'A: ' + b'x' * 70000 + b'\r\n\r\n', 22, 'not HTTP'),
    (b'HTTP/1.1 100 Continue\r\n\r\n' * 200, 22, 'too often'),
    (b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', 22, 'changes the protocol'),
    (HEAD + b'Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello', 22, 'is not'),
    (HEAD + b'Content-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nhello', 22, 'not asked for'),
    (HEAD + b'Content-Encoding: gzip\r\n\r\n' + gzip.compress(b'hello')[:-5], 18, 'stops before its end'),
)


@case
def what_hostile_servers_say_has_a_number_and_words():
    for answer, code, words in HOSTILE:
        with raw(answer) as s:
            r = fetch(s.url)
            assert r.code == code and words in r.err and r.err.startswith('duplex: '), (answer[:60], r)
    with raw(HEAD + b'Content-Length: 9\r\n\r\nhi', reset) as s:
        r = fetch(s.url)
        assert r.code == 56, r
    with raw(HEAD, stay) as s:
        r = fetch('--within', '300ms', s.url)
        assert r.code == 28 and 'Try: --within' in r.err, r
        r = fetch('--idle', '300ms', s.url)
        assert r.code == 28, r
    for first, words in (b'S', 'is not HTTP'), (b'\x15', 'Try: duplex fetch https://127.0.0.1:'), (b'\x16', 'speaks TLS there'):
        with raw(first, stay) as s:
            r = fetch(s.url)
            assert r.code == 22 and words in r.err, (first, r)  # at that byte: nothing more comes
    escape = HEAD + b'X: \x1b]52;c;aGk=\x07\r\nContent-Length: 0\r\n\r\n'
    with raw(escape) as s:
        r = fetch('-v', s.url)
        assert '\x1b' not in r.err, r


@case
def a_file_has_its_name_when_it_is_whole():
    folder = pathlib.Path(temp())
    with web() as s:
        r = fetch('-o', 'a', s.url + '/gzip', cwd=folder)
        assert r.code == 0 and (folder / 'a').read_bytes() == MIB and r.out == b'' and 'a: 1.0 MiB' in r.err, r
        r = fetch('-o', 'a', s.url + '/x', cwd=folder)
        assert r.code == 23 and 'is there already' in r.err and (folder / 'a').read_bytes() == MIB, r
        r = fetch('-q', '--force', '-o', 'a', s.url + '/x', cwd=folder)
        assert r.code == 0 and (folder / 'a').read_bytes() == b'hello\n' and r.err == '', r
        r = fetch('-o', 'b', s.url + '/404', cwd=folder)
        assert r.code == 22 and 'answers 404 Not Found' in r.err and r.out == b'' and not list(folder.glob('b*')), r
        r = fetch(s.url + '/404')
        assert r.code == 22 and r.out == b'not here\n', r
        r = fetch('-q', '-O', s.url + '/d/one%20two?x=/y', s.url + '/three', cwd=folder)
        assert r.code == 0 and (folder / 'one two').read_bytes() == (folder / 'three').read_bytes() == b'hello\n', r
        for name in ('', '..', '%2e%2e%2fx', '.bashrc', 'a%00b', '-rf', 'x%2f..%2f..%2fy'):
            r = fetch('-O', f'{s.url}/{name}', cwd=folder)
            assert r.code == 2 and 'no name for a file' in r.err, (name, r)
    assert sorted(os.listdir(folder)) == ['a', 'one two', 'three']


def ranges(data, tag, cut=None, lie=0):
    """A server of data that knows ranges; cut: the first answer stops there."""
    state = {'cut': cut, 'heads': []}

    def answer(head):
        state['heads'].append(head.decode())
        m = re.search(rb'\r\nRange: bytes=(\d+)-\r\n', head)
        same = re.search(rb'\r\nIf-Range: (.*)\r\n', head)
        first = int(m[1]) if m and (not same or same[1].decode() == tag) else 0
        what = f'206 Partial Content\r\nContent-Range: bytes {first + lie}-{len(data) - 1}/{len(data)}' if first else '200 OK'
        got = f'HTTP/1.1 {what}\r\nETag: {tag}\r\nContent-Length: {len(data) - first}\r\n\r\n'.encode() + data[first:]
        if state['cut']:
            got = got[:got.index(b'\r\n\r\n') + 4 + state['cut']]
        state['cut'] = None
        return got
    return answer, state


def left(folder, **how):
    """What a first try that was cut off has left in folder/x.part."""
    answer, state = ranges(MIB, '"one"', cut=300000)
    with raw(answer) as s:
        r = fetch('--continue', '-o', 'x', s.url, cwd=folder)
        assert r.code == 18 and 'Try: --continue' in r.err and (folder / 'x.part').read_bytes() == MIB[:300000], r
    return state


@case
def a_download_goes_on_where_it_stopped():
    folder = pathlib.Path(temp())
    left(folder)
    answer, state = ranges(MIB, '"one"')
    with raw(answer) as s:
        r = fetch('--continue', '-o', 'x', s.url, cwd=folder)
        assert r.code == 0 and (folder / 'x').read_bytes() == MIB and os.listdir(folder) == ['x'], r
    assert 'Range: bytes=295904-' in state['heads'][0] and 'Accept-Encoding' not in state['heads'][0], state

    os.unlink(folder / 'x')
    left(folder)  # the server has something else now
    other = MIB[::-1]
    with_tag = os.getxattr(folder / 'x.part', 'user.duplex.if-range') if 'user.duplex.if-range' in os.listxattr(folder / 'x.part') else b''
    answer, state = ranges(other, '"two"')
    with raw(answer) as s:
        r = fetch('--continue', '-o', 'x', s.url, cwd=folder)
        if with_tag:
            assert with_tag == b'"one"' and r.code == 0 and 'all of it comes' in r.err, r
            assert (folder / 'x').read_bytes() == other
            os.unlink(folder / 'x')
            left(folder)
    for data, lie in ((other, 0), (MIB, 1)):  # it lies about that, or about the range
        answer, state = ranges(data, '"one"', lie=lie)
        with raw(answer) as s:
            r = fetch('--continue', '-o', 'x', s.url, cwd=folder)
            assert r.code == 33 and (folder / 'x.part').read_bytes() == MIB[:300000] and not (folder / 'x').exists(), r
    answer, state = ranges(MIB, '"one"', cut=1000)
    with raw(answer) as s:  # within one run
        os.unlink(folder / 'x.part')
        r = fetch('--retry', '--continue', '-o', 'x', s.url, cwd=folder)
        assert r.code == 0 and (folder / 'x').read_bytes() == MIB and len(state['heads']) == 2, (r, state)


@case
def a_signal_leaves_what_came():
    folder = pathlib.Path(temp())
    with raw(HEAD + b'Content-Length: 9\r\n\r\nhi', stay) as s:
        with Process([DUPLEX, 'fetch', '-o', folder / 'x', s.url]) as p:
            until(lambda: (folder / 'x.part').exists() and (folder / 'x.part').stat().st_size == 2)
            p.interrupt()
            assert p.wait() == 130 and 'Try: --continue' in p.err, p.err
        assert (folder / 'x.part').read_bytes() == b'hi' and not (folder / 'x').exists()


@case
def it_tries_again_where_that_may_help():
    with web() as s:
        r = fetch('--retry', s.url + '/later')
        assert (r.code, r.out) == (0, b'now\n') and len(s.asked) == 3 and 'it answers 503' in r.err, r
        s.tries = 0
        r = fetch('--retry=1', s.url + '/later')
        assert (r.code, r.out) == (22, b'later\n') and len(s.asked) == 5, r
        s.tries = 0
        r = fetch(s.url + '/later')
        assert r.code == 22 and len(s.asked) == 6, r


@case
def a_terminal_is_shown_text_in_any_coding_and_obeys_none_of_it():
    page = HEAD + b'Content-Type: text/html\r\n\r\n' + GB + b'\r\n\x1b]0;pwned\x07\x1b[2J' + 'ok\u202e'.encode('gb18030') + b'\n'
    with raw(page) as s:  # neither length nor charset
        t = Terminal('fetch', s.url)
        t.sees('你好，世界'.encode())
        assert t.code() == 0 and b'\x1b]0' not in t.screen and b'\x1b[2J' not in t.screen, t.screen
        t = Terminal('fetch', '-i', s.url)
        t.sees(b'Content-Type: text/html')
        t.sees('你好，世界'.encode())
        r = fetch(s.url)
        assert r.code == 0 and r.out == page.split(b'\r\n\r\n', 1)[1], r
        r = fetch('-e', 'gb2312', s.url)
        assert r.code == 0 and '你好，世界'.encode() in r.out, r
    with raw(HEAD + b'Content-Type: text/plain; charset="Big5"\r\n\r\n' + '你好'.encode('big5')) as s:
        t = Terminal('fetch', s.url)
        t.sees('你好\r\n'.encode())
        assert t.code() == 0
    with raw(HEAD + b'Content-Length: 3\r\n\r\na\0b') as s:
        t = Terminal('fetch', s.url)
        t.sees(b'no text')
        assert t.code() == 23 and b'\0' not in t.screen
    go = threading.Event()
    with raw(HEAD + b'Content-Type: text/plain; charset=utf-8\r\n\r\nworking ...', lambda c: go.wait()) as s:
        t = Terminal('fetch', s.url)
        t.sees(b'working ...')  # no line end, and more may come
        go.set()
        assert t.code() == 0 and t.screen.endswith(b'working ...\r\n'), t.screen
    with raw(HEAD + b'Content-Length: 30\r\n\r\nline\nand a half') as s:  # cut short: what came is shown all the same, before the words
        t = Terminal('fetch', s.url)
        t.sees(b'stopped inside its body')
        assert t.code() == 18 and re.search(rb'line\r\nand a half\r\n.*stopped', t.screen, re.S), t.screen
    with raw(HEAD + b'Content-Length: 3\r\n\r\na\0b') as s:
        r = fetch('-e', 'gb2313', s.url)
        assert r.code == 2 and 'Did you mean' in r.err and not s.results, r


@case
def json_says_the_head_and_how_long_it_took():
    with web() as s:
        r = fetch('--json', s.url + '/to/302/x', s.url + '/404')
        events = [json.loads(line) for line in r.out.splitlines()]
        assert r.code == 22 and [e['event'] for e in events] == ['head', 'data', 'body', 'close'] * 2, r
        head = events[0]
        assert (head['v'], head['url'], head['status'], head['redirects'], head['length']) == (1, s.url + '/x', 200, 1, 6), head
        assert ['Content-Length', '6'] in head['fields'] and head['head_ms'] >= head['open_ms'] >= 0, head
        assert events[1]['text'] == 'hello\n' and events[2]['bytes'] == 6 and events[3]['code'] == 0, events
        assert events[4]['reused'] and events[7]['code'] == 22 and '404' in events[7]['words'], events
        file = temp('x')
        r = fetch('--json', '-q', '-o', file, s.url + '/gzip')
        events = [json.loads(line) for line in r.out.splitlines()]
        assert [e['event'] for e in events] == ['head', 'body', 'close'] and events[1]['file'] == file, r
        assert events[0]['coding'] == 'gzip' and events[1]['bytes'] == len(MIB) != events[1]['coded_bytes'], events
        assert 'trailers' not in events[1], events
    with raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n') as s:
        r = fetch('--json', s.url)
        assert json.loads(r.out.splitlines()[-2])['trailers'] == [['X-Sum', '42']], r
        r = fetch('-v', s.url)
        assert 'X-Sum: 42 (behind the body)' in r.err and r.out == b'hi', r
    with web() as s:
        r = fetch('-v', s.url + '/to/302/x')
        assert f'GET {s.url}/to/302/x\n' in r.err, r
        assert f'302 Found leads on to {s.url}/x\n' in r.err, r


@case
def what_does_not_read_says_what_would():
    for args, words in ((['127.0.0.1:80/x'], 'Did you mean: duplex fetch http://127.0.0.1:80/x'),
                        (['a.example'], 'Did you mean: duplex fetch https://a.example'),
                        (['tcp://127.0.0.1:1'], 'Try: duplex dial'), (['-o', 'x', 'http://a/', 'http://b/'], 'Try: --save'),
                        (['-H', 'no field', 'http://a/'], "Try: --header 'Name: value'"),
                        (['-H', 'A: b\r\nC: d', 'http://a/'], 'control byte'),
                        (['-H', 'Content-Length: 3', 'http://a/'], 'by fetch alone'), (['--continue', 'http://a/'], 'Try: -o'),
                        (['http://a/b c?d'], 'Did you mean: duplex fetch http://a/b%20c?d'), (['http://a/b c '], 'duplex fetch http://a/b%20c\n'), (['http://a?b'], 'Did you mean: duplex fetch http://a/?b'),
                        (['http://a b/'], 'a blank in it.  Try'), (['http://ada:secret@a/'], 'Try: --user NAME:PASSWORD'),
                        (['http://a:secret@b.c/d'], '--user NAME:PASSWORD http://b.c/d'),
                        (['-X', 'G T', 'http://a/'], 'no method'), (['-u', 'ada', 'http://a/'], 'NAME:PASSWORD')):
        r = fetch(*args)
        assert r.code == 2 and words in r.err, (args, r)
        assert 'secret' not in r.err, r
    with web() as s:
        r = fetch('-d', '@' + __file__, s.url + '/echo')
        assert r.code == 0 and r.out == ('@' + __file__).encode() and 'For what is in the file: --data-file' in r.err, r
    r = fetch('http://127.0.0.1:1/')
    assert r.code == 7 and 'nobody listens on 127.0.0.1:1 (connection refused)' in r.err, r


@case
def a_reader_that_has_enough_ends_it_quietly():
    with web() as s:
        p = Process(['sh', '-c', f'"{DUPLEX}" fetch {s.url}/gzip {s.url}/gzip; echo $? >&2'], stdout=-1)
        p.stdout.read(1)
        p.stdout.close()
        p.wait()
        assert p.err.strip() == '23', p.err


run()
