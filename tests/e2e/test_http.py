#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_http.py - dial http:// and https://: stdin is the body of a POST, stdout the response's. Against raw sockets, Python's
http.server, nginx and our own listen."""
import contextlib
import http.server
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pki
from duplexlib import DUPLEX, SLOW, Process, Server, run as duplex, start, temp, until
from tap import Skip, case, run
from terminal import Terminal
from tlslib import server_context

MIB = random.Random(11).randbytes(1 << 20)
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


def head_of(c):
    """The request's head, and what of its body came with it."""
    got = b''
    while b'\r\n\r\n' not in got:
        part = c.recv(65536)
        assert part, f'the end inside a head: {got!r}'
        got += part
    head, rest = got.split(b'\r\n\r\n', 1)
    return head + b'\r\n\r\n', rest


def whole(c):
    """A request of POST with its body, as it came."""
    head, rest = head_of(c)
    if length := re.search(rb'Content-Length: (\d+)', head):
        while len(rest) < int(length[1]):
            rest += c.recv(65536)
    else:
        while not rest.endswith(b'0\r\n\r\n'):
            rest += c.recv(65536)
    return head, rest


def answering(answer=OK, more=b''):
    def serve(c):
        got = whole(c)
        c.sendall(answer)
        assert c.recv(1) == b'', 'the client says more than one request'
        return got
    return serve


@contextlib.contextmanager
def server(serve):
    with Server(serve) as s:
        s.url = s.url.replace('tcp:', 'http:')
        yield s


def head(url, *fields):
    return '\r\n'.join(['POST /in?a=b HTTP/1.1', f'Host: {url.split("/")[2]}', 'User-Agent: duplex/0.1.0', *fields,
                        'Connection: close', '', '']).encode()


TYPE = 'Content-Type: application/octet-stream'


@case
def a_pipe_goes_in_chunks():
    with server(answering()) as s:
        r = duplex('dial', s.url + '/in?a=b#fragment', input=b'hello\n')
        assert (r.code, r.out, r.err) == (0, b'ok', ''), r
    assert s.results[0] == (head(s.url, TYPE, 'Transfer-Encoding: chunked'), b'6\r\nhello\n\r\n0\r\n\r\n'), s.results


@case
def a_file_goes_by_its_length():
    path = temp('f')
    pathlib.Path(path).write_bytes(b'skipped' + MIB)
    with server(answering()) as s, open(path, 'rb') as f:
        f.seek(7)
        os.lseek(f.fileno(), 7, os.SEEK_SET)
        p = subprocess.run([DUPLEX, 'dial', s.url + '/in?a=b'], stdin=f, capture_output=True, timeout=20 * SLOW)
        assert (p.returncode, p.stdout) == (0, b'ok'), p
    assert s.results[0] == (head(s.url, TYPE, f'Content-Length: {len(MIB)}'), MIB), len(s.results[0][1])


@case
def nothing_on_stdin_is_an_empty_body():
    empty = temp('empty')
    open(empty, 'w').close()
    for name in (os.devnull, empty):
        with server(answering()) as s, open(name) as f:
            p = subprocess.run([DUPLEX, 'dial', s.url + '/in?a=b'], stdin=f, capture_output=True, timeout=20 * SLOW)
            assert (p.returncode, p.stdout) == (0, b'ok'), p
        assert s.results[0] == (head(s.url, 'Content-Length: 0'), b''), s.results
    with server(answering()) as s:
        assert duplex('dial', s.url + '/in?a=b').out == b'ok'
    assert s.results[0] == (head(s.url, 'Content-Length: 0'), b''), s.results


@case
def what_is_typed_goes_line_by_line_and_control_d_ends_it():
    heard = []

    def serve(c):
        h, rest = head_of(c)
        heard.append(h)
        while b'0\r\n\r\n' not in rest:
            rest += c.recv(1000)
            heard.append(rest)
        time.sleep(1.5)  # an answer may take its time
        c.sendall(OK)
        return rest

    with server(serve) as s:
        t = Terminal('dial', s.url + '/in?a=b')
        t.sees(b'a POST: type its body, Ctrl-D ends it')
        until(lambda: heard, words='the head before anything is typed')
        t.type(b'one\n')
        until(lambda: heard[-1] == b'4\r\none\n\r\n', words=f'the line: {heard}')
        t.type(b'\x04')
        t.sees(b'ok')
        assert t.code() == 0, t.screen
    assert s.results == [b'4\r\none\n\r\n0\r\n\r\n'], s.results


