#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""dial, listen and the line they are typed on, in tmux: its screen is what is compared."""
import http.client
import pathlib
import re
import socket
import stat

from duplexlib import DUPLEX, Server, connect, host_port, recv_all, recv_exactly, run as duplex, start, temp, until
from screen import Pane, Screen
from tap import case
import tap

EVIL = '\x1b]52;c;aGk=\x07 \x1b]0;title\x07 \x1b[6n\x1b[2J\x1b[Hgone \u009b2J \u202eleft a\rb'
SAFE = '␛]52;c;aGk=␇ ␛]0;title␇ ␛[6n␛[2J␛[Hgone <U+009B>2J <U+202E>left a␍b'


class Peer(Server):
    """A TCP server; what its client says is in .heard, .say tells it something."""

    def __init__(self):
        self.heard, self.client, self.over = b'', None, False
        super().__init__(self._serve)

    def _serve(self, c):
        self.client = c
        while part := c.recv(65536):
            self.heard += part
        self.over = True

    def say(self, text):
        self.there().sendall(text if isinstance(text, bytes) else text.encode())

    def there(self):
        """The client, which may think itself connected before it is accepted."""
        until(lambda: self.client, words='a client')
        return self.client

    def hears(self, text):
        text = text if isinstance(text, bytes) else text.encode()
        until(lambda: self.heard == text, words=f'{text!r}, not {self.heard!r}')


def dial(url, *args, **how):
    pane = Pane(DUPLEX, 'dial', url, *args, **how)
    if 'env' not in how:
        until(lambda: '>>' in pane.text(), words='the prompt')  # what is typed before it is the shell's to echo
    return pane


# ---- a line to type in ----


@case
def dial_has_a_prompt_and_what_comes_stands_above_it():
    with Peer() as p, dial(p.url) as s:
        s.shows('>>', all=True)
        s.type('half 一半')
        s.shows('>> half 一半', all=True)
        p.say('meanwhile 看\n')
        s.shows('meanwhile 看', '>> half 一半', all=True)
        assert s.cursor() == (12, 1), s.cursor()
        s.keys('Left', 'Left', 'BSpace')
        p.say('again\n')
        s.shows('meanwhile 看', 'again', '>> half一半', all=True)
        assert s.cursor() == (7, 2), s.cursor()
        s.type('-')
        s.keys('Enter')
        p.hears('half-一半\n')
        s.shows('again', '>> half-一半', '>>')


@case
def a_wrapped_wide_line_survives_what_arrives():
    with Peer() as p, dial(p.url, size=(40, 12)) as s:
        s.type('你好世界' * 6 + 'e\u0301nd')
        wrapped = ['>> 你好世界你好世界你好世界你好世界你好', '世界你好世界e\u0301nd']
        s.shows(*wrapped, all=True)
        for i in range(3):
            p.say(f'line {i}\n')
        s.shows('line 0', 'line 1', 'line 2', *wrapped, all=True)
        assert s.cursor() == (15, 4), s.cursor()
        s.keys('C-a')
        s.type('中')
        moved = ['>> 中你好世界你好世界你好世界你好世界你', '好世界你好世界e\u0301nd']
        s.shows('line 2', *moved)
        assert s.cursor() == (5, 3), s.cursor()
        p.say('x' * 45 + '\n')
        s.shows('line 2', 'x' * 40, 'x' * 5, *moved)
        assert s.cursor() == (5, 5), s.cursor()
        s.keys('End', 'Enter')
        p.hears('中' + '你好世界' * 6 + 'e\u0301nd\n')
        s.shows('x' * 5, *moved, '>>')


@case
def what_is_taller_than_the_screen_shows_where_the_cursor_is():
    with Peer() as p, dial(p.url, size=(20, 5)) as s:
        s.type(''.join(chr(ord('a') + i) * 19 for i in range(8)))
        rows = [a * 3 + b * 16 for a, b in ('ef', 'fg', 'gh')] + ['hhh']
        s.shows(*rows)
        p.say('news\n')
        s.shows('news', *rows, all=True)
        s.keys('C-a')
        s.shows('>> ' + 'a' * 16, 'aaa' + 'b' * 16, 'bbb' + 'c' * 16, 'ccc' + 'd' * 16)
        s.keys('C-k')
        s.shows('news', '>>')


