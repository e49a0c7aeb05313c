#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_rules.py - duplex listen --rules: devices, menus and bots by a file, over every wire."""
import asyncio
import contextlib
import http.client
import pathlib
import re
import signal
import socket
import struct
import threading
import time

import websockets

from duplexlib import SLOW, host_port, recv_all, recv_exactly, run as duplex, start, temp, until
from tap import case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'examples'


def rules(text):
    name = temp('t.rules')
    pathlib.Path(name).write_text(text)
    return name


def listen(file, *urls, **how):
    return start('listen', *(urls or ['tcp://127.0.0.1:0']), '--rules', file, **how)


def crc(data):
    """CRC-16/MODBUS, and not by our own table."""
    c = 0xFFFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = c >> 1 ^ 0xA001 if c & 1 else c >> 1
    return data + struct.pack('<H', c)


def modbus(s, request):
    s.sendall(crc(bytes.fromhex(request)))
    head = recv_exactly(s, 3)
    rest = recv_exactly(s, {0x03: head[2] + 2, 0x06: 5}.get(head[1], 2))
    answer = head + rest
    assert crc(answer[:-2]) == answer, f'{answer.hex(" ")} has a wrong CRC'
    return answer[:-2].hex()


def ask(s, text):
    """A line and the line that answers it."""
    s.sendall(text + b'\n')
    return line(s)


def line(s):
    got = b''
    while not got.endswith(b'\n'):
        byte = s.recv(1)
        assert byte, f'the end after {got!r}'
        got += byte
    return got.rstrip(b'\r\n')


# ---- the examples ----


