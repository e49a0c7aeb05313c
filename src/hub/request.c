/* SPDX-License-Identifier: MIT
 * request.c - a request never becomes speech (docs/safe.md, rule 1). The sniffer sees to it where the bytes come at once or cut
 * behind the method; but an upper-case word and a pause is a word that somebody said, and only what follows shows that it
 * was the method. A Unix socket is not sniffed at all. */
#include "hub/inside.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 20 };

static bool begins(const char *p, size_t n, const char *s)
{
    return n >= strlen(s) && !strncasecmp(p, s, strlen(s));
}

/* The first word is all upper case, and then something that only a machine says. */
static bool is_protocol(const char *p, size_t n)
{
    size_t word = 0, line = n;
    const char *end = memchr(p, '\n', n);
    if (begins(p, n, "SSH-"))
        return true;
    while (word < n && p[word] >= 'A' && p[word] <= 'Z')
        word++;
    if (end)
        line = (size_t)(end - p);
    if (word < 3 || word > METHOD_MAX || word >= n || p[word] != ' ')
        return false;
    p += word + 1, line -= word + 1;
    return begins(p, line, "/") || begins(p, line, "*") || begins(p, line, "http") || begins(p, line, "TCP") ||
           begins(p, line, "UNKNOWN") || memmem(p, line, " HTTP/", 6);
}

static bool is_word(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 'A' || p[i] > 'Z')
            return false;
    return n > 0;
}

bool request_begins(struct member *m, const char *p, size_t n)
{
    size_t had = m->head ? strlen(m->head) : 0;
    char *all = malloc(had + n + 1);
    bool is;
    while (!had && n && (*p == '\r' || *p == '\n')) /* blank lines may stand before a request */
        p++, n--;
    if (!had && !n) {
        free(all);
        return false;
    }
    if (!all)
        return true; /* what cannot be looked at is not said */
    if (had)
        memcpy(all, m->head, had);
    memcpy(all + had, p, n);
    all[had + n] = 0;
    is = is_protocol(all, had + n);
    free(m->head);
    m->head = NULL;
    if (!is && had + n <= METHOD_MAX && is_word(all, had + n)) {
        m->head = all;
        return false;
    }
    free(all);
    m->spoke = true;
    return is;
}
