#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""serve on a terminal: a member with a line to type in. The terminal is tmux, its screen is what is compared."""
import os
import pwd
import re
import socket
import subprocess
import time

from duplexlib import SLOW, temp, until
from members import Ws, here
from screen import Screen
from tap import Skip, case
import tap


@case
def the_first_five_minutes():
    with Screen() as s:
        s.shows(f'  browser   http://127.0.0.1:{s.port}/', f'  terminal  nc 127.0.0.1 {s.port}',
                *(f'  udp, unix udp://127.0.0.1:{s.port}   unix://{s.path}',),
                '  only this machine can reach it.  /lan opens it to the network, /help, Ctrl-D ends', '>>')
        a, = here(s.tcp())
        a.say('hi from nc')
        s.shows('HH:MM:SS nc-1       hi from nc', '>>')
        s.type('你好')
        s.keys('Enter')
        a.hears('ada: 你好')
        s.shows('HH:MM:SS nc-1       hi from nc', 'HH:MM:SS ada        你好', '>>')
        a.say('看到了')
        s.shows('HH:MM:SS ada        你好', 'HH:MM:SS nc-1       看到了', '>>')
        a.say('/msg ada 悄悄话')
        s.shows('HH:MM:SS nc-1 (to you) 悄悄话', '>>')
        s.keys('C-d')
        s.shows('exit 0')


@case
def without_user_the_login_name_is_the_nick():
    with Screen(user=('-u', 'USER')) as s:
        a, = here(s.tcp())
        s.type('hello')
        s.keys('Enter')
        a.hears(f'{pwd.getpwuid(os.getuid()).pw_name}: hello')


@case
def words_that_arrive_leave_the_half_typed_line_whole():
    with Screen() as s:
        a, = here(s.tcp())
        s.type('half 一半')
        s.shows('>> half 一半')
        a.say('meanwhile')
        s.shows('HH:MM:SS nc-1       meanwhile', '>> half 一半')
        s.keys('Left', 'Left', 'BSpace')
        a.say('again')
        s.shows('HH:MM:SS nc-1       again', '>> half一半')
        s.type('-')
        s.keys('Enter')
        a.hears('ada: half-一半')
        s.keys('Up')
        s.shows('HH:MM:SS ada        half-一半', '>> half-一半')
        s.keys('C-u')
        s.type('x' * 200 + ' 结尾')
        time.sleep(0.1)
        s.keys('Enter')
        a.hears('ada: ' + 'x' * 200 + ' 结尾')


@case
def others_cannot_command_the_terminal():
    with Screen('--nick', 'me') as s:
        a, = here(s.tcp())
        w = Ws(socket.create_connection(('127.0.0.1', s.port), 10 * SLOW), '/', f'127.0.0.1:{s.port}', 'duplex.json', {})
        w.do('hello', nick='eve').gets('welcome')
        for text in ('\x1b]52;c;aGk=\x07clipboard', '\x1b]0;title\x07', '\x1b[6n\x1b[2J\x1b[Hgone', 'one\n12:00:00 nc-1       forged', '\u202eright to left',
                     'zero\u200bwidth', '\u009b2J c1', 'bell\x07 del\x7f back\x08', 'cr\rover'):
            w.say(text)
            w.gets('msg', text=text)
        s.shows('HH:MM:SS eve        ␛]52;c;aGk=␇clipboard',
                'HH:MM:SS eve        ␛]0;title␇',
                'HH:MM:SS eve        ␛[6n␛[2J␛[Hgone',
                'HH:MM:SS eve        one',
                '         12:00:00 nc-1       forged',
                'HH:MM:SS eve        <U+202E>right to left',
                'HH:MM:SS eve        zero<U+200B>width',
                'HH:MM:SS eve        <U+009B>2J c1',
                'HH:MM:SS eve        bell␇ del␡ back␈',
                'HH:MM:SS eve        cr␍over',
                '>>')


@case
def commands_answer_in_the_terminal():
    with Screen() as s:
        a, = here(s.tcp())
        s.type('/who')
        s.keys('Enter')
        s.shows('>> /who', '* 2 here: ada (tty), nc-1 (tcp)', '>>')
        s.type('/nick 李')
        s.keys('Enter')
        s.shows('>> /nick 李', '* you are 李', '>>')
        a.hears('* ada is now 李')
        s.type('/quit')
        s.keys('Enter')
        s.shows('exit 0')
        a.hears('* the room closes').ended()


@case
def lan_is_opened_from_the_terminal():
    if subprocess.run(['unshare', '-rn', 'true'], capture_output=True).returncode:
        raise Skip('no network namespaces here')
    script = temp('lan.sh')
    with open(script, 'w') as f:
        f.write('ip link set lo up && ip addr add 10.9.9.1/32 dev lo && exec "$@"\n')
    with Screen(env=('unshare', '-rn', 'sh', script)) as s:
        s.type('/lan')
        s.keys('Enter')
        until(lambda: '* now open' in s.text())
        m = re.search(r'http://10.9.9.1:(\d+)/#key=(\w{16})   nc 10.9.9.1 (\d+)   then: /key (\w+)', s.text().replace('\n', ''))
        assert m and int(m[1]) == int(m[3]) == s.port and m[2].startswith(m[4][:3]), s.text()


@case
def a_folder_is_named_and_its_log_stands_above_the_prompt():
    folder = temp('papers')
    os.mkdir(folder)
    with Screen('--metrics', '--access-log', '-', folder) as s:
        s.shows(f'  files     / is the folder {folder}, /~ the room\'s page', '  metrics   /~metrics',
                '  only this machine can reach it.  /lan opens it to the network, /help, Ctrl-D ends', '>>')
        s.type('half')
        s.shows('>> half')
        with socket.create_connection(('127.0.0.1', s.port), 10 * SLOW) as c:
            c.sendall(f'GET /none HTTP/1.1\r\nHost: 127.0.0.1:{s.port}\r\nConnection: close\r\n\r\n'.encode())
            while c.recv(4096):
                pass
        until(lambda: re.search(r'(?m)^\S+ - - \[.*\] "GET /none HTTP/1.1" 404 .*\n>> half$', s.text().rstrip()))


@case
def a_signal_gives_the_terminal_back():
    with Screen() as s:
        s.type('half')
        s.keys('C-c')
        s.shows('exit 0')


tap.run()
