// SPDX-License-Identifier: MIT
// page.js - the page of `duplex serve`: one WebSocket that speaks docs/room.md (or HTTP alone), a log, an outbox, who is here.
//
// What others said reaches the document as text nodes only; nothing here makes markup out of text, and the page's CSP
// (trusted-types 'none') holds us to it. Every list has a bound, so that a flood costs the page a line "n skipped".
'use strict';
(() => {
const ROWS_MAX = 2000, CHARS_MAX = 4e6, FRAME_MS = 8, FRAME_ROWS = 200; // the log
const OUT_MAX = 200, OUT_CHARS_MAX = 1e6, SAY_BYTES_MAX = 65536, SAID_MAX = 50;
const PING_MS = 15000, PATIENCE_MS = 3000, OPEN_MS = 10000, ACK_MS = 10000, BACKOFF_MS = 300, BACKOFF_MS_MAX = 6000;
const TOGETHER_MS = 300000; // under one name
const LAST = 100, WHO_MAX = 200;
const FAILS = 2, HELD_MS = 3000, DEAD_MS = 45000, TRIAL_MS = 60000; // HTTP instead of a WebSocket

// ---------------------------------------------------------------- words
const WORDS = {
  en: {
    connecting: 'connecting…', here: 'Here now', connected: 'connected', sse: 'HTTP stream', poll: 'HTTP polling', again: 'reconnecting…',
    offline: 'offline, waiting for the network…', needKey: 'a key is needed', retry: 'try now', people: 'People', files: 'Files',
    log: 'Messages', pending: 'Not sent yet', say: 'Message', sayHint: 'Say something', send: 'Send',
    keys: 'Enter sends · Shift+Enter new line · Tab completes · /help',
    nickTitle: 'Your name here. Press to change it.', more: 'Bring another client',
    moreHint: 'Anything that can open a socket is in the same room, in UTF-8 or GB18030, with or without line ends.',
    first: 'A plain socket first says', copy: 'copy', copied: 'copied',
    anew: 'The room began anew; what it held before is gone.', missed: '{0} missed',
    skipped: '{0} skipped: they came faster than anyone reads', taken: '{0} is taken; you are {1} here.',
    nickNow: 'You are {0} now.', full: 'Too much is waiting to be sent. Your text stays here.',
    tooBig: 'Too long: {0} KiB, at most 64.', unknown: 'There is no command {0}. /help lists them.',
    joined: 'Room #{0}', badRoom: 'A room has 1 to 64 letters, digits, - or _.',
    keyHow: 'This room wants a key. Open the address that the server printed, or say /key KEY.', newer: '{0} new ↓',
    toYou: '{0} to you only', toThem: 'to {0} only',
    elsewhere: '{0} not sent yet in #{1}; they go out when you are back there.',
    empty: 'Nobody has said anything yet.', guess: 'a guess: press to read the bytes another way',
    other: 'press to read the bytes another way', binary: 'binary', noRetell: 'not sent: {0}',
    andMore: 'and {0} more', nobody: 'only you', theme: 'Colours: {0}', auto: 'as the system', light: 'light',
    dark: 'dark', lang: '用中文', 'nick-taken': 'That name is taken.',
    'too-fast': 'Too fast; it goes out in a moment.', 'too-big': 'too long',
    'no-such-nick': 'nobody here has that name',
    help: '/nick NAME   be called NAME\n/join ROOM   go to another room\n/who   who is here\n' +
      '/msg NAME TEXT   say it to NAME only\n//text   say a line that begins with /\n' +
      '↑ what you said before · Esc to the input · Tab completes',
    leave: 'Close this tab to leave.', lanHow: 'Only whoever runs serve can.',
    http: 'browser, HTTP', https: 'HTTP over TLS', ws: 'browser, WebSocket', tcp: 'TCP', udp: 'UDP', unix: 'Unix socket', tls: 'TLS', wss: 'WebSocket over TLS',
    quic: 'QUIC', unixgram: 'Unix datagrams', tty: 'the server’s terminal', hello: 'hello',
  },
  zh: {
    connecting: '正在连接…', here: '在线', connected: '已连接', sse: 'HTTP 流', poll: 'HTTP 轮询', again: '正在重连…', offline: '网络已断开，等待恢复…',
    needKey: '需要口令', retry: '立即重试', people: '成员', files: '文件', log: '消息', pending: '尚未发出', say: '消息',
    sayHint: '说点什么', send: '发送', keys: 'Enter 发送 · Shift+Enter 换行 · Tab 补全 · /help 帮助',
    nickTitle: '你在这里的名字，点按可改', more: '用别的程序加入',
    moreHint: '能打开套接字的程序都在同一个房间里：UTF-8 或 GB18030，有无换行都行。', first: '普通套接字先说',
    copy: '复制', copied: '已复制', anew: '房间重新开始了，之前的消息已不在。', missed: '错过了 {0} 条',
    skipped: '跳过了 {0} 条：来得太快，看不过来', taken: '{0} 已有人用，你在这里叫 {1}。', nickNow: '你现在叫 {0}。',
    full: '等待发送的太多了，文字仍留在输入框里。', tooBig: '太长：{0} KiB，最多 64。',
    unknown: '没有 {0} 这个命令，/help 可查看全部。', joined: '房间 #{0}',
    badRoom: '房间名为 1 到 64 个字母、数字、- 或 _。',
    keyHow: '进这个房间要口令。请打开服务器打印的地址，或输入 /key 口令。', newer: '{0} 条新消息 ↓',
    toYou: '{0} 只对你说', toThem: '只对 {0} 说', elsewhere: '#{1} 还有 {0} 条没发出，回到那里时会发送。',
    empty: '还没有人说话。', guess: '编码是猜的：点按换一种方式读', other: '点按换一种方式读', binary: '二进制',
    noRetell: '没有发出：{0}', andMore: '还有 {0} 人', nobody: '只有你', theme: '配色：{0}', auto: '跟随系统',
    light: '浅色', dark: '深色', lang: 'In English', 'nick-taken': '这个名字有人用了。',
    'too-fast': '太快了，稍后自动发出。', 'too-big': '太长', 'no-such-nick': '这里没有叫这个名字的人',
    help: '/nick 名字   改名\n/join 房间   去别的房间\n/who   谁在这里\n/msg 名字 内容   只对一个人说\n' +
      '//内容   说以 / 开头的话\n↑ 之前说过的 · Esc 回到输入框 · Tab 补全',
    leave: '关闭此标签页即可离开。', lanHow: '只有运行 serve 的人才能这样做。',
    http: '浏览器、HTTP', https: 'TLS 上的 HTTP', ws: '浏览器、WebSocket', tcp: 'TCP', udp: 'UDP', unix: 'Unix 套接字', tls: 'TLS', wss: 'TLS 上的 WebSocket',
    quic: 'QUIC', unixgram: 'Unix 数据报', tty: '服务器终端', hello: '你好',
  },
};
const t = (key, ...args) => (WORDS[page.lang][key] ?? key).replace(/\{(\d)\}/g, (_, i) => args[i]);

// ---------------------------------------------------------------- small things
const $ = id => document.getElementById(id);
const make = (tag, cls, text) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
};
const random = () => Array.from(crypto.getRandomValues(new Uint32Array(2)), n => n.toString(36)).join('');
const text = v => typeof v === 'string' ? v : v == null ? '' : String(v);
const count = v => Number.isSafeInteger(v) && v >= 0 ? v : null;
const stored = (store, key, value) => { // storage may be forbidden or full: the page then only forgets
  try {
    if (value === undefined) return window[store].getItem('duplex.' + key);
    if (value === null) window[store].removeItem('duplex.' + key);
    else window[store].setItem('duplex.' + key, value);
  } catch { return null; }
};
const local = (key, value) => stored('localStorage', key, value);
const session = (key, value) => stored('sessionStorage', key, value);

// The fragment, `#room=NAME&key=K`: browsers keep it to themselves. Not a query: '+' is a plus.
const fragment = () => new Map(location.hash.slice(1).split('&').filter(Boolean).map(p => {
  const [, name, value] = /^([^=]*)=?(.*)$/.exec(p);
  try { return [name, decodeURIComponent(value)]; } catch { return [name, value]; }
}));
const setFragment = (name, value) => {
  const f = fragment();
  if (value) f.set(name, value); else f.delete(name);
  const s = [...f].map(([k, v]) => k + '=' + encodeURIComponent(v)).join('&');
  history.replaceState(null, '', location.pathname + location.search + (s ? '#' + s : ''));
};
const secure = location.protocol === 'https:';
const loopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
const WIRE = secure ? 'wss' : 'ws';
const wire = () => link.way === 'ws' ? WIRE : secure ? 'https' : 'http'; // ours, as the room calls it
const isRoom = s => /^[\w-]{1,64}$/.test(s);
const roomOfFragment = () => { const r = fragment().get('room') || 'lobby'; return isRoom(r) ? r : 'lobby'; };

const page = {
  lang: local('lang') || (/^zh/i.test(navigator.language) ? 'zh' : 'en'), theme: local('theme') || 'auto',
  nick: local('nick') || '',
  mine: '', room: roomOfFragment(), members: [], membersMore: 0, urls: [], version: '', pin: '', unseen: 0,
  me: session('me') || random(), // a reload is the same member
};
if (!WORDS[page.lang]) page.lang = 'en';
session('me', page.me);

const applyTheme = () => {
  const root = document.documentElement;
  if (page.theme === 'auto') delete root.dataset.theme; else root.dataset.theme = page.theme;
};
applyTheme(); // before anything is drawn
document.documentElement.lang = page.lang === 'zh' ? 'zh-CN' : 'en';

// ---------------------------------------------------------------- text that cannot lie
// Controls, bidi marks and what has no width are shown as small boxes. Let through: new line, tab, joiners in emoji.
const HIDDEN = /[\p{Cc}\p{Cs}\p{DI}\p{Zl}\p{Zp}]/u;
const EMOJI = '\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?';
const PIECES = new RegExp('(https?:\\/\\/[^\\s<>"\'`\\p{Cc}\\p{DI}，。；！？、）」』】]+)|' +
  `(\\p{RI}{2}|[\\d#*]\\ufe0f?\\u20e3|${EMOJI}(?:\\u200d${EMOJI})*)|([\\p{Cc}\\p{Cs}\\p{DI}\\p{Zl}\\p{Zp}])`, 'gu');
const NAMES = {
  0x202a: 'LRE', 0x202b: 'RLE', 0x202c: 'PDF', 0x202d: 'LRO', 0x202e: 'RLO', 0x2066: 'LRI', 0x2067: 'RLI', 0x2068: 'FSI',
  0x2069: 'PDI', 0x200e: 'LRM', 0x200f: 'RLM', 0x61c: 'ALM', 0x200b: 'ZWSP', 0x200c: 'ZWNJ', 0x200d: 'ZWJ', 0xfeff: 'BOM', 0x7f: 'DEL',
};
const C0 = ('NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM ' +
  'SUB ESC FS GS RS US').split(' ');
const nameOf = c => {
  const n = c.codePointAt(0);
  return NAMES[n] || (n < 32 ? C0[n] : n < 256 ? '\\x' + n.toString(16) : 'U+' + n.toString(16).toUpperCase());
};
function put(into, s, links) {
  into.textContent = '';
  if (!HIDDEN.test(s) && !(links && s.includes('://'))) { into.textContent = s; return; }
  let from = 0;
  for (const m of s.matchAll(PIECES)) {
    const [whole, url, , hidden] = m;
    if (!hidden && !(url && links)) continue;
    if (hidden === '\n' && links || hidden === '\t') continue;
    into.append(s.slice(from, m.index));
    from = m.index + whole.length;
    if (hidden) { into.append(make('span', 'ctl', nameOf(hidden))); continue; }
    const trail = /[.,:;!?)\]]+$/.exec(url)?.[0].length ?? 0;
    const a = make('a', '', url.slice(0, url.length - trail));
    a.href = a.textContent;
    a.target = '_blank';
    a.rel = 'noopener noreferrer nofollow';
    into.append(a);
    from -= trail;
  }
  into.append(s.slice(from));
}
const hue = nick => {
  let h = 7;
  for (const c of nick) h = (h * 31 + c.codePointAt(0)) % 9973;
  return h % 24 * 15;
};
const nickInto = (e, nick) => { put(e, nick, false); e.style.setProperty('--h', hue(nick)); return e; };

