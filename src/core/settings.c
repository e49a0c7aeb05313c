/* SPDX-License-Identifier: MIT */
#include "core/settings.h"
#include "base/err.h"
#include <stdlib.h>
#include <duplex/tls.h>
#include <string.h>

static size_t text_n(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *keep(char **at, const char *s)
{
    size_t n = text_n(s);
    char *copy = *at;
    if (!n)
        return NULL;
    memcpy(copy, s, n);
    *at += n;
    return copy;
}

/* What a newer caller says in fields that we do not have must not be lost silently. */
static bool rest_is_zero(const void *o, size_t from, size_t to)
{
    const char *p = o;
    for (size_t i = from; i < to; i++)
        if (p[i])
            return false;
    return true;
}

static void fill(dx_opts *o)
{
    o->dial_ms_max = o->dial_ms_max ? o->dial_ms_max : 10000;
    o->message_bytes_max = o->message_bytes_max ? o->message_bytes_max : (size_t)16 << 20;
    o->queue_bytes_max = o->queue_bytes_max ? o->queue_bytes_max : (size_t)1 << 20;
    o->conns_max = o->conns_max ? o->conns_max : 10000;
    o->backlog = o->backlog ? o->backlog : 4096;
}

struct settings *settings_new(const dx_opts *o, size_t o_bytes, dx_err *err)
{
    dx_opts mine = {0};
    if (o)
        memcpy(&mine, o, o_bytes < sizeof mine ? o_bytes : sizeof mine);
    if (o && o_bytes > sizeof mine && !rest_is_zero(o, sizeof mine, o_bytes)) {
        err_set(err, DX_ABSENT, "an option that this build of duplex does not know is set");
        return NULL;
    }
    if (mine.dial_ms_max < 0 || mine.idle_ms_max < 0 || mine.backlog < 0) {
        err_set(err, DX_URL, "options: a time or a backlog is below zero");
        return NULL;
    }
    struct settings *s = calloc(1, sizeof *s);
    char *at = malloc(text_n(mine.protocols) + text_n(mine.frame) + text_n(mine.coding) + 1);
    if (!s || !at) {
        free(s);
        free(at);
        err_set(err, DX_NOMEM, "options: no memory");
        return NULL;
    }
    s->refs = 1;
    s->strings = at;
    s->o = mine;
    s->o.tls = dx_tls_ref(mine.tls);
    fill(&s->o);
    s->o.protocols = keep(&at, mine.protocols);
    s->o.frame = keep(&at, mine.frame);
    s->o.coding = keep(&at, mine.coding);
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    s->refs++;
    return s;
}

void settings_drop(struct settings *s)
{
    if (!s || --s->refs)
        return;
    dx_tls_drop(s->o.tls);
    free(s->strings);
    free(s);
}
