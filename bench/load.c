/* SPDX-License-Identifier: MIT
 * load.c - one epoll thread that keeps DEPTH messages outstanding on each conn and checks every byte that comes back.
 *
 *   load tcp|ws|bcast|udp -c CONNS -s SIZE -d DEPTH [-b] (-t SECONDS | -n MESSAGES | -i) URL|PORT
 *   load http -f BODY -c CONNS -d DEPTH (-t SECONDS | -n MESSAGES | -i) http://A:PORT/PATH
 *
 * bcast: CONNS subscribers, the first publishes, DEPTH messages in flight counted over all deliveries (the next one
 * leaves when CONNS more deliveries have come). Messages are made before the clock runs; what comes back is compared
 * with what must come back, in place: content, opcode, length and order are one memcmp. Every conn starts at another
 * place of the ring, so that a reply on the wrong conn differs. http: keep-alive GETs, DEPTH of them pipelined; each reply must be
 * BODY, the file, under status 200 and with its length.
 * -i reads "t SECONDS", "n MESSAGES" lines and answers each with a result line: the conns stay between windows.
 * A window of -t runs a tenth longer in front, uncounted. It ends drained, so `all` messages cost the server exactly
 * what it used between two result lines. */
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECV_BYTES = 512 << 10,
    EVENTS = 512,
    DATAGRAMS = 64,
    STAMPS_BCAST = 4096,
    STALL_MS = 10000,
    UDP_STALL_MS = 200
};

struct peer {
    int fd;
    bool armed;            /* EPOLLOUT is on                                        */
    size_t out_at, in_at;  /* byte positions in the rings                           */
    size_t owed;           /* bytes taken from the ring's face and not yet written  */
    size_t part;           /* bytes of an unfinished reply                          */
    uint64_t issued, done; /* messages                                              */
    int64_t *sent_ns;      /* of the last `stamps` messages                         */
    struct reply *reply;   /* http                                                  */
};

static struct {
    enum load_mode mode;
    size_t conns, size, depth, stamps;
    bool binary;
    const char *url, *body_path;
    uint8_t *body; /* http: what each reply brings */
    size_t body_n;
    struct ring ring;
    struct peer *peer;
    int ep;
    uint8_t *buf;
    struct window w;
    uint64_t out;        /* messages that are not answered                        */
    uint64_t deliveries; /* bcast: since the conns stand                          */
    int stalls;          /* udp: waits in a row that brought nothing              */
} load = {.conns = 50, .size = 64, .depth = 1};

static void arm(struct peer *p, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
    if (p->armed != on && epoll_ctl(load.ep, EPOLL_CTL_MOD, p->fd, &ev) == 0)
        p->armed = on;
}

static void flush(struct peer *p)
{
    while (p->owed) {
        ssize_t n = send(p->fd, load.ring.out + p->out_at, p->owed, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0)
            die("send: %s", strerror(errno));
        p->owed -= (size_t)n;
        p->out_at = (p->out_at + (size_t)n) % load.ring.out_wrap;
    }
    arm(p, p->owed > 0);
}

static void flush_datagrams(struct peer *p)
{
    struct mmsghdr m[DATAGRAMS];
    struct iovec v[DATAGRAMS];
    while (p->owed) {
        unsigned n = 0;
        size_t at = p->out_at, left = p->owed;
        for (; n < DATAGRAMS && left; n++, left -= load.ring.out_one) {
            v[n] = (struct iovec){load.ring.out + at, load.ring.out_one};
            m[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &v[n], .msg_iovlen = 1}};
            at = (at + load.ring.out_one) % load.ring.out_wrap;
        }
        int sent = sendmmsg(p->fd, m, n, 0);
        if (sent <= 0) {
            arm(p, true);
            return;
        }
        p->out_at = (p->out_at + (size_t)sent * load.ring.out_one) % load.ring.out_wrap;
        p->owed -= (size_t)sent * load.ring.out_one;
    }
    arm(p, false);
}

static void issue(struct peer *p, uint64_t n)
{
    if (load.w.stopping)
        return;
    if (n > load.w.left)
        n = load.w.left;
    load.w.left -= n;
    load.out += n;
    for (uint64_t i = 0; i < n; i++)
        p->sent_ns[(p->issued + i) % load.stamps] = load.w.now;
    p->issued += n;
    p->owed += n * load.ring.out_one;
    if (load.mode == LOAD_UDP)
        flush_datagrams(p);
    else
        flush(p);
}

/* k replies of q are complete: note when their messages (of p, whose numbers q counts) left. */
static void note(const struct peer *p, uint64_t from, uint64_t k)
{
    if (p->issued - from > load.stamps)
        return; /* bcast: too far behind, its stamp is gone */
    for (uint64_t i = 0; load.w.counting && i < k;) {
        int64_t at = p->sent_ns[(from + i) % load.stamps];
        uint64_t same = 1;
        while (i + same < k && p->sent_ns[(from + i + same) % load.stamps] == at)
            same++;
        histogram_add(&load.w.latency, (uint64_t)(load.w.now - at), same);
        i += same;
    }
}

