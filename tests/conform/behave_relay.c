/* SPDX-License-Identifier: MIT
 * behave_relay.c - dx_relay between every two kinds: client -> this scheme -> relay -> another scheme -> echo. */
#include "conform.h"
#include <sys/socket.h>
#include <unistd.h>

struct bridge {
    char url[256]; /* of the far side */
    struct end *far;
};

static void bridge_open(dx_conn *c)
{
    struct end *e = end_of(c);
    struct bridge *b = e->w->c->arg;
    int r;
    b->far = dial(e->w, b->url, &on_quiet);
    if (!b->far)
        return;
    b->far->who = "far";
    if ((r = dx_relay(c, b->far->c)) < 0)
        fail(e->w, "dx_relay says %d (%s)", r, dx_code_text(r));
}

/* Relayed conns keep only on_close; nothing else of theirs may be called. */
static void not_called(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)data, (void)n, (void)how;
    fail(end_of(c)->w, "on_data of a relayed conn");
}

static const dx_handler on_bridge = {.on_open = bridge_open, .on_data = not_called};

static const dx_handler *bridge_on = &on_bridge;

static const struct scheme *scheme_named(const char *name)
{
    const struct scheme *s = all_schemes;
    while (s->name && strcmp(s->name, name))
        s++;
    return s;
}

/* The echo listens first, as the other scheme; then the bridge, as this one. */
static bool build(struct world *w, const char *other, struct bridge *b)
{
    const struct scheme *here = w->scheme, *there = scheme_named(other);
    struct end *server;
    w->scheme = there;
    if (!(there->has & HAS_LISTENER))
        snprintf(b->url, sizeof b->url, "%s", there->url);
    else if (!serve(w, &on_echo))
        return false;
    else
        snprintf(b->url, sizeof b->url, "%s", w->url);
    w->scheme = here;
    if (!serve(w, bridge_on))
        return false;
    server = dial(w, NULL, &on_fill);
    if (server)
        server->arg = b;
    return server != NULL;
}

static void relay_to(struct world *w, const char *other)
{
    struct bridge b = {0};
    size_t n = MIB;
    MUST_DO(build(w, other, &b));
    WAIT(w->c->opens);
    put_all(w->c, n, 16 * KIB);
    WAIT(w->c->sent == n);
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(w->c->ends);
    MUST_INT(w->c->got, n);
    end_close(w->c);
    WAIT(all_closed(w));
    MUST_GOOD(w->c);
    MUST_GOOD(b.far);
    MUST_GOOD(accepted(w, 0));
}

static void relay_tcp(struct world *w)
{
    relay_to(w, "tcp4");
}
static void relay_unix(struct world *w)
{
    relay_to(w, "unix");
}
static void relay_ws(struct world *w)
{
    relay_to(w, "ws4");
}
static void relay_tls(struct world *w)
{
    relay_to(w, "tls4");
}
static void relay_exec(struct world *w)
{
    relay_to(w, "exec");
}

/* What the kernel holds on the way differs from run to run: the library's own share is what has a bound. */
static void relay_backpressure(struct world *w)
{
    struct bridge b = {0};
    MUST_DO(build(w, "tcp4", &b));
    WAIT(w->c->opens);
    end_pause(w->c, true); /* we do not read our own echo, so it must all wait somewhere bounded */
    stall(w, w->c, 64 * KIB);
    size_t n = w->c->sent;
    MUST_SAY(dx_memory_used() < 8 * MIB, "%zu bytes are held", dx_memory_used());
    end_pause(w->c, false);
    dx_finish(w->c->c);
    WAIT(w->c->ends);
    MUST_INT(w->c->got, n);
    end_close(w->c);
    WAIT(all_closed(w));
}

static size_t looked[2], looked_ends;
static void look(dx_conn *from, const void *data, size_t n, unsigned how)
{
    (void)how;
    looked[end_of(from)->who[0] == 'f'] += n;
    looked_ends += !data;
}

static void bridge_open_looked(dx_conn *c)
{
    struct end *e = end_of(c);
    struct bridge *b = e->w->c->arg;
    b->far = dial(e->w, b->url, &on_quiet);
    if (!b->far)
        return;
    b->far->who = "far";
    if (dx_relay_looked(c, b->far->c, look) < 0)
        fail(e->w, "dx_relay_looked");
}

