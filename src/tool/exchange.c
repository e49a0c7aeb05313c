/* SPDX-License-Identifier: MIT
 * exchange.c - see exchange.h. */
#include "tool/exchange.h"
#include "tool/tool.h"
#include <duplex/ws.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REFUSED_FROM = 400, NOT_ALLOWED = 405 };

static int post(dx_conn *c, int64_t length)
{
    static const dx_http_field type = {"Content-Type", "application/octet-stream"};
    return dx_http_request(c, "POST", NULL, &type, length != 0, length);
}

int exchange_ask(dx_conn *c)
{
    struct stat s;
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (isatty(STDIN_FILENO)) {
        tool_say("a POST: type its body, Ctrl-D ends it");
        return post(c, -1);
    }
    if (at < 0 || fstat(STDIN_FILENO, &s) < 0 || !S_ISREG(s.st_mode))
        return 0;
    return post(c, s.st_size > at ? s.st_size - at : 0);
}

static const char *reason_of(int status)
{
    const char *reason = dx_http_reason(status);
    return strcmp(reason, "Status") ? reason : "";
}

static void tell_status(int version, int status)
{
    const char *reason = reason_of(status);
    tool_say("HTTP/%d.%d %d%s%s", version / 10, version % 10, status, *reason ? " " : "", reason);
}

void exchange_tell(dx_conn *c, int what, const void *arg)
{
    dx_bytes name, value;
    if (what == DX_INFO)
        tell_status(11, *(const int *)arg);
    for (size_t i = 0; what == DX_TRAILERS && (value = dx_http_trailer_at(c, i, &name)).p; i++)
        tool_say("%.*s: %.*s (behind the body)", (int)name.n, (const char *)name.p, (int)value.n,
                 (const char *)value.p);
    if (what != DX_HEAD)
        return;
    tell_status(dx_http_version(c), dx_http_status(c));
    for (size_t i = 0; (value = dx_http_header_at(c, i, &name)).p; i++)
        tool_say("%.*s: %.*s", (int)name.n, (const char *)name.p, (int)value.n, (const char *)value.p);
}

bool exchange_refused(const dx_conn *c, const char *url)
{
    int status = dx_http_status(c);
    const char *reason = reason_of(status);
    if (status < REFUSED_FROM)
        return false;
    tool_say("%s answers %d%s%s%s%s", url, status, *reason ? " " : "", reason,
             status == NOT_ALLOWED ? ": dial is a POST.  To get it, try: duplex fetch " : "",
             status == NOT_ALLOWED ? url : "");
    return true;
}

bool exchange_accept_ws(dx_conn *c)
{
    static const char no[] = "a page from elsewhere may not speak here\n";
    if (dx_ws_accept(c, NULL, NULL, NULL) >= 0)
        return true;
    dx_http_reply(c, 403, "text/plain", no, sizeof no - 1, NULL, 0);
    return false;
}

/* A request that wants no WebSocket is answered and is no talk; not by 200: who posts must learn that nobody took it. */
bool exchange_talks(dx_conn *c)
{
    static const char no[] = "duplex listen is here: a talk goes by socket or WebSocket\n";
    static const dx_http_field up[] = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
    if (dx_http_wants_ws(c))
        return exchange_accept_ws(c);
    dx_http_reply(c, 426, "text/plain", no, sizeof no - 1, up, 2);
    return false;
}
