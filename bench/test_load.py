#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The load generator believes nothing: test_load.py BUILD/bench. Right replies pass, each kind of wrong one is named. And what
stands around a pipe (raw_pipe.c) counts right."""
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

build = pathlib.Path(sys.argv[1])
cases = 0


def check(name, good, why=""):
    global cases
    cases += 1
    print(f"{'ok' if good else 'not ok'} {cases} - {name}")
    if not good:
        print(f"# {why}")


def run(mode, url, *more):
    return subprocess.run([build / "load", mode, "-n", "3000", *more, url], capture_output=True, text=True, timeout=60)


def peer(argv, mode, *more):
    with subprocess.Popen([build / argv[0], *argv[1:]], stdout=subprocess.PIPE, text=True) as p:
        r = run(mode, p.stdout.readline().split()[1], *more)
        p.kill()
    return r


for argv, mode, more in ((["raw_tcp"], "tcp", ()), (["raw_tcp"], "tcp", ("-d", "16")),
                         (["raw_tcp"], "tcp", ("-s", "100000", "-d", "4", "-c", "10")), (["raw_ws"], "ws", ()),
                         (["raw_ws"], "ws", ("-d", "16")), (["raw_ws"], "ws", ("-b", "-s", "70000", "-c", "10")),
                         (["raw_ws", "bcast"], "bcast", ("-d", "16")), (["uv_echo"], "tcp", ("-s", "16384"))):
    if (build / argv[0]).exists():
        r = peer(argv, mode, *more)
        want = "all=150000" if mode == "bcast" else "all=3000"
        check(f"{' '.join(argv)} {mode} {' '.join(more)}", r.returncode == 0 and want in r.stdout.split(),
              r.stdout + r.stderr)


def bent(change, kind=socket.SOCK_STREAM):
    """An echo server that changes what it sends."""
    s = socket.socket(socket.AF_INET, kind)
    s.bind(("127.0.0.1", 0))

    def stream():
        s.listen()
        c, _ = s.accept()
        seen = 0
        try:
            while data := c.recv(4096):
                c.sendall(change(data, seen))
                seen += len(data)
        except OSError:
            pass
        c.close()

    def datagrams():
        seen = 0
        while True:
            try:
                data, a = s.recvfrom(65536)
            except OSError:
                return
            if out := change(data, seen):
                s.sendto(out, a)
            seen += 1

    threading.Thread(target=stream if kind == socket.SOCK_STREAM else datagrams, daemon=True).start()
    return str(s.getsockname()[1])


def flip(data, seen):
    return data if seen < 1000 else data[:-1] + bytes([data[-1] ^ 1])


for name, change, more, word in (
        ("a flipped bit", flip, (), "differs"),
        ("two messages swapped", lambda d, seen: d[64:128] + d[:64] + d[128:], ("-d", "4"), "differs"),
        ("a byte too many", lambda d, seen: d + b"x", (), "nobody asked"),
        ("an end too early", lambda d, seen: d if seen < 1000 else (_ for _ in ()).throw(OSError()), (), "closed it")):
    r = run("tcp", bent(change), "-c", "1", *more)
    check(f"{name} is noticed", r.returncode == 1 and word in r.stderr, r.stdout + r.stderr)

BODY = b"hello, world\n"


def get(server, *more):
    """load http of `server`: what a bent one makes of each request, or a URL."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(BODY)
        body.flush()
        url = server if isinstance(server, str) else "http://127.0.0.1:" + bent(requests(server)) + "/tiny"
        return run("http", url, "-f", body.name, *more)


def requests(reply):
    asked = 0

    def answer(data, seen):
        nonlocal asked
        out = b""
        for _ in range(data.count(b"GET /tiny ")):  # requests are small: none is cut on loopback but at the buffer's end
            asked += 1
            out += reply(asked)
        return out
    return answer


def right(body=BODY, length=None):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


with tempfile.TemporaryDirectory() as d:
    pathlib.Path(d, "tiny").write_bytes(BODY)
    pathlib.Path(d, "1m").write_bytes(b"x" * (1 << 20))
    with subprocess.Popen([build / "dx_http", "http://127.0.0.1:0", d], stdout=subprocess.PIPE, text=True) as p:
        url = p.stdout.readline().split()[1].rstrip("/") + "/tiny"
        for depth in "1", "16":
            r = get(url, "-d", depth)
            check(f"replies of HTTP pass, {depth} at once", r.returncode == 0 and "all=3000" in r.stdout.split(), r.stdout + r.stderr)
        p.kill()
for name, reply, word in (
        ("a flipped bit", lambda i: right(BODY if i < 100 else b"hello, vorld\n"), "byte 7 of the reply differs"),
        ("a length", lambda i: right(BODY + b"x"), "has 14 bytes, not 13"),
        ("a reply too many", lambda i: right() + (right() if i == 100 else b""), "nobody asked"),
        ("a status", lambda i: right().replace(b"200 OK", b"503 No"), "not 200: HTTP/1.1 503"),
        ("an end too early", lambda i: right() if i < 100 else (_ for _ in ()).throw(OSError()), "closed it")):
    r = get(reply, "-c", "1")
    check(f"{name} of HTTP is noticed", r.returncode == 1 and word in r.stderr, r.stdout + r.stderr)

r = run("udp", bent(lambda d, seen: d, socket.SOCK_DGRAM), "-c", "3", "-d", "4")
check("datagrams come back", r.returncode == 0 and "all=3000" in r.stdout.split(), r.stdout + r.stderr)
r = run("udp", bent(lambda d, seen: d if seen % 500 else None, socket.SOCK_DGRAM), "-c", "3", "-d", "4")
check("lost datagrams are counted", r.returncode == 0 and "lost=0" not in r.stdout.split(), r.stdout + r.stderr)
r = run("udp", bent(lambda d, seen: d[:-1] + b"\0", socket.SOCK_DGRAM), "-c", "1")
check("a wrong datagram is noticed", r.returncode == 1 and "differs" in r.stderr, r.stdout + r.stderr)


def pipe(*argv, **how):
    return subprocess.Popen([build / "raw_pipe", *argv], stdout=subprocess.PIPE, **how)


def port_of(p):
    return p.stdout.readline().decode().rpartition(":")[2].strip()


def sunk(talk):
    """What the sink says it got from talk(its port)."""
    with pipe("sink") as sink:
        talk(port_of(sink))
        return sink.stdout.read().decode().strip()


def fed(port):
    with pipe("feed", "3") as feed, pipe("dial", port, stdin=feed.stdout) as dial:
        feed.stdout.close()
        dial.wait(60)


def said(port):
    with socket.create_connection(("127.0.0.1", int(port))) as c:
        c.sendall(b"x" * 12345)


got = sunk(fed), sunk(said)
check("raw_pipe: what was fed or said is what the sink counts", got == (str(3 << 20), "12345"), got)
with pipe("source", "3") as source, socket.create_connection(("127.0.0.1", int(port_of(source)))) as c:
    n = 0
    while part := c.recv(1 << 20):
        n += len(part)
check("raw_pipe: the source says as much as it is asked to", n == 3 << 20, n)
print(f"1..{cases}")