static _Noreturn void differ(const struct peer *p, const uint8_t *got, size_t n)
{
    size_t i = 0, k = 0;
    while (i + 1 < n && got[i] == load.ring.in[p->in_at + i])
        i++;
    fprintf(stderr, "load: conn %zu, reply %llu: byte %zu of it differs\n  got ", (size_t)(p - load.peer),
            (unsigned long long)p->done, (p->in_at + i) % load.ring.in_one);
    for (k = i; k < n && k < i + 24; k++)
        fprintf(stderr, "%02x ", got[k]);
    fprintf(stderr, "\n  not ");
    for (k = i; k < n && k < i + 24; k++)
        fprintf(stderr, "%02x ", load.ring.in[p->in_at + k]);
    fputc('\n', stderr);
    exit(1);
}

/* Bytes of a stream: returns how many replies they completed. */
static uint64_t check(struct peer *p, const uint8_t *got, size_t n)
{
    uint64_t may = load.mode == LOAD_BCAST ? load.peer[0].issued : p->issued;
    if (p->part + n > (may - p->done) * load.ring.in_one)
        die("conn %zu: %zu bytes that nobody asked for", (size_t)(p - load.peer),
            p->part + n - (may - p->done) * load.ring.in_one);
    uint64_t k = (p->part + n) / load.ring.in_one;
    for (size_t left = n, piece; left; left -= piece, got += piece) {
        /* A slow subscriber of bcast may be further behind than the ring's spare end. */
        size_t face = load.ring.in_wrap + load.depth * load.ring.in_one - p->in_at;
        piece = left < face ? left : face;
        if (memcmp(got, load.ring.in + p->in_at, piece))
            differ(p, got, piece);
        p->in_at = (p->in_at + piece) % load.ring.in_wrap;
    }
    p->part = (p->part + n) % load.ring.in_one;
    note(load.mode == LOAD_BCAST ? &load.peer[0] : p, p->done, k);
    p->done += k;
    return k;
}

/* The same of HTTP replies. */
static uint64_t check_replies(struct peer *p, const uint8_t *got, size_t n)
{
    uint64_t k = 0;
    while (n) {
        bool whole;
        if (p->done + k == p->issued)
            die("conn %zu: %zu bytes that nobody asked for", (size_t)(p - load.peer), n);
        size_t used = reply_take(p->reply, load.body, load.body_n, got, n, &whole);
        got += used;
        n -= used;
        k += whole;
    }
    note(p, p->done, k);
    p->done += k;
    return k;
}

static void on_stream(struct peer *p)
{
    ssize_t n = recv(p->fd, load.buf, RECV_BYTES, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("conn %zu: %s", (size_t)(p - load.peer), n ? strerror(errno) : "the server closed it");
    load.w.now = now_ns();
    uint64_t k = load.mode == LOAD_HTTP ? check_replies(p, load.buf, (size_t)n) : check(p, load.buf, (size_t)n);
    load.w.all += k;
    load.w.counted += load.w.counting ? k : 0;
    if (load.mode != LOAD_BCAST) {
        load.out -= k;
        issue(p, k);
        return;
    }
    load.deliveries += k;
    uint64_t whole = load.deliveries / load.conns, open = load.peer[0].issued - whole;
    load.out = open;
    if (open < load.depth)
        issue(&load.peer[0], load.depth - open);
}

/* A datagram may be lost, or come late; it may not be wrong. Returns how many messages it settles. */
static uint64_t settle(struct peer *p, const uint8_t *got, size_t n)
{
    struct ring *r = &load.ring;
    for (uint64_t ahead = 0; n == r->in_one && ahead < p->issued - p->done; ahead++)
        if (!memcmp(got, r->in + (p->in_at + ahead * r->in_one) % r->in_wrap, n)) {
            note(p, p->done + ahead, 1);
            p->in_at = (p->in_at + (ahead + 1) * r->in_one) % r->in_wrap;
            p->done += ahead + 1;
            load.w.lost += ahead;
            load.w.all++;
            load.w.counted += load.w.counting;
            return ahead + 1;
        }
    for (size_t i = 0; n == r->in_one && i < r->count; i++)
        if (!memcmp(got, r->in + i * r->in_one, n))
            return 0;
    differ(p, got, n < r->in_one ? n : r->in_one);
}

static void on_datagrams(struct peer *p)
{
    struct mmsghdr m[DATAGRAMS];
    struct iovec v[DATAGRAMS];
    size_t room = RECV_BYTES / DATAGRAMS;
    unsigned want = room > load.size ? DATAGRAMS : 1;
    for (unsigned i = 0; i < want; i++) {
        v[i] = (struct iovec){load.buf + i * room, want == 1 ? RECV_BYTES : room};
        m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &v[i], .msg_iovlen = 1}};
    }
    int n = recvmmsg(p->fd, m, want, 0, NULL);
    load.w.now = now_ns();
    uint64_t k = 0;
    for (int i = 0; i < n; i++)
        k += settle(p, v[i].iov_base, m[i].msg_len);
    load.out -= k;
    if (k)
        issue(p, k);
}

