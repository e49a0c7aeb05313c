/* SPDX-License-Identifier: MIT
 * behave_answers.c - what a client's exchange hears: answers that a raw server writes by hand, whole, cut, late, early, wrong. */
#include "conform.h"
#include <duplex/http.h>
#include <sys/socket.h>

static void nothing(dx_conn *c)
{
    (void)c;
}

static int get(struct end *e)
{
    return dx_http_request(e->c, "GET", NULL, NULL, 0, -1);
}

struct answer {
    const char *text;
    size_t n;     /* 0: strlen */
    bool ends;    /* says its end (close_notify too) and does not just leave */
    bool unasked; /* does not wait for the request */
    int code;     /* what on_close says */
    const char *body;
    int status;
};

static size_t read_request(struct raw *r, char *buf, size_t room)
{
    size_t n = 0;
    buf[0] = '\0';
    while (n + 1 < room && !strstr(buf, "\r\n\r\n") && raw_recv(r, buf + n, 1) == 1)
        buf[++n] = '\0';
    if (!strstr(buf, "\r\n\r\n"))
        raw_fail(r, "no request: \"%.200s\"", buf);
    return n;
}

static void wait_for_end(struct raw *r)
{
    char b[4096];
    while (raw_recv(r, b, sizeof b) > 0)
        ;
}

static void raw_answers(struct raw *r)
{
    char head[4096];
    raw_await_go(r);
    const struct answer *a = r->arg;
    if (!a->unasked)
        read_request(r, head, sizeof head);
    raw_write(r, a->text, a->n ? a->n : strlen(a->text));
    if (!a->ends)
        return;
    raw_end(r);
    wait_for_end(r);
}

static void keep_text(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    static char text[4096];
    size_t at = e->got - n;
    (void)how;
    if (at + n < sizeof text) {
        memcpy(text + at, data, n);
        text[at + n] = '\0';
    }
    e->arg = text;
}
static void head_event(dx_conn *c, int what, const void *arg)
{
    struct end *e = end_of(c);
    (void)arg;
    if (what == DX_HEAD)
        e->goal = (size_t)dx_http_status(c);
    if (what == DX_TRAILERS && (e->ends || dx_http_trailer(c, "x").n != 1 || dx_http_trailer_at(c, 1, NULL).p))
        fail(e->w, "the trailers are not those that came");
}
static const dx_handler on_text = {.on_data = keep_text, .on_event = head_event, .on_end = nothing};

/* One conn to a raw server that gives this answer to a request by method. */
static struct raw *ask_raw(struct world *w, const struct answer *a, const dx_handler *on, const char *method)
{
    struct raw *r = raw_listens(w, raw_answers);
    if (!r)
        return NULL;
    r->arg = (void *)(uintptr_t)a;
    w->c = NULL;
    if (!dial(w, r->url, on))
        return NULL;
    w->c->unchecked = true;
    sem_post(&r->go);
    while (!w->c->opens && !w->c->closes)
        if (!turn(w, "the client's on_open", __FILE__, __LINE__))
            return NULL;
    if (!w->c->closes && !a->unasked) {
        int q = dx_http_request(w->c->c, method, NULL, NULL, 0, 0);
        if (q < 0)
            fail(w, "dx_http_request says %d", q);
    }
    return r;
}

static void judge(struct world *w, const struct answer *a, const char *method)
{
    struct raw *r;
    MUST_DO(r = ask_raw(w, a, &on_text, method));
    WAIT(w->c->closes);
    MUST_SAY(w->c->why.code == a->code, "\"%.60s\" ends with %d %s, not with %d", a->text, w->c->why.code,
             w->c->why.text, a->code);
    MUST_SAY(a->code == DX_END || a->code == DX_CLOSED || w->c->why.detail_of == DX_OF_HTTP ||
                 (has(w, HAS_TLS) && w->c->why.detail_of == DX_OF_TLS),
             "\"%.60s\": %d %s is of %d", a->text, w->c->why.code, w->c->why.text, w->c->why.detail_of);
    MUST_INT(w->c->ends, a->code == DX_END);
    MUST_INT(w->c->goal, a->status);
    MUST_SAY(!a->body || !strcmp(w->c->arg ? w->c->arg : "", a->body), "\"%.60s\" gives \"%s\"", a->text,
             w->c->arg ? (char *)w->c->arg : "");
    MUST_DO(raw_join(r));
}

