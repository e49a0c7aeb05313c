/* SPDX-License-Identifier: MIT
 * cert_check.c - duplex cert check: would a dial believe it? Of a file, or of a server by dialling it. */
#include "tool/cert.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include "tool/wires.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- a file ---- */

static int check_file(const struct options *o, const char *file)
{
    const char *host = option_text(o, "host");
    dx_err err = {0};
    dx_text t = {0};
    int r = cert_show(file, false, &t);
    if (r) {
        dx_text_free(&t);
        return r;
    }
    bool believed = dx_cert_check(file, host, option_text(o, "ca"), &err) >= 0;
    cert_line(&t, "verdict",
              !believed ? "not believed"
              : host    ? "believed"
                        : "believed; its names were not asked (--host NAME)");
    r = cert_print(&t);
    return believed ? r : cert_fail(&err, NULL);
}

/* ---- a server ---- */

struct look {
    const char *url, *shown_url; /* dialled; as it was given */
    dx_loop *loop;
    bool open;
    dx_err why;
    dx_text certs;     /* what the server has shown */
    char session[120]; /* "TLS1.3 AES-128-GCM X25519" */
};

static void look_open(dx_conn *c)
{
    struct look *k = dx_user(c);
    dx_tls_info i;
    k->open = true;
    if (dx_tls_info_of(c, &i) == 0)
        snprintf(k->session, sizeof k->session, "%s %s %s", i.version, i.cipher, i.group);
    dx_text_clear(&k->certs);
    cert_show_peer(c, k->shown_url, &k->certs);
    dx_close(c);
}

static void look_close(dx_conn *c, const dx_err *why)
{
    ((struct look *)dx_user(c))->why = *why;
}

static const dx_handler look_on = {.on_open = look_open, .on_close = look_close};

/* Dials k->url as far as the end of the handshake. true: that was reached; else k->why says more. */
static bool look_at(struct look *k, const struct options *o, const dx_tls_opts *trust, const char *protocols)
{
    dx_opts opts = {.dial_ms_max = option_number(o, "timeout", 0), .protocols = protocols};
    k->open = false;
    if (trust && !(opts.tls = dx_tls_new(trust, &k->why)))
        return false;
    if (dx_connect(k->loop, k->url, &look_on, k, &opts, &k->why))
        dx_loop_run(k->loop);
    dx_tls_drop(opts.tls);
    return k->open;
}

/* Of https and wss only the TLS below is asked: tls:// and the same host, its port said; what follows the host but a fragment goes. */
static int tls_url(const char *url, char *ret, size_t room)
{
    const char *host = strstr(url, "://") + 3, *fragment = strchr(host, '#');
    size_t n = strcspn(host, "/?#");
    const char *colon = memrchr(host, ':', n);
    bool port = colon && !memchr(colon, ']', n - (size_t)(colon - host));
    int k = snprintf(ret, room, "tls://%.*s%s%s", (int)n, host, port ? "" : ":443", fragment ? fragment : "");
    return (size_t)k < room ? 0 : -1;
}

static int show_look(struct look *k, const char *verdict)
{
    cert_line(&k->certs, "session", k->session);
    cert_line(&k->certs, "verdict", verdict);
    return cert_print(&k->certs);
}

static bool is_about_trust(const dx_err *e)
{
    return e->code == DX_TLS && e->detail_of == DX_OF_TLS && e->detail >= DX_TLS_EXPIRED && e->detail <= DX_TLS_REVOKED;
}

static int judge_server(struct look *k, const struct options *o, const char *url)
{
    const dx_tls_opts trust = {.ca = option_text(o, "ca")}, any = {.insecure = true};
    const char *protocols = strncasecmp(url, "tls:", 4) ? "http/1.1" : NULL;
    if (look_at(k, o, trust.ca ? &trust : NULL, protocols))
        return show_look(k, "believed");
    if (tool_stopped())
        return 128 + tool_stopped();
    dx_err why = k->why;
    /* What it is that is not believed is worth a look: once more, and nothing is sent. */
    if (is_about_trust(&why) && look_at(k, o, &any, protocols))
        show_look(k, "not believed");
    return tool_fail("dial", url, &why);
}

static int check_server(const struct options *o, const char *url)
{
    char mine[1024];
    dx_err err = {0};
    if (tls_url(url, mine, sizeof mine) < 0) {
        tool_say("the URL is too long");
        return TOOL_USAGE;
    }
    struct look k = {.url = mine, .shown_url = url, .loop = dx_loop_new(&err)};
    if (!k.loop)
        return tool_fail("dial", url, &err);
    tool_signals(k.loop);
    int r = judge_server(&k, o, url);
    tool_loop_free(k.loop);
    dx_text_free(&k.certs);
    return r;
}

int cert_check(const struct options *o, const char *what)
{
    if (!strstr(what, "://"))
        return check_file(o, what);
    if (!wire_is_tls(what)) {
        tool_say("no certificate is behind %.200s.  Try: tls:// wss:// https:// or a file", what);
        return TOOL_USAGE;
    }
    if (!option_text(o, "host"))
        return check_server(o, what);
    tool_say("--host is for a file: a server is asked for the URL's own host");
    return TOOL_USAGE;
}
