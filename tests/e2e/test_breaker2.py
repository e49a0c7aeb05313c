#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program told to stop while the other side does nothing, with nothing to read or to write, and asked for nonsense."""
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import termios
import time

import duplexlib as d
from duplexlib import DUPLEX, Process, run as duplex, start, until
from tap import case, run
from terminal import Terminal


def closed(*fds):
    return lambda: [os.close(fd) for fd in fds]


def fill(s):
    """Sends until nothing more goes."""
    s.setblocking(False)
    sent, quiet = 0, time.monotonic() + 0.3
    while time.monotonic() < quiet:
        try:
            sent += s.send(b'x' * 65536)
            quiet = time.monotonic() + 0.3
        except BlockingIOError:
            time.sleep(0.01)
    return sent


@case
def who_is_told_to_stop_does_not_wait_for_one_that_reads_nothing():
    """The child of --exec, the target of a relay: the 30 seconds that a stalled queue has are for better times."""
    with socket.create_server(('127.0.0.1', 0)) as silent, \
         start('listen', 'tcp://127.0.0.1:0', '--exec', 'sleep 600') as server, \
         start('relay', 'tcp://127.0.0.1:0', f'tcp://127.0.0.1:{silent.getsockname()[1]}', ready='listening tcp') as relay:
        kept = [p.connect() for p in (server, relay)]
        assert all(fill(s) > 65536 for s in kept)
        for p in (server, relay):
            p.interrupt(signal.SIGTERM)
        for p in (server, relay):
            assert p.wait(15) == 0 and 'broken off' in p.err, p.err


@case
def a_server_with_nothing_left_ends_at_once():
    with start('listen', 'tcp://127.0.0.1:0', '--exec', 'cat') as p:
        s = p.connect()
        s.sendall(b'hi\n')
        assert d.recv_exactly(s, 3) == b'hi\n'
        s.shutdown(socket.SHUT_WR)
        assert d.recv_all(s) == b''
        s.close()
        p.interrupt(signal.SIGTERM)
        assert p.wait(4) == 0 and 'broken' not in p.err, p.err


@case
def a_replay_that_is_interrupted_has_nothing_to_add():
    path = d.temp('a.ndjson')
    with d.Server(d.recv_all) as s:
        with start('relay', 'tcp://127.0.0.1:0', s.url, '--record', path, '--once', ready='listening tcp') as p:
            c = p.connect()
            c.sendall(b'question')
            c.shutdown(socket.SHUT_WR)
            assert d.recv_all(c) == b'' and p.wait() == 0, p.err
    with start('replay', '--server', path, 'tcp://127.0.0.1:0') as p:
        c = p.connect()
        until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) > 5)
        p.interrupt()
        assert p.wait() == 130 and p.err == f'listening {p.url}\n', p.err


@case
def a_closed_stdin_is_no_empty_input_where_it_is_all_there_is():
    for args in (['hex', '-'], ['hex'], ['hex', '--checksum', 'crc32'], ['send', '-', 'tcp://127.0.0.1:1']):
        r = subprocess.run([DUPLEX, *args], preexec_fn=closed(0), capture_output=True, timeout=10 * d.SLOW)
        assert r.returncode == 23 and b'standard input is closed' in r.stderr and not r.stdout, (args, r)


@case
def a_closed_stdout_is_called_closed_and_once():
    with d.Server(lambda c: c.sendall(b'words\n')) as s:
        for args in (['hex', '0102'], ['help'], ['dial', s.url]):
            r = subprocess.run([DUPLEX, *args], preexec_fn=closed(1), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               timeout=10 * d.SLOW)
            assert r.returncode == 23 and r.stderr == b'duplex: standard output: it is closed\n', (args, r)
    with open('/dev/full', 'wb') as full:
        p = Process([DUPLEX, 'hex', '0102'], stdout=full)
        assert p.wait() == 23 and p.err == 'duplex: standard output: No space left on device\n', p.err


@case
def a_tap_whose_log_is_full_says_so_once():
    with d.Server(lambda c: c.sendall(d.recv_all(c))) as s:
        with start('relay', 'tcp://127.0.0.1:0', s.url, '--once', '--tap', '--log', '/dev/full', ready='listening tcp') as p:
            c = p.connect()
            c.sendall(b'all the same')
            c.shutdown(socket.SHUT_WR)
            assert d.recv_all(c) == b'all the same'
            assert p.wait() == 0 and p.err.count('No space left on device') == 1, p.err


@case
def a_tap_does_not_wait_for_a_reader_of_its_log():
    path = d.temp('fifo')
    os.mkfifo(path)
    p = Process([DUPLEX, 'relay', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:1', '--tap', '--log', path])
    assert p.wait() == 23 and path in p.err, p.err


@case
def without_descriptors_a_name_is_not_called_wrong():
    """Three are the standard ones and two the loop's: none is left for /etc/hosts."""
    r = duplex('dial', 'tcp://localhost:1', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5)))
    assert r.code == 27 and 'Too many open files' in r.err, r


