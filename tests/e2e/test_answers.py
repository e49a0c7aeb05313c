#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_answers.py - listen --reply and listen --exec against http.client, Python sockets, nc and dial."""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time

from duplexlib import DUPLEX, SLOW, connect, host_port, recv_all, recv_exactly, run as duplex, start, temp, until
from tap import Skip, case, run

PAGE = '<h1>不要回答!!!</h1>'


def get(p, method='GET', body=None):
    c = http.client.HTTPConnection(*host_port(p.url), timeout=10 * SLOW)
    c.request(method, '/', body)
    r = c.getresponse()
    return r.status, r.getheader('Content-Type'), r.read()


# ---- --reply ----


@case
def a_browser_gets_a_page_and_a_program_the_bare_bytes():
    want = PAGE.encode('gb2312')
    with start('listen', 'any://127.0.0.1:0', '--reply', PAGE, '--encoding', 'gb2312') as p:
        assert get(p) == (200, 'text/html; charset=gb2312', want)
        assert get(p, 'POST', b'x' * 100000) == (200, 'text/html; charset=gb2312', want)
        assert get(p, 'HEAD') == (200, 'text/html; charset=gb2312', b'')
        with p.connect() as s:
            for _ in range(3):
                s.sendall('你好'.encode('gb2312'))
                assert recv_exactly(s, len(want)) == want
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b''
        with p.connect([u[:3] for u in p.urls].index('udp')) as s:
            s.send(b'hello')
            assert s.recv(1000) == want
        r = duplex('dial', '--once', p.url.replace('tcp', 'ws').replace('http', 'ws'), input=b'x')
        assert r.code == 0 and r.out.decode() == PAGE, r


@case
def nc_gets_it_too():
    if not shutil.which('nc'):
        raise Skip('no nc')
    with start('listen', 'tcp://127.0.0.1:0', '--reply', r'hi\n') as p:
        host, port = host_port(p.url)
        for given in b'hello\n', b'':
            r = subprocess.run(['nc', '-N', host, str(port)], input=given, capture_output=True, timeout=20 * SLOW)
            assert r.stdout == b'hi\n', (given, r)


@case
def what_is_no_html_is_plain_text():
    with start('listen', 'http://127.0.0.1:0/', '--reply', r'a < b\n') as p:
        assert get(p) == (200, 'text/plain; charset=utf-8', b'a < b\n')
    with start('listen', 'http://127.0.0.1:0/', '--hex', '--reply', '00 ff') as p:
        assert get(p) == (200, 'application/octet-stream', b'\0\xff')


@case
def a_reply_has_checksum_and_line_end():
    with start('listen', 'tcp://127.0.0.1:0', '--hex', '--reply', '01 02', '--checksum', 'xor', '--eol', 'crlf') as p, p.connect() as s:
        s.sendall(b'x')
        assert recv_exactly(s, 5) == b'\1\2\3\r\n'


@case
def a_reply_is_one_a_line_where_lines_are_framed():
    for options, want in ([], b'ok\nok\n'), (['--eol', 'crlf'], b'ok\r\nok\r\n'):
        with start('listen', 'tcp://127.0.0.1:0', '--reply', 'ok', '--frame', 'line', *options) as p, p.connect() as s:
            s.sendall(b'a\nb\n')
            assert recv_exactly(s, len(want)) == want


@case
def a_reply_serves_once():
    with start('listen', 'tcp://127.0.0.1:0', '--reply', 'ok', '--once') as p:
        with p.connect() as s:
            s.sendall(b'a')
            assert s.recv(10) == b'ok'
        assert p.wait() == 0


@case
def modes_exclude_each_other():
    for options in (['--echo', '--reply', 'x'], ['--exec', 'cat', '--upper'], ['--echo', '--log', 'x'], ['--exec', 'cat', '--hex'],
                    ['--reply', 'x', '--json'], ['--reply', r'\q'], ['--reply', 'x', '--encoding', 'nope']):
        r = duplex('listen', 'tcp://127.0.0.1:0', *options)
        assert r.code == 2, (options, r)


# ---- --exec ----


@case
def each_client_has_a_process_of_its_own():
    with start('listen', 'tcp://127.0.0.1:0', '--exec', 'sort') as p:
        clients = [p.connect() for _ in range(3)]
        for i, s in enumerate(clients):
            s.sendall(b'b%d\na%d\n' % (i, i))
            s.shutdown(socket.SHUT_WR)
        for i, s in enumerate(clients):
            assert recv_all(s) == b'a%d\nb%d\n' % (i, i)
            s.close()


