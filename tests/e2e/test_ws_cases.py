#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""RFC 6455 and RFC 7692 rule by rule, over plain sockets, by the numbers of the published case list (1.* to 13.*): an echo of
`duplex listen` as server, and ws_client.c as client. Every case has one right outcome; what fails must fail at the first bad
byte. With the argument `soak` the long ones are as long as the list has them."""
import os
import random
import socket
import sys

from duplexlib import SLOW, Process, start
from tap import add, case, run
from wslib import BINARY, CLOSE, CONT, PING, PONG, TEXT, Deflate, accept, close_body, dial

SOAK = 'soak' in sys.argv[1:]
CLIENT = os.environ.get('WS_CLIENT', 'build/tests/e2e/ws_client')
CASES = {}


def rule(number):
    def keep(fn):
        assert number not in CASES, number
        CASES[number] = fn
        return fn
    return keep


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

GOOD_TEXT = [KOSME, b'\xf0\x90\x80\x80', b'\0', b'\xc2\x80', b'\xe0\xa0\x80', b'\x7f', b'\xdf\xbf', b'\xef\xbf\xbf',
             b'\xf4\x8f\xbf\xbf', b'\xed\x9f\xbf', b'\xee\x80\x80', b'\xef\xbf\xbd', b'\xef\xbf\xbe', b'\xf0\x9f\xbf\xbe',
             b'\xf0\x9f\xbf\xbf', b'\xf3\xaf\xbf\xbf', b'\xf4\x8f\xbf\xbe', 'Ω≈ç√∫˜µ'.encode(), '👍🏽'.encode(), b'\xef\xbb\xbfbom']
BAD_TEXT = [KOSME[:i] for i in (1, 3, 4, 6, 8, 10)] + [
    b'\xf8\x88\x80\x80\x80', b'\xfc\x84\x80\x80\x80\x80', b'\xf7\xbf\xbf\xbf', b'\xfb\xbf\xbf\xbf\xbf', b'\xfd\xbf\xbf\xbf\xbf\xbf',
    b'\xf4\x90\x80\x80', b'\x80', b'\xbf', b'\x80\xbf', b'\x80\xbf\x80\xbf\x80', bytes(range(0x80, 0xc0)),
    b' '.join(bytes([c]) for c in range(0xc0, 0xe0)) + b' ', b' '.join(bytes([c]) for c in range(0xe0, 0xf0)) + b' ',
    b' '.join(bytes([c]) for c in range(0xf0, 0xf8)) + b' ', b'\xf8 ', b'\xfc ', b'\xc0', b'\xe0\x80', b'\xf0\x80\x80',
    b'\xdf', b'\xef\xbf', b'\xf7\xbf\xbf', b'\xc0\xe0\x80\xf0\x80\x80', b'\xfe', b'\xff', b'\xfe\xfe\xff\xff', b'\xc0\xaf',
    b'\xe0\x80\xaf', b'\xf0\x80\x80\xaf', b'\xc1\xbf', b'\xe0\x9f\xbf', b'\xf0\x8f\xbf\xbf', b'\xc0\x80', b'\xe0\x80\x80',
    b'\xf0\x80\x80\x80', b'\xed\xa0\x80', b'\xed\xad\xbf', b'\xed\xae\x80', b'\xed\xaf\xbf', b'\xed\xb0\x80', b'\xed\xbe\x80',
    b'\xed\xbf\xbf', b'\xed\xa0\x80\xed\xb0\x80', b'\xed\xad\xbf\xed\xbf\xbf', b'\xed\xae\x80\xed\xb0\x80', b'\xf5\x80\x80\x80']
for i, text in enumerate(GOOD_TEXT, 1):
    fragments(f'6.5-23 good {i}', [(TEXT, text)], [(TEXT, text)])
    fragments(f'6.5-23 good {i}, byte by byte', one_by_one(text), [(TEXT, text)])
for i, text in enumerate(BAD_TEXT, 1):
    breach(f'6.6-21 bad {i}', [(TEXT, text)], code=1007)
    breach(f'6.6-21 bad {i}, byte by byte', one_by_one(text), code=1007)
    breach(f'6.6-21 bad {i}, far in', [(TEXT, b'a' * 5000 + text)], code=1007)

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
for i, code in enumerate([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999], 1):
    closes(f'7.7.{i}', close_body(code), code)
for i, code in enumerate([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535], 1):
    closes(f'7.9.{i}', close_body(code), 1002)

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
    from wslib import frame
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
    big(f'9.{1 + k}', op, [64 * K, 256 * K, K * K] + [4096 * K, 8192 * K, 16384 * K] * SOAK)
    big(f'9.{3 + k}', op, [4096 * K if SOAK else 256 * K], fragments=[64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K])
    big(f'9.{5 + k}', op, [1024 * K if SOAK else 128 * K], chops=[64, 128, 256, 512, K, 2 * K])


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
big('10.1', TEXT, [65536], fragments=[1300])

# ---- as server ----

SERVER = []


def server():
    if not SERVER:
        SERVER.append(start('listen', 'ws://127.0.0.1:0', '--echo', '--deflate', '--ping', '0'))
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
    if number == '5.4 fragments over the limit':
        continue  # ws_client.c takes more
    add(f'client {number}', as_client(fn))

# ---- 12, 13: permessage-deflate. Each row: what is offered, what is answered, our Deflate as server's peer ----

ROWS = [
    ('permessage-deflate', 'permessage-deflate', {}),
    ('permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits=12', {'ours': 12}),
    ('permessage-deflate; client_max_window_bits=9', 'permessage-deflate; client_max_window_bits=9', {'ours': 9}),
    ('permessage-deflate; server_max_window_bits=9', 'permessage-deflate; server_max_window_bits=9', {'theirs': 9}),
    ('permessage-deflate; server_max_window_bits=8', 'permessage-deflate; server_max_window_bits=8', {'theirs': 8}),
    ('permessage-deflate; server_max_window_bits=15', 'permessage-deflate; server_max_window_bits=12', {'theirs': 12}),
    ('permessage-deflate; server_no_context_takeover', 'permessage-deflate; server_no_context_takeover', {'theirs_fresh': True}),
    ('permessage-deflate; client_no_context_takeover', 'permessage-deflate; client_no_context_takeover', {'ours_fresh': True}),
    ('permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
     'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
     {'theirs': 10, 'ours': 11, 'theirs_fresh': True, 'ours_fresh': True}),
]
WORDS = [w.encode() for w in 'the quick brown fox jumps over a lazy dog while 你好 and ünïcödé pass {"id":17,"on":true}'.split()]


def sample(rng, size, op):
    if op == BINARY and rng.random() < 0.3:
        return rng.randbytes(size)
    text = b' '.join(rng.choice(WORDS) for _ in range(size // 3 + 1))[:size]
    return text if op == BINARY else text.decode(errors='ignore').encode()


def talk_packed(e, seed):
    """Messages of many sizes, packed or not, in one frame or in many, with pings between."""
    rng = random.Random(seed)
    for size in [0, 1, 16, 64, 256, 1024, 4096, 8192, 32768, 65536, 131072] * (40 if SOAK else 2):
        op = rng.choice((TEXT, BINARY))
        data = sample(rng, size, op)
        sent = e.message(op, data, rng.choice((1, 1, 3, 17)), packed=rng.random() < 0.8)
        e.send(sent, rng.choice((None, None, 997)))
        expect(e, (op, data))
    e.send(e.frame(PING, b'still there'))
    goes_well(e, (PONG, b'still there'))


def deflate_as_server(row):
    offer, answer, how = row

    def one():
        e, head = dial(server(), offer, Deflate(**how))
        with e.sock:
            assert head['sec-websocket-extensions'] == answer, head
            talk_packed(e, offer)
    return one


def mirrored(how):
    names = {'ours': 'theirs', 'theirs': 'ours', 'ours_fresh': 'theirs_fresh', 'theirs_fresh': 'ours_fresh'}
    return {names[k]: v for k, v in how.items()}


def deflate_as_client(row):
    offer, answer, how = row
    wish = offer.partition(';')[2].strip()

    def one():
        with socket.create_server(('127.0.0.1', 0)) as listener:
            p = Process([CLIENT, f'ws://127.0.0.1:{listener.getsockname()[1]}/', '1', wish])
            e, head = accept(listener, answer, Deflate(**mirrored(how)))
            with e.sock:
                assert head['sec-websocket-extensions'].startswith('permessage-deflate; '), head
                talk_packed(e, offer)
            assert p.stdout.readline().startswith(b'-1 1000 '), p.err
            p.kill()
    return one


for i, row in enumerate(ROWS, 1):
    add(f'server 12-13.{i} {row[0]}', deflate_as_server(row))
    add(f'client 12-13.{i} {row[1]}', deflate_as_client(row))


def packed(fn):
    def one():
        e, head = dial(server(), 'permessage-deflate', Deflate())
        with e.sock:
            assert head['sec-websocket-extensions'] == 'permessage-deflate'
            fn(e)
    one.__name__ = fn.__name__
    return case(one)


@packed
def text_is_checked_when_it_is_unpacked(e):
    e.send(e.message(TEXT, BAD))
    ends(e, 1007)


@packed
def half_a_character_at_the_end_of_a_packed_text(e):
    e.send(e.message(TEXT, KOSME[:-1]))
    ends(e, 1007)


@packed
def a_character_may_be_cut_between_packed_fragments(e):
    e.send(e.message(TEXT, KOSME * 3, frames=40))
    goes_well(e, (TEXT, KOSME * 3))


@packed
def what_is_no_deflate(e):
    e.send(e.frame(BINARY, b'\xff\xff\xff', rsv=4))
    ends(e, 1007)


@packed
def a_bomb_is_stopped_while_it_is_unpacked(e):
    import zlib
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b''.join(z.compress(bytes(1 << 20)) for _ in range(64)) + z.flush(zlib.Z_SYNC_FLUSH)
    assert len(data) < 100000
    e.send(e.frame(BINARY, data[:-4], rsv=4))
    ends(e, 1009)


@packed
def a_message_of_exactly_the_limit_is_taken(e):
    data = random.Random(1).randbytes(1 << 20) * 16
    e.send(e.message(BINARY, data))
    goes_well(e, (BINARY, data))


@packed
def a_reserved_bit_on_a_continuation(e):
    e.send(e.frame(TEXT, e.deflate.pack(b'hello'), fin=False, rsv=4) + e.frame(CONT, b'', rsv=4))
    ends(e, 1002)


@packed
def a_reserved_bit_on_a_ping(e):
    e.send(e.frame(PING, b'', rsv=4))
    ends(e, 1002)


@packed
def a_block_that_says_it_is_the_last(e):
    for _ in range(2):
        e.send(e.frame(TEXT, b'\xf3\x48\xcd\xc9\xc9\x07\x00\x00', rsv=4))
        expect(e, (TEXT, b'Hello'))
    goes_well(e)


@case
def offers_that_do_not_read_are_declined():
    for offer in ('permessage-deflate; unknown', 'permessage-deflate; server_max_window_bits=7', 'x-webkit-deflate-frame',
                  'permessage-deflate; client_no_context_takeover=1'):
        e, head = dial(server(), offer)
        with e.sock:
            assert 'sec-websocket-extensions' not in head, (offer, head)
            breach_of_none(e)


def breach_of_none(e):
    e.send(e.frame(TEXT, b'plain') + e.frame(TEXT, b'x', rsv=4))
    expect(e, (TEXT, b'plain'))
    ends(e, 1002)


@case
def a_later_offer_is_taken():
    e, head = dial(server(), 'permessage-deflate; unknown, permessage-deflate; server_no_context_takeover', Deflate(theirs_fresh=True))
    with e.sock:
        assert head['sec-websocket-extensions'] == 'permessage-deflate; server_no_context_takeover'
        talk_packed(e, 'later')


@case
def answers_that_were_not_offered_fail_the_client():
    for wish, answer in ((None, 'permessage-deflate'), ('', 'permessage-deflate; unknown'), ('', 'x-other'),
                         ('server_max_window_bits=9', 'permessage-deflate'), ('', 'permessage-deflate, permessage-deflate'),
                         ('client_max_window_bits=10', 'permessage-deflate; client_max_window_bits=12')):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            p = Process([CLIENT, f'ws://127.0.0.1:{listener.getsockname()[1]}/', '1'] + ([] if wish is None else [wish]))
            e, _ = accept(listener, answer)
            with e.sock:
                assert e.next() is None
            assert p.stdout.readline().startswith(b'-10 0 '), (answer, p.err)
            p.kill()


run()
