/* SPDX-License-Identifier: MIT
 * ws_deflate.c - RFC 7692 sections 5 to 7 over zlib. */
#include "ws_deflate.h"
#include "http1_scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { MEM_LEVEL = 5, NOT_DEFLATE = 1007, NO_MEMORY = 1011, RAW_MIN = 9, CHUNK_MAX = 1 << 30 };

/* ---- what is agreed on ---- */

static const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* A token at *p, and the blanks behind it. */
static struct bytes take_token(const uint8_t **p, const uint8_t *end)
{
    struct bytes t = {*p, token_run(*p, (size_t)(end - *p))};
    *p = skip_blank(*p + t.n, end);
    return t;
}

/* A token, or one in quotes (RFC 6455 9.1). n 0: neither. */
static struct bytes take_value(const uint8_t **p, const uint8_t *end)
{
    bool quoted = *p < end && **p == '"';
    *p += quoted;
    struct bytes v = take_token(p, end);
    if (quoted && (*p >= end || **p != '"'))
        v.n = 0;
    else if (quoted)
        *p = skip_blank(*p + 1, end);
    return v;
}

static bool is(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !strncasecmp((const char *)b.p, s, b.n);
}

/* 8 to 15, no zero before it; 0: it is none. */
static uint8_t bits_of(struct bytes v)
{
    int n = v.n == 1 ? v.p[0] - '0' : v.n == 2 && v.p[0] == '1' ? 10 + v.p[1] - '0' : 0;
    bool digit = v.n > 0 && v.p[v.n - 1] >= '0' && v.p[v.n - 1] <= '9';
    return digit && n >= WS_WINDOW_MIN && n <= WS_WINDOW_MAX ? (uint8_t)n : 0;
}

static bool set_once(bool *flag)
{
    bool was = *flag;
    *flag = true;
    return !was;
}

/* value.p NULL: none was written. false: unknown, twice, or a value that cannot be. */
static bool set_parameter(struct ws_deflate_terms *t, struct bytes name, struct bytes value)
{
    if (is(name, "server_no_context_takeover"))
        return !value.p && set_once(&t->server_fresh);
    if (is(name, "client_no_context_takeover"))
        return !value.p && set_once(&t->client_fresh);
    bool server = is(name, "server_max_window_bits");
    if (!server && !is(name, "client_max_window_bits"))
        return false;
    uint8_t *bits = server ? &t->server_bits : &t->client_bits;
    if (*bits || (!server && t->client_bits_open))
        return false;
    if (!value.p && !server)
        return set_once(&t->client_bits_open);
    *bits = value.p ? bits_of(value) : 0;
    return *bits != 0;
}

/* "; name; name=value" up to the next comma. false: some of it does not read as ours; *p then stands anywhere in it. */
static bool take_parameters(const uint8_t **p, const uint8_t *end, struct ws_deflate_terms *t)
{
    *t = (struct ws_deflate_terms){0};
    while (*p < end && **p == ';') {
        struct bytes value = {0};
        *p = skip_blank(*p + 1, end);
        struct bytes name = take_token(p, end);
        if (*p < end && **p == '=') {
            *p = skip_blank(*p + 1, end);
            value = take_value(p, end);
            if (!value.n)
                return false;
        }
        if (!set_parameter(t, name, value))
            return false;
    }
    return *p >= end || **p == ',';
}

/* To the comma that ends this offer; one in quotes does not. */
static const uint8_t *skip_offer(const uint8_t *p, const uint8_t *end)
{
    for (bool quoted = false; p < end && (quoted || *p != ','); p++)
        quoted ^= *p == '"';
    return p;
}

bool ws_deflate_wish(const char *text, struct ws_deflate_terms *ret)
{
    char all[WS_EXTENSION_MAX + 2];
    int n = snprintf(all, sizeof all, "%s%s", *text ? ";" : "", text);
    const uint8_t *p = (const uint8_t *)all, *end = p + n;
    return n < (int)sizeof all && take_parameters(&p, end, ret) && p == end;
}

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a && (!b || a < b) ? a : b;
}

/* The answer to an offer: each side's window as small as either wants it, but the client's only where it lets us say so. */
static struct ws_deflate_terms answer_to(const struct ws_deflate_terms *offer, const struct ws_deflate_terms *wish)
{
    struct ws_deflate_terms a = {.server_fresh = offer->server_fresh || wish->server_fresh,
                                 .client_fresh = offer->client_fresh || wish->client_fresh};
    a.server_bits = offer->server_bits
                        ? smaller(offer->server_bits, wish->server_bits ? wish->server_bits : WS_WINDOW_OURS)
                        : wish->server_bits;
    if (offer->client_bits || offer->client_bits_open)
        a.client_bits = smaller(offer->client_bits, wish->client_bits ? wish->client_bits : WS_WINDOW_OURS);
    return a;
}

