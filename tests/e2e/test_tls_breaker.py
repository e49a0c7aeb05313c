#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TLS with peers that cut messages into records as they like, that come back with an old ticket, that show too much; and with files that
are no certificates."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess

import pki
from duplexlib import Server, host_port, start, temp, until
from duplexlib import run as duplex
from tap import case, run
from tlslib import Memory, V12, V13, client_context, echoes, server_context, tls_server

FILE, CHAIN = 58, 60


def ca():
    return pki.ca().cert


def listening(*options, **how):
    good = pki.leaf('good')
    return start('listen', '--cert', good.chain, '--key', good.key, *options, 'tls://127.0.0.1:0', '--upper', stdin=subprocess.DEVNULL, **how)


def recut(data, n):
    """TLS records whose handshake messages lie in records of at most n bytes each."""
    out, i = b'', 0
    while i < len(data):
        k = int.from_bytes(data[i + 3:i + 5], 'big')
        head, body = data[i:i + 3], data[i + 5:i + 5 + k]
        step = n if head[0] == 22 else max(k, 1)
        out += b''.join(head + len(part).to_bytes(2, 'big') + part for part in (body[j:j + step] for j in range(0, k, step)))
        i += 5 + k
    return out


@case
def a_client_hello_in_many_records_of_one_segment_is_heard():
    with listening() as p:
        for version in V12, V13:
            for n in 1, 4, 50, 200:
                with socket.create_connection(host_port(p.url), 20) as s:
                    c = Memory(s, client_context(version=version))
                    with contextlib.suppress(ssl.SSLWantReadError):
                        c.tls.do_handshake()
                    s.sendall(recut(c.out.read(), n))
                    c.shake().write(b'hello\n')
                    c.flush()
                    assert c.read(6) == b'HELLO\n', (version, n)


@case
def a_servers_first_words_in_many_records_of_one_segment_are_heard():
    for n in 1, 30, 500:
        def serve(s):
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = server_context(version=V12).wrap_bio(into, out, server_side=True)
            cut = [recut]  # the first flight alone is in the clear, but for the end of the handshake

            def go(call):
                while True:
                    try:
                        return call()
                    except ssl.SSLWantReadError:
                        if words := out.read():
                            s.sendall(cut.pop()(words, n) if cut else words)
                        data = s.recv(1 << 16)
                        into.write(data) if data else into.write_eof()

            go(tls.do_handshake)
            tls.write(go(lambda: tls.read(100)))
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.unwrap()
            s.sendall(out.read())
            s.shutdown(socket.SHUT_WR)
            while s.recv(1 << 16):  # or what it still says would be answered by a reset
                pass

        with Server(serve) as s:
            r = duplex('dial', '--ca', ca(), s.url.replace('tcp:', 'tls:'), input=b'hello\n', seconds=15)
            assert (r.code, r.out) == (0, b'hello\n'), (n, r)


@case
def a_ticket_does_not_let_in_whom_a_reload_has_shut_out():
    me, trusted = pki.leaf('revoked-client'), temp('ca.pem')
    for version in '-tls1_2', '-tls1_3':
        shutil.copy(ca(), trusted)
        with listening('-v', '--client-ca', trusted) as p:
            def client(*options):
                host, port = host_port(p.url)
                return duplex('s_client', '-connect', f'{host}:{port}', version, '-CAfile', ca(), '-cert', me.chain, '-key', me.key, '-ign_eof',
                              *options, program=['openssl'], input=b'exit\n')

            ticket = temp('ticket')
            assert b'EXIT' in client('-sess_out', ticket).out
            again = client('-sess_in', ticket)
            assert b'EXIT' in again.out and b'Reused' in again.out, again
            shutil.copy(pki.crl(), trusted)
            p.interrupt(signal.SIGHUP)
            until(lambda: 'anew' in p.err)
            late = client('-sess_in', ticket)
            assert b'EXIT' not in late.out and b'Reused' not in late.out, (version, late)


@case
def a_chain_that_is_too_long_is_called_so():
    good = pki.leaf('good')
    long = type('Leaf', (), {'chain': temp('long.pem'), 'key': good.key})
    pathlib.Path(long.chain).write_text(good.pem * 30)
    with tls_server(long, echoes, fails=True) as s:
        r = duplex('dial', '--ca', ca(), s.url, input=b'hello\n')
        assert r.code == CHAIN and '30 certificates' in r.err and r.out == b'', r


@case
def a_file_that_does_not_read_is_named_alone_and_said_why():
    good, other = pki.leaf('good'), pki.leaf('again')
    key = pathlib.Path(good.key).read_text()
    locked = pki.openssl('pkcs8', '-topk8', '-in', good.key, '-passout', 'pass:secret').decode()

    def file(text):
        path = temp('file.pem')
        pathlib.Path(path).write_text(text)
        os.chmod(path, 0o600)
        return path

    for name, cert, its_key, which, word in [
            ('empty', '', key, 'cert', 'no certificate'), ('no key', good.pem, '', 'key', 'no key'), ('swapped', key, good.pem, 'cert', 'no certificate'),
            ('locked', good.pem, locked, 'key', 'password'), ('cut', good.pem[:-60], key, 'cert', ''),
            ('spoilt', good.pem[:200] + 'AAAA' + good.pem[204:], key, 'cert', ''), ('of another', good.pem, pathlib.Path(other.key).read_text(), 'both', 'not that of')]:
        files = {'cert': file(cert), 'key': file(its_key)}
        r = duplex('listen', '--cert', files['cert'], '--key', files['key'], 'tls://127.0.0.1:0', '--echo')
        assert r.code == FILE and r.err.count('\n') == 1 and word in r.err, (name, r)  # a leak would be said below, and be exit 1
        assert all((path in r.err) == (which in (kind, 'both')) for kind, path in files.items()), (name, r)


run()
