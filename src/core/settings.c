/* SPDX-License-Identifier: MIT */
#include "core/settings.h"
#include "base/err.h"
#include "base/opts.h"
#include <duplex/tls.h>
#include <stdlib.h>

static int keep_options(struct settings *s, const dx_opts *o)
{
    s->o = *o;
    const char **const strings[] = {&s->o.protocols, &s->o.frame, &s->o.coding};
    return opts_keep(strings, sizeof strings / sizeof *strings, &s->strings);
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
    dx_opts mine;
    if (opts_read(o, o_bytes, &mine, sizeof mine, err) < 0)
        return NULL;
    if (mine.dial_ms_max < 0 || mine.idle_ms_max < 0 || mine.backlog < 0) {
        err_set(err, DX_URL, "options: a time or a backlog is below zero");
        return NULL;
    }
    struct settings *s = calloc(1, sizeof *s);
    if (!s || keep_options(s, &mine) < 0) {
        free(s);
        err_set(err, DX_NOMEM, "options: no memory");
        return NULL;
    }
    s->refs = 1;
    s->o.tls = dx_tls_ref(mine.tls);
    fill(&s->o);
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
