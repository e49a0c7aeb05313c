/* SPDX-License-Identifier: MIT
 * behave_many.c - many conns at once, their limit, and the listener's drain. */
#include "conform.h"
#include <sys/resource.h>
#include <unistd.h>

enum { THOUSAND = 1000, CROWD = 60 };

static void thousand_open(dx_conn *c)
{
    put(end_of(c), 64);
}

static void thousand_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    (void)data, (void)n, (void)how;
    if (e->got == 64) {
        e->w->c->goal++; /* counts those that are through */
        end_close(e);
    }
}

static void thousand(struct world *w)
{
    static const dx_handler on = {.on_open = thousand_open, .on_data = thousand_data};
    size_t n = has(w, HAS_TLS) ? THOUSAND / 4 : THOUSAND; /* a handshake is two milliseconds of arithmetic */
    w->co.dial_ms_max = watch_ms();
    MUST_DO(serve(w, &on_echo));
    for (size_t i = 0; i < n; i++)
        MUST_DO(dial(w, NULL, &on));
    MUST(dx_loop_count(w->loop, DX_COUNT_CONNS) >= (int64_t)n);
    WAIT(w->c->goal == n);
    MUST_INT(w->accepted, n);
    if (!has(w, HAS_END)) {
        MUST_INT(dx_listener_conns(w->listener), n);
        return;
    }
    WAIT(w->closed == 2 * n);
    pass(w, 1);
    MUST_INT(dx_listener_conns(w->listener), 0);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_CONNS), 0);
}

static size_t served(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->ends_n; i++)
        n += !w->ends[i]->accepted && w->ends[i]->got == 64;
    return n;
}

static void speak_open(dx_conn *c)
{
    put(end_of(c), 64);
}

static void conns_max(struct world *w)
{
    static const dx_handler on = {.on_open = speak_open};
    w->so.conns_max = 4;
    MUST_DO(serve(w, &on_echo));
    for (int i = 0; i < 9; i++)
        MUST_DO(dial(w, NULL, &on));
    WAIT(served(w) == 4);
    pass(w, 30);
    MUST_INT(w->accepted, 4);
    MUST_INT(dx_listener_conns(w->listener), 4);
    for (size_t n = 5; n <= 9; n++) {
        for (size_t i = 0; i < w->ends_n; i++)
            if (!w->ends[i]->accepted && w->ends[i]->got == 64 && !w->ends[i]->closing) {
                end_close(w->ends[i]);
                break;
            }
        WAIT(served(w) == n);
        MUST_INT(w->accepted, n);
        MUST(dx_listener_conns(w->listener) <= 4);
    }
}

/* Those that wait longest are served next, and all are served in the end. */
static void conns_max_serves_all(struct world *w)
{
    static const dx_handler on = {.on_open = thousand_open, .on_data = thousand_data};
    w->so.conns_max = 5;
    MUST_DO(serve(w, &on_echo));
    for (int i = 0; i < CROWD; i++)
        MUST_DO(dial(w, NULL, &on));
    WAIT(w->c->goal == CROWD);
    MUST_INT(w->accepted, CROWD);
}

/* With no descriptor left to accept with, accepting rests and does not spin; it goes on when some are free. */
static void out_of_descriptors(struct world *w)
{
    struct rlimit was, low;
    int v[100], n = 0;
    int64_t rests;
    MUST_DO(serve(w, &on_default));
    getrlimit(RLIMIT_NOFILE, &was);
    low = (struct rlimit){.rlim_cur = 130, .rlim_max = was.rlim_max};
    MUST(setrlimit(RLIMIT_NOFILE, &low) == 0);
    for (n = 0; n < 70; n++)
        if ((v[n] = raw_socket(w, w->url, false, 0, NULL, 0)) < 0)
            break;
    MUST(n == 70);
    pass(w, 350);
    rests = dx_loop_count(w->loop, DX_COUNT_ACCEPT_RESTS);
    MUST_SAY(rests > 0 && rests < 10, "accepting rested %lld times", (long long)rests);
    MUST(w->accepted < 70 && dx_listener_conns(w->listener) < 70);
    for (int i = 0; i < 40; i++)
        close(v[i]);
    if (shakes_hands(w)) {
        for (int i = 0; i < 200 && dx_listener_conns(w->listener) != 30; i++)
            pass(w, 20);
        MUST_INT(dx_listener_conns(w->listener), 30);
    } else {
        WAIT(w->accepted == 70);
    }
    for (int i = 40; i < 70; i++)
        close(v[i]);
    setrlimit(RLIMIT_NOFILE, &was);
}

