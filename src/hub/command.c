/* SPDX-License-Identifier: MIT
 * command.c - what plain members and the terminal say with a '/' in front. Answers begin with "* ". */
#include "hub/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
    const char *p;
    size_t n;
};

/* Takes the first word off. */
static struct words word(struct words *rest)
{
    struct words w;
    while (rest->n && (*rest->p == ' ' || *rest->p == '\t'))
        rest->p++, rest->n--;
    w.p = rest->p;
    while (rest->n && *rest->p != ' ' && *rest->p != '\t')
        rest->p++, rest->n--;
    w.n = (size_t)(rest->p - w.p);
    while (rest->n && (*rest->p == ' ' || *rest->p == '\t'))
        rest->p++, rest->n--;
    return w;
}

static bool is(struct words w, const char *s)
{
    return strlen(s) == w.n && !memcmp(w.p, s, w.n);
}

/* For an answer: short, and never with a control in it. */
static const char *quoted(struct words w, char ret[3 * NICK_BYTES_MAX])
{
    dx_text t = {0};
    size_t n = w.n < NICK_BYTES_MAX ? w.n : NICK_BYTES_MAX;
    while (n < w.n && n && (w.p[n] & 0xc0) == 0x80)
        n--;
    *ret = 0;
    if (show_clean(w.p, n, &t) >= 0)
        snprintf(ret, 3 * NICK_BYTES_MAX, "%s", t.p ? t.p : "");
    dx_text_free(&t);
    return ret;
}

static void do_nick(struct member *m, struct words rest)
{
    struct words w = word(&rest);
    char shown[3 * NICK_BYTES_MAX];
    const char *fault;
    if (!w.n) {
        member_tell(m, "* you are %s", m->nick);
        return;
    }
    if (rest.n) {
        member_tell(m, "* a nick is one word, without blanks");
        return;
    }
    fault = room_nick(m, w.p, w.n);
    if (fault)
        member_tell(m, "* nick %s %s", quoted(w, shown), fault);
    else
        member_tell(m, "* you are %s", m->nick);
}

static void do_join(struct member *m, struct words rest)
{
    struct words w = word(&rest);
    if (!w.n)
        member_tell(m, "* this is room %s", m->room->name);
    else if (rest.n || !room_name_ok(w.p, w.n))
        member_tell(m, "* a room's name has 1 to 64 letters, digits, '-' and '_'");
    else if (!room_move(m, w.p, w.n))
        member_tell(m, "* there are too many rooms");
    else {
        member_tell(m, "* this is room %s, you are %s", m->room->name, m->nick ? m->nick : "nobody");
        feed_history(m, HISTORY);
    }
}

static void do_who(struct member *m, struct words rest)
{
    dx_text t = {0};
    uint32_t named = 0;
    (void)rest;
    text_fmt(&t, "* %u here: ", m->room->listed);
    for (uint32_t i = 0; i < m->room->count && named < WHO_MAX; i++)
        if (m->room->members[i]->nick)
            text_fmt(&t, "%s%s (%s)", named++ ? ", " : "", m->room->members[i]->nick, wire_of(m->room->members[i]));
    if (m->room->listed > named)
        text_fmt(&t, " and %u more", m->room->listed - named);
    if (t.p)
        member_tell_n(m, t.p, t.n);
    dx_text_free(&t);
}

static void do_msg(struct member *m, struct words rest)
{
    struct words w = word(&rest);
    char shown[3 * NICK_BYTES_MAX], *nick = strndup(w.p, w.n);
    struct member *to = nick ? room_find(m->room, nick) : NULL;
    free(nick);
    if (!w.n || !rest.n)
        member_tell(m, "* say /msg NAME TEXT");
    else if (!to)
        member_tell(m, "* nobody here is called %s", quoted(w, shown));
    else if (!member_private(m, to, rest.p, rest.n))
        member_tell(m, "* %s does not read: not told", to->nick);
    else
        member_tell(m, "* told %s", to->nick);
}

static void do_lan(struct member *m, struct words rest)
{
    dx_text t = {0};
    (void)rest;
    if (m->kind != KIND_LOCAL || !local_of(m)->watch->lan) {
        member_tell(m, "* only whoever runs serve can");
        return;
    }
    local_of(m)->watch->lan(local_of(m)->arg, &t);
    if (t.p)
        member_tell_n(m, t.p, t.n);
    dx_text_free(&t);
}

