/* SPDX-License-Identifier: MIT
 * ws_client.c URL TIMES [DEFLATE [PROTOCOLS]] - a WebSocket client that says back whatever it hears, TIMES conns one after the
 * other; "-": none. For tests. */
#include <duplex/ws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    dx_loop *loop;
    const char *url;
    int left;
    const char *protocols;
    dx_ws_opts ws;
};

static void dial(struct plan *p);

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

static void closed(dx_conn *c, const dx_err *why)
{
    printf("%d %d %s\n", why->code, dx_ws_close_code(c), why->text);
    fflush(stdout);
    dial(dx_user(c));
}

static void dial(struct plan *p)
{
    static const dx_handler on = {.on_data = echo, .on_close = closed};
    dx_opts o = {.protocols = p->protocols};
    dx_err err = {0};
    if (p->left-- > 0 && !dx_ws_connect(p->loop, p->url, &on, p, &o, &p->ws, &err))
        fprintf(stderr, "%s\n", err.text);
}

/* NULL: not given, or "-". */
static const char *given(int argc, char **argv, int i)
{
    return argc > i && strcmp(argv[i], "-") ? argv[i] : NULL;
}

int main(int argc, char **argv)
{
    struct plan p = {.loop = dx_loop_new(NULL), .ws = {.deflate = given(argc, argv, 3), .ping_ms = -1}};
    p.protocols = given(argc, argv, 4);
    if (argc < 3 || !p.loop)
        return 1;
    p.url = argv[1];
    p.left = atoi(argv[2]);
    dial(&p);
    dx_loop_run(p.loop);
    dx_loop_free(p.loop);
    return 0;
}