static void give_up(struct peer *p)
{
    uint64_t k = p->issued - p->done;
    p->in_at = (p->in_at + k * load.ring.in_one) % load.ring.in_wrap;
    p->done = p->issued;
    load.w.lost += k;
    load.out -= k;
    issue(p, k);
}

static void turn(void)
{
    struct epoll_event ev[EVENTS];
    int n = epoll_wait(load.ep, ev, EVENTS, load.mode == LOAD_UDP ? UDP_STALL_MS : STALL_MS);
    load.stalls = n == 0 ? load.stalls + 1 : 0;
    if (n == 0 && (load.mode != LOAD_UDP || load.stalls > STALL_MS / UDP_STALL_MS))
        die("nothing came for %d ms: %llu messages are out", STALL_MS, (unsigned long long)load.out);
    for (size_t i = 0; n == 0 && i < load.conns; i++)
        give_up(&load.peer[i]);
    for (int i = 0; i < n; i++) {
        struct peer *p = ev[i].data.ptr;
        if (ev[i].events & EPOLLOUT) {
            if (load.mode == LOAD_UDP)
                flush_datagrams(p);
            else
                flush(p);
        }
        if (ev[i].events & ~(unsigned)EPOLLOUT) {
            if (load.mode == LOAD_UDP)
                on_datagrams(p);
            else
                on_stream(p);
        }
    }
}

static void window(double seconds, uint64_t messages)
{
    window_start(&load.w, seconds, messages);
    load.out = 0;
    for (size_t i = 0; i < (load.mode == LOAD_BCAST ? 1 : load.conns); i++)
        issue(&load.peer[i], load.depth);
    window_run(&load.w, &load.out, turn);
    puts("");
    fflush(stdout);
}

static void set_up(void)
{
    load.ep = epoll_create1(EPOLL_CLOEXEC);
    load.buf = malloc(RECV_BYTES);
    load.peer = calloc(load.conns, sizeof *load.peer);
    bool one = load.mode == LOAD_BCAST; /* one publisher, whose stamps serve all */
    load.stamps = one ? STAMPS_BCAST : load.depth;
    int64_t *stamps = calloc((one ? 1 : load.conns) * load.stamps, sizeof *stamps);
    if (load.ep < 0 || !load.buf || !load.peer || !stamps)
        die("no memory for %zu conns", load.conns);
    memset(load.buf, 1, RECV_BYTES);
    if (load.mode == LOAD_HTTP) {
        char request[600];
        ring_repeat(&load.ring, request, request_make(load.url, request, sizeof request), load.depth);
        load.body = body_read(load.body_path, &load.body_n);
    } else {
        ring_make(&load.ring, load.mode, load.size, load.depth, load.binary);
    }
    for (size_t i = 0; i < load.conns; i++) {
        struct peer *p = &load.peer[i];
        size_t first = load.mode == LOAD_BCAST ? 0 : i % load.ring.count;
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};
        p->sent_ns = one ? stamps : stamps + i * load.stamps;
        p->fd = dial(load.url, load.mode);
        p->reply = load.mode == LOAD_HTTP ? calloc(1, sizeof *p->reply) : NULL;
        p->out_at = first * load.ring.out_one;
        p->in_at = first * load.ring.in_one;
        if ((load.mode == LOAD_HTTP && !p->reply) || epoll_ctl(load.ep, EPOLL_CTL_ADD, p->fd, &ev) < 0)
            die("epoll_ctl: %s", strerror(errno));
    }
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"tcp", "ws", "bcast", "udp", "http"};
    struct asked asked = {.seconds = 1};
    bool known = false;
    for (size_t i = 0; argc > 1 && i < 5; i++)
        if (!strcmp(argv[1], modes[i])) {
            load.mode = (enum load_mode)i;
            known = true;
        }
    optind = 2;
    for (int o; known && (o = getopt(argc, argv, "c:s:d:t:n:f:bi")) != -1;)
        switch (o) {
        case 'c':
            load.conns = strtoul(optarg, NULL, 10);
            break;
        case 's':
            load.size = strtoul(optarg, NULL, 10);
            break;
        case 'd':
            load.depth = strtoul(optarg, NULL, 10);
            break;
        case 'f':
            load.body_path = optarg;
            break;
        case 'b':
            load.binary = true;
            break;
        default:
            known = window_option(&asked, o, optarg);
        }
    if (!known || optind != argc - 1 || !load.conns || !load.size || !load.depth || load.depth * load.size > 1 << 30 ||
        (load.mode == LOAD_HTTP) != (load.body_path != NULL))
        die("usage: load tcp|ws|bcast|udp -c CONNS -s SIZE -d DEPTH [-b] (-t SECONDS | -n MESSAGES | -i) URL|PORT\n"
            "       load http -f BODY -c CONNS -d DEPTH (-t SECONDS | -n MESSAGES | -i) http://A:PORT/PATH");
    load.url = argv[optind];
    set_up();
    window_serve(&asked, window);
    return 0;
}
