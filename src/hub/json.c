/* SPDX-License-Identifier: MIT
 * json.c - members that speak the subprotocol duplex.json (docs/room.md): the page, and programs that like it. */
#include "hub/guest.h"
#include "hub/inside.h"
#include <duplex/tls.h>
#include <duplex/ws.h>
#include <jansson.h>
#include <string.h>

enum { CLOSE_TAKEN_OVER = 4001, CLOSE_BAD_KEY = 4003 };

int json_put(struct member *m, const dx_text *t)
{
    int r;
    if (is_guest(m))
        return guest_put(guest_of(m), t);
    r = m->closing ? DX_CLOSED : dx_send(m->c, t->p, t->n, DX_TEXT);
    member_sent(m, r);
    return r;
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

void json_error(struct member *m, const char *code, const char *id, const char *text)
{
    dx_text t = {0};
    int r = text_fmt(&t, "{\"is\":\"error\",\"code\":\"%s\",\"text\":", code);
    r |= text_json(&t, text, strlen(text));
    if (id) {
        r |= text_str(&t, ",\"id\":");
        r |= text_json(&t, id, strlen(id));
    }
    if ((r | text_str(&t, "}")) >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static void put_ack(struct member *m, const char *id, uint64_t offset)
{
    dx_text t = {0};
    int r = text_str(&t, "{\"is\":\"ack\",\"id\":");
    r |= text_json(&t, id, strlen(id));
    if (offset)
        r |= text_fmt(&t, ",\"offset\":%llu", (unsigned long long)offset);
    if ((r | text_str(&t, "}")) >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static void put_nick(struct member *m)
{
    dx_text t = {0};
    int r = text_str(&t, "{\"is\":\"nick\",\"nick\":");
    r |= text_json(&t, m->nick, strlen(m->nick));
    if ((r | text_str(&t, "}")) >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static bool beyond(const char *url)
{
    dx_bytes host = url_host(url);
    return strncmp(url, "unix", 4) && host.n && memcmp(host.p, "127.", host.n < 4 ? host.n : 4) &&
           !host_is_name(host, "[::1]") && !host_is_name(host, "localhost");
}

int json_welcome(const struct member *m, dx_text *t)
{
    const char *pin = m->hub->o.tls ? dx_tls_pin(m->hub->o.tls) : "";
    const struct room *r = m->room;
    bool lan = false;
    int e = text_fmt(t, "{\"is\":\"welcome\",\"epoch\":\"%s\",\"offset\":%llu,\"room\":\"%s\"", r->epoch,
                     (unsigned long long)(r->ring.next - 1), r->name);
    if (m->nick)
        e |= text_str(t, ",\"nick\":"), e |= text_json(t, m->nick, strlen(m->nick));
    e |= text_fmt(t, ",\"version\":\"%s\",\"urls\":[", dx_version());
    for (size_t i = 0; hub_url(m->hub, i); i++) {
        const char *url = hub_url(m->hub, i);
        lan |= beyond(url);
        e |= text_str(t, i ? "," : ""), e |= text_json(t, url, strlen(url));
    }
    e |= text_fmt(t, "],\"lan\":%s", lan ? "true" : "false");
    if (*pin)
        e |= text_fmt(t, ",\"pin\":\"%s\"", pin);
    if (front_has_folder(m->hub))
        e |= text_str(t, ",\"files\":true");
    if (is_guest(m))
        e |= text_fmt(t, ",\"token\":\"%s\"", m->hub->token);
    return e | text_str(t, "}");
}

static void put_welcome(struct member *m)
{
    dx_text t = {0};
    if (json_welcome(m, &t) >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static bool has_key(struct member *m, const json_t *o)
{
    const char *key = text_of(o, "key");
    enum gate_key r = m->keyed ? KEY_RIGHT : key ? gate_key(m, key, strlen(key)) : KEY_WRONG;
    if (r == KEY_RIGHT)
        return true;
    json_error(m, "bad-key", NULL,
               r == KEY_WAIT ? "too many wrong keys: wait a minute"
               : key         ? "that is not the key"
                             : "this room wants a key: open the address that serve printed, with its #key=");
    m->closing = true;
    dx_ws_close(m->c, CLOSE_BAD_KEY, "key");
    return false;
}

/* The member of the same page whose cable was pulled: its place is taken over, and its nick by who wants no other. */
static void take_over(struct member *m, const char *me, char *ret_nick)
{
    struct member *old = room_me(m->room, me);
    if (!old || old == m)
        return;
    if (!*ret_nick)
        strcpy(ret_nick, old->nick);
    if (is_guest(old)) {
        guest_taken(guest_of(old));
        return;
    }
    old->closing = true;
    dx_ws_close(old->c, CLOSE_TAKEN_OVER, "taken over");
    room_leave(old);
}

static void set_cursor(struct member *m, const json_t *o)
{
    const struct ring *ring = &m->room->ring;
    const char *epoch = text_of(o, "epoch");
    const json_t *offset = json_object_get(o, "offset");
    json_int_t seen = json_integer_value(offset), last = json_integer_value(json_object_get(o, "last"));
    if (epoch && !strcmp(epoch, m->room->epoch) && json_is_integer(offset) && seen >= 0 &&
        (uint64_t)seen < ring->next) {
        m->cursor = (uint64_t)seen + 1;
        return;
    }
    last = last < 0 ? 0 : last > LAST_MAX ? LAST_MAX : last;
    m->cursor = ring->next - ring->first > (uint64_t)last ? ring->next - (uint64_t)last : ring->first;
}

bool json_enter(struct member *m, const char *me, const char *wanted)
{
    char nick[NICK_BYTES_MAX + 1] = "";
    if (!room_enter_wanted(m))
        return false;
    if (wanted && !nick_fault(wanted, strlen(wanted)))
        strcpy(nick, wanted);
    if (me && *me && strlen(me) <= ID_MAX) {
        take_over(m, me, nick);
        room_set_me(m, me);
    }
    return room_list(m, nick);
}

static bool do_hello(struct member *m, const json_t *o)
{
    if (m->nick)
        return true; /* said already */
    if (!has_key(m, o))
        return false;
    if (!json_enter(m, text_of(o, "me"), text_of(o, "nick"))) {
        json_error(m, "too-many", NULL, "there are too many rooms or members");
        member_close(m);
        return false;
    }
    put_welcome(m);
    set_cursor(m, o);
    feed(m);
    return true;
}

static void do_say(struct member *m, const json_t *o)
{
    const json_t *said = json_object_get(o, "text");
    const char *id = text_of(o, "id"), *text = json_string_value(said);
    size_t n = json_string_length(said);
    struct note_in in = {.text = {text, n}, .id = id, .me = id ? m->me : NULL};
    struct note *note;
    if (!text || (id && (!*id || strlen(id) > ID_MAX))) {
        json_error(m, "bad-json", id, "say has a text, and an id of at most 64 characters");
        return;
    }
    if (n > MESSAGE_MAX) {
        json_error(m, "too-big", id, "a message has at most 64 KiB");
        return;
    }
    note = id ? ring_said(&m->room->ring, m->me, id, text, n) : NULL;
    if (!note && n && !(note = room_say(m, &in))) {
        json_error(m, "too-fast", id, "no memory: say it again later");
        return;
    }
    if (id)
        put_ack(m, id, note ? note->offset : 0);
}

static void do_nick(struct member *m, const json_t *o)
{
    const char *nick = text_of(o, "nick"), *fault = nick ? room_nick(m, nick, strlen(nick)) : "is missing";
    dx_text t = {0};
    if (!fault)
        put_nick(m);
    else if (text_fmt(&t, "nick %s %s", nick ? nick : "", fault) >= 0)
        json_error(m, strcmp(fault, "is taken") ? "bad-nick" : "nick-taken", NULL, t.p);
    dx_text_free(&t);
}

static void do_to(struct member *m, const json_t *o)
{
    const char *nick = text_of(o, "nick"), *text = text_of(o, "text"), *id = text_of(o, "id");
    struct member *to = nick ? room_find(m->room, nick) : NULL;
    if (!nick || !text)
        json_error(m, "bad-json", id, "to has a nick and a text");
    else if (!to)
        json_error(m, "no-such-nick", id, "nobody here is called that");
    else if (!member_private(m, to, text, strlen(text)))
        json_error(m, "not-told", id, "it does not read now");
    else if (id && strlen(id) <= ID_MAX)
        put_ack(m, id, 0);
}

static void do_who(struct member *m, const json_t *o)
{
    dx_text t = {0};
    (void)o;
    if (room_who_json(m->room, &t) >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static void do_ping(struct member *m, const json_t *o)
{
    dx_text t = {0};
    (void)o;
    if (text_str(&t, "{\"is\":\"pong\"}") >= 0)
        json_put(m, &t);
    dx_text_free(&t);
}

static void do_leave(struct member *m, const json_t *o)
{
    (void)o;
    if (is_guest(m))
        guest_of(m)->leaving = true;
}

static void run(struct member *m, const json_t *o)
{
    static const struct {
        const char *what;
        void (*run)(struct member *m, const json_t *o);
    } table[] = {{"say", do_say}, {"nick", do_nick}, {"to", do_to},
                 {"who", do_who}, {"ping", do_ping}, {"leave", do_leave}};
    const char *what = text_of(o, "do");
    if (!what) {
        json_error(m, "bad-json", NULL, "not an object with \"do\"");
        return;
    }
    /* Who begins without a hello has said one with nothing in it. */
    if (!strcmp(what, "hello") || !m->nick)
        if (!do_hello(m, o))
            return;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (!strcmp(what, table[i].what))
            table[i].run(m, o);
}

void json_data(struct member *m, const char *p, size_t n)
{
    json_t *o;
    m->heard_ms = dx_loop_now(m->hub->loop);
    if (m->closing)
        return;
    o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
    run(m, o);
    json_decref(o);
    if (!m->closing)
        member_rest(m, n);
}
