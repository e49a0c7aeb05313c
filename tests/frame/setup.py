#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""setup.py - tools/need.sh on machines it has not seen: dpkg-query, apt-get, id and sudo are played by small scripts
that write down how they were called."""
import os, pathlib, pty, select, shutil, subprocess, tempfile
from tap import case, run

NEED = pathlib.Path(__file__).resolve().parents[2] / "tools/need.sh"
PLAYED = {
    "dpkg-query": 'shift 2; for p; do case " $THERE " in *" $p "*) echo "installed $p";; esac; done',
    "apt-get": 'echo "apt-get $*" >>"$CALLED"; [ "$APT" != broken ]',
    "sudo": 'echo "sudo $*" >>"$CALLED"; "$@"',
    "id": "echo $UID_PLAYED",
}


class Machine:
    """there: installed packages. It needs the packages one and two."""

    def __init__(self, there, uid=0, sudo=True, apt="fine"):
        self.dir = tempfile.mkdtemp()
        for name in PLAYED:
            if name == "sudo" and not sudo:
                continue
            f = pathlib.Path(self.dir, name)
            f.write_text("#!/bin/sh\n" + PLAYED[name] + "\n")
            f.chmod(0o755)
        for name in ("sh", "sed", "env", "cat"):
            os.symlink(shutil.which(name), f"{self.dir}/{name}")
        self.env = {"PATH": self.dir, "THERE": there, "CALLED": f"{self.dir}/called", "UID_PLAYED": str(uid), "APT": apt}
        self.script = f". {NEED}; need_run='one two'; need run; echo ready"

    def run(self):
        p = subprocess.run([f"{self.dir}/sh", "-c", self.script], env=self.env, stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
        return p.returncode, p.stdout, p.stderr, self.called()

    def on_terminal(self, answer):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(f"{self.dir}/sh", ["sh", "-c", self.script], self.env)
        shown, typed = "", False
        while select.select([fd], [], [], 20)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data.decode()
            if not typed and "[Y/n]" in shown:
                typed = True
                os.write(fd, answer.encode())
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown, self.called()

    def called(self):
        f = pathlib.Path(self.dir, "called")
        said = f.read_text() if f.exists() else ""
        shutil.rmtree(self.dir)
        return said


@case
def silent_and_without_apt_when_all_is_there():
    assert Machine("one two").run() == (0, "ready\n", "", "")


@case
def installs_only_what_is_missing():
    code, out, err, called = Machine("one").run()
    assert (code, out) == (0, "ready\n") and "two" in err, (code, out, err)
    assert called.splitlines()[-1].endswith("--no-install-recommends two"), called
    assert "sudo" not in called


@case
def uses_sudo_when_not_root():
    code, _, _, called = Machine("", uid=1000).run()
    assert code == 0 and called.count("sudo env") == 2, called


@case
def without_sudo_it_says_what_root_should_type():
    code, out, err, called = Machine("", uid=1000, sudo=False).run()
    assert (code, out, called) == (1, "", "") and "apt-get install --no-install-recommends one two" in err, err


@case
def asks_once_on_a_terminal():
    code, shown, called = Machine("").on_terminal("\n")
    assert code == 0 and shown.count("[Y/n]") == 1 and "one two" in called, (shown, called)


@case
def no_is_no():
    code, shown, called = Machine("").on_terminal("n\n")
    assert code == 1 and called == "" and "ready" not in shown, (shown, called)


@case
def a_failing_apt_ends_it():
    code, out, err, _ = Machine("", apt="broken").run()
    assert code == 1 and out == "" and "could not install" in err, err


run()
