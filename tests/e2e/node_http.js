// SPDX-License-Identifier: MIT
// node_http.js WHAT,... URL - node's http client and its fetch against a server of ours (test_node_peers.py). Silent where all is well.
'use strict';
const zlib = require('zlib'), crypto = require('crypto'), assert = require('assert');
const [, , what, url, ...more] = process.argv;
const at = new URL(url), http = require(at.protocol.slice(0, -1)); // or https
const sha = data => crypto.createHash('sha1').update(data).digest('hex');
const once = (e, name) => new Promise((good, bad) => { e.once(name, good); e.once('error', bad); });

// The whole of it: {status, headers, trailers, body, port}. body: one, or a list that goes in chunks.
function ask(path, { agent = false, method = 'GET', headers = {}, body, trailers, watch } = {}) {
  return new Promise((good, bad) => {
    const q = http.request({ host: at.hostname, port: at.port, path, method, headers, agent }, async r => {
      const parts = [];
      r.on('error', bad);
      for await (const p of r) parts.push(p);
      good({ status: r.statusCode, headers: r.headers, trailers: r.trailers, body: Buffer.concat(parts), port: q.socket.localPort });
    });
    q.on('error', bad);
    watch?.(q);
    if (Array.isArray(body)) for (const p of body) q.write(p);
    if (trailers) q.addTrailers(trailers);
    q.end(Array.isArray(body) ? undefined : body);
  });
}
const text = r => r.body.toString();

