/* SPDX-License-Identifier: MIT
 * tunnel.c - see tunnel.h. It stays where it is when it stands: the conn above has its queue. */
#include "net/tunnel.h"
#include "core/conn.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct layer_type tunnel_type;

static struct tunnel *of(struct layer *l)
{
    return (struct tunnel *)l;
}

struct tunnel *tunnel_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    while (l && l->type != &tunnel_type)
        l = l->below;
    return l && !of(l)->stands ? of(l) : NULL;
}

/* ---- what a kind says ---- */

void tunnel_say(struct tunnel *t, const void *p, size_t n)
{
    struct span v = {NULL, p, n};
    layer_give_below(&t->layer, &v, 1, 0);
}

static void fail(struct tunnel *t, int code, int detail_of, int detail, const char *text)
{
    t->broken = true;
    loop_timer_off(t->loop, &t->timer);
    layer_fail(&t->layer, code, detail_of, detail, text);
    layer_abort_below(&t->layer); /* proxies keep the connection: nobody shall wait for its end */
}

void tunnel_no_name(struct tunnel *t, int code, int detail_of, int detail, const char *words)
{
    char text[400];
    snprintf(text, sizeof text, "looking up %s for the proxy: %s", t->host, words);
    fail(t, code, detail_of, detail, text);
}

void tunnel_refuse(struct tunnel *t, int code, int detail_of, int detail, const char *words)
{
    char text[240];
    snprintf(text, sizeof text, "dial %.100s: it %.100s", t->proxy, words);
    fail(t, code, detail_of, detail, text);
}

static int give_queued(struct tunnel *t)
{
    int r = 0;
    for (const struct queued *d = t->queue.first; d && r >= 0; d = d->next) {
        struct span v = {d->blk, d->blk ? d->p : NULL, d->n};
        int fd = d->blk ? -1 : os_fd_dup(d->fd);
        if (d->blk)
            r = layer_give_below(&t->layer, &v, 1, 0);
        else
            r = fd < 0 ? DX_SYS : layer_give_file_below(&t->layer, fd, d->off, d->n, 0);
    }
    queue_clear(&t->queue, &t->loop->store);
    return r;
}

void tunnel_stands(struct tunnel *t)
{
    char words[320];
    struct dx_conn *c = layer_conn(&t->layer);
    snprintf(words, sizeof words, "the proxy leads on to %s:%d", t->host, t->port);
    loop_timer_off(t->loop, &t->timer);
    if (c)
        conn_early(c, DX_STEP, words);
    if (t->broken) /* it was closed in there */
        return;
    t->stands = true;
    if (give_queued(t) < 0) {
        t->broken = true;
        layer_abort_below(&t->layer);
        return;
    }
    if (t->finishing)
        layer_finish_below(&t->layer);
    if (t->paused)
        layer_pause_below(&t->layer, true);
    layer_opened_above(&t->layer);
    if (t->closing)
        layer_close_below(&t->layer);
}

static void timer_fire(struct timer *timer, dx_loop *l)
{
    struct tunnel *t = (struct tunnel *)((char *)timer - offsetof(struct tunnel, timer));
    (void)l;
    tunnel_refuse(t, DX_TIMEOUT, DX_OF_NOTHING, 0, "did not answer in time");
}

/* ---- from below ---- */

static void opened(struct layer *l)
{
    of(l)->kind->begin(of(l));
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct tunnel *t = of(l);
    size_t used = 0, got = 1;
    while (!t->stands && !t->broken && used < n && got > 0)
        used += got = t->kind->take(t, p + used, n - used);
    if (t->broken)
        return n;
    /* What comes behind the proxy's answer is the next layer's. */
    if (t->stands && used < n && !layer_stopped(l))
        used += layer_take_above(l, p + used, n - used, how);
    return used;
}

static void ended(struct layer *l)
{
    struct tunnel *t = of(l);
    if (t->stands)
        layer_ended_above(l);
    else if (!t->broken)
        tunnel_refuse(t, DX_TRUNCATED, DX_OF_NOTHING, 0, "ended without an answer");
}

