# SPDX-License-Identifier: MIT
"""tap.py - cases of a Python test: @case above a function whose name says the behaviour; run() at the end.
A case fails by raising, is skipped by raising Skip."""
import sys, traceback

_cases = []


class Skip(Exception):
    pass


def case(fn):
    _cases.append((fn.__name__, fn))
    return fn


def add(name, fn):
    _cases.append((name, fn))


def run():
    print(f"1..{len(_cases)}", flush=True)
    bad = 0
    for n, (name, fn) in enumerate(_cases, 1):
        try:
            fn()
            print(f"ok {n} - {name}", flush=True)
        except Skip as why:
            print(f"ok {n} - {name} # SKIP {why}", flush=True)
        except Exception:
            bad += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {n} - {name}", flush=True)
    sys.exit(bad > 0)
