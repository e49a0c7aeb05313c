#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""duplex relay against socat between two TCP connections: bench/relay.py [--pairs 10] [--mib 1024] [--rt] [--build DIR].

Each run moves so many MiB one way through a fresh relay on core 0, with the writer and the reader on core 1; what counts is
GiB per second of the relay's own CPU time, user and system. Pairs, the order swapped each pair; the median of the paired ratios
with its 90 % interval, and socat against a second socat as the control for the noise. The tap shows what looking costs."""
import os
import shutil
import socket
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


def through(duplex, name, total, real_time=False):
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

    with server, measure.Child(argv, measure.SERVER_CPU, real_time, stderr=subprocess.DEVNULL) as p:
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        with connect(port) as s:
            piece = bytes(PIECE)
            for _ in range(total // PIECE):
                s.sendall(piece)
            s.shutdown(socket.SHUT_WR)
            reader.join(120)
        used = p.end()
    if got != [total]:
        raise measure.Trouble(f"{name}: {got} of {total} bytes came through")
    return total / (1 << 30) / max(used, 0.001)


def table(build, pairs, mib=1024, real_time=False):
    """Prints the rows; returns them as a dict."""
    if not shutil.which("socat"):
        print("\nrelay: no socat here")
        return {}
    os.sched_setaffinity(0, {measure.LOAD_CPU})
    out = {}
    print(f"\nrelay, {mib} MiB one way from TCP to TCP: GiB per CPU second of the relay")
    for name in "duplex", "self", "tap":
        got = measure.in_pairs(lambda who: through(str(build.parent / "duplex"), who, mib << 20, real_time), name, "socat", pairs)
        r = out[name] = measure.compared(got)
        verdict = "" if name != "duplex" else f"   target >= {TARGET}: " + ("yes" if r["ratio"][0] >= TARGET else "NO")
        print("{:8}{:9.2f}   socat {:6.2f}   ratio {:.3f} [{:.3f} {:.3f}]{}".format(name, r["rate"], r["base"], *r["ratio"], verdict),
              flush=True)
    return out


if __name__ == "__main__":
    a = measure.options(__doc__, mib=1024)
    table(a.build, a.pairs, a.mib, a.rt)
