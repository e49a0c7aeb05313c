/* SPDX-License-Identifier: MIT
 * world.c - a case's loop, listener and ends, and the handler that watches over every conn of every behaviour. */
#include "conform.h"
#include "oom.h"
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

extern char scratch[64];

void fail(struct world *w, const char *fmt, ...)
{
    va_list ap;
    if (!atomic_exchange(&w->report->failed, true)) {
        va_start(ap, fmt);
        vsnprintf(w->report->words, WORDS_MAX, fmt, ap);
        va_end(ap);
    }
    if (w->loop)
        dx_loop_stop(w->loop);
}

void standing(struct world *w, const char *file, int line, const char *what)
{
    const char *base = strrchr(file, '/');
    snprintf(w->where, sizeof w->report->where, "%s:%d: %s", base ? base + 1 : file, line, what);
}

static size_t describe(const struct end *e, char *p, size_t n)
{
    int got = snprintf(p, n, "; %s: opens %zu datas %zu got %zu sent %zu ends %zu writables %zu closes %zu", e->who,
                       e->opens, e->datas, e->got, e->sent, e->ends, e->writables, e->closes);
    size_t at = got > 0 && (size_t)got < n ? (size_t)got : n;
    if (e->c)
        got = snprintf(p + at, n - at, " queued %zu", dx_queued(e->c));
    else
        got = snprintf(p + at, n - at, " why %d %s", e->why.code, e->why.text);
    return at + (got > 0 && (size_t)got < n - at ? (size_t)got : 0);
}

int64_t slow_ms(int64_t ms)
{
    const char *slow = getenv("DUPLEX_SLOW");
    double times = slow ? strtod(slow, NULL) : 1;
    return (int64_t)((double)ms * (times > 1 ? times : 1));
}

int64_t watch_ms(void)
{
    return slow_ms(20000);
}

static void bark(void *arg)
{
    struct world *w = arg;
    char words[WORDS_MAX - 300] = "";
    size_t n = 0, told = 0;
    for (size_t i = 0; i < w->ends_n && told < 6; i++)
        if (!w->ends[i]->door) {
            n += describe(w->ends[i], words + n, sizeof words - n);
            told++;
        }
    w->barked = true;
    fail(w, "waited %lld ms in vain at %s%s", (long long)watch_ms(), w->where, words);
}

/* Runs the loop until something has happened. False: the case has failed. */
bool turn(struct world *w, const char *cond, const char *file, int line)
{
    int r;
    standing(w, file, line, cond);
    if (w->report->failed)
        return false;
    r = dx_loop_run(w->loop);
    if (r < 0)
        fail(w, "dx_loop_run at %s: %d %s", w->where, r, dx_code_text(r));
    return !w->report->failed;
}

bool has(const struct world *w, unsigned bits)
{
    return (w->scheme->has & bits) == bits;
}

bool shakes_hands(const struct world *w)
{
    return w->scheme->has & (HAS_WS | HAS_TLS);
}

bool url_is_secret(const char *url)
{
    return !strncmp(url, "tls:", 4) || !strncmp(url, "wss:", 4) || !strncmp(url, "https:", 6);
}

bool world_init(struct world *w, const struct scheme *s, struct report *r)
{
    dx_err err;
    *w = (struct world){.scheme = s, .report = r, .where = r->where};
    w->loop = dx_loop_new(&err);
    if (!w->loop) {
        fail(w, "dx_loop_new: %s", err.text);
        return false;
    }
    w->watchdog = dx_loop_after(w->loop, watch_ms(), bark, w);
    return true;
}

static void end_check_closed(struct world *w, struct end *e)
{
    if (!e->door && e->closes != 1)
        fail(w, "%s: on_close came %zu times in the conn's life", e->who, e->closes);
    if (e->c)
        fail(w, "%s: outlived its loop", e->who);
}

