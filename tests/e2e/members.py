# SPDX-License-Identifier: MIT
"""members.py - a room in tests: duplex serve on free ports, and members on every wire that say and hear.

    with Room() as room:
        a, b = room.tcp(), room.ws()
        a.say('hi')                 # a line
        b.hears('nc-1: hi')         # waits for exactly that, next
"""
import base64
import json
import os
import signal
import socket
import struct
import sys
import time

import duplexlib
from duplexlib import SLOW, host_port, temp, until


class Room:
    def __init__(self, *args, env=None, **how):
        self.path = temp('room.sock')
        env = dict(os.environ, XDG_RUNTIME_DIR='/nonexistent', **(env or {}))
        listen = [] if '--listen' in args else ['--listen', 'any://127.0.0.1:0', '--listen', f'unix://{self.path}']
        self.p = duplexlib.start('serve', *listen, *args, env=env, stdin=how.pop('stdin', -3), **how)
        self._dialled = []
        self.host, self.port = host_port(next(u for u in self.p.urls if u.startswith('tcp:')))

    def __enter__(self):
        return self

    def __exit__(self, kind, e, _):
        self.p.blame(e)
        for s in self._dialled:  # a server that ends waits for its peers to do so too
            s.close()
        if not kind:
            self.p.interrupt(signal.SIGTERM)
            code = self.p.wait()
            assert code == 0, f'serve ended with {code}: {self.p.err}'
        self.p.kill()

    def closes(self, s):
        """At the end it is closed before the server is told to go, which would wait for it."""
        self._dialled.append(s)

    def dial(self, host=None):
        s = socket.create_connection((host or self.host, self.port), 10 * SLOW)
        self._dialled.append(s)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def tcp(self, host=None):
        return Lines(self.dial(host))

    def unix(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10 * SLOW)
        s.connect(self.path)
        self._dialled.append(s)
        return Lines(s)

    def udp(self, host=None):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10 * SLOW)
        s.connect((host or self.host, self.port))
        return Datagrams(s)

    def ws(self, path='/', protocol=None, host=None, **headers):
        return Ws(self.dial(host), path, headers.pop('Host', f'{host or self.host}:{self.port}'), protocol, headers)

    def json(self, path='/', host=None, **hello):
        w = self.ws(path, 'duplex.json', host)
        w.do('hello', **hello)
        return w

    def get(self, path='/', method='GET', **headers):
        """(status, head, body) of a request with exactly these headers; Host is right unless given (None: none)."""
        headers = {'Host': f'{self.host}:{self.port}'} | headers
        s = self.dial()
        fields = ''.join(f'{k}: {v}\r\n' for k, v in headers.items() if v is not None)
        s.sendall(f'{method} {path} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n'.encode('latin1'))
        head, _, body = duplexlib.recv_all(s).partition(b'\r\n\r\n')
        return int(head.split()[1]), head.decode('latin1'), body


class Member:
    """Hears messages one by one; buf holds bytes not yet cut."""

    def hears(self, want, seconds=10):
        got = self.hear(seconds)
        assert got == want, f'heard {got!r}, not {want!r}'
        return self

    def silent(self, seconds=0.3):
        try:
            got = self.hear(seconds, slow=1)
        except (TimeoutError, socket.timeout):
            return
        raise AssertionError(f'heard {got!r}')

    def ended(self):
        """The conn was closed by the room, and nothing came before."""
        try:
            got = self.hear(10)
        except (EOFError, ConnectionError):
            return
        raise AssertionError(f'heard {got!r} in place of an end')

    def close(self):
        self.s.close()

    def _wait(self, seconds, slow):
        self.s.settimeout(seconds * (slow or SLOW))


class Lines(Member):
    """A raw stream. say ends its line with eol; what comes is cut at '\\n' while eol is not ''."""

    def __init__(self, s, eol='\n', coding='utf-8'):
        self.s, self.eol, self.coding, self.buf = s, eol, coding, b''

    def say(self, text):
        self.s.sendall((text + self.eol).encode(self.coding))
        return self

    def hear(self, seconds=10, slow=None):
        end = time.monotonic() + seconds * (slow or SLOW)
        while b'\n' not in self.buf:
            self.s.settimeout(max(0.001, end - time.monotonic()))
            part = self.s.recv(65536)
            if not part:
                raise EOFError(self.buf)
            self.buf += part
        line, self.buf = self.buf.split(b'\n', 1)
        return line.decode(self.coding)

    def raw(self, seconds=10):
        self._wait(seconds, None)
        return self.s.recv(65536)


