/* SPDX-License-Identifier: MIT
 * addr.h - socket addresses, and sockets set up the house's way: non-blocking, close-on-exec, TCP_NODELAY. */
#ifndef OS_ADDR_H
#define OS_ADDR_H
#include "base/url.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
        struct sockaddr_storage any;
    };
    socklen_t n;
};
enum { ADDR_TEXT_MAX = 160 };

/* A literal ("127.0.0.1", "::1", "fe80::1%eth0"); false: it is a name. */
bool addr_literal(struct bytes host, int port, struct addr *ret);
int addr_unix(struct bytes path, struct addr *ret, dx_err *err); /* "@name" is abstract; DX_URL: too long or empty */
void addr_any(int family, int port, struct addr *ret);
void addr_loopback(int family, int port, struct addr *ret);
int addr_port(const struct addr *a);
void addr_set_port(struct addr *a, int port);
bool addr_is_loopback(const struct addr *a); /* 127/8, ::1, the same mapped into v6, unix */
bool addr_is_wild(const struct addr *a);
bool addr_is_reflector(const struct addr *a); /* a source no datagram may be answered to (udp.h) */
/* "scheme://127.0.0.1:80", "unix:///path"; an unnamed unix peer is "unix://". A mapped v4 shows as v4. */
const char *addr_url(const char *scheme, const struct addr *a, const char *path, char *ret, size_t ret_n);
bool addr_of_fd(int fd, bool peer, struct addr *ret);

/* A socket bound to *a, which becomes the address it got; listening if type is a stream. The first socket binds without
 * SO_REUSEPORT, so that a second server fails loudly. A unix path whose server is dead is replaced; 0600. >= 0 the fd, or code with *err filled. */
int addr_listen(struct addr *a, int type, int backlog, bool v6only, const char *url, dx_err *err);
/* One more socket on the address of this listening or bound one, for another loop (a unix one: the same again). >= 0 the fd, or
 * an enum dx_code. */
int addr_join(int fd, int backlog);
void addr_tune(int fd, int family);            /* a fresh TCP socket: TCP_NODELAY, keep-alive            */
bool addr_tune_datagrams(int fd);              /* big buffers; true: UDP datagrams arrive joined (GRO)  */
void addr_linger_reset(int fd, bool on);       /* the next close is a reset, the one of our death too     */
#endif
