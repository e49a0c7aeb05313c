/* SPDX-License-Identifier: MIT
 * The TLS engine in memory: two sessions and the bytes between them, whole, byte by byte, and spoilt. */
#include "crypto/session.h"
#include "crypto/tls.h"
#include "test.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PIPE_MAX = 256 << 10 };
struct side {
    struct tls_session *s;
    uint8_t out[PIPE_MAX]; /* for the other side */
    size_t n;
    int shaken; /* what tls_shake said last */
    dx_err err;
};
static struct side a, b; /* a: the client */
static dx_tls *server, *believer;
static char folder[64], cert[128], key[128];

static bool keep(void *arg, const void *p, size_t n)
{
    struct side *s = arg;
    if (n > PIPE_MAX - s->n)
        return false;
    memcpy(s->out + s->n, p, n);
    s->n += n;
    return true;
}

static void clean(void)
{
    unlink(cert);
    unlink(key);
    rmdir(folder);
}

static void prepare(void)
{
    static const dx_cert_opts names = {.names = "a.example,127.0.0.1"};
    dx_err err = {0};
    if (server)
        return;
    snprintf(folder, sizeof folder, "/tmp/duplex-XXXXXX");
    CHECK(mkdtemp(folder));
    snprintf(cert, sizeof cert, "%s/c.pem", folder);
    snprintf(key, sizeof key, "%s/c.key", folder);
    atexit(clean);
    CHECK_SAY(dx_cert_make(cert, key, &names, &err) == 0, "%s", err.text);
    server = dx_tls_new(&(dx_tls_opts){.cert = cert, .key = key}, &err);
    CHECK_SAY(server, "%s", err.text);
    believer = dx_tls_new(&(dx_tls_opts){.ca = cert}, &err);
    CHECK_SAY(believer, "%s", err.text);
}

static void drop(void)
{
    tls_session_free(a.s);
    tls_session_free(b.s);
    a.s = b.s = NULL;
}

static void begin(const char *host, const char *ours, const char *theirs)
{
    struct tls_ask client = {.host = host, .protocols = ours, .push = keep, .arg = &a};
    struct tls_ask serve = {.server = true, .protocols = theirs, .push = keep, .arg = &b};
    prepare();
    drop();
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    a.s = tls_session_new(believer, &client, NULL);
    b.s = tls_session_new(server, &serve, NULL);
    CHECK(a.s && b.s);
}

/* What `from` has said reaches `to` in pieces of `step`; true: something moved. */
static bool carry(struct side *from, struct side *to, size_t step)
{
    static uint8_t p[PIPE_MAX];
    size_t n = to->shaken == 0 ? from->n : 0; /* behind the handshake it is for hear() */
    memcpy(p, from->out, n);
    from->n -= n;
    for (size_t at = 0, k; at < n && to->shaken == 0; at += k) {
        k = n - at < step ? n - at : step;
        tls_lend(to->s, p + at, k);
        to->shaken = tls_shake(to->s, &to->err);
    }
    return n > 0;
}

static void shake(size_t step)
{
    tls_lend(a.s, NULL, 0);
    a.shaken = tls_shake(a.s, &a.err);
    while (carry(&a, &b, step) || carry(&b, &a, step))
        ;
}

/* All that `from` has sealed is opened by `to`: the bytes' count, or what tls_open said. */
static int64_t hear(struct side *from, struct side *to, uint8_t *ret, size_t room, size_t step)
{
    size_t got = 0;
    int64_t r = 0;
    for (size_t at = 0, k; at < from->n && r >= 0; at += k) {
        k = from->n - at < step ? from->n - at : step;
        tls_lend(to->s, from->out + at, k);
        while (room - got >= TLS_OPEN_MAX && (r = tls_open(to->s, ret + got, &to->err)) > 0)
            got += (size_t)r;
        if (r >= 0 && tls_unread(to->s))
            return -1000;
    }
    from->n = 0;
    return r < 0 ? r : (int64_t)got;
}

static const size_t steps[] = {PIPE_MAX, 1, 7, 1000};

