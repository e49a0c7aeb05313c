/* SPDX-License-Identifier: MIT
 * http1_client_say.c - the request on its way down: its head (http1_ask.c writes it), and its body by a length or in chunks. */
#include "net/http1_client_inside.h"
#include "os/fd.h"
#include <string.h>

int http1_client_ask(struct client *k, struct http1_ask *a)
{
    struct draft d = {0};
    if (k->asked || k->answer || k->closing)
        return DX_STATE;
    a->host = k->host;
    a->target = a->target ? a->target : k->target;
    a->keep = k->keeps && k->key.text;
    http1_ask_write(a, &d);
    int r = draft_give(&d, &k->layer);
    if (r < 0)
        return r;
    k->asked = 1;
    k->of_head = !strcmp(a->method, "HEAD");
    k->request_left = a->length;
    k->said = a->length == 0;
    return 0;
}

/* Who only sends has asked for a POST of what the URL names. */
static int ask_by_sending(struct client *k, int64_t length)
{
    static const dx_http_field type = {"Content-Type", "application/octet-stream"};
    struct http1_ask a = {.method = "POST", .fields = &type, .count = length != 0, .length = length};
    return k->asked ? 0 : http1_client_ask(k, &a);
}

/* n bytes of the body are about to go. */
static int may_give(struct client *k, size_t n)
{
    if (k->request_left < 0)
        return 0;
    if ((uint64_t)k->request_left < n)
        return DX_BIG; /* more than Content-Length said */
    k->request_left -= (int64_t)n;
    k->said = k->request_left == 0;
    return 0;
}

int http1_client_trailers(struct client *k, const dx_http_field *v, size_t count)
{
    if (!k->asked || k->said || k->closing || k->request_left >= 0)
        return DX_STATE;
    return http1_trail_add(&k->trail_out, v, count);
}

int client_give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct client *k = client_of(l);
    size_t n = 0;
    (void)how;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    if (n == 0)
        return 0;
    int r = k->closing ? DX_CLOSED : ask_by_sending(k, -1);
    if (r == 0)
        r = may_give(k, n);
    if (r < 0)
        return r;
    return k->request_left < 0 ? http1_give_chunk(l, v, count, n) : layer_give_below(l, v, count, 0);
}

int client_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct client *k = client_of(l);
    int r = k->closing ? DX_CLOSED : ask_by_sending(k, (int64_t)n);
    if (r == 0 && k->request_left < 0)
        r = DX_STATE; /* say the length in dx_http_request, and it leaves as it is */
    if (r == 0)
        r = may_give(k, n);
    if (r == 0 && n > 0)
        return layer_give_file_below(l, fd, off, n, how);
    os_fd_close(fd);
    return r;
}

/* The request cannot become whole: only a broken connection tells the server so. */
static int break_request(struct client *k, int code, const char *words)
{
    conn_set_why(layer_conn(&k->layer), code, code == DX_TRUNCATED ? DX_OF_HTTP : DX_OF_NOTHING, 0, words);
    k->closing = 1;
    layer_abort_below(&k->layer);
    return code;
}

int client_finish(struct layer *l)
{
    struct client *k = client_of(l);
    if (k->said)
        client_part_if_over(k); /* its last byte was the end, and the answer may have come before that */
    if (k->said || k->closing)
        return 0;
    int r = k->answer && !k->asked ? 0 : ask_by_sending(k, 0); /* it was answered before it was asked */
    if (r == 0 && k->request_left > 0)
        return break_request(k, DX_TRUNCATED, "the request's body ends before the length it was to have");
    if (r == 0 && k->asked && k->request_left < 0)
        r = http1_give_last(l, &k->trail_out);
    if (r == DX_NOMEM)
        return break_request(k, r, "no memory");
    k->said = r == 0;
    client_part_if_over(k);
    return r;
}
