/* SPDX-License-Identifier: MIT */
#include "core/listener.h"
#include "base/err.h"
#include "core/conn.h"
#include "core/stream.h"
#include "os/addr.h"
#include "os/fd.h"
#include <duplex/tls.h>
#include <stdlib.h>
#include <string.h>

dx_listener *listener_new(dx_loop *l, const dx_handler *on, void *user, struct settings *set, dx_err *err)
{
    dx_listener *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, DX_NOMEM, "no memory for a listener");
        return NULL;
    }
    *s = (dx_listener){.loop = l, .on = on, .user = user, .set = settings_ref(set)};
    s->next = l->first_listener;
    s->at = &l->first_listener;
    if (s->next)
        s->next->at = &s->next;
    l->first_listener = s;
    l->listeners++;
    return s;
}

static void stop_accepting(dx_listener *s)
{
    for (size_t i = 0; i < s->port_count; i++) {
        struct listen_port *p = &s->ports[i];
        if (p->port.fd >= 0 && p->unlink)
            os_unlink(p->unlink);
        os_close(&s->loop->engine, &p->port);
    }
    if (s->stop)
        s->stop(s);
    s->stop = NULL;
}

static void free_grave(struct layer *l)
{
    free(l);
}

static const struct layer_type grave_type = {.name = "listener", .free = free_grave};

void listener_free(dx_listener *s)
{
    dx_loop *l = s->loop;
    struct layer *lone;
    stop_accepting(s);
    loop_timer_off(l, &s->rest);
    while (s->lone && (lone = s->lone->layer)) {
        lone_del(s->lone);
        lone->type->abort(lone);
    }
    if (s->transports) {
        s->draining = true; /* the last transport frees it */
        return;
    }
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    l->listeners--;
    if (s->free)
        s->free(s);
    for (size_t i = 0; i < s->port_count; i++)
        free(s->ports[i].unlink);
    for (size_t i = 0; i < s->url_count; i++)
        free(s->urls[i]);
    settings_drop(s->set);
    free(s->twins);
    free(s->path);
    s->grave.type = &grave_type; /* what the engine has heard in this turn may still name a port of it */
    loop_bury(l, &s->grave);
}

int listener_add_url(dx_listener *s, const char *url)
{
    for (size_t i = 0; i < s->url_count; i++)
        if (!strcmp(s->urls[i], url))
            return 0;
    if (s->url_count == LISTENER_PORTS_MAX)
        return DX_LIMIT;
    s->urls[s->url_count] = strdup(url);
    return s->urls[s->url_count] ? (s->url_count++, 0) : DX_NOMEM;
}

/* ---- accepting ---- */

static void accept_on(dx_listener *s, bool on)
{
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i].port.fd >= 0)
            os_recv(&s->loop->engine, &s->ports[i].port, on);
}

static void rest_over(struct timer *t, dx_loop *l)
{
    dx_listener *s = (dx_listener *)((char *)t - offsetof(dx_listener, rest));
    (void)l;
    accept_on(s, !s->full);
}

/* Out of descriptors or memory: an accept that spins on the error would starve those who could free some. */
static void rest_a_while(dx_listener *s)
{
    s->loop->accept_rests++;
    accept_on(s, false);
    s->rest.fire = rest_over;
    loop_timer(s->loop, &s->rest, s->loop->now + ACCEPT_REST_MS);
}

static void accepted(struct os_port *p, int fd, int error)
{
    struct listen_port *lp = (struct listen_port *)p;
    dx_listener *s = lp->listener;
    if (error) {
        rest_a_while(s);
        return;
    }
    struct stream *t = stream_new(s->loop, stream_type_of(lp->wire), s->set);
    if (!t || stream_adopt(t, fd) < 0) {
        os_fd_close(fd);
        stream_throw_away(t);
        rest_a_while(s);
        return;
    }
    t->from = s;
    listener_gained(s);
    if (s->stack(s, &t->layer, &t->queue) < 0)
        t->layer.type->abort(&t->layer);
}

static const struct os_port_ops listen_ops = {.accepted = accepted};

int listener_add(dx_listener *s, int fd, const char *wire, const char *unlink_path)
{
    if (s->port_count == LISTENER_PORTS_MAX)
        return DX_LIMIT;
    struct listen_port *p = &s->ports[s->port_count];
    char *path = unlink_path ? strdup(unlink_path) : NULL;
    if (unlink_path && !path)
        return DX_NOMEM;
    if (os_port_open(&s->loop->engine, &p->port, fd, OS_LISTEN, &listen_ops) < 0) {
        free(path);
        return DX_SYS;
    }
    p->listener = s;
    p->wire = wire;
    p->unlink = path;
    s->port_count++;
    return 0;
}

