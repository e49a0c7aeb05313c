#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_tls_tool.py - TLS as a user of the command meets it: the banner with its pin and its code, the room over TLS, options that
contradict each other, SIGHUP, an exit code and advice for each fault. test_tls.py has the wire itself."""
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import termios
import threading
import warnings

import pki
from duplexlib import DUPLEX, SLOW, Process, Server, host_port, recv_all, run as duplex, start, temp, until
from members import Lines, Room, Ws, here
from screen import Screen
from tap import Skip, case, run
from tlslib import V12, V13, client_context, free_port, server_context, works

warnings.simplefilter('ignore', DeprecationWarning)  # of TLS 1.1, which is the point
WRONG_PIN = 'sha256:' + 'A' * 43 + '='
HALVES = ' ▄▀█'


def shown(leaf):
    return ['--cert', leaf.chain, '--key', leaf.key]


def over_tls(s, name='127.0.0.1', **how):
    """The socket s, from now on TLS that believes the CA of the tests."""
    return client_context(**how).wrap_socket(s, server_hostname=name)


def read_code(screen):
    """What a camera would read: the half blocks of the screen as a picture, through zbarimg."""
    if not shutil.which('zbarimg'):
        raise Skip('no zbarimg')
    rows = [line for line in screen if len(line) > 20 and not set(line) - set(HALVES)]
    assert rows, '\n'.join(screen)
    assert {len(r) for r in rows} == {len(rows[0])}, rows
    modules = [[HALVES.index(c) >> shift & 1 for c in row] for row in rows for shift in (1, 0)]
    scale = 4
    lines = [bytes(255 * m for m in row for _ in range(scale)) for row in modules for _ in range(scale)]
    picture = temp('code.pgm')
    pathlib.Path(picture).write_bytes(b'P5 %d %d 255\n' % (len(rows[0]) * scale, len(lines)) + b''.join(lines))
    r = subprocess.run(['zbarimg', '-q', '--raw', picture], capture_output=True, timeout=30 * SLOW)
    return r.stdout.decode().strip()


# ---- serve ----

@case
def the_banner_shows_https_the_pin_and_a_code():
    with Screen(*shown(pki.leaf('good')), size=(120, 50)) as s:
        at, text = f'127.0.0.1:{s.port}', s.text()
        assert f'  browser   http://{at}/   https://{at}/\n' in text, text
        pin = re.search(r'(?m)^  pin       (sha256:\S{44})$', text)[1]
        assert f'  tls       duplex dial tls://{at} --pin {pin}\n' in text, text
        peer = subprocess.run(f'openssl s_client -connect {at} </dev/null 2>/dev/null | openssl x509 -pubkey -noout | '
                              'openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64', shell=True,
                              capture_output=True, timeout=30 * SLOW)
        assert pin == 'sha256:' + peer.stdout.decode().strip(), (pin, peer)
        assert read_code(text.split('\n')) == f'https://{at}/'
        r = duplex('dial', f'tls://{at}', '--pin', pin, input=b'hello\n')
        assert (r.code, r.err) == (0, ''), r
        s.shows('HH:MM:SS nc-1       hello', '>>')


@case
def a_narrow_terminal_has_no_code():
    with Screen(*shown(pki.leaf('good')), size=(30, 50)) as s:
        assert '█' not in s.text(), s.text()


@case
def the_network_s_code_has_its_address_and_the_key():
    if subprocess.run(['unshare', '-rn', 'true'], capture_output=True).returncode:
        raise Skip('no network namespaces here')
    script = temp('lan.sh')
    pathlib.Path(script).write_text('ip link set lo up && ip addr add 10.9.9.1/32 dev lo && exec "$@"\n')
    for options in ['--lan'], []:
        with Screen(*shown(pki.leaf('good')), *options, size=(120, 60), env=('unshare', '-rn', 'sh', script)) as s:
            if not options:
                s.keys('C-l')
                s.type('/lan')
                s.keys('Enter')
            until(lambda: 'open to the network' in s.text())
            m = re.search(r'open to the network:\n +(https://10.9.9.1:\d+/#key=\w{16})\n +http://10.9.9.1:\d+/#key=\w{16} +nc 10.9.9.1 ', s.text())
            assert m, s.text()
            lines = s.lines()
            last = max(i for i, line in enumerate(lines) if len(line) > 20 and not set(line) - set(HALVES))
            first = last
            while not set(lines[first - 1]) - set(HALVES) and lines[first - 1]:
                first -= 1
            assert read_code(lines[first:last + 1]) == m[1], s.text()


@case
def without_a_terminal_the_pin_is_a_line_for_scripts():
    with Room(*shown(pki.leaf('good'))) as room:
        assert f'\npin {pki.leaf("good").pin}\n' in room.p.err and '█' not in room.p.err, room.p.err


@case
def a_tls_socket_a_page_and_nc_meet_in_one_room():
    with Room(*shown(pki.leaf('good'))) as room:
        nc, tls = room.tcp(), Lines(over_tls(room.dial()))
        named = Lines(over_tls(room.dial(), alpn=['duplex']))
        here(nc, tls, named)
        host = f'{room.host}:{room.port}'
        page = Ws(over_tls(room.dial(), alpn=['http/1.1']), '/~r/lobby', host, 'duplex.json', {'Origin': f'https://{host}'})
        welcome = page.do('hello', nick='ada').gets('welcome')
        assert welcome['pin'] == pki.leaf('good').pin, welcome
        for m in nc, tls, named:
            while m.hear() != '* ada joined':
                pass
        tls.say('从 TLS 来')
        nc.hears('nc-2: 从 TLS 来')
        page.gets('msg', wire='tls', text='从 TLS 来')
        page.say('and back')
        for m in nc, tls:
            m.hears('ada: and back')
        tls.say('/who')
        who = tls.hear()
        for part in 'nc-1 (tcp)', 'nc-2 (tls)', 'nc-3 (tls)', 'ada (wss)':
            assert part in who, who
        page.do('who')
        assert {'nc-2': 'tls', 'ada': 'wss'}.items() <= {m['nick']: m['wire'] for m in page.gets('who')['members']}.items()


@case
def the_page_comes_over_tls_and_host_and_origin_are_looked_at_there_too():
    with Room(*shown(pki.leaf('good')), '--host', 'room.example') as room:
        host = f'{room.host}:{room.port}'

        def get(**headers):
            s = over_tls(room.dial(), alpn=['http/1.1'])
            s.sendall(('GET / HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in headers.items()) + 'Connection: close\r\n\r\n').encode())
            return recv_all(s)

        assert get(Host=host).startswith(b'HTTP/1.1 200') and b'<!doctype html>' in get(Host=host)
        assert get(Host='room.example').startswith(b'HTTP/1.1 200')
        assert get(Host='evil.example').startswith(b'HTTP/1.1 421')
        for origin, want in (f'https://{host}', 101), (f'http://{host}', 403), ('https://evil.example', 403), (None, 101):
            ws = Ws(over_tls(room.dial()), '/', host, None, {'Origin': origin} if origin else {})
            assert ws.status == want, (origin, ws.head)
        assert room.ws('/', Origin=f'http://{host}').status == 101


@case
def a_request_over_tls_never_becomes_speech():
    with Room(*shown(pki.leaf('good'))) as room:
        nc, = here(room.tcp())
        s = over_tls(room.dial(), alpn=['http/1.1'])
        s.sendall(b'hello there\r\n\r\n')
        assert recv_all(s).startswith(b'HTTP/1.1 400'), 'http/1.1 was agreed on'
        nc.silent()


@case
def what_a_tls_client_may_ask_for_is_ours_or_refused():
    with Room(*shown(pki.leaf('good'))) as room:
        for version in V12, V13:
            for name, alpn, alert in [('nobody.example', [], 'UNRECOGNIZED'), ('127.0.0.1', ['h2'], 'APPLICATION_PROTOCOL'),
                                      ('127.0.0.1', ['http/1.0', 'duplex2'], 'APPLICATION_PROTOCOL')]:
                try:
                    c = over_tls(room.dial(), name, alpn=alpn, version=version)
                    c.recv(1)
                    raise AssertionError(f'{name} {alpn} got in')
                except ssl.SSLError as why:
                    assert alert in str(why).upper().replace(' ', '_'), (name, alpn, why)
            for name, alpn in ('localhost', []), ('127.0.0.1', ['h2', 'http/1.1']), ('localhost', ['duplex']):
                c = over_tls(room.dial(), name, alpn=alpn, version=version)
                assert c.selected_alpn_protocol() == (alpn[-1] if alpn else None), alpn
                c.close()
    with Room() as room:
        s = room.dial()
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            ssl.create_default_context().wrap_bio(into, out, server_hostname='localhost').do_handshake()
        except ssl.SSLWantReadError:
            s.sendall(out.read())
        got = recv_all(s)
        assert got[:1] == b'\x15' and len(got) == 7, got


@case
def a_certificate_of_our_own_is_made_once_with_the_names_of_host():
    home = os.path.dirname(temp('x'))
    env = {'XDG_STATE_HOME': home}
    pins = []
    for _ in range(2):
        with Room('--tls', '--host', 'room.example', env=env) as room:
            pins.append(room.p.said(r'\npin (sha256:\S{44})\n')[1])
            with ssl.create_default_context(cafile=f'{home}/duplex/leaf.pem').wrap_socket(room.dial(), server_hostname='room.example'):
                pass
            r = duplex('dial', '--pin', pins[-1], f'tls://127.0.0.1:{room.port}', input=b'/who\n')
            assert r.code == 0 and b'(tls)' in r.out, r
    assert pins[0] == pins[1], pins
    with start('listen', 'tls://127.0.0.1:0#cert=auto', '--echo', env=dict(os.environ, **env)) as p:
        r = duplex('dial', '--pin', pins[0], p.url, input=b'x\n')
        assert (r.code, r.out) == (0, b'x\n'), r
    r = duplex('serve', '--tls', '--listen', 'any://127.0.0.1:0', env=dict(os.environ, XDG_STATE_HOME='/dev/null/state'))
    assert r.code == 58 and r.err.count('\n') == 1, r


# ---- certificates read anew ----

def serial(room_or_url):
    host, port = host_port(room_or_url)
    with over_tls(socket.create_connection((host, port), 10 * SLOW)) as c:
        return c.getpeercert()['serialNumber']


class Files:
    """A certificate and its key at paths of their own, to be replaced."""

    def __init__(self, leaf):
        self.cert, self.key = temp('cert.pem'), temp('cert.key')
        self.put(leaf)

    def put(self, leaf):
        for source, target in (leaf.chain, self.cert), (leaf.key, self.key):
            shutil.copy(source, target + '.new')
            os.rename(target + '.new', target)


@case
def sighup_reads_the_rooms_certificate_anew_and_drops_nobody():
    files = Files(pki.leaf('good'))
    with Room('--cert', files.cert, '--key', files.key) as room:
        url = room.p.url
        nc, tls = here(room.tcp(), Lines(over_tls(room.dial())))
        nc.hears('* nc-2 joined')
        was = serial(url)
        files.put(pki.leaf('again'))
        room.p.interrupt(signal.SIGHUP)
        room.p.said(f'duplex: certificates read anew, pin {re.escape(pki.leaf("again").pin)}\n')
        now = serial(url)
        assert now != was
        pathlib.Path(files.cert).write_text('no certificate')
        room.p.interrupt(signal.SIGHUP)
        room.p.said(r'duplex: certificates not read anew: .*cert.pem.*; the old ones stay\n')
        assert serial(url) == now
        tls.say('still here')
        nc.hears('nc-2: still here')
        nc.say('so am I')
        tls.hears('nc-1: so am I')


@case
def sighup_on_a_terminal_says_so_above_the_line():
    with Screen(*shown(pki.leaf('good')), size=(120, 50)) as s:
        s.type('half')
        pid = int(subprocess.run(['pgrep', '-f', f'serve.*{re.escape(s.path)}.*{re.escape(pki.leaf("good").chain)}', '-n'], capture_output=True).stdout)
        os.kill(pid, signal.SIGHUP)
        s.shows(f'* certificates read anew, pin {pki.leaf("good").pin}', '>> half')
        s.keys('C-u', 'C-d')
        s.shows('exit 0')


def on_terminal(*args):
    """duplex ARGS as the leader of a session on a terminal of its own; the terminal's other end."""
    ours, its = pty.openpty()

    def lead():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    p = Process([DUPLEX, *args], stdin=its, stdout=its, preexec_fn=lead)
    os.close(its)
    p.said('listening ')
    return p, ours


