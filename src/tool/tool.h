/* SPDX-License-Identifier: MIT
 * tool.h - what the subcommands share: exit codes, error words, signals. Only <duplex/...>, hub and files are used.
 *
 * A subcommand is a file here, a row in command_table and rows in option_table (table.c), and
 * `int cmd_NAME(int argc, char **argv)`, argv[0] its own name, which returns an exit code:
 *
 *     struct options o;
 *     int r = options_read(argc, argv, &o);
 *     if (r >= 0)
 *         return r;
 *
 * Data goes to stdout, words go to stderr. A server says "listening URL" on stderr, a line an address, when ready. */
#ifndef TOOL_H
#define TOOL_H
#include <duplex/duplex.h>
#include <sys/types.h>

/* Exit codes tell the cause; curl's numbers where it has them. The table with words is in words.c, and
 * docs/exit-codes.md repeats it. */
enum tool_exit {
    TOOL_DONE = 0,
    TOOL_FAILED = 1,
    TOOL_USAGE = 2,
    TOOL_ABSENT = 4,
    TOOL_NAME = 6,
    TOOL_REFUSED = 7,
    TOOL_PROTO = 8,
    TOOL_TRUNCATED = 18,
    TOOL_HTTP = 22,
    TOOL_LOCAL = 23,
    TOOL_LIMIT = 27,
    TOOL_TIMEOUT = 28,
    TOOL_RANGE = 33,
    TOOL_TLS = 35,
    TOOL_BUSY = 45,
    TOOL_REDIRECTS = 47,
    TOOL_HOST = 51,
    TOOL_UNSENT = 55,
    TOOL_RESET = 56,
    TOOL_OWN_CERT = 58,
    TOOL_NO_CIPHER = 59,
    TOOL_UNTRUSTED = 60,
    TOOL_BIG = 63,
    TOOL_CA = 77,
    TOOL_PIN = 90,
    TOOL_REVOKED = 91,
    TOOL_EXPIRED = 110, /* from here on curl has none */
    TOOL_NOT_YET = 111,
    TOOL_WEAK = 112,
    TOOL_CERT_USAGE = 113,
    TOOL_NO_CERT = 114,
    TOOL_ALPN = 115,
    TOOL_SNI = 116,
    TOOL_PLAIN = 117,
    TOOL_CUT = 118,
    TOOL_UNMET = 119,
    TOOL_INTERRUPTED = 130,
    TOOL_TERMINATED = 143,
};
struct tool_exit_row {
    int code;
    const char *name, *words;
};
extern const struct tool_exit_row tool_exits[]; /* ends with a NULL name */

/* The exit code of an error that met a wire; 0 for the ends that are no error. */
int tool_exit_of(const dx_err *e);
/* Its name in that table: "refused". */
const char *tool_exit_name(int code);
/* A coding that was meant by a name which none has; NULL: none is near. */
const char *nearest_coding(const char *name);
/* Says on stderr what went wrong with url and what to try, and returns the exit code. doing: "dial" or "listen". */
int tool_fail(const char *doing, const char *url, const dx_err *e);
/* The same words, without the "duplex: " before and the newline after them. */
void tool_words(const char *doing, const char *url, const dx_err *e, char *buf, size_t n);
/* Whatever was dialled in place of url, a proxy, is at fault: its words. false: it is url itself. */
bool tool_words_of_proxy(const char *url, const dx_err *e, char *buf, size_t n);
/* The same two for a DX_TLS: the cause in the exit code, and advice. */
int tls_exit_of(const dx_err *e);
bool tls_is_exit(int code); /* does a fault of TLS end with that code? */
void tls_words(const char *doing, const char *url, const dx_err *e, char *buf, size_t n);
/* Is that all of a server's answer, and a TLS alert (RFC 8446 5.1)? So TLS says no to what is none. */
bool tls_is_alert(const void *data, size_t n);
const char *tls_scheme_of(const char *url); /* of the same wire with TLS: "wss" of ws://, "tls" of tcp:// */
/* Says "duplex: " and the rest and a newline on stderr, in one write. */
void tool_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int tool_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* the same, of a command line: TOOL_USAGE */
/* Where stderr is a terminal such lines go to fn instead, with their newline: somebody is typing there. NULL: no more. */
void tool_say_to(void (*fn)(void *arg, const char *line, size_t n), void *arg);

/* Whole lines, safe to show, on stderr or where tool_say says. As write(2). */
ssize_t tool_write(const char *lines, size_t n);

/* Puts something harmless in the place of those of 0 to 2 that are closed: the first thing a process does. */
void standard_fill(void);
bool standard_closed(int fd); /* was it? Whoever was told to read from it has nothing to read then */
/* The words for an error of reading or writing it. */
const char *standard_fault(int fd, int saved_errno);

/* SIGINT and SIGTERM stop the loop, so that dx_loop_run returns and the caller ends in good order; the second one
 * ends the process at once. SIGPIPE and SIGXFSZ are ignored. One loop a process. */
void tool_signals(dx_loop *loop);
void tool_loop_free(dx_loop *loop); /* dx_loop_free: a signal that comes later finds no loop to stop */
int tool_stopped(void); /* the signal that came; 0: none */
/* SIGHUP calls fn between two turns of the loop, which goes on; but where the terminal that we began on is gone it is a
 * signal to stop as the others. Without this call SIGHUP ends the process. */
void tool_hangups(void (*fn)(void *arg), void *arg);
/* The same for SIGWINCH, SIGTSTP and SIGCONT: fn is called in its place, between two turns. NULL: as the system has it again. */
void tool_wake(int number, void (*fn)(void *arg), void *arg);
/* fn is called, in a signal handler, before SIGQUIT, SIGHUP or a second signal to stop ends the process at once. NULL: nothing. */
void tool_last_words(void (*fn)(void));
/* Runs that loop until it ends by itself, a signal stops it or tool_end is called; what dx_loop_run says. */
int tool_run(void);
void tool_end(void);
/* After a drain: runs the loop until nothing is left, or for so long: what is still there then is said, and dx_loop_free breaks it
 * off. What dx_loop_run says. */
int tool_run_out(int ms);

int cmd_dial(int argc, char **argv);
int cmd_listen(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_cert(int argc, char **argv);
int cmd_hex(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_recv(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_relay(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_help(int argc, char **argv);
int tool_no_command(const char *word); /* says so, and what was meant; the exit code */
#endif
