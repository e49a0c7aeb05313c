/* SPDX-License-Identifier: MIT
 * hub.c - the hub itself: its listeners, the one handler behind all of them, the sweep, the end. */
#include "hub/guest.h"
#include "hub/inside.h"
#include <duplex/http.h>
#include <duplex/tls.h>
#include <duplex/ws.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_open(dx_conn *c)
{
    member_open(c, dx_user(c));
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct member *m = dx_state(c);
    if (m->closing || (m->kind == KIND_HTTP && !m->call))
        return; /* a body that nobody asked for */
    if (m->kind == KIND_HTTP)
        call_data(m, data, n);
    else if (m->kind == KIND_JSON)
        json_data(m, how & DX_BINARY ? "" : data, how & DX_BINARY ? 0 : n);
    else
        plain_data(m, data, n, how);
}

/* Who ends its side has said what it had to say: it gets what was said till now, and leaves. */
static void on_end(dx_conn *c)
{
    struct member *m = dx_state(c);
    if (m->kind == KIND_HTTP) {
        if (m->call)
            call_end(m);
        return;
    }
    if (m->room)
        feed(m);
    member_close(m);
}

static void on_writable(dx_conn *c)
{
    struct member *m = dx_state(c);
    m->blocked = false;
    if (m->talk)
        m->hub->o.site->more(m->talk);
    if (m->call && m->call->guest) {
        m->call->guest->m.blocked = false;
        guest_feed(m->call->guest);
    }
    if (m->kind != KIND_HTTP) /* of a request it says when it came */
        m->heard_ms = dx_loop_now(m->hub->loop);
    if (m->room)
        feed(m);
}

static void on_event(dx_conn *c, int what, const void *arg)
{
    struct member *m = dx_state(c);
    if (what == DX_BROKEN)
        member_broken(m, arg);
    if (what == DX_PONG) {
        m->heard_ms = dx_loop_now(m->hub->loop);
        m->pinged = false;
    }
}

static void on_close(dx_conn *c, const dx_err *why)
{
    (void)why;
    member_gone(dx_state(c));
}

static const dx_handler handler = {.state_bytes = sizeof(struct member),
                                   .on_open = on_open,
                                   .on_data = on_data,
                                   .on_end = on_end,
                                   .on_writable = on_writable,
                                   .on_event = on_event,
                                   .on_close = on_close};

/* A peer whose cable was pulled says nothing more: only WebSockets can be asked. */
static void look_after(struct member *m, int64_t now)
{
    int64_t silent = now - m->heard_ms;
    if ((m->kind != KIND_WS && m->kind != KIND_JSON) || is_guest(m) || m->closing || silent < PING_AFTER_MS)
        return;
    if (silent > (m->blocked ? STALLED_MS_MAX : SILENT_MS_MAX)) {
        m->closing = true;
        dx_abort(m->c);
    } else if (!m->pinged && dx_ws_ping(m->c, NULL, 0) >= 0)
        m->pinged = true;
}

static void sweep_room(const void *node, VISIT visit, void *arg)
{
    struct room *r = *(struct room *const *)node;
    struct hub *h = arg;
    if (visit != postorder && visit != leaf)
        return;
    for (uint32_t i = 0; i < r->count; i++)
        look_after(r->members[i], dx_loop_now(h->loop));
    ring_trim(&r->ring, wall_ms());
}

static void sweep(void *arg)
{
    struct hub *h = arg;
    twalk_r(h->rooms, sweep_room, h);
    guests_sweep(h);
    gate_sweep(h);
    h->sweep_timer = dx_loop_after(h->loop, SWEEP_MS, sweep, h);
}

static char **copy_hosts(const char *const *hosts)
{
    size_t n = 0;
    char **v;
    while (hosts && hosts[n])
        n++;
    v = calloc(n + 1, sizeof(*v));
    for (size_t i = 0; v && i < n; i++)
        v[i] = strdup(hosts[i]);
    return v;
}

static bool make_token(char ret[33])
{
    uint8_t chance[16];
    for (size_t i = 0; i < sizeof(chance); i++) {
        if (!i && !fill_random(chance, sizeof(chance)))
            return false;
        snprintf(ret + 2 * i, 3, "%02x", chance[i]);
    }
    return true;
}

