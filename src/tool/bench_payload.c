/* SPDX-License-Identifier: MIT
 * bench_payload.c - see bench_payload.h. */
#include "tool/bench_payload.h"
#include <duplex/text.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 256 << 10, RING_MESSAGES = 1024 };

static const char digits[] = "0123456789ABCDEF";

void bench_number_write(uint8_t at[BENCH_NUMBER_BYTES], uint32_t number)
{
    for (int i = BENCH_NUMBER_BYTES; i-- > 0; number >>= 4)
        at[i] = (uint8_t)digits[number & 15];
}

bool bench_number_read(const uint8_t at[BENCH_NUMBER_BYTES], uint32_t *ret_number)
{
    uint32_t number = 0;
    for (int i = 0; i < BENCH_NUMBER_BYTES; i++) {
        const char *d = at[i] ? strchr(digits, at[i]) : NULL;
        if (!d)
            return false;
        number = number << 4 | (uint32_t)(d - digits);
    }
    *ret_number = number;
    return true;
}

static void to_upper(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (uint8_t)(p[i] - 'a' + 'A');
}

static int make_replies(struct bench_payload *p, bool upper)
{
    p->in = malloc(p->one * p->count);
    if (!p->in)
        return DX_NOMEM;
    memcpy(p->in, p->out, p->one * p->count);
    if (upper)
        to_upper(p->in, p->one * p->count);
    return 0;
}

/* Its number first where it has room, so that a hex dump says which one it was. */
static void write_message(uint8_t *at, size_t n, uint32_t number, bool line_end)
{
    uint32_t x = number * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        at[i] = (uint8_t)('a' + (x >> 16) % 26);
    }
    if (n >= BENCH_NUMBER_BYTES * 2)
        bench_number_write(at, number);
    if (line_end && n > 1)
        at[n - 1] = '\n';
}

int bench_payload_make(struct bench_payload *p, size_t bytes, bool numbered, bool line_end, bool upper)
{
    size_t count = RING_MESSAGES;
    while (count > 2 && count * bytes > RING_BYTES)
        count /= 2;
    *p = (struct bench_payload){.one = bytes, .count = count, .numbered = numbered, .how = DX_TEXT};
    p->out = malloc(bytes * count);
    if (!p->out)
        return DX_NOMEM;
    for (size_t i = 0; i < count; i++)
        write_message(p->out + i * bytes, bytes, (uint32_t)i, line_end);
    return make_replies(p, upper);
}

static int fail(dx_err *err, int code, int detail, const char *words, const char *what)
{
    *err = (dx_err){.code = code, .detail = detail, .detail_of = detail ? DX_OF_ERRNO : DX_OF_NOTHING};
    snprintf(err->text, sizeof err->text, "--message %s%.160s", words, what);
    return code;
}

static int read_file(const char *path, dx_text *t, dx_err *err)
{
    char buf[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    int r = f ? 0 : fail(err, DX_SYS, errno, "cannot open ", path);
    while (f && !r && (n = fread(buf, 1, sizeof buf, f)) > 0)
        if (t->n + n > BENCH_PAYLOAD_MAX || dx_text_add(t, buf, n) < 0)
            r = fail(err, DX_BIG, 0, "is too large: ", path);
    if (f && !r && ferror(f))
        r = fail(err, DX_SYS, errno ? errno : EIO, "cannot read ", path);
    if (f)
        fclose(f);
    return r;
}

static int read_said(const char *said, dx_text *t, dx_err *err)
{
    size_t at;
    if (*said == '@')
        return read_file(said + 1, t, err);
    if (strncmp(said, "hex:", 4))
        return dx_text_add(t, said, strlen(said)) < 0 ? fail(err, DX_NOMEM, 0, "is too large: ", said) : 0;
    if (dx_unhex(said + 4, strlen(said + 4), t, &at) < 0)
        return fail(err, DX_URL, 0, "is no hex from here on: ", said + 4 + at);
    return 0;
}

int bench_payload_read(struct bench_payload *p, const char *said, bool upper, dx_err *err)
{
    dx_text t = {0};
    int r = read_said(said, &t, err);
    if (!r && !t.n)
        r = fail(err, DX_URL, 0, "is empty: ", said);
    *p = (struct bench_payload){0};
    if (r < 0) {
        dx_text_free(&t);
        return r;
    }
    *p = (struct bench_payload){.out = (uint8_t *)t.p, .one = t.n, .count = 1};
    p->how = dx_is_utf8(t.p, t.n) ? DX_TEXT : DX_BINARY;
    return make_replies(p, upper) < 0 ? fail(err, DX_NOMEM, 0, "is too large: ", said) : 0;
}

void bench_payload_free(struct bench_payload *p)
{
    free(p->out);
    free(p->in);
    *p = (struct bench_payload){0};
}
