#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_proxies.py - fetch and dial through proxies (proxylib.py): HTTP, TLS and SOCKS 5, from options and from the environment; what each
of them is told, and what not. curl is asked the same of the environment where it is here."""
import contextlib
import os
import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pki
from duplexlib import Server, run as duplex, start, temp
from proxylib import head_of, proxy, whole
from tap import Skip, case, run
from tlslib import tls_server

for name in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'REQUEST_METHOD'):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


def fetch(*args, **how):
    return duplex('fetch', *args, **how)


class Origin:
    """Answers each request with 'hello' and its path, or with its body; .heads has them."""

    def __init__(self):
        self.heads, self.answers = [], {}

    def serve(self, c):
        while got := head_of(c):
            head, _, body = whole(c, got).partition(b'\r\n\r\n')
            self.heads.append(head)
            path = head.split(b' ')[1].decode()
            body = body or b'hello ' + path.encode() + b'\n'
            c.sendall(self.answers.get(path, b'HTTP/1.1 200 OK\r\n') + b'Content-Length: %d\r\n\r\n' % len(body) + body)


@contextlib.contextmanager
def origin(tls=False):
    o = Origin()
    with tls_server(pki.leaf('good'), o.serve) if tls else Server(o.serve) as s:
        o.port = int(s.url.rpartition(':')[2])
        yield o


def to(where, path='/'):
    return f'HTTP/1.1 302 Found\r\nLocation: {where}{path}\r\n'.encode()


MIB = temp('mib')
pathlib.Path(MIB).write_bytes(os.urandom(1 << 20))
CA = ['--ca', pki.ca().cert]


@case
def every_kind_of_proxy_leads_to_http_and_https():
    with origin() as o, origin(tls=True) as safe, proxy() as plain, proxy(tls=True) as secret:
        for url, p, ask, host in ((f'http://{plain.at}', plain, 'CONNECT', 'localhost'), (plain.at, plain, 'CONNECT', 'localhost'),
                                  (f'https://{secret.at}#ca={pki.ca().cert}', secret, 'CONNECT', 'localhost'),
                                  (f'socks5h://{plain.at}', plain, 'SOCKS name', 'localhost'),
                                  (f'socks5://{plain.at}', plain, 'SOCKS', '127.0.0.1')):
            del p.asked[:]
            r = fetch(*CA, '--proxy', url, *(f'https://localhost:{safe.port}/{x}' for x in 'ab'))
            assert (r.code, r.out) == (0, b'hello /a\nhello /b\n'), (url, r)
            assert p.asked == [f'{ask} {host}:{safe.port}'], (url, p.asked)  # one connection, which is kept
            del p.asked[:]
            r = fetch('--proxy', url, *(f'http://localhost:{o.port}/{x}' for x in 'ab'))
            assert (r.code, r.out) == (0, b'hello /a\nhello /b\n'), (url, r)
            by_http = [f'GET http://localhost:{o.port}/{x}' for x in 'ab']
            assert p.asked == (by_http if ask == 'CONNECT' else [f'{ask} {host}:{o.port}']), (url, p.asked)
            for at, body in (f'https://localhost:{safe.port}/', ['-X', 'PUT', '--data-file', MIB]), (f'http://localhost:{o.port}/', ['-d', 'x' * 70000]):
                r = fetch(*CA, '--proxy', url, *body, at)  # it waits for the tunnel
                assert r.code == 0 and r.out == (pathlib.Path(MIB).read_bytes() if MIB in body else b'x' * 70000), (url, r)
        r = fetch('--proxy', f'socks5h://{plain.at}', f'http://a.invalid:{o.port}/x')
        assert r.code == 0 and plain.asked[-1] == f'SOCKS name a.invalid:{o.port}', (r, plain.asked)
        r = fetch('--proxy', f'socks5://{plain.at}', f'http://a.invalid:{o.port}/x')
        assert r.code == 6 and 'no such name: a.invalid' in r.err, r


@case
def a_websocket_and_any_stream_go_through_a_tunnel():
    good = pki.leaf('good')
    big = os.urandom(1 << 20)
    with proxy() as plain, proxy(tls=True) as secret, contextlib.ExitStack() as all_of:
        urls = {}
        for scheme in 'tcp', 'ws', 'tls', 'wss':
            keys = ['--cert', good.chain, '--key', good.key] if scheme in ('tls', 'wss') else []
            urls[scheme] = all_of.enter_context(start('listen', '--echo', f'{scheme}://127.0.0.1:0', *keys)).url
        vias = f'http://{plain.at}', f'https://{secret.at}#ca={pki.ca().cert}', f'socks5h://{plain.at}', f'socks5://{plain.at}'

        def dials(via, scheme, data):
            r = duplex('dial', '--proxy', via, *(CA if scheme in ('tls', 'wss') else []), urls[scheme], input=data)
            assert r.code == 0 and r.out == data, (via, scheme, r.code, len(r.out), r.err)

        with ThreadPoolExecutor(16) as all_at_once:  # a dial of ws waits a second for what may come still
            for done in [all_at_once.submit(dials, v, s, b'hello\n') for v in vias for s in urls]:
                done.result()
        for via in vias:
            dials(via, 'tls', big)
        r = duplex('dial', '-v', '--proxy', f'http://{plain.at}', urls['ws'], input=b'x')
        assert 'the proxy leads on to 127.0.0.1:' in r.err, r
    r = duplex('dial', '--proxy', 'http://127.0.0.1:1', 'udp://127.0.0.1:1', input=b'x')
    assert r.code == 2 and 'no proxy leads to udp://' in r.err, r


@case
def logins_go_to_whom_they_are_for():
    secret = ['--user', 'me:mine', '-H', 'Cookie: mine']
    with origin() as o, origin(tls=True) as safe, proxy(login=b'ada:p@ss word') as p:
        at = f'ada:p%40ss%20word@{p.at}'
        for kind in 'http', 'socks5', 'socks5h':
            r = fetch(*secret, '--proxy', f'{kind}://{at}', f'http://localhost:{o.port}/')
            assert (r.code, r.out) == (0, b'hello /\n') and b'Proxy-' not in o.heads[-1] and b'mine' in o.heads[-1], (kind, r)
            r = fetch(*secret, *CA, '--proxy', f'{kind}://{at}', f'https://localhost:{safe.port}/')
            assert (r.code, r.out) == (0, b'hello /\n') and b'Proxy-' not in safe.heads[-1], (kind, r)
        tunnels = [h for h in p.heads if h.startswith(b'CONNECT')]
        assert len(tunnels) == 1 and b'Cookie' not in tunnels[0] and b'\r\nAuthorization' not in tunnels[0], tunnels
        for url, words in ((f'http://x:y@{p.at}', '407'), (f'http://{p.at}', '407'), (f'socks5://x:y@{p.at}', 'refuses the login'),
                           (f'socks5://{p.at}', 'takes none of our ways to log in')):
            r = fetch(*CA, '--proxy', url, f'https://localhost:{safe.port}/')
            assert r.code == 7 and words in r.err and 'y@' not in r.err, (url, r)
    # a redirect to elsewhere: Proxy-Authorization still goes to the proxy alone
    with origin() as o, origin() as other, proxy(login=b'a:b') as p:
        o.answers['/'] = to(f'http://localhost:{other.port}')
        r = fetch(*secret, '--proxy', f'http://a:b@{p.at}', f'http://127.0.0.1:{o.port}/')
        assert r.code == 0 and b'mine' not in other.heads[0] and b'mine' in o.heads[0], (r, other.heads)
        assert all(b'Proxy-Authorization: Basic YTpi' in h for h in p.heads) and len(p.heads) == 2, p.heads


def quiet(c):
    with contextlib.suppress(ConnectionError):
        while c.recv(9):
            pass


@case
def what_a_proxy_says_no_to_has_words():
    with proxy(says=b'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n') as p:
        r = fetch('--proxy', f'http://{p.at}', 'https://a.invalid/')
        assert r.code == 7 and f"the proxy http://{p.at}: it refuses the tunnel: 503 Service Unavailable.  Try: --proxy ''" in r.err, r
        r = duplex('dial', '--proxy', f'http://{p.at}', 'wss://a.invalid/', input=b'x')
        assert r.code == 7 and 'it refuses the tunnel: 503 Service Unavailable' in r.err, r
    for says, code, words in ((b'', 18, 'ended without an answer'), (b'SSH-', 22, 'does not answer in HTTP'),
                              (b'\x15\3\1\0\2\2\x32', 22, 'speaks TLS: its URL is https://')):
        with proxy(says=says) as p:
            r = fetch('--proxy', f'http://{p.at}', 'https://a.invalid/')
            assert r.code == code and words in r.err, (says, r)
    with Server(lambda c: (head_of(c), c.sendall(b'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'), quiet(c))) as s:
        r = fetch('--proxy', s.url[6:], 'https://a.invalid/')  # it keeps the connection: that is not waited for
        assert r.code == 7 and '403' in r.err, r
    for says, code, words in ((b'\5\2\0\1' + bytes(6), 7, 'does not allow that'), (b'\5\5\0', 7, 'connection refused'),
                              (b'\5\x77\0', 7, 'does not say why'), (b'\4\0', 8, 'does not answer in SOCKS 5'),
                              (b'\5\0\0\3\x05hel', 18, 'ended without an answer')):
        with proxy(says=says) as p:
            r = fetch('--proxy', f'socks5h://{p.at}', 'http://a.invalid/')
            assert r.code == code and words in r.err, (says, r)
    with Server(quiet) as s:
        r = fetch('--proxy', s.url.replace('tcp:', 'socks5h:'), 'http://a.invalid/', '--timeout', '300ms')
        assert r.code == 28 and 'it did not answer in time' in r.err, r
    r = fetch('--proxy', 'http://127.0.0.1:1', 'http://a.invalid/')
    assert r.code == 7 and "the proxy http://127.0.0.1:1: Connection refused.  Try: --proxy '' for none" in r.err, r
    with proxy(tls=True) as p:
        r = fetch('--insecure', '--proxy', f'https://{p.at}', 'https://a.invalid/')
        assert r.code == 60 and f'the proxy https://{p.at}: ' in r.err and '#ca=FILE' in r.err, r
        r = duplex('dial', '--insecure', '--proxy', f'https://{p.at}', 'wss://a.invalid/', input=b'')
        assert r.code == 60 and f'the proxy https://{p.at}: ' in r.err, r
    for bad in 'socks4://127.0.0.1:1', 'http://', 'ada:secret@', 'http://127.0.0.1:99999':
        r = fetch('--proxy', bad, 'http://a.invalid/')
        assert r.code == 2 and 'proxy' in r.err and 'secret' not in r.err, (bad, r)


@case
def bytes_behind_the_proxy_s_answer_are_not_lost():
    good = b'HTTP/1.1 200 OK\r\n\r\n'
    for kind, says in ('http', good), ('socks5h', b'\5\0\0\1' + bytes(6)), ('socks5h', b'\5\0\0\3\3abc\0\0'):
        with proxy(says=says + b'welcome\n') as p:
            r = duplex('dial', '--proxy', f'{kind}://{p.at}', 'tcp://a.invalid:9', input=b'')
            assert (r.code, r.out) == (0, b'welcome\n'), (kind, r)


# ---- the environment ----

@case
def the_environment_is_asked_for_each_url_on_the_way():
    with origin() as o, origin(tls=True) as safe, proxy() as one, proxy() as two:
        env = os.environ | {'http_proxy': f'http://{one.at}', 'HTTPS_PROXY': two.at, 'NO_PROXY': f'x.invalid:{o.port}'}
        o.answers['/start'] = to(f'https://a.invalid:{safe.port}', '/safe')
        r = fetch('--insecure', f'http://a.invalid:{o.port}/start', env=env)
        assert (r.code, r.out) == (0, b'hello /safe\n'), r
        assert one.asked == [f'GET http://a.invalid:{o.port}/start'] and two.asked == [f'CONNECT a.invalid:{safe.port}'], (one.asked, two.asked)
        o.answers['/out'] = to(f'http://x.invalid:{o.port}')  # for which there is none: its name is looked up here
        r = fetch(f'http://a.invalid:{o.port}/out', env=env)
        assert r.code == 6 and len(one.asked) == 2, (r, one.asked)
        o.answers['/here'] = to(f'http://127.0.0.1:{o.port}')
        r = fetch(f'http://a.invalid:{o.port}/here', env=env)
        assert (r.code, r.out) == (0, b'hello /\n') and len(one.asked) == 3, (r, one.asked)
        o.answers['/bad'] = to(f'https://a.invalid:{o.port}')
        r = fetch(f'http://a.invalid:{o.port}/bad', env=env | {'HTTPS_PROXY': 'gopher://x'})
        assert r.code == 2 and 'gopher://' in r.err, r


def environments(p):
    """(environment, URL, does it go to the proxy?): what curl does; names of this machine are not among them."""
    http, socks = f'http://{p}', f'socks5h://{p}'
    return (({}, 'http://a.invalid/', False), ({'http_proxy': http}, 'http://a.invalid/', True), ({'http_proxy': p}, 'http://a.invalid/', True),
            ({'http_proxy': http}, 'https://a.invalid/', False), ({'https_proxy': http}, 'https://a.invalid/', True),
            ({'HTTPS_PROXY': http}, 'https://a.invalid/', True), ({'ALL_PROXY': http}, 'http://a.invalid/', True),
            ({'all_proxy': socks}, 'https://a.invalid/', True), ({'ALL_PROXY': socks}, 'http://a.invalid/', True),
            ({'http_proxy': 'http://127.0.0.1:1', 'all_proxy': http}, 'http://a.invalid/', False),
            ({'https_proxy': '', 'HTTPS_PROXY': http}, 'https://a.invalid/', True),
            ({'all_proxy': http, 'no_proxy': '*'}, 'http://a.invalid/', False),
            ({'all_proxy': http, 'NO_PROXY': 'a.invalid'}, 'http://a.invalid/', False),
            ({'all_proxy': http, 'NO_PROXY': 'invalid'}, 'http://b.A.Invalid/', False),
            ({'all_proxy': http, 'NO_PROXY': '.a.invalid'}, 'http://a.invalid/', False),
            ({'all_proxy': http, 'NO_PROXY': 'b,a.invalid c'}, 'http://xa.invalid/', True),
            ({'all_proxy': http, 'no_proxy': 'b', 'NO_PROXY': 'a.invalid'}, 'http://a.invalid/', True),
            ({'all_proxy': http, 'NO_PROXY': '192.0.2.0/24'}, 'http://192.0.2.7/', False),
            ({'all_proxy': http, 'NO_PROXY': '192.0.2.0/29'}, 'http://192.0.2.8/', True),
            ({'all_proxy': http, 'NO_PROXY': '192.0.2.0/'}, 'http://192.0.2.8/', True),
            ({'all_proxy': http, 'NO_PROXY': '192.0.2.8'}, 'http://192.0.2.8/', False),
            ({'all_proxy': http, 'NO_PROXY': '2.8'}, 'http://192.0.2.8/', True),
            ({'all_proxy': http, 'NO_PROXY': '2001:db8::/32'}, 'http://[2001:db9::1]/', True))


@case
def the_environment_is_read_as_curl_reads_it():
    curl = shutil.which('curl')
    ours, theirs = [], []
    with proxy(says=b'HTTP/1.1 599 seen\r\nContent-Length: 0\r\n\r\n') as p:
        for env, url, through in environments(p.at):
            env = os.environ | env
            wait = '20' if through else '0.2'  # where nobody answers; a proxy does
            for command, seen in ([[], ours], [['curl', '-sS', '--connect-timeout', wait, '-o', temp('x'), url], theirs]):
                if command and not curl:
                    continue
                del p.asked[:]
                if command:
                    subprocess.run(command, env=env, capture_output=True)
                else:
                    fetch('--timeout', wait, url, env=env)
                seen.append(bool(p.asked))
    want = [through for *_, through in environments('x')]
    wrong = [(e, w, o) for e, w, o in zip(environments('x'), want, ours) if w != o]
    assert not wrong, wrong
    if curl:
        differs = [(e, o, t) for e, o, t in zip(environments('x'), ours, theirs) if o != t]
        assert not differs, differs


@case
def what_differs_from_curl_is_meant():
    with proxy(says=b'HTTP/1.1 599 seen\r\nContent-Length: 0\r\n\r\n') as p, origin() as o:
        def through(url, **env):
            del p.asked[:]
            r = fetch('--timeout', '20s', url, env=os.environ | env)
            assert r.code in (0, 6, 22), r
            return bool(p.asked)
        assert through('http://a.invalid/', HTTP_PROXY=p.at)
        assert not through('http://a.invalid/', HTTP_PROXY=p.at, REQUEST_METHOD='GET')  # a client's field, under CGI
        assert through('http://a.invalid/', http_proxy=p.at, REQUEST_METHOD='GET')
        for here in 'localhost', '127.0.0.1':
            assert not through(f'http://{here}:{o.port}/', ALL_PROXY=p.at), here
        assert through('http://127.invalid/', ALL_PROXY=p.at)
        assert not through('http://a.invalid:81/', ALL_PROXY=p.at, NO_PROXY='a.invalid:81')
        assert through('http://a.invalid:82/', ALL_PROXY=p.at, NO_PROXY='a.invalid:81')
        del p.asked[:]
        fetch('--proxy', p.at, 'http://a.invalid/', env=os.environ | {'NO_PROXY': '*'})  # what is typed comes first
        assert p.asked
        for scheme, name in ('ws', 'http_proxy'), ('wss', 'https_proxy'), ('wss', 'ALL_PROXY'):
            del p.asked[:]
            r = duplex('dial', f'{scheme}://a.invalid/', input=b'', env=os.environ | {name: p.at})
            assert r.code == 7 and p.asked == [f'CONNECT a.invalid:{443 if scheme == "wss" else 80}'], (scheme, r, p.asked)
        r = duplex('dial', 'tcp://a.invalid:9', input=b'', env=os.environ | {'ALL_PROXY': p.at})
        assert r.code == 6, r


run()
