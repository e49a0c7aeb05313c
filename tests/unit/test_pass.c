/* SPDX-License-Identifier: MIT
 * test_pass.c - dx_pass between handlers of their own: pipe -> socket -> pipe, with a reader that rests, little and much. */
#include "breaker.h"
#include <stdint.h>

enum { TOTAL = 24 << 20, PIECES = 2 };
static struct leg {
    dx_conn *from, *to;
    size_t seen, unseen; /* bytes that came by memory, and spliced */
    int waits;
} legs[PIECES];
static int closes;

static struct leg *leg_of(const dx_conn *c)
{
    return &legs[c == legs[1].from];
}

static void pass_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct leg *g = leg_of(c);
    (void)how;
    *(p ? &g->seen : &g->unseen) += n;
    int r = dx_pass(c, g->to, p, n);
    CHECK_SAY(r >= 0, "dx_pass says %d", r);
    g->waits += r;
    if (r > 0)
        dx_pause(c, true);
}

static void pass_end(dx_conn *c)
{
    dx_finish(leg_of(c)->to);
}

static void pass_writable(dx_conn *c)
{
    for (int i = 0; i < PIECES; i++)
        if (legs[i].to == c)
            dx_pause(legs[i].from, false);
}

static void pass_close(dx_conn *c, const dx_err *why)
{
    (void)c, (void)why;
    closes++;
}

static const dx_handler passing = {
    .on_data = pass_data, .on_end = pass_end, .on_writable = pass_writable, .on_close = pass_close};

static dx_conn *at(dx_loop *l, int fd)
{
    char url[30];
    dx_err err = {0};
    snprintf(url, sizeof url, "fd:%d", fd);
    dx_conn *c = dx_connect(l, url, &passing, NULL, NULL, &err);
    CHECK_SAY(c, "%s", err.text);
    close(fd);
    return c;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 + i / 251 + i / 65521);
}

/* Writes and reads what the pipes take, `piece` at a time; the reader rests until the writer waits for it. */
static void push_through(size_t total, size_t piece)
{
    static uint8_t buf[1 << 16];
    int in[2], out[2], wire[2];
    size_t said = 0, got = 0;
    bool ended = false, rests = true;
    memset(legs, 0, sizeof legs);
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, wire) == 0);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    dx_loop *l = dx_loop_new(NULL);
    CHECK(l);
    legs[0] = (struct leg){.from = at(l, in[0]), .to = at(l, wire[0])};
    legs[1] = (struct leg){.from = at(l, wire[1]), .to = at(l, out[1])};
    for (int idle = 0; !ended && idle < 20000; idle++) {
        size_t n = said + piece < total ? piece : total - said;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(said + i);
        ssize_t w = n ? write(in[1], buf, n) : 0;
        said += w > 0 ? (size_t)w : 0;
        if (said == total && in[1] >= 0)
            in[1] = close(in[1]) < 0 ? -2 : -1;
        rests = rests && w > 0 && said < total;
        turn(l, 1);
        ssize_t r = rests ? -1 : read(out[0], buf, sizeof buf);
        for (ssize_t i = 0; i < r; i++)
            if (buf[i] != byte_at(got + (size_t)i))
                CHECK_SAY(false, "byte %zu is another", got + (size_t)i);
        got += r > 0 ? (size_t)r : 0;
        ended = r == 0;
        idle = w > 0 || r > 0 ? 0 : idle;
    }
    CHECK_INT(got, total);
    CHECK(ended);
    dx_loop_free(l);
    close(out[0]);
}

TEST(much_is_spliced_and_waits_for_its_reader)
{
    push_through(TOTAL, 1 << 16);
    CHECK_INT(legs[0].seen + legs[0].unseen, TOTAL);
    CHECK_INT(legs[1].seen + legs[1].unseen, TOTAL);
    CHECK_SAY(legs[0].unseen > TOTAL / 2, "%zu spliced", legs[0].unseen);
    CHECK_SAY(legs[1].unseen > TOTAL / 2, "%zu spliced", legs[1].unseen);
    CHECK(legs[0].waits > 0 && legs[1].waits > 0);
}

TEST(little_goes_through_memory)
{
    push_through(100000, 100);
    CHECK_INT(legs[0].seen + legs[0].unseen, 100000);
    CHECK(legs[0].unseen == 0);
}

/* From a file to a socket whose reader rests until nothing more goes out. */
TEST(a_file_is_spliced_to_its_end)
{
    static uint8_t buf[1 << 16];
    enum { FILE_BYTES = (4 << 20) + 12345 };
    char name[] = "/tmp/duplex-pass-XXXXXX";
    int wire[2], file = mkstemp(name);
    size_t got = 0;
    CHECK(file >= 0 && unlink(name) == 0);
    memset(legs, 0, sizeof legs);
    for (size_t i = 0; i < FILE_BYTES; i += sizeof buf) {
        size_t n = FILE_BYTES - i < sizeof buf ? FILE_BYTES - i : sizeof buf;
        for (size_t k = 0; k < n; k++)
            buf[k] = byte_at(i + k);
        CHECK_INT(write(file, buf, n), n);
    }
    CHECK(lseek(file, 1, SEEK_SET) == 1); /* as a shell may leave it */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, wire) == 0);
    dx_loop *l = dx_loop_new(NULL);
    CHECK(l);
    legs[0] = (struct leg){.from = at(l, file), .to = at(l, wire[0])};
    for (ssize_t r = -1; r != 0;) {
        turn(l, 1);
        r = legs[0].waits ? read(wire[1], buf, sizeof buf) : -1;
        for (ssize_t i = 0; i < r; i++)
            if (buf[i] != byte_at(1 + got + (size_t)i))
                CHECK_SAY(false, "byte %zu is another", got + (size_t)i);
        got += r > 0 ? (size_t)r : 0;
    }
    CHECK_INT(got, FILE_BYTES - 1);
    CHECK_INT(legs[0].seen + legs[0].unseen, FILE_BYTES - 1);
    CHECK_SAY(legs[0].unseen > FILE_BYTES / 2, "%zu spliced", legs[0].unseen);
    dx_loop_free(l);
    close(wire[1]);
}

TEST_MAIN
