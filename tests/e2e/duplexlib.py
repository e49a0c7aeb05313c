# SPDX-License-Identifier: MIT
"""duplexlib.py - starts the built duplex in tests and waits for what it says. The program is $DUPLEX, which meson sets.

    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:   # ready: it has said "listening URL"
        s = p.connect()                                          # a Python socket to p.urls[0]
    r = run('dial', p.url, input=b'hi\\n')                        # r.code r.out r.err
"""
import atexit
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'frame'))  # tap
DUPLEX = os.environ.get('DUPLEX') or str(HERE.parents[1] / 'build' / 'duplex')
SLOW = float(os.environ.get('DUPLEX_SLOW', '1'))  # a factor for every deadline, for builds with sanitizers
_alive = []


@atexit.register
def _kill_all():
    for p in _alive:
        p.kill()


def how_it_stands(p):
    return f'{[str(a) for a in p.popen.args[:4]]}: exit code {p.popen.poll()}, said {p.err[-4000:]!r}'


def state():
    """How the programs that run stand, for a failure's words: what they said, and the bytes that wait in their connections."""
    lines = [how_it_stands(p) for p in _alive]
    if shutil.which('ss'):
        ours = tuple(f'pid={p.pid},' for p in _alive)
        out = subprocess.run(['ss', '-tnpH'], capture_output=True, text=True).stdout
        lines += [' '.join(line.split()) for line in out.splitlines() if any(pid in line for pid in ours)]
    return lines


def until(what, seconds=10, words=''):
    """Polls what() until it is true and returns that; fails after so many seconds."""
    end = time.monotonic() + seconds * SLOW
    while not (r := what()):
        assert time.monotonic() < end, f'not within {seconds} s: {words or what}'
        time.sleep(0.005)
    return r


def temp(name=''):
    """A fresh path in a folder that goes when the test ends."""
    d = tempfile.TemporaryDirectory(prefix='duplex-')
    _kept.append(d)
    return os.path.join(d.name, name)


_kept = []


class Process:
    """A running program: its stderr is read all the time, its stdout when it is asked for."""

    def __init__(self, argv, **how):
        how = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE} | how
        self.words, self._heard = '', threading.Condition()
        self.popen = subprocess.Popen([str(a) for a in argv], stderr=subprocess.PIPE, bufsize=0, **how)
        self.pid, self.stdin, self.stdout = self.popen.pid, self.popen.stdin, self.popen.stdout
        _alive.append(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while data := os.read(self.popen.stderr.fileno(), 65536):
            with self._heard:
                self.words += data.decode(errors='replace')
                self._heard.notify_all()
        with self._heard:
            self.words += '\0'  # stderr has ended
            self._heard.notify_all()

    def said(self, pattern, seconds=10):
        """Waits until stderr holds the pattern; returns the match."""
        with self._heard:
            if not self._heard.wait_for(lambda: re.search(pattern, self.words) or '\0' in self.words, seconds * SLOW) \
                    or not (m := re.search(pattern, self.words)):
                raise AssertionError(f'{pattern!r} not said; stderr: {self.words!r}')
            return m

    @property
    def err(self):
        return self.words.rstrip('\0')

    @property
    def urls(self):
        return re.findall(r'^listening (\S+)$', self.err, re.M)

    @property
    def url(self):
        return self.urls[0]

    def connect(self, i=0, timeout=10):
        """A connected Python socket to the i-th address."""
        return connect(self.urls[i], timeout)

    def end_input(self):
        self.stdin.close()

    def wait(self, seconds=10):
        """The exit code."""
        try:
            code = self.popen.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {seconds} s; stderr: {self.err!r}') from None
        self._reader.join(seconds * SLOW)
        return code

    def interrupt(self, number=signal.SIGINT):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        for f in (self.stdin, self.stdout):
            if f and not f.closed:
                try:
                    f.close()
                except OSError:
                    pass
        if self in _alive:
            _alive.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, e, _):
        self.blame(e)
        self.kill()

    def blame(self, e):
        """A test that fails while the program has ended already says what that said."""
        if e is not None and self.popen.poll() is not None:
            e.add_note(how_it_stands(self))


def start(*args, ready='listening ', **how):
    """duplex ARGS in the background, once it has said the pattern `ready` (None: at once)."""
    p = Process([DUPLEX, *args], **how)
    if ready:
        try:
            p.said(rf'{ready}.*\n')
            # The other addresses follow in the same breath, but not in the same read.
            wanted = sum('://' in str(a) for a in args) if ready == 'listening ' else 0
            until(lambda: len(p.urls) >= wanted, words='an address for each URL')
        except AssertionError:
            p.kill()
            raise
    return p


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit {self.code}, {len(self.out)} bytes {self.out[:200]!r}, stderr {self.err!r}'


def run(*args, input=b'', seconds=30, program=None, **how):
    """duplex ARGS to its end."""
    argv = [str(a) for a in (program or [DUPLEX]) + list(args)]
    try:
        p = subprocess.run(argv, input=input, capture_output=True, timeout=seconds * SLOW, **how)
    except subprocess.TimeoutExpired as t:
        raise AssertionError(f'{argv} still runs after {seconds} s: {t.stdout!r:.200} {t.stderr!r}') from None
    return Result(p.returncode, p.stdout, p.stderr.decode(errors='replace'))


def host_port(url):
    m = re.match(r'\w+://(\[[^]]*\]|[^:/]*):(\d+)', url)
    return m[1].strip('[]'), int(m[2])


def connect(url, timeout=10):
    scheme = url.split(':')[0]
    if scheme in ('unix', 'unixgram'):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if scheme == 'unix' else socket.SOCK_DGRAM)
        where = url.split('://')[1]
    else:
        where = host_port(url)
        s = socket.socket(socket.AF_INET6 if ':' in where[0] else socket.AF_INET,
                          socket.SOCK_DGRAM if scheme == 'udp' else socket.SOCK_STREAM)
    s.settimeout(timeout * SLOW)
    s.connect(where)
    return s


def recv_all(s):
    """What comes until the peer's end."""
    parts = []
    while part := s.recv(1 << 16):
        parts.append(part)
    return b''.join(parts)


def recv_exactly(s, n):
    data = b''
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part, f'the end after {len(data)} of {n} bytes'
        data += part
    return data


class Server:
    """A Python server on a stream socket: each client runs serve(socket) in a thread of its own; what it returns is in
    .results, what it raises fails the test when the server closes."""

    def __init__(self, serve, family=socket.AF_INET, backlog=64):
        self.serve, self.results, self.faults = serve, [], []
        self.sock = socket.socket(family)
        if family == socket.AF_UNIX:
            path = temp('s')
            self.sock.bind(path)
            self.url = f'unix://{path}'
        else:
            self.sock.bind(('127.0.0.1' if family == socket.AF_INET else '::1', 0))
            host, port = self.sock.getsockname()[:2]
            self.url = f'tcp://{host if family == socket.AF_INET else f"[{host}]"}:{port}'
        self.sock.listen(backlog)
        self.threads = []
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            t = threading.Thread(target=self._one, args=(c,), daemon=True)
            t.start()
            self.threads.append(t)  # once it runs: __exit__ joins what stands here

    def _one(self, c):
        c.settimeout(30 * SLOW)
        try:
            with c:
                self.results.append(self.serve(c))
        except Exception as why:  # kept for the test's own thread
            self.faults.append(why)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for t in self.threads:
            t.join(10 * SLOW)
        if not kind and self.faults:
            raise self.faults[0]
