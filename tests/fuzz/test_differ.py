#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_differ.py - our HTTP/1.1 parser (differ.c) and llhttp (differ.js) read the same bytes, made from a grammar and then spoilt. What
both accept they must take apart alike, to the last byte: method, target, fields, body, trailers, and where the next message begins. What
llhttp accepts and we do not must be of a kind that the list below names. `soak`: for SOAK minutes, with new seeds.
test_differ.py again SEED shows what differs in that batch."""
import functools
import ipaddress
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'frame'))
from tap import Skip, case, run  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DIFFER = os.environ.get('DIFFER', '')
SOAK = float(os.environ.get('SOAK') or 0)
CASES = 4000

METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'M-SEARCH', 'DELETE']
TARGETS = ['/', '/a/b?c=d', '/%41', '*', 'http://a/', 'http://a:80/x?y', 'a:443', 'a', '/a#b', '/\x80', '//', 'https://a', 'http://u@a/', '/a b']
VERSIONS = ['HTTP/1.1'] * 80 + ['HTTP/1.0'] * 8 + ['HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.10', 'HTTP/0.9']
LENGTHS = ['5', '0', '05', '+5', '5 ', '5,5', '5, 5', '', '0x5', '-1', '99999999999999999999', '3']
CODINGS = ['chunked'] * 8 + ['Chunked', 'gzip, chunked', 'gzip', 'chunked, gzip', 'identity', 'chunked, chunked', 'xchunked', '"chunked"',
                             'chunked;q=1', '\x0bchunked', ',chunked', 'chunked,', '']
FIELDS = ['X: y', 'X:', 'X:\ty\t', 'X-Long: ' + 'z' * 40, 'Accept: a, b', 'Connection: keep-alive', 'Connection: close', 'Connection: x, y',
          'Expect: 100-continue', 'Expect: x', 'Host: b', 'X : y', ' X: y', 'X', ': y', 'X: \x01', 'X: \x7f', 'X\x80: y', 'X: \x80', 'X: a\rb', 'X: a\nb',
          'X: y\r\n z', 'Cookie: a=b; c', '!#$%&\'*+-.^_`|~: y', 'X(: y', 'Upgrade: foo', 'Trailer: X-T', 'X:: y']
SIZES = ['5', '05', '5', 'A', 'a', '5;x', '5;x=y', '5;x="y z"', '5 ;x', '5; x', '5;', '5 ', ' 5', '0x5', '5;x="\\""', '5;x=y;z', '+5', '5_', '5;x =y',
         '5;\x01', '0000000000000000005', '5;x="', '5\t']
TRAILERS = ['X-T: u', 'Digest: v', 'X-T : u', 'Content-Length: 5', 'X-T: a\rb', 'Host: a', ' X-T: u', 'Set-Cookie: a']
ENDS = ['\r\n'] * 400 + ['\n', '\r', '\r\r\n', '\n\r\n', '\r\n\r\n']
SPOILERS = ['\r', '\n', '\r\n', '\t', ' ', '\0', ':', ';', ',', '\x0b', '\x7f', '\x80', '"', '0', '1', 'x', '%', '/', '-']

# What may not trail is left out by us.
LEFT_OUT = {b.encode().hex() for b in ('set-cookie',)}

def host_is_good(host):
    if found := re.fullmatch(rb'\[([^]]*)\](:\d*)?', host):
        try:
            return ipaddress.IPv6Address(found[1].decode()) is not None
        except ValueError:
            return False
    return re.fullmatch(rb"([-a-zA-Z0-9._~!$&'()*+,;=]+(:\d*)?)?", host)


def hosts_are_bad(t):
    for h in t.split(b'\r\n\r\n'):
        start = list(re.finditer(rb'[A-Z-]+ \S+ +HTTP/1\.\d(\r\n|\Z)', h))
        found = re.findall(rb'(?im)^host[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$', h[start[-1].end():] if start else b'')
        one = len(found) == 1 or (not found and start and b'HTTP/1.0' in start[-1][0])
        if start and not (one and all(map(host_is_good, found))):
            return True
    return False


def codings_are_bad(t):
    values = re.findall(rb'(?im)^transfer-encoding[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$', t)
    twice = any(len(re.findall(rb'(?i)transfer-encoding', h)) > 1 for h in t.split(b'\r\n\r\n'))
    return values and (twice or any(v.lower() != b'chunked' for v in values) or b'HTTP/1.0' in t or
                       re.search(rb'(?i)content-length', t))


def extensions_are_bad(t):
    token = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
    one = rb'[ \t]*;[ \t]*' + token + rb'([ \t]*=[ \t]*(' + token + rb'|"([^"\\\\]|\\\\.)*"))?'
    return any(not re.fullmatch(rb'(' + one + rb')+', ext) for ext in re.findall(rb'\n[0-9a-fA-F]+([ \t]*;[^\r\n]*)\r\n', t))


def target_is_bad(t):
    for line in re.findall(rb'([A-Z-]+) (\S+) +HTTP/', t):
        method, target = line
        if method == b'CONNECT' or (target == b'*') != (method == b'OPTIONS' and target == b'*'):
            return True
        if target[:1] != b'/' and not re.fullmatch(rb'(?i)https?://[-a-z0-9.]+(:\d+)?([/?].*)?', target):
            return True
        if re.search(rb'[#"<>\x00-\x20\x7f]', target):
            return True
    return False


# (reason, our status, what the message and what follows it must look like). llhttp leaves these to its caller, or is lenient.
ALLOWED = [
    ('a tab behind "chunked" is no part of it', 400, lambda t: re.search(rb'(?i)transfer-encoding:[^\r\n]*chunked *\t', t)),
    ('an absolute target or one of CONNECT must name a host, the asterisk is for OPTIONS: 3.2', 400,
     target_is_bad),
    ('a major version that is not 1', 505, lambda t: re.search(rb'HTTP/[^1]\.\d', t)),
    ('a request line without a version, that of HTTP/0.9', 400, lambda t: re.search(rb'[A-Z-]+ +\S+ *\r\n', t)),
    ('one blank in a request line and no more: RFC 9112 3', 400, lambda t: re.search(rb'[A-Z-]+(  +\S* +| \S*  +)HTTP/', t)),
    ('control bytes in a reason', 400, lambda t: re.search(rb'HTTP/\d\.\d \d{3} [^\r\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]', t)),
    ('a status under 100', 400, lambda t: re.search(rb'HTTP/\d\.\d 0\d\d', t)),
    ('other codings than chunked: 6.1', 501, lambda t: re.search(rb'(?i)transfer-encoding:[ \t]*[^\r\n]*,[ \t]*chunked', t)),
    ('two Transfer-Encoding fields, or one in 1.0, or beside a length, or not chunked at its end', 400,
     codings_are_bad),
    ('an expectation that nobody knows: RFC 9110 10.1.1', 417, lambda t: re.search(rb'(?i)expect:', t)),
    ('CONNECT has no content: RFC 9110 9.3.6', 400, lambda t: re.search(rb'(?m)^CONNECT ', t) and re.search(rb'(?i)content-length|transfer-encoding', t)),
    ('a bare CR or LF, or more than two empty lines in front', 400, lambda t: re.search(rb'\r(?!\n)|(?<!\r)\n|\A(\r\n){3}', t)),
    ('a length that is given twice', 400, lambda t: len(re.findall(rb'(?i)content-length[ \t]*:', t)) > 1),
    ('a length over 2^63 - 1', 413, lambda t: re.search(rb'\d{19}', t)),
    ('a chunk size over 16 digits', 400, lambda t: re.search(rb'\n0{4}[0-9a-fA-F]{13,}', t)),
    ('framing fields in trailers: RFC 9110 6.5.1', 400, lambda t: re.search(rb'(?i)\n0+(;[^\n]*)?\r\n(.*\r\n)*?(content-length|transfer-encoding|host)', t)),
    ('an extension by the grammar of 7.1.1', 400, extensions_are_bad),
    ('one Host, and a valid one, in 1.1: RFC 9112 3.2', 400, hosts_are_bad),
]


# (reason, what it looks like): where llhttp frames a message otherwise, and is wrong.
OTHERWISE = [
    ('a tab behind "chunked" is no part of it; llhttp reads such a response to its end',
     lambda t: re.search(rb'(?i)transfer-encoding:[^\r\n]*chunked *\t', t)),
    ('no 1xx has a body, also one that llhttp does not know: RFC 9112 6.3', lambda t: re.search(rb'HTTP/\d\.\d 1(?!0[0-3])\d\d', t)),
]

# Of llhttp 6 alone.
OLD = [
    ('blanks in a name or before it, and no name at all', 400, lambda t: re.search(rb'\n([^:\r\n]*[ \t][^:\r\n]*)?:', t)),
    ('a tab for the blank behind a target', 400, lambda t: re.search(rb'[A-Z-]+ +\S*\t', t)),
]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def end(self):
        return self.r.choice(ENDS)

    def chunks(self):
        text = ''
        for _ in range(self.r.randrange(4)):
            size = self.r.choice(SIZES if self.r.random() < .2 else ['5', '3', 'a'])
            number = re.search('[0-9a-fA-F]+', size)
            n = int(number[0], 16) if number else 5
            text += size + self.end() + 'hello, chunks!'[:n] + self.end()
        text += self.r.choice(['0'] * 9 + ['000', '0;x', '0 ', '']) + self.end()
        for _ in range(self.r.choice([0, 0, 0, 0, 0, 1, 2])):
            text += self.r.choice(TRAILERS if self.r.random() < .4 else TRAILERS[:2]) + self.end()
        return text + self.end()

    def fields(self, lines):
        for _ in range(self.r.choice([0, 0, 1, 1, 2, 3])):
            lines.append(self.r.choice(FIELDS if self.r.random() < .1 else FIELDS[:8]))
        kind, body = self.r.choice('nnnllllccccccb'), ''
        if kind in 'lb':
            v = self.r.choice(LENGTHS) if self.r.random() < .15 else '5'
            lines.append(f'{self.r.choice(["Content-Length", "content-length", "Content-Length "][:3 if self.r.random() < .1 else 2])}: {v}')
            body = 'hello'
        if kind in 'cb':
            lines.append('Transfer-Encoding: ' + self.r.choice(CODINGS if self.r.random() < .15 else ['chunked']))
            body = self.chunks()
        if self.r.random() < .04:
            lines.append(self.r.choice(lines[1:] or lines))
        if self.r.random() < .3:
            tail = lines[1:]
            self.r.shuffle(tail)
            lines[1:] = tail
        return ''.join(line + self.end() for line in lines) + self.end() + body

    def request(self):
        space = ' ' if self.r.random() < .97 else self.r.choice(['  ', '\t', '', '\r', '\x0b'])
        target = self.r.choice(TARGETS) if self.r.random() < .12 else '/a'
        lines = [self.r.choice(METHODS if self.r.random() < .2 else ['GET', 'POST']) + ' ' + target + space + self.r.choice(VERSIONS)]
        if self.r.random() < .98:
            lines.append('Host: ' + self.r.choice(['a', 'a', 'a', 'a.b:80', '[::1]:1', '', 'a b', ':80', 'a/b'] if self.r.random() < .1 else ['a']))
        return self.fields(lines)

    def response(self):
        return self.fields([self.r.choice(VERSIONS) + ' ' + self.r.choice(
            ['200 OK'] * 9 + ['404 Not Found', '204 No', '304 Same', '100 Continue', '103 Hints', '200', '200 ', '99 x', '2000 x', ' 200 OK', '200 \x80'])])

    def case(self):
        kind = self.r.choice('Q' if is_old() else 'QQS')
        text = self.r.choice([''] * 60 + ['\r\n', '\r\n\r\n', '\n', ' ', '\r\n' * 4])
        for _ in range(self.r.choice([1, 1, 2, 3])):
            text += self.request() if kind == 'Q' else self.response()
        for _ in range(self.r.choice([0, 0, 0, 0, 0, 1, 2])):
            at = self.r.randrange(len(text) + 1)
            text = text[:at] + self.r.choice(SPOILERS + ['']) + text[at + self.r.choice([0, 1]):]
        return kind.encode(), text.encode('latin-1')


def verdicts(command, data, count):
    """For each case its messages, and why there are no more."""
    p = subprocess.run(command, input=data, capture_output=True, timeout=300)
    assert p.returncode == 0, p.stderr.decode()
    out, messages = [], []
    for line in p.stdout.decode().splitlines():
        if line.startswith('M '):
            messages.append(line)
        else:
            out.append((messages, line))
            messages = []
    assert len(out) == count, (command, len(out), count)
    return out


def without_left_out(message):
    head, trailers = message.rsplit('[', 1)
    kept = [f for f in trailers.rstrip(']').split(',') if f.split('=')[0] not in LEFT_OUT]
    return head + '[' + ','.join(kept) + ']'


def judge(text, ours, theirs):
    """None: they agree. Else what is wrong, or the reason why it is not."""
    (mine, my_end), (other, other_end) = ours, theirs
    for a, b in zip(mine, other):
        if a != without_left_out(b):
            for reason, looks in OTHERWISE:
                if looks(text):
                    return None, reason
            return 'framed otherwise', None
    if len(mine) >= len(other):
        return None
    if my_end[0].isdigit():
        status, begin = map(int, my_end.split())
        for reason, ours, looks in ALLOWED + (OLD if is_old() else []):
            if ours == status and looks(text[begin:]):
                return None, reason
        return f'accepted by llhttp, {status} from us', None
    if my_end == 'close' and re.search(rb'(?i)keep-alive', text) and re.search(rb'(?i)connection:[^\r\n]*close', text):
        return None, 'a close beside a keep-alive closes: RFC 9112 9.3'
    if is_old() and re.search(rb'\n\r[^\n]', text):
        return None, 'a CR with anything behind it ends a head'
    if my_end == 'close':
        return 'goes on for llhttp', None
    return f'whole for llhttp, "{my_end}" for us', None


@functools.cache
def is_old():
    """llhttp 6, Debian 12's, gives bodies to 304 and to 1xx: there only requests are compared, and it is more lenient."""
    version = subprocess.check_output([node(), '-p', 'process.versions.llhttp'], text=True)
    return int(version.split('.')[0]) < 8


