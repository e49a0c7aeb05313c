/* SPDX-License-Identifier: MIT */
#include "net/dialing.h"
#include "base/err.h"
#include "core/conn.h"
#include "core/mailbox.h"
#include "core/stream.h"
#include "net/how.h"
#include "os/resolve.h"
#include "os/fd.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS_MAX = 2 * RESOLVE_MAX, ATTEMPT_DELAY_MS = 250, RESOLUTION_DELAY_MS = 50, BACKLOG_DELAY_MS = 10 };

struct job;
struct attempt {
    struct os_port port; /* first; fd -1: not under way */
    struct job *job;
    struct addr to;
};
struct job {
    struct dialing dialing; /* first */
    struct stream *s;
    dx_loop *loop;
    struct timer deadline, next;
    int64_t ms_max;
    int port, lookups, gai;    /* lookups: under way                  */
    int gai_error;             /* errno, where gai has no number of its own */
    int error;                 /* errno of the last attempt that failed */
    size_t count[2], tried[2]; /* v6, v4                               */
    size_t attempts, live;
    bool v4_turn, ended;
    int64_t began;
    struct addr found[2][RESOLVE_MAX];
    struct attempt attempt[ATTEMPTS_MAX];
    struct addr_how how;
    char *text; /* the URL                              */
    char host[256];
    dx_id id;
    struct layer grave; /* how the job is buried at the end of a turn */
};
struct lookup {
    struct resolve r; /* first */
    dx_id id;
};

static void job_free(struct layer *l)
{
    struct job *j = (struct job *)((char *)l - offsetof(struct job, grave));
    free(j->text);
    free(j);
}

static const struct layer_type grave_type = {.free = job_free};

/* Ports of attempts may still stand in this turn's events: the memory goes at the turn's end. */
static void job_end(struct job *j)
{
    j->ended = true;
    loop_timer_off(j->loop, &j->deadline);
    loop_timer_off(j->loop, &j->next);
    for (size_t i = 0; i < j->attempts; i++)
        os_close(&j->loop->engine, &j->attempt[i].port);
    loop_bury(j->loop, &j->grave);
}

static void cancel(struct dialing *d)
{
    job_end((struct job *)d);
}

static void fail(struct job *j, const dx_err *why)
{
    struct stream *s = j->s;
    s->dialing = NULL;
    job_end(j);
    stream_broken(s, why);
}

static void fail_all_tried(struct job *j)
{
    dx_err why;
    if (j->gai && j->count[0] + j->count[1] == 0 && j->gai_error) {
        err_sys(&why, 0, j->gai_error, "dial %s: looking up the name", j->text);
    } else if (j->gai && j->count[0] + j->count[1] == 0) {
        err_set(&why, DX_RESOLVE, "dial %s: %s", j->text, resolve_text(j->gai));
        why.detail = j->gai;
        why.detail_of = DX_OF_GAI;
    } else {
        int nobody = j->error == ENOENT ? DX_REFUSED : 0; /* a Unix socket that is not there */
        err_sys(&why, nobody, j->error, "dial %s", j->text);
    }
    fail(j, &why);
}

static void deadline_fire(struct timer *t, dx_loop *l)
{
    struct job *j = (struct job *)((char *)t - offsetof(struct job, deadline));
    dx_err why;
    (void)l;
    err_set(&why, DX_TIMEOUT, "dial %s: no answer within %lld ms", j->text, (long long)j->ms_max);
    fail(j, &why);
}

/* error: what has ended the connection meanwhile; 0: nothing. */
static void won(struct job *j, struct attempt *a, int error)
{
    struct stream *s = j->s;
    dx_err why;
    int fd = os_port_release(&j->loop->engine, &a->port);
    s->dialing = NULL;
    job_end(j);
    int r = stream_adopt(s, fd);
    if (r == 0) {
        s->error = (int16_t)error;
        stream_opened(s);
        return;
    }
    os_fd_close(fd);
    err_sys(&why, 0, -r, "dial %s", j->text); /* the job is there until the turn ends */
    stream_broken(s, &why);
}

