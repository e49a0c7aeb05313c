/* SPDX-License-Identifier: MIT
 * feed.c - where one message ends and the next begins, when stdin is only bytes. */
#include "tool/feed.h"
#include <string.h>

enum {
    DATAGRAM_MAX = 65507,  /* a longer line is an error, never cut              */
    DATAGRAM_PIECE = 1200, /* fits every path                                   */
    MESSAGE_PIECE = 65536, /* under the message limit of the usual servers      */
    MESSAGE_MAX = 16 << 20,
};

bool feed_datagrams(const char *wire)
{
    return !strcmp(wire, "udp") || !strcmp(wire, "unixgram");
}

/* Frames that silence ends mean lines here: what is typed or piped has no telling silence. */
static const char *spec_for_stdin(const char *spec)
{
    return !strcmp(spec, "auto") || !strncmp(spec, "gap:", 4) ? "line" : spec;
}

/* What is typed has no other ends than those of lines. */
static const char *stdin_spec(const char *spec, bool typed)
{
    return typed ? "line" : spec_for_stdin(spec);
}

int feed_init(struct feed *f, const char *wire, enum dx_kind kind, const char *spec, bool typed, dx_err *err)
{
    bool grams = feed_datagrams(wire), works = f->out && outgoing_works(f->out), given = spec != NULL;
    *f = (struct feed){.kind = f->kind, .out = f->out, .went = f->went, .went_arg = f->went_arg};
    f->piece_end = "";
    f->piece_max = grams ? DATAGRAM_PIECE : MESSAGE_PIECE;
    f->stream = kind == DX_BYTES;
    if (works) {
        f->text = !f->out->hex;
        spec = f->out->hex || !spec || !strcmp(spec, "none") ? "line" : stdin_spec(spec, typed);
        f->framer = dx_framer_new(spec, grams ? DATAGRAM_MAX : MESSAGE_MAX, err);
        return f->framer ? 0 : err->code;
    }
    if (f->stream || (spec && !strcmp(spec, "none")) || (!spec && !grams && !typed))
        return 0;
    f->text = !spec || !strncmp(spec_for_stdin(spec), "line", 4);
    if (!spec && grams) {
        spec = "delim:0A";
        f->piece_end = "\n";
    }
    f->framer = dx_framer_new(given  ? stdin_spec(spec, typed)
                              : spec ? spec
                                     : "line",
                              grams ? DATAGRAM_MAX : MESSAGE_MAX, err);
    return f->framer ? 0 : err->code;
}

void feed_free(struct feed *f)
{
    dx_framer_free(f->framer);
    dx_text_free(&f->pending);
    memset(f, 0, sizeof *f);
}

int feed_take(struct feed *f, const void *data, size_t n, int64_t now_ms)
{
    return f->framer ? dx_framer_take(f->framer, data, n, now_ms) : dx_text_add(&f->pending, data, n);
}

/* 1: the next piece to send; with a framer and without rest only what is complete. 0: none. Or why not. */
static int next(struct feed *f, int64_t now_ms, bool rest, dx_bytes *ret)
{
    if (f->framer)
        return dx_framer_next(f->framer, now_ms, rest, ret);
    size_t n = f->pending.n - f->at;
    if (!n)
        return 0;
    *ret = (dx_bytes){f->pending.p + f->at, f->stream || n < f->piece_max ? n : f->piece_max};
    return 1;
}

static void sent(struct feed *f, size_t n)
{
    if (f->framer)
        return;
    f->at += n;
    if (f->at == f->pending.n) {
        f->at = 0;
        dx_text_clear(&f->pending);
    }
}

static int send_parts(struct feed *f, dx_conn *to, dx_bytes piece, const char *end)
{
    dx_bytes parts[2] = {piece, {end, strlen(end)}};
    unsigned how = DX_BINARY;
    if (f->stream)
        how = 0;
    else if (f->kind == FEED_TEXT || (f->kind != FEED_BINARY && f->text && dx_is_utf8(piece.p, piece.n)))
        how = DX_TEXT;
    int r = dx_sendv(to, parts, parts[1].n ? 2 : 1, how);
    if (r >= 0)
        f->sent += parts[0].n + parts[1].n;
    if (r >= 0 && f->went)
        f->went(f->went_arg, piece, how);
    return r;
}

int feed_whole(struct feed *f, dx_conn *to, dx_bytes message)
{
    return send_parts(f, to, message, "");
}

static int send_one(struct feed *f, dx_conn *to, dx_bytes piece, bool whole)
{
    int r = f->framer && f->out && outgoing_works(f->out) ? outgoing_make(f->out, piece, &piece, &f->fault_at) : 0;
    f->count++;
    return r < 0 ? r : send_parts(f, to, piece, whole ? f->piece_end : "");
}

int feed_pump(struct feed *f, dx_conn *to, bool ended)
{
    dx_bytes piece;
    int r;
    int64_t now = dx_loop_now(dx_loop_of(to));
    for (int rest = 0; rest <= ended; rest++) /* whole messages first, then the one that the end of stdin ends */
        while ((r = next(f, now, rest, &piece)) != 0) {
            if (r < 0 || (r = send_one(f, to, piece, !rest)) < 0)
                return r;
            sent(f, piece.n);
            f->waits = r > 0;
            if (f->waits)
                return 1;
        }
    return 0;
}
