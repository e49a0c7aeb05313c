/* SPDX-License-Identifier: MIT
 * stop.c - the first SIGINT or SIGTERM ends in good order, the second at once. SIGHUP, where somebody wants it, is a word from
 * outside and no end: the loop stops for it and runs on. */
#include "tool/tool.h"
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static dx_loop *stop_loop;
static volatile sig_atomic_t stop_signal, hung_up;
static void (*hangup_fn)(void *arg);
static void *hangup_arg;
static bool ended, had_terminal;

static void on_signal(int number)
{
    if (stop_signal)
        _exit(128 + number);
    stop_signal = number;
    dx_loop_stop(stop_loop);
}

static void on_hangup(int number)
{
    (void)number;
    hung_up = 1;
    dx_loop_stop(stop_loop);
}

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
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

/* Who starts us by nohup wants to outlive the terminal. */
void tool_hangups(void (*fn)(void *arg), void *arg)
{
    struct sigaction again = {.sa_handler = on_hangup, .sa_flags = SA_RESTART}, before;
    hangup_fn = fn;
    hangup_arg = arg;
    sigaction(SIGHUP, &again, &before);
    had_terminal = before.sa_handler != SIG_IGN && has_terminal();
}

int tool_stopped(void)
{
    return stop_signal;
}

void tool_end(void)
{
    ended = true;
    dx_loop_stop(stop_loop);
}

/* A closed terminal says SIGHUP as well, and means the end by it. */
static bool goes_on(void)
{
    if (!hung_up || stop_signal || ended)
        return false;
    hung_up = 0;
    if (had_terminal && !has_terminal()) {
        stop_signal = SIGHUP;
        return false;
    }
    hangup_fn(hangup_arg);
    return true;
}

int tool_run(void)
{
    int r;
    do
        r = dx_loop_run(stop_loop);
    while (r >= 0 && goes_on());
    return r;
}
