#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""counting.py - tools/tally.py counts every case once, and no failure goes uncounted."""
import json, pathlib, subprocess, sys, tempfile
from tap import case, run

TALLY = pathlib.Path(__file__).resolve().parents[2] / "tools/tally.py"


def close(*tests, tap="ok - built\n"):
    """Exit code, closing line and all that was said, for a build folder whose log holds these tests."""
    with tempfile.TemporaryDirectory() as d:
        steps = pathlib.Path(d, "steps.tap")
        steps.write_text(tap)
        log = pathlib.Path(d, "way/meson-logs/ci.json")
        log.parent.mkdir(parents=True)
        log.write_text("".join(json.dumps({"name": "duplex:unit / t", "duration": 1.0, **t}) + "\n" for t in tests))
        p = subprocess.run([sys.executable, TALLY, steps, f"{d}/way"], stdout=subprocess.PIPE, text=True)
    return p.returncode, p.stdout.splitlines()[-1], p.stdout


@case
def cases_and_steps_are_added():
    code, line, _ = close({"stdout": "ok 1 - a\nok 2 - b\n1..2\n", "result": "OK", "returncode": 0})
    assert (code, line) == (0, "3 passed, 0 failed"), line


@case
def a_failed_case_is_one_failure_and_its_words_are_shown():
    code, line, said = close({"stdout": "ok 1 - a\n# x.c:1: cold\nnot ok 2 - b\n1..2\n", "stderr": "note\n",
                              "result": "FAIL", "returncode": 1})
    assert (code, line) == (True, "2 passed, 1 failed"), line
    assert "x.c:1: cold" in said and "note" in said


@case
def a_crash_a_leak_and_a_hang_are_failures():
    fine = "ok 1 - a\n1..1\n"
    for t in ({"result": "ERROR", "returncode": -11}, {"result": "ERROR", "returncode": 23},
              {"result": "TIMEOUT", "returncode": -15}):
        assert close({"stdout": fine, **t})[:2] == (True, "2 passed, 1 failed"), t


@case
def skipped_cases_are_neither():
    code, line, said = close({"stdout": "ok 1 - a # SKIP no chromium\nok 2 - b\n1..2\n", "result": "OK", "returncode": 0})
    assert (code, line) == (0, "2 passed, 0 failed, 1 skipped"), line
    assert "SKIPPED way t: no chromium" in said, said


@case
def a_test_that_skips_as_a_whole_says_why():
    code, line, said = close({"stdout": "1..0 # SKIP no Chromium here\n", "result": "SKIP", "returncode": 0})
    assert (code, line) == (0, "1 passed, 0 failed, 1 skipped"), line
    assert "SKIPPED way t: no Chromium here" in said, said


@case
def nothing_at_all_is_no_success():
    assert close(tap="")[0] != 0


@case
def a_failed_step_is_a_failure():
    assert close(tap="not ok - gcc builds\n")[:2] == (True, "0 passed, 1 failed")


run()
