/* SPDX-License-Identifier: MIT */
#include "hub_fake.h"
#include <duplex/http.h>
#include <duplex/sse.h>
#include <duplex/udp.h>
#include <duplex/ws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dx_msg {
    int refs;
    unsigned how;
    size_t n;
    char p[];
};
struct timer {
    int64_t id, at;
    void (*fn)(void *);
    void *arg;
};
static struct timer timers[256], posts[256];
static int timer_count, post_count;
static int64_t timer_ids;
int64_t fake_now_ms;
static const dx_handler *serving;
static void *serving_user;
static dx_conn *conns;
static char *said;

dx_loop *fake_loop(void)
{
    fake_now_ms = 100000;
    timer_count = post_count = 0;
    return (dx_loop *)&timer_ids;
}

void fake_turn(void)
{
    for (int i = 0; i < post_count; i++)
        posts[i].fn(posts[i].arg);
    post_count = 0;
    for (int i = 0; i < timer_count; i++)
        if (timers[i].at <= fake_now_ms) {
            struct timer t = timers[i];
            timers[i] = timers[--timer_count];
            t.fn(t.arg);
            i = -1;
        }
    for (dx_conn *c = conns; c; c = c->next)
        if (c->later && c->later_ms <= fake_now_ms) {
            void (*fn)(dx_conn *) = c->later;
            c->later = NULL;
            fn(c);
        }
}

void fake_pass(int64_t ms)
{
    fake_turn();
    fake_now_ms += ms;
    fake_turn();
}

static dx_conn *new_conn(const char *wire, const char *peer)
{
    dx_conn *c = calloc(1, sizeof(*c));
    c->h = serving;
    c->user = serving_user;
    c->state = calloc(1, serving->state_bytes);
    c->wire = wire;
    c->far = peer != NULL;
    c->peer = peer ? peer : "tcp://127.0.0.1:40000";
    c->local = "tcp://127.0.0.1:2333";
    c->room = 64 * 1024;
    c->next = conns;
    conns = c;
    return c;
}

dx_conn *fake_open(const char *wire, const char *peer)
{
    dx_conn *c = new_conn(wire, peer);
    c->h->on_open(c);
    fake_turn();
    return c;
}

dx_conn *fake_http(const struct fake_request *r, const char *peer)
{
    dx_conn *c = new_conn("http", peer);
    c->http = true;
    c->req = *r;
    c->h->on_open(c);
    fake_turn();
    return c;
}

void fake_bytes(dx_conn *c, const void *p, size_t n, unsigned how)
{
    c->in += n;
    c->h->on_data(c, p, n, how);
    fake_turn();
}

void fake_say(dx_conn *c, const char *text)
{
    char *copy = strdup(text); /* what on_data gets ends nowhere */
    fake_bytes(c, copy, strlen(text), DX_TEXT);
    free(copy);
}

void fake_ended(dx_conn *c)
{
    c->h->on_end(c);
    fake_turn();
}

void fake_drain(dx_conn *c)
{
    c->queued = 0;
    c->h->on_writable(c);
    fake_turn();
}

void fake_gone(dx_conn *c)
{
    dx_err why = {.code = DX_END};
    dx_conn **p = &conns;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    c->h->on_close(c, &why);
    dx_text_free(&c->out);
    free(c->state);
    free(c);
    fake_turn();
}

const char *fake_out(dx_conn *c)
{
    free(said);
    said = strdup(c->out.p ? c->out.p : "");
    dx_text_clear(&c->out);
    if (c->out.p)
        *c->out.p = 0;
    return said;
}

void fake_end(void)
{
    while (conns)
        fake_gone(conns);
    free(said);
    said = NULL;
}

