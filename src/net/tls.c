/* SPDX-License-Identifier: MIT
 * tls.c - tls://, and where a listener's or a dial's certificates come from. */
#include "net/tls.h"
#include "base/err.h"
#include "core/stream.h"
#include "crypto/session.h"
#include "net/tcp.h"
#include <duplex/tls.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_MAX = 1024 };

/* A fragment's options as those of dx_tls_new, in storage. */
struct said {
    dx_tls_opts o;
    bool any;
    char text[4][OPTION_MAX];
};

static int say_one(struct said *s, int i, const char **ret, const struct url *u, const char *name, const char *text,
                   dx_err *err)
{
    struct bytes v = url_option(u, name);
    if (!v.p)
        return 0;
    if (v.n == 0)
        return err_set(err, DX_URL, "%s: #%s wants a value", text, name);
    if (v.n >= OPTION_MAX)
        return err_set(err, DX_URL, "%s: the value of #%s is over %d bytes", text, name, OPTION_MAX - 1);
    memcpy(s->text[i], v.p, v.n);
    s->text[i][v.n] = 0;
    *ret = s->text[i];
    s->any = true;
    return 0;
}

/* A word that is misspelt must not be a pin forgotten. */
static int check_words(const struct url *u, const char *text, dx_err *err)
{
    static const char *const known[] = {"cert", "key", "ca", "pin", "insecure"};
    const char *p = (const char *)u->fragment.p, *end = p + u->fragment.n;
    while (p < end) {
        size_t n = 0, i = 0, k = sizeof known / sizeof *known;
        while (p + n < end && p[n] != ',')
            n++;
        const char *eq = memchr(p, '=', n);
        size_t name = eq ? (size_t)(eq - p) : n;
        while (i < k && (strlen(known[i]) != name || memcmp(known[i], p, name) != 0))
            i++;
        if (i == k)
            return err_set(err, DX_URL, "%s: no such option as #%.*s: there are cert, key, ca, pin and insecure", text,
                           (int)name, p);
        p += n + 1;
    }
    return 0;
}

static int read_fragment(struct said *s, const struct url *u, const char *text, dx_err *err)
{
    int r = say_one(s, 0, &s->o.cert, u, "cert", text, err);
    if (r == 0)
        r = say_one(s, 1, &s->o.key, u, "key", text, err);
    if (r == 0)
        r = say_one(s, 2, &s->o.ca, u, "ca", text, err);
    if (r == 0)
        r = say_one(s, 3, &s->o.pins, u, "pin", text, err);
    if (url_option(u, "insecure").p)
        s->o.insecure = s->any = true;
    return r;
}

int tls_settle(struct settings *set, const struct url *u, const char *text, bool server, dx_err *err)
{
    if (set->o.tls)
        return 0;
    struct said *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, DX_NOMEM, "%s: no memory", text);
    int r = check_words(u, text, err);
    if (r == 0)
        r = read_fragment(s, u, text, err);
    if (r == 0 && server && !s->o.cert)
        r = err_set(err, DX_URL, "listen %s: which certificate? #cert=auto makes one", text);
    if (r == 0) {
        set->o.tls = s->any ? dx_tls_new(&s->o, err) : tls_of_system(err);
        r = set->o.tls ? 0 : err ? err->code : DX_TLS;
    }
    free(s);
    return r;
}

static int stack_tls(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, s->set->o.protocols, stack_plain);
}

static int serve_tls(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_tls;
    int r = stack_check(s->set, err);
    if (r == 0)
        r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "tls", err);
}

static dx_conn *connect_tls(const struct dial *d, dx_err *err)
{
    struct queue *q;
    if (tls_settle(d->set, d->url, d->text, false, err) < 0)
        return NULL;
    struct stream *s = tcp_dial_stream(d, 0, err);
    struct layer *l = s ? tls_dial(d, s, d->set->o.protocols, &q, err) : NULL;
    if (!l) {
        stream_throw_away(s);
        return NULL;
    }
    return stack_dial(d, l, q, false, err);
}

const struct scheme scheme_tls = {.name = "tls", .serve = serve_tls, .connect = connect_tls, .tls = true};