bool ws_deflate_agree(struct bytes offers, const struct ws_deflate_terms *wish, struct ws_deflate_terms *ret)
{
    const uint8_t *p = offers.p, *end = p + offers.n;
    while (p < end) {
        struct ws_deflate_terms offer;
        p = skip_blank(p, end);
        const uint8_t *at = p;
        if (is(take_token(&at, end), "permessage-deflate") && take_parameters(&at, end, &offer)) {
            *ret = answer_to(&offer, wish);
            return true;
        }
        p = skip_offer(p, end);
        p += p < end;
    }
    return false;
}

bool ws_deflate_answered(struct bytes answer, const struct ws_deflate_terms *offer, struct ws_deflate_terms *ret)
{
    const uint8_t *p = skip_blank(answer.p, answer.p + answer.n), *end = answer.p + answer.n;
    struct ws_deflate_terms a;
    if (!is(take_token(&p, end), "permessage-deflate") || !take_parameters(&p, end, &a) || p != end ||
        a.client_bits_open)
        return false;
    if ((offer->server_fresh && !a.server_fresh) ||
        (offer->server_bits && (!a.server_bits || a.server_bits > offer->server_bits)))
        return false;
    if (a.client_bits && !offer->client_bits && !offer->client_bits_open)
        return false;
    if (a.client_bits && offer->client_bits && a.client_bits > offer->client_bits)
        return false;
    if (!offer->client_bits)
        a.client_bits = smaller(a.client_bits, WS_WINDOW_OURS); /* it lets us have more than we want */
    else if (!a.client_bits)
        a.client_bits = offer->client_bits;
    a.client_fresh |= offer->client_fresh;
    *ret = a;
    return true;
}

void ws_deflate_offer(struct ws_deflate_terms *wish)
{
    if (!wish->client_bits)
        wish->client_bits_open = true;
}

static size_t say_bits(char *ret, size_t n, const char *name, uint8_t bits)
{
    return bits ? (size_t)snprintf(ret + n, WS_EXTENSION_MAX - n, "; %s=%d", name, bits) : 0;
}

void ws_deflate_write(const struct ws_deflate_terms *t, char ret[WS_EXTENSION_MAX])
{
    size_t n = (size_t)snprintf(
        ret, WS_EXTENSION_MAX, "permessage-deflate%s%s%s", t->server_fresh ? "; server_no_context_takeover" : "",
        t->client_fresh ? "; client_no_context_takeover" : "", t->client_bits_open ? "; client_max_window_bits" : "");
    n += say_bits(ret, n, "server_max_window_bits", t->server_bits);
    say_bits(ret, n, "client_max_window_bits", t->client_bits);
}

/* ---- messages ---- */

struct ws_deflate {
    z_stream *out, *in; /* NULL: nothing to remember                                             */
    uint8_t out_bits, in_bits;
    uint8_t out_fresh : 1, in_fresh : 1;
    uint8_t tail;     /* of the 4 bytes behind a message, how many were given to zlib             */
    uint8_t end : 1;  /* a block that says it is the last has been read, and nothing behind it    */
    uint8_t edge : 1; /* what was read ended between two blocks, and at a byte's edge            */
};
static const uint8_t tail_bytes[4] = {0, 0, 0xFF, 0xFF};

struct ws_deflate *ws_deflate_new(const struct ws_deflate_terms *agreed, bool server)
{
    struct ws_deflate *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    uint8_t ours = server ? agreed->server_bits : agreed->client_bits;
    uint8_t theirs = server ? agreed->client_bits : agreed->server_bits;
    d->out_bits = ours ? ours : WS_WINDOW_OURS;
    d->in_bits = theirs ? theirs : WS_WINDOW_MAX;
    d->out_fresh = server ? agreed->server_fresh : agreed->client_fresh;
    d->in_fresh = server ? agreed->client_fresh : agreed->server_fresh;
    return d;
}

static void free_out(struct ws_deflate *d)
{
    if (d->out)
        deflateEnd(d->out);
    free(d->out);
    d->out = NULL;
}

static void free_in(struct ws_deflate *d)
{
    if (d->in)
        inflateEnd(d->in);
    free(d->in);
    d->in = NULL;
}

void ws_deflate_free(struct ws_deflate *d)
{
    if (!d)
        return;
    free_out(d);
    free_in(d);
    free(d);
}

void ws_pack_rest(struct ws_deflate *d)
{
    free_out(d);
}

