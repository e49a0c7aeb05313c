#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""RFC 6455 section 4, both halves of the opening handshake over plain sockets: what must be there, what may not be there twice, and
what an answer may not choose."""
import base64
import os
import select
import socket

from duplexlib import SLOW, Process, connect, run as duplex, start
from tap import case, run
from wslib import CLOSE, KEY, TEXT, End, accept_of, close_body, read_head

CLIENT = os.environ.get('WS_CLIENT', 'build/tests/e2e/ws_client')

# ---- the server's half ----

ASK = {'Host': 'x', 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY}
SERVER = []


def server():
    if not SERVER:
        SERVER.append(start('listen', 'ws://127.0.0.1:0/', '--echo', '--deflate', '--subprotocol', 'chat,v2', '--ping', '0'))
    return SERVER[0].url


def ask(more=(), line='GET / HTTP/1.1', url=None, **changed):
    """The status and the fields of the answer. changed: None leaves a field out."""
    fields = {**ASK, **{k.replace('_', '-'): v for k, v in changed.items()}}
    lines = [line] + [f'{k}: {v}' for k, v in fields.items() if v is not None] + list(more)
    with connect(url or server(), 20) as s:
        s.sendall('\r\n'.join(lines + ['', '']).encode())
        status, head = read_head(s)
        if status.split()[1] == '101':
            e = End(s, True)
            e.send(e.frame(TEXT, b'hello') + e.frame(CLOSE, close_body(1000)))
            assert e.next() == (TEXT, b'hello') and e.next() == (CLOSE, close_body(1000))
        return int(status.split()[1]), head


def all_are(status, *asked):
    for how in asked:
        got = ask(**how)[0]
        assert got == status, (how, got)


@case
def a_whole_handshake_is_answered_with_101():
    status, head = ask()
    assert status == 101 and head['upgrade'].lower() == 'websocket' and head['connection'].lower() == 'upgrade', head
    assert head['sec-websocket-accept'] == accept_of(KEY) == 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', head
    assert 'sec-websocket-protocol' not in head and 'sec-websocket-extensions' not in head, head


@case
def names_and_keywords_come_in_any_case():
    all_are(101, {'Upgrade': 'WebSocket', 'Connection': 'keep-alive, uPgRaDe'}, {'Upgrade': 'foo/2, websocket'},
            {'Upgrade': None, 'more': ['upgrade: websocket']}, {'line': 'GET http://x/ HTTP/1.1'})


@case
def what_is_no_upgrade_is_told_so():
    all_are(426, {'Upgrade': None}, {'Upgrade': 'h2c'}, {'Connection': None}, {'Connection': 'keep-alive'},
            {'line': 'GET / HTTP/1.0'})


@case
def a_handshake_without_its_parts_is_refused():
    all_are(400, {'Host': None}, {'line': 'POST / HTTP/1.1'}, {'line': 'HEAD / HTTP/1.1'}, {'Sec_WebSocket_Key': None})
    all_are(404, {'line': 'GET /else HTTP/1.1'})


@case
def a_key_is_16_bytes_in_base64():
    all_are(400, *({'Sec_WebSocket_Key': k} for k in (
        '', 'x', 'dGhlIHNhbXBsZSBub25jZQ=', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25j', 'dGhl IHNhbXBsZSBub25jZQ==',
        'dGhlIHNhbXBsZSBub25jZQAA', '!GhlIHNhbXBsZSBub25jZQ==')))


@case
def key_and_version_come_once():
    all_are(400, {'more': [f'Sec-WebSocket-Key: {KEY}']}, {'more': ['Sec-WebSocket-Version: 13']})


@case
def another_version_is_told_13():
    for version in ('12', '14', '0', '013', '13, 12', '', None):
        status, head = ask(Sec_WebSocket_Version=version)
        assert status == 426 and head['sec-websocket-version'] == '13', (version, status, head)
    for command, path in ((('listen', 'any://127.0.0.1:0'), '/'), (('serve', '--listen', 'any://127.0.0.1:0'), '/~r/lobby')):
        with start(*command) as p:
            status, head = ask(url=p.url, line=f'GET {path} HTTP/1.1', Host='127.0.0.1', Sec_WebSocket_Version='12')
            assert status == 426 and head['sec-websocket-version'] == '13' and head['upgrade'] == 'websocket', (command, status, head)


@case
def subprotocols_are_tokens_each_once():
    for wish, chosen in (('chat', 'chat'), ('v1, v2', 'v2'), ('v2,chat', 'chat'), (' , v2', 'v2'), ('v1', None), ('CHAT', None), ('cha', None)):
        status, head = ask(Sec_WebSocket_Protocol=wish)
        assert status == 101 and head.get('sec-websocket-protocol') == chosen, (wish, status, head)
    status, head = ask(['Sec-WebSocket-Protocol: v1', 'Sec-WebSocket-Protocol: v2'])
    assert status == 101 and head['sec-websocket-protocol'] == 'v2', head
    all_are(400, *({'Sec_WebSocket_Protocol': p} for p in ('', ',', 'a b', 'a/b', 'chat, "v2"', 'v1, v1', 'chat;q=1')))
    all_are(400, {'more': ['Sec-WebSocket-Protocol: v1', 'Sec-WebSocket-Protocol: v2, v1']})


@case
def extensions_that_do_not_read_are_refused():
    for offer in ('x-other', 'x-other; a="b", permessage-bzip2', 'x; a; b = "c\\d" ,', ',x'):
        status, head = ask(Sec_WebSocket_Extensions=offer)
        assert status == 101 and 'sec-websocket-extensions' not in head, (offer, status, head)
    all_are(400, *({'Sec_WebSocket_Extensions': x} for x in (
        '', ',', ';', 'a;', 'a; ;b', 'a b', 'a; b c', 'a; b=', 'a; =b', 'a; b="', 'a; b="c d"', 'a; b=""', 'a; b="c"d', 'a="b"', 'a, b/c',
        'permessage-deflate; server_max_window_bits=', 'permessage-deflate;')))
    all_are(400, {'more': ['Sec-WebSocket-Extensions: permessage-deflate', 'Sec-WebSocket-Extensions: ;']})


@case
def one_extension_is_chosen_from_several_fields():
    status, head = ask(['Sec-WebSocket-Extensions: x-other; a=1', 'Sec-WebSocket-Extensions: permessage-deflate'])
    assert status == 101 and head['sec-websocket-extensions'] == 'permessage-deflate', head


@case
def a_page_from_elsewhere_is_refused():
    all_are(403, {'Origin': 'http://elsewhere'}, {'Origin': 'null'}, {'Origin': 'http://x.elsewhere'}, {'Origin': 'http://x:81'})
    all_are(101, {'Origin': 'http://x'}, {'Origin': 'https://x'})


# ---- the client's half ----

GOOD = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: {accept}']
UPGRADE, CONNECTION, ACCEPT = GOOD


def answered(*lines, status='HTTP/1.1 101 Switching Protocols', wish='-', protocols='-'):
    """What ws_client says of its end, where a server answers so; a Close is then said to a client that takes it."""
    with socket.create_server(('127.0.0.1', 0)) as s:
        p = Process([CLIENT, f'ws://127.0.0.1:{s.getsockname()[1]}/', '1', wish, protocols])
        s.settimeout(20 * SLOW)
        c, _ = s.accept()
        with c:
            c.settimeout(20 * SLOW)
            _, head = read_head(c)
            c.sendall('\r\n'.join([status, *lines, '', '']).format(accept=accept_of(head['sec-websocket-key'])).encode())
            e = End(c, False)
            e.send(e.frame(CLOSE, close_body(4000)))
            got = e.next()
        said = p.stdout.readline().decode()
        p.kill()
        assert (got == (CLOSE, close_body(4000))) == ('4000' in said), (got, said)
        return said


def fails(*lines, **how):
    said = answered(*lines, **how)
    assert said.startswith('-10 0 '), (lines, how, said)
    return said


def stands(*lines, **how):
    said = answered(*lines, **how)
    assert '-10 4000 ' in said, (lines, how, said)


@case
def an_answer_as_it_must_be_is_taken():
    stands(*GOOD)
    stands('upgrade: WebSocket', 'CONNECTION: keep-alive, upgrade', 'sec-websocket-accept:   {accept}  ', 'X-Other: 1')


@case
def no_101_is_no_websocket():
    for status in ('HTTP/1.1 200 OK', 'HTTP/1.1 302 Found', 'HTTP/1.1 401 Unauthorized', 'HTTP/1.1 426 Upgrade Required', 'HTTP/1.1 404 Not Found'):
        assert status[9:12] in fails(*GOOD, status=status)
    fails(*GOOD, status='HTTP/1.0 101 Switching Protocols')
    fails(*GOOD, status='HELO')


@case
def an_answer_has_its_upgrade():
    fails(CONNECTION, ACCEPT)
    fails('Upgrade: h2c', CONNECTION, ACCEPT)
    fails('Upgrade: websocket, h2c', CONNECTION, ACCEPT)
    fails('Upgrade: h2c', *GOOD)
    fails(UPGRADE, ACCEPT)
    fails(UPGRADE, 'Connection: close', ACCEPT)


@case
def the_accept_is_the_keys_and_comes_once():
    fails(UPGRADE, CONNECTION)
    for wrong in ('', 'x', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', '{accept}x', '{accept}, {accept}'):
        fails(UPGRADE, CONNECTION, f'Sec-WebSocket-Accept: {wrong}')
    fails(*GOOD, ACCEPT)


@case
def a_subprotocol_must_have_been_offered():
    stands(*GOOD, 'Sec-WebSocket-Protocol: b', protocols='a, b')
    stands(*GOOD, protocols='a, b')
    for wrong in ('c', 'A', '', 'a, b', 'a b', 'ab'):
        fails(*GOOD, f'Sec-WebSocket-Protocol: {wrong}', protocols='a, b')
    fails(*GOOD, 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: a', protocols='a, b')
    fails(*GOOD, 'Sec-WebSocket-Protocol: a')
    fails(*GOOD, 'Sec-WebSocket-Protocol: ')


@case
def an_extension_must_have_been_offered():
    stands(*GOOD, 'Sec-WebSocket-Extensions: permessage-deflate', wish='')
    fails(*GOOD, 'Sec-WebSocket-Extensions: permessage-deflate')
    fails(*GOOD, 'Sec-WebSocket-Extensions: ')
    fails(*GOOD, 'Sec-WebSocket-Extensions: ', wish='')
    fails(*GOOD, *['Sec-WebSocket-Extensions: permessage-deflate'] * 2, wish='')
    fails(*GOOD, 'Sec-WebSocket-Extensions: permessage-deflate, x-other', wish='')
    fails(*GOOD, 'Sec-WebSocket-Extensions: permessage-deflate;', wish='')


def asks(path='/', *options):
    """The request of a dial: its line, its fields, and what came behind them before there was an answer."""
    with socket.create_server(('127.0.0.1', 0)) as s:
        p = start('dial', f'ws://127.0.0.1:{s.getsockname()[1]}{path}', '--send', 'too early', *options, ready=None)
        s.settimeout(20 * SLOW)
        c, _ = s.accept()
        with c:
            c.settimeout(20 * SLOW)
            line, head = read_head(c)
            early = bool(select.select([c], [], [], 0.1)[0])
        p.kill()
        return line, head, early


@case
def a_dial_asks_as_it_must():
    keys = set()
    for _ in range(4):
        line, head, early = asks()
        assert line == 'GET / HTTP/1.1' and head['upgrade'] == 'websocket' and head['connection'] == 'Upgrade', (line, head)
        assert head['sec-websocket-version'] == '13' and head['host'].startswith('127.0.0.1:') and 'origin' not in head, head
        assert 'sec-websocket-protocol' not in head and 'sec-websocket-extensions' not in head, head
        assert not early, 'something was said before the answer'
        assert len(base64.b64decode(head['sec-websocket-key'], validate=True)) == 16, head
        keys.add(head['sec-websocket-key'])
    assert len(keys) == 4, 'a key that was there before'


@case
def the_resource_name_is_path_and_query():
    for path, want in (('', '/'), ('/a/b', '/a/b'), ('/a?b=c&d', '/a?b=c&d'), ('/?q', '/?q'), ('/%23x', '/%23x'), ('/a#ttl=9', '/a'), ('/ü?q=你', '/%C3%BC?q=%E4%BD%A0')):
        line, _, _ = asks(path)
        assert line == f'GET {want} HTTP/1.1', (path, line)


@case
def subprotocols_to_offer_are_tokens_each_once():
    _, head, _ = asks('/', '--subprotocol', 'a, b')
    assert head['sec-websocket-protocol'] == 'a, b', head
    for bad in ('a b', 'a/b', ',', 'a,,b', 'a,', 'a, a', 'ü'):
        r = duplex('dial', 'ws://127.0.0.1:1/', '--subprotocol', bad)
        assert r.code == 2 and 'subprotocol' in r.err, (bad, r)


run()
