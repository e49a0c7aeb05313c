/* SPDX-License-Identifier: MIT
 * behave_tls.c - what only TLS can get wrong: ends that nobody said, alerts, broken records, new keys, trust. */
#include "conform.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char wrong_pin[] = "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/* ---- what was agreed on ---- */
static void agreed(struct world *w)
{
    dx_tls_info s, c;
    const char *alpn = has(w, HAS_WS) ? "http/1.1" : "";
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(dx_tls_info_of(w->s->c, &s), 0);
    MUST_STR(s.version, "TLS1.3");
    MUST(s.cipher[0] && s.group[0]);
    MUST_STR(s.alpn, alpn);
    MUST_STR(s.server_name, ""); /* an address is none (RFC 6066) */
    MUST_STR(s.peer_pin, "");
    MUST_INT(dx_tls_info_of(w->c->c, &c), 0);
    MUST_STR(c.version, "TLS1.3");
    MUST_STR(c.alpn, alpn);
    MUST_STR(c.peer_pin, dx_tls_pin(w->server_tls));
    MUST_STR(c.peer_subject, "CN=localhost");
    MUST(!c.resumed);
    end_close(w->c);
    WAIT(all_closed(w));
}

static void no_info(struct world *w)
{
    dx_tls_info i;
    MUST_DO(both(w, &on_default, &on_quiet));
    MUST_INT(dx_tls_info_of(w->c->c, &i), DX_STATE);
}

/* ---- ends ---- */
/* Its TCP ends, and TLS does not: it may be cut off, and must not hear a clean end either, as if all had arrived. */
static void raw_just_leaves(struct raw *r)
{
    uint8_t b;
    if (!raw_put(r, 100) || !raw_want(r, 100))
        return;
    shutdown(r->fd, SHUT_WR);
    if (raw_recv(r, &b, 1) >= 0)
        raw_fail(r, "a clean end, or more bytes, for one who was cut off");
}

static void end_unsaid(struct world *w)
{
    dx_handler on = {.on_data = on_echo.on_data};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_just_leaves));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
    MUST_INT(w->s->ends, 0);
    MUST_INT(w->s->got, 100);
}

static void raw_answers_and_leaves(struct raw *r)
{
    if (raw_want(r, 100))
        raw_put(r, 100);
}

static void end_unsaid_to_dialler(struct world *w)
{
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_answers_and_leaves));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->opens);
    put(w->c, 100);
    MUST_DO(raw_join(r));
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_TRUNCATED);
    MUST_INT(w->c->ends, 0);
    MUST_INT(w->c->got, 100);
}

/* The end of TLS is the end; TCP's own may come much later. */
static void raw_ends_tls_alone(struct raw *r)
{
    if (!raw_put(r, 100))
        return;
    secret_end(r);
    if (raw_want(r, 5000))
        raw_want_end(r);
}

static void end_without_fin(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_ends_tls_alone));
    WAIT(w->s && w->s->ends);
    MUST_INT(w->s->got, 100);
    put(w->s, 2000);
    pass(w, 5);
    put(w->s, 3000);
    end_close(w->s);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* ---- records and keys ---- */
static void raw_takes_new_keys(struct raw *r)
{
    for (int i = 0; i < 4; i++) {
        if (!raw_put(r, 40 * KIB) || !raw_want(r, 20 * KIB))
            return;
        if (!secret_rekey(r))
            raw_fail(r, "no new keys");
        if (!raw_want(r, 20 * KIB))
            return;
    }
    raw_end(r);
    raw_want_end(r);
}

static void new_keys(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_takes_new_keys));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
    MUST_INT(w->s->got, 160 * KIB);
}

static void raw_breaks_a_record(struct raw *r)
{
    static const uint8_t record[5 + 40] = {23, 3, 3, 0, 40, 'x'};
    uint8_t b;
    if (!raw_put(r, 100) || !raw_want(r, 100))
        return;
    if (send(r->fd, record, sizeof record, MSG_NOSIGNAL) != sizeof record)
        raw_fail(r, "raw send");
    if (raw_recv(r, &b, 1) >= 0 || errno != EPROTO || secret_alert_got(r) != 20)
        raw_fail(r, "no alert bad_record_mac: %d, %s", secret_alert_got(r), strerror(errno));
}

static void broken_record(struct world *w)
{
    dx_handler on = {.on_data = on_echo.on_data};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_breaks_a_record));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TLS);
    MUST_INT(w->s->why.detail_of, DX_OF_TLS);
    MUST_INT(w->s->why.detail, DX_TLS_OTHER);
    MUST_INT(w->s->got, 100);
    MUST_INT(w->s->ends, 0);
}

static void raw_alerts(struct raw *r)
{
    if (raw_put(r, 100) && raw_want(r, 100))
        secret_alert(r, 80);
}

