/* SPDX-License-Identifier: MIT
 * body.c - bodies stream both ways, however long:  ./body http://127.0.0.1:4000   curl -T big.iso 127.0.0.1:4000/ | cmp - big.iso
 *   curl 127.0.0.1:4000/ shows this program's source, if it runs beside it */
#include <duplex/http.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void asked(dx_conn *c)
{
    dx_http_field type = {"Content-Type", "application/octet-stream"};
    int64_t length = dx_http_length(c); /* -1: in chunks */
    int fd = length == 0 ? open("body.c", O_RDONLY | O_CLOEXEC) : -1;
    if (length != 0)
        return; /* dx_send makes a head of its own: 200, in chunks */
    if (fd < 0) {
        dx_http_reply(c, 404, "text/plain", "no body, no file\n", 17, NULL, 0);
    } else {
        dx_http_head(c, 200, lseek(fd, 0, SEEK_END), &type, 1);
        dx_send_file(c, fd, 0, -1, DX_LAST);
        close(fd);
    }
}

static void came(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how); /* one send per on_data is always taken: reading rests while the queue is past half */
}

static void whole(dx_conn *c)
{
    dx_finish(c); /* DX_STATE, where a reply went already: no harm */
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = asked, .on_data = came, .on_end = whole};
    dx_err err = {.text = "usage: body url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "body: %s\n", err.text);
    return 1;
}