/* ---- duplex.h ---- */
dx_listener *dx_serve_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o, size_t n,
                            dx_err *err)
{
    (void)l, (void)url, (void)o, (void)n, (void)err;
    serving = h;
    serving_user = user;
    return (dx_listener *)&serving;
}
const char *dx_listener_url(const dx_listener *s, int i)
{
    (void)s;
    static const char *const urls[] = {"tcp://127.0.0.1:2333", "udp://127.0.0.1:2333", "tcp://[::1]:2333",
                                       "udp://[::1]:2333"};
    return i < 4 ? urls[i] : NULL;
}
void dx_listener_drain(dx_listener *s, int64_t ms)
{
    (void)s, (void)ms;
}
int dx_loop_post(dx_loop *l, void (*fn)(void *), void *arg)
{
    (void)l;
    posts[post_count++] = (struct timer){.fn = fn, .arg = arg};
    return 0;
}
int64_t dx_loop_after(dx_loop *l, int64_t ms, void (*fn)(void *), void *arg)
{
    (void)l;
    timers[timer_count++] = (struct timer){++timer_ids, fake_now_ms + ms, fn, arg};
    return timer_ids;
}
void dx_loop_cancel(dx_loop *l, int64_t id)
{
    (void)l;
    for (int i = 0; i < timer_count; i++)
        if (timers[i].id == id)
            timers[i--] = timers[--timer_count];
}
int64_t dx_loop_now(const dx_loop *l)
{
    (void)l;
    return fake_now_ms;
}
int dx_send(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)how;
    if (c->closed || c->aborted)
        return DX_STATE;
    if (c->queued > c->room / 2 && c->queued + n > c->room)
        return DX_FULL;
    c->queued += n;
    c->sends++;
    c->out_bytes += n;
    dx_text_add(&c->out, data, n);
    dx_text_add(&c->out, "\n", 1);
    return c->queued > c->room / 2;
}
int dx_send_msg(dx_conn *c, dx_msg *m)
{
    return dx_send(c, m->p, m->n, m->how);
}
void dx_close(dx_conn *c)
{
    c->closed = true;
}
void dx_abort(dx_conn *c)
{
    c->aborted = true;
}
void dx_pause(dx_conn *c, bool on)
{
    c->paused = on;
}
int dx_after(dx_conn *c, int64_t ms, void (*fn)(dx_conn *))
{
    c->later = fn;
    c->later_ms = fake_now_ms + ms;
    return 0;
}
void *dx_state(dx_conn *c)
{
    return c->state;
}
void *dx_user(const dx_conn *c)
{
    return c->user;
}
const char *dx_local(const dx_conn *c)
{
    return c->local;
}
const char *dx_peer(const dx_conn *c)
{
    return c->peer;
}
const char *dx_wire(const dx_conn *c)
{
    return c->wire;
}
bool dx_is_loopback(const dx_conn *c)
{
    return !c->far;
}
dx_msg *dx_msg_new(const void *data, size_t n, unsigned how)
{
    dx_msg *m = malloc(sizeof(*m) + n);
    *m = (dx_msg){.refs = 1, .how = how, .n = n};
    memcpy(m->p, data, n);
    return m;
}
void dx_msg_drop(dx_msg *m)
{
    free(m);
}
dx_bytes dx_msg_bytes(const dx_msg *m)
{
    return (dx_bytes){m->p, m->n};
}
const char *dx_version(void)
{
    return "0.1.0";
}

