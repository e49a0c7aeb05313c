#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""headers.py COMPILER - each public header compiles alone, in C and in C++, without a warning."""
import pathlib, subprocess, sys
from tap import add, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS = {
    "C11": ["gcc", "-x", "c", "-std=c11"],
    "C17 by clang": ["clang", "-x", "c", "-std=c17"],
    "C++11": ["clang", "-x", "c++", "-std=c++11"],
    "C++20": ["clang", "-x", "c++", "-std=c++20"],
}


def alone(header, way):
    text = f"#include <duplex/{header.name}>\n#include <duplex/{header.name}>\nint alone;\n"
    p = subprocess.run([*way, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", ROOT / "include", "-"],
                       input=text, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 0, p.stderr


for header in sorted((ROOT / "include/duplex").glob("*.h")):
    for name, way in WAYS.items():
        add(f"{header.name} alone in {name}", lambda header=header, way=way: alone(header, way))
run()
