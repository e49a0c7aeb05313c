/* SPDX-License-Identifier: MIT
 * behave_loop.c - loops, timers, posts and options: what needs no wire. */
#include "conform.h"
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

struct order {
    struct world *w;
    char seen[64];
    size_t n;
};
struct step {
    struct order *o;
    char name;
};

static void step_on(void *arg)
{
    struct step *s = arg;
    s->o->seen[s->o->n++] = s->name;
    dx_loop_stop(s->o->w->loop);
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* c a d b, cancelling d; false: the machine was away meanwhile, so that their order means nothing. */
static bool set_timers(struct world *w, struct step *v, int64_t *ret_id)
{
    static const int64_t ms[4] = {30, 5, 15, 20};
    int64_t began = clock_ms(), id[4];
    for (int i = 0; i < 4; i++)
        id[i] = dx_loop_after(w->loop, ms[i], step_on, &v[i]);
    dx_loop_cancel(w->loop, id[2]);
    *ret_id = id[2];
    if (clock_ms() - began <= 2)
        return true;
    for (int i = 0; i < 4; i++)
        dx_loop_cancel(w->loop, id[i]);
    return false;
}

static void timers(struct world *w)
{
    struct order o = {.w = w};
    struct step v[4] = {{&o, 'c'}, {&o, 'a'}, {&o, 'd'}, {&o, 'b'}};
    int64_t began = clock_ms(), id;
    for (int i = 0; i < 100 && !set_timers(w, v, &id); i++)
        began = clock_ms();
    dx_loop_cancel(w->loop, id);
    dx_loop_cancel(w->loop, 0);
    WAIT(o.n == 3);
    MUST_STR(o.seen, "abc");
    MUST(clock_ms() - began >= 30);
    dx_loop_cancel(w->loop, id);
}

static void never_on(void *arg)
{
    struct world *w = arg;
    fail(w, "a timer of the next hour ran when its loop was freed");
}

static void timers_die(struct world *w)
{
    dx_loop *l = dx_loop_new(NULL);
    MUST(l != NULL);
    MUST(dx_loop_after(l, 3600 * 1000, never_on, w) > 0);
    MUST(dx_loop_after(l, 0, never_on, w) > 0);
    dx_loop_free(l);
}

static void posts_in_order(struct world *w)
{
    struct order o = {.w = w};
    struct step v[20];
    for (int i = 0; i < 20; i++) {
        v[i] = (struct step){&o, (char)('a' + i)};
        MUST_INT(dx_loop_post(w->loop, step_on, &v[i]), 0);
    }
    MUST_INT(o.n, 0);
    WAIT(o.n == 20);
    MUST_STR(o.seen, "abcdefghijklmnopqrst");
}

static void nothing_left(struct world *w)
{
    struct order o = {.w = w};
    struct step a = {&o, 'a'};
    dx_loop *l = dx_loop_new(NULL);
    MUST(l != NULL);
    MUST_INT(dx_loop_run(l), 0);
    MUST(dx_loop_after(l, 5, step_on, &a) > 0);
    MUST_INT(dx_loop_run(l), 0);
    MUST_INT(o.n, 1);
    MUST_INT(dx_loop_count(l, DX_COUNT_CONNS), 0);
    dx_loop_free(l);
    dx_loop_free(NULL);
}

static void drained_is_nothing_left(struct world *w)
{
    dx_loop *l = dx_loop_new(NULL);
    dx_listener *s = dx_serve(l, "tcp://127.0.0.1:0", &on_default, NULL, NULL, NULL);
    MUST(s != NULL);
    dx_listener_drain(s, 0);
    MUST_INT(dx_loop_run(l), 0);
    dx_loop_free(l);
}

static dx_loop *signalled;
static void on_alarm(int sig)
{
    (void)sig;
    dx_loop_stop(signalled);
}

static void stop_from_signal(struct world *w)
{
    struct itimerval t = {.it_value.tv_usec = 10000}, none = {0};
    struct sigaction sa = {.sa_handler = on_alarm}, old;
    unsigned left = alarm(0);
    MUST_DO(serve(w, &on_default));
    signalled = w->loop;
    sigaction(SIGALRM, &sa, &old);
    setitimer(ITIMER_REAL, &t, NULL);
    MUST_INT(dx_loop_run(w->loop), 0);
    setitimer(ITIMER_REAL, &none, NULL);
    sigaction(SIGALRM, &old, NULL);
    alarm(left);
}

static void bad_urls(struct world *w)
{
    static const char *const bad[] = {"",
                                      "tcp",
                                      "tcp:/127.0.0.1:1",
                                      "tcp//127.0.0.1:1",
                                      "tcp://127.0.0.1:99999",
                                      "tcp://127.0.0.1:-1",
                                      "tcp://127.0.0.1:x",
                                      "tcp://[::1:80",
                                      "tcp://a b:80",
                                      "tcp://user:pw@127.0.0.1:80",
                                      "tcp://127.0.0.1:80\n",
                                      "://x",
                                      "nosuch://127.0.0.1:1",
                                      "tcp://127.0.0.1",
                                      "udp://127.0.0.1",
                                      "unix://",
                                      "fd:",
                                      "exec:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dx_err err = {0};
        MUST_SAY(!dx_connect(w->loop, bad[i], &on_default, NULL, NULL, &err), "dx_connect took \"%s\"", bad[i]);
        MUST_SAY(err.code == DX_URL && err.text[0], "\"%s\" is %d %s", bad[i], err.code, err.text);
        MUST_SAY(!dx_serve(w->loop, bad[i], &on_default, NULL, NULL, &err), "dx_serve took \"%s\"", bad[i]);
        MUST_SAY(err.code == DX_URL && err.text[0], "served \"%s\" is %d %s", bad[i], err.code, err.text);
        MUST(!dx_connect(w->loop, bad[i], &on_default, NULL, NULL, NULL));
    }
}

static void absent(struct world *w)
{
    dx_err err = {0};
    MUST(!dx_connect(w->loop, "quic://127.0.0.1:1", &on_default, NULL, NULL, &err));
    MUST_SAY(err.code == DX_ABSENT && err.text[0], "%d %s", err.code, err.text);
    MUST(!dx_serve(w->loop, "quic://127.0.0.1:1", &on_default, NULL, NULL, &err));
    MUST_SAY(err.code == DX_ABSENT && err.text[0], "served: %d %s", err.code, err.text);
}

static void blocking_is_absent(struct world *w)
{
    dx_err err = {0};
    MUST(!dx_listen("tcp://127.0.0.1:0", NULL, &err));
    MUST_INT(err.code, DX_ABSENT);
    MUST(!dx_dial("tcp://127.0.0.1:1", NULL, &err));
    MUST_INT(err.code, DX_ABSENT);
}

static void no_such_name(struct world *w)
{
    MUST_DO(dial(w, "tcp://no-such-name.invalid:80", &on_default));
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_RESOLVE);
    MUST(strstr(w->c->why.text, "no-such-name.invalid"));
}