TEST(a_handshake_stands_however_it_is_cut)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        begin("a.example", NULL, NULL);
        shake(steps[i]);
        CHECK_SAY(a.shaken == 1 && b.shaken == 1, "by %zu: %s %s", steps[i], a.err.text, b.err.text);
    }
}

TEST(bytes_come_as_they_went_both_ways_and_then_the_end)
{
    static const size_t sizes[] = {1, 2, 1000, TLS_RECORD_MAX};
    static uint8_t said[TLS_RECORD_MAX], heard[64 << 10];
    for (size_t i = 0; i < sizeof said; i++)
        said[i] = (uint8_t)(i * 7 + i / 255);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        begin("127.0.0.1", NULL, NULL);
        shake(PIPE_MAX);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int way = 0; way < 2; way++) {
                struct side *from = way ? &a : &b, *to = way ? &b : &a;
                CHECK_INT(tls_seal(from->s, said, sizes[k]), 0);
                CHECK_INT(hear(from, to, heard, sizeof heard, steps[i]), sizes[k]);
                CHECK(!memcmp(said, heard, sizes[k]));
            }
        CHECK_INT(tls_bye(a.s), 0);
        CHECK_INT(hear(&a, &b, heard, sizeof heard, steps[i]), DX_END);
        CHECK_INT(tls_seal(b.s, said, 5), 0); /* half-close: the other way goes on */
        CHECK_INT(hear(&b, &a, heard, sizeof heard, steps[i]), 5);
    }
}

TEST(four_full_records_fit_a_block)
{
    static uint8_t said[TLS_RECORD_MAX];
    begin("a.example", NULL, NULL);
    shake(PIPE_MAX);
    for (int i = 0; i < 4; i++)
        CHECK_INT(tls_seal(a.s, said, sizeof said), 0);
    CHECK_SAY(a.n <= 64 << 10, "%zu", a.n);
}

TEST(an_application_protocol_is_agreed_on_or_refused)
{
    begin("a.example", "x,http/1.1", "http/1.1,duplex");
    shake(PIPE_MAX);
    CHECK_STR(tls_alpn(a.s), "http/1.1");
    CHECK_STR(tls_alpn(b.s), "http/1.1");
    begin("a.example", NULL, "http/1.1");
    shake(PIPE_MAX);
    CHECK_INT(b.shaken, 1);
    CHECK_STR(tls_alpn(b.s), "");
    begin("a.example", "foo,bar", "http/1.1,duplex");
    shake(PIPE_MAX);
    CHECK_INT(b.err.detail, DX_TLS_ALPN);
    CHECK_INT(a.err.detail, 120); /* no_application_protocol */
}

TEST(a_name_that_no_certificate_has_is_refused)
{
    begin("b.example", NULL, NULL);
    shake(PIPE_MAX);
    CHECK_INT(b.err.detail, DX_TLS_SNI);
    CHECK(strstr(b.err.text, "b.example"));
    CHECK_INT(a.err.detail, 112);   /* unrecognized_name */
    begin("127.0.0.2", NULL, NULL); /* an address is no SNI: the client finds out */
    shake(PIPE_MAX);
    CHECK_INT(a.err.detail, DX_TLS_HOST);
    CHECK_INT(b.err.detail, 42); /* bad_certificate */
}

