#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_page_fake.py - the page in real Chromium against a room that misbehaves (fake_room.py)."""
import re

from fake_room import WEB, FakeRoom
from on_page import case, enter, in_state, noted, run_cases, shown, texts, value, wait
from webdriver import DOWN, ENTER, ESCAPE, SLOW, TAB, UP


@case
def under_100_kB_and_nothing_from_outside(b):
    files = {f.name: f.read_text() for f in WEB.iterdir()}
    assert sum(len(s.encode()) for s in files.values()) < 100_000, {n: len(s) for n, s in files.items()}
    for name, s in files.items():
        outside = set(re.findall(r'(?:https?:)?//[\w.-]+\.\w+', s)) - {'http://www.w3.org'}
        assert not outside, (name, outside)
    assert not re.search(r'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function', files['page.js'])


@case
def the_input_has_the_focus_and_the_last_messages_are_there(b):
    with FakeRoom() as room:
        for i in range(150):
            room.say('bob', f'old {i}')
        enter(b, room.url)
        shown(b, 'old 149')
        assert texts(b) == [f'old {i}' for i in range(50, 150)]
        assert b.run('return document.activeElement.id') == 'text'
        b.keys('typed at once' + ENTER)
        shown(b, 'typed at once')
        b.until('return !document.querySelector("#pending").firstChild')
        assert room.rooms['lobby'].ring[-1]['text'] == 'typed at once'


@case
def nothing_shifts_while_it_loads(b):
    with FakeRoom() as room:
        for i in range(50):
            room.say('bob', f'old {i}')
        enter(b, room.url)
        shown(b, 'old 49')
        shift = b.run('''return new Promise(done => { let sum = 0;
            new PerformanceObserver(l => { for (const e of l.getEntries()) sum += e.value; }).observe({type: 'layout-shift', buffered: true});
            requestAnimationFrame(() => setTimeout(() => done(sum), 100)); })''')
        assert shift < 0.02, shift


