/* SPDX-License-Identifier: MIT
 * http1_ask.c - the head of a request, and what may not stand in one. */
#include "net/http1_client.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 32 };

static const char *field_of(const struct http1_ask *a, const char *name)
{
    return http1_value_of(a->fields, a->count, name);
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

/* What a client must not send (RFC 9110): content or a secret with TRACE, which sends it back (9.3.8); the wish to be asked for
 * content that there is none of (10.1.1); "chunked" among what is welcome, for it always is (RFC 9112 7.4). */
static bool may_be_asked(const struct http1_ask *a)
{
    bool trace = !strcmp(a->method, "TRACE");
    if (trace && (a->length || field_of(a, "Authorization") || field_of(a, "Cookie")))
        return false;
    return (a->length || !http1_lists(field_of(a, "Expect"), "100-continue")) &&
           !http1_lists(field_of(a, "TE"), "chunked");
}

static int check(const struct http1_ask *a)
{
    if (!http1_is_token(a->method) || strlen(a->method) > METHOD_MAX || a->length < -1 || !target_ok(a) ||
        !fields_ok(a) || !may_be_asked(a))
        return DX_URL;
    return strcmp(a->method, "CONNECT") ? 0 : DX_ABSENT;
}

/* RFC 9110 8.6: no body is said of methods that may have one; of these it goes without saying. */
static bool has_no_body(const char *method)
{
    static const char *const none[] = {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!strcmp(method, none[i]))
            return true;
    return false;
}

static void add_length(const struct http1_ask *a, struct draft *ret)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)a->length);
    if (a->length < 0)
        draft_field(ret, "Transfer-Encoding", "chunked");
    else if (a->length > 0 || !has_no_body(a->method))
        draft_field(ret, "Content-Length", text);
}

/* TE and Upgrade are for the next hop alone, and Connection must say so (RFC 9110 7.8, 10.1.4). */
static void add_connection(const struct http1_ask *a, struct draft *ret)
{
    const char *option[] = {a->keep ? NULL : "close", field_of(a, "TE") ? "TE" : NULL,
                            field_of(a, "Upgrade") ? "Upgrade" : NULL};
    const char *before = "Connection: ";
    for (size_t i = 0; i < sizeof option / sizeof *option; i++)
        if (option[i]) {
            draft_say(ret, before);
            draft_say(ret, option[i]);
            before = ", ";
        }
    draft_say(ret, *before == ',' ? "\r\n" : "");
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
    if (a->length && !strcmp(a->method, "OPTIONS") && !field_of(a, "Content-Type")) /* RFC 9110 9.3.7 */
        draft_field(ret, "Content-Type", "application/octet-stream");
    add_length(a, ret);
    add_connection(a, ret);
    draft_say(ret, "\r\n");
    if (ret->r == 0 && ret->t.n > HTTP1_HEAD_MAX)
        ret->r = DX_BIG;
    return ret->r;
}
