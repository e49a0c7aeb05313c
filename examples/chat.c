/* SPDX-License-Identifier: MIT
 * chat.c - a room: sockets that speak WebSocket, and the page for them:  ./chat http://127.0.0.1:4000 */
#include <duplex/ws.h>
#include <duplex/http.h>
#include <stdio.h>

static const char page[] =
    "<!doctype html><input autofocus><pre></pre><script>ws = new WebSocket(location.href.replace('http', 'ws'));"
    "[i, pre] = document.body.children, i.onchange = () => { ws.send(i.value); i.value = '' };"
    "ws.onmessage = e => pre.append(e.data + '\\n')</script>";
static dx_conn *members[1000], **end = members;

static void came(dx_conn *c)
{
    if (end < members + 1000 && dx_http_wants_ws(c) && dx_ws_accept(c, NULL, NULL, NULL) == DX_OK)
        *end++ = c;
    else
        dx_http_reply(c, 200, "text/html", page, sizeof page - 1, NULL, 0);
}

static void said(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_msg *m = dx_http_is(c) ? NULL : dx_msg_new(data, n, how); /* one message, encoded once for all */
    for (dx_conn **to = members; m && to < end; to++)
        dx_send_msg(*to, m);
    dx_msg_drop(m);
}

static void left(dx_conn *c, const dx_err *why)
{
    (void)why;
    for (dx_conn **at = members; at < end; at++)
        if (*at == c)
            *at = *--end;
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = came, .on_data = said, .on_close = left};
    dx_err err = {.text = "usage: chat url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "chat: %s\n", err.text);
    return 1;
}
