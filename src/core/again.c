/* SPDX-License-Identifier: MIT
 * again.c - when to dial again, and whether: exponential backoff with jitter (RFC 6455 7.2.3, and as good for any other wire). */
#include "os/clock.h"
#include <duplex/duplex.h>
#include <errno.h>

enum { FIRST_MS = 250, MOST_MS = 30000, GOING_AWAY = 1001, RESTARTS = 1012, TRY_LATER = 1013 };

int64_t dx_again_ms(dx_again *a)
{
    int64_t ms = a->first_ms > 0 ? a->first_ms : FIRST_MS, most = a->most_ms > 0 ? a->most_ms : MOST_MS;
    uint32_t chance = 0;
    os_random(&chance, sizeof chance);
    for (int64_t i = 0; i < a->tries && ms < most; i++)
        ms *= 2;
    if (ms > most)
        ms = most;
    a->tries++;
    return ms / 2 + (int64_t)chance % (ms / 2 + 1);
}

static bool passes(int error)
{
    switch (error) {
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT:
    case EPIPE:
        return true;
    default:
        return false;
    }
}

/* Codes of a WebSocket's Close, and statuses of HTTP, by which a server says that it is for now. */
static bool is_for_now(const dx_err *why)
{
    if (why->detail_of == DX_OF_WS)
        return why->detail == GOING_AWAY || why->detail == RESTARTS || why->detail == TRY_LATER;
    return why->detail_of == DX_OF_HTTP &&
           (why->detail == 408 || why->detail == 429 || why->detail == 502 || why->detail == 503 || why->detail == 504);
}

bool dx_again_helps(const dx_err *why)
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
        return passes(why->detail);
    default:
        return is_for_now(why);
    }
}
