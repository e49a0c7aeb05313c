/* SPDX-License-Identifier: MIT
 * visits.c - the head of a reply: fields, cookies, a redirect:  ./visits http://127.0.0.1:4000   curl -iL -c jar -b jar 127.0.0.1:4000/ */
#include <duplex/http.h>
#include <stdio.h>
#include <stdlib.h>

static void visit(dx_conn *c)
{
    char text[60], count[20];
    dx_bytes path = dx_http_path(c), was = dx_http_cookie(c, "visits");
    snprintf(text, sizeof text, "%.*s", was.n < 9 ? (int)was.n : 0, was.p ? (const char *)was.p : "");
    snprintf(count, sizeof count, "%d", atoi(text) + 1);
    dx_http_set_cookie(c, &(dx_cookie){.name = "visits",
                                       .value = count,
                                       .path = "/",
                                       .max_age_s = 86400,
                                       .same_site = DX_SAME_SITE_LAX,
                                       .http_only = true});
    dx_http_set(c, "Cache-Control", "no-store"); /* whichever call sends the head */
    dx_http_add(c, "Vary", "Cookie");
    if (path.n == 1) {
        dx_http_redirect(c, 303, "/again");
        return;
    }
    int n = snprintf(text, sizeof text, "visit %s\n", count);
    dx_http_reply(c, 200, "text/plain", text, (size_t)n, NULL, 0);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = visit};
    dx_err err = {.text = "usage: visits url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "visits: %s\n", err.text);
    return 1;
}
