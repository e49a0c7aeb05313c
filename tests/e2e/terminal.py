# SPDX-License-Identifier: MIT
"""terminal.py - duplex on a pseudo-terminal, byte by byte: what is typed, and all that came to the screen."""
import atexit
import contextlib
import os
import pty
import signal
import threading

from duplexlib import DUPLEX, temp, until


class Terminal:
    """duplex on a pseudo-terminal: 'dumb' can do nothing, there are lines and no prompt."""

    def __init__(self, *args, kind='dumb'):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # a shell's background job is started with some ignored
                signal.signal(number, signal.SIG_DFL)
            os.execve(DUPLEX, [DUPLEX, *args], os.environ | {'LC_ALL': 'C.UTF-8', 'TERM': kind, 'XDG_STATE_HOME': temp()})
        self.screen = b''
        atexit.register(self.kill)  # else it would end by the hang-up, and where leaks are looked for then, look for ever
        threading.Thread(target=self.read, daemon=True).start()

    def kill(self):
        with contextlib.suppress(OSError):
            if os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                os.kill(self.pid, signal.SIGKILL)

    def read(self):
        try:
            while part := os.read(self.fd, 65536):
                self.screen += part
        except OSError:
            pass

    def type(self, text):
        os.write(self.fd, text)

    def sees(self, text):
        until(lambda: text in self.screen, words=f'{text!r} on the screen: {self.screen!r}')

    def code(self):
        def ended():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid and (os.waitstatus_to_exitcode(status),)

        return until(ended, words='the end')[0]