static void writable(struct layer *l)
{
    if (of(l)->stands)
        layer_writable_above(l);
}

static void closed(struct layer *l, const dx_err *why)
{
    struct tunnel *t = of(l);
    t->broken = true;
    loop_timer_off(t->loop, &t->timer);
    queue_clear(&t->queue, &t->loop->store);
    if (l->above) /* the conn buries the stack */
        layer_closed_above(l, why);
    else
        layer_bury_stack(l, t->loop);
}

/* TLS with a proxy may end as it likes while the tunnel has words of its own for that. */
static bool ends_itself(const struct layer *l)
{
    return !((const struct tunnel *)l)->stands;
}

/* ---- from above ---- */

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct tunnel *t = of(l);
    if (t->broken || t->finishing)
        return DX_CLOSED;
    if (t->stands)
        return layer_give_below(l, v, count, how);
    int r = queue_add(&t->queue, &t->loop->store, v, count, 0, false);
    if (r < 0)
        layer_abort_below(l); /* a part of it may stand in the queue */
    return r;
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct tunnel *t = of(l);
    if (t->stands)
        return layer_give_file_below(l, fd, off, n, how);
    int r = t->broken || t->finishing ? DX_CLOSED : queue_add_file(&t->queue, &t->loop->store, fd, off, n);
    if (r < 0)
        os_fd_close(fd);
    return r;
}

static int finish(struct layer *l)
{
    struct tunnel *t = of(l);
    t->finishing = true;
    return t->stands ? layer_finish_below(l) : 0;
}

static void pause_it(struct layer *l, bool on)
{
    struct tunnel *t = of(l);
    t->paused = on;
    if (t->stands) /* a conn that is paused before it stands opens all the same */
        layer_pause_below(l, on);
}

static void break_off(struct layer *l)
{
    of(l)->broken = true;
    layer_abort_below(l);
}

static void close_down(struct layer *l)
{
    struct tunnel *t = of(l);
    t->closing = true;
    if (t->stands)
        layer_close_below(l);
    else if (!t->queue.first) /* else it goes out when it stands: its deadline holds */
        break_off(l);
}

static void tunnel_free(struct layer *l)
{
    struct tunnel *t = of(l);
    loop_timer_off(t->loop, &t->timer);
    queue_clear(&t->queue, &t->loop->store);
    t->kind->free(t);
    free(t->proxy);
    free(t->host);
    free(t);
}

static const struct layer_type tunnel_type = {
    .ends_itself = ends_itself,
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = writable,
    .closed = closed,
    .give = give,
    .give_msg = layer_give_msg_plain,
    .give_file = give_file,
    .finish = finish,
    .pause = pause_it,
    .close = close_down,
    .abort = break_off,
    .free = tunnel_free,
};

struct layer *tunnel_new(const struct dial *d, int port, const struct proxy *p, struct layer *bottom, struct queue *q,
                         struct queue **ret_q)
{
    struct tunnel *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->layer.type = &tunnel_type;
    t->kind = p->kind == PROXY_HTTP ? &tunnel_connect : &tunnel_socks;
    t->loop = d->loop;
    t->timer.fire = timer_fire;
    t->queue.loop = d->loop;
    t->queue.max = d->set->o.queue_bytes_max;
    t->queue.under = q;
    t->proxy = strndup(p->url, strcspn(p->url, "#"));
    t->host = strndup((const char *)d->url->host.p, d->url->host.n);
    t->port = port;
    t->v6 = d->url->v6;
    if (!t->proxy || !t->host || t->kind->make(t, p) < 0 ||
        loop_timer(d->loop, &t->timer, d->loop->now + d->set->o.dial_ms_max) < 0) {
        tunnel_free(&t->layer);
        return NULL;
    }
    layer_put_above(bottom, &t->layer);
    *ret_q = &t->queue;
    return &t->layer;
}
