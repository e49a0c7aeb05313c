/* SPDX-License-Identifier: MIT
 * tcp.c - tcp:// and unix:// listening and dialling; http://, ws:// and any:// listen through here too. */
#include "net/tcp.h"
#include "base/err.h"
#include "core/stream.h"
#include "net/bottom.h"
#include "net/dialing.h"
#include "net/how.h"
#include "net/udp.h"
#include "os/addr.h"
#include "os/fd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_TRIES = 32 };

/* The addresses a URL means to listen on: one literal or name, or every address (v6 without v4 inside it, and v4). */
static int addresses(const struct url *u, const char *text, struct addr v[2], dx_err *err)
{
    int port = u->port < 0 ? 0 : u->port;
    if (u->port < 0)
        return err_set(err, DX_URL, "listen %s: which port? %s://:0 takes any free one", text, u->scheme);
    if (u->host.n == 0) {
        addr_any(AF_INET, port, &v[0]);
        addr_any(AF_INET6, port, &v[1]);
        return 2;
    }
    if (addr_literal(u->host, port, &v[0]))
        return 1;
    if (u->host.n == 9 && !memcmp(u->host.p, "localhost", 9)) {
        addr_loopback(AF_INET, port, &v[0]);
        addr_loopback(AF_INET6, port, &v[1]);
        return 2;
    }
    return err_set(err, DX_URL, "listen %s: give an address of this machine, or none for all", text);
}

struct opened {
    int fd[4];
    struct addr at[4];
    bool datagram[4];
    int count;
};

static void close_all(struct opened *o)
{
    while (o->count > 0)
        os_fd_close(o->fd[--o->count]);
}

static bool no_such_family(int code, const dx_err *err)
{
    return code == DX_SYS &&
           (err->detail == EAFNOSUPPORT || err->detail == EADDRNOTAVAIL || err->detail == EPROTONOSUPPORT);
}

/* One socket more on the port the first one got. A family this machine lacks is skipped if another stands. */
static int open_one(struct opened *o, struct addr a, int type, int backlog, const char *text, bool may_skip,
                    dx_err *err)
{
    dx_err mine;
    if (o->count)
        addr_set_port(&a, addr_port(&o->at[0]));
    int fd = addr_listen(&a, type, backlog, true, text, &mine);
    if (fd < 0) {
        if (may_skip && no_such_family(mine.code, &mine))
            return 0;
        if (err)
            *err = mine;
        return mine.code;
    }
    o->fd[o->count] = fd;
    o->at[o->count] = a;
    o->datagram[o->count++] = type == SOCK_DGRAM;
    return 0;
}

/* Port 0 is one port for every family, TCP and UDP: the set is tried anew where a part of it is taken. */
static int open_set(struct opened *o, const struct addr *v, int n, int types, int backlog, const char *text,
                    dx_err *err)
{
    int r = 0;
    for (int i = 0; i < (addr_port(&v[0]) ? 1 : PORT_TRIES); i++) {
        *o = (struct opened){0};
        r = 0;
        for (int a = 0; a < n && r == 0; a++) {
            if (types & TCP_STREAMS)
                r = open_one(o, v[a], SOCK_STREAM, backlog, text, n > 1, err);
            if (r == 0 && types & TCP_DATAGRAMS)
                r = open_one(o, v[a], SOCK_DGRAM, 0, text, n > 1, err);
        }
        if (r == 0 && o->count)
            return 0;
        close_all(o);
        if (r != DX_BUSY)
            break;
    }
    return r ? r : err_set(err, DX_SYS, "listen %s: no address family of it is there", text);
}

static int add_port(dx_listener *s, struct opened *o, int i, const char *scheme)
{
    char url[ADDR_TEXT_MAX + 64];
    int r = o->datagram[i] ? udp_add(s, o->fd[i], "udp") : listener_add(s, o->fd[i], "tcp", NULL);
    if (r == 0 || o->datagram[i])
        o->fd[i] = -1;
    if (r < 0)
        return r;
    struct addr show = o->at[i];
    if (addr_is_wild(&show)) /* dialable: this machine itself */
        addr_loopback(show.sa.sa_family, addr_port(&show), &show);
    addr_url(o->datagram[i] ? "udp" : scheme, &show, o->datagram[i] || !s->path ? "" : s->path, url, sizeof url);
    return listener_add_url(s, url);
}

int tcp_listen(dx_listener *s, const struct url *u, const char *text, int types, const char *scheme, dx_err *err)
{
    struct addr v[2];
    struct opened o;
    int n = addresses(u, text, v, err);
    if (n < 0)
        return n;
    int r = open_set(&o, v, n, types, s->set->o.backlog, text, err);
    if (r < 0)
        return r;
    for (int i = 0; i < o.count && r == 0; i++)
        r = add_port(s, &o, i, scheme);
    for (int i = 0; i < o.count; i++)
        if (o.fd[i] >= 0)
            os_fd_close(o.fd[i]);
    return r < 0 ? err_set(err, r, "listen %s: %s", text, dx_code_text(r)) : 0;
}

static int serve_tcp(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_plain;
    int r = stack_check(s->set, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "tcp", err);
}

static int unix_listen(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    struct addr a;
    char url[ADDR_TEXT_MAX];
    int r = addr_unix(u->path, &a, err);
    if (r < 0)
        return r;
    int fd = addr_listen(&a, SOCK_STREAM, s->set->o.backlog, false, text, err);
    if (fd < 0)
        return fd;
    r = listener_add(s, fd, "unix", a.un.sun_path[0] ? a.un.sun_path : NULL);
    if (r < 0) {
        os_fd_close(fd);
        return err_set(err, r, "listen %s: %s", text, dx_code_text(r));
    }
    r = listener_add_url(s, addr_url("unix", &a, "", url, sizeof url));
    return r < 0 ? err_set(err, r, "listen %s: no memory", text) : 0;
}

static int serve_unix(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_plain;
    int r = stack_check(s->set, err);
    return r < 0 ? r : unix_listen(s, u, text, err);
}

/* ---- dialling ---- */

struct stream *tcp_dial_stream(const struct dial *d, int default_port, dx_err *err)
{
    if (d->url->host.n == 0) {
        err_set(err, DX_URL, "dial %s: which host?", d->text);
        return NULL;
    }
    if (d->url->port < 0 && !default_port) {
        err_set(err, DX_URL, "dial %s: which port?", d->text);
        return NULL;
    }
    struct addr_how how;
    if (how_read(d->url, d->text, &how, err) < 0)
        return NULL;
    struct stream *s = stream_new(d->loop, &stream_tcp, d->set);
    if (!s || dialing_start(d, s, default_port) < 0) {
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
        stream_throw_away(s);
        return NULL;
    }
    return s;
}

static dx_conn *connect_tcp(const struct dial *d, dx_err *err)
{
    struct queue *q;
    struct layer *l = bottom_dial(d, 0, &q, err);
    return l ? stack_dial(d, l, q, false, err) : NULL;
}

static dx_conn *connect_unix(const struct dial *d, dx_err *err)
{
    struct addr a;
    if (addr_unix(d->url->path, &a, err) < 0)
        return NULL;
    struct stream *s = stream_new(d->loop, &stream_unix, d->set);
    if (!s || dialing_start_at(d, s, &a) < 0) {
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
        stream_throw_away(s);
        return NULL;
    }
    return stack_dial(d, &s->layer, &s->queue, false, err);
}

const struct scheme scheme_tcp = {.name = "tcp", .serve = serve_tcp, .connect = connect_tcp, .proxied = true};
const struct scheme scheme_unix = {.name = "unix", .serve = serve_unix, .connect = connect_unix};
