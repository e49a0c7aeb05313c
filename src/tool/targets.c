/* SPDX-License-Identifier: MIT */
#include "tool/targets.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <string.h>

static bool may_be_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
}

/* tool_say, and the exit code. */
#define usage(...) (tool_say(__VA_ARGS__), TOOL_USAGE)

/* Else each client would be told in its turn. The rest of the URL is the library's to read. */
static bool can_be_dialled(const char *url)
{
    if (wire_can_be_dialled(url))
        return true;
    dx_err e = {.code = DX_URL, .text = "a target wants a URL that can be dialled"};
    tool_fail("relay", url, &e);
    return false;
}

/* "NAME=URL"; dots alone are no name, for browsers take them out of paths. */
static int add(struct targets *t, const char *text)
{
    const char *eq = strchr(text, '=');
    size_t n = eq ? (size_t)(eq - text) : 0, dots = strspn(text, ".");
    if (t->count == TARGETS_MAX)
        return usage("--target %s is one too many: there may be 16", text);
    for (size_t i = 0; i < n; i++)
        if (!may_be_in_name(text[i]))
            n = 0;
    if (!n || n > TARGET_NAME_MAX || !eq[1] || dots == n)
        return usage("--target wants NAME=URL, the name of letters, digits, - _ and ., at most 64: not '%.80s'", text);
    struct target *k = &t->row[t->count];
    memcpy(k->name, text, n);
    k->url = eq + 1;
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->row[i].name, k->name))
            return usage("--target names %s twice", k->name);
    t->count++;
    return -1;
}

static int add_all(struct targets *t, const struct options *o, const char *listen)
{
    int at = 0, r = -1;
    for (const char *text; r < 0 && (text = option_next(o, "target", &at));)
        r = add(t, text);
    if (r >= 0)
        return r;
    if (o->arg_count == 2 && t->count)
        return usage("a target URL or --target, not both: %s", o->args[1]);
    if (o->arg_count == 2) {
        t->row[t->count++].url = o->args[1];
        return -1;
    }
    t->named = t->count > 0;
    if (!t->named)
        return usage("where to?  Try: duplex relay %s tcp://127.0.0.1:80", listen);
    if (!wire_is(listen, "ws") && !wire_is(listen, "wss"))
        return usage("--target is chosen by the path of a WebSocket, which %s has not.  Try: ws:// or wss://", listen);
    const char *host = strstr(listen, "://");
    if (host && strcspn(host + 3, "/#?") != strlen(host + 3) && strcmp(host + 3 + strcspn(host + 3, "/#?"), "/") &&
        !strchr(host, '#'))
        return usage("the path is the target's name, so %s has none of its own", listen);
    return -1;
}

int targets_read(struct targets *t, const struct options *o, const char *listen)
{
    const char *urls[TARGETS_MAX];
    memset(t, 0, sizeof *t);
    int r = add_all(t, o, listen);
    for (int i = 0; r < 0 && i < t->count; i++)
        if (!can_be_dialled(urls[i] = t->row[i].url))
            r = TOOL_USAGE;
    if (r < 0)
        r = sides_check(o, listen, urls, t->count);
    for (int i = 0; r < 0 && i < t->count; i++)
        r = sides_trust(&t->row[i].trust, o, listen, t->row[i].url);
    return r;
}

void targets_free(struct targets *t)
{
    for (int i = 0; i < t->count; i++)
        trust_free(&t->row[i].trust);
    t->count = 0;
}

struct target *targets_find(struct targets *t, dx_bytes path)
{
    if (!t->named)
        return &t->row[0];
    for (int i = 0; i < t->count; i++) {
        const char *name = t->row[i].name;
        size_t n = strlen(name);
        if (path.n == n + 1 && *(const char *)path.p == '/' && !memcmp((const char *)path.p + 1, name, n))
            return &t->row[i];
    }
    return NULL;
}
