/* SPDX-License-Identifier: MIT
 * http1_parts.c - see its header. No conns here: bytes and layers. */
#include "net/http1_parts.h"
#include "codec/http1_scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void draft_begin(struct draft *d, char *room)
{
    *d = (struct draft){.t = {.p = room, .cap = DRAFT_USUAL}, .room = room};
}

void draft_free(struct draft *d)
{
    if (!d->room)
        dx_text_free(&d->t);
}

/* In memory of its own from now on. */
static int move_out(struct draft *d)
{
    dx_text own = {0};
    int r = dx_text_add(&own, d->t.p, d->t.n);
    if (r == 0) {
        d->t = own;
        d->room = NULL;
    }
    return r;
}

void draft_add_more(struct draft *d, const void *p, size_t n)
{
    if (d->r == 0 && d->room)
        d->r = move_out(d);
    if (d->r == 0)
        d->r = dx_text_add(&d->t, p, n);
}

void draft_number(struct draft *d, uint64_t n)
{
    char text[20];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + n % 10);
    while (n /= 10);
    draft_add(d, text + at, sizeof text - at);
}

static bool is_token(const char *s, size_t n)
{
    return n > 0 && token_run((const uint8_t *)s, n) == n;
}

bool http1_is_token(const char *s)
{
    return is_token(s, s ? strlen(s) : 0);
}

/* No control bytes but tabs: we send nothing that we would not read. */
static bool is_value(const char *s, size_t n)
{
    return s && field_run((const uint8_t *)s, n) == n;
}

bool http1_is_value(const char *s)
{
    return is_value(s, s ? strlen(s) : 0);
}

bool http1_lists(const char *list, const char *word)
{
    size_t want = strlen(word);
    while (list && *list) {
        size_t n = strcspn(list, ", \t;");
        if (n == want && !strncasecmp(list, word, n))
            return true;
        list += n + strspn(list + n, ", \t;");
    }
    return false;
}

void draft_field(struct draft *d, const char *name, const char *value)
{
    size_t name_n = name ? strlen(name) : 0, n = value ? strlen(value) : 0;
    if (d->r == 0 && (!is_token(name, name_n) || !is_value(value, n)))
        d->r = DX_URL;
    if (d->r < 0)
        return;
    draft_add(d, name, name_n);
    draft_say(d, ": ");
    draft_add(d, value, n);
    draft_say(d, "\r\n");
}

const char *http1_value_of(const dx_http_field *v, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (v[i].name && !strcasecmp(v[i].name, name))
            return v[i].value;
    return NULL;
}

void draft_fields(struct draft *d, const dx_http_field *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        draft_field(d, v[i].name, v[i].value);
}

bool http_is_secret(const struct url *u)
{
    return !strcmp(u->scheme, "https") || !strcmp(u->scheme, "wss");
}

static int usual_port(const struct url *u)
{
    return http_is_secret(u) ? 443 : 80;
}

int http_port(const struct url *u)
{
    return u->port >= 0 ? u->port : usual_port(u);
}

void draft_host(struct draft *d, const struct url *u)
{
    const uint8_t *zone = memchr(u->host.p, '%', u->host.n); /* this machine's own: it means nothing there (RFC 6874) */
    char port[16] = "";
    if (http_port(u) != usual_port(u))
        snprintf(port, sizeof port, ":%d", u->port);
    draft_add(d, "[", u->v6);
    draft_add(d, u->host.p, zone ? (size_t)(zone - u->host.p) : u->host.n);
    draft_add(d, "]", u->v6);
    draft_say(d, port);
}

int draft_give(struct draft *d, struct layer *l)
{
    struct span v = {NULL, (const uint8_t *)d->t.p, d->t.n};
    struct layer *below = l->below;
    uint8_t *at = d->r == 0 && below->type->room ? below->type->room(below, v.n) : NULL;
    int r = d->r;
    if (at)
        memcpy(at, v.p, v.n);
    else if (r == 0)
        r = below->type->give(below, &v, 1, DX_MORE);
    draft_free(d);
    return r;
}

static void move_view(struct bytes *v, const uint8_t *from, const uint8_t *to, size_t n)
{
    if (v->p && v->p >= from && v->p <= from + n)
        v->p = to + (v->p - from);
}

