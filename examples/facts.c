/* SPDX-License-Identifier: MIT
 * facts.c - what a request says:  ./facts http://127.0.0.1:4000   curl -b a=1 -H 'Accept-Language: zh,en;q=0.5' '127.0.0.1:4000/x?q=a+b' */
#include <duplex/http.h>
#include <duplex/tls.h>
#include <stdio.h>

static void tell(dx_text *t, const char *name, dx_bytes v)
{
    char line[300];
    int n = snprintf(line, sizeof line, "%s: %.*s\n", name, v.n < 200 ? (int)v.n : 200, v.p ? (const char *)v.p : "");
    dx_text_add(t, line, (size_t)n);
}

static void asked(dx_conn *c)
{
    dx_text t = {0}, q = {0};
    dx_tls_info tls;
    char more[600];
    tell(&t, "Host", dx_http_header(c, "Host"));
    tell(&t, "User-Agent", dx_http_header(c, "User-Agent"));
    tell(&t, "cookie a", dx_http_cookie(c, "a"));
    tell(&t, "charset", dx_http_charset(c));
    if (dx_http_param(c, "q", 0, &q) == 1) /* decoded */
        tell(&t, "q", (dx_bytes){q.p, q.n});
    int n =
        snprintf(more, sizeof more, "version: %d\nfrom: %s\nlocal: %d\ntls: %s\nchinese: %d\nid: %s\n",
                 dx_http_version(c), dx_peer(c), dx_is_loopback(c), dx_tls_info_of(c, &tls) == 0 ? tls.version : "no",
                 dx_http_quality(dx_http_header(c, "Accept-Language"), "zh-CN"), dx_http_id(c));
    dx_text_add(&t, more, (size_t)n);
    dx_http_reply(c, 200, "text/plain; charset=utf-8", t.p, t.n, NULL, 0);
    dx_text_free(&t);
    dx_text_free(&q);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = asked};
    dx_err err = {.text = "usage: facts url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "facts: %s\n", err.text);
    return 1;
}
