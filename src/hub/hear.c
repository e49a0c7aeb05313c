/* SPDX-License-Identifier: MIT
 * hear.c - what guests are told: a stream of events, or the answer to one long poll after another. What is said in the room stays in its
 * ring, and each request says how far it has heard, so an answer that is lost is given again and nothing is told twice. What only
 * this member is told (a private word, who is here) waits in a short list of its own, numbered the same way. */
#include "hub/guest.h"
#include <duplex/http.h>
#include <duplex/sse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far it has heard when it has heard all before its cursor. */
static void write_at(const struct guest *g, uint64_t number, char ret[80])
{
    int n = snprintf(ret, 80, "%s.%llu", g->m.room->epoch, (unsigned long long)(g->m.cursor - 1));
    if (number)
        snprintf(ret + n, 80 - (size_t)n, ".%llu", (unsigned long long)number);
}

static bool knows(const struct room *r, const struct at *at)
{
    return at->said && strlen(r->epoch) == at->epoch_n && !memcmp(r->epoch, at->epoch, at->epoch_n) &&
           at->offset < r->ring.next;
}

/* The list of who is here takes the place of any before it, so it is made when it goes. */
static bool who_due(const struct guest *g)
{
    return g->who_n > g->sent_n;
}

/* One more member of the array that an answer is. */
static int poll_add(dx_text *t, const char *p, size_t n)
{
    int e = text_str(t, t->n > 1 ? "," : "");
    return e | dx_text_add(t, p, n);
}

int guest_put(struct guest *g, const dx_text *t)
{
    struct side *s;
    if (g->answer)
        return poll_add(g->answer, t->p, t->n);
    if (g->stream && g->side_bytes + t->n > MESSAGE_MAX)
        guest_drop_side(g, g->sent_n);
    if (g->side_bytes + t->n > MESSAGE_MAX && g->side)
        return DX_FULL;
    s = malloc(sizeof(*s) + t->n);
    if (!s)
        return DX_NOMEM;
    *s = (struct side){.number = ++g->side_n, .n = t->n};
    memcpy(s->text, t->p, t->n);
    *g->side_end = s;
    g->side_end = &s->next;
    g->side_bytes += t->n;
    guest_feed(g);
    return 0;
}

void guest_who(struct guest *g)
{
    g->who_n = ++g->side_n;
    guest_feed(g);
}

/* false: no more now. */
static bool stream_send(struct guest *g, uint64_t number, const dx_text *t)
{
    char id[80];
    int r;
    write_at(g, number, id);
    r = dx_sse_send(g->via->c, &(dx_sse){.id = id, .data = t->p, .n = t->n});
    if (r == 1 || r < 0)
        g->m.blocked = true;
    return r >= 0;
}

static bool stream_welcome(struct guest *g)
{
    dx_text t = {0};
    bool sent = json_welcome(&g->m, &t) >= 0 && stream_send(g, g->sent_n, &t);
    dx_text_free(&t);
    g->welcome = g->welcome && !sent;
    return sent;
}

static bool stream_who(struct guest *g)
{
    dx_text t = {0};
    bool sent = room_who_json(g->m.room, &t) >= 0 && stream_send(g, g->who_n, &t);
    dx_text_free(&t);
    return sent;
}

/* In the order of their numbers. What has gone stays in the list, as long as there is room, for it may never arrive. */
static bool stream_side(struct guest *g)
{
    struct side *s = g->side;
    for (;;) {
        while (s && s->number <= g->sent_n)
            s = s->next;
        if (who_due(g) && (!s || g->who_n < s->number)) {
            if (!stream_who(g))
                return false;
            g->sent_n = g->who_n;
        } else if (s) {
            if (!stream_send(g, s->number, &(dx_text){.p = s->text, .n = s->n}))
                return false;
            g->sent_n = s->number;
        } else
            return true;
        if (g->m.blocked)
            return false;
    }
}

static bool stream_missed(struct guest *g, uint64_t count)
{
    dx_text t = {0};
    bool sent;
    g->m.cursor += count;
    sent = text_fmt(&t, "{\"is\":\"missed\",\"count\":%llu}", (unsigned long long)count) >= 0 &&
           stream_send(g, g->sent_n, &t);
    dx_text_free(&t);
    if (sent)
        g->m.hub->counts.missed += count;
    else
        g->m.cursor -= count;
    return sent;
}

