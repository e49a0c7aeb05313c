# SPDX-License-Identifier: MIT
"""foreign.py - a web page from elsewhere that tries everything a page can to speak in a room or to hear it (docs/safe.md, rule 2)."""
import http.server
import threading

from webdriver import SLOW

PAGE = '''<!doctype html><meta charset=utf-8><title>foreign</title>
<iframe name=frame1></iframe><iframe name=frame2></iframe>
<script>
'use strict';
const at = 'TARGET', heard = window.heard = [], tried = window.tried = [];
const attempt = (name, promise) => tried.push(Promise.race([promise, new Promise(r => setTimeout(r, PATIENCE, 'no answer'))])
    .then(r => name + ': ' + r, e => name + ': ' + e.name));
const socket = (path, protocol) => new Promise(done => {
    const ws = protocol ? new WebSocket('ws://' + at + path, protocol) : new WebSocket('ws://' + at + path);
    ws.onopen = () => { heard.push('OPEN ' + path); ws.send('canary by websocket'); ws.send('{"do":"hello","last":100}');
        ws.send('{"do":"say","id":"c1","text":"canary by duplex.json"}'); setTimeout(() => ws.close(), 500); };
    ws.onmessage = e => heard.push(e.data);
    ws.onclose = e => done('closed ' + e.code);
});
const form = (path, enctype, frame) => new Promise(done => {
    const f = document.body.appendChild(document.createElement('form')), i = document.createElement('textarea');
    f.action = 'http://' + at + path; f.method = 'POST'; f.enctype = enctype; f.target = frame;
    i.name = 'canary by form\\r\\ncanary by form'; i.value = '\\r\\n\\r\\ncanary by form\\r\\n'; f.append(i);
    const frames = document.querySelector('[name=' + frame + ']');
    frames.onload = () => done('loaded');
    f.submit();
});
const ask = async (path, how) => { const r = await fetch('http://' + at + path, how); const t = await r.text(); heard.push(t); return r.type + ' ' + t.length; };
const element = (tag, attr, path) => new Promise(done => {
    const e = document.createElement(tag);
    e.onload = () => { heard.push('LOADED ' + tag + ' ' + path); done('loaded'); };
    e.onerror = () => done('error');
    if (tag === 'link') e.rel = 'stylesheet';
    e[attr] = 'http://' + at + path;
    document.head.append(e);
});
addEventListener('load', () => {
    for (const path of ['/', '/~r/lobby', '/den', '/~r/lobby?canary'])
        for (const protocol of [undefined, 'duplex.json', 'canary']) attempt('ws ' + path + ' ' + protocol, socket(path, protocol));
    attempt('form 1', form('/~r/lobby', 'text/plain', 'frame1'));
    attempt('form 2', form('/', 'application/x-www-form-urlencoded', 'frame2'));
    for (const path of ['/', '/~r/lobby', '/~r/lobby?canary=canary', '/~r/lobby?poll&wait=0&last=9', '/~page.js']) {
        attempt('get ' + path, ask(path, {mode: 'no-cors'}));
        attempt('cors ' + path, ask(path, {}));
        attempt('post ' + path, ask(path, {method: 'POST', mode: 'no-cors', body: 'canary by no-cors\\r\\n'}));
        attempt('json ' + path, ask(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: '{"text":"canary by json"}'}));
        attempt('img ' + path, element('img', 'src', path));
        attempt('script ' + path, element('script', 'src', path));
        attempt('css ' + path, element('link', 'href', path));
    }
    attempt('sse', new Promise(done => { const s = new EventSource('http://' + at + '/~r/lobby');
        s.onopen = () => heard.push('SSE OPEN'); s.onmessage = e => heard.push(e.data); s.onerror = () => { s.close(); done('error'); }; }));
    const say = {method: 'POST', body: '{"do":"say","text":"canary by post"}'}, me = {'Duplex-Me': 'canary'};
    for (const headers of [{...me, 'Content-Type': 'application/json', 'Duplex-Token': 'x'}, me, {Accept: 'application/json'}])
        for (const mode of ['cors', 'no-cors']) attempt('post as the page', ask('/~r/lobby', {...say, mode, headers}));
    attempt('hear as the page', ask('/~r/lobby?last=9', {headers: {...me, Accept: 'text/event-stream'}}));
    attempt('hear as nobody', ask('/~r/lobby?last=9', {headers: {Accept: 'application/json'}}));
    attempt('beacon of json', Promise.resolve().then(() => navigator.sendBeacon('http://' + at + '/~r/lobby',
        new Blob(['{"do":"say","text":"canary by beacon"}'], {type: 'application/json'}))));
    attempt('beacon', Promise.resolve(navigator.sendBeacon('http://' + at + '/~r/lobby', 'canary by beacon\\r\\n')));
    attempt('framed', new Promise(done => { const f = document.createElement('iframe'); f.src = 'http://' + at + '/';
        f.onload = () => { let inside; try { inside = f.contentDocument; } catch (e) { inside = null; } if (inside && inside.URL !== 'about:blank') heard.push('FRAME'); done('loaded'); };
        document.body.append(f); }));
    Promise.all(tried).then(all => { window.done = all; });
});
</script>'''


class Foreign:
    """Serves the page; target is HOST:PORT of the server it attacks."""

    def __init__(self, target):
        # Chromium itself holds back WebSockets after others have failed, for seconds each.
        body = PAGE.replace('TARGET', target).replace('PATIENCE', str(50000 * SLOW)).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Type', 'text/html; charset=utf-8')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
