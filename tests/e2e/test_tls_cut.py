#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_tls_cut.py - TLS cut anywhere, dripped, and never finished: whatever happens on the way, no byte is missing behind an exit code
0, nothing hangs, and who comes next is served."""
import contextlib
import os
import pathlib
import random
import socket
import ssl
import threading
import time

import pki
from duplexlib import SLOW, host_port, run as duplex, start, until
from tap import add, case, run
from tlslib import V12, V13, Cutter, Memory, hello, reset, says, tls_server, works

SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')
KIB50 = random.Random(SEED).randbytes(50000)
CUT, TRUNCATED, RESET = 118, 18, 56  # exit codes
SHAKEN = 3  # records of a TLS 1.3 client: ClientHello, ChangeCipherSpec, Finished


def ca():
    return pki.ca().cert


def listening(*options, url='tls://127.0.0.1:0', **how):
    leaf = pki.leaf('good')
    return start('listen', *options, '--cert', leaf.chain, '--key', leaf.key, url, **how)


# ---- pieces ----

@case
def a_client_hello_cut_at_every_byte_hurts_nobody():
    """Ended and reset at each byte; --max is small, so that a place that is not given back is missed."""
    for version in V12, V13:
        data = hello(version=version)
        with listening('--echo', '--max', '8') as p:
            for cut in range(len(data)):
                for end in (lambda s: s.shutdown(socket.SHUT_WR)), reset:
                    with p.connect() as s:
                        s.sendall(data[:cut])
                        end(s)
                        if s.fileno() >= 0:
                            with contextlib.suppress(ConnectionError):
                                while s.recv(1000):
                                    pass
                if cut % 64 == 0:
                    works(p)
            works(p)


@case
def a_handshake_cut_after_every_record_hurts_nobody():
    """The client's second flight too: its Finished in pieces."""
    for version in V12, V13:
        with listening('--echo', '--max', '4') as p:
            for cut in 1, 5, 6, 11, 20, 30, 60:
                with p.connect() as s:
                    c = Memory(s, version=version)
                    with contextlib.suppress(ssl.SSLWantReadError):
                        c.tls.do_handshake()
                    c.flush()
                    while True:  # until it has something to say again
                        c.into.write(s.recv(1 << 16))
                        with contextlib.suppress(ssl.SSLWantReadError):
                            c.tls.do_handshake()
                        if data := c.out.read():
                            break
                    s.sendall(data[:cut])
                    s.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(ConnectionError):
                        while s.recv(1000):
                            pass
            works(p)


@case
def records_of_one_byte_and_bytes_by_themselves_are_the_same_talk():
    for version in V12, V13:
        with listening('--echo') as p, p.connect() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c = Memory(s, version=version).shake(piece=1)
            text = KIB50[:1500]
            for i in range(len(text)):
                c.write(text[i:i + 1])
            c.flush()
            assert c.read(len(text)) == text
            c.write(text)
            c.flush(piece=1)
            assert c.read(len(text)) == text
            c.end()
            assert c.read(1) == b''


@case
def a_dial_hears_a_server_that_drips():
    """A server whose every TCP byte comes alone, through a proxy."""
    with tls_server(pki.leaf('good'), says(KIB50[:3000])) as s:
        with socket.create_server(('127.0.0.1', 0)) as door:
            def drip():
                a, _ = door.accept()
                b = socket.create_connection(('127.0.0.1', s.port))
                a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

                def back():
                    while data := a.recv(1000):
                        b.sendall(data)
                    b.shutdown(socket.SHUT_WR)

                threading.Thread(target=back, daemon=True).start()
                while data := b.recv(1000):
                    for i in range(len(data)):
                        a.sendall(data[i:i + 1])
                a.close()

            threading.Thread(target=drip, daemon=True).start()
            r = duplex('dial', '--ca', ca(), f'tls://127.0.0.1:{door.getsockname()[1]}')
            assert (r.code, r.out) == (0, KIB50[:3000]), r


# ---- truncation ----

def cuts(sizes):
    """After each record, and inside each: (records, bytes of the next)."""
    for k, n in enumerate(sizes):
        yield k, 0
        yield k, random.Random(SEED + k).randrange(1, n)


