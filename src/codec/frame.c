/* SPDX-License-Identifier: MIT
 * frame.c - where one message ends and the next begins, in a stream that does not say. */
#include "frame.h"
#include "base/err.h"
#include <duplex/text.h>
#include <assert.h>
#include <string.h>

enum {
    AUTO_GAP_MS = 60,
    AUTO_REST_MS = 500,
    AUTO_HOLD_MAX = 16384,
    GAP_MS_MAX = 3600 * 1000,
    MESSAGE_MAX_DEFAULT = 16 << 20,
};

/* ---- the spec ---- */

/* A number at *p, which moves past it. false: none there, or over max. */
static bool take_number(const char **p, uint64_t max, uint64_t *ret)
{
    const char *s = *p;
    uint64_t x = 0;
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (x > max / 10 || x * 10 > max - digit)
            return false;
        x = x * 10 + digit;
    }
    *p = s;
    *ret = x;
    return true;
}

static const char *parse_delim(const char *p, struct frame_spec *f)
{
    dx_text bytes = {0};
    const char *why = NULL;
    if (dx_unhex(p, strlen(p), &bytes, NULL) < 0)
        why = "after 'delim:' come bytes in hex, such as 0D0A";
    else if (bytes.n == 0 || bytes.n > sizeof f->delim)
        why = "a delimiter has 1 to 8 bytes";
    else
        memcpy(f->delim, bytes.p, bytes.n);
    f->delim_n = why ? 0 : (uint8_t)bytes.n;
    dx_text_free(&bytes);
    return why;
}

static const char *parse_gap(const char *p, struct frame_spec *f)
{
    uint64_t x;
    if (!take_number(&p, GAP_MS_MAX, &x) || x == 0)
        return "a gap is 1ms to 3600s";
    if (!strcmp(p, "s"))
        x *= 1000;
    else if (*p && strcmp(p, "ms") != 0)
        return "a gap is a number of ms or s, such as 20ms";
    if (x > GAP_MS_MAX)
        return "a gap is 1ms to 3600s";
    f->gap_ms = (int64_t)x;
    return NULL;
}

static const char *parse_fixed(const char *p, struct frame_spec *f)
{
    if (!take_number(&p, UINT32_MAX, &f->fixed) || f->fixed == 0 || *p)
        return "after 'fixed:' comes a number of bytes";
    return f->fixed > f->message_max ? "it is over the limit for one message" : NULL;
}

static const char *parse_adjust(const char *p, struct frame_spec *f)
{
    bool minus = *p == '-';
    uint64_t x;
    p += minus || *p == '+';
    if (!take_number(&p, INT32_MAX, &x) || *p)
        return "the last part is a number of bytes to add to the length";
    f->adjust = minus ? -(int64_t)x : (int64_t)x;
    return NULL;
}

static const char *parse_length(const char *p, struct frame_spec *f)
{
    uint64_t offset, size;
    if (!take_number(&p, 65535, &offset))
        return "the offset is 0 to 65535";
    if (*p++ != ',')
        return "after 'length:' come OFFSET,SIZE,be|le,ADJUST";
    if (!take_number(&p, 99, &size) || size == 0 || size > 8 || (size > 4 && size < 8))
        return "the size is 1, 2, 3, 4 or 8";
    f->offset = (uint32_t)offset;
    f->size = (uint8_t)size;
    f->big_endian = true;
    if (*p == '\0')
        return NULL;
    if (strncmp(p, ",be", 3) != 0 && strncmp(p, ",le", 3) != 0)
        return "after the size comes be or le";
    f->big_endian = p[1] == 'b';
    p += 3;
    if (*p == '\0')
        return NULL;
    return *p == ',' ? parse_adjust(p + 1, f) : "after be or le come ',' and a number";
}

