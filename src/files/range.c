/* SPDX-License-Identifier: MIT
 * range.c - the Range field (RFC 9110 14.1.2). What does not read, and what asks for more than there is in many pieces, is as if it
 * were not there: the whole file is a right answer too. */
#include "files/inside.h"
#include <string.h>
#include <strings.h>

/* Digits as a number; one that does not fit is a very large one. false: no digit. */
static bool number(const char **p, const char *end, int64_t *ret)
{
    const char *from = *p;
    *ret = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
        *ret = *ret > INT64_MAX / 10 - 9 ? INT64_MAX / 10 - 9 : *ret * 10 + (**p - '0');
    return *p > from;
}

/* One of them: 1 it can be had, 0 it lies behind the end, -1 it does not read; n 0 of what can be had: the end of an empty file. */
static int one(const char **p, const char *end, int64_t size, struct range *ret)
{
    int64_t first, last;
    if (*p < end && **p == '-') { /* the last n bytes */
        ++*p;
        if (!number(p, end, &last))
            return -1;
        first = last > size ? 0 : size - last;
        *ret = (struct range){first, size - first};
        return last > 0;
    }
    if (!number(p, end, &first) || *p == end || **p != '-')
        return -1;
    ++*p;
    if (!number(p, end, &last))
        last = INT64_MAX - 1;
    else if (last < first)
        return -1;
    if (first >= size)
        return 0;
    last = last < size - 1 ? last : size - 1;
    *ret = (struct range){first, last - first + 1};
    return 1;
}

int range_read(dx_bytes field, int64_t size, struct range ret[RANGES_MAX])
{
    const char *p = field.p, *end = p + field.n;
    int count = 0;
    bool rests = false;
    int64_t sum = 0;
    if (!p || field.n < 7 || strncasecmp(p, "bytes=", 6) != 0)
        return 0;
    p += 6;
    for (;;) {
        struct range r;
        while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
            p++;
        if (p == end)
            break;
        int got = one(&p, end, size, &r);
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (got < 0 || (p < end && *p != ','))
            return 0;
        if (!got)
            continue;
        rests |= r.n == 0; /* the last bytes of nothing are had by who gets all of it: RFC 9110 14.1.2 */
        if (r.n == 0)
            continue;
        if (count == RANGES_MAX)
            return 0;
        ret[count++] = r;
        sum += r.n;
    }
    if (count > 1 && sum > size)
        return 0;
    return count ? count : rests ? 0 : -1;
}
