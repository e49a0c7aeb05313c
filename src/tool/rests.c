/* SPDX-License-Identifier: MIT
 * rests.c - see rests.h. The library counts how often accepting rested; here the count is looked at. */
#include "tool/rests.h"
#include "tool/tool.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RESERVE = 32 }; /* what the library keeps for files and dials, and some that have come free meanwhile */

/* Descriptors are given lowest first: a spare one shows how far up the table is full. */
static bool near_the_end(int64_t most)
{
    int spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (spare >= 0)
        close(spare);
    return spare < 0 || spare >= most - 2 * RESERVE;
}

static void tell(const struct rests *r)
{
    char words[200];
    struct rlimit most = {0};
    getrlimit(RLIMIT_NOFILE, &most);
    int64_t n = (int64_t)most.rlim_cur;
    if (most.rlim_cur != RLIM_INFINITY && near_the_end(n))
        snprintf(words, sizeof words,
                 "new clients wait: the %" PRId64 " descriptors of this process are used up.  Try: ulimit -n %" PRId64,
                 n, n < 1024 ? 4096 : 4 * n);
    else
        snprintf(words, sizeof words, "new clients wait: the system has no descriptors or no memory for them");
    if (r->say)
        r->say(r->arg, words);
    else
        tool_say("%s", words);
}

static void look(void *arg)
{
    struct rests *r = arg;
    int64_t now = dx_loop_now(r->loop), count = dx_loop_count(r->loop, DX_COUNT_ACCEPT_RESTS);
    if (count != r->seen && (!r->said_ms || now - r->said_ms >= RESTS_MS)) {
        tell(r);
        r->said_ms = now;
    }
    r->seen = count;
    r->timer = dx_loop_after(r->loop, RESTS_LOOK_MS, look, r);
}

void rests_watch(struct rests *r, dx_loop *loop)
{
    r->loop = loop;
    r->timer = dx_loop_after(loop, RESTS_LOOK_MS, look, r);
}

void rests_stop(struct rests *r)
{
    if (r->timer > 0)
        dx_loop_cancel(r->loop, r->timer);
    r->timer = 0;
}
