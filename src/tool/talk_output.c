/* SPDX-License-Identifier: MIT
 * talk_output.c - from the wire to stdout: as it came, shown, or as a view of it. See talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/talk_terminal.h"
#include "tool/tool.h"
#include <string.h>

enum { SHOW_REST_MS = 60 }; /* a prompt without a newline is shown after so long */

static void print(struct talk *t, const void *p, size_t n, const dx_text *after)
{
    dx_bytes parts[2] = {{p, n}, {after ? after->p : NULL, after ? after->n : 0}};
    if (t->terminal) {
        talk_terminal_print(t->terminal, p, n);
        t->manner.view.inside = false; /* there each line gets its end */
        return;
    }
    int r = t->here ? dx_sendv(t->here, parts, parts[1].n ? 2 : 1, 0) : 0;
    if (r > 0 && t->wire)
        dx_pause(t->wire, true);
    else if (r < 0 && r != DX_CLOSED && r != DX_STATE)
        talk_failed(t, TOOL_LOCAL, "stdout does not take what came");
}

void talk_print(struct talk *t, const void *p, size_t n)
{
    print(t, p, n, NULL);
}

/* What cuts stdin into messages stands between those on stdout. */
int talk_read_line_end(struct talk *t)
{
    static const char *const lines[] = {"line", "auto", "gap:"};
    dx_text_clear(&t->line_end);
    for (size_t i = 0; t->frame && i < sizeof lines / sizeof *lines; i++)
        if (!strncmp(t->frame, lines[i], strlen(lines[i])))
            return dx_text_add(&t->line_end, "\n", 1);
    if (t->frame && !strncmp(t->frame, "delim:", 6))
        return dx_unhex(t->frame + 6, strlen(t->frame + 6), &t->line_end, NULL);
    return 0;
}

static void print_shown(struct talk *t)
{
    if (t->show.out.n)
        talk_print(t, t->show.out.p, t->show.out.n);
}

void talk_print_rest(struct talk *t)
{
    struct view *v = &t->manner.view;
    if (!manner_views(&t->manner) && show_rest(&t->show) == 0)
        print_shown(t);
    else if (!t->manner.events.on && manner_views(&t->manner) && view_rest(v, moment_now()) == 0 && v->out.n)
        talk_print(t, v->out.p, v->out.n);
}

static void show_rest_of(dx_conn *c)
{
    struct talk *t = dx_user(c);
    t->show_timer = false;
    talk_print_rest(t);
}

static void wait_for_rest(struct talk *t, dx_conn *c)
{
    if (show_waits(&t->show) && !t->show_timer)
        t->show_timer = dx_after(c, SHOW_REST_MS, show_rest_of) == 0;
}

static void show(struct talk *t, dx_conn *c, const void *data, size_t n)
{
    if (show_data(&t->show, data, n, dx_kind_of(c) == DX_MESSAGES) < 0) {
        talk_failed(t, TOOL_LIMIT, "no memory");
        return;
    }
    print_shown(t);
    wait_for_rest(t, c);
}

void talk_wire_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct talk *t = dx_user(c);
    bool whole = dx_kind_of(c) == DX_MESSAGES && !(how & DX_MORE);
    dx_bytes lines, came = {data, n};
    if (c != t->wire)
        return; /* the body of a request that is no talk */
    t->heard = dx_loop_now(t->loop);
    t->steps.in += n;
    if (!t->came++)
        t->alert = !t->listening && !strcmp(dx_wire(c), "tcp") && tls_is_alert(data, n);
    if (t->unseen) {
        if (t->here && talk_pass(c, t->here, data, n) < 0)
            talk_failed(t, TOOL_LOCAL, "stdout does not take what came");
        return;
    }
    if (t->terminal && talk_terminal_came(t->terminal, data, n, whole) < 0)
        talk_failed(t, TOOL_LIMIT, "no memory");
    t->manner.events.kind = t->websocket ? how & (DX_TEXT | DX_BINARY) : 0;
    if (manner_came(&t->manner, came, whole, &lines) < 0)
        talk_failed(t, TOOL_LIMIT, "no memory");
    if (manner_views(&t->manner)) {
        if (lines.n)
            talk_print(t, lines.p, lines.n);
        wait_for_rest(t, c);
    } else if (t->shown)
        show(t, c, data, n);
    else
        print(t, data, n, how & DX_MORE ? NULL : &t->line_end);
    talk_look_for(t, came, whole);
    if (t->once && !(how & DX_MORE))
        talk_over(t);
}
