#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_relay.py - duplex relay as a user runs it: pairs of wires, ends, resets, targets that die, want of descriptors."""
import asyncio
import os
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pki
from duplexlib import (DUPLEX, SLOW, Process, Server, connect, host_port, recv_all, recv_exactly, run as duplex, start, temp,
                       until)
from tap import Skip, case, run

SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')
MIB = random.Random(SEED).randbytes(1 << 20)
TCP = 'tcp://127.0.0.1:0'


def relay(listen, target, *more, **how):
    """A relay that listens; target None: --target says it."""
    p = start('relay', listen, *([target] if target else []), *more, ready=None, **how)
    p.said(r'listening .*\n')
    return p


def echo(s):
    try:
        while data := s.recv(1 << 16):
            s.sendall(data)
    except (ConnectionResetError, BrokenPipeError):
        pass  # some clients here leave that way


def same(got, want):
    assert got == want, f'{len(got)} bytes, not {len(want)}; equal up to {len(os.path.commonprefix([got, want]))}'


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def ends(s):
    """How the other side ends it: b'' or 'reset'."""
    try:
        return recv_all(s)
    except ConnectionResetError:
        return 'reset'


def turned_away(p):
    """A client whose target does not answer: the reset may be there before connect returns."""
    try:
        with p.connect() as s:
            return ends(s) in ('reset', b'')
    except ConnectionResetError:
        return True


