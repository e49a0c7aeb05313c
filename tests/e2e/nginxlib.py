# SPDX-License-Identifier: MIT
"""nginxlib.py - nginx before or behind us, with a master and a worker as it is used, that is reloaded and killed while it works.

    with nginx(p.port, 'location / { proxy_pass http://us; }') as n:
        n.reload()          # nginx -s reload; n.kill_hard() and n.again(): it is killed, and started on the same port
        curl(n.at + '/')
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sys

from duplexlib import Process, temp, until
from tap import Skip

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # atexit then ends nginx, which is in no process group of the test's
CONF = '''{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr notice; worker_shutdown_timeout {patience}ms;
events {{ worker_connections 256; }}
http {{
    access_log off; client_max_body_size 64m; default_type text/plain;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;
    scgi_temp_path {folder}/e; proxy_cache_path {folder}/f keys_zone=kept:1m;
    map $http_upgrade $up {{ default upgrade; '' ''; }}
    upstream us {{ server 127.0.0.1:{to}; keepalive 4; }}
    {http}
    server {{ listen 127.0.0.1:{port} {how}; {server} }}
}}
'''
# As its manuals say it: HTTP/1.1 over connections that stay, WebSockets too.
PASS = '''proxy_pass http://us; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $up;
    proxy_set_header Host $http_host;'''


class Nginx(Process):
    def __init__(self, program, folder, port):
        self.port, self.at = port, f'http://127.0.0.1:{port}'
        self.argv = [program, '-e', 'stderr', '-p', folder, '-c', folder + '/conf']
        super().__init__(self.argv, start_new_session=True)

    def up(self):
        """It listens: true; it has ended: false. Not by a connection, which a worker of one before may take as it dies."""
        until(lambda: self.workers() or self.popen.poll() is not None, 30, 'nginx listens')
        return self.popen.poll() is None

    def workers(self):
        return self.err.count('start worker process ')

    def reload(self):
        """A new worker takes over; the one before it has worker_shutdown_timeout to end."""
        n = self.workers()
        self.interrupt(signal.SIGHUP)  # what nginx -s reload sends
        until(lambda: self.workers() > n, words='a new worker')

    def kill(self):
        """The workers too: those would go on without their master."""
        if self.popen.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        super().kill()

    def again(self):
        """The same on the same port."""
        for _ in range(5):
            n = Nginx(self.argv[0], self.argv[4], self.port)
            if n.up():
                return n
            n.kill()
        raise AssertionError(n.err)


@contextlib.contextmanager
def nginx(to, server, http='', how='', patience=60000):
    """In front of the port `to`. server, http: more of the configuration; how: behind `listen`; patience: in ms, for a worker's end."""
    program = shutil.which('nginx', path=os.environ['PATH'] + ':/usr/sbin')
    if not program:
        raise Skip('no nginx here')
    folder = os.path.dirname(temp('x'))
    os.chmod(folder, 0o755)
    user = 'user root;' if os.geteuid() == 0 else ''  # its worker reads what the test has written
    for _ in range(5):
        port = random.SystemRandom().randrange(10000, 32000)  # none that the system gives away while nginx is down
        pathlib.Path(folder, 'conf').write_text(CONF.format(user=user, folder=folder, port=port, to=to, server=server, http=http, how=how,
                                                            patience=patience))
        n = Nginx(program, folder, port)
        if n.up():
            break
        n.kill()
    else:
        raise AssertionError(n.err)
    with n:
        yield n
