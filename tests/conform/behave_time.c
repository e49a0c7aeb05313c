/* SPDX-License-Identifier: MIT
 * behave_time.c - deadlines: idle, dialling, lingering; and timers that die with their conn. */
#include "conform.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void idle_ends(struct world *w)
{
    int64_t began;
    w->so.idle_ms_max = has(w, HAS_PEER) ? slow_ms(60) : 0; /* a handshake is to fit in */
    w->co.idle_ms_max = has(w, HAS_LISTENER) ? 0 : slow_ms(60);
    began = dx_loop_now(w->loop);
    MUST_DO(both(w, &on_default, &on_default));
    struct end *e = has(w, HAS_LISTENER) ? w->s : w->c;
    WAIT(e->closes);
    MUST_INT(e->why.code, DX_TIMEOUT);
    MUST(dx_loop_now(w->loop) - began >= 50);
    MUST(dx_loop_now(w->loop) - began < watch_ms() / 4);
    if (has(w, HAS_END | HAS_PEER))
        WAIT(all_closed(w));
}

/* Each direction keeps both alive. A machine that had no time for us for as long proves nothing, and the end is right then. */
static void idle_counts_both_ways(struct world *w)
{
    int64_t idle = w->so.idle_ms_max = slow_ms(150);
    w->co.idle_ms_max = has(w, HAS_LISTENER) ? 0 : idle;
    int64_t said = dx_loop_now(w->loop), before = said;
    MUST_DO(both(w, &on_default, &on_default));
    for (int i = 0; i < 8; i++) {
        pass(w, idle / 5);
        if (w->s->closes && dx_loop_now(w->loop) - before >= idle)
            return; /* what was said last may not have come yet */
        MUST_INT(w->s->closes, 0);
        put(i & 1 ? w->s : w->c, 10);
        before = said, said = dx_loop_now(w->loop);
    }
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TIMEOUT);
}

/* A listening socket whose backlog is full and that nobody accepts from. */
static int full_listener(struct world *w, char *ret_url, size_t n, int *v, int *ret_count)
{
    char url[256];
    int fd;
    name_url(w, url, sizeof url);
    fd = raw_socket(w, url, true, shakes_hands(w) ? 64 : 0, ret_url, n);
    for (*ret_count = 0; fd >= 0 && !shakes_hands(w) && *ret_count < 8; (*ret_count)++) {
        struct sockaddr_storage a;
        socklen_t size = sizeof a;
        int one = socket(w->scheme->family == AF_UNIX ? AF_UNIX : w->scheme->family,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        getsockname(fd, (struct sockaddr *)&a, &size);
        v[*ret_count] = one;
        if (connect(one, (struct sockaddr *)&a, size) < 0 && errno == EAGAIN) {
            (*ret_count)++;
            break;
        }
    }
    return fd;
}

static void dial_times_out(struct world *w)
{
    char url[256];
    int v[8], count, fd = full_listener(w, url, sizeof url, v, &count);
    int64_t began = dx_loop_now(w->loop);
    MUST(fd >= 0);
    w->co.dial_ms_max = 120;
    MUST_DO(dial(w, url, &on_default));
    WAIT(w->c->closes);
    close(fd);
    for (int i = 0; i < count; i++)
        close(v[i]);
    MUST_INT(w->c->opens, 0);
    MUST_INT(w->c->why.code, DX_TIMEOUT);
    MUST(dx_loop_now(w->loop) - began >= 110);
    MUST_SAY(strstr(w->c->why.text, w->scheme->family == AF_UNIX ? "unix:" : "://"), "the words: %s", w->c->why.text);
}

/* Nobody listens: a bound port that does not listen, a path that is not there. */
static void refused(struct world *w)
{
    char url[256], dialled[256];
    int fd = -1;
    name_url(w, url, sizeof url);
    if (w->scheme->family == AF_UNIX) {
        snprintf(dialled, sizeof dialled, "%s", url);
    } else {
        fd = raw_socket(w, url, true, -1, dialled, sizeof dialled);
        MUST(fd >= 0);
    }
    MUST_DO(dial(w, dialled, &on_default));
    WAIT(w->c->closes);
    if (fd >= 0)
        close(fd);
    MUST_INT(w->c->opens, 0);
    MUST_INT(w->c->why.code, DX_REFUSED);
    MUST_SAY(strstr(w->c->why.text, dialled), "the words: %s", w->c->why.text);
}

/* A datagram finds out only when it is sent. */
static void refused_datagram(struct world *w)
{
    char url[256], dialled[256];
    int fd;
    name_url(w, url, sizeof url);
    fd = raw_socket(w, url, true, -1, dialled, sizeof dialled);
    MUST(fd >= 0);
    close(fd);
    if (w->scheme->family == AF_UNIX) { /* known at once: a local file that cannot be opened */
        dx_err err = {0};
        MUST(!dx_connect(w->loop, dialled, &on_default, NULL, NULL, &err));
        MUST_INT(err.code, DX_REFUSED);
        return;
    }
    MUST_DO(dial(w, dialled, &on_default));
    WAIT(w->c->opens || w->c->closes);
    for (int i = 0; i < 50 && !w->c->closes; i++) {
        put(w->c, 10);
        pass(w, 5);
    }
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_REFUSED);
}

