/* SPDX-License-Identifier: MIT
 * behave_oom.c - a short life of a server and its client, again and again, and each time another allocation fails. Nothing
 * may crash, leak or hang, and whatever became a conn gets its one on_close. */
#include "conform.h"
#include "oom.h"
#include <duplex/http.h>

enum { LIVES_MAX = 600 };

#define SETTLE(cond)                                                                                                   \
    do {                                                                                                               \
        for (int i_ = 0; i_ < 40 && !(cond) && !w->report->failed; i_++)                                               \
            pass(w, 1);                                                                                                \
        if (w->report->failed || !w->c->c || !w->c->opens)                                                             \
            return;                                                                                                    \
    } while (0)

static void count_after(dx_conn *c)
{
    end_of(c)->afters++;
}

static void say_some(struct world *w)
{
    unsigned how = has(w, HAS_MESSAGES) ? DX_BINARY : 0;
    dx_msg *m = dx_msg_new("message", 7, how);
    for (int i = 0; i < 8; i++)
        put(w->c, 4000);
    dx_after(w->c->c, 1, count_after);
    if (m) {
        w->c->goal += dx_send_msg(w->c->c, m) >= 0 ? 7 : 0;
        w->c->goal += dx_post(w->c->id, m) >= 0 ? 7 : 0;
        dx_msg_drop(m);
    }
    w->c->goal += w->c->sent;
}

static void life(struct world *w)
{
    if (has(w, HAS_LISTENER) && !serve(w, &on_echo))
        return;
    if (w->ends_n)
        w->ends[0]->unchecked = true; /* the door: what comes through it says other things too */
    if (!dial(w, has(w, HAS_LISTENER) ? NULL : w->scheme->url, &on_quiet))
        return;
    w->c->unchecked = true;
    SETTLE(w->c->opens || w->c->closes);
    say_some(w);
    SETTLE(w->c->got >= w->c->goal || w->c->closes);
    if (!w->c->closing)
        dx_finish(w->c->c);
    SETTLE(w->c->ends || w->c->closes || !has(w, HAS_END));
    end_close(w->c);
    for (int i = 0; i < 100 && !w->c->closes; i++)
        pass(w, 1);
}

/* The same of exchanges: a body there and back, by a server that answers with what it gets. */
static void back_end(dx_conn *c)
{
    dx_finish(c);
}

static void exchange(struct world *w)
{
    static const dx_http_field f = {"X-Field", "value"};
    dx_handler back = on_echo;
    back.on_end = back_end;
    if (!serve(w, &back))
        return;
    w->ends[0]->unchecked = true;
    if (!dial(w, NULL, &on_quiet))
        return;
    w->c->unchecked = true;
    SETTLE(w->c->opens || w->c->closes);
    int r = dx_http_request(w->c->c, "POST", "/a", &f, 1, -1);
    for (int i = 0; i < 8 && r >= 0; i++)
        put(w->c, 4000);
    SETTLE(w->c->got >= w->c->sent || w->c->closes);
    if (dx_finish(w->c->c) >= 0)
        SETTLE(w->c->ends || w->c->closes);
    end_close(w->c);
    for (int i = 0; i < 100 && !w->c->closes; i++)
        pass(w, 1);
}

/* True: the failure was met, and there may be a later one. */
static bool one_life(struct world *outer, int nth)
{
    struct report *r = sure_calloc(sizeof *r);
    struct world w;
    oom_arm(nth);
    if (world_init(&w, outer->scheme, r))
        (has(&w, HAS_HTTP) ? exchange : life)(&w);
    bool came = oom_came();
    oom_arm(0);
    if (r->failed && !strstr(r->words, "-14") && !strstr(r->words, "no memory") && !strstr(r->words, "annot allocate"))
        fail(outer, "with allocation %d failing: %s", nth, r->words);
    r->failed = false;
    world_free(&w);
    if (r->failed)
        fail(outer, "with allocation %d failing: %s", nth, r->words);
    free(r);
    return came;
}

static void every_allocation(struct world *w)
{
    int nth = 1;
    while (nth < LIVES_MAX && !w->report->failed) {
        snprintf(w->where, sizeof w->report->where, "allocation %d fails", nth);
        if (!one_life(w, nth))
            break;
        nth++;
    }
    MUST(nth > 5 && nth < LIVES_MAX);
}

const struct behaviour behave_oom[] = {
    {"any allocation may fail", HAS_LISTENER | HAS_PEER, 0, every_allocation},
    {"any allocation may fail, a command", HAS_BYTES, HAS_PEER, every_allocation},
    {"any allocation may fail, an exchange", HAS_HTTP, 0, every_allocation},
    {0},
};
