/* SPDX-License-Identifier: MIT
 * wires.c - see wires.h. */
#include "tool/wires.h"
#include <string.h>
#include <strings.h>

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
