# SPDX-License-Identifier: MIT
"""What the rows of HTTP share: a folder of bodies, the servers of it, and their load."""
import os
import pathlib
import random
import shutil
import tempfile

import measure

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
NGINX, H2O = shutil.which("nginx", path=PATH), shutil.which("h2o", path=PATH)


class Folder:
    """On tmpfs where there is one: tiny (13 bytes), 1k, 1m; gone at the end."""

    def __init__(self):
        self.temp = tempfile.TemporaryDirectory(prefix="duplex-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.folder = pathlib.Path(self.temp.name)
        self.folder.chmod(0o755)    # nginx's worker is nobody, if we are root
        chance = random.Random(20)
        (self.folder / "tiny").write_text("hello, world\n")
        (self.folder / "1k").write_bytes(chance.randbytes(1 << 10))
        (self.folder / "1m").write_bytes(chance.randbytes(1 << 20))
        for p in self.folder.iterdir():
            os.utime(p, (1577836800, 1577836800))    # what was changed just now is no file to keep in memory

    def server(self, peer, build):
        """The argv of duplex (serve DIR), dx_http (the library, from memory), nginx or h2o over plain HTTP."""
        return {"duplex": ["/bin/sh", "-c", 'exec "$0" serve --listen any://127.0.0.1:0 "$1" </dev/null 2>&1',
                           build.parent / "duplex", self.folder],
                "dx_http": [build / "dx_http", "http://127.0.0.1:0", self.folder],
                "nginx": [measure.HERE / "nginx_peer.py", self.folder, "http"],
                "h2o": [measure.HERE / "h2o_peer.py", self.folder]}[peer]

    def get(self, build, url, name, conns, depth, real_time=False, quiet=False):
        """load http -i"""
        return measure.Asked([build / "load", "http", "-i", "-f", self.folder / name, "-c", conns, "-d", depth,
                              url.rstrip("/") + "/" + name], real_time, quiet)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.temp.cleanup()