static void judge_all(struct world *w, const struct answer *v, size_t n, const char *method)
{
    for (size_t i = 0; i < n && !w->report->failed; i++)
        judge(w, &v[i], method);
}
#define JUDGE(v, method) judge_all(w, v, sizeof v / sizeof *v, method)

#define OK "HTTP/1.1 200 OK\r\n"
static void good_answers(struct world *w)
{
    static const struct answer v[] = {
        {OK "Content-Length: 5\r\n\r\nhello", 0, true, false, DX_END, "hello", 200},
        {OK "Content-Length: 5\r\n\r\nhello", 0, false, false, DX_END, "hello", 200}, /* it says where it ends */
        {OK "Content-Length: 0\r\n\r\n", 0, true, false, DX_END, "", 200},
        {OK "Content-Length: 5\r\n\r\nhello and more", 0, true, false, DX_END, "hello", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX: y\r\nTrailer: x\r\n\r\n", 0, true,
         false, DX_END, "hello", 200},
        {OK "\r\nhello", 0, true, false, DX_END, "hello", 200}, /* to the connection's end */
        {OK "\r\n", 0, true, false, DX_END, "", 200},
        {"HTTP/1.0 200\r\n\r\nhello", 0, true, false, DX_END, "hello", 200},
        {"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", 0, true, false, DX_END, "no", 404},
        {"\r\nHTTP/1.1 999 ?\r\nContent-Length: 2\r\n\r\nno", 0, true, false, DX_END, "no", 999},
        {"HTTP/1.1 204 None\r\n\r\n", 0, true, false, DX_END, "", 204},
        {"HTTP/1.1 204 None\r\nContent-Length: 7\r\n\r\n", 0, true, false, DX_END, "", 204},
        {"HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", 0, true, false, DX_END, "", 304},
        {"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", 0, true, false, DX_END, "", 304},
        /* what others have taken for another message's beginning, or end */
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK", 0, true, false, DX_END, "HTTP/1.0 200 OK",
         200},
        {OK "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, true, false, DX_END,
         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200},
        {"HTTP/1.1 204 None\r\n\r\nHTTP/1.1 200 OK\r\n\r\nevil", 0, true, false, DX_END, "", 204},
        {"HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", 0, true, false, DX_END, "",
         204},
        {OK "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody", 0, true, false, DX_END, "body",
         200},
        {OK "Content-Length-X: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n", 0, true, false, DX_END,
         "OK", 200},
        {OK "Content-Length:\t2\t \r\nPragma: \r\n.et-Cookie: a\r\n\r\nok", 0, true, false, DX_END, "ok", 200},
        {"HTTP/1.1 200  OK \r\nContent-Length: 2\r\n\r\nok", 0, true, false, DX_END, "ok", 200},
    };
    JUDGE(v, "GET");
}

/* RFC 9112 5.2: a user agent reads them as blanks. */
static void folded_event(dx_conn *c, int what, const void *arg)
{
    struct end *e = end_of(c);
    dx_bytes v = dx_http_header(c, "X");
    (void)arg;
    if (what != DX_HEAD)
        return;
    e->goal = (size_t)dx_http_status(c);
    if (v.n != 8 || memcmp(v.p, "y folded", 8) != 0)
        fail(e->w, "a folded field is \"%.*s\"", (int)v.n, (const char *)v.p);
}
static void folded(struct world *w)
{
    static const struct answer a = {
        OK "X: y \r\n\tfolded\r\nContent-Length: 5\r\n\r\nhello", 0, true, false, DX_END, "hello", 200};
    static const dx_handler on = {.on_data = keep_text, .on_event = folded_event, .on_end = nothing};
    struct raw *r;
    MUST_DO(r = ask_raw(w, &a, &on, "GET"));
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_END);
    MUST_INT(w->c->goal, 200);
    MUST_STR(w->c->arg, "hello");
    MUST_DO(raw_join(r));
}

