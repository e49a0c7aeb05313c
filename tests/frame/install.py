#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""install.py FOLDER - what is installed suffices: the README's line compiles its echo server, which then runs."""
import os, pathlib, re, subprocess, sys, tempfile
from tap import case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = sys.argv[1]
TEMP = tempfile.TemporaryDirectory()
DEST = pathlib.Path(TEMP.name, "dest")
subprocess.run(["meson", "install", "-C", BUILT, "--no-rebuild", "--quiet", "--destdir", DEST], check=True,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def only(pattern):
    found = list(DEST.rglob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


@case
def library_headers_command_and_pkg_config_file_are_there():
    only("libduplex.so")
    only("libduplex.a")
    only("bin/duplex")
    there = {h.name for h in DEST.rglob("include/duplex/*.h")}
    want = {h.name for h in (ROOT / "include/duplex").glob("*.h")}
    assert there == want, there ^ want


@case
def the_readmes_line_compiles_its_echo_server():
    pc = only("duplex.pc").parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc), "PKG_CONFIG_SYSROOT_DIR": str(DEST)}
    line = re.search(r"^\$ (cc echo\.c .*)$", (ROOT / "README.md").read_text(), re.M)[1]
    program = pathlib.Path(TEMP.name, "echo")
    p = subprocess.run(line.replace("echo.c", str(ROOT / "examples/echo.c")).replace("-o echo", f"-o {program}"),
                       shell=True, env=env, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 0, p.stderr
    env["LD_LIBRARY_PATH"] = str(only("libduplex.so").parent)
    p = subprocess.run([program], env=env, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 1 and "usage: echo url" in p.stderr, p.stderr


@case
def every_command_has_its_man_page_and_both_completions_are_there():
    duplex = pathlib.Path(BUILT, "duplex")
    table = (ROOT / "src/tool/table.c").read_text()
    names = re.findall(r'^    \{"\w+", .*\n(?: .*\n)*?.*cmd_(\w+)\},$', table, re.M)
    assert "dial" in names and "help" in names, names
    pages = {"duplex.1": [], **{f"duplex-{name}.1": [name] for name in names}}
    there = {f.name for f in DEST.rglob("*.1")}
    assert there == set(pages), f"docs/meson.build names other commands than the table: {there ^ set(pages)}"
    said = {only(f"man1/{page}"): ["--man", *name] for page, name in pages.items()}
    said[only("bash-completion/completions/duplex")] = ["--completion", "bash"]
    said[only("zsh/site-functions/_duplex")] = ["--completion", "zsh"]
    for path, args in said.items():
        assert path.read_bytes() == subprocess.run([duplex, "help", *args], stdout=subprocess.PIPE).stdout, path


@case
def nothing_else_is_installed():
    other = [str(f.relative_to(DEST)) for f in DEST.rglob("*") if f.is_file() and not re.search(
        r"(include/duplex/\w+\.h|lib/.*libduplex\.(a|so[.\d]*)|pkgconfig/duplex\.pc|bin/duplex|"
        r"man/man1/duplex(-\w+)?\.1|bash-completion/completions/duplex|zsh/site-functions/_duplex)$", str(f))]
    assert not other, other


run()
