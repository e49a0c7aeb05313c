#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Everybody meets in one room: raw TCP in UTF-8 and GB2312, Unix sockets, datagrams, WebSockets, nc, socat."""
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time

import duplexlib
from duplexlib import SLOW, run, temp, until
from members import Room, here
from tap import Skip, case
import tap


@case
def every_wire_hears_every_other():
    with Room() as room:
        page = room.json(nick='ada')
        page.gets('welcome', nick='ada', offset=0)
        members = {}
        for name, wire, dial in ('nc-1', 'tcp', room.tcp), ('nc-2', 'unix', room.unix), ('udp-1', 'udp', room.udp), \
                ('ws-1', 'ws', room.ws):
            m = dial()
            m.say(f'I am {name}')
            page.gets('msg', **{'from': name, 'wire': wire, 'text': f'I am {name}'})
            for other in members.values():
                other.hears(f'{name}: I am {name}')
            members[name] = m
        page.say('你好')
        for m in members.values():
            m.hears('ada: 你好')
        who = page.do('who').gets('who')
        until(lambda: len(who['members']) == 5)
        assert {(m['nick'], m['wire']) for m in who['members']} == \
            {('nc-1', 'tcp'), ('nc-2', 'unix'), ('udp-1', 'udp'), ('ws-1', 'ws'), ('ada', 'ws')}, who


@case
def a_gb2312_program_without_newlines_is_understood_and_answered():
    with Room('--guess', 'gb') as room:
        page = room.json()
        page.gets('welcome')
        for word in ('你好', '什么', '谢谢', '没'):
            s = room.dial()
            s.send(word.encode('GB2312'))
            m = page.gets('msg')
            assert m['text'] == word and m['raw'], m
            assert bool(m.get('guess')) == (word != '你好'), m
            page.say('谁')
            got = s.recv(1024)
            assert got == 'browser-1: 谁'.encode('GB2312'), got
            page.gets('msg')
            s.close()


@case
def a_utf8_program_gets_utf8_and_its_own_line_end():
    with Room() as room:
        crlf, lf, none = room.dial(), room.dial(), room.dial()
        w = room.ws()
        for s, text, nick in (crlf, '一\r\n', 'nc-1'), (lf, '二\n', 'nc-2'), (none, '三', 'nc-3'):
            s.sendall(text.encode())
            w.hears(f'{nick}: {text.strip()}')
        w.say('四')
        for s, want in (crlf, '\r\n'), (lf, '\n'), (none, ''):
            text = b''
            while not text.endswith(f'ws-1: 四{want}'.encode()):
                text += s.recv(1024)


@case
def pythons_websockets_meets_a_raw_socket():
    import websockets
    with Room() as room:
        raw = room.tcp().say('first')

        async def talk():
            async with websockets.connect(f'ws://127.0.0.1:{room.port}/', subprotocols=['duplex.json']) as w:
                await w.send(json.dumps({'do': 'hello', 'nick': 'py', 'last': 5}))
                seen = [json.loads(await asyncio.wait_for(w.recv(), 10 * SLOW))]
                while not any(o['is'] == 'msg' for o in seen):
                    seen.append(json.loads(await asyncio.wait_for(w.recv(), 10 * SLOW)))
                await w.send(json.dumps({'do': 'say', 'id': 'a-1', 'text': 'from python'}))
                while not any(o['is'] == 'ack' for o in seen):
                    seen.append(json.loads(await asyncio.wait_for(w.recv(), 10 * SLOW)))
                await w.ping()
                return seen

        seen = asyncio.run(talk())
        assert seen[0]['is'] == 'welcome' and any(o.get('text') == 'first' for o in seen)
        raw.hears('py: from python')


def piped(argv, **how):
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)


@case
def nc_and_socat_talk():
    with Room() as room:
        w = room.ws()
        for argv, nick in (['nc', '127.0.0.1', str(room.port)], 'nc-1'), (['nc', '-U', room.path], 'nc-2'), \
                (['nc', '-u', '127.0.0.1', str(room.port)], 'udp-1'), \
                (['socat', '-', f'TCP:127.0.0.1:{room.port}'], 'nc-3'), (['socat', '-', f'UNIX:{room.path}'], 'nc-4'):
            p = piped(argv)
            try:
                p.stdin.write('来自 nc\n'.encode())
                p.stdin.flush()
                w.hears(f'{nick}: 来自 nc')
                w.say('to you')
                want, got = b'ws-1: to you', b''
                while not got.endswith(want):
                    got += (part := os.read(p.stdout.fileno(), 100))
                    assert part or got.endswith(want), got
                    got = got.rstrip(b'\n')
            finally:
                p.kill()
                p.wait()
                p.stdin.close(), p.stdout.close()


@case
def a_pipe_that_ends_is_answered_first():
    with Room() as room:
        room.tcp().say('before')
        until(lambda: b'before' in subprocess.run(['nc', '-N', '127.0.0.1', str(room.port)], input=b'/who\n', timeout=10 * SLOW,
                                                  capture_output=True).stdout)
        r = subprocess.run(['nc', '-N', '127.0.0.1', str(room.port)], input=b'/who\n', capture_output=True, timeout=10 * SLOW)
        assert re.match(rb'\[\d\d:\d\d\] nc-1: before\n\* 2 here: ', r.stdout) or b'before\n* ' in r.stdout, r.stdout


