/* SPDX-License-Identifier: MIT
 * call.c - what an exchange on /~r/NAME asks for (docs/room.md, "HTTP"): to hear, or to say something; and whether it may (docs/safe.md,
 * rules 2 and 12). Secrets come in fields and never in a URL, which logs and histories keep. */
#include "hub/guest.h"
#include <duplex/http.h>
#include <duplex/sse.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is(dx_bytes a, const char *s)
{
    return a.p && strlen(s) == a.n && !strncasecmp(a.p, s, a.n);
}

/* Does Accept name this type? A range that holds it, as every client sends one, does not. */
static bool accepts(const dx_conn *c, const char *type)
{
    dx_bytes list = dx_http_header(c, "Accept");
    size_t n = strlen(type);
    for (const char *p = list.p, *end = p + list.n; p && p < end; p++) {
        const char *comma = memchr(p, ',', (size_t)(end - p)), *to = comma ? comma : end;
        while (p < to && (*p == ' ' || *p == '\t'))
            p++;
        if ((size_t)(to - p) >= n && !strncasecmp(p, type, n) && (p + n == to || p[n] == ';' || p[n] == ' '))
            return true;
        p = to;
    }
    return false;
}

static bool has_param(const dx_conn *c, const char *name)
{
    dx_text t = {0};
    int r = dx_http_param(c, name, 0, &t);
    dx_text_free(&t);
    return r == 1;
}

/* fallback: there is none, or it is no number up to max. */
static int64_t number_param(const dx_conn *c, const char *name, int64_t max, int64_t fallback)
{
    dx_text t = {0};
    int64_t v = 0;
    bool good = dx_http_param(c, name, 0, &t) == 1 && t.n && t.n < 10;
    for (size_t i = 0; good && i < t.n; i++) {
        good = t.p[i] >= '0' && t.p[i] <= '9';
        v = 10 * v + (t.p[i] - '0');
    }
    dx_text_free(&t);
    return !good ? fallback : v < max ? v : max;
}

/* The member's secret; false: it is none. */
static bool read_me(struct member *m, char ret[ID_MAX + 1])
{
    dx_bytes me = dx_http_header(m->c, "Duplex-Me");
    if (me.n > ID_MAX)
        return false;
    memcpy(ret, me.n ? me.p : "", me.n);
    ret[me.n] = 0;
    return true;
}

static bool may_come(struct member *m)
{
    dx_bytes key = dx_http_header(m->c, "Duplex-Key");
    enum gate_key r;
    if (!gate_site(m->c)) {
        m->hub->counts.refused++;
        front_error(m, 403, "not-yours", "a page from elsewhere may not speak here");
        return false;
    }
    r = m->keyed ? KEY_RIGHT : key.p ? gate_key(m, key.p, key.n) : KEY_WRONG;
    if (r == KEY_RIGHT)
        return true;
    front_error(m, 403, "bad-key",
                r == KEY_WAIT ? "too many wrong keys: wait a minute"
                : key.p       ? "that is not the key"
                              : "this room wants a key: a field Duplex-Key");
    return false;
}

static void too_many(struct member *m)
{
    front_error(m, 503, "too-many", "there are too many rooms or members");
}

/* ---- to hear ---- */

static struct at where(const dx_conn *c)
{
    dx_bytes id = dx_sse_last_id(c);
    return at_read(id);
}

static struct guest *come(struct member *m, const char *me)
{
    dx_text nick = {0};
    bool fresh;
    struct guest *g;
    if (dx_http_param(m->c, "nick", 0, &nick) < 0)
        dx_text_clear(&nick);
    g = guest_come(m, m->call->room, me, nick.n && !memchr(nick.p, 0, nick.n) ? nick.p : "", &fresh);
    dx_text_free(&nick);
    if (g && has_param(m->c, "hello"))
        g->welcome = true;
    return g;
}

