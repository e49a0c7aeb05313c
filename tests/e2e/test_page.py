#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_page.py - the page of `duplex serve` in real Chromium, together with nc, Python sockets, a C# program and a foreign page.

With DUPLEX=fake it runs against fake_room.py, to try the tests themselves; what only the server can do is skipped then.
"""
import contextlib
import fcntl
import http.client
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import termios
import threading
import time

import duplexlib
import pki
import webdriver
from cable import Cable
from fake_room import CSP, WEB, FakeRoom
from foreign import Foreign
from middlebox import Middlebox
from nginxlib import PASS, nginx
from on_page import Plain, case, enter, in_state, run_cases, shown, tap, texts, wait
from webdriver import ENTER, SLOW

FAKE = duplexlib.DUPLEX == 'fake'


class Served:
    def __init__(self, port, process=None, unix=None):
        self.port, self.process, self.unix = port, process, unix
        self.url = f'http://127.0.0.1:{port}/'


@contextlib.contextmanager
def serving(*options, port=0):
    if FAKE:
        with FakeRoom(port) as room:
            yield Served(room.port)
        return
    unix = duplexlib.temp('s')
    with duplexlib.start('serve', '--listen', f'any://127.0.0.1:{port}', '--listen', f'unix://{unix}', *options,
                         stdin=subprocess.DEVNULL) as p:
        url = next(u for u in p.urls if not u.startswith('unix'))
        yield Served(duplexlib.host_port(url)[1], p, unix)


def real_only():
    if FAKE:
        raise tap.Skip('needs the real server')


def alone(served, data):
    """A plain socket that speaks once and is then in the room."""
    plain = Plain(served.port)
    plain.say(data)
    return plain


@case
def the_page_is_served_with_its_headers(b):
    with serving() as s:
        for path, name, kind in [('/', 'index.html', 'html'), ('/~', 'index.html', 'html'), ('/~page.css', 'page.css', 'css'),
                                 ('/~page.js', 'page.js', 'javascript')]:
            c = http.client.HTTPConnection('127.0.0.1', s.port, timeout=10 * SLOW)
            c.request('GET', path)
            r = c.getresponse()
            assert (r.status, r.read()) == (200, (WEB / name).read_bytes()), (path, r.status)
            assert r.getheader('Content-Type') == f'text/{kind}; charset=utf-8'
            assert r.getheader('Content-Security-Policy') == CSP, r.getheader('Content-Security-Policy')
            assert r.getheader('X-Content-Type-Options') == 'nosniff' and r.getheader('Referrer-Policy') == 'no-referrer'
            assert r.getheader('Cross-Origin-Resource-Policy') == 'same-origin' and r.getheader('Access-Control-Allow-Origin') is None
            c.close()


@case
def typing_in_the_page_is_seen_by_nc_and_back(b):
    if not shutil.which('nc'):
        raise tap.Skip('no nc here')
    with serving() as s:
        enter(b, s.url)
        nc = subprocess.Popen(['nc', '127.0.0.1', str(s.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        try:
            nc.stdin.write(b'hi from nc\n')
            shown(b, 'hi from nc')
            b.keys('hi nc, 看到了' + ENTER)
            line = nc.stdout.readline().decode()
            assert line.endswith(': hi nc, 看到了\n'), line
            shown(b, 'hi nc, 看到了')
            assert texts(b) == ['hi from nc', 'hi nc, 看到了']
        finally:
            nc.kill()
            nc.wait()
            nc.stdin.close()
            nc.stdout.close()


@case
def who_types_in_serves_terminal_is_in_the_room(b):
    real_only()
    here, there = pty.openpty()
    with duplexlib.start('serve', '--listen', 'any://127.0.0.1:0', '--nick', 'op', ready=None, stdin=there,
                         stdout=there, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)):
        os.close(there)
        terminal = Terminal(here)
        url = re.compile(rb'://(127\.0\.0\.1:\d+)\b')
        terminal.until(lambda: url.search(terminal.raw))
        enter(b, f'http://{url.search(terminal.raw)[1].decode()}/')
        terminal.types('你好, from the terminal\r')
        shown(b, '你好, from the terminal')
        assert texts(b, '#log b') == ['op']
        b.keys('看到了 in the browser' + ENTER)
        terminal.shows('看到了 in the browser')
        b.keys('\x1b]0;title\x07\u202eevil' + ENTER)
        terminal.shows('evil')
        assert b'\x1b]0;title' not in terminal.raw and '\u202e'.encode() not in terminal.raw
        os.close(here)


class Terminal:
    def __init__(self, fd):
        self.fd, self.raw = fd, b''

    def types(self, text):
        os.write(self.fd, text.encode())

    def until(self, true, seconds=15):
        end = time.monotonic() + seconds * SLOW
        while not true():
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, self.raw
            self.raw += os.read(self.fd, 65536)

    def shows(self, text):
        self.until(lambda: text.encode() in self.raw)


@case
def a_program_that_sends_gb2312_is_understood_and_answered_in_gb2312(b):
    with serving() as s:
        enter(b, s.url)
        c = alone(s, '你好'.encode('GB2312'))  # and no newline
        shown(b, '你好')
        assert texts(b, '#log .mark') == ['GB18030']
        b.keys('收到' + ENTER)
        c.hears('收到'.encode('GB2312'))
        c.close()


@case
def words_that_are_gb2312_and_utf8_too_are_a_guess_that_one_click_turns(b):
    real_only()
    with serving('--guess', 'gb') as s:
        enter(b, s.url)
        for n, word in enumerate(['什么', '谢谢', '没'], 1):
            c = alone(s, word.encode('GB2312'))
            shown(b, word)
            assert len(texts(b, '#log .mark.guess')) == n, (word, texts(b, '#log .mark'))
            b.keys(f'答{n}' + ENTER)
            c.hears(f'答{n}'.encode('GB2312'))
            c.close()
        b.run('document.querySelector("#log .mark").click()')
        assert texts(b)[0] == '什么'.encode('GB2312').decode('utf-8'), texts(b)


@case
def the_nick_is_remembered(b):
    with serving() as s:
        enter(b, s.url)
        b.keys('/nick 小明' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "小明"')
        enter(b, s.url)
        b.until('return document.querySelector("#nick").textContent === "小明"')
        c = alone(s, b'who is it?\n')
        shown(b, 'who is it?')
        b.keys('me' + ENTER)
        c.hears('小明: me\n'.encode())
        c.close()


@case
def every_wire_meets_here_and_is_listed(b):
    real_only()
    with serving() as s:
        enter(b, s.url)
        c = alone(s, b'by tcp\n')
        u = socket.socket(socket.AF_UNIX)
        u.connect(s.unix)
        u.sendall(b'by unix\n')
        d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        d.connect(('127.0.0.1', s.port))
        d.send(b'by udp')
        for text in ('by tcp', 'by unix', 'by udp'):
            shown(b, text)
        b.until('return document.querySelectorAll("#who li").length === 4')
        assert texts(b, '#who h3') == ['browser, WebSocket · 1', 'TCP · 1', 'Unix socket · 1', 'UDP · 1'], texts(b, '#who h3')
        for x in (u, d):
            x.close()
        c.close()
        b.until('return document.querySelectorAll("#who li").length <= 2')  # a datagram peer leaves by silence


@case
def history_is_there_in_order_and_a_reload_shows_it_again(b):
    with serving() as s:
        c = alone(s, b''.join(b'line %d\n' % i for i in range(10)))
        enter(b, s.url)
        shown(b, 'line 9')
        assert texts(b) == [f'line {i}' for i in range(10)]
        b.keys('ten' + ENTER)
        shown(b, 'ten')
        c.hears(b': ten\n')
        b.reload()
        shown(b, 'ten')
        assert texts(b) == [f'line {i}' for i in range(10)] + ['ten']
        c.close()


def pulled(b, reset):
    """Scene 6: five seconds without a cable."""
    with serving() as s, contextlib.closing(Cable(s.port)) as cable:
        enter(b, f'http://127.0.0.1:{cable.port}/')
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        c = alone(s, b'before\n')
        shown(b, 'before')
        b.keys('at the edge' + ENTER)  # on its way, or not
        cable.pull()
        end = time.monotonic() + 5
        b.keys('typed 1' + ENTER + 'typed 2' + ENTER + 'a draft')
        c.say(b''.join(b'away %d\n' % i for i in range(20)))
        in_state(b, 'again', 5)
        assert b.run('return document.querySelector("#status").textContent') == 'reconnecting…'
        assert texts(b, '#pending .text')[-2:] == ['typed 1', 'typed 2']
        time.sleep(max(0, end - time.monotonic()))
        cable.plug(reset)
        in_state(b, 'here')
        b.until('return !document.querySelector("#pending").firstChild')
        c.say(b'after\n')
        shown(b, 'after')
        seen = texts(b)
        assert sorted(seen) == sorted(['before', 'at the edge', *(f'away {i}' for i in range(20)), 'typed 1', 'typed 2', 'after']), seen
        rest = [x for x in seen if x != 'at the edge']
        assert rest == ['before', *(f'away {i}' for i in range(20)), 'typed 1', 'typed 2', 'after'], seen
        assert not [x for x in texts(b, '#log .note') if 'missed' in x or 'taken' in x]
        assert b.run('return [document.querySelector("#text").value, document.querySelector("#nick").textContent]') == ['a draft', 'ada']
        heard = c.hears(b'ada: typed 2\n')
        for said in (b'at the edge', b'typed 1', b'typed 2'):
            assert heard.count(b'ada: ' + said + b'\n') == 1, heard
        c.close()


@case
def a_cable_pulled_for_5_s_loses_nothing(b):
    pulled(b, True)


@case
def a_cable_pulled_for_5_s_whose_packets_come_late_says_nothing_twice(b):
    pulled(b, False)


@case
def a_nick_taken_while_away_is_the_nick_afterwards(b):
    with serving() as s, contextlib.closing(Cable(s.port)) as cable:
        enter(b, f'http://127.0.0.1:{cable.port}/')
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        cable.pull()
        b.run('dispatchEvent(new Event("offline"))')
        in_state(b, 'again')
        b.keys('/nick bob' + ENTER + 'who am I?' + ENTER)
        cable.plug(reset=False)  # the old connection lives on, and is replaced
        c = alone(s, b'here\n')
        shown(b, 'here')
        shown(b, 'who am I?')
        assert b.run('return document.querySelector("#nick").textContent') == 'bob'
        assert 'bob' in texts(b, '#log b') and 'ada' not in texts(b, '#who button')
        c.close()


@case
def a_page_that_is_no_secure_context_works_too(_):
    real_only()
    at = 'duplex.test'
    with webdriver.Browser(flags=[f'--host-resolver-rules=MAP {at} 127.0.0.1']) as b, serving('--host', at) as s:
        enter(b, f'http://{at}:{s.port}/')
        assert not b.run('return isSecureContext')
        b.click('#lines button')
        shown(b, 'copied', '#lines button')
        b.run('document.querySelector("#text").focus()')
        b.chord('v')
        assert b.run('return document.querySelector("#text").value') == f'nc {at} {s.port}'
        b.keys(ENTER)
        shown(b, f'nc {at} {s.port}')
        # Chromium says that it leaves out the one header that only secure contexts have.
        said = [x for x in b.console() if 'Cross-Origin-Opener-Policy header has been ignored' not in x]
        assert not said, said


@case
def the_page_over_tls_speaks_over_tls(_):
    real_only()
    leaf = pki.leaf('good')
    with webdriver.Browser(flags=['--ignore-certificate-errors']) as b, serving('--cert', leaf.chain, '--key', leaf.key) as s:
        c = alone(s, b'hi from nc\n')
        enter(b, f'https://127.0.0.1:{s.port}/')
        assert b.run('return isSecureContext')
        b.keys('hi from the page' + ENTER)
        shown(b, 'hi from the page')
        shown(b, 'wss', '#log .own .wire')
        shown(b, 'WebSocket over TLS · 1', '#who h3')
        shown(b, f'duplex dial --pin {leaf.pin} tls://127.0.0.1:{s.port}', '#lines pre')
        shown(b, f'websocat wss://127.0.0.1:{s.port}/', '#lines pre')
        assert not b.console(), b.console()
        c.close()


@case
def another_name_than_ours_gets_nothing(_):
    real_only()
    at = 'rebound.test'  # a name that its owner has pointed at us
    with webdriver.Browser(flags=[f'--host-resolver-rules=MAP {at} 127.0.0.1']) as b, serving() as s:
        c = alone(s, b'secret-7f31\n')
        b.go(f'http://{at}:{s.port}/')
        assert not b.run('return document.querySelector("#log")')
        closed = b.run('''return new Promise(done => {
            const ws = new WebSocket('ws://' + location.host + '/~r/lobby', 'duplex.json');
            ws.onmessage = e => done(e.data); ws.onclose = e => done(e.code); })''')
        assert closed == 1006, closed
        c.close()


@case
def a_server_that_comes_back_finds_the_page_again(b):
    with serving() as s:
        port = s.port
        enter(b, s.url)
        b.keys('to the first' + ENTER)
        shown(b, 'to the first')
    in_state(b, 'again')
    b.keys('to the second' + ENTER)
    with serving(port=port) as s:
        in_state(b, 'here')
        shown(b, 'to the second')
        c = alone(s, b'listening\n')
        shown(b, 'listening')
        assert texts(b) == ['to the first', 'to the second', 'listening']
        assert [x for x in texts(b, '#log .note') if 'anew' in x]
        c.close()


def foreign(b, name):
    with serving() as s, Foreign(f'127.0.0.1:{s.port}') as elsewhere:
        c = alone(s, b'here\n')
        w = alone(s, b'witness\n')
        c.hears(b'witness')
        c.say(b'secret-7f31\n')
        w.hears(b'secret-7f31')
        b.go(f'http://{name}:{elsewhere.port}/')
        tries = b.until('return window.done', seconds=60)
        heard = b.run('return window.heard')
        b.go('about:blank')
        assert len(tries) > 40, tries
        c.say(b'marker\n')
        w.hears(b'marker')
        inside = {line.split(': ', 1)[-1] for line in (c.got + w.got).decode().splitlines()}
        assert inside <= {'here', 'witness', 'secret-7f31', 'marker'}, inside
        assert not [x for x in tries if x.endswith('no answer')], tries
        leaks = [x for x in heard if x and x not in ('LOADED css /', 'LOADED css /~page.js')]
        assert not leaks, (leaks, tries)
        c.close()
        w.close()
        b.console()  # the browser complains about all of it, as it should


@case
def a_page_of_another_port_says_and_hears_nothing(b):
    foreign(b, '127.0.0.1')


@case
def a_page_of_another_site_says_and_hears_nothing(b):
    foreign(b, 'localhost')


@case
def lines_for_other_clients_work_as_they_are(b):
    real_only()
    with serving() as s:
        enter(b, s.url)
        lines = b.run('return [...document.querySelectorAll("#lines .line")].map(d => [d.dataset.name, d.querySelector("pre").textContent])')
        lines = dict(lines)
        tried, missing = [], []
        for name in ('nc', 'nc, Unix', 'Python', 'Python, GB2312', 'C#'):
            argv, work, text = command(name, lines[name])
            if not argv:
                missing.append(name)
                continue
            tried.append(name)
            p = subprocess.Popen(argv, cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            try:
                if text:
                    p.stdin.write(text.encode() + b'\n')
                text = text or ('你好' if 'GB' in name else 'hello')
                before = len(tried)
                b.until('return [...document.querySelectorAll("#log .text")].filter(e => /^(hello|你好)/.test(e.textContent)).length >= arguments[0]',
                        before)
                b.keys(f'answer {before}' + ENTER)
                line = p.stdout.readline().decode()
                assert f'answer {before}' in line, (name, line)
            finally:
                p.kill()
                p.wait()
                p.stdin.close()
                p.stdout.close()
        if missing:
            raise tap.Skip('tried ' + ', '.join(tried) + '; nothing here to run ' + ', '.join(missing))


def command(name, line):
    """(argv, folder, what to type) that runs the line as a person would."""
    if name.startswith('nc'):
        return (line.split(), None, 'hello') if shutil.which('nc') else (None, None, None)
    if name.startswith('Python'):
        return ['/usr/bin/python3', '-u', '-c', line], None, None
    if not (shutil.which('mcs') and shutil.which('mono')):
        return None, None, None
    folder = duplexlib.temp()
    with open(os.path.join(folder, 'Hello.cs'), 'w') as f:
        f.write(line)
    subprocess.run(['mcs', 'Hello.cs'], cwd=folder, check=True, timeout=60 * SLOW)
    return ['mono', 'Hello.exe'], folder, None


def flood(c, over):
    """Numbered lines by the plain socket c, 20,000 at least and until `over` is set."""
    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # what lies in the kernel by then is part of the flood too
    at = 0
    while at < 20000 or not over.is_set():
        c.say(b''.join(b'flood %d\n' % i for i in range(at, at + 1000)))
        at += 1000
    c.say(b'the end of the flood\n')


@case
def a_flood_leaves_the_page_alive_and_everything_in_order(b):
    with serving() as s:
        enter(b, s.url)
        c, over = alone(s, b'here\n'), threading.Event()
        shown(b, 'here')
        flooding = threading.Thread(target=flood, args=(c, over), daemon=True)
        flooding.start()
        try:
            b.keys('in the flood' + ENTER)  # which goes on until this has come through
            c.hears(b': in the flood\n')
        finally:
            over.set()
            flooding.join()
        shown(b, 'the end of the flood', seconds=90)
        seen = [int(x.split()[1]) for x in texts(b) if x.startswith('flood')]
        assert seen == sorted(set(seen)) and len(texts(b)) <= 2000, seen
        b.keys('still here' + ENTER)
        shown(b, 'still here')
        c.hears(b': still here\n')
        c.close()


@case
def what_is_typed_like_a_command_is_said_by_two_slashes(b):
    with serving() as s:
        enter(b, s.url)
        c = alone(s, b'here\n')
        shown(b, 'here')
        b.keys('//who' + ENTER)
        c.hears(b': /who\n')
        c.close()


def way(b, want, seconds=15):
    b.until('return document.querySelector("#link").dataset.way === arguments[0]', want, seconds=seconds)
    in_state(b, 'here')


def talks(b, c, mark):
    """Both ways, and what is said while all connections are cut: each once, in order."""
    c.say(f'{mark} to the page\n'.encode())
    shown(b, f'{mark} to the page')
    b.keys(f'{mark} from the page' + ENTER)
    c.hears(f': {mark} from the page\n'.encode())
    shown(b, f'{mark} from the page')


def said_once(b, c, *want):
    b.until('return !document.querySelector("#pending").firstChild')
    assert texts(b) == list(want), texts(b)
    for x in want:
        assert c.got.count(b': ' + x.encode() + b'\n') <= 1, (x, c.got)


@case
def a_page_without_websockets_has_a_stream_and_comes_back_to_them(b):
    real_only()
    with serving() as s, contextlib.closing(Middlebox(s.port)) as box:
        enter(b, f'http://127.0.0.1:{box.port}/')
        way(b, 'sse')
        assert texts(b, '#status') == ['connected · HTTP stream'], texts(b, '#status')
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        c = alone(s, b'here\n')
        shown(b, 'here')
        talks(b, c, 'one')
        shown(b, 'browser, HTTP · 1', '#who h3')
        c.say(b'/msg ada psst\n')
        shown(b, 'psst')
        box.cut()
        b.keys('typed' + ENTER)
        c.say(b'while it was cut\n')
        c.hears(b'ada: typed\n')
        shown(b, 'while it was cut')
        way(b, 'sse')
        box.refuse = False
        b.run('dispatchEvent(new Event("online"))')
        way(b, 'ws')
        talks(b, c, 'two')
        shown(b, 'browser, WebSocket · 1', '#who h3')
        seen = [x for x in texts(b) if x not in ('typed', 'while it was cut')]
        said_once(b, c, *texts(b))
        assert seen == ['here', 'one to the page', 'one from the page', 'psst', 'two to the page', 'two from the page'], texts(b)
        assert len(texts(b)) == 8 and b.run('return document.querySelector("#nick").textContent') == 'ada', texts(b)
        c.close()


@case
def a_page_whose_stream_is_held_back_polls(b):
    real_only()
    with serving() as s, contextlib.closing(Middlebox(s.port, hold=True)) as box:
        enter(b, f'http://127.0.0.1:{box.port}/')
        way(b, 'poll', 30)
        c = alone(s, b'here\n')
        shown(b, 'here')
        talks(b, c, 'one')
        for n in range(2):
            box.cut()
            b.keys(f'typed {n}' + ENTER)
            c.say(f'cut {n}\n'.encode())
            c.hears(f': typed {n}\n'.encode())
            shown(b, f'cut {n}')
        way(b, 'poll', 30)
        said_once(b, c, *texts(b))
        assert len(texts(b)) == 7, texts(b)
        assert not [x for x in texts(b, '#log .note') if 'missed' in x or 'taken' in x or 'anew' in x]
        b.reload()  # it begins as it was, and is the same member
        way(b, 'poll', 30)
        shown(b, 'cut 1')
        assert not [x for x in box.asked if 'poll' in x and 'key' in x]
        c.close()


@case
def a_page_behind_nginx_that_is_killed_and_reloaded_loses_nothing(b):
    real_only()
    with serving() as s, contextlib.ExitStack() as stack:
        n = stack.enter_context(nginx(s.port, f'location / {{ {PASS} }}', patience=50))
        enter(b, n.at + '/')
        way(b, 'ws')
        c = alone(s, b'here\n')
        shown(b, 'here')
        n.kill()
        in_state(b, 'again')
        b.keys('typed' + ENTER)
        c.say(b'while it was gone\n')
        n = stack.enter_context(n.again())
        shown(b, 'while it was gone')
        c.hears(b': typed\n')
        shown(b, 'typed')
        n.reload()  # its old worker cuts off who stays
        talks(b, c, 'one')
        b.until('return !document.querySelector("#pending").firstChild')
        assert sorted(texts(b)) == ['here', 'one from the page', 'one to the page', 'typed', 'while it was gone'], texts(b)
        assert c.got.count(b'typed') == c.got.count(b'from the page') == 1, c.got
        c.close()


def goes(b, c, as_was, mark, wire='https'):
    """The page is loaded anew as one whose tab had found that way before."""
    b.run('sessionStorage.setItem("duplex.way", arguments[0])', as_was)
    b.reload()
    way(b, as_was)
    talks(b, c, mark)
    shown(b, wire, '#log .own .wire')


@case
def the_page_over_tls_hears_by_http_alone_and_through_nginx(_):
    real_only()
    leaf = pki.leaf('good')
    how = {'how': 'ssl', 'http': f'ssl_certificate {leaf.chain}; ssl_certificate_key {leaf.key};'}
    no_ws = 'location / { if ($http_upgrade) { return 403; } proxy_pass http://us; proxy_set_header Host $http_host; }'
    with webdriver.Browser(flags=['--ignore-certificate-errors']) as b, serving('--cert', leaf.chain, '--key', leaf.key) as s:
        c = alone(s, b'here\n')
        enter(b, f'https://127.0.0.1:{s.port}/')
        shown(b, 'here')
        goes(b, c, 'sse', 'one')
        goes(b, c, 'poll', 'two')
        said_once(b, c, 'here', 'one to the page', 'one from the page', 'two to the page', 'two from the page')
        # TLS ends at nginx, which lets no WebSocket through
        with nginx(s.port, no_ws, **how) as n:
            enter(b, f'https://127.0.0.1:{n.port}/')
            way(b, 'sse')
            talks(b, c, 'three')
            n.reload()
            goes(b, c, 'poll', 'four', 'http')
            faults = [x for x in b.console() if 'WebSocket' not in x]
            assert not faults, faults
        c.close()


@case
def a_page_by_http_that_is_closed_is_soon_gone(b):
    real_only()
    with serving() as s, contextlib.closing(Middlebox(s.port)) as box:
        c = alone(s, b'/who\n')
        enter(b, f'http://127.0.0.1:{box.port}/')
        way(b, 'sse')
        c.hears(b' joined\n')
        b.go('about:blank')
        c.hears(b' left\n')  # a minute, which this does not wait for, is for those that say nothing
        c.close()


@case
def the_page_leads_to_the_files_and_they_to_the_page(b):
    real_only()
    files = 'return document.querySelector("#files").hidden'
    with serving() as s:
        enter(b, s.url)
        assert b.run(files)
    with serving(duplexlib.temp()) as s:
        enter(b, s.url + '~')
        assert not b.run(files)
        b.click('#files')
        b.until('return location.pathname === "/" && document.querySelector("a[href=\\"/~\\"]") !== null')
        b.click('a[href="/~"]')
        in_state(b, 'here')


@case
def a_room_of_its_own(b):
    with serving() as s:
        enter(b, s.url + '#room=den')
        b.keys('in the den' + ENTER)
        shown(b, 'in the den')
        c = alone(s, b'in the lobby\n')
        b.keys('/join lobby' + ENTER)
        shown(b, 'in the lobby')
        assert texts(b) == ['in the lobby']
        b.keys('lobby too' + ENTER)
        c.hears(b': lobby too\n')
        assert b'den' not in c.got
        c.close()


run_cases()
