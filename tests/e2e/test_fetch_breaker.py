#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_fetch_breaker.py - duplex fetch against servers that mean it no good, and files that must not be lost."""
import contextlib
import os
import pathlib
import random
import resource

from duplexlib import SLOW, Server, run as duplex, temp
from tap import case, run

for name in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)
DATA = random.Random(7).randbytes(300000)
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'


def fetch(*args, **how):
    return duplex('fetch', *args, **how)


@contextlib.contextmanager
def web(pages):
    """pages: a bytes answer for every request, or {path: answer}. Each connection answers until its client ends; .asked has the heads."""
    asked = []

    def serve(c):
        got = b''
        while True:
            while b'\r\n\r\n' not in got:
                part = c.recv(65536)
                if not part:
                    return
                got += part
            head, got = got.split(b'\r\n\r\n', 1)
            asked.append(head.decode())
            path = head.split(b' ')[1].decode()
            answer = pages if isinstance(pages, bytes) else pages[path]
            c.sendall(answer[0] if isinstance(answer, tuple) else answer)
            if isinstance(answer, tuple):  # and then it says nothing more
                c.recv(1)
                return
    with Server(lambda c: quietly(serve, c)) as s:
        s.url, s.asked = s.url.replace('tcp:', 'http:'), asked
        yield s


def quietly(serve, c):
    with contextlib.suppress(OSError):
        serve(c)


def to(where, body=b'', fields='', status=302):
    return f'HTTP/1.1 {status} x\r\nLocation: {where}\r\n{fields}\r\n'.encode() + body


@case
def a_redirect_is_followed_though_its_own_body_never_ends():
    pages = {'/to': OK, '/open': (to('/to', b'over there'),), '/waits': (to('/to', b'over', 'Content-Length: 99\r\n'),)}
    with web(pages) as s:
        for path in ('/open', '/waits'):
            r = fetch('--within', f'{8 * SLOW:.0f}s', s.url + path)
            assert (r.code, r.out) == (0, b'hi'), (path, r)


@case
def a_redirect_that_cannot_be_followed_is_no_success():
    folder = pathlib.Path(temp())
    for where in ('http://ada:pass@127.0.0.1/', 'http://[::1/', 'http://127.0.0.1:99999/', '/' + 'a' * 9000):
        with web(to(where, b'over', 'Content-Length: 4\r\n')) as s:
            r = fetch('-o', 'x', s.url, cwd=folder)
            assert r.code == 22 and 'answers 302 Found' in r.err and 'cannot be followed' in r.err, (where[:30], r)
            assert not os.listdir(folder), os.listdir(folder)
            assert '--continue' not in r.err, r
            r = fetch('--no-location', s.url)
            assert (r.code, r.out, r.err) == (0, b'over', ''), r
    with web({'/': to('/100%/x y/%4', b'', 'Content-Length: 0\r\n'), '/100%25/x%20y/%254': OK}) as s:
        r = fetch(s.url + '/')
        assert (r.code, r.out) == (0, b'hi'), (r, s.asked)


def part(first, last, total, data=None):
    data = DATA[first:last + 1] if data is None else data
    return f'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/{total}\r\n\r\n'.encode() + data


@contextlib.contextmanager
def once(answer):
    """Says it to one request and ends."""
    def serve(c):
        head = c.recv(65536)
        c.sendall(answer)
        return head
    with Server(serve) as s:
        s.url = s.url.replace('tcp:', 'http:')
        yield s


