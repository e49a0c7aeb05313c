# SPDX-License-Identifier: MIT
"""pki.py - certificates for tests, made by the openssl command in a folder that goes with the test. Each is made when it is
first asked for, with an ECDSA P-256 key unless it says otherwise.

    good = pki.leaf('good')     # .cert .key .chain: PEM files; .pin .fingerprint: as duplex says them
    pki.ca()                    # the same of the CA that signs them all
    pki.crl()                   # a PEM file: the CA and its list of what is revoked
"""
import base64
import hashlib
import os
import pathlib
import re
import ssl
import subprocess

from duplexlib import temp

HERE = 'DNS:localhost,IP:127.0.0.1,IP:::1'
SERVER = 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n'
CLIENT = SERVER.replace('serverAuth', 'clientAuth')
SIGNER = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
FROM, UNTIL = '20240101000000Z', '20480101000000Z'

# what differs from a good one: names, dates (from, until), md (of the signature), newkey, extensions, by (who signs)
LEAVES = {
    'good': {},
    'again': {},  # what a renewal brings
    'host': {'names': 'DNS:other.example,DNS:*.more.example,IP:192.0.2.7'},
    'expired': {'until': '20250203040506Z'},
    'not-yet': {'from': '20470809101112Z'},
    'sha1': {'md': 'sha1'},
    'client': {'names': 'DNS:ada.example', 'extensions': CLIENT},
    'client-here': {'extensions': CLIENT},  # the right names, and for clients only
    'revoked': {},
    'revoked-client': {'extensions': CLIENT},
    'rsa': {'newkey': ['-newkey', 'rsa:2048']},
    'rsa1024': {'newkey': ['-newkey', 'rsa:1024']},
    'ed25519': {'newkey': ['-newkey', 'ed25519']},
    'a': {'names': 'DNS:a.example'},
    'b': {'names': 'DNS:b.example'},
    'below': {'by': 'middle'},
    'middle': {'names': None, 'extensions': SIGNER, 'cn': 'middle of the tests'},
    'forged': {'by': 'good'},  # signed by one that may sign nothing
    'stranger': {'by': 'other-ca'},
    'stranger-client': {'by': 'other-ca', 'extensions': CLIENT},
}

CONFIG = '''[ca]
default_ca = one
[one]
new_certs_dir = {folder}
database = {folder}/{ca}.index
serial = {folder}/serial
default_md = sha256
default_crl_days = 3650
unique_subject = no
policy = any
[any]
commonName = supplied
'''


class Certificate:
    def __init__(self, name):
        self.name, self.cert, self.key, self.chain = name, path(name + '.pem'), path(name + '.key'), path(name + '.chain')

    @property
    def pem(self):
        return pathlib.Path(self.cert).read_text()

    @property
    def pin(self):
        return pin_of(self.cert)

    @property
    def fingerprint(self):
        return 'sha256:' + hashlib.sha256(ssl.PEM_cert_to_DER_cert(first(self.pem))).hexdigest()

    def __str__(self):
        return f'cert={self.chain},key={self.key}'


def openssl(*args, input=None):
    """What it said on stdout; raises what it said on stderr."""
    r = subprocess.run(['openssl', *map(str, args)], capture_output=True, input=input, timeout=60)
    assert r.returncode == 0, f'openssl {" ".join(map(str, args))}: {r.stderr.decode()}'
    return r.stdout


def first(pem):
    return re.search('-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n', pem, re.S)[0]


def pin_of(cert):
    pem = openssl('x509', '-in', cert, '-noout', '-pubkey').decode()
    public_key = base64.b64decode(''.join(pem.splitlines()[1:-1]))  # SubjectPublicKeyInfo, DER
    return 'sha256:' + base64.b64encode(hashlib.sha256(public_key).digest()).decode()


_folder = None
_made = {}


def path(name):
    global _folder
    if not _folder:
        _folder = os.path.dirname(temp('x'))
        pathlib.Path(_folder, 'serial').write_text('1000\n')
    return os.path.join(_folder, name)


def ca(name='ca'):
    if name not in _made:
        c = Certificate(name)
        pathlib.Path(path(name + '.index')).touch()
        pathlib.Path(path(name + '.conf')).write_text(CONFIG.format(folder=os.path.dirname(c.cert), ca=name))
        openssl('req', '-x509', '-nodes', *EC, '-keyout', c.key, '-out', c.cert, '-days', 3650, '-subj', f'/CN={name} of the tests',
                '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        pathlib.Path(c.chain).write_text(c.pem)
        _made[name] = c
    return _made[name]


def is_ca(c):
    return c.name.endswith('ca')


def signing(by):
    """The options with which openssl ca signs as by; the numbers and the index are those of a CA."""
    home = by.name if is_ca(by) else ca().name
    return ['-config', path(home + '.conf'), '-cert', by.cert, '-keyfile', by.key]


def sign(c, by, how):
    """Makes c's key, and has by sign it."""
    names = how.get('names', HERE)
    extensions = how.get('extensions', SERVER) + (f'subjectAltName={names}\n' if names else '') + 'subjectKeyIdentifier=hash\n'
    pathlib.Path(path('extensions')).write_text(extensions)
    openssl('req', '-new', '-nodes', *how.get('newkey', EC), '-keyout', c.key, '-out', path('csr'), '-subj', f'/CN={how.get("cn", c.name)}')
    openssl('ca', '-batch', '-notext', *signing(by), '-in', path('csr'), '-out', c.cert, '-startdate', how.get('from', FROM), '-enddate',
            how.get('until', UNTIL), '-md', how.get('md', 'sha256'), '-extfile', path('extensions'))


def leaf(name, **how):
    """One of LEAVES, or a new name with keys like theirs."""
    if name not in _made:
        how = LEAVES.get(name, {}) | how
        c, by = Certificate(name), how.get('by', 'ca')
        by = ca(by) if by.endswith('ca') else leaf(by)
        sign(c, by, how)
        pathlib.Path(c.chain).write_text(c.pem + ('' if is_ca(by) else pathlib.Path(by.chain).read_text()))
        _made[name] = c
    return _made[name]


def self_signed(name='self', names=HERE):
    if name not in _made:
        c = Certificate(name)
        openssl('req', '-x509', '-nodes', *EC, '-keyout', c.key, '-out', c.cert, '-days', 30, '-subj', '/CN=self', '-addext',
                f'subjectAltName={names}')
        pathlib.Path(c.chain).write_text(c.pem)
        _made[name] = c
    return _made[name]


def crl():
    """The CA's file with the list on which the leafs 'revoked' and 'revoked-client' stand, and no other."""
    if 'crl' not in _made:
        for name in 'revoked', 'revoked-client':
            openssl('ca', *signing(ca()), '-revoke', leaf(name).cert)
        openssl('ca', *signing(ca()), '-gencrl', '-out', path('list'))
        pathlib.Path(path('crl.pem')).write_text(ca().pem + pathlib.Path(path('list')).read_text())
        _made['crl'] = path('crl.pem')
    return _made['crl']


def together(name, *certificates):
    """One file: all of them with their keys."""
    pathlib.Path(path(name)).write_text(''.join(pathlib.Path(f).read_text() for c in certificates for f in (c.chain, c.key)))
    return path(name)
