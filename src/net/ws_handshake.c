/* SPDX-License-Identifier: MIT
 * ws_handshake.c - the client's half of the WebSocket handshake (RFC 6455 4.1): a layer that becomes the ws layer. */
#include "base/err.h"
#include "base/url_join.h"
#include "codec/http1.h"
#include "codec/ws.h"
#include "net/http1_parts.h"
#include "net/layers.h"
#include "os/clock.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct handshake {
    struct layer layer; /* first */
    dx_loop *loop;
    struct timer timer;
    struct settings *set;
    const struct http1_head *head; /* while DX_HEAD is told                     */
    struct ws_deflate_terms offer; /* with set->ws.deflate: what we have offered */
    size_t scanned;
    char *request, *text; /* text: the URL */
    char key[WS_KEY_N + 1];
};

static struct handshake *of(struct layer *l)
{
    return (struct handshake *)l;
}

static void fail(struct handshake *k, int code, int detail_of, int detail, const char *words)
{
    char text[240];
    snprintf(text, sizeof text, "dial %.120s: %s", k->text, words);
    loop_timer_off(k->loop, &k->timer);
    layer_fail(&k->layer, code, detail_of, detail, text);
}

static void opened(struct layer *l)
{
    struct handshake *k = of(l);
    struct span v = {NULL, (const uint8_t *)k->request, strlen(k->request)};
    layer_give_below(l, &v, 1, 0);
}

