/* SPDX-License-Identifier: MIT
 * room.c - rooms, who is in them under which nick, and what is said. */
#include "hub/guest.h"
#include "hub/inside.h"
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefix_of[] = {"nc", "udp", "ws", "browser", "http", "tty"};

static int by_room(const void *a, const void *b)
{
    return strcmp(((const struct room *)a)->name, ((const struct room *)b)->name);
}

static int by_nick(const void *a, const void *b)
{
    return nick_cmp(((const struct member *)a)->nick, ((const struct member *)b)->nick);
}

static int by_me(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->me, ((const struct member *)b)->me);
}

const char *wire_of(const struct member *m)
{
    return m->c ? dx_wire(m->c) : is_guest(m) ? ((const struct guest *)m)->wire : "tty";
}

static struct room *room_new(struct hub *h, const char *name)
{
    struct room *r = calloc(1, sizeof(*r));
    uint64_t epoch;
    if (!r || !fill_random(&epoch, sizeof(epoch))) {
        free(r);
        return NULL;
    }
    snprintf(r->name, sizeof(r->name), "%s", name);
    snprintf(r->epoch, sizeof(r->epoch), "%016llx", (unsigned long long)epoch);
    r->hub = h;
    ring_init(&r->ring, h->o.room_bytes_max, h->o.room_age_ms_max);
    r->fed = r->ring.next;
    if (!tsearch(r, &h->rooms, by_room)) {
        free(r);
        return NULL;
    }
    h->counts.rooms++;
    return r;
}

struct room *room_open(struct hub *h, const char *name, size_t n, struct addr *maker)
{
    char key[ROOM_NAME_MAX + 1];
    struct room *r;
    memcpy(key, name, n);
    key[n] = 0;
    r = room_there(h, key);
    if (r)
        return r;
    if (h->counts.rooms >= ROOMS_MAX || (maker && maker->rooms >= ROOMS_PER_ADDRESS_MAX)) {
        h->counts.refused++;
        return NULL;
    }
    r = room_new(h, key);
    if (r && maker) {
        r->maker = maker;
        gate_room(h, maker, 1);
    }
    return r;
}

struct room *room_there(const struct hub *h, const char *name)
{
    struct room key, *const *found;
    snprintf(key.name, sizeof(key.name), "%s", name);
    found = tfind(&key, &h->rooms, by_room);
    return found ? *found : NULL;
}

void room_free(struct hub *h, struct room *r)
{
    for (struct room **p = &h->dirty; *p; p = &(*p)->next_dirty)
        if (*p == r) {
            *p = r->next_dirty;
            break;
        }
    if (r->who_timer)
        dx_loop_cancel(h->loop, r->who_timer);
    gate_room(h, r->maker, -1);
    tdelete(r, &h->rooms, by_room);
    h->counts.rooms--;
    ring_free(&r->ring);
    free(r->members);
    free(r);
}

bool room_enter(struct room *r, struct member *m)
{
    if (r->count == r->cap) {
        uint32_t cap = r->cap ? 2 * r->cap : 8;
        struct member **v = realloc(r->members, cap * sizeof(*v));
        if (!v)
            return false;
        r->members = v;
        r->cap = cap;
    }
    m->at = r->count;
    r->members[r->count++] = m;
    m->room = r;
    m->start = m->cursor = r->ring.next;
    m->back = m->back_end = 0;
    r->asked += m->asked;
    r->jsons += m->kind == KIND_JSON;
    m->hub->counts.members++;
    return true;
}

bool room_enter_wanted(struct member *m)
{
    struct room *r = m->want ? room_open(m->hub, m->want, strlen(m->want), m->addr) : m->hub->lobby;
    free(m->want);
    m->want = NULL;
    if (!r)
        return false;
    if (room_enter(r, m))
        return true;
    if (!r->count && r != m->hub->lobby)
        room_free(m->hub, r);
    return false;
}