/* zlib's raw deflate knows no window of 256 bytes; but with one of 512 it never looks back further than 250. */
static bool begin_out(struct ws_deflate *d)
{
    int bits = d->out_bits < RAW_MIN ? RAW_MIN : d->out_bits;
    if (d->out)
        return true;
    d->out = calloc(1, sizeof *d->out);
    if (d->out && deflateInit2(d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return true;
    free(d->out);
    d->out = NULL;
    return false;
}

/* zlib's own bound for what does not pack (deflateBound, for any window), and the empty block of a flush. */
size_t ws_pack_room(size_t n)
{
    return n + (n >> 3) + (n >> 6) + 64;
}

static bool pack_part(z_stream *z, struct bytes part, int flush)
{
    static const uint8_t nothing;
    z->next_in = (z_const Bytef *)(uintptr_t)(part.n ? part.p : &nothing);
    while (part.n > 0 || flush != Z_NO_FLUSH) {
        uInt k = part.n < CHUNK_MAX ? (uInt)part.n : CHUNK_MAX;
        part.n -= k;
        z->avail_in = k;
        int r = deflate(z, part.n ? Z_NO_FLUSH : flush);
        if ((r != Z_OK && r != Z_BUF_ERROR) || z->avail_in || !z->avail_out)
            return false;
        if (!part.n)
            break;
    }
    return true;
}

int64_t ws_pack(struct ws_deflate *d, const struct bytes *parts, size_t count, bool last, uint8_t *out, size_t room)
{
    if (room > UINT32_MAX || !begin_out(d))
        return -1;
    z_stream *z = d->out;
    z->next_out = out;
    z->avail_out = (uInt)room;
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = pack_part(z, parts[i], Z_NO_FLUSH);
    ok = ok && pack_part(z, (struct bytes){0}, Z_SYNC_FLUSH);
    size_t n = room - z->avail_out;
    if (!ok) {
        free_out(d);
        return -1;
    }
    if (last && n >= 4)
        n -= 4; /* section 7.2.1 */
    else if (last)
        out[n++] = 0; /* nothing to flush: the head of an empty block, 7.2.3.6 */
    if (last && d->out_fresh)
        free_out(d);
    return (int64_t)n;
}

static bool begin_in(struct ws_deflate *d)
{
    if (d->in)
        return true;
    d->in = calloc(1, sizeof *d->in);
    if (d->in && inflateInit2(d->in, -d->in_bits) == Z_OK)
        return true;
    free(d->in);
    d->in = NULL;
    return false;
}

/* The message is all there and all out: is it whole? */
static int64_t unpack_end(struct ws_deflate *d)
{
    bool whole = d->end || d->edge;
    d->tail = 0;
    if (d->end)
        inflateResetKeep(d->in); /* the window stays: the next message may refer to it */
    d->end = d->edge = 0;
    if (d->in_fresh)
        free_in(d);
    return whole ? 0 : -NOT_DEFLATE;
}

/* One call of zlib for what *in has; with nothing in it, for output that zlib holds back. false: this is no deflate. */
static bool unpack_some(struct ws_deflate *d, struct bytes *in)
{
    if (d->end && in->n == 0)
        return true;
    if (d->end) { /* 7.2.3.4: what follows a last block begins anew, with the window as it is */
        inflateResetKeep(d->in);
        d->end = 0;
    }
    uInt k = in->n < CHUNK_MAX ? (uInt)in->n : CHUNK_MAX;
    d->in->next_in = (z_const Bytef *)(uintptr_t)in->p;
    d->in->avail_in = k;
    int r = inflate(d->in, Z_SYNC_FLUSH);
    size_t used = k - d->in->avail_in;
    in->p += used;
    in->n -= used;
    d->end = r == Z_STREAM_END;
    if (r != Z_BUF_ERROR) /* which says nothing of where it is */
        d->edge = (d->in->data_type & 0x87) == 128;
    return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR;
}

/* Until *in is used up or the output has no room. */
static bool unpack_all(struct ws_deflate *d, struct bytes *in)
{
    bool ok = unpack_some(d, in);
    while (ok && in->n > 0 && d->in->avail_out > 0)
        ok = unpack_some(d, in);
    return ok;
}

int64_t ws_unpack(struct ws_deflate *d, struct bytes *in, bool last, uint8_t *out, size_t room)
{
    if (!begin_in(d))
        return -NO_MEMORY;
    d->in->next_out = out;
    d->in->avail_out = (uInt)room;
    if (!unpack_all(d, in))
        return -NOT_DEFLATE;
    if (last && d->in->avail_out > 0 && (!d->end || d->tail > 0)) {
        struct bytes tail = {tail_bytes + d->tail, sizeof tail_bytes - d->tail};
        if (!unpack_all(d, &tail))
            return -NOT_DEFLATE;
        d->tail = (uint8_t)(sizeof tail_bytes - tail.n);
    }
    size_t n = room - d->in->avail_out;
    return n > 0 || !last ? (int64_t)n : unpack_end(d);
}