def needs(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip(f'no {p} here')


# ---- pairs of wires ----

def wires():
    good = pki.leaf('good')
    return {
        'tcp': (TCP, []),
        'unix': (f'unix://{temp("s")}', []),
        'ws': ('ws://127.0.0.1:0/', []),
        'tls': ('tls://127.0.0.1:0', ['--cert', good.cert, '--key', good.key]),
        'wss': ('wss://127.0.0.1:0/', ['--cert', good.cert, '--key', good.key]),
    }


@case
def a_mebibyte_comes_back_through_each_pair_of_wires():
    ca = pki.ca().cert
    for there in wires():
        url, own = wires()[there]
        with start('listen', url, '--echo', *own) as server:
            for here in wires():
                url, own = wires()[here]
                trust = ['--ca', ca] if there in ('tls', 'wss') else []
                with relay(url, server.url, *own, *trust) as p:
                    believe = ['--ca', ca] if here in ('tls', 'wss') else []
                    r = duplex('dial', p.url, *believe, input=MIB)
                    assert r.code == 0 and not r.err, f'{here} to {there}: {r}'
                    same(r.out, MIB)


@case
def tls_ends_at_the_relay_and_begins_at_it():
    good = pki.leaf('good')
    context = ssl.create_default_context(cafile=pki.ca().cert)
    with Server(echo) as server, relay('tls://127.0.0.1:0', server.url, '--cert', good.cert, '--key', good.key) as inner, \
            relay(TCP, inner.url, '--pin', good.pin) as outer:
        with context.wrap_socket(inner.connect(), server_hostname='127.0.0.1') as s:
            s.sendall(b'secret')
            assert recv_exactly(s, 6) == b'secret'
            s.unwrap()
        with outer.connect() as s:
            s.sendall(b'clear')
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b'clear'


@case
def a_target_that_is_not_trusted_gets_nothing():
    good = pki.leaf('good')
    with start('listen', 'tls://127.0.0.1:0', '--echo', '--cert', good.cert, '--key', good.key) as server, \
            relay(TCP, server.url) as p:
        assert turned_away(p)
        p.said(r'duplex: 1 tcp://127\.0\.0\.1:\d+: .*not known here')


@case
def nc_and_socat_meet_through_a_relay():
    needs('nc', 'socat')
    path = temp('s')
    with Process(['socat', '-b', '65536', f'UNIX-LISTEN:{path},fork', 'EXEC:cat']):
        until(lambda: os.path.exists(path))
        with relay(TCP, f'unix://{path}') as p:
            r = duplex('-N', *host_port(p.url), program=['nc'], input=MIB)
            assert r.code == 0, r
            same(r.out, MIB)


@case
def a_program_and_a_file_are_targets():
    name = temp('in')
    with open(name, 'wb') as f:
        f.write(MIB)
    with relay(TCP, 'exec:tr a-z A-Z') as p:
        for _ in range(3):
            with p.connect() as s:
                s.sendall(b'hello')
                s.shutdown(socket.SHUT_WR)
                assert recv_all(s) == b'HELLO'
    with relay(TCP, f'file:{name}') as p:
        for _ in range(2):
            with p.connect() as s:
                s.shutdown(socket.SHUT_WR)
                same(recv_all(s), MIB)
    with relay(TCP, f'file:{name}.out#append', '-v') as p:
        for i in range(2):
            with p.connect() as s:
                s.sendall(MIB)
                s.shutdown(socket.SHUT_WR)
                assert recv_all(s) == b''
            p.said(rf'{i + 1} tcp.*: 1048576 bytes there, 0 back, .* ended')
    with open(name + '.out', 'rb') as f:
        same(f.read(), MIB * 2)


# ---- messages ----

@case
def datagrams_and_lines_become_each_other():
    with Server(echo) as server, relay('udp://127.0.0.1:0', server.url, '--frame', 'line') as p, p.connect() as s:
        for words in b'one', b'two words', '三'.encode():
            s.send(words)
            assert s.recv(100) == words
    with start('listen', 'udp://127.0.0.1:0', '--upper') as server, relay(TCP, server.url, '--frame', 'line') as p, \
            p.connect() as s:
        s.sendall(b'one\ntw')
        assert recv_exactly(s, 4) == b'ONE\n'
        s.sendall(b'o\n')
        assert recv_exactly(s, 4) == b'TWO\n'
        s.shutdown(socket.SHUT_WR)
        assert recv_all(s) == b''  # datagrams have no end: a second of silence is one


@case
def frames_of_a_length_become_binary_messages():
    import websockets

    async def talk(url):
        async with websockets.connect(url) as ws:
            for body in b'\xff\xfe', b'', bytes(range(256)), b'text':
                frame = struct.pack('>H', len(body)) + body
                await ws.send(frame)
                assert await ws.recv() == frame

    def in_pieces(s):
        while data := s.recv(3):
            s.sendall(data)

    with Server(in_pieces) as server, relay('ws://127.0.0.1:0/', server.url, '--frame', 'length:0,2') as p:
        asyncio.run(asyncio.wait_for(talk(p.url), 20 * SLOW))


@case
def a_stream_goes_to_datagrams_in_pieces_that_fit():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(('127.0.0.1', 0))
    sink.settimeout(10 * SLOW)
    with relay(TCP, 'udp://127.0.0.1:%d' % sink.getsockname()[1]) as p, p.connect() as s:
        s.sendall(MIB[:30000])
        got = b''
        while len(got) < 30000:
            part = sink.recv(65536)
            assert 0 < len(part) <= 1200, len(part)
            got += part
        same(got, MIB[:30000])
    sink.close()


# ---- WebSocket to named targets ----

@case
def the_path_of_a_websocket_chooses_among_named_targets():
    import websockets

    def greeter(words):
        def greet(s):
            s.sendall(words)
            echo(s)
        return greet

    async def hello(url):
        async with websockets.connect(url) as ws:
            first = await ws.recv()
            await ws.send(MIB[:100000])
            got = b''
            while len(got) < 100000:
                got += await ws.recv()
            same(got, MIB[:100000])
            return first

    with Server(greeter(b'I am A')) as a, Server(greeter(b'I am B')) as b, \
            relay('ws://127.0.0.1:0', None, '--target', f'a={a.url}', '--target', f'b.2={b.url}') as p:
        assert asyncio.run(asyncio.wait_for(hello(p.urls[0]), 20 * SLOW)) == b'I am A'
        assert asyncio.run(asyncio.wait_for(hello(p.urls[1]), 20 * SLOW)) == b'I am B'


def http_status(p, path, *fields):
    with p.connect() as s:
        lines = [f'GET {path} HTTP/1.1', 'Host: 127.0.0.1', *fields, '', '']
        s.sendall('\r\n'.join(lines).encode())
        return int(s.recv(4096).split()[1])


@case
def no_other_path_and_no_other_page_leads_anywhere():
    ws = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
    with Server(echo) as a, relay('ws://127.0.0.1:0', None, '--target', f'a={a.url}') as p:
        assert http_status(p, '/a', *ws) == 101
        for path in '/', '/b', '/a/', '/a/b', '/A', '//a', '/%61', '/a%00', '/tcp://127.0.0.1:22', '/?target=a', '/b?a':
            assert http_status(p, path, *ws) == 404, path
        assert http_status(p, '/a') == 404
        assert http_status(p, '/a', 'Origin: http://evil.example', *ws) == 403
        assert http_status(p, '/a', 'Origin: http://127.0.0.1', *ws) == 101
        until(lambda: len(a.threads) == 2)
    with Server(echo) as a, relay('ws://127.0.0.1:0/only', a.url) as p:
        assert http_status(p, '/a', 'Origin: http://evil.example', *ws) in (403, 404)


@case
def a_websocket_hears_that_its_target_does_not_answer():
    import websockets

    async def hear(url):
        async with websockets.connect(url) as ws:
            try:
                await ws.recv()
            except websockets.ConnectionClosed as why:
                return why.code

    with relay('ws://127.0.0.1:0', None, '--target', 'a=tcp://127.0.0.1:1') as p:
        assert asyncio.run(asyncio.wait_for(hear(p.url), 10 * SLOW)) == 1011
        p.said('duplex: 1 ws://127.0.0.1:.* nobody listens on 127.0.0.1:1')


# ---- ends ----

def both_ways(client, pattern):
    """Sends and receives at once; the sending side ends first or waits for the other's end."""
    got = []
    t = threading.Thread(target=lambda: got.append(recv_all(client)))
    t.start()
    client.sendall(pattern)
    client.shutdown(socket.SHUT_WR)
    t.join(60 * SLOW)
    return got[0]


@case
def twenty_mebibytes_both_ways_at_once_with_an_end_from_either_side():
    for more, times in ([], 20), (['--log', '/dev/null'], 4):  # a line a chunk, every byte of it formatted
        there, back = MIB * times, MIB[::-1] * times
        for url in TCP, 'unix':
            for late in 'client', 'server':
                def serve(s):
                    if late == 'server':
                        same(recv_all(s), there)
                        s.sendall(back)
                    else:
                        same(both_ways(s, back), there)
                with Server(serve) as server, relay(f'unix://{temp("s")}' if url == 'unix' else url, server.url, *more) as p:
                    with p.connect(timeout=60) as s:
                        same(both_ways(s, there), back)
                        until(lambda: server.results or server.faults, 60)


@case
def the_server_may_end_first_and_still_listen():
    def serve(s):
        s.sendall(b'my last words')
        s.shutdown(socket.SHUT_WR)
        return recv_all(s)

    with Server(serve) as server, relay(TCP, server.url) as p, p.connect() as s:
        assert recv_all(s) == b'my last words'
        s.sendall(MIB)
        s.shutdown(socket.SHUT_WR)
        until(lambda: server.results)
        same(server.results[0], MIB)


@case
def what_came_before_a_reset_arrives_and_then_the_reset():
    def serve(s):
        s.sendall(MIB)
        time.sleep(0.3)  # so that it is no longer ours to lose
        reset(s)

    with Server(serve) as server, relay(TCP, server.url, '-v') as p, p.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(0.6)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # through a small one it would take half a minute
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 1 << 20)
        got = b''
        try:
            while part := s.recv(65536):
                got += part
        except ConnectionResetError:
            got += b'reset'
        same(got, MIB + b'reset')
        p.said('duplex: 1 .* 1048576 back, .* target: ')


