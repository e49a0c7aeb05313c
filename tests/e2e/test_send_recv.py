#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_send_recv.py - duplex send and duplex recv: with each other on every wire, with programs that are not ours on either side,
and whatever breaks in between: never an exit 0 on a loss, never a part under the file's own name."""
import filecmp
import os
import pathlib
import pty
import random
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pki
from duplexlib import (DUPLEX, SLOW, Process, Server, connect, host_port, recv_all, recv_exactly, run as duplex, start, temp,
                       until)
from tap import Skip, case, run

SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')
RANDOM = random.Random(SEED)
MIB = RANDOM.randbytes(1 << 20)
WIRES = ['tcp://127.0.0.1:0', 'unix', 'tls://127.0.0.1:0', 'ws://127.0.0.1:0/files', 'wss://127.0.0.1:0/']
STREAMS = ['tcp://127.0.0.1:0', 'unix', 'tls://127.0.0.1:0']
BROKEN = (55, 56)  # which of them it is depends on what the kernel had been told already


def fresh(url):
    return f'unix://{temp("s")}' if url == 'unix' else url


def is_tls(url):
    return url.startswith(('tls', 'wss'))


def shown(url):
    """For who listens."""
    leaf = pki.leaf('good') if is_tls(url) else None
    return ['--cert', leaf.chain, '--key', leaf.key] if leaf else []


def believed(url):
    """For who dials."""
    return ['--pin', pki.leaf('good').pin] if is_tls(url) else []


def file_of(n, name='in'):
    """A file of n bytes, in a folder of its own."""
    path = temp(name)
    with open(path, 'wb') as f:
        while n > 0:  # no piece at its own distance from another: one in the wrong place shows
            piece = (RANDOM.randbytes(4) + MIB)[:n]
            f.write(piece)
            n -= len(piece)
    return path


def big():
    if not hasattr(big, 'path'):
        big.path = file_of(100 << 20)
    return big.path


def long():
    """A gibibyte, most of it holes: it takes long enough that a signal comes in its middle."""
    if not hasattr(long, 'path'):
        long.path = file_of(8 << 20)
        os.truncate(long.path, 1 << 30)
    return long.path


def in_the_middle(part):
    until(lambda: os.path.exists(part) and os.path.getsize(part) > 1 << 20)


def same(a, b):
    assert filecmp.cmp(a, b, shallow=False), f'{a} and {b} differ: {os.path.getsize(a)} and {os.path.getsize(b)} bytes'


def receiver(url, file, *options, **how):
    return start('recv', *options, *shown(url), fresh(url), file, **how)


def sender(url, file, *options, **how):
    """send --listen"""
    return start('send', '--listen', *options, *shown(url), file, fresh(url), **how)


def left(file):
    """What is there of a file that should not have come whole."""
    part = pathlib.Path(file + '.part')
    assert not os.path.lexists(file), f'{file} is there'
    return part.read_bytes() if part.exists() else None


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def server_tls():
    c = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    c.load_cert_chain(pki.leaf('good').chain, pki.leaf('good').key)
    return c


def client_tls():
    return ssl.create_default_context(cafile=pki.ca().cert)


def needs(program):
    if not shutil.which(program):
        raise Skip(f'no {program} here')


# ---- with each other ----


@case
def a_hundred_mebibytes_go_by_every_wire():
    for url in WIRES:
        out = temp('out')
        with receiver(url, out) as p:
            r = duplex('send', *believed(url), big(), p.url, seconds=60)
            assert r.code == 0 and p.wait() == 0, (url, r, p.err)
            assert ' MiB in ' in r.err and 'MiB in ' in p.err, (r, p.err)
        same(big(), out)
        assert left(out + '.x') is None and not os.path.exists(out + '.part')


@case
def and_by_every_wire_the_other_way_round():
    for url in WIRES:
        out, source = temp('out'), file_of(20 << 20)
        with sender(url, source) as p:
            r = duplex('recv', '--dial', *believed(url), p.url, out, seconds=60)
            assert r.code == 0 and p.wait() == 0, (url, r, p.err)
        same(source, out)