@case
def emoji_are_shown_and_cut_whole():
    with Peer() as p, dial(p.url) as s:
        s.type('👨\u200d👩\u200d👧ok')
        s.keys('C-a')
        s.type('Z')
        s.shows('>> Z👨\u200d👩\u200d👧ok', all=True)
        s.keys('End', 'BSpace')
        p.say('😀\n')
        s.shows('😀', '>> Z👨\u200d👩\u200d👧o', all=True)
        s.keys('Enter')
        p.hears('Z👨\u200d👩\u200d👧o\n')


@case
def a_terminal_obeys_nothing_that_a_peer_sends():
    with Peer() as p, dial(p.url) as s:
        s.type('typing')
        p.say(EVIL + '\n')
        s.shows(SAFE, '>> typing', all=True)


@case
def a_prompt_without_its_line_end_is_shown():
    with Peer() as p, dial(p.url) as s:
        p.say('login: ')
        s.shows('login:', '>>', all=True)


@case
def a_new_size_draws_the_line_anew():
    with Peer() as p, dial(p.url, size=(60, 12)) as s:
        p.say('one\ntwo\nthree\n')
        s.shows('three', '>>')
        s.type('0123456789' * 5)
        s.shows('one', 'two', 'three', '>> ' + '0123456789' * 5, all=True)
        s.resize(30, 12)
        s.shows('>> 01234567890123456789012345', '678901234567890123456789')
        s.resize(80, 20)
        s.shows('>> ' + '0123456789' * 5)
        p.say('after\n')
        s.shows('after', '>> ' + '0123456789' * 5)
        h = s.history()[-5:]  # nothing is left over or lost
        assert h == ['one', 'two', 'three', 'after', '>> ' + '0123456789' * 5], h


@case
def what_is_pasted_waits_for_enter_and_goes_line_by_line():
    with Peer() as p, dial(p.url) as s:
        s.shows('>>', all=True)
        s.paste('one\ntwo\n\nexit\n四\n')
        s.shows('>> one␊two␊␊exit␊四␊', all=True)
        assert not p.heard
        s.keys('BSpace', 'BSpace', 'BSpace', 'BSpace', 'BSpace', 'BSpace', 'BSpace', 'Enter')
        p.hears('one\ntwo\n\n')


@case
def a_paste_that_is_too_long_is_said_to_be():
    with Peer() as p, dial(p.url) as s:
        s.paste('x' * 17000)
        until(lambda: '* the line is full' in '\n'.join(s.history()))
        s.keys('Enter')
        p.hears('x' * 16383 + '\n')


@case
def dumb_terminals_get_plain_lines():
    with Peer() as p, dial(p.url, env=('TERM=dumb',)) as s:
        p.there()
        s.enter('hello 你好')
        p.hears('hello 你好\n')
        p.say(f'{EVIL}\nlogin: ')
        s.shows('hello 你好', SAFE, 'login:', all=True)
        s.keys('C-d')
        s.shows('login:', 'exit 0')


# ---- history ----


@case
def history_outlives_the_program_and_is_nobody_elses():
    with Peer() as p, dial(p.url) as s:
        s.enter('first 一')
        s.enter(' a password')
        s.enter('second')
        p.hears('first 一\n a password\nsecond\n')
        s.keys('C-d')
        s.shows('exit 0')
        state = s.state
    path = pathlib.Path(state, 'duplex', 'history')
    assert path.read_text() == 'first 一\nsecond\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with Peer() as p, dial(p.url, state=state) as s:
        s.shows('>>', all=True)
        s.keys('Up', 'Up')
        s.shows('>> first 一', all=True)
        s.keys('Down', 'Enter')
        p.hears('second\n')


@case
def a_long_history_is_cut_and_one_that_cannot_be_is_no_harm():
    state = temp()
    path = pathlib.Path(state, 'duplex', 'history')
    path.parent.mkdir()
    path.write_text(''.join(f'line {i}\n' for i in range(10000)))
    path.chmod(0o644)
    with Peer() as p, dial(p.url, state=state) as s:
        s.shows('>>', all=True)
        s.keys('Up')
        s.shows('>> line 9999', all=True)
    assert path.stat().st_size <= 32768 and path.read_text().endswith('line 9999\n')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Peer() as p, dial(p.url, state='/dev/null') as s:
        s.enter('hello')
        p.hears('hello\n')


@case
def a_key_is_kept_in_no_file():
    with Screen('--nick', 'me') as s:
        s.enter('/key secret-words')
        s.enter('/who')
        until(lambda: '* 1 here' in s.text())
        assert pathlib.Path(s.state, 'duplex', 'history').read_text() == '/who\n'