@case
def a_status_of_400_and_up_has_its_own_code_and_its_body_is_printed():
    for status, code in ((200, 0), (204, 0), (399, 0), (400, 22), (404, 22), (418, 22), (500, 22)):
        body = b'' if status == 204 else b'no such thing\n'
        answer = b'HTTP/1.1 %d What\r\nContent-Length: %d\r\n\r\n%s' % (status, len(body), body)
        with server(answering(answer)) as s:
            r = duplex('dial', s.url + '/x', input=b'hi')
        assert (r.code, r.out) == (code, body), r
        words = {404: ' answers 404 Not Found\n', 418: ' answers 418\n'}.get(status, ' answers ' if code else '')
        assert r.err.startswith(f'duplex: {s.url}/x' + words) if code else not r.err, r


@case
def a_server_that_takes_no_post_is_better_fetched_from():
    with server(answering(b'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n')) as s:
        r = duplex('dial', s.url + '/x', input=b'')
    assert r.code == 22 and f'dial is a POST.  To get it, try: duplex fetch {s.url}/x' in r.err, r


@case
def verbose_shows_status_and_fields_and_a_terminal_obeys_none_of_them():
    answer = ('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-Evil: a\u202eb\u009b31mc'
              '\r\n\r\nok').encode()
    with server(answering(answer)) as s:
        r = duplex('dial', '-v', s.url, input=b'hi')
    assert r.code == 0 and r.out == b'ok', r
    assert 'duplex: HTTP/1.1 103' in r.err and 'duplex: HTTP/1.1 200 OK\nduplex: Content-Length: 2\n' in r.err, r
    assert 'X-Evil: a<U+202E>b' in r.err and '\u202e' not in r.err and '\u009b' not in r.err, r


@case
def an_answer_that_is_cut_or_is_none_has_its_own_code():
    rows = [(b'', 18, 'ended without an answer'), (b'HTTP/1.1 2', 18, 'inside the head'),
            (b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 18, 'stopped inside its body'),
            (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 18, 'stopped inside its body'),
            (b'SSH-2.0-OpenSSH\r\n', 22, 'is not HTTP'),
            (b'HTTP/1.1 101 Switching Protocols\r\n\r\n', 22, 'changes the protocol')]
    for answer, code, words in rows:
        def serve(c, answer=answer):
            whole(c)
            c.sendall(answer)
        with server(serve) as s:
            r = duplex('dial', s.url, input=b'hi')
        assert r.code == code and words in r.err and s.url in r.err, (answer, r)
        assert r.out == (b'hello' if b'hello' in answer else b''), (answer, r)
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        r = duplex('dial', f'http://127.0.0.1:{s.getsockname()[1]}/', input=b'hi')
    assert r.code == 7 and 'Try: duplex listen http://127.0.0.1:' in r.err, r


@case
def an_upload_that_is_interrupted_never_looks_whole():
    def serve(c):
        _, rest = head_of(c)
        with contextlib.suppress(ConnectionResetError):
            while part := c.recv(65536):
                rest += part
        return rest

    with server(serve) as s:
        p = Process([DUPLEX, 'dial', s.url])
        p.stdin.write(b'half of it')
        until(lambda: s.threads, words='a connection')
        time.sleep(0.3)
        p.interrupt(signal.SIGINT)
        assert p.wait() == 130, p.err
        until(lambda: s.results, words='the server sees the end')
    assert s.results[0].startswith(b'a\r\nhalf of it\r\n') and b'0\r\n\r\n' not in s.results[0], s.results


@case
def a_refusal_stops_the_upload():
    def serve(c):
        head_of(c)
        c.sendall(b'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n')
        with contextlib.suppress(ConnectionResetError):
            while c.recv(1 << 20):
                pass

    with server(serve) as s:
        p = Process([DUPLEX, 'dial', s.url])  # stdin stays open
        p.stdin.write(b'x')
        assert p.wait() == 22 and '413' in p.err, p.err
        assert p.stdout.read() == b'no\n'


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        if 'Content-Length' in self.headers:
            body = self.rfile.read(int(self.headers['Content-Length']))
        else:
            body = b''
            while n := int(self.rfile.readline().split(b';')[0], 16):
                body += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        self.send_response(200)
        if self.path == '/to-the-end':
            self.send_header('Connection', 'close')
        elif self.path == '/chunked':
            self.send_header('Transfer-Encoding', 'chunked')
        else:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.path == '/chunked':
            for i in range(0, len(body), 50000):
                self.wfile.write(b'%x\r\n%s\r\n' % (len(body[i:i + 50000]), body[i:i + 50000]))
            self.wfile.write(b'0\r\n\r\n')
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def python_server(tls=False):
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Echo) as s:
        if tls:
            s.socket = server_context(pki.leaf('good')).wrap_socket(s.socket, server_side=True)
        threading.Thread(target=s.serve_forever, daemon=True).start()
        yield f'http{"s" * tls}://127.0.0.1:{s.server_address[1]}', s.server_address[1]
        s.shutdown()


