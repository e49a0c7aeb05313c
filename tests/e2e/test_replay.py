#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_replay.py - what duplex relay --record keeps, and duplex replay plays again."""
import json
import os
import random
import re
import signal
import socket
import threading
import time

from duplexlib import SLOW, Server, connect, recv_all, recv_exactly, run as duplex, start, temp, until
from tap import case, run

SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')
BYTES = random.Random(SEED).randbytes(300000)
TCP = 'tcp://127.0.0.1:0'


def lines(name):
    with open(name) as f:
        return [json.loads(line) for line in f]


def upper(s):
    while data := s.recv(1 << 16):
        s.sendall(data.upper())


def recorded(talk, target, *more, listen=TCP):
    """The record of one connection on which talk(socket) was the client."""
    name = temp('r.ndjson')
    p = start('relay', listen, target, '--record', name, '--once', *more, ready=None)
    with p:
        p.said(r'listening .*\n')
        with p.connect() as s:
            talk(s)
        p.wait()
    return name


def two_questions(s):
    for words in b'first', b'second':
        s.sendall(words)
        assert recv_exactly(s, len(words)) == words.upper()
        time.sleep(0.2)
    s.shutdown(socket.SHUT_WR)
    assert recv_all(s) == b''


def leaves(s):
    """The other side breaks it off."""
    try:
        s.recv(99)
    except ConnectionResetError:
        pass


def first_two_questions():
    if not hasattr(first_two_questions, 'name'):
        with Server(upper) as server:
            first_two_questions.name = recorded(two_questions, server.url)
    return first_two_questions.name


@case
def a_record_is_lines_of_json_as_documented():
    name = first_two_questions()
    assert os.stat(name).st_mode & 0o777 == 0o600
    head, *events = lines(name)
    assert (head['v'], head['event']) == (1, 'record') and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', head['at']), head
    assert head['listen'] == TCP
    assert [(e['event'], e.get('from'), e.get('hex')) for e in events] == [
        ('open', None, None), ('data', 'client', '6669727374'), ('data', 'server', '4649525354'),
        ('data', 'client', '7365636F6E64'), ('data', 'server', '5345434F4E44'), ('end', 'client', None),
        ('end', 'server', None), ('close', None, None)], events
    opened, closed = events[0], events[-1]
    assert opened['client'] == opened['server'] == 'bytes' and opened['peer'].startswith('tcp://127.0.0.1:'), opened
    assert (closed['code'], closed['reason']) == (0, 'done'), closed
    times = [e['t'] for e in events]
    assert times == sorted(times) and times[-1] - times[0] > 350000, times
    assert {e['conn'] for e in events} == {1}


@case
def the_same_server_answers_the_same():
    name = first_two_questions()
    with start('listen', TCP, '--upper') as p:
        for more, least, most in ([], 0.35, 3 * SLOW), (['--speed', '4'], 0.08, 3 * SLOW), (['--fast'], 0, 0.3):
            for _ in range(30):  # a busy machine is not always quick, but one that waits never is
                began = time.monotonic()
                r = duplex('replay', name, p.url, *more)
                took = time.monotonic() - began
                assert r.code == 0 and not r.err and least <= took, f'{more}: {took} s, {r}'
                if took <= most:
                    break
            assert took <= most, f'{more}: {took} s'


@case
def the_first_difference_is_named_and_has_its_exit_code():
    name = first_two_questions()
    for serve, words in [
            (lambda s: s.sendall(s.recv(9).upper()[:3] + b'xT') or leaves(s),
             r"r\.ndjson:4: at byte 3 of what the server said: 'xT?' where the record has 'ST?'"),
            (lambda s: s.sendall(s.recv(9).upper()[:3] + b'\xffT') or leaves(s),
             r'r\.ndjson:4: at byte 3 of what the server said: FF( 54)? where the record has 53( 54)?'),
            (lambda s: s.sendall(s.recv(9).upper()), r'r\.ndjson:6: (the server ended after 5 bytes, and the record has more|the connection is over too early)'),
            (lambda s: s.sendall(b'FIRSTS'), r'r\.ndjson:\d+: (more comes|at byte|the server ended|the connection is over)'),
            (lambda s: s.recv(9) and time.sleep(1.5), r'r\.ndjson:4: nothing more comes')]:
        with Server(serve) as server:
            r = duplex('replay', '--fast', '--idle', '1s', name, server.url)
            assert r.code == 119 and re.search(words, r.err), r
    with Server(upper) as server:
        gone = server.url
    r = duplex('replay', name, gone)
    assert r.code == 7 and 'nobody listens' in r.err, r


@case
def more_than_the_record_has_is_a_difference():
    def serve(s):
        s.sendall(s.recv(9).upper())
        s.sendall(s.recv(9).upper() + b'!')
        leaves(s)

    with Server(serve) as server:
        r = duplex('replay', first_two_questions(), server.url)
        assert r.code == 119 and 'more comes than the record has' in r.err, r