# ---- ends ----


@case
def exit_an_empty_line_and_ctrl_d_end_and_the_peer_hears_of_it():
    for end in 'exit', '', None:
        with Peer() as p, dial(p.url) as s:
            s.enter('hello')
            p.hears('hello\n')
            s.enter(end) if end is not None else s.keys('C-d')
            s.shows('exit 0')
            until(lambda: p.over)
            p.hears('hello\n')


@case
def another_word_ends_or_none_does():
    with Peer() as p, dial(p.url, '--exit-word', 'bye') as s:
        s.enter('exit')
        p.hears('exit\n')
        s.enter('bye')
        s.shows('exit 0')
    with Peer() as p, dial(p.url, '--exit-word', '') as s:
        s.enter('exit')
        s.enter('')
        p.hears('exit\n\n')
        s.keys('C-d')
        s.shows('exit 0')


@case
def the_peers_end_ends_and_is_told():
    with Peer() as p, dial(p.url) as s:
        s.type('half')
        p.say('bye\n')
        s.shows('bye', '>> half', all=True)
        p.there().shutdown(socket.SHUT_RDWR)
        s.shows('bye', 'duplex: the peer has ended', '>> half', 'exit 0', all=True)  # what was not said can still be read


@case
def ctrl_c_gives_the_terminal_back():
    with Peer() as p, dial(p.url) as s:
        s.type('half')
        s.shows('>> half', all=True)
        s.keys('C-c')
        s.shows('>> half', 'exit 130', all=True)


@case
def stopped_and_continued_the_line_is_there_again():
    with Peer() as p, dial(p.url, shell=True) as s:
        s.type('half 一半')
        s.shows('>> half 一半', all=True)
        s.keys('C-z')
        until(lambda: 'Stopped' in s.text())
        s.shows('sh:')
        s.enter('stty -a')
        until(lambda: re.search(r'\bicanon\b.*\becho\b', s.text(), re.S) and '-icanon' not in s.text(), words='a sane terminal')
        s.enter('clear; fg')
        s.shows('>> half 一半')
        s.keys('Enter')
        p.hears('half 一半\n')
        s.keys('C-d')
        s.shows('sh:')
        until(lambda: p.over)
        s.enter('echo "exit $?"')
        s.shows('sh:echo "exit $?"', 'exit 0', 'sh:')


# ---- commands and views ----


@case
def the_view_switches_over_what_has_come():
    with Peer() as p, dial(p.url) as s:
        p.say('你好\n')
        s.shows('你好', '>>', all=True)
        s.type('/hex')
        s.keys('Enter')
        dump = ['HH:MM:SS 7 bytes', '  000000  e4 bd a0 e5 a5 bd 0a                              |.......|']
        s.shows(*dump, '>>', all=True)
        p.say(b'\x00\x01')
        dump += ['HH:MM:SS 2 bytes', '  000000  00 01                                             |..|']
        s.shows(*dump, '>>', all=True)
        s.type('half')
        s.keys('C-u')
        s.enter('/text')
        s.shows('你好', '␀␁', '>>', all=True)
        s.enter('/hex')
        s.shows(*dump, '>>', all=True)


@case
def commands_are_helped_with_and_escaped():
    with Peer() as p, dial(p.url) as s:
        s.enter('/what now')
        s.shows('* no command /what: /help lists them, //what now says it', '>>')
        s.enter('//what now')
        p.hears('/what now\n')
        s.enter('/who')
        s.shows(f'* talking to {p.url}', '>>')
        s.enter('/help')
        until(lambda: '* /hex ' in s.text() and '* //x ' in s.text())
        s.enter('/quit')
        s.shows('exit 0')


@case
def every_wire_has_the_prompt():
    for url in 'udp://127.0.0.1:0', 'ws://127.0.0.1:0/', f'unix://{temp("s")}', f'unixgram://{temp("g")}':
        with start('listen', url, '--upper') as l, dial(l.url) as s:
            s.enter('hello 你')
            s.shows('>> hello 你', 'HELLO 你', '>>', all=True)
            s.enter('')
            s.shows('exit 0')


# ---- -v ----


