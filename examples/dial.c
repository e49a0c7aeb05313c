/* SPDX-License-Identifier: MIT
 * dial.c - standard input and output joined to any URL, with back-pressure and true half-close:
 *   ./dial tcp://127.0.0.1:4000 <question >answer */
#include <duplex/duplex.h>
#include <stdio.h>

static int code; /* of the first end that did not go well */

static void closed(dx_conn *c, const dx_err *why)
{
    (void)c;
    if (code || why->code == DX_OK || why->code == DX_END || why->code == DX_CLOSED)
        return;
    code = why->code;
    fprintf(stderr, "dial: %s\n", why->text);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_close = closed};
    dx_err err = {.text = "usage: dial url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    dx_conn *here = loop ? dx_connect(loop, "stdio:", &on, NULL, NULL, &err) : NULL;
    dx_conn *there = here ? dx_connect(loop, argv[1], &on, NULL, NULL, &err) : NULL;
    if (there && dx_relay(here, there) == DX_OK) {
        dx_loop_run(loop);
        return code != 0;
    }
    fprintf(stderr, "dial: %s\n", err.text);
    return 1;
}
