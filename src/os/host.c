/* SPDX-License-Identifier: MIT */
#include "os/host.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int os_host_name(char *ret, size_t room)
{
    if (gethostname(ret, room) < 0)
        return errno;
    ret[room - 1] = '\0';
    return 0;
}

int os_home(char *ret, size_t room)
{
    char strings[4096];
    struct passwd pw, *found = NULL;
    const char *home = getenv("HOME");
    if (!home || !*home) {
        int error = getpwuid_r(geteuid(), &pw, strings, sizeof strings, &found);
        if (!found)
            return error ? error : ENOENT;
        home = pw.pw_dir;
    }
    if (!home || !*home)
        return ENOENT;
    return (size_t)snprintf(ret, room, "%s", home) < room ? 0 : ENAMETOOLONG;
}

/* NULL: an address that is not told. */
static const char *text_of(const struct sockaddr *a, char text[INET6_ADDRSTRLEN])
{
    if (a && a->sa_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, text, INET6_ADDRSTRLEN);
    if (!a || a->sa_family != AF_INET6)
        return NULL;
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    return IN6_IS_ADDR_LINKLOCAL(in6) ? NULL : inet_ntop(AF_INET6, in6, text, INET6_ADDRSTRLEN);
}

int os_host_addresses(int (*fn)(void *arg, const char *address), void *arg)
{
    struct ifaddrs *all;
    char text[INET6_ADDRSTRLEN];
    int r = 0;
    if (getifaddrs(&all) < 0)
        return errno;
    for (const struct ifaddrs *i = all; i && r >= 0; i = i->ifa_next) {
        const char *address = i->ifa_flags & IFF_UP ? text_of(i->ifa_addr, text) : NULL;
        r = address ? fn(arg, address) : 0;
    }
    freeifaddrs(all);
    return r < 0 ? r : 0;
}