// ---------------------------------------------------------------- the log
const log = { queue: [], chars: 0, skipped: 0, sizes: [], total: 0, frame: 0, prev: null, day: '' };

function tell(words, cls) { enqueue({ note: words, cls, size: words.length }); }
function enqueue(item) {
  item.size ??= 0;
  log.queue.push(item);
  log.chars += item.size;
  // Twice what the document holds: then the older half would be gone before anybody saw it.
  if (log.queue.length > 2 * ROWS_MAX || log.chars > 2 * CHARS_MAX) {
    const gone = log.queue.splice(0, Math.ceil(log.queue.length / 2));
    for (const g of gone) { log.chars -= g.size; if (g.pending) g.pending.remove(); }
    log.skipped += gone.length;
  }
  if (document.hidden && item.msg) { page.unseen++; title(); }
  log.frame ||= requestAnimationFrame(draw);
}
const atEnd = () => { const s = $('scroll'); return s.scrollHeight - s.scrollTop - s.clientHeight < 60; };
const toEnd = () => { const s = $('scroll'); s.scrollTop = s.scrollHeight; stuck = true; fresh(0); };
let below = 0, stuck = true; // new messages under what is seen; whether the end is what is seen
const fresh = n => { below = n; $('down').hidden = !n; if (n) $('down').textContent = t('newer', n); };

