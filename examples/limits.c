/* SPDX-License-Identifier: MIT
 * limits.c - a server that waits for nobody, and ends in order:  ./limits http://127.0.0.1:4000
 *   curl -T big.iso 127.0.0.1:4000/ is 413, a head that takes 2 s is 408; curl 127.0.0.1:4000/stop drains it */
#include <duplex/http.h>
#include <stdio.h>
#include <string.h>

static dx_listener *listener;

static void answer(dx_conn *c)
{
    dx_bytes path = dx_http_path(c);
    if (path.n == 5 && !memcmp(path.p, "/stop", 5) && listener) {
        dx_listener_drain(listener, 5000); /* accepts no more; what is being answered has so long */
        listener = NULL;
    }
    dx_http_reply(c, 200, "text/plain", "fine\n", 5, NULL, 0);
}

static void took(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)data, (void)n, (void)how;
}

int main(int argc, char **argv)
{
    const dx_http_limits limits = {.head_ms = 2000,
                                   .idle_ms = 5000,
                                   .body_ms = 10000,
                                   .body_bytes_max = 1 << 20,
                                   .receive_s_min = 1000,
                                   .send_s_min = 1000,
                                   .grace_ms = 2000,
                                   .requests_max = 1000};
    const dx_handler on = {.on_data = took, .on_end = answer};
    dx_opts opts = {.http = &limits};
    dx_err err = {.text = "usage: limits url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && (listener = dx_serve(loop, argv[1], &on, NULL, &opts, &err)))
        return dx_loop_run(loop) < 0; /* until it is drained: nothing is left to wait for */
    fprintf(stderr, "limits: %s\n", err.text);
    return 1;
}