@case
def a_terminal_that_is_gone_ends_a_listener_all_the_same():
    p, terminal = on_terminal('listen', 'tls://127.0.0.1:0', '--echo', *shown(pki.leaf('good')))
    p.interrupt(signal.SIGHUP)
    p.said('certificates read anew')
    os.close(terminal)
    assert p.wait() == 0, p.err


@case
def without_certificates_sighup_is_what_it_always_was():
    with start('listen', 'tcp://127.0.0.1:0', '--echo') as p:
        p.interrupt(signal.SIGHUP)
        assert p.wait() == -signal.SIGHUP


@case
def a_joined_talk_outlives_sighup():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good'))) as p:
        c = over_tls(p.connect())
        c.sendall(b'one')
        assert p.stdout.read(3) == b'one'
        p.interrupt(signal.SIGHUP)
        p.said('certificates read anew')
        c.sendall(b'two')
        assert p.stdout.read(3) == b'two'
        p.end_input()
        c.unwrap()
        c.close()
        assert p.wait() == 0, p.err


# ---- what is said on the command line ----

@case
def options_that_contradict_each_other_are_refused():
    good = pki.leaf('good')
    for argv, words in [
            (['dial', '--insecure', '--pin', WRONG_PIN, 'tls://127.0.0.1:1'], '--insecure believes anybody'),
            (['dial', '--insecure', '--ca', good.cert, 'tls://127.0.0.1:1'], '--insecure believes anybody'),
            (['dial', 'tls://127.0.0.1:1#insecure,ca=x'], '--insecure believes anybody'),
            (['dial', '--pin', WRONG_PIN, '--ca', good.cert, 'tls://127.0.0.1:1'], '--pin or --ca'),
            (['dial', '--key', good.key, 'tls://127.0.0.1:1'], '--key wants its certificate'),
            (['dial', '--pin', '', 'tls://127.0.0.1:1'], '--pin wants a value'),
            (['dial', '--pin', 'nonsense', 'tls://127.0.0.1:1'], 'nonsense'),
            (['dial', '--pin', WRONG_PIN, 'tcp://127.0.0.1:1'], 'Did you mean: duplex dial tls://127.0.0.1:1'),
            (['dial', '--ca', good.cert, 'ws://127.0.0.1:1/x'], 'Did you mean: duplex dial wss://127.0.0.1:1/x'),
            (['dial', 'tls://127.0.0.1:1#pni=x'], 'Did you mean #pin?'),
            (['dial', 'tls://127.0.0.1:1#ca='], '#ca wants a value'),
            (['dial', 'tls://127.0.0.1:1#insecure=no'], '#insecure takes no value'),
            (['dial', 'tsl://127.0.0.1:1'], 'Did you mean: duplex dial tls://127.0.0.1:1'),
            (['dial', 'wsss://127.0.0.1:1/x'], 'Did you mean: duplex dial wss://127.0.0.1:1/x'),
            (['listen', 'tls://127.0.0.1:0'], 'tls://127.0.0.1:0#cert=auto, or --cert FILE --key FILE'),
            (['listen', 'wss://127.0.0.1:0/x#ca=y'], 'wss://127.0.0.1:0/x#ca=y,cert=auto'),
            (['listen', '--client-ca', good.cert, 'https://127.0.0.1:0'], '--cert FILE'),
            (['listen', '--cert', 'auto', '--client-ca', good.cert, 'any://127.0.0.1:0'], 'clear text as well'),
            (['listen', '--cert', 'auto', 'tcp://127.0.0.1:0'], 'Did you mean: duplex listen tls://127.0.0.1:0'),
            (['listen', '--cert', good.chain, '--cert', good.chain, '--key', good.key, 'tls://127.0.0.1:0'], 'which one is for'),
            (['serve', '--listen', 'tls://127.0.0.1:0'], 'duplex serve --tls --listen tls://127.0.0.1:0'),
            (['relay', 'tls://127.0.0.1:0', 'tcp://127.0.0.1:1'], 'Try: duplex relay tls://127.0.0.1:0#cert=auto TARGET-URL, or --cert'),
            (['serve', '--key', 'secret'], '$DUPLEX_KEY'),
            (['dial', '--client-ca', 'x', 'tls://127.0.0.1:1'], 'it is one of duplex listen')]:
        r = duplex(*argv)
        assert r.code == 2 and r.err.startswith('duplex: ') and r.err.count('\n') == 1 and words in r.err, (argv, r)