static bool same(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

static bool any_case(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !strncasecmp((const char *)b.p, s, b.n);
}

/* NULL: all is well, and *ret says what was settled; "": it is no 101. */
static const char *why_not(const struct handshake *k, const struct http1_head *head, struct ws_stand *ret,
                           struct ws_deflate_terms *agreed)
{
    char want[WS_ACCEPT_N + 1];
    struct bytes extension = http1_get(head, "Sec-WebSocket-Extensions");
    const char *ours = k->set->o.protocols ? k->set->o.protocols : "";
    ret->protocol = http1_get(head, "Sec-WebSocket-Protocol");
    ws_accept_of((struct bytes){(const uint8_t *)k->key, WS_KEY_N}, want);
    if (head->status != 101)
        return "";
    if (!head->upgrade_ws || !any_case(http1_only(head, "Upgrade"), "websocket") ||
        !same(http1_only(head, "Sec-WebSocket-Accept"), want))
        return "the server's handshake answer is wrong";
    if (ret->protocol.p && (!http1_only(head, "Sec-WebSocket-Protocol").p ||
                            !http1_list_has((struct bytes){(const uint8_t *)ours, strlen(ours)}, ret->protocol)))
        return "the server chose a subprotocol that was not offered";
    if (extension.p && !k->set->ws.deflate)
        return "the server chose an extension that was not offered";
    if (extension.p &&
        (!http1_only(head, "Sec-WebSocket-Extensions").p || !ws_deflate_answered(extension, &k->offer, agreed)))
        return "the server's answer to permessage-deflate is wrong";
    ret->deflate = extension.p ? agreed : NULL;
    return NULL;
}

static void refuse_no_http(struct handshake *k, const uint8_t *p, size_t n)
{
    int detail_of;
    const char *words = http1_no_response(p, n, &detail_of);
    fail(k, DX_PROTO, detail_of, 0, words);
}

static void refused(struct handshake *k, const struct http1_head *head, const char *bad)
{
    char text[100];
    if (*bad) {
        fail(k, DX_PROTO, DX_OF_HTTP, 0, bad);
        return;
    }
    snprintf(text, sizeof text, "the server answers %d %.*s", head->status,
             (int)(head->reason.n < 60 ? head->reason.n : 60), head->reason.p ? (const char *)head->reason.p : "");
    fail(k, DX_PROTO, DX_OF_HTTP, head->status, text);
}

/* false: the handler has closed the conn. */
static bool tell_head(struct handshake *k, const struct http1_head *head)
{
    struct dx_conn *c = layer_conn(&k->layer);
    if (!c)
        return true;
    k->head = head;
    conn_early(c, DX_HEAD, NULL);
    k->head = NULL;
    return !c->gone && !c->quiet;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    static _Thread_local struct http1_head head;
    struct handshake *k = of(l);
    int64_t got = http1_response(p, n, &k->scanned, &head);
    if (got == 0 && !(how & DX_LAST))
        return 0;
    if (got <= 0) {
        refuse_no_http(k, p, n);
        return n;
    }
    http1_unfold(&head, p);
    struct ws_deflate_terms agreed;
    struct ws_stand s = {.message_max = k->set->o.message_bytes_max};
    if (!tell_head(k, &head))
        return n;
    const char *bad = why_not(k, &head, &s, &agreed);
    if (bad) {
        refused(k, &head, bad);
        return n;
    }
    ws_stand_ping(&s, k->set, &k->set->ws);
    struct layer *ws = ws_layer_new(k->loop, &s);
    if (!ws) {
        fail(k, DX_NOMEM, DX_OF_NOTHING, 0, "no memory");
        return n;
    }
    loop_timer_off(k->loop, &k->timer);
    layer_replace(l, ws, k->loop);
    layer_opened_above(ws);
    layer_feed_again(ws);
    return (size_t)got;
}

static void ended(struct layer *l)
{
    fail(of(l), DX_TRUNCATED, DX_OF_HTTP, 0, "the server ended before its handshake answer");
}

static int not_yet(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    (void)l;
    (void)v;
    (void)count;
    (void)how;
    return DX_STATE; /* on_open first */
}

static int no_file_yet(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    (void)off;
    os_fd_close(fd);
    return not_yet(l, NULL, n, how);
}

/* A conn that is paused before it stands opens all the same. */
static void pause_later(struct layer *l, bool on)
{
    (void)l;
    (void)on;
}

static int finish_early(struct layer *l)
{
    layer_abort_below(l);
    return 0;
}

static void close_early(struct layer *l)
{
    layer_abort_below(l);
}

static void timer_fire(struct timer *t, dx_loop *loop)
{
    struct handshake *k = (struct handshake *)((char *)t - offsetof(struct handshake, timer));
    (void)loop;
    fail(k, DX_TIMEOUT, DX_OF_NOTHING, 0, "no answer to the WebSocket handshake in time");
    layer_abort_below(&k->layer);
}

static void layer_free(struct layer *l)
{
    struct handshake *k = of(l);
    loop_timer_off(k->loop, &k->timer);
    free(k->request);
    free(k->text);
    settings_drop(k->set);
    free(k);
}

static const struct layer_type handshake_type = {
    .name = "ws",
    .name_over_tls = "wss",
    .ends_itself = layer_ends_itself,
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = layer_closed_above,
    .give = not_yet,
    .give_msg = layer_give_msg_plain,
    .give_file = no_file_yet,
    .finish = finish_early,
    .pause = pause_later,
    .close = close_early,
    .abort = layer_abort_below,
    .free = layer_free,
};

static void draft_target(struct draft *t, const struct url *u)
{
    dx_text ascii = {0};
    if (url_ascii(u->target, &ascii) < 0)
        t->r = DX_NOMEM;
    else
        draft_add(t, u->target.n ? ascii.p : "/", u->target.n ? ascii.n : 1);
    dx_text_free(&ascii);
}

/* NULL: no memory. */
static char *request_of(const struct dial *d, const struct handshake *k)
{
    const struct url *u = d->url;
    struct draft t = {0};
    char extension[WS_EXTENSION_MAX];
    draft_say(&t, "GET ");
    draft_target(&t, u);
    draft_say(&t, " HTTP/1.1\r\nHost: ");
    draft_host(&t, u);
    draft_say(&t, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    draft_field(&t, "Sec-WebSocket-Key", k->key);
    if (d->set->o.protocols)
        draft_field(&t, "Sec-WebSocket-Protocol", d->set->o.protocols);
    if (d->set->ws.deflate) {
        ws_deflate_write(&k->offer, extension);
        draft_field(&t, "Sec-WebSocket-Extensions", extension);
    }
    draft_fields(&t, d->set->ws.fields, d->set->ws.field_count);
    draft_say(&t, "\r\n");
    if (t.r < 0)
        dx_text_free(&t.t);
    return t.t.p;
}

bool ws_dial_ok(const struct dial *d, dx_err *err)
{
    struct ws_deflate_terms wish;
    const dx_ws_opts *o = &d->set->ws;
    const char *p = d->set->o.protocols;
    struct ws_tokens offered = {.n = 0};
    if (p && !ws_tokens_add(&offered, (struct bytes){(const uint8_t *)p, strlen(p)}, true))
        return err_set(err, DX_URL, "dial %s: no list of subprotocols, tokens and each once: %s", d->text, p) == 0;
    for (size_t i = 0; i < o->field_count; i++)
        if (!ws_fields_ok(&o->fields[i], 1))
            return err_set(err, DX_URL, "dial %s: a field that cannot stand in a WebSocket's handshake", d->text) == 0;
    if (o->deflate && !ws_deflate_wish(o->deflate, &wish))
        return err_set(err, DX_URL, "dial %s: no parameters of permessage-deflate: %s", d->text, o->deflate) == 0;
    return true;
}

struct layer *ws_handshake_new(const struct dial *d)
{
    struct handshake *k = calloc(1, sizeof *k);
    uint8_t random[16];
    if (!k)
        return NULL;
    os_random(random, sizeof random);
    ws_key(random, k->key);
    k->layer.type = &handshake_type;
    k->loop = d->loop;
    k->timer.fire = timer_fire;
    k->set = settings_ref(d->set);
    if (d->set->ws.deflate && ws_deflate_wish(d->set->ws.deflate, &k->offer))
        ws_deflate_offer(&k->offer);
    k->request = request_of(d, k);
    k->text = strdup(d->text);
    if (!k->request || !k->text) {
        layer_free(&k->layer);
        return NULL;
    }
    loop_timer(d->loop, &k->timer, d->loop->now + d->set->o.dial_ms_max);
    return &k->layer;
}

static struct handshake *handshake_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    while (l && l->type != &handshake_type)
        l = l->below;
    return l ? of(l) : NULL;
}

const struct http1_head *ws_handshake_head(const dx_conn *c)
{
    const struct handshake *k = handshake_of(c);
    return k ? k->head : NULL;
}
