# SPDX-License-Identifier: MIT
"""proxylib.py - a proxy of our own: HTTP (whole URLs, CONNECT) and SOCKS 5, in clear text or TLS. Whatever name it is asked for is this
machine.

    with proxy(login=b'ada:pass') as p:
        run('fetch', '--proxy', f'http://ada:pass@{p.at}', ...)
        p.asked         # ['GET http://a/x', 'CONNECT a:443', 'SOCKS name a:80', 'SOCKS 127.0.0.1:80']
"""
import base64
import contextlib
import re
import select
import socket
import ssl

from duplexlib import Server
from tlslib import server_context


def exactly(c, n):
    got = b''
    while len(got) < n:
        part = c.recv(n - len(got))
        if not part:
            raise ConnectionError(f'the end after {len(got)} of {n} bytes')
        got += part
    return got


def head_of(c, got=b''):
    while b'\r\n\r\n' not in got:
        part = c.recv(65536)
        if not part:
            return got
        got += part
    return got


def pump(a, b):
    """Both ways, with the ends of both halves."""
    open_ends = {a: b, b: a}
    with contextlib.suppress(OSError):
        while open_ends:
            ready = [s for s in open_ends if isinstance(s, ssl.SSLSocket) and s.pending()] or select.select(list(open_ends), [], [])[0]
            for s in ready:
                if part := s.recv(65536):
                    open_ends[s].sendall(part)
                elif isinstance(open_ends[s], ssl.SSLSocket):
                    open_ends[s].unwrap()  # Python knows no half of it
                    return
                else:
                    open_ends.pop(s).shutdown(socket.SHUT_WR)


def whole(c, got):
    """One message whose head has come: with its body, by its Content-Length."""
    head, _, body = got.partition(b'\r\n\r\n')
    n = re.search(rb'\r\nContent-Length: (\d+)', head)
    return got + (exactly(c, int(n[1]) - len(body)) if n else b'')


class Proxy:
    def __init__(self, login=None, tls=False, says=None):
        self.login, self.tls, self.says = login, tls, says  # says: in place of an answer to a whole request
        self.asked, self.heads = [], []

    def serve(self, c):
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # whoever does not believe us, or has enough
            if self.tls:
                c = server_context().wrap_socket(c, server_side=True)
            first = c.recv(1)
            if first == b'\5':
                self.socks(c)
            elif first:
                self.http(c, first)

    def on(self, c, port):
        with socket.create_connection(('127.0.0.1', port), 10) as to:
            pump(c, to)

    def http(self, c, first):
        while head := head_of(c, first):
            first = b''
            method, target, _ = head.split(b'\r\n')[0].decode().split(' ')
            self.asked.append(f'{method} {target}')
            self.heads.append(head)
            if self.says is not None:
                c.sendall(self.says)
                return
            if self.login and b'Proxy-Authorization: Basic ' + base64.b64encode(self.login) + b'\r\n' not in head:
                c.sendall(b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
                return
            if method == 'CONNECT':
                c.sendall(b'HTTP/1.1 200 Fine\r\n\r\n')
                self.on(c, int(target.rpartition(':')[2]))
                return
            _, _, host, path = target.split('/', 3)
            own = [x for x in head.split(b'\r\n') if not x.startswith(b'Proxy-')]
            own[0] = f'{method} /{path} HTTP/1.1'.encode()
            with socket.create_connection(('127.0.0.1', int(host.partition(':')[2] or 80)), 10) as to:
                to.sendall(whole(c, b'\r\n'.join(own)))
                c.sendall(whole(to, head_of(to)))

    def socks(self, c):
        methods = exactly(c, exactly(c, 1)[0])
        want = 2 if self.login else 0
        c.sendall(bytes([5, want if want in methods else 255]))
        if want not in methods:
            return
        if self.login:
            exactly(c, 1)
            name = exactly(c, exactly(c, 1)[0])
            word = exactly(c, exactly(c, 1)[0])
            c.sendall(bytes([1, name + b':' + word != self.login]))
            if name + b':' + word != self.login:
                return
        kind = exactly(c, 4)[3]
        host = exactly(c, exactly(c, 1)[0]).decode() if kind == 3 else socket.inet_ntop(
            *(socket.AF_INET, exactly(c, 4)) if kind == 1 else (socket.AF_INET6, exactly(c, 16)))
        port = int.from_bytes(exactly(c, 2), 'big')
        self.asked.append(f'SOCKS {"name " * (kind == 3)}{host}:{port}')
        if self.says is not None:
            c.sendall(self.says)
            return
        c.sendall(b'\5\0\0\1' + bytes(6))
        self.on(c, port)


@contextlib.contextmanager
def proxy(**how):
    p = Proxy(**how)
    with Server(p.serve) as s:
        p.at = s.url.split('//')[1]
        yield p
