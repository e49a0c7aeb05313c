#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_bulk.py - 100 MiB through dial | listen on every wire that both have, with the first end from either side: all of it arrives, or
an exit code says otherwise. What others lose is a tail, behind an exit code 0 (socat's late reply, `ncat --ssl`). In make soak, which
sets SOAK, more often; under sanitizers less of it."""
import io
import mmap
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pki
from duplexlib import SLOW, Server, host_port, recv_all, run as duplex, start, temp, until
from tap import Skip, case, run

SOAK = bool(os.environ.get('SOAK'))
ROUNDS = 100 if SOAK else 6 if SLOW == 1 else 2  # half of them begun by either side
MIB = 100 if SLOW == 1 else 10
SIZE = MIB << 20
LATE = 5 << 20
SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED} {ROUNDS} rounds of {MIB} MiB each way')


def make_file():
    """All of it, each MiB another."""
    name, block = temp('big'), random.Random(SEED).randbytes(1 << 20)
    with open(name, 'wb') as f:
        for i in range(MIB):
            f.write(i.to_bytes(4, 'big') + block[4:])
    return name


BIG = make_file()
with open(BIG, 'rb') as big:
    WANT = mmap.mmap(big.fileno(), SIZE, prot=mmap.PROT_READ)


class Ear:
    """What comes from a pipe, compared as it comes."""

    def __init__(self, pipe):
        self.n, self.same = 0, True
        self.thread = threading.Thread(target=self.read, args=(pipe,), daemon=True)
        self.thread.start()

    def read(self, pipe):
        while part := os.read(pipe.fileno(), 1 << 20):
            self.same = self.same and part == WANT[self.n:self.n + len(part)]
            self.n += len(part)

    def heard(self):
        return self.n

    def whole(self):
        self.thread.join(60 * SLOW)
        return self.same and self.n == SIZE


class Page:
    """The same of a file, which is compared at the end."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()

    def heard(self):
        return os.fstat(self.file.fileno()).st_size

    def whole(self):
        with self.file:
            if self.heard() != SIZE:
                return False
            self.file.seek(0)
            return all(self.file.read(1 << 20) == WANT[i:i + (1 << 20)] for i in range(0, SIZE, 1 << 20))


class Side:
    """listen, or dial to url. Its output is a pipe or a file, its input a file or (None) a pipe to write to."""

    def __init__(self, argv, piped, file=None):
        self.page = None if piped else Page()
        how = {'stdin': file or subprocess.PIPE, 'stdout': subprocess.PIPE if piped else self.page.file}
        self.p = start(*argv, ready='listening ' if argv[0] == 'listen' else None, **how)
        self.ear = self.page or Ear(self.p.stdout)

    def say(self, f):
        while part := f.read(1 << 20):
            view = memoryview(part)
            while view:
                view = view[self.p.stdin.write(view):]
        self.p.end_input()


def fresh(scheme):
    return {'unix': lambda: f'unix://{temp("s")}', 'unixgram': lambda: f'unixgram://{temp("g")}'}.get(
        scheme, lambda: f'{scheme}://127.0.0.1:0{"/" if scheme[0] == "w" else ""}')()


def pair(scheme, piped, listens=None, dials=None, quiet=('1s', '1s')):
    """listen and dial, joined; the files that they say, or None. quiet: their --idle-ends, where a wire has no half-close."""
    secure = scheme in ('tls', 'wss')
    keys = ['--cert', pki.leaf('good').chain, '--key', pki.leaf('good').key] if secure else []
    idle = [['--idle-ends', q] if 'ws' in scheme or 'gram' in scheme or scheme == 'udp' else [] for q in quiet]
    a = Side(['listen', *keys, *idle[0], fresh(scheme)], piped, listens)
    b = Side(['dial', *(['--ca', pki.ca().cert] if secure else []), *idle[1], a.p.url], piped, dials)
    return a, b


def one_after_the_other(scheme, dial_first, piped):
    """Who begins has said all of the file and its end before the other says the same. A WebSocket knows no half-close: there the first
    one waits for as long as it takes, and the second one's close ends both."""
    with open(BIG, 'rb') as first, open(BIG, 'rb') as second:
        listen, dial = pair(scheme, piped, None if dial_first else first, first if dial_first else None,
                            ('100ms', '10m') if dial_first else ('10m', '100ms'))
        try:
            answers = listen if dial_first else dial
            until(lambda: answers.ear.heard() >= SIZE, 60, 'all of what the first one says')
            answers.say(second)
            codes = listen.p.wait(60), dial.p.wait(60)
            state = scheme, dial_first, piped, codes, listen.ear.heard(), dial.ear.heard(), listen.p.err, dial.p.err
            assert codes == (0, 0), state
            assert listen.ear.whole() and dial.ear.whole(), state
        finally:
            listen.p.kill()
            dial.p.kill()


def rounds(scheme):
    """Both orders, on pipes and on files, in turns."""
    began = time.monotonic()
    for i in range(ROUNDS):
        one_after_the_other(scheme, i % 2 == 0, i // 2 % 2 == 0)
    print(f'# {scheme}: {time.monotonic() - began:.1f} s', flush=True)


@case
def tcp_loses_nothing_whichever_side_ends_first():
    rounds('tcp')


@case
def unix_loses_nothing_whichever_side_ends_first():
    rounds('unix')


@case
def tls_loses_nothing_whichever_side_ends_first():
    rounds('tls')


@case
def ws_loses_nothing_whichever_side_ends_first():
    rounds('ws')


@case
def wss_loses_nothing_whichever_side_ends_first():
    rounds('wss')


@case
def both_at_once_lose_nothing():
    """Each says its end while the other still speaks."""
    for scheme in 'tcp', 'unix', 'tls':
        for i in range(20 if SOAK else 3):
            with open(BIG, 'rb') as first, open(BIG, 'rb') as second:
                listen, dial = pair(scheme, i % 2 == 0, first, second)
                codes = listen.p.wait(60), dial.p.wait(60)
                assert codes == (0, 0), (scheme, codes, listen.p.err, dial.p.err)
                assert listen.ear.whole() and dial.ear.whole(), (scheme, listen.ear.heard(), dial.ear.heard())
                listen.p.kill()
                dial.p.kill()


# ---- datagrams ----


@case
def unixgram_waits_for_who_reads_and_loses_nothing():
    """Its kernel queue is full before it loses: what was taken arrives. The end is a silence."""
    for _ in range(20 if SOAK else 1):
        with open(BIG, 'rb') as f:
            listen, dial = pair('unixgram', True, None, f)
            try:
                assert dial.p.wait(60) == 0, dial.p.err
                until(lambda: listen.ear.heard() == SIZE, 20, 'all of it')
                listen.p.end_input()
                assert listen.p.wait(60) == 0 and listen.ear.whole(), (listen.ear.heard(), listen.p.err)
            finally:
                listen.p.kill()
                dial.p.kill()


@case
def udp_gives_whole_datagrams_in_their_order_and_promises_no_more():
    """A datagram that the kernel throws away is seen by neither side, so an exit 0 says only that silence came. Each line is one."""
    lines = [f'{i} '.encode() + WANT[i:i + 500].hex().encode() + b'\n' for i in range(4000)]
    sent = b''.join(lines)
    name = temp('grams')
    with open(name, 'wb') as f:
        f.write(sent)
    with open(name, 'rb') as f:
        listen = start('listen', 'udp://127.0.0.1:0')
        dial = start('dial', listen.url, ready=None, stdin=f)
        got = []
        ear = threading.Thread(target=lambda: got.append(listen.stdout.read()), daemon=True)
        ear.start()
        assert dial.wait(60) == 0, dial.err
        listen.end_input()
        assert listen.wait(60) == 0, listen.err
        ear.join(10 * SLOW)
        left, came = iter(lines), got[0].splitlines(True)
        assert came and all(line in left for line in came), 'a line that was not sent, or out of its turn'
        print(f'# udp: {len(came)} of {len(lines)} datagrams')


@case
def a_datagram_lost_here_is_no_exit_0():
    """stdout rests, so that what comes is more than dial keeps; in small bursts, so that the kernel has room."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.settimeout(10 * SLOW)
        dial = start('dial', f'udp://127.0.0.1:{s.getsockname()[1]}', ready=None)
        dial.stdin.write(b'go\n')
        who = s.recvfrom(100)[1]
        for _ in range(600):
            for _ in range(20):
                s.sendto(WANT[:1000], who)
            time.sleep(0.001)
        dial.end_input()
        ear = threading.Thread(target=dial.stdout.read, daemon=True)
        ear.start()
        assert dial.wait(60) == 119 and 'lost here' in dial.err, dial.err
        dial.kill()


# ---- a reply that comes late ----


def answer_late(c):
    assert recv_all(c) == b'ask\n'
    time.sleep(0.8)  # socat has gone by now
    c.sendall(WANT[:LATE])


@case
def a_late_reply_arrives_whole():
    for family in socket.AF_INET, socket.AF_UNIX:
        with Server(answer_late, family) as s:
            r = duplex('dial', s.url, input=b'ask\n')
            assert r.code == 0 and r.out == WANT[:LATE], (s.url, r.code, len(r.out), r.err)


@case
def a_late_reply_of_listen_arrives_whole():
    for scheme in 'tcp', 'unix', 'tls':
        with open(os.devnull, 'rb') as nothing:
            listen, dial = pair(scheme, True, None, nothing)
            time.sleep(0.8)
            listen.say(io.BytesIO(WANT[:LATE]))
            assert (listen.p.wait(), dial.p.wait()) == (0, 0), (scheme, listen.p.err, dial.p.err)
            dial.ear.thread.join(10 * SLOW)
            assert dial.ear.same and dial.ear.heard() == LATE, (scheme, dial.ear.heard())
            listen.p.kill()
            dial.p.kill()


@case
def socat_with_its_defaults_loses_the_late_reply():
    """For information: half a second after our end it goes, with an exit code 0."""
    if not shutil.which('socat'):
        raise Skip('no socat')

    def serve(c):
        try:
            answer_late(c)
        except OSError:
            pass

    with Server(serve) as s:
        r = duplex('-', 'TCP:%s:%d' % host_port(s.url), program=['socat'], input=b'ask\n')
    print(f'# socat: exit {r.code} with {len(r.out)} of {LATE} bytes')


if sys.argv[1:] == ['soak'] and not SOAK:
    print('1..0 # SKIP make soak runs it')
else:
    run()