@case
def every_size_is_whole():
    for url in WIRES:
        for n in 0, 1, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1:
            out, source = temp('out'), file_of(n)
            with receiver(url, out, '--quiet') as p:
                r = duplex('send', '-q', *believed(url), source, p.url)
                assert (r.code, r.out, p.wait()) == (0, b'', 0), (url, n, r, p.err)
                assert r.err == '' and p.err == f'listening {p.url}\n', (r.err, p.err)
            assert os.path.getsize(out) == n
            same(source, out)


@case
def standard_input_and_output_are_files_too():
    source = big()
    for url in WIRES:
        for piped in True, False:
            out = temp('out')
            with open(out, 'wb') as o, open(source, 'rb') as i:
                p = start('recv', *shown(url), fresh(url), '-', stdout=subprocess.PIPE if piped else o)
                i.seek(90 << 20)
                cat = subprocess.Popen(['cat'], stdin=i, stdout=subprocess.PIPE) if piped else None
                s = start('send', *believed(url), '-', p.url, ready=None, stdin=cat.stdout if piped else i)
                if piped:
                    shutil.copyfileobj(p.stdout, o)
                    cat.wait()
                assert (s.wait(30), p.wait()) == (0, 0), (url, piped, s.err, p.err)
                s.kill(), p.kill()
            with open(source, 'rb') as i:
                i.seek(90 << 20)
                assert pathlib.Path(out).read_bytes() == i.read(), (url, piped)


@case
def files_that_do_not_say_their_size_are_sent_to_their_end():
    for url in STREAMS:
        out = temp('out')
        with receiver(url, out) as p:
            assert duplex('send', *believed(url), '/proc/self/limits', p.url).code == 0 and p.wait() == 0
        assert b'Max open files' in pathlib.Path(out).read_bytes()
    out, pipe = temp('out'), temp('pipe')
    os.mkfifo(pipe)
    with receiver(STREAMS[0], out) as p, start('send', pipe, p.url, ready=None) as s:
        pathlib.Path(pipe).write_bytes(MIB)
        assert (s.wait(), p.wait()) == (0, 0), (s.err, p.err)
    assert pathlib.Path(out).read_bytes() == MIB


# ---- with programs that are not ours ----


@case
def the_tutorials_file_save_gets_it():
    def save(s):
        data = b''
        while part := s.recv(1024):
            data += part
        return data

    source = file_of(1 << 20)  # what such a += costs grows with the square
    for family in socket.AF_INET, socket.AF_UNIX:
        with Server(save, family) as server:
            r = duplex('send', source, server.url)
            assert r.code == 0, r
            until(lambda: server.results)
            assert server.results[0] == pathlib.Path(source).read_bytes()


@case
def python_sends_and_python_fetches():
    source = file_of(3 << 20)
    for url in 'tcp://127.0.0.1:0', 'unix':
        out = temp('out')
        with receiver(url, out) as p, p.connect() as s, open(source, 'rb') as f:
            s.sendfile(f)
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b'' and os.path.exists(out)  # the end is said when the file has its name
            assert p.wait() == 0
        same(source, out)
        with sender(url, source) as p, p.connect() as s:
            assert recv_all(s) == pathlib.Path(source).read_bytes()
            s.close()
            assert p.wait() == 0, p.err


@case
def recv_dials_a_python_server():
    def serve(s):
        s.sendall(MIB)

    out = temp('out')
    with Server(serve) as server:
        r = duplex('recv', '--dial', '--size', len(MIB), server.url, out)
        assert r.code == 0, r
    assert pathlib.Path(out).read_bytes() == MIB


