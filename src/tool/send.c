/* SPDX-License-Identifier: MIT
 * send.c - duplex send FILE URL: the bytes of a file, our end, and then the peer's: who has it all says so by ending. */
#include "tool/feed.h"
#include "tool/tool.h"
#include "tool/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, PATIENCE_MS = 5000 };

struct sending {
    struct transfer t; /* first                                                              */
    int fd;            /* the file; -1: none, or taken                                       */
    bool flows;        /* a pipe, a terminal, a socket: a conn of its own (from)             */
    int64_t off, rest; /* of a file that is read here; rest -1: to its end, wherever that is */
    dx_conn *from;
    struct feed feed;
    int64_t given;            /* bytes that the wire's conn has taken                               */
    bool input_ended, handed; /* handed: all is given, and our end is said                    */
    bool peer_ended, half_close, waited;
    int64_t handed_ms;
};

static struct sending *of(dx_conn *c)
{
    return dx_user(c);
}

static int64_t moved(struct transfer *t)
{
    const struct sending *s = (const struct sending *)t;
    int64_t queued = t->wire ? (int64_t)dx_queued(t->wire) : 0; /* with what the wire puts around */
    return s->given > queued ? s->given - queued : 0;
}

static void local_failed(struct sending *s, const char *words)
{
    transfer_fail(&s->t, TOOL_LOCAL, "%.200s: %s", s->t.file, words);
}

static void wire_failed(struct sending *s, int code)
{
    dx_err e = {.code = code};
    if (code != DX_CLOSED && code != DX_STATE) /* then its on_close says why */
        transfer_fail(&s->t, tool_exit_of(&e), "%.200s: %s", s->t.url, dx_code_text(code));
}

static void maybe_done(struct sending *s)
{
    if (s->handed && s->peer_ended && s->t.wire && !dx_queued(s->t.wire))
        transfer_done(&s->t);
}

static void hand_over(struct sending *s)
{
    if (s->handed)
        return;
    s->handed = true;
    s->handed_ms = dx_loop_now(s->t.loop);
    dx_finish(s->t.wire);
    maybe_done(s);
}

/* ---- a file that is read here: by messages, or one that does not say its size ---- */

static void pump_file(struct sending *s)
{
    static char piece[PIECE];
    int r = 0;
    while (r == 0 && !s->handed) {
        size_t want = s->rest < 0 || s->rest > PIECE ? PIECE : (size_t)s->rest;
        ssize_t n = want ? pread(s->fd, piece, want, s->off) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            local_failed(s, strerror(errno));
            return;
        }
        if (n == 0 && s->rest > 0) {
            local_failed(s, "became shorter while it was sent");
            return;
        }
        if (n == 0) {
            hand_over(s);
            return;
        }
        r = dx_send(s->t.wire, piece, (size_t)n, DX_BINARY);
        s->off += r < 0 ? 0 : n;
        s->given += r < 0 ? 0 : n;
        s->rest -= r < 0 || s->rest < 0 ? 0 : n;
    }
    if (r < 0 && r != DX_FULL)
        wire_failed(s, r);
}

static void send_file(struct sending *s, dx_conn *c)
{
    int r = dx_send_file(c, s->fd, s->off, s->rest, 0);
    if (r == DX_SYS || r == DX_TRUNCATED) {
        local_failed(s, r == DX_SYS ? strerror(errno) : "became shorter before it was sent");
    } else if (r < 0) {
        wire_failed(s, r);
    } else {
        s->given = s->rest;
        hand_over(s);
    }
}

/* ---- what flows: a conn of its own ---- */

static void pump(struct sending *s)
{
    int r = feed_pump(&s->feed, s->t.wire, s->input_ended);
    if (r < 0) {
        wire_failed(s, r);
        return;
    }
    if (s->from && !s->input_ended)
        dx_pause(s->from, r != 0);
    if (r == 0 && s->input_ended)
        hand_over(s);
}

static void from_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct sending *s = of(c);
    (void)how;
    if (!s->t.wire || s->t.code)
        return;
    int r = feed_take(&s->feed, data, n, dx_loop_now(s->t.loop));
    s->given += (int64_t)n;
    if (r < 0)
        wire_failed(s, r);
    else
        pump(s);
}

static void from_end(dx_conn *c)
{
    struct sending *s = of(c);
    s->input_ended = true;
    if (s->t.wire && !s->t.code)
        pump(s);
    dx_close(c);
}

static void from_close(dx_conn *c, const dx_err *why)
{
    struct sending *s = of(c);
    s->from = NULL;
    if (!s->input_ended && s->t.wire && !s->t.code)
        local_failed(s, why->code == DX_SYS ? strerror(why->detail) : why->text);
}

static const dx_handler from_on = {.on_data = from_data, .on_end = from_end, .on_close = from_close};

static void send_flow(struct sending *s, dx_conn *c)
{
    char url[24];
    dx_err err = {0};
    snprintf(url, sizeof url, "fd:%d", s->fd);
    if (feed_init(&s->feed, dx_wire(c), dx_kind_of(c), NULL, false, &err) >= 0)
        s->from = dx_connect(s->t.loop, url, &from_on, s, NULL, &err);
    if (!s->from)
        local_failed(s, err.text);
}

