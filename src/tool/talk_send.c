/* SPDX-License-Identifier: MIT
 * talk_send.c - see talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/tool.h"

enum { CONTENT_MAX = 16 << 20 };

bool talk_goes_on(const struct talk *t)
{
    return t->manner.every_ms || (t->manner.wait_for && !t->met);
}

bool talk_repeats_stdin(const struct talk *t)
{
    return t->manner.every_ms && !t->from_option;
}

static void send_messages(struct talk *t)
{
    const struct manner *m = &t->manner;
    const char *p = m->send.p ? m->send.p : "";
    int r = 0;
    for (int i = 0; i < m->send_count && r >= 0; i++) {
        size_t at = i ? m->send_end[i - 1] : 0;
        r = feed_whole(&t->feed, t->wire, (dx_bytes){p + at, m->send_end[i] - at});
    }
    if (r < 0 && r != DX_CLOSED && r != DX_STATE && r != DX_FULL)
        talk_input_failed(t, r);
}

static void tick(void *arg)
{
    struct talk *t = arg;
    if (!t->wire || !t->joined)
        return;
    send_messages(t);
    every_done(t->every);
}

static void begin_every(struct talk *t)
{
    if (!t->every && !(t->every = every_new(t->loop, t->manner.every_ms, tick, t)))
        talk_failed(t, TOOL_LIMIT, "no memory or thread to keep the time");
}

void talk_begin_sending(struct talk *t)
{
    if (!t->from_option)
        return;
    if (t->manner.every_ms)
        begin_every(t);
    else
        send_messages(t);
}

void talk_gather(struct talk *t, const void *data, size_t n)
{
    if (t->content.n + n > CONTENT_MAX)
        talk_failed(t, TOOL_BIG, "standard input is too long to repeat");
    else if (dx_text_add(&t->content, data, n) < 0)
        talk_failed(t, TOOL_LIMIT, "no memory");
}

void talk_content_ended(struct talk *t)
{
    int r = manner_content(&t->manner, &t->content);
    if (r < 0 && !t->manner.send.n && dx_kind_of(t->wire) == DX_BYTES) {
        talk_failed(t, TOOL_USAGE, "standard input is empty: there is nothing to send again and again");
        return;
    }
    if (r < 0) {
        begin_every(t);
        return;
    }
    talk_verdict(t, r);
    talk_over(t);
}