const cases = {
  async plain() {
    let r = await ask('/a?b=c');
    assert.match(text(r), /^GET \/a host=\S+ for= version=11 body=0 /);
    assert.equal(r.headers.connection, 'close'); // without an agent that keeps it, node asks for that
    r = await ask('/up', { method: 'POST', body: Buffer.alloc(3 << 20), headers: { 'Content-Length': 3 << 20 } });
    assert.match(text(r), / body=3145728 /);
    r = await ask('/up', { method: 'PUT', body: ['one', '', 'two', Buffer.alloc(1 << 20)] });
    assert.match(text(r), /^PUT .* body=1048582 /);
    r = await ask('/a', { method: 'HEAD' });
    assert.deepEqual([r.status, r.body.length, r.headers['content-type']], [200, 0, 'text/plain']);
    assert.equal((await ask('/big?n=7000000')).body.length, 7000000);
    assert.equal((await ask('/whole?n=7000000')).body.length, 7000000);
  },
  async kept() { // many at once over few connections that stay
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 }), ports = new Set();
    const all = await Promise.all(Array.from({ length: 80 }, (_, i) => [
      () => ask(`/a${i}`, { agent }), () => ask(`/a${i}`, { agent, method: 'HEAD' }), () => ask('/locked/', { agent }),
      () => ask(`/a${i}`, { agent, method: 'POST', body: ['x'.repeat(i * 1000), 'y'] })][i % 4]()));
    all.forEach((r, i) => {
      assert.equal(r.status, i % 4 === 2 ? 401 : 200);
      if (i % 4 === 0) assert.ok(text(r).startsWith(`GET /a${i} `), text(r));
      if (i % 4 === 3) assert.ok(text(r).startsWith(`POST /a${i} `) && text(r).includes(` body=${i * 1000 + 1} `), text(r));
      ports.add(r.port);
    });
    assert.equal(ports.size, 2);
    agent.destroy();
  },
  async trailers() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) {
      const r = await ask('/trailers', { agent, method: 'POST', headers: { Trailer: 'X-Sum' }, body: ['ab', 'c'.repeat(50000), 'd'],
        trailers: { 'X-Sum': `sum-${i}`, 'Content-Type': 'none' } });
      assert.equal(text(r), 'ab' + 'c'.repeat(50000) + 'd');
      assert.deepEqual({ ...r.trailers }, { 'x-sum': `sum-${i}` });
    }
    agent.destroy();
  },
  async expects() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const [path, status, told] of [['/up', 200, true], ['/locked/', 401, false], ['/up', 200, true]]) {
      let asked = false;
      const q = http.request({ host: at.hostname, port: at.port, path, method: 'POST', agent, headers: { Expect: '100-continue', 'Content-Length': 6 } });
      const answered = once(q, 'response');
      q.on('continue', () => { asked = true; q.end('sesame'); });
      q.flushHeaders();
      const r = await answered;
      if (!asked) q.end('sesame');
      r.resume();
      await once(r, 'end');
      assert.deepEqual([r.statusCode, asked], [status, told]);
    }
    agent.destroy();
  },
  async told_first() {
    const info = [];
    const r = await ask('/hints', { watch: q => q.on('information', i => info.push([i.statusCode, i.headers.link])) });
    assert.equal(r.status, 200);
    assert.deepEqual(info, [[103, '</a.css>; rel=preload']]);
  },
  async refused_while_it_sends() { // the answer is read, whatever becomes of the rest of the body
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const n of [1000, 500000, 4 << 20]) {
      assert.equal((await ask('/locked/', { agent, method: 'POST', body: Buffer.alloc(n), headers: { 'Content-Length': n } })).status, 401);
      assert.equal((await ask('/locked/', { agent, method: 'POST', body: [Buffer.alloc(n), Buffer.alloc(n)] })).status, 401);
      assert.ok(text(await ask('/after', { agent })).startsWith('GET /after '));
    }
    agent.destroy();
  },
  async gone() { // what the server says of it is looked at by the test
    const up = http.request({ host: at.hostname, port: at.port, path: '/up', method: 'POST', headers: { 'Content-Length': 1000 } });
    const failed = once(up, 'close').catch(e => e);
    up.write('some of it', () => up.destroy());
    await failed;
    const down = http.get({ host: at.hostname, port: at.port, path: '/big?n=100000000' });
    const r = await once(down, 'response');
    await once(r, 'data');
    r.destroy();
    assert.ok(text(await ask('/after')).startsWith('GET /after '));
  },
  async slow_reader() {
    const q = http.get({ host: at.hostname, port: at.port, path: '/big?n=8000000', agent: false });
    const r = await once(q, 'response');
    let n = 0;
    for await (const p of r) { n += p.length; await new Promise(setImmediate); }
    assert.equal(n, 8000000);
  },
  async fetches() {
    const body = new ReadableStream({ start(c) { for (let i = 0; i < 20; i++) c.enqueue(new Uint8Array(100000)); c.close(); } });
    assert.match(await (await fetch(url + '/up', { method: 'POST', body, duplex: 'half' })).text(), / body=2000000 /);
    assert.match(await (await fetch(url + '/a')).text(), /^GET \/a /);
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => fetch(`${url}/f${i}`).then(r => r.text())));
    all.forEach((t, i) => assert.ok(t.startsWith(`GET /f${i} `), t));
    const ctl = new AbortController(), r = await fetch(url + '/big?n=100000000', { signal: ctl.signal });
    ctl.abort();
    await assert.rejects(r.arrayBuffer());
    assert.equal((await (await fetch(url + '/big?n=5000000')).arrayBuffer()).byteLength, 5000000);
  },
  async folder() { // more: the sha1 of big.bin, of text.txt
    const [big, words] = more, agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    const plain = await ask('/text.txt', { agent }), { etag } = plain.headers;
    assert.equal(sha(plain.body), words);
    for (const [coding, open] of [['gzip', zlib.gunzipSync], ['br', zlib.brotliDecompressSync]]) {
      const r = await ask('/text.txt', { agent, headers: { 'Accept-Encoding': coding } });
      assert.deepEqual([r.headers['content-encoding'], sha(open(r.body))], [coding, words]);
    }
    const status = async (headers, method) => (await ask('/text.txt', { agent, headers, method })).status;
    assert.equal(await status({ 'If-None-Match': etag }), 304);
    assert.equal(await status({ 'If-Modified-Since': plain.headers['last-modified'] }), 304);
    assert.equal(await status({}, 'HEAD'), 200);
    assert.equal(await status({ Range: 'bytes=9-1' }), 200);
    assert.equal(await status({}, 'DELETE'), 405);
    let r = await ask('/big.bin', { agent, headers: { Range: 'bytes=100-299', 'If-Range': 'x' } });
    assert.equal(sha(r.body), big);
    r = await ask('/big.bin', { agent, headers: { Range: 'bytes=-1000' } });
    assert.deepEqual([r.status, r.body.length], [206, 1000]);
    r = await ask('/text.txt', { agent, method: 'POST', body: [Buffer.alloc(8 << 20)] });
    assert.equal(r.status, 405);
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(['/big.bin', '/text.txt', '/', '/nothing', '/?tar'][i % 5], { agent })));
    assert.deepEqual(all.map(x => x.status), all.map((_, i) => i % 5 === 3 ? 404 : 200));
    assert.ok(all.every((x, i) => i % 5 !== 0 || sha(x.body) === big));
    assert.ok(new Set(all.map(x => x.port)).size <= 2);
    for (const path of ['/big.bin', '/?tar', '/text.txt']) { // gone in the middle, again and again
      await Promise.all(Array.from({ length: 10 }, async () => {
        const q = http.get({ host: at.hostname, port: at.port, path, agent: false }), r = await once(q, 'response');
        await once(r, 'data');
        r.destroy();
      }));
    }
    const t = await fetch(url + '/text.txt'); // it unpacks by itself
    assert.equal(sha(Buffer.from(await t.arrayBuffer())), words);
    agent.destroy();
  },
  async room() { // a member: a stream of events by fetch, words by POST
    const me = { 'Duplex-Me': 'node' }, ctl = new AbortController();
    const r = await fetch(url + '/~r/lobby?last=5', { headers: { ...me, Accept: 'text/event-stream' }, signal: ctl.signal });
    let rest = '', said = 0, token;
    try {
      for await (const part of r.body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + part).split('\n\n');
        rest = events.pop();
        for (const e of events) {
          const m = JSON.parse(/^data: (.*)$/m.exec(e)[1]);
          token = m.token || token;
          if (m.is === 'msg') assert.equal(m.text, `不要回答 ${++said}`);
          if (said === 50) ctl.abort();
          else if (m.is === 'welcome' || m.is === 'msg') {
            const a = await fetch(url + '/~r/lobby', { method: 'POST', headers: { ...me, 'Content-Type': 'application/json', 'Duplex-Token': token },
              body: JSON.stringify({ do: 'say', id: String(said), text: `不要回答 ${said + 1}` }) });
            assert.deepEqual((await a.json())[0], { is: 'ack', id: String(said), offset: said + 1 });
          }
        }
      }
    } catch (e) { if (e.name !== 'AbortError') throw e; }
    assert.equal(said, 50);
  },
};
(async () => {
  for (const w of what.split(',')) await cases[w]().catch(e => { console.error(w, e); process.exit(1); });
  process.exit(0);
})();