@case
def v_says_each_layers_steps():
    with start('listen', 'any://127.0.0.1:0#cert=auto', '--echo', '-v') as l:
        port = host_port(l.url)[1]
        r = duplex('dial', '-v', f'tcp://localhost:{port}', input=b'hello')
        assert r.code == 0 and r.out == b'hello', r
        assert re.search(r'duplex: localhost is .*127\.0\.0\.1.*\n(.*\n)*'
                         rf'duplex: connected to 127\.0\.0\.1:{port} after \d+ ms\n'
                         rf'duplex: talking to tcp://127\.0\.0\.1:{port}\n', r.err), r.err
        assert re.search(r'duplex: end of input: our end is said, reading goes on\nduplex: the peer has ended\n'
                         r'duplex: the peer ended: 5 bytes in, 5 bytes out, \d+\.\d{3} s\n$', r.err), r.err
        l.said(r'client 1.*: the peer ended: 5 bytes in, 5 bytes out, ')
        r = duplex('dial', '-v', '--insecure', f'wss://127.0.0.1:{port}/', input=b'hello')
        assert re.search(r'duplex: TLS1\.3, .*\nduplex: peer CN=.*, pin sha256:.*\n'
                         r'duplex:   certificate for .*127\.0\.0\.1.*, ECDSA P-256, \d+ days left.*\n'
                         r'duplex: HTTP 101: this connection is a WebSocket now\n', r.err), r.err
        l.said(r'client 2: HTTP 101: this connection is a WebSocket now\n')


@case
def words_of_v_stand_above_the_line():
    with Peer() as p, dial(p.url, '-v') as s:
        s.type('half')
        s.shows('>> half')
        p.there().shutdown(socket.SHUT_RDWR)
        s.shows('exit 0')
        assert 'duplex: the peer has ended\nduplex: the peer ended: 0 bytes in, 0 bytes out' in s.text(), s.text()


# ---- listen: a console of clients ----


def listen(*urls, args=(), **how):
    s = Pane(DUPLEX, 'listen', *(urls or ('tcp://127.0.0.1:0',)), *args, **how)
    until(lambda: '\n>>' in s.text(), words='the prompt')
    s.urls = re.findall(r'^listening (\S+)$', s.text(), re.M)
    return s


@case
def three_clients_are_numbered_and_told_apart():
    with listen() as s:
        a, b, c = connect(s.urls[0]), connect(s.urls[0]), connect(s.urls[0])
        until(lambda: '* 3 comes: tcp://' in s.text())
        s.type('half 一半')
        a.sendall('你好\n'.encode())
        s.shows('1> 你好', '>> half 一半')
        b.sendall('你好\n'.encode('gb18030'))
        s.shows('1> 你好', '2> 你好', '>> half 一半')
        c.sendall((EVIL + '\n1> forged\n').encode())
        s.shows('3> ' + SAFE, '3> 1> forged', '>> half 一半')
        s.keys('Enter')
        assert recv_exactly(a, 12).decode() == 'half 一半\n'[:12] and recv_exactly(c, 12)
        assert recv_exactly(b, 10).decode('gb18030') == 'half 一半\n'
        s.enter('@2 谢谢')
        assert recv_exactly(b, 5).decode('gb18030') == '谢谢\n'
        s.enter('@@2 to all')
        for client in a, b, c:
            assert recv_exactly(client, 10) == b'@2 to all\n'
        s.enter('@7 nobody')
        s.shows('* no 7 here: /who lists who is', '>>')
        s.enter('/who')
        until(lambda: len(re.findall(r'^\* [123]  tcp://127.0.0.1:\d+ \(tcp\)  in \d+ B, out \d+ B, for \d+ s$', s.text(), re.M)) == 3)
        s.enter('/close 2')
        assert recv_all(b) == b''
        b.close()
        s.shows('* 2 goes, in 5 B, out 25 B', '>>')
        a.close()
        s.shows('* 1 goes, in 7 B, out 22 B', '>>')
        s.keys('C-d')
        assert recv_all(c) == b''
        c.close()
        s.shows('exit 0')


@case
def a_console_shows_every_wire():
    with listen('any://127.0.0.1:0') as s:
        url = s.urls[0]
        port = host_port(url)[1]
        with dial(f'ws://127.0.0.1:{port}/') as w:
            w.enter('by WebSocket')
            s.shows('1> by WebSocket', '>>')
            s.enter('hello 你')
            w.shows('>> by WebSocket', 'hello 你', '>>', all=True)
            body = http.client.HTTPConnection('127.0.0.1', port)
            body.request('GET', '/a?b')
            assert body.getresponse().status == 426
            until(lambda: '* GET /a?b from http://127.0.0.1:' in s.text())
            w.keys('C-d')
            w.shows('exit 0')
        until(lambda: '* 1 goes, in 12 B' in s.text())
        s.keys('C-c')
        s.shows('exit 0')


