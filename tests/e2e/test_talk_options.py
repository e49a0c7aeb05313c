#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_talk_options.py - what dial and listen do to messages on their way: hex, line ends, checksums, frames, codings, times,
logs, events; against Python sockets, nc and socat."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import zlib

from duplexlib import SLOW, Server, connect, recv_all, recv_exactly, run as duplex, start, temp, until
from tap import Skip, case, run


def crc16(data):
    crc = 0xFFFF
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, 'little')


def echo(s):
    """Sends back what comes and returns all of it."""
    got = b''
    while data := s.recv(65536):
        got += data
        s.sendall(data)
    return got


def says(data, pause=0.0):
    """A server that sends these pieces, one a packet, and returns what it hears."""
    def serve(s):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in data:
            s.sendall(piece)
            time.sleep(pause)
        s.shutdown(socket.SHUT_WR)
        return recv_all(s)
    return Server(serve)


def need(program):
    if not shutil.which(program):
        raise Skip(f'no {program}')


# ---- hex, line ends, checksums ----


@case
def hex_goes_both_ways_on_pipes():
    with Server(echo) as s:
        r = duplex('dial', '--hex', s.url, input=b'01 fF,0x10\n')
    assert (r.code, r.out, r.err) == (0, b'01 FF 10\n', ''), r
    assert s.results == [b'\x01\xff\x10'], s.results


@case
def hex_on_a_wire_of_messages_is_a_message_a_line():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.settimeout(10 * SLOW)
        d = start('dial', '--hex', f'udp://127.0.0.1:{s.getsockname()[1]}', ready=None)
        d.stdin.write(b'0102\n\n03\n')
        got = [s.recvfrom(100) for _ in range(3)]
        assert [g[0] for g in got] == [b'\1\2', b'', b'\3'], got
        s.sendto(b'\xaa\x55', got[0][1])
        assert d.stdout.read(6) == b'AA 55\n'
        d.end_input()
        assert d.wait() == 0


@case
def what_is_no_hex_is_usage_and_named_by_line_and_place():
    with Server(echo) as s:
        r = duplex('dial', '--hex', s.url, input=b'01\n02 xx\n')
    assert r.code == 2 and 'line 2 of our input is no hex from character 4 on' in r.err, r


@case
def a_line_end_goes_behind_each_line():
    for name, end in ('lf', b'\n'), ('crlf', b'\r\n'), ('none', b''):
        with Server(echo) as s:
            r = duplex('dial', '--eol', name, s.url, input=b'a\nb\r\nlast')
            assert r.code == 0 and r.out == b'a' + end + b'b' + end + b'last' + end, (name, r)
    r = duplex('dial', '--eol', 'cr', 'tcp://127.0.0.1:1')
    assert r.code == 2 and '--eol wants lf, crlf or none' in r.err, r


@case
def a_line_end_is_the_frames_where_lines_are_framed():
    with says([b'one\n', b'two\n']) as s:
        r = duplex('dial', '--frame', 'line', '--eol', 'crlf', s.url, input=b'a\nb\n')
    assert (r.code, r.out) == (0, b'one\ntwo\n') and s.results == [b'a\r\nb\r\n'], (r, s.results)


@case
def a_line_end_on_datagrams_and_websocket():
    with start('listen', 'ws://127.0.0.1:0/', '--echo') as p:
        r = duplex('dial', '--eol', 'crlf', '--idle-ends', '300ms', p.url, input=b'a\nb\n')
        assert (r.code, r.out) == (0, b'a\r\nb\r\n'), r
    with start('listen', 'udp://127.0.0.1:0', '--echo') as p:
        r = duplex('dial', '--eol', 'none', '--idle-ends', '300ms', p.url, input=b'a\nb\n')
        assert (r.code, r.out) == (0, b'ab'), r


