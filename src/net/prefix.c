/* SPDX-License-Identifier: MIT
 * prefix.c - URL prefixes: read, put in order, matched. No conns here. The rules are in <duplex/router.h>. */
#include "base/err.h"
#include "base/percent.h"
#include "net/router.h"
#include <stdlib.h>
#include <string.h>

enum { PREFIX_MAX = 2048 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static bool is_name(struct bytes h)
{
    for (size_t i = 0; i < h.n; i++) {
        uint8_t c = h.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!fine)
            return false;
    }
    return h.n > 0;
}

static bool is_v6(struct bytes h)
{
    for (size_t i = 1; i + 1 < h.n; i++)
        if (!memchr("0123456789abcdef:.", h.p[i], 18))
            return false;
    return h.n > 4 && h.p[0] == '[' && h.p[h.n - 1] == ']';
}

/* Cuts ":PORT" off the end of h. */
static bool cut_port(struct bytes *h, int *ret)
{
    size_t i = h->n;
    int port = 0;
    while (i > 0 && h->p[i - 1] >= '0' && h->p[i - 1] <= '9')
        i--;
    *ret = -1;
    if (i == 0 || h->p[i - 1] != ':')
        return true; /* [::1] ends in ']' */
    if (i == h->n || h->n - i > 5)
        return false;
    for (size_t k = i; k < h->n; k++)
        port = port * 10 + (h->p[k] - '0');
    *ret = port;
    h->n = i - 1;
    return port > 0 && port <= 65535;
}

static bool read_host(struct bytes h, struct prefix *p)
{
    if (!cut_port(&h, &p->port))
        return false;
    p->host = h;
    if (h.n == 1 && (*h.p == '+' || *h.p == '*')) {
        p->class = *h.p == '+' ? HOST_ALL : HOST_REST;
        return true;
    }
    if (h.n > 2 && h.p[0] == '*' && h.p[1] == '.') {
        p->class = HOST_WILD;
        p->host = (struct bytes){h.p + 1, h.n - 1};
        return is_name((struct bytes){h.p + 2, h.n - 2});
    }
    p->class = HOST_EXACT;
    return is_name(h) || is_v6(h);
}

static bool is_path(struct bytes path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] == 127 || path.p[i] == '?' || path.p[i] == '#')
            return false;
    return path.n > 0 && path.p[0] == '/' && path.p[path.n - 1] == '/';
}

/* "scheme://" goes; false: another one than http's. */
static bool cut_scheme(const char **text, struct prefix *p)
{
    const char *s = strstr(*text, "://");
    if (!s || memchr(*text, '/', (size_t)(s - *text)))
        return true;
    size_t n = (size_t)(s - *text);
    p->scheme = n == 4 && !strncasecmp(*text, "http", 4)    ? CLEAR
                : n == 5 && !strncasecmp(*text, "https", 5) ? OVER_TLS
                                                            : ANY_SCHEME;
    *text = s + 3;
    return p->scheme != ANY_SCHEME;
}

int prefix_read(const char *text, struct prefix *ret, dx_err *err)
{
    struct prefix p = {.class = HOST_REST, .port = -1};
    const char *rest = text;
    size_t n = strlen(text);
    if (n > PREFIX_MAX)
        return err_set(err, DX_URL, "prefix: longer than %d bytes", PREFIX_MAX);
    if (!cut_scheme(&rest, &p))
        return err_set(err, DX_URL, "prefix %s: its scheme can only be http or https", text);
    const char *slash = strchr(rest, '/');
    struct bytes path = {(const uint8_t *)slash, slash ? strlen(slash) : 0};
    if (!is_path(path))
        return err_set(err, DX_URL, "prefix %s: its path must begin and end in '/', as /files/", text);
    p.text = malloc(n + 1 + n + 3 * path.n + 1); /* as written, the host, the path */
    if (!p.text)
        return err_set(err, DX_NOMEM, "prefix %s: no memory", text);
    memcpy(p.text, text, n + 1);
    uint8_t *at = (uint8_t *)p.text + n + 1;
    size_t host_n = (size_t)(slash - rest);
    for (size_t i = 0; i < host_n; i++)
        at[i] = lower((uint8_t)rest[i]);
    p.path = (struct bytes){at + host_n, path_clean(path, at + host_n)};
    if ((host_n || rest != text) && !read_host((struct bytes){at, host_n}, &p)) {
        free(p.text);
        return err_set(err, DX_URL, "prefix %s: its host can be a name, an address, *.NAME, * or +, and then :PORT",
                       text);
    }
    *ret = p;
    return 0;
}

void prefix_free(struct prefix *p)
{
    free(p->text);
}

static bool same_bytes(struct bytes a, struct bytes b)
{
    return a.n == b.n && !memcmp(a.p, b.p, a.n);
}

static int said(const struct prefix *p)
{
    return (p->port >= 0) + (p->scheme != ANY_SCHEME);
}

bool prefix_before(const struct prefix *a, const struct prefix *b)
{
    if (a->class != b->class)
        return a->class < b->class;
    if (a->class == HOST_WILD && a->host.n != b->host.n)
        return a->host.n > b->host.n;
    if (a->path.n != b->path.n)
        return a->path.n > b->path.n;
    return said(a) > said(b);
}

bool prefix_same(const struct prefix *a, const struct prefix *b)
{
    bool named = a->class == HOST_EXACT || a->class == HOST_WILD;
    return a->class == b->class && a->scheme == b->scheme && a->port == b->port && same_bytes(a->path, b->path) &&
           (!named || same_bytes(a->host, b->host));
}

static bool host_matches(const struct prefix *p, struct bytes h)
{
    size_t skip = p->class == HOST_WILD && h.n > p->host.n ? h.n - p->host.n : 0;
    if (p->class == HOST_ALL || p->class == HOST_REST)
        return true;
    if (h.n != p->host.n + skip || (p->class == HOST_WILD && !skip))
        return false;
    for (size_t i = 0; i < p->host.n; i++)
        if (lower(h.p[skip + i]) != p->host.p[i])
            return false;
    return true;
}

bool prefix_matches(const struct prefix *p, const struct router_ask *a)
{
    size_t n = p->path.n;
    if (a->path.n + 1 < n || (p->scheme == CLEAR && a->tls) || (p->scheme == OVER_TLS && !a->tls) ||
        (p->port >= 0 && p->port != a->port))
        return false;
    if (memcmp(a->path.p, p->path.p, a->path.n < n ? n - 1 : n)) /* "/files" is in "/files/" */
        return false;
    return host_matches(p, a->host);
}