static void alert_is_named(struct world *w)
{
    dx_handler on = {.on_data = on_echo.on_data};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_alerts));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TLS);
    MUST_INT(w->s->why.detail_of, DX_OF_TLS);
    MUST_INT(w->s->why.detail, 80);
    MUST_INT(w->s->ends, 0);
}

static void raw_talks_12(struct raw *r)
{
    for (int i = 0; i < 8; i++)
        if (!raw_put(r, 64 * KIB) || !raw_want(r, 64 * KIB))
            return;
    raw_end(r);
    raw_want_end(r);
}

static void version_12(struct world *w)
{
    struct raw *r;
    w->priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_talks_12));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* ---- what is no TLS ---- */
static void raw_says_hello(struct raw *r)
{
    uint8_t b[4096];
    static const char hello[] = "hello, is anybody there? I do not speak TLS\r\n";
    raw_write(r, hello, sizeof hello - 1);
    while (raw_recv(r, b, sizeof b) > 0)
        if (b[0] != 21 && memcmp(b, "HTTP/1.1 400 ", 13))
            raw_fail(r, "something other than an alert or a 400 came: %02x", b[0]);
}

struct told {
    dx_loop *loop;
    int count, detail;
    char peer[100];
};

static void tell(void *arg, const char *peer, const dx_err *why)
{
    struct told *t = arg;
    t->count++;
    t->detail = why->code == DX_TLS && why->detail_of == DX_OF_TLS ? why->detail : why->code;
    snprintf(t->peer, sizeof t->peer, "%s", peer);
    dx_loop_stop(t->loop); /* no handler of a conn does it: WAIT looks again */
}

static void raw_breaks_off(struct raw *r)
{
    const struct linger at_once = {1, 0};
    setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* There is no conn to tell its handler: the listener's own word for it. */
static void faults_are_told(struct world *w)
{
    static const struct {
        void (*fn)(struct raw *r);
        int detail;
    } v[] = {{raw_says_hello, DX_TLS_PLAIN}, {raw_end, DX_TLS_CUT}, {raw_breaks_off, DX_RESET}};
    struct told told = {.loop = w->loop};
    struct raw *r;
    w->bare = true;
    MUST_DO(serve(w, &on_echo));
    dx_listener_faults(w->listener, tell, &told);
    for (int i = 0; i < 3; i++) {
        MUST_DO(r = raw_dials(w, v[i].fn));
        MUST_DO(raw_join(r));
        WAIT(told.count > i);
        MUST_INT(told.count, i + 1);
        MUST_INT(told.detail, v[i].detail);
        MUST_SAY(v[i].detail == DX_RESET || !strncmp(told.peer, "tcp://", 6), "peer %s", told.peer);
    }
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_HANDSHAKE_FAULTS), 3);
    dx_listener_faults(w->listener, NULL, NULL);
    MUST_DO(r = raw_dials(w, raw_says_hello));
    MUST_DO(raw_join(r));
    WAIT(dx_loop_count(w->loop, DX_COUNT_HANDSHAKE_FAULTS) == 4);
    MUST_INT(told.count, 3);
}

static void plain_to_us(struct world *w)
{
    struct raw *r;
    w->bare = true;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_says_hello));
    MUST_DO(raw_join(r));
    MUST_INT(w->accepted, 0);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_CONNS), 0);
    MUST_DO(dial(w, NULL, &on_quiet)); /* and the next one is served */
    WAIT(w->c->opens);
}

static void raw_greets(struct raw *r)
{
    uint8_t b[4096];
    raw_write(r, "220 plain.example ready\r\n", 25);
    while (raw_recv(r, b, sizeof b) > 0)
        ;
}

static void plain_where_we_dial(struct world *w)
{
    struct raw *r;
    w->bare = true;
    MUST_DO(r = raw_listens(w, raw_greets));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->closes);
    MUST_INT(w->c->opens, 0);
    MUST_INT(w->c->why.code, DX_TLS);
    MUST_INT(w->c->why.detail_of, DX_OF_TLS);
    MUST_INT(w->c->why.detail, DX_TLS_PLAIN);
    MUST_DO(raw_join(r));
}

static void raw_cuts(struct raw *r)
{
    uint8_t b[16384];
    raw_recv(r, b, sizeof b);
}

static void cut_where_we_dial(struct world *w)
{
    struct raw *r;
    w->bare = true;
    MUST_DO(r = raw_listens(w, raw_cuts));
    MUST_DO(dial(w, r->url, &on_quiet));
    WAIT(w->c->closes);
    MUST_INT(w->c->opens, 0);
    MUST_INT(w->c->why.code, DX_TLS);
    MUST_INT(w->c->why.detail, DX_TLS_CUT);
    MUST_DO(raw_join(r));
}

