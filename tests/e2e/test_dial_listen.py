#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_dial_listen.py - duplex dial and duplex listen as a user runs them: pipes, ends, exit codes, words."""
import http.client as http_client
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from duplexlib import (DUPLEX, SLOW, Server, connect, host_port, recv_all, recv_exactly, run as duplex, start, temp, until)
from tap import Skip, case, run
from terminal import Terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')
MIB = random.Random(SEED).randbytes(1 << 20)
TEN = MIB * 10
LOCAL = ['tcp://127.0.0.1:0', 'tcp://[::1]:0', 'unix', 'ws://127.0.0.1:0/']


def fresh(url):
    return f'unix://{temp("s")}' if url == 'unix' else url


def has_ipv6():
    try:
        socket.socket(socket.AF_INET6).bind(('::1', 0))
        return True
    except OSError:
        return False


def local_urls():
    return [fresh(u) for u in LOCAL if '[' not in u or has_ipv6()]


def reset(s):
    """Closes so that the peer sees a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def same(got, want):
    assert got == want, f'{len(got)} bytes, not {len(want)}; equal up to {len(os.path.commonprefix([got, want]))}'


# ---- echo: scene 4 ----


@case
def dial_echoes_a_mebibyte_through_pipes_on_every_wire():
    for url in local_urls():
        with start('listen', url, '--echo') as p:
            r = duplex('dial', p.url, input=MIB)
            assert r.code == 0 and not r.err, f'{url}: {r}'
            same(r.out, MIB)


@case
def dial_echoes_files_as_well_as_pipes():
    name = temp('in')
    pathlib.Path(name).write_bytes(MIB)
    for url in local_urls():
        with start('listen', url, '--echo') as p, open(name, 'rb') as i, open(name + '.out', 'w+b') as o:
            r = subprocess.run([DUPLEX, 'dial', p.url], stdin=i, stdout=o, stderr=subprocess.PIPE, timeout=30 * SLOW)
            assert r.returncode == 0, (url, r)
            o.seek(0)
            same(o.read(), MIB)


@case
def a_file_of_any_size_is_sent_to_its_end():
    name, gram = temp('in'), f'unixgram://{temp("g")}'
    streams = [*LOCAL, 'exec:cat']
    for url in [*streams, 'udp://127.0.0.1:0', gram]:
        if '[' in url and not has_ipv6():
            continue
        with start('listen', 'tcp://127.0.0.1:0' if url == 'exec:cat' else fresh(url), '--echo') as p:
            for n in 0, 5, 70000 if url in streams else 500:
                data = MIB[:n].replace(b'\n', b'.')  # no line ends: one datagram
                pathlib.Path(name).write_bytes(data)
                with open(name, 'rb') as i:
                    ends = ['--idle-ends', '250ms'] if url in streams or not n else ['--once', '--idle-ends', '20s']
                    r = subprocess.run([DUPLEX, 'dial', *ends, url if url == 'exec:cat' else p.url], stdin=i,
                                       capture_output=True, timeout=30 * SLOW)
                assert (r.returncode, r.stderr) == (0, b''), (url, n, r.stderr)
                same(r.stdout, data)
    for url in 'exec:cat', 'file:/dev/null', f'file:{name}':
        r = duplex('dial', url, input=None, stdin=subprocess.DEVNULL)
        assert (r.code, r.err) == (0, ''), (url, r)


@case
def stdin_and_stdout_are_named_in_words():
    name = temp('in')
    pathlib.Path(name).write_bytes(b'x')
    with open('/dev/full', 'wb') as full:
        r = subprocess.run([DUPLEX, 'dial', f'file:{name}'], stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                           timeout=30 * SLOW)
    assert r.returncode == 23 and r.stderr == b'duplex: standard output: No space left on device\n', r
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        folder = os.open('/', os.O_RDONLY)
        r = duplex('dial', p.url, input=None, stdin=folder)
        os.close(folder)
        assert r.code == 23 and r.err == 'duplex: standard input: Is a directory\n', r


@case
def dial_without_input_ends_cleanly():
    for url in local_urls():
        with start('listen', url, '--echo') as p:
            r = duplex('dial', p.url)
            assert (r.code, r.out, r.err) == (0, b'', ''), f'{url}: {r}'


@case
def a_thousand_numbered_datagrams_with_sixteen_in_flight_all_come_back():
    with start('listen', 'udp://127.0.0.1:0', '--echo') as p, p.connect() as s:
        back, sent = set(), 0
        while len(back) < 1000:
            while sent < 1000 and sent - len(back) < 16:
                s.send(b'datagram %d' % sent)
                sent += 1
            back.add(s.recv(2000))
        assert back == {b'datagram %d' % i for i in range(1000)}


@case
def each_line_of_a_pipe_is_a_datagram():
    for options, end in ((['--frame', 'line'], b'\n'), ([], b'\n')):
        with start('listen', 'udp://127.0.0.1:0', '--echo') as p:
            d = start('dial', *options, p.url, ready=None)
            for i in range(1000):
                line = b'line %d' % i + end
                d.stdin.write(line)
                got = b''
                while not got.endswith(b'\n'):
                    part = d.stdout.read(len(line) - len(got))
                    assert part, d.err
                    got += part
                assert got == line, (got, line)
            d.end_input()
            assert d.wait() == 0, d.err


@case
def datagrams_leave_as_their_frame_says():
    rows = [([], b'one\r\ntwo\nrest', [b'one\r\n', b'two\n', b'rest']),
            (['--frame', 'line'], b'one\r\ntwo\nrest', [b'one', b'two', b'rest']),
            (['--frame', 'fixed:3'], b'aaabbbccc', [b'aaa', b'bbb', b'ccc']),
            (['--frame', 'none'], b'x' * 1500, [b'x' * 1200, b'x' * 300])]
    for options, said, want in rows:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            s.settimeout(10 * SLOW)
            d = start('dial', '--idle-ends', '50ms', *options, f'udp://127.0.0.1:{s.getsockname()[1]}', ready=None)
            d.stdin.write(said)
            d.end_input()
            got = [s.recv(4000) for _ in want]
            assert got == want, (options, got)
            assert d.wait() == 0, d.err


@case
def a_line_too_long_for_a_datagram_is_an_error_and_not_cut():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        r = duplex('dial', f'udp://127.0.0.1:{s.getsockname()[1]}', input=b'x' * 70000 + b'\n')
        assert r.code == 63 and 'too long' in r.err, r


@case
def input_that_ends_inside_a_message_is_an_error():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        r = duplex('dial', '--frame', 'fixed:3', f'udp://127.0.0.1:{s.getsockname()[1]}', input=b'aaabb')
        assert r.code == 18 and 'inside a message' in r.err, r


@case
def dial_once_ends_after_the_first_answer():
    for url in ['udp://127.0.0.1:0', *local_urls()]:
        with start('listen', url, '--echo') as p:
            d = start('dial', '--once', p.url, ready=None)
            d.stdin.write(b'hello\n')
            assert d.wait() == 0, (url, d.err)
            assert d.stdout.readall() == b'hello\n', url
            d.kill()


@case
def dial_once_without_an_answer_is_no_success():
    with Server(lambda s: recv_all(s)) as s:
        r = duplex('dial', '--once', '--send', r'AT\r\n', s.url)
    assert r.code == 119 and 'no answer came' in r.err, r
    with start('listen', 'ws://127.0.0.1:0') as p:
        r = duplex('dial', '--once', '--idle-ends', '100ms', p.url, input=b'hello\n')
        assert r.code == 119 and 'no answer came within 0.1 s.  Try: --idle-ends 1s' in r.err, r


@case
def silence_after_the_end_of_input_is_said():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        r = duplex('dial', '--idle-ends', '100ms', f'udp://127.0.0.1:{s.getsockname()[1]}', input=b'hello\n')
    assert r.code == 0 and 'nothing came after the end of input within 0.1 s' in r.err, r
    with start('listen', 'ws://127.0.0.1:0', '--echo') as p:
        r = duplex('dial', '--idle-ends', f'{SLOW}s', p.url, input=b'hello\n')
        assert (r.code, r.out, r.err) == (0, b'hello\n', ''), r


@case
def a_frame_that_does_not_read_names_the_help_that_says_more():
    r = duplex('listen', 'tcp://127.0.0.1:0', '--echo', '--frame', 'length:x')
    assert r.code == 2 and r.err.endswith('Try: duplex help listen\n'), r


# ---- many clients: scene 3 ----


def ask(url, text, want):
    with connect(url, 30) as s:
        s.sendall(text)
        got = recv_exactly(s, len(want))
        assert got == want, got


@case
def two_hundred_clients_at_once_and_two_hundred_that_reset():
    with start('listen', 'tcp://:0', '--upper') as p:
        url = next(u for u in p.urls if '[' not in u)
        good = [connect(url, 30) for _ in range(200)]
        bad = [connect(url, 30) for _ in range(200)]
        for i, s in enumerate(bad):
            s.sendall(b'about to break %d' % i)
        for i, s in enumerate(good):
            s.sendall(b'client %d says hello\n' % i)
            reset(bad[i])
        for i, s in enumerate(good):
            want = b'CLIENT %d SAYS HELLO\n' % i
            assert recv_exactly(s, len(want)) == want
        for s in good:
            s.sendall(b'exit\n')
        for s in good:
            assert recv_all(s) == b'EXIT\n'
            s.close()
        ask(url, b'still here\n', b'STILL HERE\n')


@case
def upper_keeps_the_line_end_and_answers_text_without_one():
    with start('listen', 'tcp://127.0.0.1:0', '--upper') as p:
        for said, want in [(b'one\n', b'ONE\n'), (b'two\r\n', b'TWO\r\n'), (b'three', b'THREE'),
                           (b'a\nb\nc\n', b'A\nB\nC\n'), ('né 你好 z\n'.encode(), 'Né 你好 Z\n'.encode()),
                           ('你好a'.encode('gb18030') + b'\n', '你好A'.encode('gb18030') + b'\n')]:
            ask(p.url, said, want)


@case
def upper_leaves_the_second_byte_of_a_gb18030_character_alone():
    text = bytes(b for second in range(97, 123) for b in (0x81, second)).decode('gb18030')  # these are ASCII letters
    with start('listen', 'tcp://127.0.0.1:0', '--upper', '--encoding', 'gb18030') as p:
        ask(p.url, (text + 'abc\n').encode('gb18030'), (text + 'ABC\n').encode('gb18030'))


@case
def exit_is_answered_and_closes_with_and_without_a_newline():
    for url in ['tcp://127.0.0.1:0', fresh('unix')]:
        with start('listen', url, '--upper') as p:
            for said, want in [(b'exit', b'EXIT'), (b'exit\n', b'EXIT\n'), (b'exit\r\n', b'EXIT\r\n')]:
                with p.connect() as s:
                    s.sendall(said)
                    assert recv_all(s) == want
            ask(p.url, b'exit now\n', b'EXIT NOW\n')


@case
def listen_serves_several_urls_at_once():
    urls = ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0', fresh('unix')]
    with start('listen', *urls, '--upper') as p:
        assert len(p.urls) == 3, p.urls
        for u in p.urls:
            ask(u, b'hi\n', b'HI\n')


@case
def listen_max_lets_the_next_client_wait_its_turn():
    with start('listen', 'tcp://127.0.0.1:0', '--echo', '--max', '2') as p:
        a, b, c = p.connect(), p.connect(), p.connect()
        for s in (a, b, c):
            s.sendall(b'x')
        assert a.recv(1) == b'x' and b.recv(1) == b'x'
        c.settimeout(0.2)
        try:
            assert not c.recv(1), 'a third client was served'
        except TimeoutError:
            pass
        a.close()
        c.settimeout(10 * SLOW)
        assert c.recv(1) == b'x'


@case
def listen_once_serves_one_client_and_ends():
    with start('listen', 'tcp://127.0.0.1:0', '--echo', '--once') as p:
        with p.connect() as s:
            s.sendall(b'x')
            assert s.recv(1) == b'x'
        assert p.wait() == 0, p.err
    with start('listen', 'tcp://127.0.0.1:0', '--echo', '--once') as p:
        s = p.connect()
        s.sendall(b'x')
        assert s.recv(1) == b'x'
        reset(s)
        assert p.wait() == 56, p.err


@case
def listen_idle_closes_who_is_silent():
    with start('listen', 'tcp://127.0.0.1:0', '--echo', '--idle', '100ms') as p, p.connect() as s:
        s.sendall(b'x')
        assert s.recv(1) == b'x'
        began = time.monotonic()
        try:
            assert s.recv(1) == b''
        except ConnectionResetError:
            pass
        assert time.monotonic() - began > 0.05


@case
def two_echoes_pointed_at_each_other_fall_silent_within_a_second():
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    except PermissionError:
        raise Skip('spoofing a source needs root') from None
    with start('listen', 'udp://127.0.0.1:0', '--echo') as a, start('listen', 'udp://127.0.0.1:0', '--echo') as b, raw:
        at, to = (int(p.url.rsplit(':', 1)[1]) for p in (a, b))
        for k in range(8):  # as if a had said it
            data = b'round and round %d' % k
            udp = struct.pack('!HHHH', at, to, 8 + len(data), 0) + data
            ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, *[socket.inet_aton('127.0.0.1')] * 2)
            raw.sendto(ip + udp, ('127.0.0.1', 0))
        until(lambda: 'echo itself' in a.err + b.err, 1, 'one of them notices')

        def ticks():
            return sum(int(x) for p in (a, b) for x in open(f'/proc/{p.pid}/stat').read().rsplit(') ')[1].split()[11:13])

        until(lambda: (t := ticks(), time.sleep(0.1)) and ticks() == t, 5, 'both rest')


# ---- half-close, lateness, back-pressure: nothing is lost ----


def stream_families():
    return [socket.AF_INET, socket.AF_UNIX] + ([socket.AF_INET6] if has_ipv6() else [])


@case
def the_end_of_input_is_said_and_what_still_comes_is_printed():
    def serve(c):
        got = recv_all(c)
        c.sendall(TEN[::-1])
        return got

    for family in stream_families():
        with Server(serve, family) as s:
            r = duplex('dial', s.url, input=TEN)
            assert r.code == 0, r
            same(r.out, TEN[::-1])
            same(until(lambda: s.results)[0], TEN)


@case
def the_peers_end_leaves_our_direction_open():
    def serve(c):
        c.sendall(TEN)
        c.shutdown(socket.SHUT_WR)
        time.sleep(0.2)  # the end is there well before the input
        return recv_all(c)

    for family in stream_families():
        with Server(serve, family) as s:
            d = start('dial', s.url, ready=None)
            same(d.stdout.readall(), TEN)  # to the end of stdout, with stdin open
            d.stdin.write(TEN)
            d.end_input()
            assert d.wait(20) == 0, d.err
            same(until(lambda: s.results)[0], TEN)


@case
def the_peers_end_in_the_middle_of_a_file_leaves_our_direction_open():
    def serve(c):
        c.shutdown(socket.SHUT_WR)
        return recv_all(c)

    name = temp('in')
    pathlib.Path(name).write_bytes(TEN)
    with Server(serve) as s, open(name, 'rb') as i:
        d = start('dial', s.url, stdin=i, stdout=subprocess.DEVNULL, ready=None)
        assert d.wait(20) == 0, d.err
        same(until(lambda: s.results)[0], TEN)


@case
def a_late_reply_after_the_end_of_input_is_not_lost():
    def serve(c):
        got = recv_all(c)
        time.sleep(1)
        c.sendall(got[::-1])

    with Server(serve) as s:
        r = duplex('dial', s.url, input=b'late')
        assert (r.code, r.out) == (0, b'etal'), r


@case
def both_commands_together_half_close_each_way():
    for url in ['tcp://127.0.0.1:0', fresh('unix')]:
        with start('listen', url) as p:
            reader = {}
            t = threading.Thread(target=lambda: reader.update(out=p.stdout.readall()))
            t.start()
            d = start('dial', p.url, ready=None)
            w = threading.Thread(target=lambda: (d.stdin.write(TEN), d.end_input()))
            w.start()
            t.join(30 * SLOW)
            same(reader['out'], TEN)  # dial has said its end; listen has not
            other = {}
            t2 = threading.Thread(target=lambda: other.update(out=d.stdout.readall()))
            t2.start()
            p.stdin.write(TEN[::-1])
            p.end_input()
            t2.join(30 * SLOW)
            same(other['out'], TEN[::-1])
            assert (d.wait(), p.wait()) == (0, 0), (d.err, p.err)


@case
def a_reader_that_begins_late_gets_everything():
    def serve(c):
        c.sendall(TEN)

    with Server(serve) as s:
        d = start('dial', s.url, stdin=subprocess.DEVNULL, ready=None)
        time.sleep(3)  # longer than any close waits for the peer
        same(d.stdout.readall(), TEN)
        assert d.wait() == 0, d.err


def rss_kib(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{pid}/status').read())[1])


@case
def a_reader_that_rests_holds_the_sender_back():
    sent = [0]

    def serve(c):
        for _ in range(64):
            c.sendall(MIB)
            sent[0] += len(MIB)

    with Server(serve) as s:
        d = start('dial', s.url, stdin=subprocess.DEVNULL, ready=None)
        until(lambda: sent[0] > 0)
        seen = -1
        while seen != sent[0]:
            seen = sent[0]
            time.sleep(0.3)
        assert seen < 48 << 20, f'{seen} bytes were taken from the sender'
        assert SLOW > 1 or rss_kib(d.pid) < 16 << 10, f'{rss_kib(d.pid)} KiB'
        same(d.stdout.readall(), MIB * 64)
        assert d.wait() == 0, d.err


@case
def a_peer_that_rests_holds_our_input_back():
    go = threading.Event()

    def serve(c):
        go.wait(30)
        return recv_all(c)

    with Server(serve) as s:
        d = start('dial', s.url, ready=None)
        sent = [0]

        def write():
            for _ in range(64):
                d.stdin.write(MIB)
                sent[0] += len(MIB)
            d.end_input()

        t = threading.Thread(target=write)
        t.start()
        seen = -1
        while seen != sent[0] or not seen:
            seen = sent[0]
            time.sleep(0.3)
        assert seen < 48 << 20, f'{seen} bytes were taken from the writer'
        assert SLOW > 1 or rss_kib(d.pid) < 16 << 10, f'{rss_kib(d.pid)} KiB'
        go.set()
        t.join(30 * SLOW)
        assert d.wait(20) == 0, d.err
        same(until(lambda: s.results, 20)[0], MIB * 64)


@case
def silence_after_the_end_of_input_ends_when_asked():
    done = threading.Event()

    def serve(c):
        c.sendall(b'hello')
        done.wait(20)  # never ends by itself

    with Server(serve) as s:
        r = duplex('dial', '--idle-ends', '200ms', s.url)
        done.set()
        assert (r.code, r.out) == (0, b'hello'), r


@case
def an_encoding_is_translated_both_ways():
    def serve(c):
        got = recv_all(c)
        for i in range(len(got)):  # a byte at a time: characters come in pieces
            c.sendall(got[i:i + 1])
        return got

    text = '你好, 什么 谢谢 䶮 😀\n'.encode()
    with Server(serve) as s:
        r = duplex('dial', '--encoding', 'gb18030', s.url, input=text)
        assert r.code == 0, r
        assert s.results == [text.decode().encode('gb18030')], s.results
        assert r.out == text, r


# ---- what goes wrong, and what is said ----


def http(url, method='GET', body=None):
    c = http_client.HTTPConnection(*host_port(url), timeout=10 * SLOW)
    c.request(method, '/', body)
    r = c.getresponse()
    return r.status, r.getheader('Content-Type'), r.read()


@case
def any_echoes_on_every_wire():
    with start('listen', 'any://127.0.0.1:0', '--echo', '-v') as p:
        port = p.url.split(':')[-1]
        for scheme in 'tcp', 'udp', 'ws':
            r = duplex('dial', f'{scheme}://127.0.0.1:{port}', input=b'hello\n')
            assert (r.code, r.out) == (0, b'hello\n'), (scheme, r)
        assert http(p.url) == (200, 'application/octet-stream', b'')
        for body in b'hi', MIB:
            status, kind, got = http(p.url, 'POST', body)
            assert (status, kind) == (200, 'application/octet-stream')
            same(got, body)
        p.said(r'client \d+ \(\S*://127.0.0.1:\d+\): ')
    with start('listen', 'any://127.0.0.1:0', '--upper') as p:
        assert http(p.url, 'POST', b'hi') == (200, 'application/octet-stream', b'HI')


@case
def a_talk_over_any_takes_a_websocket_and_not_a_request():
    with start('listen', 'any://127.0.0.1:0') as p:
        status, kind, words = http(p.url, 'POST', b'not for stdout')
        assert status == 426 and kind == 'text/plain' and b'duplex listen' in words, words
        p.stdin.write(b'answer\n')
        p.end_input()
        r = duplex('dial', 'ws' + p.url[p.url.index(':'):], input=b'question\n')
        assert (r.code, r.out) == (0, b'answer\n'), r
        assert p.stdout.readall() == b'question\n' and p.wait() == 0, p.err


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@case
def a_peer_that_resets_is_an_error_with_its_own_code():
    def serve(c):
        c.recv(5)
        reset(c)

    with Server(serve) as s:
        d = start('dial', s.url, ready=None)
        d.stdin.write(b'hello')
        assert d.wait() == 56, d.err
        assert 'reset' in d.err and s.url.split('://')[1] in d.err, d.err


@case
def nobody_there_is_refused_and_says_what_to_try():
    url = f'tcp://127.0.0.1:{free_port()}'
    r = duplex('dial', url)
    assert r.code == 7, r
    assert r.err == f'duplex: nobody listens on {url[6:]} (connection refused).  Try: duplex listen {url}\n', r
    path = temp('nobody')
    r = duplex('dial', f'unix://{path}')
    assert r.code == 7 and f'duplex listen unix://{path}' in r.err, r


@case
def what_does_not_read_is_usage_and_says_what_to_try():
    rows = [(['dial', '127.0.0.1:80'], 2, 'duplex dial tcp://127.0.0.1:80'),
            (['dial', 'tpc://127.0.0.1:80'], 2, 'duplex dial tcp://127.0.0.1:80'),
            (['dial', '/tmp/x'], 2, 'unix:///tmp/x'),
            (['dial', 'tcp://127.0.0.1:99999'], 2, '65535'),
            (['dial', 'gopher://127.0.0.1:80'], 2, 'gopher'),
            (['listen', 'nonsense', '--echo'], 2, 'nonsense'),
            (['serve', '--listen', '127.0.0.1:80'], 2, 'Did you mean: duplex serve --listen tcp://127.0.0.1:80'),
            (['serve', '--listen', 'frob'], 2, "scheme.  Try: duplex help"),
            (['dial', 'tcp://localhost'], 2, 'which port?  Try'),
            (['dial', 'localhost', '80'], 2, 'Did you mean: duplex dial tcp://localhost:80'),
            (['listen', 'unix:///no-such-folder/x'], 23, 'no folder /no-such-folder/ for the socket'),
            (['dial', 'file:/no/such'], 23, 'no such file: /no/such'),
            (['dial'], 2, '--help'), (['listen'], 2, '--help'),
            (['dial', '--frmae', 'x', 'y'], 2, '--frame'),
            (['listen', 'tcp://127.0.0.1:0', '--echo', '--upper'], 2, 'one of --echo, --upper'),
            (['dial', 'tcp:127.0.0.1:1'], 2, 'Did you mean: duplex dial tcp://127.0.0.1:1\n'),
            (['dial', 'unix:/tmp/x'], 2, 'Did you mean: duplex dial unix:///tmp/x\n'),
            (['dial', 'ws:/127.0.0.1:1/x'], 2, 'Did you mean: duplex dial ws://127.0.0.1:1/x\n'),
            (['dial', '--encoding', 'gb1803', 'tcp://127.0.0.1:1'], 2, 'Did you mean gb18030?'),
            (['dial', '--encoding', 'Shift-JIS2', 'tcp://127.0.0.1:1'], 2, 'Did you mean shift_jis?'),
            (['dial', '--encoding', 'klingon', 'tcp://127.0.0.1:1'], 2, 'none of that name here\n'),
            (['-v'], 2, 'Did you mean: duplex --version (-V)'), (['--hepl'], 2, 'Did you mean: duplex --help'),
            (['--hex', 'dial'], 2, 'options stand behind it'), (['man'], 2, 'Did you mean: duplex help --man'),
            (['help', 'man'], 2, 'Did you mean: duplex help --man'),
            (['completion', 'bash'], 2, 'Did you mean: duplex help --completion bash'),
            (['dail', 'x'], 2, 'dial'), (['tcp://127.0.0.1:80'], 2, 'duplex dial tcp://127.0.0.1:80')]
    for args, code, words in rows:
        r = duplex(*args)
        assert r.code == code and words in r.err and r.err.startswith('duplex: ') and not r.out, (args, r)
        assert r.err.count('\n') == 1, (args, r)


@case
def schemes_not_in_this_build_say_so():
    r = duplex('dial', 'quic://127.0.0.1:1')
    assert r.code == 4 and 'quic:// is not in this build.  duplex help names the wires' in r.err, r


@case
def an_unknown_host_has_its_own_code():
    r = duplex('dial', 'tcp://no-such-host.invalid:80', '--timeout', '20s')
    assert r.code == 6 and 'no-such-host.invalid' in r.err, r


@case
def a_dial_that_takes_too_long_times_out():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen(0)
        full = []  # whoever the backlog has room for
        for _ in range(3):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(s.getsockname())
            full.append(c)
        time.sleep(0.1)
        began = time.monotonic()
        r = duplex('dial', '--timeout', '300ms', f'tcp://127.0.0.1:{s.getsockname()[1]}')
        assert r.code == 28 and '--timeout' in r.err, r
        assert time.monotonic() - began < 5 * SLOW
        for c in full:
            c.close()


@case
def a_taken_port_names_its_owner_and_a_command_that_works():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        r = duplex('listen', f'tcp://127.0.0.1:{port}', '--echo')
        assert r.code == 45 and f'pid {os.getpid()} (' in r.err, r
        assert 'duplex listen tcp://127.0.0.1:0' in r.err, r
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        r = duplex('listen', f'udp://127.0.0.1:{s.getsockname()[1]}', '--echo')
        assert r.code == 45 and f'pid {os.getpid()} (' in r.err, r
    with start('listen', fresh('unix'), '--echo') as p:
        r = duplex('listen', p.url, '--echo')
        assert r.code == 45 and f'pid {p.pid} (duplex)' in r.err, r
        ask(p.url, b'the first one still answers', b'the first one still answers')


@case
def the_socket_of_a_dead_server_is_replaced():
    path = temp('dead')
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()  # leaves its file
    assert os.path.exists(path)
    with start('listen', f'unix://{path}', '--echo') as p:
        ask(p.url, b'alive', b'alive')
        p.interrupt()
        assert p.wait() == 0, p.err
    assert not os.path.exists(path), 'a server that ends takes its socket along'


@case
def a_file_that_is_no_socket_is_left_alone():
    path = temp('file')
    pathlib.Path(path).write_text('mine')
    r = duplex('listen', f'unix://{path}', '--echo')
    assert r.code != 0 and pathlib.Path(path).read_text() == 'mine', r


@case
def stdout_that_is_closed_early_is_a_local_error():
    def serve(c):
        try:
            while True:
                c.sendall(MIB)
        except OSError:
            pass

    with Server(serve) as s:
        d = start('dial', s.url, ready=None)
        assert len(d.stdout.read(10)) == 10
        d.stdout.close()
        assert d.wait() == 23, d.err


@case
def an_interrupted_dial_ends_in_good_order_and_says_so_by_its_code():
    def serve(c):
        c.sendall(b'hello')
        return recv_all(c)

    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with Server(serve) as s:
            d = start('dial', s.url, ready=None)
            assert d.stdout.read(5) == b'hello'
            d.stdin.write(b'sent before')
            until(lambda: True)
            time.sleep(0.1)
            d.interrupt(number)
            assert d.wait() == code, d.err
            assert until(lambda: s.results) == [b'sent before'], s.results


@case
def an_interrupted_listen_drains_and_ends_with_0():
    for number in (signal.SIGINT, signal.SIGTERM):
        with start('listen', 'tcp://127.0.0.1:0', '--echo') as p, p.connect() as s:
            s.sendall(b'x' * 100000)
            recv_exactly(s, 100000)
            p.interrupt(number)
            assert recv_all(s) == b''
            s.close()
            assert p.wait() == 0, p.err
            assert not p.err.replace(f'listening {p.url}\n', ''), p.err


@case
def a_second_interrupt_ends_at_once():
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p, p.connect() as s:
        s.sendall(b'x')
        assert s.recv(1) == b'x'
        p.interrupt()
        until(lambda: refused(p.url))  # it drains: nobody listens any more
        p.interrupt()
        assert p.wait(1.5) == 130, p.err


def refused(url):
    try:
        connect(url).close()
        return False
    except ConnectionRefusedError:
        return True


# ---- help ----


@case
def help_begins_with_examples():
    for args in ([], ['--help'], ['-h'], ['help'], ['help', 'dial'], ['dial', '--help'], ['listen', '-h']):
        r = duplex(*args)
        lines = r.out.decode().splitlines()
        assert r.code == 0 and not r.err, r
        assert lines[0].startswith('duplex') and lines[2] == 'Examples' and '  duplex ' in lines[3], (args, lines[:5])
        assert max(map(len, lines)) <= 120, (args, max(lines, key=len))
    assert duplex('--version').out.startswith(b'duplex 0.')
    lines = duplex('help').out.decode().splitlines()
    columns = {line.index('  # ') for line in lines[3:lines.index('Commands') - 1]}
    assert len(columns) == 1, lines  # they stand below one another


@case
def help_says_once_what_a_bare_number_of_a_time_is():
    for command in re.findall(r'^  (\w+) +\S', duplex('help').out.decode().split('Commands\n')[1].split('\n\n')[0], re.M):
        pages = [duplex('help', *man, command).out.decode() for man in ([], ['--man'])]
        times = len(re.findall(r'^ .*--\S+ TIME ', pages[0], re.M))
        assert [p.count('a bare number is seconds') for p in pages] == [times > 0] * 2, (command, pages)


@case
def the_page_of_exit_codes_is_what_the_program_prints():
    page = re.findall(r'^\| (\d+) \| (\S+) \| (.*) \|$', (ROOT / 'docs' / 'exit-codes.md').read_text(), re.M)
    said = re.findall(r'^ +(\d+) +(\S+) +(.*)$', duplex('help', 'exit-codes').out.decode(), re.M)
    assert page == said, f'{page}\n{said}'


# ---- terminals ----


@case
def on_a_terminal_exit_and_control_d_end():
    for last in (b'exit\n', b'\x04'):
        for url in ('tcp://127.0.0.1:0', 'ws://127.0.0.1:0/', 'udp://127.0.0.1:0'):
            with start('listen', url, '--upper') as p:
                t = Terminal('dial', p.url)
                t.type('hello 你好\n'.encode())
                t.sees('HELLO 你好\r\n'.encode())
                t.type(last)
                assert t.code() == 0, (url, last, t.screen)


@case
def on_a_terminal_the_peers_end_ends():
    def serve(c):
        c.sendall(b'bye\n')

    with Server(serve) as s:
        t = Terminal('dial', s.url)
        t.sees(b'bye')
        assert t.code() == 0, t.screen


@case
def on_a_terminal_half_a_character_waits_however_long():
    first, rest = threading.Event(), '温度 '.encode('gb18030')

    def serve(c):
        c.sendall(rest[:3])
        first.wait(30 * SLOW)
        c.sendall(rest[3:] + b'end ' + rest[:1])

    with Server(serve) as s:
        t = Terminal('dial', s.url)
        t.sees('温'.encode())  # it was shown without the end of its line: a silence has passed
        first.set()
        t.sees('度 end <CE>'.encode())
        assert t.code() == 0 and b'<B6>' not in t.screen, t.screen


@case
def a_terminal_obeys_nothing_that_a_peer_sends():
    evil = b'\x1b]0;owned\x07\x1b[2J\x1b[6n \x9b31m \xe2\x80\xae right to left \r over\nnext line\r\n'

    def serve(c):
        c.sendall(evil)
        recv_all(c)

    with Server(serve) as s:
        t = Terminal('dial', s.url)
        t.sees(b'next line\r\n')
        screen = t.screen.decode()  # all of it is UTF-8
        for bad in ('\x1b', '\x07', '\x9b', '\u202e', '\r '):
            assert bad not in screen, (bad, screen)
        t.type(b'exit\n')
        assert t.code() == 0, t.screen


@case
def a_prompt_without_a_newline_is_shown():
    def serve(c):
        c.sendall(b'login: ')
        return recv_all(c)

    with Server(serve) as s:
        t = Terminal('dial', s.url)
        t.sees(b'login: ')
        t.type(b'ada\nexit\n')
        assert t.code() == 0, t.screen
        assert until(lambda: s.results) == [b'ada\n']


@case
def a_terminal_talks_gb18030_to_who_writes_it():
    def serve(c):
        c.sendall('你好，请登录\n'.encode('gb18030'))
        return recv_all(c)

    with Server(serve) as s:
        t = Terminal('dial', s.url)
        t.sees('你好，请登录\r\n'.encode())
        t.type('谢谢\nexit\n'.encode())
        assert t.code() == 0, t.screen
        assert until(lambda: s.results) == ['谢谢\n'.encode('gb18030')], s.results


@case
def a_scheme_is_the_same_in_capitals():
    path = temp('Socket')
    r = duplex('dial', f'UNIX://{path}')
    assert r.code == 7 and f'nobody listens on {path} (no such socket)' in r.err, r
    with start('listen', f'UNIX://{path}', '--echo') as p, start('listen', 'TCP://127.0.0.1:0', '--echo') as tcp:
        for url in f'Unix://{path}', tcp.url.replace('tcp', 'Tcp'):
            r = duplex('dial', url, input=b'hi\n')
            assert (r.code, r.out, r.err) == (0, b'hi\n', ''), r
        for command in ['listen'], ['serve', '--listen']:
            r = duplex(*command, f'UNIX://{path}')
            assert r.code == 45 and f'{path} is taken' in r.err and r.err.endswith(f'UNIX://{path}.2\n'), r
        with start('relay', 'TCP://127.0.0.1:0', f'UNIX://{path}', ready=None) as relay:
            relay.said('listening .*\n')
            r = duplex('dial', relay.url, input=b'x')
            assert (r.code, r.out) == (0, b'x'), r
    r = duplex('listen', f'UNIX://{path}.none/x')
    assert r.code == 23 and f'no folder {path}.none/ for the socket' in r.err, r
    r = duplex('relay', 'tcp://127.0.0.1:0', 'TPC://x:1')
    assert r.code == 2, r


run()
