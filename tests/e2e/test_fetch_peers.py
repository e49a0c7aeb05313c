#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_fetch_peers.py - duplex fetch against other people's servers: nginx, node, C#'s HttpListener (Listener.cs), and our own serve."""
import os
import pathlib
import random
import shutil
import socket
import subprocess

import pki
from duplexlib import Process, run as duplex, start, temp, until
from needs import needs
from tap import Skip, case, run

MIB = random.Random(3).randbytes(1 << 20)
TEXT = 'one line of text\n' * 20000


def fetch(*args, **how):
    return duplex('fetch', *args, **how)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def folder():
    d = pathlib.Path(temp())
    (d / 'mib').write_bytes(MIB)
    (d / 'text.txt').write_text(TEXT)
    (d / 'gb.txt').write_bytes('你好，世界\n'.encode('gb2312'))
    return d


def goes_on(url, *trust):
    """A .part that begins as the file does is gone on with."""
    d = pathlib.Path(temp())
    (d / 'mib.part').write_bytes(MIB[:500000])
    r = fetch(*trust, '--json', '--continue', '-O', url + '/mib', cwd=d)
    assert r.code == 0 and (d / 'mib').read_bytes() == MIB and b'"status":206' in r.out, r


NGINX = '''daemon off; master_process off; pid {0}/pid; error_log stderr;
events {{}}
http {{
    access_log off; client_body_temp_path {0}/1; proxy_temp_path {0}/2; fastcgi_temp_path {0}/3; uwsgi_temp_path {0}/4;
    scgi_temp_path {0}/5; gzip on; gzip_min_length 1; gzip_types *;
    server {{
        listen 127.0.0.1:{1}; listen 127.0.0.1:{2} ssl; ssl_certificate {3}; ssl_certificate_key {4};
        root {5}; types {{ text/plain txt; }} default_type application/octet-stream;
        location /moved {{ return 301 /text.txt; }}
        location /count {{ gzip off; return 200 "$connection_requests\\n"; }}
        location /secret {{ if ($http_authorization != "Basic YWRhOnBhc3M=") {{ return 401; }} return 200 "in\\n"; }}
    }}
}}
'''


@case
def nginx_is_fetched_from():
    program = shutil.which('nginx', path=os.environ['PATH'] + ':/usr/sbin')
    if not program:
        raise Skip('no nginx here')
    base, good, plain, tls = os.path.dirname(temp('x')), pki.leaf('good'), free_port(), free_port()
    pathlib.Path(base, 'conf').write_text(NGINX.format(base, plain, tls, good.chain, good.key, folder()))
    with Process([program, '-e', 'stderr', '-p', base, '-c', base + '/conf']) as p:
        until(lambda: socket.socket().connect_ex(('127.0.0.1', tls)) == 0 or p.popen.poll() is not None, words='nginx listens')
        assert p.popen.poll() is None, p.err
        for url, *trust in (f'http://127.0.0.1:{plain}',), (f'https://127.0.0.1:{tls}', '--ca', pki.ca().cert):
            r = fetch(*trust, *[url + '/count'] * 4)
            assert (r.code, r.out) == (0, b'1\n2\n3\n4\n'), r
            r = fetch(*trust, '--json', url + '/moved')
            assert r.code == 0 and b'"coding":"gzip"' in r.out and b'"redirects":1' in r.out, r
            assert fetch(*trust, url + '/moved').out.decode() == TEXT
            assert fetch(*trust, url + '/mib').out == MIB
            goes_on(url, *trust)
            r = fetch(*trust, '-u', 'ada:pass', url + '/secret')
            assert (r.code, r.out) == (0, b'in\n'), r
            assert fetch(*trust, '-u', 'ada:other', url + '/secret').code == 22
            assert fetch(*trust, url + '/nowhere').code == 22


NODE = '''
const http = require('http'), zlib = require('zlib');
const s = http.createServer((q, r) => {
    if (q.url === '/br') { r.setHeader('Content-Encoding', 'br'); r.end(zlib.brotliCompressSync('x'.repeat(300000))); }
    else if (q.url === '/echo') q.pipe(r);
    else if (q.url === '/told') { // before the answer
        r.writeContinue(); r.writeProcessing(); r.writeEarlyHints({link: '</a.css>; rel=preload'}); r.end('told\\n');
    }
    else { r.setHeader('Trailer', 'X-Sum'); r.write('one '); setImmediate(() => { r.addTrailers({'X-Sum': '1'}); r.end('two\\n'); }); }
});
s.listen(0, '127.0.0.1', () => console.error('ready ' + s.address().port));
'''


@case
def node_is_fetched_from():
    needs('node')
    with Process(['node', '-e', NODE]) as p:
        url = f'http://127.0.0.1:{p.said("ready ([0-9]+)", 30)[1]}'
        r = fetch(url + '/', url + '/br')
        assert r.code == 0 and r.out == b'one two\n' + b'x' * 300000, r
        r = fetch('--data-file', '-', url + '/echo', input=MIB)
        assert r.code == 0 and r.out == MIB, r
        r = fetch(url + '/told', url + '/told')
        assert (r.code, r.out) == (0, b'told\ntold\n'), r


