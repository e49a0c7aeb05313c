/* SPDX-License-Identifier: MIT
 * ask.c - what is at a URL? Its status on stderr, its body on stdout:
 *   ./ask https://a.example/page >page.html */
#include <duplex/http.h>
#include <stdio.h>

static void ask(dx_conn *c)
{
    dx_http_request(c, "GET", NULL, NULL, 0, 0);
}

static void event(dx_conn *c, int what, const void *arg)
{
    (void)arg;
    if (what == DX_HEAD)
        fprintf(stderr, "%d %s\n", dx_http_status(c), dx_http_reason(dx_http_status(c)));
}

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)how;
    if (fwrite(p, 1, n, stdout) < n)
        dx_abort(c);
}

static void closed(dx_conn *c, const dx_err *why)
{
    *(dx_err *)dx_user(c) = *why;
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = ask, .on_event = event, .on_data = data, .on_close = closed};
    dx_err err = {.text = "usage: ask url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_connect(loop, argv[1], &on, &err, NULL, &err))
        dx_loop_run(loop); /* until nothing is left to wait for */
    if (err.code == DX_END)
        return 0;
    fprintf(stderr, "ask: %s\n", err.text);
    return 1;
}