/* ---- http.h, ws.h, udp.h ---- */
static dx_bytes of(const char *s)
{
    return (dx_bytes){s, s ? strlen(s) : 0};
}
bool dx_http_is(const dx_conn *c)
{
    return c->http && !c->accepted;
}
dx_bytes dx_http_method(const dx_conn *c)
{
    return of(c->req.method);
}
dx_bytes dx_http_target(const dx_conn *c)
{
    return of(c->req.target);
}
dx_bytes dx_http_path(const dx_conn *c)
{
    return (dx_bytes){c->req.target, strcspn(c->req.target, "?")};
}
dx_bytes dx_http_host(const dx_conn *c)
{
    return of(c->req.host);
}
dx_bytes dx_http_header(const dx_conn *c, const char *name)
{
    const struct {
        const char *name, *value;
    } fields[] = {{"Sec-WebSocket-Protocol", c->req.protocols},
                  {"If-None-Match", c->req.if_none_match},
                  {"Origin", c->req.origin},
                  {"Sec-Fetch-Site", c->req.site},
                  {"Host", c->req.host},
                  {"Accept", c->req.accept},
                  {"Content-Type", c->req.type},
                  {"Last-Event-ID", c->req.last_id},
                  {"Duplex-Me", c->req.me},
                  {"Duplex-Key", c->req.key},
                  {"Duplex-Token", c->req.token}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (!strcmp(name, fields[i].name))
            return of(fields[i].value);
    return of(NULL);
}
int64_t dx_http_length(const dx_conn *c)
{
    (void)c;
    return -1;
}
int dx_http_param(const dx_conn *c, const char *name, size_t nth, dx_text *out)
{
    const char *p = strchr(c->req.target, '?');
    (void)nth;
    while (p) {
        size_t n = strcspn(++p, "=&");
        if (n == strlen(name) && !memcmp(p, name, n)) {
            p += n + (p[n] == '=');
            dx_text_add(out, p, strcspn(p, "&"));
            return 1;
        }
        p = strchr(p, '&');
    }
    return 0;
}
int dx_http_park(dx_conn *c, int64_t ms, int status)
{
    (void)status;
    c->parked_ms = ms;
    return 0;
}
int dx_sse_open(dx_conn *c, int64_t keep_ms, const dx_http_field *fields, size_t count)
{
    (void)keep_ms, (void)fields, (void)count;
    c->status = 200;
    c->stream = true;
    return 0;
}
/* "ID DATA" */
static int event_text(const dx_sse *e, dx_text *out)
{
    dx_text_add(out, e->id ? e->id : "", e->id ? strlen(e->id) : 0);
    dx_text_add(out, " ", 1);
    return dx_text_add(out, e->data, e->n);
}
int dx_sse_send_sized(dx_conn *c, const dx_sse *e, size_t n)
{
    dx_text t = {0};
    (void)n;
    event_text(e, &t);
    int r = dx_send(c, t.p, t.n, 0);
    dx_text_free(&t);
    return r;
}
dx_msg *dx_sse_msg_sized(const dx_sse *e, size_t n)
{
    dx_text t = {0};
    (void)n;
    event_text(e, &t);
    dx_msg *m = dx_msg_new(t.p, t.n, 0);
    dx_text_free(&t);
    return m;
}
dx_bytes dx_sse_last_id(const dx_conn *c)
{
    return dx_http_header(c, "Last-Event-ID");
}
int dx_http_status(const dx_conn *c)
{
    return c->status;
}
uint64_t dx_http_sent(const dx_conn *c)
{
    return c->out.n;
}
int dx_http_version(const dx_conn *c)
{
    (void)c;
    return 11;
}
int64_t dx_loop_count(const dx_loop *l, enum dx_count what)
{
    (void)l, (void)what;
    return 0;
}
size_t dx_memory_used(void)
{
    return 0;
}
bool dx_http_wants_ws(const dx_conn *c)
{
    return c->req.ws;
}
int dx_http_reply(dx_conn *c, int status, const char *type, const void *body, size_t n, const dx_http_field *extra,
                  size_t count)
{
    c->status = status;
    snprintf(c->type, sizeof(c->type), "%s", type ? type : "");
    for (size_t i = 0; i < count; i++)
        snprintf(c->fields + strlen(c->fields), sizeof(c->fields) - strlen(c->fields), "%s: %s\n", extra[i].name,
                 extra[i].value);
    dx_text_add(&c->out, body ? body : "", n);
    return 0;
}
int dx_ws_accept_sized(dx_conn *c, const dx_handler *h, void *user, const dx_ws_opts *o, size_t n)
{
    (void)h, (void)user, (void)n;
    if (c->req.origin && strcmp(c->req.origin, c->req.host))
        return DX_PROTO;
    if (o && o->protocol && !(c->req.protocols && strstr(c->req.protocols, o->protocol)))
        return DX_PROTO;
    c->accepted = true;
    c->wire = "ws";
    c->status = 101;
    return 0;
}
int dx_ws_ping(dx_conn *c, const void *data, size_t n)
{
    (void)data, (void)n;
    dx_text_add(&c->out, "PING\n", 5);
    return 0;
}
int dx_ws_close(dx_conn *c, int code, const char *reason)
{
    (void)reason;
    c->ws_code = code;
    c->closed = true;
    return 0;
}
void dx_udp_traffic(const dx_conn *c, uint64_t *in, uint64_t *out)
{
    *in = c->in;
    *out = c->out_bytes;
}
