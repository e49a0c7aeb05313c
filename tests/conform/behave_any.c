/* SPDX-License-Identifier: MIT
 * behave_any.c - one port, three kinds of strangers: on_open comes after the verdict. */
#include "conform.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <sys/socket.h>
#include <unistd.h>

static void any_open(dx_conn *c)
{
    struct end *e = end_of(c);
    e->unchecked = true;
    if (!dx_http_is(c))
        return;
    if (dx_http_wants_ws(c)) {
        if (dx_ws_accept(c, NULL, NULL, NULL) < 0)
            fail(e->w, "dx_ws_accept on any://");
    } else {
        dx_http_reply(c, 200, "text/plain", "page", 4, NULL, 0);
    }
}

static const dx_handler on_any = {.on_open = any_open, .on_data = NULL};

static void any_echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how & (DX_TEXT | DX_BINARY));
}

static void any_end(dx_conn *c)
{
    end_close(end_of(c));
}

static bool stranger(struct world *w, void (*fn)(struct raw *r))
{
    dx_handler on = on_any;
    struct raw *r;
    on.on_data = any_echo;
    on.on_end = any_end;
    static dx_handler kept;
    kept = on;
    if (!serve(w, &kept))
        return false;
    r = raw_dials(w, fn);
    return r && raw_join(r);
}

static void say(struct raw *r, const char *text)
{
    raw_write(r, text, strlen(text));
}

static void want(struct raw *r, const char *text)
{
    char buf[2048] = "";
    size_t n = 0;
    while (n + 1 < sizeof buf && !strstr(buf, text)) {
        ssize_t got = raw_recv(r, buf + n, sizeof buf - 1 - n);
        if (got <= 0) {
            raw_fail(r, "the end instead of \"%s\", after \"%.100s\"", text, buf);
            return;
        }
        n += (size_t)got;
        buf[n] = '\0';
    }
}

static void raw_text(struct raw *r)
{
    say(r, "hello there\n");
    want(r, "hello there");
    say(r, "GET / HTTP/1.1\r\n\r\n"); /* speech stays speech */
    want(r, "GET / HTTP/1.1");
    raw_end(r);
}

static void any_text(struct world *w)
{
    MUST_DO(stranger(w, raw_text));
    WAIT(w->s->closes);
    MUST_INT(w->s->got, 12 + 18);
    MUST_INT(w->accepted, 1);
}

static void raw_page(struct raw *r)
{
    say(r, "GET / HT");
    say(r, "TP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    want(r, "page");
}

static void any_http(struct world *w)
{
    MUST_DO(stranger(w, raw_page));
    WAIT(w->s->closes);
    MUST_INT(w->accepted, 1);
}

static void raw_websocket(struct raw *r)
{
    say(r, "GET /~r/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    const char *rest = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    say(r, rest);
    want(r, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    raw_write(r, "\x81\x82\0\0\0\0hi", 8);
    want(r, "hi");
}

static void any_ws(struct world *w)
{
    MUST_DO(stranger(w, raw_websocket));
    WAIT(w->s->closes);
    MUST_INT(w->s->datas, 1);
}

static void raw_listens_only(struct raw *r)
{
    raw_stage(r, 1);
    raw_await_go(r);
    say(r, "late\n");
    want(r, "late");
}

/* Silence is a listener that may speak later. */
static void any_silent(struct world *w)
{
    struct raw *r;
    int64_t began = dx_loop_now(w->loop);
    static const dx_handler on = {.on_open = any_open, .on_data = any_echo};
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_listens_only));
    WAIT(w->s);
    MUST(dx_loop_now(w->loop) - began >= 200);
    MUST(dx_kind_of(w->s->c) == DX_BYTES);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

/* The beginning of a request never becomes speech by waiting. */
static void raw_half_request(struct raw *r)
{
    char buf[512];
    size_t n = 0;
    ssize_t got;
    say(r, "POST /secret HT");
    while (n + 1 < sizeof buf && (got = raw_recv(r, buf + n, sizeof buf - 1 - n)) > 0)
        n += (size_t)got;
    buf[n] = 0;
    if (strncmp(buf, "HTTP/1.1 408 ", 13) || !strstr(buf, "\r\nDate: ") || !strstr(buf, "\r\nConnection: close\r\n"))
        raw_fail(r, "half a request gets \"%s\"", buf);
}

static void any_half_request(struct world *w)
{
    MUST_DO(stranger(w, raw_half_request));
    MUST_INT(w->accepted, 0);
}

static void raw_foreign(struct raw *r)
{
    char buf[512];
    say(r, "SSH-2.0-OpenSSH_9.2p1\r\n");
    while (raw_recv(r, buf, sizeof buf) > 0)
        ;
}

static void any_foreign(struct world *w)
{
    MUST_DO(stranger(w, raw_foreign));
    MUST_INT(w->accepted, 0);
}

/* Our own dialling sides meet on the same port; with a certificate, clear text and TLS do. */
static void any_dialled(struct world *w)
{
    static const char *const wires[] = {"tcp", "ws", "tls", "wss"};
    int count = has(w, HAS_TLS) ? 4 : 2;
    char url[300];
    static dx_handler on;
    on = on_any;
    on.on_data = any_echo;
    on.on_end = any_end;
    MUST_DO(serve(w, &on));
    for (int i = 0; i < count; i++) {
        w->c = NULL;
        snprintf(url, sizeof url, "%s%s", wires[i], strchr(w->url, ':'));
        MUST_DO(dial(w, url, &on_quiet));
        w->c->unchecked = true;
        WAIT(w->c->opens);
        MUST(dx_send(w->c->c, "hello\n", 6, i & 1 ? DX_TEXT : 0) >= 0);
        WAIT(w->c->got == 6);
        end_close(w->c);
        WAIT(w->c->closes);
    }
    WAIT(all_closed(w));
    MUST_INT(w->accepted, count);
}

static void any_udp(struct world *w)
{
    char url[300];
    static dx_handler on;
    on = on_any;
    on.on_data = any_echo;
    MUST_DO(serve(w, &on));
    snprintf(url, sizeof url, "udp%s", strchr(w->url, ':'));
    MUST_DO(dial(w, url, &on_quiet));
    w->c->unchecked = true;
    WAIT(w->c->opens);
    MUST(dx_send(w->c->c, "hello", 5, 0) >= 0);
    WAIT(w->c->got == 5);
    MUST_STR(dx_wire(w->s->c), "udp");
}

const struct behaviour behave_any[] = {
    {"text through one port", HAS_ANY, 0, any_text},
    {"http through the same port", HAS_ANY, 0, any_http},
    {"ws through the same port", HAS_ANY, 0, any_ws},
    {"silence becomes a listener", HAS_ANY, 0, any_silent},
    {"half a request never becomes speech", HAS_ANY, 0, any_half_request},
    {"foreign protocols get no conn", HAS_ANY, 0, any_foreign},
    {"datagrams on the same port", HAS_ANY, 0, any_udp},
    {"dialled as tcp and as ws", HAS_ANY, 0, any_dialled},
    {0},
};