function draw() {
  log.frame = 0;
  const end = performance.now() + FRAME_MS, list = $('log'), frag = document.createDocumentFragment();
  let n = 0;
  list.setAttribute('aria-busy', log.queue.length > FRAME_ROWS);
  $('empty')?.remove();
  const add = (row, size) => { frag.append(row); log.sizes.push(size); log.total += size; };
  if (log.skipped) { add(make('li', 'note warn', t('skipped', log.skipped)), 0); log.skipped = 0; log.prev = null; }
  while (n < log.queue.length && n < FRAME_ROWS && (n < 20 || performance.now() < end)) {
    const item = log.queue[n++];
    log.chars -= item.size;
    item.pending?.remove();
    if (item.note !== undefined) {
      const li = make('li', 'note ' + (item.cls || ''));
      put(li, item.note, true);
      add(li, item.size);
      log.prev = null;
      continue;
    }
    const day = dayOf(item.msg.time);
    if (day !== log.day) { add(make('li', 'day', day), 0); log.day = day; log.prev = null; }
    add(rowOf(item.msg), item.size);
  }
  log.queue.splice(0, n);
  list.append(frag);
  let drop = 0;
  for (let rows = log.sizes.length; rows - drop > ROWS_MAX || log.total > CHARS_MAX && rows - drop > 1; drop++) {
    log.total -= log.sizes[drop];
    list.firstChild.remove();
  }
  log.sizes.splice(0, drop);
  if (stuck) toEnd(); else fresh(below + n);
  if (log.queue.length) log.frame = requestAnimationFrame(draw);
}
function clearLog() {
  Object.assign(log, { queue: [], chars: 0, skipped: 0, sizes: [], total: 0, prev: null, day: '' });
  $('log').textContent = '';
  const li = make('li', 'empty', t('empty'));
  li.id = 'empty';
  $('log').append(li);
  fresh(0);
}

let formats = {};
const format = () => {
  const zh = page.lang === 'zh', tag = zh ? 'zh-CN' : undefined;
  formats = { clock: new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    full: new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium' }),
    day: new Intl.DateTimeFormat(zh ? 'zh-CN' : 'en-GB', { weekday: 'long', day: 'numeric', month: 'long' }) };
};
const timeOf = ms => new Date(Number.isFinite(ms) && Math.abs(ms) < 8e15 ? ms : Date.now());
const dayOf = ms => formats.day.format(timeOf(ms));

function rowOf(m) {
  const p = log.prev;
  const first = !p || p.from !== m.from || p.wire !== m.wire || p.side !== m.side || m.time - p.time > TOGETHER_MS;
  log.prev = m;
  const li = make('li', 'm' + (first ? ' first' : '') + (m.own ? ' own' : '')), when = timeOf(m.time);
  const time = make('time', '', formats.clock.format(when));
  time.dateTime = when.toISOString();
  time.title = formats.full.format(when);
  li.append(time);
  if (first) {
    const by = make('div', 'by');
    by.append(nickInto(make('b'), m.from), make('span', 'wire', m.side || m.wire));
    li.append(by);
  }
  const body = make('div', 'body'), said = make('span', 'text');
  put(said, m.text, true);
  if (m.text.length > 4000) { said.classList.add('long'); said.tabIndex = 0; said.style.display = 'block'; }
  body.append(said);
  if (m.raw) body.append(markOf(m, said));
  li.append(body);
  return li;
}
// The mark names how the bytes are read; each press reads the stored bytes anew, the next way.
function markOf(m, said) {
  const as = m.binary ? 'hex' : (m.coding || 'utf-8').toLowerCase();
  const mark = make('button', 'mark' + (m.guess ? ' guess' : ''));
  const ways = [...new Set([as, 'gb18030', 'utf-8', 'hex'])];
  let at = 0;
  const label = () => {
    const name = ways[at] === 'hex' ? (m.binary ? t('binary') : 'hex') : ways[at].toUpperCase();
    mark.textContent = name + (m.guess && at === 0 ? '?' : '');
    mark.title = t(m.guess && at === 0 ? 'guess' : 'other');
  };
  mark.type = 'button';
  mark.onclick = () => {
    at = (at + 1) % ways.length;
    said.classList.toggle('hex', ways[at] === 'hex');
    put(said, at === 0 ? m.text : decode(m.raw, ways[at]), true);
    mark.classList.toggle('guess', m.guess && at === 0);
    label();
  };
  if (m.binary) said.classList.add('hex');
  label();
  return mark;
}
function decode(raw, way) {
  try {
    const bytes = Uint8Array.from(atob(raw), c => c.charCodeAt(0));
    if (way === 'hex') return Array.from(bytes, b => b.toString(16).padStart(2, '0')).join(' ');
    return new TextDecoder(way, { ignoreBOM: true }).decode(bytes);
  } catch (e) { return '? ' + e.message; }
}

// ---------------------------------------------------------------- the outbox: kept until the room has it
// One in flight at a time: so the order holds even where the room refuses one as too fast.
const out = { list: [], busy: null, busyAt: 0, prefix: random(), n: 0 };

