#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_expect.py - send, wait for an answer, and say by the exit code whether it came; and dialling again where it is broken."""
import json
import re
import socket
import struct
import threading
import time

from duplexlib import SLOW, Server, connect, recv_all, recv_exactly, run as duplex, start, temp, until
from tap import case, run


def modem(pieces, pause=0.02, end=False):
    """Hears a line, then says these pieces, and keeps the line up unless end."""
    def serve(s):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = s.recv(100)
        for piece in pieces:
            s.sendall(piece)
            time.sleep(pause)
        if not end:
            heard += recv_all(s)
        return heard
    return Server(serve)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@case
def what_is_waited_for_ends_with_0_and_all_is_printed():
    with modem([b'AT\r\r\nO', b'K\r\n']) as s:
        r = duplex('dial', s.url, '--send', r'AT\r\n', '--wait-for', 'OK', '--within', f'{10 * SLOW}s')
    assert (r.code, r.out, r.err) == (0, b'AT\r\r\nOK\r\n', ''), r
    assert s.results == [b'AT\r\n'], s.results


@case
def a_pattern_is_seen_wherever_it_is_cut():
    data = b'xxABABACyy'
    for cut in range(1, len(data)):
        with modem([data[:cut], data[cut:]]) as s:
            r = duplex('dial', s.url, '--send', 'x', '--wait-for', 'ABAC')
        assert r.code == 0, (cut, r)


@case
def what_does_not_come_in_time_is_119():
    with modem([b'ERROR\r\n']) as s:
        begin = time.monotonic()
        r = duplex('dial', s.url, '--send', r'AT\r\n', '--wait-for', 'OK', '--within', '300ms')
    assert (r.code, r.out) == (119, b'ERROR\r\n') and "'OK' did not come within 0.3 s" in r.err, r
    assert 0.3 <= time.monotonic() - begin < 3 * SLOW


@case
def the_peers_end_before_it_is_119_too():
    with modem([b'no'], end=True) as s:
        r = duplex('dial', s.url, '--send', 'x', '--wait-for', 'OK')
    assert (r.code, r.out) == (119, b'no') and "'OK' did not come before the end" in r.err, r


@case
def stdin_can_ask_and_its_end_is_not_the_end():
    def slow(s):
        heard = s.recv(100)
        time.sleep(0.3)
        s.sendall(b'READY')
        return heard + recv_all(s)
    with Server(slow) as s:
        r = duplex('dial', s.url, '--wait-for', 'READY', input=b'hello\n')
    assert r.code == 0 and s.results == [b'hello\n'], (r, s.results)


@case
def hex_and_escapes_are_waited_for():
    with modem([b'\x01\xaa', b'\x55\x02']) as s:
        r = duplex('dial', '--hex', s.url, '--send', '00', '--wait-for', 'AA 55')
    assert r.code == 0, r
    with modem([b'a\r\nb']) as s:
        assert duplex('dial', s.url, '--send', 'x', '--wait-for', r'a\r\nb').code == 0
    for options in ['--hex', '--wait-for', 'xyz'], ['--wait-for', ''], ['--within', '1s']:
        assert duplex('dial', 'tcp://127.0.0.1:1', *options).code == 2, options


@case
def words_in_another_coding_are_waited_for():
    with modem(['不要'.encode('gb18030')[:3], '不要'.encode('gb18030')[3:]]) as s:
        r = duplex('dial', '--encoding', 'gb18030', s.url, '--send', 'x', '--wait-for', '要')
    assert (r.code, r.out.decode()) == (0, '不要'), r


@case
def datagrams_and_websockets_are_waited_for():
    for url in 'udp://127.0.0.1:0', 'ws://127.0.0.1:0/':
        with start('listen', url, '--upper') as p:
            r = duplex('dial', p.url, '--send', 'ready', '--wait-for', 'READY')
            assert (r.code, r.out.strip()) == (0, b'READY'), (url, r)
            r = duplex('dial', p.url, '--send', 'ready', '--wait-for', 'ready', '--within', '200ms')
            assert r.code == 119, (url, r)


@case
def a_refusal_keeps_its_own_code():
    r = duplex('dial', f'tcp://127.0.0.1:{free_port()}', '--send', 'x', '--wait-for', 'OK')
    assert r.code == 7, r


# ---- --retry ----


@case
def a_server_that_comes_late_is_dialled_again():
    port = free_port()
    d = start('dial', '--retry', f'tcp://127.0.0.1:{port}', ready=None)
    d.stdin.write(b'kept\n')
    d.said('nobody listens on 127.0.0.1.*dialling again in')
    with socket.socket() as s:
        s.bind(('127.0.0.1', port))
        s.listen()
        s.settimeout(20 * SLOW)
        c, _ = s.accept()
        with c:
            assert recv_exactly(c, 5) == b'kept\n'
            c.sendall(b'hello\n')
            assert d.stdout.read(6) == b'hello\n'
            d.end_input()
            assert c.recv(10) == b''
        assert d.wait() == 0


@case
def a_broken_connection_is_dialled_again_and_stdin_waits():
    def once(s):
        return recv_exactly(s, 2)
    with Server(once) as s:
        d = start('dial', '--retry', s.url, ready=None)
        for i in range(3):
            d.stdin.write(b'%d\n' % i)
            until(lambda: len(s.results) == i + 1, 20)
            until(lambda: d.err.count('dialling again') == i + 1, 20)
        d.interrupt()
        assert d.wait() == 130
        assert s.results == [b'0\n', b'1\n', b'2\n'], s.results


@case
def a_reset_is_dialled_again():
    seen = []

    def serve(s):
        seen.append(s.recv(10))
        if len(seen) < 3:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return
        s.sendall(b'OK')
        recv_all(s)
    with Server(serve) as s:
        r = duplex('dial', '--retry', s.url, '--send', 'again', '--wait-for', 'OK')
    assert r.code == 0 and seen == [b'again'] * 3, (r, seen)


@case
def tries_are_counted_and_the_last_failure_is_the_code():
    r = duplex('dial', '--retry=2', f'tcp://127.0.0.1:{free_port()}')
    assert r.code == 7 and r.err.count('dialling again') == 2, r
    waits = [float(x) for x in re.findall(r'again in ([\d.]+) s', r.err)]
    assert 0.1 <= waits[0] <= 0.3 and 0.2 <= waits[1] <= 0.5, waits
    assert duplex('dial', '--retry=2', 'nonsense').code == 2


@case
def a_clean_end_after_our_input_is_no_reason_to_dial_again():
    with modem([b'bye'], end=True) as s:
        r = duplex('dial', '--retry', s.url, input=b'x')
    assert (r.code, r.out, r.err) == (0, b'bye', ''), r


@case
def events_tell_of_each_connection():
    with Server(lambda s: s.recv(10)) as s:
        d = start('dial', '--retry', '--json', s.url, ready=None)
        d.stdin.write(b'x')
        until(lambda: 'dialling again' in d.err, 20)
        d.stdin.write(b'y')
        until(lambda: len(s.results) == 2, 20)
        d.interrupt()
        d.wait()
        names = [json.loads(line)['event'] for line in d.stdout.read().splitlines()]
    assert names[:5] == ['open', 'data', 'end', 'close', 'open'], names


run()