@case
def nc_saves_and_nc_sends():
    needs('nc')
    out, source = temp('out'), file_of(3 << 20)
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    with open(out, 'wb') as o, Process(['nc', '-l', '127.0.0.1', port], stdin=subprocess.DEVNULL, stdout=o) as nc:
        until(lambda: f':{port:04X} 00000000:0000 0A' in pathlib.Path('/proc/net/tcp').read_text())
        r = duplex('send', source, f'tcp://127.0.0.1:{port}')
        assert r.code == 0 and nc.wait() == 0, r
    same(source, out)
    for options in ['-N'], ['-q', '1']:
        out = temp('out')
        with receiver(STREAMS[0], out) as p, open(source, 'rb') as i:
            assert subprocess.run(['nc', *options, *map(str, host_port(p.url))], stdin=i, timeout=30 * SLOW).returncode == 0
            assert p.wait() == 0, p.err
        same(source, out)
    out = temp('out')
    with sender(STREAMS[0], source) as p, open(out, 'wb') as o:
        nc = subprocess.run(['nc', *map(str, host_port(p.url))], stdin=subprocess.DEVNULL, stdout=o, timeout=30 * SLOW)
        assert nc.returncode == 0 and p.wait() == 0, p.err
    same(source, out)


@case
def socat_saves_and_socat_sends():
    needs('socat')
    out, source = temp('out'), file_of(3 << 20)
    with sender(STREAMS[0], source) as p:
        subprocess.run(['socat', '-u', 'TCP:%s:%d' % host_port(p.url), f'CREATE:{out}'], timeout=30 * SLOW, check=True)
        assert p.wait() == 0, p.err
    same(source, out)
    path = temp('s')
    os.unlink(out)
    with Process(['socat', '-u', f'UNIX-LISTEN:{path}', f'CREATE:{out}']) as socat:
        until(lambda: os.path.exists(path))
        r = duplex('send', source, f'unix://{path}')
        assert r.code == 0 and socat.wait() == 0, r
    same(source, out)
    out = temp('out')
    with receiver('unix', out) as p:
        subprocess.run(['socat', '-u', f'OPEN:{source}', 'UNIX:' + p.url.split('://')[1]], timeout=30 * SLOW, check=True)
        assert p.wait() == 0, p.err
    same(source, out)


@case
def openssl_saves_and_openssl_sends():
    needs('openssl')
    leaf, source, out = pki.leaf('good'), file_of(8000), temp('out')  # of more than a read s_client loses some, to any server
    with receiver('tls://127.0.0.1:0', out) as p, open(source, 'rb') as i:
        r = subprocess.run(['openssl', 's_client', '-quiet', '-no_ign_eof', '-connect', '%s:%d' % host_port(p.url)], stdin=i,
                           capture_output=True, timeout=30 * SLOW)
        assert p.wait() == 0, (p.err, r)
    same(source, out)
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    source, out = file_of(3 << 20), temp('out')
    with open(out, 'wb') as o, Process(['openssl', 's_server', '-quiet', '-naccept', '1', '-accept', f'127.0.0.1:{port}', '-cert',
                                        leaf.chain, '-key', leaf.key], stdout=o) as server:
        until(lambda: f':{port:04X} 00000000:0000 0A' in pathlib.Path('/proc/net/tcp').read_text())
        r = duplex('send', '--pin', leaf.pin, source, f'tls://127.0.0.1:{port}')
        server.end_input()
        server.wait()
        assert r.code == 0, r
    same(source, out)


@case
def socat_over_tls_sends_and_fetches():
    needs('socat')
    source = file_of(3 << 20)
    for sends in True, False:
        out = temp('out')
        p = receiver('tls://127.0.0.1:0', out) if sends else sender('tls://127.0.0.1:0', source)
        with p:
            tls = 'OPENSSL:%s:%d' % host_port(p.url) + f',cafile={pki.ca().cert}'
            ends = [f'OPEN:{source}', tls] if sends else [tls, f'CREATE:{out}']
            subprocess.run(['socat', '-u', *ends], timeout=30 * SLOW, check=True)
            assert p.wait() == 0, p.err
        same(source, out)


