#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_tls_peers.py - tls://, wss:// and https:// with programs that are not ours: openssl, gnutls-cli and gnutls-serv, curl, Python's ssl and
websockets, nginx, Chromium."""
import asyncio
import contextlib
import os
import pathlib
import random
import shutil
import ssl
import threading

import pki
import webdriver
from duplexlib import Process, host_port, run as duplex, start, temp
from members import Lines, Room, here
from needs import needs, websockets
from on_page import enter, shown, texts
from tap import Skip, case, run
from tlslib import V12, V13, client_context, echoes, on_free_port, s_server, server_context, tls_connect, tls_server

MIB = random.Random(7).randbytes(1 << 20)


def ca():
    return pki.ca().cert


def listening(url='tls://127.0.0.1:0', *options, leaf='good'):
    leaf = pki.leaf(leaf)
    return start('listen', '--cert', leaf.chain, '--key', leaf.key, url, *(options or ['--echo']))


def through(p, data, back):
    """What the program says while it is given data, until so much has come back; its input stays open until then."""
    threading.Thread(target=lambda: p.stdin.write(data), daemon=True).start()
    got = b''
    while len(got) < back:
        part = p.stdout.read(min(1 << 16, back - len(got)))
        assert part, (len(got), p.err)
        got += part
    return got


# ---- openssl, gnutls ----

@case
def s_client_gets_its_mebibyte_back():
    needs('openssl')
    with listening() as p:
        for version in '-tls1_2', '-tls1_3':
            with Process(['openssl', 's_client', '-connect', '%s:%d' % host_port(p.url), version, '-quiet', '-verify_return_error', '-CAfile', ca()]) as c:
                assert through(c, MIB, len(MIB)) == MIB, version
                c.end_input()


@case
def dial_talks_to_s_server_both_ways():
    needs('openssl')
    for version in '-tls1_2', '-tls1_3':
        for leaf in 'good', 'rsa':
            with s_server('-rev', version, leaf=pki.leaf(leaf)) as s:
                r = duplex('dial', '--ca', ca(), '--once', s.tls_url, input=b'hello\n')
                assert (r.code, r.out) == (0, b'olleh\n'), (version, leaf, r)


@case
def dial_fetches_a_file_of_s_server():
    needs('openssl')
    folder = temp()
    pathlib.Path(folder, 'file').write_bytes(b'HTTP/1.0 200 OK\r\n\r\n' + MIB)
    for version in '-tls1_2', '-tls1_3':
        with s_server('-HTTP', version, cwd=folder) as s:
            r = duplex('dial', '--ca', ca(), s.tls_url, input=b'GET /file HTTP/1.0\r\n\r\n')
            assert r.code == 0 and r.out.partition(b'\r\n\r\n')[2] == MIB, (version, r)


@case
def every_cipher_and_group_of_ours_works_with_openssl():
    needs('openssl')
    for options in ['-ciphersuites', 'TLS_AES_128_GCM_SHA256'], ['-ciphersuites', 'TLS_AES_256_GCM_SHA384'], \
            ['-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], \
            ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], ['-groups', 'X25519'], ['-groups', 'P-256'], ['-groups', 'P-384']:
        with s_server('-rev', *options) as s:
            r = duplex('dial', '-v', '--ca', ca(), '--once', s.tls_url, input=b'hello\n')
            assert (r.code, r.out) == (0, b'olleh\n'), (options, r)
        with listening() as p:
            with Process(['openssl', 's_client', '-connect', '%s:%d' % host_port(p.url), '-quiet', '-CAfile', ca(), *options]) as c:
                assert through(c, b'hello\n', 6) == b'hello\n', options


@case
def gnutls_cli_gets_its_mebibyte_back():
    needs('gnutls-cli')
    with listening() as p:
        host, port = host_port(p.url)
        for priority in 'NORMAL', 'NORMAL:-VERS-ALL:+VERS-TLS1.2':
            with Process(['gnutls-cli', '--logfile=/dev/null', '--x509cafile', ca(), '--priority', priority, '-p', port, host]) as c:
                assert through(c, MIB, len(MIB)) == MIB, priority
                c.end_input()
                assert c.wait() == 0, c.err


@case
def dial_is_echoed_by_gnutls_serv():
    needs('gnutls-serv')
    leaf = pki.leaf('good')
    with on_free_port(lambda port: ['gnutls-serv', '--echo', '-p', port, '--x509certfile', leaf.chain, '--x509keyfile', leaf.key]) as s:
        for options in ['--ca', ca()], ['--pin', leaf.pin]:
            r = duplex('dial', *options, '--once', f'tls://127.0.0.1:{s.port}', input=b'hello\n')
            assert (r.code, r.out) == (0, b'hello\n'), r


# ---- HTTP ----

def curl(*args, **how):
    needs('curl')
    return duplex('-sS', '--noproxy', '*', *args, program=['curl'], **how)


@case
def curl_posts_a_mebibyte_and_gets_it_back():
    with listening('https://127.0.0.1:0/') as p:
        url = p.url.rstrip('/') + '/'
        for version in ['--tls-max', '1.2'], ['--tlsv1.3'], ['--http1.1'], ['--no-alpn']:
            r = curl('--cacert', ca(), *version, '--data-binary', '@-', url, input=MIB)
            assert (r.code, r.err) == (0, '') and r.out == MIB, (version, r)
        r = curl('--cacert', ca(), url, url, url)  # one connection for all three
        assert r.code == 0, r
        pin = pki.leaf('good').pin.replace('sha256:', 'sha256//')
        assert curl('--cacert', ca(), '--pinnedpubkey', pin, url).code == 0
        assert curl(url).code == 60


@case
def curl_gets_the_page_of_a_room():
    state = temp()
    with Room('--tls', env={'XDG_STATE_HOME': state}) as room:
        leaf = f'{state}/duplex/leaf.pem'
        for host in '127.0.0.1', 'localhost':
            r = curl('--cacert', leaf, f'https://{host}:{room.port}/')
            assert r.code == 0 and b'<html' in r.out, r
        clear = curl(f'http://127.0.0.1:{room.port}/')
        assert clear.out == r.out
        r = curl('--cacert', leaf, '--connect-to', f'evil.example:{room.port}:127.0.0.1:{room.port}', f'https://evil.example:{room.port}/')
        assert r.code == 35, r  # its name is refused before anything else


# ---- Python ----

@case
def a_python_server_that_speaks_gb2312_is_read_in_utf8():
    heard = []

    def serve(c):
        heard.append(c.recv(100))
        c.sendall('收到，谢谢\n'.encode('gb2312'))
        echoes(c)

    for version in V12, V13:
        with tls_server(pki.leaf('good'), serve, version=version) as s:
            r = duplex('dial', '--ca', ca(), '--encoding', 'gb18030', '--once', s.url, input='你好\n'.encode())
            assert (r.code, r.out.decode()) == (0, '收到，谢谢\n'), r
    assert heard == ['你好\n'.encode('gb2312')] * 2, heard


@case
def a_python_client_that_speaks_gb2312_is_heard_in_utf8():
    with listening('tls://127.0.0.1:0', '--encoding', 'gb18030') as p:
        with tls_connect(p.url) as c:
            c.sendall('你好，世界\n'.encode('gb2312'))
            p.stdin.write('收到\n'.encode())
            got = b''
            while len(got) < 5:
                got += c.recv(100)
            assert got == '收到\n'.encode('gb2312')
            p.end_input()
            c.unwrap()
        assert p.stdout.read().decode() == '你好，世界\n' and p.wait() == 0, p.err


@case
def a_python_socketserver_answers_dial_in_upper_case():
    def serve(c):
        for line in c.makefile('rb'):
            c.sendall(line.upper())
        with contextlib.suppress(ssl.SSLError, OSError):
            c.unwrap()

    with tls_server(pki.leaf('good'), serve) as s:
        r = duplex('dial', '--ca', ca(), s.url.replace('127.0.0.1', 'localhost'), input=b'one\ntwo\n')
        assert (r.code, r.out) == (0, b'ONE\nTWO\n'), r


@case
def python_websockets_are_echoed_over_wss():
    ws = websockets()

    async def talk(url, version):
        async with ws.connect(url, max_size=None, ssl=client_context(version=version)) as c:
            for m in ['hello', '你好', '', b'\x00\xff', MIB, 'x' * 70000]:
                await c.send(m)
                got = await c.recv()
                assert got == m, (type(got), len(got), len(m))
            await (await c.ping())
        assert c.close_code == 1000, c.close_code

    with listening('wss://127.0.0.1:0/') as p:
        for version in V12, V13:
            asyncio.run(talk(p.url, version))


@case
def dial_talks_to_python_websockets_over_wss():
    ws = websockets()
    heard = []

    async def serve(c, *_):
        async for m in c:
            heard.append(m)
            await c.send(m)

    async def talk(*args, **how):
        async with ws.serve(serve, '127.0.0.1', 0, ssl=server_context()) as s:
            port = s.sockets[0].getsockname()[1]
            return await asyncio.to_thread(duplex, 'dial', '--ca', ca(), *args, f'wss://localhost:{port}/chat?x=1', **how)

    r = asyncio.run(talk(input=MIB))
    assert r.code == 0 and r.out == MIB, r
    heard.clear()
    r = asyncio.run(talk('--frame', 'line', input='one\n你好\nrest'.encode()))
    assert (r.code, r.out) == (0, 'one\n你好\nrest\n'.encode()), r
    assert heard == ['one', '你好', 'rest'], heard


# ---- nginx ----

NGINX = '''daemon off; master_process off; pid {folder}/pid; error_log stderr notice;
events {{}}
http {{
    access_log off; default_type text/plain; root {folder}/www; client_max_body_size 4m;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {leaf.chain}; ssl_certificate_key {leaf.key};
        location /here/ {{ proxy_pass {to}; proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify on; proxy_ssl_name localhost;
            proxy_ssl_server_name on; proxy_ssl_session_reuse on; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection; proxy_set_header Host localhost; }}
    }}
}}
'''


@contextlib.contextmanager
def nginx(to='http://127.0.0.1:1/'):
    """nginx with TLS, that has /file and passes /here/ on; .port."""
    program = shutil.which('nginx') or shutil.which('/usr/sbin/nginx')
    if not program:
        raise Skip('no nginx here')
    folder = temp()
    os.mkdir(folder + '/www')
    pathlib.Path(folder, 'www', 'file').write_bytes(MIB)
    os.chmod(folder, 0o755)

    def argv(port):
        pathlib.Path(folder, 'conf').write_text(NGINX.format(folder=folder, port=port, leaf=pki.leaf('good'), ca=ca(), to=to))
        return [program, '-e', 'stderr', '-p', folder, '-c', folder + '/conf']

    with on_free_port(argv) as p:
        yield p


@case
def dial_fetches_a_file_of_nginx():
    """With stdin open: to nginx a client that has said its end is one that has gone, and it leaves the rest out."""
    with nginx() as n, start('dial', '--ca', ca(), f'tls://localhost:{n.port}', ready=None) as d:
        d.stdin.write(b'GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        head, _, body = d.stdout.read().partition(b'\r\n\r\n')
        assert head.startswith(b'HTTP/1.1 200 ') and body == MIB, (head, len(body), d.err)
        d.end_input()
        assert d.wait() == 0, d.err
        r = duplex('dial', '--ca', ca(), f'tls://localhost:{n.port}', input=b'GET /file HTTP/1.0\r\nHost: localhost\r\n\r\n')
        assert r.code != 0 or r.out.endswith(MIB), (r.code, len(r.out), r.err)  # what it leaves out does not go unsaid


@case
def nginx_passes_requests_on_to_us_over_tls():
    """Not more than fits its socket: once our echo has begun to answer, nginx sends the rest of a request no more."""
    body = MIB[:50000]
    with listening('https://127.0.0.1:0/') as p, nginx(p.url.rstrip('/') + '/') as n:
        for _ in range(3):
            r = curl('--cacert', ca(), '--data-binary', '@-', f'https://localhost:{n.port}/here/', input=body)
            assert (r.code, r.err) == (0, '') and r.out == body, r


@case
def a_websocket_goes_through_nginx_in_tls_on_both_legs():
    with listening('wss://127.0.0.1:0/') as p, nginx(p.url.replace('wss:', 'https:').rstrip('/') + '/') as n:
        r = duplex('dial', '--ca', ca(), f'wss://localhost:{n.port}/here/', input=MIB)
        assert r.code == 0 and r.out == MIB, r


# ---- Chromium ----

@case
def chromium_chats_over_wss():
    if not webdriver.find():
        raise Skip('no Chromium and chromedriver here')
    state = temp()
    with Room('--tls', env={'XDG_STATE_HOME': state}) as room:
        leaf = f'{state}/duplex/leaf.pem'
        with webdriver.Browser(flags=['--ignore-certificate-errors-spki-list=' + pki.pin_of(leaf).removeprefix('sha256:')]) as b:
            enter(b, f'https://127.0.0.1:{room.port}/')
            assert b.run('return location.protocol') == 'https:' and b.run('return isSecureContext')
            clear, secret = here(room.tcp(), Lines(tls_connect(f'tls://127.0.0.1:{room.port}', ca=leaf)))
            secret.say('hello from TLS')
            shown(b, 'hello from TLS')
            b.keys('看到了 over wss' + webdriver.ENTER)
            for m in clear, secret:
                while not m.hear().endswith(': 看到了 over wss'):
                    pass
            clear.say('and in the clear')
            shown(b, 'and in the clear')
            assert texts(b)[-1] == 'and in the clear'
            b.reload()
            shown(b, 'and in the clear')
            secret.close()
            faults = [x for x in b.console() if 'WebSocket' not in x]
            assert not faults, faults


run()