@case
def an_empty_value_is_an_error_that_names_its_option():
    for option, args in (('frame', ['dial', 'tcp://127.0.0.1:1']), ('log', ['dial', 'tcp://127.0.0.1:1']),
                         ('encoding', ['listen', 'tcp://127.0.0.1:0']), ('exec', ['listen', 'tcp://127.0.0.1:0']),
                         ('frame', ['relay', 'udp://127.0.0.1:0', 'tcp://127.0.0.1:1']), ('record', ['relay', 'tcp://:0', 'tcp://:1']),
                         ('message', ['bench', 'tcp://127.0.0.1:1'])):
        for given in ([f'--{option}='], [f'--{option}', '']):
            r = duplex(*args, *given)
            assert r.code == 2 and f'--{option}' in r.err and 'empty' in r.err, (option, args, r)
    r = duplex('send', '', 'tcp://127.0.0.1:1')
    assert r.code == 2 and 'name of the file is empty' in r.err, r
    assert duplex('hex', '--sep', '', '0102').out == b'0102\n'


@case
def a_number_out_of_range_is_told_the_range():
    r = duplex('hex', '--group', '9' * 20, '0102')
    assert r.code == 2 and 'from 1 to 999999999999' in r.err, r
    for speed in ('1e300', '0', '-1', 'nan'):
        r = duplex('replay', '--speed', speed, '/dev/null', 'tcp://127.0.0.1:1')
        assert r.code == 2 and 'from 0.001 to 1000000' in r.err, r


@case
def advice_for_a_url_is_about_its_scheme():
    for scheme in ('tcp', 'udp', 'ws', 'any'):
        r = duplex('listen', f'{scheme}://127.0.0.1')
        assert r.code == 2 and f'{scheme}://:0' in r.err, r


@case
def an_escape_in_a_path_is_two_hex_digits():
    for path in ('%zz', '%', 'a%4', 'x?q=%g0'):
        for args in (['dial', f'ws://127.0.0.1:1/{path}'], ['listen', f'ws://127.0.0.1:0/{path}'], ['bench', f'http://127.0.0.1:1/{path}']):
            r = duplex(*args)
            assert r.code == 2 and 'two hex digits' in r.err, (path, args, r)
    r = duplex('dial', 'ws://127.0.0.1:1/a%20b%C3%a9')
    assert r.code == 7, r


@case
def events_after_the_peers_end_are_said_too():
    def answers_first(c):
        c.sendall(b'answer')
        c.shutdown(socket.SHUT_WR)
        return d.recv_all(c)

    with d.Server(answers_first) as s:
        p = Process([DUPLEX, 'dial', '--json', s.url])
        events = []
        while not events or events[-1]['event'] != 'end':
            events.append(json.loads(p.stdout.readline()))
        p.stdin.write(b'late\n')
        p.end_input()
        events = [json.loads(line) for line in p.stdout.read().splitlines()]
        assert p.wait() == 0, p.err
        assert [e['event'] for e in events] == ['data', 'end', 'close'], events
        assert events[0]['text'] == 'late\n' and events[1]['way'] == 'out' and events[2]['code'] == 0, events
        assert until(lambda: s.results) == [b'late\n']


@case
def a_command_that_cannot_run_is_no_success_for_once():
    with start('listen', 'tcp://127.0.0.1:0', '--once', '--exec', '/nonexistent/command') as p:
        s = p.connect()
        try:
            assert s.recv(1) == b''
        except ConnectionResetError:
            pass
        s.close()
        assert p.wait() == 23 and 'run /nonexistent/command: No such file' in p.err, p.err


@case
def what_a_view_has_kept_is_shown_at_the_peers_end():
    def answers_first(c):
        c.sendall(b'half a character: \xe4')
        c.shutdown(socket.SHUT_WR)
        d.recv_all(c)

    with d.Server(answers_first) as s:
        p = Process([DUPLEX, 'dial', '--timestamps', s.url])
        assert p.stdout.read().endswith(b' half a character: \xe4'), p.err  # to its end, with stdin open
        p.end_input()
        assert p.wait() == 0, p.err


@case
def a_stdout_that_nobody_reads_does_not_keep_a_dial_that_is_told_to_stop():
    def floods(c):
        try:
            while True:
                c.sendall(b'x' * 65536)
        except OSError:
            pass

    with d.Server(floods) as s:
        ours, theirs = os.pipe()
        os.write(theirs, b'x' * fcntl.fcntl(theirs, fcntl.F_GETPIPE_SZ))
        p = Process([DUPLEX, 'dial', '--json', s.url], stdout=theirs)
        until(lambda: s.threads)
        p.interrupt()
        assert p.wait() == 130, p.err
        os.close(ours)
        os.close(theirs)


class Prompt(Terminal):
    """duplex at a prompt, on a terminal of its own."""

    def __init__(self, *args):
        super().__init__(*args, kind='xterm')
        until(lambda: b'\x1b[?2004h' in self.screen and not self.is_sane(), words=f'a prompt of {args}')

    def is_sane(self):
        return termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO) == termios.ICANON | termios.ECHO

    def end(self, number):
        os.kill(self.pid, number)
        try:
            return self.code()
        except AssertionError:
            with open(f'/proc/{self.pid}/status') as f:
                state = f.read()
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f'after signal {number} it still runs: {self.screen!r}\n{state}') from None


@case
def a_prompt_that_is_ended_at_once_gives_the_terminal_back():
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as echo:
        for args, ended in ((['dial', echo.url], 143), (['listen', 'tcp://127.0.0.1:0'], 0), (['serve', '--listen', 'tcp://127.0.0.1:0'], 0)):
            for number, code in ((signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGTERM, ended)):
                p = Prompt(*args)
                got = p.end(number)
                until(lambda: b'\x1b[?2004l' in p.screen, words=f'{args} {number}: {p.screen}')
                assert p.is_sane() and got == code, (args, number, got)


run()