@case
def python_over_tls_says_goodbye_or_is_not_believed():
    source = file_of(3 << 20)
    for polite in True, False:
        with sender('tls://127.0.0.1:0', source) as p:
            with client_tls().wrap_socket(p.connect(), server_hostname='127.0.0.1') as s:
                assert recv_all(s) == pathlib.Path(source).read_bytes()
                if polite:
                    s.unwrap().close()
            code = p.wait()
        assert code == (0 if polite else 18), (polite, code, p.err)
        assert polite or 'without a goodbye (close_notify)' in p.err, p.err
    for polite in True, False:
        out = temp('out')
        with receiver('tls://127.0.0.1:0', out) as p:
            with client_tls().wrap_socket(p.connect(), server_hostname='127.0.0.1') as s:
                s.sendall(MIB)
                if polite:
                    s.unwrap().close()
            code = p.wait()
        assert code == 0 if polite else code in (18, 56), (polite, code, p.err)  # 56: its tickets are unread
        assert polite or f'is in {out}.part' in p.err, p.err
        assert MIB.startswith(left(out)) if not polite else pathlib.Path(out).read_bytes() == MIB


@case
def who_says_nothing_itself_may_end_early():
    with sender(STREAMS[0], big()) as p, p.connect() as s:
        s.shutdown(socket.SHUT_WR)
        time.sleep(0.3)  # its end comes long before ours
        with open(big(), 'rb') as f:
            while part := s.recv(1 << 20):
                assert part == f.read(len(part))
            assert not f.read(1)
        assert p.wait() == 0, p.err


# ---- what breaks ----


@case
def a_reset_leaves_a_part():
    for url in 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0/':
        out = temp('out')
        with receiver(url, out) as p:
            s = p.connect()
            data = MIB[:300000]
            if url.startswith('ws'):
                s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                          b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
                assert b' 101 ' in s.recv(4096)
                for at in range(0, 300000, 50000):
                    s.sendall(b'\x82\xfe' + struct.pack('>H', 50000) + bytes(4) + data[at:at + 50000])
            else:
                s.sendall(data)
            until(lambda: os.path.getsize(out + '.part') == 300000)
            reset(s)
            assert p.wait() == 56, p.err
        assert left(out) == data
        assert f'duplex: what came, 293 KiB, is in {out}.part\n' in p.err, p.err


@case
def a_websocket_that_ends_without_its_close_is_truncated():
    out = temp('out')
    with receiver('ws://127.0.0.1:0/', out) as p, p.connect() as s:
        s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                  b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
        assert b' 101 ' in s.recv(4096)
        s.sendall(b'\x82\x85' + bytes(4) + b'hello')
        s.shutdown(socket.SHUT_WR)
        assert p.wait() == 18, p.err
    assert left(out) == b'hello'


@case
def a_killed_sender_leaves_a_part_and_not_a_file():
    for url in WIRES:
        if url == 'unix':
            continue  # it knows no reset: --size is what helps there
        out = temp('out')
        with receiver(url, out) as p, start('send', *believed(url), long(), p.url, ready=None) as s:
            in_the_middle(out + '.part')
            p.interrupt(signal.SIGSTOP)
            time.sleep(0.05)
            s.interrupt(signal.SIGKILL)
            s.wait()
            p.interrupt(signal.SIGCONT)
            code = p.wait()
        assert code in (18, 56), (url, code, p.err)
        part = left(out)
        with open(long(), 'rb') as f:
            assert f.read(len(part)) == part


@case
def a_killed_receiver_is_no_success():
    for url in WIRES:
        out = temp('out')
        with receiver(url, out) as p, start('send', *believed(url), long(), p.url, ready=None) as s:
            in_the_middle(out + '.part')
            p.interrupt(signal.SIGSTOP)
            time.sleep(0.05)
            p.interrupt(signal.SIGKILL)
            code = s.wait()
        assert code in (18, *BROKEN), (url, code, s.err)
        assert left(out)


@case
def an_interrupted_side_says_so_and_breaks_off():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        for url in WIRES:
            out = temp('out')
            with receiver(url, out) as p, start('send', *believed(url), long(), p.url, ready=None) as s:
                in_the_middle(out + '.part')
                s.interrupt(signal.SIGSTOP)
                p.interrupt(number)
                assert p.wait() == code, (url, p.err)
                s.interrupt(signal.SIGCONT)
                assert s.wait() in (18, *BROKEN), (url, s.err)
            assert left(out) and 'is in' in p.err, p.err
    out = temp('out')
    with receiver(STREAMS[0], out) as p, start('send', '-', p.url, ready=None) as s:
        s.stdin.write(MIB)
        until(lambda: os.path.getsize(out + '.part') == len(MIB))
        s.interrupt()
        assert (s.wait(), p.wait()) == (130, 56), (s.err, p.err)
    assert left(out) == MIB
    with receiver(STREAMS[0], out + '2') as p:
        p.interrupt()
        assert p.wait() == 130
    assert left(out + '2') is None  # nobody came, nothing stays


