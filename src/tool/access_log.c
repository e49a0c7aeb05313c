/* SPDX-License-Identifier: MIT
 * access_log.c - see access_log.h. */
#include "tool/access_log.h"
#include "tool/add.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int open_path(const char *path)
{
    /* Not blocking: a FIFO that nobody reads must not hold the server. */
    return strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644)
                             : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

int access_log_open(struct access_log *l, const char *path, bool json)
{
    int fd = *path ? open_path(path) : -1;
    if (fd < 0) {
        tool_say("access log '%s': %s", path, *path ? strerror(errno) : "the name is empty");
        return -1;
    }
    *l = (struct access_log){.path = path, .fd = fd, .json = json};
    return 0;
}

void access_log_reopen(struct access_log *l)
{
    int fd = l->fd > 0 ? open_path(l->path) : 0;
    if (fd < 0) {
        tool_say("access log '%s': %s; the old one goes on", l->path, strerror(errno));
    } else if (fd > 0) {
        close(l->fd);
        l->fd = fd;
        l->failing = l->torn = false;
    }
}

void access_log_close(struct access_log *l)
{
    if (l->fd > 0)
        close(l->fd);
    l->fd = 0;
}

/* Quotes, backslashes, controls and what is not ASCII as \xNN, as nginx writes them: a line stays a line, a field a field. */
static int add_escaped(dx_text *t, dx_bytes b)
{
    const uint8_t *p = b.p;
    int r = b.p ? 0 : add(t, "-");
    for (size_t i = 0; i < b.n && r >= 0; i++)
        r = p[i] >= ' ' && p[i] < 127 && p[i] != '"' && p[i] != '\\' ? dx_text_add(t, &p[i], 1)
                                                                     : addf(t, "\\x%02X", p[i]);
    return r;
}

static int add_combined(dx_text *t, const struct hub_request *q)
{
    time_t now = time(NULL);
    struct tm m;
    char zone[8], at[30]; /* "Sun, 06 Nov 1994 08:49:37 GMT", of the clock here */
    localtime_r(&now, &m);
    strftime(zone, sizeof(zone), "%z", &m);
    dx_http_date(at, now + m.tm_gmtoff);
    int r = addf(t, "%s - - [%.2s/%.3s/%.4s:%.8s %s] \"", q->peer, at + 5, at + 8, at + 12, at + 17, zone);
    r |= add_escaped(t, q->method), r |= add(t, " "), r |= add_escaped(t, q->target);
    r |= addf(t, " HTTP/%d.%d\" %d %" PRIu64 " \"", q->version / 10, q->version % 10, q->status, q->sent);
    r |= add_escaped(t, q->referer), r |= add(t, "\" \""), r |= add_escaped(t, q->agent);
    return r | add(t, "\"\n");
}

static int add_field(dx_text *t, const char *name, dx_bytes b)
{
    return b.p ? add_json(t, name, b.p, b.n) : 0;
}

static int add_object(dx_text *t, const struct hub_request *q)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int r = addf(t, "{\"v\":1,\"time\":%" PRId64 ",\"peer\":\"%s\",\"wire\":\"%s\"",
                 (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, q->peer, q->wire);
    r |= add_field(t, "method", q->method), r |= add_field(t, "target", q->target), r |= add_field(t, "host", q->host);
    r |= addf(t, ",\"version\":\"%d.%d\",\"status\":%d,\"sent\":%" PRIu64 ",\"ms\":%" PRId64, q->version / 10,
              q->version % 10, q->status, q->sent, q->ms);
    r |= add_field(t, "referer", q->referer), r |= add_field(t, "agent", q->agent);
    return r | add(t, "}\n");
}

void access_log_add(struct access_log *l, const struct hub_request *q)
{
    dx_text t = {0};
    if (l->fd <= 0)
        return;
    int torn = l->torn ? add(&t, "\n") : 0;
    bool made = torn >= 0 && (l->json ? add_object(&t, q) : add_combined(&t, q)) >= 0;
    ssize_t n = !made ? -1 : strcmp(l->path, "-") ? write(l->fd, t.p, t.n) : tool_write(t.p, t.n);
    bool failed = !made || n != (ssize_t)t.n;
    if (failed && !l->failing)
        tool_say("access log '%s': %s; serving goes on without it", l->path,
                 !made   ? "no memory"
                 : n < 0 ? strerror(errno)
                         : "No space left on device");
    l->failing = failed;
    l->torn = n > 0 ? failed : l->torn;
    dx_text_free(&t);
}
