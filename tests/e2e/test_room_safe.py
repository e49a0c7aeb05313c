#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Safe on one port: what attackers across protocols try, in the order of the rules."""
import os
import signal
import socket
import subprocess
import sys
import time

import duplexlib
from duplexlib import SLOW, until
from members import Room, here
from strangers import FOREIGN, HEADS
from tap import Skip, case
import tap


def listener(room):
    """Hears all that the room hears, as events."""
    page = room.json()
    page.gets('welcome')
    return page


def nothing_of_it(page, room, word='canary'):
    room.tcp().say('the end of the test')
    while (m := page.gets('msg'))['text'] != 'the end of the test':
        assert word not in str(m), m
        yield m


@case
def a_request_cut_anywhere_never_becomes_speech():
    with Room() as room:
        page = listener(room)
        for pause in 0.02, 0.12, 0.45:  # within the sniffer's gap, past it, past the silence that makes a provisional member
            socks = []
            for head in HEADS:
                for cut in range(1, len(head)):
                    s = room.dial()
                    socks.append((s, head, cut))
                    s.sendall(head[:cut])
            time.sleep(pause)
            for s, head, cut in socks:
                try:
                    s.sendall(head[cut:])
                except OSError:
                    pass  # dropped already
            time.sleep(0.2)
            for s, *_ in socks:
                s.close()
        said = list(nothing_of_it(page, room))
        # a method's letters alone, and then a pause, are a word
        assert all(m['text'].strip().isupper() and m['text'].strip().isalpha() for m in said), [m['text'] for m in said]


@case
def a_request_after_silence_gets_an_honest_answer():
    with Room() as room:
        s = room.dial()
        time.sleep(0.5)
        room.tcp().say('words of the room')
        until(lambda: s.recv(100))  # it is a member: words stand before any reply
        s.sendall(HEADS[0])
        assert b'HTTP' not in duplexlib.recv_all(s)


@case
def first_packets_of_other_protocols_stay_out():
    with Room() as room:
        page = listener(room)
        for packet in FOREIGN.values():
            s = room.dial()
            s.sendall(packet)
            s.close()
        time.sleep(0.3)
        heard = [m['text'] for m in nothing_of_it(page, room, word='\0')]
        assert not heard, heard


DATAGRAMS = {
    'stun': FOREIGN['stun'], 'quic': b'\xc3\x00\x00\x00\x01\x08canary12\x00' + b'\x00' * 1200,
    'dtls': bytes.fromhex('16fefd0000000000000000') + b'\x00\x30\x01canary' + b'x' * 40,
    'dns': FOREIGN['dns'][2:], 'ssdp': b'M-SEARCH * HTTP/1.1\r\nHOST: canary\r\n\r\n', 'snmp': bytes.fromhex('302902010004') + b'\x06canary\x00',
}


@case
def datagrams_of_other_protocols_stay_out():
    with Room() as room:
        page = listener(room)
        for packet in DATAGRAMS.values():
            u = room.udp()
            u.s.send(packet)
        time.sleep(0.2)
        heard = [m['text'] for m in nothing_of_it(page, room, word='\0')]
        assert not heard, heard


@case
def a_foreign_origin_gets_403_and_its_own_gets_in():
    with Room() as room:
        here_url = f'http://127.0.0.1:{room.port}'
        for origin, want in (here_url, 101), ('http://evil.example', 403), ('null', 403), (here_url + '.evil.example', 403), \
                ('http://127.0.0.1', 403), ('file://', 403), (f'http://localhost:{room.port}', 403):
            w = room.ws(Origin=origin)
            assert w.status == want, (origin, w.status)
            w.close()
        assert room.ws(Host=f'localhost:{room.port}', Origin=f'http://localhost:{room.port}').status == 101


@case
def only_this_machines_names_are_hosts():
    with Room('--host', 'Chat.Example') as room:
        name, p = socket.gethostname(), room.port
        good = ['127.0.0.1', f'127.0.0.1:{p}', 'localhost', f'LOCALHOST:{p}', 'localhost:1', name, f'{name}.local'.replace('.local.local', '.local'),
                'chat.example', f'chat.example:{p}']
        bad = ['evil.example', '127.0.0.1.evil.example', '127.0.0.2', '0.0.0.0', f'0.0.0.0:{p}', 'localhost.', '127.1', '2130706433', '0x7f.1', '[::]',
               '[::ffff:127.0.0.1]', 'localhost.evil.example', 'evil.example:80', 'chat.example.', 'notchat.example']
        for host in good:
            assert room.get(Host=host)[0] == 200, host
            assert room.ws(Host=host).status == 101, host
        for host in bad:
            assert room.get(Host=host)[0] == 421, host
            assert room.ws(Host=host).status == 421, host
        assert room.get(Host=None)[0] == 400
        here = f'localhost:{p}'
        assert room.get(f'http://{here}/', Host=here)[0] == 200  # an absolute target, as to a proxy: this machine both times
        for target, host in (('http://evil.example/', here), (f'http://{here}/', 'evil.example'), ('http://evil.example/', 'evil.example')):
            assert room.get(target, Host=host)[0] == 421, (target, host)