static const dx_handler on_looked_bridge = {.on_open = bridge_open_looked, .on_data = not_called};

/* Whoever looks sees all that passes, and counts agree. */
static void relay_looked(struct world *w)
{
    struct bridge b = {0};
    bridge_on = &on_looked_bridge;
    MUST_DO(build(w, "tcp4", &b));
    WAIT(w->c->opens);
    put_all(w->c, MIB, 16 * KIB);
    WAIT(w->c->got == MIB);
    MUST_INT(dx_relayed(b.far->c), MIB);
    dx_finish(w->c->c);
    WAIT(w->c->ends);
    MUST_INT(looked[0], MIB);
    MUST_INT(looked[1], MIB);
    MUST_INT(looked_ends, 2);
    end_close(w->c);
    WAIT(all_closed(w));
}

/* One side breaks: the other must not hang. */
static void relay_break(struct world *w)
{
    struct bridge b = {0};
    MUST_DO(build(w, "tcp4", &b));
    WAIT(w->c->opens);
    put(w->c, 1000);
    WAIT(w->c->got == 1000);
    end_abort(w->c);
    WAIT(all_closed(w));
}

static void relay_pipes(struct world *w)
{
    int in[2], out[2];
    char url[32];
    uint8_t buf[4096];
    size_t got = 0, n = 60000;
    struct end *left, *right;
    MUST(pipe(in) == 0 && pipe(out) == 0);
    MUST(write(in[1], pattern(0), n) == (ssize_t)n);
    close(in[1]);
    snprintf(url, sizeof url, "fd:%d", in[0]);
    MUST_DO(left = dial(w, url, &on_quiet));
    snprintf(url, sizeof url, "fd:%d", out[1]);
    MUST_DO(right = dial(w, url, &on_quiet));
    MUST_INT(dx_relay(left->c, right->c), 0);
    WAIT(all_closed(w));
    close(out[1]);
    for (ssize_t r; (r = read(out[0], buf, sizeof buf)) > 0; got += (size_t)r)
        MUST(!memcmp(buf, pattern(got), (size_t)r));
    MUST_INT(got, n);
    close(out[0]);
    close(in[0]);
    MUST_GOOD(left);
    MUST_GOOD(right);
}

/* What a reset left unsent will never go out: nobody waits for it. */
static void relay_of_the_dead(struct world *w)
{
    char url[256], nobody[256];
    MUST_DO(serve(w, &on_quiet));
    int fd = raw_socket(w, w->url, false, 0, url, sizeof url);
    int deaf = raw_socket(w, "tcp://127.0.0.1:0", true, 1, nobody, sizeof nobody);
    MUST(fd >= 0 && deaf >= 0);
    close(deaf);
    WAIT(w->s);
    w->s->unchecked = true;
    end_pause(w->s, true);
    close(fd);
    put(w->s, 3000);
    pass(w, 5);
    MUST_DO(dial(w, nobody, &on_quiet));
    MUST_INT(dx_relay(w->s->c, w->c->c), 0);
    WAIT(w->s->closes);
}

const struct behaviour behave_relay[] = {
    {"relay to tcp, with half-close", HAS_SPLICE, 0, relay_tcp},
    {"relay to unix, with half-close", HAS_SPLICE, 0, relay_unix},
    {"relay to ws, with half-close", HAS_SPLICE, 0, relay_ws},
    {"relay to tls, with half-close", HAS_SPLICE, 0, relay_tls},
    {"relay to exec:cat, with half-close", HAS_SPLICE, 0, relay_exec},
    {"relay passes back-pressure on", HAS_SPLICE, 0, relay_backpressure},
    {"relay shows what passes", HAS_SPLICE, 0, relay_looked},
    {"relay passes a break on", HAS_SPLICE, 0, relay_break},
    {"relay waits for nothing of a peer that is gone", HAS_RAW | HAS_BYTES | HAS_BY_NAME, HAS_TLS | HAS_HTTP | HAS_ANY,
     relay_of_the_dead},
    {"relay from one pipe to another", HAS_NO_WIRE, 0, relay_pipes},
    {0},
};
