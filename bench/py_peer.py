#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the same server costs in Python, for scale: py_peer.py tcp|ws|bcast."""
import asyncio
import socket
import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 4096


async def websocket(broadcast):
    import websockets
    members = set()

    async def one(ws, *_):
        members.add(ws)
        try:
            async for message in ws:
                if broadcast:
                    websockets.broadcast(members, message)
                else:
                    await ws.send(message)
        finally:
            members.discard(ws)

    async with websockets.serve(one, "127.0.0.1", 0, compression=None, ping_interval=None, max_size=None) as s:
        print(f"listening ws://127.0.0.1:{s.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


if sys.argv[1] == "tcp":
    with Server(("127.0.0.1", 0), Echo) as server:
        print(f"listening tcp://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
else:
    asyncio.run(websocket(sys.argv[1] == "bcast"))