static void answers_to_head(struct world *w)
{
    static const struct answer v[] = {
        {OK "Content-Length: 5000\r\n\r\n", 0, true, false, DX_END, "", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n", 0, true, false, DX_END, "", 200},
        {OK "\r\n", 0, false, false, DX_END, "", 200},
        {"HTTP/1.1 404 No\r\n\r\n", 0, true, false, DX_END, "", 404},
    };
    JUDGE(v, "HEAD");
}

static void cut_answers(struct world *w)
{
    static const struct answer v[] = {
        {"", 0, true, false, DX_TRUNCATED, "", 0},
        {"H", 0, true, false, DX_TRUNCATED, "", 0},
        {"H", 0, false, false, DX_TRUNCATED, "", 0},
        {OK "Content-Length: 5\r\n", 0, true, false, DX_TRUNCATED, "", 0},
        {OK "Content-Length: 5\r\n\r\n", 0, true, false, DX_TRUNCATED, "", 200},
        {OK "Content-Length: 5\r\n\r\nhell", 0, true, false, DX_TRUNCATED, "hell", 200},
        {OK "Content-Length: 5\r\n\r\nhell", 0, false, false, DX_TRUNCATED, "hell", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n", 0, true, false, DX_TRUNCATED, "", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 0, true, false, DX_TRUNCATED, "hel", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", 0, true, false, DX_TRUNCATED, "hello", 200},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0, true, false, DX_TRUNCATED, "", 0},
    };
    JUDGE(v, "GET");
}

static void garbage(struct world *w)
{
    static const struct answer v[] = {
        {"SSH-2.0-x\r\n", 0, true, false, DX_PROTO, "", 0},
        {"SSH-2.0-x\r\n", 0, true, true, DX_PROTO, "", 0},
        {"hello\n", 0, true, false, DX_PROTO, "", 0},
        {"<html>\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/2.0 200 OK\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.1 20 OK\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.1 099 x\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: -5\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: 5, 5\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding: gzip\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {"HTTP/1.1 200 OK\rX: y\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", 0, true, false, DX_PROTO,
         "hello", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX : y\r\n\r\n", 0, true, false, DX_PROTO, "hello",
         200},
        {OK "X : y\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Content-Length: 5\r\n 0\r\n\r\nhello", 0, true, false, DX_PROTO, "", 0},
        {OK " X: y\r\n\r\n", 0, true, false, DX_PROTO, "", 0},
        {OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 0, true, false, DX_PROTO, "", 200},
        {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n", 0, true, false, DX_PROTO, "hel", 200},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 0, true, false, DX_PROTO, "",
         0},
        {OK "X: \0y\r\n\r\n", 17 + 9, true, false, DX_PROTO, "", 0},
    };
    JUDGE(v, "GET");
}

static void raw_floods_head(struct raw *r)
{
    static char field[400] = "X-Field: ";
    char head[4096];
    memset(field + 9, 'x', sizeof field - 11);
    memcpy(field + sizeof field - 2, "\r\n", 2);
    read_request(r, head, sizeof head);
    raw_write(r, OK, strlen(OK));
    for (int i = 0; i < 200; i++)
        if (raw_send(r, field, sizeof field) < 0)
            return;
    wait_for_end(r);
}
static void head_too_long(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_floods_head));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    MUST_INT(get(w->c), 0);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_PROTO);
    MUST(dx_memory_used() < MIB);
    MUST_DO(raw_join(r));
}

/* Over TLS whoever cuts the connection could cut the body, unseen. */
static void end_without_notify(struct world *w)
{
    static const struct answer v[] = {{OK "\r\nhello", 0, false, false, DX_TRUNCATED, "hello", 200},
                                      {OK "\r\n", 0, false, false, DX_TRUNCATED, "", 200}};
    JUDGE(v, "GET");
}