@case
def a_client_that_resets_takes_its_target_along():
    def serve(s):
        return ends(s)

    with Server(serve) as server, relay(TCP, server.url) as p:
        s = p.connect()
        s.sendall(b'x')
        until(lambda: server.threads)
        time.sleep(0.1)
        reset(s)
        until(lambda: server.results)
        assert server.results == ['reset'], server.results


@case
def a_target_that_refuses_ends_its_client_and_nothing_else():
    with Server(echo) as server:
        gone = server.url
    with relay(TCP, gone, '-v') as p:
        for i in range(3):
            began = time.monotonic()
            assert turned_away(p) and time.monotonic() - began < 3 * SLOW
            p.said(rf'duplex: {i + 1} tcp://127.0.0.1:\d+: nobody listens on {gone[6:]}')
        back = socket.create_server(host_port(gone))
        with p.connect() as s:
            c, _ = back.accept()
            c.sendall(b'here again')
            c.close()
            assert recv_all(s) == b'here again'
        back.close()
        p.interrupt(signal.SIGTERM)
        assert p.wait() == 0


@case
def a_target_that_dies_ends_its_clients_and_the_relay_goes_on():
    target = Process([DUPLEX, 'listen', TCP, '--echo'])
    target.said('listening .*\n')
    with relay(TCP, target.url) as p:
        clients = [p.connect() for _ in range(5)]
        for s in clients:
            s.sendall(b'x')
            assert s.recv(1) == b'x'
        target.kill()
        for s in clients:
            assert ends(s) in ('reset', b'')
            s.close()
        assert turned_away(p)
        assert p.popen.poll() is None


