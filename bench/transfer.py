#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex send and recv of a file over TCP against 60 lines of sendfile and 60 of splice: bench/transfer.py [--gib 1] [--pairs 10] [--rt]

The file lies in memory (/dev/shm), so no disk takes part and fsync is nothing. A run is timed from the start of the sender to
the end of both, processes and all; the receiver listens already. Pairs as in bench/pair, the order swapped each time."""
import contextlib
import filecmp
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import measure
from measure import MEMORY, Child, Trouble, say

RATIO_MIN = 0.95
PAIRS = {"duplex": ("duplex", "duplex"), "raw": ("raw", "raw"), "self": ("raw", "raw"),
         "send": ("duplex", "raw"), "recv": ("raw", "duplex")}  # name -> who sends, who receives


def one(build, name, source, out, real_time):
    """(seconds, sender's CPU s, receiver's CPU s) of one transfer, each side on a core of its own."""
    sends, saves = PAIRS[name]
    out.unlink(missing_ok=True)
    program = build.parent / "duplex"
    with contextlib.ExitStack() as stack:
        def start(argv, cpu):
            return stack.enter_context(Child(argv, cpu, real_time, stderr=subprocess.STDOUT))

        receiver = start([program, "recv", "-q", "tcp://127.0.0.1:0", out] if saves == "duplex" else [build / "raw_splice", out],
                         measure.SERVER_CPU)
        url = receiver.line(30).removeprefix("listening ")
        began = time.monotonic()
        sender = start([program, "send", "-q", source, url] if sends == "duplex"
                       else [build / "raw_sendfile", source, url.rpartition(":")[2]], measure.LOAD_CPU)
        cpu = sender.end(), receiver.end()
        return time.monotonic() - began, *cpu


def pairs_of(build, name, source, out, count, real_time):
    """[((seconds, CPU s, CPU s), raw's)], pair by pair; what came is looked at once for each."""
    looked = set()

    def run(who):
        got = one(build, who, source, out, real_time)
        if who not in looked and not filecmp.cmp(source, out, shallow=False):
            raise Trouble(f"{who}: what came is not what was sent")
        looked.add(who)
        return got

    return measure.in_pairs(run, name, "raw", count)


def fsync_seconds(gib):
    """What putting it on this tree's disk costs, apart."""
    with tempfile.NamedTemporaryFile(dir=measure.HERE) as f:
        f.write(os.urandom(1 << 20) * int(gib * 1024))
        f.flush()
        began = time.monotonic()
        os.fsync(f.fileno())
        return time.monotonic() - began


def table(build, count=10, gib=1.0, real_time=False, names=("duplex", "self", "send", "recv")):
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
        source, to = measure.random_file(folder, int(gib * 1024)), pathlib.Path(folder, "out")
        for name in names:
            try:
                got = pairs_of(build, name, source, to, count, real_time)
            except Trouble as e:
                say(f"transfer {name}: {e}")
                continue
            rate = measure.compared(got, lambda run: gib / run[0])
            ratio = rate["ratio"]
            sends, saves = (statistics.median(mine[i] for mine, _ in got) for i in (1, 2))
            out[name] = {"ratio": ratio, "rate": rate["rate"], "sender_cpu": sends, "receiver_cpu": saves}
            words = "{:.3f} [{:.3f} {:.3f}]".format(*ratio)
            print(f"{name:20}{out[name]['rate']:8.2f}{words:>24}{sends:14.2f}{saves:8.2f}", flush=True)
    if "duplex" in out:
        good = out["duplex"]["ratio"][0] >= RATIO_MIN
        print(f"  target rate >= {RATIO_MIN}: {out['duplex']['ratio'][0]:.3f} {'yes' if good else 'NO'}")
    out["fsync_s"] = fsync_seconds(gib)
    print(f"  fsync of so much on the disk of this tree: {out['fsync_s']:.2f} s")
    return out


if __name__ == "__main__":
    a = measure.options(__doc__, gib=1.0)
    table(a.build, a.pairs, a.gib, a.rt)