/* ---- trust ---- */
static bool dial_trusting(struct world *w, const dx_tls_opts *o)
{
    dx_err err = {0};
    w->c = NULL;
    w->co.tls = dx_tls_new(o, &err);
    if (!w->co.tls) {
        fail(w, "dx_tls_new: %d %s", err.code, err.text);
        return false;
    }
    bool ok = dial(w, NULL, &on_quiet) != NULL;
    dx_tls_drop(w->co.tls); /* the conn has its own */
    w->co.tls = NULL;
    return ok;
}

static void trust(struct world *w)
{
    static const struct {
        dx_tls_opts o;
        int fault;
    } v[] = {{{0}, DX_TLS_ISSUER}, {{.pins = wrong_pin}, DX_TLS_PIN}, {{.insecure = true}, 0}};
    MUST_DO(serve(w, &on_echo));
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        MUST_DO(dial_trusting(w, &v[i].o));
        WAIT(w->c->opens || w->c->closes);
        MUST_INT(w->c->opens, !v[i].fault);
        if (!v[i].fault)
            continue;
        MUST_INT(w->c->why.code, DX_TLS);
        MUST_INT(w->c->why.detail_of, DX_OF_TLS);
        MUST_INT(w->c->why.detail, v[i].fault);
    }
}

static void pinned(struct world *w)
{
    char pins[200];
    MUST_DO(serve(w, &on_echo));
    snprintf(pins, sizeof pins, "%s,%s", wrong_pin, dx_tls_pin(w->server_tls));
    MUST_DO(dial_trusting(w, &(dx_tls_opts){.pins = pins}));
    WAIT(w->c->opens);
    put(w->c, 100);
    WAIT(w->c->got == 100);
}

/* Conns keep what they have; new ones come too. */
static void reloaded(struct world *w)
{
    dx_err err = {0};
    struct end *first;
    MUST_DO(both(w, &on_echo, &on_quiet));
    first = w->c;
    put(first, 1000);
    MUST_SAY(dx_tls_reload(w->server_tls, &err) == 0, "%d %s", err.code, err.text);
    w->c = NULL;
    MUST_DO(dial(w, NULL, &on_quiet));
    WAIT(w->c->opens && first->got == 1000);
    put(first, 500);
    put(w->c, 500);
    WAIT(w->c->got == 500 && first->got == 1500);
}

static void needs_a_certificate(struct world *w)
{
    char url[256];
    dx_err err = {0};
    name_url(w, url, sizeof url);
    MUST(!dx_serve(w->loop, url, &on_default, NULL, NULL, &err));
    MUST_SAY(err.code == DX_TLS || err.code == DX_URL, "%d %s", err.code, err.text);
    MUST_SAY(strstr(err.text, "certificate"), "the words: %s", err.text);
}

const struct behaviour behave_tls[] = {
    {"what TLS agreed on", HAS_TLS | HAS_LISTENER, 0, agreed},
    {"no TLS, no dx_tls_info", HAS_PEER, HAS_TLS, no_info},
    {"an end without close_notify is DX_TRUNCATED", HAS_TLS | HAS_BYTES, 0, end_unsaid},
    {"the same where we dialled", HAS_TLS | HAS_BYTES, 0, end_unsaid_to_dialler},
    {"close_notify without a FIN is an end", HAS_TLS | HAS_BYTES, 0, end_without_fin},
    {"new keys under way", HAS_TLS | HAS_BYTES, 0, new_keys},
    {"a broken record is DX_TLS and an alert", HAS_TLS | HAS_LISTENER, 0, broken_record},
    {"a peer's alert is named", HAS_TLS | HAS_LISTENER, 0, alert_is_named},
    {"TLS 1.2", HAS_TLS | HAS_LISTENER, 0, version_12},
    {"plain text to a TLS port makes no conn", HAS_TLS | HAS_LISTENER, 0, plain_to_us},
    {"a handshake that came to nothing is told", HAS_TLS | HAS_LISTENER, 0, faults_are_told},
    {"plain text where we dial is DX_TLS_PLAIN", HAS_TLS | HAS_LISTENER, 0, plain_where_we_dial},
    {"an end in the handshake is DX_TLS_CUT", HAS_TLS | HAS_LISTENER, 0, cut_where_we_dial},
    {"whom a dial believes", HAS_TLS | HAS_LISTENER, 0, trust},
    {"a pin is enough", HAS_TLS | HAS_LISTENER, 0, pinned},
    {"dx_tls_reload leaves conns alone", HAS_TLS | HAS_LISTENER, 0, reloaded},
    {"a listener needs a certificate", HAS_TLS | HAS_LISTENER, 0, needs_a_certificate},
    {0},
};
