/* SPDX-License-Identifier: MIT
 * stop.c - the first SIGINT or SIGTERM ends in good order, the second at once. */
#include "tool/tool.h"
#include <signal.h>
#include <unistd.h>

static dx_loop *stop_loop;
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    if (stop_signal)
        _exit(128 + number);
    stop_signal = number;
    dx_loop_stop(stop_loop);
}

void tool_signals(dx_loop *loop)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    stop_loop = loop;
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

int tool_stopped(void)
{
    return stop_signal;
}