def batch(seed, reasons, show=False):
    maker = Maker(seed)
    cases = [maker.case() for _ in range(CASES)]
    data = b''.join(kind + struct.pack('<I', len(text)) + text for kind, text in cases)
    ours = verdicts([DIFFER], data, CASES)
    theirs = verdicts([node(), '--no-deprecation', str(HERE / 'differ.js')], data, CASES)
    bad = both = 0
    for (kind, text), a, b in zip(cases, ours, theirs):
        both += min(len(a[0]), len(b[0]))
        wrong, reason = judge(text, a, b) or (None, None)
        if reason:
            reasons[reason] = reasons.get(reason, 0) + 1
        if wrong:
            bad += 1
            if bad <= 5 or show:
                print(f'# seed {seed}: {wrong}: {kind.decode()} {text!r}\n#  ours   {a}\n#  theirs {b}')
    assert both > CASES // 4, f'seed {seed}: only {both} messages were accepted by both'
    assert not bad, f'seed {seed}: {bad} cases differ'
    return both


def node():
    program = shutil.which('node')
    if not program:
        raise Skip('no node here')
    return program


@case
def what_both_accept_they_take_apart_alike():
    reasons = {}
    for seed in (1, 2):
        batch(seed, reasons)
    for reason, n in sorted(reasons.items()):
        print(f'# {n} times llhttp takes what we refuse: {reason}')


def soak():
    until, n, reasons = time.monotonic() + SOAK * 60, 0, {}
    while time.monotonic() < until:
        n += batch(random.SystemRandom().getrandbits(32), reasons)
    print(f'# {n} messages were taken apart alike; refused by us alone: {reasons}')


if sys.argv[1:2] == ['again']:
    batch(int(sys.argv[2]), {}, show=True)
elif sys.argv[1:] == ['soak'] and not SOAK:
    print('1..0 # SKIP make soak runs it')
else:
    if sys.argv[1:] == ['soak']:
        case(soak)
    run()
