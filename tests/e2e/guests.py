# SPDX-License-Identifier: MIT
"""guests.py - members of a room by HTTP alone: they see to it that what they hear has no gap and comes once.

    g = Guest(room.port, 'its secret')
    g.poll()                                    # g.heard, g.private
    g.do(do='say', id='1', text='hi')           # again until it is acknowledged
    Stream(room.port, 'another').hear(until)    # a stream of events, again from where it was when it breaks
"""
import http.client
import json
import re
import socket

from duplexlib import SLOW


class Cut(Exception):
    pass


class Guest:
    """A member by polls and POSTs. chance: cuts some of its connections at any byte. proxied: something on the way may fail at any time,
    by an end or by an answer of its own. tls: a context of ssl."""

    def __init__(self, port, me, chance=None, room='lobby', nick='', proxied=False, tls=None):
        self.port, self.me, self.chance, self.path, self.nick = port, me, chance, f'/~r/{room}', nick
        self.proxied, self.tls = proxied, tls
        self.ends = (Cut, EOFError, OSError) if proxied else (Cut, EOFError)
        self.at = self.token = self.s = self.epoch = None
        self.heard, self.polls, self.cuts, self.welcomes, self.private = [], 0, 0, 0, []

    def ask(self, method, path, body=b'', cut=False, **fields):
        """(status, answer); raises Cut where the connection was cut by us, and what it raises where the server is not there."""
        if not self.s:
            s = socket.create_connection(('127.0.0.1', self.port), 10 * SLOW)
            self.s = self.tls.wrap_socket(s, server_hostname='127.0.0.1') if self.tls else s
        fields = {'Host': f'127.0.0.1:{self.port}', 'Duplex-Me': self.me, 'Accept': 'application/json'} | fields
        if body:
            fields |= {'Content-Length': len(body), 'Content-Type': 'application/json', 'Duplex-Token': self.token}
        lines = [f'{method} {path} HTTP/1.1', *(f'{k}: {v}' for k, v in fields.items()), '', '']
        request = '\r\n'.join(lines).encode() + body
        try:
            if cut and self.chance.random() < 0.3:  # the request is never whole
                self.s.sendall(request[:self.chance.randrange(6, len(request))])  # a few capitals alone would be speech
                raise Cut
            self.s.sendall(request)
            status, answer = self.answer(self.chance.randrange(600) if cut else None)
            if status in (502, 504) and self.proxied:
                raise EOFError(status)
            return status, answer
        except (Cut, OSError, EOFError):
            self.close()
            raise

    def answer(self, most):
        got = b''

        def more():
            nonlocal got
            if most is not None and len(got) >= most:
                raise Cut
            data = self.s.recv(65536 if most is None else max(1, most - len(got)))
            if not data:
                raise EOFError
            got += data
        while b'\r\n\r\n' not in got:
            more()
        head, _, rest = got.partition(b'\r\n\r\n')
        n = int((re.search(rb'(?i)\r\ncontent-length: (\d+)', head) or [b'', b'0'])[1])
        start = len(got) - len(rest)
        while len(got) < start + n:
            more()
        status = int(head.split()[1])
        return status, json.loads(got[start:]) if n and status not in (502, 504) else []

    def cutting(self):
        return self.chance is not None and self.chance.random() < 0.4

    def poll(self, wait=2):
        more = {'Last-Event-ID': self.at} if self.at else {}
        path = f'{self.path}?wait={wait}&last=1000' + ('&hello' if not self.token else '') + (f'&nick={self.nick}' if self.nick else '')
        self.polls += 1
        try:
            status, events = self.ask('GET', path, cut=self.cutting(), **more)
        except self.ends:
            self.cuts += 1
            return None
        assert status in (200, 204, 409), (status, events)
        if status == 200:
            for e in events:
                self.take(e)
        return events

    def take(self, e):
        if e['is'] == 'welcome':
            self.welcomes += 1
            self.token = e['token']
            if e['epoch'] != self.epoch:
                self.epoch, self.heard = e['epoch'], []
        elif e['is'] == 'msg':
            assert not self.heard or e['offset'] == self.heard[-1]['offset'] + 1, (e, self.heard[-1])
            self.heard.append(e)
        elif e['is'] == 'private':
            self.private.append(e['text'])
        elif e['is'] == 'at':
            self.at = e['at']
        assert e['is'] != 'missed', e

    def do(self, **m):
        """One object, again until its answer is there; what it says has an id. Returns the answer."""
        while True:
            try:
                status, events = self.ask('POST', self.path, json.dumps(m).encode(), cut=self.cutting())
            except self.ends:
                self.cuts += 1
                continue
            assert status == 200, (status, events)
            return events

    def close(self):
        if self.s:
            self.s.close()
            self.s = None

    def hear(self, done):
        """Polls until done, an Event."""
        while not done.is_set():
            self.poll()


class Stream(Guest):
    """A member by streams of events and POSTs."""

    def hear(self, done):
        """Until done and then the next event; again with the place of the last event when the stream breaks."""
        while not done.is_set():
            how = {'timeout': 20 * SLOW} | ({'context': self.tls} if self.tls else {})
            c = (http.client.HTTPSConnection if self.tls else http.client.HTTPConnection)('127.0.0.1', self.port, **how)
            try:
                self.follow(c, done)
            except (http.client.HTTPException, *self.ends):
                self.cuts += 1
            c.close()

    def follow(self, c, done):
        c.request('GET', f'{self.path}?last=1000', headers={'Duplex-Me': self.me, 'Accept': 'text/event-stream'} |
                  ({'Last-Event-ID': self.at} if self.at else {}))
        r, event = c.getresponse(), {}
        if r.status in (502, 504) and self.proxied:
            raise EOFError(r.status)
        assert (r.status, r.getheader('content-type')) == (200, 'text/event-stream'), (r.status, r.headers)
        while not done.is_set() and (line := r.readline()).endswith(b'\n'):
            name, _, value = line.decode().rstrip('\n').partition(': ')
            event[name] = value
            if line == b'\n' and 'data' in event:  # an event is one when it is whole
                self.at = event['id']
                self.take(json.loads(event['data']))
                event = {}
        self.cuts += not done.is_set()


def rest(*guests):
    """Polls until a poll brings nothing."""
    for g in guests:
        while (e := g.poll(wait=0)) is None or any(x['is'] == 'msg' for x in e):
            pass
