/* SPDX-License-Identifier: MIT
 * raw.c - the other side without duplex: a blocking socket in a thread. WebSocket frames are made and read by hand, so
 * that an error of the library cannot cancel out against itself. */
#include "conform.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

void raw_fail(struct raw *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!r->words[0])
        vsnprintf(r->words, sizeof r->words, fmt, ap);
    va_end(ap);
}

/* ---- addresses ---- */
struct address {
    struct sockaddr_storage a;
    socklen_t n;
};

static void address_unix(const char *path, struct address *ret)
{
    struct sockaddr_un *u = (struct sockaddr_un *)&ret->a;
    size_t n = strlen(path);
    *ret = (struct address){0};
    u->sun_family = AF_UNIX;
    memcpy(u->sun_path, path, n);
    if (path[0] == '@')
        u->sun_path[0] = '\0';
    ret->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'));
}

static void address_inet(int family, int port, struct address *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->a;
    *ret = (struct address){.n = family == AF_INET ? sizeof *v4 : sizeof *v6};
    if (family == AF_INET) {
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        v6->sin6_addr = in6addr_loopback;
    }
}

static void address_of(const struct world *w, const char *url, struct address *ret)
{
    const char *rest = strstr(url, "://"), *colon = strrchr(url, ':');
    if (w->scheme->family == AF_UNIX)
        address_unix(rest + 3, ret);
    else
        address_inet(strstr(url, "[::") ? AF_INET6 : AF_INET, atoi(colon + 1), ret);
}

