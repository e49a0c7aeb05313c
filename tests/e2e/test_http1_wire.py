#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_http1_wire.py - what `duplex serve DIR` says on the wire where RFC 9110 and 9112 leave it no choice: fields that a 304 and a 206 keep,
dates, conditions, ranges, Allow and Date everywhere, and that nothing behind a refused request is read as one."""
import email.utils
import functools
import os
import pathlib
import socket
import subprocess
import sys
import time

import duplexlib
from duplexlib import recv_all, start, temp

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'frame'))
from tap import Skip, case, run  # noqa: E402

TEXT = b'a line that shrinks well\n' * 2000


@functools.cache
def site():
    """(port, folder) of one server for all cases."""
    d = pathlib.Path(temp())
    (d / 'text.txt').write_bytes(TEXT)
    (d / 'sub').mkdir()
    (d / 'ahead.txt').write_bytes(b'from the future\n')
    os.utime(d / 'text.txt', (1577836800, 1577836800))
    os.utime(d / 'ahead.txt', (time.time() + 86400,) * 2)
    p = start('serve', '--listen', 'any://127.0.0.1:0', '--metrics', str(d), stdin=subprocess.DEVNULL)
    return duplexlib.host_port(p.urls[0])[1], p


def ask(text):
    """All that comes for text, and the end."""
    c = socket.create_connection(('127.0.0.1', site()[0]), timeout=20 * duplexlib.SLOW)
    with c:
        c.sendall(text)
        return recv_all(c)


def get(path, *fields, method='GET', version='1.1', host='127.0.0.1'):
    """(status, fields, body); a field that comes twice is a list of both."""
    lines = [f'{method} {path} HTTP/{version}', *([f'Host: {host}'] if host else []), 'Connection: close', *fields, '', '']
    head, body = ask('\r\n'.join(lines).encode()).split(b'\r\n\r\n', 1)
    first, *rest = head.decode('latin-1').split('\r\n')
    found = {}
    for line in rest:
        name, value = line.split(':', 1)
        found[name.lower()] = f'{found[name.lower()]}, {value.strip()}' if name.lower() in found else value.strip()
    return int(first.split()[1]), found, body


KEPT = ('cache-control', 'content-location', 'date', 'etag', 'expires', 'vary')


@case
def a_304_and_a_206_keep_what_the_200_would_say():
    for coding in 'identity', 'gzip':
        accept = f'Accept-Encoding: {coding}'
        status, whole, body = get('/text.txt', accept)
        assert status == 200 and whole['vary'] == 'Accept-Encoding', whole
        status, same, body = get('/text.txt', accept, f'If-None-Match: {whole["etag"]}')
        assert status == 304 and body == b'' and 'content-length' not in same and 'transfer-encoding' not in same, same
        assert {k: same.get(k) for k in KEPT if k != 'date'} == {k: whole.get(k) for k in KEPT if k != 'date'}, (same, whole)
        assert 'date' in same
    status, whole, _ = get('/text.txt', 'Accept-Encoding: identity')
    status, part, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: bytes=1-3')
    assert status == 206 and body == TEXT[1:4] and part['content-length'] == '3', part
    assert all(part.get(k) == whole.get(k) for k in KEPT if k != 'date') and whole['vary'] == 'Accept-Encoding', (part, whole)
    status, parts, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: bytes=1-3,7-9')
    assert status == 206 and 'content-range' not in parts and parts['content-type'].startswith('multipart/byteranges; boundary=')
    status, one, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: bytes=1-3,')
    assert status != 206 or not one['content-type'].startswith('multipart'), one


@case
def no_file_was_changed_after_it_was_sent():
    for path in '/ahead.txt', '/text.txt':
        _, said, _ = get(path)
        changed, date = (email.utils.parsedate_to_datetime(said[k]) for k in ('last-modified', 'date'))
        assert changed <= date, said


@case
def conditions_are_looked_at_where_the_answer_would_be_200():
    for field in 'If-Match: "x"', 'If-None-Match: *', 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT', 'If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT':
        assert get('/nothing', field)[0] == 404, field
        assert get('/sub', field)[0] == 308, field
        assert get('/text.txt', field, method='POST')[0] == 405, field
        assert get('/text.txt', field, host='evil.example')[0] == 421, field


@case
def lines_of_one_list_are_one_and_two_dates_are_none():
    tag = get('/text.txt', 'Accept-Encoding: identity')[1]['etag']
    late, early = 'Fri, 31 Dec 2100 00:00:00 GMT', 'Sat, 01 Jan 2000 00:00:00 GMT'
    for status, fields in [(304, ['If-None-Match: "x"', f'If-None-Match: {tag}']), (200, ['If-None-Match: "x"', 'If-None-Match: "y"']),
                           (200, ['If-Match: "x"', f'If-Match: {tag}']), (412, ['If-Match: "x"', 'If-Match: "y"']), (304, [f'If-Modified-Since: {late}']),
                           (200, [f'If-Modified-Since: {late}', f'If-Modified-Since: {late}']), (200, [f'If-Modified-Since: {late}, {late}']),
                           (412, [f'If-Unmodified-Since: {early}']), (200, [f'If-Unmodified-Since: {early}', f'If-Unmodified-Since: {early}']),
                           (200, ['Range: bytes=1-3', f'If-Range: {tag}', f'If-Range: {tag}'])]:
        assert get('/text.txt', 'Accept-Encoding: identity', *fields)[0] == status, fields


@case
def a_range_is_for_get_and_an_if_range_for_a_range():
    status, said, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: bytes=1-3', method='HEAD')
    assert status == 200 and said['content-length'] == str(len(TEXT)) and body == b'', said
    status, said, body = get('/text.txt', 'Accept-Encoding: identity', 'If-Range: "x"')
    assert status == 200 and body == TEXT
    status, said, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: pages=1-3')
    assert status == 200 and body == TEXT
    tag = get('/text.txt', 'Accept-Encoding: identity')[1]['etag']
    status, said, body = get('/text.txt', 'Accept-Encoding: identity', 'Range: bytes=1-3', f'If-Range: W/{tag}')
    assert status == 200 and body == TEXT


@case
def every_405_says_what_is_allowed_and_every_426_what_is_wanted():
    for path in '/', '/text.txt', '/sub/', '/~', '/~metrics', '/~r/lobby':
        for method in 'BREW', 'get', 'GETS':
            assert get(path, method=method)[0] == 501, (path, method)
        for method in 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH':
            status, said, _ = get(path, method=method)
            assert status == 405 and {'GET', 'HEAD'} <= set(said['allow'].split(', ')), (path, method, status, said)
    status, said, _ = get('/~r/lobby')
    assert status == 426 and said['upgrade'] == 'websocket' and 'upgrade' in said['connection'].lower().split(', '), said


@case
def every_answer_has_a_date():
    for status, args, how in [(200, ['/text.txt'], {}), (200, ['/~'], {}), (200, ['/sub/'], {}), (200, ['/?tar'], {}), (308, ['/sub'], {}),
                              (404, ['/nothing'], {}), (405, ['/'], {'method': 'PUT'}), (421, ['/'], {'host': 'evil.example'}),
                              (416, ['/text.txt', 'Range: bytes=999999-'], {}), (400, ['/', 'X : y'], {}), (400, ['/'], {'host': None}),
                              (417, ['/', 'Expect: x'], {}), (501, ['/', 'Transfer-Encoding: gzip, chunked'], {}), (431, ['/', 'X: ' + 'y' * 33000], {}),
                              (414, ['/' + 'y' * 9000], {})]:
        got, said, _ = get(*args, **how)
        assert got == status, (got, status, args)
        assert abs(email.utils.parsedate_to_datetime(said['date']).timestamp() - time.time()) < 60 and said['date'].endswith(' GMT'), said
        assert got < 300 or got == 304 or 'content-length' in said, said


@case
def what_may_not_be_kept_says_so():
    for want, args in [('no-cache', ['/text.txt']), ('no-cache', ['/~']), ('no-cache', ['/~metrics']), ('no-store', ['/sub/']), ('no-store', ['/?tar']),
                       ('no-store', ['/~r/lobby?wait=0', 'Accept: application/json', 'Duplex-Me: m'])]:
        status, said, _ = get(*args)
        assert (status, said['cache-control']) == (200, want), (args, said)


@case
def nothing_behind_a_refusal_or_a_close_is_read():
    evil = b'GET /text.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
    begin = 'POST /~r/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
    for text, want in [(begin + 'Content-Length: 0\r\nContent-Length: 44\r\n\r\n', [400]),
                       (begin + 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [400]),
                       (begin + 'Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n', [400]),
                       (begin + 'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n', [400]),
                       (begin + 'X: y\r\n z\r\n\r\n', [400]),
                       (begin + 'X: \0\r\n\r\n', [400]),
                       ('GET / HTTP/1.1\r\nHost: 127.0.0.1\nX: y\r\n\r\n', [400]),
                       ('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n', [400]),
                       ('GET https://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', [421]),
                       ('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', [200]),
                       ('GET /text.txt HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n', [200]),
                       ('HEAD /text.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /x HTTP/1.1\r\n\r\n', [200, 400])]:
        got = ask(text.encode('latin-1') + evil)
        found = [int(r.split()[0]) for r in got.split(b'HTTP/1.1 ')[1:]]
        assert found == want, (text, got[:2000])
    assert site()[1].popen.poll() is None


@case
def a_part_that_cannot_be_is_joined_to_nothing():
    for got, code in [('bytes {0}-89999/90000', 0), ('bytes {0}-89999/*', 0), ('Bytes {0}-89999/90000', 0), ('bytes {0}-89999/89999', 33), ('bytes {0}-0/90000', 33),
                      ('bytes {0}-89999', 33), ('bytes {0}/90000', 33), ('bytes */90000', 33), ('pages {0}-89999/90000', 33), ('bytes 0-89999/90000', 33),
                      ('bytes {0}-89999/9x', 33), ('bytes {0}-99999999999999999999/*', 33), ('', 33)]:
        folder, first = temp(), []

        def serve(c):
            head = b''
            while b'\r\n\r\n' not in head:
                head += c.recv(4000)
            if not first:
                first.append(head)
                c.sendall(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 90000\r\n\r\n' + b'x' * 80000)
                return
            at = int(head.split(b'bytes=')[1].split(b'-')[0])
            field = f'Content-Range: {got.format(at)}\r\n' if got else ''
            c.sendall(f'HTTP/1.1 206 Part\r\n{field}Content-Length: {90000 - at}\r\n\r\n'.encode() + b'x' * (90000 - at))

        with duplexlib.Server(serve) as s:
            codes = [duplexlib.run('fetch', '--continue', '-o', 'x', s.url.replace('tcp', 'http') + '/x', cwd=folder, seconds=30).code for _ in range(2)]
        assert codes == [18, code], (got, codes)
        assert (pathlib.Path(folder) / ('x.part' if code else 'x')).read_bytes() == b'x' * (80000 if code else 90000), got


@case
def a_fetch_goes_on_by_a_strong_validator_or_by_none():
    then, now = 'Wed, 01 Jan 2020 00:00:00 GMT', 'Wed, 01 Jan 2020 00:00:01 GMT'
    for fields, want in [(['ETag: "a"', f'Last-Modified: {then}', f'Date: {now}'], '"a"'), ([f'Last-Modified: {then}', f'Date: {now}'], then),
                         (['ETag: W/"a"', f'Last-Modified: {then}', f'Date: {now}'], None), ([f'Last-Modified: {now}', f'Date: {now}'], None),
                         ([f'Last-Modified: {then}'], None)]:
        heads, folder = [], temp()

        def serve(c):
            head = b''
            while b'\r\n\r\n' not in head:
                head += c.recv(4000)
            heads.append(head.decode())
            c.sendall(('HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n' + ''.join(f + '\r\n' for f in fields) + '\r\n').encode() + b'x' * 80000)

        with duplexlib.Server(serve) as s:
            for _ in range(2):
                r = duplexlib.run('fetch', '--continue', '-o', 'x', s.url.replace('tcp', 'http') + '/x', cwd=folder, seconds=30)
                assert r.code == 18, r
        if not os.listxattr(f'{folder}/x.part') and want:
            raise Skip('no extended attributes here')
        said = [line.split(': ', 1)[1] for line in heads[1].split('\r\n') if line.lower().startswith('if-range:')]
        assert said == ([want] if want else []) and '\r\nRange: bytes=' in heads[1] and 'If-Range' not in heads[0], (fields, heads)


run()
