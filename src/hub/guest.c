/* SPDX-License-Identifier: MIT
 * guest.c - members without a conn of their own: how they come, by which exchange they hear, and how they go. */
#include "hub/guest.h"
#include <stdlib.h>
#include <string.h>

/* ---- how far ---- */

static bool read_number(const char **p, const char *end, uint64_t *ret)
{
    const char *from = *p;
    *ret = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        if (*p - from == 18)
            return false;
        *ret = *ret * 10 + (uint64_t)(**p - '0');
    }
    return *p > from;
}

struct at at_read(dx_bytes s)
{
    struct at at = {.epoch = s.p};
    const char *p = s.p, *end = p + s.n;
    while (p && p < end && *p != '.')
        p++;
    at.epoch_n = (size_t)(p - at.epoch);
    if (!p || p++ >= end || !read_number(&p, end, &at.offset))
        return (struct at){0};
    if (p < end && *p == '.') {
        p++;
        at.numbered = read_number(&p, end, &at.number);
        if (!at.numbered)
            return (struct at){0};
    }
    at.said = p == end;
    return at;
}

/* ---- coming and going ---- */

static void link_guest(struct guest *g, struct hub *h)
{
    g->next = h->guests;
    g->from = &h->guests;
    if (g->next)
        g->next->from = &g->next;
    h->guests = g;
    h->guest_count++;
}

static void unlink_guest(struct guest *g)
{
    *g->from = g->next;
    if (g->next)
        g->next->from = g->from;
    g->m.hub->guest_count--;
}

void guest_drop_side(struct guest *g, uint64_t up_to)
{
    while (g->side && g->side->number <= up_to) {
        struct side *s = g->side;
        g->side = s->next;
        g->side_bytes -= s->n;
        free(s);
    }
    if (!g->side)
        g->side_end = &g->side;
}

/* The exchange goes its own way. */
struct member *guest_part(struct guest *g)
{
    struct member *via = g->via;
    g->via = NULL;
    g->m.blocked = true; /* nobody need feed it */
    g->idle_ms = dx_loop_now(g->m.hub->loop);
    if (via)
        via->call->guest = NULL;
    return via;
}

void guest_free(struct guest *g)
{
    guest_part(g);
    unlink_guest(g);
    guest_drop_side(g, UINT64_MAX);
    member_gone(&g->m);
    free(g);
}

void guest_left(struct member *via)
{
    struct guest *g = via->call->guest;
    if (!g)
        return;
    guest_part(g);
    if (!g->m.me)
        guest_free(g);
}

void guest_end_via(struct guest *g, int status, const char *code, const char *words)
{
    struct member *via = guest_part(g);
    if (!via || via->closing)
        return;
    if (!g->stream)
        front_error(via, status, code, words);
    else
        front_stream_end(via, code, words);
}

void guest_taken(struct guest *g)
{
    guest_end_via(g, 409, "taken-over", "another has come with your me");
    guest_free(g);
}

static bool enter(struct guest *g, struct member *by, const char *room, const char *me, const char *nick)
{
    g->m.want = strdup(room);
    g->side_end = &g->side;
    if (!g->m.want || !gate_enter(&g->m, by->c))
        return false;
    g->m.keyed = by->keyed;
    return *me ? json_enter(&g->m, me, nick) : room_enter_wanted(&g->m);
}

struct guest *guest_come(struct member *by, const char *room, const char *me, const char *nick, bool *ret_new)
{
    struct hub *h = by->hub;
    struct room *r = *me ? room_there(h, room) : NULL;
    struct member *old = r ? room_me(r, me) : NULL;
    struct guest *g;
    *ret_new = !old || !is_guest(old);
    if (!*ret_new) {
        guest_of(old)->wire = dx_wire(by->c);
        return guest_of(old);
    }
    g = h->guest_count < GUESTS_MAX ? calloc(1, sizeof(*g)) : NULL;
    if (!g)
        return NULL;
    g->m = (struct member){.hub = h, .kind = KIND_JSON, .form = FORM_JSON, .serial = ++h->serials, .blocked = true};
    g->wire = dx_wire(by->c);
    link_guest(g, h);
    g->idle_ms = g->m.heard_ms = dx_loop_now(h->loop);
    g->welcome = true;
    if (enter(g, by, room, me, nick))
        return g;
    guest_free(g);
    return NULL;
}

void guests_sweep(struct hub *h)
{
    int64_t now = dx_loop_now(h->loop);
    for (struct guest *g = h->guests, *next; g; g = next) {
        next = g->next;
        if (!g->via && now - g->idle_ms >= (g->leaving ? LEAVE_MS : GUEST_MS))
            guest_free(g);
    }
}

void guests_end(struct hub *h)
{
    while (h->guests) {
        guest_end_via(h->guests, 503, "closing", "the room closes");
        guest_free(h->guests);
    }
}