static void unlist(struct member *m, bool say)
{
    struct room *r = m->room;
    tdelete(m, &r->nicks, by_nick);
    r->listed--;
    m->hub->counts.listed--;
    if (say) {
        room_notice(r, m, "* %s left", m->nick);
        room_who_changed(r);
    }
}

void room_leave(struct member *m)
{
    struct room *r = m->room;
    if (!r)
        return;
    if (m->nick)
        unlist(m, true);
    free(m->nick);
    m->nick = NULL;
    if (m->me) {
        struct member *const *found = tfind(m, &r->mes, by_me);
        if (found && *found == m)
            tdelete(m, &r->mes, by_me);
    }
    r->members[m->at] = r->members[--r->count];
    r->members[m->at]->at = m->at;
    r->asked -= m->asked;
    r->jsons -= m->kind == KIND_JSON;
    m->room = NULL;
    m->hub->counts.members--;
    if (!r->count && r != m->hub->lobby)
        room_free(m->hub, r);
}

bool room_move(struct member *m, const char *name, size_t n)
{
    struct room *r = room_open(m->hub, name, n, m->addr);
    char nick[NICK_BYTES_MAX + 1] = "";
    if (!r)
        return false;
    if (m->nick)
        snprintf(nick, sizeof(nick), "%s", m->nick);
    if (r != m->room) {
        room_leave(m); /* frees its own room only: r cannot be that */
        if (!room_enter(r, m)) {
            if (!r->count && r != m->hub->lobby)
                room_free(m->hub, r);
            return m->kind == KIND_LOCAL ? room_enter(m->hub->lobby, m) && false : (member_close(m), false);
        }
        room_list(m, nick);
    }
    return true;
}

struct member *room_find(const struct room *r, const char *nick)
{
    struct member key = {.nick = strdup(nick)}, *const *found = key.nick ? tfind(&key, &r->nicks, by_nick) : NULL;
    free(key.nick);
    return found ? *found : NULL;
}

struct member *room_me(const struct room *r, const char *me)
{
    struct member key = {.me = strdup(me)}, *const *found = key.me ? tfind(&key, &r->mes, by_me) : NULL;
    free(key.me);
    return found ? *found : NULL;
}

bool room_set_me(struct member *m, const char *me)
{
    m->me = strdup(me);
    return m->me && tsearch(m, &m->room->mes, by_me);
}

/* Room for "-" and a number behind a nick that is as long as it may be: its last characters go. */
static int numbered(const char *nick, unsigned number, char *ret, size_t room)
{
    size_t n = strlen(nick), chars = 0, keep = 0;
    while (keep < n && chars < NICK_CHARS_MAX - 6) {
        for (keep++; keep < n && (nick[keep] & 0xc0) == 0x80;)
            keep++;
        chars++;
    }
    return snprintf(ret, room, "%.*s-%u", (int)keep, nick, number);
}

bool room_list(struct member *m, const char *wanted)
{
    char name[NICK_BYTES_MAX + 16];
    struct room *r = m->room;
    bool given = wanted && *wanted;
    uint32_t *number = &r->numbers[m->kind], second = 1;
    if (given)
        snprintf(name, sizeof(name), "%s", wanted);
    if (given && (nick_fault(name, strlen(name)) || room_find(r, name))) {
        for (; second < 1000 && (second == 1 || room_find(r, name)); second++)
            numbered(wanted, second + 1, name, sizeof(name));
        given = !nick_fault(name, strlen(name)) && !room_find(r, name);
    }
    while (!given) {
        numbered(prefix_of[m->kind], ++*number, name, sizeof(name));
        given = !room_find(r, name);
    }
    m->nick = strdup(name);
    if (!m->nick || !tsearch(m, &r->nicks, by_nick)) {
        free(m->nick);
        m->nick = NULL;
        return false;
    }
    m->since_ms = wall_ms();
    r->listed++;
    m->hub->counts.listed++;
    room_notice(r, m, "* %s joined", m->nick);
    room_who_changed(r);
    return true;
}