@case
def a_checksum_is_appended_and_checked():
    request = bytes.fromhex('010300000002')
    with Server(echo) as s:
        r = duplex('dial', '--hex', '--checksum', 'crc16-modbus', s.url, input=b'01 03 00 00 00 02\n')
    assert (r.code, r.out, r.err) == (0, b'01 03 00 00 00 02\n', ''), r
    assert s.results == [request + crc16(request)], s.results
    with Server(echo) as s:
        r = duplex('dial', '--checksum', 'crc32', '--frame', 'line', s.url, input=b'hello\n')
    assert (r.code, r.out) == (0, b'hello\n') and s.results == [b'hello' + zlib.crc32(b'hello').to_bytes(4, 'little') + b'\n'], r


@case
def a_wrong_checksum_is_shown_counted_and_119():
    good = b'\x01\x02' + crc16(b'\x01\x02')
    with says([good + good[:3] + b'\0']) as s:
        r = duplex('dial', '--hex', '--checksum', 'crc16-modbus', '--frame', 'fixed:4', s.url)
    want = crc16(b'\x01\x02').hex(' ').upper()
    assert r.code == 119 and r.out.decode() == f'01 02\n01 02 [crc16-modbus found {want[:2]} 00, expected {want}]\n', r
    assert '1 message had a wrong crc16-modbus' in r.err, r
    r = duplex('dial', '--checksum', 'crc17', 'tcp://127.0.0.1:1')
    assert r.code == 2 and 'crc17' in r.err, r


@case
def listen_checks_and_appends_too():
    with start('listen', 'tcp://127.0.0.1:0', '--hex', '--checksum', 'xor', '--frame', 'fixed:3', '--send', 'aa 55') as p:
        with p.connect() as s:
            s.sendall(b'\x01\x02\x03' + b'\x01\x02\x00')
            assert recv_exactly(s, 3) == b'\xaa\x55\xff'
            s.shutdown(socket.SHUT_WR)
            assert recv_all(s) == b''
        assert p.stdout.read() == b'01 02\n01 02 [xor found 00, expected 03]\n'
        assert p.wait() == 119


# ---- frames and codings, cut anywhere ----

FRAMES = [  # spec, the stream, what it is in messages
    ('line', b'ab\r\ncd\n\nef', [b'ab', b'cd', b'', b'ef']),
    ('delim:0D0A', b'ab\r\nc\rd\r\n', [b'ab', b'c\rd']),
    ('fixed:3', b'abcdef', [b'abc', b'def']),
    ('length:1,1,be,1', b'x\x02abqx\x00q', [b'x\x02abq', b'x\x00q']),
    ('length:0,2,le', b'\x01\x00a\x02\x00bc', [b'\x01\x00a', b'\x02\x00bc']),
]


@case
def frames_of_every_kind_come_whole_wherever_they_are_cut():
    for spec, stream, messages in FRAMES:
        want = ''.join(m.hex(' ').upper() + '\n' for m in messages).encode()
        for cut in range(1, len(stream)):
            with says([stream[:cut], stream[cut:]], 0.02) as s:
                r = duplex('dial', '--hex', '--frame', spec, s.url)
            assert (r.code, r.out) == (0, want), (spec, cut, r)


@case
def a_gap_ends_a_message_both_ways():
    with says([b'ab', b'cd'], 0.4 * SLOW) as s:
        r = duplex('dial', '--hex', '--frame', f'gap:{int(100 * SLOW)}ms', s.url, input=b'01\n')
    assert (r.code, r.out) == (0, b'61 62\n63 64\n') and s.results == [b'\x01'], (r, s.results)


@case
def frames_on_pipes_stand_apart_as_they_came():
    for spec, stream in ('delim:00', b'ab\0cd\0'), ('fixed:3', b'abcdef'), ('length:0,1', b'\x01a\x02bc'), ('line', b'a\nb\n'):
        with Server(echo) as s:
            r = duplex('dial', '--frame', spec, s.url, input=stream)
        assert (r.code, r.out) == (0, stream) and s.results == [stream], (spec, r, s.results)
        with start('listen', 'tcp://127.0.0.1:0', '--frame', spec, stdin=subprocess.DEVNULL) as p:
            r = duplex('dial', p.url, input=stream)
            assert r.code == 0 and p.stdout.read() == stream and p.wait() == 0, (spec, r)