@case
def idle_connections_are_closed_in_order():
    with Server(lambda s: ends(s)) as server, relay(TCP, server.url, '--idle', '200ms', '-v') as p, p.connect() as s:
        assert ends(s) == b''
        until(lambda: server.results)
        assert server.results == [b'']
        p.said('idle for too long')


# ---- many ----

@case
def a_thousand_short_connections():
    with start('listen', TCP, '--echo') as server, relay(TCP, server.url, '-v') as p:
        def some(n):
            for i in range(n):
                with p.connect() as s:
                    s.sendall(b'%d' % i)
                    s.shutdown(socket.SHUT_WR)
                    assert recv_all(s) == b'%d' % i
                    counts.append(i)
        counts = []
        threads = [threading.Thread(target=some, args=(50,)) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60 * SLOW)
        assert len(counts) == 1000, len(counts)
        until(lambda: p.err.count('ended') == 1000, 20)
        fds = len(os.listdir(f'/proc/{p.pid}/fd'))
        assert fds < 20, fds


@case
def want_of_descriptors_makes_clients_wait_and_loses_none():
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    with start('listen', TCP, '--echo') as server, relay(TCP, server.url, preexec_fn=few) as p:
        clients = [p.connect(timeout=30) for _ in range(100)]
        for i, s in enumerate(clients):  # each that ends lets another in
            s.sendall(b'%d' % i)
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b'%d' % i
            s.close()
        assert 'refused' not in p.err and 'open files' not in p.err, p.err


@case
def a_relay_that_can_serve_but_a_few_says_so():
    for most, args, words in ((64, [], 'the 64 descriptors of this process (ulimit -n) are enough for 1 client at a time; more wait\n'),
                              (104, ['--max', '30'], 'enough for 10 clients at a time; more wait\n'), (104, ['--max', '5'], None)):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with relay(TCP, 'tcp://127.0.0.1:1', *args, preexec_fn=few) as p:
            assert words in p.err if words else 'enough' not in p.err, p.err


