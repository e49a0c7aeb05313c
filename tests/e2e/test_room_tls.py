#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_room_tls.py - a room that answers TLS and clear text on one port: who gets in how, and what TLS is strict about (docs/safe.md,
rules 4 and 11)."""
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import ssl
import stat
import time

import duplexlib
import pki
from duplexlib import run as duplex, temp, until
from members import Lines, Room, Ws, here
from strangers import FOREIGN, HEADS
from tap import case, run
from tlslib import ALERTS, V12, V13, Memory, client_context, hello, spoken, tls_connect


class Secret(Room):
    """A room of serve --tls; state: the folder of its certificate."""

    def __init__(self, *args, state=None, options=('--tls',), ca=None):
        self.state = state or temp()
        super().__init__(*options, *args, env={'XDG_STATE_HOME': self.state})
        self.pem = ca or os.path.join(self.state, 'duplex', 'leaf.pem')
        self.secret_url = f'tls://{self.host}:{self.port}'

    def tls(self, name='127.0.0.1', **how):
        s = tls_connect(self.secret_url, name, ca=self.pem, **how)
        self._dialled.append(s)
        return s

    def wss(self, path='/', protocol=None, **headers):
        return Ws(self.tls(alpn=['http/1.1']), path, headers.pop('Host', f'{self.host}:{self.port}'), protocol, headers)

    def secret_get(self, path='/', alpn=('http/1.1',), **headers):
        headers = {'Host': f'{self.host}:{self.port}'} | headers
        with self.tls(alpn=list(alpn)) as s:
            s.sendall((f'GET {path} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in headers.items()) + 'Connection: close\r\n\r\n').encode())
            head, _, body = duplexlib.recv_all(s).partition(b'\r\n\r\n')
            return int(head.split()[1]), head.decode('latin1'), body


def quiet(room, page, word='canary'):
    """Nothing of it was said until now."""
    room.tcp().say('the end of the test')
    while (m := page.gets('msg'))['text'] != 'the end of the test':
        assert word not in str(m), m


def listener(room):
    page = room.json()
    page.gets('welcome')
    return page


@case
def text_wss_and_clear_text_meet_on_one_port():
    with Secret() as room:
        clear, none, duplex_alpn = Lines(room.dial()), Lines(room.tls()), Lines(room.tls(alpn=['duplex']))
        here(clear)
        none.say('hello from TLS')
        assert clear.hear().endswith('joined')
        assert clear.hear().endswith(': hello from TLS')
        duplex_alpn.say('and with its name')
        assert clear.hear().endswith('joined') and clear.hear().endswith(': and with its name')
        w = room.wss()
        assert w.status == 101
        w.say('from wss')
        assert clear.hear().endswith('joined') and clear.hear().endswith(': from wss')
        clear.say('to all')
        for m in none, duplex_alpn, w:
            while not m.hear().endswith(': to all'):
                pass
        page = room.json()
        page.gets('welcome')
        page.do('say', text='from a page')
        while not none.hear().endswith(': from a page'):
            pass


@case
def text_in_gb2312_is_understood_within_tls():
    with Secret() as room:
        page = listener(room)
        c = room.tls()
        c.sendall('你好'.encode('gb2312'))  # and no line end
        page.gets('msg', text='你好')
        page.do('say', text='收到')
        got = b''
        while '收到'.encode('gb2312') not in got:
            got += c.recv(1000)


@case
def the_pin_that_it_shows_is_what_a_dial_needs():
    state = temp()
    pins = []
    for _ in range(2):
        with Secret(state=state) as room:
            pin = room.p.said(r'(?m)^pin (sha256:\S+)$')[1]
            assert pin == pki.pin_of(room.pem)
            pins.append(pin)
            r = duplex('dial', '--pin', pin, f'tls://127.0.0.1:{room.port}', input=b'/who\n')
            assert r.code == 0 and r.out.startswith(b'* '), r
            r = duplex('dial', '--ca', room.pem, f'tls://localhost:{room.port}', input=b'/who\n')
            assert r.code == 0 and r.out.startswith(b'* '), r
            r = duplex('dial', f'tls://127.0.0.1:{room.port}')
            assert r.code == 60 and pin in r.err, r
    assert pins[0] == pins[1]
    for name, mode in ('leaf.key', 0o600), ('leaf.pem', 0o644):
        assert stat.S_IMODE(os.stat(os.path.join(state, 'duplex', name)).st_mode) == mode, name
    assert stat.S_IMODE(os.stat(os.path.join(state, 'duplex')).st_mode) & 0o022 == 0


@case
def the_page_is_there_over_https_and_promises_nothing_for_later():
    with Secret() as room:
        status, head, body = room.secret_get()
        assert status == 200 and b'<html' in body and 'strict-transport-security' not in head.lower() and 'alt-svc' not in head.lower(), head
        assert room.get('/')[2] == body
        for path in '/leaf.key', '/ca.key', '/duplex/leaf.key', '/~leaf.key', '/../leaf.key', '/.well-known/leaf.pem':
            assert room.secret_get(path)[0] == 404, path
        assert room.secret_get(alpn=[])[0] == 200  # no ALPN: the first bytes decide
        c = http.client.HTTPSConnection('127.0.0.1', room.port, context=client_context(room.pem), timeout=10)
        for _ in range(3):
            c.request('GET', '/')
            r = c.getresponse()
            assert r.status == 200 and r.read() == body
        c.close()


@case
def host_and_origin_are_checked_within_tls_too():
    with Secret() as room:
        p = room.port
        for host in f'127.0.0.1:{p}', f'localhost:{p}':
            assert room.secret_get(Host=host)[0] == 200, host
        for host in 'evil.example', '0.0.0.0', 'localhost.', '127.0.0.1.evil.example':
            assert room.secret_get(Host=host)[0] == 421, host
        for origin, want in (f'https://127.0.0.1:{p}', 101), (f'http://127.0.0.1:{p}', 403), ('https://evil.example', 403), ('null', 403):
            assert room.wss(Origin=origin).status == want, (origin, want)


# ---- rule 4 ----

@case
def protocols_that_are_none_of_ours_are_refused():
    with Secret() as room:
        for offered in ['foo'], ['h2'], ['h3', 'spdy/3'], ['http/1.0'], ['HTTP/1.1'], ['duplex2']:
            for version in V12, V13:
                try:
                    room.tls(alpn=offered, version=version)
                    assert False, offered
                except ssl.SSLError as why:
                    assert ALERTS[120] in str(why).upper(), (offered, why)
        for offered, chosen in (['h2', 'http/1.1'], 'http/1.1'), (['foo', 'duplex'], 'duplex'), ([], None):
            assert room.tls(alpn=offered).selected_alpn_protocol() == chosen, offered


@case
def who_chose_http_and_says_hello_gets_400_and_the_room_is_silent():
    with Secret() as room:
        page = listener(room)
        with spoken('openssl', 's_client', '-connect', f'127.0.0.1:{room.port}', '-alpn', 'http/1.1', '-CAfile', room.pem, '-quiet') as c:
            c.stdin.write(b'hello canary\n')
            c.said('HTTP/1.1 400 ')
        for text in b'hello canary\n', b'canary', b'\r\n\r\ncanary\r\n', b'/nick canary\n', '你好canary\n'.encode('gb2312'):
            with room.tls(alpn=['http/1.1']) as s:
                s.sendall(text)
                if text.endswith(b'\n'):
                    assert s.recv(1000).startswith(b'HTTP/1.1 400 '), text
        quiet(room, page)


@case
def who_chose_text_is_no_web_client():
    with Secret() as room:
        page = listener(room)
        with room.tls(alpn=['duplex']) as s:
            s.sendall(b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: none\r\n\r\n')
            s.settimeout(1)
            with contextlib.suppress(TimeoutError, ssl.SSLError, ConnectionError):
                while part := s.recv(1000):
                    assert b'HTTP/1.1 200' not in part and b'<html' not in part, part
        quiet(room, page, '\0')


@case
def names_that_are_not_its_own_are_refused():
    with Secret() as room:
        for name in 'evil.example', 'localhost.evil.example', 'xn--fsq.example', 'a' * 63 + '.example':
            for version in V12, V13:
                try:
                    room.tls(name, version=version)
                    assert False, name
                except ssl.SSLError as why:
                    assert ALERTS[112] in str(why).upper(), (name, why)
        assert room.tls('localhost').version() == 'TLSv1.3'


@case
def without_tls_a_client_hello_gets_an_alert_and_the_end():
    with Room() as room:
        page = listener(room)
        for version in V12, V13:
            s = room.dial()
            s.sendall(hello(version=version))
            got = duplexlib.recv_all(s)
            assert got[0] == 21 and len(got) == 7 and got[5] == 2, got  # one fatal alert
        r = duplex('dial', '--insecure', f'tls://127.0.0.1:{room.port}', input=b'canary\n')
        assert r.code == 35 and not r.out and r.err.count('\n') == 2, r
        quiet(room, page)


@case
def what_comes_within_tls_is_sniffed_as_what_comes_without():
    with Secret() as room:
        page = listener(room)
        for packet in FOREIGN.values():
            with room.tls() as s:
                with contextlib.suppress(OSError):
                    s.sendall(packet)
        for head in HEADS:
            for cut in 3, len(head) // 2, len(head) - 2:
                with room.tls() as s, contextlib.suppress(OSError):
                    s.sendall(head[:cut])
                    s.sendall(head[cut:])
        quiet(room, page)


@case
def pieces_of_a_client_hello_never_become_speech():
    """On the port that answers both: the beginning of one, then canary at once or never; whole records with garbage within."""
    with Secret() as room:
        page = listener(room)
        data = hello()
        for cut in 3, 4, 5, 6, 9, 40, len(data) - 1:
            s = room.dial()
            s.sendall(data[:cut] + b'canary\n' * 3)
            s.close()
        late = [room.dial() for _ in range(5)]
        for cut, s in enumerate(late):
            s.sendall(data[:3 + cut])
        for s, pause in zip(late, (0.02, 0.1, 0.4, 0, 0)):  # however long it waits
            time.sleep(pause)
            with contextlib.suppress(OSError):
                s.sendall(b'canary\n')
        for bad in b'\x16\x03\x01\x00\x07canary\n', b'\x16\x03\x01\x48\x01' + b'canary\n' * 2650, b'\x16\x03\x03\x00\x00' * 20 + b'canary\n':
            s = room.dial()
            s.sendall(bad)
            s.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                assert b'canary' not in duplexlib.recv_all(s)
        quiet(room, page)


# ---- certificates of its owner ----

@case
def its_owners_certificate_is_shown_and_read_anew():
    good, again = pki.leaf('good'), pki.leaf('again')
    cert, key = temp('cert.pem'), temp('cert.key')

    def put(leaf):
        for source, target in (leaf.chain, cert), (leaf.key, key):
            pathlib.Path(target + '.new').write_bytes(pathlib.Path(source).read_bytes())
            os.rename(target + '.new', target)

    put(good)
    with Secret(options=('--cert', cert, '--key', key), ca=pki.ca().cert) as room:
        member = Lines(room.tls())
        here(member)
        first = member.s.getpeercert()['serialNumber']
        put(again)
        room.p.interrupt(signal.SIGHUP)

        def other():
            with tls_connect(room.secret_url) as c:
                return c.getpeercert()['serialNumber'] != first
        until(other)
        room.tcp().say('still here?')
        while not member.hear().endswith(': still here?'):
            pass


@case
def many_come_and_go_within_tls_while_one_stays():
    with Secret() as room:
        stays, = here(Lines(room.tls()))
        for i in range(40):
            how = {'alpn': [[], ['duplex']][i & 1], 'version': [V12, V13][i & 1]}
            if i % 4 == 3:  # leaves without a word, in the middle of a record
                with room.dial() as s:
                    c = Memory(s, ca=room.pem).shake()
                    c.write(b'not all of this\n')
                    data = c.out.read()
                    s.sendall(data[:len(data) // 2])
                continue
            with room.tls(**how) as s:
                s.sendall(b'visitor %d\n' % i)
                while not stays.hear().endswith(f': visitor {i}'):
                    pass
        stays.say('/who')
        until(lambda: stays.hear().startswith('* '))


run()
