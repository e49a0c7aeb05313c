/* SPDX-License-Identifier: MIT
 * addr_dial.h - sockets that dial, and what datagram sockets may have said about them: source, hops, groups. */
#ifndef OS_ADDR_DIAL_H
#define OS_ADDR_DIAL_H
#include "os/addr.h"

struct addr_how {
    struct addr from;       /* the source to bind to; n 0: the system's choice           */
    int hops;               /* TTL or hop limit of what we send; 0: the system's          */
    bool broadcast;         /* datagrams may go to a broadcast address                    */
    unsigned interface;     /* by which multicast leaves; 0: as routes say                */
};
/* A socket whose connect has begun or is done, or -errno. how NULL: nothing said. A datagram socket to a group or, with
 * how->broadcast, to any address is bound and not connected, so that whoever answers is heard: addr_is_loose. */
int addr_dial(const struct addr *a, int type, const struct addr_how *how);
bool addr_is_loose(const struct addr *a, const struct addr_how *how);
bool addr_is_group(const struct addr *a);
unsigned addr_interface(struct bytes name); /* its index; 0: no such one */
/* The socket becomes a member of the group, on that interface (0: as routes say), and hears no groups but its own. 0 or -errno;
 * -EAFNOSUPPORT: the socket is of another family. */
int addr_join_group(int fd, const struct addr *group, unsigned interface);
int addr_set_hops(int fd, int hops); /* of unicast and multicast; 0 or -errno */
#endif
