#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_hex.py - duplex hex as a user runs it; Python says what the dumps and checksums must be."""
import binascii
import pathlib
import random
import re
import shutil
import subprocess
import threading
import zlib

from duplexlib import DUPLEX, SLOW, run as duplex, start, temp
from tap import Skip, case, run

MESSAGE = 'fc2a0001000201010101000102009a4887009a4888020203e83c0000000000000000000000C6875a'
UNMET = 119


def hex_(*args, **how):
    return duplex('hex', *args, **how)


def fine(*args, **how):
    r = hex_(*args, **how)
    assert r.code == 0 and not r.err, (args, r)
    return r.out.decode()


def fails(code, words, *args, **how):
    r = hex_(*args, **how)
    assert r.code == code and re.search(words, r.err), (args, r)
    return r.out.decode()


def some_bytes(n, seed=7):
    return random.Random(seed).randbytes(n)


def file(data, name='f'):
    path = pathlib.Path(temp(name))
    path.write_bytes(data)
    return path


def dump(data):
    """As hexdump -C writes it, every line."""
    out = []
    for at in range(0, len(data), 16):
        line = data[at:at + 16]
        cells = [f'{b:02x}' for b in line] + ['  '] * (16 - len(line))
        text = ''.join(chr(b) if 32 <= b < 127 else '.' for b in line)
        out.append(f"{at:08x}  {' '.join(cells[:8])}  {' '.join(cells[8:])}  |{text}|\n")
    return ''.join(out) + (f'{len(data):08x}\n' if data else '')


# ---- in and out ----


@case
def the_device_message_comes_in_pairs_with_its_case_kept():
    pairs = ' '.join(MESSAGE[i:i + 2] for i in range(0, len(MESSAGE), 2))
    assert fine(MESSAGE) == pairs + '\n'
    assert len(pairs.split()) == 40
    assert fine(pairs) == fine(*pairs.split()) == fine('--from-hex', input=MESSAGE.encode()) == pairs + '\n'


@case
def hex_is_typed_in_many_ways():
    for text in ('01AbfF', '01 Ab fF', '0x01,0xAb,0XfF', '0x01AbfF', '01:Ab:fF', ' 01\tAb\r\nfF\n', '01, Ab, fF'):
        assert fine(text) == '01 Ab fF\n', text
    assert fine('--upper', '01AbfF') == '01 AB FF\n' and fine('--lower', '01AbfF') == '01 ab ff\n'
    assert fine('--group', '2', '01AbfF') == '01Ab fF\n'
    assert fine('--sep', ', 0x', '01AbfF') == '01, 0xAb, 0xfF\n' and fine('--sep', '', '01 Ab fF') == '01AbfF\n'
    assert fine('') == '' and fine('--from-hex') == '' and fine() == '' and fine('--bytes') == ''


