#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tally.py - counts the cases of TAP and closes with one line: N passed, N failed.

tally.py WHAT...          WHAT is a file of TAP, or a build folder in which `meson test --logbase ci` has run.
                          What a failing test said is printed before the counts.
tally.py --run FOLDER WORD...  runs, one after the other, the tests whose name holds one of the words.
"""
import json, os, pathlib, re, subprocess, sys

CASE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s+-)?\s*(.*)$")
SKIP = re.compile(r"#\s*SKIP\b\s*(.*)", re.I)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = {}  # (test, why) -> cases

    def skip(self, name, why):
        self.skipped += 1
        self.skips[name, why] = self.skips.get((name, why), 0) + 1

    def tap(self, name, text):
        """Counts the cases in text; returns how many failed."""
        bad = 0
        for line in text.splitlines():
            skip = SKIP.search(line)
            if skip and line.startswith("1..0"):
                self.skip(name, skip[1])
            m = CASE.match(line)
            if not m:
                continue
            if skip:
                self.skip(name, skip[1])
            elif m[1]:
                bad += 1
                self.failures.append(f"{name}: {m[2]}")
            else:
                self.passed += 1
        self.failed += bad
        return bad

    def test(self, name, t):
        """One line of meson's log. A test that crashes, hangs or leaks after its last case is a failure too."""
        out = t.get("stdout", "")
        bad = self.tap(name, out)
        fine = t["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
        if not fine and (not bad or t["result"] == "TIMEOUT" or (t.get("returncode") or 0) < 0):
            self.failed += 1
            self.failures.append(f"{name}: {t['result']}, exit code {t.get('returncode')}, {t['duration']:.0f} s")
            bad += 1
        if bad:
            print(f"---- {name}\n{shorten(out)}{shorten(t.get('stderr', ''))}", flush=True)

    def close(self):
        """What was not tried is said as loudly as what failed."""
        for (name, why), cases in self.skips.items():
            print(f"SKIPPED {name}: {why or 'it does not say why'}{f' ({cases} cases)' if cases > 1 else ''}")
        for f in self.failures:
            print(f"FAILED {f}")
        rest = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{rest}", flush=True)
        return self.failed > 0 or not self.passed


def shorten(text, most=20000):
    """A run away test must not bury the others; both ends of what it said are kept."""
    if text and not text.endswith("\n"):
        text += "\n"
    return text if len(text) <= most else text[: most // 2] + "\n[...]\n" + text[-most // 2 :]


def count(whats):
    tally, slow = Tally(), []
    for what in map(pathlib.Path, whats):
        if what.is_file():
            tally.tap("build", what.read_text())
            continue
        log = what / "meson-logs" / "ci.json"
        if not log.exists():
            continue
        before = tally.passed, tally.failed
        for line in log.read_text().splitlines():
            t = json.loads(line)
            tally.test(f"{what.name} {t['name'].split(' / ')[-1]}", t)
            slow.append((t["duration"], what.name, t["name"].split(" / ")[-1]))
        print(f"{what}: {tally.passed - before[0]} passed, {tally.failed - before[1]} failed, in this way of building")
    for seconds, way, name in sorted(slow, reverse=True)[:5]:
        print(f"  {seconds:6.1f} s  {way} {name}")
    return tally.close()


def run(folder, words):
    tests = json.loads(subprocess.check_output(["meson", "introspect", folder, "--tests"]))
    tally, ran = Tally(), 0
    for t in tests:
        if not any(w in t["name"] for w in words):
            continue
        ran += 1
        print(f"---- {t['name']}", flush=True)
        p = subprocess.Popen(t["cmd"], stdout=subprocess.PIPE, text=True, errors="replace", env={**os.environ, **t["env"]},
                             cwd=t["workdir"] or folder)
        out = ""
        for line in p.stdout:
            out += line
            print(line, end="", flush=True)
        if not tally.tap(t["name"], out) and p.wait() != 0:
            tally.failed += 1
            tally.failures.append(f"{t['name']}: exit code {p.returncode}")
    if not ran:
        print(f"no test's name holds {' or '.join(words)}; there are:", *sorted(t["name"] for t in tests))
    return tally.close()


if __name__ == "__main__":
    args = sys.argv[1:]
    sys.exit(run(args[1], args[2:]) if args[:1] == ["--run"] else count(args))
