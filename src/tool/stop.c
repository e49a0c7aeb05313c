/* SPDX-License-Identifier: MIT
 * stop.c - the first SIGINT or SIGTERM ends in good order, the second at once. Other signals, where somebody wants them, are a word
 * from outside and no end: the loop stops for them and runs on. */
#include "tool/tool.h"
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static dx_loop *volatile stop_loop; /* NULL: there is none yet, or none any more */
static void (*last_words)(void);
static volatile sig_atomic_t stop_signal, woken;
static bool ended, had_terminal;
static struct wake {
    int number;
    volatile sig_atomic_t came;
    void (*fn)(void *arg); /* NULL: nobody waits for it */
    void *arg;
} wakes[] = {{.number = SIGHUP}, {.number = SIGWINCH}, {.number = SIGTSTP}, {.number = SIGCONT}};
enum { WAKES = sizeof wakes / sizeof *wakes };

static void stop_the_loop(void)
{
    dx_loop *loop = stop_loop;
    if (loop)
        dx_loop_stop(loop);
}

static void on_signal(int number)
{
    if (stop_signal && last_words)
        last_words();
    if (stop_signal)
        _exit(128 + number);
    stop_signal = number;
    stop_the_loop();
}

static void on_wake(int number)
{
    for (int i = 0; i < WAKES; i++)
        if (wakes[i].number == number)
            wakes[i].came = 1;
    woken = 1;
    stop_the_loop();
}

/* It is blocked until we return, and then ends the process as it would have done. */
static void on_end(int number)
{
    last_words();
    signal(number, SIG_DFL);
    raise(number);
}

void tool_last_words(void (*fn)(void))
{
    static const int ends[] = {SIGQUIT, SIGHUP};
    struct sigaction now, end = {.sa_handler = fn ? on_end : SIG_DFL};
    for (int i = 0; i < 2; i++)
        if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler == (fn ? SIG_DFL : on_end))
            sigaction(ends[i], &end, NULL);
    last_words = fn;
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
    sigaction(SIGXFSZ, &ignore, NULL); /* EFBIG says it as well */
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

void tool_loop_free(dx_loop *loop)
{
    if (loop == stop_loop)
        stop_loop = NULL;
    dx_loop_free(loop);
}

void tool_wake(int number, void (*fn)(void *arg), void *arg)
{
    struct sigaction wake = {.sa_handler = fn ? on_wake : SIG_DFL, .sa_flags = SA_RESTART};
    struct wake *w = wakes;
    while (w < wakes + WAKES && w->number != number)
        w++;
    assert(w < wakes + WAKES && "a signal of that table");
    w->came = 0;
    w->fn = fn;
    w->arg = arg;
    sigaction(number, &wake, NULL);
}

/* Who starts us by nohup wants to outlive the terminal. */
void tool_hangups(void (*fn)(void *arg), void *arg)
{
    struct sigaction before;
    sigaction(SIGHUP, NULL, &before);
    tool_wake(SIGHUP, fn, arg);
    had_terminal = before.sa_handler != SIG_IGN && has_terminal();
}

int tool_stopped(void)
{
    return stop_signal;
}

void tool_end(void)
{
    ended = true;
    stop_the_loop();
}

/* A closed terminal says SIGHUP as well, and means the end by it. A signal that comes between two runs stops the next one, though
 * it has been heard already: so after a stop by signal one more counts for nothing. */
static bool goes_on(void)
{
    static bool before;
    bool now = woken, again = now || before;
    before = now;
    woken = 0;
    for (int i = 0; i < WAKES && !stop_signal && !ended; i++) {
        if (!wakes[i].came || !wakes[i].fn)
            continue;
        wakes[i].came = 0;
        if (wakes[i].number == SIGHUP && had_terminal && !has_terminal())
            stop_signal = SIGHUP;
        else
            wakes[i].fn(wakes[i].arg);
    }
    return again && !stop_signal && !ended;
}

int tool_run(void)
{
    int r;
    do
        r = dx_loop_run(stop_loop);
    while (r >= 0 && goes_on());
    return r;
}

static void on_alarm(int number)
{
    (void)number;
    dx_loop_stop(stop_loop);
}

/* A timer of the loop would be one more thing that it waits for. */
int tool_run_out(int ms)
{
    struct sigaction alarm_on = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval once = {.it_value = {ms / 1000, ms % 1000 * 1000}}, off = {0};
    sigaction(SIGALRM, &alarm_on, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    int r = dx_loop_run(stop_loop);
    setitimer(ITIMER_REAL, &off, NULL);
    int64_t left = dx_loop_count(stop_loop, DX_COUNT_CONNS);
    if (left)
        tool_say("%" PRId64 " %s too long to end, and %s broken off", left,
                 left == 1 ? "connection takes" : "connections take", left == 1 ? "is" : "are");
    return r;
}
