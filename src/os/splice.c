/* SPDX-License-Identifier: MIT */
#include "os/splice.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* For a socket SPLICE_F_NONBLOCK is not enough: it asks the descriptor. */
bool os_splices(int fd, bool out)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    bool file = !out && S_ISREG(st.st_mode);
    return file || S_ISFIFO(st.st_mode) || (S_ISSOCK(st.st_mode) && fcntl(fd, F_GETFL) & O_NONBLOCK);
}

void os_splice_widen(int fd)
{
    int bytes = fcntl(fd, F_GETPIPE_SZ);
    if (bytes > 0 && bytes < OS_WIDE_BYTES)
        fcntl(fd, F_SETPIPE_SZ, OS_WIDE_BYTES); /* the smaller one works too */
}

static void tube_free(struct os_tubes *s, struct os_tube *p)
{
    close(p->in);
    close(p->out);
    free(p);
    s->count--;
}

static struct os_tube *tube_new(struct os_tubes *s)
{
    int fd[2];
    struct os_tube *p = s->count < OS_TUBES_MAX ? malloc(sizeof *p) : NULL;
    if (!p || pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0) {
        free(p);
        return NULL;
    }
    fcntl(fd[0], F_SETPIPE_SZ, OS_TUBE_BYTES); /* a smaller one works too */
    *p = (struct os_tube){.in = fd[1], .out = fd[0]};
    s->count++;
    return p;
}

struct os_tube *os_tubes_hot(struct os_tubes *s)
{
    if (s->hot)
        return s->hot;
    if ((s->hot = s->spare)) {
        s->spare = s->spare->next;
        s->spare_n--;
    } else {
        s->hot = tube_new(s);
    }
    return s->hot;
}

struct os_tube *os_tubes_take(struct os_tubes *s)
{
    struct os_tube *p = s->hot;
    s->hot = NULL;
    return p;
}

void os_tubes_give(struct os_tubes *s, struct os_tube *p)
{
    if (!p)
        return;
    if (p->n || s->spare_n == OS_TUBES_SPARE) {
        tube_free(s, p);
        return;
    }
    p->next = s->spare;
    s->spare = p;
    s->spare_n++;
}

void os_tubes_free(struct os_tubes *s)
{
    if (s->hot)
        tube_free(s, s->hot);
    for (struct os_tube *p; (p = s->spare);) {
        s->spare = p->next;
        tube_free(s, p);
    }
    *s = (struct os_tubes){0};
}

ssize_t os_splice_in(int fd, struct os_tube *p)
{
    ssize_t n;
    do
        n = splice(fd, NULL, p->in, NULL, OS_TUBE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    p->n += (size_t)n;
    return n;
}

ssize_t os_splice_out(struct os_tube *p, int fd)
{
    ssize_t n;
    do
        n = splice(p->out, NULL, fd, NULL, p->n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    p->n -= (size_t)n;
    return n;
}
