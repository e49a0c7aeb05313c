# SPDX-License-Identifier: MIT
"""screen.py - duplex serve on a terminal: tmux, whose screen is what tests compare."""
import re
import shutil
import socket
import subprocess

import duplexlib
from duplexlib import SLOW, temp, until
from members import Lines
from tap import Skip


class Screen:
    def __init__(self, *args, size=(100, 24), user=('USER=ada',), env=()):
        if not shutil.which('tmux'):
            raise Skip('no tmux')
        self.tmux = ['tmux', '-u', '-S', temp('tmux'), '-f', '/dev/null']
        self.path = temp('room.sock')
        argv = ['env', *user, 'LC_ALL=C.UTF-8', *env, duplexlib.DUPLEX, 'serve', '--listen', 'any://127.0.0.1:0', '--listen',
                f'unix://{self.path}', *args]
        # Ctrl-C reaches the shell too, and not every shell outlives it.
        shell = 'trap : INT; ' + ' '.join(argv) + '; echo "exit $?"; sleep 100'
        subprocess.run([*self.tmux, 'new-session', '-d', '-x', str(size[0]), '-y', str(size[1]), shell], check=True)
        try:
            until(lambda: '\n>>' in self.text() or 'exit' in self.text())
        except AssertionError:
            self.close()
            raise
        m = re.search(r'http://127.0.0.1:(\d+)/', self.text())
        self.port = int(m[1]) if m else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        subprocess.run([*self.tmux, 'kill-server'], capture_output=True)

    def text(self):
        return subprocess.run([*self.tmux, 'capture-pane', '-p'], capture_output=True, check=True).stdout.decode()

    def lines(self):
        return [line.rstrip() for line in self.text().rstrip('\n').split('\n')]

    def keys(self, *keys):
        subprocess.run([*self.tmux, 'send-keys', *keys], check=True)

    def type(self, text):
        self.keys('-l', '--', text)

    def shows(self, *lines, seconds=10):
        """Waits until the last lines of the screen are these; HH:MM:SS stands for any time."""
        def seen():
            got = [re.sub(r'^\d\d:\d\d:\d\d', 'HH:MM:SS', line) for line in self.lines()]
            return got[-len(lines):] == list(lines)
        try:
            until(seen, seconds)
        except AssertionError:
            raise AssertionError('\n'.join(['the screen:', *self.lines(), 'not:', *lines])) from None

    def tcp(self):
        return Lines(socket.create_connection(('127.0.0.1', self.port), 10 * SLOW))
