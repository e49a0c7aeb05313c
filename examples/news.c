/* SPDX-License-Identifier: MIT
 * news.c - a long poll: ./news http://127.0.0.1:4000   curl 127.0.0.1:4000 waits until somebody says curl -d text 127.0.0.1:4000 */
#include <duplex/http.h>
#include <stdio.h>
#include <string.h>

static dx_conn *waiting[1000], **end = waiting;
static void asked(dx_conn *c)
{
    dx_bytes method = dx_http_method(c);
    if (method.n == 3 && !memcmp(method.p, "GET", 3) && end < waiting + 1000 && dx_http_park(c, 25000, 204) == 0)
        *end++ = c;
}

static void said(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)how;
    for (dx_conn **to = waiting; to < end; to++)
        dx_http_reply(*to, 200, "text/plain; charset=utf-8", data, n, NULL, 0);
    end = waiting;
}

static void left(dx_conn *c, const dx_err *why)
{
    (void)why;
    for (dx_conn **at = waiting; at < end; at++)
        if (*at == c)
            *at-- = *--end;
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = asked, .on_data = said, .on_close = left};
    dx_err err = {.text = "usage: news url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "news: %s\n", err.text);
    return 1;
}