const char *room_nick(struct member *m, const char *nick, size_t n)
{
    const char *fault = nick_fault(nick, n);
    char *name, *old = m->nick;
    struct member *holder;
    if (fault)
        return fault;
    name = strndup(nick, n);
    if (!name)
        return "finds no memory";
    holder = room_find(m->room, name);
    if (holder && holder != m) {
        free(name);
        return "is taken";
    }
    unlist(m, false);
    m->nick = name;
    if (!tsearch(m, &m->room->nicks, by_nick)) {
        m->nick = old;
        free(name);
        tsearch(m, &m->room->nicks, by_nick); /* its node was freed a moment ago */
        name = NULL;
    }
    m->room->listed++;
    m->hub->counts.listed++;
    if (!name)
        return "finds no memory";
    if (strcmp(old, name))
        room_notice(m->room, m, "* %s is now %s", old, name);
    free(old);
    room_who_changed(m->room);
    return NULL;
}

struct note *room_say(struct member *m, struct note_in *in)
{
    struct note *n;
    in->by = m->serial;
    in->time_ms = wall_ms();
    in->from = m->nick;
    in->wire = wire_of(m);
    n = note_new(in);
    if (n)
        feed_before(m->room, n);
    if (!n || ring_push(&m->room->ring, n) < 0) {
        note_free(n);
        return NULL;
    }
    m->hub->counts.messages++;
    feed_later(m->room);
    return n;
}

/* To those who asked: best effort, a full queue misses it. */
void room_notice(struct room *r, const struct member *but, const char *fmt, ...)
{
    char s[3 * NICK_BYTES_MAX];
    va_list args;
    int n;
    if (!r->asked)
        return;
    va_start(args, fmt);
    n = vsnprintf(s, sizeof(s), fmt, args);
    va_end(args);
    for (uint32_t i = 0; i < r->count; i++)
        if (r->members[i]->asked && r->members[i] != but && !r->members[i]->blocked)
            member_tell_n(r->members[i], s, (size_t)n);
}

int room_who_json(const struct room *r, dx_text *out)
{
    uint32_t named = 0;
    int e = text_str(out, "{\"is\":\"who\",\"members\":[");
    for (uint32_t i = 0; i < r->count && named < WHO_MAX; i++) {
        const struct member *m = r->members[i];
        if (!m->nick)
            continue;
        e |= text_str(out, named++ ? ",{\"nick\":" : "{\"nick\":");
        e |= text_json(out, m->nick, strlen(m->nick));
        e |= text_fmt(out, ",\"wire\":\"%s\",\"since\":%lld}", wire_of(m), (long long)m->since_ms);
    }
    e |= text_str(out, "]");
    if (r->listed > named)
        e |= text_fmt(out, ",\"more\":%u", r->listed - named);
    return e | text_str(out, "}");
}

static void send_who(void *arg)
{
    struct room *r = arg;
    dx_text t = {0};
    dx_msg *msg;
    r->who_timer = 0;
    r->who_ms = dx_loop_now(r->hub->loop);
    if (room_who_json(r, &t) >= 0 && (msg = dx_msg_new(t.p, t.n, DX_TEXT))) {
        for (uint32_t i = 0; i < r->count; i++) {
            struct member *m = r->members[i];
            if (is_guest(m) && m->nick)
                guest_who(guest_of(m));
            else if (m->kind == KIND_JSON && m->nick)
                member_sent(m, dx_send_msg(m->c, msg));
        }
        dx_msg_drop(msg);
    }
    dx_text_free(&t);
}

/* Members that come and go by the hundred cost one list each time, not one each. */
void room_who_changed(struct room *r)
{
    int64_t rest = r->who_ms + WHO_EVERY_MS - dx_loop_now(r->hub->loop);
    if (r->jsons && !r->who_timer && !r->hub->draining)
        r->who_timer = dx_loop_after(r->hub->loop, rest > 0 && r->who_ms ? rest : 10, send_who, r);
}