static const char *parse_line(const char *p, struct frame_spec *f)
{
    static const char *const eols[] = {[EOL_NONE] = "none", [EOL_LF] = "lf", [EOL_CRLF] = "crlf"};
    for (uint8_t i = 0; i < sizeof eols / sizeof *eols; i++)
        if (!strcmp(p, eols[i])) {
            f->eol = i;
            f->eol_stays = true;
            return NULL;
        }
    return "after 'line:' comes what sending adds: lf, crlf or none";
}

static const char *parse_kind(const char *spec, struct frame_spec *f)
{
    static const struct {
        const char *name;
        enum frame_kind kind;
        const char *(*parse)(const char *p, struct frame_spec *f);
    } kinds[] = {
        {"none", FRAME_NONE, NULL},           {"line", FRAME_LINE, NULL},
        {"line:", FRAME_LINE, parse_line},    {"auto", FRAME_AUTO, NULL},
        {"delim:", FRAME_DELIM, parse_delim}, {"gap:", FRAME_GAP, parse_gap},
        {"fixed:", FRAME_FIXED, parse_fixed}, {"length:", FRAME_LENGTH, parse_length},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].name);
        if (kinds[i].parse ? strncmp(spec, kinds[i].name, n) != 0 : strcmp(spec, kinds[i].name) != 0)
            continue;
        f->kind = (uint8_t)kinds[i].kind;
        return kinds[i].parse ? kinds[i].parse(spec + n, f) : NULL;
    }
    return "it is one of none, line, delim:, gap:, fixed:, length:, auto";
}

int frame_spec_parse(const char *spec, uint64_t message_max, struct frame_spec *ret, dx_err *err)
{
    struct frame_spec f = {.message_max = message_max ? message_max : MESSAGE_MAX_DEFAULT};
    const char *why = parse_kind(spec, &f);
    if (why)
        return err_set(err, DX_URL, "frame '%.60s': %s", spec, why);
    *ret = f;
    return 0;
}

void frame_init(struct frame *f, const struct frame_spec *spec)
{
    /* A peer that has said nothing yet is most likely somebody at an nc. */
    bool lines = spec->kind == FRAME_LINE || spec->kind == FRAME_AUTO;
    *f = (struct frame){.spec = spec, .eol = spec->eol_stays ? spec->eol : lines ? EOL_LF : EOL_NONE};
}

/* ---- telnet (RFC 854, 855, 1143) ---- */

enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { T_UNKNOWN, T_FIRST, T_NEVER, T_DATA, T_IAC, T_WILL, T_WONT, T_DO, T_DONT, T_SB, T_SB_IAC };

/* Everything a peer offers or wants is refused; refusals need no answer, so two of us cannot loop. */
static void refuse(struct frame *f, uint8_t verb, uint8_t option)
{
    if (f->answer_n + 3u > sizeof f->answer)
        return; /* it waits for its answer, or not: nothing breaks */
    f->answer[f->answer_n++] = IAC;
    f->answer[f->answer_n++] = verb;
    f->answer[f->answer_n++] = option;
}

/* After IAC. false: c is data. */
static bool command(struct frame *f, uint8_t c)
{
    f->telnet = c == SB ? T_SB : c >= WILL && c <= DONT ? (uint8_t)(T_WILL + (c - WILL)) : T_DATA;
    return c != IAC && c >= SE;
}

/* One byte. true: it belongs to telnet; false: it is data. */
static bool telnet_byte(struct frame *f, uint8_t c)
{
    switch (f->telnet) {
    case T_DATA:
        if (c != IAC)
            return false;
        f->telnet = T_IAC;
        return true;
    case T_IAC:
        return command(f, c);
    case T_WILL:
    case T_DO:
        refuse(f, f->telnet == T_WILL ? DONT : WONT, c);
        f->telnet = T_DATA;
        return true;
    case T_SB:
        f->telnet = c == IAC ? T_SB_IAC : T_SB;
        return true;
    case T_SB_IAC:
        f->telnet = c == SE ? T_DATA : T_SB;
        return true;
    default: /* T_WONT, T_DONT */
        f->telnet = T_DATA;
        return true;
    }
}

