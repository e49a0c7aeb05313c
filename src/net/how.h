/* SPDX-License-Identifier: MIT
 * how.h - what a URL's fragment says of the socket that dials it: #bind=ADDR:PORT #ttl=N #broadcast #interface=NAME. */
#ifndef NET_HOW_H
#define NET_HOW_H
#include "os/addr_dial.h"

/* 0, or DX_URL with words. text: the URL, for them. */
int how_read(const struct url *u, const char *text, struct addr_how *ret, dx_err *err);
#endif
