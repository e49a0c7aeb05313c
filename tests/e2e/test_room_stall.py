#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One member of 1,000 stops reading: it costs the others no time and the process no memory."""
import resource
import select
import socket
import time

from duplexlib import SLOW, until
from members import Lines, Room, here
from tap import Skip, case
import tap

MEMBERS, BATCHES, ROUNDS, MESSAGES = 1000, 3, 4, 40
ROOM_CAP, QUEUE = 4 << 20, 64 << 10
SLACK = 2 << 20  # the allocator's own, and the kernel's pages of a heap that was touched once


def rss(pid):
    with open(f'/proc/{pid}/status') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith('VmRSS'))


class Crowd:
    def __init__(self, room, n):
        self.epoll, self.socks = select.epoll(), {}
        for i in range(n):
            s = room.dial()
            s.sendall(b'/nick m%d\n' % i)
            self.socks[s.fileno()] = s
            self.epoll.register(s, select.EPOLLIN)
        self.seen = dict.fromkeys(self.socks, b'')
        for fd, s in self.socks.items():
            while b'* you are m' not in self.seen[fd]:
                self.seen[fd] += s.recv(65536)
            s.setblocking(False)

    def wait(self, word, began):
        """Until every member has seen the word; the seconds that each took."""
        took, missing = [], set(self.socks)
        self.seen = dict.fromkeys(self.socks, b'')
        end = time.monotonic() + 30 * SLOW
        while missing:
            assert time.monotonic() < end, f'{len(missing)} members did not hear'
            for fd, _ in self.epoll.poll(1):
                data = self.seen[fd] = (self.seen[fd] + self.socks[fd].recv(65536))[-8192:]
                if word in data and fd in missing:
                    took.append(time.monotonic() - began)
                    missing.discard(fd)
        return took

    def drain(self):
        while events := self.epoll.poll(0.2):
            for fd, _ in events:
                self.socks[fd].recv(1 << 16)


def round_of(crowd, speaker, number):
    """p99 in seconds over all members and messages of a round."""
    took = []
    for i in range(MESSAGES):
        word = b'round %d word %d!' % (number, i)
        began = time.monotonic()
        speaker.s.sendall(word + b' ' + b'x' * 2000 + b'\n')
        took += crowd.wait(word, began)
    return sorted(took)[len(took) * 99 // 100]


def stalled(room, speaker):
    """A member that has not read for so long that its queue in the room is full."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect((room.host, room.port))
    s.sendall(b'/nick stone\n')
    full = Lines(s)
    until(lambda: 'you are stone' in full.hear())
    said = b'/msg stone ' + b'x' * 60000 + b'\n'
    def tell():
        speaker.s.sendall(said)
        while not (answer := speaker.hear()).startswith(('* told', '* stone does not read')):
            pass
        return 'does not read' in answer
    until(tell, 60)
    return s


@case
def a_stalled_member_costs_nobody_time_or_memory():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        raise Skip('too few descriptors')
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    with Room('--quiet') as room:
        speaker, = here(room.tcp())
        crowd = Crowd(room, MEMBERS - 2)
        crowd.drain()
        round_of(crowd, speaker, 0)
        before, p99 = rss(room.p.pid), {True: [], False: []}
        for batch in range(BATCHES):  # one that a busy machine has spoilt is outweighed by more rounds
            for number in range(1, 2 * ROUNDS + 1):
                stone = stalled(room, speaker) if number % 2 else None
                crowd.drain()
                p99[bool(stone)].append(round_of(crowd, speaker, 2 * ROUNDS * batch + number))
                if stone:
                    stone.close()
            # The lower quartile: a neighbour on the machine makes single rounds slower, the stalled member all of its own.
            quiet, loud = (sorted(p99[k])[len(p99[k]) // 4] for k in (False, True))
            print(f'# p99 without {quiet * 1e3:.1f} ms, with {loud * 1e3:.1f} ms')
            if loud <= 1.2 * quiet + 0.005:
                break
        grown = rss(room.p.pid) - before
        print(f'# memory grew by {grown >> 10} KiB')
        assert loud <= 1.2 * quiet + 0.005, p99
        assert grown <= ROOM_CAP + QUEUE + SLACK, grown


tap.run()