function saveOut() {
  const left = out.list.filter(e => !e.done).map(({ id, room, to, text }) => ({ id, room, to, text }));
  session('out', left.length ? JSON.stringify(left) : null);
}
function loadOut() {
  try {
    for (const e of JSON.parse(session('out') || '[]').slice(0, OUT_MAX))
      if (typeof e.id === 'string' && typeof e.text === 'string' && isRoom(e.room))
        out.list.push({ id: e.id, room: e.room, to: e.to ? text(e.to) : undefined, text: e.text });
  } catch { /* not ours: begin empty */ }
  showOut();
}
function showOut() {
  $('pending').textContent = '';
  for (const e of out.list) if (e.room === page.room) $('pending').append(pendingRow(e));
}
function pendingRow(e) {
  const p = log.prev;
  const first = !$('pending').lastChild && !(p?.own && !p.side && Date.now() - p.time <= TOGETHER_MS); // as rowOf will
  const li = make('li', 'm own' + (first ? ' first' : '')), body = make('div', 'body'), said = make('span', 'text');
  if (first) {
    const by = make('div', 'by');
    by.append(nickInto(make('b'), page.mine || page.nick || '…'));
    by.append(make('span', 'wire', e.to ? t('toThem', e.to) : wire()));
    li.append(by);
  }
  put(said, e.text, true);
  body.append(said);
  li.append(make('time', '', '…'), body);
  return e.row = li;
}
function say(words, to) { // false: refused, what was typed stays
  const chars = out.list.reduce((n, e) => n + e.text.length, words.length);
  if (out.list.length >= OUT_MAX || chars > OUT_CHARS_MAX) { hint(t('full')); return false; }
  const e = { id: out.prefix + '-' + ++out.n, room: page.room, to, text: words };
  out.list.push(e);
  saveOut();
  $('empty')?.remove();
  $('pending').append(pendingRow(e));
  toEnd();
  pump();
  return true;
}
function pump() {
  if (!link.up || out.busy) return;
  const e = out.list.find(x => !x.done && x.room === page.room);
  if (!e) return;
  out.busy = e.id;
  out.busyAt = Date.now();
  link.patience = PATIENCE_MS + e.text.length / 4; // a long one takes its time on a slow line
  send(e.to ? { do: 'to', id: e.id, nick: e.to, text: e.text } : { do: 'say', id: e.id, text: e.text });
}
function takeOut(id) { // the entry, gone from the outbox; its row stays until the message itself is drawn
  const i = out.list.findIndex(e => e.id === id);
  if (out.busy === id) out.busy = null;
  if (i < 0) return null;
  const [e] = out.list.splice(i, 1);
  saveOut();
  if (out.list.length) setTimeout(pump);
  return e;
}
function acked(m) {
  const id = text(m.id), e = out.list.find(x => x.id === id), offset = count(m.offset);
  if (out.busy === id) out.busy = null;
  if (e && e.to) {
    takeOut(id);
    showPrivate({ from: page.mine, side: t('toThem', e.to), text: e.text, own: true, time: Date.now() }, e.row);
  } else if (e && (offset === null || offset <= seat().offset)) takeOut(id).row?.remove();
  else if (e) { e.done = true; e.doneAt = Date.now(); saveOut(); }
  pump();
}
function refused(m) {
  const id = text(m.id) || out.busy, e = out.list.find(x => x.id === id);
  if (out.busy === id) out.busy = null;
  if (!e) return false;
  if (m.code === 'too-fast') { hint(t('too-fast')); setTimeout(pump, 1000); return true; }
  takeOut(id).row?.remove();
  tell(t('noRetell', reason(m)) + '\n' + e.text, 'bad');
  if (!$('text').value) {
    $('text').value = (e.to ? '/msg ' + e.to + ' ' : e.text[0] === '/' ? '/' : '') + e.text;
    typed();
  }
  return true;
}
const REASONS = ['nick-taken', 'too-fast', 'too-big', 'no-such-nick'];
const reason = m => REASONS.includes(m.code) ? t(m.code) : text(m.text) || text(m.code);

// ---------------------------------------------------------------- the link
const link = {
  ws: null, up: false, ever: false, state: 'connecting', tries: 0, timer: 0, patience: PATIENCE_MS,
  openAt: 0, upAt: 0, heardAt: 0, pingAt: 0, // when; 0: not
  trial: null, way: ['sse', 'poll'].includes(session('way')) ? session('way') : 'ws', fails: 0, // WebSockets that failed while HTTP answered
  ctl: null, token: '', byteAt: 0, triedAt: 0, // of HTTP
};
const seats = new Map(); // room: the last message seen there; http: how far HTTP has heard
const seat = () => {
  if (!seats.has(page.room)) seats.set(page.room, { epoch: null, offset: null, http: null });
  return seats.get(page.room);
};
const send = m => {
  if (link.ws?.readyState === WebSocket.OPEN) link.ws.send(JSON.stringify(m));
  else if (link.ctl && link.up) post(m);
};

