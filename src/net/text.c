/* SPDX-License-Identifier: MIT
 * text.c - the codings of <duplex/text.h>: UTF-8 by our own hand, the rest by the system's tables, and "auto", which
 * chooses between UTF-8 and GB18030 by codec/latch.h. */
#include <duplex/text.h>
#include "base/err.h"
#include "base/utf8.h"
#include "codec/latch.h"
#include "os/charset.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HELD_MAX = 16, NAME_SIZE = 32, STEP_BYTES = 2048 }; /* the longest character or escape has under 8 bytes */

struct dx_decoder {
    struct charset *charset; /* NULL: UTF-8. Under auto: GB18030, once it was needed */
    struct latch_state latch;
    bool is_auto, guess_gb;
    uint8_t unit;   /* bytes of the smallest step of the coding                       */
    uint8_t held_n; /* the beginning of a character whose rest has not come           */
    uint8_t held[HELD_MAX];
    char name[NAME_SIZE];
};

static bool is_utf8_name(const char *s)
{
    return !strcasecmp(s, "utf-8") || !strcasecmp(s, "utf8");
}

static bool is_gb2312_name(const char *s)
{
    return !strcasecmp(s, "gb2312") || !strcasecmp(s, "euc-cn");
}

static uint8_t unit_of(const char *s)
{
    static const struct {
        const char *name;
        uint8_t unit;
    } wide[] = {{"utf-16", 2}, {"utf16", 2}, {"ucs-2", 2}, {"ucs2", 2},
                {"utf-32", 4}, {"utf32", 4}, {"ucs-4", 4}, {"ucs4", 4}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strncasecmp(s, wide[i].name, strlen(wide[i].name)))
            return wide[i].unit;
    return 1;
}

/* What calls itself GB2312 or GBK on the wire is often a little more, and GB18030 reads all of it. The system's own
 * table of GB2312 has another dash and another middle dot besides. */
static const char *table_for_reading(const char *coding)
{
    return is_gb2312_name(coding) || !strcasecmp(coding, "gbk") || !strcasecmp(coding, "cp936") ? "gb18030" : coding;
}

dx_decoder *dx_decoder_new(const char *coding, enum dx_guess guess, dx_err *err)
{
    struct charset *charset = NULL;
    bool is_auto = !strcasecmp(coding, "auto");
    if (!is_auto && !is_utf8_name(coding)) {
        charset = strlen(coding) < NAME_SIZE ? charset_new("utf-8", table_for_reading(coding)) : NULL;
        if (!charset) {
            err_set(err, errno == ENOMEM ? DX_NOMEM : DX_URL, "coding '%.60s': there is none of that name here",
                    coding);
            return NULL;
        }
    }
    dx_decoder *d = calloc(1, sizeof *d);
    if (!d) {
        charset_free(charset);
        err_set(err, DX_NOMEM, "coding '%s': out of memory", coding);
        return NULL;
    }
    d->charset = charset;
    d->is_auto = is_auto;
    d->guess_gb = guess == DX_GUESS_GB || (guess == DX_GUESS_LOCALE && charset_locale_is_zh());
    d->unit = unit_of(coding);
    for (size_t i = 0; coding[i]; i++)
        d->name[i] = (char)(coding[i] >= 'A' && coding[i] <= 'Z' ? coding[i] + 32 : coding[i]);
    return d;
}

void dx_decoder_free(dx_decoder *d)
{
    if (!d)
        return;
    charset_free(d->charset);
    free(d);
}

/* ---- reading ---- */

static int add_bad(const uint8_t *p, size_t n, dx_text *out)
{
    char mark[8];
    for (size_t i = 0; i < n; i++)
        if (dx_text_add(out, mark, (size_t)snprintf(mark, sizeof mark, "<%02X>", p[i])) < 0)
            return DX_NOMEM;
    return 0;
}

/* charset_run for UTF-8, and with the same words. */
static enum charset_end run_utf8(const uint8_t **in, size_t *in_n, uint8_t **out, size_t *out_n)
{
    while (*in_n > 0) {
        uint32_t cp, state = 0;
        size_t k = utf8_next(*in, *in_n, &cp);
        if (k == 0)
            return *in_n < 4 && utf8_check(&state, *in, *in_n) ? CHARSET_CUT : CHARSET_BAD;
        if (k > *out_n)
            return CHARSET_FULL;
        memcpy(*out, *in, k);
        *in += k, *in_n -= k, *out += k, *out_n -= k;
    }
    return CHARSET_DONE;
}

