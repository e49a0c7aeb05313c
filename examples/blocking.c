/* SPDX-License-Identifier: MIT
 * blocking.c - echo again, with a task a connection and calls that wait. Not in this build yet: it says so. */
#include <duplex/duplex.h>
#include <stdio.h>

static void echo(dx_sock *s, void *arg)
{
    const void *data;
    int64_t n;
    (void)arg;
    while ((n = dx_take(s, &data)) >= 0 && dx_write(s, data, (size_t)n) >= 0)
        ;
    dx_hangup(s);
}

int main(int argc, char **argv)
{
    dx_err err = {.text = "usage: blocking url"};
    dx_group *tasks = argc == 2 ? dx_group_new(1000, &err) : NULL;
    dx_sock *s, *l = tasks ? dx_listen(argv[1], NULL, &err) : NULL;
    while (l && (s = dx_accept(l, &err)))
        if (dx_spawn(tasks, echo, s, NULL) < 0)
            dx_hangup(s);
    fprintf(stderr, "blocking: %s\n", err.text);
    return 1;
}
