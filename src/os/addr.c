/* SPDX-License-Identifier: MIT */
#include "os/addr.h"
#include "base/err.h"
#include "os/fd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool addr_literal(struct bytes host, int port, struct addr *ret)
{
    char s[64];
    if (host.n == 0 || host.n >= sizeof s)
        return false;
    memcpy(s, host.p, host.n);
    s[host.n] = 0;
    *ret = (struct addr){0};
    if (inet_pton(AF_INET, s, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->n = sizeof ret->v4;
    } else {
        char *zone = strchr(s, '%');
        if (zone)
            *zone++ = 0;
        if (inet_pton(AF_INET6, s, &ret->v6.sin6_addr) != 1)
            return false;
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_scope_id = zone ? if_nametoindex(zone) : 0;
        ret->n = sizeof ret->v6;
    }
    addr_set_port(ret, port);
    return true;
}

int addr_unix(struct bytes path, struct addr *ret, dx_err *err)
{
    *ret = (struct addr){.un = {.sun_family = AF_UNIX}};
    if (path.n == 0)
        return err_set(err, DX_URL, "a unix URL needs a path: unix:///run/x.sock");
    if (path.n >= sizeof ret->un.sun_path)
        return err_set(err, DX_URL, "the unix path has %zu bytes; %zu fit", path.n, sizeof ret->un.sun_path - 1);
    memcpy(ret->un.sun_path, path.p, path.n);
    ret->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    if (path.p[0] == '@') {
        ret->un.sun_path[0] = 0;
        ret->n--; /* an abstract name is counted, not NUL-ended */
    }
    return 0;
}

void addr_any(int family, int port, struct addr *ret)
{
    *ret = (struct addr){.sa = {.sa_family = (sa_family_t)family}};
    ret->n = family == AF_INET ? sizeof ret->v4 : sizeof ret->v6;
    addr_set_port(ret, port);
}

void addr_loopback(int family, int port, struct addr *ret)
{
    addr_any(family, port, ret);
    if (family == AF_INET)
        ret->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ret->v6.sin6_addr = in6addr_loopback;
}

int addr_port(const struct addr *a)
{
    return a->sa.sa_family == AF_INET    ? ntohs(a->v4.sin_port)
           : a->sa.sa_family == AF_INET6 ? ntohs(a->v6.sin6_port)
                                         : 0;
}

void addr_set_port(struct addr *a, int port)
{
    if (a->sa.sa_family == AF_INET)
        a->v4.sin_port = htons((uint16_t)port);
    else if (a->sa.sa_family == AF_INET6)
        a->v6.sin6_port = htons((uint16_t)port);
}

/* The v4 address, also of a mapped one, in host order; false: a real v6 or unix. */
static bool v4_of(const struct addr *a, uint32_t *ret)
{
    if (a->sa.sa_family == AF_INET) {
        *ret = ntohl(a->v4.sin_addr.s_addr);
        return true;
    }
    if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        return false;
    memcpy(ret, a->v6.sin6_addr.s6_addr + 12, 4);
    *ret = ntohl(*ret);
    return true;
}

bool addr_is_loopback(const struct addr *a)
{
    uint32_t v4;
    if (v4_of(a, &v4))
        return v4 >> 24 == 127;
    if (a->sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return a->sa.sa_family == AF_UNIX;
}

bool addr_is_wild(const struct addr *a)
{
    uint32_t v4;
    if (v4_of(a, &v4))
        return v4 == 0;
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

bool addr_is_reflector(const struct addr *a)
{
    static const uint16_t services[] = {7, 13, 17, 19, 37, 53, 69, 123, 161, 1900, 5353, 11211};
    uint32_t v4;
    int port = addr_port(a);
    if (a->sa.sa_family == AF_UNIX)
        return false;
    if (port == 0)
        return true;
    if (v4_of(a, &v4) && (v4 >> 28 == 14 || v4 == 0xffffffff || v4 == 0))
        return true;
    if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->v6.sin6_addr))
        return true;
    if (addr_is_loopback(a))
        return false;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (port == services[i])
            return true;
    return false;
}

const char *addr_url(const char *scheme, const struct addr *a, const char *path, char *ret, size_t ret_n)
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = "?";
    uint32_t v4;
    if (a->sa.sa_family == AF_UNIX) {
        size_t n = a->n > offsetof(struct sockaddr_un, sun_path) ? a->n - offsetof(struct sockaddr_un, sun_path) : 0;
        if (n && a->un.sun_path[0] == 0)
            snprintf(ret, ret_n, "%s://@%.*s", scheme, (int)n - 1, a->un.sun_path + 1);
        else
            snprintf(ret, ret_n, "%s://%.*s", scheme, (int)n, n ? a->un.sun_path : "");
        return ret;
    }
    if (v4_of(a, &v4)) {
        inet_ntop(AF_INET, &(struct in_addr){htonl(v4)}, host, sizeof host);
        snprintf(ret, ret_n, "%s://%s:%d%s", scheme, host, addr_port(a), path);
        return ret;
    }
    inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
    char zone[IF_NAMESIZE + 1] = "";
    if (a->v6.sin6_scope_id && if_indextoname(a->v6.sin6_scope_id, zone + 1))
        zone[0] = '%';
    snprintf(ret, ret_n, "%s://[%s%s]:%d%s", scheme, host, zone, addr_port(a), path);
    return ret;
}