/* Reads p[0..n) as far as whole characters go. Returns the count of bad bytes, or < 0; *ret_used. */
static int read_some(dx_decoder *d, struct charset *charset, const uint8_t *p, size_t n, dx_text *out, size_t *ret_used)
{
    const uint8_t *in = p;
    int bad = 0;
    for (;;) {
        uint8_t room[STEP_BYTES], *to = room;
        size_t room_n = sizeof room;
        enum charset_end end = charset ? charset_run(charset, &in, &n, &to, &room_n) : run_utf8(&in, &n, &to, &room_n);
        if (dx_text_add(out, room, sizeof room - room_n) < 0)
            return DX_NOMEM;
        *ret_used = (size_t)(in - p);
        if (end == CHARSET_DONE || (end == CHARSET_CUT && n < HELD_MAX / 2))
            return bad;
        if (end == CHARSET_FULL)
            continue;
        size_t k = n < d->unit ? n : d->unit;
        if (add_bad(in, k, out) < 0)
            return DX_NOMEM;
        in += k, n -= k, bad += (int)k;
    }
}

/* Joins what is held with the beginning of in. Returns as read_some; *ret_used is of in alone. */
static int read_held(dx_decoder *d, struct charset *charset, const uint8_t *in, size_t n, dx_text *out,
                     size_t *ret_used)
{
    size_t old = d->held_n, more = n < HELD_MAX - old ? n : HELD_MAX - old, used = 0;
    memcpy(d->held + old, in, more);
    int bad = read_some(d, charset, d->held, old + more, out, &used);
    if (bad < 0)
        return bad;
    if (used >= old) {
        d->held_n = 0;
        *ret_used = used - old;
    } else {
        memmove(d->held, d->held + used, old + more - used);
        d->held_n = (uint8_t)(old + more - used);
        *ret_used = more;
    }
    return bad;
}

static int read_last(dx_decoder *d, struct charset *charset, dx_text *out)
{
    uint8_t room[32];
    int bad = d->held_n;
    if (add_bad(d->held, d->held_n, out) < 0)
        return DX_NOMEM;
    d->held_n = 0;
    if (charset && dx_text_add(out, room, charset_reset(charset, room, sizeof room)) < 0)
        return DX_NOMEM;
    return bad;
}

static int read_all(dx_decoder *d, struct charset *charset, const uint8_t *in, size_t n, bool last, dx_text *out)
{
    int bad = 0, r;
    size_t used = 0;
    if (!charset && d->held_n == 0 && dx_is_utf8(in, n))
        return dx_text_add(out, in, n);
    if (d->held_n > 0 && n > 0) {
        if ((r = read_held(d, charset, in, n, out, &used)) < 0)
            return r;
        bad += r, in += used, n -= used;
    }
    if (n > 0) {
        if ((r = read_some(d, charset, in, n, out, &used)) < 0)
            return r;
        bad += r, in += used, n -= used;
        memcpy(d->held, in, n);
        d->held_n = (uint8_t)n;
    }
    if (!last)
        return bad;
    return (r = read_last(d, charset, out)) < 0 ? r : bad + r;
}

/* The tables of the reading that auto chooses; without them in the system it stays with UTF-8 and shows the bytes. */
static struct charset *choose(dx_decoder *d, const uint8_t *p, size_t n)
{
    if (latch_message(&d->latch, p, n, d->guess_gb) != LATCH_GB)
        return NULL;
    if (!d->charset)
        d->charset = charset_new("utf-8", "gb18030");
    return d->charset;
}

/* Bytes at the end that may be the beginning of a UTF-8 character. */
static size_t utf8_tail(const uint8_t *p, size_t n)
{
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        uint32_t state = 0;
        if (p[n - k] >= 0xC0)
            return utf8_check(&state, p + n - k, k) && state != 0 ? k : 0;
    }
    return 0;
}

/* While nothing is latched and more will come, a cut character takes no part: half of a UTF-8 one may look like GB. */
static int decode_joined(dx_decoder *d, const uint8_t *p, size_t n, bool last, dx_text *out)
{
    size_t tail = last || d->latch.latched ? 0 : utf8_tail(p, n);
    struct charset *charset = choose(d, p, n - tail);
    if (d->latch.latched)
        tail = 0;
    int r = read_all(d, charset, p, n - tail, last, out);
    if (r >= 0 && tail > 0) {
        memcpy(d->held + d->held_n, p + n - tail, tail);
        d->held_n = (uint8_t)(d->held_n + tail);
    }
    return r;
}

static int decode_auto(dx_decoder *d, const uint8_t *in, size_t n, bool last, dx_text *out)
{
    dx_text joined = {0};
    if (d->held_n == 0)
        return decode_joined(d, in, n, last, out);
    int r = dx_text_add(&joined, d->held, d->held_n);
    if (r == 0 && (r = dx_text_add(&joined, in, n)) == 0) {
        d->held_n = 0;
        r = decode_joined(d, (const uint8_t *)joined.p, joined.n, last, out);
    }
    dx_text_free(&joined);
    return r;
}

