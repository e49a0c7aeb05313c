#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""examples.py FOLDER - each example does what its first comment says, as its reader would try it."""
import asyncio, base64, contextlib, http.client, os, pathlib, random, re, socket, subprocess, sys, tempfile, time
import websockets
from tap import case, run

BUILT = pathlib.Path(sys.argv[1])
SECONDS = 15
TEMP = tempfile.TemporaryDirectory()
seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
print(f"# SEED={seed}")
chance = random.Random(seed)


def example(name, *args, **kw):
    return subprocess.run([BUILT / name, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, **kw)


def there(family, address):
    """Does somebody listen? Datagram sockets are asked by talking to them instead."""
    with socket.socket(family, socket.SOCK_STREAM) as s:
        return s.connect_ex(address) == 0


@contextlib.contextmanager
def serving(name, scheme, ends=False, **kw):
    """The example at work; yields (host, port), or a path for unix."""
    for _ in range(20):
        port = chance.randrange(20000, 30000)
        address = f"{TEMP.name}/{port}.sock" if scheme.startswith("unix") else ("127.0.0.1", port)
        url = f"{scheme}://{address}" if isinstance(address, str) else f"{scheme}://127.0.0.1:{port}"
        p = subprocess.Popen([BUILT / name, url], stderr=subprocess.PIPE, text=True, **kw)
        try:
            end = time.monotonic() + SECONDS
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            while p.poll() is None and scheme != "udp" and not there(family, address):
                assert time.monotonic() < end, f"{name} {url} never listened"
                time.sleep(0.01)
            if p.poll() is None:
                yield address
                if ends:
                    assert p.wait(SECONDS) == 0
                    return
                assert p.poll() is None, f"{name} ended by itself: {p.stderr.read()}"
                return
            said = p.stderr.read()
            assert "in use" in said or "taken" in said, said
        finally:
            p.terminate()
            p.wait()
    raise AssertionError("no free port found")


def whole(s, n):
    got = b""
    while len(got) < n and (more := s.recv(n - len(got))):
        got += more
    return got


def datagram_until(s, data, address, want):
    """Sends until the answer is there: the server may not have begun yet, and a datagram may be lost."""
    s.settimeout(0.2)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            s.sendto(data, address)
            got = s.recv(2000)
            if want(got):
                return got
    raise AssertionError("no answer")


@case
def echo_says_back_over_tcp_and_unix():
    for scheme, family in (("tcp", socket.AF_INET), ("unix", socket.AF_UNIX)):
        with serving("echo", scheme) as address, socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(SECONDS)
            s.connect(address)
            data = chance.randbytes(50000)
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            assert whole(s, len(data) + 1) == data, scheme


@case
def echo_says_back_over_udp():
    with serving("echo", "udp") as address, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        datagram_until(s, b"hello", address, lambda got: got == b"hello")


@case
def echo_says_back_over_websocket():
    async def talk(port):
        async with websockets.connect(f"ws://127.0.0.1:{port}/", open_timeout=SECONDS) as ws:
            for message in ("你好", b"\x00\xff" * 400, ""):
                await ws.send(message)
                assert await asyncio.wait_for(ws.recv(), SECONDS) == message

    with serving("echo", "ws") as (_, port):
        asyncio.run(talk(port))


@case
def dial_joins_pipes_to_a_url():
    with serving("echo", "tcp") as (_, port):
        data = chance.randbytes(1 << 20)
        p = example("dial", f"tcp://127.0.0.1:{port}", input=data)
        assert p.returncode == 0 and p.stdout == data, (p.returncode, len(p.stdout), p.stderr)


@case
def dial_says_why_it_could_not():
    p = example("dial", f"unix://{TEMP.name}/nobody", stdin=subprocess.DEVNULL)
    assert p.returncode == 1 and f"{TEMP.name}/nobody" in p.stderr.decode(), p.stderr


@case
def ask_shows_what_is_there():
    with serving("hello", "http") as (_, port):
        p = example("ask", f"http://127.0.0.1:{port}/ada")
        assert (p.returncode, p.stdout, p.stderr) == (0, b"hello ada\n", b"200 OK\n"), (p.returncode, p.stdout, p.stderr)
    p = example("ask", f"http://127.0.0.1:{port}/ada")
    assert p.returncode == 1 and b"refused" in p.stderr, p.stderr


@case
def fetch_asks_one_url_after_the_other():
    with serving("hello", "http") as (_, port):
        urls = [f"http://127.0.0.1:{port}/{name}" for name in ("ada", "bo", "cy")]
        p = example("fetch", *urls)
        want = (0, b"hello ada\nhello bo\nhello cy\n", b"200\n" * 3)
        assert (p.returncode, p.stdout, p.stderr) == want, (p.returncode, p.stdout, p.stderr)
    p = example("fetch", urls[0])
    assert p.returncode == 1 and b"refused" in p.stderr, p.stderr


@case
def hello_greets_by_name():
    with serving("hello", "http") as (_, port):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        for path, want in (("/ada", "hello ada\n"), ("/", "hello ")):
            c.request("GET", path)
            r = c.getresponse()
            assert r.status == 200 and r.read().decode().startswith(want)


@case
def events_go_on_where_its_client_was():
    with serving("events", "http") as (_, port):
        for last, first in ((None, 1), ("41", 42)):
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            c.request("GET", "/", headers={"Last-Event-ID": last} if last else {})
            r = c.getresponse()
            assert r.getheader("Content-Type") == "text/event-stream"
            for n in (first, first + 1):
                event = b"id: %d\nevent: tick\ndata: tick %d\ndata: of the clock\n\n" % (n, n)
                assert (got := r.read(len(event))) == event, got
            c.close()


@case
def news_waits_until_there_are_any():
    with serving("news", "http") as (_, port):
        a, b = (http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS) for _ in range(2))
        for word in (b"first", b"second"):
            a.request("GET", "/")
            # It may not be waiting yet: then nobody heard, and it is said again.
            a.sock.settimeout(0.3)
            for _ in range(20):
                b.request("POST", "/", body=word)
                assert b.getresponse().read() == b""
                with contextlib.suppress(TimeoutError):
                    a.sock.recv(1, socket.MSG_PEEK)
                    break
            a.sock.settimeout(SECONDS)
            assert a.getresponse().read() == word


