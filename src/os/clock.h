/* SPDX-License-Identifier: MIT
 * clock.h - time and chance: the loop asks here and hands them on as arguments. */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H
#include <stddef.h>
#include <stdint.h>

int64_t os_now_ms(void);             /* CLOCK_MONOTONIC            */
void os_random(void *ret, size_t n); /* getrandom                  */
size_t os_memory_total(void);        /* bytes of this machine      */
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), good until the next call of this thread; made once a second. */
enum { HTTP_DATE_N = 29 };
const char *os_http_date(void);
#endif
