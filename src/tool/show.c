/* SPDX-License-Identifier: MIT
 * show.c - a terminal obeys none of what a peer sends (safe showing of <duplex/text.h>). */
#include "tool/show.h"
#include <string.h>

enum { TAIL_MAX = 4096 }; /* a longer rest of a line is shown as it is */

int show_init(struct show *s, const char *coding, dx_err *err)
{
    memset(s, 0, sizeof *s);
    s->decoder = dx_decoder_new(coding, DX_GUESS_LOCALE, err);
    return s->decoder ? 0 : err->code;
}

void show_free(struct show *s)
{
    dx_decoder_free(s->decoder);
    dx_text_free(&s->tail);
    dx_text_free(&s->utf8);
    dx_text_free(&s->out);
    memset(s, 0, sizeof *s);
}

/* Lines of UTF-8: CR LF becomes LF, whatever else could move the cursor becomes a picture. */
static int show_lines(struct show *s)
{
    const char *p = s->utf8.p, *end = p + s->utf8.n;
    if (s->exact)
        return dx_text_add(&s->out, p, s->utf8.n);
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl ? nl : end) - p);
        if (dx_visible(p, nl && n && p[n - 1] == '\r' ? n - 1 : n, NULL, &s->out) < 0)
            return DX_NOMEM;
        if (nl && dx_text_add(&s->out, "\n", 1) < 0)
            return DX_NOMEM;
        p += n + (nl != NULL);
    }
    return 0;
}

/* last: of a message, or of a line. Else the decoder keeps half a character for its other half. */
static int show_part(struct show *s, const void *data, size_t n, bool last)
{
    dx_text_clear(&s->utf8);
    if (!s->decoder && dx_text_add(&s->utf8, data, n) < 0)
        return DX_NOMEM;
    if (s->decoder && dx_decode(s->decoder, data, n, last, &s->utf8) < 0)
        return DX_NOMEM;
    return s->utf8.n ? show_lines(s) : 0;
}

/* Shows the first n bytes of the tail and keeps the others. */
static int show_tail(struct show *s, size_t n, bool last)
{
    int r = n || s->ended ? show_part(s, n ? s->tail.p : "", n, last) : 0;
    size_t rest = s->tail.n - n;
    if (rest)
        memmove(s->tail.p, s->tail.p + n, rest);
    s->tail.n = rest;
    return r;
}

int show_data(struct show *s, const void *data, size_t n, bool whole)
{
    dx_text_clear(&s->out);
    if (whole) {
        int r = n ? show_part(s, data, n, true) : 0;
        bool ended = s->out.n && s->out.p[s->out.n - 1] == '\n';
        return r < 0 || ended ? r : dx_text_add(&s->out, "\n", 1);
    }
    if (dx_text_add(&s->tail, data, n) < 0)
        return DX_NOMEM;
    const char *nl = s->tail.n ? memrchr(s->tail.p, '\n', s->tail.n) : NULL;
    size_t ready = nl ? (size_t)(nl + 1 - s->tail.p) : 0;
    return s->tail.n - ready > TAIL_MAX ? show_tail(s, s->tail.n, false) : show_tail(s, ready, true);
}

int show_rest(struct show *s)
{
    dx_text_clear(&s->out);
    return show_tail(s, s->tail.n, s->ended);
}