@case
def an_odd_tail_is_kept_and_said():
    for args, out in ((['fc2'], 'fc 2\n'), (['F'], 'F\n'), (['--upper', 'fc', 'a'], 'FC A\n'),
                      (['--group', '2', 'aabbc'], 'aabb c\n')):
        r = hex_(*args)
        both = subprocess.run([DUPLEX, 'hex', *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert both.stdout.startswith(out.encode()), both
        assert (r.code, r.out.decode()) == (0, out) and 'has no other: half a byte\n' in r.err, r
    r = hex_('--dump', 'fc2')
    assert r.code == 0 and r.out.startswith(b'00000000  fc 2  ') and r.out.endswith(b'|.|\n00000001\n'), r


@case
def where_bytes_are_wanted_half_a_byte_is_a_truncation():
    assert fails(18, 'the last digit, 2, has no other', '--bytes', '612') == 'a'
    assert fails(18, 'half a byte', '--checksum', 'crc32', '612') == ''
    assert fails(18, 'half a byte', '--check', 'crc32', '612') == ''
    assert fails(18, 'half a byte', '--checksum', 'xor', '--append', '612') == '61 2\n'
    assert fails(18, 'half a byte', '--from-hex', '--bytes', input=b'61 6\n') == 'a'


@case
def bytes_come_out_as_they_are():
    data = bytes(range(256)) * 3
    assert hex_('--bytes', data[:256].hex()).out == data[:256]
    assert hex_('--from-hex', '--bytes', input=data.hex('\n').encode()).out == data
    assert hex_('--bytes', input=data).out == hex_('--bytes', '-', input=data).out == data
    back = hex_('--from-hex', '--bytes', input=hex_('--pairs', input=data).out)
    assert back.out == data, back


@case
def bytes_are_dumped_as_hexdump_does():
    for n in (0, 1, 7, 8, 9, 15, 16, 17, 255, 4096, 100003):
        data = some_bytes(n)
        assert fine(input=data) == fine('-', input=data) == fine(file(data)) == dump(data), n
    assert fine('--dump', MESSAGE) == dump(bytes.fromhex(MESSAGE)).replace('c6', 'C6')
    if not shutil.which('hexdump'):
        raise Skip('no hexdump')
    assert subprocess.run(['hexdump', '-Cv'], input=data, capture_output=True).stdout.decode() == fine(input=data)


@case
def text_and_its_characters():
    assert fine('--text', 'hello', '你') == '68 65 6c 6c 6f 20 e4 bd a0\n'
    assert fine('--text', 'ff') == '66 66\n' and fine('--text', '--upper', '-') == '2D\n'
    assert '|a你 b|' in fine('--text', '--dump', '--utf8', 'a你b')
    assert '|a...b|' in fine('--text', '--dump', 'a你b')
    assert '\x1b' not in fine('--utf8', input='\x1b[31m\u202e'.encode())


@case
def an_argument_that_is_no_hex_is_a_file():
    path = file(b'hi\n', 'cafe')
    assert fine('cafe', cwd=path.parent) == 'ca fe\n'
    assert fine('./cafe', cwd=path.parent) == dump(b'hi\n')
    assert fine('--pairs', path) == '68 69 0a\n' and fine('--upper', '--sep', '', path) == '68690A\n'
    path.write_bytes(b'AB cd\n')
    assert fine('--from-hex', path) == 'AB cd\n'


@case
def what_does_not_read_is_said_with_its_place():
    fails(2, r"'12zz' is no file, and no hex: position 3: 'z' is no hex digit\.  Try: --text", '12zz')
    fails(2, r"position 4: 'x' is no hex digit", '00', 'x1')
    fails(2, 'position 1: the digit 1 stands alone', '1', '22')
    out = fails(1, "stdin: line 2, position 4: 'g' is no hex digit", '--from-hex', input=b'aabb\ncc g\n')
    assert out == 'aa bb cc', out
    fails(1, 'stdin: position 3: no digits after 0x', '--from-hex', input=b'0x')
    fails(1, 'stdin: position 1: the byte E4 is no hex digit', '--from-hex', input='你'.encode())
    fails(23, 'Is a directory', '/')
    fails(23, 'Not a directory', file(b'') / 'x')


@case
def what_does_not_go_together_is_a_usage_error():
    for args in (['--dump', '--bytes'], ['--pairs', '--dump'], ['--group', '2', '--dump'], ['--upper', '--lower'],
                 ['--text', '--from-hex', 'a'], ['--utf8', '--pairs'], ['--check', 'crc32', '--checksum', 'crc32'],
                 ['--check', 'crc32', '--dump'], ['--list', '--dump'], ['--bytes', '--sep', 'x']):
        fails(2, f'{args[0]}.* do not go together', *args)
    fails(2, '--append wants --checksum', '--append', '00')
    fails(2, 'Try: --append', '--checksum', 'crc32', '--dump', '00')
    fails(2, 'one checksum', '--append', '--checksum', 'crc32', '--checksum', 'xor', '00')
    fails(2, 'reads nothing', '--list', '00')
    fails(2, 'wants a text', '--text')
    fails(2, 'whole number', '--group', '0', '00')
    fails(2, 'Did you mean --dump', '--dmp')


# ---- checksums ----


def bitwise(data, width, poly, init, refin, refout, xorout, **_):
    """The model of the catalogue, a bit at a time."""
    x, top = init, 1 << (width - 1)
    for byte in data:
        for i in range(8):
            bit = byte >> (i if refin else 7 - i) & 1
            x = (x << 1) & (2 * top - 1) ^ (poly if bool(x & top) ^ bit else 0)
    return (int(f'{x:0{width}b}'[::-1], 2) if refout else x) ^ xorout


def listed():
    rows = {}
    for line in fine('--list').splitlines():
        name, *pairs = line.split()
        row = dict(p.split('=') for p in pairs)
        rows[name] = {k: v == 'true' if k.startswith('ref') else v if k in ('order', 'alias') else int(v, 0)
                      for k, v in row.items()}
    return rows


@case
def every_listed_crc_is_what_its_parameters_say():
    rows, data = listed(), some_bytes(101)
    path = file(data)
    crcs = [n for n, r in rows.items() if 'poly' in r]
    assert len(crcs) == 112 and len(rows) == 120
    for some in (crcs[i:i + 16] for i in range(0, len(crcs), 16)):
        lines = fine(path, *(a for n in some for a in ('--checksum', n))).splitlines()
        for name, line in zip(some, lines, strict=True):
            row, value = rows[name], bitwise(data, **rows[name])
            wire = value.to_bytes((row['width'] + 7) // 8, 'little' if row['order'] == 'le' else 'big')
            assert line == f"{name}  0x{value:0{(row['width'] + 3) // 4}x}  {wire.hex(' ')}", line
            assert bitwise(b'123456789', **row) == row['check'], name


@case
def checksums_are_those_of_python():
    for n in (0, 1, 9, 65536, 1000003):
        data = some_bytes(n, n)
        lines = fine('--checksum', 'crc32', '--checksum', 'adler32', '--checksum', 'crc16-xmodem', '--checksum', 'sum8',
                     '--checksum', 'crc16-ccitt', input=data).splitlines()
        values = [int(line.split()[1], 16) for line in lines]
        assert values == [binascii.crc32(data), zlib.adler32(data), binascii.crc_hqx(data, 0), sum(data) & 255,
                          binascii.crc_hqx(data, 0xffff)], (n, lines)
    assert fine('--checksum', 'CRC32', '--upper', '--text', '123456789') == 'CRC32  0xCBF43926  26 39 F4 CB\n'


@case
def a_modbus_request_gets_its_checksum():
    r = '01 03 00 00 00 02 c4 0b\n'
    assert fine('--checksum', 'crc16-modbus', '--append', '010300000002') == r
    assert fine('--checksum', 'modbus:be', '--append', '010300000002') == '01 03 00 00 00 02 0b c4\n'
    assert fine('--checksum', 'modbus', '--append', '0A') == fine('--checksum', 'modbus', '--append', '--upper', '0a')
    assert hex_('--checksum', 'modbus', '--append', '--bytes', '010300000002').out == bytes.fromhex(r)
    assert fine('--checksum', 'modbus', '--append', '--dump', '010300000002') == dump(bytes.fromhex(r))
    data = some_bytes(100000)
    sent = hex_('--bytes', '--append', '--checksum', 'crc32', input=data).out
    assert sent == data + zlib.crc32(data).to_bytes(4, 'little')


@case
def a_trailing_checksum_is_verified():
    assert fine('--check', 'crc16-modbus', '010300000002c40b') == 'crc16-modbus  ok  c4 0b\n'
    r = hex_('--check', 'crc16-modbus', '010300000002c40c')
    assert r.code == UNMET and r.out == b'crc16-modbus  mismatch  expected c4 0b  found c4 0c\n' and not r.err, r
    fails(UNMET, 'other way round.  Try: --check crc16-modbus:be', '--check', 'crc16-modbus', '0103000000020bc4')
    assert fine('--check', 'crc16-modbus:be', '0103000000020bc4').startswith('crc16-modbus:be  ok')
    r = hex_('--check', 'crc32', '0102')
    assert r.code == UNMET and r.out == b'crc32  mismatch  the checksum alone has 4 bytes, and there are 2\n', r
    for n in (0, 1, 7, 32768, 32771, 1000003):
        data = some_bytes(n, n)
        for name in ('crc32', 'crc64-xz', 'lrc'):
            whole = hex_('--bytes', '--append', '--checksum', name, input=data).out
            assert f'{name}  ok' in fine('--check', name, input=whole)
            assert hex_('--check', name, input=whole[:-1] + bytes([whole[-1] ^ 1])).code == UNMET


@case
def an_unknown_checksum_names_the_nearest():
    fails(2, 'Did you mean crc16-modbus', '--checksum', 'CRC-16/MODBUS', '00')
    fails(2, 'Did you mean crc16-modbus', '--check', 'crc16-modbuss', '00')
    fails(2, 'Try: duplex hex --list', '--checksum', 'sha256', '00')


# ---- streams ----


def peak_kib(*args, data, times):
    """Feeds data so many times; the most memory that the command had, in KiB, and its output's length."""
    p = subprocess.Popen([DUPLEX, 'hex', *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    came = [0]

    def drain():
        while part := p.stdout.read(1 << 20):
            came[0] += len(part)

    t = threading.Thread(target=drain)
    t.start()
    for _ in range(times):
        p.stdin.write(data)
    p.stdin.flush()
    rss = int(re.search(r'VmHWM:\s+(\d+)', pathlib.Path(f'/proc/{p.pid}/status').read_text())[1])
    p.stdin.close()
    t.join(60 * SLOW)
    assert p.wait(10 * SLOW) == 0
    return rss, came[0]


@case
def a_hundred_mebibytes_pass_in_constant_memory():
    times = 100 if SLOW == 1 else 8
    data = some_bytes(1 << 20)
    for args, one, out in (([], data, (times << 16) * 79 + 9),
                           (['--checksum', 'crc32'], data, len('crc32  0x00000000  00 00 00 00\n')),
                           (['--from-hex', '--bytes'], data[:1 << 19].hex().encode(), times << 19)):
        little, _ = peak_kib(*args, data=one, times=1)
        rss, came = peak_kib(*args, data=one, times=times)
        assert SLOW > 1 or rss < 8 << 10, (args, rss)
        assert rss < little + (512 if SLOW == 1 else 16384), (args, little, rss)
        assert came == out, (args, came, out)


@case
def what_comes_is_shown_at_once():
    with start('hex', '--pairs', ready=None) as p:
        p.stdin.write(b'ab')
        assert p.stdout.read(5) == b'61 62'
        p.stdin.write(b'c')
        assert p.stdout.read(3) == b' 63'
        p.end_input()
        assert p.stdout.read() == b'\n' and p.wait() == 0


@case
def a_closed_or_full_stdout_is_a_local_error():
    with start('hex', '/dev/zero', ready=None) as p:
        assert len(p.stdout.read(100)) == 100
        p.stdout.close()
        assert p.wait() == 23 and not p.err, p.err
    with open('/dev/full', 'wb') as full:
        p = subprocess.run([DUPLEX, 'hex', '00'], stdout=full, stderr=subprocess.PIPE)
        assert p.returncode == 23 and b'No space left' in p.stderr, p
        p = subprocess.run([DUPLEX, 'hex', '--list'], stdout=full, stderr=subprocess.PIPE)
        assert p.returncode == 23, p


@case
def the_examples_of_help_do_what_they_say():
    out = duplex('hex', '--help').out.decode()
    examples = re.findall(r'^  duplex (hex \S.*?) +# ((?:[0-9a-f]{2} )+[0-9a-f]{2})\b', out, re.M)
    assert len(examples) == 2 and max(map(len, out.splitlines())) <= 120, examples
    for line, said in examples:
        assert duplex(*line.split()).out.decode() == said + '\n', line
    assert 'crc32  0xcbf43926  26 39 f4 cb' in out and 'ok' in fine('--check', 'crc16-modbus', '010300000002c40b')


run()