static void raw_cancel(struct raw *r)
{
    if (r->joined)
        return;
    atomic_store(&r->cancelled, true);
    for (int i = 0; i < 16; i++)
        sem_post(&r->go);
    if (r->fd >= 0)
        shutdown(r->fd, SHUT_RDWR);
    if (r->listen_fd >= 0)
        shutdown(r->listen_fd, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    r->joined = true;
}

void world_free(struct world *w)
{
    struct raw *r, *next;
    for (r = w->raws; r; r = r->next)
        raw_cancel(r);
    if (w->loop)
        dx_loop_cancel(w->loop, w->watchdog);
    dx_loop_free(w->loop);
    w->loop = NULL;
    dx_tls_drop(w->server_tls);
    dx_tls_drop(w->client_tls);
    for (size_t i = 0; i < w->ends_n; i++) {
        end_check_closed(w, w->ends[i]);
        free(w->ends[i]);
    }
    for (r = w->raws; r; r = next) {
        next = r->next;
        if (r->fd >= 0)
            close(r->fd);
        if (r->listen_fd >= 0)
            close(r->listen_fd);
        sem_destroy(&r->go);
        free(r);
    }
    free(w->ends);
}

struct end *end_new(struct world *w, const char *who, const dx_handler *on)
{
    struct end *e = sure_calloc(sizeof *e);
    if (w->ends_n == w->ends_cap) {
        w->ends_cap = w->ends_cap ? 2 * w->ends_cap : 16;
        w->ends = sure_realloc(w->ends, w->ends_cap * sizeof *w->ends);
    }
    *e = (struct end){.w = w, .who = who, .on = *on};
    w->ends[w->ends_n++] = e;
    return e;
}

struct end *accepted(struct world *w, size_t i)
{
    for (size_t k = 0; k < w->ends_n; k++)
        if (w->ends[k]->accepted && i-- == 0)
            return w->ends[k];
    return NULL;
}

bool all_closed(const struct world *w)
{
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && !w->ends[i]->closes)
            return false;
    return true;
}

/* ---- the watching handler ---- */
struct end *end_of(dx_conn *c)
{
    return dx_user(c);
}

static void complain(struct end *e, const char *call)
{
    if (e->closes)
        fail(e->w, "%s: %s after on_close", e->who, call);
    else if (!e->opens)
        fail(e->w, "%s: %s before on_open", e->who, call);
    else if (e->closing)
        fail(e->w, "%s: %s after we closed it (at %s)", e->who, call, e->w->where);
}

static void check_state(struct end *e, dx_conn *c)
{
    uint8_t *state = dx_state(c);
    for (size_t i = 0; i < STATE_BYTES; i++)
        if (state[i])
            fail(e->w, "%s: dx_state is not zeroed at byte %zu", e->who, i);
    memset(state, 0xA5, STATE_BYTES);
}

static void watch_open(dx_conn *c)
{
    struct end *e = end_of(c), *door = e;
    if (e->door) {
        e = end_new(door->w, "server", &door->on);
        e->accepted = true;
        e->c = c;
        e->unchecked = door->unchecked;
        dx_set_user(c, e);
        door->w->accepted++;
        if (!door->w->s)
            door->w->s = e;
    }
    if (e->opens++)
        fail(e->w, "%s: on_open twice", e->who);
    if (e->c != c || e->closing)
        fail(e->w, "%s: on_open of %s", e->who, e->closing ? "a closed conn" : "another conn");
    e->id = dx_id_of(c);
    check_state(e, c);
    if (e->on.on_open)
        e->on.on_open(c);
    dx_loop_stop(e->w->loop);
}

static void check_bytes(struct end *e, const uint8_t *p, size_t n)
{
    const uint8_t *want = pattern(e->got);
    if (n > PATTERN_MAX || !memcmp(p, want, n))
        return;
    for (size_t i = 0; i < n; i++)
        if (p[i] != want[i]) {
            fail(e->w, "%s: byte %zu (%zu of %zu that came) is %02x, not %02x", e->who, e->got + i, i, n, p[i],
                 want[i]);
            return;
        }
}