@case
def a_silent_nc_hears_and_is_nobody():
    with Room() as room:
        silent = room.tcp()
        time.sleep(0.5)  # the sniffer gives silence 300 ms
        a = room.tcp().say('anyone?')
        silent.hears('nc-1: anyone?')
        a.say('/who').hears('* 1 here: nc-1 (tcp)')
        silent.say('yes')
        a.hears('* nc-2 joined')
        a.hears('nc-2: yes')
        silent.say('exit').ended()
        a.hears('* nc-2 left')


@case
def a_browsers_spare_socket_becomes_a_request_unseen():
    with Room() as room:
        spare = room.dial()
        time.sleep(0.5)
        spare.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        assert duplexlib.recv_all(spare).startswith(b'HTTP/1.1 200 ')
        w = room.json()
        w.gets('welcome', offset=0)
        who = w.do('who').gets('who')
        assert len(who['members']) == 1, who


@case
def rooms_nicks_and_private_words():
    with Room() as room:
        a, b = room.tcp().say('/nick ada'), room.tcp()
        a.hears('* you are ada')
        b.say('/nick ADA').hears('* nick ADA is taken')
        a.hears('* nc-2 joined')
        b.say('/nick bob').hears('* you are bob')
        a.hears('* nc-2 is now bob')
        b.say('/msg ada 悄悄话').hears('* told ada')
        a.hears('bob (to you): 悄悄话')
        b.say('/join lab')
        b.hears('* this is room lab, you are bob')
        a.hears('* bob left')
        w = room.ws('/~r/lab')
        w.say('here')
        b.hear(), b.hears('ws-1: here')
        a.silent()


@case
def what_was_missed_comes_once_and_in_order():
    with Room() as room:
        page = room.json(nick='ada', me='secret')
        welcome = page.gets('welcome')
        raw = room.tcp().say('one')
        seen = page.gets('msg')
        page.do('say', id='p-1', text='typed').gets('ack', offset=2)
        page.s.shutdown(socket.SHUT_RD)  # it hears no more, and the server does not know
        raw.hears('ada: typed')
        for i in range(50):
            raw.say(f'm{i}')
        again = room.json(nick='ada', me='secret', epoch=welcome['epoch'], offset=seen['offset'])
        assert again.gets('welcome')['nick'] == 'ada'
        again.do('say', id='p-1', text='typed')
        got = [again.gets('msg')['text'] for _ in range(51)]
        assert got == ['typed'] + [f'm{i}' for i in range(50)], got
        again.gets('ack', id='p-1', offset=2)
        raw.silent()


@case
def a_burst_reaches_a_slow_start_in_order():
    with Room() as room:
        b, a = here(room.tcp(), room.tcp())
        b.hears('* nc-2 joined')
        a.s.sendall(b''.join(b'line %d\n' % i for i in range(5000)))
        for i in range(5000):
            b.hears(f'nc-2: line {i}')


@case
def a_drain_says_1001_and_ends_with_0():
    room = Room()
    w, raw = room.ws(), room.tcp().say('hi')
    w.hears('nc-1: hi')
    room.p.interrupt(signal.SIGTERM)
    try:
        w.hear()
        raise AssertionError('no end')
    except EOFError:
        assert w.code == 1001, w.code
    w.s.close()
    raw.hears('* the room closes')
    raw.ended()
    raw.close()
    assert room.p.wait() == 0


@case
def a_taken_port_names_its_owner_and_a_way():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen(1)
        port = s.getsockname()[1]
        r = run('serve', '--listen', f'any://127.0.0.1:{port}')
        assert r.code == 45 and f'pid {os.getpid()} (' in r.err and 'Try: duplex serve --listen any://127.0.0.1:0' in r.err, r


@case
def a_dead_servers_unix_socket_is_replaced_and_a_live_ones_not():
    path = temp('u')
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with Room('--listen', f'unix://{path}', '--listen', 'any://127.0.0.1:0') as room:
        assert os.stat(path).st_mode & 0o777 == 0o600
        r = run('serve', '--listen', f'unix://{path}')
        assert r.code == 45, r
    assert not os.path.exists(path)


@case
def without_options_it_takes_2333_on_both_families_and_a_unix_socket():
    if subprocess.run(['unshare', '-rn', 'true'], capture_output=True).returncode:
        raise Skip('no network namespaces here')
    folder = temp()
    script = 'ip link set lo up; "$0" serve & sleep 2; "$0" serve; echo "second $?" >&2; kill $!; wait $!; echo "first $?" >&2'
    r = run('-rn', 'sh', '-c', script, duplexlib.DUPLEX, program=['unshare'], env=dict(os.environ, XDG_RUNTIME_DIR=folder))
    for line in 'listening tcp://127.0.0.1:2333', 'listening udp://127.0.0.1:2333', f'listening unix://{folder}/duplex.sock', \
            'second 45', 'first 0', '127.0.0.1:2333 is taken by pid ':
        assert line in r.err, r
    assert not os.listdir(folder)


@case
def the_log_is_safe_lines_and_json_is_objects():
    with Room() as room:
        room.ws().say('one\x1b[2J\ntwo')
        line = room.p.stdout.readline().decode()
        assert line[19:] == ' ws-1 one␛[2J␊two\n', line
    with Room('--json') as room:
        room.tcp().say('你好')
        o = json.loads(room.p.stdout.readline())
        assert o['is'] == 'msg' and o['text'] == '你好' and o['from'] == 'nc-1', o


@case
def a_log_that_nobody_reads_stops_nobody():
    with Room() as room:
        b, a = here(room.tcp(), room.tcp())
        b.hears('* nc-2 joined')
        for i in range(100):
            a.say('x' * 4000)
            b.hears('nc-2: ' + 'x' * 4000)


tap.run()
