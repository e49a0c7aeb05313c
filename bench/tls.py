# SPDX-License-Identifier: MIT
"""What the TLS rows of bench/pair and bench/idle.py stand on: a folder with a certificate and bodies, and loads over TLS."""
import shutil
import subprocess

import measure
import web
from web import NGINX


class Site(web.Folder):
    """Beside the bodies cert.pem (ECDSA P-256, for localhost) and key.pem."""

    def __init__(self):
        super().__init__()
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                               "-keyout", self.key, "-out", self.cert], capture_output=True, text=True)
        if made.returncode:
            raise measure.Trouble(f"openssl req: {made.stderr}")

    def url(self, scheme):
        """Of a listener of ours with this certificate."""
        return f"{scheme}://127.0.0.1:0#cert={self.cert},key={self.key}"

    def nginx(self):
        return [measure.HERE / "nginx_peer.py", self.folder]

    def https(self, build):
        return [build / "dx_http", self.url("https"), self.folder]

    def load(self, build, mode, url, path="", conns=50, body=None, resumed=False, real_time=False):
        """load_tls -i; mode get, echo or shake."""
        argv = [build / "load_tls", mode, "-i", "-a", self.cert, "-c", conns]
        argv += (["-b", self.folder / body] if body else []) + (["-r"] if resumed else [])
        return measure.Asked([*argv, url.partition("#")[0].rstrip("/") + path], real_time)


def missing(build, nginx=True):
    """Why TLS cannot be measured here; "" if it can."""
    if not (build / "load_tls").exists():
        return "load_tls is not built: install libssl-dev (OpenSSL 3) and set the build folder up anew"
    if not shutil.which("openssl"):
        return "no openssl command to make a certificate with: install openssl"
    return "no nginx to compare with: install nginx-light" if nginx and not NGINX else ""
