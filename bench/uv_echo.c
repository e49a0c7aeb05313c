/* SPDX-License-Identifier: MIT
 * uv_echo.c - TCP echo on libuv as its guide would have it done well: one shared read buffer, uv_try_write first, a
 * queued write only for what that leaves. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char buf[512 << 10];

static void lend(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
    (void)h;
    (void)hint;
    *ret = uv_buf_init(buf, sizeof buf);
}

static void on_closed(uv_handle_t *h)
{
    free(h);
}

struct rest {
    uv_write_t req;
    char bytes[];
};

static void on_data(uv_stream_t *s, ssize_t n, const uv_buf_t *b);

static void on_written(uv_write_t *req, int bad)
{
    uv_stream_t *s = req->handle;
    if (bad)
        uv_close((uv_handle_t *)s, on_closed);
    else
        uv_read_start(s, lend, on_data);
    free(req);
}

static void on_data(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    if (n < 0) {
        uv_close((uv_handle_t *)s, on_closed);
        return;
    }
    if (n == 0)
        return;
    uv_buf_t out = uv_buf_init(b->base, (unsigned)n);
    int sent = uv_try_write(s, &out, 1);
    if (sent == n)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        uv_close((uv_handle_t *)s, on_closed);
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0, left = (size_t)n - done;
    struct rest *r = malloc(sizeof *r + left);
    if (!r) {
        uv_close((uv_handle_t *)s, on_closed);
        return;
    }
    memcpy(r->bytes, b->base + done, left);
    out = uv_buf_init(r->bytes, (unsigned)left);
    uv_read_stop(s);
    uv_write(&r->req, s, &out, 1, on_written);
}

static void on_conn(uv_stream_t *listener, int bad)
{
    uv_tcp_t *c = bad ? NULL : malloc(sizeof *c);
    if (!c)
        return;
    uv_tcp_init(listener->loop, c);
    if (uv_accept(listener, (uv_stream_t *)c) < 0) {
        uv_close((uv_handle_t *)c, on_closed);
        return;
    }
    uv_tcp_nodelay(c, 1);
    uv_read_start((uv_stream_t *)c, lend, on_data);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in a;
    int n = sizeof a;
    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&a, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 4096, on_conn) < 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&a, &n) < 0)
        return 1;
    printf("listening tcp://127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
