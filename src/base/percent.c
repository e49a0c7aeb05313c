/* SPDX-License-Identifier: MIT
 * percent.c - RFC 3986: percent-encoding, paths in one spelling, and the fields of a query. */
#include "base/percent.h"
#include <duplex/text.h>
#include <stdlib.h>
#include <string.h>

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The byte that stands encoded at p, or -1. */
static int encoded(const uint8_t *p, size_t n)
{
    int high = n >= 3 && *p == '%' ? digit(p[1]) : -1, low = high >= 0 ? digit(p[2]) : -1;
    return low < 0 ? -1 : high << 4 | low;
}

int dx_percent_decode(const char *in, size_t n, bool plus, dx_text *out)
{
    const uint8_t *p = (const uint8_t *)in;
    size_t was = out->n;
    int r = dx_text_add(out, in, n); /* what comes out is never longer: it is decoded where it lies */
    if (r < 0)
        return r;
    char *at = out->p + was;
    for (size_t i = 0; i < n; i++) {
        int b = p[i] != '%' ? p[i] == '+' && plus ? ' ' : p[i] : encoded(p + i, n - i);
        if (b < 0) {
            out->n = was;
            out->p[was] = 0;
            return DX_URL;
        }
        i += p[i] == '%' ? 2 : 0;
        *at++ = (char)b;
    }
    out->n = (size_t)(at - out->p);
    *at = 0;
    return 0;
}

static bool is_plain(uint8_t c, const char *keep)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("-._~", c)) ||
           (c && strchr(keep, c));
}

int dx_percent_encode(const char *in, size_t n, const char *keep, dx_text *out)
{
    static const char hex[] = "0123456789ABCDEF";
    int r = dx_text_add(out, "", 0);
    for (size_t i = 0; i < n && r == 0; i++) {
        uint8_t c = (uint8_t)in[i];
        char three[3] = {'%', hex[c >> 4], hex[c & 15]};
        r = is_plain(c, keep) ? dx_text_add(out, in + i, 1) : dx_text_add(out, three, 3);
    }
    return r;
}

/* ---- paths ---- */

bool path_is_clean(struct bytes path)
{
    if (!path.n || path.p[0] != '/' || memchr(path.p, '%', path.n))
        return false;
    for (size_t i = 1; i < path.n; i++)
        if (path.p[i - 1] == '/' && (path.p[i] == '/' || path.p[i] == '.'))
            return false;
    return true;
}

/* One segment, decoded behind out; its length. */
static size_t clean_segment(const uint8_t *p, size_t n, uint8_t *out)
{
    uint8_t *at = out;
    for (size_t i = 0; i < n; i++) {
        int b = p[i] == '%' ? encoded(p + i, n - i) : p[i];
        if (b == '/' || b == '%' || b == 0 || b < 0) {
            const char *keep = b == '/' ? "%2F" : b == 0 ? "%00" : "%25";
            memcpy(at, keep, 3);
            at += 3;
        } else {
            *at++ = (uint8_t)b;
        }
        i += p[i] == '%' && b >= 0 ? 2 : 0;
    }
    return (size_t)(at - out);
}

/* The end of what is left when the last segment goes: behind the '/' in front of it. */
static size_t parent(const uint8_t *out, size_t n)
{
    if (n > 1)
        n--;
    while (n > 1 && out[n - 1] != '/')
        n--;
    return n;
}

/* out[0..at) always ends in '/' between two segments. */
size_t path_clean(struct bytes path, uint8_t *out)
{
    size_t at = 1;
    out[0] = '/';
    for (size_t i = 0; i < path.n;) {
        if (path.p[i] == '/') {
            i++;
            continue;
        }
        const uint8_t *p = path.p + i, *slash = memchr(p, '/', path.n - i);
        size_t n = slash ? (size_t)(slash - p) : path.n - i, k = clean_segment(p, n, out + at);
        i += n;
        if (k == 2 && !memcmp(out + at, "..", 2))
            at = parent(out, at);
        else if (k != 1 || out[at] != '.') {
            at += k;
            if (slash)
                out[at++] = '/';
        }
    }
    return at;
}

int dx_path_clean(const char *path, size_t n, dx_text *out)
{
    uint8_t *room = n < SIZE_MAX / 4 ? malloc(3 * n + 1) : NULL;
    if (!room)
        return DX_NOMEM;
    int r = dx_text_add(out, room, path_clean((struct bytes){(const uint8_t *)path, n}, room));
    free(room);
    return r;
}

/* ---- forms ---- */

/* Cuts the first field off form; false: none left. Empty ones ("a=1&&b=2") are none. */
static bool next_field(struct bytes *form, struct bytes *name, struct bytes *value)
{
    while (form->n && *form->p == '&') {
        form->p++;
        form->n--;
    }
    if (!form->n)
        return false;
    const uint8_t *end = memchr(form->p, '&', form->n);
    size_t n = end ? (size_t)(end - form->p) : form->n;
    const uint8_t *is = memchr(form->p, '=', n);
    *name = (struct bytes){form->p, is ? (size_t)(is - form->p) : n};
    *value = is ? (struct bytes){is + 1, n - name->n - 1} : (struct bytes){form->p + n, 0};
    *form = (struct bytes){form->p + n, form->n - n};
    return true;
}

static int decode(struct bytes b, dx_text *out)
{
    return dx_percent_decode((const char *)b.p, b.n, true, out);
}

int dx_form_get(const char *form, size_t n, const char *name, size_t nth, dx_text *out)
{
    struct bytes left = {(const uint8_t *)form, form ? n : 0}, k, v;
    dx_text t = {0};
    size_t want = strlen(name);
    int found = 0;
    while (!found && next_field(&left, &k, &v)) {
        dx_text_clear(&t);
        int r = decode(k, &t);
        if (r == DX_NOMEM)
            found = r;
        else if (r == 0 && t.n == want && !memcmp(t.p ? t.p : "", name, want) && nth-- == 0)
            found = 1;
    }
    dx_text_free(&t);
    if (found == 1) {
        int r = decode(v, out);
        return r < 0 ? r : 1;
    }
    return found;
}

int dx_form_at(const char *form, size_t n, size_t i, dx_text *name, dx_text *value)
{
    struct bytes left = {(const uint8_t *)form, form ? n : 0}, k, v;
    dx_text_clear(name);
    dx_text_clear(value);
    while (next_field(&left, &k, &v))
        if (i-- == 0) {
            int r = decode(k, name);
            r = r < 0 ? r : decode(v, value);
            return r < 0 ? r : 1;
        }
    return 0;
}