@case
def the_page_is_strict_and_nothing_else_is_there():
    with Room() as room:
        status, head, body = room.get('/')
        for field in 'Content-Security-Policy: default-src \'none\'', 'X-Content-Type-Options: nosniff', 'Referrer-Policy: no-referrer', \
                'frame-ancestors \'none\'', 'ETag: "':
            assert field.lower() in head.lower(), (field, head)
        assert 'access-control' not in head.lower() and len(body) > 100
        for path in '/x', '/~x', '/../etc/passwd', '/%2e%2e/', '/~r/a/b', '/~r/' + 'x' * 65, '//', '/~up', '/favicon.ico':
            assert room.get(path)[0] == 404, path
        assert room.get('/nothing', 'PUT')[0] == 405 and room.get('/nothing', 'POST')[0] == 405
        assert room.get('/', 'POST')[0] == 405 and room.get('/', 'TRACE')[0] in (405, 501)
        assert room.get('/', 'HEAD')[2] == b''
        assert room.get('/~r/lobby')[0] == 426


@case
def speech_without_an_end_gets_one_line_and_is_closed():
    with Room() as room:
        page = listener(room)
        s = room.dial()
        try:
            for _ in range(20):
                s.sendall(b'x' * 10000)
        except OSError:
            pass
        got = duplexlib.recv_all(s)
        assert b'is not speech: send lines, or shorter messages' in got, got
        assert not list(nothing_of_it(page, room))


@case
def more_in_one_breath_than_a_room_holds_ends_nobody():
    """`yes | nc`: one turn of the server brings so many messages that the oldest are gone before anybody, its own log too, had them."""
    with Room(stdout=subprocess.DEVNULL) as room:
        page = listener(room)
        s = room.dial()
        room.p.interrupt(signal.SIGSTOP)
        s.setblocking(False)
        s.send(b'x\n' * 32768)  # 64 KiB wait to be read, and would be some 6 MiB of a room's 4
        room.p.interrupt(signal.SIGCONT)
        s.settimeout(10 * SLOW)
        s.sendall(b'\nstill here\n')
        while page.gets('msg')['text'] != 'still here':
            pass


@case
def escapes_reach_a_raw_peer_as_pictures():
    with Room() as room:
        a, b = here(room.tcp(), room.tcp())
        a.hear()
        b.s.sendall('\x1b]52;c;x\x07\x1b[6n\u009b2J\r\n'.encode())
        a.hears('nc-2: ␛]52;c;x␇␛[6n�2J')
        w = room.ws()
        a.hear(), b.hear()
        w.say('one\nnc-1: two')
        a.hears('ws-1: one')
        a.hears('  nc-1: two')


# ---- beyond this machine: in a network namespace of our own, whose loopback interface has two more addresses ----

def beyond(fn):
    """The case runs in a child that has the namespace; here it is only started."""
    def start():
        if subprocess.run(['unshare', '-rn', 'true'], capture_output=True).returncode:
            raise Skip('no network namespaces here')
        script = f'ip link set lo up && ip addr add 10.9.9.1/32 dev lo && ip addr add 10.9.9.2/32 dev lo && exec "$@"'
        r = subprocess.run(['unshare', '-rn', 'sh', '-c', script, 'sh', sys.executable, __file__, fn.__name__], capture_output=True, text=True,
                           timeout=100 * SLOW)
        assert r.returncode == 0, r.stdout + r.stderr
    start.__name__ = fn.__name__
    alone[fn.__name__] = fn
    return case(start)


alone = {}
KEY = {'DUPLEX_KEY': 'open-sesame'}
WANTS = '* this room wants a key: say /key K first; serve printed it'


def far_room(*args, env=KEY):
    return Room('--listen', 'any://127.0.0.1:0', *args, env=env)


def dial_far(room, source='10.9.9.2', to='10.9.9.1'):
    s = socket.socket()
    room.closes(s)
    s.settimeout(10 * SLOW)
    s.bind((source, 0))
    s.connect((to, room.port))
    return s


