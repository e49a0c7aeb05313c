# SPDX-License-Identifier: MIT
"""What all of bench/ shares: programs as pinned processes, runs in pairs, and the numbers taken from them."""
import argparse
import contextlib
import ctypes
import math
import mmap
import os
import pathlib
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MEMORY = pathlib.Path("/dev/shm")
TICK = os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1    # children are in sessions of their own: nobody else ends them when we are killed
SERVER_CPU, LOAD_CPU = 0, (1 if (os.cpu_count() or 1) > 1 else 0)


class Trouble(Exception):
    pass


def raise_priority(real_time):
    """In the child: our own scheduling group (autogroup) at high priority, or the real-time class; best effort."""
    os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/autogroup").write_text("-10")
    if real_time:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Child:
    """A program on one core, or (cpu None) on any."""

    def __init__(self, argv, cpu, real_time=False, env=None, **pipes):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, range(os.cpu_count() or 1) if cpu is None else {cpu})
            raise_priority(real_time)

        self.argv = [str(a) for a in argv]
        self.said = ""
        self.proc = subprocess.Popen(self.argv, preexec_fn=prepare, text=True, env={**os.environ, **(env or {})},
                                     **{"stdout": subprocess.PIPE, **pipes})

    def hand_over(self):
        """Its stdout, which is somebody else's stdin by now."""
        self.proc.stdout.close()
        self.proc.stdout = None

    def end(self):
        """Waits until it has ended, in order; the CPU seconds that it used. What it still said is in said."""
        self.said = self.proc.stdout.read() if self.proc.stdout else ""
        _, status, used = os.wait4(self.proc.pid, 0)
        self.proc.returncode = os.waitstatus_to_exitcode(status)
        if self.proc.returncode:
            raise Trouble(f"{' '.join(self.argv)}: exit {self.proc.returncode}: {self.said}")
        return used.ru_utime + used.ru_stime

    def line(self, seconds):
        ready, _, _ = select.select([self.proc.stdout], [], [], seconds)
        text = self.proc.stdout.readline() if ready else ""
        if not text:
            raise Trouble(f"{' '.join(self.argv)}: " + ("said nothing" if ready else f"silent for {seconds} s"))
        return text.strip()

    def stop(self, sig=signal.SIGTERM):
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        if self.proc.stdout:
            self.proc.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Server(Child):
    """A peer that prints "listening URL" as its first line, or "listening URL PID" if another process does the work."""

    def __init__(self, argv, **more):
        super().__init__(argv, SERVER_CPU, **more)
        try:
            self.url, *pid = self.line(60).removeprefix("listening ").split()
        except (Trouble, ValueError):
            self.stop()
            raise
        self.pid = int(pid[0]) if pid else self.proc.pid

    def cpu_ns(self):
        """Time on a CPU as the scheduler counts it, to the nanosecond, over all threads."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task")
        return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks.iterdir())

    def stat(self, i):
        """A field of /proc/PID/stat, counted from the one after the name."""
        return int(pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[i])

    def faults(self):
        """Pages that were touched for the first time, or again after they had been given back."""
        return self.stat(7)

    def user_s(self):
        """User time. The kernel splits its exact total by timer ticks: right on the whole of a run, not per window."""
        return self.stat(11) / TICK

    def pss_bytes(self):
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024


class Asked(Child):
    """A load generator with -i: conns that stay between windows."""

    def __init__(self, argv, real_time=False, quiet=False):
        super().__init__(argv, LOAD_CPU, real_time, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None)
        try:
            if self.line(120) != "ready":
                raise Trouble("load is not ready")
        except Trouble:
            self.stop()
            raise

    def ask(self, what, patience=60):
        self.proc.stdin.write(what + "\n")
        self.proc.stdin.flush()
        answer = dict(word.split("=") for word in self.line(patience).split())
        return {k: float(v) for k, v in answer.items()}

    def window(self, seconds):
        return self.ask(f"t {seconds}", seconds + 60)

    def exactly(self, messages, patience=300):
        return self.ask(f"n {messages}", patience)


class Load(Asked):
    """bench/load"""

    def __init__(self, binary, mode, url, conns, size, depth, is_binary=False, real_time=False, quiet=False):
        super().__init__([binary, mode, "-i", "-c", conns, "-s", size, "-d", depth] + (["-b"] if is_binary else []) + [url],
                         real_time, quiet)


def interval(values, share=0.9):
    """Median and its order-statistics interval: the ranks that hold the median with the wanted probability."""
    v = sorted(values)
    n = len(v)
    best = 0
    for k in range(n // 2 + 1):
        outside = 2 * sum(math.comb(n, i) for i in range(k)) / 2 ** n
        if 1 - outside >= share:
            best = k
    low, high = (v[best - 1], v[n - best]) if best else (v[0], v[-1])
    return statistics.median(v), low, high


def in_pairs(run, name, base, count):
    """[(what run(name) returned, what run(base) did)], the order swapped each pair."""
    got = []
    for i in range(count):
        pair = {who: run(name if who else base) for who in ((True, False) if i % 2 == 0 else (False, True))}
        got.append((pair[True], pair[False]))
    return got


def compared(pairs, of=lambda run: run):
    """Of a number in each run of in_pairs: the ratio with its interval, the median, and the base's."""
    mine, base = [of(a) for a, _ in pairs], [of(b) for _, b in pairs]
    return {"ratio": interval([a / b for a, b in zip(mine, base)]), "rate": statistics.median(mine), "base": statistics.median(base)}


