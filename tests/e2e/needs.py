# SPDX-License-Identifier: MIT
"""needs.py - what a machine may lack: without it the case is skipped, and says so."""
import shutil

from tap import Skip


def needs(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip(f'no {p} here')


def websockets():
    try:
        import websockets
        return websockets
    except ImportError:
        raise Skip('no Python websockets') from None
