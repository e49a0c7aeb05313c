#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_cert.py - duplex cert as a user runs it, and what openssl says of what it has made."""
import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess

from duplexlib import DUPLEX, SLOW, run as duplex, temp, until
from tap import Skip, case, run

OPENSSL = shutil.which('openssl')


class Place:
    """A folder of its own with a state folder in it; the command runs there."""

    def __init__(self):
        self.root = pathlib.Path(temp())
        self.state = self.root / 'state'
        self.own = self.state / 'duplex'
        self.env = dict(os.environ, XDG_STATE_HOME=str(self.state), HOME=str(self.root))

    def __call__(self, *args, **how):
        return duplex('cert', *args, env=self.env, cwd=self.root, **how)

    def fine(self, *args):
        r = self(*args)
        assert r.code == 0, (args, r)
        return r.out.decode()

    def json(self, *args):
        return [json.loads(line) for line in self.fine(*args, '--json').splitlines()]

    def files(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob('*') if p.is_file())


def openssl(*args, input=None, code=0):
    if not OPENSSL:
        raise Skip('no openssl')
    p = subprocess.run([OPENSSL, *map(str, args)], input=input, capture_output=True, timeout=60 * SLOW)
    assert code is None or p.returncode == code, (args, p)
    return p.stdout.decode(errors='replace') + p.stderr.decode(errors='replace')


def verifies(leaf, ca, *names):
    """openssl's verdict: '' or its words."""
    said = openssl('verify', '-x509_strict', '-CAfile', ca, '-purpose', 'sslserver', *names, leaf, code=None)
    return '' if said.strip().endswith(': OK') else said


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# ---- this host's own ----


@case
def the_own_leaf_is_made_and_stays():
    p = Place()
    said = p.fine()
    assert re.search(r'^  names  .*localhost.*127\.0\.0\.1', said, re.M) and ': 90 days left' in said, said
    assert re.search(r'^  pin +sha256:[\w+/]{43}=$', said, re.M) and 'signed by    itself' in said, said
    assert p.files() == ['state/duplex/leaf.key', 'state/duplex/leaf.pem'], p.files()
    assert mode(p.own / 'leaf.key') == 0o600 and mode(p.own) == 0o700
    assert p.fine('show') == said == p.fine('show', p.own / 'leaf.pem')


@case
def its_pin_is_what_openssl_calculates():
    p = Place()
    i = p.json('show')[0]
    key = openssl('x509', '-in', p.own / 'leaf.pem', '-noout', '-pubkey')
    der = subprocess.run([OPENSSL, 'pkey', '-pubin', '-outform', 'DER'], input=key.encode(), capture_output=True).stdout
    assert i['pin'] == 'sha256:' + base64.b64encode(hashlib.sha256(der).digest()).decode(), i
    print_ = openssl('x509', '-in', p.own / 'leaf.pem', '-noout', '-fingerprint', '-sha256').split('=')[1]
    assert i['fingerprint'] == 'sha256:' + print_.strip().replace(':', '').lower(), i
    assert i['serial'] == openssl('x509', '-in', p.own / 'leaf.pem', '-noout', '-serial').strip().split('=')[1].lower()
    assert not verifies(p.own / 'leaf.pem', p.own / 'leaf.pem', '-verify_hostname', 'localhost')
    assert not verifies(p.own / 'leaf.pem', p.own / 'leaf.pem', '-verify_ip', '::1')


@case
def a_renewal_keeps_the_pin():
    p = Place()
    before = p.json('show')[0]
    openssl('req', '-x509', '-key', p.own / 'leaf.key', '-days', '29', '-subj', '/CN=old', '-out', p.own / 'leaf.pem',
            '-addext', 'subjectAltName=' + ','.join(('IP:' if re.search(r'^[\d.]+$|:', n) else 'DNS:') + n
                                                    for n in before['names']))
    assert p.json('show', p.own / 'leaf.pem')[0]['subject'] == 'CN=old'
    after = p.json('show')[0]
    assert after['pin'] == before['pin'] and after['days_left'] in (89, 90) and after['subject'] != 'CN=old', after
    assert len(p.files()) == 2, p.files()


