/* SPDX-License-Identifier: MIT
 * answer.c - a file as an answer: whole, in part, not at all since nothing has changed; as it is, or smaller. */
#include "files/inside.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_BYTES = 4096 };

void facts_of(const struct stat *st, enum coding k, bool made, struct facts *ret)
{
    /* What is compressed anew may come out otherwise the next time: a weak one. */
    snprintf(ret->etag, sizeof(ret->etag), "%s\"%" PRIx64 "-%" PRIx64 "%s%s\"", made ? "W/" : "",
             (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_size,
             k ? "-" : "", k ? coding_name(k) : "");
    time_t now = time(NULL);
    ret->modified = st->st_mtim.tv_sec;
    dx_http_date(ret->date,
                 ret->modified < now ? ret->modified : now); /* RFC 9110 8.8.2.1: not after the answer's Date */
}

void head_field(struct head *h, const char *name, const char *value)
{
    h->fields[h->count++] = (dx_http_field){name, value};
}

static void begin(struct head *h, const struct facts *f, enum coding k, bool varies)
{
    h->count = 0;
    head_field(h, "Last-Modified", f->date);
    head_field(h, "ETag", f->etag);
    head_field(h, "Cache-Control",
               "no-cache"); /* kept, but asked about each time: what lies in the folder is what is seen */
    head_field(h, "X-Content-Type-Options", "nosniff");
    if (k)
        head_field(h, "Content-Encoding", coding_name(k));
    else
        head_field(h, "Accept-Ranges", "bytes");
    if (varies)
        head_field(h, "Vary", "Accept-Encoding");
}

/* true: its conditions were all that was to be answered. */
static bool conditions(dx_conn *c, const struct facts *f, struct head *h)
{
    int status = condition_status(c, f);
    if (status == 304)
        dx_http_reply(c, 304, NULL, NULL, 0, h->fields, h->count);
    else if (status)
        answer_status(c, status, "it is not as you say");
    return status != 0;
}

/* ---- ranges ---- */

static void give(dx_conn *c, const struct body *b, const struct range *r)
{
    int got = b->p ? dx_send(c, b->p + r->first, (size_t)r->n, 0) : dx_send_file(c, b->fd, r->first, r->n, 0);
    if (got < 0) /* the file shrank, or there is no memory: less than was promised */
        dx_abort(c);
}

static void answer_range(dx_conn *c, const struct body *b, const struct range *r, struct head *h)
{
    snprintf(h->range, sizeof(h->range), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, r->first, r->first + r->n - 1,
             b->size);
    head_field(h, "Content-Range", h->range);
    head_field(h, "Content-Type", b->type);
    if (dx_http_head(c, 206, r->n, h->fields, h->count) >= 0) {
        give(c, b, r);
        dx_finish(c);
    }
}

/* A part is of the file as it is. Range is for GET alone: RFC 9110 14.2. */
static bool asks_for_part(const dx_conn *c)
{
    return dx_http_header(c, "Range").p && dx_http_method(c).n == 3;
}

/* true: it was for a range, and has its answer. */
static bool ranges(struct files *f, dx_conn *c, const struct body *b, const struct facts *facts, struct head *h,
                   struct files_talk **ret)
{
    struct range r[RANGES_MAX];
    bool asked = asks_for_part(c) && condition_range(c, facts);
    int count = asked ? range_read(dx_http_header(c, "Range"), b->size, r) : 0;
    if (count < 0) {
        snprintf(h->range, sizeof(h->range), "bytes */%" PRId64, b->size);
        head_field(h, "Content-Range", h->range);
        dx_http_reply(c, 416, "text/plain", "no such range\n", 14, h->fields + 3,
                      h->count - 3); /* of what is not sent nothing is said */
    } else if (count == 1) {
        answer_range(c, b, r, h);
    } else if (count > 1) {
        *ret = answer_parts(f, c, b, r, count, h);
    }
    return count != 0;
}

/* ---- smaller ---- */

/* Is it sent in one coding or another, as the client likes? One that lies beside it may be even where we would make none for so few
 * bytes. */
static bool may_vary(const struct files *f, bool shrinks)
{
    return shrinks && !f->o.no_compression;
}

/* A file's compressed twin beside it, if it is not older. */
static int open_twin(const struct files *f, const char *name, const struct stat *st, enum coding k, struct stat *ret)
{
    char twin[PATH_BYTES_MAX + 8];
    snprintf(twin, sizeof(twin), "%s%s", name, coding_suffix(k));
    int fd = beneath_open(f->root, twin, O_RDONLY);
    if (fd >= 0 && (fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) || ret->st_mtim.tv_sec < st->st_mtim.tv_sec)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* true: its twin was the answer. */
static bool answer_twin(struct files *f, dx_conn *c, const char *name, const struct stat *st, const char *type)
{
    unsigned left = 1u << CODING_BR | 1u << CODING_ZSTD | 1u << CODING_GZIP;
    enum coding k;
    while ((k = coding_choose(c, left)) != CODING_NONE) {
        struct stat twin;
        struct facts facts;
        struct head h;
        int fd = open_twin(f, name, st, k, &twin);
        left &= ~(1u << k);
        if (fd < 0)
            continue;
        facts_of(&twin, k, false, &facts);
        begin(&h, &facts, k, true);
        if (!conditions(c, &facts, &h)) {
            head_field(&h, "Content-Type", type);
            if (dx_http_head(c, 200, twin.st_size, h.fields, h.count) >= 0) {
                give(c, &(struct body){.fd = fd}, &(struct range){0, twin.st_size});
                dx_finish(c);
            }
        }
        close(fd);
        return true;
    }
    return false;
}

static enum coding wanted(dx_conn *c)
{
    return coding_choose(c, 1u << CODING_BR | 1u << CODING_ZSTD | 1u << CODING_GZIP);
}

/* ---- small files ---- */

static dx_bytes make(struct files *f, struct small *s, enum coding k)
{
    struct encoder *e = s->made[k].n ? NULL : encoder_new(k);
    dx_text out = {0};
    if (e && encoder_take(e, s->p, s->n, true, &out) >= 0 && out.n) {
        f->counts.compressed++;
        cache_made(f->cache, s, k, (dx_bytes){out.p, out.n});
    } else {
        dx_text_free(&out);
    }
    encoder_free(e);
    return s->made[k];
}

struct files_talk *answer_small(struct files *f, dx_conn *c, const char *name, struct small *s)
{
    bool varies = may_vary(f, s->shrinks), shrinks = varies && !asks_for_part(c);
    if (shrinks && answer_twin(f, c, name, &s->st, s->type))
        return NULL;
    enum coding k = shrinks && s->n >= COMPRESS_MIN ? wanted(c) : CODING_NONE;
    dx_bytes made = k ? make(f, s, k) : (dx_bytes){NULL, 0};
    const struct facts *facts = &s->facts;
    struct facts made_facts;
    struct head h;
    if (!made.n || made.n >= s->n)
        k = CODING_NONE;
    if (k) {
        facts_of(&s->st, k, true, &made_facts);
        facts = &made_facts;
    }
    begin(&h, facts, k, varies);
    if (conditions(c, facts, &h))
        return NULL;
    const struct body b = {.p = s->p, .size = (int64_t)s->n, .type = s->type};
    struct files_talk *t = NULL;
    if (!k && ranges(f, c, &b, facts, &h, &t))
        return t;
    answer_whole(c, 200, s->type, k ? made.p : s->p, k ? made.n : s->n, h.fields, h.count);
    return NULL;
}

/* ---- others ---- */

static void describe(const char *name, int fd, const struct stat *st, char *ret, size_t room)
{
    const char *type = type_of(name), *charset = NULL;
    char look[LOOK_BYTES];
    if (type_is_text(type)) {
        ssize_t n = pread(fd, look, sizeof(look), 0);
        charset = n > 0 ? type_charset(look, (size_t)n, n == st->st_size) : NULL;
    }
    snprintf(ret, room, "%s%s%s", type, charset ? "; charset=" : "", charset ? charset : "");
}

struct files_talk *answer_file(struct files *f, dx_conn *c, const char *name, int fd, const struct stat *st)
{
    char type[128];
    struct facts facts;
    struct head h;
    describe(name, fd, st, type, sizeof(type));
    bool varies = may_vary(f, type_shrinks(type_of(name))), shrinks = varies && !asks_for_part(c);
    bool makes = shrinks && st->st_size >= COMPRESS_MIN && f->compressing < COMPRESSING_MAX;
    if (shrinks && answer_twin(f, c, name, st, type))
        return NULL;
    enum coding k = makes ? wanted(c) : CODING_NONE;
    facts_of(st, k, k != CODING_NONE, &facts);
    begin(&h, &facts, k, varies);
    if (conditions(c, &facts, &h))
        return NULL;
    const struct body b = {.fd = fd, .size = st->st_size, .type = type};
    struct files_talk *t = NULL;
    if (!k && ranges(f, c, &b, &facts, &h, &t))
        return t;
    head_field(&h, "Content-Type", type);
    if (k && dx_http_method(c).n == 3)
        return answer_compressed(f, c, fd, st, k, h.fields, h.count);
    if (dx_http_head(c, 200, k ? -1 : st->st_size, h.fields, h.count) < 0)
        return NULL;
    if (st->st_size && !k)
        give(c, &b, &(struct range){0, st->st_size});
    dx_finish(c);
    return NULL;
}