@case
def nothing_is_sealed_for_a_receiver_that_is_gone():
    """Else the end would be heard when all of the file has gone nowhere."""
    big = temp('big')
    with open(big, 'wb') as f:
        f.truncate(1 << 38)
    for url in (u for u in WIRES if u.startswith(('tls', 'wss'))):
        out = temp('out')
        with receiver(url, out) as p, start('send', *believed(url), big, p.url, ready=None) as s:
            in_the_middle(out + '.part')
            p.interrupt()
            assert p.wait() == 130, p.err
            assert s.wait() in (18, *BROKEN), (url, s.err)


@case
def fewer_bytes_than_said_are_truncated_and_more_are_too_many():
    for flows in False, True:
        for n, code in ((len(MIB) - 1, 18), (len(MIB), 0), (len(MIB) + 1, 63)):
            out = temp('out')
            with receiver('unix', '-' if flows else out, '--size', len(MIB)) as p, p.connect() as s:
                if flows:
                    reader = threading.Thread(target=p.stdout.read)
                    reader.start()
                try:
                    s.sendall((MIB + b'x')[:n])
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                assert p.wait() == code, (n, p.err)
                if flows:
                    reader.join()
            assert code == 0 or flows or len(left(out)) <= len(MIB)


@case
def a_file_that_shrinks_is_an_error_on_both_sides():
    for url in 'tcp://127.0.0.1:0', 'tls://127.0.0.1:0', 'ws://127.0.0.1:0/':
        out, source = temp('out'), file_of(1 << 20)
        os.truncate(source, 1 << 30)
        with receiver(url, out) as p, start('send', *believed(url), source, p.url, ready=None) as s:
            in_the_middle(out + '.part')
            p.interrupt(signal.SIGSTOP)
            os.truncate(source, 1 << 16)
            p.interrupt(signal.SIGCONT)
            got = s.wait(), p.wait()
        assert got[0] == 23 and 'became shorter while it was sent' in s.err, (url, got, s.err)
        assert got[1] in (18, 56), (url, got, p.err)
        assert left(out)


@case
def a_peer_that_stops_reading_is_no_success():
    for url in 'tcp://127.0.0.1:0', 'unix':
        with sender(url, big()) as p:
            s = p.connect()
            recv_exactly(s, 100000)
            s.close()
            assert p.wait() in BROKEN, p.err
    with sender(STREAMS[0], file_of(1000)) as p:  # all is with the kernel, and nobody reads it
        s = p.connect()
        reset(s)
        assert p.wait() == 56, p.err


@case
def silence_ends_it_where_that_is_wished():
    with sender(STREAMS[0], file_of(1000), '--idle', '300ms') as p, p.connect() as s:
        assert p.wait() == 28, p.err
        assert len(recv_all(s)) == 1000
    out = temp('out')
    with receiver(STREAMS[0], out, '--idle', '300ms') as p, p.connect() as s:
        s.sendall(b'half')
        assert p.wait() == 28, p.err
    assert left(out) == b'half'


# ---- files ----


@case
def a_file_that_is_there_stays_unless_told():
    out, source = temp('out'), file_of(1000)
    pathlib.Path(out).write_bytes(b'precious')
    os.chmod(out, 0o640)
    r = duplex('recv', STREAMS[0], out)
    assert (r.code, r.err) == (23, f'duplex: {out} is there already.  Try: --force, or another name\n'), r
    pathlib.Path(out + '.part').write_bytes(b'left over')
    with receiver(STREAMS[0], out, '--force') as p:
        assert duplex('send', source, p.url).code == 0 and p.wait() == 0
    same(source, out)
    assert os.stat(out).st_mode & 0o777 == 0o640 and not os.path.exists(out + '.part')
    pathlib.Path(out).unlink()
    pathlib.Path(out + '.part').write_bytes(b'left over')
    r = duplex('recv', STREAMS[0], out)
    assert r.code == 23 and f'Try: rm {out}.part, or --force' in r.err, r
    assert left(out) == b'left over'