@case
def no_more_than_max_at_a_time():
    with start('listen', TCP, '--echo') as server, relay(TCP, server.url, '--max', '2') as p:
        a, b, c = [p.connect() for _ in range(3)]
        for s in a, b:
            s.sendall(b'x')
            assert s.recv(1) == b'x'
        c.sendall(b'x')
        c.settimeout(0.3)
        try:
            assert False, c.recv(1)
        except TimeoutError:
            pass
        a.close()
        c.settimeout(10 * SLOW)
        assert c.recv(1) == b'x'
        b.close()
        c.close()


@case
def once_serves_one_and_its_exit_code_says_how_it_went():
    with start('listen', TCP, '--echo') as server:
        with relay(TCP, server.url, '--once') as p:
            with p.connect() as s:
                s.sendall(b'x')
                s.shutdown(socket.SHUT_WR)
                assert recv_all(s) == b'x'
            assert p.wait() == 0
    with relay(TCP, server.url, '--once') as p:
        assert turned_away(p) and p.wait() == 7


@case
def told_to_stop_it_ends_its_connections_in_order():
    with Server(lambda s: ends(s)) as server, relay(TCP, server.url) as p, p.connect() as s:
        until(lambda: server.threads)
        time.sleep(0.1)
        p.interrupt(signal.SIGTERM)
        assert ends(s) == b''
        s.close()
        assert p.wait() == 0
        until(lambda: server.results)
        assert server.results == [b'']


# ---- the tap ----

@case
def the_tap_shows_text_that_a_terminal_does_not_obey():
    with Server(echo) as server, relay(TCP, server.url, '--tap') as p, p.connect() as s:
        hanzi = '你'.encode()
        for part in b'a\x1b[2Jb\n', hanzi[:1], hanzi[1:] + b'\r\n':
            s.sendall(part)
            recv_exactly(s, len(part))
        s.shutdown(socket.SHUT_WR)
        recv_all(s)
        p.said(r'1 = ended')
        assert re.search(r'^\d\d:\d\d:\d\d\.\d{3} 1 = tcp://127.0.0.1:\d+ to tcp://127.0.0.1:\d+$', p.err, re.M), p.err
        assert re.search(r'^\d\d:\d\d:\d\d\.\d{3} 1 > a␛\[2Jb$', p.err, re.M), p.err
        assert re.search(r'1 > 你$', p.err, re.M) and re.search(r'1 < a␛', p.err), p.err
        assert re.search(r'1 > \(end\)$', p.err, re.M) and re.search(r'1 < \(end\)$', p.err, re.M), p.err
        assert '\x1b' not in p.err


@case
def the_tap_reads_other_codings_and_passes_them_as_they_are():
    hello = '你好\n'.encode('gb18030')
    with Server(echo) as server, relay(TCP, server.url, '--tap', '--encoding', 'gb18030') as p, p.connect() as s:
        s.sendall(hello)
        assert recv_exactly(s, len(hello)) == hello
        p.said('1 > 你好\n')
        p.said('1 < 你好\n')
    r = duplex('relay', '--encoding', 'gb18030', TCP, 'tcp://127.0.0.1:1')
    assert r.code == 2 and 'Try: --tap' in r.err, r