@case
def nobody_there_names_a_listen_that_would_do():
    for url in (f'tls://127.0.0.1:{free_port()}', f'wss://127.0.0.1:{free_port()}/x'):
        r = duplex('dial', f'{url}#pin={WRONG_PIN}')
        assert r.code == 7 and r.err.endswith(f'Try: duplex listen {url}#cert=auto\n'), r


@case
def help_has_a_page_of_tls():
    r = duplex('help', 'tls')
    assert r.code == 0 and not r.err, r
    out = r.out.decode()
    assert max(map(len, out.splitlines())) <= 120
    for words in ('--pin', '--insecure', '#cert=auto', 'leaf.key', '(listen send recv relay replay)', '   90  pin ', '  118  cut '):
        assert words in out, words
    assert ' refused ' not in out.split('Exit codes')[1], out  # TLS alone


@case
def files_that_do_not_read_are_named_ours_apart_from_a_ca():
    missing, rubbish, good = temp('missing.pem'), temp('rubbish.pem'), pki.leaf('good')
    pathlib.Path(rubbish).write_text('rubbish')
    for f in missing, rubbish:
        for argv, code in [(['dial', '--ca', f, 'tls://127.0.0.1:1'], 77),
                           (['dial', f'tls://127.0.0.1:1#ca={f}'], 77),
                           (['dial', '--cert', f, 'tls://127.0.0.1:1'], 58),
                           (['dial', '--cert', f, '--ca', pki.ca().cert, 'tls://127.0.0.1:1'], 58),
                           (['listen', '--client-ca', f, *shown(good), 'tls://127.0.0.1:0'], 77),
                           (['listen', f'tls://127.0.0.1:0#cert={f}'], 58),
                           (['listen', '--cert', good.cert, '--key', f, 'tls://127.0.0.1:0'], 58),
                           (['serve', '--cert', f, '--listen', 'any://127.0.0.1:0'], 58)]:
            r = duplex(*argv)
            assert r.code == code and f in r.err and r.err.count('\n') == 1, (argv, r)
    r = duplex('listen', '--cert', good.cert, 'tls://127.0.0.1:0')
    assert r.code == 58 and r.err == f'duplex: no key in PEM in {good.cert}.  Is its key in another file?  Try: --key FILE\n', r
    r = duplex('listen', '--cert', missing, 'tls://127.0.0.1:0')
    assert r.code == 58 and r.err == f'duplex: certificate {missing}: No such file or directory\n', r
    r = duplex('listen', '--cert', good.cert, '--key', pki.leaf('again').key, 'tls://127.0.0.1:0')
    assert r.code == 58 and good.cert in r.err, r


