/* SPDX-License-Identifier: MIT
 * udp_peer.c - a conn on datagrams: one dx_send is one datagram, one that arrives is one on_data. */
#include "net/udp.h"
#include "base/err.h"
#include "codec/sniff.h"
#include "core/conn.h"
#include "net/stack.h"
#include "os/addr.h"
#include <duplex/udp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ANY_SHARE = 4 };

static struct peer *of(struct layer *l)
{
    return (struct peer *)l;
}

/* ---- the end of a peer ---- */

static void held_clear(struct peer *p)
{
    for (struct held *h; (h = p->held);) {
        p->held = h->next;
        account_free(h, sizeof *h + h->n);
    }
    p->held_end = &p->held;
    p->held_n = 0;
}

static void finish_off(struct peer *p, const dx_err *why)
{
    struct udp_socket *u = p->socket;
    dx_loop *l = p->queue.loop;
    if (p->done)
        return;
    p->done = 1;
    loop_timer_off(l, &p->timer);
    if (p->stuck)
        peer_unstick(p);
    queue_clear(&p->queue, &l->store);
    held_clear(p);
    block_drop(p->part);
    p->part = NULL;
    if (p->layer.above)
        layer_closed_above(&p->layer, why); /* the socket is there yet: on_close may ask for dx_peer */
    else
        loop_bury(l, &p->layer);
    p->socket = NULL;
    os_recv(&u->loop->engine, &u->port, true);
    u->refs--;
    if (u->from) {
        map_del(&u->peers, &p->addr.any, p->addr.n);
        listener_lost(u->from);
    } else {
        u->closed = true;
    }
    udp_socket_drop(u);
}

void peer_end(struct peer *p, int code, const char *words)
{
    dx_err why;
    err_set(&why, code, "%s", words);
    finish_off(p, &why);
}

void peer_end_errno(struct peer *p, int error)
{
    char url[ADDR_TEXT_MAX + 16];
    struct addr a = p->addr;
    dx_err why;
    bool known = a.n || addr_of_fd(p->socket->port.fd, true, &a);
    err_sys(&why, 0, error, "%s", known ? addr_url(p->layer.type->name, &a, "", url, sizeof url) : p->layer.type->name);
    finish_off(p, &why);
}

/* ---- in ---- */

static bool is_stopped(const struct peer *p)
{
    return p->paused || layer_stopped(&p->layer);
}

/* Who sends to a Unix socket that is not read waits, and loses nothing. Only where nobody else could be kept waiting for this peer. */
static bool may_rest(const struct peer *p)
{
    const struct udp_socket *u = p->socket;
    return u->type == &unixgram_type && (u->only || (u->refs == 1 && (u->closed || u->from->full)));
}

static bool rests(const struct peer *p)
{
    return p->held && !p->socket->port.recv_on;
}

static void hand_held(struct peer *p)
{
    while (p->held && !is_stopped(p) && !p->done && !p->closing) {
        struct held *h = p->held;
        p->held = h->next;
        if (!p->held)
            p->held_end = &p->held;
        p->held_n -= sizeof *h + h->n;
        layer_take_above(&p->layer, h->data, h->n, 0);
        account_free(h, sizeof *h + h->n);
    }
    if (!p->held && !p->done)
        os_recv(&p->socket->loop->engine, &p->socket->port, true);
}

static void keep(struct peer *p, const struct os_datagram *d)
{
    size_t most = UDP_HELD_MAX;
    if (may_rest(p)) {
        os_recv(&p->socket->loop->engine, &p->socket->port, false);
        most += OS_RECV_MAX; /* the rest of what has been read in this turn */
    }
    struct held *h = p->held_n + d->n <= most ? account_alloc(sizeof *h + d->n) : NULL;
    if (!h) {
        p->queue.loop->engine.datagram_drops++;
        return;
    }
    h->next = NULL;
    h->n = d->n;
    memcpy(h->data, d->p, d->n);
    *p->held_end = h;
    p->held_end = &h->next;
    p->held_n += sizeof *h + d->n;
}