@case
def a_modbus_device_answers_three_clients_at_once_with_right_crcs():
    faults = []

    def client(p, number):
        with p.connect() as s:
            for turn in range(20):
                want = 215 + turn + 1
                assert modbus(s, '010300000001') == f'010302{want:04x}', (number, turn)
                assert modbus(s, f'01060001{number:02x}{turn:02x}') == f'01060001{number:02x}{turn:02x}'
                assert modbus(s, '010300010001') == f'010302{number:02x}{turn:02x}'
                # the limit stops the rise, so it is put back
                assert modbus(s, '0106000103e8') == '0106000103e8'
            assert modbus(s, '01060001ffff') == '018603', 'a value out of bounds'
            assert modbus(s, '010400000001') == '018401', 'an unknown function'

    def run_client(p, number):
        try:
            client(p, number)
        except Exception as why:
            faults.append(why)

    with listen(EXAMPLES / 'device.rules') as p:
        threads = [threading.Thread(target=run_client, args=(p, n)) for n in range(1, 4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60 * SLOW)
        assert not faults and not any(t.is_alive() for t in threads), (faults, p.err)


@case
def what_a_device_is_not_asked_it_does_not_answer():
    with listen(EXAMPLES / 'device.rules') as p, p.connect() as s:
        s.sendall(crc(bytes.fromhex('020300000001')))  # another unit
        time.sleep(0.1 * SLOW)  # a gap tells the two apart
        s.sendall(crc(bytes.fromhex('010300000001'))[:-1] + b'\0')  # a wrong CRC
        time.sleep(0.1 * SLOW)
        answer = None
        for _ in range(30):  # asked in two halves, again where this machine let 20 ms go by between them
            s.sendall(crc(bytes.fromhex('010300000001'))[:5])
            s.sendall(crc(bytes.fromhex('010300000001'))[5:])
            s.settimeout(1)
            with contextlib.suppress(TimeoutError):
                answer = recv_exactly(s, 7)
                break
        assert answer == crc(bytes.fromhex('01030200d8'))


@case
def a_menu_in_gb18030_at_every_cut():
    def say(s, text, want):
        s.sendall(text.encode('gb18030'))
        assert line(s).decode('gb18030') == want

    with listen(EXAMPLES / 'menu.rules') as p:
        with p.connect() as s:
            assert line(s).decode('gb18030') == '欢迎! 请选择:'
            assert line(s).decode('gb18030') == '1 余额   2 投币   3 退出'
            say(s, '1\r\n', '余额: 0.0 元')
            say(s, '2\r\n', '投多少? 例如: 2 15')
            say(s, '2 15\r\n', '收到 15, 谢谢')
            say(s, '1\n', '余额: 1.5 元')
            text = '没有𠀀\n'.encode('gb18030')
            for cut in range(len(text)):
                s.sendall(text[:cut])
                time.sleep(0.002)
                s.sendall(text[cut:])
                assert line(s).decode('gb18030') == '没有这一项: 没有𠀀', cut
            s.sendall(b'3\r\n')
            assert recv_all(s).decode('gb18030') == f'再见, 您问了 {len(text) + 5} 次\r\n'


@case
def a_bot_answers_lines():
    with listen(EXAMPLES / 'bot.rules') as p, p.connect() as s:
        assert re.fullmatch(rb'hello, tcp://127\.0\.0\.1:\d+', line(s))
        assert ask(s, b'ping') == b'pong 1'
        assert ask(s, b'ping') == b'pong 2'
        assert ask(s, b'say it again') == b'it again'
        assert ask(s, b'add 40 -50') == b'-10'
        assert all(ask(s, b'ROLL THE dice') in [b'you rolled %d' % i for i in range(1, 7)] for _ in range(20))
        assert ask(s, b'/status') == b'{"ok": true, "seen": 25}'
        assert ask(s, b'what?') == b'5 bytes, and none the wiser: 77 68 61 74 3F'
        s.sendall(b'bye\n')
        assert recv_all(s) == b'bye\n'


@case
def docs_show_the_examples_as_they_are():
    text = (ROOT / 'docs/rules.md').read_text()
    for f in sorted(EXAMPLES.glob('*.rules')):
        assert f'```\n{f.read_text()}```' in text, f'docs/rules.md has another {f.name}'


# ---- every wire ----


@case
def a_websocket_hears_text_and_bytes():
    file = rules('encoding gb18030\nmatch hex 01 {n:u8}\nanswer hex 02 {n:u16be}\nelse\nanswer text 你说: {msg}')

    async def talk(url):
        async with websockets.connect(url) as w:
            await w.send('你好')
            assert await w.recv() == '你说: 你好', 'text on a WebSocket is UTF-8 whatever the file says'
            await w.send(b'\1\7')
            assert await w.recv() == b'\2\0\7'

    with listen(file, 'any://127.0.0.1:0') as p:
        asyncio.run(asyncio.wait_for(talk('ws://%s:%d/' % host_port(p.url)), 10 * SLOW))


@case
def a_websocket_by_hand_is_answered_too():
    with listen(EXAMPLES / 'bot.rules', 'any://127.0.0.1:0') as p, p.connect() as s:
        s.sendall(b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                  b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            head += recv_exactly(s, 1)
        assert b' 101 ' in head, head

        def frame():
            kind, n = recv_exactly(s, 2)
            return kind, recv_exactly(s, n)

        kind, text = frame()
        assert kind == 0x81 and text.startswith(b'hello, ws://'), (kind, text)
        s.sendall(b'\x81\x84\0\0\0\0ping')
        assert frame() == (0x81, b'pong 1')


@case
def datagrams_are_messages():
    with listen(EXAMPLES / 'bot.rules', 'udp://127.0.0.1:0') as p, p.connect() as s:
        s.send(b'ping\n')
        assert s.recv(2000).startswith(b'hello, udp://127.0.0.1:')
        assert s.recv(2000) == b'pong 1\n', 'it ends as the question did'
        s.send(b'ping')
        assert s.recv(2000) == b'pong 2'


@case
def two_devices_that_answer_each_other_fall_silent():
    file = rules('match any\nanswer hex {msg}')
    with listen(file, 'udp://127.0.0.1:0') as p, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.connect(host_port(p.url))
        s.settimeout(1 * SLOW)
        s.send(b'x')
        count = 0
        try:
            while True:
                s.send(s.recv(100))
                count += 1
        except TimeoutError:
            pass
        assert count < 1000 + 400 * SLOW, f'{count} answers to our own answers'
        p.said('answers our answers')


@case
def http_asks_by_its_body_or_its_path():
    with listen(EXAMPLES / 'bot.rules', 'http://127.0.0.1:0') as p:
        h = http.client.HTTPConnection(*host_port(p.url), timeout=10 * SLOW)
        for method, target, body, status, want in [
                ('GET', '/status', None, 200, b'{"ok": true, "seen": 1}'), ('POST', '/', b'ping', 200, b'pong 1'),
                ('POST', '/', b'work', 200, b'startedhalfdone'), ('POST', '/', b'x' * 70000, 413, b'over 64 KiB\n')]:
            h.request(method, target, body)
            r = h.getresponse()
            got = r.read()
            assert (r.status, got) == (status, want), (target, body and body[:10], r.status, got)
        h.close()
    with listen(rules('match text /a\nmatch text /b\nanswer text 你'), 'http://127.0.0.1:0') as p:
        h = http.client.HTTPConnection(*host_port(p.url), timeout=10 * SLOW)
        for target, status, want in [('/a', 200, b''), ('/b', 200, '你'.encode()), ('/c', 404, b'no rule for this\n')]:
            h.request('GET', target)
            r = h.getresponse()
            assert (r.status, r.read()) == (status, want), target
            assert target != '/b' or r.headers['Content-Type'] == 'text/plain; charset=utf-8', r.headers
        h.close()


@case
def unix_sockets_and_dial_are_served():
    with listen(EXAMPLES / 'bot.rules', f'unix://{temp("s")}') as p:
        r = duplex('dial', p.url, input=b'ping\nsay hi\nwork\n')
        assert (r.code, r.err) == (0, ''), r
        assert r.out.split(b'\n')[1:] == [b'pong 1', b'hi', b'started', b'half', b'done', b''], r.out


# ---- order, back-pressure, the peer's end ----


@case
def a_delayed_answer_comes_after_a_quick_one():
    with listen(EXAMPLES / 'bot.rules') as p, p.connect() as s:
        line(s)
        s.sendall(b'work\nping\nping\n')
        assert [line(s) for _ in range(5)] == [b'started', b'pong 1', b'pong 2', b'half', b'done']


@case
def a_repeat_goes_on_until_it_is_stopped():
    file = rules('frame line\nvar n = 0\nmatch text go\nevery 20ms answer text tick {n}\nmatch text up\nset n = n + 1\n'
                 'answer text ok\nmatch text stop\nstop\nanswer text stopped')
    with listen(file) as p, p.connect() as s:
        s.sendall(b'go\n')
        assert [line(s) for _ in range(3)] == [b'tick 0'] * 3
        s.sendall(b'up\n')
        until(lambda: line(s) == b'ok')
        assert line(s) == b'tick 1', 'worked out anew each time'
        s.sendall(b'stop\n')
        until(lambda: line(s) == b'stopped')
        s.settimeout(0.2)
        try:
            raise AssertionError(f'after stop came {s.recv(100)}')
        except TimeoutError:
            pass
    with listen(file) as p, p.connect() as s:
        s.sendall(b'go\n')
        line(s)
        s.shutdown(socket.SHUT_WR)
        recv_all(s)  # ends, though nobody said stop


@case
def a_client_that_does_not_read_is_read_no_further_and_loses_nothing():
    file = rules('frame line\nmatch any\nanswer text {msg} {msg:0..0}' + ' {msg}' * 50)
    one = b'0123456789' * 20
    with listen(file) as p, p.connect(timeout=30) as s, p.connect() as other:
        s.setblocking(False)
        sent, data = 0, (one + b'\n') * 1000
        end = time.monotonic() + 60 * SLOW
        try:
            while time.monotonic() < end and sent < 50_000_000:
                sent += s.send(data[sent % len(data):])
        except BlockingIOError:
            pass
        assert sent < 50_000_000, 'it is read without end'
        assert ask(other, b'x').startswith(b'x x x'), 'others are served'
        memory = int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{p.pid}/status').read_text())[1])
        assert SLOW > 1 or memory < 60_000, f'{memory} KiB'
        s.settimeout(30 * SLOW)
        answer = b' '.join([one, b'0'] + [one] * 50) + b'\n'
        for _ in range(sent // len(one + b'\n')):
            got = recv_exactly(s, len(answer))
            assert got == answer, got[:100]


@case
def close_says_bye_when_the_peer_has_ended():
    file = rules('on connect\nanswer text hello\nmatch text q\nafter 100ms answer text late\non close\nanswer text bye {count}')
    with listen(file) as p, p.connect() as s:
        s.sendall(b'q\n')
        s.shutdown(socket.SHUT_WR)
        assert recv_all(s) == b'hello\nbye 1\nlate\n'


@case
def once_serves_one_client():
    with listen(EXAMPLES / 'bot.rules', 'tcp://127.0.0.1:0', '--once') as p:
        with p.connect() as s:
            line(s)
            s.sendall(b'bye\n')
            assert recv_all(s) == b'bye\n'
        assert p.wait() == 0, p.err


# ---- hostile ----


@case
def an_expression_that_would_run_for_ever_is_stopped_and_said():
    file = rules('frame line\nmatch regex ^(\\w+\\s?)+$\nanswer text words\nmatch regex ^(a|aa)+$\nanswer text as\n'
                 'else\nanswer text no')
    with listen(file) as p, p.connect() as s, p.connect() as other:
        began = time.monotonic()
        for _ in range(10):
            assert ask(s, b'a' * 4000 + b'!') == b'no'
            assert ask(other, b'two words') == b'words'
        assert time.monotonic() - began < 5 * SLOW, time.monotonic() - began
        p.said(r't\.rules:2: this takes too long on what came, so it counts as no match')
        assert p.err.count('t.rules:2: this takes') == 1, 'said once'


@case
def what_is_over_the_limit_ends_one_client_alone():
    with listen(rules('frame line\nmatch any\nanswer text ok')) as p, p.connect() as s, p.connect() as other:
        try:
            s.sendall(b'x' * 1_000_000)
            s.sendall(b'x' * 1_000_000)
            recv_all(s)
        except OSError:
            pass
        p.said(r'client 1 \(tcp://.*\): a message over 64 KiB')
        assert ask(other, b'x') == b'ok'


@case
def escapes_from_a_peer_reach_no_terminal():
    with listen(rules('match text x'), 'udp://127.0.0.1:0', '-v') as p, p.connect() as s:
        s.send(b'\x1b]52;c;x\x07')
        p.said('no rule for 1B 5D 35 32')
        assert '\x1b' not in p.err


# ---- the file ----


@case
def one_rule_is_one_rule():
    with listen(rules('match any\nanswer text x\n'), 'tcp://127.0.0.1:0', '-v') as p:
        assert ': 1 rule\n' in p.err, p.err


@case
def faults_are_all_told_with_their_lines():
    file = rules('frame line\nmatch hex A\nanswer text {x}\nmach any\n')
    r = duplex('listen', 'tcp://127.0.0.1:0', '--rules', file)
    assert r.code == 2 and r.err.splitlines() == [
        f"duplex: {file}:2: 'A' is half a byte",
        f'duplex: {file}:3: there is no {{x}} here: no capture and no variable of that name; {{{{ is the brace itself',
        f"duplex: {file}:4: 'mach' begins no line.  Did you mean match?"], r
    r = duplex('listen', 'tcp://127.0.0.1:0', '--rules', rules('match hex 1\n' * 30))
    assert r.code == 2 and len(r.err.splitlines()) == 21 and r.err.endswith('these are the first 20 faults\n'), r


@case
def a_file_that_is_not_there_and_options_that_do_not_fit_have_words():
    for options, code, words in [
            (['--rules', '/no/such'], 23, 'duplex: /no/such: No such file or directory\n'),
            (['--rules', '/'], 23, 'duplex: /: Is a directory\n'),
            (['--rules', EXAMPLES / 'bot.rules', '--echo'], 2,
             'duplex: one of --echo, --upper, --rules, --reply and --exec.  Try: duplex listen --help\n'),
            (['--rules', EXAMPLES / 'bot.rules', '--encoding', 'gb1803'], 2,
             "duplex: --encoding: coding 'gb1803': there is none of that name here.  Did you mean gb18030?\n"),
            (['--rules', EXAMPLES / 'bot.rules', '--frame', 'x'], 2,
             "duplex: --frame 'x': it is one of none, line, delim:, gap:, fixed:, length:, auto\n")]:
        r = duplex('listen', 'tcp://127.0.0.1:0', *options)
        assert (r.code, r.err) == (code, words), r
    with listen(rules('frame line\nmatch any\nanswer hex {msg}'), 'tcp://127.0.0.1:0', '--frame', 'fixed:3') as p:
        with p.connect() as s:
            s.sendall(b'abcdef')
            assert recv_exactly(s, 6) == b'abcdef', 'the command line wins'


@case
def a_hangup_reads_the_file_anew_and_keeps_the_clients():
    file = rules('frame line\nvar n = 5\nmatch text go\nevery 10ms answer text old\nmatch any\nset n = n + 1\nanswer text one {n}')
    with listen(file) as p, p.connect() as s:
        assert ask(s, b'x') == b'one 6'
        pathlib.Path(file).write_text('frame line\nvar n = 0\nmatch any\nanswer text two {n}')
        p.interrupt(signal.SIGHUP)
        p.said('read anew, 1 rule\n')
        assert ask(s, b'x') == b'two 6', 'the same client, its variable kept'
        with p.connect() as late:
            assert ask(late, b'x') == b'two 0'
        pathlib.Path(file).write_text('match any\nanswer\n')
        p.interrupt(signal.SIGHUP)
        p.said(r't\.rules:2: after answer comes text or hex')
        p.said('the rules stay as they were')
        assert ask(s, b'x') == b'two 6'


@case
def verbose_names_a_message_that_is_cut_short():
    with listen(rules('frame length:4,2,be,0\nmatch any\nanswer text b'), 'tcp://127.0.0.1:0', '-v') as p:
        with p.connect() as s:
            s.sendall(bytes.fromhex('0001 0000 0006 0103'))
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b''
        p.said('client 1: its last message is cut short')
        p.said('client 1: the peer ended')


@case
def verbose_says_which_rule_and_what_met_none():
    with listen(rules('frame line\nmatch text a\nanswer text b'), 'tcp://127.0.0.1:0', '-v') as p, p.connect() as s:
        assert ask(s, b'a') == b'b'
        p.said(r'client 1: .*t\.rules:2: matches')
        s.sendall(b'c\n')
        p.said('client 1: no rule for 63')


run()