/* The head that decides lies where a pause has left it when the end comes. */
static void pause_open(dx_conn *c)
{
    end_pause(end_of(c), true);
}
static void end_without_notify_paused(struct world *w)
{
    static const struct answer a = {OK "\r\nhello", 0, false, false, 0, NULL, 0};
    dx_handler on = on_text;
    struct raw *r;
    on.on_open = pause_open;
    MUST_DO(r = ask_raw(w, &a, &on, "GET"));
    MUST_DO(raw_join(r));
    pass(w, 20);
    MUST_INT(w->c->got + w->c->ends + w->c->closes, 0);
    end_pause(w->c, false);
    WAIT(w->c->closes);
    MUST_INT(w->c->got, 5);
    MUST_INT(w->c->ends, 0);
    MUST_INT(w->c->why.code, DX_TRUNCATED);
}

static void raw_cuts_answer(struct raw *r)
{
    static const char text[] = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n";
    char head[4096];
    read_request(r, head, sizeof head);
    for (size_t i = 0; i + 1 < sizeof text; i++)
        raw_write(r, text + i, 1);
    wait_for_end(r);
}
static void cut_at_every_byte(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_cuts_answer));
    MUST_DO(dial(w, r->url, &on_text));
    w->c->unchecked = true;
    WAIT(w->c->opens);
    MUST_INT(get(w->c), 0);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_END);
    MUST_STR(w->c->arg, "hello0123456789abcdef");
    MUST_INT(w->c->events, 3); /* 103, the head, the trailers */
    MUST_DO(raw_join(r));
}

/* ---- 1xx ---- */
static void info_event(dx_conn *c, int what, const void *arg)
{
    struct end *e = end_of(c);
    if (what == DX_INFO) {
        e->piece = e->piece * 1000 + (size_t) * (const int *)arg;
        if (dx_http_status(c) || dx_http_header(c, "Link").p)
            fail(e->w, "an interim response is shown as the response");
    } else if (what == DX_HEAD) {
        e->goal = (size_t)dx_http_status(c);
    }
}
static void interim(struct world *w)
{
    static const struct answer a = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK
                                    "Content-Length: 2\r\n\r\nhi",
                                    0,
                                    true,
                                    false,
                                    DX_END,
                                    "hi",
                                    200};
    static const dx_handler on = {.on_event = info_event};
    struct raw *r;
    MUST_DO(r = ask_raw(w, &a, &on, "GET"));
    WAIT(w->c->closes);
    MUST_INT(w->c->piece, 100103);
    MUST_INT(w->c->goal, 200);
    MUST_INT(w->c->got, 2);
    MUST_INT(w->c->events, 3);
    MUST_DO(raw_join(r));
}

static void raw_never_answers(struct raw *r)
{
    char head[4096];
    read_request(r, head, sizeof head);
    while (raw_send(r, "HTTP/1.1 102 Processing\r\n\r\n", 27) > 0)
        ;
}
static void interim_for_ever(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_never_answers));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    MUST_INT(get(w->c), 0);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_PROTO);
    MUST_INT(w->c->events, 101); /* a hundred, and that it is broken */
    MUST_DO(raw_join(r));
}

/* ---- the request on the wire ---- */
static void raw_reads_request(struct raw *r)
{
    static const char answer[] = OK "Content-Length: 0\r\n\r\n";
    char got[4096] = "", want[4096], *host = strstr(r->url, "://") + 3;
    size_t n = read_request(r, got, sizeof got), body = strlen("5\r\nhello\r\n0\r\n\r\n");
    if (!raw_recv_all(r, got + n, body))
        raw_fail(r, "no body");
    got[n + body] = '\0';
    snprintf(want, sizeof want,
             "POST / HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: duplex/%s\r\nContent-Type: application/octet-stream\r\n"
             "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
             (int)strcspn(host, "/"), host, dx_version());
    if (strcmp(got, want))
        raw_fail(r, "not the request that was meant: %s", got);
    char more;
    if (recv(r->fd, &more, 1, MSG_DONTWAIT) != -1)
        raw_fail(r, "something, or an end, follows the request");
    raw_write(r, answer, sizeof answer - 1);
    wait_for_end(r);
}
static void exact_request(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_reads_request));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    MUST_INT(dx_send(w->c->c, "hello", 5, DX_LAST), 0);
    MUST_DO(raw_join(r));
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_END);
}

