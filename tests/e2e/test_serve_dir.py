#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_serve_dir.py - `duplex serve DIR`: files, ranges, conditions, compression, listings, tar; nothing leaves the folder."""
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import tarfile
import threading
import time

import duplexlib
from duplexlib import recv_all, start, temp, until

import sys  # noqa: E402
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'frame'))
import tap  # noqa: E402
from tap import case  # noqa: E402

OLD = 1577836800  # 2020-01-01
BIG = bytes(i * i >> 8 & 255 for i in range(300000))
TEXT = b'a line that shrinks well\n' * 20000


def folder():
    d = pathlib.Path(temp())
    files = {'a.txt': b'hello\n', 'big.bin': BIG, 'text.txt': TEXT, 'gb.txt': '你好'.encode('gb18030') + b'\n', '.hidden': b'canary',
             'sub/deep/f.txt': b'deep\n', 'sub/.git/config': b'canary', 'site/index.html': b'<p>home', 'empty': b''}
    for name, data in files.items():
        (d / name).parent.mkdir(parents=True, exist_ok=True)
        (d / name).write_bytes(data)
    for p in d.rglob('*'):
        os.utime(p, (OLD, OLD))
    return d


class Site:
    """A served folder, and a connection to it that is kept."""

    def __init__(self, *options, d=None):
        self.d = d or folder()
        self.p = start('serve', '--listen', 'any://127.0.0.1:0', *options, str(self.d), stdin=subprocess.DEVNULL)
        self.port = duplexlib.host_port(self.p.urls[0])[1]
        self.http = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20 * duplexlib.SLOW)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
        self.p.kill()

    def get(self, path, method='GET', **fields):
        fields.setdefault('Accept_Encoding', 'identity')
        self.http.putrequest(method, path, skip_accept_encoding=True)
        for k, v in fields.items():
            self.http.putheader(k.replace('_', '-'), v)
        self.http.endheaders()
        r = self.http.getresponse()
        r.body = r.read()
        return r


@case
def files_come_as_they_are_with_type_and_charset():
    with Site() as s:
        for _ in range(3):  # from the disk, from memory
            r = s.get('/a.txt')
            assert (r.status, r.body, r.getheader('content-type')) == (200, b'hello\n', 'text/plain; charset=utf-8'), vars(r)
            assert r.getheader('last-modified') == 'Wed, 01 Jan 2020 00:00:00 GMT' and r.getheader('accept-ranges') == 'bytes'
            assert r.getheader('x-content-type-options') == 'nosniff'
        assert s.get('/gb.txt').getheader('content-type') == 'text/plain; charset=gb18030'
        r = s.get('/big.bin')
        assert r.body == BIG and r.getheader('content-type') == 'application/octet-stream'
        r = s.get('/empty')
        assert (r.status, r.body, r.getheader('content-length')) == (200, b'', '0')


@case
def head_says_what_get_would():
    with Site() as s:
        for path in ['/a.txt', '/big.bin', '/text.txt', '/', '/sub/deep/', '/nothing', '/?tar']:
            for coding in ['identity', 'gzip']:
                got, head = s.get(path, Accept_Encoding=coding), s.get(path, 'HEAD', Accept_Encoding=coding)
                assert head.body == b'' and head.status == got.status
                fields = [{k: v for k, v in r.getheaders() if k != 'Date'} for r in (got, head)]
                assert fields[0] == fields[1], (path, fields)


@case
def a_file_that_changes_is_seen_at_once():
    with Site() as s:
        assert s.get('/a.txt').body == b'hello\n'
        old = s.get('/a.txt').getheader('etag')
        for n in range(20):
            words = b'now %d\n' % n
            (s.d / 'a.txt').write_bytes(words)
            r = s.get('/a.txt')
            assert r.body == words and r.getheader('etag') != old, (n, r.body)
        os.remove(s.d / 'a.txt')
        assert s.get('/a.txt').status == 404
        os.symlink('/etc/passwd', s.d / 'a.txt')
        assert s.get('/a.txt').status == 404


