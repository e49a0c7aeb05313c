/* SPDX-License-Identifier: MIT
 * http1.c - RFC 9112 sections 2-6, the strict reading: what two parsers could take in two ways is refused, so that nothing
 * can be smuggled past a proxy in front of us. Chunked bodies are in http1_chunk.c.
 *
 * One pass over the whole head, line by line. The verdict on a line is given when its LF is there, never before, so it is
 * the same however the bytes were cut; a call whose new bytes hold no LF costs one look at those bytes. */
#include "http1.h"
#include "http1_scan.h"
#include <stddef.h>
#include <string.h>

enum { LEAD_MAX = 32, FIRST_LINE_MAX = HTTP1_TARGET_MAX + 64, METHOD_MAX = 32, PORT_DIGITS_MAX = 5 };
enum { BAD = -400, TOO_LARGE = -413, LONG_TARGET = -414, TOO_MANY = -431, UNKNOWN = -501, VERSION = -505 };

struct seen { /* what the fields say together: judged when the last has come */
    unsigned hosts, transfer_encodings;
    bool last_is_chunked, other_codings, connection_upgrade, upgrade_ws;
};

/* Any case, on both sides. */
static bool same(struct bytes b, const char *word, size_t n)
{
    if (b.n != n)
        return false;
    size_t i = 0;
    while (i < n && lower(b.p[i]) == lower((uint8_t)word[i]))
        i++;
    return i == n;
}
#define SAME(b, word) same(b, word, sizeof(word) - 1)

static bool exactly(struct bytes b, const char *word)
{
    return b.n == strlen(word) && memcmp(b.p, word, b.n) == 0;
}

static struct bytes trim(const uint8_t *p, size_t n)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    return (struct bytes){p, n};
}

/* Cuts the first element off a comma-separated list; false: none left. */
static bool next_element(struct bytes *list, struct bytes *ret)
{
    if (!list->p)
        return false;
    const uint8_t *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
    size_t n = comma ? (size_t)(comma - list->p) : list->n;
    *ret = trim(list->p, n);
    *list = comma ? (struct bytes){comma + 1, list->n - n - 1} : (struct bytes){NULL, 0};
    return true;
}

static int read_version(const uint8_t *p, size_t n, int *ret)
{
    if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || !is_digit(p[5]) || p[6] != '.' || !is_digit(p[7]))
        return BAD;
    if (p[5] != '1')
        return VERSION;
    *ret = p[7] == '0' ? 10 : 11; /* RFC 9110 2.5: a higher minor is read as our highest */
    return 0;
}

/* host [":" port], RFC 3986: a name, an IPv4 address or a bracketed literal. */
static bool host_ok(struct bytes h, bool port_needed)
{
    size_t i = 0;
    if (h.n > 0 && h.p[0] == '[') {
        while (++i < h.n && (is_hex(h.p[i]) || h.p[i] == ':' || h.p[i] == '.'))
            ;
        if (i < 3 || i == h.n || h.p[i++] != ']')
            return false;
    } else {
        while (i < h.n && (char_class[h.p[i]] & IN_HOST))
            i++;
    }
    if (i == h.n)
        return !port_needed;
    if (h.p[i++] != ':' || h.n - i > PORT_DIGITS_MAX || (port_needed && i == h.n))
        return false;
    unsigned port = 0;
    for (; i < h.n; i++) {
        if (!is_digit(h.p[i]))
            return false;
        port = port * 10 + (h.p[i] - '0');
    }
    return port <= 65535;
}

static void split_path(struct bytes t, struct http1_head *ret)
{
    const uint8_t *q = memchr(t.p, '?', t.n);
    ret->path = (struct bytes){t.p, q ? (size_t)(q - t.p) : t.n};
    if (q)
        ret->query = (struct bytes){q + 1, t.n - ret->path.n - 1};
}

static int take_absolute(struct bytes t, struct http1_head *ret)
{
    size_t scheme = 0;
    if (t.n > 7 && SAME(((struct bytes){t.p, 7}), "http://"))
        scheme = 7;
    else if (t.n > 8 && SAME(((struct bytes){t.p, 8}), "https://"))
        scheme = 8;
    size_t i = scheme;
    while (i < t.n && t.p[i] != '/' && t.p[i] != '?')
        i++;
    struct bytes host = {t.p + scheme, i - scheme};
    if (scheme == 0 || host.n == 0 || *host.p == ':' || !host_ok(host, false))
        return BAD;
    ret->host = host;
    split_path((struct bytes){t.p + i, t.n - i}, ret);
    if (ret->path.n == 0)
        ret->path = (struct bytes){(const uint8_t *)"/", 1};
    return 0;
}