TEST(what_is_no_tls_is_told_as_such)
{
    dx_err err;
    begin("a.example", NULL, NULL);
    tls_lend(b.s, (const uint8_t *)"GET / HTTP/1.1\r\n", 16);
    CHECK_INT(tls_shake(b.s, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_PLAIN);
    tls_lend(a.s, (const uint8_t *)"220 mail.example\r\n", 18);
    CHECK_INT(tls_shake(a.s, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_PLAIN);
}

TEST(garbage_after_the_handshake_ends_it_and_is_answered_by_an_alert)
{
    static const uint8_t noise[] = {23, 3,  3,  0,  32, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    uint8_t to[TLS_OPEN_MAX];
    dx_err err;
    begin("a.example", NULL, NULL);
    shake(PIPE_MAX);
    tls_lend(b.s, noise, sizeof noise);
    CHECK_INT(tls_open(b.s, to, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_OTHER);
    CHECK(b.n > 0);
    CHECK_INT(hear(&b, &a, to, sizeof to, PIPE_MAX), DX_TLS);
    CHECK_SAY(a.err.detail == 20, "%d %s", a.err.detail, a.err.text); /* bad_record_mac */
}

/* A flight with one byte changed: a fault or more to come. Where both sides stand all the same, it was a byte that means nothing, such as
 * the version in a record's head (RFC 8446 5.1): then they have the same keys. */
TEST(a_spoilt_flight_never_makes_two_truths)
{
    uint8_t heard[TLS_OPEN_MAX];
    int stood = 0;
    const char *said = getenv("SEED");
    unsigned seed = said ? (unsigned)atoi(said) : (unsigned)time(NULL);
    printf("# SEED=%u\n", seed);
    srand(seed);
    for (int i = 0; i < 150; i++) {
        begin("a.example", "x", "x");
        tls_lend(a.s, NULL, 0);
        a.shaken = tls_shake(a.s, &a.err);
        if (i & 1)
            carry(&a, &b, PIPE_MAX);
        struct side *from = i & 1 ? &b : &a;
        CHECK(from->n > 0);
        size_t at = (size_t)rand() % from->n;
        from->out[at] ^= (uint8_t)(1 << rand() % 8);
        while (carry(&a, &b, PIPE_MAX) || carry(&b, &a, PIPE_MAX))
            ;
        if (a.shaken != 1 || b.shaken != 1)
            continue;
        stood++;
        CHECK_INT(tls_seal(a.s, "one truth", 9), 0);
        CHECK_INT(hear(&a, &b, heard, sizeof heard, PIPE_MAX), 9);
    }
    CHECK_SAY(stood < 30, "%d of 150 stood", stood);
}

/* ---- tickets: a client of GnuTLS's own, which keeps them ---- */

static time_t pretended;

static time_t pretend(time_t *ret)
{
    time_t t = time(NULL) + pretended;
    if (ret)
        *ret = t;
    return t;
}

struct wire {
    const uint8_t *in;
    size_t in_n;
    gnutls_session_t g;
};

static ssize_t wire_pull(gnutls_transport_ptr_t p, void *to, size_t n)
{
    struct wire *w = p;
    if (b.n == w->in_n) {
        gnutls_transport_set_errno(w->g, EAGAIN);
        return -1;
    }
    n = n < b.n - w->in_n ? n : b.n - w->in_n;
    memcpy(to, b.out + w->in_n, n);
    w->in_n += n;
    return (ssize_t)n;
}

static ssize_t wire_push(gnutls_transport_ptr_t p, const void *from, size_t n)
{
    (void)p;
    return keep(&a, from, n) ? (ssize_t)n : -1;
}

static int wire_ready(gnutls_transport_ptr_t p, unsigned ms)
{
    (void)ms;
    return b.n > ((struct wire *)p)->in_n;
}

/* One conversation of a GnuTLS client with our engine; *ticket is what it keeps, and what it shows if it has one. */
static bool resumes(gnutls_datum_t *ticket)
{
    struct wire w = {0};
    gnutls_certificate_credentials_t cred;
    struct tls_ask serve = {.server = true, .push = keep, .arg = &b};
    uint8_t to[64];
    prepare();
    drop();
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    b.s = tls_session_new(server, &serve, NULL);
    gnutls_certificate_allocate_credentials(&cred);
    gnutls_init(&w.g, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_set_default_priority(w.g);
    gnutls_credentials_set(w.g, GNUTLS_CRD_CERTIFICATE, cred);
    gnutls_transport_set_ptr(w.g, &w);
    gnutls_transport_set_pull_function(w.g, wire_pull);
    gnutls_transport_set_push_function(w.g, wire_push);
    gnutls_transport_set_pull_timeout_function(w.g, wire_ready);
    if (ticket->data)
        CHECK_INT(gnutls_session_set_data(w.g, ticket->data, ticket->size), 0);
    int r = GNUTLS_E_AGAIN;
    for (int i = 0; i < 10 && r == GNUTLS_E_AGAIN; i++) {
        r = gnutls_handshake(w.g);
        tls_lend(b.s, a.out, a.n);
        if (b.shaken == 0)
            b.shaken = tls_shake(b.s, &b.err);
        a.n = 0;
    }
    CHECK_SAY(r == 0 && b.shaken == 1, "%s; %s", gnutls_strerror(r), b.err.text);
    gnutls_record_recv(w.g, to, sizeof to); /* the ticket */
    bool yes = gnutls_session_is_resumed(w.g) != 0;
    gnutls_free(ticket->data);
    CHECK_INT(gnutls_session_get_data2(w.g, ticket), 0);
    dx_tls_info info;
    tls_tell(b.s, &info);
    CHECK_INT(info.resumed, yes);
    gnutls_deinit(w.g);
    gnutls_certificate_free_credentials(cred);
    return yes;
}

TEST(a_ticket_resumes_and_its_key_changes_with_the_time)
{
    gnutls_datum_t ticket = {0}, old = {0};
    CHECK(!resumes(&ticket));
    CHECK(resumes(&ticket));
    old.data = gnutls_malloc(ticket.size);
    CHECK(old.data);
    old.size = ticket.size;
    memcpy(old.data, ticket.data, ticket.size);
    gnutls_global_set_time_function(pretend);
    pretended = 30 * 60; /* within its hours */
    CHECK(resumes(&ticket));
    pretended = 40 * 3600; /* its key is gone, and with it what was sealed by it */
    CHECK(!resumes(&old));
    CHECK(resumes(&old)); /* a new one, by the new key */
    gnutls_global_set_time_function(time);
    pretended = 0;
    gnutls_free(ticket.data);
    gnutls_free(old.data);
}

TEST(an_option_of_a_newer_caller_is_refused_and_not_lost)
{
    struct {
        dx_tls_opts o;
        bool stricter;
    } newer = {.stricter = true};
    dx_err err = {0};
    dx_tls *t = dx_tls_new_sized(&newer.o, sizeof newer, &err);
    CHECK(!t);
    CHECK_INT(err.code, DX_ABSENT);
}

TEST(a_host_or_a_protocol_that_tls_cannot_say_is_not_want_of_memory)
{
    struct tls_ask asks[] = {{.host = "\xFF\xFE.example", .push = keep, .arg = &a},
                             {.protocols = (char[300]){""}, .push = keep, .arg = &a},
                             {.protocols = "1,2,3,4,5,6,7,8,9", .push = keep, .arg = &a}};
    memset((char *)(uintptr_t)asks[1].protocols, 'x', 299);
    prepare();
    for (size_t i = 0; i < 3; i++) {
        dx_err err = {0};
        CHECK(!tls_session_new(believer, &asks[i], &err));
        CHECK_SAY(err.code == DX_URL && strstr(err.text, "TLS cannot begin: "), "%d %s", err.code, err.text);
    }
}

TEST(reading_files_anew_keeps_what_goes_on)
{
    dx_err err = {0};
    uint8_t heard[TLS_OPEN_MAX];
    begin("a.example", NULL, NULL);
    shake(PIPE_MAX);
    CHECK_SAY(dx_tls_reload(server, &err) == 0, "%s", err.text);
    CHECK_INT(tls_seal(a.s, "on", 2), 0);
    CHECK_INT(hear(&a, &b, heard, sizeof heard, PIPE_MAX), 2);
    char away[160];
    snprintf(away, sizeof away, "%s.away", cert);
    CHECK_INT(rename(cert, away), 0);
    CHECK(dx_tls_reload(server, &err) < 0);
    CHECK_SAY(strstr(err.text, cert), "%s", err.text);
    CHECK_INT(rename(away, cert), 0);
    begin("a.example", NULL, NULL); /* what was read first still serves */
    shake(PIPE_MAX);
    CHECK_INT(b.shaken, 1);
    drop();
    dx_tls_drop(server);
    dx_tls_drop(believer);
    server = believer = NULL;
    clean();
}

TEST_MAIN
