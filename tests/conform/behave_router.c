/* SPDX-License-Identifier: MIT
 * behave_router.c - one server, many handlers: prefixes, logins, the fields of a reply, limits. Raw clients write by hand. */
#include "conform.h"
#include <duplex/router.h>
#include <duplex/ws.h>

/* A request, and what the answer must and must not hold. NULL ends a list. */
struct talk {
    const char *says, *wants[6], *lacks[3];
};

static bool heard(struct raw *r, char *buf, size_t room, bool to_end)
{
    size_t n = 0;
    ssize_t got;
    buf[0] = 0;
    while (n + 1 < room && (to_end || !strstr(buf, "\r\n\r\n")) && (got = raw_recv(r, buf + n, room - 1 - n)) > 0) {
        n += (size_t)got;
        buf[n] = 0;
    }
    return n > 0;
}

static const struct talk *now; /* set before its raw peer begins */

static void raw_talk(struct raw *r)
{
    const struct talk *t = now;
    char buf[16384];
    raw_write(r, t->says, strlen(t->says));
    heard(r, buf, sizeof buf, true);
    for (size_t i = 0; i < 6 && t->wants[i]; i++)
        if (!strstr(buf, t->wants[i]))
            raw_fail(r, "\"%s\" is not in \"%.600s\" to \"%.200s\"", t->wants[i], buf, t->says);
    for (size_t i = 0; i < 3 && t->lacks[i]; i++)
        if (strstr(buf, t->lacks[i]))
            raw_fail(r, "\"%s\" is in \"%.600s\" to \"%.200s\"", t->lacks[i], buf, t->says);
}

/* Each on a connection of its own; the server must end it after the answer. */
static bool talk_all(struct world *w, const struct talk *t)
{
    for (now = t; now->says; now++) {
        struct raw *r = raw_dials(w, raw_talk);
        if (!r || !raw_join(r))
            return false;
    }
    return true;
}

/* ---- who answers ---- */

static void say_name(dx_conn *c)
{
    const char *name = dx_user(c);
    char text[200];
    int n = snprintf(text, sizeof text, "I am %s by %s for %s.", name, dx_http_prefix(c), dx_http_user(c));
    dx_http_reply(c, 200, "text/plain", text, (size_t)n, NULL, 0);
}
static const dx_handler named = {.on_open = say_name};

static bool add(struct world *w, const char *prefix, const char *name, const dx_route *o)
{
    dx_err err = {0};
    if (!w->so.router)
        w->so.router = dx_router_new(NULL);
    int r = dx_router_add(w->so.router, prefix, &named, (void *)(uintptr_t)name, o, &err);
    if (r < 0)
        fail(w, "dx_router_add: %d %s", r, err.text);
    return r == 0;
}

/* The listener holds its own reference. */
static bool serve_router(struct world *w, const dx_handler *on)
{
    bool fine = serve(w, on);
    dx_router_drop(w->so.router);
    return fine;
}

