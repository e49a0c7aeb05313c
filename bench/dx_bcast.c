/* SPDX-License-Identifier: MIT
 * dx_bcast.c - broadcast by the library: what any member says goes to all, as one counted message. */
#include <duplex/duplex.h>
#include <stdio.h>

enum { MEMBERS_MAX = 65536 };
static dx_conn *member[MEMBERS_MAX];
static size_t members;

struct place {
    size_t at; /* in member[] */
};

static void on_open(dx_conn *c)
{
    struct place *p = dx_state(c);
    if (members == MEMBERS_MAX) {
        p->at = MEMBERS_MAX;
        dx_abort(c);
        return;
    }
    member[p->at = members++] = c;
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c;
    dx_msg *m = dx_msg_new(data, n, how);
    for (size_t i = 0; m && i < members; i++)
        dx_send_msg(member[i], m);
    dx_msg_drop(m);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    size_t at = ((struct place *)dx_state(c))->at;
    (void)why;
    if (at >= members || member[at] != c)
        return; /* it never opened */
    member[at] = member[--members];
    ((struct place *)dx_state(member[at]))->at = at;
}

int main(int argc, char **argv)
{
    const dx_handler on = {
        .state_bytes = sizeof(struct place), .on_open = on_open, .on_data = on_data, .on_close = on_close};
    const dx_opts o = {.conns_max = MEMBERS_MAX};
    dx_err err = {.text = "usage: dx_bcast url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    dx_listener *l = loop ? dx_serve(loop, argv[1], &on, NULL, &o, &err) : NULL;
    if (l) {
        printf("listening %s\n", dx_listener_url(l, 0));
        fflush(stdout);
        return dx_loop_run(loop) < 0;
    }
    fprintf(stderr, "dx_bcast: %s\n", err.text);
    return 1;
}
