#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_tls.py - whom dial and listen believe within TLS, what they agree on, and what they say where it fails. The peers are Python's
ssl and openssl; test_tls_cut.py has the hostile ones, test_tls_peers.py whole programs."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl

import pki
from duplexlib import Server, host_port, recv_all, run as duplex, start, temp, until
from tap import case, run
from tlslib import ALERTS, V12, V13, Memory, client_context, echoes, hello, refused, s_server, spoken, tls_connect, tls_server, works

# docs/exit-codes.md, by the faults of tls.h; ALERT: the peer sent one that has no number of its own.
EXIT = {'EXPIRED': 110, 'NOT_YET': 111, 'HOST': 51, 'ISSUER': 60, 'PIN': 90, 'WEAK': 112, 'USAGE': 113, 'REVOKED': 91, 'NO_CERT': 114,
        'VERSION': 59, 'CIPHER': 59, 'ALPN': 115, 'SNI': 116, 'PLAIN': 117, 'CUT': 118, 'OTHER': 35, 'ALERT': 35, 'OWN': 58, 'CA': 77,
        'TRUNCATED': 18}
WRONG_PIN = 'sha256:' + 'A' * 43 + '='


def ca():
    return pki.ca().cert


def listening(leaf, *options, url='tls://127.0.0.1:0', echo=('--echo',), **how):
    """duplex listen with this certificate."""
    return start('listen', *options, '--cert', leaf.chain, '--key', leaf.key, url, *echo, **how)


def one_line(r, name, *words):
    assert r.code == EXIT[name], (name, EXIT[name], r)
    assert r.err.startswith('duplex: ') and r.err.count('\n') == 1, r
    for word in words:
        assert word in r.err, (word, r)
    assert not r.out, r


# ---- whom a dial believes ----

def good_ones():
    yield 'good', [], '127.0.0.1'
    yield 'good', [], 'localhost'
    for name in 'rsa', 'ed25519', 'below':
        yield name, [], '127.0.0.1'
    yield 'good', ['--ca', pki.crl()], '127.0.0.1'
    for name in 'good', 'expired', 'not-yet', 'host', 'stranger', 'client-here':  # a pin, and nothing else is asked
        yield name, ['--pin', pki.leaf(name).pin], '127.0.0.1'
    yield 'host', ['--pin', pki.leaf('host').fingerprint], '127.0.0.1'
    yield 'host', ['--pin', colons(pki.leaf('host').fingerprint)], '127.0.0.1'
    yield 'host', ['--pin', f'{WRONG_PIN},{pki.leaf("host").pin}'], '127.0.0.1'
    for name in 'expired', 'host', 'stranger', 'sha1':
        yield name, ['--insecure'], '127.0.0.1'


def colons(fingerprint):
    return 'sha256:' + ':'.join(re.findall('..', fingerprint.split(':')[1].upper()))


def weakly(leaf):
    """A Python server may show a weak one only below its usual level."""
    return {'level': 0} if leaf.name in ('sha1', 'rsa1024') else {}


@case
def dial_believes_who_is_to_be_believed():
    for name, options, host in good_ones():
        leaf = pki.leaf(name)
        with tls_server(leaf, echoes, **weakly(leaf)) as s:
            trust = options or ['--ca', ca()]
            r = duplex('dial', *trust, f'tls://{host}:{s.port}', input=b'hello\n')
            warning = 'duplex: --insecure: anybody could be at the other end\n' if '--insecure' in options else ''
            assert (r.code, r.out, r.err) == (0, b'hello\n', warning), (name, options, host, r)