struct hub *hub_new(dx_loop *loop, const struct hub_opts *o, dx_err *err)
{
    struct hub *h = calloc(1, sizeof(*h));
    if (!h)
        goto no_memory;
    h->loop = loop;
    if (o)
        h->o = *o;
    h->o.room_bytes_max = h->o.room_bytes_max ? h->o.room_bytes_max : 4 << 20;
    h->o.room_age_ms_max = h->o.room_age_ms_max ? h->o.room_age_ms_max : 86400000;
    h->hosts = copy_hosts(h->o.hosts);
    h->o.hosts = NULL;
    dx_tls_ref(h->o.tls);
    if (!make_token(h->token))
        goto no_memory;
    h->lobby = room_open(h, "lobby", 5, NULL);
    if (!h->hosts || !h->lobby || !hub_set_key(h, h->o.key))
        goto no_memory;
    h->o.key = NULL;
    h->sweep_timer = dx_loop_after(loop, SWEEP_MS, sweep, h);
    return h;
no_memory:
    hub_free(h);
    if (err)
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory for a hub"};
    return NULL;
}

void hub_free(struct hub *h)
{
    if (!h)
        return;
    h->draining = true; /* the loop may be gone: no timers */
    while (h->guests)
        guest_free(h->guests);
    while (h->locals)
        hub_leave(h->locals);
    while (h->rooms) { /* the lobby; others went with their members */
        (*(struct room **)h->rooms)->maker = NULL;
        (*(struct room **)h->rooms)->who_timer = 0;
        room_free(h, *(struct room **)h->rooms);
    }
    gate_free(h);
    for (char **s = h->hosts; s && *s; s++)
        free(*s);
    free(h->hosts);
    free(h->key);
    dx_tls_drop(h->o.tls);
    dx_text_free(&h->scratch);
    dx_text_free(&h->scratch2);
    free(h);
}

dx_listener *hub_listen(struct hub *h, const char *url, dx_err *err)
{
    const dx_opts o = {.message_bytes_max = MESSAGE_MAX,
                       .queue_bytes_max = MESSAGE_MAX,
                       .conns_max = CONNS_MAX,
                       .tls = h->o.tls,
                       .frame = strncmp(url, "udp:", 4) && strncmp(url, "unixgram:", 9) ? "auto" : NULL};
    dx_listener *l;
    if (h->listener_count == LISTENERS_MAX) {
        if (err)
            *err = (dx_err){.code = DX_LIMIT, .text = "too many addresses to listen on"};
        return NULL;
    }
    l = dx_serve(h->loop, url, &handler, h, &o, err);
    if (l)
        h->listeners[h->listener_count++] = l;
    return l;
}

const char *hub_url(const struct hub *h, size_t i)
{
    for (size_t k = 0; k < h->listener_count; k++)
        for (int j = 0; dx_listener_url(h->listeners[k], j); j++)
            if (!i--)
                return dx_listener_url(h->listeners[k], j);
    return NULL;
}

bool hub_set_key(struct hub *h, const char *key)
{
    char *mine = key && *key ? strdup(key) : NULL;
    if (key && *key && !mine)
        return false;
    free(h->key);
    h->key = mine;
    return true;
}

static void close_room(const void *node, VISIT visit, void *arg)
{
    struct room *r = *(struct room *const *)node;
    (void)arg;
    if (visit != postorder && visit != leaf)
        return;
    for (uint32_t i = 0; i < r->count; i++) {
        struct member *m = r->members[i];
        if (!m->closing)
            feed(m); /* what was said this turn goes out first */
        if (is_guest(m))
            continue;
        if (!m->closing && (m->kind == KIND_WS || m->kind == KIND_JSON)) {
            m->closing = true;
            dx_ws_close(m->c, 1001, "the server ends");
        } else if (m->kind != KIND_LOCAL)
            member_tell(m, "* the room closes");
    }
}

void hub_drain(struct hub *h, int64_t ms)
{
    h->draining = true;
    dx_loop_cancel(h->loop, h->sweep_timer);
    twalk_r(h->rooms, close_room, NULL);
    guests_end(h);
    for (size_t i = 0; i < h->listener_count; i++)
        dx_listener_drain(h->listeners[i], ms);
    h->listener_count = 0;
    while (h->locals)
        hub_leave(h->locals);
    dx_loop_cancel(h->loop, h->lobby->who_timer);
    h->lobby->who_timer = 0;
}

void hub_count(const struct hub *h, struct hub_counts *ret)
{
    *ret = h->counts;
}
