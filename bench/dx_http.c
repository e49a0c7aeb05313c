/* SPDX-License-Identifier: MIT
 * dx_http.c - the library's side of the TLS rows, as its documentation has a web server: dx_http url folder
 * /tiny and /1m are the folder's files of these names, from memory; /file is 1m again, by dx_send_file. */
#include <duplex/duplex.h>
#include <duplex/http.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct content {
    int fd;
    char *p;
    size_t n;
};
static struct content tiny, big;

static bool is(dx_bytes b, const char *s)
{
    return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

static void send_file(dx_conn *c, const struct content *f)
{
    static const dx_http_field type = {"Content-Type", "text/plain"};
    if (dx_http_head(c, 200, (int64_t)f->n, &type, 1) < 0 || dx_send_file(c, f->fd, 0, (int64_t)f->n, DX_LAST) < 0)
        dx_abort(c);
}

static void on_open(dx_conn *c)
{
    dx_bytes path = dx_http_path(c);
    if (is(path, "/tiny"))
        dx_http_reply(c, 200, "text/plain", tiny.p, tiny.n, NULL, 0);
    else if (is(path, "/1m"))
        dx_http_reply(c, 200, "text/plain", big.p, big.n, NULL, 0);
    else if (is(path, "/file"))
        send_file(c, &big);
    else
        dx_http_reply(c, 404, "text/plain", "no such thing\n", 14, NULL, 0);
}

static bool get(struct content *f, const char *folder, const char *name)
{
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) < 0 || !(f->p = malloc((size_t)st.st_size + 1)))
        return false;
    f->n = (size_t)st.st_size;
    return read(f->fd, f->p, f->n) == st.st_size;
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = on_open};
    const dx_opts o = {.conns_max = 100000, .queue_bytes_max = 4 << 20};
    dx_err err = {.text = "usage: dx_http url folder (with files tiny and 1m)"};
    bool ready = argc == 3 && get(&tiny, argv[2], "tiny") && get(&big, argv[2], "1m");
    dx_loop *loop = ready ? dx_loop_new(&err) : NULL;
    dx_listener *l = loop ? dx_serve(loop, argv[1], &on, NULL, &o, &err) : NULL;
    if (l) {
        printf("listening %s\n", dx_listener_url(l, 0));
        fflush(stdout);
        return dx_loop_run(loop) < 0;
    }
    fprintf(stderr, "dx_http: %s\n", err.text);
    return 1;
}
