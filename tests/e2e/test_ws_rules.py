#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Rules of RFC 6455 that the published case list has no number for: masks, who ends the connection, and ends that nobody answers."""
import os
import select
import socket
import time

from duplexlib import Process, start
from tap import case, run
from wslib import BINARY, CLOSE, PING, TEXT, accept, close_body, dial, ends, expect, goes_well

CLIENT = os.environ.get('WS_CLIENT', 'build/tests/e2e/ws_client')


def client(listener):
    """ws_client.c, and our end as its server."""
    p = Process([CLIENT, f'ws://127.0.0.1:{listener.getsockname()[1]}/', '1'])
    return p, accept(listener)[0]


@case
def each_frame_of_a_client_has_a_mask_that_nobody_could_tell():
    n = 300
    with socket.create_server(('127.0.0.1', 0)) as s:
        p, e = client(s)
        with e.sock:
            for i in range(n):
                e.send(e.frame(BINARY, b'the same'))
                expect(e, (BINARY, b'the same'))
            goes_well(e)
        p.kill()
    keys = [int.from_bytes(k, 'big') for k in e.keys]
    assert len(keys) == n + 1 and len(set(keys)) >= n - 1, 'a mask twice'
    for what in (lambda a, b: (b - a) % 2 ** 32), (lambda a, b: a ^ b):
        steps = {what(a, b) for a, b in zip(keys, keys[1:])}
        assert len(steps) >= n - 2, 'a mask follows from the one before'
    ones = [sum(k >> bit & 1 for k in keys) for bit in range(32)]
    assert all(n / 4 < x < n * 3 / 4 for x in ones), ones  # eight sigma


@case
def a_server_ends_the_connection_at_once():
    with start('listen', 'ws://127.0.0.1:0', '--echo', '--ping', '0') as p:
        e, _ = dial(p.url)
        with e.sock:
            goes_well(e)  # and e has not said its end


@case
def a_client_waits_for_the_servers_end_and_not_for_ever():
    with socket.create_server(('127.0.0.1', 0)) as s:
        p, e = client(s)
        with e.sock:
            began = time.monotonic()
            e.send(e.frame(CLOSE, close_body(1000)))
            assert e.next() == (CLOSE, close_body(1000))
            ended = select.select([e.sock], [], [], 0.3)[0]
            assert not ended or time.monotonic() - began > 1.5, 'it went first'  # its patience is 2 s
            assert e.next() is None
        assert p.stdout.readline().startswith(b'-1 1000 ')
        p.kill()


@case
def a_close_that_is_not_answered_ends_all_the_same():
    with start('listen', 'ws://127.0.0.1:0', '--upper', '--ping', '0') as p, socket.create_server(('127.0.0.1', 0)) as s:
        e, _ = dial(p.url)
        dialler = start('dial', f'ws://127.0.0.1:{s.getsockname()[1]}/', '--idle-ends', '50ms', ready=None)
        f, _ = accept(s)
        with e.sock, f.sock:
            dialler.end_input()
            e.send(e.frame(TEXT, b'exit'))
            expect(e, (TEXT, b'EXIT'), (CLOSE, close_body(1000)))
            expect(f, (CLOSE, close_body(1000)))
            assert e.next() is None and f.next() is None
            dialler.wait()


@case
def both_may_say_close_at_once():
    with start('listen', 'ws://127.0.0.1:0', '--upper', '--ping', '0') as p:
        e, _ = dial(p.url)
        with e.sock:
            e.send(e.frame(TEXT, b'exit') + e.frame(CLOSE, close_body(4000)))
            expect(e, (TEXT, b'EXIT'))
            ends(e, 1000)
    with socket.create_server(('127.0.0.1', 0)) as s:
        p = start('dial', f'ws://127.0.0.1:{s.getsockname()[1]}/', '--close', '4001', '--idle-ends', '50ms', ready=None)
        e, _ = accept(s)
        with e.sock:
            p.end_input()
            assert e.next() == (CLOSE, close_body(4001))
            e.send(e.frame(CLOSE, close_body(1000)))  # ours, that has crossed theirs
            e.sock.shutdown(socket.SHUT_WR)
            assert e.next() is None
            assert p.wait() == 0, p.err


@case
def after_a_close_of_its_own_nothing_more_is_said():
    with start('listen', 'ws://127.0.0.1:0', '--upper', '--ping', '0') as p:
        e, _ = dial(p.url)
        with e.sock:
            e.send(e.frame(TEXT, b'exit'))
            expect(e, (TEXT, b'EXIT'), (CLOSE, close_body(1000)))
            e.send(e.frame(PING, b'there?') + e.frame(TEXT, b'hello') + e.frame(CLOSE, close_body(1000)))
            assert e.next() is None


@case
def a_connection_that_is_lost_is_no_good_end():
    with socket.create_server(('127.0.0.1', 0)) as s:
        p, e = client(s)
        e.sock.close()
        assert p.stdout.readline().startswith(b'-11 0 '), 'DX_TRUNCATED'
        p.kill()


run()
