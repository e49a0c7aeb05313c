/* SPDX-License-Identifier: MIT
 * talk_wait.c - see talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { LOOK_MS = 100 }; /* so often: were we told to stop? */

/* ---- --wait-for ---- */

void talk_unmet(struct talk *t, const char *when)
{
    char text[200];
    snprintf(text, sizeof text, "'%.100s' did not come %s", t->manner.wait_for, when);
    talk_failed(t, TOOL_UNMET, text);
}

static void within_over(dx_conn *c)
{
    struct talk *t = dx_user(c);
    char when[60];
    snprintf(when, sizeof when, "within %.3g s", (double)t->manner.within_ms / 1000);
    if (!t->met && c == t->wire)
        talk_unmet(t, when);
}

int talk_wait(struct talk *t, dx_conn *c)
{
    return t->manner.wait_for && dx_after(c, t->manner.within_ms, within_over) < 0 ? DX_NOMEM : 0;
}

void talk_look_for(struct talk *t, dx_bytes data, bool whole)
{
    if (!t->manner.wait_for || t->met || !manner_met(&t->manner, data, whole))
        return;
    t->met = true;
    talk_over(t);
}

/* ---- --json and --checksum ---- */

/* Who is told to stop does not wait for a reader that rests. */
static bool stdout_takes(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (poll(&out, 1, tool_stopped() ? 0 : LOOK_MS) <= 0)
        if (tool_stopped())
            return false;
    return true;
}

/* Before stdout is a conn, and after, the line goes there by itself. */
void talk_print_event(struct talk *t, int r)
{
    const dx_text *line = &t->manner.events.out;
    if (r < 0)
        talk_failed(t, TOOL_LIMIT, "no memory");
    else if (t->here || t->terminal)
        talk_print(t, line->p, line->n);
    else if (stdout_takes() && write(STDOUT_FILENO, line->p, line->n) < 0)
        talk_verdict(t, TOOL_LOCAL);
}

void talk_tell_close(struct talk *t, const dx_conn *c, const dx_err *why, int code)
{
    struct events *e = &t->manner.events;
    if (e->on)
        talk_print_event(t, events_close(e, moment_now(), c, code, tool_exit_name(code), code ? why->text : ""));
}

/* Who asked and hears nothing must not take that for the answer. The body of a response may be empty. */
int talk_silence_verdict(struct talk *t, const dx_conn *c)
{
    char after[60] = "";
    if (t->came || t->listening || tool_stopped() || !t->joined || dx_http_is(c))
        return 0;
    if (t->fell_silent)
        snprintf(after, sizeof after, " within %.6g s.  Try: --idle-ends %.6gs", (double)t->idle_ends_ms / 1000,
                 (double)t->idle_ends_ms / 100);
    if (t->once || (t->fell_silent && !t->typed && t->feed.sent))
        tool_say("%s: %s%s", t->url, t->once ? "no answer came" : "nothing came after the end of input", after);
    return t->once ? TOOL_UNMET : 0;
}

/* What the kernel throws away nobody sees; what we do. Where we listen, strangers' are among them. */
int talk_drops_verdict(struct talk *t)
{
    int64_t drops = t->listening ? 0 : dx_loop_count(t->loop, DX_COUNT_DATAGRAM_DROPS);
    if (drops <= 0)
        return 0;
    tool_say("%" PRId64 " %s lost here, on the way in or out", drops, drops == 1 ? "datagram was" : "datagrams were");
    return TOOL_UNMET;
}

int talk_sums_verdict(struct talk *t)
{
    return manner_sums_tell(&t->manner, manner_sums_bad(&t->manner));
}