@case
def each_message_of_a_stream_is_a_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.settimeout(10 * SLOW)
        url = f'udp://127.0.0.1:{s.getsockname()[1]}'
        for spec, stream, messages in FRAMES[1:]:
            r = duplex('dial', '--frame', spec, '--idle-ends', '50ms', url, input=stream)
            assert r.code == 0, (spec, r)
            assert [s.recv(100) for _ in messages] == messages, spec


@case
def gb18030_cut_at_every_place_loses_no_character():
    text = '不要回答 €㐀𠀀 end\n'
    data = text.encode('gb18030')
    for options, want in ([], text.encode()), (['--timestamps'], None):
        for cut in range(1, len(data)):
            with says([data[:cut], data[cut:]], 0.02) as s:
                r = duplex('dial', '--encoding', 'gb18030', *options, s.url)
            got = r.out if want else re.sub(rb'^\[[\d:.]+ \+[\d.]+\] ', b'', r.out)
            assert (r.code, got) == (0, text.encode()), (cut, r)


@case
def a_coding_goes_under_the_checksum():
    body = '不要'.encode('gb18030')
    with Server(echo) as s:
        r = duplex('dial', '--encoding', 'gb18030', '--checksum', 'sum8', s.url, input='不要\n'.encode())
    assert (r.code, r.out) == (0, '不要\n'.encode()) and s.results == [body + bytes([sum(body) & 255])], (r, s.results)


# ---- times, logs, events ----


@case
def timestamps_have_ms_and_the_time_since_the_last():
    with says([b'a\n', b'b\n'], 0.3) as s:
        r = duplex('dial', '--timestamps', s.url)
    lines = re.findall(r'^\[(\d\d):(\d\d):(\d\d\.\d{3}) \+(\d+\.\d{3})\] (\w)$', r.out.decode(), re.M)
    assert r.code == 0 and [x[4] for x in lines] == ['a', 'b'], r
    assert lines[0][3] == '0.000' and 0.2 < float(lines[1][3]) < 0.3 + 2 * SLOW, lines


@case
def a_log_has_both_ways_and_is_appended_to():
    name = temp('log')
    pathlib.Path(name).write_text('before\n')
    with Server(echo) as s:
        for options, seen in ([], 'hi'), (['--hex'], '68 69'):
            given = b'hi\n' if not options else b'6869\n'
            assert duplex('dial', '--log', name, *options, s.url, input=given).code == 0
    lines = pathlib.Path(name).read_text().splitlines()
    assert lines[0] == 'before' and len(lines) == 5, lines
    for line, way, what in zip(lines[1:], '><><', ['hi', 'hi', '68 69', '68 69']):
        assert re.fullmatch(rf'\d{{4}}-\d\d-\d\d [\d:]+\.\d{{3}} \+\d+\.\d{{3}} {way} {what}', line), line


@case
def a_full_log_is_said_once_and_the_talk_goes_on():
    with Server(echo) as s:
        r = duplex('dial', '--log', '/dev/full', s.url, input=b'hi\n')
    assert (r.code, r.out) == (0, b'hi\n') and r.err.count('No space left') == 1 and '2 entries are missing' in r.err, r
    r = duplex('dial', '--log', '/nowhere/log', 'tcp://127.0.0.1:1')
    assert r.code == 23 and '--log /nowhere/log' in r.err, r


def events_of(r):
    return [json.loads(line) for line in r.out.splitlines()]


def came(r):
    return next(e for e in events_of(r) if e['event'] == 'data' and e['way'] == 'in')


@case
def events_are_an_object_a_line():
    with Server(echo) as s:
        r = duplex('dial', '--json', s.url, input='héllo\n'.encode())
        events = events_of(r)
    assert r.code == 0 and sorted(e['event'] for e in events[1:-1]) == ['data', 'data', 'end', 'end'], r
    assert all(e['v'] == 1 and abs(e['time'] / 1000 - time.time()) < 60 * SLOW for e in events), r
    assert (events[0]['event'], events[-1]['event']) == ('open', 'close'), r
    assert events[0]['peer'] == s.url and events[0]['wire'] == 'tcp', events[0]
    assert [(e['way'], e['text'], e['bytes']) for e in events if e['event'] == 'data'] == [(w, 'héllo\n', 7) for w in ('out', 'in')]
    assert (events[-1]['code'], events[-1]['reason']) == (0, 'done')


