/* SPDX-License-Identifier: MIT
 * behave_file.c - dx_send_file and dx_save. */
#include "conform.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An unnamed file; pages of it are the pattern from 0. Memory, where real is not asked for. */
static int file_of(size_t n)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = memfd_create("conform", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < n;) {
        ssize_t got = pwrite(fd, pattern(at), n - at < MIB ? n - at : MIB, (off_t)at);
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    return fd;
}

static size_t size_for(const struct world *w)
{
    return has(w, HAS_DATAGRAMS) ? 2000 : 3 * MIB / 2;
}

static unsigned how_of(const struct world *w)
{
    return has(w, HAS_MESSAGES) ? DX_BINARY : 0;
}

static void send_file(struct world *w)
{
    size_t n = size_for(w);
    int fd = file_of(n), r;
    struct end *reader;
    MUST(fd >= 0);
    MUST_DO(both(w, &on_quiet, &on_quiet));
    reader = w->s ? w->s : w->c;
    r = dx_send_file(w->c->c, fd, 0, -1, how_of(w));
    close(fd);
    w->report->absent = r == DX_ABSENT;
    MUST_SAY(r == 0 || r == 1, "dx_send_file says %d (%s)", r, dx_code_text(r));
    WAIT(reader->got == n);
    MUST(has(w, HAS_BYTES) || reader->datas == 1);
}

/* A piece of the file, in its place between other sends, and all of it before the end that close says. */
static void send_file_in_order(struct world *w)
{
    size_t n = size_for(w) / 4;
    int fd = file_of(4 * n);
    MUST(fd >= 0);
    MUST_DO(both(w, &on_default, &on_quiet));
    end_pause(w->s, true);
    MUST(put(w->c, 1000) >= 0);
    int r = dx_send_file(w->c->c, fd, 1000, (int64_t)n, how_of(w));
    close(fd);
    w->report->absent = r == DX_ABSENT;
    MUST_SAY(r == 0 || r == 1, "dx_send_file says %d (%s)", r, dx_code_text(r));
    w->c->sent += n;
    MUST(put(w->c, 500) >= 0);
    if (has(w, HAS_END))
        end_close(w->c);
    pass(w, 5);
    end_pause(w->s, false);
    WAIT(w->s->got == n + 1500);
    MUST(has(w, HAS_BYTES) || w->s->datas == 3);
    if (has(w, HAS_END))
        WAIT(w->s->closes && w->c->closes && is_good_close(w->c));
}

/* The file is shorter than what was promised: an error with words, not a hang and not made-up bytes. */
static void file_too_short(struct world *w)
{
    int fd = file_of(1000), r;
    MUST(fd >= 0);
    MUST_DO(both(w, &on_default, &on_quiet));
    r = dx_send_file(w->c->c, fd, 0, 5000, how_of(w));
    close(fd);
    if (r < 0)
        return;
    WAIT(w->c->closes);
    MUST(!is_good_close(w->c));
    MUST(w->s->got <= 1000);
}

static void save(struct world *w)
{
    size_t n = size_for(w);
    int fd = file_of(0);
    uint8_t *p;
    struct stat st;
    MUST(fd >= 0);
    MUST_DO(both(w, &on_quiet, &on_fill));
    MUST_INT(dx_save(w->s->c, fd, (int64_t)n), 0);
    put_all(w->c, n, has(w, HAS_DATAGRAMS) ? 500 : 64 * KIB);
    WAIT(w->c->sent == n);
    if (has(w, HAS_END)) {
        dx_finish(w->c->c);
        WAIT(w->s->ends);
    } else {
        for (int i = 0; i < 500 && fstat(fd, &st) == 0 && (size_t)st.st_size < n; i++)
            pass(w, 2);
    }
    MUST_INT(w->s->datas, 0);
    MUST(fstat(fd, &st) == 0);
    MUST_INT(st.st_size, n);
    p = malloc(n);
    MUST(p && pread(fd, p, n, 0) == (ssize_t)n);
    MUST(!memcmp(p, pattern(0), n));
    free(p);
    close(fd);
}

static void save_too_much(struct world *w)
{
    int fd = file_of(0);
    struct stat st;
    MUST(fd >= 0);
    MUST_DO(both(w, &on_quiet, &on_quiet));
    MUST_INT(dx_save(w->s->c, fd, 1000), 0);
    put(w->c, 600);
    put(w->c, 600);
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_BIG);
    MUST(fstat(fd, &st) == 0);
    MUST(st.st_size <= 1000);
    close(fd);
}

const struct behaviour behave_file[] = {
    {"dx_send_file", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, send_file},
    {"dx_send_file in order, all before the end", HAS_PEER, 0, send_file_in_order},
    {"dx_send_file of a file that is too short", HAS_PEER | HAS_END, 0, file_too_short},
    {"dx_save", HAS_PEER, 0, save},
    {"dx_save: DX_BIG past its limit", HAS_PEER, 0, save_too_much},
    {0},
};
