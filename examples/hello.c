/* SPDX-License-Identifier: MIT
 * hello.c - an HTTP server that greets by name:  ./hello http://127.0.0.1:4000   curl 127.0.0.1:4000/ada */
#include <duplex/http.h>
#include <stdio.h>

static void asked(dx_conn *c)
{
    char text[200];
    dx_bytes path = dx_http_path(c);
    int name = path.n > 100 ? 100 : path.n > 1 ? (int)path.n - 1 : 0;
    int n = name ? snprintf(text, sizeof text, "hello %.*s\n", name, (const char *)path.p + 1)
                 : snprintf(text, sizeof text, "hello %s\n", dx_peer(c));
    dx_http_reply(c, 200, "text/plain; charset=utf-8", text, (size_t)n, NULL, 0);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = asked};
    dx_err err = {.text = "usage: hello url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "hello: %s\n", err.text);
    return 1;
}
