/* SPDX-License-Identifier: MIT
 * talk_again.c - see talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/tool.h"
#include <string.h>
#include <unistd.h>

static void dial_again(void *arg)
{
    struct talk *t = arg;
    t->retry_timer = 0;
    int r = t->redial(t);
    if (!r)
        return;
    talk_verdict(t, r);
    talk_here_over(t);
    talk_maybe_stop(t);
}

/* Nobody to say it to, and no prompt yet: of what is typed only the end counts. The terminal gives whole lines. */
static void early_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct talk *t = dx_user(c);
    const char *line = data;
    (void)how;
    while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        n--;
    if (*t->exit_word && (!n || (n == strlen(t->exit_word) && !memcmp(line, t->exit_word, n))))
        talk_tries_over(t);
    else
        tool_say("%s: not connected yet: what is typed is not said", t->url);
}

static void early_end(dx_conn *c)
{
    talk_tries_over(dx_user(c));
}

static void early_close(dx_conn *c, const dx_err *why)
{
    struct talk *t = dx_user(c);
    (void)why;
    if (t->early == c)
        t->early = NULL;
}

static void hear_early(struct talk *t)
{
    static const dx_handler on = {.on_data = early_data, .on_end = early_end, .on_close = early_close};
    if (!t->early && !t->terminal && !t->here && !t->from_option && isatty(STDIN_FILENO))
        t->early = dx_connect(t->loop, "fd:0", &on, t, NULL, NULL);
}

bool talk_tries_again(struct talk *t, const dx_err *why)
{
    char words[720];
    bool more = !t->input_said || t->from_option;
    if (t->met || t->code || tool_stopped() || !more || !(t->lost || (dx_again_helps(why) && why->code != DX_END)))
        return false;
    int64_t ms = retry_wait_ms(&t->retry);
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
        dx_pause(t->here, !t->typed); /* what is typed waits for the next conn, and its end ends */
    t->trying = true;
    t->tried = tool_exit_of(why);
    hear_early(t);
    return true;
}

void talk_hears_no_more_early(struct talk *t)
{
    if (t->early)
        dx_abort(t->early);
    t->early = NULL;
}

void talk_tries_over(struct talk *t)
{
    talk_tries_no_more(t);
    talk_verdict(t, t->tried);
    talk_here_over(t);
    if (!t->here)
        tool_end();
}

void talk_tries_no_more(struct talk *t)
{
    dx_loop_cancel(t->loop, t->retry_timer);
    t->retry_timer = 0;
}