static void watch_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    if (e->door || e->c != c) {
        fail(e->w, "on_data on a conn never opened");
        return;
    }
    complain(e, "on_data");
    if (e->paused)
        fail(e->w, "%s: on_data while paused", e->who);
    if (e->ends)
        fail(e->w, "%s: on_data after on_end", e->who);
    if (!n && dx_kind_of(c) == DX_BYTES)
        fail(e->w, "%s: an empty on_data on a byte wire", e->who);
    if (e->accepted && e->w->knocks && !e->knocked) {
        e->knocked = true;
    } else {
        if (!e->unchecked)
            check_bytes(e, data, n);
        e->datas++;
        e->got += n;
        e->last_n = n;
        e->last_how = how;
        if (e->on.on_data)
            e->on.on_data(c, data, n, how);
    }
    memset((void *)(uintptr_t)data, 0xEE, n); /* ours to write over until we return */
    dx_loop_stop(e->w->loop);
}

static void watch_end(dx_conn *c)
{
    struct end *e = end_of(c);
    complain(e, "on_end");
    if (e->paused)
        fail(e->w, "%s: on_end while paused", e->who);
    if (e->ends++)
        fail(e->w, "%s: on_end twice", e->who);
    e->on.on_end(c);
    dx_loop_stop(e->w->loop);
}

static void watch_writable(dx_conn *c)
{
    struct end *e = end_of(c);
    complain(e, "on_writable");
    e->writables++;
    if (e->on.on_writable)
        e->on.on_writable(c);
    dx_loop_stop(e->w->loop);
}

static const dx_ws_opts *ws_of(const struct world *w)
{
    static const dx_ws_opts deflate = {.deflate = ""};
    return w->scheme->has & HAS_DEFLATE ? &deflate : NULL;
}

static void watch_event(dx_conn *c, int what, const void *arg)
{
    struct end *e = end_of(c);
    if (what == DX_STEP ||
        (what == DX_HEAD && !strncmp(dx_wire(c), "ws", 2))) { /* these may come before on_open, and then alone */
        if (e->closes || e->opens)
            fail(e->w, "%s: DX_STEP or DX_HEAD after on_open or on_close", e->who);
        return;
    }
    complain(e, "on_event");
    e->events++;
    if (e->on.on_event)
        e->on.on_event(c, what, arg);
    dx_loop_stop(e->w->loop);
}

static void check_state_kept(struct end *e, dx_conn *c)
{
    const uint8_t *state = dx_state(c);
    for (size_t i = 0; i < STATE_BYTES; i++)
        if (state[i] != 0xA5)
            fail(e->w, "%s: somebody wrote over dx_state at byte %zu", e->who, i);
}

static void watch_close(dx_conn *c, const dx_err *why)
{
    struct end *e = end_of(c);
    if (e->door) {
        fail(e->w, "on_close of a conn whose on_open never came: %d %s", why->code, why->text);
        return;
    }
    if (e->closes++)
        fail(e->w, "%s: on_close twice", e->who);
    if (e->opens)
        check_state_kept(e, c);
    if (why->code >= 0 || (why->code != DX_END && why->code != DX_CLOSED && !why->text[0]))
        fail(e->w, "%s: on_close with code %d and the words \"%s\"", e->who, why->code, why->text);
    e->why = *why;
    e->w->closed++;
    if (e->on.on_close)
        e->on.on_close(c, why);
    e->c = NULL;
    dx_loop_stop(e->w->loop);
}

/* Two are enough: an on_end that is there, and the library's own. */
const dx_handler *watching(const dx_handler *on)
{
    static const dx_handler full = {STATE_BYTES,    watch_open,  watch_data, watch_end,
                                    watch_writable, watch_event, watch_close};
    static const dx_handler endless = {STATE_BYTES,    watch_open,  watch_data, NULL,
                                       watch_writable, watch_event, watch_close};
    return on->on_end ? &full : &endless;
}

/* ---- listening and dialling ---- */
void name_url(struct world *w, char *ret_url, size_t n)
{
    static atomic_int number;
    const char *url = w->scheme->url, *star = strchr(url, '*');
    int k = atomic_fetch_add(&number, 1), pid = (int)getpid();
    if (!star)
        snprintf(ret_url, n, "%s", url);
    else if (star > url && star[-1] == '@')
        snprintf(ret_url, n, "%.*sduplex-conform-%d-%d", (int)(star - url), url, pid, k);
    else
        snprintf(ret_url, n, "%.*s%s/%d-%d", (int)(star - url), url, scratch, pid, k);
}

