/* SPDX-License-Identifier: MIT
 * engine_inside.h - what engine.c, engine_send.c and engine_take.c share, and nobody else. */
#ifndef OS_ENGINE_INSIDE_H
#define OS_ENGINE_INSIDE_H
#include "os/engine.h"

enum { ARM_IN = 1, ARM_OUT = 2 };
void engine_arm(struct os_engine *e, struct os_port *p, uint8_t what); /* what epoll is to tell of it from now on */
void engine_take(struct os_engine *e, struct os_port *p);              /* it can be read: to its ops */
#endif