@case
def events_show_bytes_as_base64_or_hex():
    with says([b'\xff\xfe']) as s:
        assert came(duplex('dial', '--json', s.url))['base64'] == '//4='
    with says([b'\xff\xfe\x01']) as s:
        e = came(duplex('dial', '--json', '--hex', '--checksum', 'xor', '--frame', 'fixed:3', s.url))
    assert (e['hex'], e['checksum']) == ('FF FE', 'good'), e


@case
def events_say_why_nothing_came_of_it():
    r = duplex('dial', '--json', 'tcp://127.0.0.1:1')
    e = events_of(r)
    assert r.code == 7 and [(x['event'], x['code'], x['reason']) for x in e] == [('close', 7, 'refused')], r


# ---- sending without stdin ----


@case
def text_of_an_option_is_sent_with_its_escapes():
    with Server(echo) as s:
        r = duplex('dial', '--send', r'AT\r\n\x00\\é', s.url, input=b'not this')
    assert (r.code, r.out) == (0, 'AT\r\n\0\\é'.encode()), r
    with Server(echo) as s:
        r = duplex('dial', '--send', r'ping\n', '--send', r'roll\n', s.url)
    assert (r.code, r.out) == (0, b'ping\nroll\n'), r
    r = duplex('dial', '--send', r'a\q', 'tcp://127.0.0.1:1')
    assert r.code == 2 and r'\q' in r.err, r
    r = duplex('dial', '--hex', '--send', '0g', 'tcp://127.0.0.1:1')
    assert r.code == 2 and 'is no hex' in r.err, r
    r = duplex('dial', '--hex', '--send', '01 9', 'tcp://127.0.0.1:1')
    assert r.code == 2 and "'9' is half a byte" in r.err, r


def timed_send():
    """A timed send that twenty messages have come of: their period in seconds and the median jitter it reports, in ms."""
    at = []

    def note(s):
        while s.recv(2):
            at.append(time.monotonic())
    with Server(note) as s:
        with start('dial', '--hex', '--send', '01 02', '--every', '100ms', s.url, ready=None) as d:
            until(lambda: len(at) > 20, 20)
            d.interrupt()
            assert d.wait() == 130
    m = re.search(r'sent (\d+) times, every 100 ms: jitter median ([\d.]+) ms, p99 ([\d.]+) ms; (?:none|\d+) skipped', d.err)
    assert m and int(m[1]) >= 20, d.err
    return (at[20] - at[0]) / 20, float(m[2])


@case
def a_timed_send_keeps_its_rate():
    runs = []
    for _ in range(3):  # neighbours on a busy machine may spoil a run, but not each
        runs.append(timed_send())
        if 0.09 < runs[-1][0] < 0.11 * SLOW and runs[-1][1] < (1 if SLOW == 1 else 20):
            return
    assert False, runs


@case
def a_timed_send_repeats_stdin():
    with Server(lambda s: s.recv(1) and recv_exactly(s, 8)) as s:  # or nothing
        r = duplex('dial', '--every', '20ms', s.url, input=b'')
        assert r.code == 2 and 'standard input is empty: there is nothing to send' in r.err and 'jitter' not in r.err, r
        r = duplex('dial', '--every', '20ms', s.url, input=b'ab\n')
    assert s.results == [b'', b'b\nab\nab\n'] and r.code in (0, 56), (r, s.results)


@case
def real_programs_hear_it():
    need('nc')
    need('socat')
    for argv in ['nc', '-l', '-N', '127.0.0.1'], ['socat', '-u', 'TCP-LISTEN:{},bind=127.0.0.1', '-']:
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        argv = [a.format(port) for a in argv] + ([str(port)] if argv[0] == 'nc' else [])
        p = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        r = duplex('dial', '--retry', '--hex', '--checksum', 'lrc', '--eol', 'crlf', '--send', '31 32', f'tcp://127.0.0.1:{port}')
        assert r.code == 0 and p.communicate(timeout=10 * SLOW)[0] == b'12\x9d\r\n', (argv, r)


run()
