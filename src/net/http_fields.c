/* SPDX-License-Identifier: MIT
 * http_fields.c - fields for the head to come: dx_http_set and its like. They wait as the lines they will be. */
#include "net/http1.h"
#include "net/http1_parts.h"
#include <string.h>
#include <strings.h>

enum { SET_MAX = 32 << 10 };

/* The exchange, while its head is still to come. */
static struct exchange *unanswered(dx_conn *c)
{
    struct http1 *h = c->gone || c->quiet ? NULL : http1_of(c);
    return h && h->x && !h->x->head_sent ? h->x : NULL;
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection", "Date"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcasecmp(name, ours[i]))
            return true;
    return false;
}

static bool names(const char *line, const char *name, size_t n)
{
    return !strncasecmp(line, name, n) && line[n] == ':';
}

static char *next_line(char *line)
{
    return strchr(line, '\n') + 1;
}

static void cut_line(dx_text *t, char *line)
{
    char *next = next_line(line);
    memmove(line, next, (size_t)(t->p + t->n + 1 - next));
    t->n -= (size_t)(next - line);
}

static int add_line(struct exchange *x, const char *name, const char *value)
{
    struct draft d = {0};
    draft_field(&d, name, value);
    if (d.r == 0 && x->set.n + d.t.n > SET_MAX)
        d.r = DX_BIG;
    if (d.r == 0)
        d.r = dx_text_add(&x->set, d.t.p, d.t.n);
    dx_text_free(&d.t);
    return d.r;
}

int dx_http_add(dx_conn *c, const char *name, const char *value)
{
    struct exchange *x = unanswered(c);
    return !x ? DX_STATE : is_ours(name) ? DX_URL : add_line(x, name, value);
}

int dx_http_set(dx_conn *c, const char *name, const char *value)
{
    struct exchange *x = unanswered(c);
    size_t n = strlen(name), was = x ? x->set.n : 0;
    int r = !x ? DX_STATE : is_ours(name) || !http1_is_token(name) ? DX_URL : value ? add_line(x, name, value) : 0;
    if (r < 0 || !was)
        return r;
    for (char *line = x->set.p; was > 0;) { /* those before the new one */
        size_t k = (size_t)(next_line(line) - line);
        was -= k;
        if (names(line, name, n))
            cut_line(&x->set, line);
        else
            line += k;
    }
    return 0;
}

/* Is line the Set-Cookie of that name and scope? */
static bool is_cookie(const char *line, const char *name, const char *scope)
{
    size_t n = strlen(name), k = strlen(scope);
    if (!names(line, "Set-Cookie", 10) || strncmp(line + 12, name, n) || line[12 + n] != '=')
        return false;
    const char *at = line + 12 + n + strcspn(line + 12 + n, ";\r");
    return !strncmp(at, scope, k) && (at[k] == ';' || at[k] == '\r') && strncmp(at + k, "; Path=", 7) &&
           strncmp(at + k, "; Domain=", 9);
}

int http_set_cookie_line(dx_conn *c, const char *name, const char *scope, const char *line)
{
    struct exchange *x = unanswered(c);
    if (!x)
        return DX_STATE;
    size_t was = x->set.n;
    int r = add_line(x, "Set-Cookie", line);
    for (char *at = x->set.p; r == 0 && was > 0;) {
        size_t n = (size_t)(next_line(at) - at);
        was -= n;
        if (is_cookie(at, name, scope)) {
            cut_line(&x->set, at);
            break;
        }
        at += n;
    }
    return r;
}

static bool has_own(const char *line, const char *type, const dx_http_field *own, size_t count)
{
    if (type && names(line, "Content-Type", 12))
        return true;
    if (names(line, "Set-Cookie", 10)) /* the one that is a list of many fields */
        return false;
    for (size_t i = 0; i < count; i++)
        if (names(line, own[i].name, strlen(own[i].name)))
            return true;
    return false;
}

bool http_set_has(const struct exchange *x, const char *name)
{
    for (char *line = x->set.p; line && *line; line = next_line(line))
        if (names(line, name, strlen(name)))
            return true;
    return false;
}

void http_set_write(struct exchange *x, struct draft *d, const char *type, const dx_http_field *own, size_t count)
{
    for (char *line = x->set.p; line && *line;) {
        char *next = next_line(line);
        if (!has_own(line, type, own, count))
            draft_add(d, line, (size_t)(next - line));
        line = next;
    }
}

int dx_http_end_connection(dx_conn *c)
{
    struct exchange *x = unanswered(c);
    if (!x)
        return DX_STATE;
    x->head.close = true;
    return 0;
}

int dx_http_redirect(dx_conn *c, int status, const char *location)
{
    static const char fine[] = "%:/?#[]@!$&'()*+,;="; /* RFC 3986 2.2, and what is encoded already */
    dx_text t = {0};
    status = status ? status : 302;
    if (!unanswered(c))
        return DX_STATE;
    if (!(status >= 301 && status <= 303) && status != 307 && status != 308)
        return DX_URL;
    if (!*location)
        return DX_URL;
    for (const char *p = location; *p; p++)
        if ((uint8_t)*p < 32 || *p == 127)
            return DX_URL;
    int r = dx_percent_encode(location, strlen(location), fine, &t);
    dx_http_field f = {"Location", t.p};
    if (r == 0)
        r = dx_http_reply(c, status, NULL, NULL, 0, &f, 1);
    dx_text_free(&t);
    return r;
}
