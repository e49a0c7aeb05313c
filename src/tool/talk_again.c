/* SPDX-License-Identifier: MIT
 * talk_again.c - see talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/talk_terminal.h"
#include "tool/tool.h"
#include <string.h>
#include <time.h>

static void dial_again(void *arg)
{
    struct talk *t = arg;
    t->retry_timer = 0;
    int r = t->redial(t);
    if (!r)
        return;
    talk_verdict(t, r);
    if (t->here)
        dx_close(t->here);
    talk_maybe_stop(t);
}

bool talk_tries_again(struct talk *t, const dx_err *why)
{
    char words[720];
    struct timespec chance;
    bool more = !t->input_said || t->from_option;
    if (t->met || t->code || tool_stopped() || !more || !(t->lost || (retry_helps(why) && why->code != DX_END)))
        return false;
    clock_gettime(CLOCK_MONOTONIC, &chance);
    int64_t ms = retry_wait_ms(&t->retry, (uint32_t)chance.tv_nsec);
    if (ms < 0 || (t->retry_timer = dx_loop_after(t->loop, ms, dial_again, t)) < 0) {
        t->retry_timer = 0;
        return false;
    }
    tool_words("dial", t->url, why, words, sizeof words);
    char *advice = strstr(words, ".  ");
    if (advice)
        *advice = '\0';
    tool_say("%s; dialling again in %.1f s", t->lost ? "the peer has ended" : words, (double)ms / 1000);
    t->joined = t->peer_ended = t->lost = t->input_said = t->show_timer = false;
    if (t->here)
        dx_pause(t->here, true);
    if (t->terminal)
        talk_terminal_pause(t->terminal, true);
    return true;
}

void talk_tries_no_more(struct talk *t)
{
    dx_loop_cancel(t->loop, t->retry_timer);
    t->retry_timer = 0;
}
