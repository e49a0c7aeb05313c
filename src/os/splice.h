/* SPDX-License-Identifier: MIT
 * splice.h - tubes: pipes that bytes pass through from one stream to another without being copied into this process. Unlike the pipe to a
 * file (pipe.h) one may stay full for as long as its reader rests; taken only then, so that an idle conn has none. */
#ifndef OS_SPLICE_H
#define OS_SPLICE_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    OS_TUBE_BYTES = 512 << 10, /* asked for; a process with many of them gets less */
    OS_TUBES_MAX = 32,         /* at a time: past that there is none to be had     */
    OS_TUBES_SPARE = 4,        /* kept for the next                                */
    OS_WIDE_BYTES = 1 << 20,   /* somebody's pipe: all that a user may ask for     */
};
struct os_tube {
    struct os_tube *next;
    int in, out; /* we write to in and read from out */
    size_t n;    /* bytes in it                      */
};
struct os_tubes {
    struct os_tube *hot; /* what arrives comes in here; NULL: none made yet */
    struct os_tube *spare;
    int spare_n, count;
};
/* Can it be spliced without waiting, out: into it, else from it? Sockets that are non-blocking, and pipes; from files, which wait for their
 * disk as a read does. Into files goes pipe.h. */
bool os_splices(int fd, bool out);
/* A pipe of somebody's holds OS_WIDE_BYTES from now on, if it may; anything else is left alone. With the usual 64 KiB whoever is at the
 * other end waits for us each 16 pages; with no more than a tube takes, still now and then. */
void os_splice_widen(int fd);
struct os_tube *os_tubes_hot(struct os_tubes *s);          /* empty; NULL: none to be had                 */
struct os_tube *os_tubes_take(struct os_tubes *s);         /* the hot one with what is in it: the caller's */
void os_tubes_give(struct os_tubes *s, struct os_tube *p); /* back; bytes in it are thrown away. NULL is fine */
void os_tubes_free(struct os_tubes *s);                    /* none is out                                 */
/* As much as is there and p takes; 0: the end; or -errno. p is empty. */
ssize_t os_splice_in(int fd, struct os_tube *p);
/* Some of p's bytes; or -errno. A reader that is gone raises SIGPIPE. */
ssize_t os_splice_out(struct os_tube *p, int fd);
#endif