@case
def processes_that_begin_at_once_end_with_one_key():
    for _ in range(3):
        p = Place()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            said = list(pool.map(lambda _: p('show', '--json'), range(8)))
        assert all(r.code == 0 for r in said), said
        assert len({json.loads(r.out)['pin'] for r in said}) == 1, said
        assert p.files() == ['state/duplex/leaf.key', 'state/duplex/leaf.pem'], p.files()


@case
def a_key_that_others_may_read_is_refused():
    p = Place()
    p.fine()
    os.chmod(p.own / 'leaf.key', 0o644)
    r = p()
    assert r.code and f'chmod 600 {p.own}/leaf.key' in r.err and not r.out, r
    os.chmod(p.own / 'leaf.key', 0o600)
    p.fine()


@case
def without_a_place_for_it_the_words_name_the_place():
    p = Place()
    p.state.write_text('a file')
    r = p()
    assert r.code == 23 and str(p.own) in r.err and 'Not a directory' in r.err, r
    p = Place()
    r = duplex('cert', 'show', p.root / 'none.pem')
    assert r.code == 23 and 'none.pem: No such file' in r.err, r
    assert duplex('cert', 'show', '/dev/null').code, 'an empty file'


def in_small_file_system(size, command):
    """Runs a shell command as root of a namespace in a new tmpfs of that size."""
    if subprocess.run(['unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode:
        raise Skip('no namespaces for a file system of its own')
    return subprocess.run(['unshare', '-rm', 'sh', '-c', f'mount -t tmpfs -o size={size} none /mnt && cd /mnt && {command}'],
                          capture_output=True, text=True, timeout=60 * SLOW)


@case
def a_full_disk_is_said_and_leaves_nothing_behind():
    # tmpfs counts pages: 4 KiB are the junk's, so that not a byte is left
    r = in_small_file_system('4k', f'mkdir -p s/duplex; head -c 4096 /dev/zero >junk; XDG_STATE_HOME=/mnt/s {DUPLEX} cert; '
                                   'echo code $?; ls -A s/duplex')
    assert 'No space left' in r.stderr and 'leaf.key' in r.stderr, r
    assert r.stdout.endswith('code 23\n'), r
    r = in_small_file_system('8k', f'mkdir -p s/duplex; head -c 4096 /dev/zero >junk; XDG_STATE_HOME=/mnt/s {DUPLEX} cert; '
                                   'echo code $?; ls -A s/duplex')
    assert 'No space left' in r.stderr and 'leaf.pem' in r.stderr and r.stdout.endswith('code 23\nleaf.key\n'), r


@case
def a_folder_that_is_read_only_is_said_and_is_enough_for_a_good_leaf():
    made = f'XDG_STATE_HOME=/mnt/s {DUPLEX} cert'
    r = in_small_file_system('1m', f'mkdir s && mount -o remount,ro /mnt && {made}; echo code $?')
    assert 'Read-only file system' in r.stderr and 's/duplex' in r.stderr and r.stdout == 'code 23\n', r
    r = in_small_file_system('1m', f'{made} >/dev/null && mount -o remount,ro /mnt && {made} | grep -c pin')
    assert r.stdout == '1\n', r


# ---- make ----


@case
def make_writes_two_files_and_never_over_one():
    p = Place()
    said = p.fine('make', 'a.example', '10.0.0.1', '--days', '7')
    assert 'names        a.example, 10.0.0.1' in said and 'key file     a.example.key' in said, said
    assert p.files() == ['a.example.key', 'a.example.pem'] and mode(p.root / 'a.example.key') == 0o600
    before = [(p.root / f).read_bytes() for f in p.files()]
    r = p('make', 'a.pem')
    assert r.code == 2 and 'Try: duplex cert make a.example --out a\n' in r.err, r
    r = p('make', 'a.example')
    assert r.code == 23 and 'a.example.pem: File exists' in r.err and '--out' in r.err, r
    (p.root / 'a.example.pem').rename(p.root / 'kept.pem')
    r = p('make', 'a.example')
    assert r.code == 23 and 'a.example.key: File exists' in r.err, r
    assert [(p.root / f).read_bytes() for f in ('a.example.key', 'kept.pem')] == before
    assert not (p.root / 'a.example.pem').exists()
    assert not verifies(p.root / 'kept.pem', p.root / 'kept.pem', '-verify_ip', '10.0.0.1')
    text = openssl('x509', '-in', p.root / 'kept.pem', '-noout', '-text')
    for words in ('ecdsa-with-SHA256', 'prime256v1', 'CA:FALSE', 'Digital Signature', 'TLS Web Server Authentication',
                  'X509v3 Subject Key Identifier', 'X509v3 Authority Key Identifier'):
        assert words in text, (words, text)


@case
def make_makes_for_clients_and_of_a_key_that_is_there():
    p = Place()
    p.fine('make', 'ada', '--client', '--out', 'c')
    assert 'TLS Web Client' in openssl('x509', '-in', p.root / 'c.pem', '-noout', '-text')
    again = p.json('make', 'ada', '--key', 'c.key', '--out', 'd')[0]
    assert again['pin'] == p.json('show', 'c.pem')[0]['pin'] and p.files() == ['c.key', 'c.pem', 'd.pem'], p.files()
    openssl('genrsa', '-out', p.root / 'rsa.key', '2048')
    assert p.json('make', 'b', '--key', 'rsa.key')[0]['key'] == 'RSA 2048'
    assert not verifies(p.root / 'b.pem', p.root / 'b.pem')
    openssl('genpkey', '-algorithm', 'ed25519', '-out', p.root / 'ed.key')
    i = p.json('make', 'e', '--key', 'ed.key')[0]
    assert (i['key'], i['signature']) == ('Ed25519', 'EdDSA-Ed25519'), i
    assert not verifies(p.root / 'e.pem', p.root / 'e.pem')
    p.fine('make', '*.w.example')
    assert (p.root / '_wildcard.w.example.key').exists()


@case
def what_does_not_read_is_usage():
    p = Place()
    rows = [(['make'], 'wants a name'), (['make', 'a b'], "'a b' is no name"), (['make', 'a', '--days', '0'], 'whole number'),
            (['make', 'a', '--ca-cert', 'x'], 'the key is missing'), (['make', 'a', '--names', 'b'], 'no option --names'),
            (['ca', '--client'], 'no option --client'), (['check'], 'wants a file or a URL'), (['shwo'], 'duplex cert show'),
            (['show', 'a', 'b'], 'one argument too many'), (['check', 'tcp://a:1'], 'no certificate is behind tcp://a:1'),
            (['check', 'tls://a:1', '--host', 'b'], '--host is for a file'), (['make', 'a/../../x'], 'is no name')]
    for args, words in rows:
        r = p(*args)
        assert r.code == 2 and words in r.err and r.err.count('\n') == 1 and not r.out, (args, r)
    assert p.files() == []


# ---- a CA ----


@case
def a_ca_is_held_to_its_names():
    p = Place()
    r = p('ca', '--names', 'box,*.w.example,10.0.0.1')
    assert r.code == 0 and 'signs for    box, w.example, 10.0.0.1/32' in r.out.decode() and ': 365 days left' in r.out.decode(), r
    for words in ('update-ca-certificates', 'Firefox', 'Chromium', 'iPhone', 'Android', 'never served', str(p.own / 'ca.pem')):
        assert words in r.err, (words, r.err)
    ca, key = p.own / 'ca.pem', p.own / 'ca.key'
    assert mode(key) == 0o600
    text = openssl('x509', '-in', ca, '-noout', '-text')
    assert re.search(r'Name Constraints: critical\s+Permitted:\s+DNS:box\s+DNS:w.example\s+IP:10.0.0.1/255.255.255.255\s+'
                     r'Excluded:\s+IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0', text), text
    assert 'CA:TRUE, pathlen:0' in text and 'Certificate Sign, CRL Sign' in text, text
    sign = ['--ca-cert', ca, '--ca-key', key]
    p.fine('make', 'box', '10.0.0.1', 'x.w.example', *sign)
    assert not verifies(p.root / 'box.pem', ca, '-verify_hostname', 'box')
    p.fine('make', '10.0.0.1', *sign)
    assert not verifies(p.root / '10.0.0.1.pem', ca, '-verify_ip', '10.0.0.1')
    r = p('make', 'a.example', *sign)
    assert r.code and 'may not sign for a.example' in r.err, r
    # and whoever signs all the same with its key is not believed
    for san in ('DNS:a.example', 'IP:10.0.0.2', 'IP:::1', 'DNS:box,DNS:a.example'):
        assert 'permitted subtree' in (said := verifies(by_hand(p, ca, key, san), ca)) or 'excluded subtree' in said, (san, said)


def by_hand(p, ca, key, san, more=''):
    """A leaf that openssl signs with the CA's key, whatever the CA may sign."""
    leaf = p.root / 'hand.pem'
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', p.root / 'hand.key',
            '-subj', '/O=hand', '-out', p.root / 'hand.csr')
    (p.root / 'hand.ext').write_text(f'subjectAltName={san}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n'
                                     f'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n{more}')
    openssl('x509', '-req', '-in', p.root / 'hand.csr', '-CA', ca, '-CAkey', key, '-days', '5', '-out', leaf, '-extfile',
            p.root / 'hand.ext')
    return leaf


@case
def kinds_of_names_that_a_ca_lacks_are_shut():
    for names, good, bad in (('10.0.0.1', 'IP:10.0.0.1', ('DNS:a', 'IP:::1')), ('a.example', 'DNS:a.example', ('IP:10.0.0.1', 'IP:::1')),
                             ('::1', 'IP:::1', ('DNS:a', 'IP:127.0.0.1'))):
        p = Place()
        p.fine('ca', '--names', names)
        ca, key = p.own / 'ca.pem', p.own / 'ca.key'
        assert not verifies(by_hand(p, ca, key, good), ca), (names, good)
        for san in bad:
            leaf = by_hand(p, ca, key, san)
            assert verifies(leaf, ca), (names, san)
            r = p('check', leaf, '--ca', ca)
            assert r.code and 'may sign for' in r.err, r


@case
def a_ca_signs_the_own_leaf_and_is_not_made_twice():
    p = Place()
    pin = p.json('show')[0]['pin']
    r = p('ca')
    assert r.code == 0 and "own leaf is signed by it from now on" in r.err, r
    i = p.json('show')[0]
    assert i['pin'] == pin and not i['self_signed'] and i['issuer'].startswith('CN=duplex CA of '), i
    assert not verifies(p.own / 'leaf.pem', p.own / 'ca.pem', '-verify_hostname', 'localhost')
    assert (p.own / 'leaf.pem').read_text().count('BEGIN CERTIFICATE') == 1
    before = (p.own / 'ca.key').read_bytes()
    r = p('ca')
    assert r.code == 23 and 'ca.pem: File exists' in r.err and (p.own / 'ca.key').read_bytes() == before, r
    p = Place()
    r = p('ca', '--names', 'elsewhere.example', '--json')
    assert 'stays signed by itself' in r.err and json.loads(r.out)['permits'] == ['elsewhere.example'], r


# ---- check ----


@case
def check_says_what_a_dial_would():
    p = Place()
    p.fine('ca', '--names', 'box')
    ca = p.own / 'ca.pem'
    p.fine('make', 'box', '--ca-cert', ca, '--ca-key', p.own / 'ca.key')
    said = p.fine('check', 'box.pem', '--ca', ca, '--host', 'box')
    assert said.endswith('verdict      believed\n') and 'names        box\n' in said, said
    assert 'names were not asked' in p.fine('check', 'box.pem', '--ca', ca)
    r = p('check', 'box.pem', '--ca', ca, '--host', 'c.example')
    assert r.code and 'certificate is for box, not for c.example' in r.err and 'pin' in r.out.decode(), r
    assert r.out.endswith(b'verdict      not believed\n'), r
    r = p('check', 'box.pem')
    assert r.code and "issuer 'CN=duplex CA of box' is not known here" in r.err, r
    p.fine('make', 'self')
    r = p('check', 'self.pem')
    assert r.code and 'self-signed certificate' in r.err, r
    r = p('check', 'none.pem')
    assert r.code == 23 and 'none.pem' in r.err, r


class SServer:
    """openssl s_server with a certificate, until the end of the with."""

    def __init__(self, cert, key, *more):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.argv = [OPENSSL, 's_server', '-accept', f'127.0.0.1:{self.port}', '-cert', str(cert), '-key', str(key), '-quiet',
                     *more]

    def __enter__(self):
        self.p = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until(lambda: socket.socket().connect_ex(('127.0.0.1', self.port)) == 0, words='s_server listens')
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.communicate()


@case
def check_dials_a_server_and_says_whether_and_why():
    if not OPENSSL:
        raise Skip('no openssl')
    p = Place()
    pin = p.json('make', 'localhost', '127.0.0.1')[0]['pin']
    with SServer(p.root / 'localhost.pem', p.root / 'localhost.key') as s:
        for scheme in ('tls', 'https', 'wss', 'TLS'):
            r = p('check', f'{scheme}://127.0.0.1:{s.port}', '--ca', 'localhost.pem')
            assert r.code == 0 and pin in r.out.decode() and 'verdict      believed' in r.out.decode(), r
            assert 'TLS1.3' in r.out.decode() and 'CN=localhost' in r.out.decode(), r
        r = p('check', f'tls://127.0.0.1:{s.port}')
        assert r.code not in (0, 4) and 'self-signed certificate' in r.err, r
        assert pin in r.out.decode() and 'verdict      not believed' in r.out.decode(), r
        assert p('check', f'tls://127.0.0.1:{s.port}#pin={pin}').code == 0
    r = p('check', f'tls://127.0.0.1:{s.port}')
    assert r.code == 7 and not r.out, r


# ---- hostile words ----


@case
def a_terminal_obeys_nothing_in_a_certificate():
    p = Place()
    evil = 'x\x1b]0;title\x07\x1b[31m\u202e\n  pin          forged'
    (p.root / 'evil.cnf').write_text('[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=x\nutf8=yes\n[dn]\nO=o\n'
                                     '[x]\nsubjectAltName=@s\n[s]\nDNS.1=a\x1b[31m.example\n')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8', '-days', '9', '-keyout',
            p.root / 'k', '-config', p.root / 'evil.cnf', '-subj', '/CN=' + evil, '-out', p.root / 'evil.pem')
    for args in (['show', 'evil.pem'], ['show', 'evil.pem', '--json'], ['check', 'evil.pem', '--host', 'b'],
                 ['check', 'evil.pem', '--host', '\x1b[31m'], ['show', '\x1b[31m.pem'], ['make', '\x1b[31m'],
                 ['\x1b[31m'], ['check', '\x1b[31m://a']):
        r = p(*args)
        said = r.out.decode() + r.err
        if '--json' in args:  # for programs, and so in one line
            said = said.replace('\u202e', '')
        assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]', said), (args, said)
        assert not re.search('^  pin +forged', said, re.M), (args, said)
    assert '\\u001b' in p('show', 'evil.pem', '--json').out.decode()
    assert json.loads(p('show', 'evil.pem', '--json').out)['names'] == ['a\x1b[31m.example']


@case
def show_shows_each_certificate_of_a_file():
    p = Place()
    p.fine('make', 'a')
    p.fine('make', 'b')
    (p.root / 'both.pem').write_text('some words\n' + (p.root / 'b.pem').read_text() + (p.root / 'a.pem').read_text())
    assert [i['names'] for i in p.json('show', 'both.pem')] == [['b'], ['a']]
    assert p.fine('show', 'both.pem').count('fingerprint') == 2
    store = '/etc/ssl/certs/ca-certificates.crt'
    if os.path.exists(store):
        assert len(p.json('show', store)) == pathlib.Path(store).read_text().count('BEGIN CERTIFICATE')


run()
