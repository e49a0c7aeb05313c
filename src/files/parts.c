/* SPDX-License-Identifier: MIT
 * parts.c - several ranges of a file in one answer: multipart/byteranges (RFC 9110 14.6). Of a file in memory it is made at once; of
 * another it is a stream, for together they may be as long as the file. */
#include "files/inside.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { PART_MAX = 320 };

struct parts {
    struct files_talk t; /* first */
    int fd, count, at;
    int64_t given, size; /* given: of part `at` */
    struct range ranges[RANGES_MAX];
    char type[128];
};

/* Made when it is first needed, so that nobody can put it into a file beforehand. */
static const char *boundary(void)
{
    static char text[40];
    uint64_t random[2];
    if (!*text && getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random))
        snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    return *text ? text : "duplex";
}

static int write_head(char ret[PART_MAX], const char *type, const struct range *r, int64_t size)
{
    return snprintf(ret, PART_MAX,
                    "\r\n--%s\r\nContent-Type: %.100s\r\nContent-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64
                    "\r\n\r\n",
                    boundary(), type, r->first, r->first + r->n - 1, size);
}

static int write_end(char ret[PART_MAX])
{
    return snprintf(ret, PART_MAX, "\r\n--%s--\r\n", boundary());
}

static int64_t length_of(const struct body *b, const struct range *r, int count)
{
    char text[PART_MAX];
    int64_t n = write_end(text);
    for (int i = 0; i < count; i++)
        n += write_head(text, b->type, &r[i], b->size) + r[i].n;
    return n;
}

static void give_at_once(dx_conn *c, const struct body *b, const struct range *r, int count, const char *type,
                         const dx_http_field *fields, size_t field_count)
{
    dx_text t = {0};
    char text[PART_MAX];
    int bad = 0;
    for (int i = 0; i < count; i++) {
        bad |= dx_text_add(&t, text, (size_t)write_head(text, b->type, &r[i], b->size));
        bad |= dx_text_add(&t, b->p + r[i].first, (size_t)r[i].n);
    }
    bad |= dx_text_add(&t, text, (size_t)write_end(text));
    if (bad < 0)
        answer_status(c, 503, "no memory");
    else
        answer_whole(c, 206, type, t.p, t.n, fields, field_count);
    dx_text_free(&t);
}

static int step(struct files_talk *t, dx_text *out)
{
    struct parts *x = (struct parts *)t;
    char text[PART_MAX], buf[STEP_BYTES];
    const struct range *r = &x->ranges[x->at];
    if (x->at == x->count)
        return dx_text_add(out, text, (size_t)write_end(text)) < 0 ? -1 : 0;
    if (!x->given && dx_text_add(out, text, (size_t)write_head(text, x->type, r, x->size)) < 0)
        return -1;
    int64_t left = r->n - x->given;
    ssize_t n = pread(x->fd, buf, left < STEP_BYTES ? (size_t)left : STEP_BYTES, r->first + x->given);
    if (n <= 0 || dx_text_add(out, buf, (size_t)n) < 0) /* it shrank, or the disk fails */
        return -1;
    x->given += n;
    if (x->given == r->n) {
        x->at++;
        x->given = 0;
    }
    return 1;
}

static void let_go(struct files_talk *t)
{
    close(((struct parts *)t)->fd);
}

struct files_talk *answer_parts(struct files *f, dx_conn *c, const struct body *b, const struct range *r, int count,
                                struct head *h)
{
    char type[80];
    snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary());
    if (b->p) {
        give_at_once(c, b, r, count, type, h->fields, h->count);
        return NULL;
    }
    struct parts *x = calloc(1, sizeof(*x));
    int mine = x ? fcntl(b->fd, F_DUPFD_CLOEXEC, 0) : -1;
    head_field(h, "Content-Type", type);
    if (mine < 0 || dx_http_head(c, 206, length_of(b, r, count), h->fields, h->count) < 0) {
        if (mine >= 0)
            close(mine);
        free(x);
        answer_status(c, 503, "no memory, or too much is open here");
        return NULL;
    }
    *x = (struct parts){
        .t = {.files = f, .c = c, .step = step, .free = let_go}, .fd = mine, .count = count, .size = b->size};
    memcpy(x->ranges, r, (size_t)count * sizeof(*r));
    snprintf(x->type, sizeof(x->type), "%s", b->type);
    files_more(&x->t);
    return &x->t;
}
