#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_wire_options.py - --bind, --ttl, --multicast and --broadcast against Python sockets. Groups and broadcast live in a network
namespace of their own, with a virtual cable."""
import socket
import struct
import subprocess
import sys

from duplexlib import SLOW, Server, run as duplex, start
from tap import Skip, case, run

ALONE = '''set -e
ip link set lo up
ip link add d0 type veth peer name d1
ip addr add 10.9.8.1/24 brd 10.9.8.255 dev d0
ip link set d0 up
ip link set d1 up
ip -6 addr add fd09::1/64 dev d0 nodad
exec "$@"
'''


def inside(fn):
    """A case that runs in the namespace: the file again, for that one."""
    def outer():
        if subprocess.run(['unshare', '-rn', 'ip', 'link', 'set', 'lo', 'up'], capture_output=True).returncode:
            raise Skip('no network namespaces here')
        r = subprocess.run(['unshare', '-rn', 'sh', '-c', ALONE, 'sh', sys.executable, __file__, 'inside', fn.__name__],
                           capture_output=True, text=True, timeout=90 * SLOW)
        assert r.returncode == 0, r.stdout + r.stderr
    outer.__name__ = fn.__name__
    INSIDE[fn.__name__] = fn
    return case(outer)


INSIDE = {}
IP_RECVTTL = 12  # Python does not name it


def udp(family=socket.AF_INET, at=('127.0.0.1', 0)):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(10 * SLOW)
    s.bind(at)
    return s


@case
def a_dial_leaves_from_the_address_it_is_told():
    def peer(s):
        who = s.getpeername()
        s.recv(10)
        return who[0]
    for bind in '127.0.0.2', '127.0.0.3:0':
        with Server(peer) as s:
            assert duplex('dial', '--bind', bind, s.url, input=b'x').code == 0
        assert s.results == [bind.split(':')[0]], s.results
    with Server(peer) as s:
        assert duplex('dial', s.url + '#bind=127.0.0.4', input=b'x').code == 0
    assert s.results == ['127.0.0.4'], s.results


@case
def a_dial_leaves_from_the_port_it_is_told():
    with socket.socket() as s:
        s.bind(('127.0.0.2', 0))
        port = s.getsockname()[1]
    with Server(lambda s: s.getpeername()[1]) as s:
        assert duplex('dial', '--bind', f'127.0.0.2:{port}', s.url).code == 0
    assert s.results == [port]
    with udp() as s:
        duplex('dial', '--bind', f'127.0.0.2:{port}', '--idle-ends', '50ms', f'udp://127.0.0.1:{s.getsockname()[1]}', input=b'x\n')
        assert s.recvfrom(10) == (b'x\n', ('127.0.0.2', port))


@case
def an_address_that_is_not_ours_says_so():
    with Server(lambda s: None) as s:
        r = duplex('dial', '--bind', '192.0.2.7', s.url)
        assert r.code == 45 and 'ip address' in r.err, r
        for bad in 'here', '127.0.0.1:x', '127.0.0.1:70000', '[::1', '':
            assert duplex('dial', '--bind', bad, s.url).code == 2, bad
        assert duplex('dial', '--bind', '::1', s.url).code != 0
    assert duplex('dial', '--bind', '127.0.0.1', 'unix:///x').code == 2


@case
def ttl_is_that_of_what_is_sent():
    with udp() as s:
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        duplex('dial', '--ttl', '7', '--idle-ends', '50ms', f'udp://127.0.0.1:{s.getsockname()[1]}', input=b'x\n')
        _, notes, _, _ = s.recvmsg(10, 100)
        assert struct.unpack('i', notes[0][2])[0] == 7, notes
        with start('listen', 'udp://127.0.0.1:0', '--echo', '--ttl', '9') as p:
            port = int(p.url.split(':')[-1])
            s.sendto(b'x', ('127.0.0.1', port))
            _, notes, _, _ = s.recvmsg(10, 100)
            assert struct.unpack('i', notes[0][2])[0] == 9, notes
    assert duplex('dial', '--ttl', '256', 'udp://127.0.0.1:9').code == 2
    assert duplex('listen', '--ttl', '256', '--echo', 'udp://127.0.0.1:0').code == 2
    with Server(lambda s: None) as s:
        assert duplex('dial', '--ttl', '3', s.url).code == 0


@inside
def listen_hears_the_groups_it_joined_and_no_other():
    with udp(at=('10.9.8.1', 0)) as s, udp(at=('', 0)) as other:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.9.8.1'))
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('239.9.8.9') + socket.inet_aton('10.9.8.1'))
        with start('listen', 'udp://:0', '--upper', '--multicast', '239.9.8.7%d0', '--multicast', '239.9.8.8%d0') as p:
            port = int(p.url.split(':')[-1])
            for group, text in ('239.9.8.9', b'none'), ('239.9.8.7', b'one'), ('239.9.8.8', b'two'):
                s.sendto(text, (group, port))
            got = [s.recvfrom(10) for _ in range(2)]
            assert [g[0] for g in got] == [b'ONE', b'TWO'] and got[0][1] == ('10.9.8.1', port), got


@inside
def listen_hears_groups_of_ipv6():
    with udp(socket.AF_INET6, ('fd09::1', 0)) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('d0'))
        with start('listen', 'udp://:0', '--upper', '--multicast', 'ff15::77%d0') as p:
            s.sendto(b'six', ('ff15::77', int(p.url.split(':')[-1])))
            assert s.recv(10) == b'SIX'


@inside
def dial_sends_to_a_group_and_hears_who_answers():
    for family, group, at, url in ((socket.AF_INET, '239.9.8.7', '', 'udp://:%d'),
                                   (socket.AF_INET, '239.9.8.7', '', 'udp://239.9.8.7:%d'),
                                   (socket.AF_INET6, 'ff15::77', '::', 'udp://:%d')):
        with udp(family, (at, 0)) as s:
            index = socket.if_nametoindex('d0')
            if family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + bytes(4) + struct.pack('i', index))
            else:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(family, group) + struct.pack('i', index))
            port = s.getsockname()[1]
            d = start('dial', '--multicast', f'{group}%d0', '--ttl', '4', url % port, ready=None)
            d.stdin.write(b'who\n')
            text, who = s.recvfrom(10)
            assert text == b'who\n', text
            s.sendto(b'me\n', who)
            assert d.stdout.read(3) == b'me\n'
            d.end_input()
            assert d.wait() == 0, d.err


@inside
def dial_sends_to_all_of_a_network():
    with udp(at=('', 0)) as s:
        port = s.getsockname()[1]
        r = duplex('dial', '--idle-ends', '50ms', f'udp://10.9.8.255:{port}', input=b'x\n')
        assert r.code != 0, r
        d = start('dial', '--broadcast', f'udp://10.9.8.255:{port}', ready=None)
        d.stdin.write(b'all\n')
        text, who = s.recvfrom(10)
        assert text == b'all\n'
        s.sendto(b'here\n', who)
        assert d.stdout.read(5) == b'here\n'
        d.end_input()
        assert d.wait() == 0, d.err


@inside
def a_short_question_from_afar_brings_no_long_answer():
    with start('listen', 'udp://10.9.8.1:0', '--reply', 'x' * 100) as p, udp(at=('10.9.8.1', 0)) as s:
        s.connect(('10.9.8.1', int(p.url.split(':')[-1])))
        s.send(b'short')
        p.said('asks too little')
        s.send(b'y' * 40)
        assert s.recv(200) == b'x' * 100


@inside
def what_is_no_group_says_so():
    for options, code in ((['--multicast', '10.0.0.1'], 2), (['--multicast', '239.1.1.1%nope'], 2), (['--multicast', '239.1.1.1'], 23),
                          (['--multicast', 'ff15::1'], 2)):
        r = duplex('listen', 'udp://127.0.0.1:0', '--echo', *options)
        assert r.code == code and '--multicast' in r.err, (options, r)
    r = duplex('listen', 'tcp://127.0.0.1:0', '--echo', '--multicast', '239.1.1.1%d0')
    assert r.code == 2 and 'no UDP socket' in r.err, r
    r = duplex('dial', '--multicast', '239.1.1.1', 'tcp://:5000')
    assert r.code == 2 and 'udp://:5000' in r.err, r
    assert duplex('dial', '--multicast', '239.1.1.1', 'udp://10.0.0.1:5000').code == 2


if sys.argv[1:2] == ['inside']:
    INSIDE[sys.argv[2]]()
else:
    run()
