/* SPDX-License-Identifier: MIT
 * record.c - writing a record: each event a line and one write, so that a relay that is killed leaves whole lines. */
#include "tool/record.h"
#include "tool/add.h"
#include "tool/stamp.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(struct recorder *r, int error)
{
    if (!r->error)
        r->error = error;
}

/* r: of adding to the line. */
static void added(struct recorder *rec, int r)
{
    if (r < 0)
        fail(rec, ENOMEM);
}

static void put_string(struct recorder *r, const char *name, const char *value)
{
    added(r, add_json(&r->line, name, value, strlen(value)));
}

/* A URL, without what its fragment may say of keys. */
static void put_url(struct recorder *r, const char *name, const char *url)
{
    char bare[1024];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(url, "#"), url);
    put_string(r, name, bare);
}

static void begin(struct recorder *r, uint64_t conn, const char *event)
{
    dx_text_clear(&r->line);
    added(r, addf(&r->line, "{\"t\":%" PRId64 ",\"conn\":%" PRIu64 ",\"event\":\"%s\"", steady_now_us() - r->start_us,
                  conn, event));
}

/* After a line that could not be written no other one follows: a record has no hole in it. */
static void finish(struct recorder *r)
{
    added(r, add(&r->line, "}\n"));
    for (size_t done = 0; done < r->line.n && !r->error;) {
        ssize_t n = write(r->fd, r->line.p + done, r->line.n - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            fail(r, errno);
    }
}

int recorder_open(struct recorder *r, const char *path, const char *listen)
{
    char at[40];
    time_t now = time(NULL);
    struct tm tm;
    *r = (struct recorder){.start_us = steady_now_us()};
    r->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (r->fd < 0)
        return errno;
    gmtime_r(&now, &tm);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
    added(r, addf(&r->line, "{\"v\":%d,\"event\":\"record\"", RECORD_VERSION));
    put_string(r, "at", at);
    put_url(r, "listen", listen);
    finish(r);
    return r->error;
}

int recorder_close(struct recorder *r)
{
    if (r->fd >= 0 && close(r->fd) < 0)
        fail(r, errno);
    r->fd = -1;
    dx_text_free(&r->line);
    return r->error;
}

void record_open(struct recorder *r, uint64_t conn, const char *peer, const char *target, bool client_messages,
                 bool server_messages)
{
    if (r->fd < 0)
        return;
    begin(r, conn, "open");
    put_url(r, "peer", peer);
    put_url(r, "target", target);
    put_string(r, "client", client_messages ? "messages" : "bytes");
    put_string(r, "server", server_messages ? "messages" : "bytes");
    finish(r);
}

void record_data(struct recorder *r, uint64_t conn, bool server, const void *data, size_t n, unsigned how,
                 bool messages)
{
    if (r->fd < 0)
        return;
    begin(r, conn, data ? "data" : "end");
    put_string(r, "from", server ? "server" : "client");
    if (data && messages)
        put_string(r, "as", how & DX_TEXT ? "text" : "binary");
    if (data) {
        added(r, addf(&r->line, ",\"hex\":\""));
        added(r, dx_hex(data, n, "", &r->line));
        added(r, add(&r->line, "\""));
    }
    finish(r);
}

void record_close(struct recorder *r, uint64_t conn, const char *by, const dx_err *why)
{
    if (r->fd < 0)
        return;
    begin(r, conn, "close");
    put_string(r, "by", by);
    added(r, addf(&r->line, ",\"code\":%d", tool_exit_of(why)));
    put_string(r, "reason", tool_exit_name(tool_exit_of(why)));
    put_string(r, "words", why->text);
    finish(r);
}
