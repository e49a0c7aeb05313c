/* SPDX-License-Identifier: MIT
 * squeeze.c - a file compressed while it is sent. */
#include "files/inside.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct squeeze {
    struct files_talk t; /* first */
    struct encoder *encoder;
    int fd;
    int64_t at, size;
};

static int step(struct files_talk *t, dx_text *out)
{
    struct squeeze *q = (struct squeeze *)t;
    char buf[STEP_BYTES];
    while (!out->n && q->at <= q->size) {
        int64_t left = q->size - q->at;
        ssize_t n = left ? pread(q->fd, buf, left < STEP_BYTES ? (size_t)left : STEP_BYTES, q->at) : 0;
        if (n < 0 || (left && !n))
            return -1; /* it shrank */
        bool last = n == left;
        if (encoder_take(q->encoder, buf, (size_t)n, last, out) < 0)
            return -1;
        q->at += n;
        if (last)
            return 0;
    }
    return 1;
}

static void let_go(struct files_talk *t)
{
    struct squeeze *q = (struct squeeze *)t;
    t->files->compressing--;
    encoder_free(q->encoder);
    close(q->fd);
}

struct files_talk *answer_compressed(struct files *f, dx_conn *c, int fd, const struct stat *st, enum coding k,
                                     const dx_http_field *fields, size_t count)
{
    struct squeeze *q = calloc(1, sizeof(*q));
    struct encoder *e = q ? encoder_new(k) : NULL;
    int mine = e ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (mine < 0 || dx_http_head(c, 200, -1, fields, count) < 0) {
        if (mine >= 0)
            close(mine);
        encoder_free(e);
        free(q);
        answer_status(c, 503, "no memory");
        return NULL;
    }
    *q = (struct squeeze){
        .t = {.files = f, .c = c, .step = step, .free = let_go}, .encoder = e, .fd = mine, .size = st->st_size};
    f->compressing++;
    f->counts.compressed++;
    files_more(&q->t);
    return &q->t;
}
