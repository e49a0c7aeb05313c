/* SPDX-License-Identifier: MIT
 * fetch_body.c - the body of a response on its way up: as it comes, or with its coding taken off, within bounds. */
#include "core/conn.h"
#include "net/fetch_inside.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RATIO_FROM = 16 << 20, STEP = 16 << 10 };

static void show(struct fetch *f, uint8_t *p, size_t n, unsigned how)
{
    dx_conn *c = fetch_conn(f);
    f->shown += (int64_t)n;
    if (f->shown_max && f->shown > f->shown_max) {
        fetch_fail(f, DX_BIG, DX_OF_HTTP, fetch_status(f), "its body is over the limit");
        return;
    }
    layer_take_above(&f->layer, p, n, how);
    f->in->owes |= c->owes; /* the reading rests down there */
}

static void cannot_decode(struct fetch *f, int code)
{
    const char *name = decompressor_name(f->decoder);
    char text[120];
    snprintf(text, sizeof text, "%s",
             code == DX_NOMEM ? "no memory"
             : code == DX_BIG ? "its zstd wants a window of more than 8 MiB"
                              : "");
    if (!*text)
        snprintf(text, sizeof text, "its body says it is %s, and is not", name);
    fetch_fail(f, code, DX_OF_HTTP, fetch_status(f), text);
}

static bool is_bomb(const struct fetch *f)
{
    return f->shown > RATIO_FROM && f->shown / f->ratio_max > f->came;
}

/* Decodes until in is used up or the conn rests; then the remainder is held, and what carries us rests with it. */
static void decode(struct fetch *f, struct bytes in)
{
    uint8_t out[STEP];
    int64_t got = 1;
    f->holds = 0;
    while ((got > 0 || in.n) && !f->closing) {
        if (fetch_conn(f)->paused) {
            f->holds = 1;
            break;
        }
        size_t had = in.n;
        got = decompressor_step(f->decoder, &in, out, sizeof out);
        if (got < 0 || (got == 0 && in.n == had && had)) {
            cannot_decode(f, got < 0 ? (int)got : DX_PROTO);
            return;
        }
        if (got > 0)
            show(f, out, (size_t)got, 0);
        if (!f->closing && is_bomb(f))
            fetch_fail(f, DX_BIG, DX_OF_HTTP, fetch_status(f), "its body grows too much when it is decoded: a bomb?");
    }
    if (f->holds && dx_text_add(&f->held, in.n ? in.p : (const uint8_t *)"", in.n) < 0)
        fetch_fail(f, DX_NOMEM, DX_OF_NOTHING, 0, "no memory");
}

/* After a rest. */
void fetch_decode_held(struct fetch *f)
{
    dx_text t = f->held;
    f->held = (dx_text){0};
    decode(f, (struct bytes){(const uint8_t *)t.p, t.n});
    dx_text_free(&t);
    if (!f->holds && !f->closing)
        dx_pause(f->in, false);
}

bool fetch_begin_decoding(struct fetch *f, const struct http1_head *head)
{
    struct bytes coding = {0};
    size_t codings = 0;
    int code = 0;
    for (size_t i = 0; i < head->count; i++)
        if (head->fields[i].name.n == 16 &&
            !strncasecmp((const char *)head->fields[i].name.p, "Content-Encoding", 16) && head->fields[i].value.n) {
            coding = head->fields[i].value;
            codings++;
        }
    if (!codings || http1_client_length(http1_client_of(f->in)) == 0 ||
        (coding.n == 8 && !strncasecmp((const char *)coding.p, "identity", 8)))
        return true;
    f->decoder = codings > 1 ? NULL : decompressor_new(coding, &code);
    if (f->decoder)
        return true;
    fetch_fail(f, code == DX_NOMEM ? DX_NOMEM : DX_PROTO, DX_OF_HTTP, head->status,
               code == DX_NOMEM ? "no memory" : "its body is in a coding that was not asked for");
    return false;
}

void fetch_body(struct fetch *f, uint8_t *p, size_t n, unsigned how)
{
    f->came += (int64_t)n;
    if (f->decoder)
        decode(f, (struct bytes){p, n});
    else
        show(f, p, n, how);
}
