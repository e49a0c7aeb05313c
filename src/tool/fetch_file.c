/* SPDX-License-Identifier: MIT
 * fetch_file.c - `duplex fetch -o FILE`: into FILE.part, and on where it had stopped. What was there is believed to be the beginning of
 * what comes only where the server says so (If-Range) and its last bytes come once more and are the same. */
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* What the server said the part is of: ETag or Last-Modified. Kept with the file where its file system can. */
static const char since_name[] = "user.duplex.if-range";

static int local(const struct fetch_file *f, int error, char words[FETCH_WORDS])
{
    snprintf(words, FETCH_WORDS, "%.300s: %s", f->part.name, strerror(error));
    return TOOL_LOCAL;
}

static void forget(struct fetch_file *f)
{
    f->had = 0;
    f->tail_n = f->tail_at = 0;
    f->whole = -1;
    f->since[0] = 0;
}

static int read_tail(struct fetch_file *f, char words[FETCH_WORDS])
{
    struct stat st;
    if (fstat(f->part.fd, &st) < 0)
        return local(f, errno, words);
    size_t n = st.st_size < FETCH_TAIL ? (size_t)st.st_size : FETCH_TAIL;
    ssize_t got = pread(f->part.fd, f->tail, n, st.st_size - (off_t)n);
    if (got != (ssize_t)n)
        return local(f, got < 0 ? errno : EIO, words);
    f->had = st.st_size;
    f->tail_n = n;
    ssize_t since = fgetxattr(f->part.fd, since_name, f->since, sizeof f->since - 1);
    f->since[since > 0 ? since : 0] = 0;
    return 0;
}

int file_begin(struct fetch_file *f, char words[FETCH_WORDS])
{
    forget(f);
    if (f->part.fd < 0 &&
        !(f->goes_on ? part_again(&f->part, f->name, f->force, words) : part_open(&f->part, f->name, f->force, words)))
        return TOOL_LOCAL;
    if (f->goes_on)
        return read_tail(f, words);
    if (ftruncate(f->part.fd, 0) < 0 || lseek(f->part.fd, 0, SEEK_SET) < 0)
        return local(f, errno, words);
    return 0;
}

int64_t file_from(const struct fetch_file *f)
{
    return f->had - (int64_t)f->tail_n;
}

static bool copy(dx_bytes b, char *to, size_t n)
{
    if (!b.p || !b.n || b.n >= n)
        return false;
    memcpy(to, b.p, b.n);
    to[b.n] = 0;
    return true;
}

/* Was the last change a second or more before the answer? Then there was none since in the same second: a strong validator. */
static bool strong_date(const dx_conn *c, char *ret, size_t n)
{
    dx_bytes modified = dx_http_header(c, "Last-Modified");
    int64_t now = time(NULL), changed, said;
    return copy(modified, ret, n) && dx_http_date_read(modified, now, &changed) == 0 &&
           dx_http_date_read(dx_http_header(c, "Date"), now, &said) == 0 && changed < said;
}

/* What If-Range may say of it (RFC 9110 13.1.5): a strong ETag, or the date where there is no ETag. */
static void keep_since(struct fetch_file *f, const dx_conn *c)
{
    char value[FETCH_SINCE];
    dx_bytes tag = dx_http_header(c, "ETag");
    bool strong = tag.p ? copy(tag, value, sizeof value) && value[0] == '"' : strong_date(c, value, sizeof value);
    if (dx_http_header(c, "Content-Encoding").p || !strong)
        fremovexattr(f->part.fd, since_name);
    else
        fsetxattr(f->part.fd, since_name, value, strlen(value), 0);
}

static int begin_anew(struct fetch_file *f, char words[FETCH_WORDS])
{
    forget(f);
    return ftruncate(f->part.fd, 0) < 0 || lseek(f->part.fd, 0, SEEK_SET) < 0 ? local(f, errno, words) : 0;
}