@case
def dial_says_whom_it_does_not_believe_and_tells_the_server():
    self_signed, day = pki.self_signed(), '2025-02-03'
    for leaf, options, fault, words in [
            (pki.leaf('expired'), [], 'EXPIRED', [day, 'expired']),
            (pki.leaf('not-yet'), [], 'NOT_YET', ['2047-08-09']),
            (pki.leaf('host'), [], 'HOST', ['127.0.0.1', 'other.example', '*.more.example', '192.0.2.7']),
            (pki.leaf('stranger'), [], 'ISSUER', ['other-ca of the tests']),
            (self_signed, [], 'ISSUER', ['--pin ' + self_signed.pin]),
            (pki.leaf('sha1'), [], 'WEAK', ['SHA']),
            (pki.leaf('rsa1024'), [], 'WEAK', []),
            (pki.leaf('client-here'), [], 'USAGE', []),
            (pki.leaf('forged'), [], 'USAGE', []),
            (pki.leaf('revoked'), ['--ca', pki.crl()], 'REVOKED', ['revoked']),
            (pki.leaf('good'), ['--pin', pki.leaf('again').pin], 'PIN', [pki.leaf('good').pin]),
            (pki.leaf('good'), ['--pin', pki.leaf('again').fingerprint], 'PIN', []),
            (pki.leaf('good'), ['--ca', pki.ca('other-ca').cert], 'ISSUER', []),
            (pki.leaf('good'), [''], 'ISSUER', ['ca of the tests'])]:  # the system's store knows nothing of it
        with tls_server(leaf, echoes, fails=True, **weakly(leaf)) as s:
            trust = [o for o in options if o] or ([] if options else ['--ca', ca()])
            r = duplex('dial', *trust, s.url, input=b'hello\n')
            one_line(r, fault, *words)
            said = until(lambda: s.results)[0]
            assert isinstance(said, ssl.SSLError) and 'ALERT' in str(said).upper(), (leaf.name, said)


@case
def the_host_is_what_the_url_says_by_name_too():
    with tls_server(pki.leaf('host'), echoes, fails=True) as s:
        one_line(duplex('dial', '--ca', ca(), f'tls://localhost:{s.port}', input=b''), 'HOST', 'localhost', 'other.example')


@case
def the_fragment_says_the_same_as_the_options():
    with tls_server(pki.leaf('good'), echoes) as s:
        for fragment in f'ca={ca()}', f'pin={pki.leaf("good").pin}', 'insecure':
            r = duplex('dial', f'{s.url}#{fragment}', input=b'hello\n')
            assert (r.code, r.out) == (0, b'hello\n'), (fragment, r)
    leaf = pki.leaf('good')
    with start('listen', f'tls://127.0.0.1:0#cert={leaf.chain},key={leaf.key}', '--echo') as p:
        assert '#' not in p.url, p.url
        r = duplex('dial', f'{p.url}#ca={ca()}', input=b'hello\n')
        assert (r.code, r.out) == (0, b'hello\n'), r


@case
def a_certificate_of_our_own_is_made_where_none_is_given():
    state = temp()
    env = dict(os.environ, XDG_STATE_HOME=state)
    for argv in ['--cert', 'auto', 'tls://127.0.0.1:0'], ['tls://127.0.0.1:0#cert=auto'], ['any://127.0.0.1:0', '--cert', 'auto']:
        with start('listen', *argv, '--echo', env=env) as p:
            pin = pki.pin_of(f'{state}/duplex/leaf.pem')  # the same one each time
            for trust in f'pin={pin}', f'ca={state}/duplex/leaf.pem':
                r = duplex('dial', f'tls://localhost:{host_port(p.url)[1]}#{trust}', input=b'hello\n')
                assert (r.code, r.out) == (0, b'hello\n'), (argv, trust, r)
    assert len(os.listdir(f'{state}/duplex')) == 2, os.listdir(f'{state}/duplex')


