#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fake_room.py - a room that speaks docs/room.md and misbehaves on request, for the tests of the page.

The real server cannot be made to repeat a message, leave one out, forget its epoch or answer nothing; this one can. It serves
web/ with the headers of docs/room.md, WebSocket with duplex.json, and a little of plain sockets. Runs in a thread:

    with FakeRoom() as room:
        room.say('bob', 'hi')           # as if somebody had said it
        room.mute = True                # hears everything, answers nothing
"""
import asyncio
import base64
import collections
import http
import json
import pathlib
import random
import threading
import time

import websockets

try:
    from websockets.legacy.server import serve  # the interface of Debian 12; 13 has it under this name
except ImportError:
    from websockets import serve

from webdriver import SLOW

WEB = pathlib.Path(__file__).resolve().parents[2] / 'web'
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
       "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
FILES = {'/': ('index.html', 'text/html'), '/~': ('index.html', 'text/html'), '/~page.css': ('page.css', 'text/css'),
         '/~page.js': ('page.js', 'text/javascript')}


RING_MAX = 5000


class Room:
    def __init__(self):
        self.epoch = f'e{random.randrange(1 << 32):x}'
        self.ring = collections.deque(maxlen=RING_MAX)  # of msg objects
        self.offset = 0
        self.ids = {}


class FakeRoom:
    def __init__(self, port=0, key=None):
        self.port, self.key = port, key
        self.rooms, self.members = {}, {}  # name: Room; connection: dict(nick, wire, room, me)
        self.sockets = set()  # WebSockets, also those without a welcome
        self.hellos, self.heard = [], []  # what pages sent
        self.mute = self.no_ack = False
        self.refuse = []  # codes: each say takes one and is refused with it
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.do(self.begin())
        return self

    def __exit__(self, *_):
        self.do(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def do(self, coro):
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result(20 * SLOW)

    async def begin(self):
        self.inner = await serve(self.member, '127.0.0.1', 0, subprotocols=['duplex.json'], process_request=self.file,
                                            max_size=1 << 20, ping_interval=None, compression=None)
        self.outer = await asyncio.start_server(self.sniff, '127.0.0.1', self.port)
        self.port = self.outer.sockets[0].getsockname()[1]

    async def end(self):
        self.outer.close()
        self.inner.close()
        for member in list(self.members):
            if isinstance(member, asyncio.StreamWriter):
                member.close()
        await asyncio.wait_for(self.inner.wait_closed(), 10)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}/'

    # ---- what a test does to it
    def say(self, nick, text, room='lobby', **more):
        self.do(self.add(room, nick, text, **more))

    def say_bytes(self, nick, raw, coding='gb18030', guess=False):
        more = {'raw': base64.b64encode(raw).decode()}
        if coding != 'utf-8':
            more['coding'] = coding
        if guess:
            more['guess'] = True
        self.say(nick, raw.decode(coding, 'replace'), wire='tcp', **more)

    def flood(self, n, each=1000):
        async def flooding():
            for i in range(0, n, each):
                for k in range(i, min(n, i + each)):
                    await self.add('lobby', 'flood', f'flood {k}')
                await asyncio.sleep(0)
        self.do(flooding())

    def send_raw(self, text, room='lobby'):
        """As it is to every page in the room."""
        async def sending():
            for ws in self.pages(room):
                await ws.send(text)
        self.do(sending())

    def seat(self, nick, wire='tcp', room='lobby'):
        """A member that is only in the list."""
        self.members[nick] = dict(nick=nick, wire=wire, room=room, me='', gb=False)

    def leave_out(self, n, room='lobby'):
        """n offsets that nobody ever hears."""
        self.rooms.setdefault(room, Room()).offset += n

    def hang_up(self, code=1001):
        async def hanging():
            await asyncio.gather(*(ws.close(code) for ws in self.sockets))
        self.do(hanging())

    def forget(self):
        """As a server started anew."""
        self.rooms.clear()

    # ---- HTTP and plain sockets
    async def file(self, path, headers):
        if headers.get('Upgrade', '').lower() == 'websocket':
            origin = headers.get('Origin')
            if origin and origin.split('://', 1)[-1] != headers.get('Host'):
                return http.HTTPStatus.FORBIDDEN, [], b'foreign origin\n'
            return None
        if path.split('?')[0] not in FILES:
            return http.HTTPStatus.NOT_FOUND, [('Cross-Origin-Resource-Policy', 'same-origin')], b'nothing here\n'
        name, kind = FILES[path.split('?')[0]]
        return http.HTTPStatus.OK, [
            ('Content-Type', kind + '; charset=utf-8'), ('Content-Security-Policy', CSP), ('X-Content-Type-Options', 'nosniff'),
            ('Referrer-Policy', 'no-referrer'), ('Cross-Origin-Resource-Policy', 'same-origin'),
            ('Cache-Control', 'no-cache')], (WEB / name).read_bytes()

    async def sniff(self, reader, writer):
        first = await reader.read(65536)  # no verdict on silence: Chromium opens spare sockets
        if not first:
            return writer.close()
        if first.split(b' ')[0] in (b'GET', b'POST', b'HEAD', b'OPTIONS'):
            far_reader, far = await asyncio.open_connection(*self.inner.sockets[0].getsockname()[:2])
            far.write(first)
            await asyncio.gather(self.carry(reader, far), self.carry(far_reader, writer), return_exceptions=True)
            return None
        return await self.plain(reader, writer, first)

    @staticmethod
    async def carry(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def plain(self, reader, writer, data):
        me = self.members[writer] = dict(nick=self.free('nc-1'), wire='tcp', room='lobby', me='', gb=False)
        await self.tell_who('lobby')
        try:
            while True:
                for line in filter(None, data.splitlines()):
                    try:
                        await self.add('lobby', me['nick'], line.decode(), skip=writer, wire='tcp')
                    except UnicodeDecodeError:
                        me['gb'] = True
                        await self.add('lobby', me['nick'], line.decode('gb18030', 'replace'), skip=writer, wire='tcp',
                                       coding='gb18030', raw=base64.b64encode(line).decode())
                data = await reader.read(65536)
                if not data:
                    break
        except OSError:
            pass
        finally:
            del self.members[writer]
            writer.close()
            await self.tell_who('lobby')

    # ---- the room
    def free(self, nick):
        taken, n, base = {m['nick'] for m in self.members.values()}, 1, nick.rstrip('0123456789').rstrip('-') or 'x'
        while nick in taken:
            n += 1
            nick = f'{base}-{n}'
        return nick

    async def add(self, name, nick, text, skip=None, wire='tcp', **more):
        room = self.rooms.setdefault(name, Room())
        room.offset += 1
        msg = {'is': 'msg', 'offset': room.offset, 'time': int(time.time() * 1000), 'from': nick, 'wire': wire, 'text': text, **more}
        room.ring.append(msg)
        for who, m in list(self.members.items()):
            if m['room'] != name or who is skip or isinstance(who, str):
                continue
            try:
                if m['wire'] == 'ws':
                    await who.send(json.dumps(msg))
                else:
                    who.write(f'{nick}: {text}\n'.encode('gb18030' if m['gb'] else 'utf-8', 'replace'))
            except (websockets.ConnectionClosed, OSError):
                pass
        return room.offset

    def pages(self, name):
        return [ws for ws, m in self.members.items() if ws in self.sockets and m['room'] == name]

    async def tell_who(self, name):
        here = [{'nick': m['nick'], 'wire': m['wire'], 'since': 0} for m in self.members.values() if m['room'] == name]
        for ws in self.pages(name):
            try:
                await ws.send(json.dumps({'is': 'who', 'members': here}))
            except websockets.ConnectionClosed:
                pass

    async def member(self, ws, path):
        name = path.removeprefix('/~r/')
        room = self.rooms.setdefault(name, Room())
        self.sockets.add(ws)
        try:
            async for data in ws:
                m = json.loads(data)
                if m['do'] != 'ping' and m['do'] != 'who':
                    self.heard.append(m)
                if not self.mute:
                    await getattr(self, 'on_' + m['do'])(ws, m, name, room)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.sockets.discard(ws)
            if self.members.pop(ws, None):
                await self.tell_who(name)

    async def on_hello(self, ws, m, name, room):
        self.hellos.append(m)
        if self.key and m.get('key') != self.key:
            await ws.send(json.dumps({'is': 'error', 'code': 'bad-key', 'text': 'this room wants a key'}))
            return await ws.close(4003)
        for old, was in list(self.members.items()):
            if m.get('me') and was['me'] == m['me']:
                del self.members[old]
                asyncio.ensure_future(old.close(4001))
        me = self.members[ws] = dict(nick=self.free(m.get('nick') or 'browser-1'), wire='ws', room=name, me=m.get('me', ''))
        await ws.send(json.dumps({'is': 'welcome', 'epoch': room.epoch, 'offset': room.offset, 'room': name, 'nick': me['nick'],
                                  'version': '0.1.0', 'urls': [f'tcp://127.0.0.1:{self.port}', 'unix:///run/user/1000/duplex.sock'], 'lan': False}))
        if m.get('epoch') == room.epoch and 'offset' in m:
            gone = (room.ring[0]['offset'] if room.ring else 1) - m['offset'] - 1
            if gone > 0:
                await ws.send(json.dumps({'is': 'missed', 'count': gone}))
            old = [x for x in room.ring if x['offset'] > m['offset']]
        else:
            old = list(room.ring)[-m['last']:]
        for msg in old:
            await ws.send(json.dumps(msg))
        return await self.tell_who(name)

    async def on_say(self, ws, m, name, room):
        if self.refuse:
            return await ws.send(json.dumps({'is': 'error', 'code': self.refuse.pop(0), 'text': 'refused', 'id': m['id']}))
        if m['id'] not in room.ids:
            room.ids[m['id']] = await self.add(name, self.members[ws]['nick'], m['text'], wire='ws', id=m['id'])
        if not self.no_ack:
            await ws.send(json.dumps({'is': 'ack', 'id': m['id'], 'offset': room.ids[m['id']]}))
        return None

    async def on_to(self, ws, m, name, room):
        for who, x in list(self.members.items()):
            if x['nick'] == m['nick']:
                await who.send(json.dumps({'is': 'private', 'from': self.members[ws]['nick'], 'to': m['nick'], 'text': m['text'],
                                           'time': int(time.time() * 1000)}))
                return await ws.send(json.dumps({'is': 'ack', 'id': m['id']}))
        return await ws.send(json.dumps({'is': 'error', 'code': 'no-such-nick', 'text': 'nobody', 'id': m['id']}))

    async def on_nick(self, ws, m, name, room):
        if self.free(m['nick']) != m['nick']:
            return await ws.send(json.dumps({'is': 'error', 'code': 'nick-taken', 'text': f"nick {m['nick']} is taken"}))
        self.members[ws]['nick'] = m['nick']
        await ws.send(json.dumps({'is': 'nick', 'nick': m['nick']}))
        return await self.tell_who(name)

    async def on_who(self, ws, m, name, room):
        await self.tell_who(name)

    async def on_ping(self, ws, m, name, room):
        await ws.send('{"is":"pong"}')


if __name__ == '__main__':
    with FakeRoom(port=2399) as fake:
        print(fake.url)
        threading.Event().wait()