@case
def conditions():
    with Site() as s:
        for path in ['/a.txt', '/big.bin']:
            tag = s.get(path).getheader('etag')
            past, future = 'Sat, 28 Dec 2019 00:00:00 GMT', 'Thu, 02 Jan 2020 00:00:00 GMT'
            for status, fields in [
                (304, {'If_None_Match': tag}), (304, {'If_None_Match': f'"x", W/{tag}'}), (304, {'If_None_Match': '*'}),
                (200, {'If_None_Match': '"x"'}), (304, {'If_Modified_Since': future}), (200, {'If_Modified_Since': past}),
                (304, {'If_Modified_Since': 'Wed, 01 Jan 2020 00:00:00 GMT'}), (200, {'If_Modified_Since': 'nonsense'}),
                (200, {'If_None_Match': '"x"', 'If_Modified_Since': future}),
                (200, {'If_Match': tag}), (412, {'If_Match': '"x"'}), (412, {'If_Match': f'W/{tag}'}), (200, {'If_Match': '*'}),
                (412, {'If_Unmodified_Since': past}), (200, {'If_Unmodified_Since': future}),
                (200, {'If_Match': tag, 'If_Unmodified_Since': past}),
            ]:
                r = s.get(path, **fields)
                assert r.status == status, (path, fields, r.status)
                assert status != 304 or (r.body == b'' and r.getheader('etag') == tag)


@case
def ranges():
    with Site() as s:
        for path, data in [('/big.bin', BIG), ('/a.txt', b'hello\n')]:
            n, tag = len(data), s.get(path).getheader('etag')
            for field, first, last in [('0-0', 0, 0), ('1-3', 1, 3), (f'{n - 1}-', n - 1, n - 1), ('-2', n - 2, n - 1), (f'2-{n * 9}', 2, n - 1)]:
                r = s.get(path, Range='bytes=' + field)
                assert (r.status, r.getheader('content-range')) == (206, f'bytes {first}-{last}/{n}'), (field, r.status)
                assert r.body == data[first:last + 1]
            r = s.get(path, Range=f'bytes={n}-')
            assert (r.status, r.getheader('content-range')) == (416, f'bytes */{n}')
            for bad in ['bytes=3-1', 'bytes=x', 'lines=1-2', 'bytes=0-,0-']:
                assert s.get(path, Range=bad).body == data, bad
            assert s.get(path, Range='bytes=1-2', If_Range=tag).status == 206
            assert s.get(path, Range='bytes=1-2', If_Range='"other"').body == data
            assert s.get(path, Range='bytes=1-2', If_Range='Wed, 01 Jan 2020 00:00:00 GMT').status == 206
            assert s.get(path, Range='bytes=1-2', If_Range='Wed, 01 Jan 2020 00:00:01 GMT').status == 200
            r = s.get(path, Range='bytes=0-0,2-3,-1')
            boundary = re.match(r'multipart/byteranges; boundary=(\S+)', r.getheader('content-type'))[1].encode()
            parts = r.body.split(b'\r\n--' + boundary)
            assert parts[0] == b'' and parts[-1] == b'--\r\n' and len(parts) == 5, parts
            heads, bodies = zip(*(p.split(b'\r\n\r\n', 1) for p in parts[1:-1]))
            assert list(bodies) == [data[:1], data[2:4], data[-1:]]
            assert b'bytes 2-3/%d' % n in heads[1]


@case
def curl_goes_on_where_it_stopped():
    with Site() as s:
        out = temp('part')
        pathlib.Path(out).write_bytes(BIG[:123456])
        subprocess.run(['curl', '-sSf', '-C', '-', '-o', out, f'http://127.0.0.1:{s.port}/big.bin'], check=True, timeout=30 * duplexlib.SLOW)
        assert pathlib.Path(out).read_bytes() == BIG


@case
def text_is_compressed_as_the_client_likes():
    with Site() as s:
        (s.d / 'small.txt').write_bytes(TEXT[:9000])
        os.utime(s.d / 'small.txt', (OLD, OLD))
        for path, data in [('/text.txt', TEXT), ('/small.txt', TEXT[:9000])]:
            for asked, coding in [('gzip', 'gzip'), ('br', 'br'), ('zstd', 'zstd'), ('gzip;q=0.5, br;q=0.9', 'br'), ('GZIP', 'gzip'),
                                  ('gzip;q=0', None), ('identity', None), ('deflate', None), ('identity, gzip;q=0.5', None), ('gzip, identity', 'gzip'),
                                  ('*', 'br'), ('br;q=0, *;q=0.5, identity;q=0.1', 'zstd')]:
                for _ in range(2):
                    r = s.get(path, Accept_Encoding=asked)
                    assert r.getheader('content-encoding') == coding, (path, asked, r.getheaders())
                    assert 'Accept-Encoding' in r.getheader('vary')
                    assert len(r.body) < len(data) // 2 if coding else r.body == data
                if coding == 'gzip':
                    assert gzip.decompress(r.body) == data
                if coding == 'zstd' and shutil.which('zstd'):
                    assert subprocess.run(['zstd', '-dc'], input=r.body, capture_output=True, check=True).stdout == data
            tag = s.get(path, Accept_Encoding='gzip').getheader('etag')
            assert s.get(path, Accept_Encoding='gzip', If_None_Match=tag).status == 304
            assert s.get(path, If_None_Match=tag).status == 200  # another representation
        out = subprocess.run(['curl', '-sSf', '--compressed', f'http://127.0.0.1:{s.port}/text.txt'], capture_output=True, check=True,
                             timeout=30 * duplexlib.SLOW).stdout
        assert out == TEXT
    with Site('--no-compression') as s:
        assert s.get('/text.txt', Accept_Encoding='gzip').body == TEXT


