#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_bench.py - duplex bench against servers whose faults are known: its numbers must show them, and no others."""
import http.server
import json
import os
import pty
import re
import signal
import socket
import threading
import time

import pki
from duplexlib import SLOW, Server, recv_all, run, start, temp, until
from tap import case, run as run_cases

UNMET = 119


def bench(*args, code=0, env=None, **how):
    """The result object of duplex bench --json ARGS."""
    r = run('bench', '--json', *args, env={**os.environ, **(env or {})}, **how)
    assert r.code == code, r
    result = json.loads(r.out.splitlines()[-1])
    assert result['v'] == 1 and result['is'] == 'result' and result['exit_code'] == code, result
    result['words'] = r.err
    return result


def counted(result, **want):
    got = {k: result['messages'][k] for k in want}
    assert got == want, result
    return result


def all_right(result, n, expected=None):
    return counted(result, sent=n, expected=expected or n, right=expected or n, wrong=0, lost=0, unasked=0, still_out=0)


def echo(c):
    try:
        while data := c.recv(65536):
            c.sendall(data)
    except (BrokenPipeError, ConnectionResetError):    # who is told to stop goes at once
        pass


class Datagrams:
    """A UDP server: answer(n, data) gives the list of datagrams to send back for the n-th one."""

    def __init__(self, answer):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(('127.0.0.1', 0))
        self.url = 'udp://127.0.0.1:%d' % self.sock.getsockname()[1]
        self.answer, self.came = answer, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, peer = self.sock.recvfrom(65536)
                for out in self.answer(self.came, data):
                    self.sock.sendto(out, peer)
            except OSError:
                return
            self.came += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


# ---- all is well ----

@case
def every_wire_of_listen_echo_comes_back_right():
    leaf = pki.leaf('bench')
    plain = ['tcp://127.0.0.1:0', f'unix://{temp("s")}', 'udp://127.0.0.1:0', f'unixgram://{temp("d")}',
             'ws://127.0.0.1:0/x', 'http://127.0.0.1:0']
    over_tls = ['tls://127.0.0.1:0', 'wss://127.0.0.1:0', 'https://127.0.0.1:0']
    with start('listen', *plain, '--echo') as p, \
            start('listen', *over_tls, '--echo', '--cert', leaf.cert, '--key', leaf.key) as q:
        for url in p.urls + [u + '#insecure' for u in q.urls]:
            http = ['--expect', 'echo'] if url.startswith('http') else []
            result = all_right(bench('-c', 4, '-n', 200, *http, url), 200)
            assert result['latency_us']['count'] == 200 and result['latency_us']['p50'] > 0, result
            assert result['connects']['opened'] == 4, result