static void abort_while_dialling(struct world *w)
{
    char url[256];
    int v[8], count, fd = full_listener(w, url, sizeof url, v, &count);
    MUST(fd >= 0);
    MUST_DO(dial(w, url, &on_default));
    end_abort(w->c);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_CLOSED);
    w->c = NULL;
    MUST_DO(dial(w, url, &on_default));
    pass(w, 5);
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_INT(w->c->opens, 0);
    MUST_INT(w->c->why.code, DX_CLOSED);
    close(fd);
    for (int i = 0; i < count; i++)
        close(v[i]);
}

/* What is sent before on_open waits, or is refused; it is never lost in silence. */
static void send_while_dialling(struct world *w)
{
    int r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(dial(w, NULL, &on_quiet));
    r = put(w->c, 100);
    MUST(r == 0 || r == DX_STATE);
    WAIT(w->c->opens);
    MUST_INT(put(w->c, 100), 0);
    WAIT(w->s && w->s->got == (r == 0 ? 200 : 100));
}

static void count_after(dx_conn *c)
{
    struct end *e = end_of(c);
    e->afters++;
    dx_loop_stop(e->w->loop);
}

static void after_dies(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_default));
    MUST(dx_after(w->c->c, 10, count_after) >= 0);
    MUST(dx_after(w->c->c, 1, count_after) >= 0);
    WAIT(w->c->afters == 2);
    MUST(dx_after(w->c->c, 15, count_after) >= 0);
    end_abort(w->c);
    WAIT(w->c->closes);
    pass(w, 40);
    MUST_INT(w->c->afters, 2);
}

static void hold_then_end(struct raw *r)
{
    uint8_t b[4096];
    while (raw_get(r, b, sizeof b) > 0)
        ;
    raw_await_go(r); /* never says its end by itself */
}

/* A peer that never ends: we close, linger for 2 s, and are done. */
static void linger_is_bounded(struct world *w)
{
    struct raw *r;
    int64_t began;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, hold_then_end));
    WAIT(w->s);
    put(w->s, 1000);
    end_close(w->s);
    began = dx_loop_now(w->loop);
    WAIT(w->s->closes);
    MUST(dx_loop_now(w->loop) - began >= 1000);
    MUST(dx_loop_now(w->loop) - began < 5000); /* ws waits for the Close first, then for the end */
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

enum { MUCH = 4 << 20, PUT = 64 << 10 };

static void says_much_before_it_reads(struct raw *r)
{
    raw_await_go(r);
    for (size_t n = 0; n < MUCH && raw_put(r, PUT); n += PUT)
        ;
    raw_want(r, 1000);
    raw_want_end(r);
    raw_end(r);
}

/* As who uploads a file that is refused: it reads why when it has sent all of it. */
static void linger_takes_much(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, says_much_before_it_reads));
    WAIT(w->s);
    put(w->s, 1000);
    end_close(w->s);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
}

const struct behaviour behave_time[] = {
    {"idle deadline is DX_TIMEOUT", HAS_PEER, 0, idle_ends},
    {"idle counts both directions together", HAS_PEER, 0, idle_counts_both_ways},
    {"dial timeout", HAS_BACKLOG, 0, dial_times_out},
    {"dial refused", HAS_REFUSAL, 0, refused},
    {"datagrams to nobody are DX_REFUSED", HAS_DATAGRAMS, 0, refused_datagram},
    {"abort and close while dialling", HAS_BACKLOG, 0, abort_while_dialling},
    {"send before on_open", HAS_LISTENER | HAS_END, 0, send_while_dialling},
    {"dx_after dies with the conn", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, after_dies},
    {"a close lingers at most 2 s", HAS_RAW | HAS_END, 0, linger_is_bounded},
    {"a close lingers while its peer says much", HAS_RAW | HAS_END, 0, linger_takes_much},
    {0},
};