static void do_quit(struct member *m, struct words rest)
{
    (void)rest;
    if (m->kind == KIND_LOCAL) {
        if (local_of(m)->watch->quit)
            local_of(m)->watch->quit(local_of(m)->arg);
        return;
    }
    feed(m); /* what was said before it goes */
    member_close(m);
}

static void do_key(struct member *m, struct words rest)
{
    (void)rest;
    member_tell(m, "* you are in: no key is needed");
}

static void do_hear(struct member *m, struct words rest)
{
    char *end, s[32];
    struct words w = word(&rest);
    if (m->kind != KIND_UDP || dx_is_loopback(m->c)) {
        member_tell(m, "* you hear the room anyway");
        return;
    }
    if (!w.n) {
        m->told_cookie = false; /* it is told anew when this datagram has been heard */
        return;
    }
    snprintf(s, sizeof(s), "%.*s", (int)(w.n < 31 ? w.n : 31), w.p);
    if (strtoull(s, &end, 16) != m->cookie || *end || !m->cookie)
        return; /* not a word to who only guesses */
    if (dx_loop_now(m->hub->loop) >= m->hears_until_ms)
        m->cursor = m->room->ring.next;
    m->hears_until_ms = dx_loop_now(m->hub->loop) + HEAR_MS;
}

static void do_help(struct member *m, struct words rest);

static const struct command {
    const char *name;
    void (*run)(struct member *m, struct words rest);
    const char *args, *help;
} commands[] = {
    {"/nick", do_nick, " NAME", "be called NAME"},
    {"/who", do_who, "", "list who is here"},
    {"/msg", do_msg, " NAME TEXT", "say TEXT to NAME only"},
    {"/join", do_join, " ROOM", "go to another room; it is made if it is not there"},
    {"/lan", do_lan, "", "open the room to the network"},
    {"/hear", do_hear, " COOKIE", "over UDP from another machine: hear the room for a minute"},
    {"/key", do_key, " KEY", "show the key that serve printed"},
    {"/quit", do_quit, "", "leave; the word exit alone does the same"},
    {"/help", do_help, "", "show these lines"},
};

static void do_help(struct member *m, struct words rest)
{
    bool far = m->kind == KIND_UDP && !dx_is_loopback(m->c);
    (void)rest;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        bool idle = (commands[i].run == do_lan && m->kind != KIND_LOCAL) || (commands[i].run == do_hear && !far) ||
                    (commands[i].run == do_key && !m->hub->key);
        if (!idle)
            member_tell(m, "* %s%s  %s", commands[i].name, commands[i].args, commands[i].help);
    }
    member_tell(m, "* //TEXT  say /TEXT: a line that begins with /");
    if (m->kind != KIND_LOCAL)
        member_tell(m,
                    "* from your first command on you also see who joins and leaves; old lines begin with their time");
}

/* Who asks once is somebody who looks: from now on it hears who comes and goes, and what was said before it came. */
static void first_asked(struct member *m)
{
    if (m->asked)
        return;
    m->asked = true;
    m->room->asked++;
    if (m->kind != KIND_LOCAL)
        feed_history(m, HISTORY);
}

void command_run(struct member *m, const char *text, size_t n)
{
    struct words rest = {text, n}, name = word(&rest);
    char shown[3 * NICK_BYTES_MAX];
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (is(name, commands[i].name)) {
            if (commands[i].run != do_quit && commands[i].run != do_hear)
                first_asked(m);
            commands[i].run(m, rest);
            return;
        }
    first_asked(m);
    member_tell(m, "* no command %s: see /help", quoted(name, shown));
}

bool command_key(struct member *m, const char *text, size_t n)
{
    struct words rest = {text, n}, name = word(&rest), key = word(&rest);
    enum gate_key r = KEY_WRONG;
    if (!is(name, "/key")) {
        if (!m->told_key)
            m->told_key = member_tell(m, "* this room wants a key: say /key K first; serve printed it") >= 0;
        return false;
    }
    r = gate_key(m, key.p, key.n);
    if (r == KEY_RIGHT)
        member_tell(m, "* the key is right");
    else if (m->kind != KIND_UDP) {
        member_tell(m, r == KEY_WAIT ? "* too many wrong keys: wait a minute" : "* that is not the key");
        if (r == KEY_WAIT)
            member_close(m);
    }
    return r == KEY_RIGHT;
}
