/* SPDX-License-Identifier: MIT
 * recv.c - duplex recv URL FILE: what comes until the peer's end. Our own end is said when it is safe on the disk, so that who
 * sends may take that for a receipt. */
#include "tool/part.h"
#include "tool/tool.h"
#include "tool/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct receiving {
    struct transfer t; /* first                                                    */
    struct part part;
    bool standard; /* to stdout, and no file is made                           */
    bool flows;    /* stdout is a pipe, a socket: a conn of its own (out)      */
    dx_conn *out;
    bool ended;
    int fd;         /* else: the file                                           */
    int64_t first;  /* its position when it began                               */
    int64_t passed; /* bytes that out has taken                                 */
};

static struct receiving *of(dx_conn *c)
{
    return dx_user(c);
}

static int64_t moved(struct transfer *t)
{
    const struct receiving *r = (const struct receiving *)t;
    return r->flows ? r->passed
                    : lseek(r->fd, 0, SEEK_CUR) - r->first; /* dx_save's own descriptor moves this one's place */
}

static void local_failed(struct receiving *r, int error)
{
    transfer_fail(&r->t, TOOL_LOCAL, "%.300s: %s", r->standard ? r->t.file : r->part.name, strerror(error));
}

/* ---- the end ---- */

static void finish(struct receiving *r)
{
    char words[PART_WORDS];
    if (r->standard || part_keep(&r->part, words))
        transfer_done(&r->t);
    else
        transfer_fail(&r->t, TOOL_LOCAL, "%s", words);
}

static bool is_whole(struct receiving *r, const dx_err *why)
{
    if (why->code)
        transfer_fail(&r->t, tool_exit_of(why), "%.200s: %s", r->t.peer, why->text);
    else if (r->t.size >= 0 && moved(&r->t) < r->t.size)
        transfer_fail(&r->t, TOOL_TRUNCATED, "only %" PRId64 " of the %" PRId64 " bytes of --size came", moved(&r->t),
                      r->t.size);
    return !r->t.code;
}

static void wire_end(dx_conn *c)
{
    struct receiving *r = of(c);
    if (c != r->t.wire || !is_whole(r, dx_why(c)))
        return;
    r->ended = true;
    if (r->out)
        dx_close(r->out); /* what is queued goes out, and then finish */
    else if (!r->flows)
        finish(r);
}

/* ---- to a pipe ---- */

static void out_open(dx_conn *c)
{
    struct receiving *r = of(c);
    dx_pause(c, true); /* it may be readable too, and what comes there is nobody's here */
    if (r->t.wire)
        dx_pause(r->t.wire, false);
}

static void out_writable(dx_conn *c)
{
    const struct receiving *r = of(c);
    if (r->t.wire)
        dx_pause(r->t.wire, false);
}

static void out_close(dx_conn *c, const dx_err *why)
{
    struct receiving *r = of(c);
    int code = tool_exit_of(why);
    r->out = NULL;
    if (!r->t.wire || r->t.code)
        return;
    if (!code && r->ended)
        finish(r);
    else if (why->code == DX_RESET || (why->code == DX_SYS && why->detail == EPIPE))
        transfer_fail(&r->t, TOOL_LOCAL, "standard output takes no more");
    else
        local_failed(r, why->code == DX_SYS ? why->detail : EIO);
}

static const dx_handler out_on = {.on_open = out_open, .on_writable = out_writable, .on_close = out_close};

static void wire_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct receiving *r = of(c);
    (void)how;
    if (c != r->t.wire || !r->out)
        return;
    if (r->t.size >= 0 && (int64_t)n > r->t.size - r->passed) {
        transfer_fail(&r->t, TOOL_BIG, "more than the %" PRId64 " bytes of --size came", r->t.size);
        return;
    }
    int sent = dx_send(r->out, data, n, 0);
    r->passed += (int64_t)n;
    if (sent > 0)
        dx_pause(c, true);
    else if (sent < 0)
        local_failed(r, sent == DX_NOMEM ? ENOMEM : EIO);
}

