/* SPDX-License-Identifier: MIT
 * load_tls.c - load over TLS 1.3 by OpenSSL, so that a fault of our own engine cannot cancel out. One epoll thread.
 *
 *   load_tls get   -a CA -b BODY [-c CONNS] HOW https://A:PORT/PATH         keep-alive GETs, one outstanding a conn
 *   load_tls echo  -a CA -s SIZE [-c CONNS] HOW tls://A:PORT                messages, one outstanding a conn
 *   load_tls shake -a CA [-r] [-b BODY] [-c CONNS] HOW https://A:PORT/PATH  CONNS handshakes at once
 *   HOW: -t SECONDS | -n MESSAGES | -i (as in load.c)
 *
 * Every server must show a certificate for localhost that CA has signed; TLS_AES_128_GCM_SHA256 and X25519 are all that
 * is offered. What comes back must be BODY, the file, under status 200 and with its length, or the message. A shake is
 * connect, handshake, a GET if there is a BODY, close_notify both ways, close; its latency ends before the farewell. One
 * shake, or one exchange on each conn, comes before the clock runs.
 * -r resumes each by the newest ticket that came, and bears no handshake that is not resumed. `resumed` counts those;
 * `unclean` the ends without a close_notify. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, STALL_MS = 10000, SHAKING_MAX = 64, READ_BYTES = 256 << 10 };
enum tls_mode { GET, ECHO, SHAKE };
enum phase { AWAY, SHAKING, IDLE, BUSY, LEAVING };

struct peer {
    int fd;
    SSL *ssl;
    enum phase phase;
    bool armed;  /* EPOLLOUT is on                          */
    size_t owed; /* bytes of the request not yet written    */
    uint64_t number;
    int64_t sent_ns;
    struct reply reply;
};

static struct {
    enum tls_mode mode;
    size_t conns, size;
    bool resume;
    const char *ca, *body_path;
    struct sockaddr_in to;
    char request[600];
    uint8_t *body;
    size_t request_n, body_n;
    struct ring ring; /* echo */
    SSL_CTX *ctx;
    SSL_SESSION *ticket;
    struct peer *peer;
    size_t standing;
    int ep;
    struct window w;
    uint64_t out, resumed, unclean;
    uint8_t buf[READ_BYTES];
} load = {.conns = 50, .size = 64};

static void completed(struct peer *p);
static void begin(struct peer *p);

static size_t at(const struct peer *p)
{
    return (size_t)(p - load.peer);
}

static void arm(struct peer *p, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
    if (p->armed != on && epoll_ctl(load.ep, EPOLL_CTL_MOD, p->fd, &ev) == 0)
        p->armed = on;
}