function showLink(state) {
  link.state = state;
  Object.assign($('link').dataset, { state, way: link.way });
  const again = navigator.onLine || loopback ? 'again' : 'offline';
  let words = t({ here: 'connected', key: 'needKey', connecting: 'connecting', again }[state]);
  if (state === 'here' && link.way !== 'ws') words += ' · ' + t(link.way);
  if ($('status').textContent !== words) $('status').textContent = words;
  $('retry').hidden = state !== 'again';
}
function drop() { // forget the socket; a dead one may take minutes to say that it closed
  const { ws, ctl } = link;
  link.ws = link.ctl = null;
  link.up = false;
  link.pingAt = 0;
  out.busy = null;
  clearTimeout(link.timer);
  if (ws) { ws.onopen = ws.onmessage = ws.onclose = null; ws.close(); }
  ctl?.abort();
}
const socket = () => new WebSocket((secure ? 'wss://' : 'ws://') + location.host + '/~r/' + page.room, 'duplex.json');
function connect() {
  drop();
  if (link.way === 'ws' && link.fails >= FAILS) link.way = 'sse';
  session('way', link.way);
  showLink(link.ever ? 'again' : 'connecting');
  link.openAt = Date.now();
  if (link.way !== 'ws') { connectHttp(); return; }
  use(socket()).onopen = hello;
}
function use(ws) {
  link.ws = ws;
  ws.onmessage = e => { try { got(JSON.parse(e.data)); } catch (x) { if (!(x instanceof SyntaxError)) throw x; } };
  ws.onclose = e => lost(e.code);
  return ws;
}
function hello() {
  const s = seat(), m = { do: 'hello', me: page.me, last: LAST }, key = fragment().get('key');
  if (page.nick) m.nick = page.nick;
  if (key) m.key = key;
  if (s.offset !== null) { m.epoch = s.epoch; m.offset = s.offset; }
  send(m);
}
function got(m) {
  link.heardAt = Date.now();
  link.pingAt = 0;
  if (!m || typeof m !== 'object' || !Object.hasOwn(hear, m.is)) return;
  if (link.up || m.is === 'welcome' || m.is === 'error') hear[m.is](m);
}
function lost(code) {
  const stayed = link.up && Date.now() - link.upAt > 5000, { up, way } = link;
  drop();
  if (code === 4003 || link.state === 'key') { showLink('key'); return; }
  if (code === 4001) { page.me = random(); session('me', page.me); } // a copy of this tab took our place: be another
  if (stayed) link.tries = 0;
  if (way === 'sse' && code === HELD) link.way = 'poll';
  else if (!up && way !== 'ws') Object.assign(link, { way: 'ws', fails: 0 });
  else if (!up) answers().then(yes => { link.fails = yes ? link.fails + 1 : 0; });
  const wait = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 1.7 ** link.tries++) * (0.5 + Math.random() / 2);
  link.ever = true;
  showLink('again');
  link.timer = setTimeout(connect, wait);
}
function now() { link.tries = 0; link.state = 'again'; connect(); }
function again() { if (link.up) { probe(); trial(); } else if (!link.ws && !link.ctl && link.state !== 'key') now(); }
function probe() { // is anybody there? Answered soon, or the link is dead.
  if (!link.up) return;
  link.patience = PATIENCE_MS / 2;
  link.pingAt ||= Date.now();
  send({ do: 'ping' });
}
function tick() {
  const at = Date.now();
  if (!link.ws && !link.ctl) return;
  if (!link.up) { if (at - link.openAt > (link.way === 'sse' ? HELD_MS : OPEN_MS)) lost(HELD); return; }
  if (link.ctl && heldBack(at)) return;
  // Silence after a question is death; so what is heard of others in between only starts the clock anew.
  const asked = link.pingAt || out.busy && out.busyAt;
  if (!asked) link.patience = PATIENCE_MS;
  else if (at - Math.max(asked, link.heardAt) > link.patience) { lost(0); return; }
  if (!link.pingAt && at - link.heardAt > PING_MS) { link.pingAt = at; send({ do: 'ping' }); }
  if (out.busy && at - out.busyAt > ACK_MS) { out.busy = null; pump(); } // others are heard, our answer is not: again
}

// ---------------------------------------------------------------- the link by HTTP alone
// A stream of events, or where something on the way holds it back one long poll after another; what is said is a POST. fetch
// and not EventSource, because secrets go in fields: URLs are kept in logs.
const HELD = 1; // lost() is told that nothing came of the stream
const ASCII = /^[\x21-\x7e]+$/;
function fields(more) {
  const f = { 'Duplex-Me': page.me, ...more }, key = fragment().get('key');
  if (key && ASCII.test(key)) f['Duplex-Key'] = key;
  return f;
}
async function answers() { // is it the WebSocket alone that does not work?
  try { return (await fetch('/~page.js', { cache: 'no-cache', signal: AbortSignal.timeout(3000) })).ok; }
  catch { return false; }
}
function heardTo(at) { // "EPOCH.OFFSET" or with the number of what only we are told
  const [epoch, offset, number] = at.split('.'), s = seat(), n = count(Number(offset));
  if (n !== null) s.http = { epoch, offset: n, number: number ?? (s.http?.epoch === epoch ? s.http.number : undefined) };
}
function cursor() {
  const { epoch, offset, http } = seat();
  if (http && http.epoch === epoch)
    return epoch + '.' + Math.max(http.offset, offset ?? 0) + (http.number === undefined ? '' : '.' + http.number);
  return offset === null ? null : epoch + '.' + offset;
}
function connectHttp() {
  const ctl = link.ctl = new AbortController(), mine = () => link.ctl === ctl;
  link.byteAt = Date.now();
  (link.way === 'sse' ? stream : polls)(ctl.signal, mine).catch(e => e.code).then(code => { if (mine()) lost(code || 0); });
}
async function ask(signal, first) { // the response; null: no news
  const s = seat(), q = new URLSearchParams(), at = cursor();
  if (first) { q.set('hello', ''); q.set('last', LAST); if (page.nick) q.set('nick', page.nick); }
  const f = fields({ Accept: link.way === 'sse' ? 'text/event-stream' : 'application/json' });
  if (at) f['Last-Event-ID'] = at;
  const r = await fetch('/~r/' + page.room + '?' + q, { headers: f, signal, cache: 'no-store' });
  link.byteAt = Date.now();
  if (r.status === 204) return null;
  if (!r.ok) throw { code: await refusal(r) };
  return r;
}
async function refusal(r) { // as the code with which a WebSocket would have been closed
  let code;
  try { code = (await r.json())[0].code; } catch { /* not from the room: something on the way */ }
  if (code === 'bad-key') { hear.error({ code }); return 4003; }
  return code === 'taken-over' ? 4001 : 0;
}
async function stream(signal, mine) {
  const reader = (await ask(signal, true)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', id = null, data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done || !mine()) return 0;
    link.byteAt = Date.now();
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('id: ')) id = line.slice(4);
      else if (line.startsWith('data: ')) data.push(line.slice(6));
      else if (line === '' && data.length) {
        got(JSON.parse(data.join('\n')));
        if (!mine()) return 0;
        if (id !== null) heardTo(id);
        data = [];
      }
    }
  }
}
async function polls(signal, mine) {
  for (let first = true; ; first = first && !link.up) {
    const r = await ask(signal, first), list = r ? await r.json() : [];
    link.byteAt = Date.now();
    for (const m of list) { if (!mine()) return 0; got(m); }
    if (!mine()) return 0;
  }
}
async function post(m) {
  const { ctl } = link, mine = () => link.ctl === ctl;
  try {
    const r = await fetch('/~r/' + page.room, { method: 'POST', body: JSON.stringify(m), signal: ctl.signal, cache: 'no-store',
      headers: fields({ 'Content-Type': 'application/json', 'Duplex-Token': link.token }) });
    // What it refuses for its own sake is said again after a welcome; what it refuses of the words themselves, is not.
    if (!r.ok && r.status !== 413 && r.status !== 429) throw { code: await refusal(r) };
    for (const e of await r.json()) if (mine()) got(e);
  } catch (e) { if (mine()) lost(e.code === 4001 || e.code === 4003 ? e.code : 0); }
}
function leave() { // a page that only went out of sight comes back by again()
  if (link.way === 'ws' || !link.token) return;
  fetch('/~r/' + page.room, { method: 'POST', body: '{"do":"leave"}', keepalive: true,
    headers: fields({ 'Content-Type': 'application/json', 'Duplex-Token': link.token }) }).catch(() => {});
  drop();
}
function heldBack(at) { // true: it was, and is given up
  if (link.way === 'sse' && out.list.some(e => e.done && e.room === page.room && at - e.doneAt > HELD_MS)) lost(HELD);
  else if (at - link.byteAt > DEAD_MS) lost(0);
  else if (at - link.triedAt > TRIAL_MS) trial();
  return !link.ctl;
}
function trial() { // is there a WebSocket again? Only one that stands takes over.
  if (!link.ctl || link.trial) return;
  link.triedAt = Date.now();
  const ws = link.trial = socket(), room = page.room;
  setTimeout(() => { if (link.trial === ws) { link.trial = null; ws.onopen = null; ws.close(); } }, OPEN_MS);
  ws.onclose = () => { if (link.trial === ws) link.trial = null; };
  ws.onopen = () => {
    link.trial = null;
    if (!link.ctl || page.room !== room) { ws.close(); return; }
    drop();
    Object.assign(link, { way: 'ws', fails: 0, openAt: Date.now() });
    session('way', 'ws');
    showLink('again');
    use(ws);
    hello();
  };
}

