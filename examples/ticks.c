/* SPDX-License-Identifier: MIT
 * ticks.c - a reply without end, until its client has gone:  ./ticks http://127.0.0.1:4000   curl -N 127.0.0.1:4000 */
#include <duplex/http.h>
#include <stdio.h>

static void tick(dx_conn *c)
{
    int *count = dx_state(c);
    char line[20];
    int n = snprintf(line, sizeof line, "%d\n", ++*count);
    dx_send(c, line, (size_t)n, 0); /* DX_FULL: it reads nothing, so this one is left out */
    dx_after(c, 100, tick);
}

static void asked(dx_conn *c)
{
    dx_http_head(c, 200, -1, NULL, 0);
    tick(c);
}

static void read_on(dx_conn *c)
{
    (void)c; /* its body has ended, the reply has not */
}

static void happened(dx_conn *c, int what, const void *arg)
{
    (void)arg;
    if (what == DX_GONE) /* it says no more; most that do have gone */
        dx_close(c);
}

static void over(dx_conn *c, const dx_err *why)
{
    fprintf(stderr, "gone after %d: %s\n", *(int *)dx_state(c), why->text);
}

int main(int argc, char **argv)
{
    const dx_handler on = {sizeof(int), asked, NULL, read_on, NULL, happened, over};
    dx_err err = {.text = "usage: ticks url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "ticks: %s\n", err.text);
    return 1;
}