void peer_arrived(struct peer *p, const struct os_datagram *d)
{
    p->in += d->n;
    p->last_active = p->queue.loop->now;
    if (p->done || p->closing)
        return;
    if (p->opening || p->held || is_stopped(p))
        keep(p, d);
    else
        layer_take_above(&p->layer, d->p, d->n, 0);
}

bool udp_is_speech(const struct udp_socket *u, const struct os_datagram *d)
{
    if (!u->sniff)
        return true;
    enum sniff s = sniff_datagram(d->p, d->n, NULL);
    return s == SNIFF_TEXT || s == SNIFF_NOISE; /* noise is the handler's to refuse: it came whole */
}

/* On any:// made-up sources must not use up what TCP callers need. */
static bool has_its_share(const struct udp_socket *u)
{
    return u->sniff && u->refs >= u->from->set->o.conns_max / ANY_SHARE + 1;
}

struct peer *peer_stranger(struct udp_socket *u, const struct addr *a, const struct os_datagram *d)
{
    if (addr_is_reflector(a) || (a->n == u->own.n && !memcmp(&a->any, &u->own.any, a->n)) || !udp_is_speech(u, d) ||
        u->from->full || u->closed || has_its_share(u))
        return NULL;
    struct peer *p = peer_new(u, u->from->set);
    if (!p)
        return NULL;
    p->addr = *a;
    if (map_put(&u->peers, &p->addr.any, p->addr.n, p) < 0) {
        loop_timer_off(u->loop, &p->timer);
        free(p);
        return NULL;
    }
    u->refs++;
    listener_gained(u->from);
    p->in = d->n;
    p->layer.type = u->type;
    if (stack_datagrams(u->from, &p->layer, &p->queue) < 0) {
        peer_end(p, DX_NOMEM, "no memory");
        return NULL;
    }
    p->in = 0;
    return p;
}

/* ---- the turn ---- */

static void chore_run(struct chore *c, dx_loop *l)
{
    struct peer *p = (struct peer *)((char *)c - offsetof(struct peer, chore));
    (void)l;
    if (p->done)
        return;
    if (p->breaking) {
        peer_end(p, DX_CLOSED, "closed by us");
        return;
    }
    if (!p->opening)
        peer_flush(p);
    if (p->error) {
        peer_end_errno(p, p->error);
        return;
    }
    if (p->closing && !p->queue.first) {
        peer_end(p, DX_CLOSED, "closed by us"); /* datagrams have no end to wait for */
        return;
    }
    if (p->closing || p->opening)
        return;
    if (!queue_past_half(&p->queue))
        layer_writable_above(&p->layer);
    if (!p->done)
        hand_held(p);
}

void peer_opened(struct peer *p)
{
    dx_loop *l = p->queue.loop;
    p->opening = 0;
    loop_timer_off(l, &p->timer);
    if (p->idle_ms)
        loop_timer(l, &p->timer, l->now + p->idle_ms);
    layer_opened_above(&p->layer);
    peer_later(p);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct peer *p = (struct peer *)((char *)t - offsetof(struct peer, timer));
    if (p->opening && p->socket->port.fd >= 0) {
        peer_opened(p);
        return;
    }
    if (p->opening) {
        peer_end(p, DX_TIMEOUT, "no answer from the name service in time");
        return;
    }
    if (rests(p))
        p->last_active = l->now; /* it is we who do not listen */
    if (l->now - p->last_active >= p->idle_ms)
        peer_end(p, DX_TIMEOUT, "idle for too long");
    else
        loop_timer(l, &p->timer, p->last_active + p->idle_ms);
}

/* ---- from above ---- */

