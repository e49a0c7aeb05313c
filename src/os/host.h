/* SPDX-License-Identifier: MIT
 * host.h - who this machine is, and whose home this is. */
#ifndef OS_HOST_H
#define OS_HOST_H
#include <stddef.h>

/* 0 or errno. */
int os_host_name(char *ret, size_t room);
/* The home of who runs this: $HOME, else what the system's list of users says. 0 or errno (ENOENT: there is none). */
int os_home(char *ret, size_t room);
/* Calls fn with each address of each interface that is up: "10.0.0.1", "::1". Not with IPv6 link-local ones: without their
 * interface they name nobody. fn returns < 0 to end it, and so does this. 0, or errno. */
int os_host_addresses(int (*fn)(void *arg, const char *address), void *arg);
#endif