@case
def python_s_http_server_gives_the_mebibyte_back():
    path = temp('f')
    pathlib.Path(path).write_bytes(MIB)
    with python_server() as (url, _):
        for where in ('/', '/chunked', '/to-the-end'):
            r = duplex('dial', url + where, input=MIB)
            assert r.code == 0 and r.out == MIB, r
            with open(path, 'rb') as f:
                p = subprocess.run([DUPLEX, 'dial', url + where], stdin=f, capture_output=True, timeout=20 * SLOW)
            assert p.returncode == 0 and p.stdout == MIB, p.stderr


@case
def over_tls_too_and_an_end_that_python_does_not_say_is_none():
    with python_server(tls=True) as (url, _):
        trust = ('--ca', pki.ca().cert)
        for where in ('/', '/chunked'):
            r = duplex('dial', *trust, url + where, input=MIB)
            assert r.code == 0 and r.out == MIB, r
        r = duplex('dial', *trust, url + '/to-the-end', input=MIB)
        assert r.code == 18 and 'close_notify' in r.err and r.out == MIB, r
        r = duplex('dial', url, input=b'hi')
        assert r.code == 60 and not r.out, r


NGINX = '''
daemon off; master_process off; pid {0}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 8m; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;
  uwsgi_temp_path {0}/u; scgi_temp_path {0}/s; client_body_buffer_size 2m;
  server {{
    listen 127.0.0.1:{1}; listen 127.0.0.1:{2} ssl;
    ssl_certificate {3}; ssl_certificate_key {4};
    location = /ok {{ return 200 "ok\\n"; }}
    location = /none {{ return 204; }}
    location = /moved {{ return 301 /ok; }}
    location = /small {{ client_max_body_size 1k; proxy_pass http://127.0.0.1:{5}; }}
    location / {{ proxy_pass http://127.0.0.1:{5}; proxy_http_version 1.1; proxy_buffering off; }}
  }}
}}
'''


def free_ports(n):
    socks = [socket.socket() for _ in range(n)]
    for s in socks:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


@contextlib.contextmanager
def nginx():
    program = shutil.which('nginx', path=os.environ['PATH'] + ':/usr/sbin')
    if not program:
        raise Skip('no nginx here')
    folder, good = os.path.dirname(temp('x')), pki.leaf('good')
    plain, tls = free_ports(2)
    with python_server() as (_, behind):
        pathlib.Path(folder, 'conf').write_text(NGINX.format(folder, plain, tls, good.chain, good.key, behind))
        with Process([program, '-e', 'stderr', '-p', folder, '-c', folder + '/conf']) as p:
            for port in (plain, tls):
                until(lambda port=port: socket.socket().connect_ex(('127.0.0.1', port)) == 0 or p.popen.poll() is not None,
                      words='nginx listens')
            assert p.popen.poll() is None, p.err
            yield (f'http://127.0.0.1:{plain}',), (f'https://127.0.0.1:{tls}', '--ca', pki.ca().cert)


@case
def nginx_answers():
    with nginx() as ways:
        for url, *trust in ways:
            for where, code, out in (('/ok', 0, b'ok\n'), ('/none', 0, b'')):
                for body in (b'', b'hi', MIB):
                    r = duplex('dial', *trust, url + where, input=body)
                    assert (r.code, r.out) == (code, out), (url, where, len(body), r)
            for where in ('/', '/chunked', '/to-the-end'):
                r = duplex('dial', *trust, url + where, input=MIB)
                assert r.code == 0 and r.out == MIB, (url, where, r)
            r = duplex('dial', *trust, '-v', url + '/moved', input=b'hi')
            assert r.code == 0 and 'duplex: Location: ' in r.err and b'301' in r.out, r
            r = duplex('dial', *trust, url + '/small', input=MIB)
            assert r.code == 22 and 'answers 413 Content Too Large' in r.err and b'413' in r.out, (url, r)


@case
def our_own_listen_answers_over_both():
    good = pki.leaf('good')
    for url, tls, trust in (('http', [], []), ('https', ['--cert', good.chain, '--key', good.key], ['--ca', pki.ca().cert])):
        with start('listen', f'{url}://127.0.0.1:0', '--echo', *tls) as p:
            for body in (b'', b'x', MIB * 12):
                r = duplex('dial', *trust, p.url, input=body)
                assert r.code == 0 and r.out == body, (url, len(body), r)
            with Process([DUPLEX, 'dial', *trust, p.url]) as d:  # what is sent comes back before all is sent
                d.stdin.write(b'ping')
                assert d.stdout.read(4) == b'ping'
                d.stdin.write(b'pong')
                assert d.stdout.read(4) == b'pong'
                d.end_input()
                assert d.wait() == 0, d.err


run()
