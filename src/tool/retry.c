/* SPDX-License-Identifier: MIT
 * retry.c - see retry.h. */
#include "tool/retry.h"

int64_t retry_wait_ms(struct retry *r)
{
    return r->on && (!r->tries_max || r->again.tries < r->tries_max) ? dx_again_ms(&r->again) : -1;
}

void retry_stood(struct retry *r)
{
    r->again.tries = 0;
}