/* DX_MORE: parts gather until the last one makes them a datagram. One that grows too big is thrown away. */
static int give_part(struct peer *p, const struct span *v, size_t count, size_t n, bool more)
{
    int r = 0;
    if (!p->part && !(p->part = block_new(0)))
        return DX_NOMEM;
    if (p->part->used + n > UDP_PAYLOAD_MAX)
        r = DX_BIG;
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (v[i].n)
            memcpy(p->part->data + p->part->used, v[i].p, v[i].n);
        p->part->used += (uint32_t)v[i].n;
    }
    if (r == 0 && more)
        return 0;
    struct span whole = {p->part, p->part->data, p->part->used};
    if (r == 0)
        r = queue_add(&p->queue, &p->queue.loop->store, &whole, 1, 0, true);
    block_drop(p->part);
    p->part = NULL;
    if (r == 0)
        peer_later(p);
    return r;
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct peer *p = of(l);
    size_t n = 0;
    if (p->done || p->breaking || p->finishing)
        return DX_CLOSED;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    if (n > UDP_PAYLOAD_MAX)
        return DX_BIG;
    if (p->part || how & DX_MORE)
        return give_part(p, v, count, n, (how & DX_MORE) != 0);
    int r = queue_add(&p->queue, &p->queue.loop->store, v, count, 0, true);
    if (r == 0)
        peer_later(p);
    return r;
}

static int give_msg(struct layer *l, dx_msg *m)
{
    struct span v;
    int r = msg_plain(m, of(l)->queue.loop, &v);
    return r < 0 ? r : l->type->give(l, &v, 1, 0);
}

static int finish(struct layer *l)
{
    of(l)->finishing = 1;
    return 0;
}

static void pause_it(struct layer *l, bool on)
{
    of(l)->paused = on;
    if (!on)
        peer_later(of(l));
}

static void close_down(struct layer *l)
{
    struct peer *p = of(l);
    if (p->opening)
        p->breaking = 1;
    p->closing = 1;
    p->finishing = 1;
    if (!p->done)
        os_recv(&p->socket->loop->engine, &p->socket->port, true);
    peer_later(p);
}

static void abort_it(struct layer *l)
{
    of(l)->breaking = 1;
    peer_later(of(l));
}

static void layer_free(struct layer *l)
{
    loop_chore_off(of(l)->queue.loop, &of(l)->chore);
    free(l);
}

static struct dx_listener *from(const struct layer *l)
{
    const struct peer *p = (const struct peer *)l;
    return p->socket ? p->socket->from : NULL;
}

static bool address(const struct layer *l, bool peer, struct addr *ret)
{
    const struct peer *p = (const struct peer *)l;
    if (!p->socket)
        return false;
    if (peer && p->addr.n) {
        *ret = p->addr;
        return true;
    }
    return addr_of_fd(p->socket->port.fd, peer, ret);
}

#define DATAGRAM_TYPE(wire)                                                                                            \
    {                                                                                                                  \
        .name = wire, .give = give, .give_msg = give_msg, .give_file = layer_give_file_absent, .finish = finish,       \
        .pause = pause_it, .close = close_down, .abort = abort_it, .free = layer_free, .from = from,                   \
        .address = address                                                                                             \
    }
const struct layer_type udp_type = DATAGRAM_TYPE("udp");
const struct layer_type unixgram_type = DATAGRAM_TYPE("unixgram");

void dx_udp_traffic(const dx_conn *c, uint64_t *ret_in, uint64_t *ret_out)
{
    struct layer *bottom = c->gone ? NULL : conn_bottom(c);
    *ret_in = *ret_out = 0;
    if (bottom && (bottom->type == &udp_type || bottom->type == &unixgram_type)) {
        *ret_in = of(bottom)->in;
        *ret_out = of(bottom)->out + of(bottom)->queue.n;
    }
}

struct peer *peer_new(struct udp_socket *u, const struct settings *set)
{
    struct peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->layer.type = u->type;
    p->socket = u;
    p->queue.max = set->o.queue_bytes_max;
    p->queue.loop = u->loop;
    p->chore.run = chore_run;
    p->timer.fire = timer_fire;
    p->held_end = &p->held;
    p->idle_ms = set->o.idle_ms_max ? set->o.idle_ms_max : u->from ? UDP_IDLE_MS : 0;
    p->last_active = u->loop->now;
    if (p->idle_ms && u->from && loop_timer(u->loop, &p->timer, u->loop->now + p->idle_ms) < 0) {
        free(p); /* a peer that nothing sweeps away would stay for ever */
        return NULL;
    }
    return p;
}