def truncated_to_dial(version, how):
    def serve(c):
        with contextlib.suppress(ssl.SSLError, OSError):
            c.sendall(KIB50)
            c.unwrap()

    with tls_server(pki.leaf('good'), serve, version=version, fails=True) as s:
        with Cutter(s.url, 'server') as whole:
            r = duplex('dial', '--ca', ca(), whole.url)
            assert (r.code, r.out) == (0, KIB50), r
        for records, more in cuts(whole.sizes):
            with Cutter(s.url, 'server', records, more, how) as cutter:
                r = duplex('dial', '--ca', ca(), cutter.url)
            assert cutter.cut, 'nothing was cut'
            assert r.code in (CUT, TRUNCATED, RESET), (version, how, whole.sizes, records, more, r)
            assert r.code != CUT or not r.out, (records, more, r)
            assert r.err.count('\n') == 1 and KIB50.startswith(r.out), (records, more, r)
            last = len(whole.sizes) - 1
            assert r.out == KIB50 if (records, more) == (last, 0) and how != 'reset' else True, (records, more, r)


@case
def what_a_dial_hears_is_whole_or_it_says_so():
    for version in V12, V13:
        for how in 'both', 'one', 'reset':
            truncated_to_dial(version, how)


def talk(make_cutter, data, client=True):
    """dial sends data through a Cutter to listen, which answers with its end once it has all: the cutter, dial's result, listen's code (None:
    it waits on, for there was no client), what it got, its words."""
    with listening() as p, make_cutter(p.url) as cutter:
        got = bytearray()

        def hear():
            with contextlib.suppress(ValueError):  # closed with the process
                while part := p.stdout.read(1 << 16):
                    got.extend(part)
                    if len(got) == len(data):
                        p.end_input()

        reader = threading.Thread(target=hear, daemon=True)
        reader.start()
        r = duplex('dial', '--ca', ca(), cutter.url, input=data)
        code = p.wait() if client else p.popen.poll()
        p.kill()
        reader.join()
        return cutter, r, code, bytes(got), p.err


def truncated_to_listen(how):
    cutter, r, code, out, err = talk(lambda u: Cutter(u, 'client'), KIB50)
    assert (r.code, code, out) == (0, 0, KIB50), (r, code, len(out), err)
    for records, more in cuts(cutter.sizes):
        c, r, code, out, err = talk(lambda u: Cutter(u, 'client', records, more, how), KIB50, records >= SHAKEN)
        assert c.cut, 'nothing was cut'
        where = how, cutter.sizes, records, more, r, code, len(out), err
        assert KIB50.startswith(out), where
        assert r.code != 0 or out == KIB50, where  # the one who sent does not believe that all arrived
        assert code in (TRUNCATED, RESET) if records >= SHAKEN else code is None and not out, where  # the one who heard a part knows


@case
def what_a_dial_sends_arrives_whole_or_both_say_so():
    for how in 'both', 'one', 'reset':
        truncated_to_listen(how)


# ---- floods ----

def memory_of(pid):
    """Resident KiB."""
    text = pathlib.Path(f'/proc/{pid}/status').read_text()
    return int(text.split('VmRSS:')[1].split()[0])


@case
def ten_thousand_half_handshakes_leave_room_for_a_good_client():
    waves, each = (5, 2000) if SLOW < 4 else (2, 500)
    half = hello()
    half = half[:len(half) // 2]
    with listening('--echo', '--max', '30000') as p:
        works(p)
        after = []
        for _ in range(waves):
            socks = []
            for _ in range(each):
                s = socket.socket()
                s.connect(host_port(p.url))
                s.sendall(half)
                socks.append(s)
            begin = time.monotonic()
            works(p)
            took = time.monotonic() - begin
            assert took < 1.5 * SLOW, f'{took:.2f} s for a good client among {each}'
            for s in socks:
                reset(s)
            works(p)
            until(lambda: len(os.listdir(f'/proc/{p.pid}/fd')) < 40, words='their descriptors to be closed')
            after.append(memory_of(p.pid))
        print(f'# resident after each wave: {after} KiB')
        if SLOW < 4:  # sanitizers keep what was freed. The heap settles; a leak would grow on
            assert after[-1] - after[-2] < max(2048, (after[1] - after[0]) / 2), after
        works(p)


def begin_silence():
    """It lasts ten seconds: begun before the other cases, it is heard to its end after them."""
    p = listening('--echo', '--max', '1')
    s = p.connect(timeout=20)
    s.sendall(hello()[:100])
    began = time.monotonic()

    def a_silent_handshake_does_not_last_for_ever():
        with p, s:
            with contextlib.suppress(ConnectionError):
                while s.recv(1000):
                    pass
            works(p)
            print(f'# {time.monotonic() - began:.1f} s')
    return a_silent_handshake_does_not_last_for_ever


silence = begin_silence()
add(silence.__name__, silence)
run()
