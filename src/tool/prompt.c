/* SPDX-License-Identifier: MIT
 * prompt.c - the terminal around the editor: raw keys in, lines out. */
#include "tool/prompt_inside.h"
#include "tool/add.h"
#include "tool/history.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool prompt_is_one_of_many(const struct prompt *p)
{
    return p->many;
}

static void say_above(void *arg, const char *line, size_t n)
{
    prompt_print(arg, line, n);
}

/* ---- keys ---- */

static void over(struct prompt *p)
{
    if (p->over)
        return;
    p->over = true;
    p->watch->end(p->arg);
}

static void tell_line(struct prompt *p, const char *line, size_t n)
{
    bool secret = n && *line == ' '; /* the shells' habit */
    if (!secret && (!p->watch->forgets || !p->watch->forgets(line, n)))
        history_add(line, n);
    p->watch->line(p->arg, line, n);
}

/* Several lines, if they were pasted; a line end behind the last one begins no other. */
static void tell_lines(struct prompt *p, const char *text, size_t n)
{
    const char *nl = memchr(text, '\n', n);
    p->many = nl != NULL;
    for (; (nl = memchr(text, '\n', n)) && !p->over; text = nl + 1) {
        tell_line(p, text, (size_t)(nl - text));
        n -= (size_t)(nl + 1 - text);
    }
    if ((n || !p->many) && !p->over)
        tell_line(p, text, n);
    p->many = false;
}

/* The line as typed stays on the screen, unless the caller takes it back. */
static void entered(struct prompt *p)
{
    size_t n = p->edit.n;
    char *line = strndup(p->edit.text, n);
    p->edit.at = n;
    screen_redraw(p);
    screen_put(p, "\r\n", 2);
    p->entered_rows = p->at.above + 1;
    p->at = (struct edit_place){0};
    edit_next(&p->edit);
    screen_redraw(p);
    if (line)
        tell_lines(p, line, strlen(line));
    free(line);
}

static void tell_full(struct prompt *p)
{
    static const char words[] = "* the line is full: what was typed or pasted last is not in it\n";
    p->edit.full = false;
    prompt_print(p, words, sizeof words - 1);
}

static void edit_keys(struct prompt *p, const unsigned char *keys, size_t n)
{
    bool changed = false;
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
    if (p->edit.full)
        tell_full(p);
    else if (changed)
        screen_redraw(p);
}

/* The terminal edits by itself and gives whole lines. */
static void plain_lines(struct prompt *p, const char *text, size_t n)
{
    struct edit *e = &p->edit;
    for (size_t i = 0; i < n && !p->over; i++) {
        if (text[i] != '\n') {
            if (e->n < sizeof e->text - 1)
                e->text[e->n++] = text[i];
            continue;
        }
        e->text[e->n] = 0;
        size_t length = e->n;
        e->n = 0;
        tell_line(p, e->text, length);
    }
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct prompt *p = dx_user(c);
    (void)how;
    if (p->plain)
        plain_lines(p, data, n);
    else
        edit_keys(p, data, n);
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

void prompt_pause(struct prompt *p, bool on)
{
    if (p->keys)
        dx_pause(p->keys, on);
}

/* ---- the terminal's own state ---- */

/* Whoever is ended at once leaves the terminal as it was, all the same. One prompt a process. */
static struct {
    int fd;
    struct termios before;
} last;

static void give_back_at_once(void)
{
    static const char off[] = "\033[?2004l\r\n";
    tcsetattr(last.fd, TCSANOW, &last.before);
    if (write(last.fd, off, sizeof off - 1) < 0)
        last.fd = -1; /* the terminal is gone */
}

/* Ctrl-C and Ctrl-\ stay signals. Ctrl-S would stop a server that others talk to, and so would Ctrl-Z. */
static bool make_raw(struct prompt *p)
{
    struct termios raw = p->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | INLCR);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (!p->watch->suspends)
        raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    last.fd = p->fd;
    last.before = p->before;
    tool_last_words(give_back_at_once);
    p->raw = tcsetattr(p->fd, TCSADRAIN, &raw) == 0;
    if (p->raw)
        screen_put(p, "\033[?2004h", 8); /* what is pasted comes marked as such */
    return p->raw;
}

static void give_back(struct prompt *p)
{
    dx_text out = {0};
    screen_erase(p, &out);
    if (p->edit.n) { /* typed, and not said: it can still be read */
        add(&out, p->mark);
        (void)dx_visible(p->edit.text, p->edit.n, NULL, &out);
        add(&out, "\r\n");
    }
    add(&out, "\033[?2004l");
    screen_put(p, out.p, out.n);
    dx_text_free(&out);
    tcsetattr(p->fd, TCSADRAIN, &p->before);
    tool_last_words(NULL);
    p->raw = false;
}

/* A row that was as wide as the terminal takes more of them on a narrower one, as most terminals have it. */
static void resized(void *arg)
{
    struct prompt *p = arg;
    int columns, rows, was = p->columns;
    screen_size(p, &columns, &rows);
    if (!p->plain && was && columns < was) {
        int folds = (was - 1 + columns - 1) / columns;
        p->at.above = p->at.above * folds + p->at.column / columns;
    }
    screen_redraw(p);
}

static void resumed(void *arg)
{
    struct prompt *p = arg;
    if (!p->raw)
        p->at = (struct edit_place){0}; /* a shell has written since */
    make_raw(p);
    screen_redraw(p);
}

static void suspended(void *arg)
{
    struct prompt *p = arg;
    give_back(p);
    tool_wake(SIGTSTP, NULL, NULL);
    raise(SIGTSTP); /* goes on here when we are continued; then SIGCONT wakes us too */
    tool_wake(SIGTSTP, suspended, p);
    resumed(p);
}

static bool is_dumb(void)
{
    const char *term = getenv("TERM");
    return !term || !*term || !strcmp(term, "dumb");
}

static bool take_terminal(struct prompt *p)
{
    p->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (p->fd < 0 || tcgetattr(p->fd, &p->before) < 0)
        return false;
    p->plain = is_dumb();
    if (p->plain)
        return true;
    if (!make_raw(p))
        return false;
    tool_wake(SIGWINCH, resized, p);
    tool_wake(SIGCONT, resumed, p);
    if (p->watch->suspends)
        tool_wake(SIGTSTP, suspended, p);
    return true;
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
    p->fd = -1;
    if (!take_terminal(p))
        goto fail;
    snprintf(url, sizeof(url), "fd:%d", p->fd); /* which the library opens anew: ours goes on waiting when it writes */
    p->keys = dx_connect(loop, url, &handler, p, NULL, err);
    if (!p->keys) {
        prompt_free(p);
        return NULL;
    }
    history_load(&p->edit);
    tool_say_to(say_above, p);
    screen_redraw(p);
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
    tool_say_to(NULL, NULL);
    if (p->raw) {
        tool_wake(SIGWINCH, NULL, NULL);
        tool_wake(SIGCONT, NULL, NULL);
        if (p->watch->suspends)
            tool_wake(SIGTSTP, NULL, NULL);
        give_back(p);
    }
    if (p->keys) {
        dx_set_user(p->keys, NULL);
        dx_abort(p->keys);
    }
    if (p->fd >= 0)
        close(p->fd);
    edit_free(&p->edit);
    free(p);
}

void prompt_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
}