@case
def options_that_do_not_read_are_named():
    url = 'tls://127.0.0.1:1'
    for options in [['--pin', 'sha256:abc'], ['--pin', 'md5:' + 'A' * 32], ['--pin', ''], ['--insecure', '--pin', WRONG_PIN], ['--insecure', '--ca', ca()]]:
        r = duplex('dial', *options, url)
        assert r.code == 2 and r.err.count('\n') == 1, (options, r)
    for fragment in 'nosuch=1', 'pin=', 'pin=sha256:abc', 'insecure=maybe':
        r = duplex('dial', f'{url}#{fragment}')
        assert r.code == 2 and r.err.count('\n') == 1, (fragment, r)
    missing, rubbish = temp('no-such.pem'), temp('rubbish.pem')
    pathlib.Path(rubbish).write_text('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    for f in missing, rubbish, '/dev/null':
        r = duplex('dial', '--ca', f, url)
        assert r.code not in (0, 2, 7) and f in r.err and r.err.count('\n') == 1, (f, r)
        r = duplex('listen', '--cert', f, 'tls://127.0.0.1:0')
        assert r.code not in (0, 2) and f in r.err and r.err.count('\n') == 1, (f, r)
    a, b = pki.leaf('good'), pki.leaf('again')
    r = duplex('listen', '--cert', a.cert, '--key', b.key, 'tls://127.0.0.1:0')
    assert r.code not in (0, 2) and (a.cert in r.err or b.key in r.err), r
    r = duplex('listen', 'tls://127.0.0.1:0', '--echo')
    assert r.code == 2 and 'certificate' in r.err and '--cert' in r.err, r


@case
def names_in_certificates_command_no_terminal():
    leaf = pki.leaf('evil', names='DNS:other.example', cn='\x1b]0;owned\x07\u202eevil')
    with tls_server(leaf, echoes, fails=True) as s:
        r = duplex('dial', '-v', '--ca', ca(), s.url)
        assert r.code == EXIT['HOST'] and '\x1b' not in r.err and '\x07' not in r.err and '\u202e' not in r.err, r
    with listening(pki.leaf('good'), '--client-ca', ca(), '-v') as p:
        evil = pki.leaf('evil-client', extensions=pki.CLIENT, names='DNS:ada.example', cn='\x1b[2J\u202eevil')
        assert works(p, cert=evil)
        until(lambda: 'client 1' in p.err)
        assert '\x1b' not in p.err and '\u202e' not in p.err, p.err


# ---- clients' certificates ----

@case
def a_server_that_asks_for_certificates_gets_ours():
    shown = []

    def serve(c):
        shown.append(dict(x[0] for x in c.getpeercert()['subject'])['commonName'])
        echoes(c)

    client = pki.leaf('client')
    for version in V12, V13:
        with tls_server(pki.leaf('good'), serve, client_ca=ca(), version=version) as s:
            r = duplex('dial', '--ca', ca(), '--cert', client.chain, '--key', client.key, s.url, input=b'hello\n')
            assert (r.code, r.out, r.err) == (0, b'hello\n', ''), r
            r = duplex('dial', f'{s.url}#ca={ca()},{client}', input=b'hello\n')
            assert (r.code, r.out, r.err) == (0, b'hello\n', ''), r
    assert shown == ['client'] * 4, shown


@case
def a_server_that_gets_none_refuses_and_dial_says_so():
    for version in V12, V13:
        with tls_server(pki.leaf('good'), echoes, fails=True, client_ca=ca(), version=version) as s:
            r = duplex('dial', '--ca', ca(), s.url, input=b'hello\n')
            assert r.code == EXIT['NO_CERT' if version == V13 else 'ALERT'] and not r.out and r.err.count('\n') == 1, (version, r)


@case
def listen_with_a_client_ca_serves_those_it_signed():
    with listening(pki.leaf('good'), '--client-ca', ca()) as p:
        for version in V12, V13:
            assert works(p, cert=pki.leaf('client'), version=version)
            for leaf, alert in (None, 'CERTIFICATE REQUIRED|HANDSHAKE FAILURE|DECODE ERROR'), ('stranger-client', 'CERTIFICATE|UNKNOWN CA'), \
                    ('expired-client', 'CERTIFICATE'), ('good', 'CERTIFICATE'):
                how = {'extensions': pki.CLIENT, 'until': '20250203040506Z'} if leaf == 'expired-client' else {}
                said = refused(p.url, cert=leaf and pki.leaf(leaf, **how), version=version)
                assert re.search(alert, said) and said != 'an end', (version, leaf, said)
        assert works(p, cert=pki.leaf('client'))
        client = pki.leaf('client')
        r = duplex('dial', '--ca', ca(), '--cert', client.chain, '--key', client.key, p.url, input=b'hello\n')
        assert (r.code, r.out) == (0, b'hello\n'), r
        r = duplex('dial', '--ca', ca(), p.url, input=b'hello\n')
        assert r.code == EXIT['NO_CERT'] and '--cert' in r.err and not r.out and r.err.count('\n') == 1, r
    with listening(pki.leaf('good'), '--client-ca', pki.crl()) as p:
        assert works(p, cert=pki.leaf('client'))
        said = refused(p.url, cert=pki.leaf('revoked-client'))
        assert 'CERTIFICATE' in said, said


# ---- what both agree on ----

@case
def dial_v_says_version_cipher_and_protocol():
    for version, words in (V12, 'TLS1.2'), (V13, 'TLS1.3'):
        with tls_server(pki.leaf('good'), echoes, version=version) as s:
            r = duplex('dial', '-v', '--ca', ca(), s.url, input=b'')
            assert r.code == 0 and words in r.err and re.search(r'AES|CHACHA20', r.err), r


@case
def peers_with_old_versions_are_refused():
    with s_server('-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0', leaf=pki.leaf('rsa')) as s:
        r = duplex('dial', '--ca', ca(), s.tls_url)
        assert r.code in (EXIT['VERSION'], EXIT['ALERT']) and 'version' in r.err, r
    with listening(pki.leaf('rsa')) as p:
        host, port = host_port(p.url)
        r = duplex('s_client', '-connect', f'{host}:{port}', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0', program=['openssl'])
        assert r.code != 0 and 'alert protocol version' in r.err, r
        assert works(p)


@case
def a_server_that_has_no_cipher_for_us_has_its_alert_named():
    with s_server('-tls1_2', '-cipher', 'NULL-SHA256:@SECLEVEL=0', leaf=pki.leaf('rsa')) as s:
        r = duplex('dial', '--ca', ca(), s.tls_url)
        assert r.code in (EXIT['CIPHER'], EXIT['ALERT']) and re.search('cipher|handshake', r.err), r


@case
def nobody_renegotiates():
    with listening(pki.leaf('good')) as p:
        host, port = host_port(p.url)
        with spoken('openssl', 's_client', '-connect', f'{host}:{port}', '-tls1_2', '-CAfile', ca()) as c:
            c.said('Verify return code: 0')
            c.stdin.write(b'hello\n')
            c.said('(?m)^hello$')
            c.stdin.write(b'R\n')
            c.said('(?i)no renegotiation|handshake failure|alert|closed')
            c.kill()
        assert works(p)


@case
def a_server_takes_only_protocols_of_its_own():
    for url, ours in ('wss://127.0.0.1:0/', 'http/1.1'), ('https://127.0.0.1:0/', 'http/1.1'), ('any://127.0.0.1:0', 'http/1.1'), \
            ('any://127.0.0.1:0', 'duplex'):
        with listening(pki.leaf('good'), url=url) as p:
            url = next(u for u in p.urls if not u.startswith('udp'))
            for offered, want in ([ours], ours), (['h2', ours], ours), ([], None):
                with tls_connect(url, alpn=offered) as c:
                    assert c.selected_alpn_protocol() == want, (url, offered)
            for offered in ['h2'], ['foo', 'h3'], ['http/1.0']:
                try:
                    tls_connect(url, alpn=offered).close()
                    assert False, (url, offered)
                except ssl.SSLError as why:
                    assert ALERTS[120] in str(why).upper(), (url, offered, why)


@case
def a_dial_offers_what_its_wire_speaks():
    offered = []

    def note(c):
        offered.append(c.selected_alpn_protocol())
        c.recv(1000)

    with tls_server(pki.leaf('good'), note, alpn=['h2', 'http/1.1', 'duplex']) as s:
        duplex('dial', '--ca', ca(), s.url.replace('tls:', 'wss:'))
        duplex('dial', '--ca', ca(), s.url)
    until(lambda: len(offered) == 2)
    assert offered == ['http/1.1', None], offered
    with s_server('-alpn', 'h2') as s:
        r = duplex('dial', '--ca', ca(), s.tls_url.replace('tls:', 'wss:') + '/')
        assert r.code in (EXIT['ALPN'], EXIT['ALERT']) and re.search('protocol', r.err), r


@case
def several_certificates_are_chosen_by_name():
    a, b = pki.leaf('a'), pki.leaf('b')
    for options in ['--cert', a.chain, '--key', a.key, '--cert', b.chain, '--key', b.key], \
            ['--cert', pki.together('both-a.pem', a), '--cert', pki.together('both-b.pem', b)]:
        with start('listen', *options, 'tls://127.0.0.1:0', '--echo') as p:
            for name, shown in ('b.example', 'b.example'), ('a.example', 'a.example'), ('B.Example', 'b.example'), (None, 'a.example'):
                context = client_context()
                context.check_hostname = False
                with tls_connect(p.url, name, context) as c:
                    assert (('DNS', shown),) == c.getpeercert()['subjectAltName'], (name, c.getpeercert())
            assert ALERTS[112] in refused(p.url, name='c.example')


@case
def an_unknown_name_is_refused_and_dial_says_which():
    with listening(pki.leaf('good')) as p:
        for version in V12, V13:
            assert ALERTS[112] in refused(p.url, name='nobody.example', version=version)
        assert works(p, name='localhost') and works(p)
    with listening(pki.leaf('a')) as p:
        r = duplex('dial', '--ca', ca(), p.url.replace('127.0.0.1', 'localhost'))
        assert r.code in (EXIT['SNI'], EXIT['ALERT']) and 'name' in r.err, r


# ---- what is no TLS ----

@case
def plain_text_to_a_tls_port_is_told_so():
    for url in 'tls://127.0.0.1:0', 'wss://127.0.0.1:0/', 'https://127.0.0.1:0/':
        with listening(pki.leaf('good'), url=url) as p:
            for text in b'hello\n', b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', b'\r\n', b'\x00' * 600, b'SSH-2.0-x\r\n':
                with p.connect() as s:
                    s.sendall(text)
                    try:
                        got = recv_all(s)
                    except ConnectionResetError:
                        got = b''
                    assert got == b'' or got[0] == 21 or got.startswith(b'HTTP/1.1 400') and b'\r\nDate: ' in got, (url, text, got)
                    assert url.startswith('tls') or got == b'' or len(got.split(b'\r\n\r\n', 1)[1]) == 43, got
            assert works(p) if url.startswith('tls') else tls_connect(p.url).close() is None


@case
def dial_to_a_plain_port_says_that_it_is_no_tls():
    def greets(c):
        c.sendall(b'220 plain.example ESMTP\r\n')
        recv_all(c)

    with Server(greets) as s:
        one_line(duplex('dial', '--ca', ca(), s.url.replace('tcp:', 'tls:'), input=b'hello\n'), 'PLAIN', 'TLS')

    def http(c):
        c.recv(1000)
        c.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')

    with Server(http) as s:
        one_line(duplex('dial', '--ca', ca(), s.url.replace('tcp:', 'wss:') + '/', input=b'hello\n'), 'PLAIN', 'TLS')


@case
def dial_says_that_the_handshake_was_cut():
    def silent(c):
        c.recv(4096)

    with Server(silent) as s:
        one_line(duplex('dial', '--ca', ca(), s.url.replace('tcp:', 'tls:'), input=b'hello\n'), 'CUT')


@case
def dial_without_tls_to_a_tls_port_ends_with_an_error_or_an_alert_s_bytes():
    with listening(pki.leaf('good')) as p:
        r = duplex('dial', p.url.replace('tls:', 'tcp:'), input=b'hello\n')
        assert b'hello' not in r.out and r.code != 0, r
        r = duplex('dial', p.url.replace('tls:', 'ws:') + '/', input=b'hello\n')
        assert r.code != 0, r
        assert works(p)


@case
def a_client_hello_to_a_plain_port_is_bytes_or_is_refused():
    for url in 'http://127.0.0.1:0/', 'ws://127.0.0.1:0/', 'any://127.0.0.1:0':
        with start('listen', url, '--echo') as p:
            with p.connect() as s:
                s.sendall(hello())
                try:
                    got = recv_all(s)
                except ConnectionResetError:
                    got = b''
                assert got == b'' or got[0] == 21 or got.startswith(b'HTTP/1.1 400'), (url, got)


# ---- certificates that change, tickets, keys ----

@case
def sighup_reads_the_certificate_anew_and_open_talks_go_on():
    old, new = pki.leaf('good'), pki.leaf('again')
    cert, key = temp('cert.pem'), temp('cert.key')

    def put(leaf):
        for source, target in (leaf.chain, cert), (leaf.key, key):
            shutil.copy(source, target + '.new')
            os.rename(target + '.new', target)

    def shown(p):
        with tls_connect(p.url) as c:
            return c.getpeercert()['serialNumber']

    for argv in ['listen', '--cert', cert, '--key', key, 'tls://127.0.0.1:0', '--echo'], ['listen', f'tls://127.0.0.1:0#cert={cert},key={key}', '--echo']:
        put(old)
        with start(*argv) as p, tls_connect(p.url) as c:
            was = shown(p)
            c.sendall(b'one')
            assert c.recv(10) == b'one'
            put(new)
            assert shown(p) == was
            p.interrupt(signal.SIGHUP)
            until(lambda: shown(p) != was)
            c.sendall(b'two')
            assert c.recv(10) == b'two'
            now, said = shown(p), len(p.err)
            pathlib.Path(cert).write_text('no certificate')
            p.interrupt(signal.SIGHUP)
            until(lambda: cert in p.err[said:])  # it says so, and keeps what it has
            assert shown(p) == now
            c.sendall(b'three')
            assert c.recv(10) == b'three'


@case
def a_session_is_resumed_by_its_ticket():
    with listening(pki.leaf('good'), echo=('--upper',)) as p:
        host, port = host_port(p.url)
        for version in '-tls1_2', '-tls1_3':
            session = temp('session')
            for option, words in ('-sess_out', 'New, TLSv1'), ('-sess_in', 'Reused, TLSv1'):
                r = duplex('s_client', '-connect', f'{host}:{port}', version, '-CAfile', ca(), '-ign_eof', option, session, program=['openssl'],
                           input=b'exit\n')
                assert b'EXIT' in r.out and words.encode() in r.out, (version, option, r.out.decode(), r.err)


@case
def the_key_log_has_the_same_lines_on_both_sides():
    logs = temp('here'), temp('there')
    with listening(pki.leaf('good'), env=dict(os.environ, SSLKEYLOGFILE=logs[0])) as p:
        r = duplex('dial', '--ca', ca(), p.url, input=b'hello\n', env=dict(os.environ, SSLKEYLOGFILE=logs[1]))
        assert (r.code, r.out) == (0, b'hello\n'), r
    lines = [sorted(x for x in pathlib.Path(f).read_text().splitlines() if not x.startswith('#')) for f in logs]
    assert lines[0] == lines[1], lines
    labels = [x.split()[0] for x in lines[0]]
    for label in 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET', 'CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0':
        assert label in labels, labels
    assert all(re.fullmatch(r'\w+ [0-9a-f]{64} [0-9a-f]{64,96}', x) for x in lines[0]), lines


@case
def garbage_after_the_handshake_ends_with_an_alert():
    record = b'\x17\x03\x03\x00\x28' + b'x' * 40
    with listening(pki.leaf('good')) as p:
        for version in V12, V13:
            with p.connect() as s:
                c = Memory(s, version=version).shake()
                c.write(b'hello')
                c.flush()
                assert c.read(5) == b'hello'
                s.sendall(record)
                try:
                    c.read(1)
                    assert False, 'an end, or data'
                except ssl.SSLError as why:
                    assert ALERTS[20] in str(why).upper(), why
        assert works(p)

    def garbage(c):
        c.recv(1000)
        socket.socket.sendall(c, record)  # below TLS
        with contextlib.suppress(ssl.SSLError, OSError):
            c.recv(1000)

    with tls_server(pki.leaf('good'), garbage) as s:
        r = duplex('dial', '--ca', ca(), s.url, input=b'hello\n')
        assert r.code == EXIT['OTHER'] and not r.out, r


@case
def the_end_of_a_peer_that_does_not_say_it_is_truncation():
    for version in V12, V13:
        def leaves(c):
            c.sendall(b'most of it')
            c.recv(100)
            c.shutdown(socket.SHUT_WR)  # TCP's alone

        with tls_server(pki.leaf('good'), leaves, version=version) as s:
            r = duplex('dial', '--ca', ca(), s.url, input=b'hello\n')
            assert r.code == EXIT['TRUNCATED'] and r.out == b'most of it' and r.err.count('\n') == 1, r
        with listening(pki.leaf('good'), echo=()) as p:
            with tls_connect(p.url, version=version) as c:
                c.sendall(b'most of it')
                c.shutdown(socket.SHUT_WR)
                assert p.wait() == EXIT['TRUNCATED'], p.err
            assert p.stdout.read() == b'most of it'


@case
def both_ends_of_a_talk_may_end_first():
    for version in V12, V13:
        with listening(pki.leaf('good'), echo=()) as p:
            with p.connect() as s:
                c = Memory(s, version=version).shake()
                c.write(b'question')
                c.end()
                assert p.stdout.read() == b'question'
                p.stdin.write(b'answer')
                p.end_input()
                assert c.read(100) == b'answer'
            assert p.wait() == 0, p.err
        with listening(pki.leaf('good'), echo=()) as p:
            with p.connect() as s:
                c = Memory(s, version=version).shake()
                p.stdin.write(b'welcome')
                p.end_input()
                assert c.read(100) == b'welcome'
                c.write(b'thanks')
                c.end()
                assert p.stdout.read() == b'thanks'
            assert p.wait() == 0, p.err


run()
