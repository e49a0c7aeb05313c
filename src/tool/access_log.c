/* SPDX-License-Identifier: MIT
 * access_log.c - see access_log.h. */
#include "tool/access_log.h"
#include "tool/add.h"
#include "tool/tool.h"
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
        l->failing = false;
    }
}

void access_log_close(struct access_log *l)
{
    if (l->fd > 0)
        close(l->fd);
    l->fd = 0;
}

/* Quotes, backslashes, controls and what is not ASCII as \xNN, as nginx writes them: a line stays a line, a field a field. */
static void add_escaped(dx_text *t, dx_bytes b)
{
    const uint8_t *p = b.p;
    char hex[5];
    if (!b.p)
        add(t, "-");
    for (size_t i = 0; i < b.n; i++) {
        if (p[i] >= ' ' && p[i] < 127 && p[i] != '"' && p[i] != '\\') {
            dx_text_add(t, &p[i], 1);
        } else {
            snprintf(hex, sizeof(hex), "\\x%02X", p[i]);
            add(t, hex);
        }
    }
}

static void add_combined(dx_text *t, const struct hub_request *r)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm m;
    char s[128], zone[8];
    localtime_r(&now, &m);
    strftime(zone, sizeof(zone), "%z", &m);
    add(t, r->peer);
    snprintf(s, sizeof(s), " - - [%02d/%s/%d:%02d:%02d:%02d %s] \"", m.tm_mday, months[m.tm_mon], m.tm_year + 1900,
             m.tm_hour, m.tm_min, m.tm_sec, zone);
    add(t, s);
    add_escaped(t, r->method), add(t, " "), add_escaped(t, r->target);
    snprintf(s, sizeof(s), " HTTP/%d.%d\" %d %" PRIu64 " \"", r->version / 10, r->version % 10, r->status, r->sent);
    add(t, s);
    add_escaped(t, r->referer), add(t, "\" \""), add_escaped(t, r->agent), add(t, "\"\n");
}

static void add_field(dx_text *t, const char *name, dx_bytes b)
{
    if (!b.p)
        return;
    add(t, ",\""), add(t, name), add(t, "\":\"");
    dx_json_escape(b.p, b.n, t);
    add(t, "\"");
}

static void add_json(dx_text *t, const struct hub_request *r)
{
    struct timespec now;
    char s[160];
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(s, sizeof(s), "{\"v\":1,\"time\":%" PRId64 ",\"peer\":\"%.60s\",\"wire\":\"%.10s\"",
             (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, r->peer, r->wire);
    add(t, s);
    add_field(t, "method", r->method), add_field(t, "target", r->target), add_field(t, "host", r->host);
    snprintf(s, sizeof(s), ",\"version\":\"%d.%d\",\"status\":%d,\"sent\":%" PRIu64 ",\"ms\":%" PRId64, r->version / 10,
             r->version % 10, r->status, r->sent, r->ms);
    add(t, s);
    add_field(t, "referer", r->referer), add_field(t, "agent", r->agent);
    add(t, "}\n");
}

void access_log_add(struct access_log *l, const struct hub_request *r)
{
    dx_text t = {0};
    if (l->fd <= 0)
        return;
    if (l->json)
        add_json(&t, r);
    else
        add_combined(&t, r);
    ssize_t n = write(l->fd, t.p, t.n);
    if (n != (ssize_t)t.n && !l->failing)
        tool_say("access log '%s': %s; serving goes on without it", l->path,
                 n < 0 ? strerror(errno) : "No space left on device");
    l->failing = n != (ssize_t)t.n;
    dx_text_free(&t);
}