class Datagrams(Member):
    def __init__(self, s):
        self.s = s

    def say(self, text):
        self.s.send(text.encode())
        return self

    def hear(self, seconds=10, slow=None):
        self._wait(seconds, slow)
        return self.s.recv(65536).decode()


class Ws(Member):
    """RFC 6455, just enough: masked frames out, whole unmasked ones in."""

    def __init__(self, s, path, host, protocol, headers):
        self.s, self.buf, self.code, self.protocol = s, b'', None, protocol
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {'Host': host, 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
                  'Sec-WebSocket-Key': key} | ({'Sec-WebSocket-Protocol': protocol} if protocol else {}) | headers
        s.sendall((f'GET {path} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in fields.items()) + '\r\n').encode())
        while b'\r\n\r\n' not in self.buf:
            part = s.recv(65536)
            if not part:
                raise EOFError(self.buf)
            self.buf += part
        head, self.buf = self.buf.split(b'\r\n\r\n', 1)
        self.status, self.head = int(head.split()[1]), head.decode('latin1')
        assert self.status != 101 or (protocol is None) == ('Sec-WebSocket-Protocol' not in self.head), self.head

    def frame(self, op, payload):
        mask, n = os.urandom(4), len(payload)
        length = bytes([128 | n]) if n < 126 else b'\xfe' + struct.pack('>H', n) if n < 65536 else b'\xff' + struct.pack('>Q', n)
        masked = bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
        self.s.sendall(bytes([128 | op]) + length + mask + masked)

    def say(self, text):
        if self.protocol:
            return self.do('say', text=text)
        self.frame(1, text.encode())
        return self

    def binary(self, data):
        self.frame(2, data)

    def do(self, what, **fields):
        self.frame(1, json.dumps({'do': what} | fields).encode())
        return self

    def _need(self, n, end):
        while len(self.buf) < n:
            self.s.settimeout(max(0.001, end - time.monotonic()))
            part = self.s.recv(65536)
            if not part:
                raise EOFError(self.buf)
            self.buf += part

    def hear(self, seconds=10, slow=None):
        """The next message: text, bytes, or for duplex.json an object. EOFError at the end; .code is then the close code."""
        end = time.monotonic() + seconds * (slow or SLOW)
        while True:
            self._need(2, end)
            op, n, at = self.buf[0] & 15, self.buf[1] & 127, 2
            if n > 125:
                at = 4 if n == 126 else 10
                self._need(at, end)
                n = int.from_bytes(self.buf[2:at], 'big')
            self._need(at + n, end)
            payload, self.buf = self.buf[at:at + n], self.buf[at + n:]
            if op == 9:
                self.frame(10, payload)
            elif op == 8:
                self.code = int.from_bytes(payload[:2], 'big')
                raise EOFError(self.code)
            elif op == 1:
                return json.loads(payload) if self.protocol else payload.decode()
            elif op == 2:
                return payload

    def gets(self, kind, seconds=10, **wanted):
        """The next object of that kind with these fields; others are passed over."""
        end = time.monotonic() + seconds * SLOW
        while True:
            o = self.hear(max(0.001, end - time.monotonic()), slow=1)
            if o['is'] == kind and all(o.get(k) == v for k, v in wanted.items()):
                return o


def here(*members):
    """Each member is in the room, also a raw one that has not spoken: it has asked /who and hears joins and leaves from now on."""
    for m in members:
        m.say('/who')
        while not m.hear().startswith('* '):
            pass
    return members


def meet(*members):
    """Each member hears a word of the first one: whatever was on its way before has arrived. Plain members only."""
    word = f'meet {time.monotonic_ns()}'
    members[0].say(word)
    for m in members[1:]:
        while not m.hear().endswith(word):
            pass