@case
def a_log_has_what_the_tap_shows_with_dates_and_needs_no_tap():
    log = temp('log')
    with Server(echo) as server:
        for tap in ['--tap'], []:
            with relay(TCP, server.url, *tap, '--log', log) as p, p.connect() as s:
                s.sendall(b'hello\n')
                recv_exactly(s, 6)
                s.close()
                until(lambda: open(log).read().count('1 = ended') == (1 if tap else 2))
                assert ('1 > hello\n' in p.err) == bool(tap), p.err
        assert os.stat(log).st_mode & 0o777 == 0o600
        lines = re.findall(r'(?m)^\d{4}-\d\d-\d\d [\d:]+\.\d{3} \+\d+\.\d{3} 1 ([><] hello)$', open(log).read())
        assert lines == ['> hello', '< hello'] * 2, open(log).read()
        with relay(TCP, server.url, '--log', '/dev/full') as p, p.connect() as s:
            s.sendall(b'hello\n')
            assert recv_exactly(s, 6) == b'hello\n'  # it goes on without
            p.said('--log /dev/full: No space left on device; it goes on without it\n')
    r = duplex('relay', TCP, 'tcp://127.0.0.1:1', '--log', '/nowhere/log')
    assert r.code == 23 and '--log /nowhere/log' in r.err, r


@case
def the_tap_dumps_hex_and_a_log_has_it_too():
    log = temp('log')
    with open(log, 'w') as f:
        f.write('before\n')
    with Server(echo) as server, relay(TCP, server.url, '--tap', 'hex', '--log', log, '--timestamps') as p, p.connect() as s:
        s.sendall(bytes(range(20)))
        recv_exactly(s, 20)
        s.sendall(b'Hello')
        recv_exactly(s, 5)
        s.close()
        p.said('1 = ended')
        until(lambda: '1 = ended' in open(log).read())
        assert re.search(r'(?m)^\d\d:\d\d:\d\d\.\d{3} \+\d+\.\d{6} 1 > 20 bytes$', p.err), p.err
    text = open(log).read()
    assert text.startswith('before\n'), text
    assert re.search(r'(?m)^\d{4}-\d\d-\d\d [\d:]+\.\d{3} \+\d+\.\d{3} 1 > 20 bytes$', text), text
    assert '    00000000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  |................|\n' in text, text
    assert '    00000014  48 65 6c 6c 6f                                   |Hello|\n' in text, text


@case
def without_certificates_sighup_ends_it():
    with relay(TCP, 'tcp://127.0.0.1:9') as p:
        p.interrupt(signal.SIGHUP)
        assert p.wait() == -signal.SIGHUP


# ---- words ----

@case
def what_cannot_be_meant_is_refused_with_words():
    for args, words in [
            (['tcp://:0'], 'where to\\?'),
            (['tcp://:0', 'tcp://:1', '--tap=foo'], r'--tap is \[text\|hex\]'),
            (['tcp://:0', 'tpc://:1'], 'Did you mean: duplex relay tcp://:1'),
            (['tcp://:0', '127.0.0.1:80'], 'Did you mean: duplex relay tcp://127.0.0.1:80'),
            (['tcp://:0', 'tcp://:1', '--pin', 'x'], 'dialling with TLS, and there is none'),
            (['TCP://:0', 'TLS://:1', '--client-ca', 'x'], 'listening with TLS, and there is none'),
            (['tcp://:0', 'tls://:1', '--client-ca', 'x'], 'listening with TLS, and there is none'),
            (['tcp://:0', 'tcp://:1', '--frame', 'line'], 'both are streams'),
            (['udp://:0', 'ws://:1', '--frame', 'line'], 'both are messages'),
            (['UDP://:0', 'WS://:1', '--frame', 'line'], 'both are messages'),
            (['tcp://:0', '--target', 'a=tcp://:1'], 'path of a WebSocket'),
            (['ws://:0', 'tcp://:1', '--target', 'a=tcp://:1'], 'not both'),
            (['ws://:0', '--target', '..=tcp://:1'], 'NAME=URL'),
            (['ws://:0', '--target', 'a/b=tcp://:1'], 'NAME=URL'),
            (['ws://:0', '--target', 'a=tcp://:1', '--target', 'a=tcp://:2'], 'twice'),
            (['tcp://:0', 'tcp://:1', '--timestamps'], 'Try: --tap')]:
        r = duplex('relay', *args)
        assert r.code == 2 and re.search(words, r.err), f'{args}: {r}'


run()