const hear = {
  welcome(m) {
    const s = seat(), epoch = text(m.epoch), before = page.mine;
    if (s.epoch !== epoch) {
      if (s.epoch !== null) tell(t('anew'), 'warn');
      for (const e of out.list.filter(x => x.done && x.room === page.room)) // acknowledged by what is gone now
        enqueue({ msg: { from: page.mine, wire: wire(), text: e.text, time: Date.now(), own: true },
          pending: takeOut(e.id).row, size: e.text.length });
      s.epoch = epoch;
      s.offset = m.offset === 0 ? 0 : null;
    }
    page.mine = text(m.nick);
    page.urls = Array.isArray(m.urls) ? m.urls.slice(0, 50).map(text) : [];
    page.version = text(m.version);
    $('files').hidden = m.files !== true;
    page.pin = /^sha256:[\w+/=]+$/.test(text(m.pin)) ? m.pin : '';
    if (page.nick && page.mine !== page.nick && before !== page.mine) tell(t('taken', page.nick, page.mine));
    if (link.way === 'ws') link.fails = 0; else link.triedAt ||= Date.now();
    link.token = text(m.token);
    Object.assign(link, { up: true, ever: true, upAt: Date.now(), heardAt: Date.now() });
    showLink('here');
    showNick();
    showLines();
    if (link.ws) send({ do: 'who' }); // HTTP brings it by itself
    pump();
  },
  msg(m) {
    const s = seat(), offset = count(m.offset);
    if (offset === null || s.offset !== null && offset <= s.offset) return; // seen
    if (s.offset !== null && offset > s.offset + 1) hear.missed({ count: offset - s.offset - 1 });
    s.offset = offset;
    const mine = m.id === undefined ? null : takeOut(text(m.id));
    for (const e of out.list.filter(x => x.done && x.room === page.room)) if (e.id !== m.id) sweep(e, offset);
    const msg = { from: text(m.from), wire: text(m.wire), text: text(m.text), time: m.time, coding: text(m.coding),
      guess: m.guess === true, binary: m.binary === true, raw: text(m.raw),
      own: mine !== null || text(m.from) === page.mine };
    enqueue({ msg, pending: mine?.row, size: msg.text.length + msg.raw.length });
  },
  missed(m) {
    const n = count(m.count), s = seat();
    if (!n) return;
    if (s.offset !== null) s.offset += n;
    tell(t('missed', n), 'warn');
  },
  ack(m) { const e = out.list.find(x => x.id === m.id); if (e) e.offset = count(m.offset); acked(m); },
  who(m) {
    const members = (Array.isArray(m.members) ? m.members : []).slice(0, 1000).filter(x => x && typeof x === 'object');
    page.members = members.map(x => ({ nick: text(x.nick), wire: text(x.wire) }));
    page.membersMore = count(m.more) || 0;
    whoFrame ||= requestAnimationFrame(showWho);
  },
  private(m) { showPrivate({ from: text(m.from), side: t('toYou', ''), text: text(m.text), time: m.time }); },
  nick(m) {
    page.mine = text(m.nick);
    page.nick = page.mine;
    local('nick', page.nick);
    tell(t('nickNow', page.mine));
    showNick();
  },
  pong() {},
  at(m) { heardTo(text(m.at)); },
  error(m) {
    if (m.code === 'bad-key') { showLink('key'); tell(t('keyHow'), 'warn'); return; }
    if (m.code === 'taken-over' || m.code === 'closing') { lost(m.code === 'closing' ? 0 : 4001); return; } // a stream ends
    if (m.code === 'nick-taken' || !refused(m)) tell(reason(m), 'warn');
  },
};
// An acknowledged message whose offset has gone by without it (the ring moved on): it is in the room, its row may go.
function sweep(e, offset) { if (e.offset != null && e.offset < offset) takeOut(e.id).row?.remove(); }
function showPrivate(m, pending) {
  enqueue({ msg: { wire: '', coding: '', raw: '', ...m, side: m.side.trim() }, pending, size: m.text.length });
}

