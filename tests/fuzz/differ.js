// SPDX-License-Identifier: MIT
// differ.js - llhttp, which node has inside, as the same filter as differ.c.
'use strict';
const fs = require('fs');
const binding = process.binding('http_parser');
const { HTTPParser } = binding;
const methods = binding.allMethods || binding.methods;
const hex = (s) => Buffer.from(s, 'latin1').toString('hex');

function fields(flat) {
  const out = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    out.push(hex(flat[i].toLowerCase()) + '=' + hex(flat[i + 1].replace(/^[ \t]+|[ \t]+$/g, '')));
  return '[' + out.join(',') + ']';
}

function one(request, bytes) {
  const said = [];
  let head, body = [], early = [], trailers = [], over = '', target;
  const p = new HTTPParser();
  p.initialize(request ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {});
  p[HTTPParser.kOnHeaders | 0] = (h, url) => {
    (head ? trailers : early).push(...h);
    if (!head)
      target = url; // behind a message with trailers it comes this way
  };
  p[HTTPParser.kOnHeadersComplete | 0] = (major, minor, h, method, url, status, reason, upgrade, keepAlive) => {
    const all = early.concat(h || []);
    const first = request ? `${hex(methods[method])} ${hex(url || target || '')}` : `${status} ${hex(reason || '')}`;
    head = `M ${first} ${major}${minor} ${fields(all)}`;
    if (request && methods[method] === 'CONNECT')
      over = 'tunnel';
    else if (!keepAlive)
      over = 'close';
    return 0;
  };
  p[HTTPParser.kOnBody | 0] = (b, at, n) => { body.push(Buffer.from(at === undefined ? b : b.subarray(at, at + n))); };
  p[HTTPParser.kOnMessageComplete | 0] = () => {
    said.push(`${head} ${Buffer.concat(body).toString('hex')} ${fields(trailers)}`);
    head = undefined;
    body = [];
    early = [];
    target = undefined;
    trailers = [];
  };
  let r = p.execute(bytes);
  if (!(r instanceof Error) && !over.startsWith('tunnel'))
    r = p.finish() || r;
  said.push(over || (r instanceof Error ? `${r.code}` : '.'));
  p.close();
  return said.join('\n') + '\n';
}

const input = fs.readFileSync(0);
const out = [];
for (let at = 0; at < input.length;) {
  const n = input.readUInt32LE(at + 1);
  out.push(one(input[at] === 0x51, input.subarray(at + 5, at + 5 + n)));
  at += 5 + n;
}
fs.writeSync(1, out.join(''));
