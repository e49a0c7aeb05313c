/* SPDX-License-Identifier: MIT */
#include "os/addr_dial.h"
#include "os/fd.h"
#include <errno.h>
#include <net/if.h>
#include <string.h>

bool addr_is_group(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return IN_MULTICAST(ntohl(a->v4.sin_addr.s_addr));
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->v6.sin6_addr);
}

bool addr_is_loose(const struct addr *a, const struct addr_how *how)
{
    return addr_is_group(a) || (how && how->broadcast && a->sa.sa_family == AF_INET);
}

unsigned addr_interface(struct bytes name)
{
    char s[IF_NAMESIZE];
    if (name.n == 0 || name.n >= sizeof s)
        return 0;
    memcpy(s, name.p, name.n);
    s[name.n] = 0;
    return if_nametoindex(s);
}

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int family_of(int fd)
{
    struct addr own;
    return addr_of_fd(fd, false, &own) ? own.sa.sa_family : AF_UNSPEC;
}

int addr_set_hops(int fd, int hops)
{
    bool v6 = family_of(fd) == AF_INET6;
    int type = 0, r = v6 ? set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops) : set(fd, IPPROTO_IP, IP_TTL, hops);
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof type});
    if (r == 0 && type == SOCK_DGRAM)
        r = v6 ? set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops) : set(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
    return r;
}

int addr_join_group(int fd, const struct addr *group, unsigned interface)
{
    int r;
    if (family_of(fd) != group->sa.sa_family)
        return -EAFNOSUPPORT;
    if (group->sa.sa_family == AF_INET) {
        struct ip_mreqn m = {.imr_multiaddr = group->v4.sin_addr, .imr_ifindex = (int)interface};
        r = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) < 0 ? -errno : 0;
        return r ? r : set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    }
    struct ipv6_mreq m = {group->v6.sin6_addr, interface ? interface : group->v6.sin6_scope_id};
    r = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m) < 0 ? -errno : 0;
    if (r == 0)
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0); /* an older kernel has no such thing */
    return r;
}

/* ---- dialling ---- */

static int bind_source(int fd, const struct addr *from, int family, int type)
{
    if (from->sa.sa_family != family)
        return -EAFNOSUPPORT;
    if (addr_port(from))
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else if (type == SOCK_STREAM)
        set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); /* the port is chosen when the peer is known */
    return bind(fd, &from->sa, from->n) < 0 ? -errno : 0;
}

static int send_by(int fd, int family, unsigned interface)
{
    struct ip_mreqn m = {.imr_ifindex = (int)interface};
    if (family == AF_INET6)
        return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface);
    return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m) < 0 ? -errno : 0;
}

static int prepare(int fd, const struct addr *a, int type, const struct addr_how *how)
{
    int family = a->sa.sa_family, r = 0;
    struct addr any;
    if (how->from.n)
        r = bind_source(fd, &how->from, family, type);
    if (r == 0 && how->hops)
        r = addr_set_hops(fd, how->hops);
    if (r == 0 && how->broadcast && type == SOCK_DGRAM)
        r = set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (r == 0 && how->interface && type == SOCK_DGRAM)
        r = send_by(fd, family, how->interface);
    if (r < 0 || how->from.n || type != SOCK_DGRAM || !addr_is_loose(a, how))
        return r;
    addr_any(family, 0, &any);
    return bind(fd, &any.sa, any.n) < 0 ? -errno : 0;
}

int addr_dial(const struct addr *a, int type, const struct addr_how *how)
{
    static const struct addr_how nothing;
    int family = a->sa.sa_family;
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    how = how ? how : &nothing;
    if (type == SOCK_STREAM)
        addr_tune(fd, family);
    else if (family == AF_UNIX) /* an abstract name made by the kernel: else the other side could not answer */
        bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t));
    int r = family == AF_UNIX ? 0 : prepare(fd, a, type, how);
    bool loose = type == SOCK_DGRAM && addr_is_loose(a, how);
    if (r == 0 && !loose && connect(fd, &a->sa, a->n) < 0 && errno != EINPROGRESS)
        r = -errno;
    if (r == 0)
        return fd;
    os_fd_close(fd);
    return r;
}