@case
def a_file_that_comes_into_being_meanwhile_is_not_written_over():
    out = temp('out')
    with receiver(STREAMS[0], out) as p, start('send', '-', p.url, ready=None) as s:
        s.stdin.write(MIB)
        until(lambda: os.path.getsize(out + '.part') == len(MIB))
        pathlib.Path(out).write_bytes(b'precious')
        s.end_input()
        assert p.wait() == 23 and 'has come into being meanwhile' in p.err, p.err
        assert s.wait() == 56, s.err
    assert pathlib.Path(out).read_bytes() == b'precious' and pathlib.Path(out + '.part').read_bytes() == MIB


def may_run(who):
    try:
        return subprocess.run([DUPLEX, '--version'], capture_output=True, **who).returncode == 0
    except PermissionError:
        return False


@case
def what_cannot_be_a_file_is_said_before_anybody_comes():
    folder = os.path.dirname(temp('x'))
    fifo = temp('fifo')
    os.mkfifo(fifo)
    for name, words in ((folder, 'is a folder, and what comes has no name of its own'), (folder + '/', 'is a folder'),
                        ('', 'is no name for a file'), (folder + '/none/x', f'Try: mkdir -p {folder}/none/'),
                        (fifo, f'Try: - >{fifo}'), (folder + '/' + 'n' * 255, 'File name too long')):
        for force in [], ['--force']:
            r = duplex('recv', *force, STREAMS[0], name)
            assert r.code == 23 and words in r.err and r.err.count('\n') == 1, (name, r)
    os.chmod(folder, 0o555)
    who = {'user': 65534, 'group': 65534, 'extra_groups': []} if os.geteuid() == 0 else {}
    if who and not may_run(who):
        raise Skip('the program cannot be run by nobody')
    r = duplex('recv', STREAMS[0], folder + '/x', **who)
    assert r.code == 23 and f'no file can be made in {folder}/: Permission denied' in r.err, r


@case
def what_cannot_be_sent_is_said_before_anybody_is_called():
    folder = os.path.dirname(temp('x'))
    r = duplex('send', folder, 'tcp://127.0.0.1:1')
    assert r.code == 23 and f'Try: tar c {folder} | duplex send - tcp://127.0.0.1:1\n' in r.err, r
    r = duplex('send', folder + '/none', 'tcp://127.0.0.1:1')
    assert (r.code, r.err) == (23, f'duplex: {folder}/none: No such file or directory\n'), r


@case
def a_disk_that_is_full_is_an_error_on_both_sides():
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (700000, 700000))

    for url in WIRES:
        out = temp('out')
        with receiver(url, out, preexec_fn=small) as p:
            r = duplex('send', *believed(url), big(), p.url)
            assert p.wait() == 23 and f'{out}.part: File too large' in p.err, (url, p.err)
            assert r.code in (18, *BROKEN), (url, r)
        assert len(left(out)) <= 700000
    with open('/dev/full', 'wb') as full, receiver(STREAMS[0], '-', stdout=full) as p:
        r = duplex('send', big(), p.url)
        assert p.wait() == 23 and 'standard output: No space left on device' in p.err, p.err
        assert r.code in BROKEN, r


@case
def a_reader_of_standard_output_that_has_enough_ends_it():
    with receiver(STREAMS[0], '-') as p, start('send', big(), p.url, ready=None) as s:
        assert p.stdout.read(1000)
        p.stdout.close()
        assert p.wait() == 23 and 'standard output takes no more' in p.err, p.err
        assert s.wait() in BROKEN, s.err


# ---- words ----


@case
def the_first_who_comes_is_the_one():
    out = temp('out')
    with receiver('unix', out) as p, p.connect() as s:
        s.sendall(b'one')
        until(lambda: os.path.exists(out + '.part') and os.path.getsize(out + '.part') == 3)
        try:
            with p.connect(timeout=2) as late:
                late.sendall(b'two')
                assert late.recv(1) == b''
        except OSError:
            pass
        s.sendall(b'!')
        s.shutdown(socket.SHUT_WR)
        assert p.wait() == 0, p.err
    assert pathlib.Path(out).read_bytes() == b'one!'


