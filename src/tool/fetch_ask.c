/* SPDX-License-Identifier: MIT
 * fetch_ask.c - what the options of `duplex fetch` ask for, as dx_fetch_opts. */
#include "tool/fetch_inside.h"
#include "tool/proxies.h"
#include "tool/tool.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REDIRECTS = 10, OURS = 4 /* fields beside those of the options */ };

static bool has_field(const struct fetch_ask *a, const char *name)
{
    for (size_t i = 0; i < a->own; i++)
        if (!strcasecmp(a->v[i].name, name))
            return true;
    return false;
}

static bool is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && !strchr("!#$%&'*+-.^_`|~", p[i]))
            return false;
    return n > 0;
}

/* "Name: value", "Name:" (an empty value). */
static int add_field(struct fetch_ask *a, const char *text)
{
    const char *colon = strchr(text, ':');
    if (a->own >= FETCH_FIELDS - OURS)
        return tool_usage("more than %d fields", FETCH_FIELDS - OURS);
    if (!colon || !is_token(text, (size_t)(colon - text)))
        return tool_usage("--header '%.100s' is no field.  Try: --header 'Name: value'", text);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7F)
            return tool_usage("--header %.100s: a control byte in its value", text);
    dx_text *t = &a->text[a->own];
    if (dx_text_add(t, text, (size_t)(colon - text)) < 0 || dx_text_add(t, "", 1) < 0 ||
        dx_text_add(t, value, strlen(value)) < 0)
        return tool_usage("no memory");
    a->v[a->own] = (dx_http_field){t->p, t->p + strlen(t->p) + 1};
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcasecmp(a->v[a->own].name, ours[i]))
            return tool_usage("--header: %s is said by fetch alone", ours[i]);
    a->own++;
    return -1;
}

static int add_type(struct fetch_ask *a, const char *field)
{
    return has_field(a, "Content-Type") ? -1 : add_field(a, field);
}

/* ---- the body ---- */

static int read_data(struct fetch_ask *a, const char *data)
{
    char first = data[strspn(data, " \t\r\n")];
    if (*data == '@' && access(data + 1, F_OK) == 0 && !option_has(a->o, "quiet"))
        tool_say("--data sends '%.100s' as it stands.  For what is in the file: --data-file %.100s", data, data + 1);
    a->opts.body = (dx_bytes){data, strlen(data)};
    return add_type(a, first == '{' || first == '[' ? "Content-Type: application/json"
                                                    : "Content-Type: application/x-www-form-urlencoded");
}

static int read_file(struct fetch_ask *a, const char *file)
{
    struct stat st;
    bool standard = !strcmp(file, "-");
    a->fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (a->fd < 0 || fstat(a->fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        tool_say("%.200s: %s", file, a->fd >= 0 && S_ISDIR(st.st_mode) ? "a folder" : strerror(errno));
        return TOOL_LOCAL;
    }
    off_t at = S_ISREG(st.st_mode) ? lseek(a->fd, 0, SEEK_CUR) : -1;
    char byte;
    if (at >= 0 && st.st_size == 0 &&
        pread(a->fd, &byte, 1, at) > 0) /* as in /proc: how much there is shows when it is read */
        at = -1;
    a->fd_size = at >= 0 ? (st.st_size > at ? st.st_size - at : 0) : -1;
    a->opts.length = a->fd_size;
    if (at < 0 && a->o->arg_count > 1)
        return tool_usage("%.200s can be sent once, and here are %d URLs",
                          standard ? "what comes on standard input" : file, a->o->arg_count);
    if (!a->opts.method)
        a->opts.method = "POST";
    return add_type(a, "Content-Type: application/octet-stream");
}

static int read_body(struct fetch_ask *a)
{
    const char *data = option_text(a->o, "data"), *file = option_text(a->o, "data-file");
    if (data && file)
        return tool_usage("--data and --data-file are one too many");
    if ((data || file) && option_has(a->o, "head"))
        return tool_usage("--head asks without a body");
    if (data && !*data && !a->opts.method)
        a->opts.method = "POST"; /* of nothing */
    return data ? read_data(a, data) : file ? read_file(a, file) : -1;
}

/* ---- the rest ---- */

static int read_login(struct fetch_ask *a)
{
    const char *user = option_text(a->o, "user"), *token = option_text(a->o, "bearer");
    if (user && !strchr(user, ':'))
        return tool_usage("--user wants NAME:PASSWORD, not '%.100s'", user);
    if (user && token)
        return tool_usage("--user and --bearer are one too many");
    if ((user || token) && has_field(a, "Authorization"))
        return tool_usage("--%s and --header Authorization are one too many", user ? "user" : "bearer");
    a->opts.login = user;
    a->opts.bearer = token;
    return -1;
}

static const char *environment(void *arg, const char *url)
{
    (void)arg;
    return proxy_of_environment(url);
}

int ask_read(struct fetch_ask *a, const struct options *o)
{
    int at = 0, r = -1;
    const char *field;
    a->o = o;
    a->fd = -1;
    a->opts.method = option_has(o, "head") ? "HEAD" : option_text(o, "method");
    if (option_has(o, "head") && option_has(o, "method"))
        return tool_usage("--head and --method are one too many");
    if (a->opts.method && !is_token(a->opts.method, strlen(a->opts.method)))
        return tool_usage("--method '%.40s' is no method", a->opts.method);
    if (option_has(o, "no-location") && option_has(o, "redirects"))
        return tool_usage("--no-location and --redirects are one too many");
    while (r < 0 && (field = option_next(o, "header", &at)))
        r = add_field(a, field);
    a->ranged = has_field(a, "Range");
    if (r < 0 && a->ranged && option_has(o, "continue"))
        return tool_usage("--continue and --header Range are one too many");
    if (r < 0)
        r = read_body(a);
    if (r < 0)
        r = read_login(a);
    a->opts.proxy = option_text(o, "proxy");
    a->opts.proxy_for = a->opts.proxy ? NULL : environment;
    a->opts.redirects_max = option_has(o, "no-location") ? 0 : (int)option_number(o, "redirects", REDIRECTS);
    a->opts.decode = !option_has(o, "no-compression") && !option_has(o, "continue");
    a->opts.dial_ms_max = option_number(o, "timeout", 0);
    a->opts.idle_ms_max = option_number(o, "idle", 0);
    a->opts.total_ms_max = option_number(o, "within", 0);
    a->opts.body_bytes_max = option_number(o, "max-size", 0);
    return r;
}

void ask_for(struct fetch_ask *a, int64_t from, const char *since)
{
    size_t n = a->own;
    if (!has_field(a, "Accept"))
        a->v[n++] = (dx_http_field){"Accept", "*/*"};
    if (from > 0) {
        snprintf(a->range, sizeof a->range, "bytes=%" PRId64 "-", from);
        a->v[n++] = (dx_http_field){"Range", a->range};
    }
    if (from > 0 && since)
        a->v[n++] = (dx_http_field){"If-Range", since};
    a->opts.fields = a->v;
    a->opts.count = n;
}

void ask_free(struct fetch_ask *a)
{
    for (size_t i = 0; i < FETCH_FIELDS; i++)
        dx_text_free(&a->text[i]);
    if (a->fd > STDERR_FILENO)
        close(a->fd);
}
