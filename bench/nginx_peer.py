#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""nginx as a peer: nginx_peer.py FOLDER [http]. Serves the FOLDER's files (/file is /1m too), /tiny from its configuration, over TLS
1.3 with cert.pem and key.pem there, or over HTTP. Says "listening URL PID", PID being its one worker, and turns into its master: who
ends this process ends both."""
import ctypes
import os
import pathlib
import signal
import socket
import sys
import tempfile
import time

CONF = """
worker_processes 1;
worker_rlimit_nofile {files};
pid {prefix}/pid;
error_log stderr;
events {{ worker_connections {conns}; multi_accept on; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 1h;
    keepalive_time 24h;
    keepalive_requests 1000000000;
    client_header_timeout 1h; # of idle connections that never ask
    server_tokens off;
    default_type text/plain;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    {temp}
    server {{
        listen 127.0.0.1:{port} {ssl} backlog=4096;
        {tls}
        root {folder};
        location = /tiny {{ return 200 "{tiny}"; }}
        location = /file {{ alias {folder}/1m; }}
    }}
}}
"""
TLS = """
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        ssl_ecdh_curve X25519;
        ssl_session_tickets on;
        ssl_session_timeout 1d;
"""
TEMP = "".join(f"{k}_temp_path {{0}}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
NOBODY, PR_SET_PDEATHSIG = 65534, 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_for(good, parent):
    """In a helper of a server's: true once good() is, false when that will not be."""
    end = time.monotonic() + 20
    while time.monotonic() < end and os.getppid() == parent:
        if good():
            return True
        time.sleep(0.01)
    return False


def announce(master, scheme, port):
    """In the helper: waits for the worker, whom others measure, and says where it is."""
    def workers():
        pids = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [p for p in pids if int(p) != os.getpid()]

    if wait_for(lambda: len(workers()) == 1 and listens(port), master):
        print(f"listening {scheme}://127.0.0.1:{port} {workers()[0]}", flush=True)
    os._exit(0)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: nginx_peer.py folder [http]")
    secret = len(sys.argv) == 2
    folder = pathlib.Path(sys.argv[1]).resolve()
    prefix = tempfile.mkdtemp(prefix="nginx-", dir=folder)
    os.chmod(prefix, 0o755)
    tiny = (folder / "tiny").read_text().replace("\n", "\\n")
    files = os.sysconf("SC_OPEN_MAX")
    port = free_port()
    pathlib.Path(prefix, "conf").write_text(CONF.format(prefix=prefix, folder=folder, port=port, tiny=tiny, files=files,
                                                        ssl="ssl" if secret else "", tls=TLS.format(folder=folder) if secret else "",
                                                        conns=min(files, 65536), temp=TEMP.format(prefix)))
    master = os.getpid()
    if os.fork() == 0:
        announce(master, "https" if secret else "http", port)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)   # not SIGKILL: its worker would stay
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.execvp("nginx", ["nginx", "-p", prefix, "-c", f"{prefix}/conf", "-e", "stderr", "-g", "daemon off;"])


if __name__ == "__main__":
    main()