/* ---- the response before the request is whole ---- */
static void raw_refuses_early(struct raw *r)
{
    static const char answer[] = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    char head[4096];
    read_request(r, head, sizeof head);
    raw_write(r, answer, sizeof answer - 1);
    raw_stage(r, 1);
    wait_for_end(r);
}
static void early_answer(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_refuses_early));
    MUST_DO(dial(w, r->url, &on_quiet));
    w->c->unchecked = true;
    WAIT(w->c->opens);
    put(w->c, 1000);
    WAIT(w->c->ends);
    MUST_INT(dx_http_status(w->c->c), 413);
    MUST_INT(w->c->got, 2);
    pass(w, 10);
    MUST_INT(w->c->closes, 0);
    MUST(put(w->c, 1000) >= 0); /* sending may go on */
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_END);
    MUST_DO(raw_join(r));
}
static void early_answer_default(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_refuses_early));
    MUST_DO(dial(w, r->url, &on_default));
    w->c->unchecked = true;
    WAIT(w->c->opens);
    put(w->c, 1000);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
    MUST_INT(w->c->got, 2);
    MUST_DO(raw_join(r));
}

static void raw_answers_and_breaks(struct raw *r)
{
    static const char answer[] = OK "Content-Length: 2\r\n\r\nno";
    char head[4096];
    read_request(r, head, sizeof head);
    raw_write(r, answer, sizeof answer - 1);
    raw_await_go(r);
    raw_break(r);
}
static void broken_after_answer(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_answers_and_breaks));
    MUST_DO(dial(w, r->url, &on_quiet));
    w->c->unchecked = true;
    WAIT(w->c->opens);
    put(w->c, 1000);
    WAIT(w->c->ends);
    sem_post(&r->go);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_RESET); /* our body has not got through */
    MUST_DO(raw_join(r));
}

/* ---- pauses ---- */
static void pause_at_head(dx_conn *c, int what, const void *arg)
{
    (void)arg;
    if (what == DX_HEAD)
        end_pause(end_of(c), true);
}
static void paused(struct world *w)
{
    static const struct answer v[] = {
        {OK "Content-Length: 5\r\n\r\nhello", 0, true, false, DX_END, "hello", 200},
        {"HTTP/1.1 204 None\r\n\r\n", 0, true, false, DX_END, "", 204},
        {OK "\r\nhello", 0, true, false, DX_END, "hello", 200},
    };
    static const dx_handler on = {.on_event = pause_at_head, .on_data = keep_text};
    for (size_t i = 0; i < 3; i++) {
        struct raw *r;
        MUST_DO(r = ask_raw(w, &v[i], &on, "GET"));
        WAIT(w->c->events);
        pass(w, 20);
        MUST_INT(w->c->got + w->c->ends + w->c->closes, 0);
        end_pause(w->c, false);
        WAIT(w->c->closes);
        MUST_INT(w->c->got, strlen(v[i].body));
        MUST_GOOD(w->c);
        MUST_DO(raw_join(r));
    }
}

/* ---- time ---- */
static void raw_answers_late(struct raw *r)
{
    static const char answer[] = OK "Content-Length: 0\r\n\r\n";
    char head[4096];
    read_request(r, head, sizeof head);
    raw_await_go(r);
    raw_write(r, answer, sizeof answer - 1);
    wait_for_end(r);
}
static void late_answer(struct world *w)
{
    struct raw *r;
    w->co.dial_ms_max = 400;
    MUST_DO(r = raw_listens(w, raw_answers_late));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    MUST_INT(get(w->c), 0);
    pass(w, 600);
    MUST_INT(w->c->closes, 0);
    sem_post(&r->go);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_END);
    MUST_DO(raw_join(r));
}
static void idle(struct world *w)
{
    struct raw *r;
    w->co.idle_ms_max = 100;
    MUST_DO(r = raw_listens(w, raw_answers_late));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    MUST_INT(get(w->c), 0);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_TIMEOUT);
    sem_post(&r->go);
}

