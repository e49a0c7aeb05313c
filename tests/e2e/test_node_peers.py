#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_node_peers.py - node's http client and its fetch (node_http.js) against the library's server, `serve DIR` and the room."""
import contextlib
import hashlib
import os
import pathlib
import random
import subprocess

import pki
from duplexlib import Process, host_port, run as duplex, start, temp, until
from members import Room
from needs import needs
from tap import case, run

HERE = pathlib.Path(__file__).resolve().parent
SERVER = os.environ.get('HTTP_SERVER') or str(HERE.parents[1] / 'build/tests/e2e/http_server')
BIG = random.Random(5).randbytes(3 << 19)
TEXT = b'a line that shrinks well\n' * 40000


@contextlib.contextmanager
def serving(url='http://127.0.0.1:0'):
    needs('node')
    with Process([SERVER, url]) as p:
        p.said('listening .*\n')
        yield p


def node(what, url, *more):
    r = duplex(f'NODE_EXTRA_CA_CERTS={pki.ca().cert}', 'node', HERE / 'node_http.js', what, url.rstrip('/'), *more, program=['env'])
    assert r.code == 0, r.err


def asks_in_every_way(url):
    with serving(url) as p:
        node('plain,kept,trailers,expects,told_first,refused_while_it_sends,slow_reader,fetches', p.url)
        until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) < 20, words='the server holds no connection of its')


@case
def it_asks_in_every_way():
    asks_in_every_way('http://127.0.0.1:0')


@case
def it_asks_in_every_way_over_tls():
    leaf = pki.leaf('good')
    asks_in_every_way(f'https://127.0.0.1:0/#cert={leaf.chain},key={leaf.key}')


@case
def a_request_that_it_gives_up_is_told():
    with serving() as p:
        node('gone', p.url)
        said = {p.stdout.readline().decode().split()[0] for _ in range(2)}
        assert said == {'/up', '/big'}, said
        until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) < 20, words='the server holds no connection of its')


@case
def it_reads_a_folder():
    needs('node')
    d = pathlib.Path(temp())
    (d / 'big.bin').write_bytes(BIG)
    (d / 'text.txt').write_bytes(TEXT)
    with start('serve', '--listen', 'any://127.0.0.1:0', str(d), stdin=subprocess.DEVNULL) as p:
        node('folder', 'http://%s:%d' % host_port(p.urls[0]), *(hashlib.sha1(x).hexdigest() for x in (BIG, TEXT)))
        until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) < 40, words='the server holds no connection of its')


@case
def it_is_in_the_room():
    needs('node')
    with Room() as room:
        page = room.json(last=0)
        page.gets('welcome')
        node('room', f'http://127.0.0.1:{room.port}')
        assert [page.gets('msg')['text'] for _ in range(50)] == [f'不要回答 {i + 1}' for i in range(50)]


run()