/* The four forms of RFC 9112 3.2. Bytes over 0x7F are let through: curl sends a path as it was typed. */
static int take_target(struct http1_head *ret)
{
    struct bytes t = ret->target;
    if (exactly(ret->method, "CONNECT")) {
        ret->host = t;
        return *t.p != ':' && host_ok(t, true) ? 0 : BAD;
    }
    if (*t.p == '/') {
        split_path(t, ret);
        return 0;
    }
    if (t.n == 1 && *t.p == '*') {
        ret->path = t;
        return exactly(ret->method, "OPTIONS") ? 0 : BAD;
    }
    return take_absolute(t, ret);
}

/* At i there must be CR LF: the offset behind it, 0: not there yet. */
static int64_t line_end(const uint8_t *p, size_t i, size_t n)
{
    if (i < n && p[i] != '\r')
        return BAD;
    if (i + 1 >= n)
        return 0;
    return p[i + 1] == '\n' ? (int64_t)i + 2 : BAD;
}

static int64_t request_line(const uint8_t *p, size_t at, size_t n, struct http1_head *ret)
{
    size_t i = at;
    while (i < n && (char_class[p[i]] & IN_TOKEN))
        i++;
    ret->method = (struct bytes){p + at, i - at};
    if (i == at || (i < n && p[i] != ' '))
        return BAD;
    size_t target = ++i;
    while (i < n && (char_class[p[i]] & IN_TARGET))
        i++;
    if (i >= n)
        return 0;
    ret->target = (struct bytes){p + target, i - target};
    if (i == target || p[i++] != ' ')
        return BAD;
    if (n - i < 10) /* "HTTP/1.1" CR LF: a whole line that is shorter is a breach */
        return memchr(p + i, '\n', n - i) ? BAD : 0;
    int64_t end = line_end(p, i + 8, n);
    if (end < 0)
        return BAD;
    int r = read_version(p + i, 8, &ret->version);
    if (r == 0 && ret->method.n > METHOD_MAX)
        r = UNKNOWN;
    if (r == 0 && ret->target.n > HTTP1_TARGET_MAX)
        r = LONG_TARGET;
    if (r == 0)
        r = take_target(ret);
    return r < 0 ? r : end;
}

static int64_t status_line(const uint8_t *p, size_t at, size_t n, struct http1_head *ret)
{
    size_t i = at + field_run(p + at, n - at);
    int64_t end = line_end(p, i, n);
    if (end <= 0)
        return end;
    size_t len = i - at;
    p += at;
    if (len < 12 || p[8] != ' ' || p[9] < '1' || p[9] > '9' || !is_digit(p[10]) || !is_digit(p[11]))
        return BAD;
    if (len > 12 && p[12] != ' ')
        return BAD;
    ret->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    ret->reason = len > 13 ? (struct bytes){p + 13, len - 13} : (struct bytes){p + len, 0};
    int r = read_version(p, 8, &ret->version);
    return r < 0 ? r : end;
}

static int take_length(struct bytes v, struct http1_head *ret)
{
    int64_t n = 0;
    if (v.n == 0)
        return BAD;
    for (size_t i = 0; i < v.n; i++) {
        if (!is_digit(v.p[i]))
            return BAD;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, v.p[i] - '0', &n))
            return TOO_LARGE;
    }
    if (ret->length >= 0 && ret->length != n)
        return BAD;
    ret->length = n;
    return 0;
}

static int take_transfer_encoding(struct bytes v, struct seen *s)
{
    struct bytes e;
    while (next_element(&v, &e)) {
        if (e.n == 0 || s->last_is_chunked) /* nothing may come behind chunked, nor twice */
            return BAD;
        if (SAME(e, "chunked"))
            s->last_is_chunked = true;
        else
            s->other_codings = true;
    }
    s->transfer_encodings++;
    return 0;
}

static void take_connection(struct bytes v, struct http1_head *ret, struct seen *s)
{
    struct bytes e;
    while (next_element(&v, &e)) {
        if (SAME(e, "close"))
            ret->close = true;
        else if (SAME(e, "keep-alive"))
            ret->keep_alive = true;
        else if (SAME(e, "upgrade"))
            s->connection_upgrade = true;
    }
}

/* The fields that frame the message or the connection. */
static int take_known(struct http1_field f, struct http1_head *ret, struct seen *s)
{
    struct bytes e, v = f.value;
    switch (f.name.n) {
    case 4:
        if (!SAME(f.name, "host"))
            return 0;
        if (s->hosts++ || !host_ok(v, false))
            return BAD;
        if (!ret->host.p) /* an absolute target's wins: RFC 9112 3.2.2 */
            ret->host = v;
        return 0;
    case 6:
        if (SAME(f.name, "expect") && SAME(v, "100-continue"))
            ret->expect_continue = true;
        return 0;
    case 7:
        if (SAME(f.name, "upgrade"))
            while (next_element(&v, &e))
                s->upgrade_ws |= SAME(e, "websocket");
        return 0;
    case 10:
        if (SAME(f.name, "connection"))
            take_connection(v, ret, s);
        return 0;
    case 14:
        return SAME(f.name, "content-length") ? take_length(v, ret) : 0;
    case 17:
        return SAME(f.name, "transfer-encoding") ? take_transfer_encoding(v, s) : 0;
    default:
        return 0;
    }
}