/* ---- closing inside any handler ---- */
enum trap { AT_OPEN, AT_INFO, AT_HEAD, AT_DATA, AT_END, TRAPS };

static void spring(dx_conn *c, enum trap trap)
{
    struct end *e = end_of(c);
    if (trap == AT_OPEN && e->goal != AT_OPEN)
        get(e);
    if (e->goal != trap)
        return;
    if (e->piece)
        end_abort(e);
    else
        end_close(e);
}
static void trap_open(dx_conn *c)
{
    spring(c, AT_OPEN);
}
static void trap_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)data, (void)n, (void)how;
    spring(c, AT_DATA);
}
static void trap_end(dx_conn *c)
{
    spring(c, AT_END);
}
static void trap_event(dx_conn *c, int what, const void *arg)
{
    (void)arg;
    spring(c, what == DX_INFO ? AT_INFO : AT_HEAD);
}
static void raw_serves_traps(struct raw *r)
{
    static const char answer[] = "HTTP/1.1 103 Early\r\n\r\n" OK "Content-Length: 10\r\n\r\nhellohello";
    char buf[4096] = "";
    for (size_t n = 0; !strstr(buf, "\r\n\r\n") && raw_recv(r, buf + n, 1) == 1; n++)
        ;
    raw_send(r, answer, sizeof answer - 1);
    wait_for_end(r);
}
static void close_inside(struct world *w)
{
    static const dx_handler on = {
        .on_open = trap_open, .on_event = trap_event, .on_data = trap_data, .on_end = trap_end};
    for (size_t i = 0; i < 2 * TRAPS; i++) {
        struct raw *r;
        MUST_DO(r = raw_listens(w, raw_serves_traps));
        w->c = NULL;
        MUST_DO(dial(w, r->url, &on));
        w->c->unchecked = true;
        w->c->goal = i / 2;
        w->c->piece = i % 2;
        WAIT(w->c->closes);
        MUST_SAY(w->c->closing && is_good_close(w->c), "trap %zu: %d %s", i, w->c->why.code, w->c->why.text);
        if (i / 2 != AT_OPEN) /* there it may not have been a conversation yet */
            MUST_DO(raw_join(r));
    }
}

const struct behaviour behave_answers[] = {
    {"the exact request", HAS_HTTP, 0, exact_request},
    {"answers by length, in chunks, to the end", HAS_HTTP, 0, good_answers},
    {"a folded field of an answer is read", HAS_HTTP, 0, folded},
    {"answers to HEAD have no body", HAS_HTTP, 0, answers_to_head},
    {"an answer cut short is DX_TRUNCATED", HAS_HTTP, 0, cut_answers},
    {"to the end without close_notify is DX_TRUNCATED", HAS_HTTP | HAS_TLS, 0, end_without_notify},
    {"the same after a pause", HAS_HTTP | HAS_TLS, 0, end_without_notify_paused},
    {"what is no HTTP is DX_PROTO", HAS_HTTP, 0, garbage},
    {"a head too long is DX_PROTO", HAS_HTTP, 0, head_too_long},
    {"an answer cut at every byte", HAS_HTTP, 0, cut_at_every_byte},
    {"1xx are DX_INFO", HAS_HTTP, 0, interim},
    {"1xx without end are DX_PROTO", HAS_HTTP, 0, interim_for_ever},
    {"an answer before the request is whole", HAS_HTTP, 0, early_answer},
    {"the same, and no on_end", HAS_HTTP, 0, early_answer_default},
    {"an answer, and then a break", HAS_HTTP, 0, broken_after_answer},
    {"pause at the head of an answer", HAS_HTTP, 0, paused},
    {"an answer has no deadline", HAS_HTTP, 0, late_answer},
    {"but idle_ms_max", HAS_HTTP, 0, idle},
    {"closing inside any handler of a client", HAS_HTTP, 0, close_inside},
    {0},
};
