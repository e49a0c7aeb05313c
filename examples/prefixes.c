/* SPDX-License-Identifier: MIT
 * prefixes.c - who answers which URL, changed while it runs:  ./prefixes http://127.0.0.1:4000
 *   curl 127.0.0.1:4000/   curl '127.0.0.1:4000/?add=/new/'   curl 127.0.0.1:4000/new/x   curl '127.0.0.1:4000/?remove=/new/' */
#include <duplex/router.h>
#include <stdio.h>
#include <string.h>

static dx_router *router;

static void added(dx_conn *c)
{
    const char *prefix = dx_http_prefix(c);
    dx_http_reply(c, 200, "text/plain", prefix, strlen(prefix), NULL, 0);
}
static const dx_handler on_added = {.on_open = added};

static void listed(dx_conn *c)
{
    dx_text said = {0}, what = {0};
    dx_err err = {0};
    char prefix[200];
    int r = 0;
    if (dx_http_param(c, "add", 0, &what) == 1)
        r = dx_router_add(router, what.p, &on_added, NULL, NULL, &err);
    else if (dx_http_param(c, "remove", 0, &what) == 1)
        r = dx_router_remove(router, what.p); /* how many of its conns still run */
    for (size_t i = 0; dx_router_at(router, i, prefix, sizeof prefix - 1) >= 0; i++)
        dx_text_add(&said, prefix, strlen(strcat(prefix, "\n")));
    dx_http_reply(c, r < 0 ? 400 : 200, "text/plain", r < 0 ? err.text : said.p, r < 0 ? strlen(err.text) : said.n,
                  NULL, 0);
    dx_text_free(&said);
    dx_text_free(&what);
}

int main(int argc, char **argv)
{
    static const dx_handler on_list = {.on_open = listed};
    dx_err err = {.text = "usage: prefixes url"};
    dx_loop *loop = argc == 2 && (router = dx_router_new(&err)) ? dx_loop_new(&err) : NULL;
    dx_opts opts = {.router = router};
    if (loop && dx_router_add(router, "/", &on_list, NULL, NULL, &err) == 0 &&
        dx_serve(loop, argv[1], NULL, NULL, &opts, &err)) /* NULL: what no prefix matches is 404 */
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "prefixes: %s\n", err.text);
    return 1;
}