@case
def the_environment_says_who_it_is():
    script = temp('who')
    with open(script, 'w') as f:
        f.write('#!/bin/sh\necho "$DUPLEX_PEER $DUPLEX_LOCAL $DUPLEX_WIRE $HOME $1"\n')
    os.chmod(script, 0o755)
    env = dict(os.environ, HOME='/home/x', DUPLEX_PEER='not me')
    with start('listen', 'tcp://127.0.0.1:0', '--exec', f'{script} "one; word"', env=env) as p, p.connect() as s:
        me = 'tcp://%s:%d' % s.getsockname()
        assert recv_all(s).decode() == f'{me} {p.url} tcp /home/x one; word\n'


@case
def a_process_talks_on_every_wire():
    for url in 'unix', 'ws://127.0.0.1:0/', 'any://127.0.0.1:0':
        url = f'unix://{temp("s")}' if url == 'unix' else url
        with start('listen', url, '--exec', 'sed -u s/hello/HELLO/') as p:
            r = duplex('dial', p.url, input=b'hello\n')
            assert r.code == 0 and r.out == b'HELLO\n', (url, r)
    with start('listen', 'http://127.0.0.1:0/', '--exec', 'tr a-z A-Z') as p:
        status, _, body = get(p, 'POST', b'hello')
        assert (status, body) == (200, b'HELLO')


@case
def a_process_goes_with_its_client():
    name = temp('pid')
    with start('listen', 'tcp://127.0.0.1:0', '--exec', f"sh -c 'echo $$ >{name}; exec sleep 1000'") as p:
        s = p.connect()
        until(lambda: os.path.exists(name) and open(name).read().strip())
        pid = int(open(name).read())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        s.close()
        until(lambda: not os.path.exists(f'/proc/{pid}'), 20)


@case
def a_command_that_is_not_there_is_said_and_the_server_stays():
    with start('listen', 'tcp://127.0.0.1:0', '--exec', '/nowhere/cmd') as p:
        for _ in range(2):
            with p.connect() as s:
                try:
                    assert s.recv(1) == b''
                except ConnectionResetError:
                    pass
        p.said('--exec: run /nowhere/cmd: No such file')
        p.interrupt()
        assert p.wait() == 0


@case
def no_more_processes_than_max():
    with start('listen', 'tcp://127.0.0.1:0', '--exec', 'cat', '--max', '2') as p:
        first = [p.connect() for _ in range(2)]
        for s in first:
            s.sendall(b'x')
            assert s.recv(1) == b'x'
        with p.connect() as third:
            third.sendall(b'y')
            third.settimeout(0.3)
            try:
                assert not third.recv(1), 'a third one was served'
            except TimeoutError:
                pass
            first[0].close()
            third.settimeout(10 * SLOW)
            assert third.recv(1) == b'y'
        first[1].close()


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as f:
        return f.read().split()


@case
def a_process_that_ends_ends_its_clients_connection():
    """As inetd does: who keeps his end open keeps neither a slot nor a zombie. The output that is under way comes first."""
    for command, output in ('sh -c "exit 3"', b''), ('true', b''), ('head -c 300000 /dev/zero', bytes(300000)):
        with start('listen', 'tcp://127.0.0.1:0', '--exec', command, '--max', '1') as p, p.connect() as first:
            assert recv_all(first) == output
            until(lambda: not children(p.pid), 10, 'no child is left')
            with p.connect() as second:  # the first is still there
                assert recv_all(second) == output


@case
def a_process_that_only_stops_writing_is_heard_no_more_and_goes_on():
    name = temp('got')
    with start('listen', 'tcp://127.0.0.1:0', '--exec', f"sh -c 'exec >{name}; exec cat'") as p, p.connect() as s:
        assert s.recv(1) == b''
        s.sendall(b'still here')
        until(lambda: open(name).read() == 'still here')


@case
def a_program_that_reads_less_than_it_is_given_is_no_failure():
    """Nobody can tell what it would have read: the answer must not hang on who is first."""
    for command, given in ('true', b'x' * 5), ('true', b'x' * 3000000), ('head -c 3', b'xxxxxx'), ('head -c 3', b'x' * 3000000):
        for _ in range(5):
            r = duplex('dial', f'exec:{command}', input=given)
            assert (r.code, r.out) == (0, given[:3] if 'head' in command else b''), (command, len(given), r)
    a, b = socket.socketpair()  # an input without end
    with a, b:
        r = subprocess.run([DUPLEX, 'dial', 'exec:true'], stdin=a, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20 * SLOW)
        assert r.returncode == 0, r


@case
def one_client_once():
    with start('listen', 'tcp://127.0.0.1:0', '--exec', 'cat', '--once') as p:
        r = duplex('dial', p.url, input=b'hi')
        assert (r.code, r.out) == (0, b'hi') and p.wait() == 0, (r, p.err)


run()
