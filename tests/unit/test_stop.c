/* SPDX-License-Identifier: MIT
 * Signals that come when the loop is gone, or going. */
#include "test.h"
#include "tool/tool.h"
#include <signal.h>

static int hangups;

static void on_hangup(void *arg)
{
    (void)arg;
    hangups++;
}

TEST(a_signal_behind_the_end_of_the_loop_stops_nothing)
{
    dx_loop *loop = dx_loop_new(NULL);
    CHECK(loop);
    tool_signals(loop);
    tool_wake(SIGCONT, on_hangup, NULL);
    tool_loop_free(loop);
    raise(SIGCONT);
    raise(SIGTERM);
    tool_end();
    CHECK_INT(tool_stopped(), SIGTERM);
    CHECK_INT(hangups, 0); /* nobody runs any more */
}

TEST_MAIN
