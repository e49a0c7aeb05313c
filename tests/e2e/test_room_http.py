#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The room by HTTP alone: streams of events, long polls and POST (docs/room.md, "HTTP"). Connections are cut at random points: what is
said arrives once, and so does what is heard. SEED=N in the environment repeats a run."""
import json
import os
import random
import select
import signal
import subprocess
import threading
import time

import duplexlib
import pki
from duplexlib import SLOW, until
from guests import Guest, Stream, rest
from members import Room
from needs import needs
from tap import case
from tlslib import client_context
import tap

seed = int(os.environ.get('SEED', time.time_ns() % 1000000))
print(f'# SEED={seed}')


def tell(room, text):
    """A plain socket that has said this, and all of the room has heard it."""
    a, page = room.tcp(), room.json(last=0)
    page.gets('welcome')
    a.say(text)
    page.gets('msg', text=text)
    return a


@case
def nothing_is_lost_or_doubled_however_polls_are_cut():
    chance = random.Random(seed)
    with Room() as room:
        others = [room.tcp() for _ in range(2)]
        said, done = [[], [], []], threading.Event()
        hearers = [Guest(room.port, f'hearer-{i}', random.Random(seed + i)) for i in range(3)]
        speaker, listener = Guest(room.port, 'speaker', random.Random(seed + 9)), room.json(me='all', last=0)
        listener.gets('welcome')
        while not speaker.token:
            speaker.poll(wait=0)
        faults = []

        def hear(g):
            try:
                while not done.is_set():
                    g.poll()
            except Exception as e:
                faults.append(e)
                raise

        threads = [threading.Thread(target=hear, args=[g], daemon=True) for g in hearers]
        for t in threads:
            t.start()
        n = 0
        while n < 250 or min(g.polls for g in hearers) < 120 and not faults:  # enough of both, however fast they are
            n += 1
            who = chance.randrange(3)
            said[who].append(f'{who}: {n} ' + '你好' * chance.randrange(30))
            if who == 2:
                assert speaker.do(do='say', id=f's-{n}', text=said[2][-1])[0]['is'] == 'ack'
            else:
                others[who].say(said[who][-1])
        until(lambda: faults or all(sum(len(s) for s in said) <= len(g.heard) for g in hearers), 30, 'all is heard by all')
        done.set()
        for t in threads:
            t.join(10 * SLOW)
        for g in hearers + [speaker]:
            g.chance = None
        rest(*hearers, speaker)
        assert not faults, faults
        assert sum(g.cuts for g in hearers) > 60 and speaker.cuts > 10, [g.cuts for g in [*hearers, speaker]]
        for g in hearers + [speaker]:
            texts = [e['text'] for e in g.heard]
            assert len(texts) == n, (g.me, n, [x for x in texts if texts.count(x) > 1 or x not in sum(said, [])])
            for who in range(3):
                assert [x for x in texts if x.startswith(f'{who}: ')] == said[who], (g.me, who)
            g.close()
        got = [listener.gets('msg')['text'] for _ in range(n)]  # a WebSocket has heard the same, in the same order
        assert got == [e['text'] for e in hearers[0].heard]


@case
def a_private_word_is_heard_once_too():
    with Room() as room:
        g = Guest(room.port, 'g', random.Random(seed + 20), nick='ada')
        while not g.token:
            g.poll(wait=0)
        a = room.tcp()
        for n in range(40):
            a.say(f'/msg ada {n}')
            while len(g.private) <= n:
                g.poll(wait=1)
        g.chance = None
        rest(g)
        assert g.private == [str(n) for n in range(40)], g.private
        g.close()


@case
def a_server_that_began_anew_is_noticed_and_said_to_again():
    with Room() as room:
        port = room.port
        g = Guest(port, 'g', nick='ada')
        g.poll(wait=0)
        g.do(do='say', id='x-1', text='to the first')
        g.poll()
        first = g.epoch, g.token, g.at
        g.close()
    with Room('--listen', f'any://127.0.0.1:{port}') as room:
        tell(room, 'already here')
        status, events = g.ask('POST', g.path, b'{"do":"say","id":"x-2","text":"to the second"}')
        assert (status, events[0]['code']) == (403, 'bad-token'), (status, events)
        g.poll()
        assert (g.epoch, g.token) != first[:2] and g.welcomes == 2 and [e['text'] for e in g.heard] == ['already here'], vars(g)
        assert g.do(do='say', id='x-2', text='to the second')[0]['offset'] == 2
        g.poll()
        assert [e['text'] for e in g.heard] == ['already here', 'to the second']
        g.close()


@case
def curl_hears_a_stream_and_goes_on_where_it_was():
    needs('curl')
    with Room() as room:
        a = tell(room, 'one')
        curl = ['curl', '-sN', '-H', 'Accept: text/event-stream', '-H', 'Duplex-Me: curl']
        url = f'http://127.0.0.1:{room.port}/~r/lobby?last=5'

        def hears(last, *want):
            p = subprocess.Popen([*curl, *last, url], stdout=subprocess.PIPE, text=True)
            place, got = None, []
            while len(got) < len(want):
                name, _, value = p.stdout.readline().rstrip('\n').partition(': ')
                assert p.poll() is None or value, p.returncode
                if name == 'id':
                    place = value
                elif name == 'data' and (m := json.loads(value))['is'] == 'msg':
                    got.append(m['text'])
                    if len(got) == 1:
                        a.say('\n'.join(want[1:]))
            p.kill()
            p.wait()
            p.stdout.close()
            assert got == list(want), got
            return place
        place = hears([], 'one', 'two', 'three')
        assert place.endswith('.3'), place
        a.say('while it was away')
        hears(['-H', f'Last-Event-ID: {place}'], 'while it was away', 'five')


# ---- within TLS ----

def secret():
    leaf = pki.leaf('good')
    return Room('--cert', leaf.chain, '--key', leaf.key)


@case
def curl_hears_polls_and_speaks_over_tls():
    needs('curl')
    with secret() as room:
        a = tell(room, 'one')
        curl = ['curl', '-sSN', '--noproxy', '*', '--max-time', str(20 * SLOW), '--cacert', pki.ca().cert, '-H', 'Duplex-Me: curl']
        url = f'https://127.0.0.1:{room.port}/~r/lobby'

        def ask(*more):
            r = subprocess.run([*curl, '-H', 'Accept: application/json', *more], capture_output=True, timeout=30 * SLOW)
            assert r.returncode == 0, (more, r)
            return json.loads(r.stdout)
        first = ask(url + '?last=5&wait=0&nick=ada')
        assert [e['is'] for e in first] == ['welcome', 'who', 'msg', 'at'] and first[0]['pin'] == pki.leaf('good').pin, first
        assert [m['wire'] for m in first[1]['members'] if m['nick'] == 'ada'] == ['https'], first
        says = ['-H', 'Content-Type: application/json', '-H', f'Duplex-Token: {first[0]["token"]}', '-d']
        assert ask(*says, '{"do":"say","id":"1","text":"你好"}', url) == [{'is': 'ack', 'id': '1', 'offset': 2}]
        assert a.hear() == 'ada: 你好'
        p = subprocess.Popen([*curl, '-H', 'Accept: text/event-stream', '-H', f'Last-Event-ID: {first[-1]["at"]}', url], stdout=subprocess.PIPE)
        heard = []
        while len(heard) < 5:  # what was said meanwhile; then each as it is said
            line = p.stdout.readline()
            assert line or p.poll() is None, p.wait()
            if line.startswith(b'data: ') and (m := json.loads(line[6:]))['is'] == 'msg':
                heard.append(m['text'])
                a.say(f'after {m["text"]}')
        p.kill()
        p.wait()
        p.stdout.close()
        assert heard == ['after ' * i + '你好' for i in range(5)], heard
        for field in f'Origin: http://127.0.0.1:{room.port}', 'Sec-Fetch-Site: cross-site':  # a page in clear, and one from elsewhere
            r = ask(*says, '{"do":"say","text":"canary"}', '-H', field, url)
            assert r[0]['code'] == 'not-yours', (field, r)
        assert ask('-H', 'Content-Type: application/json', '-H', 'Duplex-Token: x', '-d', '{}', url)[0]['code'] == 'bad-token'


@case
def nothing_is_lost_or_doubled_within_tls():
    with secret() as room:
        tls = client_context()
        guests = [Guest(room.port, 'poll', random.Random(seed + 40), proxied=True, tls=tls), Stream(room.port, 'stream', tls=tls)]
        speaker = Guest(room.port, 'speaker', random.Random(seed + 41), proxied=True, tls=tls)
        while not speaker.token:
            speaker.poll(wait=0)
        done, said = threading.Event(), []
        threads = [threading.Thread(target=g.hear, args=[done], daemon=True) for g in guests]
        for t in threads:
            t.start()
        while len(said) < 60 or guests[0].cuts < 5 and threads[0].is_alive():  # enough of both, however fast they are
            said.append(f'{len(said)} ' + '你好' * (len(said) % 60))
            assert speaker.do(do='say', id=str(len(said)), text=said[-1])[0]['offset'] == len(said)
        until(lambda: all(len(g.heard) >= len(said) for g in guests), words='all is heard')
        done.set()
        room.tcp().say('the end')
        for t in threads:
            t.join(20 * SLOW)
        for g in guests:
            g.close()
            assert [e['text'] for e in g.heard][:len(said)] == said, g.me
        assert speaker.cuts
        speaker.close()


# ---- others ----

@case
def a_client_of_version_1_0_polls_and_speaks():
    with Room() as room:
        a = tell(room, 'hi')

        def ask(text):
            s = room.dial()
            s.sendall(text.encode())
            head, _, body = duplexlib.recv_all(s).partition(b'\r\n\r\n')
            assert b'chunked' not in head and head.split()[1] == b'200', head
            return json.loads(body)
        first = ask('GET /~r/lobby?poll&last=5 HTTP/1.0\r\nHost: localhost\r\nDuplex-Me: old\r\n\r\n')
        assert [e['is'] for e in first] == ['welcome', 'who', 'msg', 'at'], first
        body = '{"do":"say","id":"1","text":"from 1990"}'
        answer = ask(f'POST /~r/lobby HTTP/1.0\r\nHost: localhost\r\nDuplex-Me: old\r\nDuplex-Token: {first[0]["token"]}\r\n'
                     f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}')
        assert answer == [{'is': 'ack', 'id': '1', 'offset': 2}], answer
        assert a.hear().endswith(': from 1990')


@case
def who_may_speak_and_who_may_hear():
    with Room() as room:
        ours = {'Duplex-Me': 'm', 'Accept': 'application/json'}
        status, head, body = room.get('/~r/lobby?wait=0', **ours)
        token = json.loads(body)[0]['token']
        assert status == 200 and 'nosniff' in head and 'Cross-Origin-Resource-Policy: same-origin' in head, head
        says = ours | {'Content-Type': 'application/json', 'Duplex-Token': token, 'Content-Length': '0'}
        # With no object in it, what is let in is answered 200 and an error of the room's.
        for status, change in [(200, {}), (415, {'Content-Type': 'text/plain'}), (415, {'Content-Type': None}),
                               (415, {'Content-Type': 'application/x-www-form-urlencoded'}),
                               (403, {'Duplex-Token': None}), (403, {'Duplex-Token': token[:-1]}), (403, {'Duplex-Token': token + 'x'}),
                               (403, {'Sec-Fetch-Site': 'cross-site'}), (403, {'Sec-Fetch-Site': 'same-site'}),
                               (200, {'Sec-Fetch-Site': 'same-origin'}), (200, {'Sec-Fetch-Site': 'none'}),
                               (403, {'Origin': 'http://evil.example'}), (403, {'Origin': 'null'}),
                               (200, {'Origin': f'http://127.0.0.1:{room.port}'}), (403, {'Origin': 'http://127.0.0.1:1'}),
                               (421, {'Host': 'evil.example'}), (400, {'Duplex-Me': None}), (400, {'Duplex-Me': 'x' * 65})]:
            got = room.get('/~r/lobby', method='POST', **(says | change))
            assert got[0] == status and 'Access-Control' not in got[1], (change, got)
        for status, change in [(403, {'Sec-Fetch-Site': 'cross-site'}), (403, {'Origin': 'http://evil.example'}), (421, {'Host': 'x'})]:
            for accept in 'application/json', 'text/event-stream':
                got = room.get('/~r/lobby?wait=0', **(ours | change | {'Accept': accept}))
                assert got[0] == status and 'Access-Control' not in got[1], (change, got)
        got = room.get('/~r/lobby', method='OPTIONS', Origin='http://evil.example', **{'Access-Control-Request-Method': 'POST'})
        assert got[0] == 405 and 'Access-Control' not in got[1], got


@case
def a_server_that_ends_leaves_nobody_waiting():
    with Room() as room:
        g = Guest(room.port, 'g')
        while g.poll(wait=1) != []:  # till nothing is new
            pass
        g.close()
        two = [room.dial(), room.dial()]
        for s in two:
            s.sendall(f'GET {g.path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n'
                      f'Duplex-Me: g\r\nLast-Event-ID: {g.at}\r\n\r\n'.encode())
        first, *_ = select.select(two, [], [], 10 * SLOW)[0]
        assert b' 409 ' in first.recv(65536)  # so the other waits
        stream = room.dial()
        stream.sendall(b'GET /~r/lobby HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n')
        while b'welcome' not in stream.recv(65536):
            pass
        room.p.interrupt(signal.SIGTERM)
        assert b' 503 ' in next(s for s in two if s is not first).recv(65536)
        assert duplexlib.recv_all(stream).endswith(b'0\r\n\r\n')
        for s in (*two, stream):
            s.close()
        assert room.p.wait() == 0, room.p.err


tap.run()
