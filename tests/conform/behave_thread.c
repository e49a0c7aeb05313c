/* SPDX-License-Identifier: MIT
 * behave_thread.c - ids and posts across threads, two loops in two threads, a listener shared by two. */
#include "conform.h"
#include <errno.h>

struct poster {
    dx_id id;
    size_t count, piece;
    unsigned how;
    int bad;
};

static void *post_all(void *arg)
{
    struct poster *p = arg;
    for (size_t i = 0; i < p->count; i++) {
        dx_msg *m = dx_msg_new(pattern(i * p->piece), p->piece, p->how);
        int r = m ? dx_post(p->id, m) : DX_NOMEM;
        if (r < 0)
            p->bad = r;
        dx_msg_drop(m);
    }
    return NULL;
}

static unsigned how_of(const struct world *w)
{
    return has(w, HAS_MESSAGES) ? DX_BINARY : 0;
}

static void post_from_thread(struct world *w)
{
    struct poster p = {.count = 200, .piece = 50, .how = how_of(w)};
    pthread_t t;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    p.id = w->c->id;
    MUST(p.id != 0);
    MUST(pthread_create(&t, NULL, post_all, &p) == 0);
    WAIT((w->s ? w->s : w->c)->got == 10000);
    pthread_join(t, NULL);
    MUST_INT(p.bad, 0);
    MUST(has(w, HAS_BYTES) || w->s->datas == 200);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_POST_DROPS), 0);
}

/* What the queue has no room for is dropped whole and counted. */
static void post_overflows(struct world *w)
{
    struct poster p = {.count = 64, .piece = 32 * KIB, .how = how_of(w)};
    pthread_t t;
    int64_t drops;
    w->co.queue_bytes_max = 64 * KIB;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    w->s->unchecked = true;
    end_pause(w->s, true);
    fill(w, w->c, 4 * KIB);
    p.id = w->c->id;
    MUST(pthread_create(&t, NULL, post_all, &p) == 0);
    pthread_join(t, NULL);
    pass(w, 20);
    end_pause(w->s, false);
    drops = dx_loop_count(w->loop, DX_COUNT_POST_DROPS);
    MUST_SAY(drops > 0 && drops <= 64, "%lld dropped", (long long)drops);
    WAIT(w->s->got == w->c->sent + (64 - (size_t)drops) * 32 * KIB);
}

static void post_to_dead(struct world *w)
{
    struct poster p = {.count = 3, .piece = 10, .how = how_of(w)};
    pthread_t t;
    MUST_DO(both(w, &on_default, &on_quiet));
    p.id = w->c->id;
    MUST(dx_find(w->loop, p.id) == w->c->c);
    end_abort(w->c);
    WAIT(w->c->closes);
    pass(w, 1);
    MUST(dx_find(w->loop, p.id) == NULL);
    MUST(pthread_create(&t, NULL, post_all, &p) == 0);
    pthread_join(t, NULL);
    MUST_INT(p.bad, 0);
    for (int i = 0; i < 100 && dx_loop_count(w->loop, DX_COUNT_POST_DROPS) < 3; i++)
        pass(w, 1);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_POST_DROPS), 3);
}

/* The slot of a dead conn is used again: its old id must not reach the new one. */
static void old_id_new_conn(struct world *w)
{
    struct poster p = {.count = 1, .piece = 10, .how = how_of(w)};
    MUST_DO(both(w, &on_quiet, &on_default));
    p.id = w->c->id;
    end_abort(w->c);
    WAIT(w->c->closes);
    pass(w, 1);
    w->s = w->c = NULL;
    for (int i = 0; i < 20; i++)
        MUST_DO(dial(w, NULL, &on_default));
    post_all(&p);
    MUST_INT(p.bad, 0);
    for (int i = 0; i < 100 && !dx_loop_count(w->loop, DX_COUNT_POST_DROPS); i++)
        pass(w, 1);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_POST_DROPS), 1);
    for (size_t i = 0; i < w->ends_n; i++)
        MUST(w->ends[i]->door || w->ends[i]->id != p.id || w->ends[i]->closes);
}

static void post_to_freed_loop(struct world *w)
{
    struct poster p = {.count = 3, .piece = 10, .how = how_of(w)};
    MUST_DO(both(w, &on_quiet, &on_quiet));
    p.id = w->c->id;
    dx_loop_free(w->loop);
    w->loop = NULL;
    post_all(&p);
    MUST_INT(p.bad, DX_CLOSED);
    p.bad = 0;
    w->loop = dx_loop_new(NULL); /* may take the old one's place: then it counts them as dropped */
    MUST(w->loop != NULL);
    post_all(&p);
    pass(w, 1);
    MUST(p.bad == DX_CLOSED || dx_loop_count(w->loop, DX_COUNT_POST_DROPS) == 3);
    MUST(dx_find(w->loop, p.id) == NULL);
}

