/* SPDX-License-Identifier: MIT
 * test_ws_layer.c - a peer that breaks RFC 6455 hears our last word, and then the Close that its breach wants. */
#include "test.h"
#include <duplex/duplex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct stranger {
    const char *url;
    dx_loop *loop;
    char got[1000];
    size_t n;
};

static void last_word(dx_conn *c, int what, const void *arg)
{
    const dx_err *why = arg;
    if (what != DX_BROKEN || why->code != DX_PROTO)
        return;
    dx_send(c, "bye", 3, DX_TEXT);
    dx_close(c);
}

/* A handshake, an unmasked frame, and everything until the end. */
static void *break_the_rules(void *arg)
{
    static const char bytes[] =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x02hi";
    struct stranger *s = arg;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)atoi(strchr(s->url + 5, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, bytes, sizeof bytes - 1, 0) > 0)
        for (ssize_t n; (n = recv(fd, s->got + s->n, sizeof s->got - 1 - s->n, 0)) > 0;)
            s->n += (size_t)n;
    close(fd);
    dx_loop_stop(s->loop);
    return NULL;
}

TEST(the_last_word_goes_before_the_close)
{
    static const dx_handler on = {.on_event = last_word};
    dx_err err;
    pthread_t t;
    dx_loop *l = dx_loop_new(&err);
    dx_listener *listener = dx_serve(l, "ws://127.0.0.1:0/", &on, NULL, NULL, &err);
    CHECK_SAY(listener, "%s", err.text);
    struct stranger s = {.url = dx_listener_url(listener, 0), .loop = l};
    pthread_create(&t, NULL, break_the_rules, &s);
    dx_loop_run(l);
    pthread_join(t, NULL);
    dx_loop_free(l);
    const char *frames = strstr(s.got, "\r\n\r\n");
    CHECK_SAY(frames, "no handshake answer");
    frames += 4;
    CHECK_MEM(frames, 5,
              "\x81\x03"
              "bye",
              5);
    CHECK_INT((unsigned char)frames[5], 0x88);
    CHECK_INT((unsigned char)frames[7] << 8 | (unsigned char)frames[8], 1002);
}

TEST_MAIN
