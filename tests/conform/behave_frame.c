/* SPDX-License-Identifier: MIT
 * behave_frame.c - dx_opts.frame and .coding: bytes into messages, on every stream. */
#include "conform.h"
#include <sys/socket.h>
#include <time.h>

struct heard {
    char text[400];
    size_t n;
};

static void hear(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    struct heard *h = e->w->c ? e->w->c->arg : NULL;
    (void)how;
    if (!h || h->n + n + 2 > sizeof h->text)
        return;
    memcpy(h->text + h->n, data, n);
    h->n += n;
    h->text[h->n++] = '|';
    h->text[h->n] = '\0';
}

static void unchecked_open(dx_conn *c)
{
    end_of(c)->unchecked = true;
}

static void nothing(dx_conn *c)
{
    (void)c;
}

static const dx_handler on_hear = {.on_open = unchecked_open, .on_data = hear, .on_end = nothing};

static bool say(struct world *w, const char *text)
{
    int r = dx_send(w->c->c, text, strlen(text), 0);
    if (r < 0)
        fail(w, "dx_send of \"%s\" says %d", text, r);
    return r >= 0;
}

static void lines(struct world *w)
{
    struct heard h = {0};
    w->so.frame = "line";
    MUST_DO(both(w, &on_hear, &on_quiet));
    w->c->arg = &h;
    w->c->unchecked = true;
    MUST_INT(dx_kind_of(w->s->c), DX_MESSAGES);
    MUST_DO(say(w, "one\ntw"));
    pass(w, 5);
    MUST_DO(say(w, "o\r\n\nrest"));
    WAIT(w->s->datas == 3);
    MUST_STR(h.text, "one|two||");
    MUST(dx_send(w->s->c, "back", 4, DX_TEXT) >= 0); /* with the line end the peer used last */
    WAIT(w->c->got >= 5);
    MUST_INT(w->c->got, 5);
    dx_finish(w->c->c);
    WAIT(w->s->ends);
    MUST_STR(h.text, "one|two||rest|"); /* what has no end of its own is a message too */
}

static void fixed(struct world *w)
{
    struct heard h = {0};
    w->so.frame = w->co.frame = "fixed:4";
    MUST_DO(both(w, &on_hear, &on_quiet));
    w->c->arg = &h;
    MUST(dx_send(w->c->c, "abcd", 4, DX_BINARY) >= 0);
    MUST(dx_send(w->c->c, "efgh", 4, DX_BINARY) >= 0);
    WAIT(w->s->datas == 2);
    MUST_STR(h.text, "abcd|efgh|");
}

static void gap(struct world *w)
{
    struct heard h = {0};
    w->so.frame = "gap:25ms";
    MUST_DO(both(w, &on_hear, &on_quiet));
    w->c->arg = &h;
    MUST_DO(say(w, "no line end"));
    WAIT(w->s->datas == 1);
    MUST_DO(say(w, "again"));
    WAIT(w->s->datas == 2);
    MUST_STR(h.text, "no line end|again|");
}

static void be_late(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 600 * 1000 * 1000}, NULL); /* auto takes 500 ms of silence for an end */
}

/* A loop that is busy or gets no processor does not take its own silence for the peer's. */
static void late(struct world *w)
{
    struct heard h = {0};
    w->so.frame = "auto";
    MUST_DO(both(w, &on_hear, &on_quiet));
    w->c->arg = &h;
    MUST_DO(say(w, "one\n"));
    WAIT(w->s->datas == 1);
    MUST_DO(say(w, "two ha"));
    pass(w, 50);
    MUST(dx_loop_after(w->loop, 0, be_late, NULL) > 0);
    MUST_DO(say(w, "lves\n")); /* goes out at the end of the turn in which the loop is late */
    WAIT(w->s->datas >= 2);
    MUST_STR(h.text, "one|two halves|");
}

static void too_long(struct world *w)
{
    char text[300];
    w->so.frame = "line";
    w->so.message_bytes_max = 100;
    MUST_DO(both(w, &on_hear, &on_default));
    memset(text, 'x', sizeof text);
    MUST(dx_send(w->c->c, text, sizeof text, 0) >= 0);
    WAIT(w->s->closes && w->c->closes);
    MUST_INT(w->s->why.code, DX_BIG);
    MUST_INT(w->s->datas, 0);
}

/* 你好 in GB2312, cut inside a character; what we say comes back in the same coding. */
static void coding(struct world *w)
{
    struct heard h = {0};
    w->so.frame = "line";
    w->so.coding = "gb18030";
    MUST_DO(both(w, &on_hear, &on_quiet));
    w->c->arg = &h;
    w->c->unchecked = true;
    MUST_DO(say(w, "\xC4\xE3\xBA"));
    pass(w, 5);
    MUST_DO(say(w, "\xC3\n"));
    WAIT(w->s->datas == 1);
    MUST_STR(h.text, "\xE4\xBD\xA0\xE5\xA5\xBD|");
    MUST(dx_send(w->s->c, "\xE4\xBD\xA0", 3, DX_TEXT) >= 0);
    WAIT(w->c->got == 3);
}

static void bad_specs(struct world *w)
{
    static const char *const frames[] = {"nosuch", "fixed:0", "fixed:", "gap:", "length:0,5", "delim:0"};
    dx_err err;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        dx_opts o = {.frame = frames[i]};
        err = (dx_err){0};
        MUST_SAY(!dx_serve(w->loop, "tcp://127.0.0.1:0", &on_default, NULL, &o, &err), "served with %s", frames[i]);
        MUST_INT(err.code, DX_URL);
        MUST(!dx_connect(w->loop, "tcp://127.0.0.1:1", &on_default, NULL, &o, &err));
        MUST_INT(err.code, DX_URL);
    }
    dx_opts o = {.coding = "no-such-coding"};
    MUST(!dx_serve(w->loop, "tcp://127.0.0.1:0", &on_default, NULL, &o, &err));
    MUST_INT(err.code, DX_URL);
}

const struct behaviour behave_frame[] = {
    {"frame: lines are messages", HAS_BYTES | HAS_LISTENER, 0, lines},
    {"frame: fixed sizes are messages", HAS_BYTES | HAS_LISTENER, 0, fixed},
    {"frame: silence ends a message", HAS_BYTES | HAS_LISTENER, 0, gap},
    {"frame: a late loop cuts no line", HAS_BYTES | HAS_LISTENER, HAS_TLS, late},
    {"frame: a message over the limit is DX_BIG", HAS_BYTES | HAS_LISTENER, 0, too_long},
    {"coding: GB18030 in, UTF-8 up, and back", HAS_BYTES | HAS_LISTENER, 0, coding},
    {"frame and coding that do not read are DX_URL", HAS_NO_WIRE, 0, bad_specs},
    {0},
};