NODE_PROXY = '''
const http = require('http'), https = require('https'), net = require('net'), fs = require('fs');
function plain(q, r) {
    const u = new URL(q.url);
    q.pipe(http.request({host: '127.0.0.1', port: u.port, path: u.pathname, method: q.method, headers: q.headers}, a => {
        r.writeHead(a.statusCode, a.headers); a.pipe(r);
    }));
}
function tunnel(q, c, head) {
    const to = net.connect({port: +q.url.split(':').pop(), host: '127.0.0.1', allowHalfOpen: true}, () => {
        c.write('HTTP/1.1 200 Connection established\\r\\nVia: 1.1 node\\r\\n\\r\\n');
        to.write(head); c.pipe(to); to.pipe(c);
    });
    for (const s of [to, c]) s.on('error', () => { to.destroy(); c.destroy(); });
}
const keys = {cert: fs.readFileSync(process.argv[1]), key: fs.readFileSync(process.argv[2])};
const all = [http.createServer(plain), https.createServer(keys, plain)];
for (const s of all) { s.on('connect', tunnel); s.listen(0, '127.0.0.1', () => all.every(x => x.listening) &&
    console.error('ready ' + all.map(x => x.address().port).join(' '))); }
'''


@case
def node_is_a_proxy():
    needs('node')
    good, ca = pki.leaf('good'), ['--ca', pki.ca().cert]
    keys = ['--cert', good.chain, '--key', good.key]
    with Process(['node', '-e', NODE_PROXY, good.chain, good.key]) as p, \
            start('serve', '--listen', 'any://127.0.0.1:0', folder(), *keys, stdin=subprocess.DEVNULL) as s, \
            start('listen', '--echo', 'wss://127.0.0.1:0', *keys) as echo:
        plain, secret = p.said('ready ([0-9]+) ([0-9]+)', 30).groups()
        at = s.url.split('//')[1].rstrip('/')
        for via in f'http://127.0.0.1:{plain}', f'https://127.0.0.1:{secret}#ca={pki.ca().cert}':
            for url in f'http://{at}', f'https://{at}':
                r = fetch(*ca, '--proxy', via, url + '/mib', url + '/text.txt')
                assert r.code == 0 and r.out == MIB + TEXT.encode(), (via, url, r.code, r.err, len(r.out))
            r = duplex('dial', *ca, '--proxy', via, echo.url, input=MIB)
            assert r.code == 0 and r.out == MIB, (via, r.code, r.err, len(r.out))


@case
def a_csharp_listener_is_fetched_from():
    needs('mcs', 'mono')
    exe = temp('Listener.exe')
    subprocess.run(['mcs', '-nologo', f'-out:{exe}', pathlib.Path(__file__).with_name('Listener.cs')], check=True)
    port = free_port()
    with Process(['mono', exe, str(port)]) as p:
        p.said('ready', 60)
        url = f'http://127.0.0.1:{port}'
        r = fetch(*[url + '/x'] * 3)
        assert r.code == 0 and len(set(r.out.splitlines())) == 1 and r.out.startswith(b'hello '), r  # one connection
        r = fetch('-i', url + '/moved')
        assert r.code == 0 and b'X-Method: GET\r\n' in r.out and b'hello ' in r.out, r
        assert fetch('-e', 'auto', url + '/gb').out == '你好\n'.encode()  # chunks, no charset
        for body in ('', 'a=b', 'x' * 100000):
            r = fetch('-X', 'POST', '-d', body, url + '/echo')
            assert r.code == 0 and r.out.decode() == body, r
        r = fetch('--data-file', '-', url + '/echo', input=MIB)
        assert r.code == 0 and r.out == MIB, r
        for path in '/secret', '/basic':  # looked at by the program, by HttpListener
            assert fetch('-u', 'ada:pass', url + path).code == 0
            for more in [], ['-u', 'ada:other']:
                r = fetch(*more, url + path)
                assert r.code == 22 and ('answers 403' if more and path == '/basic' else 'answers 401') in r.err, (path, r)
        chunks = b''.join(bytes([97 + i % 26]) * (i * 100) + b'\n' for i in range(200))
        r = fetch('--json', url + '/chunks', url + '/chunks', url + '/last', url + '/x')  # which ends its connection, and it is asked anew
        assert r.code == 0 and r.out.count(b'"reused":true') == 2 and r.out.count(b'"status":200') == 4, r
        assert fetch(url + '/chunks').out == chunks
        r = fetch('-d', 'a=b', url + '/moved-body')
        assert (r.code, r.out) == (0, b'a=b'), r
        r = fetch('-H', 'Expect: 100-continue', '-d', 'x' * 5000, url + '/echo')
        assert (r.code, r.out) == (0, b'x' * 5000), r
        r = fetch('-I', url + '/x')
        assert r.code == 0 and b'X-Method: HEAD\r\n' in r.out, r


@case
def our_own_serve_is_fetched_from():
    with start('serve', '--listen', 'any://127.0.0.1:0', folder(), stdin=subprocess.DEVNULL) as p:
        url = p.url.replace('tcp:', 'http:').replace('any:', 'http:').rstrip('/')
        assert fetch(url + '/text.txt').out.decode() == TEXT
        r = fetch('--json', url + '/text.txt', url + '/mib', url + '/text.txt')
        assert r.code == 0 and r.out.count(b'"reused":true') == 2 and b'"coding":"' in r.out, r
        assert fetch('-e', 'auto', url + '/gb.txt').out == '你好，世界\n'.encode()
        goes_on(url)
        r = fetch('-I', url + '/mib')
        assert r.code == 0 and b'Content-Length: 1048576\r\n' in r.out, r


run()
