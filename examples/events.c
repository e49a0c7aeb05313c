/* SPDX-License-Identifier: MIT
 * events.c - server-sent events:  ./events http://127.0.0.1:4000   curl -N 127.0.0.1:4000   One a second; who comes back goes on. */
#include <duplex/sse.h>
#include <stdio.h>
#include <stdlib.h>

static void tick(dx_conn *c)
{
    unsigned *n = dx_state(c);
    char id[16], text[64];
    snprintf(id, sizeof id, "%u", ++*n);
    int len = snprintf(text, sizeof text, "tick %u\nof the clock", *n);
    if (dx_sse_send(c, &(dx_sse){.id = id, .event = "tick", .data = text, .n = (size_t)len}) >= 0)
        dx_after(c, 1000, tick);
}

static void asked(dx_conn *c)
{
    dx_bytes last = dx_sse_last_id(c); /* what the client has had; a field's value is no C string */
    char id[16];
    snprintf(id, sizeof id, "%.*s", (int)(last.n < 15 ? last.n : 15), last.p ? (const char *)last.p : "");
    *(unsigned *)dx_state(c) = (unsigned)strtoul(id, NULL, 10);
    if (dx_sse_open(c, 0, NULL, 0) == 0)
        tick(c);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.state_bytes = sizeof(unsigned), .on_open = asked};
    dx_err err = {.text = "usage: events url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "events: %s\n", err.text);
    return 1;
}
