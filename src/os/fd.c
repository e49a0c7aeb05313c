/* SPDX-License-Identifier: MIT */
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REAP_STEPS = 100, REAP_STEP_MS = 20 };
extern char **environ;

void os_fd_close(int fd)
{
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
}

int os_fd_dup(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Non-blocking without changing what others see: another process may share the descriptor, so a pipe or a terminal is
 * opened anew; a socket or a file is only doubled. */
int os_fd_own(int fd, bool write)
{
    struct stat st;
    char path[32];
    if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, (write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (own >= 0)
            return own;
    }
    return os_fd_dup(fd);
}

int64_t os_fd_rest(int fd, int64_t off)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    return !S_ISREG(st.st_mode) ? INT64_MAX : st.st_size > off ? st.st_size - off : 0;
}

int os_fd_use(int fd)
{
    struct stat st;
    int mode = fcntl(fd, F_GETFL);
    if (mode < 0 || fstat(fd, &st) < 0)
        return -1;
    mode &= O_ACCMODE;
    return (mode != O_WRONLY ? OS_FD_READS : 0) | (mode != O_RDONLY ? OS_FD_WRITES : 0) |
           (S_ISSOCK(st.st_mode) ? OS_FD_SOCKET : 0);
}

void os_fd_end(int fd)
{
    shutdown(fd, SHUT_WR);
}

int64_t os_fd_write(int fd, const void *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t w = write(fd, (const char *)p + done, n - done);
        if (w >= 0)
            done += (size_t)w;
        else if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            return -errno;
    }
    return (int64_t)n;
}

int64_t os_fd_read_at(int fd, int64_t off, void *to, size_t n)
{
    ssize_t r;
    do
        r = pread(fd, to, n, off);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

void os_unlink(const char *path)
{
    unlink(path);
}

int os_open(const char *path, enum os_open how)
{
    int flags = how == OS_READ     ? O_RDONLY
                : how == OS_APPEND ? O_WRONLY | O_CREAT | O_APPEND
                                   : O_WRONLY | O_CREAT | O_EXCL;
    return open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
}

/* ---- children ---- */

static int spawn_on(char **argv, int in, int out, pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&at);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&at, 0);
    posix_spawnattr_setsigmask(&at, &none);
    posix_spawnattr_setsigdefault(&at, &defaults);
    int error = posix_spawnp(ret, argv[0], &fa, &at, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&at);
    return error;
}

int os_spawn(char **argv, int *ret_pid, int *ret_in, int *ret_out)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    pid_t pid = 0;
    int error = pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0 ? errno : spawn_on(argv, to[0], from[1], &pid);
    os_fd_close(to[0]);
    os_fd_close(from[1]);
    if (error) {
        os_fd_close(to[1]);
        os_fd_close(from[0]);
        return error;
    }
    fcntl(to[1], F_SETFL, O_NONBLOCK); /* these ends are ours alone */
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    *ret_pid = pid;
    *ret_in = from[0];
    *ret_out = to[1];
    return 0;
}

static void *reap_slowly(void *arg)
{
    pid_t pid = (pid_t)(intptr_t)arg;
    for (int i = 0; i < REAP_STEPS; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return NULL;
        poll(NULL, 0, REAP_STEP_MS);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return NULL;
}

void os_reap(int pid)
{
    pthread_t t;
    sigset_t all, old;
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return;
    kill(-pid, SIGHUP);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&t, NULL, reap_slowly, (void *)(intptr_t)pid) == 0)
        pthread_detach(t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
