/* SPDX-License-Identifier: MIT
 * feed.c - from the ring to the members: one pass a turn over those whose room has news, however many there are. Per message and
 * member it is a pointer to a form that is made already, and dx_send_msg. */
#include "hub/guest.h"
#include "hub/inside.h"
#include <time.h>

/* A datagram peer from elsewhere hears only while its cookie is fresh: its source address could be forged. */
static bool hears(struct member *m)
{
    return m->kind != KIND_UDP || dx_is_loopback(m->c) || dx_loop_now(m->hub->loop) < m->hears_until_ms;
}

static bool tell_missed(struct member *m, uint64_t count)
{
    dx_text t = {0};
    int r;
    if (m->kind == KIND_LOCAL) {
        local_missed(local_of(m), count);
        r = 0;
    } else if (m->kind == KIND_JSON) {
        r = text_fmt(&t, "{\"is\":\"missed\",\"count\":%llu}", (unsigned long long)count);
        r = r < 0 ? r : json_put(m, &t);
        dx_text_free(&t);
    } else
        r = member_tell(m, "* %llu message%s missed", (unsigned long long)count, count == 1 ? "" : "s");
    if (r < 0)
        return false;
    m->hub->counts.missed += count;
    return true;
}

/* To a plain member what was said before stands with its time, also what it said itself. */
static bool feed_old(struct member *m, const struct note *n)
{
    time_t seconds = (time_t)(n->time_ms / 1000);
    dx_text t = {0};
    struct tm tm;
    char at[16] = "";
    int r;
    localtime_r(&seconds, &tm);
    strftime(at, sizeof(at), "[%H:%M] ", &tm);
    r = text_str(&t, at), r |= text_str(&t, n->from), r |= text_str(&t, ": ");
    r |= show_clean(n->text, n->text_n, &t);
    r = r < 0 ? r : member_tell_n(m, t.p, t.n);
    dx_text_free(&t);
    return r >= 0;
}

/* false: no more now. Who does not speak JSON knows its own words already. */
static bool feed_one(struct member *m, struct note *n)
{
    dx_msg *msg;
    int r;
    if (n->by == m->serial && m->kind != KIND_JSON && m->kind != KIND_LOCAL)
        return true;
    if (m->kind == KIND_LOCAL) {
        local_feed(local_of(m), n);
        return true;
    }
    msg = show(m->room, n, (enum form)m->form);
    if (!msg)
        return false;
    r = dx_send_msg(m->c, msg);
    member_sent(m, r);
    return r >= 0;
}

void feed(struct member *m)
{
    struct ring *ring = &m->room->ring;
    if (m->closing)
        return;
    if (is_guest(m)) {
        guest_feed(guest_of(m));
        return;
    }
    if (!hears(m)) {
        m->cursor = ring->next;
        return;
    }
    while (m->back < m->back_end && !m->blocked) {
        if (m->back < ring->first)
            m->back = ring->first;
        else if (m->kind == KIND_LOCAL || m->kind == KIND_JSON ? !feed_one(m, ring_at(ring, m->back))
                                                               : !feed_old(m, ring_at(ring, m->back)))
            return;
        else
            m->back++;
    }
    while (m->cursor < ring->next && !m->blocked) {
        if (m->cursor < ring->first) {
            if (!tell_missed(m, ring->first - m->cursor))
                return;
            m->cursor = ring->first;
        } else if (!feed_one(m, ring_at(ring, m->cursor)))
            return;
        else
            m->cursor++;
    }
}

static void feed_all(struct room *r)
{
    r->fresh = 0;
    r->fed = r->ring.next;
    for (uint32_t i = 0; i < r->count; i++)
        if (!r->members[i]->blocked)
            feed(r->members[i]);
}

static void flush(void *arg)
{
    struct hub *h = arg;
    h->flushing = false;
    while (h->dirty) {
        struct room *r = h->dirty;
        h->dirty = r->next_dirty;
        r->next_dirty = NULL;
        r->dirty = false;
        feed_all(r);
        ring_trim(&r->ring, wall_ms());
    }
}

/* One turn can bring more than the ring holds. What nobody has had yet must not make room for it. */
void feed_before(struct room *r, const struct note *n)
{
    if (r->fresh + n->cost > r->ring.bytes_max / 2 || r->ring.next - r->fed >= NOTES_MAX)
        feed_all(r);
    r->fresh += n->cost;
}

void feed_later(struct room *r)
{
    struct hub *h = r->hub;
    if (!r->dirty) {
        r->dirty = true;
        r->next_dirty = h->dirty;
        h->dirty = r;
    }
    if (!h->flushing && dx_loop_after(h->loop, 0, flush, h) > 0)
        h->flushing = true;
}

void feed_history(struct member *m, uint64_t last)
{
    struct ring *ring = &m->room->ring;
    uint64_t from = ring->next - ring->first > last ? ring->next - last : ring->first;
    m->back = from;
    m->back_end = m->start < from ? from : m->start;
    feed(m);
}
