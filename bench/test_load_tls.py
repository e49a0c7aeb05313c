#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""load_tls believes nothing: test_load_tls.py BUILD/bench. Against Python's TLS: what is right is counted, each kind of
wrong is named. Against duplex, and nginx where it is: the same counts."""
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import measure
import tls

build = pathlib.Path(sys.argv[1])
cases = 0
BODY = b"hello, world\n"


def check(name, good, why=""):
    global cases
    cases += 1
    print(f"{'ok' if good else 'not ok'} {cases} - {name}", flush=True)
    if not good:
        print("#", why.replace("\n", "\n# "))


class Fake:
    """A server of Python's that answers each GET with what reply(number) says."""

    def __init__(self, site, reply=None, forgetful=False):
        self.site, self.forgetful = site, forgetful     # forgetful: no ticket is good at the next handshake
        self.reply = reply or (lambda i: right())
        self.context = self.make_context()
        self.shakes = self.resumed = self.asked = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def make_context(self):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self.site.cert, self.site.key)
        c.set_alpn_protocols(["http/1.1"])
        return c

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            context = self.make_context() if self.forgetful else self.context
            with context.wrap_socket(c, server_side=True) as t:
                with self.lock:
                    self.shakes += 1
                    self.resumed += t.session_reused
                while data := t.recv(65536):
                    if data.startswith(b"GET "):
                        with self.lock:
                            self.asked += 1
                            i = self.asked
                        out = self.reply(i)
                        if out is None:
                            return
                        t.sendall(out)
                    else:
                        t.sendall(data)
        except OSError:
            pass


def right(body=BODY, status="200 OK", length=None):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body) if length is None else length) + body


def run(site, mode, port, *more, count=300, body="tiny", cert=None):
    argv = [build / "load_tls", mode, "-a", cert or site.cert, "-n", str(count), "-c", "5"]
    argv += ["-b", site.folder / body] if body else []
    return subprocess.run([*argv, *more, f"https://127.0.0.1:{port}/{body or ''}"], capture_output=True, text=True,
                          timeout=120)


def counts(r, **wanted):
    words = r.stdout.split()
    return r.returncode == 0 and all(f"{k}={v}" in words for k, v in wanted.items())


def right_ones(site):
    big = (site.folder / "1m").read_bytes()
    f = Fake(site)
    r = run(site, "get", f.port)
    check("right replies pass and are counted", counts(r, all=300, messages=300) and (f.asked, f.shakes) == (305, 5),
          r.stdout + r.stderr)
    r = run(site, "get", Fake(site, lambda i: right(big)).port, body="1m", count=20)
    check("replies of many records pass", counts(r, all=20), r.stdout + r.stderr)
    r = run(site, "echo", Fake(site).port, "-s", "5000", body=None)
    check("messages come back", counts(r, all=300), r.stdout + r.stderr)
    f = Fake(site)
    r = run(site, "shake", f.port, body=None, count=60)
    check("handshakes are counted", counts(r, all=60, resumed=0) and (f.shakes, f.asked) == (61, 0), r.stdout + r.stderr)
    f = Fake(site)
    r = run(site, "shake", f.port, count=60)
    check("and with a GET in each", counts(r, all=60) and f.asked == 61, r.stdout + r.stderr)
    f = Fake(site)
    r = run(site, "shake", f.port, "-r", count=60)
    check("resumed ones are resumed", counts(r, all=60, resumed=60) and f.resumed == 60, r.stdout + r.stderr)


def wrong_ones(site):
    for name, reply, word in (
            ("a flipped bit", lambda i: right(BODY if i < 100 else b"hello, vorld\n"), "byte 7 of the reply differs"),
            ("a status", lambda i: right(status="404 Not Found"), "not 200: HTTP/1.1 404"),
            ("a length", lambda i: right(BODY + b"x"), "has 14 bytes, not 13"),
            ("a byte too many", lambda i: right() + b"x", "nobody asked"),
            ("no length", lambda i: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
             "does not say its length"),
            ("an end too early", lambda i: right() if i < 100 else None, "closed it")):
        r = run(site, "get", Fake(site, reply).port, "-c", "1")
        check(f"{name} is noticed", r.returncode == 1 and word in r.stderr, r.stdout + r.stderr)
    with tls.Site() as other:
        r = run(site, "get", Fake(site).port, cert=other.cert)
    check("a certificate of somebody else is noticed", r.returncode == 1 and "certificate" in r.stderr, r.stdout + r.stderr)
    r = run(site, "shake", Fake(site, forgetful=True).port, "-r", body=None)
    check("a handshake that is not resumed is noticed", r.returncode == 1 and "not resumed" in r.stderr, r.stdout + r.stderr)


def against(peer, site, argv, **always):
    with measure.Server(argv) as s:
        port = s.url.partition("#")[0].rstrip("/").rpartition(":")[2]
        for name, mode, more, body, want in (("tiny", "get", (), "tiny", {}), ("1m", "get", (), "1m", {}),
                                             ("handshakes", "shake", (), None, {"resumed": 0}),
                                             ("resumed", "shake", ("-r",), None, {"resumed": 200}),
                                             ("resumed, with a GET", "shake", ("-r",), "tiny", {"resumed": 200})):
            r = run(site, mode, port, *more, body=body, count=200)
            check(f"{peer}: {name}", counts(r, all=200, **want, **always), r.stdout + r.stderr)


if why := tls.missing(build, nginx=False):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)
with tls.Site() as site:
    right_ones(site)
    wrong_ones(site)
    against("duplex", site, site.https(build), unclean=0)
    if tls.NGINX:   # closes without a close_notify of its own where the client closes first
        against("nginx", site, site.nginx())
    else:
        cases += 1
        print(f"ok {cases} - nginx # SKIP install nginx-light")
print(f"1..{cases}")