static bool is_absent(struct world *w, const dx_err *err)
{
    if (err->code == DX_ABSENT)
        atomic_store(&w->report->absent, true);
    return err->code == DX_ABSENT;
}

bool serve(struct world *w, const dx_handler *on)
{
    char url[256];
    dx_err err = {0};
    struct end *door = end_new(w, "door", on);
    const char *dialable;
    door->door = true;
    name_url(w, url, sizeof url);
    if (has(w, HAS_TLS) && !secret_server(w))
        return false;
    w->listener = dx_ws_serve(w->loop, url, watching(on), door, &w->so, ws_of(w), &err);
    if (!w->listener) {
        is_absent(w, &err);
        fail(w, "dx_serve %s: %d %s", url, err.code, err.text);
        return false;
    }
    dialable = dx_listener_url(w->listener, 0);
    if (!dialable) {
        fail(w, "dx_listener_url(0) of %s is NULL", url);
        return false;
    }
    snprintf(w->url, sizeof w->url, "%s", dialable);
    return true;
}

void adopt(struct world *w, struct end *e, dx_conn *c)
{
    e->c = c;
    e->id = dx_id_of(c);
    if (!w->c)
        w->c = e;
}

struct end *dial(struct world *w, const char *url, const dx_handler *on)
{
    dx_err err = {0};
    struct end *e = end_new(w, "client", on);
    dx_conn *c;
    url = url ? url : w->url;
    if (url_is_secret(url) && !secret_client(w)) {
        e->door = true;
        return NULL;
    }
    c = dx_ws_connect(w->loop, url, watching(on), e, &w->co, ws_of(w), &err);
    if (!c) {
        e->door = true; /* never was a conn: no on_close is owed */
        is_absent(w, &err);
        fail(w, "dx_connect %s: %d %s", url, err.code, err.text);
        return NULL;
    }
    adopt(w, e, c);
    return e;
}

static bool both_fds(struct world *w, const dx_handler *server_on, const dx_handler *client_on)
{
    int v[2];
    char url[32];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v) < 0)
        return false;
    snprintf(url, sizeof url, "fd:%d", v[0]);
    if (!dial(w, url, client_on))
        return false;
    snprintf(url, sizeof url, "fd:%d", v[1]);
    w->s = dial(w, url, server_on);
    close(v[0]); /* fd:N doubles it */
    close(v[1]);
    if (w->s)
        w->s->who = "server";
    return w->s != NULL;
}

static bool knock(struct world *w)
{
    int r;
    w->knocks = true;
    while (!w->c->opens)
        if (!turn(w, "the client's on_open", __FILE__, __LINE__))
            return false;
    if ((r = dx_send(w->c->c, "knock", 5, DX_BINARY)) < 0)
        fail(w, "the first datagram: dx_send says %d", r);
    while (!w->s || !w->s->knocked)
        if (!turn(w, "the first datagram to make a conn", __FILE__, __LINE__))
            return false;
    return true;
}

bool both(struct world *w, const dx_handler *server_on, const dx_handler *client_on)
{
    if (has(w, HAS_LISTENER)) {
        if (!serve(w, server_on) || !dial(w, NULL, client_on))
            return false;
        if (has(w, HAS_DATAGRAMS) && !knock(w))
            return false;
    } else if (has(w, HAS_PEER)) {
        if (!both_fds(w, server_on, client_on))
            return false;
    } else if (!dial(w, w->scheme->url, client_on)) {
        return false;
    }
    while (!w->c->opens || (has(w, HAS_PEER) && (!w->s || !w->s->opens)))
        if (!turn(w, "both ends' on_open", __FILE__, __LINE__))
            return false;
    return true;
}

static void stop(void *arg)
{
    struct world *w = arg;
    w->barked = true;
    dx_loop_stop(w->loop);
}

void pass(struct world *w, int64_t ms)
{
    w->barked = false;
    if (dx_loop_after(w->loop, ms, stop, w) < 0)
        return;
    while (!w->barked)
        if (!turn(w, "a while to pass", __FILE__, __LINE__))
            return;
    w->barked = false;
}
