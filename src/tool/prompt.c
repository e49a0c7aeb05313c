/* SPDX-License-Identifier: MIT
 * prompt.c - the terminal around the editor: raw keys in, the line drawn at the bottom. */
#include "tool/prompt.h"
#include <duplex/text.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct prompt {
    struct edit edit;
    struct termios before;
    const struct prompt_watch *watch;
    void *arg;
    const char *mark;
    dx_conn *keys;
    int fd;
    bool raw, over;
};

static void put(const struct prompt *p, const char *s, size_t n)
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

static int width(const struct prompt *p)
{
    struct winsize size;
    return ioctl(p->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col : 80;
}

/* Bytes of a character that is not whole yet are not drawn. */
static size_t whole(const char *s, size_t n)
{
    size_t at = n;
    while (at && n - at < 4 && ((unsigned char)s[at - 1] & 0xc0) == 0x80)
        at--;
    return at && !dx_is_utf8(s + at - 1, n - at + 1) ? at - 1 : n;
}

static void draw(const struct prompt *p, dx_text *out)
{
    size_t from, to;
    char back[32];
    int mark = edit_columns(p->mark, strlen(p->mark)), rest;
    edit_window(&p->edit, width(p) - mark - 1, &from, &to);
    to = from + whole(p->edit.text + from, to - from);
    dx_text_add(out, "\r\033[K", 4);
    dx_text_add(out, p->mark, strlen(p->mark));
    dx_visible(p->edit.text + from, to - from, NULL, out);
    rest = to > p->edit.at ? edit_columns(p->edit.text + p->edit.at, to - p->edit.at) : 0;
    if (rest > 0)
        dx_text_add(out, back, (size_t)snprintf(back, sizeof(back), "\033[%dD", rest));
}

static void redraw(const struct prompt *p)
{
    dx_text out = {0};
    draw(p, &out);
    put(p, out.p, out.n);
    dx_text_free(&out);
}

void prompt_print(struct prompt *p, const char *text, size_t n)
{
    dx_text out = {0};
    dx_text_add(&out, "\r\033[K", 4);
    dx_text_add(&out, text, n);
    if (n && text[n - 1] != '\n')
        dx_text_add(&out, "\n", 1);
    if (!p->over)
        draw(p, &out);
    put(p, out.p, out.n);
    dx_text_free(&out);
}

void prompt_take_back(struct prompt *p)
{
    put(p, "\r\033[K\033[A", 7); /* a typed line has one row, and it is the one above */
    redraw(p);
}

static void over(struct prompt *p)
{
    if (p->over)
        return;
    p->over = true;
    p->watch->end(p->arg);
}

/* The line as typed stays on the screen, unless the caller takes it back. */
static void entered(struct prompt *p)
{
    char *line;
    size_t n = p->edit.n;
    p->edit.at = n;
    redraw(p);
    put(p, "\n", 1);
    line = strndup(p->edit.text, n);
    edit_next(&p->edit);
    redraw(p);
    if (line)
        p->watch->line(p->arg, line, n);
    free(line);
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct prompt *p = dx_user(c);
    const unsigned char *keys = data;
    bool changed = false;
    (void)how;
    for (size_t i = 0; i < n && !p->over; i++)
        switch (edit_byte(&p->edit, keys[i])) {
        case EDIT_LINE:
            entered(p);
            changed = false;
            break;
        case EDIT_END:
            over(p);
            return;
        case EDIT_CHANGED:
            changed = true;
            break;
        case EDIT_NOTHING:
            break;
        }
    if (changed)
        redraw(p);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    struct prompt *p = dx_user(c);
    (void)why;
    if (!p)
        return;
    p->keys = NULL;
    over(p);
}

static const dx_handler handler = {.on_data = on_data, .on_close = on_close};

/* Ctrl-C and Ctrl-\ stay signals. Ctrl-S and Ctrl-Z would stop a server that others talk to. */
static bool make_raw(struct prompt *p)
{
    struct termios raw;
    if (tcgetattr(p->fd, &p->before) < 0)
        return false;
    raw = p->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | INLCR);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    p->raw = tcsetattr(p->fd, TCSADRAIN, &raw) == 0;
    return p->raw;
}

struct prompt *prompt_new(dx_loop *loop, const char *mark, const struct prompt_watch *w, void *arg, dx_err *err)
{
    struct prompt *p = calloc(1, sizeof(*p));
    char url[32];
    if (!p)
        goto fail;
    p->watch = w;
    p->arg = arg;
    p->mark = mark;
    p->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (p->fd < 0 || !make_raw(p))
        goto fail;
    snprintf(url, sizeof(url), "fd:%d", p->fd); /* which the library opens anew: ours goes on waiting when it writes */
    p->keys = dx_connect(loop, url, &handler, p, NULL, err);
    if (!p->keys) {
        prompt_free(p);
        return NULL;
    }
    redraw(p);
    return p;
fail:
    if (err)
        *err = (dx_err){
            .code = DX_SYS, .detail = errno, .detail_of = DX_OF_ERRNO, .text = "this terminal has no line to type in"};
    prompt_free(p);
    return NULL;
}

void prompt_free(struct prompt *p)
{
    if (!p)
        return;
    if (p->raw) {
        put(p, "\r\033[K", 4);
        tcsetattr(p->fd, TCSADRAIN, &p->before);
    }
    if (p->keys) {
        dx_set_user(p->keys, NULL);
        dx_abort(p->keys);
    }
    if (p->fd > 0)
        close(p->fd);
    edit_free(&p->edit);
    free(p);
}