/* "bytes 100-199/200", or with a * for 200: does it begin there? And how long is all of it, or at least, which must come. */
static bool begins_at(const dx_conn *c, int64_t from, int64_t *ret_whole)
{
    char text[100];
    long long first = -1, last = -1, all = -1;
    int n = 0;
    if (!copy(dx_http_header(c, "Content-Range"), text, sizeof text) || strncasecmp(text, "bytes ", 6) != 0)
        return false;
    if (sscanf(text + 6, "%18lld-%18lld/%n", &first, &last, &n) != 2 || !n)
        return false;
    const char *rest = text + 6 + n;
    bool unknown = !strcmp(rest, "*");
    n = 0;
    if (!unknown && (sscanf(rest, "%18lld%n", &all, &n) != 1 || rest[n] || all <= last))
        return false;
    *ret_whole = unknown ? last + 1 : all;
    return first == from && last >= first;
}

int file_head(struct fetch_file *f, const dx_conn *c, char words[FETCH_WORDS])
{
    int status = dx_http_status(c);
    if (status == 206 && !f->any_part) {
        if (begins_at(c, file_from(f), &f->whole))
            return 0;
        snprintf(words, FETCH_WORDS,
                 "the server sent another range than the one that was asked for.  Try: --force without --continue");
        return TOOL_RANGE;
    }
    if (status == 416 && f->had > 0) {
        snprintf(words, FETCH_WORDS,
                 "what the server has is shorter than the %" PRId64 " bytes of %.150s.  Try: rm %.150s", f->had,
                 f->part.name, f->part.name);
        return TOOL_RANGE;
    }
    if (f->had > 0)
        tool_say("%.200s: the server has other bytes now, or sends no ranges: all of it comes", f->name);
    int r = begin_anew(f, words);
    if (r == 0)
        keep_since(f, c);
    return r;
}

int file_take(struct fetch_file *f, const void *data, size_t n, char words[FETCH_WORDS])
{
    const uint8_t *p = data;
    size_t again = f->tail_n - f->tail_at < n ? f->tail_n - f->tail_at : n;
    if (memcmp(f->tail + f->tail_at, p, again) != 0) {
        snprintf(words, FETCH_WORDS, "what the server has does not go on where %.200s stops.  Try: rm %.200s",
                 f->part.name, f->part.name);
        return TOOL_RANGE;
    }
    f->tail_at += again;
    p += again;
    n -= again;
    while (n > 0) {
        ssize_t put = write(f->part.fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return local(f, put < 0 ? errno : ENOSPC, words);
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

int file_keep(struct fetch_file *f, char words[FETCH_WORDS])
{
    if (f->tail_at < f->tail_n) {
        snprintf(words, FETCH_WORDS, "what the server has is shorter than %.200s.  Try: rm %.200s", f->part.name,
                 f->part.name);
        return TOOL_RANGE;
    }
    int64_t n = f->whole < 0 ? -1 : lseek(f->part.fd, 0, SEEK_END);
    if (n < f->whole) {
        snprintf(words, FETCH_WORDS, "the server has sent %" PRId64 " of %" PRId64 " bytes of %.200s", n, f->whole,
                 f->name);
        return TOOL_TRUNCATED;
    }
    fremovexattr(f->part.fd, since_name);
    return part_keep(&f->part, words) ? 0 : TOOL_LOCAL;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

bool file_name_of(const char *url, char *name, size_t room)
{
    const char *p = strstr(url, "://"), *last = NULL;
    size_t n = 0;
    p = p ? p + 3 : url;
    for (size_t i = 0; p[i] && p[i] != '?' && p[i] != '#'; i++)
        last = p[i] == '/' ? p + i + 1 : last;
    for (p = last; p && *p && *p != '?' && *p != '#'; p++) {
        int high = *p == '%' ? digit(p[1]) : -1, low = high >= 0 ? digit(p[2]) : -1;
        char c = low >= 0 ? (char)(high << 4 | low) : *p;
        if (c == '/' || (unsigned char)c < ' ' || c == 0x7F || n + 8 > room)
            return false; /* with ".part" behind it */
        name[n++] = c;
        p += low >= 0 ? 2 : 0;
    }
    name[n] = 0;
    return n > 0 && name[0] != '.' && name[0] != '-';
}
