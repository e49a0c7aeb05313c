#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_man.py - what describes the command says the same everywhere: help, man pages, completions of bash and zsh. The
shells themselves complete."""
import os
import pathlib
import pty
import re
import shlex
import subprocess
import threading

from duplexlib import DUPLEX, SLOW, run as duplex, temp, until
from needs import needs
from tap import case, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(temp('there'))
FOLDER.mkdir()
(FOLDER / 'a file.pem').touch()
(FOLDER / 'key.pem').touch()
(FOLDER / 'keys').mkdir()


def said(*args):
    r = duplex('help', *args)
    assert r.code == 0 and not r.err, r
    return r.out.decode()


def part(text, name):
    """The lines below a heading, up to an empty one."""
    return re.search(rf'^{name}\n(.*?)(?:\n\n|\Z)', text, re.M | re.S)[1]


OVERVIEW = said()
COMMANDS = re.findall(r'^  (\w+) +\S', part(OVERVIEW, 'Commands'), re.M)
URLS = [re.match('[^A-Z]+', u)[0] for u in re.findall(r'^  ([a-z]+:\S*)', part(OVERVIEW, 'URLs'), re.M)]


def options(command):
    """(letter or '', name, value or '') of each, as help has them."""
    text = said(command)
    if '\nOptions\n' not in text:
        return []
    rows = re.findall(r'^  (?:-(.),|   ) --([\w-]+)(?: ?([^\s\w]\S*)| ([A-Z]\S*|\w+\|\S+))?', part(text, 'Options'), re.M)
    return [(letter, name, few or value) for letter, name, few, value in rows]


OPTIONS = {c: options(c) for c in COMMANDS}
BASH = said('--completion', 'bash')
ZSH = said('--completion', 'zsh')
PAGES = {c: said('--man', *c.split()) for c in ['', *COMMANDS]}


# ---- all of it, everywhere ----


@case
def help_names_every_command_and_every_scheme_there_is():
    table = (ROOT / 'src/tool/table.c').read_text()
    assert COMMANDS == 'dial listen serve relay send recv fetch hex cert bench replay help'.split(), COMMANDS
    assert len(COMMANDS) == len(re.findall(r'cmd_\w+\},$', table, re.M))
    rows = re.findall(r'^    \{"([\w ]+)", (?:0|\'(.)\'), "([\w-]+)", OPT_', table, re.M)
    assert len(rows) > 100
    for commands, letter, name in rows:
        for c in commands.split():
            assert (letter, name) in [o[:2] for o in OPTIONS[c]], (c, letter, name)
    schemes = re.findall(r'&scheme_(\w+)', (ROOT / 'src/net/table.c').read_text())
    assert sorted(schemes) == sorted(u.split(':')[0] for u in URLS), (schemes, URLS)


@case
def a_man_page_has_every_option_of_its_command():
    for c in COMMANDS:
        page = PAGES[c].replace('\\-', '-')
        have = re.findall(r'^\.TP\n(?:\\fB-(.)\\fR, )?\\fB--([\w-]+)\\fR(?: ?\\fI(\S+)\\fR)?$', page, re.M)
        assert have == [*OPTIONS[c], ('h', 'help', '')], (c, have)
        heads = re.findall(r'^\.SH (.*)$', page, re.M)
        assert '\n.nh\n' in page.split('.SH')[0], page  # duplex-relay is not divided
        assert heads[:4] == ['NAME', 'SYNOPSIS', 'EXAMPLES', 'OPTIONS'] and heads[-2:] == ['EXIT STATUS', 'SEE ALSO'], heads


@case
def the_page_of_all_has_every_command_url_and_exit_code():
    page = PAGES['']
    assert re.findall(r'^\.TP\n\.BR duplex\\-(\w+) \(1\)$', page, re.M) == COMMANDS
    for u in URLS:
        assert f'.TP\n\\fB{u}' in page, u
    for name in ('DUPLEX_KEY', 'DUPLEX_PEER', 'XDG_STATE_HOME', 'SSLKEYLOGFILE', 'NO_COLOR'):
        assert f'.TP\n\\fB{name}\\fR\n' in page, name
    want = re.findall(r'^\| (\d+) \| (\S+) \| (.*) \|$', (ROOT / 'docs/exit-codes.md').read_text(), re.M)
    exits = re.search(r'^\.SH EXIT STATUS\n(.*?)^\.SH', page, re.M | re.S)[1]
    have = re.findall(r'^\.TP\n\\fB(\d+)\\fR (\S+)\n((?:[^.].*\n)+)', exits, re.M)
    have = [(n, name.replace('\\-', '-'), words.strip().replace('\n', ' ').replace('\\-', '-').replace('\\(aq', "'"))
            for n, name, words in have]
    assert have == want, (have, want)


@case
def both_completions_have_every_command_and_option():
    for c in COMMANDS:
        rows = re.search(rf"^    {c}\)\n        args='[^']*'\n        rows='(.*?)' ;;$", BASH, re.M | re.S)[1]
        have = [(letter.strip('-'), name) for name, letter in re.findall(r'^--(\S+) (\S+) \S+ .', rows, re.M)]
        want = [o[:2] for o in OPTIONS[c]] + [('h', 'help')]
        assert have == want, (c, have, want)
        spec = re.search(rf'^    {c}\)\n(.*?) && ret=0 ;;$', ZSH, re.M | re.S)[1]
        have = [re.search(r"(?:\{-(.)\+?,)?--([\w-]+)(?:=-?)?(?:\}')?\[", line).groups('') for line in spec.splitlines()
                if '--' in line and '[' in line]
        assert have == want, (c, have, want)
        assert f"\n{c} " in BASH.replace("_commands='", '\n') and f"        '{c}:" in ZSH, c


@case
def man_pages_are_clean():
    needs('mandoc')
    for c, page in PAGES.items():
        path = FOLDER.parent / f'{c or "duplex"}.1'
        path.write_text(page)
        p = subprocess.run(['mandoc', '-T', 'lint', path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert p.returncode == 0 and not p.stdout, f'{c}: {p.stdout}'


@case
def a_man_page_shows_every_letter_of_the_table():
    needs('mandoc')
    for c in COMMANDS:
        p = subprocess.run(['mandoc', '-T', 'ascii', '-O', 'width=300'], input=PAGES[c].encode(), stdout=subprocess.PIPE)
        shown = ' '.join(re.sub('.\b', '', p.stdout.decode()).split())
        text = said(c)
        lines = [' '.join(s) for line in part(text, 'Examples').splitlines() for s in [line.split()]]
        for line in lines:
            for piece in re.split(r' +# ', line, maxsplit=1):
                assert piece in shown, (c, piece, shown)
        if '\n\n' in text.split('\nOptions\n')[-1]:
            more = text.split('\nOptions\n')[-1].split('\n\n', 1)[1]
            assert ' '.join(more.split()) in shown, (c, more, shown)


@case
def a_mistyped_word_suggests_the_nearest():
    for args, words in ((['dail'], 'Did you mean: duplex dial'), (['help', 'relya'], 'Did you mean: duplex relay'),
                        (['help', '--man', 'snd'], 'Did you mean: duplex send'),
                        (['help', '--mna'], 'Did you mean --man?'),
                        (['help', '--man', 'exit-codes'], "no command 'exit-codes'"),
                        (['help', '--completion=fish'], '--completion is [bash|zsh]'),
                        (['help', '--completion', 'fish'], '--completion bash or --completion zsh, not fish'),
                        (['help', '--completion', '--man'], '--completion stands alone')):
        r = duplex(*args)
        assert r.code == 2 and words in r.err and not r.out, (args, r)
    for c in COMMANDS:
        for _, name, _ in OPTIONS[c]:
            if len(name) > 4:
                r = duplex(c, f'--{name}x')
                assert r.code == 2 and f'Did you mean --{name}?' in r.err, (c, name, r)


# ---- the shells ----


def replies(*words, kind=9):
    """What bash offers for the last of these words, which it has taken apart at : and = as it does."""
    apart = ['duplex', *(p for w in words for p in (re.findall('[:=]+|[^:=]+', w) or ['']))]
    script = f'''{BASH}
cd {shlex.quote(str(FOLDER))}
COMP_WORDS=({shlex.join(apart)}) COMP_CWORD={len(apart) - 1} COMP_TYPE={kind} COLUMNS=60
_duplex
printf '%s\\n' "${{COMPREPLY[@]}}"'''
    p = subprocess.run(['bash', '--norc', '-u', '-c', script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 0 and not p.stderr, p.stderr
    return p.stdout.strip('\n').split('\n')


@case
def bash_completes():
    tails = [u.split(':', 1)[1] for u in URLS if u.startswith('unix:')]
    for words, want in (
            ([''], COMMANDS), (['re'], ['relay', 'recv', 'replay']), (['--v'], ['--version']), (['zz'], ['']),
            (['dial', '--enc'], ['--encoding']), (['dial', ''], URLS), (['dial', 'w'], ['ws://', 'wss://']),
            (['dial', 'unix:'], tails), (['relay', 'tcp://:1', 'ud'], ['udp://']),
            (['dial', 'tcp://[::1]:1', '--on'], ['--once']),
            (['relay', '--tap', 't'], ['text', 'tcp://', 'tls://']), (['relay', '--tap='], ['text', 'hex']),
            (['relay', '--tap=h'], ['hex']), (['serve', '--guess', ''], ['gb', 'utf8']),
            (['dial', '--encoding', 'gb1'], ['gb18030']), (['listen', '--frame', ''], ['line', 'none', 'gap:', 'fixed:', 'delim:', 'length:']),
            (['dial', '--frame=fi'], ['fixed:']), (['hex', '--checksum', 'crc16-mo'], ['crc16-modbus']), (['dial', '--checksum=lr'], ['lrc']),
            (['dial', '--eol='], ['lf', 'crlf', 'none']), (['dial', '--retry', 'wss'], ['wss://']), (['serve', '-l', 'an'], ['any://']),
            (['serve', '--listen=ws'], ['ws://', 'wss://']), (['serve', '--listen=ws:'], ['//']),
            (['listen', '--cert', 'k'], ['key.pem', 'keys']), (['listen', '--cert=a'], ['a file.pem']),
            (['dial', '--timeout', ''], ['']), (['dial', '--timeout='], ['']), (['send', 'key'], ['key.pem', 'keys']),
            (['cert', 'ch'], ['check']), (['cert', ''], ['show', 'make', 'ca', 'check']), (['cert', 'show', 'key.'], ['key.pem']),
            (['serve', 'k'], ['keys']), (['recv', 'tcp://:1', 'key.'], ['key.pem']), (['recv', '--size', '5', 'key.'], ['']),
            (['recv', '--size', '5', 'tcp://:1', 'a', 'key.'], ['']), (['listen', 'tcp://:1', 'ws://:2', 'ud'], ['udp://']),
            (['relay', '--tap', 'hex', 'tcp://:1', 'ud'], ['udp://']), (['relay', '--tap', 'hex', 'tcp://:1', 'udp://:1', 'ud'], ['']), (['help', 'exit'], ['exit-codes']), (['help', '--completion', 'z'], ['zsh']),
            (['nonsense', '--'], [''])):
        assert sorted(replies(*words)) == sorted(want), (words, replies(*words), want)
    for c in COMMANDS:
        assert replies(c, '-') == [f'--{name}' for _, name, _ in OPTIONS[c]] + ['--help'], c


@case
def bash_shows_the_help_where_it_lists():
    assert 'relay             listen on one wire, and join each co' in replies('re', kind=63)
    assert '--cert            show this certificate (PEM, its issu' in replies('dial', '--c', kind=63)


class Zsh:
    """zsh on a pseudo-terminal; what stands on its line after TAB."""

    def __init__(self, script):
        self.line = FOLDER.parent / 'line'
        self.pid, fd = pty.fork()
        if not self.pid:
            os.chdir(FOLDER)
            os.execvpe('zsh', ['zsh', '-f', '-i'], os.environ | {'TERM': 'vt100', 'LC_ALL': 'C.UTF-8', 'HOME': str(FOLDER)})
        self.fd, self.screen = fd, b''
        threading.Thread(target=self.read, daemon=True).start()
        begin = FOLDER.parent / 'begin.zsh'
        begin.write_text('PS1="" PS2="" RPS1=""; autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" menu no\n'
                         f'setopt no_beep no_auto_menu no_always_last_prompt; LISTMAX=9999; source {shlex.quote(str(script))}\n'
                         f'show() {{ print -r -- "$BUFFER|" >{self.line}.new; mv {self.line}.new {self.line}; BUFFER= }}\n'
                         'zle -N show; bindkey "^X" show; bindkey "^I" complete-word; print re""ady\n')
        os.write(self.fd, f'source {shlex.quote(str(begin))}\n'.encode())
        until(lambda: b'ready' in self.screen, 20 * SLOW, f'zsh: {self.screen!r}')

    def read(self):
        try:
            while piece := os.read(self.fd, 65536):
                self.screen += piece
        except OSError:
            pass

    def after_tab(self, text):
        self.line.unlink(missing_ok=True)
        self.screen = b''
        os.write(self.fd, text.encode() + b'\t\x18')
        until(self.line.exists, 20 * SLOW, f'zsh, {text!r}: {self.screen!r}')
        return self.line.read_text().rstrip('\n').removesuffix('|')


@case
def zsh_completes():
    needs('zsh')
    script = FOLDER.parent / '_duplex'
    script.write_text(ZSH)
    p = subprocess.run(['zsh', '-fn', script], stderr=subprocess.PIPE)
    assert p.returncode == 0 and not p.stderr, p
    z = Zsh(script)
    for typed, want in (('duplex rel', 'duplex relay '), ('duplex --ver', 'duplex --version '),
                        ('duplex dial --enc', 'duplex dial --encoding='), ('duplex listen --ech', 'duplex listen --echo '),
                        ('duplex dial ht', 'duplex dial http'), ('duplex dial td', 'duplex dial td'),
                        ('duplex dial unixg', 'duplex dial unixgram:///'), ('duplex relay --tap=he', 'duplex relay --tap=hex '),
                        ('duplex serve --guess ut', 'duplex serve --guess utf8 '), ('duplex serve -l an', 'duplex serve -l any://'),
                        ('duplex listen --cert a', 'duplex listen --cert a\\ file.pem '),
                        ('duplex dial --encoding gb1', 'duplex dial --encoding gb18030 '), ('duplex dial --frame gap', 'duplex dial --frame gap:'),
                        ('duplex hex --checksum crc16-mod', 'duplex hex --checksum crc16-modbus '),
                        ('duplex dial --retry wss', 'duplex dial --retry wss://'), ('duplex send key.', 'duplex send key.pem '),
                        ('duplex serve k', 'duplex serve keys/'), ('duplex recv tcp://:1 key.', 'duplex recv tcp://:1 key.pem '),
                        ('duplex recv tcp://:1 a key.', 'duplex recv tcp://:1 a key.'), ('duplex help exi', 'duplex help exit-codes '),
                        ('duplex help rec', 'duplex help recv '), ('duplex cert chec', 'duplex cert check ')):
        assert z.after_tab(typed) == want, (typed, z.after_tab(typed), want)
    z.after_tab('duplex relay --')
    until(lambda: b'show on stderr what passes, with the time' in z.screen, 10 * SLOW, f'{z.screen!r}')


run()