/* Is this a telnet client at all? The first 0xFF says it: a command follows, or the bytes are left alone for good
 * (a JPEG begins with FF D8). Only an FF that ends its run is then gone, and nobody knows better. */
static size_t telnet_first(struct frame *f, const uint8_t *p, size_t n)
{
    bool pending = f->telnet == T_FIRST;
    const uint8_t *iac = pending ? NULL : memchr(p, IAC, n);
    if (!pending && !iac)
        return n;
    size_t after = pending ? 0 : (size_t)(iac + 1 - p);
    if (after == n) {
        f->telnet = T_FIRST;
        return n - 1;
    }
    if (p[after] < SE || p[after] == IAC) {
        f->telnet = T_NEVER;
        return n;
    }
    f->telnet = pending ? T_IAC : T_DATA;
    return pending ? 0 : after - 1;
}

size_t frame_arrive(struct frame *f, uint8_t *p, size_t n, int64_t now_ms)
{
    if (n == 0)
        return 0;
    f->last_ms = now_ms;
    if (f->spec->kind != FRAME_AUTO)
        return n;
    size_t kept = 0;
    if (f->telnet == T_UNKNOWN || f->telnet == T_FIRST) {
        kept = telnet_first(f, p, n);
        if (f->telnet < T_NEVER)
            return kept;
    }
    if (f->telnet == T_NEVER || (f->telnet == T_DATA && kept == 0 && !memchr(p, IAC, n)))
        return n;
    for (size_t i = kept; i < n; i++)
        if (!telnet_byte(f, p[i]))
            p[kept++] = p[i];
    return kept;
}

/* ---- messages ---- */

static int64_t whole(struct frame *f, const uint8_t *p, size_t n, struct bytes *ret)
{
    f->scanned = 0;
    *ret = (struct bytes){p, n};
    return (int64_t)n;
}

/* What is left when no end mark is there: BIG, wait, or at the end of all the last message. open_n: bytes of p that
 * are the message for certain. */
static int64_t rest(struct frame *f, const uint8_t *p, size_t n, size_t open_n, bool ends, struct bytes *ret)
{
    if (open_n > f->spec->message_max || (ends && n > f->spec->message_max))
        return DX_BIG;
    return ends && n > 0 ? whole(f, p, n, ret) : 0;
}

static int64_t next_line(struct frame *f, const uint8_t *p, size_t n, bool ends, struct bytes *ret)
{
    const uint8_t *lf = f->scanned < n ? memchr(p + f->scanned, '\n', n - f->scanned) : NULL;
    if (!lf) {
        f->scanned = n;
        return rest(f, p, n, n - (n > 0 && p[n - 1] == '\r'), ends, ret);
    }
    size_t len = (size_t)(lf - p), used = len + 1;
    bool cr = len > 0 && lf[-1] == '\r';
    if (len - cr > f->spec->message_max)
        return DX_BIG;
    if (!f->spec->eol_stays)
        f->eol = cr ? EOL_CRLF : EOL_LF;
    whole(f, p, len - cr, ret);
    return (int64_t)used;
}

static int64_t next_delim(struct frame *f, const uint8_t *p, size_t n, bool ends, struct bytes *ret)
{
    const struct frame_spec *s = f->spec;
    size_t from = f->scanned >= s->delim_n ? f->scanned - s->delim_n + 1 : 0;
    const uint8_t *end = from < n ? memmem(p + from, n - from, s->delim, s->delim_n) : NULL;
    if (!end) {
        f->scanned = n;
        return rest(f, p, n, n >= s->delim_n ? n - s->delim_n + 1 : 0, ends, ret);
    }
    size_t len = (size_t)(end - p);
    if (len > s->message_max)
        return DX_BIG;
    whole(f, p, len, ret);
    return (int64_t)(len + s->delim_n);
}

