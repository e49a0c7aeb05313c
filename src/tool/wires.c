/* SPDX-License-Identifier: MIT
 * wires.c - see wires.h. */
#include "tool/wires.h"
#include "tool/nearest.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Those that can only be listened on come last. */
static const char *const far[] = {"tcp", "unix", "udp", "unixgram", "tls", "ws", "wss", "http", "https", "quic", "any"};
enum { FAR = sizeof far / sizeof *far, FAR_DIALLED = FAR - 1 };

bool wire_is(const char *url, const char *scheme)
{
    size_t n = strlen(scheme);
    return url && !strncasecmp(url, scheme, n) && url[n] == ':';
}

bool wire_among(const char *url, const char *const *schemes)
{
    while (*schemes && !wire_is(url, *schemes))
        schemes++;
    return *schemes;
}

bool wire_is_tls(const char *url)
{
    static const char *const schemes[] = {"tls", "wss", "https", NULL};
    return wire_among(url, schemes);
}

bool wire_may_be_tls(const char *url)
{
    static const char *const schemes[] = {"any", "quic", NULL};
    return wire_is_tls(url) || wire_among(url, schemes);
}

bool wire_has_messages(const char *url)
{
    static const char *const schemes[] = {"udp", "unixgram", "ws", "wss", NULL};
    return wire_among(url, schemes);
}

bool wire_is_path(const char *url)
{
    static const char *const schemes[] = {"unix", "unixgram", NULL};
    return wire_among(url, schemes);
}

bool wire_is_local(const char *url)
{
    static const char *const schemes[] = {"stdio", "fd", "file", "exec", NULL};
    return wire_among(url, schemes);
}

const char *wire_scheme(const char *url)
{
    for (size_t i = 0; i < FAR; i++)
        if (wire_is(url, far[i]))
            return far[i];
    return NULL;
}

bool wire_can_be_dialled(const char *url)
{
    const char *scheme = wire_scheme(url);
    if (scheme)
        return scheme != far[FAR_DIALLED] && !strncmp(url + strlen(scheme), "://", 3);
    return wire_is_local(url);
}

const char *wire_nearest(const char *scheme, size_t n)
{
    char word[WORD_MAX];
    snprintf(word, sizeof word, "%.*s", (int)n, scheme);
    return n < sizeof word ? nearest(word, far, FAR) : NULL;
}

const char *wire_frame(const char *url, const char *frame)
{
    return wire_has_messages(url) ? NULL : frame;
}
