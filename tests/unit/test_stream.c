/* SPDX-License-Identifier: MIT
 * test_stream.c - what is sent before a dialled stream stands. */
#include "test.h"
#include <duplex/duplex.h>

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

TEST_MAIN
