#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""rfc.py - the tables of docs/rfc*.md name a case for each rule, or say why there is none; and each case that they name exists."""
import functools
import pathlib
import re

from tap import case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = sorted((ROOT / "docs").glob("rfc*.md"))


@functools.cache
def text_of(kind, file):
    path = {"unit": f"tests/unit/test_{file}.c", "e2e": f"tests/e2e/test_{file}.py", "fuzz": f"tests/fuzz/test_{file}.py"}[kind]
    return (ROOT / path).read_text() if (ROOT / path).exists() else ""


@functools.cache
def behaviours():
    return {name for f in (ROOT / "tests/conform").glob("behave_*.c") for name in re.findall(r'^ *{"([^"]+)", *\w', f.read_text(), re.M)}


def is_there(place, name):
    if place == "conform":
        return name in behaviours()
    kind, file = place.split("/")
    words = [f"TEST({name})", f"def {name}(", f'"{name}"', f"'{name}'"]  # or a row's or a call's word for it
    if name.endswith(".*"):  # cases with numbers
        words = [f"'{name[:-1]}"]
    return any(w in text_of(kind, file) for w in words)


def rows():
    for table in TABLES:
        for n, line in enumerate(table.read_text().splitlines(), 1):
            cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
            if cells and cells[0] != "§" and set(cells[0]) != {"-"}:
                yield f"{table.name}:{n}", cells


def named(cell):
    return re.findall(r"`((?:unit|e2e|fuzz)/\w+|conform): ([^`]+)`", cell)


@case
def each_rule_has_a_case_or_says_why_not():
    bad = [where for where, cells in rows()
           if len(cells) != 4 or cells[2] not in ("S", "C", "B", "-") or not (named(cells[3]) or cells[3].startswith("- "))]
    silent = [t.name for t in TABLES if not any(where.startswith(t.name) for where, _ in rows())]
    assert TABLES and not silent and not bad, (silent, bad)


@case
def each_case_that_is_named_exists():
    dead = [f"{where}: {place}: {name}" for where, cells in rows() for place, name in named(cells[3]) if not is_there(place, name)]
    assert not dead, "\n".join(dead)


@case
def what_stands_in_quotes_is_a_case():
    odd = [f"{where}: {q}" for where, cells in rows() for q in re.findall(r"`([^`]+)`", cells[3])
           if not named(f"`{q}`") and ":" in q]
    assert not odd, odd


run()