@case
def the_nick_is_remembered(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        enter(b, room.url)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        wait(lambda: room.hellos[-1].get('nick') == 'ada', 'hello says the nick')


@case
def a_taken_nick_says_so_and_stays_wanted(b):
    with FakeRoom() as room:
        room.seat('ada', room='elsewhere')
        enter(b, room.url)
        b.keys('/nick ada' + ENTER)
        noted(b, 'That name is taken')
        b.run('localStorage.setItem("duplex.nick", "ada")')
        enter(b, room.url)
        noted(b, 'ada is taken; you are ada-2 here')
        assert b.run('return localStorage.getItem("duplex.nick")') == 'ada'


@case
def who_is_here_by_wire(b):
    with FakeRoom() as room:
        for i, wire in enumerate(['tcp', 'udp', 'tcp', 'unix', 'carrier pigeon']):
            room.seat(f'm{i}', wire)
        enter(b, room.url)
        b.until('return document.querySelectorAll("#who li").length === 6')
        assert texts(b, '#who h3') == ['browser, WebSocket · 1', 'TCP · 2', 'Unix socket · 1', 'UDP · 1', 'carrier pigeon · 1']
        b.run('document.querySelectorAll("#who button")[1].click()')
        assert value(b) == '/msg m0 '


@case
def thousands_of_members_do_not_fill_the_page(b):
    with FakeRoom() as room:
        enter(b, room.url)
        members = ','.join('{"nick":"n%d","wire":"tcp"}' % i for i in range(700))
        room.send_raw('{"is":"who","members":[%s],"more":300}' % members)
        b.until('return document.querySelector("#count").textContent === "1000"')
        assert b.run('return document.querySelectorAll("#who li").length') == 200
        assert texts(b, '#who p') == ['and 800 more']


@case
def chinese_by_the_browsers_language_and_a_switch_that_is_remembered(b):
    agent = b.run('return navigator.userAgent')
    with FakeRoom() as room:
        try:
            b.cdp('Emulation.setUserAgentOverride', userAgent=agent, acceptLanguage='zh-CN')
            enter(b, room.url)
            b.until('return document.querySelector("#status").textContent === "已连接"')
            assert b.run('return document.documentElement.lang') == 'zh-CN'
            b.click('#lang')
            b.until('return document.querySelector("#status").textContent === "connected"')
            enter(b, room.url)
            assert b.run('return document.documentElement.lang') == 'en'
        finally:
            b.cdp('Emulation.setUserAgentOverride', userAgent=agent, acceptLanguage='en-US')


@case
def both_languages_have_the_same_words(b):
    js = (WEB / 'page.js').read_text()
    words = js[js.index('const WORDS'):js.index('const t =')]
    en, zh = words.split('\n  zh: {')
    keys = [set(re.findall(r"(?:^|[{,\s])'?([a-z][\w-]*)'?: '", s)) for s in (en, zh)]
    assert keys[0] == keys[1] and len(keys[0]) > 50, keys[0] ^ keys[1]
    html = (WEB / 'index.html').read_text()
    used = set(re.findall(r"\bt\('([\w-]+)'", js)) | set(re.findall(r'data-(?:t|label|title)="(\w+)"', html))
    assert used <= keys[0], used - keys[0]


@case
def dark_as_the_system_and_a_switch_that_is_remembered(b):
    ground = 'return getComputedStyle(document.body).backgroundColor'
    with FakeRoom() as room:
        try:
            enter(b, room.url)
            b.scheme('light')
            light = b.run(ground)
            b.scheme('dark')
            dark = b.run(ground)
            assert light != dark
            b.click('#theme')
            b.click('#theme')
            assert b.run(ground) == light
            enter(b, room.url)
            assert b.run(ground) == light
        finally:
            b.scheme('light')


@case
def contrast_is_enough_in_both_themes(b):
    with FakeRoom() as room:
        enter(b, room.url)
        low = b.run('''
            const out = [], dot = document.body.appendChild(document.createElement('i'));
            const rgb = c => { dot.style.color = c; return getComputedStyle(dot).color.match(/[\\d.]+/g).slice(0, 3).map(Number); };
            const lum = c => rgb(c).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                .reduce((n, v, i) => n + v * [.2126, .7152, .0722][i], 0);
            for (const theme of ['light', 'dark']) {
                document.documentElement.dataset.theme = theme;
                const css = getComputedStyle(document.documentElement), v = n => css.getPropertyValue(n).trim();
                const fore = ['--ink', '--soft', '--accent', '--warn', '--bad'].map(v);
                for (let h = 0; h < 360; h += 15) fore.push(`hsl(${h} ${v('--nick-s')} ${v('--nick-l')})`);
                for (const back of ['--bg', '--panel', '--own', '--field'].map(v))
                    for (const f of fore) {
                        const [a, b] = [lum(f), lum(back)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
                        if (ratio < 4.5) out.push([theme, f, back, ratio.toFixed(2)]);
                    }
            }
            delete document.documentElement.dataset.theme;
            dot.remove();
            return out;''')
        assert not low, low


@case
def one_click_reads_the_stored_bytes_anew(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.say_bytes('py', '你好'.encode('gb2312'))
        shown(b, '你好')
        assert texts(b, '#log .mark') == ['GB18030']
        seen = []
        for _ in range(3):
            b.click('#log .mark')
            seen.append((texts(b)[-1], texts(b, '#log .mark')[-1]))
        assert seen == [('\ufffd\ufffd\ufffd', 'UTF-8'), ('c4 e3 ba c3', 'HEX'.lower()), ('你好', 'GB18030')], seen


@case
def a_guess_is_marked_and_one_click_takes_the_other_reading(b):
    with FakeRoom() as room:
        enter(b, room.url)
        raw = '什么'.encode('gb2312')  # also valid UTF-8
        room.say_bytes('py', raw, coding='utf-8', guess=True)
        shown(b, raw.decode())
        assert texts(b, '#log .mark.guess') == ['UTF-8?']
        b.click('#log .mark')
        assert texts(b) == ['什么'] and texts(b, '#log .mark') == ['GB18030']


@case
def binary_shows_as_hex(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.say('dev', 'aa 55 41', binary=True, raw='qlVB')
        shown(b, 'aa 55 41', '#log .text.hex')
        assert texts(b, '#log .mark') == ['binary']
        room.say('dev', 'x', coding='no-such-coding', raw='%%%')
        shown(b, 'x')
        b.run('[...document.querySelectorAll("#log .mark")].pop().click()')
        b.until('return [...document.querySelectorAll("#log .text")].pop().textContent.startsWith("?")')


@case
def what_others_say_stays_text(b):
    evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>javascript:alert(1) <b>'
    with FakeRoom() as room:
        room.say(evil, evil, wire=evil, coding=evil, raw='QQ==')
        room.seat(evil, evil)
        enter(b, room.url)
        shown(b, evil)
        room.send_raw('{"is":"error","code":"%s","text":"<img src=x>"}' % 'toString')
        noted(b, '<img src=x>')
        room.send_raw('{"is":"private","from":"<i>","to":"me","text":"<u>","time":"never"}')
        shown(b, '<u>')
        for odd in ('null', '[]', '"x"', '{"is":"constructor"}', '{"is":"msg","offset":"5","text":1}', '{', '{"is":"who","members":[null,5]}',
                    '{"is":"msg","offset":-1,"text":"no"}', '{"is":"ack"}', '{"is":"missed","count":"many"}'):
            room.send_raw(odd)
        room.say('bob', 'after all that')
        shown(b, 'after all that')
        assert b.run('return document.querySelectorAll("main img, aside img, script:not([src]), main i, main u, aside h3 b").length') == 0
        assert not b.run('return window.pwned')


@case
def controls_and_bidi_marks_are_made_visible(b):
    with FakeRoom() as room:
        room.say('a\u202eb\nbob', 'x\u202ey\x1b[31m\u200bz\u0085\u00ad\U000e0041 \ufeff\n\t👩\u200d💻 1\ufe0f\u20e3 ❤\ufe0f')
        enter(b, room.url)
        b.until('return document.querySelector("#log .text")')
        assert texts(b) == ['xRLOyESC[31mZWSPz\\x85\\xadU+E0041 BOM\n\t👩\u200d💻 1\ufe0f\u20e3 ❤\ufe0f'], texts(b)
        assert texts(b, '#log b') == ['aRLObLFbob']
        assert len(texts(b, '#log .text .ctl')) == 7


@case
def links_are_http_only_and_give_nothing_away(b):
    with FakeRoom() as room:
        room.say('bob', 'see https://example.org/a?b=c#d. and (http://[::1]:80/x), javascript://x file://y')
        enter(b, room.url)
        b.until('return document.querySelector("#log a")')
        links = b.run('return [...document.querySelectorAll("#log a")].map(a => [a.textContent, a.rel])')
        assert [x[0] for x in links] == ['https://example.org/a?b=c#d', 'http://[::1]:80/x'], links
        assert all('noopener' in x[1] and 'noreferrer' in x[1] for x in links)


@case
def a_repeated_message_is_shown_once_and_a_gap_is_named(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.say('bob', 'one')
        shown(b, 'one')
        room.send_raw('{"is":"msg","offset":1,"from":"bob","wire":"tcp","text":"one","time":1}')
        room.leave_out(3)
        room.say('bob', 'five')
        shown(b, 'five')
        noted(b, '3 missed')
        assert texts(b) == ['one', 'five']


@case
def what_was_missed_while_away_comes_once_and_in_order(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.say('bob', 'before')
        shown(b, 'before')
        room.mute = True
        room.hang_up()
        in_state(b, 'again')
        b.keys('typed away 1' + ENTER + 'typed away 2' + ENTER)
        assert texts(b, '#pending .text') == ['typed away 1', 'typed away 2']
        for i in range(1500):
            room.say('bob', f'away {i}')
        room.mute = False
        room.hang_up()
        in_state(b, 'here')
        shown(b, 'typed away 2')
        b.until('return !document.querySelector("#pending").firstChild')
        assert texts(b) == ['before', *(f'away {i}' for i in range(1500)), 'typed away 1', 'typed away 2']
        assert not [x for x in texts(b, '#log .note') if 'missed' in x or 'skipped' in x]


@case
def what_the_ring_no_longer_has_is_said(b):
    with FakeRoom() as room:
        room.say('bob', 'first')
        enter(b, room.url)
        shown(b, 'first')
        room.mute = True
        room.hang_up()
        room.flood(6000)
        room.mute = False
        room.hang_up()
        noted(b, '1000 missed')
        shown(b, 'flood 5999')


@case
def an_acknowledgement_lost_on_the_way_does_not_say_it_twice(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.no_ack = True
        room.do(patched_deaf(room))  # the page's own message does not come back either
        b.keys('only once' + ENTER)
        wait(lambda: any(m.get('text') == 'only once' for m in room.heard), 'said')
        assert texts(b, '#pending .text') == ['only once']
        room.no_ack = False
        room.hang_up()
        shown(b, 'only once')
        b.until('return !document.querySelector("#pending").firstChild')
        assert [m['text'] for m in room.rooms['lobby'].ring] == ['only once'] and texts(b) == ['only once']


async def patched_deaf(room):
    """The members stay, but hear nothing until they come again."""
    for m in room.members.values():
        m['room'] = 'deaf'


@case
def a_reload_while_away_keeps_what_was_typed(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.mute = True
        room.hang_up()
        in_state(b, 'again')
        b.keys('said away' + ENTER + 'a draft')
        b.reload()
        b.until('return document.querySelector("#pending .text")')
        assert texts(b, '#pending .text') == ['said away'] and value(b) == 'a draft'
        room.mute = False
        room.hang_up()
        shown(b, 'said away')
        b.until('return !document.querySelector("#pending").firstChild')
        assert [m['text'] for m in room.rooms['lobby'].ring] == ['said away']


@case
def too_fast_is_said_again_in_order_and_too_big_is_given_back(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.refuse = ['too-fast', 'too-fast']
        b.keys('one' + ENTER + 'two' + ENTER)
        shown(b, 'two')
        assert texts(b) == ['one', 'two']
        room.refuse = ['too-big']
        b.keys('three' + ENTER)
        noted(b, 'not sent: too long')
        assert value(b) == 'three' and not texts(b, '#pending .text')


@case
def more_than_64_KiB_stays_in_the_input(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.run('const t = document.querySelector("#text"); t.value = "长".repeat(30000); t.dispatchEvent(new Event("input"))')
        b.keys(ENTER)
        b.until('return document.querySelector("#tell").textContent.includes("88 KiB")')
        assert len(value(b)) == 30000 and not room.heard[1:]


@case
def a_dead_link_is_noticed(b):
    with FakeRoom() as room:
        enter(b, room.url)
        room.mute = True
        b.run('dispatchEvent(new Event("offline"))')
        in_state(b, 'again', 8)
        room.mute = False
        room.hang_up()
        in_state(b, 'here')
        room.mute = True
        b.keys('anybody?' + ENTER)  # a say that nobody answers
        in_state(b, 'again', 10)
        room.mute = False
        room.hang_up()
        shown(b, 'anybody?')


@case
def a_server_started_anew_is_named_and_goes_on(b):
    with FakeRoom() as room:
        room.say('bob', 'old times')
        enter(b, room.url)
        shown(b, 'old times')
        room.forget()
        room.say('bob', 'new times')
        room.hang_up()
        shown(b, 'new times')
        noted(b, 'began anew')
        assert texts(b) == ['old times', 'new times']


@case
def a_pulled_page_takes_its_own_place_again(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        b.run('dispatchEvent(new Event("offline"))')
        b.reload()
        in_state(b, 'here')
        assert b.run('return document.querySelector("#nick").textContent') == 'ada'
        assert room.hellos[0]['me'] == room.hellos[-1]['me']


@case
def a_copy_of_the_tab_becomes_another_member(b):
    with FakeRoom() as room:
        enter(b, room.url)
        first = b.call('GET', '/window')
        b.run('window.open(location.href)')
        other = next(h for h in b.call('GET', '/window/handles') if h != first)
        try:
            wait(lambda: len({h['me'] for h in room.hellos}) == 2, 'a second member')
            in_state(b, 'here')
            b.call('POST', '/window', {'handle': other})
            in_state(b, 'here')
            assert len(room.hellos) == 3, room.hellos
        finally:
            b.call('POST', '/window', {'handle': other})
            b.call('DELETE', '/window')
            b.call('POST', '/window', {'handle': first})


@case
def a_flood_leaves_the_page_alive_and_bounded(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.run('''window.worst = 0; let last = performance.now();
            const step = now => { worst = Math.max(worst, now - last); last = now; requestAnimationFrame(step); };
            requestAnimationFrame(step);''')
        room.flood(15000)
        b.keys('still here')
        shown(b, 'flood 14999', seconds=30)
        rows, worst = b.run('return [document.querySelectorAll("#log > li").length, worst]')
        print(f'# longest frame {worst:.0f} ms')
        assert rows <= 2000 and value(b) == 'still here'
        last = [int(x.split()[1]) for x in texts(b)]
        assert last == sorted(last) and last[-1] == 14999
        assert worst < 3000 * SLOW, worst  # a page that freezes, not a machine that is busy


@case
def reading_above_is_not_disturbed(b):
    with FakeRoom() as room:
        for i in range(100):
            room.say('bob', f'old {i}')
        enter(b, room.url)
        shown(b, 'old 99')
        b.run('document.querySelector("#scroll").scrollTop = 300')
        b.until('return new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))')
        room.say('bob', 'new')
        shown(b, 'new')
        b.until('return !document.querySelector("#down").hidden')
        assert b.run('return document.querySelector("#scroll").scrollTop') == 300
        b.click('#down')
        b.until('const s = document.querySelector("#scroll"); return s.scrollHeight - s.scrollTop - s.clientHeight < 2')
        assert b.run('return document.querySelector("#down").hidden')


@case
def the_key_goes_into_hello_and_nowhere_else(b):
    with FakeRoom(key='s3+/cr et') as room:
        enter(b, room.url + '#key=wrong', 'key')
        noted(b, 'wants a key')
        tried = len(room.hellos)
        b.run('location.hash = "#key=s3+/cr%20et"')
        in_state(b, 'here')
        assert len(room.hellos) == tried + 1 and room.hellos[-1]['key'] == 's3+/cr et'
        assert 's3+/cr' not in b.run('return document.documentElement.textContent')
        assert b.run('return JSON.stringify([localStorage, sessionStorage])').find('s3+') < 0
        assert '/key ••••' in texts(b, '#lines pre')
        b.run('location.hash = ""')
        enter(b, room.url, 'key')
        b.keys('/key s3+/cr et' + ENTER)
        in_state(b, 'here')


@case
def commands_rooms_and_private_words(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.keys('/help' + ENTER)
        noted(b, '/join ROOM')
        b.keys('/dance now' + ENTER)
        b.until('return document.querySelector("#tell").textContent.includes("/dance")')
        assert value(b) == '/dance now'
        b.run('document.querySelector("#text").value = ""')
        b.keys('//etc/passwd' + ENTER)
        shown(b, '/etc/passwd')
        b.keys('/msg nobody psst' + ENTER)
        noted(b, 'nobody here has that name')
        assert value(b) == '/msg nobody psst'  # Enter must not say it aloud
        b.run('document.querySelector("#text").value = ""')
        b.keys('/join den' + ENTER)
        in_state(b, 'here')
        b.until('return document.title === "#den · duplex"')
        b.keys('in the den' + ENTER)
        shown(b, 'in the den')
        assert [m['text'] for m in room.rooms['den'].ring] == ['in the den']
        b.reload()
        shown(b, 'in the den')
        b.keys('/join ../x' + ENTER)
        b.until('return document.querySelector("#tell").textContent.includes("64")')


@case
def private_words_go_to_one(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.keys('/nick ada' + ENTER)
        b.until('return document.querySelector("#nick").textContent === "ada"')
        b.keys('/msg ada to  myself' + ENTER)
        b.until('return document.querySelectorAll("#log .m .text").length === 2')
        assert texts(b) == ['to  myself'] * 2 and set(texts(b, '#log .wire')) == {'to ada only', 'to you only'}
        assert not room.rooms['lobby'].ring


@case
def keys_do_what_they_say(b):
    with FakeRoom() as room:
        room.seat('katherine')
        enter(b, room.url)
        b.until('return document.querySelectorAll("#who li").length === 2')
        b.keys('a line\nand one more' + ENTER)
        shown(b, 'a line\nand one more')
        b.keys('second' + ENTER)
        shown(b, 'second')
        b.keys(UP)
        assert value(b) == 'second'
        b.keys(UP)
        assert value(b) == 'a line\nand one more'
        b.keys(DOWN + DOWN)
        assert value(b) == ''
        b.keys('hi kat' + TAB)
        assert value(b) == 'hi katherine '
        b.run('document.querySelector("#text").value = ""')
        b.keys('/jo' + TAB)
        assert value(b) == '/join '
        b.run('document.querySelector("#text").value = ""; document.querySelector("#theme").focus()')
        b.keys(ESCAPE)
        assert b.run('return document.activeElement.id') == 'text'
        b.run('document.querySelector("#theme").focus()')
        b.keys('q')
        assert value(b) == 'q' and b.run('return document.activeElement.id') == 'text'
        b.run('''document.querySelector("#text").dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))''')
        assert value(b) == 'q'  # an Enter that chooses a character does not send


@case
def tab_leaves_the_input_where_there_is_nothing_to_complete(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.keys(TAB)
        assert b.run('return document.activeElement.id') == 'send'


@case
def lines_for_other_clients_name_this_address(b):
    with FakeRoom() as room:
        enter(b, room.url)
        lines = texts(b, '#lines pre')
        assert len(lines) == 9 and f'nc 127.0.0.1 {room.port}' in lines and 'nc -U /run/user/1000/duplex.sock' in lines
        for line in lines:
            assert str(room.port) in line or 'duplex.sock' in line, line
        for line in lines:
            if line.startswith('import socket'):
                compile(line, 'line', 'exec')


@case
def copying_works_without_the_clipboard_api(b):
    with FakeRoom() as room:
        enter(b, room.url)
        b.run('Object.defineProperty(navigator, "clipboard", {value: undefined})')
        b.click('#lines button')
        shown(b, 'copied', '#lines button')
        b.run('document.querySelector("#text").focus()')
        b.chord('v')
        assert value(b) == f'nc 127.0.0.1 {room.port}', value(b)


@case
def a_phone_sees_all_of_it(b):
    with FakeRoom() as room:
        room.say('a-very-long-name-for-somebody-xyz', 'w' * 300)
        try:
            b.size(320, 640, True)
            enter(b, room.url)
            shown(b, 'w' * 300)
            wide = b.run('return [document.documentElement.scrollWidth, document.querySelector("#scroll").scrollWidth]')
            assert max(wide) <= 320, wide
            outside = b.run('''return [...document.querySelectorAll("header *, #say *, #hint *")].filter(e => !e.closest("svg")).filter(e => {
                const r = e.getBoundingClientRect(); return r.width && (r.right > 321 || r.left < 0); }).map(e => e.id || e.className)''')
            assert not set(outside) - {'keys'}, outside
            assert not b.run('return document.querySelector("#side").checkVisibility()')
            b.click('#panel')
            assert b.run('return document.querySelector("#side").checkVisibility()')
            b.keys(ESCAPE)
            assert not b.run('return document.querySelector("#side").checkVisibility()')
        finally:
            b.cdp('Emulation.clearDeviceMetricsOverride')


@case
def everything_has_a_name_for_who_cannot_see_it(b):
    with FakeRoom() as room:
        room.say_bytes('py', b'\xc4\xe3')
        enter(b, room.url)
        shown(b, '你')
        bare = b.run('''return [...document.querySelectorAll("button, textarea, [role=region], [role=log], aside")].filter(e =>
            !(e.getAttribute("aria-label") || e.textContent.trim() || e.title || e.hidden)).map(e => e.outerHTML)''')
        assert not bare, bare
        log = b.run('const l = document.querySelector("#log"); return [l.getAttribute("role"), l.getAttribute("aria-live")]')
        assert log == ['log', 'polite']


run_cases()