/* What OpenSSL returned was no success: either the socket is not ready, or the run is over. */
static void blocked(struct peer *p, int r, const char *what)
{
    int e = SSL_get_error(p->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        arm(p, e == SSL_ERROR_WANT_WRITE);
        return;
    }
    unsigned long code = ERR_peek_error();
    long verdict = SSL_get_verify_result(p->ssl);
    if (verdict != X509_V_OK)
        die("conn %zu: %s: certificate: %s", at(p), what, X509_verify_cert_error_string(verdict));
    if (e == SSL_ERROR_ZERO_RETURN || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        die("conn %zu: %s: the server closed it", at(p), what);
    if (e == SSL_ERROR_SSL)
        die("conn %zu: %s: %s", at(p), what, ERR_reason_error_string(code));
    die("conn %zu: %s: %s", at(p), what, strerror(errno));
}

static void push(struct peer *p)
{
    const uint8_t *all =
        load.mode == ECHO ? load.ring.out + p->number % load.ring.count * load.size : (const uint8_t *)load.request;
    size_t n = load.mode == ECHO ? load.size : load.request_n, wrote;
    while (p->owed) {
        int r = SSL_write_ex(p->ssl, all + n - p->owed, p->owed, &wrote);
        if (r != 1) {
            blocked(p, r, "writing");
            return;
        }
        p->owed -= wrote;
    }
    arm(p, false);
}

static void ask(struct peer *p)
{
    p->phase = BUSY;
    p->owed = load.mode == ECHO ? load.size : load.request_n;
    p->number++;
    p->reply.in_body = load.mode == ECHO;
    push(p);
}

static void issue(struct peer *p)
{
    if (load.w.stopping || !load.w.left)
        return;
    load.w.left--;
    load.out++;
    p->sent_ns = load.w.now;
    if (load.mode == SHAKE)
        begin(p);
    else
        ask(p);
}

static void note(const struct peer *p)
{
    load.w.now = now_ns();
    if (load.w.counting)
        histogram_add(&load.w.latency, (uint64_t)(load.w.now - p->sent_ns), 1);
}

static void count(void)
{
    load.out--;
    load.w.all++;
    load.w.counted += load.w.counting;
}

static void leave(struct peer *p)
{
    int r = SSL_shutdown(p->ssl);
    if (r < 0)
        blocked(p, r, "close_notify"); /* it finds no room after a whole handshake: end of the run */
    shutdown(p->fd, SHUT_WR);
    p->phase = LEAVING;
}

static void gone(struct peer *p, bool clean)
{
    load.unclean += !clean;
    SSL_free(p->ssl);
    close(p->fd);
    p->ssl = NULL;
    p->phase = AWAY;
    if (!load.standing) /* the first one, before the clock runs */
        return;
    count();
    issue(p);
}

static void established(struct peer *p)
{
    bool resumed = SSL_session_reused(p->ssl);
    load.resumed += resumed;
    if (load.resume && load.ticket && !resumed)
        die("conn %zu: the handshake was not resumed", at(p));
    p->phase = IDLE;
    if (load.resume && !load.ticket)
        return; /* it is coming */
    if (load.mode != SHAKE || load.body)
        ask(p);
    else
        completed(p);
}

static void completed(struct peer *p)
{
    note(p);
    if (load.mode == SHAKE) {
        leave(p);
        return;
    }
    p->phase = IDLE;
    if (load.standing < load.conns) { /* before the clock runs */
        load.standing++;
        return;
    }
    count();
    issue(p);
}

static void on_ready(struct peer *p)
{
    ERR_clear_error();
    if (p->phase == SHAKING) {
        int r = SSL_connect(p->ssl);
        if (r != 1) {
            blocked(p, r, "handshake");
            return;
        }
        established(p);
    }
    if (p->phase == BUSY && p->owed)
        push(p);
    for (bool more = true; more;) {
        size_t n;
        int r = SSL_read_ex(p->ssl, load.buf, sizeof load.buf, &n);
        int e = r == 1 ? SSL_ERROR_NONE : SSL_get_error(p->ssl, r);
        if (p->phase == LEAVING && r != 1 && e != SSL_ERROR_WANT_READ) {
            gone(p, e == SSL_ERROR_ZERO_RETURN);
            return;
        }
        if (r != 1) {
            blocked(p, r, "reading");
            return;
        }
        if (p->phase != BUSY || p->owed)
            die("conn %zu: %zu bytes that nobody asked for", at(p), n);
        const uint8_t *body = load.mode == ECHO ? load.ring.in + p->number % load.ring.count * load.size : load.body;
        bool whole;
        size_t used = reply_take(&p->reply, body, load.body_n, load.buf, n, &whole);
        if (used < n)
            die("conn %zu: %zu bytes that nobody asked for", at(p), n - used);
        if (whole)
            completed(p);
        more = !whole || SSL_has_pending(p->ssl);
    }
}

static bool give_ticket(struct peer *p)
{
    SSL_SESSION *own = load.ticket ? SSL_SESSION_dup(load.ticket) : NULL;
    bool good = !load.ticket || (own && SSL_set_session(p->ssl, own));
    SSL_SESSION_free(own);
    return good;
}

static void begin(struct peer *p)
{
    static char host[] = "localhost"; /* OpenSSL's macros cast const away */
    int one = 1;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd < 0 || (connect(p->fd, (struct sockaddr *)&load.to, sizeof load.to) < 0 && errno != EINPROGRESS))
        die("dial: %s", strerror(errno));
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    p->ssl = SSL_new(load.ctx);
    if (!p->ssl || SSL_set_fd(p->ssl, p->fd) != 1 || SSL_set1_host(p->ssl, host) != 1 ||
        SSL_set_tlsext_host_name(p->ssl, host) != 1 || !give_ticket(p))
        die("conn %zu: no memory", at(p));
    p->armed = true; /* connected: then the handshake begins */
    p->phase = SHAKING;
    if (epoll_ctl(load.ep, EPOLL_CTL_ADD, p->fd, &ev) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void turn(void)
{
    struct epoll_event ev[EVENTS];
    int n = epoll_wait(load.ep, ev, EVENTS, STALL_MS);
    if (n == 0)
        die("nothing came for %d ms: %llu are out", STALL_MS, (unsigned long long)load.out);
    load.w.now = now_ns();
    for (int i = 0; i < n; i++)
        on_ready(ev[i].data.ptr);
}

static void window(double seconds, uint64_t messages)
{
    window_start(&load.w, seconds, messages);
    load.out = load.resumed = load.unclean = 0;
    for (size_t i = 0; i < load.conns; i++)
        issue(&load.peer[i]);
    window_run(&load.w, &load.out, turn);
    printf(" resumed=%llu unclean=%llu\n", (unsigned long long)load.resumed, (unsigned long long)load.unclean);
    fflush(stdout);
}

static int on_ticket(SSL *ssl, SSL_SESSION *s)
{
    (void)ssl;
    SSL_SESSION_free(load.ticket);
    load.ticket = SSL_SESSION_dup(s); /* OpenSSL spoils the conn's own by use, and by an end without close_notify */
    return 0;
}

static void set_up_tls(void)
{
    static const uint8_t alpn[] = "\010http/1.1";
    static char groups[] = "X25519";
    load.ctx = SSL_CTX_new(TLS_client_method());
    if (!load.ctx || SSL_CTX_set_min_proto_version(load.ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(load.ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(load.ctx, groups) != 1 ||
        (load.mode != ECHO && SSL_CTX_set_alpn_protos(load.ctx, alpn, sizeof alpn - 1)))
        die("no TLS: %s", ERR_reason_error_string(ERR_peek_error()));
    if (SSL_CTX_load_verify_locations(load.ctx, load.ca, NULL) != 1)
        die("%s: no certificates there", load.ca);
    SSL_CTX_set_verify(load.ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(load.ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (load.body_n > 16384) {
        SSL_CTX_set_read_ahead(load.ctx, 1);
        SSL_CTX_set_default_read_buffer_len(load.ctx, READ_BYTES);
    }
    SSL_CTX_set_session_cache_mode(load.ctx, load.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                                         : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(load.ctx, on_ticket);
}

static void set_up(const char *url)
{
    char host[64];
    unsigned port;
    const char *rest = strstr(url, "://");
    if (!rest || sscanf(rest + 3, "%63[0-9.]:%5u", host, &port) < 2 || port > 65535 ||
        inet_pton(AF_INET, host, &load.to.sin_addr) != 1)
        die("%s: no https://1.2.3.4:port/path", url);
    load.to.sin_family = AF_INET;
    load.to.sin_port = htons((uint16_t)port);
    load.request_n = request_make(url, load.request, sizeof load.request);
    if (load.body_path)
        load.body = body_read(load.body_path, &load.body_n);
    if (load.mode == ECHO) {
        ring_make(&load.ring, LOAD_TCP, load.size, 1, false);
        load.body_n = load.size;
    }
    set_up_tls();
    load.ep = epoll_create1(EPOLL_CLOEXEC);
    load.peer = calloc(load.conns, sizeof *load.peer);
    if (load.ep < 0 || !load.peer)
        die("no memory for %zu conns", load.conns);
    for (size_t i = 0; i < load.conns; i++)
        load.peer[i].number = i;
    if (load.mode == SHAKE) { /* the first brings the ticket */
        struct peer *p = &load.peer[0];
        for (begin(p); p->phase != AWAY;) {
            turn();
            if (p->phase == IDLE && load.ticket)
                leave(p);
        }
        load.standing = 1;
        return;
    }
    for (size_t begun = 0; load.standing < load.conns;) {
        while (begun < load.conns && begun - load.standing < SHAKING_MAX)
            begin(&load.peer[begun++]);
        turn();
    }
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"get", "echo", "shake"};
    struct asked asked = {.seconds = 1};
    bool known = false;
    for (size_t i = 0; argc > 1 && i < 3; i++)
        if (!strcmp(argv[1], modes[i])) {
            load.mode = (enum tls_mode)i;
            known = true;
        }
    optind = 2;
    for (int o; known && (o = getopt(argc, argv, "a:b:c:s:t:n:ri")) != -1;)
        switch (o) {
        case 'a':
            load.ca = optarg;
            break;
        case 'b':
            load.body_path = optarg;
            break;
        case 'c':
            load.conns = strtoul(optarg, NULL, 10);
            break;
        case 's':
            load.size = strtoul(optarg, NULL, 10);
            break;
        case 'r':
            load.resume = load.mode == SHAKE;
            break;
        default:
            known = window_option(&asked, o, optarg);
        }
    if (!known || optind != argc - 1 || !load.ca || !load.conns || !load.size || (load.mode == GET && !load.body_path))
        die("usage: load_tls get|echo|shake -a CA [-b BODY] [-s SIZE] [-c CONNS] [-r] (-t SECONDS | -n MESSAGES | -i) "
            "URL");
    set_up(argv[optind]);
    window_serve(&asked, window);
    return 0;
}
