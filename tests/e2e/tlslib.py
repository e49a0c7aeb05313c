# SPDX-License-Identifier: MIT
"""tlslib.py - TLS peers for tests: Python's ssl with a certificate of pki.py, openssl and gnutls in the background, a client that
decides over every record and every byte, and a proxy that cuts.

    with tls_server(pki.leaf('good'), lambda c: c.sendall(b'hi')) as s:
        r = run('dial', s.url + f'#ca={pki.ca().cert}')
    with tls_connect(p.url) as c:            # to what listen said
        c.sendall(b'hello')
"""
import contextlib
import socket
import ssl
import struct
import threading

import pki
from duplexlib import SLOW, Process, Server, host_port, until

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
# How Python names the alerts (RFC 8446 6) that came.
ALERTS = {20: 'BAD RECORD MAC', 112: 'UNRECOGNIZED NAME', 120: 'NO APPLICATION PROTOCOL'}


def server_context(leaf=None, version=None, alpn=(), client_ca=None, level=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if level is not None:
        c.set_ciphers(f'DEFAULT@SECLEVEL={level}')
    if version:
        c.minimum_version = c.maximum_version = version
    if alpn:
        c.set_alpn_protocols(alpn)
    if client_ca:
        c.load_verify_locations(client_ca)
        c.verify_mode = ssl.CERT_REQUIRED
    leaf = leaf or pki.leaf('good')
    c.load_cert_chain(leaf.chain, leaf.key)
    return c


def client_context(ca=None, version=None, alpn=(), cert=None):
    c = ssl.create_default_context(cafile=ca or pki.ca().cert)
    if version:
        c.minimum_version = c.maximum_version = version
    if alpn:
        c.set_alpn_protocols(alpn)
    if cert:
        c.load_cert_chain(cert.chain, cert.key)
    return c


def half_close(c):
    """Says our end and hears the peer's, reading nothing more: Python has no half of it."""
    c.unwrap()


@contextlib.contextmanager
def tls_server(leaf, serve, family=socket.AF_INET, fails=False, **how):
    """A duplexlib.Server within TLS; .url is tls://. fails: the handshake is meant to; what it said is in .results."""
    context = server_context(leaf, **how)

    def one(sock):
        try:
            c = context.wrap_socket(sock, server_side=True)
        except (ssl.SSLError, OSError) as why:
            if fails:
                return why
            raise
        with c:
            return serve(c)

    with Server(one, family) as s:
        s.url = s.url.replace('tcp:', 'tls:')
        s.port = host_port(s.url)[1]
        yield s


def says(data):
    """A server that sends this, ends, and hears the client's end."""
    def serve(c):
        c.sendall(data)
        half_close(c)
    return serve


def echoes(c):
    """Until the client's end, which it answers."""
    while part := c.recv(1 << 16):
        c.sendall(part)
    with contextlib.suppress(ssl.SSLError, OSError):
        half_close(c)


def tls_connect(url, name='127.0.0.1', context=None, **how):
    """A connected TLS socket to the tls://, wss://, https:// or any:// url of ours."""
    host, port = host_port(url)
    s = socket.create_connection((host, port), 10 * SLOW)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return (context or client_context(**how)).wrap_socket(s, server_hostname=name)
    except Exception:
        s.close()
        raise


def works(p, **how):
    """A good client is served by p."""
    with tls_connect(p.url, **how) as c:
        c.sendall(b'still here\n')
        got = exactly(c, 11)
        assert got == b'still here\n', got
    return True


def refused(url, **how):
    """The words with which our server refuses such a client, at the handshake or, in TLS 1.3, right after it."""
    try:
        with tls_connect(url, **how) as c:
            c.sendall(b'hello\n')
            while part := c.recv(1000):
                assert b'hello' not in part.lower(), part
            return 'an end'
    except ssl.SSLError as why:
        return str(why).upper()
    except OSError as why:
        return type(why).__name__


class Memory:
    """A TLS client on a plain socket: nothing is sent but by flush, and what is sent is in the test's hands."""

    def __init__(self, sock, context=None, name='127.0.0.1', **how):
        self.sock, self.into, self.out = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or client_context(**how)).wrap_bio(self.into, self.out, server_hostname=name)

    def flush(self, piece=0):
        """Sends what TLS has made; piece: in pieces of so many bytes."""
        data = self.out.read()
        if not data:
            return
        if piece:
            for i in range(0, len(data), piece):
                self.sock.sendall(data[i:i + piece])
        else:
            self.sock.sendall(data)

    def _do(self, call, piece=0):
        while True:
            try:
                r = call()
                self.flush(piece)
                return r
            except ssl.SSLWantReadError:
                self.flush(piece)
                data = self.sock.recv(1 << 16)
                self.into.write(data) if data else self.into.write_eof()

    def shake(self, piece=0):
        self._do(self.tls.do_handshake, piece)
        return self

    def write(self, data):
        """One record, not sent yet."""
        self.tls.write(data)

    def read(self, n):
        """So many bytes, or fewer and then the end."""
        got = b''
        while len(got) < n:
            try:
                part = self._do(lambda: self.tls.read(n - len(got)))
            except ssl.SSLZeroReturnError:
                break
            if not part:
                break
            got += part
        return got

    def end(self):
        """close_notify and FIN."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()
        self.sock.shutdown(socket.SHUT_WR)


def hello(name='127.0.0.1', **how):
    """A ClientHello record."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(**how).wrap_bio(into, out, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def reset(s):
    """Closes so that the peer sees a reset, and no port is kept."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


# ---- programs ----

def spoken(*argv, **how):
    """A Process whose stdout is heard together with its stderr."""
    return Process(['sh', '-c', 'exec "$@" >&2', 'sh', *argv], **how)


@contextlib.contextmanager
def s_server(*args, leaf=None, **how):
    """openssl s_server; .port and .url (tls://)."""
    leaf = leaf or pki.leaf('good')
    with spoken('openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', leaf.chain, '-key', leaf.key, *args, **how) as p:
        p.port = int(p.said(r'ACCEPT \S*:(\d+)')[1])
        p.tls_url = f'tls://127.0.0.1:{p.port}'
        yield p


def free_port():
    """A port that was free a moment ago, for programs that cannot choose one themselves."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def on_free_port(argv, **how):
    """The program that argv(port) names, once it listens; another port where it does not come up."""
    for attempt in range(5):
        port = free_port()
        with spoken(*argv(port), **how) as p:
            until(lambda: accepts(port) or p.popen.poll() is not None, words=p.err)
            if p.popen.poll() is None:
                p.port = port
                yield p
                return
    raise AssertionError(p.err)


# ---- a proxy that cuts ----

class Cutter:
    """A TCP proxy to url for one client. It passes `records` whole TLS records from the side 'server' or 'client' and `more` bytes of
    the next, then ends or breaks what it passes them to: how is 'both' (ends both conns), 'one' (the end goes that way alone)
    or 'reset'. records None: all, and .sizes are those that passed."""

    def __init__(self, url, side, records=None, more=0, how='both'):
        self.to, self.side, self.records, self.more, self.how, self.sizes, self.cut = host_port(url), side, records, more, how, [], False
        self.sock = socket.socket()
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(1)
        self.url = f'tls://127.0.0.1:{self.sock.getsockname()[1]}'
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(20 * SLOW)

    def _run(self):
        with contextlib.suppress(OSError):
            client, _ = self.sock.accept()
            server = socket.create_connection(self.to, 10 * SLOW)
            for s in client, server:
                s.settimeout(20 * SLOW)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pass, args=(server, client, self.side == 'server'), daemon=True)
            back.start()
            self._pass(client, server, self.side == 'client')
            back.join(20 * SLOW)
            client.close()
            server.close()

    def _pass(self, a, b, counted):
        try:
            while head := exactly(a, 5) if counted else a.recv(1 << 16):
                if not counted:
                    b.sendall(head)
                    continue
                body = exactly(a, int.from_bytes(head[3:5], 'big'))
                if len(self.sizes) == self.records:
                    b.sendall((head + body)[:self.more])
                    self.cut = True
                    return self._end(a, b)
                self.sizes.append(5 + len(body))
                b.sendall(head + body)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            for s in a, b:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)

    def _end(self, a, b):
        if self.how == 'reset':
            b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            b.shutdown(socket.SHUT_RD)
            b.close()
            a.close()
            return
        b.shutdown(socket.SHUT_WR)
        if self.how == 'both':
            a.shutdown(socket.SHUT_WR)
        while a.recv(1 << 16):  # what still comes is lost
            pass


def exactly(s, n):
    data = b''
    while len(data) < n and (part := s.recv(n - len(data))):
        data += part
    return data