@case
def an_option_wins_over_the_fragment_as_a_whole():
    good = pki.leaf('good')
    with start('listen', 'tls://127.0.0.1:0', *shown(good), '--echo') as p:
        for options, fragment, code in [([], f'pin={good.pin}', 0), (['--ca', pki.ca().cert], f'pin={WRONG_PIN}', 0),
                                        (['--pin', WRONG_PIN], f'ca={pki.ca().cert}', 90), (['--pin', good.pin], 'insecure', 0),
                                        (['--cert', pki.leaf('client').chain, '--key', pki.leaf('client').key], f'pin={WRONG_PIN}', 90)]:
            r = duplex('dial', *options, f'{p.url}#{fragment}', input=b'x\n')
            assert (r.code, r.out) == (code, b'' if code else b'x\n') and (code or not r.err), (options, fragment, r)


@case
def insecure_is_loud_each_time():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('expired')), '--echo') as p:
        for argv in ['--insecure', p.url], [p.url + '#insecure']:
            r = duplex('dial', *argv, input=b'x\n')
            assert (r.code, r.out, r.err) == (0, b'x\n', 'duplex: --insecure: anybody could be at the other end\n'), r


@case
def several_certificates_stand_by_several_options():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('a')), *shown(pki.leaf('b')), '--echo') as p:
        for name in 'a.example', 'b.example':
            with over_tls(p.connect(), name) as c:
                assert (('DNS', name),) == c.getpeercert()['subjectAltName']


