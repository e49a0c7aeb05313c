#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_dial_peers.py - dial and listen against programs that are not ours: nc, socat, Python websockets, C#."""
import asyncio
import pathlib
import random
import socketserver
import subprocess
import threading

from duplexlib import Process, host_port, run as duplex, start, temp, until
from needs import needs, websockets
from tap import case, run

MIB = random.Random(7).randbytes(1 << 20)


def tutorial():
    """The C# program, compiled once."""
    needs('mcs', 'mono')
    if not hasattr(tutorial, 'exe'):
        tutorial.exe = temp('Tutorial.exe')
        source = pathlib.Path(__file__).with_name('Tutorial.cs')
        subprocess.run(['mcs', '-nologo', f'-out:{tutorial.exe}', source], check=True)
    return tutorial.exe


@case
def nc_gets_its_mebibyte_back():
    needs('nc')
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        r = duplex('-N', *host_port(p.url), program=['nc'], input=MIB)
        assert r.code == 0 and r.out == MIB, r


@case
def nc_on_a_unix_socket_gets_its_mebibyte_back():
    needs('nc')
    with start('listen', f'unix://{temp("s")}', '--echo') as p:
        r = duplex('-NU', p.url.split('://')[1], program=['nc'], input=MIB)
        assert r.code == 0 and r.out == MIB, r


@case
def socat_gets_its_mebibyte_back():
    needs('socat')
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        r = duplex('-t', 10, '-', 'TCP:%s:%d' % host_port(p.url), program=['socat'], input=MIB)
        assert r.code == 0 and r.out == MIB, r


@case
def dial_gets_its_mebibyte_back_from_socat():
    needs('socat')
    path = temp('s')
    with Process(['socat', '-t', '10', f'UNIX-LISTEN:{path},fork', 'EXEC:cat']):
        until(lambda: pathlib.Path(path).exists())
        r = duplex('dial', f'unix://{path}', input=MIB)
        assert r.code == 0 and r.out == MIB, r


@case
def a_python_socketserver_answers_dial_in_upper_case():
    class Upper(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                self.wfile.write(line.upper())

    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Upper) as s:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        r = duplex('dial', f'tcp://127.0.0.1:{s.server_address[1]}', input=b'one\ntwo\n')
        s.shutdown()
        assert (r.code, r.out) == (0, b'ONE\nTWO\n'), r


@case
def a_python_websocket_client_is_echoed_message_by_message():
    ws = websockets()

    async def talk(url):
        async with ws.connect(url, max_size=None) as c:
            for m in ['hello', '你好', '', b'\x00\xff', MIB, 'x' * 70000]:
                await c.send(m)
                got = await c.recv()
                assert got == m, (type(got), len(got), len(m))
            parts = ['one', 'two', 'three']
            await c.send(parts)  # one message in three frames
            assert await c.recv() == ''.join(parts)
            await (await c.ping())
        assert c.close_code == 1000, c.close_code

    with start('listen', 'ws://127.0.0.1:0/', '--echo') as p:
        asyncio.run(talk(p.url))


@case
def a_python_websocket_client_hears_upper_case():
    ws = websockets()

    async def talk(url):
        async with ws.connect(url) as c:
            for said, want in [('hello', 'HELLO'), ('né 你好', 'Né 你好'), ('exit', 'EXIT')]:
                await c.send(said)
                assert await c.recv() == want
            await c.wait_closed()
            assert c.close_code == 1000, c.close_code

    with start('listen', 'ws://127.0.0.1:0/', '--upper') as p:
        asyncio.run(talk(p.url))


@case
def dial_talks_to_a_python_websocket_server():
    ws = websockets()
    heard = []

    async def serve(c, *_):
        async for m in c:
            heard.append(m)
            await c.send(m)

    async def talk(*args, **how):
        async with ws.serve(serve, '127.0.0.1', 0) as s:
            port = s.sockets[0].getsockname()[1]
            return await asyncio.to_thread(duplex, 'dial', *args, f'ws://127.0.0.1:{port}/chat?x=1', **how)

    r = asyncio.run(talk(input=MIB))
    assert r.code == 0 and r.out == MIB, r
    assert all(isinstance(m, bytes) and len(m) <= 65536 for m in heard)
    heard.clear()
    r = asyncio.run(talk('--frame', 'line', input='one\n你好\nrest'.encode()))
    assert (r.code, r.out) == (0, 'one\n你好\nrest\n'.encode()), r
    assert heard == ['one', '你好', 'rest'], heard


@case
def a_websocket_server_that_says_no_has_its_own_code():
    import http.server

    class No(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), No) as s:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        r = duplex('dial', f'ws://127.0.0.1:{s.server_address[1]}/')
        s.shutdown()
        assert r.code == 22 and '404' in r.err, r


@case
def a_c_sharp_client_hears_upper_case():
    exe = tutorial()
    with start('listen', 'tcp://127.0.0.1:0', '--upper') as p:
        host, port = host_port(p.url)
        r = duplex('ask', host, port, 'hello', '你好 abc', 'exit', program=['mono', exe])
        assert r.code == 0 and r.out.decode().splitlines() == ['HELLO', '你好 ABC', 'EXIT'], r
        r = duplex('lines', host, port, 'one', 'two 二', program=['mono', exe])
        assert r.code == 0 and r.out.decode().splitlines() == ['ONE', 'TWO 二'], r


@case
def dial_talks_to_a_c_sharp_server():
    exe = tutorial()
    with Process(['mono', exe, 'serve']) as p:
        port = int(p.stdout.readline())
        r = duplex('dial', f'tcp://127.0.0.1:{port}', input='hello\n你好 abc\n'.encode())
        assert (r.code, r.out.decode()) == (0, 'HELLO\n你好 ABC\n'), r


run()