/* The listener's own handler is in the way of no prefix; a world's serve always has one, so 404 is tried apart. */
static void router_prefixes(struct world *w)
{
    static const struct talk t[] = {
        {.says = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {"I am root by / for ."}},
        {.says = "GET /a HTTP/1.1\r\nHost: A.Example:99\r\nConnection: close\r\n\r\n", .wants = {"I am named by http"}},
        {.says = "GET http://a.example/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {"I am named"}},
        {.says = "GET /deep/er HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {"I am deep"}},
        {.says = "GET /x/../%64eep HTTP/1.0\r\n\r\n", .wants = {"I am deep"}},
        {.says = "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {"I am root"}},
        {0}};
    MUST_DO(add(w, "/", "root", NULL));
    MUST_DO(add(w, "/deep/", "deep", NULL));
    MUST_DO(add(w, url_is_secret(w->scheme->url) ? "https://a.example/" : "http://a.example/", "named", NULL));
    MUST_DO(serve_router(w, &on_quiet));
    MUST_DO(talk_all(w, t));
}

static void router_alone(struct world *w)
{
    static const struct talk t[] = {
        {.says = "GET /a/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {"HTTP/1.1 200 ", "I am a"}},
        {.says = "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {"HTTP/1.1 404 ", "Connection: close"}},
        {.says = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
         .wants = {"HTTP/1.1 404 "},
         {" 100 "}},
        {0}};
    dx_err err = {0};
    char url[256];
    MUST_DO(add(w, "/a/", "a", NULL));
    name_url(w, url, sizeof url);
    if (has(w, HAS_TLS))
        MUST_DO(secret_server(w));
    w->listener = dx_serve(w->loop, url, NULL, NULL, &w->so, &err);
    dx_router_drop(w->so.router);
    MUST(w->listener);
    snprintf(w->url, sizeof w->url, "%s", dx_listener_url(w->listener, 0));
    MUST_DO(talk_all(w, t));
}

/* ---- added and removed while it runs ---- */
static int gone;
static dx_conn *waiting;
static void count_gone(void *user)
{
    gone++;
    dx_loop_stop(((struct world *)user)->loop); /* the behaviour looks */
}
static void keep_waiting(dx_conn *c)
{
    struct world *w = dx_user(c);
    waiting = c;
    dx_loop_stop(w->loop);
}
static void hear_end(dx_conn *c)
{
    (void)c; /* without an on_end the library would answer */
}
static void raw_asks_once(struct raw *r)
{
    static const char ask[] = "GET /a/ HTTP/1.1\r\nHost: x\r\n\r\n";
    char buf[4096];
    raw_write(r, ask, sizeof ask - 1);
    raw_stage(r, 1);
    if (!heard(r, buf, sizeof buf, false) || !strstr(buf, "HTTP/1.1 200 "))
        raw_fail(r, "the reply is %s", buf);
    raw_await_go(r);
    raw_write(r, ask, sizeof ask - 1);
    if (!heard(r, buf, sizeof buf, false) || !strstr(buf, "HTTP/1.1 204 "))
        raw_fail(r, "the second reply is %s", buf);
}
static void reply_204(dx_conn *c)
{
    dx_http_reply(c, 204, NULL, NULL, 0, NULL, 0);
    end_of(c)->unchecked = true;
}
static void router_changes(struct world *w)
{
    static const dx_handler waits = {.on_open = keep_waiting, .on_end = hear_end}, other = {.on_open = reply_204};
    dx_route o = {.on_gone = count_gone};
    struct raw *r;
    w->so.router = dx_router_new(NULL);
    MUST_INT(dx_router_add(w->so.router, "/a/", &waits, w, &o, NULL), 0);
    dx_router *router = dx_router_ref(w->so.router);
    MUST_DO(serve_router(w, &other));
    MUST_DO(r = raw_dials(w, raw_asks_once));
    WAIT(waiting);
    MUST_INT(dx_router_remove(router, "/a/"), 1);
    MUST_INT(gone, 0);
    dx_http_reply(waiting, 200, NULL, "x", 1, NULL, 0);
    MUST_INT(gone, 0);
    WAIT(gone == 1);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    dx_router_drop(router);
}

/* ---- logins ---- */
static dx_bytes text_of(const char *s)
{
    return (dx_bytes){s, strlen(s)};
}
static int check(dx_conn *c, const dx_http_login *l, void *user)
{
    (void)user;
    if (l->scheme == DX_LOGIN_BEARER && dx_secret_same(l->token, text_of("t0ken"))) {
        dx_http_set_user(c, "bearer of t0ken");
        return 0;
    }
    if (l->scheme == DX_LOGIN_BASIC && dx_secret_same(l->password, text_of("open sesame")))
        return dx_secret_same(l->user, text_of("banned")) ? 403 : 0;
    return 401;
}

static void router_logins(struct world *w)
{
    /* Aladdin:open sesame   banned:open sesame   Aladdin:x   Aladdin (no colon)   "a\n:open sesame" */
    static const struct talk t[] = {
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {" 401 ", "WWW-Authenticate: Basic realm=\"the vault\", charset=\"UTF-8\"\r\n",
                   "WWW-Authenticate: Bearer realm=\"the vault\"\r\n"}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: basic "
                 "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
         .wants = {" 200 ", "I am in by /in/ for Aladdin."}},
        /* who comes behind him on the same connection need not be he: RFC 9110 3.3 */
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nAuthorization: basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
                 "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {" 200 ", "I am in by /in/ for Aladdin.", "HTTP/1.1 401 "}},
        {.says = "GET //x/../in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic QWxhZGRpbjp4\r\n\r\n",
         .wants = {" 401 "},
         {"I am"}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "
                 "YmFubmVkOm9wZW4gc2VzYW1l\r\n\r\n",
         .wants = {" 403 "},
         {"WWW-", "I am"}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic QWxhZGRpbg==\r\n\r\n",
         .wants = {" 401 "}},
        {.says =
             "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic YQo6b3BlbiBzZXNhbWU=\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic !!!!\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "
                 "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
                 "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer t0ken\r\n\r\n",
         .wants = {"for bearer of t0ken."}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer t0ke\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "GET /in/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Digest username=\"a\"\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "POST /in/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
         .wants = {" 401 ", "Connection: close"},
         {" 100 "}},
        {.says = "GET /maybe/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {" 200 ", "I am maybe by /maybe/ for ."}},
        {.says = "GET /maybe/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic QWxhZGRpbjp4\r\n\r\n",
         .wants = {" 401 "}},
        {.says = "GET /maybe/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "
                 "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
         .wants = {"I am maybe by /maybe/ for Aladdin."}},
        {0}};
    dx_route both = {.auth = DX_AUTH_BASIC | DX_AUTH_BEARER, .realm = "the vault", .check = check};
    dx_route maybe = {.auth = DX_AUTH_BASIC | DX_AUTH_OPTIONAL, .check = check};
    MUST_DO(add(w, "/in/", "in", &both));
    MUST_DO(add(w, "/maybe/", "maybe", &maybe));
    MUST_DO(serve_router(w, &on_quiet));
    MUST_DO(talk_all(w, t));
}

/* ---- a WebSocket keeps what it came by ---- */
static void accept_it(dx_conn *c)
{
    struct world *w = dx_user(c);
    if (dx_ws_accept(c, NULL, NULL, NULL) < 0)
        fail(w, "dx_ws_accept");
    if (strcmp(dx_http_prefix(c), "/ws/") != 0 || strcmp(dx_http_user(c), "Aladdin") != 0)
        fail(w, "a WebSocket of %s by %s", dx_http_user(c), dx_http_prefix(c));
}
static void say_who(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)data, (void)n;
    dx_send(c, dx_http_user(c), strlen(dx_http_user(c)), how);
}
static int check_in_world(dx_conn *c, const dx_http_login *l, void *user)
{
    (void)c, (void)user;
    return l->scheme == DX_LOGIN_BASIC ? 0 : 401;
}
static void raw_speaks_ws(struct raw *r)
{
    static const char ask[] =
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
    static const uint8_t hi[] = {0x81, 0x82, 0, 0, 0, 0, 'h', 'i'};
    char buf[4096], back[9];
    raw_write(r, ask, sizeof ask - 1);
    for (size_t n = 0; n < sizeof buf - 1; n++) { /* to the blank line and no further */
        buf[n] = buf[n + 1] = 0;
        if (raw_recv(r, buf + n, 1) != 1 || (n > 3 && !memcmp(buf + n - 3, "\r\n\r\n", 4)))
            break;
    }
    raw_write(r, hi, sizeof hi);
    if (!raw_recv_all(r, back, sizeof back) || memcmp(back, "\x81\7Aladdin", 9) != 0)
        raw_fail(r, "no Aladdin after %s", buf);
    raw_stage(r, 1);
    raw_await_go(r);
}
static void router_ws(struct world *w)
{
    static const dx_handler ws = {.on_open = accept_it, .on_data = say_who};
    dx_route o = {.auth = DX_AUTH_BASIC, .check = check_in_world, .on_gone = count_gone};
    struct raw *r;
    w->so.router = dx_router_new(NULL);
    MUST_INT(dx_router_add(w->so.router, "/ws/", &ws, w, &o, NULL), 0);
    dx_router *router = dx_router_ref(w->so.router);
    MUST_DO(serve_router(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_speaks_ws));
    WAIT(r->stage == 1);
    MUST_INT(dx_router_remove(router, "/ws/"), 1);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    WAIT(gone == 1);
    dx_router_drop(router);
}

/* What a router says of who may come would be said to nobody. */
static void router_elsewhere(struct world *w)
{
    dx_err err = {0};
    dx_opts o = w->so;
    o.router = dx_router_new(NULL);
    MUST_DO(serve(w, &on_quiet)); /* for an address that can be listened on */
    MUST(!dx_serve(w->loop, w->url, &on_quiet, NULL, &o, &err) && err.code == DX_URL);
    MUST(strstr(err.text, "router"));
    dx_router_drop(o.router);
}

/* ---- the head of a reply ---- */
static void set_fields(dx_conn *c)
{
    static char big[40000];
    struct world *w = end_of(c)->w;
    dx_http_field own[] = {{"X-Own", "call's"}, {"Set-Cookie", "own=1"}};
    dx_cookie k = {.name = "a", .value = "1", .path = "/", .http_only = true};
    MUST_INT(dx_http_set(c, "X-Own", "set"), 0);
    MUST_INT(dx_http_set(c, "X-Gone", "set"), 0);
    MUST_INT(dx_http_set(c, "x-gone", NULL), 0);
    MUST_INT(dx_http_set(c, "X-Set", "1"), 0);
    MUST_INT(dx_http_add(c, "X-Set", "2"), 0);
    MUST_INT(dx_http_set(c, "x-set", "3"), 0);
    MUST_INT(dx_http_add(c, "X-Two", "1"), 0);
    MUST_INT(dx_http_add(c, "X-Two", "2"), 0);
    MUST_INT(dx_http_set(c, "X A", "1"), DX_URL);
    MUST_INT(dx_http_set(c, "X-A", "1\r\nX-B: 2"), DX_URL);
    MUST_INT(dx_http_add(c, "X-A:", "1"), DX_URL);
    MUST_INT(dx_http_set(c, "content-length", "1"), DX_URL);
    MUST_INT(dx_http_add(c, "Transfer-Encoding", "chunked"), DX_URL);
    MUST_INT(dx_http_set(c, "X-Big", memset(big, 'x', sizeof big - 1)), DX_BIG);
    MUST_INT(dx_http_set_cookie(c, &k), 0);
    k.value = "2";
    k.path = "/b";
    MUST_INT(dx_http_set_cookie(c, &k), 0);
    k.value = "3";
    k.path = "/";
    k.http_only = false;
    k.same_site = DX_SAME_SITE_LAX;
    k.max_age_s = 60;
    MUST_INT(dx_http_set_cookie(c, &k), 0);
    MUST_INT(dx_http_reply(c, 200, "text/plain", "x", 1, own, 2), 0);
    MUST_INT(dx_http_set(c, "X-Late", "1"), DX_STATE);
    MUST_INT(dx_http_set_cookie(c, &k), DX_STATE);
}
static void router_fields(struct world *w)
{
    static const struct talk t[] = {
        {.says = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {"\r\nX-Own: call's\r\n", "\r\nx-set: 3\r\n", "\r\nX-Two: 1\r\nX-Two: 2\r\n",
                   "\r\nSet-Cookie: own=1\r\n", "\r\nSet-Cookie: a=2; Path=/b; HttpOnly\r\n",
                   "\r\nSet-Cookie: a=3; Path=/; Max-Age=60; SameSite=Lax\r\n"},
         {"set\r\n", "a=1", "X-Set"}},
        {0}};
    static const dx_handler on = {.on_open = set_fields};
    MUST_DO(serve(w, &on));
    MUST_DO(talk_all(w, t));
}

static void cookies(dx_conn *c)
{
    static const struct {
        dx_cookie k;
        int code;
    } t[] = {
        {{.name = "a b", .value = "1"}, DX_URL},
        {{.name = "a", .value = "1;b"}, DX_URL},
        {{.name = "a", .value = "1\r\nX: y"}, DX_URL},
        {{.name = "a", .value = "1", .path = "/;x"}, DX_URL},
        {{.name = "a", .value = "1", .path = "x"}, DX_URL},
        {{.name = "a", .value = "1", .domain = "a;b"}, DX_URL},
        {{.name = "a", .value = "1", .same_site = DX_SAME_SITE_NONE}, DX_URL},
        {{.name = "a", .value = "1", .partitioned = true}, DX_URL},
        {{.name = "__Secure-a", .value = "1"}, DX_URL},
        {{.name = "__Host-a", .value = "1", .secure = true}, DX_URL},
        {{.name = "__Host-a", .value = "1", .secure = true, .path = "/", .domain = "x"}, DX_URL},
        {{.name = "__Host-a", .value = "", .secure = true, .path = "/", .max_age_s = -1}, 0},
        {{.name = "b", .value = "1", .same_site = DX_SAME_SITE_NONE, .secure = true, .partitioned = true}, 0},
        {{.name = "b", .value = "2", .domain = "x.example"}, 0},
        {{.name = "bb", .value = "1"}, 0},
    };
    struct world *w = end_of(c)->w;
    dx_bytes name, v = dx_http_cookie(c, "one");
    MUST(v.n == 3 && !memcmp(v.p, "1=1", 3));
    v = dx_http_cookie_at(c, 2, &name);
    MUST(v.n == 1 && name.n == 5 && !memcmp(name.p, "three", 5));
    MUST(!dx_http_cookie_at(c, 3, NULL).p && !dx_http_cookie(c, "on").p && dx_http_cookie(c, "two").p &&
         !dx_http_cookie(c, "two").n);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        MUST_INT(dx_http_set_cookie(c, &t[i].k), t[i].code);
    dx_http_head(c, 200, 0, NULL, 0);
    dx_finish(c);
}
static void router_cookies(struct world *w)
{
    static const struct talk t[] = {
        {.says =
             "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: one=1=1;two=; bad\r\ncookie:three=3\r\n\r\n",
         .wants = {"Set-Cookie: __Host-a=; Path=/; Max-Age=0; Secure\r\n",
                   "Set-Cookie: b=1; SameSite=None; Secure; Partitioned\r\n", "Set-Cookie: b=2; Domain=x.example\r\n",
                   "Set-Cookie: bb=1\r\n"}},
        {0}};
    static const dx_handler on = {.on_open = cookies};
    MUST_DO(serve(w, &on));
    MUST_DO(talk_all(w, t));
}

static void redirect(dx_conn *c)
{
    dx_text to = {0};
    int status = 0;
    struct world *w = end_of(c)->w;
    if (dx_http_param(c, "status", 0, &to) > 0)
        status = atoi(to.p);
    dx_text_clear(&to);
    MUST_INT(dx_http_param(c, "to", 0, &to), 1);
    int r = dx_http_redirect(c, status, to.p);
    if (r < 0)
        dx_http_reply(c, 400, NULL, dx_code_text(r), strlen(dx_code_text(r)), NULL, 0);
    dx_text_free(&to);
}
static void router_redirect(struct world *w)
{
    static const struct talk t[] = {
        {.says = "GET /?to=/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {"HTTP/1.1 302 Found", "\r\nLocation: /a\r\n"}},
        {.says = "GET /?status=308&to=http://b/%3fa=b%2526 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {" 308 ", "\r\nLocation: http://b/?a=b%26\r\n", "Content-Length: 0\r\n"}},
        {.says = "GET /?to=%e4%bd%a0+%22%3Cx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {"\r\nLocation: %E4%BD%A0%20%22%3Cx\r\n"}},
        {.says = "GET /?to=a%0d%0aX:b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         .wants = {" 400 "},
         {"Location", "X:b"}},
        {.says = "GET /?status=304&to=/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {" 400 "}},
        {.says = "GET /?status=200&to=/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", .wants = {" 400 "}},
        {0}};
    static const dx_handler on = {.on_open = redirect};
    MUST_DO(serve(w, &on));
    MUST_DO(talk_all(w, t));
}

const struct behaviour behave_router[] = {
    {"a router: prefixes, in order", HAS_HTTP, 0, router_prefixes},
    {"a router without a handler beside it: 404", HAS_HTTP, 0, router_alone},
    {"a router: a prefix goes while it is used", HAS_HTTP, 0, router_changes},
    {"a router: Basic and Bearer before on_open", HAS_HTTP, 0, router_logins},
    {"a router: a WebSocket keeps its prefix and its user", HAS_HTTP, 0, router_ws},
    {"a router on a wire that asks none is refused", HAS_LISTENER, HAS_HTTP | HAS_ANY, router_elsewhere},
    {"fields set before the head go with it", HAS_HTTP, 0, router_fields},
    {"cookies come apart, and go out sound or not at all", HAS_HTTP, 0, router_cookies},
    {"redirects", HAS_HTTP, 0, router_redirect},
    {0},
};