@case
def what_lies_compressed_beside_a_file_is_given():
    with Site() as s:
        for name in ['a.txt', 'text.txt']:
            (s.d / (name + '.gz')).write_bytes(gzip.compress(b'beside'))
            (s.d / (name + '.br')).write_bytes(b'brotli')
            r = s.get('/' + name, Accept_Encoding='gzip')  # six bytes too: who has put it there wants it
            assert r.getheader('content-encoding') == 'gzip' and gzip.decompress(r.body) == b'beside', (name, r.body)
            assert s.get('/' + name, Accept_Encoding='gzip, br').body == b'brotli'
            r = s.get('/' + name)
            assert r.getheader('vary') == 'Accept-Encoding' and r.body == (TEXT if name == 'text.txt' else b'hello\n'), name
            os.utime(s.d / (name + '.gz'), (OLD - 9, OLD - 9))  # older than the file: of another one
        assert gzip.decompress(s.get('/text.txt', Accept_Encoding='gzip').body) == TEXT
        r = s.get('/a.txt', Accept_Encoding='gzip')
        assert r.body == b'hello\n' and not r.getheader('content-encoding'), r.body  # six bytes need none of ours


@case
def nothing_leaves_the_folder():
    d = folder()
    outside = pathlib.Path(temp('secret'))
    outside.write_bytes(b'canary')
    os.symlink(outside, d / 'link')
    os.symlink('../' * 20 + 'etc', d / 'up')
    os.symlink('a.txt', d / 'inside')
    os.symlink('..', d / 'sub' / 'parent')
    os.symlink('/proc/self/root', d / 'magic')
    os.mkfifo(d / 'fifo')
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(d / 'sock'))
    with s, Site(d=d) as site:
        assert site.get('/inside').body == b'hello\n'
        assert site.get('/sub/parent/a.txt').body == b'hello\n'  # beneath all the same
        for path in ['/link', '/up/passwd', '/up/', '/magic/', '/fifo', '/sock', '/.hidden', '/sub/.git/config', '/sub/.git/', '/../secret',
                     '/sub/../../secret', '/%2e%2e/secret', '/..%2fsecret', '/a.txt/', '//etc/passwd', '/sub//deep/', '/a.txt%00', '/%',
                     '/link/..', '/sub/./deep/f.txt', '/' + 'x' * 300, '/' + 'x/' * 1900]:
            r = site.get(path)
            assert r.status == 404 and b'canary' not in r.body, (path, r.status, r.body[:99])
        listing = site.get('/').body.decode()
        assert not re.search('fifo|sock|hidden|>link<|magic', listing) and 'inside' in listing, listing
        tar = tarfile.open(fileobj=io.BytesIO(site.get('/?tar').body))
        assert all(m.isreg() or m.isdir() for m in tar.getmembers()) and not any('canary' in m.name or '.git' in m.name for m in tar)
        # A link that is turned outwards while it is asked for: never a byte from outside.
        done = threading.Event()

        def turn():
            while not done.is_set():
                for to in [outside, 'a.txt']:
                    os.symlink(to, d / 'turning.new')
                    os.rename(d / 'turning.new', d / 'turning')
        t = threading.Thread(target=turn)
        t.start()
        try:
            assert all(b'canary' not in site.get('/turning').body for _ in range(300))
        finally:
            done.set()
            t.join()


@case
def hidden_names_are_there_where_asked():
    with Site('--hidden') as s:
        assert s.get('/.hidden').body == b'canary' and b'.hidden' in s.get('/').body
        assert s.get('/sub/.git/config').body == b'canary'
        assert s.get('/sub/../.hidden').status == 404