@case
def a_console_has_both_views():
    with listen() as s:
        a, b = connect(s.urls[0]), connect(s.urls[0])
        until(lambda: '* 2 comes' in s.text())
        a.sendall(b'one\n')
        s.shows('1> one', '>>')
        b.sendall('x二'.encode()[:2])
        s.shows('2> x', '>>')  # half a character waits for its other half
        b.sendall('二'.encode()[1:] + b'\n')
        s.shows('2> 二', '>>')
        s.enter('/hex')
        until(lambda: '1> ' in s.lines()[0] and ' 4 bytes' in s.lines()[0])
        s.enter('/text')
        s.shows('1> one', '2> x二', '>>', all=True)
        s.enter('exit')
        s.shows('exit 0')


@case
def two_terminals_type_at_once_and_either_end_ends_both():
    for ender in 'dial', 'listen':
        for how in 'exit', None:
            with listen(args=['--once']) as s, dial(s.urls[0]) as d:
                s.type('half of this')
                d.type('half of that')
                d.keys('Enter')
                s.shows('1> half of that', '>> half of this')
                d.type('typing')
                s.keys('Enter')
                d.shows('half of this', '>> typing')
                d.keys('C-u')
                end = d if ender == 'dial' else s
                end.enter(how) if how else end.keys('C-d')
                s.shows('exit 0')
                d.shows('exit 0')


# ---- with the options of a talk ----


@case
def hex_is_typed_and_shown_above_the_line():
    with Peer() as p, dial(p.url, '--hex') as s:
        s.enter('41 42')
        p.hears('AB')
        p.say(b'\x01\xff')
        s.shows('>> 41 42', '01 FF', '>>', all=True)
        s.enter('zz')
        s.shows('duplex: line 2 of our input is no hex from character 1 on', '>>')
        s.enter('43')
        p.hears('ABC')
        s.enter('/hex')
        s.shows('HH:MM:SS 2 bytes', '  000000  01 ff                                             |..|', '>>', all=True)
        s.keys('C-d')
        s.shows('exit 0')


@case
def line_ends_checksums_and_times_hold_for_what_is_typed():
    with Peer() as p, dial(p.url, '--eol', 'crlf', '--timestamps', '--frame', 'line') as s:
        s.enter('AT')
        p.hears('AT\r\n')
        p.say('OK\r\n')
        until(lambda: re.search(r'^\[\d\d:\d\d:\d\d\.\d+ \+\S+\] OK\n>>', s.text(), re.M), words='a time before OK')
    with Peer() as p, dial(p.url, '--checksum', 'xor', '--encoding', 'gb18030') as s:
        s.enter('你')
        p.hears(b'\xc4\xe3\x27')
        p.say(b'\xc4\xe3\x27')
        s.shows('>> 你', '你', '>>', all=True)
        p.say(b'\xc4\xe3\x28')
        s.shows('你', '你 [xor found 28, expected 27]', '>>')
        s.keys('C-d')
        s.shows('duplex: 1 message had a wrong xor', 'exit 119')


@case
def events_stand_above_the_line():
    with Peer() as p, dial(p.url, '--json') as s:
        s.enter('hello')
        p.hears('hello\n')
        until(lambda: '"way":"out"' in s.text().replace('\n', ''))
        s.keys('C-d')
        until(lambda: '"event":"close"' in s.text().replace('\n', '') and 'exit 0' in s.text())


@case
def a_line_outlives_the_connection():
    with Peer() as p, dial(p.url, '--retry') as s:
        s.type('half')
        s.shows('>> half')
        first, p.client = p.there(), None
        first.shutdown(socket.SHUT_RDWR)
        until(lambda: 'dialling again' in s.text())
        p.say('back\n')
        s.shows('back', '>> half')
        s.keys('Enter')
        p.hears('half\n')
        s.keys('C-d')
        s.shows('exit 0')


