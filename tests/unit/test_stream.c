/* SPDX-License-Identifier: MIT
 * test_stream.c - what is sent before a dialled stream stands; what a peer said before it broke the connection off. */
#include "test.h"
#include <arpa/inet.h>
#include <duplex/duplex.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 300000 };
static size_t heard;
static dx_listener *listener;

static void count(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c;
    (void)data;
    (void)how;
    heard += n;
}

static void over(dx_conn *c, const dx_err *why)
{
    (void)c;
    (void)why;
    dx_listener_drain(listener, 1000);
}

static void send_and_close_at_once(const char *url)
{
    static const dx_handler server = {.on_data = count, .on_close = over}, client;
    static const char bytes[BYTES];
    dx_err err;
    dx_loop *l = dx_loop_new(&err);
    heard = 0;
    listener = dx_serve(l, url, &server, NULL, NULL, &err);
    CHECK_SAY(listener, "%s", err.text);
    dx_conn *c = dx_connect(l, dx_listener_url(listener, 0), &client, NULL, NULL, &err);
    CHECK_SAY(c, "%s", err.text);
    CHECK_INT(dx_send(c, bytes, BYTES, 0), 0);
    dx_close(c);
    CHECK_INT(dx_loop_run(l), 0);
    CHECK_INT(heard, BYTES);
    dx_loop_free(l);
}

TEST(what_is_queued_goes_out_though_closed_before_it_stands)
{
    send_and_close_at_once("tcp://127.0.0.1:0");
    send_and_close_at_once("unix://@duplex-test-stream");
}

/* ---- a reset ---- */

static struct broken {
    int fd; /* of the listening socket */
    const char *says;
    bool pauses; /* after each piece, and while it is opened */
    char got[64];
    int opens, code, turns;
    dx_id id;
} peer;

static int listen_plainly(char url[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &(socklen_t){sizeof at}) == 0);
    snprintf(url, 64, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void speak_and_reset(void *arg)
{
    int fd = accept4(peer.fd, NULL, NULL, SOCK_CLOEXEC);
    (void)arg;
    CHECK(fd >= 0 && send(fd, peer.says, strlen(peer.says), MSG_NOSIGNAL) == (ssize_t)strlen(peer.says));
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)) == 0);
    close(fd);
}

/* Long enough after a pause for whatever would go wrong meanwhile: some turns, by their count and not by a clock. */
static void turn(void *arg)
{
    dx_loop *l = arg;
    dx_conn *c = dx_find(l, peer.id);
    if (c && ++peer.turns % 8 == 0)
        dx_pause(c, false);
    if (c)
        dx_loop_post(l, turn, l);
}

static void rest(dx_conn *c)
{
    if (!peer.pauses)
        return;
    dx_pause(c, true);
    if (!peer.id)
        dx_loop_post(dx_loop_of(c), turn, dx_loop_of(c));
    peer.id = dx_id_of(c);
}

static void reset_open(dx_conn *c)
{
    peer.opens++;
    if (peer.pauses)
        speak_and_reset(NULL);
    rest(c);
}

static void reset_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)how;
    snprintf(peer.got + strlen(peer.got), sizeof peer.got - strlen(peer.got), "%.*s|", (int)n, (const char *)data);
    dx_send(c, "x", 1, 0); /* it finds out that the peer is gone */
    rest(c);
}

static void reset_close(dx_conn *c, const dx_err *why)
{
    (void)c;
    peer.code = why->code;
}

static void hear_out(const char *says, bool pauses, const char *frame)
{
    static const dx_handler on = {.on_open = reset_open, .on_data = reset_data, .on_close = reset_close};
    const dx_opts opts = {.frame = frame};
    char url[64];
    dx_err err;
    dx_loop *l = dx_loop_new(&err);
    peer = (struct broken){.fd = listen_plainly(url), .says = says, .pauses = pauses};
    CHECK_SAY(dx_connect(l, url, &on, NULL, &opts, &err), "%s", err.text);
    if (!pauses) /* behind the dial's own beginning, in the same turn: the loop hears of the connection and the reset at once */
        CHECK(dx_loop_after(l, 0, speak_and_reset, NULL) > 0);
    CHECK_INT(dx_loop_run(l), 0);
    dx_loop_free(l);
    close(peer.fd);
}

TEST(a_reset_before_the_dial_has_looked_loses_nothing)
{
    hear_out("first bytes", false, NULL);
    CHECK_STR(peer.got, "first bytes|");
    CHECK_INT(peer.opens, 1);
    CHECK_INT(peer.code, DX_RESET);
}

TEST(a_reset_without_a_byte_is_a_dial_that_failed)
{
    hear_out("", false, NULL);
    CHECK_INT(peer.opens, 0);
    CHECK_INT(peer.code, DX_RESET);
}

TEST(a_reset_loses_nothing_of_what_a_paused_conn_has_not_taken)
{
    hear_out("first bytes", true, NULL);
    CHECK_STR(peer.got, "first bytes|");
    CHECK_INT(peer.code, DX_RESET);
    hear_out("one\ntwo\nthree\n", true, "line"); /* what one read brought is held between them */
    CHECK_STR(peer.got, "one|two|three|");
    CHECK_INT(peer.code, DX_RESET);
}

TEST_MAIN