int dx_decode(dx_decoder *d, const void *in, size_t n, bool last, dx_text *out)
{
    return d->is_auto ? decode_auto(d, in, n, last, out) : read_all(d, d->charset, in, n, last, out);
}

const char *dx_decoder_coding(const dx_decoder *d)
{
    if (!d->is_auto)
        return d->name;
    return d->latch.last == LATCH_GB ? "gb18030" : "utf-8";
}

bool dx_decoder_guessed(const dx_decoder *d)
{
    return d->latch.guessed;
}

const char *dx_decoder_reply_coding(const dx_decoder *d)
{
    if (!d->is_auto)
        return d->name;
    return (d->latch.latched ? d->latch.latched : d->latch.last) == LATCH_GB ? "gbk" : "utf-8";
}

/* ---- writing ---- */

static int write_run(struct charset *c, const uint8_t *in, size_t n, dx_text *out, size_t *ret_used)
{
    const uint8_t *from = in;
    enum charset_end end;
    do {
        uint8_t room[STEP_BYTES], *to = room;
        size_t room_n = sizeof room;
        end = charset_run(c, &from, &n, &to, &room_n);
        if (dx_text_add(out, room, sizeof room - room_n) < 0)
            return DX_NOMEM;
    } while (end == CHARSET_FULL);
    *ret_used = (size_t)(from - in);
    return 0;
}

/* GBK without what GB2312 lacks: both bytes high, rows 1-9 and 16-87. */
static bool fits_gb2312(const dx_text *out, size_t from)
{
    const uint8_t *p = (const uint8_t *)out->p + from;
    size_t n = out->n - from;
    return n < 2 || (n == 2 && p[1] >= 0xA1 && ((p[0] >= 0xA1 && p[0] <= 0xA9) || (p[0] >= 0xB0 && p[0] <= 0xF7)));
}

/* A stand-in for the character or byte at in that cannot be sent; returns the bytes of in it stands for. */
static int write_missing(struct charset *c, const uint8_t *in, size_t n, dx_text *out, size_t *ret_used)
{
    char mark[16];
    uint32_t cp = 0;
    size_t k = utf8_next(in, n, &cp), used;
    int mark_n =
        k ? snprintf(mark, sizeof mark, "[U+%04X]", (unsigned)cp) : snprintf(mark, sizeof mark, "<%02X>", in[0]);
    *ret_used = k ? k : 1;
    return write_run(c, (const uint8_t *)mark, (size_t)mark_n, out, &used);
}

static int write_all(struct charset *c, const uint8_t *in, size_t n, bool gb2312, dx_text *out)
{
    int missing = 0;
    while (n > 0) {
        uint32_t cp;
        size_t used = 0, before = out->n, one = gb2312 ? utf8_next(in, n, &cp) : n;
        if (one && write_run(c, in, one, out, &used) < 0)
            return DX_NOMEM;
        if (gb2312 && used && !fits_gb2312(out, before)) {
            out->n = before;
            used = 0;
        }
        in += used, n -= used;
        if (n > 0 && (used == 0 || !gb2312)) { /* a whole run stops only at what the coding lacks */
            if (write_missing(c, in, n, out, &used) < 0)
                return DX_NOMEM;
            in += used, n -= used, missing++;
        }
    }
    uint8_t room[32];
    return dx_text_add(out, room, charset_reset(c, room, sizeof room)) < 0 ? DX_NOMEM : missing;
}

/* UTF-8 as it is, but for bytes that are none. */
static int write_utf8(const uint8_t *in, size_t n, dx_text *out)
{
    int missing = 0;
    if (dx_is_utf8(in, n))
        return dx_text_add(out, in, n);
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t k = utf8_next(in + i, n - i, &cp);
        if ((k ? dx_text_add(out, in + i, k) : add_bad(in + i, 1, out)) < 0)
            return DX_NOMEM;
        missing += k == 0;
        i += k ? k : 1;
    }
    return missing;
}

int dx_encode(const char *coding, const char *utf8, size_t n, dx_text *out)
{
    if (is_utf8_name(coding) || !strcasecmp(coding, "auto"))
        return write_utf8((const uint8_t *)utf8, n, out);
    bool gb2312 = is_gb2312_name(coding);
    struct charset *c = charset_new(gb2312 ? "gbk" : coding, "utf-8");
    if (!c)
        return errno == ENOMEM ? DX_NOMEM : DX_URL;
    int r = write_all(c, (const uint8_t *)utf8, n, gb2312, out);
    charset_free(c);
    return r;
}
