#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""rfc.py - docs/rfc*.md, the rules of RFCs and where each is tested: every case that a row names is there.

A row's last column has `file: case` as often as it takes, where the case is what TEST(...) or def names, or a string of that file: a
behaviour of tests/conform, a row of a table. Or it begins with "no case: " and says why."""
import pathlib, re
from tap import add, case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("rfc*.md"))
NAMED = re.compile(r"`([\w.-]+\.(?:c|py|cs)): ([^`]+)`")


def rows(page):
    """(line number, cells) of each row under a table's head."""
    for i, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield i, [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]


def has(text, name):
    return any(s in text for s in (f"TEST({name})", f"def {name}(", f'"{name}"', f"'{name}'"))


def wrong_with(page):
    width = None
    for i, cells in rows(page):
        if cells[-1] == "tested":  # a head
            width = len(cells)
        elif len(cells) != width:
            yield f"{i}: {len(cells)} columns in place of {width}"
        elif not NAMED.search(cells[-1]) and not re.match(r"no case: \w", cells[-1]):
            yield f"{i}: neither `file: case` nor 'no case: why'"
        for name, what in NAMED.findall(cells[-1]):
            files = list((ROOT / "tests").rglob(name))
            if len(files) != 1:
                yield f"{i}: {len(files)} files {name}"
            elif not has(files[0].read_text(), what):
                yield f"{i}: {name} has no case {what}"


def check(page):
    def one():
        assert any(c[-1] != "tested" for _, c in rows(page)), "no row"
        bad = list(wrong_with(page))
        assert not bad, "\n".join(bad)
    return one


@case
def there_are_such_pages():
    assert PAGES


for p in PAGES:
    add(f"every case that {p.name} names is there", check(p))
run()