/* ---- the wire ---- */

static void wire_open(dx_conn *c)
{
    struct sending *s = of(c);
    if (!transfer_join(&s->t, c))
        return;
    s->half_close = strcmp(dx_wire(c), "ws") && strcmp(dx_wire(c), "wss");
    if (s->flows)
        send_flow(s, c);
    else if (dx_kind_of(c) == DX_BYTES && s->rest > 0)
        send_file(s, c);
    else
        pump_file(s);
}

static void wire_writable(dx_conn *c)
{
    struct sending *s = of(c);
    if (c != s->t.wire || s->handed || s->t.code)
        return;
    if (s->flows)
        pump(s);
    else
        pump_file(s);
}

static void wire_end(dx_conn *c)
{
    struct sending *s = of(c);
    if (c != s->t.wire)
        return;
    s->peer_ended = true;
    if (!s->half_close && (!s->handed || dx_why(c)->code))
        transfer_fail(&s->t, TOOL_UNSENT, "%.200s ended before it had all of %.200s", s->t.peer, s->t.file);
    else
        maybe_done(s); /* else it has only said that it will say nothing */
}

static bool is_file_fault(const dx_err *why)
{
    return (why->code == DX_TRUNCATED && why->detail_of != DX_OF_TLS && why->detail_of != DX_OF_WS) ||
           (why->code == DX_SYS && (why->detail == EIO || why->detail_of == DX_OF_NOTHING));
}

static void wire_close(dx_conn *c, const dx_err *why)
{
    struct sending *s = of(c);
    bool ours = c == s->t.wire;
    if (ours && is_file_fault(why))
        local_failed(s, why->code == DX_TRUNCATED ? "became shorter while it was sent"
                                                  : "could not be read while it was sent");
    if (ours && why->code == DX_TRUNCATED && s->handed)
        transfer_fail(&s->t, TOOL_TRUNCATED, "%.200s ended without a goodbye (%s): it may not have all", s->t.peer,
                      why->detail_of == DX_OF_TLS ? "close_notify" : "Close");
    if (transfer_closed(&s->t, c, why) && s->from)
        dx_close(s->from);
}

/* Who has ended early may be a reader that has nothing to say: then all is done when the queue is empty. */
static void ticks(struct transfer *t)
{
    struct sending *s = (struct sending *)t;
    maybe_done(s);
    if (t->done || t->quiet || s->waited || !s->handed || (t->wire && dx_queued(t->wire)))
        return;
    if (dx_loop_now(t->loop) - s->handed_ms < PATIENCE_MS)
        return;
    s->waited = true;
    tool_say("%.200s: all is sent; waiting for the other side to end", t->file);
}

static const dx_handler wire_on = {
    .on_open = wire_open, .on_end = wire_end, .on_writable = wire_writable, .on_close = wire_close};

/* ---- the beginning ---- */

/* -1: go on; else the exit code. */
static int open_file(struct sending *s, const char *file)
{
    struct stat st;
    bool standard = !strcmp(file, "-");
    if (standard && standard_closed(STDIN_FILENO)) {
        tool_say("standard input is closed: there is nothing to send");
        return TOOL_LOCAL;
    }
    if (!*file) {
        tool_say("the name of the file is empty.  Try: duplex send FILE %.200s", s->t.url);
        return TOOL_USAGE;
    }
    s->fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (s->fd < 0 || fstat(s->fd, &st) < 0) {
        int code = errno == EMFILE || errno == ENFILE ? TOOL_LIMIT : TOOL_LOCAL;
        tool_say("%.200s: %s", s->t.file, strerror(errno));
        return code;
    }
    if (S_ISDIR(st.st_mode)) {
        tool_say("%.150s is a folder, and one file is what is sent.  Try: tar c %.150s | duplex send - %.150s",
                 s->t.file, standard ? "FOLDER" : file, s->t.url);
        return TOOL_LOCAL;
    }
    s->flows = !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
    s->rest = -1;
    if (s->flows)
        return -1;
    s->off = standard ? lseek(s->fd, 0, SEEK_CUR) : 0;
    if (S_ISREG(st.st_mode) && st.st_size > 0) /* some files of the system say 0 and have more */
        s->rest = st.st_size > s->off ? st.st_size - s->off : 0;
    s->t.size = s->rest;
    return -1;
}

int cmd_send(int argc, char **argv)
{
    static struct sending s;
    struct options o;
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    const char *file = o.args[0];
    r = transfer_read(&s.t, &o, o.args[1], strcmp(file, "-") ? file : "standard input", option_has(&o, "listen"));
    s.t.moved = moved;
    s.t.ticks = ticks;
    if (r < 0)
        r = open_file(&s, file);
    if (r < 0)
        r = transfer_run(&s.t, &wire_on);
    feed_free(&s.feed);
    trust_free(&s.t.trust);
    return r;
}
