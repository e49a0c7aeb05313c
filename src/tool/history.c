/* SPDX-License-Identifier: MIT
 * history.c - see history.h. */
#include "tool/history.h"
#include <duplex/tls.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 512 };

/* The folder is made with its parents, for nobody else. */
static bool history_path(char *path, size_t n)
{
    char folder[PATH_ROOM - 16];
    if (dx_cert_folder(folder, sizeof folder, NULL) < 0)
        return false;
    for (char *p = folder + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(folder, 0700);
            *p = '/';
        }
    mkdir(folder, 0700);
    snprintf(path, n, "%s/history", folder);
    return true;
}

static int history_open(int how)
{
    char path[PATH_ROOM];
    struct stat s;
    int fd =
        history_path(path, sizeof path) ? open(path, how | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600) : -1;
    if (fd >= 0 && (fstat(fd, &s) < 0 || !S_ISREG(s.st_mode) || s.st_uid != geteuid())) {
        close(fd);
        return -1;
    }
    if (fd >= 0 && (s.st_mode & 077))
        fchmod(fd, 0600);
    return fd;
}

static size_t read_all(int fd, off_t from, char *p, size_t n)
{
    size_t at = 0;
    ssize_t r = 1;
    while (at < n && (r > 0 || errno == EINTR) && (r = pread(fd, p + at, n - at, from + (off_t)at)) != 0)
        at += r > 0 ? (size_t)r : 0;
    return at;
}

/* The file anew, under another name first: whoever reads it at the same time sees all of it. */
static void cut_short(const char *p, size_t n)
{
    char path[PATH_ROOM], temporary[PATH_ROOM + 8];
    if (!history_path(path, sizeof path))
        return;
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkstemp(temporary); /* 0600 */
    if (fd < 0)
        return;
    bool all = write(fd, p, n) == (ssize_t)n;
    if (close(fd) < 0 || !all || rename(temporary, path) < 0)
        unlink(temporary);
}

void history_load(struct edit *e)
{
    int fd = history_open(O_RDWR);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    off_t from = size > HISTORY_BYTES_MAX ? size - HISTORY_BYTES_MAX / 2 : 0;
    char *text = size > 0 ? malloc((size_t)(size - from)) : NULL, *line = text, *nl;
    size_t n = text ? read_all(fd, from, text, (size_t)(size - from)) : 0;
    if (fd >= 0)
        close(fd);
    if (from && n && (nl = memchr(text, '\n', n))) { /* what is left begins with half a line */
        n -= (size_t)(nl + 1 - text);
        line = nl + 1;
        cut_short(line, n);
    }
    for (; n && (nl = memchr(line, '\n', n)); line = nl + 1) {
        edit_remember(e, line, (size_t)(nl - line));
        n -= (size_t)(nl + 1 - line);
    }
    free(text);
}

void history_add(const char *line, size_t n)
{
    dx_text t = {0};
    int fd = n && !memchr(line, '\n', n) && !memchr(line, 0, n) ? history_open(O_WRONLY | O_APPEND) : -1;
    if (fd < 0)
        return;
    if (dx_text_add(&t, line, n) == 0 && dx_text_add(&t, "\n", 1) == 0 && write(fd, t.p, t.n) < 0)
        errno = 0; /* a full disk costs a line of history */
    dx_text_free(&t);
    close(fd);
}
