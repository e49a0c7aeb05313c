/* SPDX-License-Identifier: MIT
 * ws_accept.c - a server's half of the WebSocket handshake (RFC 6455 4.2): dx_ws_accept. */
#include "base/opts.h"
#include "codec/ws.h"
#include "net/http1.h"
#include "net/http1_parts.h"
#include "net/layers.h"
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 64, PROTOCOL_MAX = 256 };

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static bool is(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

/* The subprotocols that are offered; false: they, or the extensions, do not read. */
static bool read_lists(const struct http1_head *head, struct ws_tokens *ret)
{
    struct bytes v;
    ret->n = 0;
    for (size_t i = 0; (v = http1_next(head, "Sec-WebSocket-Protocol", &i)).p;)
        if (!ws_tokens_add(ret, v, false))
            return false;
    for (size_t i = 0; (v = http1_next(head, "Sec-WebSocket-Extensions", &i)).p;)
        if (!ws_extensions_read(v))
            return false;
    return true;
}

bool ws_version_ok(const struct http1_head *head)
{
    return is(http1_get(head, "Sec-WebSocket-Version"), "13");
}

bool ws_asked(const struct http1_head *head)
{
    struct ws_tokens offered;
    return head->upgrade_ws && is(head->method, "GET") && is(http1_only(head, "Sec-WebSocket-Version"), "13") &&
           ws_key_ok(http1_only(head, "Sec-WebSocket-Key")) && read_lists(head, &offered);
}

/* No Origin: not a browser. The default is the page's own host, port and all. */
static bool origin_ok(const struct http1_head *head, const char *origins)
{
    struct bytes o = http1_get(head, "Origin");
    if (!o.p || (origins && !strcmp(origins, "*")))
        return true;
    if (origins)
        return http1_list_has(bytes_of(origins), o);
    static const char *const schemes_of_pages[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(schemes_of_pages[i]);
        if (o.n == n + head->host.n && !memcmp(o.p, schemes_of_pages[i], n) &&
            !strncasecmp((const char *)o.p + n, (const char *)head->host.p, head->host.n))
            return true;
    }
    return false;
}

/* Of ours, in our order, the first that the client offers, with a NUL behind it. n 0: none. */
static struct bytes choose(const struct ws_tokens *offered, const char *ours, char *ret, size_t ret_n)
{
    struct bytes list = bytes_of(ours), e;
    while (http1_list_next(&list, &e)) {
        if (e.n == 0 || e.n >= ret_n || !ws_tokens_has(offered, e))
            continue;
        memcpy(ret, e.p, e.n);
        ret[e.n] = 0;
        return (struct bytes){(const uint8_t *)ret, e.n};
    }
    return (struct bytes){0};
}

static bool agree_on_deflate(const struct http1_head *head, const struct ws_deflate_terms *wish,
                             struct ws_deflate_terms *ret)
{
    struct bytes v;
    for (size_t i = 0; (v = http1_next(head, "Sec-WebSocket-Extensions", &i)).p;)
        if (ws_deflate_agree(v, wish, ret))
            return true;
    return false;
}

bool ws_fields_ok(const dx_http_field *v, size_t count)
{
    static const char *const ours[] = {"Host", "Connection", "Upgrade", "Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < count; i++) {
        if (!http1_is_token(v[i].name) || !http1_is_value(v[i].value) || !strncasecmp(v[i].name, "Sec-WebSocket-", 14))
            return false;
        for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
            if (!strcasecmp(v[i].name, ours[k]))
                return false;
    }
    return true;
}

static int send_101(struct http1 *h, const struct ws_stand *s, const dx_ws_opts *o)
{
    dx_http_field fields[FIELDS_MAX + 5];
    char accept[WS_ACCEPT_N + 1], extension[WS_EXTENSION_MAX];
    size_t n = 3;
    ws_accept_of(http1_get(&h->x->head, "Sec-WebSocket-Key"), accept);
    fields[0] = (dx_http_field){"Upgrade", "websocket"};
    fields[1] = (dx_http_field){"Connection", "Upgrade"};
    fields[2] = (dx_http_field){"Sec-WebSocket-Accept", accept};
    if (s->protocol.n)
        fields[n++] = (dx_http_field){"Sec-WebSocket-Protocol", (const char *)s->protocol.p};
    if (s->deflate) {
        ws_deflate_write(s->deflate, extension);
        fields[n++] = (dx_http_field){"Sec-WebSocket-Extensions", extension};
    }
    for (size_t i = 0; i < o->field_count; i++)
        fields[n++] = o->fields[i];
    return http1_send_head(h, 101, 0, NULL, fields, n);
}

/* The WebSocket takes the exchange's place under its conn. */
static int upgrade(struct http1 *h, const struct ws_stand *s, const dx_ws_opts *o)
{
    struct layer *ws = ws_layer_new(h->loop, s);
    int r = ws ? send_101(h, s, o) : DX_NOMEM;
    if (r < 0) {
        if (ws)
            ws->type->free(ws);
        return r;
    }
    h->upgraded = 1;
    layer_replace(&h->layer, ws, h->loop);
    layer_feed_again(ws);
    if (h->ended) /* it was told to the exchange, and is told once */
        ws->type->ended(ws);
    return 0;
}

int dx_ws_accept_sized(dx_conn *c, const dx_handler *on, void *user, const dx_ws_opts *o, size_t o_bytes)
{
    struct http1 *h = http1_answerable(c);
    dx_ws_opts mine;
    struct ws_deflate_terms wish = {0}, agreed;
    struct ws_tokens offered;
    char chosen[PROTOCOL_MAX];
    if (!h || (on && c->taken)) /* a relay's handler, or dx_save's, is not for anybody to replace */
        return DX_STATE;
    const struct settings *set = h->from->set;
    int r = opts_read(o ? o : &set->ws, o ? o_bytes : sizeof set->ws, &mine, sizeof mine, NULL);
    if (r < 0)
        return r;
    if (mine.field_count > FIELDS_MAX || !ws_fields_ok(mine.fields, mine.field_count) ||
        (mine.deflate && !ws_deflate_wish(mine.deflate, &wish)))
        return DX_URL;
    const struct http1_head *head = &h->x->head;
    if (!dx_http_wants_ws(c) || !origin_ok(head, mine.origins) || !read_lists(head, &offered) ||
        (mine.protocol && !ws_tokens_has(&offered, bytes_of(mine.protocol))))
        return DX_PROTO;
    struct ws_stand s = {.server = true, .message_max = set->o.message_bytes_max};
    if (mine.protocol)
        s.protocol = bytes_of(mine.protocol);
    else if (set->o.protocols)
        s.protocol = choose(&offered, set->o.protocols, chosen, sizeof chosen);
    if (mine.deflate && agree_on_deflate(head, &wish, &agreed))
        s.deflate = &agreed;
    ws_stand_ping(&s, set, &mine);
    if ((r = upgrade(h, &s, &mine)) < 0)
        return r;
    c->messages = 1;
    c->stays = 0;
    if (on) {
        c->on = on;
        c->user = user;
    }
    return 0;
}
