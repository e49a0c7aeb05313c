/* SPDX-License-Identifier: MIT
 * retry.c - see retry.h. */
#include "tool/retry.h"
#include <errno.h>

int64_t retry_wait_ms(struct retry *r, uint32_t chance)
{
    if (!r->on || (r->tries_max && r->tries >= r->tries_max))
        return -1;
    int64_t ms = RETRY_FIRST_MS;
    for (int64_t i = 0; i < r->tries && ms < RETRY_MAX_MS; i++)
        ms *= 2;
    if (ms > RETRY_MAX_MS)
        ms = RETRY_MAX_MS;
    r->tries++;
    return ms / 2 + (int64_t)chance % (ms / 2 + 1);
}

void retry_stood(struct retry *r)
{
    r->tries = 0;
}

bool retry_helps(const dx_err *why)
{
    switch (why->code) {
    case DX_REFUSED:
    case DX_RESET:
    case DX_TIMEOUT:
    case DX_RESOLVE:
    case DX_TRUNCATED:
    case DX_END:
        return true;
    case DX_SYS:
        return why->detail == EHOSTUNREACH || why->detail == ENETUNREACH || why->detail == ENETDOWN ||
               why->detail == ECONNREFUSED || why->detail == ECONNRESET || why->detail == EPIPE ||
               why->detail == ETIMEDOUT || why->detail == ECONNABORTED;
    default:
        return false;
    }
}
