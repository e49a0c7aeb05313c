/* SPDX-License-Identifier: MIT
 * ws_options.c - see ws_options.h. */
#include "tool/ws_options.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <stdlib.h>
#include <string.h>

enum { PING_MS = 20000 };

static bool any_ws(const char *const *urls, int count)
{
    static const char *const schemes[] = {"ws", "wss", "http", "https", "any", NULL};
    for (int i = 0; i < count; i++)
        if (wire_among(urls[i], schemes))
            return true;
    return false;
}

/* The first of our options that was given, or NULL. */
static const char *given(const struct options *o)
{
    static const char *const names[] = {"text",   "binary",      "close",   "ping",
                                        "header", "subprotocol", "deflate", "deflate-with"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (option_is(o->command, names[i]) && option_has(o, names[i]))
            return names[i];
    return NULL;
}

/* Those that stand for what was never sent, and those of later versions, may not go (RFC 6455 7.4). */
static bool code_ok(long code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

static int read_close(struct ws_options *w, const char *text)
{
    char *end;
    if (!text)
        return -1;
    long code = strtol(text, &end, 10);
    w->close_reason = *end == ':' ? end + 1 : "";
    if (end == text || (*end && *end != ':') || !code_ok(code) || strlen(w->close_reason) > 123 ||
        !dx_is_utf8(w->close_reason, strlen(w->close_reason))) {
        tool_say("--close %s: a code of RFC 6455, or of 3000 to 4999, and at most 123 bytes of text.  Try: --close "
                 "4000:done",
                 text);
        return TOOL_USAGE;
    }
    w->close_code = (int)code;
    return -1;
}

static int read_headers(struct ws_options *w, const struct options *o)
{
    const char *text;
    int at = 0;
    while ((text = option_next(o, "header", &at))) {
        const char *colon = strchr(text, ':');
        size_t i = w->o.field_count;
        if (!colon || colon == text || i == WS_HEADERS_MAX) {
            tool_say("--header '%s': %s", text,
                     i == WS_HEADERS_MAX ? "there are too many" : "no name and value.  Try: --header 'Cookie: a=b'");
            return TOOL_USAGE;
        }
        w->names[i] = strndup(text, (size_t)(colon - text));
        if (!w->names[i])
            return TOOL_LIMIT;
        w->fields[i] = (dx_http_field){w->names[i], colon + 1 + strspn(colon + 1, " \t")};
        w->o.field_count++;
    }
    w->o.fields = w->fields;
    return -1;
}

int ws_options_read(struct ws_options *ret, const struct options *o, const char *const *urls, int url_count)
{
    bool dials = option_is(o->command, "header");
    *ret = (struct ws_options){.protocols = option_text(o, "subprotocol")};
    if (given(o) && !any_ws(urls, url_count)) {
        tool_say("--%s is for WebSockets: ws://, wss://, and http:// https:// any:// where they are listened on",
                 given(o));
        return TOOL_USAGE;
    }
    if (option_has(o, "text") && option_has(o, "binary")) {
        tool_say("--text or --binary, not both");
        return TOOL_USAGE;
    }
    ret->kind = option_has(o, "text") ? FEED_TEXT : option_has(o, "binary") ? FEED_BINARY : FEED_BY_ITSELF;
    ret->o.deflate = option_text(o, "deflate-with");
    if (!ret->o.deflate && option_has(o, "deflate"))
        ret->o.deflate = "";
    /* A dial has a limit of its own for idleness, a day, which says nothing about pings. */
    ret->o.ping_ms = option_number(o, "ping", dials ? PING_MS : 0);
    if (option_has(o, "ping") && ret->o.ping_ms == 0)
        ret->o.ping_ms = -1;
    ret->o.ping_timeout_ms = ret->o.ping_ms > 0 ? ret->o.ping_ms : 0;
    int r = read_close(ret, option_text(o, "close"));
    return r < 0 && dials ? read_headers(ret, o) : r;
}

void ws_options_free(struct ws_options *w)
{
    for (int i = 0; i < WS_HEADERS_MAX; i++)
        free(w->names[i]);
    memset(w->names, 0, sizeof w->names);
}

void ws_options_close(const struct ws_options *w, dx_conn *c)
{
    if (!w->close_code || dx_ws_close_code(c) || dx_ws_close(c, w->close_code, w->close_reason) < 0)
        dx_close(c);
}
