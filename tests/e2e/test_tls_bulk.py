#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_tls_bulk.py - much of it through dial | listen within TLS, with a half-close from either end. What `ncat --ssl` loses is a tail,
behind an exit code 0. In make soak, which sets SOAK, more often."""
import hashlib
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import pki
from duplexlib import start, temp, until
from tap import case, run

TIMES = 20 if os.environ.get('SOAK') else 3
SEED = int(os.environ.get('SEED', random.randrange(1 << 32)))
print(f'# SEED={SEED}')


def ca():
    return pki.ca().cert


def write_all(f, data):
    view = memoryview(data)
    while view:
        view = view[f.write(view):]


def digest(f):
    f.seek(0)
    return hashlib.file_digest(f, 'sha256').hexdigest()


class Side:
    """listen, or dial to url: says the file at once, or what late() is given; what it hears is in .out."""

    def __init__(self, name, url=None):
        self.out, self.name, self.url = tempfile.TemporaryFile(), name, url

    def start(self, file=None):
        how = {'stdin': file or subprocess.PIPE, 'stdout': self.out}
        leaf = pki.leaf('good')
        self.p = start('dial', '--ca', ca(), self.url, ready=None, **how) if self.url else \
            start('listen', '--cert', leaf.chain, '--key', leaf.key, 'tls://127.0.0.1:0', **how)
        return self.p

    def heard(self):
        return os.fstat(self.out.fileno()).st_size


def one_after_the_other(name, size, dial_first):
    """Who begins has said all of the file and its end before the other says the same."""
    with open(name, 'rb') as first, open(name, 'rb') as second:
        listen = Side('listen')
        with listen.start(None if dial_first else first) as p:
            dial = Side('dial', p.url)
            with dial.start(first if dial_first else None):
                hears = listen if dial_first else dial
                until(lambda: hears.heard() == size, 60, 'all of what the first one says')
                while data := second.read(1 << 20):
                    write_all(hears.p.stdin, data)
                hears.p.end_input()
                codes = listen.p.wait(60), dial.p.wait(60)
                assert codes == (0, 0), (dial_first, codes, listen.p.err, dial.p.err)
        want = digest(first)
        assert digest(listen.out) == want and digest(dial.out) == want, (dial_first, listen.heard(), dial.heard())


@case
def a_hundred_mebibytes_each_way_arrive_whichever_side_ends_first():
    name, block = temp('big'), random.Random(SEED).randbytes(1 << 20)
    with open(name, 'wb') as f:
        for i in range(100):
            f.write(i.to_bytes(4, 'big') + block[4:])
    for _ in range(TIMES):
        one_after_the_other(name, 100 << 20, True)
        one_after_the_other(name, 100 << 20, False)


@case
def both_at_once_lose_nothing():
    """Each says its end while the other still speaks."""
    name = temp('both')
    pathlib.Path(name).write_bytes(random.Random(SEED).randbytes(1 << 20) * 20)
    for _ in range(TIMES):
        with open(name, 'rb') as first, open(name, 'rb') as second:
            listen = Side('listen')
            with listen.start(first) as p:
                dial = Side('dial', p.url)
                with dial.start(second):
                    codes = listen.p.wait(60), dial.p.wait(60)
                    assert codes == (0, 0), (codes, listen.p.err, dial.p.err)
            assert digest(listen.out) == digest(dial.out) == digest(first), (listen.heard(), dial.heard())


if sys.argv[1:] == ['soak'] and not os.environ.get('SOAK'):
    print('1..0 # SKIP make soak runs it')
else:
    run()
