/* SPDX-License-Identifier: MIT
 * share.c - one more loop accepts for a listener. The other loop gets a listener of its own, a twin on the same addresses: a
 * socket with SO_REUSEPORT each, so that the kernel deals strangers out; a Unix socket is the same one twice. Its owner
 * knows the twins by loop number and a token, never by pointer: a loop that is freed takes its twin along. */
#include "core/listener.h"
#include "core/mailbox.h"
#include "os/addr.h"
#include "os/fd.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct twin {
    uint64_t token;
    const dx_handler *on;
    void *user;
    struct settings *set;
    char *path;
    int (*stack)(dx_listener *s, struct layer *bottom, struct queue *q);
    int (*add_datagrams)(dx_listener *s, int fd, const char *wire);
    void (*fault)(void *arg, const char *peer, const dx_err *why);
    void *fault_arg;
    int fd[LISTENER_PORTS_MAX];
    const char *wire[LISTENER_PORTS_MAX];
    bool datagram[LISTENER_PORTS_MAX];
    size_t count;
};
struct farewell {
    uint64_t token;
    int64_t ms;
};

static void twin_free(struct twin *t)
{
    for (size_t i = 0; i < t->count; i++)
        os_fd_close(t->fd[i]);
    settings_drop(t->set);
    free(t->path);
    free(t);
}

/* On the other loop's thread, or with NULL: it was freed before. */
static void stand(dx_loop *l, void *arg)
{
    struct twin *t = arg;
    dx_listener *s = l ? listener_new(l, t->on, t->user, t->set, NULL) : NULL;
    if (!s) {
        twin_free(t);
        return;
    }
    s->stack = t->stack;
    s->add_datagrams = t->add_datagrams;
    s->fault = t->fault;
    s->fault_arg = t->fault_arg;
    s->token = t->token;
    s->path = t->path;
    t->path = NULL;
    for (size_t i = 0; i < t->count; i++) {
        int fd = t->fd[i];
        if (t->datagram[i] || listener_add(s, fd, t->wire[i], NULL) == 0)
            t->fd[i] = -1;
        if (t->datagram[i])
            t->add_datagrams(s, fd, t->wire[i]);
    }
    twin_free(t);
}

static int add_socket(struct twin *t, int of, const char *wire, bool datagram, int backlog)
{
    if (t->count == LISTENER_PORTS_MAX)
        return DX_LIMIT;
    int fd = addr_join(of, backlog);
    if (fd < 0)
        return fd;
    t->fd[t->count] = fd;
    t->wire[t->count] = wire;
    t->datagram[t->count++] = datagram;
    return 0;
}

static int add_sockets(struct twin *t, dx_listener *s)
{
    const char *wire;
    int r = 0, fd;
    for (size_t i = 0; i < s->port_count && r == 0; i++)
        if (s->ports[i].port.fd >= 0)
            r = add_socket(t, s->ports[i].port.fd, s->ports[i].wire, false, s->set->o.backlog);
    for (size_t i = 0; s->datagrams && r == 0 && (fd = s->datagrams(s, i, &wire)) >= 0; i++)
        r = add_socket(t, fd, wire, true, 0);
    return r;
}

int dx_listener_share(dx_listener *s, dx_loop *other)
{
    static atomic_uint_fast64_t last_token;
    struct twin *t = s->draining || other == s->loop ? NULL : calloc(1, sizeof *t);
    uint32_t *twins = t ? realloc(s->twins, (s->twin_count + 1) * sizeof *twins) : NULL;
    if (!twins) {
        free(t);
        return s->draining || other == s->loop ? DX_STATE : DX_NOMEM;
    }
    s->twins = twins;
    if (!s->token)
        s->token = atomic_fetch_add(&last_token, 1) + 1;
    *t = (struct twin){.token = s->token, .on = s->on, .user = s->user, .stack = s->stack};
    t->add_datagrams = s->add_datagrams;
    t->fault = s->fault;
    t->fault_arg = s->fault_arg;
    t->set = settings_new(&s->set->o, sizeof s->set->o, NULL);
    t->path = s->path ? strdup(s->path) : NULL;
    int r = !t->set || (s->path && !t->path) ? DX_NOMEM : settings_ws(t->set, &s->set->ws, sizeof s->set->ws, NULL);
    if (r == 0)
        r = add_sockets(t, s);
    if (r == 0)
        r = mailbox_post_loop(other->index, stand, t);
    if (r < 0) {
        twin_free(t);
        return r;
    }
    s->twins[s->twin_count++] = other->index;
    return 0;
}

static void drain_twin(dx_loop *l, void *arg)
{
    struct farewell *f = arg;
    for (dx_listener *s = l ? l->first_listener : NULL, *next; s; s = next) {
        next = s->next;
        if (s->token == f->token)
            dx_listener_drain(s, f->ms);
    }
    free(f);
}

void listener_drain_twins(dx_listener *s, int64_t ms)
{
    for (size_t i = 0; i < s->twin_count; i++) {
        struct farewell *f = malloc(sizeof *f);
        if (!f)
            continue; /* the twin goes with its loop */
        *f = (struct farewell){s->token, ms};
        if (mailbox_post_loop(s->twins[i], drain_twin, f) < 0)
            free(f);
    }
    s->twin_count = 0;
}