@case
def misuse_is_said_with_what_to_do():
    for args, words in ((['send', 'x', 'udp://127.0.0.1:1'], 'datagrams may be lost'),
                        (['recv', 'any://:0', 'x'], 'Try: tcp, unix, tls, ws or wss'),
                        (['recv', 'https://:0', 'x'], 'HTTP is no raw wire'),
                        (['send', 'tcp://127.0.0.1:1', 'x'], 'Did you mean: duplex send x tcp://127.0.0.1:1'),
                        (['recv', 'x', 'tcp://127.0.0.1:1'], 'Did you mean: duplex recv tcp://127.0.0.1:1 x'),
                        (['send', '--pin', 'sha256:x', '/dev/null', 'tcp://127.0.0.1:1'], '--pin is for TLS'),
                        (['recv', '--pin', 'sha256:x', 'tls://:0', 'x'], '--pin is for who dials, and this side listens'),
                        (['send', '--client-ca', 'x', '/dev/null', 'tls://h:1'], '--client-ca is for who listens'),
                        (['recv', 'tls://:0', 'x'], 'Try: --cert auto, or --cert FILE --key FILE'),
                        (['recv', '--size', '0', 'tcp://:0', 'x'], 'wants a whole number'),
                        (['send', 'x'], 'Try: duplex send --help')):
        r = duplex(*args)
        assert r.code == 2 and words in r.err, (args, r)
    for args, words in ((['send', '/dev/null'], 'Try there first: duplex recv tcp://127.0.0.1:1 FILE'),
                        (['recv', '--dial'], 'Try there first: duplex send --listen FILE tcp://127.0.0.1:1')):
        r = duplex(*args, 'tcp://127.0.0.1:1', *([temp('x')] if args[0] == 'recv' else []))
        assert r.code == 7 and words in r.err, r
    r = duplex('send', *believed('tls'), '--pin', 'sha256:' + 'A' * 43 + '=', '/dev/null', 'tls://127.0.0.1:1')
    assert r.code == 7, r


@case
def another_key_than_the_pinned_one_gets_nothing():
    out = temp('out')
    with receiver('tls://127.0.0.1:0', out) as p:
        r = duplex('send', '--pin', 'sha256:' + 'A' * 43 + '=', file_of(1000), p.url)
        assert r.code == 90, r
        r = duplex('send', file_of(1000), p.url)
        assert r.code == 60, r
        r = duplex('send', file_of(1000, 'b'), p.url + '#pin=' + pki.leaf('good').pin)
        assert r.code == 0 and p.wait() == 0, (r, p.err)
    assert os.path.getsize(out) == 1000


@case
def a_terminal_sees_one_line_that_is_drawn_anew():
    out = temp('out')
    with receiver(STREAMS[0], out) as p:
        p.interrupt(signal.SIGSTOP)  # so that there is something to draw
        began, said = time.monotonic(), b''
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(DUPLEX, [DUPLEX, 'send', big(), p.url])
        time.sleep(0.5)
        p.interrupt(signal.SIGCONT)
        try:
            while part := os.read(fd, 4096):
                said += part
        except OSError:
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, said
        os.close(fd)
        assert p.wait() == 0
        lines = said.decode().split('\r')
        drawn = [line for line in lines if ' of 100 MiB, ' in line]
        assert drawn and len(drawn) <= 10 * (time.monotonic() - began + 1), lines
        assert all(line.endswith('\x1b[K') and len(line) < 63 for line in drawn), drawn
        assert lines[-2].startswith(f'\x1b[Kduplex: {big()}: 100 MiB in ') and said.count(b'\n') == 1, lines


@case
def what_comes_is_not_shown_to_a_terminal():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(DUPLEX, [DUPLEX, 'recv', STREAMS[0], '-'])
    said = os.read(fd, 4096)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2 and b'a terminal would obey it' in said, said
    os.close(fd)


run()
