#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""h2o as a peer: h2o_peer.py FOLDER. Serves the FOLDER over HTTP with one thread, says "listening URL", and turns into it."""
import os
import pathlib
import sys
import tempfile

import nginx_peer

CONF = """
num-threads: 1
max-connections: {conns}
http1-request-timeout: 86400
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {port}
    paths:
      /:
        file.dir: {folder}
"""


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: h2o_peer.py folder")
    folder = pathlib.Path(sys.argv[1]).resolve()
    port = nginx_peer.free_port()
    conf = pathlib.Path(tempfile.mkdtemp(prefix="h2o-", dir=folder), "conf")
    text = CONF.format(folder=folder, port=port, conns=min(os.sysconf("SC_OPEN_MAX"), 65536) // 2)
    conf.write_text(("user: root\n" if os.geteuid() == 0 else "") + text)
    server = os.getpid()
    if os.fork() == 0:
        if nginx_peer.wait_for(lambda: nginx_peer.listens(port), server):
            print(f"listening http://127.0.0.1:{port}", flush=True)
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_WRONLY)  # it tells how it does
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.execvp("h2o", ["h2o", "-c", str(conf)])


if __name__ == "__main__":
    main()
