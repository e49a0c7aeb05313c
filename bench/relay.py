#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex relay against socat between two TCP connections: bench/relay.py [--pairs 10] [--mib 1024] [--duplex PROGRAM].

Each run moves so many MiB one way through a fresh relay on core 0, with the writer and the reader on core 1; what counts is
GiB per second of the relay's own CPU time, user and system. Pairs, the order swapped each pair; the median of the paired ratios
with its 90 % interval, and socat against a second socat as the control for the noise. The tap shows what looking costs."""
import argparse
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import threading

import measure

PIECE = 1 << 20
TARGET = 1.3    # of socat's, per CPU second


def commands(duplex, port, url):
    """Peer -> argv."""
    to = url.removeprefix("tcp://")
    socat = ["socat", "-b", str(PIECE), f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", f"TCP:{to}"]
    relay = [duplex, "relay", f"tcp://127.0.0.1:{port}", url, "--once"]
    return {"duplex": relay, "socat": socat, "self": socat, "tap": relay + ["--tap", "--log", "/dev/null"]}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def connect(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
    raise measure.Trouble("the relay does not listen")


def through(duplex, name, total):
    """GiB per CPU second of one run."""
    got = []
    server = socket.create_server(("127.0.0.1", 0))
    port = free_port()
    argv = commands(duplex, port, "tcp://127.0.0.1:%d" % server.getsockname()[1])[name]

    def read():
        c, _ = server.accept()
        room, n = bytearray(PIECE), 0
        while k := c.recv_into(room):
            n += k
        got.append(n)
        c.close()

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(argv, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: os.sched_setaffinity(0, {measure.SERVER_CPU}))
    try:
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        with connect(port) as s:
            piece = bytes(PIECE)
            for _ in range(total // PIECE):
                s.sendall(piece)
            s.shutdown(socket.SHUT_WR)
            reader.join(120)
        p.wait(20)
    finally:
        p.kill()
        p.wait()
        server.close()
    if got != [total]:
        raise measure.Trouble(f"{name}: {got} of {total} bytes came through")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return total / (1 << 30) / max(used, 0.001)


def table(duplex, pairs, mib=1024):
    """Prints the rows; returns them as a dict."""
    if not shutil.which("socat"):
        print("\nrelay: no socat here")
        return {}
    os.sched_setaffinity(0, {measure.LOAD_CPU})
    out = {}
    print(f"\nrelay, {mib} MiB one way from TCP to TCP: GiB per CPU second of the relay")
    for name in "duplex", "self", "tap":
        rates, ratios = {name: [], "socat": []}, []
        for i in range(pairs):
            for n in (name, "socat") if i % 2 else ("socat", name):
                rates[n].append(through(duplex, n, mib << 20))
            ratios.append(rates[name][-1] / rates["socat"][-1])
        ratio = measure.interval(ratios)
        out[name] = {"rate": statistics.median(rates[name]), "socat": statistics.median(rates["socat"]), "ratio": ratio}
        verdict = "" if name != "duplex" else f"   target >= {TARGET}: " + ("yes" if ratio[0] >= TARGET else "NO")
        print("{:8}{:9.2f}   socat {:6.2f}   ratio {:.3f} [{:.3f} {:.3f}]{}".format(
            name, out[name]["rate"], out[name]["socat"], *ratio, verdict), flush=True)
    return out


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=10)
    p.add_argument("--mib", type=int, default=1024)
    p.add_argument("--duplex", default=measure.HERE.parent / "build" / "duplex", type=pathlib.Path)
    a = p.parse_args()
    table(str(a.duplex.resolve()), a.pairs, a.mib)
