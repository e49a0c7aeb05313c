/* SPDX-License-Identifier: MIT
 * lan.c - the addresses by which others may reach this machine, and a key for them. */
#include "tool/lan.h"
#include "tool/wires.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static bool text_of(const struct sockaddr *a, char *ret, size_t room)
{
    char s[INET6_ADDRSTRLEN];
    if (a->sa_family == AF_INET) {
        const struct in_addr *in = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
        if ((ntohl(in->s_addr) >> 16) == 0xa9fe)
            return false;
        snprintf(ret, room, "%s", inet_ntop(AF_INET, in, s, sizeof(s)));
        return true;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(in6))
        return false; /* a browser cannot name its interface */
    snprintf(ret, room, "[%s]", inet_ntop(AF_INET6, in6, s, sizeof(s)));
    return true;
}

static void find_family(const struct ifaddrs *all, int family, struct lan *ret)
{
    for (const struct ifaddrs *i = all; i && ret->count < LAN_ADDRESSES_MAX; i = i->ifa_next) {
        char host[64];
        bool seen = false;
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP) ||
            !text_of(i->ifa_addr, host, sizeof(host)) || !strncmp(host, "127.", 4) || !strcmp(host, "[::1]"))
            continue;
        for (int k = 0; k < ret->count; k++)
            seen |= !strcmp(ret->host[k], host);
        if (!seen)
            memcpy(ret->host[ret->count++], host, sizeof(host));
    }
}

void lan_find(struct lan *ret)
{
    struct ifaddrs *all;
    ret->count = 0;
    if (getifaddrs(&all) < 0)
        return;
    find_family(all, AF_INET, ret);
    find_family(all, AF_INET6, ret);
    freeifaddrs(all);
}

bool lan_make_key(char ret[LAN_KEY_CHARS + 1])
{
    static const char digits[] = "abcdefghjkmnpqrstuvwxyz123456789"; /* 32: no i, l, o, 0 */
    uint8_t random[LAN_KEY_CHARS];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    for (int i = 0; i < LAN_KEY_CHARS; i++)
        ret[i] = digits[random[i] & 31];
    ret[LAN_KEY_CHARS] = 0;
    return true;
}

bool lan_is_beyond(const char *url)
{
    const char *p = strstr(url, "://");
    size_t n;
    struct in_addr in;
    char host[64];
    if (!p || wire_is_path(url))
        return false;
    p += 3;
    n = *p == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/?#");
    if (n >= sizeof(host))
        return true;
    memcpy(host, p, n);
    host[n] = 0;
    if (!strcmp(host, "[::1]") || !strcmp(host, "localhost"))
        return false;
    return inet_pton(AF_INET, host, &in) != 1 || ntohl(in.s_addr) >> 24 != 127;
}
