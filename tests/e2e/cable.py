# SPDX-License-Identifier: MIT
"""cable.py - a TCP cable that can be pulled: a relay on a port of its own.

pull(): from now on nothing passes, in any direction, and nobody is told; new connections hang.
plug(): new connections pass again. The old ones are reset, as by a router that has forgotten them, or with reset=False go on
with what was held back, as TCP's retransmission does.
"""
import asyncio
import socket
import struct
import threading

from webdriver import SLOW


class Cable:
    def __init__(self, port, host='127.0.0.1'):
        self.to = (host, port)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.pairs = set()
        self.tasks = set()
        self.do(self.begin())

    def do(self, coro):
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result(10 * SLOW)

    async def begin(self):
        self.open = asyncio.Event()
        self.open.set()
        self.server = await asyncio.start_server(self.joined, '127.0.0.1', 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def joined(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.pairs.add(writer)
        far = None
        try:
            await self.open.wait()
            far_reader, far = await asyncio.open_connection(*self.to)
            self.pairs.add(far)
            await asyncio.gather(self.carry(reader, far), self.carry(far_reader, writer))
        except OSError:
            pass
        finally:
            for w in (writer, far):
                if w:
                    self.pairs.discard(w)
                    w.close()
            self.tasks.discard(asyncio.current_task())

    async def carry(self, reader, writer):
        while data := await reader.read(65536):
            await self.open.wait()
            writer.write(data)
            await writer.drain()
        await self.open.wait()
        if writer.can_write_eof():
            writer.write_eof()

    def pull(self):
        async def pulled():
            self.open.clear()
        self.do(pulled())

    def plug(self, reset=True):
        async def plugged():
            if reset:
                for w in list(self.pairs):
                    w.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    w.transport.abort()
                for task in list(self.tasks):
                    task.cancel()
                await asyncio.gather(*self.tasks, return_exceptions=True)
            self.open.set()
        self.do(plugged())

    def close(self):
        async def closed():
            self.server.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        self.do(closed())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
