/* SPDX-License-Identifier: MIT
 * prompt_screen.c - the rows of the prompt: the line drawn at the bottom, and what is printed above it. */
#include "tool/prompt_inside.h"
#include "tool/add.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MIN = 10, ROWS_MIN = 2 };

void screen_put(const struct prompt *p, const char *s, size_t n)
{
    while (n) {
        ssize_t r = write(p->fd, s, n);
        struct pollfd ready = {.fd = p->fd, .events = POLLOUT};
        if (r > 0)
            s += r, n -= (size_t)r;
        else if (r < 0 && errno == EAGAIN)
            poll(&ready, 1, 1000);
        else if (r < 0 && errno != EINTR)
            return;
    }
}

static void up(int rows, dx_text *out)
{
    char s[24];
    snprintf(s, sizeof s, "\033[%dA", rows);
    add(out, rows ? s : "");
}

void screen_erase(struct prompt *p, dx_text *out)
{
    add(out, "\r");
    up(p->at.above, out);
    add(out, "\033[J");
    p->at = (struct edit_place){0};
}

void screen_size(const struct prompt *p, int *ret_columns, int *ret_rows)
{
    struct winsize size = {0};
    bool known = ioctl(p->fd, TIOCGWINSZ, &size) == 0;
    *ret_columns = known && size.ws_col > COLUMNS_MIN ? size.ws_col : known && size.ws_col ? COLUMNS_MIN : 80;
    *ret_rows = known && size.ws_row > ROWS_MIN ? size.ws_row : known && size.ws_row ? ROWS_MIN : 24;
}

/* The last column stays free, where terminals differ in when a line wraps, and the first row too: so a redraw scrolls nothing
 * away. */
static void draw(struct prompt *p, dx_text *out)
{
    int rows;
    screen_size(p, &p->columns, &rows);
    edit_draw(&p->edit, p->mark, p->columns - 1, rows - 1, out, &p->at);
}

void screen_redraw(struct prompt *p)
{
    dx_text out = {0};
    if (p->plain || p->over)
        return;
    screen_erase(p, &out);
    draw(p, &out);
    screen_put(p, out.p, out.n);
    dx_text_free(&out);
}

static void print(struct prompt *p, const char *before, const char *text, size_t n)
{
    dx_text out = {0};
    if (!p->plain)
        screen_erase(p, &out), add(&out, before);
    dx_text_add(&out, text, n);
    if (n && text[n - 1] != '\n' && !p->plain)
        add(&out, "\n");
    if (!p->plain && !p->over)
        draw(p, &out);
    screen_put(p, out.p, out.n);
    p->entered_rows = 0;
    dx_text_free(&out);
}

void prompt_print(struct prompt *p, const char *text, size_t n)
{
    print(p, "", text, n);
}

void prompt_print_anew(struct prompt *p, const char *text, size_t n)
{
    print(p, "\033[H\033[2J", text, n);
}

void prompt_take_back(struct prompt *p)
{
    dx_text out = {0};
    if (p->plain || !p->entered_rows)
        return;
    screen_erase(p, &out);
    up(p->entered_rows, &out);
    add(&out, "\033[J");
    draw(p, &out);
    screen_put(p, out.p, out.n);
    p->entered_rows = 0;
    dx_text_free(&out);
}