@case
def upper_case_is_told_from_echo():
    with start('listen', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0', 'udp://127.0.0.1:0', '--upper') as p:
        for url in p.urls:
            all_right(bench('-c', 3, '-n', 60, '--expect', 'upper', url), 60)
            counted(bench('-c', 3, '-n', 60, url, code=UNMET), right=0, wrong=60, lost=0)
            r = run('bench', '-c', 3, '-n', 60, url)
            assert 'no reply was right' in r.err and ('--room NAME' in r.err) == url.startswith('ws'), r


@case
def messages_of_any_size_and_depth_and_number_of_threads():
    with start('listen', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0', '--echo') as p:
        for url in p.urls:
            for args in (['--size', 1], ['--size', 100000, '--depth', 3], ['--depth', 64, '--threads', 2],
                         ['--threads', 3, '--rate', 2000]):
                all_right(bench('-c', 3, '-n', 300, *args, url), 300)


@case
def what_is_sent_is_what_was_asked_for():
    path = temp('m')
    with open(path, 'wb') as f:
        f.write(b'\x00\xffabc')
    for said, sent in (('hello', b'hello'), ('hex:0103 0aff', b'\x01\x03\x0a\xff'), (f'@{path}', b'\x00\xffabc')):
        with Server(lambda c: recv_all(c)) as s:
            result = bench('-c', 1, '-n', 3, '--expect', 'none', '--message', said, s.url)
            counted(result, sent=3, expected=0)
            until(lambda: s.results)
            assert s.results == [sent * 3], s.results


@case
def binary_messages_stay_binary_on_a_websocket():
    with start('listen', 'ws://127.0.0.1:0', '--echo') as p:
        all_right(bench('-c', 2, '-n', 10, '--message', 'hex:00ff', p.url), 10)


@case
def one_way_everything_arrives():
    with Server(lambda c: len(recv_all(c))) as s:
        result = bench('-c', 4, '-n', 5000, '--size', 100, '--expect', 'none', s.url)
        counted(result, sent=5000, expected=0, lost=0)
        until(lambda: len(s.results) == 4)
        assert sum(s.results) == 500000, s.results


@case
def a_reply_of_any_kind_counts_where_it_may():
    def answer(c):
        while c.recv(65536):
            c.sendall(b'something else\n')

    with Server(answer) as s:
        all_right(bench('-c', 2, '-n', 40, '--expect', 'any', s.url), 40)
        all_right(bench('-c', 2, '-n', 40, '--expect', 'any', '--frame', 'line', s.url), 40)
        assert run('bench', '-n', 4, '--depth', 2, '--expect', 'any', s.url).code == 2


@case
def the_closed_loop_keeps_depth_messages_out():
    most = []

    def answer(c):
        c.settimeout(0.2 * SLOW)
        held = b''
        while True:
            try:
                data = c.recv(65536)
            except TimeoutError:    # nothing more comes before something goes
                if not held:
                    return
                most.append(len(held) // 64)
                c.sendall(held)
                held = b''
                continue
            if not data:
                return
            held += data

    with Server(answer) as s:
        all_right(bench('-c', 1, '-n', 21, '--depth', 7, s.url), 21)
    assert most == [7, 7, 7], most


@case
def the_open_loop_keeps_its_rate():
    with Server(echo) as s:
        result = bench('-c', 5, '--rate', 400, '--for', '1s', '--warm-up', '250ms', s.url)
        all_right(result, 400)
        assert 350 / SLOW < result['rates']['out_messages_per_s'] < 450, result
        assert result['sent_late_us']['count'] == 400, result
        assert result['options'] == {
            'conns': 5, 'threads': 1, 'loop': 'open', 'rate_per_s': 400, 'size_bytes': 64, 'for_ms': 1000,
            'warm_up_ms': 250, 'wait_ms': 5000, 'loss_max': 0, 'expect': 'echo'}, result


# ---- faults ----

@case
def wrong_bytes_are_counted_and_the_first_is_shown():
    def answer(c):
        n = 0
        while data := c.recv(64):
            while len(data) < 64:
                data += c.recv(64 - len(data))
            if n in (5, 9):
                data = data[:40] + bytes([data[40] ^ 1]) + data[41:]
            c.sendall(data)
            n += 1

    with Server(answer) as s:
        result = bench('-c', 1, '-n', 20, s.url, code=UNMET)
        counted(result, right=18, wrong=2, lost=0)
        assert re.search(r'conn 0, message 5: byte 40 differs: got( [0-9a-f]{2})+, not( [0-9a-f]{2})+', result['first_wrong'])
        r = run('bench', '-c', 1, '-n', 20, s.url)
        assert 'Try:' not in r.err, r
        assert r.code == UNMET and b'18 right, 2 wrong, 0 lost' in r.out and b'first wrong conn 0, message 5' in r.out, r


@case
def replies_on_the_wrong_conn_are_wrong():
    conns, both = [], threading.Event()

    def answer(c):
        conns.append(c)
        if len(conns) == 2:
            both.set()
        both.wait(10 * SLOW)
        other = conns[1 - conns.index(c)]
        while data := c.recv(65536):
            other.sendall(data)

    with Server(answer) as s:
        counted(bench('-c', 2, '-n', 2, s.url, code=UNMET), right=0, wrong=2)


@case
def bytes_that_nobody_asked_for_are_counted():
    def answer(c):
        c.sendall(c.recv(64) + b'x')
        c.recv(64)

    with Server(answer) as s:
        result = bench('-c', 1, '-n', 2, '--wait', '200ms', s.url, code=UNMET)
        assert result['messages']['unasked'] == 1 and result['messages']['right'] == 1, result


@case
def lost_datagrams_are_counted_and_may_be_allowed():
    with Datagrams(lambda n, data: [] if n % 10 == 3 else [data]) as s:
        for loop in ([], ['--rate', 1000]):
            s.came = 0
            counted(bench('-c', 5, '-n', 200, '--wait', '300ms', *loop, s.url, code=UNMET), sent=200, right=180, lost=20, wrong=0)
        s.came = 0
        counted(bench('-c', 5, '-n', 200, '--rate', 1000, '--wait', '300ms', '--loss-max', '10%', s.url), lost=20)
        s.came = 0
        counted(bench('-c', 5, '-n', 200, '--rate', 1000, '--wait', '300ms', '--loss-max', '9.9%', s.url, code=UNMET), lost=20)


@case
def a_silent_peer_is_asked_all_the_same():
    """That nothing moves while a loss is waited for is no reason to leave the rest out. Looked at each second: this is in a wait then."""
    with Datagrams(lambda n, data: []) as s:
        counted(bench('-c', 1, '-n', 4, '--wait', '480ms', s.url, code=UNMET), sent=4, right=0, lost=4)


@case
def datagrams_twice_or_changed_are_told_apart():
    with Datagrams(lambda n, data: [data, data] if n == 4 else [data[:-1] + b'?'] if n == 7 else [data]) as s:
        counted(bench('-c', 2, '-n', 50, s.url, code=UNMET), right=49, wrong=1, lost=0, unasked=1)


@case
def datagrams_in_another_order_are_right():
    held = []

    def answer(n, data):
        held.append(data)
        if len(held) < 4:
            return []
        out = held[::-1]
        held.clear()
        return out

    with Datagrams(answer) as s:
        all_right(bench('-c', 1, '-n', 40, '--depth', 4, s.url), 40)


@case
def a_server_that_never_answers_is_waited_for_and_no_longer():
    with Server(lambda c: recv_all(c)) as s:
        for args in (['-n', 10], ['--rate', 100, '--for', '300ms'], ['--for', '300ms', '--warm-up', '1ms']):
            began = time.monotonic()
            result = bench('-c', 2, '--wait', '400ms', *args, s.url, code=UNMET)
            assert result['messages']['right'] == 0 and result['messages']['lost'] == result['messages']['expected'] > 0, result
            assert time.monotonic() - began < 5 * SLOW


@case
def a_stall_of_a_second_shows_in_the_open_loop_and_hides_in_the_closed_one():
    def stalling():
        def answer(c):
            end = time.monotonic() + 1.5
            while data := c.recv(65536):
                if end and time.monotonic() > end:
                    end = 0
                    time.sleep(1)
                c.sendall(data)
        return answer

    with Server(stalling()) as s:
        result = bench('-c', 1, '--rate', 200, '--for', '4s', '--warm-up', '1ms', s.url)
        all_right(result, 800)
        late = result['latency_us']
        # A quarter of all messages was due in that second; the k-th of them waits for the rest of it.
        assert late['p99_9'] > 900e3 and late['p90'] > 400e3, late
    with Server(stalling()) as s:
        hidden = bench('-c', 1, '--for', '4s', '--warm-up', '1ms', s.url)['latency_us']
        assert hidden['p99'] < 400e3 and hidden['max'] > 900e3, hidden


@case
def a_server_that_ends_conns_loses_what_was_out():
    def answer(c):
        for _ in range(5):
            c.sendall(c.recv(64))
        c.recv(64)

    with Server(answer) as s:
        result = bench('-c', 2, '-n', 100, s.url, code=UNMET)
        counted(result, right=10, lost=2)
        assert result['ended_by_server'] == 2 and result['errors'] == {}, result


@case
def a_reset_is_an_error_with_its_exit_code():
    def answer(c):
        c.recv(64)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        c.close()

    with Server(answer) as s:
        result = bench('-c', 3, '-n', 10, s.url, code=56)
        assert result['errors'] == {'reset': 3} and 'reset' in result['words'], result


# ---- HTTP ----

class Web(http.server.BaseHTTPRequestHandler):
    asked = []

    def answer(self):
        self.asked.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get('Content-Length', 0))) or b'hello'
        self.send_response(500 if self.path == '/half' and len(self.asked) % 2 else 200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def log_message(self, *_):
        pass


@case
def requests_are_counted_by_their_status():
    class Threads(http.server.ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    with Threads(('127.0.0.1', 0), Web) as s:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        url = f'http://127.0.0.1:{s.server_port}/x?y=1'
        result = all_right(bench('-n', 30, url), 30)
        assert set(Web.asked) == {('GET', '/x?y=1')} and len(Web.asked) == 30, Web.asked
        assert result['connects']['opened'] == 30, result  # HTTP/1.0: each is closed
        Web.protocol_version = 'HTTP/1.1'
        for args in ['-c', 3], ['-c', 3, '--rate', 300], ['-c', 3, '--message', 'abc']:
            result = all_right(bench('-n', 30, *args, url), 30)
            assert 1 <= result['connects']['opened'] <= 3, (args, result)
        for args, want in ((['--path', '/z'], ('GET', '/z')), (['--method', 'HEAD'], ('HEAD', '/x?y=1')),
                           (['--message', 'abc', '--expect', 'echo'], ('POST', '/x?y=1')),
                           (['--size', '3000', '--method', 'PUT', '--expect', 'echo'], ('PUT', '/x?y=1'))):
            Web.asked.clear()
            all_right(bench('-n', 10, '--rate', 100, *args, url), 10)
            assert set(Web.asked) == {want}, (Web.asked, want)
        Web.asked.clear()
        result = counted(bench('-n', 20, '--path', '/half', url, code=UNMET), right=10, wrong=10, lost=0)
        assert 'status 500' in result['first_wrong'], result
        s.shutdown()


# ---- rooms ----

@case
def a_room_reaches_every_member_on_every_wire():
    sock = temp('room')
    with start('serve', '--listen', 'any://127.0.0.1:0', '--listen', f'unix://{sock}', '--quiet', ready='listening unix') as p:
        where = p.url.split('://')[1]
        for url in (f'ws://{where}', f'tcp://{where}', f'udp://{where}', f'unix://{sock}'):
            result = bench('--room', 'r1', '-c', 8, '-n', 50, '--rate', 200, url)
            all_right(result, 50, 350)
            assert result['messages']['reach'] == 1 and result['options']['room'] == 'r1', result
        all_right(bench('--room', 'r2', '-c', 20, '-n', 100, '--depth', 4, f'ws://{where}'), 100, 1900)


@case
def other_talk_in_the_room_is_left_alone():
    with start('serve', '--listen', 'any://127.0.0.1:0', '--quiet') as p:
        with p.connect() as s:
            s.sendall(b'hello\n')
            ended = threading.Event()

            def chat():
                while not ended.wait(0.01):
                    s.sendall(b'bench or not, I talk\n')

            t = threading.Thread(target=chat)
            t.start()
            try:
                all_right(bench('--room', 'lobby', '-c', 4, '-n', 50, '--rate', 200, 'ws' + p.url[3:]), 50, 150)
            finally:
                ended.set()
                t.join()


# ---- how it ends, what it says ----

@case
def who_cannot_be_dialled_has_words_and_a_code():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))    # taken, and nobody listens
        port = s.getsockname()[1]
        for scheme in ('tcp', 'ws', 'http', 'tls'):
            r = run('bench', '-n', 10, f'{scheme}://127.0.0.1:{port}')
            assert r.code == 7 and 'nobody listens' in r.err and not r.out, r
        result = bench('-n', 10, '-c', 3, f'tcp://127.0.0.1:{port}', code=7)
        assert result['errors'] == {'refused': 3} and result['connects']['opened'] == 0, result
    assert run('bench', '-n', 1, f'unix://{temp("none")}').code == 7
    assert run('bench', '-n', 1, f'unixgram://{temp("none")}').code == 7
    r = run('bench', '-n', 1, 'tcp://no-such-host.invalid:1')
    assert r.code == 6 and 'no such name' in r.err, r


@case
def an_untrusted_server_is_not_measured():
    leaf = pki.leaf('bench')
    with start('listen', 'tls://127.0.0.1:0', '--echo', '--cert', leaf.cert, '--key', leaf.key) as p:
        r = run('bench', '-n', 10, p.url)
        assert r.code == 60 and not r.out, r


@case
def the_command_line_is_checked():
    for args, words in ((['any://127.0.0.1:1'], 'duplex bench tcp://127.0.0.1:1'), (['stdio:'], 'an end on this machine'),
                        (['--rate', 'fast', 'tcp://a:1'], '--rate'), (['--rate', '0', 'tcp://a:1'], '--rate'),
                        (['--loss-max', '101%', 'tcp://a:1'], '--loss-max'),
                        (['--expect', 'ecko', 'tcp://a:1'], '--expect'), (['--size', '7', 'udp://a:1'], '--size'),
                        (['--size', '65508', 'udp://a:1'], 'datagram'), (['--size', '16777217', 'tcp://a:1'], '--size'),
                        (['--message', '', 'tcp://a:1'], 'empty'), (['--message', 'hex:0g', 'tcp://a:1'], 'hex'),
                        (['--message', 'a', '--size', '3', 'tcp://a:1'], '--size'),
                        (['--depth', '2', '--rate', '9', 'tcp://a:1'], '--depth'), (['--depth', '65537', 'tcp://a:1'], '--depth'),
                        (['--conns', '100001', 'tcp://a:1'], '--conns'), (['--threads', '3', '-c', '2', 'tcp://a:1'], '--threads'),
                        (['--path', '/', 'tcp://a:1'], '--path'), (['--method', 'GET', '--size', '3', 'http://a:1'], 'POST'),
                        (['--expect', 'none', 'http://a:1'], 'response'), (['--room', 'r', '-c', '1', 'ws://a:1'], 'two members'),
                        (['--room', 'r', 'http://a:1'], 'duplex bench ws://a:1'), (['--pin', 'x', 'tcp://a:1'], 'tls://a:1'),
                        (['--for', '0', 'tcp://a:1'], '--for')):
        r = run('bench', *args)
        assert r.code == 2 and words in r.err and not r.out, (args, r)
    r = run('bench', '--message', '@/no/such/file', 'tcp://a:1')
    assert r.code == 23 and '/no/such/file' in r.err, r


@case
def ctrl_c_shows_what_was_measured_so_far():
    with Server(echo) as s:
        for args in (['--for', '60s', '--warm-up', '1ms'], ['--rate', 500, '--for', '60s', '--warm-up', '1ms'],
                     ['--threads', 2, '--for', '60s', '--warm-up', '1ms']):
            with start('bench', '--json', '--live', '-c', 2, *args, s.url, ready=None) as p:
                first = p.stdout.readline()
                assert json.loads(first)['is'] == 'second', first
                p.interrupt(signal.SIGINT)
                lines = p.stdout.readall().splitlines()
                assert p.wait() == 130, p.err
                result = json.loads(lines[-1])
                assert result['is'] == 'result' and result['exit_code'] == 130, result
                assert result['messages']['right'] > 10 and result['messages']['lost'] == 0, result


@case
def with_live_there_is_an_object_a_second():
    with Server(echo) as s:
        r = run('bench', '--json', '--live', '-c', 1, '--rate', 100, '--for', '3200ms', '--warm-up', '1ms', s.url)
        lines = [json.loads(x) for x in r.out.splitlines()]
        assert r.code == 0 and [x['is'] for x in lines][-1] == 'result' and 3 <= len(lines) <= 4 * SLOW, r
        for x in lines[:-1]:
            assert set(x) == {'v', 'is', 'at_s', 'seconds', 'out_messages_per_s', 'in_messages_per_s',
                              'out_bytes_per_s', 'in_bytes_per_s', 'latency_us', 'wrong', 'errors'}, x
        assert 60 / SLOW < lines[1]['in_messages_per_s'] < 140 * SLOW, lines


@case
def the_result_has_its_schema():
    with Server(echo) as s:
        result = bench('-c', 2, '--for', '200ms', s.url)
    del result['words']
    assert set(result) == {'v', 'is', 'version', 'url', 'options', 'connects', 'messages', 'rates', 'latency_us',
                           'ended_by_server', 'errors', 'cpu', 'client_is_limit', 'exit_code'}, result
    assert set(result['latency_us']) == {'count', 'min', 'p50', 'p90', 'p99', 'p99_9', 'p99_99', 'max', 'mean'}, result
    assert set(result['messages']) == {'sent', 'expected', 'right', 'wrong', 'lost', 'unasked', 'still_out'}, result
    assert set(result['rates']) == {'seconds', 'out_messages_per_s', 'in_messages_per_s', 'out_bytes_per_s', 'in_bytes_per_s'}
    assert set(result['connects']) == {'opened', 'per_s', 'latency_us'} and set(result['cpu']) == {'seconds', 'share_max'}
    h = result['latency_us']
    assert h['min'] <= h['p50'] <= h['p90'] <= h['p99'] <= h['p99_9'] <= h['p99_99'] <= h['max'], h


@case
def a_terminal_sees_a_line_a_second_and_the_table_is_on_stdout():
    main, side = pty.openpty()
    seen = []

    def read():
        try:
            while data := os.read(main, 4096):
                seen.append(data)
        except OSError:
            pass

    t = threading.Thread(target=read)
    t.start()
    with Server(echo) as s:
        import subprocess
        from duplexlib import DUPLEX
        p = subprocess.run([DUPLEX, 'bench', '-c', '2', '--rate', '50', '--for', '2300ms', '--warm-up', '1ms', s.url],
                           stdout=subprocess.PIPE, stderr=side, stdin=subprocess.DEVNULL, timeout=60 * SLOW)
    os.close(side)
    t.join()
    os.close(main)
    line = b''.join(seen)
    assert p.returncode == 0 and line.count(b'messages/s') >= 2 and line.endswith(b'\r\x1b[K'), line
    for words in (rb'2 conns, 64 bytes, open loop at 50/s', rb'connects +2', rb'\d+ sent, \d+ right, 0 wrong, 0 lost',
                  rb'p99\.99 +max +mean', rb', [\d.]+ (Ki)?B/s out, ', rb'own CPU +\d+ % of a core'):
        assert re.search(words, p.stdout), p.stdout


run_cases()
