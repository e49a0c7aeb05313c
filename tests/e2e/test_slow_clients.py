#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_slow_clients.py [soak] - clients that hold a server up by being slow: slowhttptest's four ways (heads that never end, bodies by the
byte, many overlapping ranges, replies read by the byte), and silent, half-closed, never-reading and one-byte-a-second ones, against
`duplex serve DIR`. While all of them stand, who asks as one should has its answer within 100 ms, 99 times of 100. Times are those of
the plain build; make soak has 10,000 of them, here are fewer."""
import collections
import http.client
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import duplexlib
from duplexlib import start, temp
from tap import Skip, case, run

SOAK = 'soak' in sys.argv
CLIENTS = 10000 if SOAK else 1600
SECONDS = 60 if SOAK else 5
P99_MS = 100
RANGES = b','.join(b'5-%d' % i for i in range(200))


def get(path, more=b''):
    return b'GET %s HTTP/1.1\r\nHost: localhost\r\n' % path + more + b'\r\n'


class Slow:
    """What it says first, and again and again each second; how much it reads then."""

    def __init__(self, first, again=b'', reads=0, ends=False, room=0):
        self.first, self.again, self.reads, self.ends, self.room = first, again, reads, ends, room


KINDS = {
    'head': Slow(b'GET / HTTP/1.1\r\nHost: localhost\r\n', b'X-a: b\r\n', 100),
    'body': Slow(b'POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8192\r\n\r\n', b'x', 100),
    'ranges': Slow(b'', get(b'/big', b'Range: bytes=0-,' + RANGES + b'\r\n'), 100, room=4096),
    'slow read': Slow(get(b'/big') * 5, b'', 5, room=4096),
    'silent': Slow(b''),
    'half-closed': Slow(b'GET /bi', ends=True),
    'never reads': Slow(get(b'/big') * 20),
    'a byte a second': Slow(b'', None, 100),
}


class Crowd(threading.Thread):
    """All of them. Each has its turn once a second; one that the server has sent away comes anew in its next turn."""

    def __init__(self, port, count):
        super().__init__(daemon=True)
        self.port, self.poll, self.over = port, select.epoll(), threading.Event()
        self.kinds = [list(KINDS.values())[i % len(KINDS)] for i in range(count)]
        self.socks, self.said, self.at = [None] * count, [0] * count, {}
        self.sent_away = self.broken = 0
        for i in range(count):
            self.come(i)

    def come(self, i):
        k, s = self.kinds[i], socket.socket()
        try:
            if k.room:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, k.room)
            s.settimeout(20)
            s.connect(('127.0.0.1', self.port))
            s.setblocking(False)
            s.send(k.first)
            if k.ends:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            self.broken += 1
            s.close()
            return
        self.socks[i], self.said[i], self.at[s.fileno()] = s, 0, i
        self.poll.register(s, select.EPOLLRDHUP)

    def go(self, i):
        s, self.socks[i] = self.socks[i], None
        del self.at[s.fileno()]
        s.close()
        self.sent_away += 1

    def turn(self, i):
        k, s = self.kinds[i], self.socks[i]
        if not s:
            self.come(i)
            return
        again = get(b'/a')[self.said[i] % len(get(b'/a')):][:1] if k.again is None else k.again
        self.said[i] += 1
        try:
            if again:
                s.send(again)
            if k.reads:
                s.recv(k.reads)
        except BlockingIOError:
            pass
        except OSError:
            self.go(i)

    def run(self):
        n, i = len(self.kinds), 0
        while not self.over.is_set():
            for fd, _ in self.poll.poll(0.01):
                self.go(self.at[fd])
            for _ in range(max(1, n // 100)):
                self.turn(i % n)
                i += 1

    def standing(self):
        return sum(s is not None for s in self.socks)

    def end(self):
        self.over.set()
        self.join()
        for s in self.socks:
            if s:
                s.close()


GOOD = '''
import http.client, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
kept, took, end = http.client.HTTPConnection('127.0.0.1', port, timeout=60), [], time.monotonic() + seconds
while time.monotonic() < end:
    for c in kept, http.client.HTTPConnection('127.0.0.1', port, timeout=60):
        began = time.perf_counter()
        c.request('GET', '/a')
        r = c.getresponse()
        assert r.status == 200 and r.read() == b'good\\n', r.status
        took.append((time.perf_counter() - began) * 1000)
        if c is not kept:
            c.close()
    time.sleep(0.01)
took.sort()
print(len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1])
'''


def good(port, seconds):
    """A client in a process of its own: how many answers it had, and their median, 99th of 100 and longest, in ms."""
    out = subprocess.run([sys.executable, '-c', GOOD, str(port), str(seconds)], capture_output=True, text=True, timeout=600)
    assert out.returncode == 0, out.stderr
    return [float(v) for v in out.stdout.split()]


def metric(port, name):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    c.request('GET', '/~metrics')
    return int(re.search(rf'^duplex_{name} (\d+)$', c.getresponse().read().decode(), re.M)[1])


@case
def who_asks_as_one_should_is_answered_among_slow_clients():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < CLIENTS + 1000:
        raise Skip(f'{CLIENTS} clients want more than the {hard} descriptors that a process may have here')
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    d = pathlib.Path(temp())
    (d / 'a').write_bytes(b'good\n')
    (d / 'big').write_bytes(b'x' * (8 << 20))
    p = start('serve', '--metrics', '--listen', 'any://127.0.0.1:0', str(d), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    port = duplexlib.host_port(p.urls[0])[1]
    _, _, calm, _ = good(port, 1)
    crowd = Crowd(port, CLIENTS)
    crowd.start()
    try:
        time.sleep(1)  # each has had its turn
        n, p50, p99, most = good(port, SECONDS)
        there, conns = crowd.standing(), metric(port, 'conns')
        rss = re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{p.pid}/status').read_text())[1]
    finally:
        crowd.end()
    print(f'# {CLIENTS} clients, {there} stand, {crowd.sent_away} sent away; {n:.0f} good answers: median {p50:.1f} ms, p99 {p99:.1f}, '
          f'longest {most:.1f}; alone p99 {calm:.1f}; the server has {conns} conns and {int(rss) >> 10} MiB')
    assert there > CLIENTS * 3 // 4 and conns > CLIENTS // 4, 'they did not stand: nothing is proved'
    assert n > SECONDS * 5 and p99 < max(P99_MS, 3 * calm) * duplexlib.SLOW, (n, p50, p99, most, calm)  # calm: what the machine is worth
    p.kill()


@case
def a_crowd_on_one_tar_leaves_others_their_turn():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    crowd = 3000 if SOAK else 400
    if hard != resource.RLIM_INFINITY and hard < 4 * crowd:
        raise Skip(f'{crowd} tars want more than the {hard} descriptors that a process may have here')
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    d = pathlib.Path(temp())
    (d / 'a').write_bytes(b'good\n')
    (d / 'big').write_bytes(b'x' * (32 << 20))  # more than two sockets hold
    p = start('serve', '--listen', 'any://127.0.0.1:0', str(d), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    port = duplexlib.host_port(p.urls[0])[1]
    _, _, calm, _ = good(port, 1)
    socks = [socket.create_connection(('127.0.0.1', port), timeout=20 * duplexlib.SLOW) for _ in range(crowd)]
    for s in socks:
        s.sendall(get(b'/?tar'))
    n, p50, p99, most = good(port, 3)
    print(f'# beside {crowd} tars {n:.0f} answers: median {p50:.1f} ms, p99 {p99:.1f}, longest {most:.1f}; alone p99 {calm:.1f}')
    assert all(s.recv(15) == b'HTTP/1.1 200 OK' for s in socks)
    assert p99 < max(P99_MS, 3 * calm) * duplexlib.SLOW, (n, p50, p99, most, calm)
    for s in socks:
        s.close()
    p.kill()


@case
def what_came_in_time_is_answered_by_a_server_that_was_late():
    """More sockets are ready at once than one look shows; who is looked at last has not been silent for it."""
    d = pathlib.Path(temp())
    (d / 'a').write_bytes(b'good\n')
    p = start('serve', '--metrics', '--listen', 'any://127.0.0.1:0', str(d), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    port = duplexlib.host_port(p.urls[0])[1]
    crowd = [socket.create_connection(('127.0.0.1', port), timeout=20 * duplexlib.SLOW) for _ in range(700)]
    for s in crowd:
        s.send(b'GET ')  # the beginning of a request: more has to come within 2 s
    metric(port, 'conns')  # a turn that came behind theirs
    os.kill(p.pid, signal.SIGSTOP)
    for s in crowd:
        s.send(get(b'/a', b'Connection: close\r\n')[4:])
    time.sleep(2.2)
    os.kill(p.pid, signal.SIGCONT)
    heads = [s.recv(100).partition(b'\r')[0] for s in crowd]
    assert set(heads) == {b'HTTP/1.1 200 OK'}, collections.Counter(heads)
    for s in crowd:
        s.close()
    p.kill()


run()
