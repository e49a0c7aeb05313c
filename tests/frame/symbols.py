#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""symbols.py LIBRARY - libduplex.so exports dx_ names and nothing else, and all that the headers declare."""
import pathlib, re, subprocess, sys
from tap import case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
exported = {line.split()[-1] for line in
            subprocess.check_output(["nm", "-D", "--defined-only", sys.argv[1]], text=True).splitlines()}
text = "".join(h.read_text() for h in sorted((ROOT / "include/duplex").glob("*.h")))
declared = set(re.findall(r"^DX_API[^;{]*?\b(dx_\w+)\(", text, re.M))


@case
def every_exported_name_begins_with_dx():
    other = sorted(n for n in exported if not n.startswith("dx_"))
    assert not other, other


@case
def every_declared_call_is_in_the_library():
    missing = sorted(declared - exported)
    assert not missing, missing


@case
def every_exported_name_is_declared():
    extra = sorted(n for n in exported - declared if n.startswith("dx_"))
    assert not extra, extra


run()
