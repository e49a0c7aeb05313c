/* SPDX-License-Identifier: MIT
 * http1.c - RFC 9112 sections 2-6, the strict reading: what two parsers could take in two ways is refused, so that nothing
 * can be smuggled past a proxy in front of us. Targets and hosts are in http1_target.c, chunked bodies in http1_chunk.c, what
 * trails them in http1_trailers.c.
 *
 * One pass over the whole head, line by line. The verdict on a line is given when its LF is there, never before, so it is
 * the same however the bytes were cut; a call whose new bytes hold no LF costs one look at those bytes. */
#include "http1.h"
#include "http1_inside.h"
#include "http1_scan.h"
#include <stddef.h>
#include <string.h>

enum { LEAD_MAX = 4, FIRST_LINE_MAX = HTTP1_TARGET_MAX + 64, METHOD_MAX = 32 };
enum kind { REQUEST, RESPONSE, TUNNEL_RESPONSE };

struct seen { /* what the fields say together: judged when the last has come */
    bool request;
    bool tunnels; /* a 2xx to CONNECT: there is no body to frame */
    unsigned hosts, transfer_encodings;
    bool last_is_chunked, other_codings, connection_upgrade, upgrade_ws, expects_more;
};

bool http1_list_next(struct bytes *list, struct bytes *ret)
{
    if (!list->p)
        return false;
    const uint8_t *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
    size_t n = comma ? (size_t)(comma - list->p) : list->n;
    *ret = trim(list->p, n);
    *list = comma ? (struct bytes){comma + 1, list->n - n - 1} : (struct bytes){NULL, 0};
    return true;
}

bool http1_list_has(struct bytes list, struct bytes element)
{
    struct bytes e;
    while (http1_list_next(&list, &e))
        if (e.n > 0 && e.n == element.n && !memcmp(e.p, element.p, e.n))
            return true;
    return false;
}

static int read_version(const uint8_t *p, size_t n, int *ret)
{
    if (n == 8 && memcmp(p, "HTTP/1.1", 8) == 0) {
        *ret = 11;
        return 0;
    }
    if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || !is_digit(p[5]) || p[6] != '.' || !is_digit(p[7]))
        return BAD;
    if (p[5] != '1')
        return VERSION;
    *ret = p[7] == '0' ? 10 : 11; /* RFC 9110 2.5: a higher minor is read as our highest */
    return 0;
}

static int64_t request_line(const uint8_t *p, size_t at, size_t n, struct http1_head *ret)
{
    size_t i = at;
    if (n - at > 4 && memcmp(p + at, "GET ", 4) == 0)
        i += 3;
    else
        i += token_run_bytes(p + at, n - at);
    ret->method = (struct bytes){p + at, i - at};
    if (i == at || (i < n && p[i] != ' '))
        return BAD;
    size_t target = ++i;
    if (i < n)
        i += target_run(p + i, n - i);
    if (i >= n)
        return 0;
    ret->target = (struct bytes){p + target, i - target};
    if (i == target || p[i++] != ' ')
        return BAD;
    if (n - i < 10) /* "HTTP/1.1" CR LF: a whole line that is shorter is a breach */
        return memchr(p + i, '\n', n - i) ? BAD : 0;
    int64_t end = http1_line_end(p, i + 8, n);
    if (end < 0)
        return BAD;
    int r = read_version(p + i, 8, &ret->version);
    if (r == 0 && ret->method.n > METHOD_MAX)
        r = UNKNOWN;
    if (r == 0 && ret->target.n > HTTP1_TARGET_MAX)
        r = LONG_TARGET;
    if (r == 0)
        r = http1_take_target(ret);
    return r < 0 ? r : end;
}

static int64_t status_line(const uint8_t *p, size_t at, size_t n, struct http1_head *ret)
{
    size_t i = at + field_run(p + at, n - at);
    int64_t end = http1_line_end(p, i, n);
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
    if (ret->length >= 0) /* a second one, even of the same value: others take lists of them apart otherwise */
        return BAD;
    ret->length = n;
    return 0;
}

