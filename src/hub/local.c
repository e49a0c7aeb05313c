/* SPDX-License-Identifier: MIT
 * local.c - members without a wire: the terminal in which serve runs, and the log of one that runs without. */
#include "hub/inside.h"
#include <stdlib.h>
#include <string.h>

struct hub_local *hub_join(struct hub *h, const char *nick, const struct hub_watch *w, void *arg, dx_err *err)
{
    struct hub_local *l = calloc(1, sizeof(*l));
    if (l) {
        l->m = (struct member){.hub = h, .kind = KIND_LOCAL, .serial = ++h->serials, .keyed = true};
        l->watch = w;
        l->arg = arg;
        if (room_enter(h->lobby, &l->m)) {
            if (!nick || room_list(&l->m, nick)) {
                l->next = h->locals;
                h->locals = l;
                return l;
            }
            room_leave(&l->m);
        }
        free(l);
    }
    if (err)
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory for a member"};
    return NULL;
}

void hub_leave(struct hub_local *l)
{
    struct hub_local **p;
    if (!l)
        return;
    for (p = &l->m.hub->locals; *p && *p != l;)
        p = &(*p)->next;
    if (*p)
        *p = l->next;
    member_gone(&l->m);
    free(l);
}

void hub_said(struct hub_local *l, const char *utf8, size_t n)
{
    struct note_in in = {.text = {utf8, n}};
    if (n && n <= MESSAGE_MAX && l->m.nick && dx_is_utf8(utf8, n))
        plain_line(&l->m, &in);
}

const char *hub_nick(const struct hub_local *l)
{
    return l->m.nick;
}

void local_feed(struct hub_local *l, struct note *n)
{
    dx_text json = {0};
    struct hub_line line = {.offset = n->offset,
                            .time_ms = n->time_ms,
                            .from = n->from,
                            .wire = n->wire,
                            .room = l->m.room->name,
                            .text = n->text,
                            .n = n->text_n,
                            .own = n->by == l->m.serial,
                            .binary = n->binary,
                            .guess = n->guess,
                            .coding = n->coding};
    if (!l->watch->message)
        return;
    if (show_json(n, &json) >= 0) {
        line.json = json.p;
        line.json_n = json.n;
    }
    l->watch->message(l->arg, &line);
    dx_text_free(&json);
}

void local_missed(struct hub_local *l, uint64_t count)
{
    if (l->watch->missed)
        l->watch->missed(l->arg, count);
    else
        member_tell(&l->m, "* %llu message%s missed", (unsigned long long)count, count == 1 ? "" : "s");
}
