#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex dial on pipes against nc (openbsd): bench/dial.py [--pairs 10] [--mib 1024] [--duplex PROGRAM].

`sends` is `cat FILE | PROGRAM` to a sink that reads on and throws away, `hears` a source into `PROGRAM </dev/null | cat >/dev/null`,
both over TCP on loopback. PROGRAM has core 0 to itself; cat, the sink and the source are on core 1. What counts is MiB per second
from its start to its end, and per second of its own CPU time, user and system. Pairs, the order swapped each pair; the median of
the paired ratios with its 90 % interval, and nc against a second nc as the control for the noise."""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import measure

PIECE = 1 << 20
TARGET = 2.0    # of nc's
MEMORY = pathlib.Path("/dev/shm")


def command(duplex, name, port):
    return [duplex, "dial", f"tcp://127.0.0.1:{port}"] if name == "duplex" else ["nc", "-N", "127.0.0.1", str(port)]


def throw_away(c):
    """Reads to the end without a copy to here; returns how much it was."""
    n = 0
    room = bytearray(PIECE)
    while k := c.recv_into(room, PIECE, socket.MSG_TRUNC):
        n += k
    return n


class Peer:
    """One conn of a sink (file None) or a source of the file."""

    def __init__(self, file=None):
        self.file, self.got = file, None
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        c, _ = self.server.accept()
        with c:
            if self.file:
                with open(self.file, "rb") as f:
                    c.sendfile(f, count=os.path.getsize(self.file))
                c.shutdown(socket.SHUT_WR)
            self.got = throw_away(c)

    def close(self):
        self.thread.join(60)
        self.server.close()


def started(argv, cpu, **how):
    return subprocess.Popen(argv, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}), **how)


def through(duplex, name, file, sends):
    """(MiB a second, MiB a CPU second) of one run."""
    size = os.path.getsize(file)
    peer = Peer(None if sends else file)
    argv = command(duplex, name, peer.port)
    began = time.monotonic()
    if sends:
        other = started(["cat", file], measure.LOAD_CPU, stdout=subprocess.PIPE)
        p = started(argv, measure.SERVER_CPU, stdin=other.stdout, stdout=subprocess.DEVNULL)
        other.stdout.close()
    else:
        p = started(argv, measure.SERVER_CPU, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        other = started(["wc", "-c"], measure.LOAD_CPU, stdin=p.stdout, stdout=subprocess.PIPE)
        p.stdout.close()
    try:
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        got = 0 if sends else int(other.stdout.read())
        other.wait(60)
        seconds = time.monotonic() - began
        peer.close()
        got = peer.got if sends else got
        if p.returncode or got != size:
            raise measure.Trouble(f"{name}: exit {p.returncode}, {got} of {size} bytes came through")
        return size / (1 << 20) / seconds, size / (1 << 20) / max(used.ru_utime + used.ru_stime, 0.001)
    finally:
        for x in p, other:
            if x.returncode is None:
                x.kill()
                x.wait()
            if x.stdout:
                x.stdout.close()


def row(duplex, name, file, sends, pairs):
    got = {name: [], "nc": []} if name != "self" else {"self": [], "nc": []}
    ratios = []
    for i in range(pairs):
        pair = {n: through(duplex, n, file, sends) for n in ((name, "nc") if i % 2 else ("nc", name))}
        for n, v in pair.items():
            got[n].append(v)
        ratios.append([pair[name][k] / pair["nc"][k] for k in (0, 1)])
    out = {}
    for k, what in enumerate(("wall", "cpu")):
        out[what] = {"ratio": measure.interval([r[k] for r in ratios]), "rate": statistics.median(v[k] for v in got[name]),
                     "nc": statistics.median(v[k] for v in got["nc"])}
    return out


def table(duplex, pairs, mib=1024):
    """Prints the rows; returns them as a dict."""
    if not shutil.which("nc"):
        print("\ndial: no nc here")
        return {}
    os.sched_setaffinity(0, {measure.LOAD_CPU})
    out = {}
    print(f"\ndial, {mib} MiB between a pipe and TCP, against nc -N: MiB a second; and MiB a CPU second of the program")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="duplex-bench-") as folder:
        file = os.path.join(folder, "in")
        with open(file, "wb") as f:
            for _ in range(mib):
                f.write(os.urandom(PIECE))
        for sends in True, False:
            for name in "duplex", "self":
                r = out[f"{'sends' if sends else 'hears'} {name}"] = row(duplex, name, file, sends, pairs)
                for what in "wall", "cpu":
                    v = r[what]
                    verdict = "" if name != "duplex" else f"   target >= {TARGET}: " + ("yes" if v["ratio"][0] >= TARGET else "NO")
                    print("{:6}{:7}{:5}{:8.0f}   nc {:6.0f}   ratio {:.2f} [{:.2f} {:.2f}]{}".format(
                        "sends" if sends else "hears", name, what, v["rate"], v["nc"], *v["ratio"], verdict), flush=True)
    return out


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=10)
    p.add_argument("--mib", type=int, default=1024)
    p.add_argument("--duplex", default=measure.HERE.parent / "build" / "duplex", type=pathlib.Path)
    a = p.parse_args()
    table(str(a.duplex.resolve()), a.pairs, a.mib)
