/* SPDX-License-Identifier: MIT
 * http1_ask.c - the head of a request, and what may not stand in one. */
#include "net/http1_client.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 32 };

static const char *field_of(const struct http1_ask *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->fields[i].name && !strcasecmp(a->fields[i].name, name))
            return a->fields[i].value;
    return NULL;
}

/* origin-form, or the asterisk of OPTIONS. Bytes over 0x7F are let through, as in a path that was typed. */
static bool target_ok(const struct http1_ask *a)
{
    size_t n = strlen(a->target);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)a->target[i] <= ' ' || a->target[i] == 0x7F || a->target[i] == '#')
            return false;
    return n <= HTTP1_TARGET_MAX &&
           (*a->target == '/' || a->absolute || (!strcmp(a->target, "*") && !strcmp(a->method, "OPTIONS")));
}

/* These say where the message ends, and that is said by us alone. */
static bool fields_ok(const struct http1_ask *a)
{
    size_t hosts = 0;
    for (size_t i = 0; i < a->count; i++)
        hosts += a->fields[i].name && !strcasecmp(a->fields[i].name, "Host");
    return hosts <= 1 && !field_of(a, "Content-Length") && !field_of(a, "Transfer-Encoding") &&
           !field_of(a, "Connection");
}

static int check(const struct http1_ask *a)
{
    if (!http1_is_token(a->method) || strlen(a->method) > METHOD_MAX || a->length < -1 || !target_ok(a) ||
        !fields_ok(a))
        return DX_URL;
    return strcmp(a->method, "CONNECT") ? 0 : DX_ABSENT;
}

/* No body is said of methods that may have one; of GET and HEAD it goes without saying. */
static void add_length(const struct http1_ask *a, struct draft *ret)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)a->length);
    if (a->length < 0)
        draft_field(ret, "Transfer-Encoding", "chunked");
    else if (a->length > 0 || (strcmp(a->method, "GET") && strcmp(a->method, "HEAD")))
        draft_field(ret, "Content-Length", text);
}

int http1_ask_write(const struct http1_ask *a, struct draft *ret)
{
    char agent[64];
    if ((ret->r = check(a)) < 0)
        return ret->r;
    snprintf(agent, sizeof agent, "duplex/%s", dx_version());
    draft_say(ret, a->method);
    draft_say(ret, " ");
    draft_say(ret, a->target);
    draft_say(ret, " HTTP/1.1\r\n");
    if (!field_of(a, "Host"))
        draft_field(ret, "Host", a->host);
    if (!field_of(a, "User-Agent"))
        draft_field(ret, "User-Agent", agent);
    draft_fields(ret, a->fields, a->count);
    add_length(a, ret);
    draft_say(ret, a->keep ? "\r\n" : "Connection: close\r\n\r\n");
    if (ret->r == 0 && ret->t.n > HTTP1_HEAD_MAX)
        ret->r = DX_BIG;
    return ret->r;
}