const char *http1_no_response(const uint8_t *p, size_t n, int *ret_detail_of)
{
    enum { TLS_ALERT = 21, TLS_HANDSHAKE = 22 }; /* a record's first byte (RFC 8446 5.1) */
    bool tls = n && (*p == TLS_ALERT || *p == TLS_HANDSHAKE);
    *ret_detail_of = tls ? DX_OF_TLS : DX_OF_HTTP;
    return tls ? "the server speaks TLS there, not HTTP" : "the server's answer is not HTTP";
}

void http1_keep(struct http1_head *ret, const struct http1_head *head, const uint8_t *p, size_t n, uint8_t *bytes)
{
    memcpy(ret, head, offsetof(struct http1_head, fields) + head->count * sizeof *head->fields);
    memcpy(bytes, p, n);
    struct bytes *v[] = {&ret->method, &ret->target, &ret->reason, &ret->path, &ret->query, &ret->host};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        move_view(v[i], p, bytes, n);
    for (size_t i = 0; i < ret->count; i++) { /* these lie nowhere but in p */
        ret->fields[i].name.p = bytes + (ret->fields[i].name.p - p);
        ret->fields[i].value.p = bytes + (ret->fields[i].value.p - p);
    }
}

/* ---- chunks ---- */

static struct trail *trail_new(const struct http1_trailers *from, const uint8_t *p, size_t n)
{
    size_t fields_n = from->count * sizeof *from->fields;
    struct trail *t = malloc(sizeof *t + fields_n + n);
    if (!t)
        return NULL;
    uint8_t *bytes = t->bytes + fields_n;
    t->count = from->count;
    t->fields = (struct http1_field *)(void *)t->bytes;
    memcpy(bytes, p, n);
    memcpy(t->fields, from->fields, fields_n);
    for (size_t i = 0; i < t->count; i++) {
        move_view(&t->fields[i].name, p, bytes, n);
        move_view(&t->fields[i].value, p, bytes, n);
    }
    return t;
}

static int64_t take_trailers(struct chunked *c, const uint8_t *p, size_t n, bool *ret_end)
{
    struct http1_trailers found;
    int64_t got = http1_trailers(p, n, &c->scanned, &found);
    if (got <= 0)
        return got;
    if (found.count && !(c->trail = trail_new(&found, p, (size_t)got)))
        return -503;
    *ret_end = true;
    return got;
}

int64_t http1_take_chunked(struct chunked *c, const uint8_t *p, size_t n, struct bytes *ret, bool *ret_end)
{
    *ret_end = false;
    if (!c->all)
        return http1_chunk(&c->chunks, p, n, ret, &c->all);
    *ret = (struct bytes){p, 0};
    return take_trailers(c, p, n, ret_end);
}

int http1_trail_add(dx_text *t, const dx_http_field *v, size_t count)
{
    struct draft d = {0};
    for (size_t i = 0; i < count && d.r == 0; i++) {
        if (v[i].name && http1_never_trails((struct bytes){(const uint8_t *)v[i].name, strlen(v[i].name)}))
            d.r = DX_URL;
        draft_field(&d, v[i].name, v[i].value);
    }
    if (d.r == 0 && t->n + d.t.n > HTTP1_TRAILERS_BYTES_MAX - 2)
        d.r = DX_BIG;
    if (d.r == 0)
        d.r = dx_text_add(t, d.t.p, d.t.n);
    dx_text_free(&d.t);
    return d.r;
}

int http1_give_last(struct layer *l, const dx_text *t)
{
    struct span v[] = {
        {NULL, (const uint8_t *)"0\r\n", 3}, {NULL, (const uint8_t *)t->p, t->n}, {NULL, (const uint8_t *)"\r\n", 2}};
    struct span plain = {NULL, (const uint8_t *)"0\r\n\r\n", 5};
    return t->n ? layer_give_below(l, v, 3, DX_MORE) : layer_give_below(l, &plain, 1, DX_MORE);
}

int http1_give_chunk(struct layer *l, const struct span *v, size_t count, size_t n)
{
    enum { PARTS_MAX = 16 }; /* more than dx_sendv leaves apart */
    struct span all[PARTS_MAX + 2];
    char size[24];
    if (count > PARTS_MAX)
        return DX_BIG;
    all[0] = (struct span){NULL, (const uint8_t *)size, (size_t)snprintf(size, sizeof size, "%zx\r\n", n)};
    memcpy(all + 1, v, count * sizeof *v);
    all[count + 1] = (struct span){NULL, (const uint8_t *)"\r\n", 2};
    return layer_give_below(l, all, count + 2, 0);
}