@case
def folders_have_an_index_a_listing_or_nothing():
    with Site() as s:
        r = s.get('/site/')
        assert r.body == b'<p>home' and r.getheader('content-type') == 'text/html; charset=utf-8'
        r = s.get('/sub?x=1')
        assert r.status == 308 and r.getheader('location') == '/sub/?x=1'
        for name, shown in [('<script>alert(1)', '&lt;script&gt;alert(1)'), ('a"b\'c', 'a&quot;b&#39;c'), ('名.txt', '名.txt'),
                            ('line\nend', 'line␊end'), ('\u202eevil', '&lt;U+202E&gt;evil'), ('a%2fb?c#d', 'a%2fb?c#d')]:
            (s.d / 'sub' / name).write_bytes(b'named ' + name.encode())
            page = s.get('/sub/').body.decode()
            assert shown in page, (name, page)
        (s.d / 'sub' / os.fsdecode(b'broken\xff')).write_bytes(b'')
        page = s.get('/sub/').body.decode()
        assert 'broken&lt;FF&gt;' in page and '<script' not in page
        for href in re.findall(r'<td><a href="\./([^"]+)"', page):  # every link leads to what it names
            assert s.get('/sub/' + href).status == 200, href
        r = s.get('/sub/')
        assert "default-src 'none'" in r.getheader('content-security-policy')
        items = json.loads(s.get('/', Accept='application/json').body)
        assert [(i['name'], i['type']) for i in items[:2]] == [('site', 'folder'), ('sub', 'folder')]
        assert next(i for i in items if i['name'] == 'big.bin') == {'name': 'big.bin', 'type': 'file', 'size': len(BIG), 'modified': OLD}
        for i in range(80):  # so that sub is a larger folder than site, on every file system
            (s.d / 'sub' / f'{i:0200}').touch()
        by_size = re.findall(r'href="\./([^"]+)"', s.get('/?by=size').body.decode())
        assert by_size[:4] == ['site/', 'sub/', 'text.txt', 'big.bin'], by_size
    with Site('--no-listing') as s:
        assert s.get('/').status == 404 and s.get('/?tar').status == 404 and s.get('/site/').status == 200


@case
def a_folder_as_a_tar():
    with Site() as s:
        long = 'sub/' + 'long-' * 30 + '名'
        (s.d / long).write_bytes(b'long')
        (s.d / 'sub' / 'run').write_bytes(b'#!/bin/sh\n')
        os.chmod(s.d / 'sub' / 'run', 0o755)
        top = s.d.name  # the folder's own name
        r = s.get('/?tar')
        assert r.getheader('content-type') == 'application/x-tar' and f'{s.d.name}.tar' in r.getheader('content-disposition')
        tar = tarfile.open(fileobj=io.BytesIO(r.body))
        got = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isreg()}
        assert got[f'{top}/big.bin'] == BIG and got[f'{top}/text.txt'] == TEXT and got[f'{top}/{long}'] == b'long'
        assert got[f'{top}/sub/deep/f.txt'] == b'deep\n' and got[f'{top}/empty'] == b''
        assert tar.getmember(f'{top}/sub/run').mode == 0o755 and tar.getmember(f'{top}/a.txt').mtime == OLD
        out = temp()
        subprocess.run(['sh', '-c', f'curl -sSf http://127.0.0.1:{s.port}/sub/?tar | tar x -C {out}'], check=True, timeout=30 * duplexlib.SLOW)
        assert (pathlib.Path(out) / 'sub' / 'deep' / 'f.txt').read_bytes() == b'deep\n'
        (s.d / '中文 目录').mkdir()
        subprocess.run(['curl', '-sSfOJ', '--output-dir', out, f'http://127.0.0.1:{s.port}/%E4%B8%AD%E6%96%87%20%E7%9B%AE%E5%BD%95/?tar'],
                       check=True, timeout=30 * duplexlib.SLOW)
        assert (pathlib.Path(out) / '中文 目录.tar').exists(), list(pathlib.Path(out).iterdir())


