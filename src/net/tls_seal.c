/* SPDX-License-Identifier: MIT
 * tls_seal.c - the sending half of the TLS layer. Its queue holds plain bytes and files; they are sealed four records at a time, so that
 * these fill a block, and given to the stream below. */
#include "net/tls_inside.h"
#include "os/fd.h"
#include <string.h>

enum { IOV_MAX_SEAL = 16, RUN_MAX = 4 * TLS_RECORD_MAX };

/* ---- sealed bytes on their way down ---- */

void tls_give_sealed(struct tls_layer *t)
{
    struct block *b = t->out;
    if (!b)
        return;
    struct span v = {b, t->out_from, (size_t)(b->data + b->used - t->out_from)};
    t->out = NULL;
    t->spoke |= t->end_seen && !t->bye;
    t->deaf |= layer_give_below(&t->layer, &v, 1, 0) < 0;
    block_drop(b);
}

bool tls_keep_sealed(void *arg, const void *p, size_t n)
{
    struct tls_layer *t = arg;
    if (t->out && t->out->cap - t->out->used < n)
        tls_give_sealed(t);
    if (!t->out) {
        t->out = block_with_room(&tls_loop(t)->store.copies, n);
        if (!t->out)
            return false;
        t->out_from = t->out->data + t->out->used;
    }
    memcpy(t->out->data + t->out->used, p, n);
    t->out->used += (uint32_t)n;
    return true;
}

/* Records as full as can be: runs of small spans are joined in a copy. */
static int seal_spans(struct tls_layer *t, const struct span *v, size_t count)
{
    uint8_t few[TLS_RECORD_MAX];
    size_t have = 0;
    int r = 0;
    for (size_t i = 0; i < count && r >= 0; i++) {
        const uint8_t *p = v[i].p;
        for (size_t n = v[i].n, k; n > 0 && r >= 0; p += k, n -= k) {
            if (have == 0 && (n >= TLS_RECORD_MAX || i + 1 == count)) {
                k = n < TLS_RECORD_MAX ? n : TLS_RECORD_MAX;
                r = tls_seal(t->session, p, k);
                continue;
            }
            k = n < TLS_RECORD_MAX - have ? n : TLS_RECORD_MAX - have;
            memcpy(few + have, p, k);
            have += k;
            if (have == TLS_RECORD_MAX) {
                r = tls_seal(t->session, few, have);
                have = 0;
            }
        }
    }
    return have && r >= 0 ? tls_seal(t->session, few, have) : r;
}

/* ---- what is queued, and what goes past it ---- */

static int seal_file(struct tls_layer *t)
{
    struct queued *f = t->queue.first;
    struct block *b = block_new(0);
    size_t n = f->n < RUN_MAX ? f->n : RUN_MAX;
    int64_t got = b ? os_fd_read_at(f->fd, f->off, b->data, n) : 0;
    int r = b ? 0 : DX_NOMEM;
    if (r == 0 && f->n && got <= 0)
        r = got < 0 ? DX_SYS : DX_TRUNCATED;
    struct span v = {NULL, b ? b->data : NULL, got > 0 ? (size_t)got : 0};
    if (r == 0)
        r = seal_spans(t, &v, 1);
    if (r >= 0)
        queue_eat(&t->queue, &tls_loop(t)->store, v.n);
    block_drop(b);
    return r;
}

static int seal_bytes(struct tls_layer *t)
{
    struct iovec iov[IOV_MAX_SEAL];
    struct span v[IOV_MAX_SEAL];
    size_t n, room = RUN_MAX, count = queue_iov(&t->queue, iov, IOV_MAX_SEAL, &n), used = 0;
    for (; used < count && room > 0; used++) {
        v[used] = (struct span){NULL, iov[used].iov_base, iov[used].iov_len < room ? iov[used].iov_len : room};
        room -= v[used].n;
    }
    int r = seal_spans(t, v, used);
    if (r >= 0)
        queue_eat(&t->queue, &tls_loop(t)->store, RUN_MAX - room);
    return r;
}

int tls_seal_queued(struct tls_layer *t)
{
    t->moved = 1;
    return t->queue.first->blk ? seal_bytes(t) : seal_file(t);
}

/* Big sends are sealed from where they lie, behind what is queued: a sealed copy is as good as another. 1: done; 0: a file is
 * before them, or too many pieces. */
static int seal_through(struct tls_layer *t, const struct span *v, size_t count)
{
    struct iovec iov[IOV_MAX_SEAL];
    struct span all[IOV_MAX_SEAL];
    size_t queued;
    if (count >= IOV_MAX_SEAL)
        return 0;
    size_t k = queue_iov(&t->queue, iov, IOV_MAX_SEAL - count, &queued);
    if (queued != t->queue.n)
        return 0;
    for (size_t i = 0; i < k; i++)
        all[i] = (struct span){NULL, iov[i].iov_base, iov[i].iov_len};
    memcpy(all + k, v, count * sizeof *v);
    int r = seal_spans(t, all, k + count);
    tls_give_sealed(t);
    queue_eat(&t->queue, &tls_loop(t)->store, queued);
    t->high |= queue_past_half(&t->queue);
    return r < 0 ? r : 1;
}

/* ---- asked from above ---- */

int tls_give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct tls_layer *t = tls_layer_of(l);
    size_t total = 0;
    if (t->done || t->finishing || t->deaf)
        return DX_CLOSED;
    for (size_t i = 0; i < count; i++)
        total += v[i].n;
    int r = total >= WRITE_THROUGH && t->shaken && !(how & DX_MORE) ? seal_through(t, v, count) : 0;
    if (r > 0)
        return 0;
    if (r == 0)
        r = queue_add(&t->queue, &tls_loop(t)->store, v, count, 0, false);
    if (r < 0)
        layer_abort_below(l); /* a part of it may stand in the queue */
    else
        tls_later(t);
    return r;
}

uint8_t *tls_room(struct layer *l, size_t n)
{
    struct tls_layer *t = tls_layer_of(l);
    if (n >= WRITE_THROUGH || t->done || t->finishing || t->deaf)
        return NULL;
    tls_later(t);
    return queue_room(&t->queue, &tls_loop(t)->store, n);
}

int tls_give_msg(struct layer *l, dx_msg *m)
{
    struct span span;
    int r = msg_plain(m, tls_loop(tls_layer_of(l)), &span);
    return r < 0 ? r : tls_give(l, &span, 1, 0);
}

int tls_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct tls_layer *t = tls_layer_of(l);
    (void)how;
    if (t->done || t->finishing || t->deaf || queue_add_file(&t->queue, &tls_loop(t)->store, fd, off, n) < 0) {
        os_fd_close(fd);
        return t->done || t->finishing || t->deaf ? DX_CLOSED : DX_NOMEM;
    }
    tls_later(t);
    return 0;
}