static void drain_says_goodbye(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    put(w->s, 5000);
    w->s->closing = true;
    dx_listener_drain(w->listener, 3000);
    w->listener = NULL;
    if (has(w, HAS_END)) {
        WAIT(w->c->ends);
        end_close(w->c);
    } else {
        WAIT(w->c->got == 5000);
    }
    WAIT(w->s->closes);
    MUST_INT(w->c->got, 5000);
    MUST_GOOD(w->s);
    if (!has(w, HAS_REFUSAL))
        return;
    w->c = NULL;
    MUST_DO(dial(w, NULL, &on_default));
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_REFUSED);
}

static void drain_aborts(struct world *w)
{
    int64_t began;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    end_pause(w->c, true); /* never reads what is queued for it */
    put(w->s, MIB);
    w->s->closing = true;
    began = dx_loop_now(w->loop);
    dx_listener_drain(w->listener, 80);
    w->listener = NULL;
    WAIT(w->s->closes);
    MUST(dx_loop_now(w->loop) - began >= 70);
    MUST(dx_loop_now(w->loop) - began < 1500);
}

static void drain_zero(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    dx_listener_drain(w->listener, 0);
    w->listener = NULL;
    pass(w, 10);
    put(w->c, 100);
    WAIT(w->c->got == 100);
    if (has(w, HAS_REFUSAL)) {
        struct end *first = w->c;
        w->c = NULL;
        MUST_DO(dial(w, NULL, &on_default));
        WAIT(w->c->closes);
        MUST_INT(w->c->why.code, DX_REFUSED);
        w->c = first;
    }
    end_close(w->c);
    if (!has(w, HAS_END))
        end_close(w->s);
    WAIT(all_closed(w));
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

static void drain_empty(struct world *w)
{
    MUST_DO(serve(w, &on_echo));
    dx_listener_drain(w->listener, 100);
    MUST_DO(serve(w, &on_echo));
    dx_listener_drain(w->listener, 0);
    pass(w, 2);
}

/* One message to many is one copy: its memory does not grow with its readers. */
static void share_one_message(struct world *w)
{
    size_t n = has(w, HAS_DATAGRAMS) ? 1000 : 256 * KIB, before, peak, sealed;
    dx_msg *m;
    MUST_DO(serve(w, &on_quiet));
    for (int i = 0; i < CROWD; i++)
        MUST_DO(dial(w, NULL, &on_quiet));
    if (has(w, HAS_DATAGRAMS))
        for (int i = 0; i < CROWD; i++)
            put(w->ends[1 + i], 1);
    WAIT(w->accepted == CROWD);
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && !w->ends[i]->accepted) {
            WAIT(w->ends[i]->opens);
            end_pause(w->ends[i], !has(w, HAS_DATAGRAMS));
        }
    before = dx_memory_used();
    m = dx_msg_new(pattern(0), n, has(w, HAS_MESSAGES) ? DX_BINARY : 0);
    for (size_t i = 0; i < CROWD; i++)
        MUST_INT(dx_send_msg(accepted(w, i)->c, m), 0);
    dx_msg_drop(m);
    peak = dx_memory_used();
    /* what is sealed is sealed for one, but the rest waits unsealed, and once */
    sealed = has(w, HAS_TLS) ? CROWD * 192 * KIB : 0;
    MUST_SAY(peak - before <= 2 * n + 128 * KIB + CROWD * KIB + sealed, "%zu bytes are held for one message of %zu",
             peak - before, n);
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && !w->ends[i]->accepted) {
            if (w->ends[i]->paused)
                end_pause(w->ends[i], false);
            WAIT(w->ends[i]->got == n);
        }
    pass(w, 1);
    MUST(dx_memory_used() <= before + (has(w, HAS_TLS) ? 256 : 128) * KIB);
}

const struct behaviour behave_many[] = {
    {"a thousand conns at once", HAS_LISTENER | HAS_PEER, 0, thousand},
    {"conns_max: the rest wait and are served later", HAS_BACKLOG, 0, conns_max},
    {"conns_max: all are served in the end", HAS_BACKLOG, 0, conns_max_serves_all},
    {"out of descriptors, accepting rests", HAS_BACKLOG | HAS_RAW, 0, out_of_descriptors},
    {"drain: listener gone, all delivered, goodbyes", HAS_LISTENER | HAS_PEER, 0, drain_says_goodbye},
    {"drain: aborts what is left after ms", HAS_LISTENER | HAS_PRESSURE, HAS_DATAGRAMS, drain_aborts},
    {"drain 0: conns stay", HAS_LISTENER | HAS_PEER, 0, drain_zero},
    {"drain without conns", HAS_LISTENER, 0, drain_empty},
    {"dx_send_msg to many is one copy", HAS_LISTENER | HAS_PEER, HAS_DEFLATE, share_one_message},
    {0},
};
