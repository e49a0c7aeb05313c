/* SPDX-License-Identifier: MIT */
#include "core/settings.h"
#include "base/err.h"
#include "base/opts.h"
#include <duplex/router.h>
#include <duplex/tls.h>
#include <stdlib.h>
#include <string.h>

static int keep_options(struct settings *s, const dx_opts *o)
{
    s->o = *o;
    const char **const strings[] = {&s->o.protocols, &s->o.frame, &s->o.coding, &s->o.proxy};
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

static void fill_http(dx_http_limits *h)
{
    const struct {
        int64_t *limit, usual;
    } all[] = {{&h->head_ms, 10000},
               {&h->idle_ms, 75000},
               {&h->body_ms, -1},
               {&h->answer_ms, -1},
               {&h->send_s_min, 240},
               {&h->grace_ms, 5000},
               {&h->body_bytes_max, -1},
               {&h->head_bytes_max, 32768},
               {&h->fields_max, 100},
               {&h->requests_max, -1},
               {&h->discard_bytes_max, 1 << 20},
               {&h->discard_ms, 2000}}; /* receive_s_min: zero is a rule of its own */
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (*all[i].limit == 0)
            *all[i].limit = all[i].usual;
}

/* "For ever" may be said with the largest number there is: it is added to a clock that must not turn over. */
static int64_t at_most(int64_t v)
{
    return v < INT64_MAX / 4 ? v : INT64_MAX / 4;
}

int settings_http(const dx_http_limits *from, dx_http_limits *ret, dx_err *err)
{
    static const dx_http_limits none;
    *ret = from ? *from : none;
    for (int64_t *v = &ret->head_ms; v < ret->zero; v++) {
        if (*v < -1)
            return err_set(err, DX_URL, "options: a limit of HTTP is below -1");
        *v = at_most(*v);
    }
    for (size_t i = 0; i < sizeof ret->zero / sizeof *ret->zero; i++)
        if (ret->zero[i])
            return err_set(err, DX_ABSENT, "a limit of HTTP that this build of duplex does not know is set");
    return 0;
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
    mine.dial_ms_max = at_most(mine.dial_ms_max);
    mine.idle_ms_max = at_most(mine.idle_ms_max);
    dx_http_limits http;
    if (settings_http(mine.http, &http, err) < 0)
        return NULL;
    struct settings *s = calloc(1, sizeof *s);
    if (!s || keep_options(s, &mine) < 0) {
        free(s);
        err_set(err, DX_NOMEM, "options: no memory");
        return NULL;
    }
    s->refs = 1;
    s->o.tls = dx_tls_ref(mine.tls);
    s->o.router = mine.router ? dx_router_ref(mine.router) : NULL;
    s->http = http;
    fill_http(&s->http);
    s->o.http = &s->http; /* a listener's twin is made from s->o */
    fill(&s->o);
    return s;
}

enum { WS_FIELDS_MAX = 64 };

int settings_ws(struct settings *s, const dx_ws_opts *o, size_t o_bytes, dx_err *err)
{
    const char **strings[3 + 2 * WS_FIELDS_MAX] = {&s->ws.protocol, &s->ws.origins, &s->ws.deflate};
    size_t n = 3;
    if (!o)
        return 0;
    int r = opts_read(o, o_bytes, &s->ws, sizeof s->ws, err);
    if (r == 0 && s->ws.field_count > WS_FIELDS_MAX)
        r = err_set(err, DX_URL, "options: over %d fields for a WebSocket's handshake", WS_FIELDS_MAX);
    size_t bytes = r == 0 ? s->ws.field_count * sizeof(dx_http_field) : 0;
    dx_http_field *fields = bytes ? malloc(bytes) : NULL;
    if (bytes && !fields)
        r = err_set(err, DX_NOMEM, "options: no memory");
    if (fields)
        memcpy(fields, s->ws.fields, bytes);
    for (size_t i = 0; fields && i < s->ws.field_count; i++) {
        strings[n++] = &fields[i].name;
        strings[n++] = &fields[i].value;
    }
    s->ws.fields = fields;
    if (r == 0 && (r = opts_keep(strings, n, &s->ws_strings)) < 0)
        err_set(err, r, "options: no memory");
    if (r < 0) { /* all of it is still the caller's */
        free(fields);
        s->ws = (dx_ws_opts){0};
    }
    return r;
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
    dx_router_drop(s->o.router);
    free(s->strings);
    free((void *)(uintptr_t)s->ws.fields);
    free(s->ws_strings);
    free(s);
}