@case
def chat_serves_its_page_and_its_members():
    async def talk(port):
        url = f"ws://127.0.0.1:{port}/"
        async with websockets.connect(url, open_timeout=SECONDS) as a, websockets.connect(url, open_timeout=SECONDS) as b:
            await a.send("hi")
            assert await asyncio.wait_for(b.recv(), SECONDS) == "hi"
            assert await asyncio.wait_for(a.recv(), SECONDS) == "hi"
            await a.close()
            await b.send("still here")
            assert await asyncio.wait_for(b.recv(), SECONDS) == "still here"

    with serving("chat", "http") as (_, port):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        c.request("GET", "/")
        assert b"WebSocket" in c.getresponse().read()
        asyncio.run(talk(port))


def ask(port, method, path, body=None, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    c.request(method, path, body, headers)
    r = c.getresponse()
    r.text = r.read()
    return r


@case
def prefixes_come_and_go():
    with serving("prefixes", "http") as (_, port):
        assert ask(port, "GET", "/new/x").text == b"/\n"
        assert ask(port, "GET", "/?add=/new/").text == b"/new/\n/\n"
        assert ask(port, "GET", "/new/x").text == b"/new/" and ask(port, "GET", "/a/../n%65w").text == b"/new/"
        assert ask(port, "GET", "/?add=new").status == 400
        assert ask(port, "GET", "/?remove=/new/").text == b"/\n"
        assert ask(port, "GET", "/new/x").text == b"/\n"


@case
def login_knows_people_and_robots():
    def basic(who):
        return {"Authorization": "Basic " + base64.b64encode(who).decode()}

    with serving("login", "http") as (_, port):
        r = ask(port, "GET", "/")
        assert (r.status, r.headers["WWW-Authenticate"]) == (401, 'Basic realm="people", charset="UTF-8"'), r.headers
        assert ask(port, "GET", "/", headers=basic(b"ada:lovelace")).text == b"hello ada\n"
        assert [ask(port, "GET", "/", headers=basic(w)).status for w in (b"ada:x", b"bob:lovelace", b"ada")] == [401, 403, 401]
        assert ask(port, "GET", "/robots/", headers=basic(b"ada:lovelace")).status == 401
        assert ask(port, "GET", "/robots/", headers={"Authorization": "Bearer let-me-in"}).text == b"hello a robot\n"


@case
def facts_tells_what_a_request_says():
    with serving("facts", "http") as (_, port):
        r = ask(port, "POST", "/x?p=1&q=a+%C3%A9", b"", {"Cookie": "b=2; a=1", "Accept-Language": "zh;q=0.7,en",
                                                          "Content-Type": 'text/plain; charset="gb2312"', "User-Agent": "me"})
        said = dict(line.split(": ", 1) for line in r.text.decode().splitlines())
        assert re.fullmatch("[0-9a-f]{32}", said.pop("id")) and said.pop("from").startswith("http://127.0.0.1:"), r.text
        assert said == {"Host": f"127.0.0.1:{port}", "User-Agent": "me",
                        "cookie a": "1", "charset": "gb2312", "q": "a é", "version": "11",
                        "local": "1", "tls": "no", "chinese": "700"}, said


@case
def again_dials_until_the_server_is_back():
    with socket.create_server(("127.0.0.1", 0)) as s:
        s.settimeout(SECONDS)
        p = subprocess.Popen([BUILT / "again", f"tcp://127.0.0.1:{s.getsockname()[1]}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            for word in b"one", b"two", b"three":
                c, _ = s.accept()
                with c:
                    c.sendall(word)
                assert p.stdout.readline() == word + b"\n"
            assert p.poll() is None
        finally:
            p.kill()
            p.wait()


@case
def cases_says_back_what_a_fuzzing_server_sends():
    async def serve(c, path=None):
        path = path or (c.path if hasattr(c, "path") else c.request.path)  # before and since its version 14
        asked.append(path)
        if path == "/getCaseCount":
            await c.send("2")
        elif path.startswith("/runCase?"):
            for m in "text", b"\xfe", "", "x" * 70000:
                await c.send(m)
                assert await c.recv() == m
            asked.append("well")

    async def one(*words):
        async with websockets.serve(serve, "127.0.0.1", 0) as s:
            port = s.sockets[0].getsockname()[1]
            return await asyncio.to_thread(example, "cases", f"ws://127.0.0.1:{port}", *words)
    for words in (), ("client_no_context_takeover",):
        asked = []
        p = asyncio.run(one(*words))
        assert p.returncode == 0, (p.stdout, p.stderr)
        assert asked == ["/getCaseCount", "/runCase?case=1&agent=duplex", "well", "/runCase?case=2&agent=duplex", "well",
                         "/updateReports?agent=duplex"], (asked, p.stdout)


@case
def visits_are_counted_by_a_cookie():
    with serving("visits", "http") as (_, port):
        r = ask(port, "GET", "/")
        assert (r.status, r.headers["Location"], r.headers["Cache-Control"]) == (303, "/again", "no-store"), r.headers
        assert r.headers["Set-Cookie"] == "visits=1; Path=/; Max-Age=86400; SameSite=Lax; HttpOnly", r.headers
        assert ask(port, "GET", "/again", headers={"Cookie": "visits=1"}).text == b"visit 2\n"


@case
def body_streams_there_and_back():
    with serving("body", "http") as (_, port):
        data = chance.randbytes(3 << 20)
        assert ask(port, "PUT", "/", data).text == data
        assert ask(port, "PUT", "/", iter([data[:70000], data[70000:]])).text == data
        assert ask(port, "GET", "/").status == 404


@case
def ticks_ends_when_its_client_goes():
    with serving("ticks", "http") as (_, port), socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(SECONDS)
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while b"\r\n3\n\r\n" not in got:
            got += s.recv(1000)
        s.shutdown(socket.SHUT_WR)
        while part := s.recv(1000):  # the reply ends in order
            got += part
        assert got.endswith(b"\r\n0\r\n\r\n"), got


@case
def limits_refuses_and_drains():
    with serving("limits", "http", ends=True) as (_, port):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(SECONDS)
            s.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")
            assert s.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert ask(port, "PUT", "/", bytes(1 << 20)).text == b"fine\n"
        r = ask(port, "GET", "/stop")
        assert (r.text, r.headers["Connection"]) == (b"fine\n", "close"), r.headers


@case
def text_reads_hex():
    p = example("text", "C4 E3 BA C3")
    assert p.stdout.decode().lower().splitlines() == ["你好", "gb18030", "e4 bd a0 e5 a5 bd"], (p.stdout, p.stderr)
    assert example("text", "C4 E").returncode == 1


@case
def udp_is_never_louder_than_its_peer():
    with serving("udp", "udp") as address, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        got = datagram_until(s, b"x" * 30, address, lambda got: got.endswith(b" bytes\n"))
        assert int(got.split()[0]) % 30 == 0


@case
def what_is_not_in_this_build_says_so():
    for name, *args in (("streams", "quic://127.0.0.1:1"), ("blocking", "tcp://127.0.0.1:0")):
        p = example(name, *args)
        assert p.returncode == 1 and b"not in this build" in p.stderr, (name, p.stderr)


@case
def pin_shows_the_key_of_this_hosts_certificate():
    with tempfile.TemporaryDirectory() as folder:
        first, again = (example("pin", env=dict(os.environ, XDG_STATE_HOME=folder)) for _ in range(2))
        assert re.fullmatch(rb"sha256:[\w+/]{43}=\n", first.stdout) and not first.returncode, (first.stdout, first.stderr)
        assert again.stdout == first.stdout


@case
def a_wrong_call_shows_the_usage():
    for name in ("again", "ask", "cases", "echo", "dial", "hello", "chat", "text", "udp", "streams", "blocking", "body", "facts", "limits", "login",
                 "prefixes", "news", "ticks", "events", "visits"):
        p = example(name)
        assert p.returncode == 1 and b"usage" in p.stderr, (name, p.stderr)


run()
