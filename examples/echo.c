/* SPDX-License-Identifier: MIT
 * echo.c - says back what it hears, on any wire:  ./echo tcp://:4000   ./echo ws://:4000   ./echo unix:///tmp/e */
#include <duplex/duplex.h>
#include <stdio.h>

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_data = echo};
    dx_err err = {.text = "usage: echo url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "echo: %s\n", err.text);
    return 1;
}
