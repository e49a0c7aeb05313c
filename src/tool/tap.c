/* SPDX-License-Identifier: MIT */
#include "tool/tap.h"
#include "tool/add.h"
#include "tool/stamp.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROW = 16 };

void tap_close(struct tap *t)
{
    logfile_close(&t->log);
    dx_text_free(&t->body);
    dx_text_free(&t->line);
    t->shows = false;
}

/* What memory lacks for is not shown. */
static void begin(struct tap *t, uint64_t number, char sign)
{
    dx_text_clear(&t->body);
    (void)addf(&t->body, " %" PRIu64 " %c ", number, sign);
}

/* The time of day, and how long after the line before. */
static void add_time(struct tap *t)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    int64_t us = steady_now_us();
    double since = t->last_us ? (double)(us - t->last_us) / 1e6 : 0;
    t->last_us = us;
    (void)addf(&t->line, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now.tv_nsec / 1000000));
    if (t->stamps)
        (void)addf(&t->line, " +%.6f", since);
}

static void show(struct tap *t)
{
    dx_text_clear(&t->line);
    add_time(t);
    (void)dx_text_add(&t->line, t->body.p, t->body.n);
    for (size_t done = 0; done < t->line.n && !t->failed;) {
        ssize_t r = write(STDERR_FILENO, t->line.p + done, t->line.n - done);
        if (r >= 0)
            done += (size_t)r;
        else if (errno != EINTR && errno != EAGAIN)
            t->failed = true; /* nobody looks any more: the relay goes on */
    }
}

static void finish(struct tap *t)
{
    (void)add(&t->body, "\n");
    if (t->shows)
        show(t);
    if (!t->log.path)
        return;
    dx_text_clear(&t->line);
    bool all =
        stamp_add(&t->last, moment_now(), true, &t->line) == 0 && dx_text_add(&t->line, t->body.p, t->body.n) == 0;
    logfile_put(&t->log, all ? &t->line : NULL);
}

void tap_words(struct tap *t, uint64_t number, const char *words)
{
    if (!tap_looks(t))
        return;
    begin(t, number, '=');
    (void)dx_visible(words, strlen(words), NULL, &t->body);
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
        (void)dx_text_add(&t->body, row, dump_row(row, at + i, p + i, n - i < ROW ? n - i : ROW));
}

static void text(struct tap *t, struct tap_side *s, const void *data, size_t n)
{
    if (!s->decoder)
        s->decoder = dx_decoder_new(t->coding ? t->coding : "utf-8", t->coding ? DX_GUESS_LOCALE : DX_GUESS_UTF8, NULL);
    dx_text_clear(&s->text);
    if (!s->decoder || dx_decode(s->decoder, data, n, false, &s->text) < 0)
        return;
    size_t k = s->text.n;
    const char *p = s->text.p ? s->text.p : "";
    if (k && p[k - 1] == '\n') /* the line that shows it ends too */
        k -= k > 1 && p[k - 2] == '\r' ? 2 : 1;
    (void)dx_visible(p, k, "    ", &t->body);
}

void tap_data(struct tap *t, struct tap_side *s, uint64_t number, bool back, const void *data, size_t n)
{
    if (!tap_looks(t))
        return;
    begin(t, number, back ? '<' : '>');
    if (!data) {
        (void)add(&t->body, "(end)");
    } else if (t->hex) {
        (void)addf(&t->body, "%zu bytes", n);
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
