#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an idle connection costs after one exchange: bench/idle.py [--conns 18000] [--build DIR].

PSS growth of the server per connection (its own memory, the kernel's not), and the bytes it holds from malloc,
counted by count.so in a run of its own. `made of` names what one connection holds in blocks of the allocator."""
import argparse
import contextlib
import pathlib

import measure
import tls

TLS_CONNS_MAX = 10000   # each costs both sides a handshake, and a server of HTTP may close idle ones after a minute
ROWS = [  # name, load mode, argv (a URL of TLS gets its certificate), most bytes a conn
    ("tcp  duplex", "tcp", ["dx_echo", "tcp://127.0.0.1:0"], 256),
    ("tcp  raw", "tcp", ["raw_tcp"], None),
    ("tcp  libuv", "tcp", ["uv_echo"], None),
    ("ws   duplex", "ws", ["dx_echo", "ws://127.0.0.1:0"], 384),
    ("ws   raw", "ws", ["raw_ws"], None),
    ("tls  duplex", "tls echo", ["dx_echo", "tls"], 20480),
    ("https duplex", "tls get", ["dx_http"], None),
    ("https nginx", "tls get", ["nginx"], None),
]


def recipe(build, mode, argv, site):
    """The server's argv, and the function that makes its load."""
    if not mode.startswith("tls"):
        return [build / argv[0], *argv[1:]], lambda server, n: measure.Load(build / "load", mode, server.url, n, 64, 1)
    if mode == "tls echo":
        return [build / argv[0], site.url(argv[1])], lambda server, n: site.load(build, "echo", server.url, conns=n)
    argv = site.nginx() if argv[0] == "nginx" else site.https(build)
    return argv, lambda server, n: site.load(build, "get", server.url, "/tiny", n, "tiny")


def held(argv, load, build, conns):
    """Returns (PSS bytes, malloc'ed bytes, blocks) per connection."""
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
    print(f"\nidle, {conns} connections (TLS: {min(conns, TLS_CONNS_MAX)}) after one exchange each: bytes a connection")
    print(f"{'':14}{'PSS growth':>12}{'malloc':>10}{'blocks':>8}   target")
    with contextlib.ExitStack() as stack:
        site = None
        for name, mode, argv, most in ROWS:
            over_tls = mode.startswith("tls")
            if (only and only not in name) or not (over_tls or (build / argv[0]).exists()):
                continue
            if why := over_tls and tls.missing(build, argv[0] == "nginx"):
                print(f"{name:14}skipped: {why}")
                continue
            if over_tls and not site:
                site = stack.enter_context(tls.Site())
            n = min(conns, TLS_CONNS_MAX) if over_tls else conns
            try:
                pss, heap, blocks = held(*recipe(build, mode, argv, site), build, n)
            except measure.Trouble as e:
                print(f"{name:14}failed: {e}")
                out.append({"row": "idle " + name, "error": str(e)})
                continue
            verdict = f"at most {most}: " + ("yes" if max(pss, heap) <= most else "NO") if most and n >= 10000 else ""
            print(f"{name:14}{pss:12.0f}{heap:10.0f}{blocks:8.2f}   {verdict}", flush=True)
            out.append({"row": "idle " + name, "pss": pss, "malloc": heap, "blocks": blocks, "conns": n})
    return out


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--conns", type=int, default=18000)
    p.add_argument("--build", type=pathlib.Path, default=measure.HERE.parent / "build" / "bench")
    p.add_argument("--only", help="rows whose name holds this")
    a = p.parse_args()
    table(a.build.resolve(), a.conns, a.only)
