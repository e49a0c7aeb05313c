/* SPDX-License-Identifier: MIT */
#include "tool/tap.h"
#include "tool/stamp.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROW = 16 };

int tap_open(struct tap *t, const char *path, bool hex, bool stamps)
{
    *t = (struct tap){.fd = STDERR_FILENO, .hex = hex, .stamps = stamps};
    if (path)
        t->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    return t->fd < 0 ? errno : 0;
}

void tap_close(struct tap *t)
{
    if (t->fd > STDERR_FILENO)
        close(t->fd);
    dx_text_free(&t->line);
    t->fd = -1;
}

static void say(dx_text *to, const char *words)
{
    (void)dx_text_add(to, words, strlen(words)); /* what memory lacks for is not shown */
}

/* The time of day, and how long after the line before. */
static void begin(struct tap *t, uint64_t number, char sign)
{
    char head[80], delta[32] = "";
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    int64_t us = steady_now_us();
    double since = t->last_us ? (double)(us - t->last_us) / 1e6 : 0;
    if (t->stamps)
        snprintf(delta, sizeof delta, " +%.6f", since);
    t->last_us = us;
    snprintf(head, sizeof head, "%02d:%02d:%02d.%03d%s %" PRIu64 " %c ", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(now.tv_nsec / 1000000), delta, number, sign);
    dx_text_clear(&t->line);
    say(&t->line, head);
}

static void finish(struct tap *t)
{
    say(&t->line, "\n");
    for (size_t done = 0; done < t->line.n && !t->failed;) {
        ssize_t r = write(t->fd, t->line.p + done, t->line.n - done);
        if (r >= 0)
            done += (size_t)r;
        else if (errno != EINTR && errno != EAGAIN)
            t->failed = true; /* nobody looks any more: the relay goes on */
    }
}

void tap_words(struct tap *t, uint64_t number, const char *words)
{
    if (t->fd < 0)
        return;
    begin(t, number, '=');
    (void)dx_visible(words, strlen(words), NULL, &t->line);
    finish(t);
}

/* A row without its line end: "    00000010  48 65 6c 6c 6f                                   |Hello|". Returns its length. */
static size_t dump_row(char *to, uint64_t at, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t k = (size_t)sprintf(to, "\n    %08" PRIx64 " ", at);
    for (size_t i = 0; i < ROW; i++) {
        to[k++] = ' ';
        to[k++] = i < n ? digits[p[i] >> 4] : ' ';
        to[k++] = i < n ? digits[p[i] & 15] : ' ';
    }
    memcpy(to + k, "  |", 3);
    k += 3;
    for (size_t i = 0; i < n; i++)
        to[k++] = p[i] >= ' ' && p[i] < 0x7f ? (char)p[i] : '.';
    to[k++] = '|';
    return k;
}

static void dump(struct tap *t, uint64_t at, const uint8_t *p, size_t n)
{
    char row[120];
    for (size_t i = 0; i < n; i += ROW)
        (void)dx_text_add(&t->line, row, dump_row(row, at + i, p + i, n - i < ROW ? n - i : ROW));
}

static void text(struct tap *t, struct tap_side *s, const void *data, size_t n)
{
    if (!s->decoder)
        s->decoder = dx_decoder_new("utf-8", DX_GUESS_UTF8, NULL);
    dx_text_clear(&s->text);
    if (!s->decoder || dx_decode(s->decoder, data, n, false, &s->text) < 0)
        return;
    size_t k = s->text.n;
    const char *p = s->text.p ? s->text.p : "";
    if (k && p[k - 1] == '\n') /* the line that shows it ends too */
        k -= k > 1 && p[k - 2] == '\r' ? 2 : 1;
    (void)dx_visible(p, k, "    ", &t->line);
}

void tap_data(struct tap *t, struct tap_side *s, uint64_t number, bool back, const void *data, size_t n)
{
    char count[40];
    if (t->fd < 0)
        return;
    begin(t, number, back ? '<' : '>');
    if (!data) {
        say(&t->line, "(end)");
    } else if (t->hex) {
        snprintf(count, sizeof count, "%zu bytes", n);
        say(&t->line, count);
        dump(t, s->at, data, n);
    } else {
        text(t, s, data, n);
    }
    s->at += n;
    finish(t);
}

void tap_side_free(struct tap_side *s)
{
    dx_decoder_free(s->decoder);
    dx_text_free(&s->text);
    *s = (struct tap_side){0};
}
