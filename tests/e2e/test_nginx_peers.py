#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_nginx_peers.py - nginx between us and the others: in front of the room, of `serve DIR` and of WebSockets, and behind fetch and dial. It
is reloaded and killed while it works."""
import contextlib
import threading

from duplexlib import SLOW, until
from guests import Guest, Stream
from members import Room
from nginxlib import PASS, nginx
from tap import case, run

ROOM = f'location / {{ {PASS} }}'
# What somebody writes who knows no more than proxy_pass: HTTP/1.0, a connection each, and everything is buffered.
PLAIN = 'location / { proxy_pass http://us; proxy_set_header Host $http_host; }'


# ---- the room ----

@case
def a_stream_of_events_is_not_held_back():
    for server in ROOM, PLAIN, 'gzip on; gzip_types *; gzip_proxied any; ' + PLAIN:
        with Room() as room, nginx(room.port, server) as n:
            heard, done = Stream(n.port, 'hearer', proxied=True), threading.Event()
            t = threading.Thread(target=heard.hear, args=[done], daemon=True)
            t.start()
            a = room.tcp()
            until(lambda: heard.welcomes, words='a welcome')
            for i in range(5):  # none is said before the one before it is there
                a.say(f'{i} 你好')
                until(lambda i=i: len(heard.heard) == i + 1)
            done.set()
            a.say('the end')
            t.join(10 * SLOW)
            assert heard.cuts == 0 and [e['text'] for e in heard.heard[:5]] == [f'{i} 你好' for i in range(5)], vars(heard)


@case
def nothing_is_lost_or_doubled_while_nginx_is_reloaded_and_killed():
    with Room() as room, contextlib.ExitStack() as stack:
        n = stack.enter_context(nginx(room.port, ROOM, patience=50))
        hearers = [kind(n.port, f'hearer {kind}', proxied=True) for kind in (Guest, Stream)]
        speaker, done, enough, faults, said = Guest(n.port, 'speaker', proxied=True), threading.Event(), threading.Event(), [], []

        def run_it(what, *args):
            try:
                what(*args)
            except Exception as e:
                faults.append(e)

        def speak():
            while not speaker.token:
                speaker.poll(wait=0)
            while not enough.is_set():
                said.append(f'said {len(said)} ' + '你好' * (len(said) % 30))
                assert speaker.do(do='say', id=str(len(said)), text=said[-1])[0]['is'] == 'ack'

        threads = [threading.Thread(target=run_it, args=args, daemon=True) for args in
                   [(speak,), *((g.hear, done) for g in hearers)]]
        for t in threads:
            t.start()

        def all_hear(more):
            want = [len(g.heard) + more for g in hearers]
            until(lambda: faults or all(len(g.heard) >= w for g, w in zip(hearers, want)), 30, 'the hearers hear')
        for i in range(8):
            all_hear(5)
            if i % 2:
                n.reload()
            else:
                n.kill()
                n = stack.enter_context(n.again())
        all_hear(5)
        enough.set()
        threads[0].join(20 * SLOW)
        until(lambda: faults or all(len(g.heard) >= len(said) for g in hearers), 30, 'all is heard')
        done.set()
        room.tcp().say('the end')  # which wakes who waits
        for t in threads:
            t.join(20 * SLOW)
        assert not faults, faults
        for g in hearers:
            assert [e['text'] for e in g.heard if e['text'] != 'the end'] == said, (g.me, len(said), len(g.heard))
            assert g.cuts >= 4, g.cuts


run()