static void try_next(struct job *j);

static void attempt_failed(struct job *j, int error)
{
    j->error = error;
    try_next(j);
}

/* The handler that hears of a step may close the conn: false, and then the job has ended. */
static bool tell_step(struct job *j, const char *words)
{
    struct dx_conn *c = layer_conn(&j->s->layer);
    if (c)
        conn_early(c, DX_STEP, words);
    return !j->ended;
}

/* "127.0.0.1:80" */
static const char *bare(const struct addr *a, char *buf, size_t n)
{
    const char *url = addr_url(a->sa.sa_family == AF_UNIX ? "unix" : "tcp", a, "", buf, n), *host = strstr(url, "://");
    return host ? host + 3 : url;
}

static bool tell_connected(struct job *j, const struct attempt *a)
{
    char words[256], at[160];
    snprintf(words, sizeof words, "connected to %s after %lld ms", bare(&a->to, at, sizeof at),
             (long long)(j->loop->now - j->began));
    return tell_step(j, words);
}

static void tell_looked_up(struct job *j, int f)
{
    char words[512], at[160];
    int n = snprintf(words, sizeof words, "%s is", j->host);
    for (size_t i = 0; i < j->count[f] && (size_t)n < sizeof words; i++) {
        struct addr a = j->found[f][i];
        const char *port = bare(&a, at, sizeof at);
        n += snprintf(words + n, sizeof words - (size_t)n, "%s %.*s", i ? "," : "", (int)(strrchr(port, ':') - port),
                      port);
    }
    if (j->count[f])
        tell_step(j, words);
}

static void connected(struct os_port *p, int error)
{
    struct attempt *a = (struct attempt *)p;
    struct job *j = a->job;
    bool broken_off = error == ECONNRESET || error == EPIPE; /* EPIPE: after the peer's end */
    if (!error || (broken_off && os_fd_has_input(p->fd))) {  /* it stood, and what the peer has said is not lost */
        if (tell_connected(j, a))
            won(j, a, error);
        return;
    }
    os_close(&j->loop->engine, p);
    j->live--;
    attempt_failed(j, error);
}

static const struct os_port_ops attempt_ops = {.connected = connected};

static struct addr *pick(struct job *j)
{
    for (int i = 0; i < 2; i++, j->v4_turn = !j->v4_turn) {
        int f = j->v4_turn;
        if (j->tried[f] < j->count[f]) {
            j->v4_turn = !j->v4_turn;
            return &j->found[f][j->tried[f]++];
        }
    }
    return NULL;
}

static void try_next(struct job *j)
{
    struct addr *a;
    while (j->attempts < ATTEMPTS_MAX && (a = pick(j))) {
        struct attempt *t = &j->attempt[j->attempts];
        int fd = addr_dial(a, SOCK_STREAM, &j->how);
        int r = fd < 0 ? fd : os_port_open(&j->loop->engine, &t->port, fd, OS_CONNECT, &attempt_ops);
        if (r == -EAGAIN && a->sa.sa_family == AF_UNIX) { /* its backlog is full, which TCP waits out by itself */
            j->tried[1]--;
            loop_timer(j->loop, &j->next, j->loop->now + BACKLOG_DELAY_MS);
            return;
        }
        if (r < 0) {
            j->error = -r;
            if (fd >= 0)
                os_fd_close(fd);
            continue;
        }
        t->job = j;
        t->to = *a;
        j->attempts++;
        j->live++;
        loop_timer(j->loop, &j->next, j->loop->now + ATTEMPT_DELAY_MS);
        return;
    }
    if (j->live == 0 && j->lookups == 0)
        fail_all_tried(j);
}

static void next_fire(struct timer *t, dx_loop *l)
{
    (void)l;
    try_next((struct job *)((char *)t - offsetof(struct job, next)));
}

/* ---- names ---- */

