/* SPDX-License-Identifier: MIT
 * udp.c - udp:// and unixgram://: sockets and their schemes. What happens on a conn is udp_peer.c's. */
#include "net/udp.h"
#include "base/err.h"
#include "core/conn.h"
#include "core/mailbox.h"
#include "net/how.h"
#include "net/stack.h"
#include "net/tcp.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/resolve.h"
#include <duplex/udp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a socket lives until its listener has stopped and its last peer is gone ---- */

static void socket_free(struct layer *l)
{
    struct udp_socket *u = (struct udp_socket *)((char *)l - offsetof(struct udp_socket, grave));
    map_free(&u->peers);
    free(u->unlink);
    free(u);
}

static const struct layer_type grave_type = {.free = socket_free};

void udp_socket_drop(struct udp_socket *u)
{
    if (!u->closed || u->refs)
        return;
    os_close(&u->loop->engine, &u->port);
    loop_timer_off(u->loop, &u->retry);
    if (u->unlink)
        os_unlink(u->unlink);
    loop_bury(u->loop, &u->grave);
}

static void datagram(struct os_port *port, const struct os_datagram *d)
{
    struct udp_socket *u = (struct udp_socket *)port;
    if (!d) { /* what ICMP said of an earlier send: it matters to a dialled one alone */
        int error = errno;
        if (u->only && !u->only->done && error != ENOBUFS && error != ENOMEM)
            peer_end_errno(u->only, error);
        return;
    }
    if (u->only) {
        peer_arrived(u->only, d);
        return;
    }
    struct addr a = {.n = d->from_n};
    memcpy(&a.any, d->from, d->from_n);
    struct peer *p = map_get(&u->peers, &a.any, a.n);
    if (p && u->sniff && !udp_is_speech(u, d))
        p = NULL;
    else if (!p)
        p = peer_stranger(u, &a, d);
    if (p && !p->done)
        peer_arrived(p, d);
    else
        u->loop->engine.datagram_drops++;
}

static void sent(struct os_port *port)
{
    peer_retry((struct udp_socket *)port);
}

const struct os_port_ops udp_ops = {.datagram = datagram, .sent = sent};

/* Calls one of addr_dial.h's on each socket of s; what it says, DX_STATE where none is of that family. */
static int each_socket(dx_listener *s, int (*call)(int fd, const struct addr *group, unsigned n),
                       const struct addr *group, unsigned n)
{
    const char *wire;
    int r = -EAFNOSUPPORT, fd;
    for (size_t i = 0; s->datagrams && (fd = s->datagrams(s, i, &wire)) >= 0; i++) {
        int one = strcmp(wire, "udp") ? -EAFNOSUPPORT : call(fd, group, n);
        r = one == -EAFNOSUPPORT ? r : one;
        if (one < 0 && one != -EAFNOSUPPORT)
            break;
    }
    errno = r < 0 ? -r : errno;
    return r == -EAFNOSUPPORT ? DX_STATE : r < 0 ? DX_SYS : 0;
}

int dx_udp_join(dx_listener *s, const char *group, const char *interface_name)
{
    struct addr a;
    bool named = interface_name && *interface_name;
    unsigned by = named ? addr_interface((struct bytes){(const uint8_t *)interface_name, strlen(interface_name)}) : 0;
    if ((named && !by) || !addr_literal((struct bytes){(const uint8_t *)group, strlen(group)}, 0, &a) ||
        !addr_is_group(&a))
        return DX_URL;
    return each_socket(s, addr_join_group, &a, by);
}

static int set_hops(int fd, const struct addr *group, unsigned hops)
{
    (void)group;
    return addr_set_hops(fd, (int)hops);
}

int dx_udp_ttl(dx_listener *s, int hops)
{
    return hops < 1 || hops > 255 ? DX_URL : each_socket(s, set_hops, NULL, (unsigned)hops);
}

/* ---- making them ---- */