static void hear(struct member *m, bool stream)
{
    char me[ID_MAX + 1];
    struct at at = where(m->c);
    struct guest *g;
    if (!may_come(m))
        return;
    if (!read_me(m, me))
        front_error(m, 400, "bad-json", "Duplex-Me has at most 64 characters");
    else if (!(g = come(m, me)))
        too_many(m);
    else
        guest_hear(g, m, stream, &at, (uint64_t)number_param(m->c, "last", LAST_MAX, 0),
                   1000 * number_param(m->c, "wait", POLL_MS_MAX / 1000, POLL_MS_MAX / 1000));
}

/* ---- to say ---- */

/* What a page from elsewhere cannot make a browser send, one way beside the other. */
static bool may_say(struct member *m)
{
    dx_bytes type = dx_http_header(m->c, "Content-Type"), token = dx_http_header(m->c, "Duplex-Token");
    const char *end = type.p ? memchr(type.p, ';', type.n) : NULL;
    if (end)
        type.n = (size_t)(end - (const char *)type.p);
    while (type.n && ((const char *)type.p)[type.n - 1] == ' ')
        type.n--;
    if (!may_come(m))
        return false;
    if (!is(type, "application/json")) {
        front_error(m, 415, "bad-json", "what is said is application/json");
        return false;
    }
    if (token.p && gate_same(m->hub->token, token.p, token.n))
        return true;
    m->hub->counts.refused++;
    front_error(m, 403, "bad-token", "Duplex-Token is what welcome said last");
    return false;
}

static void late(dx_conn *c)
{
    struct member *m = dx_state(c);
    if (!m->closing)
        front_error(m, 408, "late", "it took too long to come");
}

static void say_begin(struct member *m)
{
    char me[ID_MAX + 1];
    if (!may_say(m))
        return;
    if (!read_me(m, me) || !*me)
        front_error(m, 400, "bad-json", "who speaks has a Duplex-Me of 1 to 64 characters");
    else if (dx_http_length(m->c) > POST_BYTES_MAX)
        front_error(m, 413, "too-big", "a message has at most 64 KiB");
    else
        dx_after(m->c, KEY_MS_MAX, late);
}

void call_data(struct member *m, const void *p, size_t n)
{
    struct call *k = m->call;
    if (!k->post)
        return;
    if (k->body.n + n > POST_BYTES_MAX)
        front_error(m, 413, "too-big", "a message has at most 64 KiB");
    else if (dx_text_add(&k->body, p, n) < 0)
        front_error(m, 503, "no-memory", "no memory: say it again later");
}

static void said(struct member *m, struct guest *g)
{
    struct call *k = m->call;
    dx_text answer = {0};
    int e;
    if (gate_over(&g->m, m->c)) {
        front_error(m, 429, "too-fast", "more than 20 messages a second: say it again later");
        return;
    }
    gate_rate(&g->m, m->c, k->body.n);
    e = text_str(&answer, "[");
    g->answer = &answer;
    json_data(&g->m, k->body.p ? k->body.p : "", k->body.n);
    g->answer = NULL;
    g->idle_ms = dx_loop_now(m->hub->loop);
    if (e < 0 || text_str(&answer, "]") < 0)
        front_error(m, 503, "no-memory", "no memory: say it again later");
    else
        front_json(m, 200, &answer);
    dx_text_free(&answer);
}

void call_end(struct member *m)
{
    char me[ID_MAX + 1];
    struct guest *g;
    if (m->closing || !m->call->post || !read_me(m, me))
        return;
    g = come(m, me);
    if (g)
        said(m, g);
    else
        too_many(m);
}

/* ---- either ---- */

bool call_open(struct member *m, dx_bytes room)
{
    dx_bytes method = dx_http_method(m->c);
    bool post = is(method, "POST"), stream = !post && accepts(m->c, "text/event-stream");
    if (!post && (!is(method, "GET") || (!stream && !accepts(m->c, "application/json") && !has_param(m->c, "poll"))))
        return false;
    m->call = calloc(1, sizeof(*m->call));
    if (!m->call) {
        front_error(m, 503, "no-memory", "no memory");
        return true;
    }
    memcpy(m->call->room, room.p, room.n);
    m->call->post = post;
    if (post)
        say_begin(m);
    else
        hear(m, stream);
    return true;
}

void call_free(struct member *m)
{
    guest_left(m);
    dx_text_free(&m->call->body);
    free(m->call);
    m->call = NULL;
}