@case
def the_servers_side_is_played_too():
    name = first_two_questions()
    with start('replay', '--server', '--fast', name, TCP) as p:
        with p.connect() as s:
            two_questions(s)
        assert p.wait() == 0, p.err
    with start('replay', '--server', '--fast', name, TCP) as p:
        with p.connect() as s:
            s.sendall(b'fist')
        assert p.wait() == 119 and re.search(r":3: at byte 2 of what the client said: 'st?' where", p.err), p.err


@case
def both_sides_of_a_record_fit_each_other():
    with start('replay', '--server', first_two_questions(), TCP) as p:
        r = duplex('replay', first_two_questions(), p.url)
        assert r.code == 0 and p.wait() == 0, f'{r} {p.err}'


@case
def much_both_ways_at_once_goes_round():
    def talk(s):
        t = threading.Thread(target=s.sendall, args=(BYTES * 10,))
        t.start()
        assert recv_exactly(s, len(BYTES) * 10) == BYTES * 10
        t.join()
        s.shutdown(socket.SHUT_WR)
        assert recv_all(s) == b''

    with start('listen', TCP, '--echo') as p:
        name = recorded(talk, p.url)
        for more in [], ['--fast']:
            r = duplex('replay', name, p.url, *more, seconds=60)
            assert r.code == 0, r


@case
def messages_keep_their_bounds_and_kinds():
    def serve(s):
        while data := s.recv(1 << 16):
            s.sendall(data)

    with start('listen', 'ws://127.0.0.1:0/', '--echo') as p:
        name = temp('r.ndjson')
        q = start('relay', 'ws://127.0.0.1:0/', p.url, '--record', name, '--once', ready=None)
        q.said(r'listening .*\n')
        r = duplex('dial', q.url, '--frame', 'line', input=b'one\ntwo\n\xff\xfe\n')
        assert r.code == 0, r
        q.wait()
        q.kill()
        data = [e for e in lines(name) if e.get('event') == 'data' and e['from'] == 'client']
        assert [(e['as'], e['hex']) for e in data] == [('text', '6F6E65'), ('text', '74776F'), ('binary', 'FFFE')], data
        r = duplex('replay', '--fast', name, p.url)
        assert r.code == 0, r
    with start('listen', 'ws://127.0.0.1:0/', '--upper') as p:
        r = duplex('replay', '--fast', name, p.url)
        assert r.code == 119 and re.search("at byte 0 of what the server said: 'ONE' where the record has 'one'", r.err), r


@case
def a_connection_is_chosen_by_its_number():
    name = temp('r.ndjson')
    with Server(upper) as server, start('relay', TCP, server.url, '--record', name, ready=None) as p:
        p.said(r'listening .*\n')
        for words in b'one', b'two':
            with p.connect() as s:
                s.sendall(words)
                recv_exactly(s, 3)
        until(lambda: len([e for e in lines(name) if e.get('event') == 'close']) == 2)
        r = duplex('replay', '--fast', '--conn', '2', name, server.url)
        assert r.code == 0, r
        r = duplex('replay', '--fast', '--conn', '3', name, server.url)
        assert r.code == 2 and 'there is no connection 3 in it' in r.err, r
    assert len(server.results) == 3, server.results


@case
def a_record_is_written_over_nothing_and_a_full_disk_stops_the_relay():
    name = first_two_questions()
    r = duplex('relay', TCP, 'tcp://127.0.0.1:1', '--record', name)
    assert r.code == 23 and 'File exists' in r.err, r
    with Server(upper) as server, start('relay', TCP, server.url, '--record', '/dev/full', ready=None) as p:
        assert p.wait() == 23 and re.search('exist|No space', p.err), p.err


@case
def a_killed_relay_leaves_whole_lines():
    name = temp('r.ndjson')
    with start('listen', TCP, '--echo') as server, start('relay', TCP, server.url, '--record', name, ready=None) as p:
        p.said(r'listening .*\n')
        with p.connect() as s:
            s.sendall(BYTES)
            recv_exactly(s, len(BYTES))
            p.interrupt(signal.SIGKILL)
            p.wait()
        assert len(lines(name)) > 2  # each reads
        r = duplex('replay', '--fast', name, server.url)
        assert r.code == 0, r


@case
def a_broken_record_is_refused_with_its_line():
    name = first_two_questions()
    with open(name) as f:
        good = f.read().splitlines(True)
    for at, change, words in [
            (0, lambda x: x.replace('"v":1', '"v":2'), 'version 2'),
            (2, lambda x: x[:20], 'was the writer stopped here'),
            (3, lambda x: x.replace('4649', '46zz'), r'"hex" does not read')]:
        broken = temp('b.ndjson')
        with open(broken, 'w') as f:
            kept = good[:at] + [change(good[at])]
            f.writelines(kept + ([] if at == 2 else good[at + 1:]))
        r = duplex('replay', broken, 'tcp://127.0.0.1:1')
        assert r.code == 2 and re.search(rf'b\.ndjson:{at + 1}: .*{words}', r.err), r
    r = duplex('replay', '/no/such/file', 'tcp://127.0.0.1:1')
    assert r.code == 23 and 'No such file' in r.err, r
    r = duplex('replay', '--speed', 'x', name, 'tcp://127.0.0.1:1')
    assert r.code == 2 and '--speed wants a number' in r.err, r


run()
