/* SPDX-License-Identifier: MIT
 * bucket.c - tokens, and hashes of the last answers. */
#include "tool/bucket.h"

static uint32_t hash(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t h = 2166136261u ^ (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

static bool was_said(const struct bucket *b, const void *came, size_t n)
{
    uint32_t h = hash(came, n);
    unsigned count = b->said_n < BUCKET_SAID ? b->said_n : BUCKET_SAID;
    for (unsigned i = 0; i < count; i++)
        if (b->said[i] == h)
            return true;
    return false;
}

bool bucket_take(struct bucket *b, const void *came, size_t n, bool loopback, int64_t now_ms)
{
    if (loopback && !was_said(b, came, n))
        return true;
    int64_t back = (now_ms - b->at_ms) * BUCKET_PER_S;
    b->spent_milli = b->spent_milli > back ? b->spent_milli - back : 0;
    b->at_ms = now_ms;
    if (b->spent_milli + 1000 > (int64_t)BUCKET_TOKENS_MAX * 1000)
        return false;
    b->spent_milli += 1000;
    return true;
}

void bucket_said(struct bucket *b, const void *answer, size_t n)
{
    b->said[b->said_n % BUCKET_SAID] = hash(answer, n);
    b->said_n = b->said_n == BUCKET_SAID * 2 - 1 ? BUCKET_SAID : b->said_n + 1;
}
