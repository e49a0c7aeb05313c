#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""RFC 6455 over plain sockets, by the numbers of the published case list of the Autobahn test suite (1.* to 10.*; 12.* and 13.* are
test_ws_deflate.py): an echo of `duplex listen` as server, and ws_client.c as client. Every case has one right outcome; what fails must
fail at the first bad byte. With the argument `soak` the long ones are as long as the list has them."""
import os
import socket
import sys

from duplexlib import Process, start
from tap import add, run
from wslib import BINARY, CLOSE, CONT, PING, PONG, TEXT, accept, close_body, dial, ends, expect, frame, goes_well

SOAK = 'soak' in sys.argv[1:]
CLIENT = os.environ.get('WS_CLIENT', 'build/tests/e2e/ws_client')
CASES = {}


def rule(number):
    def keep(fn):
        assert number not in CASES, number
        CASES[number] = fn
        return fn
    return keep


# ---- 1: lengths; 2: pings ----

def lengths(op, number):
    for i, (n, chop) in enumerate([(0, None), (125, None), (126, None), (127, None), (128, None), (65535, None), (65536, None),
                                   (65536, 997)], 1):
        def one(e, n=n, chop=chop):
            data = b'*' * n if op == TEXT else b'\xfe' * n
            e.send(e.frame(op, data), chop)
            goes_well(e, (op, data))
        rule(f'{number}.{i}')(one)


lengths(TEXT, '1.1')
lengths(BINARY, '1.2')


def pings(number, sent, wanted, chop=None):
    def one(e):
        e.send(b''.join(e.frame(*f) for f in sent), chop)
        goes_well(e, *wanted)
    rule(number)(one)


BYTES = b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff'
pings('2.1', [(PING,)], [(PONG, b'')])
pings('2.2', [(PING, b'Hello, world!')], [(PONG, b'Hello, world!')])
pings('2.3', [(PING, BYTES)], [(PONG, BYTES)])
pings('2.4', [(PING, b'\xfe' * 125)], [(PONG, b'\xfe' * 125)])
pings('2.6', [(PING, b'\xfe' * 125)], [(PONG, b'\xfe' * 125)], 1)
pings('2.7', [(PONG,)], [])
pings('2.8', [(PONG, b'unsolicited')], [])
pings('2.9', [(PONG, b'unsolicited'), (PING, b'mine')], [(PONG, b'mine')])
pings('2.10', [(PING, b'payload-%d' % i) for i in range(10)], [(PONG, b'payload-%d' % i) for i in range(10)])
pings('2.11', [(PING, b'payload-%d' % i) for i in range(10)], [(PONG, b'payload-%d' % i) for i in range(10)], 1)


# ---- breaches: before, the bytes that break, what must come before the end ----

def breach(number, frames, wanted=(), code=1002, after=True, chop=None):
    """frames: tuples for End.frame, dicts too. after: a good message and a ping follow, and nothing may come of them."""
    def one(e):
        data = b''.join(e.frame(*f[0], **f[1]) if isinstance(f[0], tuple) else e.frame(*f) for f in frames)
        if after:
            data += e.frame(TEXT, b'behind it') + e.frame(PING)
        e.send(data, chop)
        expect(e, *wanted)
        ends(e, code)
    rule(number)(one)


HELLO = (TEXT, b'Hello, world!')
breach('2.5', [(PING, b'\xfe' * 126)])
breach('3.1', [(HELLO, {'rsv': 1})])
breach('3.2', [HELLO, (HELLO, {'rsv': 2})], [HELLO])
breach('3.3', [HELLO, (HELLO, {'rsv': 3})], [HELLO])
breach('3.4', [HELLO, (HELLO, {'rsv': 4})], [HELLO], chop=1)
breach('3.5', [((BINARY, BYTES), {'rsv': 5})])
breach('3.6', [((PING, b''), {'rsv': 6})])
breach('3.7', [((CLOSE, b''), {'rsv': 7})])
for i, op in enumerate([3, 4, 5, 6, 7], 1):
    breach(f'4.1.{i}', [HELLO] * (i > 2) + [(op, b'x' * (i % 2))], [HELLO] * (i > 2))
for i, op in enumerate([11, 12, 13, 14, 15], 1):
    breach(f'4.2.{i}', [HELLO] * (i > 2) + [(op, b'x' * (i % 2))], [HELLO] * (i > 2))
breach('5.1', [((PING, b'one'), {'fin': False}), (CONT, b'two')])
breach('5.2', [((PONG, b'one'), {'fin': False}), (CONT, b'two')])
PARTS = [((TEXT, b'one'), {'fin': False}), (CONT, b'two')]
WHOLE = (TEXT, b'onetwo')


def fragments(number, frames, wanted, chop=None):
    def one(e):
        e.send(b''.join(e.frame(*f[0], **f[1]) if isinstance(f[0], tuple) else e.frame(*f) for f in frames), chop)
        goes_well(e, *wanted)
    rule(number)(one)


fragments('5.3', PARTS, [WHOLE])
fragments('5.4', PARTS, [WHOLE], 3)
fragments('5.5', PARTS, [WHOLE], 1)
fragments('5.6', [PARTS[0], (PING, b'ping'), PARTS[1]], [(PONG, b'ping'), WHOLE])
fragments('5.7', [PARTS[0], (PING, b'ping'), PARTS[1]], [(PONG, b'ping'), WHOLE], 3)
fragments('5.8', [PARTS[0], (PING, b'ping'), PARTS[1]], [(PONG, b'ping'), WHOLE], 1)
for i, chop in enumerate([None, 3, 1]):
    breach(f'5.{9 + i}', [(CONT, b'of nothing'), HELLO], chop=chop)
    breach(f'5.{12 + i}', [((CONT, b'of nothing'), {'fin': False}), HELLO], chop=chop)
breach('5.15', PARTS + [((CONT, b'of nothing'), {'fin': False}), HELLO], [WHOLE])
breach('5.16', [((CONT, b'a'), {'fin': False}), ((TEXT, b'b'), {'fin': False}), (CONT, b'c')] * 2)
breach('5.17', [(CONT, b'a'), ((TEXT, b'b'), {'fin': False}), (CONT, b'c')] * 2)
breach('5.18', [((TEXT, b'one'), {'fin': False}), (TEXT, b'two')])


def five_and_pings(number, chop):
    def one(e):
        data = e.frame(TEXT, b'fragment1', fin=False) + e.frame(CONT, b'fragment2', fin=False) + e.frame(PING, b'ping1')
        e.send(data, chop)
        expect(e, (PONG, b'ping1'))
        e.send(e.frame(CONT, b'fragment3', fin=False) + e.frame(CONT, b'fragment4', fin=False) + e.frame(PING, b'ping2') +
               e.frame(CONT, b'fragment5'), chop)
        goes_well(e, (PONG, b'ping2'), (TEXT, b''.join(b'fragment%d' % i for i in range(1, 6))))
    rule(number)(one)


five_and_pings('5.19', None)
five_and_pings('5.20', 1)

# ---- 6: text is UTF-8, and what is not fails at the first byte that shows it ----

fragments('6.1.1', [(TEXT, b'')], [(TEXT, b'')])
fragments('6.1.2', [((TEXT, b''), {'fin': False}), ((CONT, b''), {'fin': False}), (CONT, b'')], [(TEXT, b'')])
fragments('6.1.3', [((TEXT, b''), {'fin': False}), ((CONT, b'middle'), {'fin': False}), (CONT, b'')], [(TEXT, b'middle')])
GREEK = 'Hello-µ@ßöäüàá-UTF-8!!'.encode()
fragments('6.2.1', [(TEXT, GREEK)], [(TEXT, GREEK)])
fragments('6.2.2', [((TEXT, GREEK[:12]), {'fin': False}), (CONT, GREEK[12:])], [(TEXT, GREEK)])


def one_by_one(text):
    return [((TEXT if i == 0 else CONT, text[i:i + 1]), {'fin': i == len(text) - 1}) for i in range(len(text))]


KOSME = b'\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5'
fragments('6.2.3', one_by_one(GREEK), [(TEXT, GREEK)])
fragments('6.2.4', one_by_one(KOSME), [(TEXT, KOSME)])
BAD = KOSME + b'\xed\xa0\x80' + b'edited'
breach('6.3.1', [(TEXT, BAD)], code=1007)
breach('6.3.2', one_by_one(BAD), code=1007)


def fails_fast(number, *chunks):
    """chunks: functions of an End that make bytes. Their Close must come when all are sent but the frame is not."""
    def one(e):
        for c in chunks:
            e.send(c(e))
        ends(e, 1007)
    rule(number)(one)


fails_fast('6.4.1', lambda e: e.frame(TEXT, KOSME, fin=False), lambda e: e.frame(CONT, b'\xf4\x90\x80\x80', fin=False))
fails_fast('6.4.2', lambda e: e.frame(TEXT, KOSME + b'\xf4', fin=False), lambda e: e.frame(CONT, b'\x90', fin=False))
for k, n in (('6.4.3', 15), ('6.4.4', 13)):  # the head and KOSME, then up to the bad bytes; the frame never ends
    fails_fast(k, lambda e, n=n: e.frame(TEXT, KOSME + b'\xf4\x90\x80\x80' + b'edited')[:(6 if e.client else 2) + n])
fails_fast('6.4.5', lambda e: e.frame(TEXT, b'x' * 60000 + b'\xff' + b'x' * 60000)[:60001 + (14 if e.client else 10)])

# 6.5 to 6.23, in the order of the list: what is UTF-8 and what is not.
LONELY = [b''.join(bytes([c]) + b' ' for c in range(a, z)) for a, z in ((0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd))]
SHORT = [b'\xc0', b'\xe0\x80', b'\xf0\x80\x80', b'\xf8\x80\x80\x80', b'\xfc\x80\x80\x80\x80', b'\xdf', b'\xef\xbf', b'\xf7\xbf\xbf',
         b'\xfb\xbf\xbf\xbf', b'\xfd\xbf\xbf\xbf\xbf']
HIGH, LOW = (b'\xed\xa0\x80', b'\xed\xad\xbf', b'\xed\xae\x80', b'\xed\xaf\xbf'), (b'\xed\xb0\x80', b'\xed\xbf\xbf')
TEXTS = {
    5: [b'hello$world', 'hello¢world'.encode(), 'hello€world'.encode(), 'hello\U00024b62world'.encode(), KOSME],
    6: [KOSME[:i] for i in range(1, 12)],
    7: [b'\0', b'\xc2\x80', b'\xe0\xa0\x80', b'\xf0\x90\x80\x80'],
    8: [b'\xf8\x88\x80\x80\x80', b'\xfc\x84\x80\x80\x80\x80'],
    9: [b'\x7f', b'\xdf\xbf', b'\xef\xbf\xbf', b'\xf4\x8f\xbf\xbf'],
    10: [b'\xf7\xbf\xbf\xbf', b'\xfb\xbf\xbf\xbf\xbf', b'\xfd\xbf\xbf\xbf\xbf\xbf'],
    11: [b'\xed\x9f\xbf', b'\xee\x80\x80', b'\xef\xbf\xbd', b'\xf4\x8f\xbf\xbf', b'\xf4\x90\x80\x80'],
    12: [b'\x80', b'\xbf', *((b'\x80\xbf' * 3)[:n] for n in range(2, 7)), bytes(range(0x80, 0xbf))],
    13: LONELY,
    14: SHORT,
    15: [b''.join(SHORT)],
    16: [b'\xfe', b'\xff', b'\xfe\xfe\xff\xff'],
    17: [b'\xc0\xaf', b'\xe0\x80\xaf', b'\xf0\x80\x80\xaf', b'\xf8\x80\x80\x80\xaf', b'\xfc\x80\x80\x80\x80\xaf'],
    18: [b'\xc1\xbf', b'\xe0\x9f\xbf', b'\xf0\x8f\xbf\xbf', b'\xf8\x87\xbf\xbf\xbf', b'\xfc\x83\xbf\xbf\xbf\xbf'],
    19: [b'\xc0\x80', b'\xe0\x80\x80', b'\xf0\x80\x80\x80', b'\xf8\x80\x80\x80\x80', b'\xfc\x80\x80\x80\x80\x80'],
    20: [*HIGH, b'\xed\xb0\x80', b'\xed\xbe\x80', b'\xed\xbf\xbf'],
    21: [h + l for h in HIGH for l in LOW],
    22: [chr(plane << 16 | last).encode() for plane in range(17) for last in (0xfffe, 0xffff)],
    23: [chr(c).encode() for c in range(0xfff9, 0x10000)],
}


def is_utf8(text):
    try:
        return text.decode() is not None  # Python's own strict reading
    except UnicodeDecodeError:
        return False


assert {k: sum(map(is_utf8, v)) for k, v in TEXTS.items()} == {
    5: 5, 6: 5, 7: 4, 8: 0, 9: 4, 10: 0, 11: 4, 12: 0, 13: 0, 14: 0, 15: 0, 16: 0, 17: 0, 18: 0, 19: 0, 20: 0, 21: 0, 22: 34, 23: 7}
for family, texts in TEXTS.items():
    for i, text in enumerate(texts, 1):
        if is_utf8(text):
            fragments(f'6.{family}.{i}', [(TEXT, text)], [(TEXT, text)])
            fragments(f'6.{family}.{i} byte by byte', one_by_one(text), [(TEXT, text)])
        else:
            breach(f'6.{family}.{i}', [(TEXT, text)], code=1007)
            breach(f'6.{family}.{i} byte by byte', one_by_one(text), code=1007)
            breach(f'6.{family}.{i} far in', [(TEXT, b'a' * 5000 + text)], code=1007)

# ---- 7: closing ----


def closes(number, data, *codes, wanted=()):
    def one(e):
        e.send(data(e) if callable(data) else e.frame(CLOSE, data))
        expect(e, *wanted)
        ends(e, *codes)
    rule(number)(one)


NORMAL = close_body(1000)
closes('7.1.1', lambda e: e.frame(*HELLO) + e.frame(CLOSE, NORMAL), 1000, wanted=[HELLO])
closes('7.1.2', lambda e: e.frame(CLOSE, NORMAL) * 2, 1000)
closes('7.1.3', lambda e: e.frame(CLOSE, NORMAL) + e.frame(PING), 1000)
closes('7.1.4', lambda e: e.frame(CLOSE, NORMAL) + e.frame(*HELLO), 1000)
closes('7.1.5', lambda e: e.frame(TEXT, b'one', fin=False) + e.frame(CLOSE, NORMAL) + e.frame(CONT, b'two'), 1000)
closes('7.1.6', lambda e: e.frame(TEXT, b'*' * 262144) + e.frame(*HELLO) + e.frame(CLOSE, NORMAL) + e.frame(PING), 1000,
       wanted=[(TEXT, b'*' * 262144), HELLO])
closes('7.3.1', b'', None)
closes('7.3.2', b'a', 1002)
closes('7.3.3', NORMAL, 1000)
closes('7.3.4', close_body(1000, b'Hello, world!'), 1000)
closes('7.3.5', close_body(1000, b'*' * 123), 1000)
closes('7.3.6', close_body(1000, b'*' * 124), 1002)
closes('7.5.1', close_body(1000, BAD), 1007)
closes('7.5.2', close_body(1000, KOSME[:1]), 1007)
for i, code in enumerate([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999], 1):
    closes(f'7.7.{i}', close_body(code), code)
for i, code in enumerate([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999], 1):
    closes(f'7.9.{i}', close_body(code), 1002)
closes('7.13.1', close_body(5000), 1002)
closes('7.13.2', (65536).to_bytes(4, 'big'), 1002)
for code in 1012, 1013, 1014:
    closes(f'a Close with {code}', close_body(code), code)
for code in 1015, 65535:
    closes(f'a Close with {code}', close_body(code), 1002)

# ---- 5.2 of the RFC: the rest of the frame's head ----

for n, length in ((0, 2), (125, 2), (0, 8), (125, 8), (126, 8), (65535, 8)):
    breach(f'5.2 {n} written in {length} bytes', [((BINARY, b'x' * n), {'length': length})])


def long_length(e):
    """The top bit of a length, and one that is over every limit: nothing of the payload is waited for."""
    e.send(bytes([0x82, 127 | e.client << 7]) + b'\x80' + bytes(7))
    ends(e, 1002)


def too_long(e):
    e.send(bytes([0x82, 127 | e.client << 7]) + b'\x7f' + b'\xff' * 7)
    ends(e, 1009)


def too_long_in_fragments(e):
    part = e.frame(BINARY, b'x' * (1 << 20), fin=False)
    e.send(part + e.frame(CONT, b'x' * (1 << 20), fin=False) * 15)
    e.send(bytes([CONT, 127 | e.client << 7]) + (32 << 20).to_bytes(8, 'big'))
    ends(e, 1009)


def wrong_mask(e):
    e.send(frame(*HELLO, masked=not e.client))
    ends(e, 1002)


rule('5.2 the top bit of a length')(long_length)
rule('5.2 a length over the limit')(too_long)
rule('5.4 fragments over the limit')(too_long_in_fragments)
rule('5.1 a mask in the wrong direction')(wrong_mask)

# ---- 9, 10: much ----


def big(number, op, sizes, fragments=(0,), chops=(None,)):
    i = 0
    for size in sizes:
        for part in fragments:
            for chop in chops:
                i += 1

                def one(e, size=size, part=part, chop=chop):
                    data = (b'*' if op == TEXT else b'\xfe') * size
                    e.send(e.message(op, data, -(-size // part) if part else 1), chop)
                    goes_well(e, (op, data))
                rule(f'{number}.{i}')(one)


K = 1024
for k, op in enumerate((TEXT, BINARY)):
    big(f'9.{1 + k}', op, [64 * K, 256 * K, K * K, 4 * K * K, 8 * K * K, 16 * K * K])
    big(f'9.{3 + k}', op, [4 * K * K if SOAK else 256 * K], fragments=[64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K, K * K, 4 * K * K])
    big(f'9.{5 + k}', op, [K * K if SOAK else 128 * K], chops=[64, 128, 256, 512, K, 2 * K])


def round_trips(number, op, size):
    def one(e):
        data = (b'*' if op == TEXT else b'\xfe') * size
        for _ in range(1000 if SOAK else 30):
            e.send(e.frame(op, data))
            expect(e, (op, data))
        goes_well(e)
    rule(number)(one)


for i, size in enumerate([0, 16, 64, 256, 1024, 4096], 1):
    round_trips(f'9.7.{i}', TEXT, size)
    round_trips(f'9.8.{i}', BINARY, size)
big('10.1', TEXT, [65536], fragments=[1300])  # 10.1.1

# ---- as server ----

SERVER = []


def server():
    if not SERVER:
        SERVER.append(start('listen', 'ws://127.0.0.1:0', '--echo', '--ping', '0'))
    return SERVER[0].url


def as_server(fn):
    def one():
        e, _ = dial(server())
        with e.sock:
            fn(e)
    return one


# ---- as client: one process dials for all cases, in their order ----

DIALLER = []


def dialler():
    if not DIALLER:
        listener = socket.create_server(('127.0.0.1', 0), backlog=10)
        port = listener.getsockname()[1]
        DIALLER.extend([listener, Process([CLIENT, f'ws://127.0.0.1:{port}/', str(len(CASES))])])
    return DIALLER[0]


def as_client(fn):
    def one():
        e, head = accept(dialler())
        assert 'sec-websocket-extensions' not in head, 'deflate without being asked'
        with e.sock:
            fn(e)
    return one


for number, fn in CASES.items():
    add(f'server {number}', as_server(fn))
for number, fn in CASES.items():
    add(f'client {number}', as_client(fn))

run()