static uint64_t length_field(const struct frame_spec *s, const uint8_t *p)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < s->size; i++)
        x = x << 8 | p[s->offset + (s->big_endian ? i : s->size - 1u - i)];
    return x;
}

static int64_t next_length(struct frame *f, const uint8_t *p, size_t n, bool last, struct bytes *ret)
{
    const struct frame_spec *s = f->spec;
    uint64_t head = (uint64_t)s->offset + s->size;
    if (n == 0)
        return 0;
    if (head > s->message_max)
        return DX_BIG;
    if (n < head)
        return last ? DX_TRUNCATED : 0;
    uint64_t value = length_field(s, p);
    if (value > INT64_MAX / 2)
        return DX_BIG;
    int64_t body = (int64_t)value + s->adjust;
    if (body < 0)
        return DX_PROTO;
    if ((uint64_t)body > s->message_max - head)
        return DX_BIG;
    if (n - head < (uint64_t)body)
        return last ? DX_TRUNCATED : 0;
    return whole(f, p, (size_t)(head + (uint64_t)body), ret);
}

static int64_t next_fixed(struct frame *f, const uint8_t *p, size_t n, bool last, struct bytes *ret)
{
    if (n >= f->spec->fixed)
        return whole(f, p, (size_t)f->spec->fixed, ret);
    return last && n > 0 ? DX_TRUNCATED : 0;
}

static bool is_silent(const struct frame *f, size_t n, int64_t now_ms)
{
    int64_t due = frame_due(f, n);
    return due >= 0 && now_ms >= due;
}

/* A peer that streams lines without a pause is found out by the hold: it would run into the limit otherwise. */
static int64_t next_auto(struct frame *f, const uint8_t *p, size_t n, int64_t now_ms, bool last, struct bytes *ret)
{
    bool ends = last || is_silent(f, n, now_ms);
    if (!f->lines && n > 0 && ends && p[n - 1] == '\n')
        f->lines = true;
    if (!f->lines && n > AUTO_HOLD_MAX) {
        f->lines = memchr(p + f->scanned, '\n', n - f->scanned) != NULL;
        f->scanned = f->lines ? f->scanned : n;
    }
    if (f->lines)
        return next_line(f, p, n, ends, ret);
    int64_t used = rest(f, p, n, n, ends, ret);
    if (used > 0)
        f->eol = EOL_NONE;
    return used;
}

int64_t frame_next(struct frame *f, const uint8_t *p, size_t n, int64_t now_ms, bool last, struct bytes *ret)
{
    assert(f->scanned <= n && "frame_next sees all that was not taken");
    switch (f->spec->kind) {
    case FRAME_LINE:
        return next_line(f, p, n, last, ret);
    case FRAME_DELIM:
        return next_delim(f, p, n, last, ret);
    case FRAME_GAP:
        return rest(f, p, n, n, last || is_silent(f, n, now_ms), ret);
    case FRAME_FIXED:
        return next_fixed(f, p, n, last, ret);
    case FRAME_LENGTH:
        return next_length(f, p, n, last, ret);
    case FRAME_AUTO:
        return next_auto(f, p, n, now_ms, last, ret);
    default:
        return n > 0 ? whole(f, p, n, ret) : 0;
    }
}

int64_t frame_due(const struct frame *f, size_t n)
{
    if (n == 0)
        return -1;
    if (f->spec->kind == FRAME_GAP)
        return f->last_ms + f->spec->gap_ms;
    if (f->spec->kind == FRAME_AUTO)
        return f->last_ms + (f->lines ? AUTO_REST_MS : AUTO_GAP_MS);
    return -1;
}

struct bytes frame_tail(const struct frame *f)
{
    static const uint8_t crlf[] = "\r\n";
    if (f->spec->kind == FRAME_DELIM)
        return (struct bytes){f->spec->delim, f->spec->delim_n};
    if (f->eol == EOL_CRLF)
        return (struct bytes){crlf, 2};
    return (struct bytes){crlf + 1, f->eol == EOL_LF};
}