// ---------------------------------------------------------------- who is here, and how others come in
let whoFrame = 0;
const WIRES = ['ws', 'wss', 'http', 'https', 'tty', 'tcp', 'tls', 'unix', 'unixgram', 'udp', 'quic'];
function showWho() {
  whoFrame = 0;
  const by = new Map(), who = $('who'), rank = w => (WIRES.indexOf(w) + 1 || 99);
  for (const m of page.members) { if (!by.has(m.wire)) by.set(m.wire, []); by.get(m.wire).push(m.nick); }
  const all = page.members.length + page.membersMore;
  let room = WHO_MAX;
  who.textContent = '';
  $('count').textContent = all;
  for (const wire of [...by.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
    const nicks = by.get(wire).sort((a, b) => a.localeCompare(b, undefined, { numeric: true })), ul = make('ul');
    who.append(make('h3', '', (Object.hasOwn(WORDS.en, wire) ? t(wire) : wire) + ' · ' + nicks.length), ul);
    for (const nick of nicks.slice(0, room)) {
      const li = make('li'), b = nickInto(make('button'), nick);
      b.type = 'button';
      b.onclick = () => { compose('/msg ' + nick + ' '); };
      li.append(b);
      ul.append(li);
    }
    room -= Math.min(room, nicks.length);
  }
  if (all > WHO_MAX) who.append(make('p', 'soft', t('andMore', all - WHO_MAX + room)));
}
const quote = s => /^[\w@%+=:,./-]+$/.test(s) ? s : "'" + s.replace(/'/g, "'\\''") + "'";

function clients() {
  const bare = location.hostname.replace(/^\[|\]$/g, ''), port = location.port || (secure ? '443' : '80');
  const at = location.hostname + ':' + port, path = page.room === 'lobby' ? '/' : '/' + page.room, hi = t('hello');
  const unix = loopback && page.urls.find(u => u.startsWith('unix:'))?.replace(/^unix:(\/\/)?/, '');
  const python = (words, coding) => `import socket
s = socket.create_connection(('${bare}', ${port}))
s.send('${words}'.encode('${coding}'))
print(s.recv(1024).decode('${coding}'))`;
  return [
    ['nc', `nc ${bare} ${port}`],
    ['nc, UDP', `nc -u ${bare} ${port}`],
    ...unix ? [['nc, Unix', `nc -U ${quote(unix)}`]] : [],
    ...page.pin ? [['duplex, TLS', `duplex dial --pin ${page.pin} tls://${at}`]] : [],
    ['duplex', `duplex dial tcp://${at}`],
    ...page.pin ? [['openssl, TLS', `openssl s_client -quiet -connect ${at}`]] : [],
    ['websocat', `websocat ${WIRE}://${at}${path}`],
    ['Python', python(hi, 'utf-8')],
    ['Python, GB2312', python('你好', 'gb2312')],
    ['C#', `using System;
using System.Net.Sockets;
using System.Text;

class Hello {
    static void Main() {
        var s = new TcpClient("${bare}", ${port}).GetStream();
        var b = Encoding.UTF8.GetBytes("${hi}\\n");
        s.Write(b, 0, b.Length);
        b = new byte[1024];
        Console.WriteLine(Encoding.UTF8.GetString(b, 0, s.Read(b, 0, b.Length)));
    }
}`],
    ['PowerShell', `$s = [Net.Sockets.TcpClient]::new('${bare}', ${port}).GetStream()
$b = [Text.Encoding]::UTF8.GetBytes("${hi}\`n")
$s.Write($b, 0, $b.Length)
$b = [byte[]]::new(1024)
[Text.Encoding]::UTF8.GetString($b, 0, $s.Read($b, 0, 1024))`],
  ];
}
function showLines() {
  const into = $('lines'), key = fragment().get('key');
  const open = new Set([...into.querySelectorAll('details[open]')].map(d => d.dataset.name));
  into.textContent = '';
  const add = (name, shown, real) => {
    const long = shown.includes('\n'), item = make('div', 'item'), d = make(long ? 'details' : 'div', 'line');
    const b = make('button', 'quiet', t('copy'));
    d.dataset.name = name;
    if (long) { d.open = open.has(name); d.append(make('summary', '', name)); }
    d.append(make('pre', '', shown));
    b.type = 'button';
    b.setAttribute('aria-label', t('copy') + ': ' + name);
    b.onclick = async () => {
      await copy(real);
      b.textContent = t('copied');
      setTimeout(() => { b.textContent = t('copy'); }, 1500);
    };
    item.append(d, b);
    into.append(item);
  };
  const first = (key ? '/key ' + key + '\n' : '') + (page.room === 'lobby' ? '' : '/join ' + page.room + '\n');
  if (first) {
    into.append(make('p', 'soft', t('first')));
    add(t('first'), first.replace(key || '\0', '••••').trim().replace('\n', ' ⏎ '), first);
  }
  for (const [name, line] of clients()) add(name, line, line);
}
async function copy(s) { // the clipboard API is there on https and localhost only; the old way works on any address
  try { await navigator.clipboard.writeText(s); return; } catch { /* the old way */ }
  const area = make('textarea'), was = document.activeElement;
  area.value = s;
  area.setAttribute('aria-hidden', 'true');
  area.style.cssText = 'position:fixed;opacity:0';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  was?.focus();
}

// ---------------------------------------------------------------- the input
const said = { list: [], at: 0, kept: '' };
let hintTimer = 0;
function hint(words) {
  $('tell').textContent = words;
  clearTimeout(hintTimer);
  hintTimer = setTimeout(() => { $('tell').textContent = ''; }, 6000);
}
function typed() {
  const e = $('text');
  e.style.height = 'auto';
  e.style.height = Math.min(e.scrollHeight, 168) + 'px';
  session('draft', e.value || null);
  if (stuck) toEnd();
}
function compose(s) {
  const e = $('text');
  e.value = s;
  e.focus();
  e.setSelectionRange(s.length, s.length);
  typed();
  panel(false);
}
function submit() {
  const e = $('text'), s = e.value;
  if (!s.trim()) return;
  const size = new Blob([s]).size;
  if (size > SAY_BYTES_MAX) { hint(t('tooBig', Math.ceil(size / 1024))); return; }
  if (s.trim() === 'exit') { COMMANDS.quit(); e.value = ''; typed(); return; }
  if (!(/^\/(?!\/)/.test(s) ? command(s) : say(s.replace(/^\/\//, '/')))) return;
  said.list.push(s);
  if (said.list.length > SAID_MAX) said.list.shift();
  said.at = said.list.length;
  e.value = '';
  typed();
}
function command(s) {
  const [, name, rest] = /^\/(\S*)\s*([^]*)$/.exec(s), does = Object.hasOwn(COMMANDS, name) && COMMANDS[name];
  if (!does) { hint(t('unknown', '/' + name)); return false; }
  return does(rest.trim()) !== false;
}
const COMMANDS = {
  help() { tell(t('help')); toEnd(); },
  nick(name) {
    if (!name) return hint(t('nickTitle')), false;
    if (link.up) send({ do: 'nick', nick: name });
    else { page.nick = name; local('nick', name); showNick(); }
  },
  join(name) {
    name = name.replace(/^#/, '');
    if (!isRoom(name)) return hint(t('badRoom')), false;
    enter(name);
  },
  who() {
    panel(true);
    tell(page.members.slice(0, WHO_MAX).map(m => m.nick + ' (' + m.wire + ')').join(', ') || t('nobody'));
    send({ do: 'who' });
  },
  msg(rest) {
    const m = /^(\S+)\s+([^]+)$/.exec(rest);
    if (!m) return hint('/msg NAME TEXT'), false;
    return say(m[2], m[1]);
  },
  quit() { tell(t('leave')); toEnd(); },
  lan() { tell(t('lanHow')); toEnd(); },
  key(key) { setFragment('key', key); now(); showLines(); },
};
function enter(name) {
  if (name === page.room) return;
  const left = out.list.filter(e => !e.done && e.room === page.room).length, was = page.room;
  leave();
  page.room = name;
  setFragment('room', name === 'lobby' ? '' : name);
  Object.assign(seat(), { epoch: null, offset: null });
  page.members = [];
  clearLog();
  showOut();
  showWho();
  title();
  link.ever = false;
  tell(t('joined', name));
  if (left) tell(t('elsewhere', left, was), 'warn');
  connect();
}
let tab = null; // what Tab completes: pressed again it offers the next
function complete() {
  const e = $('text'), at = e.selectionStart;
  if (at !== e.selectionEnd) return false;
  if (!tab || tab.at !== at || tab.value !== e.value) {
    const word = /\S*$/.exec(e.value.slice(0, at))[0], from = at - word.length;
    if (!word) return false;
    const all = from === 0 && word[0] === '/' ? Object.keys(COMMANDS).map(c => '/' + c) : page.members.map(m => m.nick);
    tab = { from, n: -1, found: all.filter(x => x.toLowerCase().startsWith(word.toLowerCase())).sort() };
  } else if (!tab.found.length) return false;
  if (!tab.found.length) { tab = null; return false; }
  tab.n = (tab.n + 1) % tab.found.length;
  e.setRangeText(tab.found[tab.n] + ' ', tab.from, at, 'end');
  tab.at = e.selectionStart;
  tab.value = e.value;
  typed();
  return true;
}
function recall(step) {
  const e = $('text');
  if (said.at === said.list.length) said.kept = e.value;
  const at = said.at + step;
  if (at < 0 || at > said.list.length) return;
  said.at = at;
  compose(at === said.list.length ? said.kept : said.list[at]);
}
function onKey(ev) {
  const e = $('text');
  if (ev.isComposing || ev.keyCode === 229) return; // Enter that chooses a character in an input method is not ours
  const above = e.value.slice(0, e.selectionStart).includes('\n'), under = e.value.slice(e.selectionEnd).includes('\n');
  const recalled = said.at < said.list.length;
  let ours = true;
  if (ev.key === 'Enter' && !ev.shiftKey && !ev.ctrlKey && !ev.altKey) submit();
  else if (ev.key === 'Tab' && !ev.shiftKey) ours = complete();
  else if (ev.key === 'ArrowUp' && !above && (!e.value || recalled)) recall(-1);
  else if (ev.key === 'ArrowDown' && !under && recalled) recall(1);
  else ours = false;
  if (ours) ev.preventDefault();
}

// ---------------------------------------------------------------- around it
const title = () => {
  document.title = (page.unseen ? '(' + page.unseen + ') ' : '') + '#' + page.room + ' · duplex';
  $('room').textContent = '#' + page.room;
};
const showNick = () => {
  put($('nick').firstElementChild, page.mine || page.nick || '…', false);
  $('version').textContent = page.version && 'duplex ' + page.version;
};
function panel(open) {
  document.body.classList.toggle('side', open);
  $('panel').setAttribute('aria-expanded', open);
}
function showWords() {
  document.documentElement.lang = page.lang === 'zh' ? 'zh-CN' : 'en';
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll('[data-label]')) e.setAttribute('aria-label', t(e.dataset.label));
  for (const e of document.querySelectorAll('[data-title]')) e.title = t(e.dataset.title);
  $('text').placeholder = t('sayHint');
  $('lang').textContent = page.lang === 'zh' ? 'English' : '中文';
  $('lang').title = t('lang');
  $('theme').textContent = { auto: '◐', light: '☀', dark: '☾' }[page.theme];
  $('theme').title = t('theme', t(page.theme));
  $('theme').setAttribute('aria-label', $('theme').title);
  if ($('empty')) $('empty').textContent = t('empty');
  format();
  showLink(link.state);
  showLines();
  showWho();
}
function start() {
  if (!['auto', 'light', 'dark'].includes(page.theme)) page.theme = 'auto';
  format();
  clearLog();
  showWords();
  showNick();
  title();
  loadOut();
  const e = $('text');
  e.value = session('draft') || '';
  typed();
  e.onkeydown = onKey;
  e.oninput = () => { tab = null; said.at = said.list.length; typed(); };
  $('send').onclick = () => { submit(); e.focus(); };
  $('nick').onclick = () => compose('/nick ');
  $('down').onclick = () => { toEnd(); e.focus(); };
  $('retry').onclick = () => { now(); e.focus(); };
  $('lang').onclick = () => { page.lang = page.lang === 'zh' ? 'en' : 'zh'; local('lang', page.lang); showWords(); };
  $('theme').onclick = () => {
    page.theme = { auto: 'dark', dark: 'light', light: 'auto' }[page.theme];
    local('theme', page.theme);
    applyTheme();
    showWords();
  };
  $('panel').onclick = () => panel(!document.body.classList.contains('side'));
  $('scroll').addEventListener('scroll', () => { stuck = atEnd(); if (stuck && below) fresh(0); }, { passive: true });
  addEventListener('resize', () => { if (stuck) toEnd(); });
  addEventListener('keydown', ev => {
    if (ev.key === 'Escape') { panel(false); e.focus(); }
    // Typing anywhere is typing here; keys that buttons and links use stay theirs.
    else if (ev.key.length === 1 && ev.key !== ' ' && !ev.ctrlKey && !ev.metaKey && !ev.altKey) e.focus();
  });
  addEventListener('online', () => { if (link.up) again(); else if (link.state !== 'key') now(); });
  addEventListener('offline', () => { showLink(link.state); probe(); });
  addEventListener('hashchange', () => {
    if (roomOfFragment() !== page.room) return enter(roomOfFragment());
    showLines();
    if (link.state === 'key') now();
  });
  addEventListener('beforeunload', ev => { if (out.list.some(x => !x.done) && !link.up) ev.preventDefault(); });
  addEventListener('pagehide', () => { saveOut(); leave(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { page.unseen = 0; title(); again(); } });
  setInterval(tick, 1000);
  e.focus();
  connect();
}
document.addEventListener('DOMContentLoaded', start);
})();
