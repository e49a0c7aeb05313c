/* SPDX-License-Identifier: MIT
 * cert_show.c - certificates for people to look at, and as JSON. */
#include "tool/cert.h"
#include "tool/add.h"
#include "tool/tool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, NAME_WIDTH = 11 };

struct showing {
    const char *path;
    dx_text *t;
    int64_t now_s;
    int count;
};

int cert_fail(const dx_err *e, const char *hint)
{
    tool_say("%s%s%s", e->text[0] ? e->text : dx_code_text(e->code), hint ? ".  Try: " : "", hint ? hint : "");
    /* tool_exit_of thinks of a wire: there, what is not there is nobody listening. */
    return e->code == DX_SYS && e->detail == ENOENT ? TOOL_LOCAL : tool_exit_of(e);
}

int cert_print(dx_text *t)
{
    bool fine = fwrite(t->p ? t->p : "", 1, t->n, stdout) == t->n && fflush(stdout) == 0;
    if (!fine)
        tool_say("write to stdout: %s", strerror(errno));
    dx_text_free(t);
    return fine ? TOOL_DONE : TOOL_LOCAL;
}

void cert_line(dx_text *t, const char *name, const char *value)
{
    char head[32];
    snprintf(head, sizeof head, "  %-*s  ", NAME_WIDTH, name);
    add(t, head);
    dx_visible(value, strlen(value), NULL, t);
    add(t, "\n");
}

/* ---- for people ---- */

/* "a,b" to "a, b": words that a line can break between. */
static void list_line(dx_text *t, const char *name, const char *list)
{
    dx_text spaced = {0};
    for (const char *p = list; *p; p++)
        dx_text_add(&spaced, *p == ',' ? ", " : p, *p == ',' ? 2 : 1);
    cert_line(t, name, spaced.p ? spaced.p : "none");
    dx_text_free(&spaced);
}

static void day_text(int64_t seconds, char ret[16])
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(ret, 16, "%Y-%m-%d", &tm))
        snprintf(ret, 16, "?");
}

static void dates_line(const struct showing *s, const dx_cert_info *i)
{
    char from[16], until[16], text[120];
    long long left = (i->until_s - s->now_s + DAY_S - 1) / DAY_S, /* of today, too */
        over = (s->now_s - i->until_s) / DAY_S;
    day_text(i->from_s, from);
    day_text(i->until_s, until);
    if (s->now_s >= i->until_s)
        snprintf(text, sizeof text, "%s to %s: expired %lld %s ago", from, until, over, over == 1 ? "day" : "days");
    else if (s->now_s < i->from_s)
        snprintf(text, sizeof text, "%s to %s: not valid yet, or the clock here is wrong", from, until);
    else
        snprintf(text, sizeof text, "%s to %s: %lld %s left", from, until, left, left == 1 ? "day" : "days");
    cert_line(s->t, "valid", text);
}

static void show_one(void *arg, const dx_cert_info *i)
{
    struct showing *s = arg;
    if (s->count++)
        add(s->t, "\n");
    dx_visible(s->path, strlen(s->path), NULL, s->t);
    add(s->t, "\n");
    cert_line(s->t, "subject", i->subject);
    if (i->ca)
        list_line(s->t, "signs for", *i->permits ? i->permits : "any name");
    if (!i->ca || *i->names)
        list_line(s->t, "names", i->names);
    dates_line(s, i);
    cert_line(s->t, "signed by", i->self_signed ? "itself" : i->issuer);
    cert_line(s->t, "key", i->key);
    if (!i->ca)
        cert_line(s->t, "for",
                  i->for_server && i->for_client ? "servers and clients"
                  : i->for_server                ? "servers"
                  : i->for_client                ? "clients"
                                                 : "neither servers nor clients");
    cert_line(s->t, "pin", i->pin);
    cert_line(s->t, "fingerprint", i->fingerprint);
}

/* ---- as JSON ---- */

static void json_text(dx_text *t, const char *name, const char *value)
{
    add(t, t->n && t->p[t->n - 1] != '{' ? ",\"" : "\"");
    add(t, name);
    add(t, "\":\"");
    dx_json_escape(value, strlen(value), t);
    add(t, "\"");
}

static void json_plain(dx_text *t, const char *name, const char *value)
{
    add(t, ",\"");
    add(t, name);
    add(t, "\":");
    add(t, value);
}

/* A comma inside a name would part it in two; no DNS name or address has one. */
static void json_list(dx_text *t, const char *name, const char *list)
{
    json_plain(t, name, "[");
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        add(t, p == list ? "\"" : ",\"");
        dx_json_escape(p, n, t);
        add(t, "\"");
        p += n + (p[n] == ',');
    }
    add(t, "]");
}

static void json_time(dx_text *t, const char *name, int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    char text[40] = "";
    if (gmtime_r(&at, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_text(t, name, text);
}

static void json_one(void *arg, const dx_cert_info *i)
{
    struct showing *s = arg;
    dx_text *t = s->t;
    char days[24];
    snprintf(days, sizeof days, "%lld", (long long)(i->until_s - s->now_s) / DAY_S);
    add(t, "{");
    json_text(t, "file", s->path);
    json_text(t, "subject", i->subject);
    json_text(t, "issuer", i->issuer);
    json_list(t, "names", i->names);
    json_list(t, "permits", i->permits);
    json_time(t, "from", i->from_s);
    json_time(t, "until", i->until_s);
    json_plain(t, "days_left", days);
    json_text(t, "pin", i->pin);
    json_text(t, "fingerprint", i->fingerprint);
    json_text(t, "serial", i->serial);
    json_text(t, "key", i->key);
    json_text(t, "signature", i->signature);
    json_plain(t, "ca", i->ca ? "true" : "false");
    json_plain(t, "self_signed", i->self_signed ? "true" : "false");
    json_plain(t, "for_server", i->for_server ? "true" : "false");
    json_plain(t, "for_client", i->for_client ? "true" : "false");
    add(t, "}\n");
}

int cert_show(const char *path, bool json, dx_text *t)
{
    dx_err err = {0};
    struct showing s = {.path = path, .t = t, .now_s = time(NULL)};
    return dx_cert_read(path, json ? json_one : show_one, &s, &err) < 0 ? cert_fail(&err, NULL) : 0;
}

void cert_show_peer(dx_conn *c, const char *url, dx_text *t)
{
    struct showing s = {.path = url, .t = t, .now_s = time(NULL)};
    dx_tls_peer(c, show_one, &s);
}
