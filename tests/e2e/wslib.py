# SPDX-License-Identifier: MIT
"""wslib.py - a WebSocket end on a plain socket that may break every rule, and sees to it that the other end breaks none."""
import base64
import hashlib
import os
import re
import socket
import zlib

from duplexlib import SLOW, connect

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = 'dGhlIHNhbXBsZSBub25jZQ=='


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()


def read_head(s):
    """Through the empty line, and not a byte more."""
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        part = s.recv(1)
        assert part, f'the end inside a head: {head!r}'
        head += part
    lines = head.decode('latin1').split('\r\n')
    return lines[0], {k.lower(): v.strip() for k, v in (x.split(':', 1) for x in lines[1:] if x)}


def frame(op, payload=b'', fin=True, rsv=0, masked=True, length=None):
    """length: how many bytes it is written in, 1, 2 or 8; None: the fewest."""
    n = len(payload)
    length = length or (1 if n < 126 else 2 if n < 65536 else 8)
    head = bytes([fin << 7 | rsv << 4 | op])
    head += bytes([masked << 7 | (n if length == 1 else 126 if length == 2 else 127)]) + (n.to_bytes(length, 'big') if length > 1 else b'')
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask(payload, key)


def mask(payload, key):
    n = len(payload)
    pad = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(payload, 'big') ^ int.from_bytes(pad, 'big')).to_bytes(n, 'big')


def close_body(code=None, reason=b''):
    return b'' if code is None else code.to_bytes(2, 'big') + reason


class Deflate:
    """RFC 7692 by zlib: our half of it and theirs."""

    def __init__(self, ours=15, theirs=15, ours_fresh=False, theirs_fresh=False):
        self.ours, self.theirs, self.ours_fresh, self.theirs_fresh = ours, theirs, ours_fresh, theirs_fresh
        self.out, self.back = self._out(), self._in()

    def _out(self):
        return zlib.compressobj(6, zlib.DEFLATED, -max(self.ours, 9))

    def _in(self):
        return zlib.decompressobj(-self.theirs)

    def pack(self, data):
        if self.ours_fresh:
            self.out = self._out()
        packed = self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4] or b'\0'

    def unpack(self, data):
        if self.theirs_fresh:
            self.back = self._in()
        return self.back.decompress(data + b'\0\0\xff\xff')


class End:
    def __init__(self, sock, client, deflate=None):
        """client: we are the client, so what we send is masked and what comes is not."""
        self.sock, self.client, self.deflate, self.buffer = sock, client, deflate, b''
        self.keys = []  # of the masks that came

    def frame(self, op, payload=b'', **how):
        return frame(op, payload, masked=self.client, **how)

    def send(self, data, chop=None):
        try:
            for i in range(0, len(data), chop or max(len(data), 1)):
                self.sock.sendall(data[i:i + chop] if chop else data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has said why, or has not: what comes says it

    def message(self, op, data, frames=1, packed=None):
        rsv = 0
        if self.deflate if packed is None else packed:
            data, rsv = self.deflate.pack(data), 4
        size = max(1, -(-len(data) // frames))
        parts = [data[i:i + size] for i in range(0, len(data), size)] or [b'']
        return b''.join(self.frame(op if i == 0 else CONT, p, fin=i == len(parts) - 1, rsv=rsv if i == 0 else 0)
                        for i, p in enumerate(parts))

    def _more(self, n):
        while len(self.buffer) < n:
            try:
                part = self.sock.recv(1 << 20)
            except ConnectionResetError:
                part = b''
            if not part:
                return False
            self.buffer += part
        return True

    def _take(self, n):
        assert self._more(n), 'the end inside a frame'
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def raw_frame(self):
        """(fin, rsv, op, payload), or None at the end of the stream."""
        if not self._more(1):
            return None
        a, b = self._take(2)
        n = b & 127
        assert (b >> 7) != self.client, 'masked in the wrong direction'
        if n > 125:
            size = 2 if n == 126 else 8
            n = int.from_bytes(self._take(size), 'big')
            assert n > (125 if size == 2 else 65535) and n < 1 << 63, 'a length in more bytes than it needs'
        key = None if self.client else self._take(4)
        payload = self._take(n)
        if key:
            self.keys.append(key)
            payload = mask(payload, key)
        if a & 8:
            assert a & 0x80 and n < 126, 'a control frame too long, or in fragments'
        return a >> 7, a >> 4 & 7, a & 15, payload

    def next(self):
        """The next message or control frame: (op, payload), or None at the end."""
        op, whole, packed = None, b'', False
        while f := self.raw_frame():
            fin, rsv, what, payload = f
            if what & 8:
                assert rsv == 0 and what in (CLOSE, PING, PONG), f
                return what, payload
            assert (what == CONT) == (op is not None) and what <= BINARY, f
            assert rsv == 0 or (rsv == 4 and what != CONT and self.deflate), f
            if op is None:
                op, packed = what, rsv == 4
            whole += payload
            if fin:
                whole = self.deflate.unpack(whole) if packed else whole
                if op == TEXT:
                    whole.decode()
                return op, whole
        assert op is None, 'the end inside a message'
        return None


def dial(url, extensions=None, deflate=None, **fields):
    """As a client: (End, the answer's fields)."""
    s = connect(url, 20)
    lines = ['GET / HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
             f'Sec-WebSocket-Key: {KEY}'] + ([f'Sec-WebSocket-Extensions: {extensions}'] if extensions else []) + \
            [f'{k.replace("_", "-")}: {v}' for k, v in fields.items()]
    s.sendall('\r\n'.join(lines + ['', '']).encode())
    status, head = read_head(s)
    assert status.startswith('HTTP/1.1 101 ') and head['sec-websocket-accept'] == accept_of(KEY), (status, head)
    return End(s, True, deflate), head


def accept(listener, extensions=None, deflate=None):
    """As a server: (End, the request's fields)."""
    listener.settimeout(20 * SLOW)
    s, _ = listener.accept()
    s.settimeout(20 * SLOW)
    line, head = read_head(s)
    assert re.match(r'GET /[!-~]* HTTP/1\.1$', line), line
    s.sendall(('\r\n'.join(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
                            f'Sec-WebSocket-Accept: {accept_of(head["sec-websocket-key"])}'] +
                           ([f'Sec-WebSocket-Extensions: {extensions}'] if extensions else []) + ['', ''])).encode())
    return End(s, False, deflate), head


# ---- what must come of it ----

def expect(e, *wanted):
    for w in wanted:
        got = e.next()
        assert got == w, f'{str(got):.200} in place of {str(w):.200}'


def ends(e, *codes):
    """Their Close with one of these codes (None: without one), and then the end."""
    got = e.next()
    assert got and got[0] == CLOSE, f'{str(got):.200} in place of a Close'
    code = int.from_bytes(got[1][:2], 'big') if got[1] else None
    assert code in codes, f'Close {code} {got[1][2:]!r}, not {codes}'
    got[1][2:].decode()
    if not e.client:
        e.sock.shutdown(socket.SHUT_WR)  # a client may wait for the server's end
    assert e.next() is None, 'something after Close'


def goes_well(e, *wanted):
    """All that is wanted comes, and a Close is answered with its code."""
    expect(e, *wanted)
    e.send(e.frame(CLOSE, close_body(1000)))
    ends(e, 1000)
