/* SPDX-License-Identifier: MIT
 * resolve.h - getaddrinfo in a few helper threads, a family each, so that nsswitch, .local and systemd names work and
 * no loop ever waits for them. */
#ifndef OS_RESOLVE_H
#define OS_RESOLVE_H
#include "os/addr.h"

enum { RESOLVE_MAX = 16 };
struct resolve {
    char host[256];
    int family; /* AF_INET or AF_INET6                               */
    int gai;    /* result: 0, or getaddrinfo's error                 */
    int error;  /* errno, where that was the cause                    */
    size_t count;
    struct addr found[RESOLVE_MAX];  /* port 0                                            */
    void (*done)(struct resolve *r); /* on a helper thread: only hand it on; r is yours   */
    struct resolve *next;
};
int resolve_start(struct resolve *r); /* 0, or DX_LIMIT: done will not come */
const char *resolve_text(int gai);
#endif
