/* SPDX-License-Identifier: MIT
 * streams.c - two streams of one QUIC connection:  ./streams quic://127.0.0.1:4433   Not in this build yet: it says so. */
#include <duplex/quic.h>
#include <stdio.h>

static void said(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)how;
    printf("%s: %.*s\n", dx_peer(c), (int)n, (const char *)data);
}

static const dx_handler second = {.on_data = said};

static void opened(dx_conn *c)
{
    dx_err err;
    dx_conn *other = dx_open_stream(dx_session_of(c), &second, NULL, &err);
    dx_send(c, "one", 3, DX_LAST);
    if (other)
        dx_send(other, "two", 3, DX_LAST);
}

int main(int argc, char **argv)
{
    const dx_handler first = {.on_open = opened, .on_data = said};
    dx_err err = {.text = "usage: streams url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_connect(loop, argv[1], &first, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "streams: %s\n", err.text);
    dx_loop_free(loop);
    return 1;
}