static int take_transfer_encoding(struct bytes v, struct seen *s)
{
    struct bytes e;
    while (http1_list_next(&v, &e)) {
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
    while (http1_list_next(&v, &e)) {
        if (SAME(e, "close"))
            ret->close = true;
        else if (SAME(e, "keep-alive"))
            ret->keep_alive = true;
        else if (SAME(e, "upgrade"))
            s->connection_upgrade = true;
    }
}

/* Of the expectations there is one that we know. */
static void take_expect(struct bytes v, struct http1_head *ret, struct seen *s)
{
    struct bytes e;
    while (http1_list_next(&v, &e)) {
        if (SAME(e, "100-continue"))
            ret->expect_continue = true;
        else if (e.n > 0)
            s->expects_more = true;
    }
}

/* The fields that frame the message or the connection. */
static int take_known(struct http1_field f, struct http1_head *ret, struct seen *s)
{
    struct bytes e, v = f.value;
    switch (f.name.n) {
    case 4:
        if (!s->request || !SAME(f.name, "host")) /* in a response it says nothing */
            return 0;
        if (s->hosts++ || !http1_host_ok(v, false))
            return BAD;
        if (!ret->host.p) /* an absolute target's wins: RFC 9112 3.2.2 */
            ret->host = v;
        return 0;
    case 6:
        if (SAME(f.name, "expect"))
            take_expect(v, ret, s);
        return 0;
    case 7:
        if (SAME(f.name, "upgrade"))
            while (http1_list_next(&v, &e))
                s->upgrade_ws |= SAME(e, "websocket");
        return 0;
    case 10:
        if (SAME(f.name, "connection"))
            take_connection(v, ret, s);
        return 0;
    case 14:
        return SAME(f.name, "content-length") && !s->tunnels ? take_length(v, ret) : 0;
    case 17:
        return SAME(f.name, "transfer-encoding") && !s->tunnels ? take_transfer_encoding(v, s) : 0;
    default:
        return 0;
    }
}

/* A response's line at p[at] that begins with a blank goes on with the last field (RFC 9112 5.2). One that frames the message or the
 * connection was taken as its line said, and others may read it otherwise. As http1_field_line. */
static int64_t folded_line(const uint8_t *p, size_t at, size_t n, struct http1_head *ret)
{
    if (ret->count == 0)
        return BAD;
    struct http1_field *f = &ret->fields[ret->count - 1];
    if (SAME(f->name, "content-length") || SAME(f->name, "transfer-encoding") || SAME(f->name, "connection") ||
        SAME(f->name, "upgrade"))
        return BAD;
    size_t end = at + field_run(p + at, n - at);
    f->value.n = (size_t)(p + end - f->value.p);
    ret->folded = true;
    return http1_line_end(p, end, n);
}

/* The lines from *at to the blank one; *at is left at the line that ended it. */
static int64_t field_lines(const uint8_t *p, size_t *at, size_t n, struct http1_head *ret, struct seen *s)
{
    for (;;) {
        if (*at < n && p[*at] == '\r')
            return http1_line_end(p, *at, n);
        struct http1_field f;
        int64_t end = http1_field_line(p, *at, n, &f);
        if (end < 0 && !s->request && (p[*at] == ' ' || p[*at] == '\t')) {
            end = folded_line(p, *at, n, ret);
            if (end <= 0)
                return end;
            *at = (size_t)end;
            continue;
        }
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
static int judge(struct http1_head *ret, const struct seen *s)
{
    if (s->request && ret->version == 11 && s->hosts != 1)
        return BAD;
    if (s->transfer_encodings) {
        if (ret->length >= 0 || ret->version == 10 || s->transfer_encodings > 1 || !s->last_is_chunked)
            return BAD;
        if (s->other_codings)
            return UNKNOWN;
        ret->chunked = true;
    }
    bool connect = s->request && ret->method.n == 7 && memcmp(ret->method.p, "CONNECT", 7) == 0;
    if (connect && (ret->chunked || ret->length > 0))
        return BAD; /* RFC 9110 9.3.6: it has no content. Others read what follows as the tunnel's first bytes */
    if (ret->version == 10) {
        ret->expect_continue = false; /* RFC 9110 10.1.1 */
        ret->close |= !ret->keep_alive;
    } else if (s->request && s->expects_more) {
        return EXPECTS;
    }
    ret->upgrade_ws = s->upgrade_ws && s->connection_upgrade && ret->version == 11;
    return 0;
}

/* The offset behind the empty lines in front of a head: RFC 9112 2.2 asks for one to be skipped. */
static size_t skip_lead(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < LEAD_MAX && n - i >= 2 && p[i] == '\r' && p[i + 1] == '\n')
        i += 2;
    return i;
}

/* The whole head: its length, 0, or a breach in the line at *at, which counts once that line is whole. */
static int64_t parse(enum kind kind, const uint8_t *p, size_t n, struct http1_head *ret, size_t *at)
{
    struct seen s = {.request = kind == REQUEST};
    size_t line_max = n < FIRST_LINE_MAX ? n : FIRST_LINE_MAX;
    memset(ret, 0, offsetof(struct http1_head, fields));
    ret->length = -1;
    int64_t r = (s.request ? request_line : status_line)(p, *at, line_max, ret);
    if (r <= 0)
        return r;
    s.tunnels = kind == TUNNEL_RESPONSE && ret->status / 100 == 2;
    *at = (size_t)r;
    r = field_lines(p, at, n, ret, &s);
    if (r <= 0)
        return r;
    int verdict = judge(ret, &s);
    return verdict < 0 ? verdict : r;
}

static int64_t head(enum kind kind, const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    n = n < HTTP1_HEAD_MAX ? n : HTTP1_HEAD_MAX;
    size_t was = *scanned < n ? *scanned : n;
    bool limit = n == HTTP1_HEAD_MAX || (was < FIRST_LINE_MAX && n >= FIRST_LINE_MAX);
    *scanned = n;
    if (!limit && (was == n || !memchr(p + was, '\n', n - was)))
        return 0;
    size_t lead = skip_lead(p, n), at = lead;
    int64_t r = parse(kind, p, n, ret, &at);
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
    return head(REQUEST, p, n, scanned, ret);
}

/* A client that waits for the line's end would wait for ever where something else than HTTP answers. */
static bool begins_as_response(const uint8_t *p, size_t n)
{
    static const char begin[] = "HTTP/";
    size_t lead = skip_lead(p, n), left = n - lead;
    bool half_line = lead < LEAD_MAX && left == 1 && p[lead] == '\r';
    return half_line || !memcmp(p + lead, begin, left < sizeof begin - 1 ? left : sizeof begin - 1);
}

static int64_t response(enum kind kind, const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    int64_t r = begins_as_response(p, n) ? head(kind, p, n, scanned, ret) : BAD;
    return r == TOO_LARGE ? BAD : r;
}

int64_t http1_response(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    return response(RESPONSE, p, n, scanned, ret);
}

int64_t http1_tunnel_response(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret)
{
    return response(TUNNEL_RESPONSE, p, n, scanned, ret);
}

static bool is_blank(uint8_t b)
{
    return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* A value without its folds, at the place where it was; its new length. */
static size_t unfold(uint8_t *v, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        size_t k = i;
        bool fold = false;
        while (k < n && is_blank(v[k]))
            fold |= v[k++] == '\n';
        if (fold) {
            v[to++] = ' ';
            i = k;
        } else {
            k += k == i;
            memmove(v + to, v + i, k - i);
            to += k - i;
            i = k;
        }
    }
    return to;
}

void http1_unfold(struct http1_head *h, uint8_t *p)
{
    for (size_t i = 0; h->folded && i < h->count; i++) {
        struct bytes *v = &h->fields[i].value;
        uint8_t *mine = p + (v->p - p);
        *v = trim(mine, unfold(mine, v->n));
    }
    h->folded = false;
}

struct bytes http1_get(const struct http1_head *h, const char *name)
{
    size_t i = 0;
    return http1_next(h, name, &i);
}

struct bytes http1_next(const struct http1_head *h, const char *name, size_t *i)
{
    size_t n = strlen(name);
    while (*i < h->count) {
        const struct http1_field *f = &h->fields[(*i)++];
        if (http1_same(f->name, name, n))
            return f->value;
    }
    return (struct bytes){NULL, 0};
}

struct bytes http1_only(const struct http1_head *h, const char *name)
{
    size_t i = 0;
    struct bytes v = http1_next(h, name, &i);
    return http1_next(h, name, &i).p ? (struct bytes){NULL, 0} : v;
}
