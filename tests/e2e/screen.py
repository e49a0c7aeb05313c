# SPDX-License-Identifier: MIT
"""screen.py - duplex on a terminal: tmux, whose screen is what tests compare. Each screen has a history of its own."""
import os
import re
import shlex
import shutil
import socket
import subprocess

import duplexlib
from duplexlib import SLOW, temp, until
from members import Lines
from tap import Skip


class Pane:
    """A command in a terminal; 'exit N' is its last line. shell: it runs in one that knows jobs, so that fg can be typed."""

    def __init__(self, *argv, size=(100, 24), user=(), env=(), shell=False, state=None):
        if not shutil.which('tmux'):
            raise Skip('no tmux')
        self.tmux = ['tmux', '-u', '-S', temp('tmux'), '-f', '/dev/null']
        self.state = state or temp()
        # Whoever looks for leaks when the terminal goes is continued by the kernel in the midst of it, and looks for ever.
        calm = f'ASAN_OPTIONS={os.environ.get("ASAN_OPTIONS", "")}:detect_leaks=0'
        line = shlex.join(['env', *user, calm, 'LC_ALL=C.UTF-8', f'XDG_STATE_HOME={self.state}', *env, *argv])
        # Ctrl-C reaches the shell too, and not every shell outlives it.
        run = 'env PS1=sh: ENV= sh -i' if shell else f'trap : INT; {line}; echo "exit $?"; sleep 100'
        subprocess.run([*self.tmux, 'new-session', '-d', '-x', str(size[0]), '-y', str(size[1]), run], check=True)
        if shell:
            self.shows('sh:')
            self.type(f'clear; {line}; echo "exit $?"')
            self.keys('Enter')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        subprocess.run([*self.tmux, 'kill-server'], capture_output=True)

    def text(self, *how):
        return subprocess.run([*self.tmux, 'capture-pane', '-p', *how], capture_output=True, check=True).stdout.decode()

    def lines(self, *how):
        return [line.rstrip() for line in self.text(*how).rstrip('\n').split('\n')]

    def history(self):
        """What has scrolled off too."""
        return self.lines('-S', '-')

    def cursor(self):
        said = subprocess.run([*self.tmux, 'display-message', '-p', '#{cursor_x} #{cursor_y}'], capture_output=True, check=True)
        return tuple(map(int, said.stdout.split()))

    def keys(self, *keys):
        subprocess.run([*self.tmux, 'send-keys', *keys], check=True)

    def type(self, text):
        self.keys('-l', '--', text)

    def enter(self, text):
        self.type(text)
        self.keys('Enter')

    def paste(self, text):
        """As a terminal pastes into a program that has asked for it: between two marks."""
        subprocess.run([*self.tmux, 'load-buffer', '-'], input=text.encode(), check=True)
        subprocess.run([*self.tmux, 'paste-buffer', '-p', '-r'], check=True)

    def resize(self, columns, rows):
        subprocess.run([*self.tmux, 'resize-window', '-x', str(columns), '-y', str(rows)], check=True)

    def shows(self, *lines, seconds=10, all=False):
        """Waits until the last lines of the screen are these, or all are; HH:MM:SS stands for any time."""
        def seen():
            got = [re.sub(r'^(\d+> )?\d\d:\d\d:\d\d(\.\d{3})?', r'\1HH:MM:SS', line) for line in self.lines()]
            return (got if all else got[-len(lines):]) == list(lines)
        try:
            until(seen, seconds)
        except AssertionError:
            raise AssertionError('\n'.join(['the screen:', *self.lines(), 'not:', *lines])) from None


class Screen(Pane):
    """duplex serve."""

    def __init__(self, *args, user=('USER=ada',), env=(), **how):
        self.path = temp('room.sock')
        super().__init__(duplexlib.DUPLEX, 'serve', '--listen', 'any://127.0.0.1:0', '--listen', f'unix://{self.path}', *args,
                         user=user, env=env, **how)
        try:
            until(lambda: '\n>>' in self.text() or 'exit' in self.text())
        except AssertionError:
            self.close()
            raise
        m = re.search(r'http://127.0.0.1:(\d+)/', self.text())
        self.port = int(m[1]) if m else 0

    def tcp(self):
        return Lines(socket.create_connection(('127.0.0.1', self.port), 10 * SLOW))
