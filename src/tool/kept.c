/* SPDX-License-Identifier: MIT
 * kept.c - see kept.h. */
#include "tool/kept.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROW = 16, PIECES_AT_FIRST = 64, CLIENTS_MAX = 64 };

/* ---- the store ---- */

static void drop(struct kept *k, size_t pieces)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pieces; i++)
        bytes += k->piece[i].n;
    if (!pieces)
        return;
    k->count -= pieces;
    k->bytes.n -= bytes;
    memmove(k->piece, k->piece + pieces, k->count * sizeof *k->piece);
    if (k->bytes.n)
        memmove(k->bytes.p, k->bytes.p + bytes, k->bytes.n);
}

/* A quarter goes at a time, so that little is moved for each piece. */
static void make_way(struct kept *k, size_t n)
{
    size_t pieces = 0, bytes = 0;
    bool much = k->bytes.n + n > KEPT_BYTES_MAX, many = k->count == KEPT_PIECES_MAX;
    size_t bytes_left = n < KEPT_BYTES_MAX / 4 * 3 ? KEPT_BYTES_MAX / 4 * 3 - n : 0;
    while (pieces < k->count && ((much && k->bytes.n - bytes > bytes_left) || (many && pieces < KEPT_PIECES_MAX / 4)))
        bytes += k->piece[pieces++].n;
    drop(k, pieces);
}

int kept_add(struct kept *k, const struct kept_piece *piece, const void *data)
{
    size_t skip = piece->n > KEPT_BYTES_MAX ? piece->n - KEPT_BYTES_MAX : 0;
    make_way(k, piece->n - skip);
    if (k->count == k->room) {
        size_t room = k->room ? 2 * k->room : PIECES_AT_FIRST;
        struct kept_piece *more = realloc(k->piece, room * sizeof *more);
        if (!more)
            return DX_NOMEM;
        k->piece = more;
        k->room = room;
    }
    if (piece->n && dx_text_add(&k->bytes, (const char *)data + skip, piece->n - skip) < 0)
        return DX_NOMEM;
    k->piece[k->count] = *piece;
    k->piece[k->count++].n -= skip;
    return 0;
}

void kept_free(struct kept *k)
{
    free(k->piece);
    dx_text_free(&k->bytes);
    *k = (struct kept){0};
}

/* ---- bytes ---- */

static int add_row(const uint8_t *p, size_t at, size_t n, dx_text *out)
{
    char row[96];
    int used = snprintf(row, sizeof row, "  %06zx ", at);
    for (size_t i = 0; i < ROW; i++)
        used += i < n ? snprintf(row + used, sizeof row - (size_t)used, "%s%02x", i == ROW / 2 ? "  " : " ", p[at + i])
                      : snprintf(row + used, sizeof row - (size_t)used, "%s", i == ROW / 2 ? "    " : "   ");
    used += snprintf(row + used, sizeof row - (size_t)used, "  |");
    for (size_t i = 0; i < n; i++)
        row[used++] = p[at + i] >= 0x20 && p[at + i] < 0x7f ? (char)p[at + i] : '.';
    row[used++] = '|';
    row[used++] = '\n';
    return dx_text_add(out, row, (size_t)used);
}

int piece_dump(const struct kept_piece *piece, const void *data, dx_text *out)
{
    time_t seconds = (time_t)(piece->time_ms / 1000);
    struct tm tm;
    char head[96], from[24] = "";
    localtime_r(&seconds, &tm);
    if (piece->from)
        snprintf(from, sizeof from, "%" PRIu64 "> ", piece->from);
    int used = snprintf(head, sizeof head, "%s%02d:%02d:%02d.%03d %zu byte%s\n", from, tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (int)(piece->time_ms % 1000), piece->n, piece->n == 1 ? "" : "s");
    int r = dx_text_add(out, head, (size_t)used);
    for (size_t at = 0; at < piece->n && r >= 0; at += ROW)
        r = add_row(data, at, piece->n - at < ROW ? piece->n - at : ROW, out);
    return r;
}

int kept_dump(const struct kept *k, dx_text *out)
{
    int r = 0;
    size_t at = 0;
    for (size_t i = 0; i < k->count && r >= 0; at += k->piece[i++].n)
        r = piece_dump(&k->piece[i], k->bytes.p ? k->bytes.p + at : "", out);
    return r;
}

/* ---- text ---- */

int piece_text(uint64_t from, const char *text, size_t n, dx_text *out)
{
    char mark[24] = "";
    int r = 0, used = from ? snprintf(mark, sizeof mark, "%" PRIu64 "> ", from) : 0;
    while (n && r >= 0) {
        const char *nl = memchr(text, '\n', n);
        size_t took = nl ? (size_t)(nl + 1 - text) : n;
        r = dx_text_add(out, mark, (size_t)used);
        if (r >= 0)
            r = dx_text_add(out, text, took);
        if (r >= 0 && !nl)
            r = dx_text_add(out, "\n", 1);
        text += took;
        n -= took;
    }
    return r;
}

/* A decoder each: a client's half a character waits for its other half, whatever others say between. */
struct views {
    struct {
        uint64_t from;
        struct show show;
    } of[CLIENTS_MAX];
    int count;
};

/* Of more clients than there is room for the one before last shares: it may cost half a character. */
static struct show *show_of(struct views *v, uint64_t from, const char *coding)
{
    for (int i = 0; i < v->count; i++)
        if (v->of[i].from == from)
            return &v->of[i].show;
    if (v->count == CLIENTS_MAX)
        return &v->of[CLIENTS_MAX - 1].show;
    if (show_init(&v->of[v->count].show, coding, NULL) < 0)
        return NULL;
    v->of[v->count].from = from;
    return &v->of[v->count++].show;
}

static int add_texts(const struct kept *k, struct views *v, const char *coding, dx_text *out)
{
    int r = 0;
    size_t at = 0;
    for (size_t i = 0; i < k->count && r >= 0; at += k->piece[i++].n) {
        const struct kept_piece *p = &k->piece[i];
        struct show *s = show_of(v, p->from, coding);
        r = s ? show_data(s, k->bytes.p ? k->bytes.p + at : "", p->n, p->whole) : DX_NOMEM;
        if (r >= 0)
            r = piece_text(p->from, s->out.p, s->out.n, out);
    }
    for (int i = 0; i < v->count && r >= 0; i++) {
        v->of[i].show.ended = true; /* of what is here */
        if ((r = show_rest(&v->of[i].show)) >= 0)
            r = piece_text(v->of[i].from, v->of[i].show.out.p, v->of[i].show.out.n, out);
    }
    return r;
}

int kept_text(const struct kept *k, const char *coding, dx_text *out)
{
    struct views *v = calloc(1, sizeof *v);
    if (!v)
        return DX_NOMEM;
    int r = add_texts(k, v, coding, out);
    for (int i = 0; i < v->count; i++)
        show_free(&v->of[i].show);
    free(v);
    return r;
}