@beyond
def the_network_gets_one_line_without_the_key():
    from members import Lines, Ws
    with far_room('--lan') as room:
        until(lambda: 'tcp://10.9.9.1' in room.p.err)
        near, = here(room.tcp())
        a = Lines(dial_far(room)).say('hello')
        a.hears(WANTS)
        a.say('/who').say('hello')
        near.say('secret')
        a.silent()
        a.say('/key wrong').hears('* that is not the key')
        a.say('/key open-sesame').hears('* the key is right')
        a.say('now')
        near.hears('* nc-2 joined')
        near.hears('nc-2: now')
        near.say('welcome')
        a.hears('nc-1: welcome')
        host = f'10.9.9.1:{room.port}'
        w = Ws(dial_far(room), '/', host, None, {})
        w.say('hello')
        w.hears(WANTS)
        j = Ws(dial_far(room), '/', host, 'duplex.json', {}).do('hello')
        j.gets('error', code='bad-key')
        try:
            j.hear()
        except EOFError:
            assert j.code == 4003
        j = Ws(dial_far(room), '/', host, 'duplex.json', {}).do('hello', key='open-sesame')
        j.gets('welcome', lan=True)
        near.hears('* browser-1 joined')
        near.silent()


@beyond
def wrong_keys_are_slowed_down():
    from members import Lines
    with far_room('--lan') as room:
        until(lambda: 'tcp://10.9.9.1' in room.p.err)
        for i in range(5):
            Lines(dial_far(room)).say('/key guess').hears('* that is not the key')
        Lines(dial_far(room)).say('/key open-sesame').hears('* too many wrong keys: wait a minute')
        Lines(dial_far(room, '10.9.9.1')).say('/key open-sesame').hears('* the key is right')


@beyond
def what_listens_everywhere_says_who_gets_in_and_how():
    for args in (), ('--open',):
        with Room('--listen', 'any://0.0.0.0:0', '--lan', *args) as room:
            room.p.said(r'\* open to the network:\n')
            assert f'  http://10.9.9.1:{room.port}/' in room.p.err, room.p.err
            assert ('* whoever can reach it comes in without a key' in room.p.err) == bool(args), room.p.err
    with Room('--listen', 'any://:0', '--open') as room:
        room.p.said(r'\* whoever can reach it comes in without a key')


@case
def a_short_key_is_refused():
    r = duplexlib.run('serve', '--lan', '--listen', 'any://127.0.0.1:0', env=dict(os.environ, DUPLEX_KEY='1234567'))
    assert r.code == 2 and '8 characters' in r.err and r.err.count('\n') == 1, r


@beyond
def a_wildcard_needs_a_key_unless_open():
    from members import Lines
    room = Room('--listen', 'any://0.0.0.0:0')
    with room:
        key = room.p.said(r'first says  /key (\S+)')[1]
        assert len(key) == 16
        Lines(dial_far(room)).say('hi').hears(WANTS)
        Lines(dial_far(room)).say(f'/key {key}').hears('* the key is right')
        assert room.get(Host=f'0.0.0.0:{room.port}')[0] == 421
    with Room('--listen', 'any://0.0.0.0:0', '--open') as room:
        assert '/key' not in room.p.err
        Lines(dial_far(room)).say('/nick ada').hears('* you are ada')


@beyond
def a_datagram_peer_from_afar_is_not_answered_more_than_it_said():
    from members import Datagrams
    with far_room('--lan', '--open') as room:
        until(lambda: 'udp://10.9.9.1' in room.p.err)
        near, = here(room.tcp())
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(('10.9.9.2', 0))
        s.connect(('10.9.9.1', room.port))
        u = Datagrams(s).say('hi')
        near.hears('* udp-1 joined')
        near.hears('udp-1: hi')
        for _ in range(3):
            near.say('x' * 1000)
            u.say('/help')
        u.silent()
        u.say('/hear' + ' ' * 40)
        cookie = u.hear()
        assert cookie.startswith('/hear ') and len(cookie) == 22, cookie
        near.say('not yet')
        u.silent()
        u.say(cookie)
        near.say('/msg udp-1 now')
        near.hears('* told udp-1')
        while (got := u.hear()) != 'nc-1 (to you): now':
            assert got.startswith(('nc-1: ', '* ')), got
        near.say('all')
        u.hears('nc-1: all')


@beyond
def an_address_holds_64_conns():
    with far_room('--lan', '--open') as room:
        until(lambda: 'tcp://10.9.9.1' in room.p.err)
        socks = [dial_far(room) for _ in range(64)]
        for s in socks:
            s.sendall(b'/who\n')
        for s in socks:
            s.recv(100)
        s = dial_far(room)
        s.sendall(b'/who\n')
        assert duplexlib.recv_all(s).startswith(b'* too many connections')
        socks.pop().close()
        def again():
            s = dial_far(room)
            s.sendall(b'/who\n')
            return b'too many' not in s.recv(100)
        until(again)


if len(sys.argv) > 1:
    alone[sys.argv[1]]()
else:
    tap.run()
