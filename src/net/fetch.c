/* SPDX-License-Identifier: MIT
 * fetch.c - <duplex/fetch.h>: a conn that one exchange after another carries. Each of them is an ordinary client's exchange with a
 * conn and a handler of its own (below); what comes there is looked at, decoded, and goes up to the conn that the caller has. */
#include "base/err.h"
#include "base/opts.h"
#include "core/stream.h"
#include "net/fetch_inside.h"
#include "os/clock.h"
#include <duplex/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATIO_MAX = 200, SKIP_MAX = 64 << 10, SKIP_MS = 1000 };
static const dx_handler carried;

dx_conn *fetch_conn(const struct fetch *f)
{
    return f->layer.above ? conn_of_layer(f->layer.above) : NULL;
}

static struct fetch *fetch_on(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    return l && l->type == &fetch_layer ? fetch_of(l) : NULL;
}

/* ---- its ends ---- */

/* The conn's on_close; then the fetch is over. What carried it is still there to be asked. */
static void part(struct fetch *f, const dx_err *why)
{
    dx_conn *c = fetch_conn(f);
    loop_timer_off(f->loop, &f->timer);
    if (c)
        conn_part(c, why);
    f->layer.below = NULL;
    f->in = NULL;
    loop_bury(f->loop, &f->layer);
}

/* What came is not to be borne: DX_BROKEN, and the exchange is broken off. */
void fetch_fail(struct fetch *f, int code, int detail_of, int detail, const char *words)
{
    dx_conn *c = fetch_conn(f);
    char text[240];
    snprintf(text, sizeof text, "%.120s: %s", f->ask.url, words);
    f->closing = 1;
    if (c) {
        conn_set_why(c, code, detail_of, detail, text);
        conn_broken(c);
    }
    dx_abort(f->in);
}

int fetch_status(const struct fetch *f)
{
    return dx_http_status(f->in);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct fetch *f = (struct fetch *)((char *)t - offsetof(struct fetch, timer));
    if (f->hop && (!f->until || l->now < f->until))
        dx_abort(f->in); /* nor so long: a body without an end must not keep us from where it leads */
    else
        fetch_fail(f, DX_TIMEOUT, DX_OF_NOTHING, 0, "it was not over in time");
}

static void set_timer(struct fetch *f)
{
    int64_t due = f->hop ? f->loop->now + SKIP_MS : f->until;
    if (f->until && f->until < due)
        due = f->until;
    if (due)
        loop_timer(f->loop, &f->timer, due);
    else
        loop_timer_off(f->loop, &f->timer);
}

/* ---- from what carries it ---- */

/* A kept connection may speak before its chore has said that it stands. */
static void open_first(struct fetch *f)
{
    if (fetch_conn(f))
        conn_open(fetch_conn(f));
}

static void on_data(dx_conn *in, const void *data, size_t n, unsigned how)
{
    struct fetch *f = dx_user(in);
    if (f->closing)
        return;
    if (f->hop) {
        f->skipped += (int64_t)n;
        if (f->skipped > SKIP_MAX)
            dx_abort(in); /* its connection is not worth so much */
        return;
    }
    fetch_body(f, (uint8_t *)(uintptr_t)data, n, how);
}

static void on_end(dx_conn *in)
{
    struct fetch *f = dx_user(in);
    if (f->closing || f->hop)
        return;
    loop_timer_off(f->loop, &f->timer);
    if (f->decoder && !decompressor_whole(f->decoder))
        fetch_fail(f, DX_TRUNCATED, DX_OF_HTTP, fetch_status(f), "its compressed body stops before its end");
    else
        layer_ended_above(&f->layer);
}

/* ---- the head ---- */

static void tell_hop(struct fetch *f, int status)
{
    char words[300];
    snprintf(words, sizeof words, "%d %s leads on to %.*s", status, dx_http_reason(status),
             (int)strcspn(f->ask.url, "#"), f->ask.url);
    conn_event(fetch_conn(f), DX_STEP, words);
}

static void take_head(struct fetch *f)
{
    const struct http1_head *head = http1_client_head(http1_client_of(f->in));
    dx_err why;
    bool whole = f->ask.whole;
    int r = fetch_hop(f, head, &why);
    if (r < 0) {
        f->closing = 1;
        conn_set_why(fetch_conn(f), why.code, why.detail_of, why.detail, why.text);
        conn_broken(fetch_conn(f));
        dx_abort(f->in);
    } else if (r > 0) {
        f->hop = 1;
        fetch_conn(f)->end_said |= f->ask.whole;
        set_timer(f);
        tell_hop(f, head->status);
        if (!whole) /* it would wait for the rest of a body that nobody sends any more */
            dx_abort(f->in);
    } else if (!f->decode || fetch_begin_decoding(f, head)) {
        conn_event(fetch_conn(f), DX_HEAD, NULL);
    }
}

