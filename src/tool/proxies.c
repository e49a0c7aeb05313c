/* SPDX-License-Identifier: MIT
 * proxies.c - see proxies.h. Names in small letters come first; those in capitals are read too, as others than curl do. */
#include "tool/proxies.h"
#include "tool/wires.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS = sizeof(struct in6_addr), WORD = 256 };

static const char *env_of(const char *name)
{
    char big[32];
    const char *v = getenv(name);
    if (v && *v)
        return v;
    for (size_t i = 0; i <= strlen(name); i++)
        big[i] = (char)toupper((unsigned char)name[i]);
    /* Under CGI it is what a client's field "Proxy" says. */
    if (!strcmp(big, "HTTP_PROXY") && getenv("REQUEST_METHOD"))
        return NULL;
    v = getenv(big);
    return v && *v ? v : NULL;
}

struct host {
    char name[WORD]; /* without brackets, zone and the dot at its end */
    size_t n;
    int family; /* of address; 0: it is a name */
    unsigned char address[ADDRESS];
    int port; /* 0: not said */
};

static void read_name(const char *p, size_t n, struct host *ret)
{
    n = n < WORD ? n : WORD - 1;
    memcpy(ret->name, p, n);
    ret->name[n] = 0;
    ret->n = strcspn(ret->name, "%");
    ret->name[ret->n] = 0;
    ret->family = inet_pton(AF_INET, ret->name, ret->address) == 1    ? AF_INET
                  : inet_pton(AF_INET6, ret->name, ret->address) == 1 ? AF_INET6
                                                                      : 0;
    if (ret->n && ret->name[ret->n - 1] == '.')
        ret->name[--ret->n] = 0;
}

/* "HOST", "HOST:PORT", "[V6]", "[V6]:PORT" or a bare V6. */
static void read_host(const char *p, size_t n, struct host *ret)
{
    const char *close = n && *p == '[' ? memchr(p, ']', n) : NULL, *from = close ? close : p;
    const char *colon = memchr(from, ':', n - (size_t)(from - p));
    bool bare_v6 = !close && colon && memrchr(p, ':', n) != colon;
    ret->port = colon && !bare_v6 ? atoi(colon + 1) : 0;
    if (close)
        read_name(p + 1, (size_t)(close - p) - 1, ret);
    else
        read_name(p, colon && !bare_v6 ? (size_t)(colon - p) : n, ret);
}

/* Are the first bits alike? */
static bool same_net(const struct host *a, const struct host *b, int bits)
{
    size_t whole = (size_t)bits / 8;
    int rest = bits % 8;
    return !memcmp(a->address, b->address, whole) &&
           (!rest || (a->address[whole] ^ b->address[whole]) >> (8 - rest) == 0);
}

/* "a.example" is that and all below it, ".a.example" and "*.a.example" too; an address is itself, or with "/8" its network. */
static bool names(const char *word, size_t n, const struct host *host)
{
    struct host w;
    const char *slash = memchr(word, '/', n);
    if (n > 1 && *word == '*')
        word++, n--;
    if (n > 1 && *word == '.')
        word++, n--;
    read_host(word, slash ? (size_t)(slash - word) : n, &w);
    if (!w.n || (w.port && w.port != host->port) || w.family != host->family)
        return false;
    int most = w.family == AF_INET6 ? 128 : 32, bits = !slash                               ? most
                                                       : slash[1] >= '0' && slash[1] <= '9' ? atoi(slash + 1)
                                                                                            : -1;
    if (w.family)
        return bits >= 0 && bits <= most && same_net(&w, host, bits);
    return host->n >= w.n && !strcasecmp(host->name + host->n - w.n, w.name) &&
           (host->n == w.n || host->name[host->n - w.n - 1] == '.');
}

static bool is_secret(const char *url)
{
    return wire_is(url, "https") || wire_is(url, "wss");
}

bool proxy_is_excepted(const char *url, const char *no_proxy)
{
    struct host host;
    const char *p = strstr(url, "://");
    p = p ? p + 3 : url;
    read_host(p, strcspn(p, "/?#"), &host);
    host.port = host.port ? host.port : is_secret(url) ? 443 : 80;
    for (p = no_proxy; *p;) {
        p += strspn(p, ", \t");
        size_t n = strcspn(p, ", \t");
        if ((n == 1 && *p == '*') || (n && names(p, n, &host)))
            return true;
        p += n;
    }
    return false;
}

const char *proxy_of_environment(const char *url)
{
    const char *text = env_of(is_secret(url) ? "https_proxy" : "http_proxy"), *no = env_of("no_proxy");
    text = text ? text : env_of("all_proxy");
    /* What is on this machine no proxy can reach for us. */
    bool here = proxy_is_excepted(url, "localhost 127.0.0.0/8 ::1");
    return !text || here || (no && proxy_is_excepted(url, no)) ? NULL : text;
}
