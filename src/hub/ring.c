/* SPDX-License-Identifier: MIT
 * ring.c - one allocation a message, an array of pointers that doubles, and a tree of the ids that were said. */
#include "hub/ring.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>

static const char *put(char **at, const char *s)
{
    char *to = *at;
    size_t n;
    if (!s)
        return NULL;
    n = strlen(s) + 1;
    memcpy(to, s, n);
    *at += n;
    return to;
}

static size_t room_for(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

struct note *note_new(const struct note_in *in)
{
    size_t names = room_for(in->from) + room_for(in->wire) + room_for(in->id) + room_for(in->me);
    size_t all = sizeof(struct note) + names + in->text.n + 1 + in->raw.n;
    struct note *n = calloc(1, all);
    char *at;
    if (!n)
        return NULL;
    at = (char *)(n + 1);
    n->from = put(&at, in->from);
    n->wire = put(&at, in->wire);
    n->id = put(&at, in->id);
    n->me = put(&at, in->me);
    n->text = at;
    n->text_n = in->text.n;
    if (in->text.n)
        memcpy(at, in->text.p, in->text.n);
    at += in->text.n + 1;
    if (in->raw.p) {
        n->raw = (uint8_t *)at;
        n->raw_n = in->raw.n;
        memcpy(at, in->raw.p, in->raw.n);
    }
    n->by = in->by;
    n->time_ms = in->time_ms;
    n->coding = in->coding;
    n->guess = in->guess;
    n->binary = in->binary;
    n->cost = all + sizeof(struct note *) + 16; /* its place in the ring, the allocator's head */
    return n;
}

void note_free(struct note *n)
{
    if (!n)
        return;
    for (int i = 0; i < FORMS; i++)
        if (n->as[i])
            dx_msg_drop(n->as[i]);
    free(n);
}

static int by_id(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    int d = strcmp(x->id, y->id);
    return d ? d : strcmp(x->me ? x->me : "", y->me ? y->me : "");
}

void ring_init(struct ring *r, size_t bytes_max, int64_t age_ms_max)
{
    *r = (struct ring){.bytes_max = bytes_max, .age_ms_max = age_ms_max, .first = 1, .next = 1};
}

static void drop_first(struct ring *r)
{
    struct note *n = ring_at(r, r->first++);
    r->bytes -= n->cost;
    if (n->id) {
        struct note *const *found = tfind(n, &r->ids, by_id);
        if (found && *found == n)
            tdelete(n, &r->ids, by_id);
    }
    note_free(n);
}

void ring_free(struct ring *r)
{
    while (r->first < r->next)
        drop_first(r);
    free(r->v);
    *r = (struct ring){0};
}

static int grow(struct ring *r)
{
    size_t cap = r->cap ? 2 * r->cap : 16;
    struct note **v = calloc(cap, sizeof(*v));
    if (!v)
        return DX_NOMEM;
    for (uint64_t at = r->first; at < r->next; at++)
        v[at & (cap - 1)] = ring_at(r, at);
    free(r->v);
    r->v = v;
    r->cap = cap;
    return 0;
}

int ring_push(struct ring *r, struct note *n)
{
    if (r->next - r->first >= NOTES_MAX)
        drop_first(r);
    if (r->next - r->first >= r->cap && grow(r) < 0)
        return DX_NOMEM;
    n->offset = r->next++;
    r->v[n->offset & (r->cap - 1)] = n;
    r->bytes += n->cost;
    /* An id that is there already (with another text) keeps its first note; no memory for the index only means that a
     * repetition would not be seen. */
    if (n->id)
        tsearch(n, &r->ids, by_id);
    ring_trim(r, n->time_ms);
    return 0;
}

void ring_trim(struct ring *r, int64_t time_ms)
{
    while (r->first + 1 < r->next &&
           (r->bytes > r->bytes_max || ring_at(r, r->first)->time_ms < time_ms - r->age_ms_max))
        drop_first(r);
    if (r->first < r->next && ring_at(r, r->first)->time_ms < time_ms - r->age_ms_max)
        drop_first(r);
}

void ring_grew(struct ring *r, struct note *n, size_t bytes)
{
    n->cost += bytes;
    r->bytes += bytes;
}

struct note *ring_said(const struct ring *r, const char *me, const char *id, const char *text, size_t n)
{
    struct note key = {.id = id, .me = me};
    struct note *const *found = tfind(&key, &r->ids, by_id);
    if (!found || (*found)->text_n != n || memcmp((*found)->text, text, n))
        return NULL;
    return *found;
}
