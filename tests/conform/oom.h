/* SPDX-License-Identifier: MIT
 * oom.h - allocations that fail on purpose. */
#ifndef OOM_H
#define OOM_H
#include <stdbool.h>
#include <stddef.h>

void oom_arm(int nth); /* the nth allocation from now on fails, once; 0: none does */
bool oom_came(void);   /* has it failed?                                           */
void *sure_calloc(size_t n);
void *sure_realloc(void *p, size_t n);
#endif
