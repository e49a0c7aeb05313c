/* SPDX-License-Identifier: MIT
 * fetch_ask.c - a fetch's request: kept so that it can be said again, to another place without what is not for that. */
#include "base/err.h"
#include "base/url_join.h"
#include "core/conn.h"
#include "net/fetch_inside.h"
#include "os/fd.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- keeping it ---- */

static int keep_fields(struct request *r, const dx_http_field *v, size_t count)
{
    size_t room = 1 + count * sizeof *v;
    for (size_t i = 0; i < count; i++)
        room += (v[i].name ? strlen(v[i].name) : 0) + (v[i].value ? strlen(v[i].value) : 0) + 2;
    r->fields = malloc(room);
    if (!r->fields)
        return DX_NOMEM;
    char *at = (char *)(r->fields + count);
    for (size_t i = 0; i < count; i++) {
        r->fields[i].name = at;
        at = stpcpy(at, v[i].name ? v[i].name : "") + 1;
        r->fields[i].value = v[i].value ? at : NULL;
        at = stpcpy(at, v[i].value ? v[i].value : "") + 1;
    }
    r->count = count;
    return 0;
}

static bool has_field(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcasecmp(r->fields[i].name, name))
            return true;
    return false;
}

static char *bearer(const char *token)
{
    char *text = malloc(strlen(token) + 8);
    if (text)
        stpcpy(stpcpy(text, "Bearer "), token);
    return text;
}

static int keep_strings(struct request *r, const char *url, const dx_fetch_opts *o)
{
    bool body = o->body.n || o->length;
    r->url = strdup(url);
    r->method = strdup(o->method ? o->method : body ? "POST" : "GET");
    if (o->login)
        r->login = proxy_basic(o->login);
    else if (o->bearer)
        r->login = bearer(o->bearer);
    if (!r->url || !r->method || ((o->login || o->bearer) && !r->login))
        return DX_NOMEM;
    return dx_text_add(&r->body, o->body.n ? o->body.p : "", o->body.n);
}

int request_read(struct fetch *f, const char *url, const dx_fetch_opts *o, dx_err *err)
{
    struct request *r = &f->ask;
    r->file = -1;
    if (o->length < -1 || (o->body.n && o->length && o->length != (int64_t)o->body.n))
        return err_set(err, DX_URL, "fetch %s: the length of its body cannot be", url);
    if (o->login && o->bearer)
        return err_set(err, DX_URL, "fetch %s: a login and a bearer's token are one too many", url);
    if (keep_strings(r, url, o) < 0 || keep_fields(r, o->fields, o->count) < 0)
        return err_set(err, DX_NOMEM, "fetch %s: no memory", url);
    r->length = o->body.n ? (int64_t)o->body.n : o->length;
    r->in_opts = r->whole = o->body.n || r->length == 0;
    f->named = has_field(r, "Accept-Encoding") || has_field(r, "Range");
    return 0;
}

void request_free(struct request *r)
{
    free(r->method);
    free(r->url);
    free(r->fields);
    free(r->login);
    dx_text_free(&r->body);
    os_fd_close(r->file);
}

/* ---- may it be said again? ---- */

bool request_can_again(const struct request *r)
{
    return !r->lost;
}

bool request_is_idempotent(const struct request *r)
{
    static const char *const all[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i], r->method))
            return true;
    return false;
}

void request_drop(struct request *r, const char *prefix)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++)
        if (strncasecmp(r->fields[i].name, prefix, strlen(prefix)) != 0)
            r->fields[kept++] = r->fields[i];
    r->count = kept;
}

void request_drop_body(struct request *r)
{
    request_drop(r, "Content-");
    request_drop(r, "Expect");
    dx_text_free(&r->body);
    os_fd_close(r->file);
    r->file = -1;
    r->length = 0;
    r->whole = 1;
    r->lost = 0;
}

/* ---- saying it ---- */

enum { OURS_MAX = 3 }; /* fields that we add */

/* to_proxy: the login there; NULL: none. */
static size_t add_ours(const struct fetch *f, const char *to_proxy, dx_http_field *v)
{
    const struct request *r = &f->ask;
    size_t n = 0;
    if (r->login && !has_field(r, "Authorization"))
        v[n++] = (dx_http_field){"Authorization", r->login};
    if (f->decode && !f->named)
        v[n++] = (dx_http_field){"Accept-Encoding", "gzip, deflate, br, zstd"};
    if (to_proxy)
        v[n++] = (dx_http_field){"Proxy-Authorization", to_proxy};
    return n;
}

bool fetch_asks_proxy(const struct fetch *f, const struct url *u)
{
    return f->via.kind == PROXY_HTTP && !strcmp(u->scheme, "http");
}

/* What a proxy is asked for: all of the URL but its fragment. */
static char *whole_target(const char *url, const struct url *u)
{
    dx_text t = {0};
    int r = url_ascii((struct bytes){(const uint8_t *)url, strcspn(url, "#")}, &t);
    if (r == 0 && u->target.n == 0)
        r = dx_text_add(&t, "/", 1);
    if (r == 0)
        return t.p;
    dx_text_free(&t);
    return NULL;
}

/* What of the body is there already. */
static int say_body(struct fetch *f)
{
    struct request *r = &f->ask;
    struct span v = {NULL, (const uint8_t *)r->body.p, r->body.n};
    struct layer *l = &f->layer;
    int e = 0;
    if (r->file >= 0) {
        int fd = os_fd_dup(r->file);
        e = fd < 0 ? DX_SYS : layer_give_file_below(l, fd, r->file_off, (size_t)r->length, 0);
    } else if (r->body.n) {
        e = layer_give_below(l, &v, 1, 0);
    }
    f->in->want_writable = 1;
    if (e == 0 && r->whole)
        e = layer_finish_below(l);
    return e;
}

int fetch_ask(struct fetch *f, const struct url *u, dx_err *err)
{
    struct request *r = &f->ask;
    bool absolute = fetch_asks_proxy(f, u), logs_in = absolute && f->via.login;
    char *target = absolute ? whole_target(r->url, u) : NULL;
    char *to_proxy = logs_in ? proxy_basic(f->via.login) : NULL;
    dx_http_field *v = malloc((r->count + OURS_MAX) * sizeof *v);
    int e = DX_NOMEM;
    if (v && (target || !absolute) && (to_proxy || !logs_in)) {
        memcpy(v, r->fields, r->count * sizeof *v);
        struct http1_ask a = {.method = r->method,
                              .target = target,
                              .fields = v,
                              .count = r->count + add_ours(f, to_proxy, v + r->count),
                              .length = r->length,
                              .absolute = absolute};
        e = http1_client_ask(http1_client_of(f->in), &a);
    }
    if (e == 0)
        e = say_body(f);
    free(v);
    free(target);
    free(to_proxy);
    return e < 0 ? err_set(err, e, "fetch %s: %s", r->url,
                           e == DX_URL ? "a method, path or field that cannot be" : dx_code_text(e))
                 : 0;
}