static void on_event(dx_conn *in, int what, const void *arg)
{
    struct fetch *f = dx_user(in);
    dx_conn *c = fetch_conn(f);
    if (!c || f->closing || f->hop || what == DX_BROKEN) /* on_close says that: it may be tried once more */
        return;
    if (what == DX_STEP) {
        conn_early(c, what, arg);
        return;
    }
    open_first(f);
    if (f->closing)
        return;
    if (what == DX_HEAD)
        take_head(f);
    else
        conn_event(c, what, arg);
}

static void on_writable(dx_conn *in)
{
    struct fetch *f = dx_user(in);
    layer_writable_above(&f->layer);
}

static void on_open(dx_conn *in)
{
    open_first(dx_user(in));
}

/* ---- one exchange after another ---- */

/* The environment may have another proxy for the host that a redirect leads to, or none. */
static int choose_proxy(struct fetch *f, dx_err *err)
{
    proxy_free(&f->via);
    return proxy_read(f->proxy_for ? f->proxy_for(f->proxy_arg, f->ask.url) : f->proxy, "fetch", f->ask.url, &f->via,
                      err);
}

static int begin(struct fetch *f, bool fresh, dx_err *err)
{
    struct url u;
    dx_conn *c = fetch_conn(f);
    int r = url_parse(f->ask.url, &u, err);
    if (r == 0)
        r = choose_proxy(f, err);
    if (r == 0)
        r = fetch_carry(f, &u, fresh, &carried, err);
    if (r < 0)
        return r;
    f->layer.below = f->in->layer.below;
    f->hop = 0;
    set_timer(f);
    f->came = f->skipped = 0;
    r = fetch_ask(f, &u, err);
    if (r < 0) {
        dx_set_user(f->in, NULL);
        dx_abort(f->in);
        return r;
    }
    if (c) {
        c->q = f->in->q;
        if (c->paused)
            dx_pause(f->in, true);
    }
    if (f->reused)
        loop_chore(f->loop, &f->chore);
    return 0;
}

/* It broke before a word of the response: the server had closed a connection that was kept. */
static bool may_try_again(const struct fetch *f, const dx_err *why)
{
    bool broke = why->code == DX_RESET || why->code == DX_TRUNCATED || why->code == DX_END || why->code == DX_SYS;
    return f->reused && !f->retried && broke && !http1_client_spoke(http1_client_of(f->in)) &&
           request_is_idempotent(&f->ask) && request_can_again(&f->ask);
}

static void on_close(dx_conn *in, const dx_err *why)
{
    struct fetch *f = dx_user(in);
    dx_err err;
    if (!f) /* the call that began it has failed */
        return;
    bool again = may_try_again(f, why);
    f->retried |= again;
    if (!f->closing && !f->loop->freeing && (f->hop || again)) {
        if (begin(f, again, &err) == 0)
            return;
        why = &err;
    }
    part(f, why);
}

static const dx_handler carried = {.on_open = on_open,
                                   .on_data = on_data,
                                   .on_end = on_end,
                                   .on_writable = on_writable,
                                   .on_event = on_event,
                                   .on_close = on_close};

/* ---- asked from above ---- */

static void run_chore(struct chore *c, dx_loop *l)
{
    struct fetch *f = (struct fetch *)((char *)c - offsetof(struct fetch, chore));
    (void)l;
    if (!f->in || f->closing)
        return;
    open_first(f);
    if (f->holds && !f->closing && !fetch_conn(f)->paused)
        fetch_decode_held(f);
}

static void pause_it(struct layer *l, bool on)
{
    struct fetch *f = fetch_of(l);
    if (on || !f->holds)
        dx_pause(f->in, on);
    else
        loop_chore(f->loop, &f->chore);
}

static void close_down(struct layer *l)
{
    struct fetch *f = fetch_of(l);
    f->closing = 1;
    if (!http1_client_over(http1_client_of(f->in))) /* else it ends by itself, and its connection is kept */
        dx_close(f->in);
}

static void break_off(struct layer *l)
{
    struct fetch *f = fetch_of(l);
    f->closing = 1;
    dx_abort(f->in);
}