@case
def what_is_typed_while_nobody_is_there_waits_and_the_end_ends():
    for last in b'half\n', None:
        with socket.create_server(('127.0.0.1', 0)) as server:
            at = server.getsockname()
            with dial('tcp://%s:%d' % at, '--retry') as s:
                c = server.accept()[0]
                server.close()
                c.close()
                until(lambda: 'dialling again' in s.text())
                s.enter('half')
                if last:
                    with socket.create_server(at) as again, again.accept()[0] as c:
                        assert recv_exactly(c, len(last)) == last
                        c.shutdown(socket.SHUT_WR)
                        until(lambda: s.text().count('dialling again') > 1)
                s.keys('C-d')
                until(lambda: re.search('exit [07]', s.text()), 20, 'the end')
    for keys in ['C-d'], ['Enter'], ['e', 'x', 'i', 't', 'Enter']:
        with Pane(DUPLEX, 'dial', '--retry', 'tcp://127.0.0.1:1') as s:
            until(lambda: 'dialling again' in s.text())
            s.type('lost')
            s.keys('Enter')
            until(lambda: 'not connected yet' in s.text())
            s.keys(*keys)
            until(lambda: 'exit 7' in s.text())


@case
def the_end_between_two_connections_is_heard_where_stdout_is_no_terminal_too():
    for keys in ['C-d'], ['e', 'x', 'i', 't', 'Enter'], None:
        with socket.create_server(('127.0.0.1', 0)) as server:
            at, out = server.getsockname(), pathlib.Path(temp(), 'out')
            with Pane('sh', '-c', f'exec {DUPLEX} dial --retry tcp://127.0.0.1:{at[1]} >{out}') as s:
                c = server.accept()[0]
                server.close()
                c.sendall(b'so far\n')
                until(lambda: out.stat().st_size == 7)
                c.close()
                until(lambda: 'dialling again' in s.text())
                if keys:
                    s.keys(*keys)
                else:  # what is typed meanwhile is said
                    s.type('later')
                    s.keys('Enter')
                    with socket.create_server(at) as again, again.accept()[0] as c:
                        assert recv_exactly(c, 6) == b'later\n'
                        s.keys('C-d')
                until(lambda: re.search('exit [07]', s.text()), 20, 'the end')
                assert out.read_bytes() == b'so far\n'


@case
def who_says_what_a_name_is():
    with Peer() as p, dial(p.url.replace('127.0.0.1', 'localhost')) as s:
        s.enter('/who')
        until(lambda: f'it is {p.url}' in s.text().replace('\n', ''))
        s.keys('C-d')
        s.shows('exit 0')


@case
def what_was_typed_is_said_again_and_again():
    with Peer() as p, dial(p.url, '--every', '20ms') as s:
        s.enter('tick')
        s.keys('C-d')
        until(lambda: p.heard.startswith(b'tick\n' * 3))
        s.keys('C-c')
        until(lambda: 'exit 130' in s.text())


@case
def a_console_has_hex_checksums_and_a_log():
    log = temp('log')
    with listen(args=['--hex', '--checksum', 'xor', '--log', log]) as s:
        a, b = connect(s.urls[0]), connect(s.urls[0])
        until(lambda: '* 2 comes' in s.text())
        s.enter('01 02')
        s.enter('@2 04')
        assert recv_exactly(a, 3) == b'\x01\x02\x03' and recv_exactly(b, 5) == b'\x01\x02\x03\x04\x04'
        a.sendall(b'\x05\x05')
        s.shows('1> 05', '>>')
        b.sendall(b'\x05\x06')
        s.shows('1> 05', '2> 05 [xor found 06, expected 05]', '>>')
        s.enter('xyz')
        s.shows('* that is no hex from character 1 on: not said', '>>')
        s.enter('/who')
        until(lambda: re.search(r'^\* 2 .* in 2 B, out 5 B', s.text(), re.M))
        a.close()
        b.close()
        until(lambda: '* 1 goes' in s.text() and '* 2 goes' in s.text())
        s.keys('C-d')
        s.shows('duplex: 1 message had a wrong xor', 'exit 119')
    lines = pathlib.Path(log).read_text().splitlines()
    assert [re.sub(r'^.* (?=\d[<>])', '', line) for line in lines] == \
        ['1> 01 02 03', '2> 01 02 03', '2> 04 04', '1< 05 05', '2< 05 06'], lines


@case
def a_console_shows_times():
    with listen(args=['--timestamps']) as s, connect(s.urls[0]) as a:
        a.sendall(b'one\ntwo')
        until(lambda: re.search(r'^1> \[.* \+\S+\] one\n1> \[.*\] two\n>>', s.text(), re.M))


tap.run()
