#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""WebSockets of dial and listen: their options, and other people's WebSockets as peers, with permessage-deflate and without."""
import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess

from duplexlib import SLOW, Process, run as duplex, start
from needs import needs, websockets
from tap import Skip, case, run
from wslib import BINARY, CLOSE, PING, PONG, TEXT, accept, close_body, dial, read_head

WS_CLIENT = os.environ.get('WS_CLIENT') or str(pathlib.Path(__file__).resolve().parents[2] / 'build/tests/e2e/ws_client')
SAMPLE = ['', 'hello', '你好, ' * 50, 'x' * 100000]


def listener():
    s = socket.create_server(('127.0.0.1', 0))
    s.settimeout(20 * SLOW)
    return s, f'ws://127.0.0.1:{s.getsockname()[1]}/'


# ---- options ----

@case
def text_and_binary_are_chosen():
    for option, op in ((None, BINARY), ('--binary', BINARY), ('--text', TEXT)):
        s, url = listener()
        with s:
            p = start('dial', url, *[option] * (option is not None), ready=None)
            e, _ = accept(s)
            p.stdin.write('你好\n'.encode())
            got = e.next()
            assert got == (op, '你好'.encode() + b'\n' * (op == BINARY)), (option, got)
            p.kill()


@case
def with_text_what_is_no_utf8_ends_it():
    with start('listen', 'ws://127.0.0.1:0', '--echo') as p:
        r = duplex('dial', p.url, '--text', input=b'\xff\n')
        assert r.code and 'UTF-8' in r.err, r


@case
def a_close_has_the_code_and_reason_that_were_asked_for():
    s, url = listener()
    with s:
        p = start('dial', '-v', url, '--close', '4001:够了', '--idle-ends', '50ms', ready=None)
        e, _ = accept(s)
        p.end_input()
        assert e.next() == (CLOSE, close_body(4001, '够了'.encode()))
        e.send(e.frame(CLOSE, close_body(4001)))
        e.sock.close()
        assert p.wait() == 0, p.err
        p.said(r"the peer's Close: 4001\n")


@case
def the_peers_code_and_reason_are_shown():
    s, url = listener()
    with s:
        for code, exit_code in ((1000, 0), (1001, 0), (4002, None)):
            p = start('dial', '--json', url, ready=None)
            e, _ = accept(s)
            e.send(e.frame(CLOSE, close_body(code, b'so\x1b[1m')))
            assert e.next() == (CLOSE, close_body(code))
            e.sock.close()
            r = p.wait()
            assert (r == exit_code) if exit_code is not None else r, (code, r, p.err)
            out = p.stdout.read().decode()
            assert f'"ws_close":{code},"ws_reason":"so\\u001b[1m"' in out, out
            assert exit_code == 0 or re.search(r'4002 so', p.err), p.err
            assert '\x1b' not in p.err