@case
def v_says_what_was_agreed_on_and_with_whom():
    client = pki.leaf('client')
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good')), '--client-ca', pki.ca().cert, '--echo', '-v') as p:
        r = duplex('dial', '-v', '--ca', pki.ca().cert, *shown(client), p.url.replace('127.0.0.1', 'localhost'), input=b'x\n')
        assert r.code == 0 and r.out == b'x\n', r
        assert re.search(r'(?m)^duplex: TLS1.3, (AES|CHACHA)\S+, \S+\b', r.err), r
        assert f'duplex: peer CN=good, pin {pki.leaf("good").pin}\n' in r.err, r
        p.said(r'duplex: client 1: TLS1.3, .*, for localhost\n')
        p.said(f'duplex: client 1: peer CN=client, pin {re.escape(client.pin)}\n')
        p.said(f'duplex: our pin {re.escape(pki.leaf("good").pin)}\n')
        p.said(r'duplex: client 1( \(tls://\S+\))?: the peer ended: 2 bytes in, 2 bytes out, ')


# ---- each fault: its code, and what to try ----

def tls_peer(leaf, serve=recv_all, **how):
    c = server_context(leaf, **how)

    def one(s):
        try:
            with c.wrap_socket(s, server_side=True) as t:
                return serve(t)
        except (ssl.SSLError, OSError) as why:
            return why

    return Server(one)


