#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program with its surroundings broken: descriptors closed or short, readers gone, peers killed and half killed."""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import struct
import time

import duplexlib as d
from duplexlib import DUPLEX, SLOW, Process, recv_all, start, until
from tap import case, run


def closed(*fds):
    return lambda: [os.close(fd) for fd in fds]


def few_files(n):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))


def cpu(pid):
    """Seconds of processor time so far."""
    f = open(f'/proc/{pid}/stat').read().rsplit(') ', 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf('SC_CLK_TCK')


def is_idle(p, seconds=1.0, most=0.1):
    before = cpu(p.pid)
    time.sleep(seconds)  # not a wait: the time that is measured
    used = cpu(p.pid) - before
    assert used < most, f'{used} s of {seconds} s'


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def dial(url, fds, **how):
    return subprocess.run([DUPLEX, 'dial', url], preexec_fn=closed(*fds), timeout=20 * SLOW, stdin=subprocess.DEVNULL,
                          capture_output=True, **how)


@case
def without_stdin_a_dial_only_listens():
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        r = dial(p.url, [0])
        assert r.returncode == 0 and r.stderr == b'', r


@case
def without_stdout_a_dial_says_so():
    with d.Server(lambda c: c.sendall(b'words\n')) as s:
        r = dial(s.url, [1])
        assert r.returncode == 23 and b'standard output' in r.stderr, r


@case
def without_any_standard_descriptor_nothing_gets_in_their_place():
    """A socket that became descriptor 2 would carry our words to a stranger."""
    with d.Server(recv_all) as s:
        r = dial(s.url, [0, 1, 2])
        assert r.returncode in (0, 23), r
        got = until(lambda: s.results)
        assert got == [b''], got
    r = dial('tcp://127.0.0.1:1', [0, 1, 2])
    assert r.returncode == 7, r


@case
def serve_with_few_descriptors_sleeps_through_a_storm_and_recovers():
    with start('listen', 'any://127.0.0.1:0', '--echo', preexec_fn=few_files(64)) as p:
        url = p.url
        storm = [d.connect(url) for _ in range(150)]
        is_idle(p)
        p.said('new clients wait: the 64 descriptors of this process are used up.  Try: ulimit -n 4096\n')
        for s in storm[:75]:
            reset(s)
        for s in storm[75:]:
            s.close()
        s = d.connect(url)
        s.sendall(b'hello\n')
        assert d.recv_exactly(s, 6) == b'hello\n'
        s.close()
        is_idle(p, 0.5)


@case
def peers_that_are_killed_leave_a_server_idle():
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        for how in ('close', 'reset', 'half', 'silent'):
            for _ in range(10):
                s = d.connect(p.url)
                if how != 'silent':
                    s.sendall(b'x' * 100000)
                if how == 'close':
                    s.close()
                elif how == 'reset':
                    reset(s)
                elif how == 'half':
                    s.shutdown(socket.SHUT_WR)
                    d._kept.append(s)
                else:
                    d._kept.append(s)
        is_idle(p)


@case
def an_idle_server_calls_nothing():
    if not shutil.which('strace'):
        print('# no strace')
        return
    with start('listen', 'any://127.0.0.1:0', '--echo') as p:
        kept = [d.connect(p.url) for _ in range(20)]
        for s in kept[:10]:
            s.sendall(b'hello\n')
            d.recv_exactly(s, 6)
            s.shutdown(socket.SHUT_WR)
        for s in kept[10:]:
            s.sendall(b'a line\nand a rest')
        time.sleep(2.5)  # their lingering and their silence are over
        r = subprocess.run(['timeout', '2', 'strace', '-f', '-p', str(p.pid)], capture_output=True, text=True)
        calls = [x for x in r.stderr.splitlines() if re.search(r'^(\[pid.*\] )?\w+\(', x)]
        if 'Operation not permitted' in r.stderr:
            print('# strace may not attach')
            return
        assert len(calls) < 12, calls[:20]


@case
def a_reader_that_goes_away_ends_a_dial_that_is_full():
    def floods(c):
        try:
            for _ in range(400):
                c.sendall(b'y' * 65536)
        except OSError:
            pass  # it is the reader who goes away

    with d.Server(floods) as s:
        p = Process([DUPLEX, 'dial', s.url], stdin=subprocess.DEVNULL)
        until(lambda: cpu(p.pid) >= 0 and p.popen.poll() is None)
        time.sleep(0.3)  # the pipe is full by now
        is_idle(p, 0.5)
        p.stdout.close()
        assert p.wait() == 23, p.err


@case
def a_server_killed_under_a_dial_is_said():
    p = start('listen', 'tcp://127.0.0.1:0', '--echo')
    c = Process([DUPLEX, 'dial', p.url])
    c.stdin.write(b'hello\n')
    assert os.read(c.stdout.fileno(), 100) == b'hello\n'
    os.kill(p.pid, signal.SIGSTOP)
    c.stdin.write(b'unread\n' * 1000)
    time.sleep(0.1)
    p.kill()
    code = c.wait()
    assert code != 0 and c.err, (code, c.err)
    c.kill()


@case
def what_is_printed_to_a_full_disk_is_no_success():
    for args in (['help', 'dial'], ['--version'], ['dial', '--help'], ['help', '--man']):
        with open('/dev/full', 'wb') as full:
            p = Process([DUPLEX, *args], stdout=full)
            assert p.wait() == 23 and 'standard output: No space left' in p.err, (args, p.err)


@case
def a_rules_file_that_nobody_writes_is_not_waited_for():
    path = d.temp('fifo')
    os.mkfifo(path)
    p = Process([DUPLEX, 'listen', 'tcp://127.0.0.1:0', '--rules', path])
    assert p.wait() == 2 and path in p.err, p.err


@case
def a_rules_file_may_be_a_pipe():
    r, w = os.pipe()
    os.write(w, b"text hi -> text hello\n")
    p = Process([DUPLEX, 'listen', 'tcp://127.0.0.1:0', '--rules', f'/dev/fd/{r}'], pass_fds=[r])
    time.sleep(0.1)  # it reads before all is written
    os.close(w)
    os.close(r)
    until(lambda: p.popen.poll() is not None or 'listening' in p.err)
    assert 'temporarily' not in p.err, p.err
    p.kill()


@case
def a_record_without_line_ends_is_refused_at_its_limit():
    p = Process([DUPLEX, 'replay', '/dev/zero', 'tcp://127.0.0.1:1'])
    assert p.wait(60) == 2 and ':1: a line of more than 64 MiB' in p.err, p.err


run()
