#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex send and recv of a file over TCP against 60 lines of sendfile and 60 of splice: bench/transfer.py [--gib N] [--pairs N]

The file lies in memory (/dev/shm), so no disk takes part and fsync is nothing. A run is timed from the start of the sender to
the end of both, processes and all; the receiver listens already. Pairs as in bench/pair, the order swapped each time."""
import argparse
import filecmp
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import tempfile
import time

import measure
from measure import Trouble, say

RATIO_MIN = 0.95
MEMORY = pathlib.Path("/dev/shm")
CPUS = (measure.SERVER_CPU, measure.LOAD_CPU)
PAIRS = {"duplex": ("duplex", "duplex"), "raw": ("raw", "raw"), "self": ("raw", "raw"),
         "send": ("duplex", "raw"), "recv": ("raw", "duplex")}  # name -> who sends, who receives


class Side:
    """One of the two programs, on a core of its own."""

    def __init__(self, argv, cpu):
        self.argv = [str(x) for x in argv]
        self.proc = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))

    def url(self):
        ready, _, _ = select.select([self.proc.stdout], [], [], 30)
        m = re.match(rb"listening (\S+)\n", self.proc.stdout.readline()) if ready else None
        if not m:
            raise Trouble(f"{' '.join(self.argv)}: does not listen")
        return m[1].decode()

    def wait(self):
        """CPU seconds."""
        said = self.proc.stdout.read()
        _, status, used = os.wait4(self.proc.pid, 0)
        self.proc.returncode = os.waitstatus_to_exitcode(status)
        if self.proc.returncode:
            raise Trouble(f"{' '.join(self.argv)}: exit {self.proc.returncode}: {said.decode(errors='replace')}")
        return used.ru_utime + used.ru_stime

    def kill(self):
        if self.proc.returncode is None:
            self.proc.kill()
            self.proc.wait()
        self.proc.stdout.close()


def one(build, name, source, out):
    """(seconds, sender's CPU s, receiver's CPU s) of one transfer."""
    sends, saves = PAIRS[name]
    out.unlink(missing_ok=True)
    program = build.parent / "duplex"
    receiver = Side([program, "recv", "-q", "tcp://127.0.0.1:0", out] if saves == "duplex" else [build / "raw_splice", out], CPUS[0])
    sides = [receiver]
    try:
        url = receiver.url()
        began = time.monotonic()
        sender = Side([program, "send", "-q", source, url] if sends == "duplex"
                      else [build / "raw_sendfile", source, url.rpartition(":")[2]], CPUS[1])
        sides.append(sender)
        cpu = sender.wait(), receiver.wait()
        return time.monotonic() - began, *cpu
    finally:
        for s in sides:
            s.kill()


def pairs_of(build, name, source, out, count):
    """[(ratio of rates to raw, seconds, CPU s, CPU s)], pair by pair."""
    got = []
    for i in range(count):
        order = (name, "raw") if i % 2 == 0 else ("raw", name)
        runs = {}
        for k, who in enumerate(order):
            runs[(who, k)] = one(build, who, source, out)
            if i == 0 and not filecmp.cmp(source, out, shallow=False):
                raise Trouble(f"{who}: what came is not what was sent")
        mine, base = runs[(name, order.index(name))], runs[("raw", 1 - order.index(name))]
        got.append((base[0] / mine[0], *mine))
    return got


def fsync_seconds(gib):
    """What putting it on this tree's disk costs, apart."""
    with tempfile.NamedTemporaryFile(dir=measure.HERE) as f:
        f.write(os.urandom(1 << 20) * int(gib * 1024))
        f.flush()
        began = time.monotonic()
        os.fsync(f.fileno())
        return time.monotonic() - began


def table(build, gib=1.0, count=10, names=("duplex", "self", "send", "recv")):
    """Prints the rows; {name: {"ratio", "rate", "sender_cpu", "receiver_cpu"}, "fsync_s"}."""
    for program in build / "raw_splice", build / "raw_sendfile", build.parent / "duplex":
        if not program.exists():
            say(f"transfer: no {program}: build first")
            return {}
    if shutil.disk_usage(MEMORY).free < 2.5 * gib * (1 << 30):
        say(f"transfer: no room for two files of {gib} GiB in {MEMORY}")
        return {}
    print(f"\n{'a file of ' + str(gib) + ' GiB':20}{'GiB/s':>8}{'ratio to raw [90 %]':>24}{'CPU s: sends':>14}{'saves':>8}")
    out = {}
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="duplex-bench-") as folder:
        source, to = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        source.write_bytes(os.urandom(1 << 20) * int(gib * 1024))
        for name in names:
            try:
                got = pairs_of(build, name, source, to, count)
            except Trouble as e:
                say(f"transfer {name}: {e}")
                continue
            ratio = measure.interval([g[0] for g in got])
            seconds, sends, saves = (statistics.median(g[i] for g in got) for i in (1, 2, 3))
            out[name] = {"ratio": ratio, "rate": gib / seconds, "sender_cpu": sends, "receiver_cpu": saves}
            words = "{:.3f} [{:.3f} {:.3f}]".format(*ratio)
            print(f"{name:20}{gib / seconds:8.2f}{words:>24}{sends:14.2f}{saves:8.2f}", flush=True)
    if "duplex" in out:
        good = out["duplex"]["ratio"][0] >= RATIO_MIN
        print(f"  target rate >= {RATIO_MIN}: {out['duplex']['ratio'][0]:.3f} {'yes' if good else 'NO'}")
    out["fsync_s"] = fsync_seconds(gib)
    print(f"  fsync of so much on the disk of this tree: {out['fsync_s']:.2f} s")
    return out


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gib", type=float, default=1.0)
    p.add_argument("--pairs", type=int, default=10)
    p.add_argument("--build", type=pathlib.Path, default=measure.HERE.parent / "build" / "bench")
    a = p.parse_args()
    table(a.build.resolve(), a.gib, a.pairs)