bool addr_of_fd(int fd, bool peer, struct addr *ret)
{
    *ret = (struct addr){.n = sizeof ret->any};
    return (peer ? getpeername : getsockname)(fd, &ret->sa, &ret->n) == 0;
}

/* ---- sockets ---- */

void addr_tune(int fd, int family)
{
    if (family != AF_INET && family != AF_INET6)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
}

bool addr_tune_datagrams(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4 << 20}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){4 << 20}, sizeof(int));
    return setsockopt(fd, SOL_UDP, UDP_GRO, &(int){1}, sizeof(int)) == 0;
}

void addr_linger_reset(int fd, bool on)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = on}, sizeof(struct linger));
}

/* A socket file that nobody answers at is what a killed server left behind. */
static bool unlink_dead(const struct addr *a, int type)
{
    struct stat st;
    if (a->un.sun_path[0] == 0 || lstat(a->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead = fd >= 0 && connect(fd, &a->sa, a->n) < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return dead && unlink(a->un.sun_path) == 0;
}

/* Binds; 0 or the errno. */
static int bind_error(int fd, const struct addr *a)
{
    bool path = a->sa.sa_family == AF_UNIX;
    mode_t old = path ? umask(0177) : 0;
    int error = bind(fd, &a->sa, a->n) < 0 ? errno : 0;
    if (path)
        umask(old);
    return error;
}

static void set_up(int fd, int family, int type, bool v6only)
{
    if (family == AF_UNIX)
        return;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){v6only}, sizeof(int));
}

int addr_listen(struct addr *a, int type, int backlog, bool v6only, const char *url, dx_err *err)
{
    int family = a->sa.sa_family;
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, 0, errno, "listen %s", url);
    set_up(fd, family, type, v6only);
    int error = bind_error(fd, a);
    if (error == EADDRINUSE && family == AF_UNIX && unlink_dead(a, type))
        error = bind_error(fd, a);
    if (!error && type == SOCK_STREAM && listen(fd, backlog) < 0)
        error = errno;
    if (error) {
        close(fd);
        return err_sys(err, error == EADDRINUSE ? DX_BUSY : 0, error, "listen %s", url);
    }
    addr_of_fd(fd, false, a);
    return fd;
}

int addr_join(int fd, int backlog)
{
    struct addr a;
    int type, v6only = 0, one = 1;
    if (!addr_of_fd(fd, false, &a) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof type}) < 0)
        return DX_SYS;
    if (a.sa.sa_family == AF_UNIX) {
        int same = os_fd_dup(fd);
        return same < 0 ? err_code_of_errno(errno) : same;
    }
    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &(socklen_t){sizeof v6only});
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    int own = socket(a.sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (own < 0)
        return err_code_of_errno(errno);
    set_up(own, a.sa.sa_family, type, v6only);
    setsockopt(own, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(own, &a.sa, a.n) == 0 && (type != SOCK_STREAM || listen(own, backlog) == 0))
        return own;
    int error = errno;
    close(own);
    return err_code_of_errno(error);
}
