#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""permessage-deflate (RFC 7692) over plain sockets: 12.* and 13.* of the published case list of the Autobahn test suite, its seven sets of
parameters and its eighteen sizes, and each of the four parameters alone; an echo of `duplex listen` as server, and ws_client.c as client.
With the argument `soak` a size is a conn of its own and 1000 messages, as the list has it; of those over 4 KiB 100, for Python packs them too."""
import os
import random
import socket
import sys

from duplexlib import Process, start
from tap import add, case, run
from wslib import BINARY, CONT, PING, PONG, TEXT, Deflate, accept, dial, ends, expect, goes_well

SOAK = 'soak' in sys.argv[1:]
CLIENT = os.environ.get('WS_CLIENT', 'build/tests/e2e/ws_client')
KOSME = 'κόσμε'.encode()
BAD = KOSME + b'\xed\xa0\x80edited'
SERVER = []


def server():
    if not SERVER:
        SERVER.append(start('listen', 'ws://127.0.0.1:0', '--echo', '--deflate', '--ping', '0'))
    return SERVER[0].url


# ---- what is said ----

WORDS = [w.encode() for w in 'the quick brown fox jumps over a lazy dog while 你好 and ünïcödé pass {"id":17,"on":true}'.split()]


def as_text(data):
    return data.decode(errors='ignore').encode()


def words(rng, size):
    return b' '.join(rng.choice(WORDS) for _ in range(size // 3 + 1))[:size]


def picture(rng, size):
    return bytes((i // 64 + rng.randrange(4)) & 255 for i in range(min(size, 4096))) * (size // 4096 + 1)


def json_text(rng, size):
    one = '[' + ', '.join(f'{{"id": {rng.randrange(10**6)}, "name": "n{i}", "on": true}}' for i in range(100)) + ']'
    return (one.encode() * (size // len(one) + 1))[:size]


def html(rng, size):
    one = ''.join(f'<tr class="row{i % 2}"><td>{rng.randrange(1000)}</td><td>ü &amp; 你</td></tr>\n' for i in range(100)).encode()
    return as_text((one * (size // len(one) + 1))[:size])


# kind, what a message of some size is. The list's own are a German play, a bitmap, a PDF, JSON and HTML.
SAMPLES = [(BINARY, words), (BINARY, lambda rng, n: picture(rng, n)[:n]), (BINARY, random.Random.randbytes), (TEXT, json_text), (TEXT, html)]
# (bytes of a message, bytes of a fragment; 0: in one)
SIZES = [(n, 0) for n in (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)] + [
    (n, 256) for n in (8192, 16384, 32768, 65536, 131072)] + [(131072, n) for n in (1024, 4096, 32768)]


def talk(e, kind, make, sizes=SIZES, seed=0):
    rng = random.Random(seed)
    for size, part in sizes:
        for _ in range(1 if not SOAK else 1000 if size <= 4096 else 100):
            data = make(rng, size)
            e.send(e.message(kind, data, -(-len(data) // part) if part else 1))
            expect(e, (kind, data))
    e.send(e.frame(PING, b'still there'))
    goes_well(e, (PONG, b'still there'))


def talk_mixed(e, seed):
    """Messages of many sizes, packed or not, in one frame or in many, with pings between."""
    rng = random.Random(seed)
    for size in [0, 1, 16, 64, 256, 1024, 4096, 8192, 32768, 65536, 131072] * (40 if SOAK else 1):
        kind = rng.choice((TEXT, BINARY))
        data = rng.randbytes(size) if kind == BINARY and rng.random() < 0.3 else as_text(words(rng, size))
        sent = e.message(kind, data, rng.choice((1, 1, 3, 17)), packed=rng.random() < 0.8)
        e.send(sent, rng.choice((None, None, 997)))
        expect(e, (kind, data))
    goes_well(e)


# ---- both roles. how: our Deflate as the peer ----

def as_server(offer, answer, how, tell):
    def one():
        e, head = dial(server(), offer, Deflate(**how))
        with e.sock:
            assert head['sec-websocket-extensions'] == answer, head
            tell(e)
    return one


def as_client(wish, offer, answer, how, tell):
    def one():
        with socket.create_server(('127.0.0.1', 0)) as listener:
            p = Process([CLIENT, f'ws://127.0.0.1:{listener.getsockname()[1]}/', '1', wish])
            e, head = accept(listener, answer, Deflate(**how))
            with e.sock:
                assert head['sec-websocket-extensions'] == offer, head
                tell(e)
            assert p.stdout.readline().startswith(b'-1 1000 '), p.err
            p.kill()
    return one


def conns(name, make, tell):
    """A family of the list: all sizes on one conn, or with `soak` a conn for each."""
    for i, sizes in enumerate([[s] for s in SIZES] if SOAK else [SIZES], 1):
        add(f'{name}.{i if SOAK else "1-18"}', make(lambda e, sizes=sizes: tell(e, sizes)))


D, OPEN, FRESH = 'permessage-deflate', 'permessage-deflate; client_max_window_bits', '; client_no_context_takeover'
ASKED = D + FRESH + '; client_max_window_bits'  # the list's client says always what it can do
for i, (kind, make) in enumerate(SAMPLES, 1):
    def tell(e, sizes, kind=kind, make=make):
        talk(e, kind, make, sizes)
    conns(f'server 12.{i}', lambda t: as_server(ASKED, D + FRESH + '; client_max_window_bits=12', {'ours': 12, 'ours_fresh': True}, t), tell)
    conns(f'client 12.{i}', lambda t: as_client('', OPEN, D, {'theirs': 15}, t), tell)

# 13.1 to 13.7: what the list's client asks of the server, and what its server asks of the client; with 8 bits and, as it is since zlib
# packs no such window, with 9.
SETS = [(1, False, 0), (2, True, 0), (3, False, 8), (3, False, 9), (4, False, 15), (5, True, 8), (5, True, 9), (6, True, 15), (7, True, 8), (7, True, 9)]
for k, fresh, bits in SETS:
    def tell(e, sizes):
        talk(e, TEXT, json_text, sizes)
    said = ('; server_no_context_takeover' if fresh else '') + (f'; server_max_window_bits={bits}' if bits else '')
    offer = ASKED + said + (f', {ASKED}; server_no_context_takeover, {ASKED}' if k == 7 else '')
    answer = D + ('; server_no_context_takeover' if fresh else '') + FRESH + (f'; server_max_window_bits={min(bits, 12)}' if bits else '') + \
        '; client_max_window_bits=12'
    conns(f'server 13.{k} ({bits} bits)', lambda t, o=offer, a=answer, f=fresh, b=bits: as_server(
        o, a, {'ours': 12, 'ours_fresh': True, 'theirs': min(b or 15, 12), 'theirs_fresh': f}, t), tell)
    answer = D + (FRESH if fresh else '') + (f'; client_max_window_bits={bits}' if bits else '')
    conns(f'client 13.{k} ({bits} bits)', lambda t, a=answer, b=bits: as_client(
        'client_no_context_takeover', ASKED, a, {'theirs': min(b or 15, 12), 'theirs_fresh': True}, t), tell)

# ---- each parameter: what is offered, what is answered, our Deflate as the server's peer ----

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


def mirrored(how):
    names = {'ours': 'theirs', 'theirs': 'ours', 'ours_fresh': 'theirs_fresh', 'theirs_fresh': 'ours_fresh'}
    return {names[k]: v for k, v in how.items()}


for offer, answer, how in ROWS:
    wish = offer.partition(';')[2].strip()
    asked = offer if 'client_max' in offer else offer.replace('; server_max', '; client_max_window_bits; server_max') if 'server_max' in offer \
        else offer + '; client_max_window_bits'
    add(f'server: {offer}', as_server(offer, answer, how, lambda e, s=offer: talk_mixed(e, s)))
    add(f'client: {answer}', as_client(wish, asked, answer, mirrored(how), lambda e, s=offer: talk_mixed(e, s)))


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
def an_offer_that_is_not_taken_packs_nothing():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        p = Process([CLIENT, f'ws://127.0.0.1:{listener.getsockname()[1]}/', '1', ''])
        e, head = accept(listener)
        with e.sock:
            assert head['sec-websocket-extensions'] == OPEN, head
            e.send(e.frame(TEXT, b'x' * 1000))
            goes_well(e, (TEXT, b'x' * 1000))
        p.kill()


@case
def a_later_offer_is_taken():
    e, head = dial(server(), 'permessage-deflate; unknown, permessage-deflate; server_no_context_takeover', Deflate(theirs_fresh=True))
    with e.sock:
        assert head['sec-websocket-extensions'] == 'permessage-deflate; server_no_context_takeover'
        talk_mixed(e, 'later')


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