/* ---- a world of its own in a second thread ---- */
struct second {
    struct world w, *first;
    char where[200];
    pthread_t thread;
    void (*story)(struct world *w);
    atomic_bool done;
};

static void woken(void *arg)
{
    dx_loop_stop(((struct world *)arg)->loop);
}

static void *second_thread(void *arg)
{
    struct second *s = arg;
    if (world_init(&s->w, s->first->scheme, s->first->report)) {
        s->w.where = s->where;
        snprintf(s->w.url, sizeof s->w.url, "%s", s->first->url);
        s->story(&s->w);
    }
    world_free(&s->w);
    atomic_store(&s->done, true);
    dx_loop_post(s->first->loop, woken, s->first);
    return NULL;
}

static void second_start(struct second *s, struct world *first, void (*story)(struct world *w))
{
    *s = (struct second){.first = first, .story = story};
    pattern(0);
    pthread_create(&s->thread, NULL, second_thread, s);
}

static void echo_story(struct world *w)
{
    size_t n = has(w, HAS_DATAGRAMS) ? 20 : 40;
    MUST_DO(dial(w, NULL, &on_fill));
    WAIT(w->c->opens);
    for (size_t i = 1; i <= n; i++) {
        put_all(w->c, i * 10000, 10000);
        WAIT(w->c->got == i * 10000);
    }
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
}

static void two_loops(struct world *w)
{
    static struct second s;
    MUST_DO(serve(w, &on_echo));
    second_start(&s, w, echo_story);
    while (!s.done && turn(w, "the second thread's story", __FILE__, __LINE__))
        ;
    pthread_join(s.thread, NULL);
    if (has(w, HAS_END))
        WAIT(w->s->closes);
}

/* ---- a listener two threads accept from ---- */
#define SHARED(w) (has(w, HAS_TLS) ? 50 : 200) /* clients; a handshake is much arithmetic */

struct helper {
    dx_loop *loop;
    pthread_t thread;
    atomic_int ready, served;
};

static void helper_open(dx_conn *c)
{
    struct helper *h = dx_user(c);
    if (dx_loop_of(c) == h->loop)
        atomic_fetch_add(&h->served, 1);
    else
        atomic_fetch_add(&h->ready, 1);
}

static void helper_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how & (DX_TEXT | DX_BINARY));
}

static void *helper_run(void *arg)
{
    struct helper *h = arg;
    dx_loop_run(h->loop);
    return NULL;
}

static void share_open(dx_conn *c)
{
    put(end_of(c), 100);
}

static void share_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    (void)data, (void)n, (void)how;
    if (e->got == 100)
        end_close(e);
}

static void run_shared(struct world *w, struct helper *h, const dx_handler *server)
{
    static const dx_handler on = {.on_open = share_open, .on_data = share_data};
    char url[256];
    dx_err err = {0};
    name_url(w, url, sizeof url);
    MUST(!has(w, HAS_TLS) || secret_server(w));
    w->listener = dx_serve(w->loop, url, server, h, &w->so, &err);
    MUST_SAY(w->listener, "dx_serve: %s", err.text);
    int r = dx_listener_share(w->listener, h->loop);
    w->report->absent = r == DX_ABSENT;
    MUST_INT(r, 0);
    MUST(pthread_create(&h->thread, NULL, helper_run, h) == 0);
    snprintf(w->url, sizeof w->url, "%s", dx_listener_url(w->listener, 0));
    w->co.dial_ms_max = watch_ms();
    for (int i = 0; i < SHARED(w); i++)
        MUST_DO(dial(w, NULL, &on));
    WAIT(all_closed(w));
    for (size_t i = 0; i < w->ends_n; i++) {
        MUST_GOOD(w->ends[i]);
        MUST_INT(w->ends[i]->got, 100);
    }
}

static void shared_listener(struct world *w)
{
    static const dx_handler server = {.on_open = helper_open, .on_data = helper_data};
    struct helper h = {0};
    h.loop = dx_loop_new(NULL);
    MUST(h.loop != NULL);
    run_shared(w, &h, &server);
    if (h.thread) {
        dx_loop_stop(h.loop);
        pthread_join(h.thread, NULL);
    }
    dx_loop_free(w->loop);
    w->loop = NULL;
    dx_loop_free(h.loop);
    MUST_INT(h.served + h.ready, SHARED(w));
}

const struct behaviour behave_thread[] = {
    {"post from another thread, in order", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, post_from_thread},
    {"posts beyond the queue are dropped whole and counted", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, post_overflows},
    {"post to a dead id is a counted drop", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, post_to_dead},
    {"an old id never names a new conn", HAS_LISTENER | HAS_PEER, 0, old_id_new_conn},
    {"post to a freed loop is DX_CLOSED", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, post_to_freed_loop},
    {"two loops in two threads", HAS_LISTENER | HAS_PEER, 0, two_loops},
    {"a listener shared by two threads", HAS_BACKLOG, 0, shared_listener},
    {0},
};
