/* SPDX-License-Identifier: MIT
 * owner.h - who holds a taken address, read from /proc. */
#ifndef TOOL_OWNER_H
#define TOOL_OWNER_H
#include <stddef.h>

/* Writes "pid 1234 (nginx)" or, where the process is not ours to see, "a process of user root". url: any of tcp udp
 * ws http any and their like with a port, or unix. 1: found; 0: nobody, or /proc does not say; buf is "" then. */
int owner_of_port(const char *url, char *buf, size_t n);
#endif
