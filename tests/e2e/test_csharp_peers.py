#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_csharp_peers.py - the options of dial, listen, relay, send and recv against a C# program (Frames.cs)."""
import os
import pathlib
import random
import subprocess

from duplexlib import SLOW, host_port, start, temp
from needs import needs
from tap import case, run


def frames(*args):
    if not hasattr(frames, 'exe'):
        needs('mcs', 'mono')
        frames.exe = temp('Frames.exe')
        subprocess.run(['mcs', '-nologo', f'-out:{frames.exe}', pathlib.Path(__file__).with_name('Frames.cs')], check=True)
    r = subprocess.run(['mono', frames.exe, *map(str, args)], capture_output=True, timeout=60 * SLOW)
    assert r.returncode == 0, r
    return r.stdout.decode()


@case
def messages_behind_their_length_are_echoed_whole_through_a_relay_too():
    with start('listen', 'tcp://127.0.0.1:0', '--echo', '--frame', 'length:0,2,be,0') as p:
        with start('relay', 'tcp://127.0.0.1:0', p.url, ready=None) as relay:
            relay.said('listening .*\n')
            for server in p, relay:
                assert frames('ask', *host_port(server.url), 'hello', '不要回答', 'x' * 300) == 'hello\n不要回答\n' + 'x' * 300 + '\n'


@case
def its_coding_is_understood():
    for coding, text, back in ('iso-8859-1', 'déjà vu', 'DéJà VU'), ('utf-16le', '不要回答 is said', '不要回答 IS SAID'):
        with start('listen', 'tcp://127.0.0.1:0', '--upper', '--encoding', coding) as p:
            assert frames('say', *host_port(p.url), coding.replace('le', ''), text) == back + '\n'


@case
def checksums_are_the_same_on_both_sides():
    for frame, code in ('fixed:6', 0), ('fixed:3', 119):  # cut wrong, it is no checksum any more
        with start('listen', 'tcp://127.0.0.1:0', '--hex', '--checksum', 'crc16-modbus', '--frame', frame, '--send', '01 03 02 4b') as p:
            assert frames('modbus', *host_port(p.url), '01', '03', '00', '07') == '01-03-02-4B right\n'
            assert p.wait() == code, p.err


@case
def files_go_to_and_come_from_it():
    there, back = temp('there'), temp('back')
    data = random.Random(7).randbytes(1 << 20)
    pathlib.Path(there).write_bytes(data)
    with start('recv', 'tcp://127.0.0.1:0', back) as p:
        frames('push', *host_port(p.url), there)
        assert p.wait() == 0 and pathlib.Path(back).read_bytes() == data, p.err
    os.unlink(back)
    with start('send', there, '--listen', 'tcp://127.0.0.1:0') as p:
        frames('pull', *host_port(p.url), back)
        assert p.wait() == 0 and pathlib.Path(back).read_bytes() == data, p.err


run()