static int socket_open(struct udp_socket *u, int fd)
{
    if (os_port_open(&u->loop->engine, &u->port, fd, OS_DATAGRAM, &udp_ops) < 0) {
        u->port.fd = -1;
        os_fd_close(fd);
        return DX_SYS;
    }
    addr_of_fd(fd, false, &u->own);
    u->gso = u->type == &udp_type;
    u->port.gro = addr_tune_datagrams(fd);
    return 0;
}

/* fd -1: not open yet. On failure fd is closed. */
static struct udp_socket *socket_new(dx_loop *l, int fd, const char *name)
{
    struct udp_socket *u = calloc(1, sizeof *u);
    if (!u) {
        os_fd_close(fd);
        return NULL;
    }
    u->loop = l;
    u->port.fd = -1;
    u->type = !strcmp(name, "udp") ? &udp_type : &unixgram_type;
    u->grave.type = &grave_type;
    u->retry.fire = peer_retry_fire;
    os_random(u->peers.seed, sizeof u->peers.seed);
    if (fd >= 0 && socket_open(u, fd) < 0) {
        free(u);
        return NULL;
    }
    return u;
}

static void stop_sockets(dx_listener *s)
{
    struct udp_socket *u = s->scheme_data;
    s->scheme_data = NULL;
    for (struct udp_socket *next; u; u = next) {
        next = u->next;
        u->closed = true;
        udp_socket_drop(u);
    }
}

static int datagrams(const dx_listener *s, size_t i, const char **ret_wire)
{
    const struct udp_socket *u = s->scheme_data;
    while (u && i-- > 0)
        u = u->next;
    if (!u)
        return -1;
    *ret_wire = u->type->name;
    return u->port.fd;
}

int udp_add(dx_listener *s, int fd, const char *name)
{
    struct udp_socket *u = socket_new(s->loop, fd, name); /* closes it where it fails */
    if (!u)
        return DX_NOMEM;
    u->from = s;
    u->sniff = s->stack == stack_any;
    u->next = s->scheme_data;
    s->scheme_data = u;
    s->stop = stop_sockets;
    s->datagrams = datagrams;
    s->add_datagrams = udp_add;
    return 0;
}

/* to: where a datagram socket that is not connected sends; NULL, or an address that is no such: it is connected. */
static dx_conn *dial_fd(const struct dial *d, int fd, const char *name, const struct addr *to,
                        const struct addr_how *how, dx_err *err)
{
    struct udp_socket *u = socket_new(d->loop, fd, name);
    struct peer *p = u ? peer_new(u, d->set) : NULL;
    if (!p) {
        if (u)
            os_close(&d->loop->engine, &u->port);
        free(u);
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
        return NULL;
    }
    u->only = p;
    u->refs = 1;
    if (how)
        u->how = *how;
    if (to && addr_is_loose(to, &u->how))
        p->addr = *to;
    p->opening = 1;
    loop_timer(d->loop, &p->timer, d->loop->now + (fd < 0 ? d->set->o.dial_ms_max : 0));
    return stack_dial(d, &p->layer, &p->queue, true, err);
}

/* ---- names: looked up by a helper thread; the conn waits, opening ---- */

struct lookup {
    struct resolve r; /* first */
    dx_id id;
    int port;
};

static void looked_up(dx_conn *c, void *arg)
{
    struct lookup *k = arg;
    struct layer *bottom = c ? conn_bottom(c) : NULL;
    struct peer *p = bottom && bottom->type == &udp_type ? (struct peer *)bottom : NULL;
    int fd = k->r.gai ? -1 : -EADDRNOTAVAIL;
    if (p && !p->done && p->opening && p->socket->port.fd < 0) {
        for (size_t i = 0; i < k->r.count && fd < 0; i++) {
            addr_set_port(&k->r.found[i], k->port);
            fd = addr_dial(&k->r.found[i], SOCK_DGRAM, &p->socket->how);
            if (fd >= 0 && addr_is_loose(&k->r.found[i], &p->socket->how))
                p->addr = k->r.found[i];
        }
        if (k->r.gai) {
            char text[400];
            snprintf(text, sizeof text, "dial udp://%s:%d: %s", k->r.host, k->port, resolve_text(k->r.gai));
            conn_set_why(c, DX_RESOLVE, DX_OF_GAI, k->r.gai, text);
            peer_end(p, DX_RESOLVE, text);
        } else if (fd < 0 || socket_open(p->socket, fd) < 0) {
            peer_end_errno(p, fd < 0 ? -fd : ENOMEM);
        } else {
            peer_opened(p);
        }
    }
    free(k);
}