static void pass_on(struct receiving *r, dx_conn *c)
{
    dx_err err = {0};
    dx_opts opts = {.queue_bytes_max = r->t.opts.queue_bytes_max};
    r->out = dx_connect(r->t.loop, "fd:1", &out_on, r, &opts, &err);
    if (r->out)
        dx_pause(c, true); /* until it stands */
    else
        transfer_fail(&r->t, TOOL_LOCAL, "standard output: %s", err.text);
}

/* ---- the wire ---- */

static void wire_open(dx_conn *c)
{
    struct receiving *r = of(c);
    if (!transfer_join(&r->t, c))
        return;
    if (r->flows)
        pass_on(r, c);
    else if (dx_save(c, r->fd, r->t.size) < 0)
        local_failed(r, errno);
}

/* Did the writing fail, and not the wire? */
static bool is_file_fault(const dx_err *why)
{
    static const int faults[] = {ENOSPC, EDQUOT, EFBIG, EIO, EROFS, EBADF};
    for (size_t i = 0; why->code == DX_SYS && i < sizeof faults / sizeof *faults; i++)
        if (why->detail == faults[i])
            return true;
    return false;
}

static void say_part(struct receiving *r, int64_t n)
{
    char words[PROGRESS_WORDS];
    progress_bytes((double)n, words);
    if (part_leave(&r->part))
        tool_say("what came, %s, is in %.300s", words, r->part.name);
}

static void wire_close(dx_conn *c, const dx_err *why)
{
    struct receiving *r = of(c);
    static const dx_err fine = {.code = DX_END};
    if (c == r->t.wire && is_file_fault(why))
        local_failed(r, why->detail);
    if (c == r->t.wire && why->code == DX_BIG && r->t.size >= 0)
        transfer_fail(&r->t, TOOL_BIG, "more than the %" PRId64 " bytes of --size came", r->t.size);
    int64_t n = r->t.joined ? moved(&r->t) : 0;
    if (!transfer_closed(&r->t, c, r->t.done ? &fine : why)) /* what is on the disk is not less for a late reset */
        return;
    if (!r->standard)
        say_part(r, n);
    if (r->out)
        dx_close(r->out);
}

static const dx_handler wire_on = {
    .on_open = wire_open, .on_data = wire_data, .on_end = wire_end, .on_close = wire_close};

/* ---- the beginning ---- */

/* -1: go on; else the exit code. */
static int open_standard(struct receiving *r)
{
    struct stat st;
    if (isatty(STDOUT_FILENO)) {
        tool_say("what comes may be anything, and a terminal would obey it.  Try: duplex recv %.200s - | less",
                 r->t.url);
        return TOOL_USAGE;
    }
    r->standard = true;
    r->fd = STDOUT_FILENO;
    r->first = lseek(r->fd, 0, SEEK_CUR);
    r->flows = fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode);
    return -1;
}

static int open_part(struct receiving *r, const char *file, bool force)
{
    char words[PART_WORDS];
    if (!part_open(&r->part, file, force, words)) {
        tool_say("%s", words);
        return TOOL_LOCAL;
    }
    r->fd = r->part.fd;
    return -1;
}

int cmd_recv(int argc, char **argv)
{
    static struct receiving r;
    struct options o;
    int code = options_read(argc, argv, &o);
    if (code >= 0)
        return code;
    const char *file = o.args[1];
    bool standard = !strcmp(file, "-");
    r.part.fd = -1;
    code = transfer_read(&r.t, &o, o.args[0], standard ? "standard output" : file, !option_has(&o, "dial"));
    r.t.moved = moved;
    r.t.size = option_number(&o, "size", -1);
    if (code < 0)
        code = standard ? open_standard(&r) : open_part(&r, file, option_has(&o, "force"));
    if (code < 0)
        code = transfer_run(&r.t, &wire_on);
    part_leave(&r.part); /* nobody came */
    trust_free(&r.t.trust);
    return code;
}
