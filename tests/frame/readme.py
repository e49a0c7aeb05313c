#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""readme.py - what the pages promise about the tree is so: quoted code is the file's, links lead somewhere, every public
header has an example, examples stay short."""
import pathlib, re
from tap import Skip, case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.c"))


def code(path):
    """The file without the comment on top, and without blank lines before the first include."""
    return re.sub(r"\A/\*.*?\*/\s*", "", path.read_text(), flags=re.S).strip()


@case
def quoted_code_is_the_files():
    quotes = re.findall(r"<!-- (\S+\.c) -->\n```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert quotes, "README.md quotes no file"
    for name, text in quotes:
        assert text.strip() == code(ROOT / name), f"README.md differs from {name}"


@case
def links_lead_somewhere():
    dead = [f"{p.relative_to(ROOT)}: {to}" for p in PAGES for to in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", p.read_text())
            if not (p.parent / to).exists()]
    assert not dead, dead


@case
def pages_name_files_that_are_there():
    dead = [f"{p.relative_to(ROOT)}: {f}" for p in PAGES
            for f in re.findall(r"`((?:src|include|tests|tools|web|examples|bench|docs)/[\w./-]+)`", p.read_text())
            if not (ROOT / f).exists()]
    assert not dead, dead


@case
def the_rules_of_one_port_name_tests_that_are_there():
    named = re.findall(r"`([a-z]+(?:_[a-z0-9]+){3,})`", (ROOT / "docs/safe.md").read_text())
    there = "".join(f.read_text() for f in (ROOT / "tests/e2e").glob("test_*.py"))
    dead = [name for name in named if f"def {name}(" not in there]
    assert named and not dead, dead


@case
def the_tour_names_every_source_file():
    text = (ROOT / "docs/map.md").read_text()
    silent = [str(f.relative_to(ROOT)) for f in sorted((ROOT / "src").rglob("*.c")) if f.name not in text]
    if silent:  # a reader's loss, no fault of the program
        raise Skip(f"docs/map.md does not mention {' '.join(silent)}")


@case
def every_public_header_has_an_example():
    text = "".join(f.read_text() for f in EXAMPLES)
    bare = [h.name for h in (ROOT / "include/duplex").glob("*.h") if f"<duplex/{h.name}>" not in text]
    assert not bare, bare


@case
def examples_stay_under_40_lines_of_code():
    long = {f.name: n for f in EXAMPLES if (n := sum(bool(s.strip()) for s in code(f).splitlines())) >= 40}
    assert not long, long


@case
def every_decision_is_in_the_index():
    why = ROOT / "docs/why"
    index = (why / "README.md").read_text()
    lost = [p.name for p in why.glob("*.md") if p.name != "README.md" and f"({p.name})" not in index]
    assert not lost, lost


run()
