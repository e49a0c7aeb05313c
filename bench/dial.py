#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex dial on pipes against nc (openbsd): bench/dial.py [--pairs 10] [--mib 1024] [--rt] [--build DIR].

`sends` is a writer into PROGRAM's stdin and from there to a TCP sink, `hears` a TCP source through PROGRAM to `wc -c`, all on
loopback. Writer, sink and source (raw_pipe.c) cost less than the program. `cat` as the writer (`sends cat`) does not: `alone` is cat
into a pipe that is emptied for nothing, the most that anybody can show there. `sends file` has the file as stdin. All may run on any core, as a user's would. What
counts is MiB per second from the first start to the last end, and per second of PROGRAM's own CPU time, user and system. Runs in
pairs; `raw` is 10 lines of splice in the program's place, `self` a second nc: the control for the noise."""
import contextlib
import shutil
import subprocess
import tempfile
import time

import measure
from measure import MEMORY, Child, Trouble

TARGET = 2.0    # of nc's
ROWS = {"sends": ("duplex", "raw", "self"), "sends file": ("duplex",), "sends cat": ("duplex", "raw", "alone"), "hears": ("duplex", "self")}
JUDGED = "sends", "hears"


class Bench:
    def __init__(self, build, mib, real_time, file):
        self.build, self.mib, self.real_time, self.file = build, mib, real_time, file

    def start(self, stack, argv, **how):
        return stack.enter_context(Child(argv, None, self.real_time, **how))

    def raw(self, stack, *argv, **how):
        return self.start(stack, [self.build / "raw_pipe", *argv], **how)

    def program(self, stack, name, port, **how):
        argv = {"duplex": [self.build.parent / "duplex", "dial", f"tcp://127.0.0.1:{port}"], "raw": [self.build / "raw_pipe", "dial", port],
                "alone": [self.build / "raw_pipe", "waste"]}.get(name, ["nc", "-N", "127.0.0.1", port])
        return self.start(stack, argv, stderr=subprocess.DEVNULL, **how)

    def sends(self, row, name):
        """CPU seconds of the program."""
        with contextlib.ExitStack() as stack:
            sink = self.raw(stack, "sink")
            port = sink.line(30).rpartition(":")[2]
            if row == "sends file":
                into, writer = stack.enter_context(open(self.file, "rb")), None
            else:
                writer = self.start(stack, ["cat", self.file]) if row == "sends cat" else self.raw(stack, "feed", self.mib)
                into = writer.proc.stdout
            p = self.program(stack, name, port, stdin=into, stdout=subprocess.DEVNULL)
            if writer:
                writer.hand_over()
            used = p.end()
            if writer:
                writer.end()
            if name != "alone":
                sink.end()
                self.check(name, sink.said)
            return used

    def hears(self, name):
        with contextlib.ExitStack() as stack:
            source = self.raw(stack, "source", self.mib)
            port = source.line(30).rpartition(":")[2]
            p = self.program(stack, name, port, stdin=subprocess.DEVNULL)
            reader = self.start(stack, ["wc", "-c"], stdin=p.proc.stdout)
            p.hand_over()
            used = p.end()
            reader.end()
            source.end()
            self.check(name, reader.said)
            return used

    def check(self, name, said):
        if int(said) != self.mib << 20:
            raise Trouble(f"{name}: {said.strip()} of {self.mib << 20} bytes came through")

    def run(self, row, name):
        """(MiB a second, MiB a CPU second) of one run."""
        began = time.monotonic()
        used = self.hears(name) if row == "hears" else self.sends(row, name)
        return self.mib / (time.monotonic() - began), self.mib / max(used, 0.001)


def show(row, name, what, v):
    verdict = ""
    if name == "duplex" and row in JUDGED:
        verdict = f"   target >= {TARGET}: " + ("yes" if v["ratio"][0] >= TARGET else "NO")
    print("{:11}{:7}{:5}{:8.0f}   nc {:6.0f}   ratio {:.2f} [{:.2f} {:.2f}]{}".format(row, name, what, v["rate"], v["base"], *v["ratio"], verdict),
          flush=True)


def table(build, pairs, mib=1024, real_time=False):
    """Prints the rows; returns them as a dict."""
    if not shutil.which("nc"):
        print("\ndial: no nc here")
        return {}
    out = {}
    print(f"\ndial, {mib} MiB between a pipe and TCP, against nc -N: MiB a second; and MiB a CPU second of the program")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="duplex-bench-") as folder:
        bench = Bench(build, mib, real_time, measure.random_file(folder, mib))
        for row, names in ROWS.items():
            for name in names:
                got = measure.in_pairs(lambda who, row=row: bench.run(row, who), name, "nc", pairs)
                r = out[f"{row} {name}"] = {what: measure.compared(got, lambda run, k=k: run[k]) for k, what in enumerate(("wall", "cpu"))}
                for what in r if name != "alone" else ["wall"]:
                    show(row, name, what, r[what])
    return out


if __name__ == "__main__":
    a = measure.options(__doc__, mib=1024)
    table(a.build, a.pairs, a.mib, a.rt)
