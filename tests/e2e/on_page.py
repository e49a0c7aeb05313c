# SPDX-License-Identifier: MIT
"""on_page.py - what tests ask of the page: shared by those against the fake room and against the real server."""
import contextlib
import pathlib
import re
import socket
import sys
import time

import duplexlib
import webdriver

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'frame'))
import tap  # noqa: E402

_browser = None
# How the page stands: whether it draws at all, its link, the ends of its log, and what a new member of the room hears, so that
# it can be told whether it is the page that hangs or the server.
STATE = '''
    const $ = id => document.getElementById(id), all = css => [...document.querySelectorAll(css)].map(e => e.textContent);
    const within = (ms, what) => Promise.race([what, new Promise(r => setTimeout(r, ms, 'not within ' + ms + ' ms'))]);
    const began = performance.now(), after = () => Math.round(performance.now() - began) + ' ms';
    const frame = within(5000, new Promise(r => requestAnimationFrame(() => r(after()))));
    const timer = new Promise(r => setTimeout(() => r(after())));
    const room = within(5000, new Promise(done => {
        const ws = new WebSocket(location.origin.replace('http', 'ws') + '/~r/lobby', 'duplex.json'), heard = [];
        ws.onopen = () => { ws.send('{"do":"hello","last":3}'); ws.send('{"do":"who"}'); setTimeout(() => ws.close(), 2000); };
        ws.onmessage = e => heard.push(e.data.slice(0, 500));
        ws.onclose = e => done([...heard, 'closed ' + e.code]);
    }));
    return Promise.all([frame, timer, room]).then(([frame, timer, room]) => ({
        url: location.href, visible: document.visibilityState, focus: document.hasFocus(), frame, timer, room,
        link: $('link')?.dataset.state, status: $('status')?.textContent, hint: $('tell')?.textContent, busy: $('log')?.ariaBusy,
        rows: all('#log li').length, first: all('#log li').slice(0, 3), last: all('#log li').slice(-5),
        notes: all('#log .note').slice(-5), pending: all('#pending .text').slice(0, 5), typed: $('text')?.value }));'''


def state(b):
    """Lines that say how things stand, for a failure's words."""
    lines = []
    for what, ask in [('page', lambda: b.run(STATE)), ('console', b.console), ('programs', duplexlib.state)]:
        try:
            got = ask()
        except Exception as e:  # a browser that is gone is no reason to lose the words of the failure itself
            got = f'{type(e).__name__}: {e}'
        lines += [f'{what} {k}: {v}' for k, v in got.items()] if isinstance(got, dict) else [f'{what}: {got}']
    return lines


webdriver.Browser.state = state


def case(fn):
    """A case that is given the browser. Names on the command line choose cases."""
    def run():
        _browser.console()
        try:
            fn(_browser)
        except tap.Skip:
            raise
        except Exception as e:
            if 'page link: ' not in str(e):
                e.add_note('\n'.join(state(_browser)))
            raise
        _browser.go('about:blank')  # a page left alone dials its server again, and the port may be anybody's by then
        # Nothing breaks the page's policy; a socket that the test itself cuts is no fault of the page.
        bad = [x for x in _browser.console() if not re.search(r'WebSocket connection|ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE_CHUNKED|beforeunload', x)]
        assert not bad, bad
    if not sys.argv[1:] or fn.__name__ in sys.argv[1:]:
        tap.add(fn.__name__, run)
    return fn


def run_cases():
    global _browser
    if not webdriver.find():
        print('1..0 # SKIP no Chromium and chromedriver here')
        return
    with webdriver.Browser() as _browser, contextlib.suppress(BrokenPipeError):
        tap.run()


def enter(b, url, state='here'):
    b.go('about:blank')  # so that a URL that differs in its fragment only is loaded anew
    b.go(url)
    return in_state(b, state)


def in_state(b, state, seconds=15):
    return b.until('return document.querySelector("#link").dataset.state === arguments[0]', state, seconds=seconds)


def texts(b, css='#log .m .text'):
    return b.run('return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)', css)


def shown(b, text, css='#log .m .text', seconds=15):
    """Waits until an element is there that says exactly this; returns how many do."""
    return b.until('return [...document.querySelectorAll(arguments[0])].filter(e => e.textContent === arguments[1]).length', css, text,
                   seconds=seconds)


def noted(b, text, seconds=15):
    return b.until('return [...document.querySelectorAll("#log .note")].some(e => e.textContent.includes(arguments[0]))', text,
                   seconds=seconds)


def value(b):
    return b.run('return document.querySelector("#text").value')


def wait(true, what, seconds=15):
    end = time.monotonic() + seconds * webdriver.SLOW
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f'not within {seconds} s: {what}')
        time.sleep(0.02)


class Plain:
    """A plain socket, as a Python program has it."""

    def __init__(self, port, host='127.0.0.1'):
        self.s = socket.create_connection((host, port))
        self.s.settimeout(15 * webdriver.SLOW)
        self.got = b''

    def say(self, data):
        self.s.sendall(data)

    def hears(self, data):
        """Reads until these bytes have come; returns all that came."""
        while data not in self.got:
            more = self.s.recv(65536)
            if not more:
                raise AssertionError(f'closed before {data!r}; got {self.got!r}')
            self.got += more
        return self.got

    def close(self):
        self.s.close()