@case
def a_part_of_a_file_is_not_named_as_all_of_it():
    had, tail = 100000, 100000 - 4096
    for answer, code, left in ((part(tail, 149999, 300000), 18, 150000), (part(tail, 299999, 300000, DATA[tail:200000]), 18, 200000),
                               (part(tail, 299999, '*'), 0, 0), (part(tail, 199999, '*', DATA[tail:150000]), 18, 150000),
                               (part(tail, 299999, 300000), 0, 0), (part(tail, 299999, 200000), 33, had),
                               (part(tail, 99, 300000), 33, had), (part(0, 9, 300000), 33, had)):
        folder = pathlib.Path(temp())
        (folder / 'x.part').write_bytes(DATA[:had])
        with once(answer) as s:
            r = fetch('--continue', '-o', 'x', s.url, cwd=folder)
        assert r.code == code and (code == 0 or r.err), (answer[:90], r)
        assert not code or (not (folder / 'x').exists() and (folder / 'x.part').read_bytes() == DATA[:left]), (answer[:90], r)
        assert code or (folder / 'x').read_bytes() == DATA, (answer[:90], r)
    for answer, code in ((part(0, 9, 300000), 18), (part(5, 9, 300000), 33), (part(0, 299999, 300000), 0)):  # nobody asked for one
        folder = pathlib.Path(temp())
        with once(answer) as s:
            r = fetch('-o', 'x', s.url, cwd=folder)
        assert r.code == code and (folder / 'x').exists() == (not code), (answer[:90], r)
    folder = pathlib.Path(temp())
    with once(part(5, 9, 300000)) as s:  # somebody did
        r = fetch('-o', 'x', '-H', 'Range: bytes=5-9', s.url, cwd=folder)
        assert r.code == 0 and (folder / 'x').read_bytes() == DATA[5:10], r


@case
def what_has_not_changed_stays_as_it_is():
    folder = pathlib.Path(temp())
    (folder / 'x').write_bytes(b'precious')
    with web(b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n') as s:
        r = fetch('--force', '-o', 'x', '-H', 'If-None-Match: "e"', s.url, cwd=folder)
        assert r.code == 0 and (folder / 'x').read_bytes() == b'precious' and os.listdir(folder) == ['x'], r
        assert 'not changed' in r.err, r


@case
def a_body_is_sent_as_it_is_or_not_at_all():
    def all_of_it(c):
        got = b''
        while not got.endswith(b'\r\n0\r\n\r\n') and (more := c.recv(65536)):
            got += more
        c.sendall(OK)
        return got
    with Server(all_of_it) as s:
        r = fetch('--within', f'{10 * SLOW:.0f}s', '--data-file', '/proc/version', s.url.replace('tcp:', 'http:'))  # it says it has no bytes
    assert r.code == 0 and b'Linux' in s.results[0], (r, s.results)
    with web(OK) as s:
        empty = temp('empty')
        pathlib.Path(empty).write_bytes(b'')
        r = fetch('--data-file', empty, s.url)
        assert r.code == 0 and 'Content-Length: 0' in s.asked[-1], (r, s.asked)
        n = len(s.asked)
        r = fetch('--data-file', '-', s.url + '/1', s.url + '/2', input=b'hello')
        assert r.code == 2 and 'once' in r.err and len(s.asked) == n, (r, s.asked)


@case
def a_whole_response_stands_whatever_becomes_of_the_rest_of_the_request():
    for _ in range(5):
        with once(b'HTTP/1.1 413 x\r\nContent-Length: 3\r\n\r\nno\n') as s:  # and what it has not read makes its end a reset
            r = fetch('--data-file', '-', s.url, input=bytes(5 << 20))
        assert (r.code, r.out) in ((22, b'no\n'), (56, b'')), r  # (56: the reset was here before it)


@case
def a_response_without_a_body_may_name_any_coding():
    with web(b'HTTP/1.1 200 OK\r\nContent-Encoding: compress\r\nContent-Length: 9\r\n\r\n') as s:
        r = fetch('-I', s.url)
        assert r.code == 0 and b'compress' in r.out, r


@case
def a_file_that_may_not_grow_is_an_error_with_words():
    folder = pathlib.Path(temp())
    with once(b'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n' + DATA) as s:
        r = fetch('-o', 'x', s.url, cwd=folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        assert r.code == 23 and 'File too large' in r.err and (folder / 'x.part').read_bytes() == DATA[:100000], r


run()
