#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an idle connection costs after one exchange: bench/idle.py [--conns 18000] [--build DIR].

PSS growth of the server per connection (its own memory, the kernel's not), and the bytes it holds from malloc,
counted by count.so in a run of its own. `made of` names what one connection holds in blocks of the allocator."""
import argparse
import pathlib

import measure

ROWS = [  # name, load mode, argv, most bytes a conn
    ("tcp  duplex", "tcp", ["dx_echo", "tcp://127.0.0.1:0"], 256),
    ("tcp  raw", "tcp", ["raw_tcp"], None),
    ("tcp  libuv", "tcp", ["uv_echo"], None),
    ("ws   duplex", "ws", ["dx_echo", "ws://127.0.0.1:0"], 384),
    ("ws   raw", "ws", ["raw_ws"], None),
]


def held(build, mode, argv, conns):
    """Returns (PSS bytes, malloc'ed bytes, blocks) per connection."""
    argv = [build / argv[0], *argv[1:]]

    def load(server, n):
        return measure.Load(build / "load", mode, server.url, n, 64, 1)

    with measure.Server(argv) as s:
        with load(s, 50) as warm:
            warm.exactly(500)
        before = s.pss_bytes()
        with load(s, conns) as all_of_them:
            all_of_them.exactly(conns)
            pss = s.pss_bytes() - before
    with measure.Counted(argv, build) as c:
        with load(c.server, 50) as warm:
            warm.exactly(500)
            before = c.read()
            with load(c.server, conns) as all_of_them:
                all_of_them.exactly(conns)
                after = c.read()
    return pss / conns, (after["bytes"] - before["bytes"]) / conns, (after["blocks"] - before["blocks"]) / conns


def table(build, conns, only=None):
    """Prints the rows; returns them as dicts."""
    out = []
    print(f"\nidle, {conns} connections after one exchange each: bytes a connection")
    print(f"{'':14}{'PSS growth':>12}{'malloc':>10}{'blocks':>8}   target")
    for name, mode, argv, most in ROWS:
        if not (build / argv[0]).exists() or (only and only not in name):
            continue
        try:
            pss, heap, blocks = held(build, mode, argv, conns)
        except measure.Trouble as e:
            print(f"{name:14}failed: {e}")
            out.append({"row": "idle " + name, "error": str(e)})
            continue
        verdict = "" if most is None or conns < 10000 else f"at most {most}: " + ("yes" if max(pss, heap) <= most else "NO")
        print(f"{name:14}{pss:12.0f}{heap:10.0f}{blocks:8.2f}   {verdict}", flush=True)
        out.append({"row": "idle " + name, "pss": pss, "malloc": heap, "blocks": blocks, "conns": conns})
    return out


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--conns", type=int, default=18000)
    p.add_argument("--build", type=pathlib.Path, default=measure.HERE.parent / "build" / "bench")
    p.add_argument("--only", help="rows whose name holds this")
    a = p.parse_args()
    table(a.build.resolve(), a.conns, a.only)