def refuses(url, code, *words, options=('--ca',)):
    options = [*options, pki.ca().cert] if options == ('--ca',) else options
    r = duplex('dial', *options, url, input=b'hello\n')
    assert r.code == code and not r.out and r.err.startswith('duplex: ') and r.err.count('\n') == 1, (code, r)
    for w in words:
        assert w in r.err, (w, r)


@case
def a_reset_after_close_notify_is_no_failure_unless_there_was_more_to_say():
    for more, code in (b'', 0), (b'and more', 56):
        heard = threading.Event()

        def serve(t):
            assert t.recv(100) == b'ask'
            t.sendall(b'answer')
            t.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                t.unwrap()
            assert heard.wait(20 * SLOW)  # a reset takes what was not read yet
            assert not more or select.select([t.fileno()], [], [], 20 * SLOW)[0]
            t.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')

        with tls_peer(pki.leaf('good'), serve) as s, \
                start('dial', '-v', '--ca', pki.ca().cert, s.url.replace('tcp:', 'tls:'), ready=None) as d:
            d.stdin.write(b'ask')
            assert d.stdout.read(6) == b'answer'
            d.said('the peer has ended')
            if more:
                d.stdin.write(more)
            heard.set()
            assert d.wait() == code, (more, d.err)


@case
def each_fault_of_a_certificate_has_its_code_and_advice():
    for name, code, words in [('expired', 110, ['127.0.0.1: certificate expired on 2025-02-03.  Its owner must renew it, or --pin']),
                              ('not-yet', 111, ['2047-08-09 (or the clock here is wrong).  Try: date\n']),
                              ('host', 51, ['other.example', '127.0.0.1', '--pin']),
                              ('stranger', 60, ['other-ca', f'--pin {pki.leaf("stranger").pin} if that is the pin its owner shows, or --ca FILE']),
                              ('sha1', 112, ['stronger']),
                              ('client-here', 113, ['made for this'])]:
        level = {'level': 0} if name == 'sha1' else {}
        with tls_peer(pki.leaf(name), **level) as s:
            refuses(s.url.replace('tcp:', 'tls:'), code, *words)
    with tls_peer(pki.leaf('revoked')) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 91, 'withdrawn', options=['--ca', pki.crl()])
    with tls_peer(pki.leaf('good')) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 90, pki.leaf('good').pin, 'in between', options=['--pin', WRONG_PIN])


