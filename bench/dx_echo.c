/* SPDX-License-Identifier: MIT
 * dx_echo.c - the library's side of the comparison: its echo server, for any URL, as its README has it. */
#include <duplex/duplex.h>
#include <stdio.h>

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_data = echo};
    const dx_opts o = {.conns_max = 100000};
    dx_err err = {.text = "usage: dx_echo url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    dx_listener *l = loop ? dx_serve(loop, argv[1], &on, NULL, &o, &err) : NULL;
    if (l) {
        printf("listening %s\n", dx_listener_url(l, 0));
        fflush(stdout);
        return dx_loop_run(loop) < 0;
    }
    fprintf(stderr, "dx_echo: %s\n", err.text);
    return 1;
}