def random_file(folder, mib):
    name = pathlib.Path(folder, "in")
    with open(name, "wb") as f:
        for _ in range(mib):
            f.write(os.urandom(1 << 20))
    return name


def options(doc, **more):
    """What a file of bench/ takes when it runs alone: --pairs --build --rt, and numbers (name=default)."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"pairs": 10, **more}.items():
        p.add_argument(f"--{name}", type=type(default), default=default)
    p.add_argument("--build", default=HERE.parent / "build" / "bench", type=pathlib.Path, help="its parent has duplex")
    p.add_argument("--rt", action="store_true", help="real-time scheduling: keeps neighbours out, and starves them")
    a = p.parse_args()
    a.build = a.build.resolve()
    return a


def system_calls(server, load, messages):
    """Calls per message by name over one window, from strace attached while the conns stand."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as out:
        trace = subprocess.Popen(["strace", "-f", "-c", "-o", out.name, "-p", str(server.pid)],
                                 stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not re.search(r"^TracerPid:\s+[1-9]", pathlib.Path(f"/proc/{server.pid}/status").read_text(), re.M):
            if time.monotonic() > end or trace.poll() is not None:
                raise Trouble("strace cannot attach")
            time.sleep(0.01)
        done = load.exactly(messages)
        trace.send_signal(signal.SIGINT)
        trace.wait(20)
        calls = {}
        for line in out.read().splitlines():
            f = line.split()
            if len(f) >= 5 and f[3].isdigit() and f[-1] != "total":
                calls[f[-1]] = int(f[3]) / done["all"]
    return calls


def instructions(argv, make_load, small, large):
    """Instructions per message: two runs under callgrind, of which the difference has no start-up in it."""
    total, count = [], []
    for n in (small, large):
        with tempfile.TemporaryDirectory() as d:
            with Server(["valgrind", "--tool=callgrind", f"--callgrind-out-file={d}/out", "--quiet", *argv],
                        stderr=subprocess.DEVNULL) as s:
                with make_load(s) as load:
                    count.append(load.exactly(n, 600)["all"])
            text = pathlib.Path(d, "out").read_text()
            total.append(int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1]))
    return (total[1] - total[0]) / (count[1] - count[0])


def replayed(argv, build, make_load, message_bytes, events):
    """User ns per message with the kernel taken away (replay.c): the least of 200 chunks, and their median."""
    s = Server(argv, stderr=subprocess.PIPE, env={"LD_PRELOAD": str(build / "replay.so"), "DX_REPLAY_AFTER": "300",
                                                  "DX_REPLAY_EVENTS": str(events)})
    with s, make_load(s) as load:
        load.proc.stdin.write("t 20\n")
        load.proc.stdin.flush()
        ready, _, _ = select.select([s.proc.stderr], [], [], 60)
        found = re.search(r"turn_ns=([\d.]+) median_ns=([\d.]+) bytes=(\d+)", s.proc.stderr.readline() if ready else "")
        load.stop(signal.SIGKILL)
        s.proc.stderr.close()
    if not found:
        raise Trouble(f"{argv[0]}: the replay said nothing")
    messages = int(found[3]) / message_bytes
    return float(found[1]) / messages, float(found[2]) / messages


class Counted:
    """A server under count.so, whose allocations can be read at any time."""

    def __init__(self, argv, build):
        self.file = tempfile.NamedTemporaryFile(suffix=".count")
        self.server = Server(argv, env={"LD_PRELOAD": str(build / "count.so"), "DX_COUNT_FILE": self.file.name})
        self.map = mmap.mmap(self.file.fileno(), 32)

    def read(self):
        return dict(zip(("calls", "bytes", "blocks", "frees"), struct.unpack("4q", self.map[:32])))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.map.close()
        self.file.close()


def allocations(argv, build, make_load, messages):
    """Allocations per message after a warm-up of as many."""
    with Counted(argv, build) as c, make_load(c.server) as load:
        load.exactly(messages)
        before = c.read()["calls"]
        done = load.exactly(messages)["all"]
        return (c.read()["calls"] - before) / done


def say(text):
    print(text, file=sys.stderr, flush=True)