@case
def each_fault_of_the_handshake_has_its_code_and_advice():
    with Server(lambda c: c.sendall(b'220 mail.example\r\n')) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 117, f'no TLS there: it answers in plain text.  Try: duplex dial {s.url}\n')
        refuses(s.url.replace('tcp:', 'wss:') + '/x', 117, f'Try: duplex dial {s.url.replace("tcp:", "ws:")}/x\n')
    with Server(lambda c: c.sendall(c.recv(4000))) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 35, 'a TLS message out of its turn, as an echo sends it')
    with Server(lambda c: c.recv(4000)) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 118, 'Does it speak TLS?')
    with tls_peer(pki.leaf('good'), client_ca=pki.ca().cert, version=V13) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 114, '--cert FILE')
        refuses(s.url.replace('tcp:', 'tls:'), 58, '--cert FILE',
                options=['--ca', pki.ca().cert, *shown(pki.leaf('stranger-client'))])
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('a')), '--echo') as p:
        refuses(p.url.replace('127.0.0.1', 'localhost'), 116, 'name', 'in the URL')
    with tls_peer(pki.leaf('rsa'), version=ssl.TLSVersion.TLSv1_1, level=0) as s:
        refuses(s.url.replace('tcp:', 'tls:'), 59, 'TLS 1.3 and 1.2')


