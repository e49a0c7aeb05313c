/* SPDX-License-Identifier: MIT
 * fd.h - the few things other rooms do with a descriptor or a path. */
#ifndef OS_FD_H
#define OS_FD_H
#include "base/url.h"

void os_fd_close(int fd);          /* -1 is fine; errno stays as it was */
int os_fd_dup(int fd);             /* close-on-exec; -1 and errno       */
int os_fd_own(int fd, bool write); /* a non-blocking descriptor of the same thing; -1 and errno. See fd.c */
/* Bytes from off to the end of a regular file, INT64_MAX of anything else; -1: errno. */
int64_t os_fd_rest(int fd, int64_t off);
enum os_fd_use { OS_FD_READS = 1, OS_FD_WRITES = 2, OS_FD_SOCKET = 4 };
int os_fd_use(int fd);        /* enum os_fd_use bits; -1: errno    */
void os_fd_end(int fd);       /* a socket's writing side           */
bool os_fd_has_input(int fd); /* of a socket: is there a byte to read now?                                     */
size_t os_fd_unsent(int fd);  /* what the peer of a socket has not acknowledged, the reader of a pipe not read */
int64_t os_fd_write(int fd, const void *p, size_t n);           /* all of it, waiting if need be (files); or -errno */
int64_t os_fd_read_at(int fd, int64_t off, void *to, size_t n); /* bytes, 0: the end; or -errno    */
void os_unlink(const char *path);
enum os_open { OS_READ, OS_WRITE_NEW, OS_APPEND };
int os_open(const char *path, enum os_open how); /* -1 and errno; OS_WRITE_NEW never over a file that is there */

/* All of a file, a NUL after it that *ret_n does not count; the caller frees it. EFBIG: it has more than bytes_max. *ret_mode (may be
 * NULL): its permission bits. 0 or errno. */
int os_file_read(const char *path, size_t bytes_max, char **ret, size_t *ret_n, unsigned *ret_mode);
/* A file with these bytes and this mode, whatever the umask: written beside path and synced before it gets that name, so that nobody
 * sees half of it. replace: in place of what is there; else never over it (EEXIST). 0 or errno, and then nothing is left. */
int os_file_write(const char *path, const void *p, size_t n, unsigned mode, bool replace);
bool os_exists(const char *path); /* even a link that leads nowhere */
/* Makes a folder and those above it, all with this mode. One that is there is fine. 0 or errno. */
int os_make_folders(const char *path, unsigned mode);

/* A child with pipes on its stdin and stdout, in a process group of its own; env, up to a NULL, goes before what we have of the same
 * names (NULL: none). 0 and *ret_in (what it says), *ret_out (what
 * it hears), both non-blocking; or errno. */
int os_spawn(char **argv, const char *const *env, int *ret_pid, int *ret_in, int *ret_out);
/* Its conn is gone. Hangs up on it if it still runs and reaps it: at once where it has ended, else from a helper thread. */
void os_reap(int pid);
#endif