@case
def several_ranges_of_a_file_larger_than_any_queue():
    with Site() as s:
        for name in ['big.bin', 'text.txt']:
            data = (s.d / name).read_bytes()
            for wanted in [[(0, 149999), (150001, len(data) - 2)], [(i * 18000, i * 18000 + 15000) for i in range(16)]]:
                r = s.get('/' + name, Range='bytes=' + ','.join(f'{a}-{b}' for a, b in wanted))
                parts = r.body.split(b'\r\n--' + re.search(r'boundary=(\S+)', r.getheader('content-type'))[1].encode())[1:-1]
                assert r.status == 206 and [p.partition(b'\r\n\r\n')[2] for p in parts] == [data[a:b + 1] for a, b in wanted]


@case
def a_tar_that_cannot_be_whole_breaks_off():
    with Site() as s:
        fds = f'/proc/{s.p.pid}/fd'
        s.get('/a.txt')
        most = resource.prlimit(s.p.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(s.p.pid, resource.RLIMIT_NOFILE, (len(os.listdir(fds)) + 2, most[1]))
        try:
            r = s.get('/?tar')  # sub/deep is one descriptor too deep
            raise AssertionError((r.status, len(r.body)))
        except (http.client.IncompleteRead, ConnectionResetError):
            pass
        s.http.close()
        resource.prlimit(s.p.pid, resource.RLIMIT_NOFILE, most)
        assert s.get('/?tar').status == 200
        (s.d / 'sub' / ('d/' * 70)).mkdir(parents=True)
        try:
            r = s.get('/?tar')
            raise AssertionError((r.status, len(r.body)))
        except (http.client.IncompleteRead, ConnectionResetError):
            pass


@case
def the_access_log_knows_how_long_a_stream_took():
    log = temp('json')
    with Site('--access-log-json', log) as s:
        for i in range(40):
            (s.d / f'more-{i}').write_bytes(BIG)
        with socket.create_connection(('127.0.0.1', s.port), timeout=20 * duplexlib.SLOW) as c:
            c.sendall(b'GET /?tar HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
            began = time.monotonic()
            c.recv(1000)
            time.sleep(0.3)
            least = (time.monotonic() - began) * 1000 - 50
            recv_all(c)
        e = json.loads(until(lambda: os.path.exists(log) and pathlib.Path(log).read_text()))
        assert e['ms'] >= least, (e, least)


@case
def a_client_that_goes_in_mid_stream_leaves_nothing_open():
    with Site() as s:
        for i in range(40):
            (s.d / f'more-{i}').write_bytes(BIG)
        fds = f'/proc/{s.p.pid}/fd'
        before = len(os.listdir(fds))
        for path in ['/?tar', '/text.txt', '/big.bin'] * 4:
            c = socket.create_connection(('127.0.0.1', s.port), timeout=10 * duplexlib.SLOW)
            c.sendall(f'GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n'.encode())
            assert c.recv(1000).startswith(b'HTTP/1.1 200')
            c.close()
        until(lambda: len(os.listdir(fds)) <= before, words='descriptors are closed')
        assert s.get('/a.txt').body == b'hello\n'


@case
def many_slow_readers_of_a_tar_cost_others_nothing():
    with Site() as s:
        for i in range(60):
            (s.d / f'more-{i}').write_bytes(BIG)
        stuck = []
        for _ in range(30):
            c = socket.create_connection(('127.0.0.1', s.port), timeout=20 * duplexlib.SLOW)
            c.sendall(b'GET /?tar HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
            stuck.append(c)
        assert s.get('/big.bin').body == BIG
        rss = int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{s.p.pid}/status').read_text())[1])
        assert rss < 400_000, rss
        body = recv_all(stuck[0]).split(b'\r\n\r\n', 1)[1]
        assert b'0\r\n\r\n' == body[-5:]
        for c in stuck:
            c.close()


@case
def the_room_is_there_too():
    with Site() as s:
        r = s.get('/~')
        assert r.status == 200 and b'duplex' in r.body and s.get('/~page.js').status == 200
        assert s.get('/~nothing').status == 404
        a, b = s.p.connect(), s.p.connect()
        a.sendall(b'here\n')
        b.sendall(b'hi\n')
        with a, b:
            assert b'hi' in a.recv(100)


@case
def other_methods_and_other_hosts_get_nothing():
    with Site() as s:
        for method in ['POST', 'PUT', 'DELETE', 'PATCH']:
            r = s.get('/a.txt', method, Content_Length='0')
            assert r.status == 405 and r.getheader('allow') == 'GET, HEAD', r.status
        c = socket.create_connection(('127.0.0.1', s.port), timeout=10 * duplexlib.SLOW)
        c.sendall(b'GET /a.txt HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
        assert recv_all(c).startswith(b'HTTP/1.1 421')


@case
def the_access_log_has_a_line_a_request():
    log = temp('log')
    with Site('--access-log', log) as s:
        s.get('/a.txt', User_Agent='me "and" you', Referer='http://x/\\y')
        s.get('/nothing?q=%0a', 'HEAD')
        s.get('/big.bin')
        lines = until(lambda: len(t := pathlib.Path(log).read_text().splitlines()) == 3 and t)
        assert re.fullmatch(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a\.txt HTTP/1\.1" 200 6 '
                            r'"http://x/\\x5Cy" "me \\x22and\\x22 you"', lines[0]), lines[0]
        assert '"HEAD /nothing?q=%0a HTTP/1.1" 404 0 "-"' in lines[1] and f'200 {len(BIG)}' in lines[2], lines
        os.rename(log, log + '.1')  # as logrotate does
        s.p.interrupt(1)
        until(lambda: os.path.exists(log))
        s.get('/a.txt')
        until(lambda: '/a.txt' in pathlib.Path(log).read_text())
    log = temp('json')
    with Site('--access-log-json', log) as s:
        s.get('/a.txt', User_Agent='me "and" \xe9')
        e = json.loads(until(lambda: os.path.exists(log) and pathlib.Path(log).read_text()))
        assert e['agent'] == 'me "and" \ufffd' and (e['v'], e['peer'], e['method'], e['target'], e['status'], e['sent'], e['version']) == \
            (1, '127.0.0.1', 'GET', '/a.txt', 200, 6, '1.1'), e


@case
def a_log_that_may_not_grow_ends_no_server():
    log = temp('log')
    few = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
    with start('serve', '--listen', 'any://127.0.0.1:0', '--access-log', log, temp(), stdin=subprocess.DEVNULL, preexec_fn=few) as p:
        http_ = http.client.HTTPConnection(*duplexlib.host_port(p.urls[0]), timeout=20 * duplexlib.SLOW)
        for _ in range(9):
            http_.request('GET', '/nothing')
            assert http_.getresponse().read() == b'nothing here\n'
        p.said('access log .*; serving goes on without it')
        assert os.path.getsize(log) == 300


@case
def metrics_where_asked():
    with Site() as s:
        assert s.get('/~metrics').status == 404
    with Site('--metrics') as s:
        s.get('/a.txt')
        s.get('/nothing')
        text = s.get('/~metrics').body.decode()
        assert re.search(r'^duplex_http_requests_total\{status="2xx"\} 1$', text, re.M), text
        assert re.search(r'^duplex_http_requests_total\{status="4xx"\} 1$', text, re.M)
        assert re.search(r'^duplex_members 0$', text, re.M), text  # the log is nobody
        for line in text.splitlines():
            assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|[a-z_]+(\{\w+="\w+"\})? \d+', line), line


@case
def what_cannot_be_is_said():
    r = duplexlib.run('serve', '/nowhere')
    assert r.code == 5 or 'No such file' in r.err, r
    r = duplexlib.run('serve', '--hidden')
    assert r.code == 2 and 'folder' in r.err, r
    r = duplexlib.run('serve', '--access-log', '/nowhere/x', '.')
    assert 'No such file' in r.err, r
    d = folder()
    if os.geteuid():
        os.chmod(d / 'a.txt', 0)
        with Site(d=d) as s:
            assert s.get('/a.txt').status == 403


@case
def pipelined_files_come_in_order():
    with Site() as s:
        names = ['a.txt', 'big.bin', 'text.txt', 'gb.txt', 'a.txt'] * 6
        with socket.create_connection(('127.0.0.1', s.port), timeout=30 * duplexlib.SLOW) as c:
            t = threading.Thread(target=lambda: c.sendall(b''.join(
                f'GET /{n} HTTP/1.1\r\nHost: 127.0.0.1\r\n{"Connection: close" + chr(13) + chr(10) if i == len(names) - 1 else ""}\r\n'.encode()
                for i, n in enumerate(names))))
            t.start()
            data, got = recv_all(c), []
            t.join()
        while data:
            head, data = data.split(b'\r\n\r\n', 1)
            n = int(re.search(rb'Content-Length: (\d+)', head)[1])
            got.append(hashlib.sha1(data[:n]).hexdigest())
            data = data[n:]
        assert got == [hashlib.sha1((s.d / n).read_bytes()).hexdigest() for n in names]


tap.run()