@case
def a_dial_is_tried_again_after_what_is_for_now():
    s, url = listener()
    with s:
        p = start('dial', url, '--retry', ready=None)
        c, _ = s.accept()
        with c:
            read_head(c)
            c.sendall(b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
        e, _ = accept(s)
        e.send(e.frame(CLOSE, close_body(1012, b'back soon')))
        assert e.next() == (CLOSE, close_body(1012))
        e.sock.close()
        e, _ = accept(s)
        e.send(e.frame(BINARY, b'here again\n'))
        assert p.stdout.readline() == b'here again\n', p.err
        e.sock.close()
        p.kill()
        p.said(r'503.*again')
        p.said(r'has ended; dialling again')


@case
def a_silent_peer_is_pinged_and_given_up():
    s, url = listener()
    with s:
        p = start('dial', url, '--ping', '100ms', ready=None)
        e, _ = accept(s)
        got = e.next()
        assert got == (PING, b''), got
        e.send(e.frame(PONG))
        assert e.next() == (PING, b''), 'and again, after an answer'
        assert e.next()[0] == CLOSE
        e.sock.close()
        assert p.wait() == 28, p.err
        assert 'answered no ping' in p.err, p.err


@case
def ping_0_never_asks():
    with start('listen', 'ws://127.0.0.1:0', '--echo', '--ping', '0') as p:
        e, _ = dial(p.url)
        with e.sock:
            e.sock.settimeout(0.3)
            try:
                got = e.next()
            except TimeoutError:
                got = None
            assert got is None, got


@case
def a_dial_says_header_fields_and_subprotocols():
    s, url = listener()
    with s:
        p = start('dial', url + '/名字', '--header', 'Cookie: a=b', '--header', 'X-Two:2', '--subprotocol', 'chat,mqtt', ready=None)
        with accept(s)[0].sock:
            pass
        p.kill()
        p = start('dial', url, '--header', 'Cookie: a=b', '--header', 'X-Two:2', '--subprotocol', 'chat,mqtt', ready=None)
        e, head = accept(s)
        assert head['cookie'] == 'a=b' and head['x-two'] == '2' and head['sec-websocket-protocol'] == 'chat,mqtt', head
        e.sock.close()
        p.kill()
    for bad in ('no colon', 'Host: x', 'Sec-WebSocket-Key: x', ': x', 'a b: c'):
        r = duplex('dial', 'ws://127.0.0.1:1', '--header', bad)
        assert r.code == 2 and r.err, (bad, r)


@case
def a_listener_chooses_a_subprotocol():
    with start('listen', 'ws://127.0.0.1:0', '--echo', '--subprotocol', 'v2,v1') as p:
        for offered, chosen in (('v1', 'v1'), ('v1, v2', 'v2'), ('v3', None)):
            e, head = dial(p.url, Sec_WebSocket_Protocol=offered)
            e.sock.close()
            assert head.get('sec-websocket-protocol') == chosen, (offered, head)


@case
def a_wrong_version_is_told_the_right_one():
    with start('listen', 'ws://127.0.0.1:0', '--echo') as p:
        for version in ('12', '14', '013'):
            with p.connect() as s:
                s.sendall(f'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {version}'
                          '\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'.encode())
                status, head = read_head(s)
                assert ' 426 ' in status and head['sec-websocket-version'] == '13' and head['upgrade'] == 'websocket', (status, head)


@case
def events_say_which_kind_a_message_is():
    with start('listen', 'ws://127.0.0.1:0', '--echo') as p:
        for args, kind in ((('--text',), 'text'), ((), 'binary'), (('--frame', 'line'), 'text'), (('--send', 'one'), 'binary')):
            r = duplex('dial', '--json', *args, p.url, '--idle-ends', '200ms', input=b'' if '--send' in args else b'one\n')
            data = [e for e in map(json.loads, r.out.splitlines()) if e['event'] == 'data']
            assert [(e['way'], e.get('kind'), 'part' in e) for e in data] == [('out', kind, False), ('in', kind, False)], (args, r)


@case
def another_path_is_told_the_right_one():
    with start('listen', 'ws://127.0.0.1:0/chat', '--echo') as p:
        for path, code in (('/', b' 404 '), ('/chat/', b' 404 '), ('/chat', b' 426 '), ('/chat?x', b' 426 ')):
            with p.connect() as s:
                s.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
                said = b''.join(iter(lambda s=s: s.recv(4096), b''))
                assert code in said[:20] and b'a WebSocket at /chat,' in said, said


@case
def options_that_do_not_fit_are_said():
    for args in (('dial', 'tcp://127.0.0.1:1', '--deflate'), ('dial', 'ws://127.0.0.1:1', '--text', '--binary'),
                 ('dial', 'ws://127.0.0.1:1', '--close', '999'), ('dial', 'ws://127.0.0.1:1', '--close', '1005'),
                 ('dial', 'ws://127.0.0.1:1', '--close', 'x'), ('dial', 'ws://127.0.0.1:1', '--deflate-with', 'x'),
                 ('listen', 'udp://127.0.0.1:0', '--ping', '1s'), ('listen', 'ws://127.0.0.1:0', '--echo', '--close', '1000')):
        r = duplex(*args)
        assert r.code == 2 and r.err, (args, r)


@case
def deflate_between_two_of_ours():
    words = b'the same words again and again\n' * 4000
    for more in ((), ('--deflate-with', 'server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8')):
        with start('listen', '-v', 'ws://127.0.0.1:0', '--echo', '--deflate') as p:
            r = duplex('dial', '-v', p.url, '--deflate', *more, '--idle-ends', '300ms', input=words)
            assert r.out == words and r.code == 0 and 'permessage-deflate' in r.err, r
            p.said('permessage-deflate')


# ---- Python's websockets ----

def extensions_of(c):
    return c.extensions if hasattr(c, 'extensions') else c.protocol.extensions  # before and since its version 14


def talk(url, **how):
    ws = websockets()

    async def one():
        async with ws.connect(url, max_size=None, ping_interval=None, **how) as c:
            for text in SAMPLE * 2:
                await c.send(text)
                assert await c.recv() == text
                await c.send(text.encode())
                assert await c.recv() == text.encode()
            await c.send(['in ', 'three ', 'parts'])
            assert await c.recv() == 'in three parts'
            await (await c.ping(b'there?'))
            await c.close(4123, 'enough')
            return extensions_of(c), c.close_code
    return asyncio.run(asyncio.wait_for(one(), 30 * SLOW))


def factories():
    websockets()
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as F
    return [F(), F(client_max_window_bits=True), F(server_max_window_bits=9, client_max_window_bits=10),
            F(server_no_context_takeover=True), F(client_no_context_takeover=True)]


@case
def pythons_client_talks_packed_and_not():
    with start('listen', 'ws://127.0.0.1:0', '--echo', '--deflate') as p:
        assert talk(p.url, compression=None)[1] == 4123
        for f in factories():
            extensions, code = talk(p.url, extensions=[f], compression=None)
            assert extensions and code == 4123, (extensions, code)


@case
def a_dial_talks_packed_with_pythons_server():
    ws = websockets()

    async def serve(c):
        seen.append([e.name for e in extensions_of(c)])
        async for m in c:
            await c.send(m)

    async def one():
        async with ws.serve(serve, '127.0.0.1', 0) as s:
            url = f'ws://127.0.0.1:{s.sockets[0].getsockname()[1]}/'
            return await asyncio.to_thread(duplex, 'dial', url, '--deflate', '--idle-ends', '500ms', input=data)
    seen, data = [], b'words and words and words\n' * 9000
    r = asyncio.run(one())
    assert r.out == data and r.code == 0 and seen == [['permessage-deflate']], (seen, r)


# ---- node's ws ----

# Whole messages, messages in parts with a ping between them, all at once and one after the other; says what it was closed with.
BOTH_JS = """
const W = require('ws'), big = 'a few different words, '.repeat(20000), bytes = require('crypto').randomBytes(200000);
const all = ['', 'hello', '你好, '.repeat(50), 'x'.repeat(100000), big, '', Buffer.from('hello'), bytes, Buffer.alloc(0), 'hello'];
const parts = [['in ', '', 'three ', 'parts'], [big, big], [bytes, bytes.subarray(1), Buffer.from([7])], ['', '']];
const whole = p => typeof p[0] === 'string' ? p.join('') : Buffer.concat(p), want = [...all, ...parts.map(whole)];
const is = (m, binary, w) => binary === (typeof w !== 'string') && m.equals(Buffer.from(w));
function talk(c, end) { // the other side says back what it hears
    let n = 0, pongs = 0;
    c.on('message', (m, binary) => {
        if (!is(m, binary, want[n % want.length])) { console.log('wrong', n); process.exit(1); }
        if (++n < want.length) return;
        if (n < 2 * want.length) say(n - want.length); else if (pongs === 2 * parts.length) end();
    });
    c.on('pong', m => { if (m.toString() === 'there?' && ++pongs === 2 * parts.length && n === 2 * want.length) end(); });
    const say = i => {
        if (i < all.length) return c.send(all[i]);
        parts[i - all.length].forEach((p, k, of) => { c.send(p, {fin: k === of.length - 1}); if (k === 0) c.ping('there?'); });
    };
    want.forEach((_, i) => say(i));
    c.on('close', (code, why) => console.log('closed', code, why.toString() || '-', c.extensions));
}
"""
CLIENT_JS = BOTH_JS + """
const c = new W(process.argv[1], {perMessageDeflate: JSON.parse(process.argv[2])});
c.on('open', () => talk(c, () => c.close(4123, 'enough')));
"""
# It talks so on /talk, and is an echo elsewhere.
SERVER_JS = BOTH_JS + """
const s = new W.WebSocketServer({host: '127.0.0.1', port: 0, perMessageDeflate: JSON.parse(process.argv[1])});
s.on('listening', () => console.log(s.address().port));
s.on('connection', (c, q) => {
    if (q.url === '/talk') return talk(c, () => c.close(4321, '够了'));
    c.on('message', (m, binary) => c.send(m, {binary}));
    c.on('ping', m => console.log('ping', m.length));
    c.on('close', (code, why) => console.log('closed', code, why.toString() || '-', c.extensions));
});
"""
HEARS_JS = """
const c = new (require('ws'))(process.argv[1]);
c.on('message', m => console.log('heard', m.toString()));
c.on('close', (code, why) => console.log('closed', code, why.toString() || '-'));
"""


def node(*args):
    needs('node')
    env = os.environ | {'NODE_PATH': '/usr/share/nodejs'}
    if not hasattr(node, 'there'):
        node.there = subprocess.run(['node', '-e', "require('ws')"], env=env, capture_output=True).returncode == 0
    if not node.there:
        raise Skip("no node's ws here")
    return Process(['node', '-e', *args], env=env)


HOWS = (False, {'threshold': 0}, {'threshold': 0, 'serverMaxWindowBits': 9, 'clientMaxWindowBits': 10},
        {'threshold': 0, 'serverNoContextTakeover': True, 'clientNoContextTakeover': True})


@case
def nodes_client_talks_packed_and_not():
    with start('listen', 'ws://127.0.0.1:0', '--echo', '--deflate') as p:
        for how in HOWS:
            with node(CLIENT_JS, p.url, json.dumps(how)) as n:
                assert n.wait(30) == 0, n.err
                out = n.stdout.read().decode()
                assert out.startswith('closed 4123') and (not how) != ('permessage-deflate' in out), (how, out)


@case
def nodes_client_is_told_our_close():
    with start('listen', 'ws://127.0.0.1:0', '--text', '--close', '4001:够了') as p, node(HEARS_JS, p.url) as n:
        p.stdin.write(b'hi\n')
        assert n.stdout.readline() == b'heard hi\n'
        p.end_input()
        assert n.stdout.readline().decode() == 'closed 4001 够了\n'
        assert p.wait() == 0, p.err


def node_server(how):
    n = node(SERVER_JS, json.dumps(how))
    return n, f'ws://127.0.0.1:{n.stdout.readline().decode().strip()}'


@case
def our_client_talks_packed_and_not_with_nodes_server():
    for how, deflate in zip(HOWS, ([], [''], ['server_max_window_bits=9'], ['client_no_context_takeover'])):
        n, url = node_server(how)
        with n, Process([WS_CLIENT, url + '/talk', '1', *deflate]) as p:
            assert p.wait(30) == 0, p.err
            said, out = p.stdout.read().decode(), n.stdout.readline().decode()
            assert said.split()[1] == '4321' and said.endswith(' 够了\n'), said
            assert out.startswith('closed 4321 ') and (not how) != ('permessage-deflate' in out), (how, out)


@case
def a_dial_talks_packed_with_nodes_server():
    n, url = node_server({'threshold': 0})
    data = b'words and words and words\n' * 9000
    with n:
        r = duplex('dial', '-v', url, '--deflate', '--idle-ends', '500ms', '--close', '4001:够了', input=data)
        assert r.out == data and r.code == 0 and 'permessage-deflate' in r.err, r
        assert n.stdout.readline().decode().startswith('closed 4001 够了 permessage-deflate')


@case
def nodes_server_answers_our_pings():
    n, url = node_server(False)
    with n, start('dial', '--ping', f'{SLOW}s', url, ready=None) as d:
        assert n.stdout.readline() == b'ping 0\n'  # and it is not given up
        d.stdin.write(b'hi')
        assert d.stdout.read(2) == b'hi', d.err


run()