@case
def v_names_each_caller_whose_handshake_came_to_nothing_and_why():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good')), '--client-ca', pki.ca().cert, '--echo', '-v') as p, \
            start('relay', 'any://127.0.0.1:0', p.url, *shown(pki.leaf('good')), '--insecure', '-v') as relay:
        for server in p, relay:
            host, port = host_port(server.url)
            at = rf'duplex: tcp://127\.0\.0\.1:\d+: no TLS came about: '
            subprocess.run(['openssl', 's_client', '-connect', f'{host}:{port}', '-verify_return_error'], stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=30 * SLOW)
            server.said(at + r'the peer refuses the handshake: "[^"\n]*CA[^"\n]*" \(alert 48\)\n')
            subprocess.run(['openssl', 's_client', '-connect', f'{host}:{port}', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=30 * SLOW)
            server.said(at + 'no TLS version in common: ours are 1.3 and 1.2\n')
        r = duplex('dial', '--ca', pki.ca().cert, p.url, input=b'x')  # and without a certificate
        assert r.code == 114, r
        p.said(at + 'the peer shows no certificate\n')
        with p.connect() as s:
            s.sendall(b'hello\x1b[31m, no TLS\n')
            recv_all(s)
        p.said(at + 'no TLS: the peer speaks something else\n')
        with p.connect() as s:  # the fifth, as many as are said at once
            s.shutdown(socket.SHUT_WR)
            recv_all(s)
        p.said(at + 'the peer ended inside the TLS handshake\n')
        for _ in range(3):
            with p.connect() as s:
                s.sendall(b'hello\n')
                recv_all(s)
        works(p, cert=pki.leaf('client'))
        p.popen.send_signal(signal.SIGTERM)
        assert p.wait() == 0, p.err
        assert p.err.count('no TLS came about') == 5 and p.err.endswith('3 more TLS handshakes came to nothing\n'), p.err


@case
def who_waits_for_a_file_names_them_too_and_serve_says_how_a_name_is_added():
    def asks(url, name):
        host, port = host_port(url)
        subprocess.run(['openssl', 's_client', '-connect', f'{host}:{port}', '-servername', name], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=30 * SLOW)
    given = temp('file')
    open(given, 'w').close()
    asked = 'no TLS came about: the client asks for elsewhere.example, which no certificate here names'
    for words in (['recv', 'tls://127.0.0.1:0', temp('got')], ['send', '--listen', given, 'tls://127.0.0.1:0']):
        with start(*words, '-v', *shown(pki.leaf('good'))) as p:
            asks(p.url, 'elsewhere.example')
            p.said(asked + '\n')
    with start('serve', '--listen', 'any://127.0.0.1:0', *shown(pki.leaf('good')), stdout=subprocess.DEVNULL) as p:
        asks(p.url, 'elsewhere.example')
        p.said(re.escape(asked + '.  Try: serve --host NAME') + '.*\n')


@case
def a_certificate_of_ours_that_was_not_shown_is_named():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good')), '--client-ca', pki.ca().cert, '--echo') as p:
        refuses(p.url, 114, 'our certificate was not shown, for it trusts other issuers.  Try: --cert FILE',
                options=['--ca', pki.ca().cert, *shown(pki.leaf('stranger-client'))])
        r = duplex('dial', '--ca', pki.ca().cert, p.url, input=b'x')
        assert r.code == 114 and 'our certificate' not in r.err, r


@case
def a_certificate_of_ours_that_is_out_of_date_is_said_at_start():
    for leaf, words in ('expired', 'expired on 2025-02-03'), ('not-yet', 'is not valid before 2047-08-09'):
        leaf = pki.leaf(leaf)
        said = f'duplex: our certificate {leaf.chain} {words}.  Try: duplex cert make\n'
        with start('listen', 'tls://127.0.0.1:0', *shown(leaf), '--echo') as p:
            assert p.err.count(said) == 1, p.err
            r = duplex('dial', p.url, '--pin', leaf.pin, input=b'x')  # it is served all the same
            assert (r.code, r.out, r.err) == (0, b'x', ''), r
            p.popen.send_signal(signal.SIGHUP)
            p.said('certificates read anew(?s:.*)our certificate')
        with Room(*shown(leaf)) as room:
            assert said in room.p.err, room.p.err
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good')), '--echo') as p:
        assert 'our certificate' not in p.err, p.err


@case
def a_dial_without_tls_that_meets_it_says_so():
    alert = bytes.fromhex('15 03 03 00 02 02 0a')

    def no(c):
        c.recv(1000)
        c.sendall(alert)
        recv_all(c)

    with Server(no) as s:
        r = duplex('dial', s.url, input=b'hello\n')
        assert (r.code, r.out) == (35, alert), r  # its bytes are what came: they are printed as they are
        assert r.err == f'duplex: {s.url}: what came is a TLS alert.  Try: duplex dial {s.url.replace("tcp:", "tls:")}\n', r
        r = duplex('dial', s.url.replace('tcp:', 'ws:') + '/x', input=b'hello\n')
        assert r.code == 22 and r.err.endswith(f'  Try: duplex dial {s.url.replace("tcp:", "wss:")}/x\n'), r


@case
def a_listener_for_one_says_its_clients_fault():
    with start('listen', 'tls://127.0.0.1:0', *shown(pki.leaf('good')), '--once', '--echo') as p:
        with p.connect() as s:  # no TLS: a client that never stood is none
            s.sendall(b'hello\n')
            recv_all(s)
        c = over_tls(p.connect())
        c.sendall(b'x')
        assert c.recv(1) == b'x'
        c.unwrap()
        c.close()
        assert p.wait() == 0, p.err


@case
def a_stream_that_is_cut_is_18_over_tls_too():
    with tls_peer(pki.leaf('good'), serve=lambda t: (recv_all(t), t.sendall(b'part'))) as s:  # and no close_notify
        r = duplex('dial', '--ca', pki.ca().cert, s.url.replace('tcp:', 'tls:'))
        assert r.code == 18 and r.out == b'part', r


run()
