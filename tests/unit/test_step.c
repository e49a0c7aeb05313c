/* SPDX-License-Identifier: MIT */
#include "test.h"
#include <duplex/duplex.h>
#include <unistd.h>

/* A dial hears of its steps, in order and before on_open, and may be given up in any of them. */
static struct {
    char words[8][256];
    int steps, opened, closed, code, give_up_at;
} seen;

static void on_event(dx_conn *c, int what, const void *arg)
{
    if (what != DX_STEP || seen.opened || seen.steps == 8)
        return;
    snprintf(seen.words[seen.steps++], sizeof *seen.words, "%s", (const char *)arg);
    if (seen.steps == seen.give_up_at)
        dx_abort(c);
}

static void on_open(dx_conn *c)
{
    seen.opened++;
    dx_close(c);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    seen.closed++;
    seen.code = why->code;
    dx_loop_stop(dx_loop_of(c));
}

static const dx_handler server_on = {0};
static const dx_handler on = {.on_event = on_event, .on_open = on_open, .on_close = on_close};

/* Dials the port of a listener by this host name, or by the whole URL where it is one. */
static void dial(const char *listens, const char *host, int give_up_at)
{
    char url[200];
    dx_err err = {0};
    dx_loop *l = dx_loop_new(&err);
    dx_listener *s = dx_serve(l, listens, &server_on, NULL, NULL, &err);
    CHECK_SAY(s, "%s", err.text);
    memset(&seen, 0, sizeof seen);
    seen.give_up_at = give_up_at;
    const char *at = dx_listener_url(s, 0);
    snprintf(url, sizeof url, "tcp://%s%s", host ? host : "", host ? strrchr(at, ':') : "");
    CHECK(dx_connect(l, host ? url : at, &on, NULL, NULL, &err));
    CHECK_INT(dx_loop_run(l), 0);
    dx_loop_free(l);
}

TEST(a_name_is_looked_up_and_a_connection_stands)
{
    dial("tcp://127.0.0.1:0", "localhost", 0);
    CHECK_INT(seen.opened, 1);
    CHECK(seen.steps >= 2);
    CHECK_SAY(!strncmp(seen.words[0], "localhost is ", 13), "%s", seen.words[0]);
    const char *last = seen.words[seen.steps - 1];
    CHECK_SAY(!strncmp(last, "connected to 127.0.0.1:", 23) && strstr(last, " after "), "%s", last);
}

TEST(an_address_and_a_path_are_connected_to)
{
    dial("tcp://127.0.0.1:0", NULL, 0);
    CHECK_INT(seen.steps, 1);
    CHECK_INT(seen.opened, 1);
    char url[60];
    snprintf(url, sizeof url, "unix://@duplex-test-step-%d", (int)getpid());
    dial(url, NULL, 0);
    CHECK_INT(seen.steps, 1);
    CHECK_SAY(!strncmp(seen.words[0], "connected to @duplex-test-step-", 31), "%s", seen.words[0]);
}

TEST(a_dial_can_be_given_up_in_each_step)
{
    dial("tcp://127.0.0.1:0", "localhost", 0);
    for (int i = seen.steps; i; i--) {
        dial("tcp://127.0.0.1:0", "localhost", i);
        CHECK_INT(seen.steps, i);
        CHECK_INT(seen.opened, 0);
        CHECK_INT(seen.closed, 1);
        CHECK_INT(seen.code, DX_CLOSED);
    }
}

TEST_MAIN
