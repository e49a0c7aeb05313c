/* SPDX-License-Identifier: MIT
 * talk_pass.c - see talk_inside.h. Bytes from pipe to socket and back, spliced by the library where both can: docs/why/dial.md. */
#include "tool/talk_inside.h"

bool talk_sees_nothing(const struct talk *t)
{
    const struct manner *m = &t->manner;
    bool bytes = t->feed.stream && !t->feed.framer && !t->line_end.n;
    bool ends = t->typed || t->shown || t->once || t->retry.on || t->from_option; /* retry: another conn will follow */
    bool options = m->every_ms || m->wait_for || m->log.path || m->out.coding || manner_views(m);
    return bytes && !ends && !options;
}

int talk_pass(dx_conn *from, dx_conn *to, const void *data, size_t n)
{
    int r = dx_pass(from, to, data, n);
    if (r > 0)
        dx_pause(from, true);
    return r >= 0 ? 1 : r == DX_CLOSED || r == DX_STATE ? 0 : r;
}