static void words_of_codes(struct world *w)
{
    MUST_STR(dx_version(), "0.1.0");
    MUST_STR(dx_code_text(DX_REFUSED), "nobody listens there");
    for (int i = DX_STATE; i <= 0; i++)
        MUST(dx_code_text(i) && dx_code_text(i)[0]);
    MUST(dx_code_text(-1000) && dx_code_text(5));
}

/* A program built against an older, shorter dx_opts: what lies behind its end is not ours to read. */
static void older_opts(struct world *w)
{
    struct {
        int64_t dial_ms_max, idle_ms_max;
    } *old = malloc(sizeof *old); /* on the heap, where ASan sees one byte too far */
    dx_err err = {0};
    struct end *door = end_new(w, "door", &on_echo), *e;
    door->door = true;
    old->dial_ms_max = 5000;
    old->idle_ms_max = 60;
    w->listener =
        dx_serve_sized(w->loop, "tcp://127.0.0.1:0", watching(&on_echo), door, (const dx_opts *)old, sizeof *old, &err);
    MUST_SAY(w->listener, "%s", err.text);
    e = end_new(w, "client", &on_default);
    adopt(w, e,
          dx_connect_sized(w->loop, dx_listener_url(w->listener, 0), watching(&on_default), e, (const dx_opts *)old,
                           sizeof *old, &err));
    MUST(e->c);
    free(old);
    WAIT(e->opens);
    put(e, 100 * KIB);
    WAIT(e->got == 100 * KIB);
    WAIT(w->s->closes && e->closes);
    MUST(w->s->why.code == DX_TIMEOUT || e->why.code == DX_TIMEOUT);
}

static void null_opts(struct world *w)
{
    dx_err err = {0};
    struct end *e = end_new(w, "client", &on_default), *door = end_new(w, "door", &on_echo);
    door->door = true;
    w->listener = dx_serve(w->loop, "tcp://127.0.0.1:0", watching(&on_echo), door, NULL, &err);
    MUST_SAY(w->listener, "%s", err.text);
    adopt(w, e, dx_connect(w->loop, dx_listener_url(w->listener, 0), watching(&on_default), e, NULL, NULL));
    WAIT(e->opens);
    put(e, 10);
    WAIT(e->got == 10);
}

const struct behaviour behave_loop[] = {
    {"timers in order, cancelled ones never", HAS_NO_WIRE, 0, timers},
    {"timers die with their loop", HAS_NO_WIRE, 0, timers_die},
    {"posts run in order", HAS_NO_WIRE, 0, posts_in_order},
    {"a loop with nothing left returns", HAS_NO_WIRE, 0, nothing_left},
    {"a drained listener is nothing left", HAS_NO_WIRE, 0, drained_is_nothing_left},
    {"dx_loop_stop from a signal handler", HAS_BY_NAME, 0, stop_from_signal},
    {"URLs that do not read are DX_URL", HAS_NO_WIRE, 0, bad_urls},
    {"schemes of later are DX_ABSENT", HAS_NO_WIRE, 0, absent},
    {"the blocking form is DX_ABSENT", HAS_NO_WIRE, 0, blocking_is_absent},
    {"no such name is DX_RESOLVE", HAS_NO_WIRE, 0, no_such_name},
    {"every code has words", HAS_NO_WIRE, 0, words_of_codes},
    {"options of an older size", HAS_NO_WIRE, 0, older_opts},
    {"no options, no error", HAS_NO_WIRE, 0, null_opts},
    {0},
};
