#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""webdriver.py - headless Chromium for the tests: the part of W3C WebDriver that they use, over urllib, nothing else.

    with Browser() as b:
        b.go('http://127.0.0.1:2333/')
        b.keys('hi' + ENTER)
        b.until('return document.querySelector("#log").textContent.includes("hi")')
"""
import base64
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ENTER, TAB, ESCAPE, UP, DOWN, SHIFT, CONTROL = '\ue007', '\ue004', '\ue00c', '\ue013', '\ue015', '\ue008', '\ue009'
SLOW = float(os.environ.get('DUPLEX_SLOW', '1'))  # a factor for every deadline, as in duplexlib
FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
         '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-default-apps',
         '--disable-extensions', '--disable-features=Translate,OptimizationHints,MediaRouter', '--no-proxy-server',
         '--window-size=1200,800', '--force-color-profile=srgb']


def find():
    """Paths of Chromium and chromedriver, or None where there is none."""
    chrome = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    driver = shutil.which('chromedriver')
    return (chrome, driver) if chrome and driver else None


class Browser:
    def __init__(self, lang='en-US', flags=()):
        chrome, driver = find()
        self.profile = tempfile.mkdtemp(prefix='duplex-chromium-')
        self.log = open(os.path.join(self.profile, 'driver.log'), 'w+')
        env = dict(os.environ, LANGUAGE=lang.replace('-', '_'), HOME=self.profile)
        self.base = next(filter(None, (self.start(driver, env) for _ in range(10))), None)
        if not self.base:
            raise RuntimeError('chromedriver did not start')
        options = {'binary': chrome, 'args': [*FLAGS, f'--user-data-dir={self.profile}/data', f'--lang={lang}', *flags],
                   'prefs': {'intl.accept_languages': lang}}
        self.session = ''
        try:
            answer = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
                'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}}})
        except Exception:
            self.close()
            raise
        self.session = '/session/' + answer['sessionId']

    def start(self, driver, env):
        # Not its port 0: where benches have used up the ports that the system gives, that fails. Another try is another port.
        port = random.SystemRandom().randrange(10000, 32000)
        self.driver = subprocess.Popen([driver, f'--port={port}'], stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        for line in self.driver.stdout:
            if m := re.search(r'successfully on port (\d+)', line):
                return f'http://127.0.0.1:{m.group(1)}'
        self.driver.wait()
        self.driver.stdout.close()
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            if self.session:
                self.call('DELETE', '')
        except (OSError, RuntimeError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.driver.stdout.close()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, path, body=None):
        data = None if method in ('GET', 'DELETE') else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + self.session + path, data, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.load(e)['value']['message'].splitlines()[0]) from None

    def go(self, url):
        self.call('POST', '/url', {'url': url})

    def reload(self):
        self.call('POST', '/refresh')

    def run(self, script, *args):
        """The script's `return` value; a promise is waited for."""
        return self.call('POST', '/execute/sync', {'script': script, 'args': list(args)})

    def until(self, script, *args, seconds=15):
        """Runs the script until it returns something true, and returns that."""
        end = time.monotonic() + seconds * SLOW
        while True:
            value = self.run(script, *args)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f'not within {seconds} s (times {SLOW:g}): {script} {args}\n' + '\n'.join(self.state()))
            time.sleep(0.02)

    def state(self):
        """Lines for a failure: how things stand, while they still do. Tests know what to look at (on_page.py)."""
        return []

    def keys(self, text):
        """Types as a person does, wherever the focus is. A '\\n' is Shift+Enter."""
        acts = []
        for ch in text:
            shifted = ch == '\n'
            key = ENTER if shifted else ch
            acts += [{'type': 'keyDown', 'value': SHIFT}] * shifted
            acts += [{'type': 'keyDown', 'value': key}, {'type': 'keyUp', 'value': key}]
            acts += [{'type': 'keyUp', 'value': SHIFT}] * shifted
        self.call('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': acts}]})

    def chord(self, key):
        """Ctrl and a key."""
        self.call('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': [
            {'type': 'keyDown', 'value': CONTROL}, {'type': 'keyDown', 'value': key},
            {'type': 'keyUp', 'value': key}, {'type': 'keyUp', 'value': CONTROL}]}]})

    def click(self, css):
        found = self.call('POST', '/element', {'using': 'css selector', 'value': css})
        self.call('POST', f'/element/{next(iter(found.values()))}/click')

    def cdp(self, command, **params):
        return self.call('POST', '/goog/cdp/execute', {'cmd': command, 'params': params})

    def size(self, width, height, mobile=False):
        self.cdp('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile)

    def scheme(self, name):
        self.cdp('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': name}])

    def shot(self, path):
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.call('GET', '/screenshot')))

    def console(self):
        """What the browser's console said since the last call: a list of 'LEVEL message'."""
        return [f"{e['level']} {e['message']}" for e in self.call('POST', '/se/log', {'type': 'browser'})]

    def tab(self):
        """Opens a tab and goes to it; returns its handle."""
        handle = self.call('POST', '/window/new', {'type': 'tab'})['handle']
        self.call('POST', '/window', {'handle': handle})
        return handle