static void looked_up(dx_conn *c, void *arg)
{
    struct lookup *k = arg;
    struct stream *s = c ? stream_of(conn_bottom(c)) : NULL;
    struct job *j = s && s->opening ? (struct job *)s->dialing : NULL;
    if (j) {
        int f = k->r.family == AF_INET;
        j->lookups--;
        if (k->r.gai && (!j->gai || !f))
            j->gai = k->r.gai, j->gai_error = k->r.error;
        for (size_t i = 0; i < k->r.count; i++) {
            j->found[f][i] = k->r.found[i];
            addr_set_port(&j->found[f][i], j->port);
        }
        j->count[f] = k->r.count;
        if (j->lookups == 0 && !j->live)
            try_next(j);
        else if (j->lookups > 0 && k->r.count) /* the other family may be just behind */
            loop_timer(j->loop, &j->next, j->loop->now + (f ? RESOLUTION_DELAY_MS : 0));
        if (!j->ended)
            tell_looked_up(j, f);
    }
    free(k);
}

static void resolved(struct resolve *r)
{
    struct lookup *k = (struct lookup *)r;
    if (mailbox_post(k->id, looked_up, k) < 0)
        free(k);
}

static void look_up(struct job *j, int family)
{
    struct lookup *k = calloc(1, sizeof *k);
    j->error = EAGAIN; /* what is told where no look-up could begin */
    if (!k)
        return;
    k->r.family = family;
    k->r.done = resolved;
    k->id = j->id;
    memcpy(k->r.host, j->host, sizeof j->host);
    if (resolve_start(&k->r) < 0)
        free(k);
    else
        j->lookups++;
}

/* The first turn: the conn stands above by now. */
static void start_fire(struct timer *t, dx_loop *l)
{
    struct job *j = (struct job *)((char *)t - offsetof(struct job, next));
    struct dx_conn *c = layer_conn(&j->s->layer);
    (void)l;
    j->next.fire = next_fire;
    j->began = j->loop->now;
    if (j->host[0] && c) {
        j->id = c->id;
        look_up(j, AF_INET6);
        look_up(j, AF_INET);
    }
    if (j->lookups == 0)
        try_next(j);
}

static struct job *job_new(const struct dial *d, struct stream *s)
{
    struct job *j = calloc(1, sizeof *j);
    char *text = strdup(d->text);
    if (!j || !text) {
        free(j);
        free(text);
        return NULL;
    }
    if (!d->url->local)
        how_read(d->url, d->text, &j->how, NULL); /* it has been read once: tcp_dial_stream */
    j->dialing.cancel = cancel;
    j->s = s;
    j->loop = d->loop;
    j->text = text;
    j->ms_max = d->set->o.dial_ms_max;
    j->deadline.fire = deadline_fire;
    j->next.fire = start_fire;
    j->grave.type = &grave_type;
    for (int i = 0; i < ATTEMPTS_MAX; i++)
        j->attempt[i].port.fd = -1;
    if (loop_timer(d->loop, &j->deadline, d->loop->now + j->ms_max) < 0 ||
        loop_timer(d->loop, &j->next, d->loop->now) < 0) {
        loop_timer_off(d->loop, &j->deadline);
        job_free(&j->grave);
        return NULL;
    }
    s->opening = 1;
    s->dialing = &j->dialing;
    return j;
}

int dialing_start_at(const struct dial *d, struct stream *s, const struct addr *a)
{
    struct job *j = job_new(d, s);
    if (!j)
        return DX_NOMEM;
    j->found[1][0] = *a;
    j->count[1] = 1;
    return 0;
}

int dialing_start(const struct dial *d, struct stream *s, int default_port)
{
    struct addr a;
    int port = d->url->port < 0 ? default_port : d->url->port;
    if (addr_literal(d->url->host, port, &a)) {
        if (addr_is_wild(&a)) /* "0.0.0.0" to dial is this machine, as everywhere */
            addr_loopback(a.sa.sa_family, port, &a);
        return dialing_start_at(d, s, &a);
    }
    struct job *j = d->url->host.n < sizeof j->host ? job_new(d, s) : NULL;
    if (!j)
        return DX_NOMEM;
    memcpy(j->host, d->url->host.p, d->url->host.n);
    j->port = port;
    return 0;
}