static void resolved(struct resolve *r)
{
    struct lookup *k = (struct lookup *)r;
    if (mailbox_post(k->id, looked_up, k) < 0)
        free(k);
}

static int look_up(const struct dial *d, dx_id id)
{
    struct lookup *k = calloc(1, sizeof *k);
    if (!k || d->url->host.n >= sizeof k->r.host) {
        free(k);
        return DX_NOMEM;
    }
    memcpy(k->r.host, d->url->host.p, d->url->host.n);
    k->r.family = 0; /* any: in the order of RFC 6724 */
    k->r.done = resolved;
    k->id = id;
    k->port = d->url->port;
    int r = resolve_start(&k->r);
    if (r < 0)
        free(k);
    return r;
}

static dx_conn *connect_udp(const struct dial *d, dx_err *err)
{
    struct addr a;
    struct addr_how how;
    const struct url *u = d->url;
    if (u->host.n == 0 || u->port <= 0) {
        err_set(err, DX_URL, "dial %s: which %s?", d->text, u->host.n ? "port" : "host");
        return NULL;
    }
    if (how_read(u, d->text, &how, err) < 0)
        return NULL;
    if (!addr_literal(u->host, u->port, &a)) {
        dx_conn *c = dial_fd(d, -1, "udp", NULL, &how, err);
        if (c && look_up(d, c->id) < 0) {
            conn_set_why(c, DX_LIMIT, DX_OF_NOTHING, 0, "no memory or thread to look the name up");
            dx_abort(c);
        }
        return c;
    }
    int fd = addr_dial(&a, SOCK_DGRAM, &how);
    if (fd < 0) {
        err_sys(err, 0, -fd, "dial %s", d->text);
        return NULL;
    }
    return dial_fd(d, fd, "udp", &a, &how, err);
}

static dx_conn *connect_unixgram(const struct dial *d, dx_err *err)
{
    struct addr a;
    if (addr_unix(d->url->path, &a, err) < 0)
        return NULL;
    int fd = addr_dial(&a, SOCK_DGRAM, NULL);
    if (fd < 0) {
        err_sys(err, fd == -ENOENT ? DX_REFUSED : 0, -fd, "dial %s", d->text);
        return NULL;
    }
    return dial_fd(d, fd, "unixgram", NULL, NULL, err);
}

static int serve_udp(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    int r = stack_check(s->set, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_DATAGRAMS, "udp", err);
}

static int serve_unixgram(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    struct addr a;
    char url[ADDR_TEXT_MAX];
    int r = stack_check(s->set, err);
    if (r < 0 || (r = addr_unix(u->path, &a, err)) < 0)
        return r;
    int fd = addr_listen(&a, SOCK_DGRAM, 0, false, text, err);
    if (fd < 0)
        return fd;
    r = udp_add(s, fd, "unixgram");
    if (r < 0)
        return err_set(err, r, "listen %s: no memory", text);
    struct udp_socket *socket = s->scheme_data;
    socket->unlink = a.un.sun_path[0] ? strdup(a.un.sun_path) : NULL;
    r = listener_add_url(s, addr_url("unixgram", &a, "", url, sizeof url));
    return r < 0 ? err_set(err, r, "listen %s: no memory", text) : 0;
}

const struct scheme scheme_udp = {.name = "udp", .serve = serve_udp, .connect = connect_udp};
const struct scheme scheme_unixgram = {.name = "unixgram", .serve = serve_unixgram, .connect = connect_unixgram};