static int64_t field_line(const uint8_t *p, size_t at, size_t n, struct http1_field *ret)
{
    size_t i = at;
    while (i < n && (char_class[p[i]] & IN_TOKEN))
        i++;
    if (i == n)
        return 0;
    if (i == at || p[i] != ':') /* also a folded line, and a blank before the colon */
        return BAD;
    size_t value = i + 1, end = value + field_run(p + value, n - value);
    ret->name = (struct bytes){p + at, i - at};
    ret->value = trim(p + value, end - value);
    return line_end(p, end, n);
}

/* The lines from *at to the blank one; *at is left at the line that ended it. */
static int64_t field_lines(const uint8_t *p, size_t *at, size_t n, struct http1_head *ret, struct seen *s)
{
    for (;;) {
        if (*at < n && p[*at] == '\r')
            return line_end(p, *at, n);
        struct http1_field f;
        int64_t end = field_line(p, *at, n, &f);
        if (end <= 0)
            return end;
        if (ret->count == HTTP1_FIELDS_MAX)
            return TOO_MANY;
        ret->fields[ret->count++] = f;
        int r = take_known(f, ret, s);
        if (r < 0)
            return r;
        *at = (size_t)end;
    }
}

/* RFC 9112 3.2 and 6.3, and the sums of what the fields said. */
static int judge(bool request, struct http1_head *ret, const struct seen *s)
{
    if (request && ret->version == 11 && s->hosts != 1)
        return BAD;
    if (s->transfer_encodings) {
        if (ret->length >= 0 || ret->version == 10 || s->transfer_encodings > 1 || !s->last_is_chunked)
            return BAD;
        if (s->other_codings)
            return UNKNOWN;
        ret->chunked = true;
    }
    if (ret->version == 10) {
        ret->expect_continue = false; /* RFC 9110 10.1.1 */
        ret->close |= !ret->keep_alive;
    }
    ret->upgrade_ws = s->upgrade_ws && s->connection_upgrade && ret->version == 11;
    return 0;
}

/* The offset behind the empty lines in front of a head. */
static size_t skip_lead(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < LEAD_MAX && n - i >= 2 && p[i] == '\r' && p[i + 1] == '\n')
        i += 2;
    return i;
}

/* The whole head: its length, 0, or a breach in the line at *at, which counts once that line is whole. */
static int64_t parse(bool request, const uint8_t *p, size_t n, struct http1_head *ret, size_t *at)
{
    struct seen s = {0};
    size_t line_max = n < FIRST_LINE_MAX ? n : FIRST_LINE_MAX;
    memset(ret, 0, offsetof(struct http1_head, fields));
    ret->length = -1;
    int64_t r = (request ? request_line : status_line)(p, *at, line_max, ret);
    if (r <= 0)
        return r;
    *at = (size_t)r;
    r = field_lines(p, at, n, ret, &s);
    if (r <= 0)
        return r;
    int verdict = judge(request, ret, &s);
    return verdict < 0 ? verdict : r;
}

static int64_t head(bool request, const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    n = n < HTTP1_HEAD_MAX ? n : HTTP1_HEAD_MAX;
    size_t was = *scanned < n ? *scanned : n;
    bool limit = n == HTTP1_HEAD_MAX || (was < FIRST_LINE_MAX && n >= FIRST_LINE_MAX);
    *scanned = n;
    if (!limit && (was == n || !memchr(p + was, '\n', n - was)))
        return 0;
    size_t lead = skip_lead(p, n), at = lead;
    int64_t r = parse(request, p, n, ret, &at);
    if (r > 0)
        return r;
    size_t line_max = at == lead && n > FIRST_LINE_MAX ? FIRST_LINE_MAX : n;
    if (r < 0 && memchr(p + at, '\n', line_max - at))
        return r;
    if (at == lead && n >= FIRST_LINE_MAX)
        return LONG_TARGET;
    return n == HTTP1_HEAD_MAX ? TOO_MANY : 0;
}

int64_t http1_request(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    return head(true, p, n, scanned, ret);
}

int64_t http1_response(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    int64_t r = head(false, p, n, scanned, ret);
    return r == TOO_LARGE ? BAD : r;
}

struct bytes http1_get(const struct http1_head *h, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < h->count; i++)
        if (same(h->fields[i].name, name, n))
            return h->fields[i].value;
    return (struct bytes){NULL, 0};
}