static void patience(int fd)
{
    struct timeval t = {.tv_sec = 6};
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* A datagram client must have a name of its own to be answered. */
static void name_myself(const struct scheme *s, int fd)
{
    struct sockaddr_un u = {.sun_family = AF_UNIX};
    if (s->family == AF_UNIX && s->type == SOCK_DGRAM)
        bind(fd, (struct sockaddr *)&u, sizeof u.sun_family);
}

static void url_of_fd(struct world *w, const char *url, int fd, char *ret, size_t n)
{
    struct sockaddr_storage a = {0};
    socklen_t size = sizeof a;
    const char *zero = strstr(url, ":0");
    if (w->scheme->family == AF_UNIX || !zero) {
        snprintf(ret, n, "%s", url);
        return;
    }
    getsockname(fd, (struct sockaddr *)&a, &size);
    snprintf(ret, n, "%.*s%s:%d%s", (int)(zero - url), url, zero[-1] == '/' ? "localhost" : "",
             ntohs(((struct sockaddr_in *)&a)->sin_port), zero + 2);
}

int raw_socket(struct world *w, const char *url, bool listens, int backlog, char *ret_url, size_t n)
{
    struct address a;
    int fd, r;
    address_of(w, url, &a);
    fd = socket(a.a.ss_family, w->scheme->type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    patience(fd);
    if (listens) {
        r = bind(fd, (struct sockaddr *)&a.a, a.n);
        if (r == 0 && w->scheme->type == SOCK_STREAM && backlog >= 0)
            r = listen(fd, backlog);
        if (r == 0 && ret_url)
            url_of_fd(w, url, fd, ret_url, n);
    } else {
        name_myself(w->scheme, fd);
        r = connect(fd, (struct sockaddr *)&a.a, a.n);
    }
    if (r == 0)
        return fd;
    close(fd);
    return -1;
}

/* ---- bytes ---- */
ssize_t raw_send(struct raw *r, const void *p, size_t n)
{
    return r->secret ? secret_send(r, p, n) : send(r->fd, p, n, MSG_NOSIGNAL);
}

ssize_t raw_recv(struct raw *r, void *p, size_t n)
{
    return r->secret ? secret_recv(r, p, n) : recv(r->fd, p, n, 0);
}

bool raw_recv_all(struct raw *r, void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = raw_recv(r, (uint8_t *)p + at, n - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

bool raw_write(struct raw *r, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n || r->datagrams) {
        ssize_t got = raw_send(r, at, n);
        if (got < 0) {
            raw_fail(r, "raw send: %s", strerror(errno));
            return false;
        }
        at += got;
        n -= (size_t)got;
        if (r->datagrams)
            break;
    }
    return true;
}

/* ---- WebSocket by hand ---- */
static bool frame(struct raw *r, uint8_t op, const uint8_t *p, size_t n)
{
    uint8_t *f = malloc(n + 14);
    size_t at = 2;
    bool ok;
    f[0] = 0x80 | op;
    f[1] = r->client ? 0x80 : 0;
    if (n < 126) {
        f[1] |= (uint8_t)n;
    } else if (n < 65536) {
        f[1] |= 126;
        f[at++] = (uint8_t)(n >> 8);
        f[at++] = (uint8_t)n;
    } else {
        f[1] |= 127;
        for (int i = 7; i >= 0; i--)
            f[at++] = (uint8_t)((uint64_t)n >> (8 * i));
    }
    if (r->client) {
        memcpy(f + at, MASK, 4);
        at += 4;
    }
    for (size_t i = 0; i < n; i++)
        f[at + i] = r->client ? p[i] ^ MASK[i & 3] : p[i];
    ok = raw_write(r, f, at + n);
    free(f);
    return ok;
}

/* The head of the next data frame; 1, 0: Close, -1: the socket's end or an error. */
static int next_frame(struct raw *r)
{
    uint8_t h[8], skip[125];
    for (;;) {
        ssize_t got = raw_recv(r, h, 1);
        if (got <= 0 || !raw_recv_all(r, h + 1, 1)) {
            if (got == 0)
                raw_fail(r, "the socket ended without a Close frame");
            return -1;
        }
        r->left = h[1] & 127;
        if (!!(h[1] & 128) == r->client) {
            raw_fail(r, "a frame %s", r->client ? "of a server is masked" : "of a client is not masked");
            return -1;
        }
        uint8_t op = h[0] & 15;
        int more = r->left == 126 ? 2 : r->left == 127 ? 8 : 0;
        if (more && !raw_recv_all(r, h, (size_t)more))
            return -1;
        for (int i = 0; more && i < more; i++)
            r->left = (i ? r->left << 8 : 0) | h[i];
        if (!r->client && !raw_recv_all(r, r->mask, 4))
            return -1;
        r->mask_at = 0;
        if (op < 8)
            return 1;
        if (r->left > sizeof skip || !raw_recv_all(r, skip, r->left))
            return -1;
        for (size_t i = 0; i < r->left && !r->client; i++)
            skip[i] ^= r->mask[i & 3];
        r->close_code = op == 8 && r->left >= 2 ? skip[0] << 8 | skip[1] : op == 8 ? 1005 : 0;
        r->left = 0;
        if (op == 8)
            return 0;
    }
}

static ssize_t frame_get(struct raw *r, uint8_t *p, size_t n)
{
    ssize_t got;
    while (!r->left) {
        int got_frame = next_frame(r);
        if (got_frame <= 0)
            return got_frame;
    }
    got = raw_recv(r, p, r->left < n ? r->left : n);
    if (got <= 0)
        return -1;
    for (ssize_t i = 0; i < got && !r->client; i++)
        p[i] ^= r->mask[r->mask_at++ & 3];
    r->left -= (uint64_t)got;
    return got;
}

static size_t read_head(struct raw *r, char *p, size_t room)
{
    size_t n = 0;
    while (n + 1 < room && raw_recv(r, p + n, 1) == 1) {
        p[++n] = '\0';
        if (n >= 4 && !memcmp(p + n - 4, "\r\n\r\n", 4))
            return n;
    }
    raw_fail(r, "no head came: \"%.*s\"", (int)n, n ? p : "");
    return 0;
}

static bool shake_client(struct raw *r)
{
    char head[2048];
    int n = snprintf(head, sizeof head,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     strchr(r->w->url + 8, '/') ? strchr(r->w->url + 8, '/') : "/");
    if (!raw_write(r, head, (size_t)n) || !read_head(r, head, sizeof head))
        return false;
    if (strncmp(head, "HTTP/1.1 101 ", 13) || !strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        raw_fail(r, "the handshake's answer: %.200s", head);
    return !r->words[0];
}

static bool shake_server(struct raw *r)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char head[2048], *key, accept[64], answer[256];
    uint8_t sum[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha;
    if (!read_head(r, head, sizeof head))
        return false;
    key = strcasestr(head, "sec-websocket-key:");
    if (!key) {
        raw_fail(r, "no key in the handshake: %.200s", head);
        return false;
    }
    key += 18 + strspn(key + 18, " ");
    sha1_init(&sha);
    sha1_update(&sha, strcspn(key, "\r "), (const uint8_t *)key);
    sha1_update(&sha, 36, (const uint8_t *)magic);
    sha1_digest(&sha, sizeof sum, sum);
    base64_encode_raw(accept, sizeof sum, sum);
    accept[BASE64_ENCODE_RAW_LENGTH(sizeof sum)] = '\0';
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    return raw_write(r, answer, strlen(answer));
}

/* ---- what behaviours say ---- */
bool raw_put(struct raw *r, size_t n)
{
    const uint8_t *p = pattern(r->sent);
    bool ok = r->ws ? frame(r, 2, p, n) : raw_write(r, p, n);
    r->sent += n;
    return ok;
}

bool raw_control(struct raw *r, int op, const void *p, size_t n)
{
    return frame(r, (uint8_t)op, p, n);
}

ssize_t raw_get(struct raw *r, void *p, size_t n)
{
    return r->ws ? frame_get(r, p, n) : raw_recv(r, p, n);
}

bool raw_want(struct raw *r, size_t n)
{
    static _Thread_local uint8_t buf[128 * KIB];
    while (n) {
        size_t room = n < sizeof buf ? n : sizeof buf;
        ssize_t got = raw_get(r, buf, r->datagrams ? sizeof buf : room);
        if (got <= 0 || (size_t)got > n) {
            raw_fail(r, "after %zu bytes with %zu to come: %s", r->got, n,
                     got < 0 ? strerror(errno)
                     : got   ? "too much"
                             : "the end");
            return false;
        }
        if (memcmp(buf, pattern(r->got), (size_t)got)) {
            raw_fail(r, "other bytes than were sent, within %zu from %zu on", (size_t)got, r->got);
            return false;
        }
        r->got += (size_t)got;
        n -= (size_t)got;
    }
    return true;
}

bool raw_want_end(struct raw *r)
{
    uint8_t b;
    ssize_t got = raw_get(r, &b, 1);
    if (got)
        raw_fail(r, "instead of the end after %zu bytes: %s", r->got, got < 0 ? strerror(errno) : "more bytes");
    return got == 0;
}

void raw_end(struct raw *r)
{
    static const uint8_t normal[2] = {0x03, 0xE8};
    if (r->ws)
        frame(r, 8, normal, 2);
    else {
        if (r->secret)
            secret_end(r);
        shutdown(r->fd, SHUT_WR);
    }
}

void raw_break(struct raw *r)
{
    struct linger l = {.l_onoff = 1};
    setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(atomic_exchange(&r->fd, -1));
}

/* ---- the thread ---- */
static void woken(void *arg)
{
    struct world *w = arg;
    dx_loop_stop(w->loop);
}

void raw_stage(struct raw *r, int stage)
{
    atomic_store(&r->stage, stage);
    dx_loop_post(r->w->loop, woken, r->w);
}

void raw_await_go(struct raw *r)
{
    while (sem_wait(&r->go) < 0 && errno == EINTR)
        ;
}

static bool take_one(struct raw *r)
{
    struct address from = {.n = sizeof from.a};
    uint8_t b;
    if (r->datagrams) {
        if (recvfrom(r->listen_fd, &b, 1, MSG_PEEK, (struct sockaddr *)&from.a, &from.n) < 0 ||
            connect(r->listen_fd, (struct sockaddr *)&from.a, from.n) < 0)
            raw_fail(r, "raw: no first datagram: %s", strerror(errno));
        atomic_store(&r->fd, atomic_exchange(&r->listen_fd, -1));
        return !r->words[0];
    }
    atomic_store(&r->fd, accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC));
    if (r->fd < 0) {
        raw_fail(r, "raw accept: %s", strerror(errno));
        return false;
    }
    patience(r->fd);
    return true;
}

static void *thread(void *arg)
{
    struct raw *r = arg;
    bool ok = (r->client || take_one(r)) && (!r->tls || secret_shake(r));
    if (ok && r->ws)
        ok = r->client ? shake_client(r) : shake_server(r);
    if (ok)
        r->run(r);
    if (r->secret && r->fd >= 0) { /* a ticket that nobody has read would turn our end into a reset */
        uint8_t b[4096];
        shutdown(r->fd, SHUT_WR);
        while (recv(r->fd, b, sizeof b, MSG_DONTWAIT) > 0)
            ;
    }
    secret_free(r);
    if (r->fd >= 0)
        close(atomic_exchange(&r->fd, -1));
    atomic_store(&r->done, true);
    dx_loop_post(r->w->loop, woken, r->w);
    return NULL;
}

static struct raw *start(struct world *w, bool client, void (*fn)(struct raw *r))
{
    struct raw *r = calloc(1, sizeof *r);
    char url[256];
    int fd;
    if (!r)
        abort();
    name_url(w, url, sizeof url);
    fd = raw_socket(w, client ? w->url : url, !client, 64, r->url, sizeof r->url);
    if (fd < 0) {
        fail(w, "raw socket to %s: %s", client ? w->url : url, strerror(errno));
        free(r);
        return NULL;
    }
    r->w = w;
    r->run = fn;
    r->client = client;
    r->tls = has(w, HAS_TLS) && !w->bare;
    r->ws = has(w, HAS_WS) && !w->bare;
    r->datagrams = has(w, HAS_DATAGRAMS);
    r->fd = client ? fd : -1;
    r->listen_fd = client ? -1 : fd;
    r->next = w->raws;
    w->raws = r;
    pattern(0);
    sem_init(&r->go, 0, 0);
    pthread_create(&r->thread, NULL, thread, r);
    return r;
}

struct raw *raw_dials(struct world *w, void (*fn)(struct raw *r))
{
    return start(w, true, fn);
}

struct raw *raw_listens(struct world *w, void (*fn)(struct raw *r))
{
    return start(w, false, fn);
}

bool raw_join(struct raw *r)
{
    struct world *w = r->w;
    while (!r->done)
        if (!turn(w, "the raw peer to be done", __FILE__, __LINE__))
            return false;
    pthread_join(r->thread, NULL);
    r->joined = true;
    if (r->words[0])
        fail(w, "raw peer: %s", r->words);
    return !r->words[0];
}