static void stream_on(struct guest *g)
{
    struct ring *ring = &g->m.room->ring;
    if ((g->welcome && !stream_welcome(g)) || !stream_side(g))
        return;
    while (g->m.cursor < ring->next && !g->m.blocked) {
        dx_msg *msg;
        int r;
        if (g->m.cursor < ring->first) {
            if (!stream_missed(g, ring->first - g->m.cursor))
                return;
            continue;
        }
        msg = show(g->m.room, ring_at(ring, g->m.cursor), FORM_SSE);
        r = msg ? dx_send_msg(g->via->c, msg) : DX_NOMEM;
        if (r == 1 || r < 0)
            g->m.blocked = true;
        if (r < 0)
            return;
        g->m.cursor++;
    }
}

static int poll_own(struct guest *g, dx_text *t)
{
    int e = 0;
    if (g->welcome) {
        e |= json_welcome(&g->m, t);
        g->welcome = false;
    }
    for (struct side *s = g->side; s; s = s->next)
        e |= poll_add(t, s->text, s->n);
    if (who_due(g))
        e |= text_str(t, t->n > 1 ? "," : ""), e |= room_who_json(g->m.room, t);
    g->sent_n = g->side_n;
    return e;
}

static int poll_said(struct guest *g, dx_text *t)
{
    struct ring *ring = &g->m.room->ring;
    int e = 0;
    if (g->m.cursor < ring->first) {
        uint64_t count = ring->first - g->m.cursor;
        e |= text_str(t, t->n > 1 ? "," : "");
        e |= text_fmt(t, "{\"is\":\"missed\",\"count\":%llu}", (unsigned long long)count);
        g->m.cursor += count;
        g->m.hub->counts.missed += count;
    }
    for (size_t from = t->n; g->m.cursor < ring->next && t->n - from < POLL_BYTES && e >= 0; g->m.cursor++) {
        dx_msg *msg = show(g->m.room, ring_at(ring, g->m.cursor), FORM_JSON);
        if (!msg)
            break;
        e |= poll_add(t, dx_msg_bytes(msg).p, dx_msg_bytes(msg).n);
    }
    return e;
}

static void poll_answer(struct guest *g)
{
    dx_text t = {0};
    char at[80];
    int e = text_str(&t, "[");
    e |= poll_own(g, &t), e |= poll_said(g, &t);
    write_at(g, g->side_n, at);
    e |= text_fmt(&t, "%s{\"is\":\"at\",\"at\":\"%s\"}]", t.n > 1 ? "," : "", at);
    if (e >= 0)
        front_json(g->via, 200, &t);
    else
        front_error(g->via, 503, "no-memory", "no memory: ask again later");
    dx_text_free(&t);
    g->m.blocked = true;
    if (g->m.me)
        guest_part(g); /* one without goes when its exchange does: guest_left */
}

void guest_feed(struct guest *g)
{
    if (!g->via || g->m.blocked)
        return;
    if (g->stream)
        stream_on(g);
    else if (g->welcome || g->side || who_due(g) || g->m.cursor < g->m.room->ring.next)
        poll_answer(g);
}

void guest_hear(struct guest *g, struct member *via, bool stream, const struct at *at, uint64_t last, int64_t ms)
{
    const struct ring *ring = &g->m.room->ring;
    guest_end_via(g, 409, "taken-over", "another request of yours waits now");
    g->via = via;
    g->leaving = false;
    via->call->guest = g;
    g->stream = stream;
    g->m.blocked = false;
    if (at->numbered && at->number > g->side_n) /* it was counted by one before, who is gone */
        g->side_n = at->number;
    if (at->numbered)
        g->sent_n = at->number;
    guest_drop_side(g, g->sent_n);
    if (knows(g->m.room, at))
        g->m.cursor = at->offset + 1;
    else {
        g->m.cursor = ring->next - ring->first > last ? ring->next - last : ring->first;
        g->welcome = true;
    }
    if (stream)
        g->welcome = true;
    if (g->welcome && g->m.me)
        g->who_n = ++g->side_n;
    if (stream ? !front_stream(via) : ms > 0 && dx_http_park(via->c, ms, 204) < 0)
        guest_end_via(g, 503, "no-memory", "no memory: ask again later");
    else if (!stream && !ms)
        poll_answer(g);
    else
        guest_feed(g);
}
