/* SPDX-License-Identifier: MIT
 * proxy.c - see proxy.h. People write these by hand and in the environment: a login may hold bytes that a URL's may not. */
#include "net/proxy.h"
#include "base/err.h"
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SOCKS_LOGIN_MAX = 255 }; /* of a name, and of a password (RFC 1929) */

static const struct kind {
    const char *scheme;
    enum proxy_kind kind;
    int port;
} kinds[] = {{"http", PROXY_HTTP, 80},
             {"https", PROXY_HTTP, 443},
             {"socks5", PROXY_SOCKS, 1080},
             {"socks5h", PROXY_SOCKS_NAMES, 1080}};

static const struct kind *kind_of(const char *scheme, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].scheme) == n && !strncasecmp(kinds[i].scheme, scheme, n))
            return &kinds[i];
    return NULL;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* "%40" is '@'; "%00", and a '%' that begins none, stand for themselves. NULL: no memory. */
static char *decoded(const char *p, size_t n)
{
    char *text = malloc(n + 1), *to = text;
    for (size_t i = 0; text && i < n; i++) {
        int high = p[i] == '%' && i + 2 < n ? digit(p[i + 1]) : -1, low = high >= 0 ? digit(p[i + 2]) : -1;
        bool coded = low >= 0 && high + low > 0;
        *to++ = coded ? (char)(high << 4 | low) : p[i];
        i += coded ? 2 : 0;
    }
    if (text)
        *to = 0;
    return text;
}

static bool login_ok(const struct proxy *p)
{
    const char *colon = strchr(p->login, ':');
    size_t name = colon ? (size_t)(colon - p->login) : strlen(p->login);
    if (p->kind == PROXY_HTTP)
        return true;
    return name > 0 && name <= SOCKS_LOGIN_MAX && (!colon || strlen(colon + 1) <= SOCKS_LOGIN_MAX);
}

int proxy_read(const char *text, const char *doing, const char *what, struct proxy *ret, dx_err *err)
{
    const char *p = text ? strstr(text, "://") : NULL;
    const struct kind *kind = p ? kind_of(text, (size_t)(p - text)) : &kinds[0];
    struct proxy mine = {0};
    struct url u;
    *ret = mine;
    if (!text || !*text)
        return 0;
    if (!kind)
        return err_set(err, DX_URL, "%s %.100s: a proxy of kind %.*s:// is not in this build", doing, what,
                       p - text < 20 ? (int)(p - text) : 20, text);
    p = p ? p + 3 : text;
    size_t n = strcspn(p, "/?#");
    const char *at = n ? memrchr(p, '@', n) : NULL, *host = at ? at + 1 : p;
    mine.kind = kind->kind;
    if (at && !(mine.login = decoded(p, (size_t)(at - p))))
        return err_set(err, DX_NOMEM, "%s %.100s: no memory", doing, what);
    mine.text = strdup(text);
    if (asprintf(&mine.url, "%s://%.*s%s", kind->scheme, (int)(p + n - host), host, strchrnul(p + n, '#')) < 0)
        mine.url = NULL;
    int r = mine.url && mine.text ? 0 : err_set(err, DX_NOMEM, "%s %.100s: no memory", doing, what);
    if (r == 0 && (url_parse(mine.url, &u, NULL) < 0 || u.host.n == 0))
        r = err_set(err, DX_URL,
                    "%s %.100s: the proxy does not read.  It is [NAME:PASSWORD@]HOST:PORT, with %%2F for / there",
                    doing, what); /* nothing of it is shown: it may hold a password */
    if (r == 0 && mine.login && !login_ok(&mine))
        r = err_set(err, DX_URL, "%s %.100s: the proxy's login is none that SOCKS can say", doing, what);
    if (r < 0)
        proxy_free(&mine);
    *ret = mine;
    return r;
}

void proxy_free(struct proxy *p)
{
    free(p->text);
    free(p->url);
    free(p->login);
    *p = (struct proxy){0};
}

bool proxy_is_tls(const struct proxy *p)
{
    return !strncmp(p->url, "https:", 6);
}

int proxy_port(const struct proxy *p)
{
    return kind_of(p->url, strcspn(p->url, ":"))->port;
}

char *proxy_basic(const char *login)
{
    size_t n = strlen(login);
    char *text = calloc(1, 6 + BASE64_ENCODE_RAW_LENGTH(n) + 1);
    if (text) {
        memcpy(text, "Basic ", 6);
        base64_encode_raw(text + 6, n, (const uint8_t *)login);
    }
    return text;
}