void listener_gained(dx_listener *s)
{
    s->transports++;
    if (s->transports >= s->set->o.conns_max && !s->full) {
        s->full = true;
        accept_on(s, false);
    }
}

void listener_lost(dx_listener *s)
{
    s->transports--;
    if (s->full && s->transports < s->set->o.conns_max) {
        s->full = false;
        accept_on(s, true);
    }
    if (s->draining && s->transports == 0)
        listener_free(s);
}

dx_conn *listener_conn(dx_listener *s, struct layer *below, struct queue *q)
{
    return conn_new(s->on, s->user, below, q);
}

void dx_listener_faults(dx_listener *s, void (*fn)(void *arg, const char *peer, const dx_err *why), void *arg)
{
    s->fault = fn;
    s->fault_arg = arg;
}

void listener_fault(dx_listener *s, const struct layer *bottom, const dx_err *why)
{
    char peer[ADDR_TEXT_MAX + 64] = "";
    struct addr a;
    s->loop->handshake_faults++;
    if (!s->fault)
        return;
    bool known = bottom->type->address && bottom->type->address(bottom, true, &a);
    s->fault(s->fault_arg, known ? addr_url(bottom->type->name, &a, "", peer, sizeof peer) : "", why);
}

static void put_first(struct lone **list, struct lone *n, struct layer *l)
{
    n->layer = l;
    n->next = *list;
    n->at = list;
    if (n->next)
        n->next->at = &n->next;
    *list = n;
}

void lone_add(dx_listener *s, struct lone *n, struct layer *l)
{
    put_first(&s->lone, n, l);
}

void lone_add_dialled(dx_loop *loop, struct lone *n, struct layer *l)
{
    put_first(&loop->lone, n, l);
}

void lone_del(struct lone *n)
{
    if (!n->at)
        return;
    *n->at = n->next;
    if (n->next)
        n->next->at = n->at;
    n->at = NULL;
}

static void look_for_larger(struct lone *n, size_t *most, struct layer **largest)
{
    for (; n; n = n->next) {
        struct layer *bottom = n->layer;
        while (bottom->below)
            bottom = bottom->below;
        const struct stream *t = stream_of(bottom);
        size_t here = t ? queue_memory(&t->queue) : 0;
        if (here > *most) {
            *most = here;
            *largest = n->layer;
        }
    }
}

struct layer *lone_largest(dx_loop *l, size_t *most)
{
    struct layer *largest = NULL;
    look_for_larger(l->lone, most, &largest);
    for (dx_listener *s = l->first_listener; s; s = s->next)
        look_for_larger(s->lone, most, &largest);
    return largest;
}

/* ---- drain ---- */

static bool is_from(dx_conn *c, const dx_listener *s)
{
    struct layer *bottom = conn_bottom(c);
    return bottom && bottom->type->from && bottom->type->from(bottom) == s;
}

static void each_conn(dx_listener *s, void (*fn)(dx_conn *c))
{
    dx_conn *c;
    for (uint32_t at = 0; (c = loop_conns_next(s->loop, &at));)
        if (is_from(c, s))
            fn(c);
}

/* An exchange that is under way comes to its own end, and its layer closes the connection then: to close its conn would be to
 * answer for the handler. */
static void drain_conn(dx_conn *c)
{
    if (!c->layer.below->type->exchanges)
        dx_close(c);
}

static void drain_over(struct timer *t, dx_loop *l)
{
    dx_listener *s = (dx_listener *)((char *)t - offsetof(dx_listener, rest));
    (void)l;
    each_conn(s, dx_abort);
    listener_free(s);
}

void dx_listener_drain(dx_listener *s, int64_t ms)
{
    stop_accepting(s);
    listener_drain_twins(s, ms);
    loop_timer_off(s->loop, &s->rest);
    s->draining = true;
    if (s->transports == 0) {
        listener_free(s);
        return;
    }
    if (ms <= 0)
        return;
    s->rest.fire = drain_over;
    loop_timer(s->loop, &s->rest, s->loop->now + (ms < INT64_MAX / 4 ? ms : INT64_MAX / 4));
    each_conn(s, drain_conn);
    for (struct lone *n = s->lone, *next; n; n = next) {
        next = n->next;
        n->layer->type->close(n->layer);
    }
}

const char *dx_listener_url(const dx_listener *s, int i)
{
    return i >= 0 && (size_t)i < s->url_count ? s->urls[i] : NULL;
}

size_t dx_listener_conns(const dx_listener *s)
{
    return s->transports;
}
