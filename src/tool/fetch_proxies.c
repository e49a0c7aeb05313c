/* SPDX-License-Identifier: MIT
 * fetch_proxies.c - http_proxy, https_proxy, all_proxy and no_proxy, as curl, Go and Python read them. Names in small letters come first. */
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* The host of a URL, and behind it ":PORT" where that is said. */
static size_t host_of(const char *url, const char **ret, const char **ret_port)
{
    const char *p = strstr(url, "://");
    p = p ? p + 3 : url;
    size_t all = strcspn(p, "/?#"), n = 0;
    if (*p == '[') {
        p++;
        n = strcspn(p, "]");
        *ret_port = n + 1 < all && p[n + 1] == ':' ? p + n + 2 : NULL;
    } else {
        n = strcspn(p, ":/?#");
        *ret_port = n < all ? p + n + 1 : NULL;
    }
    *ret = p;
    return n;
}

/* One word of no_proxy: "a.example" is that and all below it, ".a.example" and "*.a.example" too; ":8080" behind it is for that port. */
static bool names(const char *word, size_t n, const char *host, size_t host_n, int port)
{
    const char *colon = n && word[0] != '[' ? memrchr(word, ':', n) : NULL;
    if (colon && memchr(word, ':', n) == colon) {
        if (atoi(colon + 1) != port)
            return false;
        n = (size_t)(colon - word);
    }
    if (n > 1 && word[0] == '[' && memchr(word, ']', n)) {
        word++;
        n = (size_t)((const char *)memchr(word, ']', n) - word);
    }
    if (n && word[0] == '*' && n > 1) {
        word++;
        n--;
    }
    if (n && word[0] == '.') {
        word++;
        n--;
    }
    return n && host_n >= n && !strncasecmp(host + host_n - n, word, n) && (host_n == n || host[host_n - n - 1] == '.');
}

bool proxy_is_excepted(const char *url, const char *no_proxy)
{
    const char *host, *port_text;
    size_t host_n = host_of(url, &host, &port_text);
    int port = port_text ? atoi(port_text) : wire_is(url, "https") ? 443 : 80;
    for (const char *p = no_proxy; *p;) {
        p += strspn(p, ", \t");
        size_t n = strcspn(p, ", \t");
        if ((n == 1 && *p == '*') || names(p, n, host, host_n, port))
            return true;
        p += n;
    }
    return false;
}

/* What is on this machine no proxy can reach for us. */
static bool is_here(const char *url)
{
    return proxy_is_excepted(url, "localhost, [::1]") ||
           !strncmp(strstr(url, "://") ? strstr(url, "://") + 3 : url, "127.", 4);
}

bool proxy_split(const char *text, char proxy[FETCH_PROXY], char login[FETCH_PROXY], char words[FETCH_WORDS])
{
    const char *p = strstr(text, "://");
    size_t scheme = p ? (size_t)(p - text) : 0;
    if (p && (scheme != 4 || strncasecmp(text, "http", 4) != 0)) {
        snprintf(words, FETCH_WORDS, "a proxy of kind %.*s:// is not in this build: http:// ones are",
                 scheme < 40 ? (int)scheme : 40, text);
        return false;
    }
    p = p ? p + 3 : text;
    size_t n = strcspn(p, "/?#");
    const char *at = n ? memrchr(p, '@', n) : NULL;
    *login = 0;
    if (at && (size_t)(at - p) < FETCH_PROXY)
        snprintf(login, FETCH_PROXY, "%.*s", (int)(at - p), p);
    if (at) {
        n -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    if (n == 0 || n > FETCH_PROXY - 16) {
        snprintf(words, FETCH_WORDS, "the proxy's address does not read.  Try: http://HOST:PORT");
        return false;
    }
    snprintf(proxy, FETCH_PROXY, "http://%.*s", (int)n, p);
    return true;
}

bool proxy_for(const char *url, char proxy[FETCH_PROXY], char login[FETCH_PROXY], char words[FETCH_WORDS])
{
    const char *text = env_of(wire_is(url, "https") ? "https_proxy" : "http_proxy");
    const char *no = env_of("no_proxy");
    *proxy = *login = 0;
    text = text ? text : env_of("all_proxy");
    if (!text || (no && proxy_is_excepted(url, no)) || is_here(url))
        return true;
    char why[FETCH_WORDS];
    if (proxy_split(text, proxy, login, why))
        return true;
    snprintf(words, FETCH_WORDS, "the environment: %.300s.  Try: --proxy '' for none", why);
    return false;
}