static void fetch_free(struct layer *l)
{
    struct fetch *f = fetch_of(l);
    loop_chore_off(f->loop, &f->chore);
    loop_timer_off(f->loop, &f->timer);
    request_free(&f->ask);
    free(f->proxy);
    proxy_free(&f->via);
    decompressor_free(f->decoder);
    dx_text_free(&f->held);
    settings_drop(f->set);
    free(f);
}

const struct layer_type fetch_layer = {
    .give = fetch_give,
    .give_msg = layer_give_msg_plain,
    .give_file = fetch_give_file,
    .finish = fetch_finish,
    .pause = pause_it,
    .close = close_down,
    .abort = break_off,
    .free = fetch_free,
};

/* ---- the call ---- */

static int read_opts(struct fetch *f, const char *url, const dx_fetch_opts *o, dx_err *err)
{
    dx_opts d = {.dial_ms_max = o->dial_ms_max, .idle_ms_max = o->idle_ms_max, .tls = o->tls};
    f->set = settings_new(&d, sizeof d, err);
    if (!f->set)
        return DX_NOMEM;
    if (o->redirects_max < 0 || o->total_ms_max < 0 || o->body_bytes_max < 0 || o->ratio_max < 0)
        return err_set(err, DX_URL, "fetch %s: an option is below zero", url);
    f->given_tls = o->tls != NULL;
    f->redirects_max = o->redirects_max;
    f->decode = o->decode;
    f->fresh = o->fresh;
    f->idle_ms = o->idle_ms_max;
    f->shown_max = o->body_bytes_max;
    f->ratio_max = o->ratio_max ? o->ratio_max : RATIO_MAX;
    f->proxy_for = o->proxy_for;
    f->proxy_arg = o->proxy_arg;
    if (o->proxy && !(f->proxy = strdup(o->proxy)))
        return err_set(err, DX_NOMEM, "fetch %s: no memory", url);
    return request_read(f, url, o, err);
}

static int check_url(dx_loop *l, const char *url, dx_err *err)
{
    struct url u;
    int r = url_parse(url, &u, err);
    if (r < 0)
        return r;
    if (strcmp(u.scheme, "http") && strcmp(u.scheme, "https"))
        return err_set(err, DX_URL, "fetch %s: only http:// and https:// can be fetched", url);
    if (u.target.n > HTTP1_TARGET_MAX)
        return err_set(err, DX_URL, "fetch %.100s...: its path is over %d bytes", url, HTTP1_TARGET_MAX);
    if (l->freeing)
        return err_set(err, DX_CLOSED, "fetch %s: the loop is being freed", url);
    return 0;
}

dx_conn *dx_fetch_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_fetch_opts *o,
                        size_t o_bytes, dx_err *err)
{
    dx_fetch_opts mine;
    if (opts_read(o, o_bytes, &mine, sizeof mine, err) < 0 || check_url(l, url, err) < 0)
        return NULL;
    struct fetch *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, DX_NOMEM, "fetch %s: no memory", url);
        return NULL;
    }
    f->layer.type = &fetch_layer;
    f->chore.run = run_chore;
    f->timer.fire = timer_fire;
    f->loop = l;
    f->ask.file = -1;
    l->now = os_now_ms(); /* its deadlines begin now, however long the caller has been busy */
    f->until = mine.total_ms_max > 0 ? l->now + mine.total_ms_max : 0;
    dx_conn *c = NULL;
    if (read_opts(f, url, &mine, err) == 0 && begin(f, false, err) == 0) {
        c = conn_new(h, user, &f->layer, f->in->q);
        if (!c) {
            err_set(err, DX_NOMEM, "fetch %s: no memory", url);
            dx_set_user(f->in, NULL);
            dx_abort(f->in);
        }
    }
    if (!c) {
        fetch_free(&f->layer);
        return NULL;
    }
    c->end_said = f->ask.whole;
    return c;
}

int dx_fetch_info_of_sized(const dx_conn *c, dx_fetch_info *ret, size_t ret_bytes)
{
    const struct fetch *f = fetch_on(c);
    dx_fetch_info mine;
    if (!f)
        return DX_STATE;
    mine = (dx_fetch_info){.url = f->ask.url,
                           .coding = decompressor_name(f->decoder),
                           .redirects = f->redirects,
                           .reused = f->reused,
                           .body_bytes = f->came};
    if (ret_bytes > sizeof mine)
        memset((char *)ret + sizeof mine, 0, ret_bytes - sizeof mine);
    memcpy(ret, &mine, ret_bytes < sizeof mine ? ret_bytes : sizeof mine);
    return 0;
}
