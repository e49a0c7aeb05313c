/* SPDX-License-Identifier: MIT */
#include "os/fd.h"
#include "os/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

bool os_fd_has_input(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* A socket that was reset keeps the count of what it had not sent, though nothing of it goes out any more. */
static bool is_dead(int fd)
{
    struct pollfd p = {.fd = fd};
    return poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP);
}

size_t os_fd_unsent(int fd)
{
    struct stat st;
    int n = 0;
    if (fd < 0 || fstat(fd, &st) < 0 || !(S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)) || is_dead(fd))
        return 0;
    return ioctl(fd, S_ISSOCK(st.st_mode) ? SIOCOUTQ : FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
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

/* ---- whole files ---- */

enum { READ_STEP = 16 << 10, TEMP_ROOM = 4096 };

/* Appends what fd still has. */
static int read_rest(int fd, size_t bytes_max, char **p, size_t *n)
{
    size_t cap = 0;
    for (;;) {
        if (cap - *n < 2) {
            cap += READ_STEP + cap / 2;
            char *more = realloc(*p, cap);
            if (!more)
                return ENOMEM;
            *p = more;
        }
        ssize_t r = read(fd, *p + *n, cap - *n - 1);
        if (r < 0 && errno != EINTR)
            return errno;
        if (r == 0)
            break;
        *n += r > 0 ? (size_t)r : 0;
        if (*n > bytes_max)
            return EFBIG;
    }
    (*p)[*n] = '\0';
    return 0;
}

int os_file_read(const char *path, size_t bytes_max, char **ret, size_t *ret_n, unsigned *ret_mode)
{
    char *p = NULL;
    size_t n = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    int error = fstat(fd, &st) < 0 ? errno : read_rest(fd, bytes_max, &p, &n);
    os_fd_close(fd);
    if (error) {
        free(p);
        return error;
    }
    *ret = p;
    *ret_n = n;
    if (ret_mode)
        *ret_mode = st.st_mode & 07777;
    return 0;
}

/* Opens a new file beside path, with no more rights than mode from the start. */
static int open_beside(const char *path, unsigned mode, char temp[TEMP_ROOM])
{
    uint32_t random;
    for (int i = 0; i < 100; i++) {
        os_random(&random, sizeof random);
        if (snprintf(temp, TEMP_ROOM, "%s.%08x", path, (unsigned)random) >= TEMP_ROOM) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int fill_and_sync(int fd, const void *p, size_t n, unsigned mode)
{
    int64_t w = os_fd_write(fd, p, n);
    if (w < 0)
        return (int)-w;
    return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? errno : 0;
}

static int name_it(const char *temp, const char *path, bool replace)
{
    if (replace)
        return rename(temp, path) < 0 ? errno : 0;
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* A file system, or a kernel, without that flag: NFS has links, vfat does not and knows the flag. */
    if (link(temp, path) < 0)
        return errno;
    unlink(temp);
    return 0;
}

/* Else the new name may be gone after a power cut. Not every file system can, and the file itself is safe. */
static void sync_folder_of(const char *path)
{
    char folder[TEMP_ROOM];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
    os_fd_close(fd);
}

int os_file_write(const char *path, const void *p, size_t n, unsigned mode, bool replace)
{
    char temp[TEMP_ROOM];
    int fd = open_beside(path, mode, temp);
    if (fd < 0)
        return errno;
    int error = fill_and_sync(fd, p, n, mode);
    if (close(fd) < 0 && !error)
        error = errno;
    if (!error)
        error = name_it(temp, path, replace);
    if (error)
        unlink(temp);
    else
        sync_folder_of(path);
    return error;
}

bool os_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static int make_folder(const char *path, unsigned mode)
{
    struct stat st;
    int error = mkdir(path, mode) < 0 ? errno : 0;
    /* What is there is all that is wanted, whatever mkdir says of it: on a read-only system, say. */
    if (!error || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return 0;
    return error == EEXIST ? ENOTDIR : error;
}

int os_make_folders(const char *path, unsigned mode)
{
    char at[TEMP_ROOM];
    if ((size_t)snprintf(at, sizeof at, "%s", path) >= sizeof at)
        return ENAMETOOLONG;
    for (char *p = strchr(at + (*at == '/'), '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        int error = make_folder(at, mode);
        if (error)
            return error;
        *p = '/';
    }
    return make_folder(at, mode);
}

/* ---- children ---- */

static bool is_named(const char *const *env, const char *variable)
{
    for (; *env; env++) {
        size_t n = strcspn(*env, "=");
        if (!strncmp(*env, variable, n) && variable[n] == '=')
            return true;
    }
    return false;
}

/* env and then ours; the strings are the same. NULL: no memory. */
static char **environment(const char *const *env)
{
    size_t more = 0, ours = 0, n = 0;
    while (env[more])
        more++;
    while (environ[ours])
        ours++;
    char **all = calloc(more + ours + 1, sizeof *all);
    for (size_t i = 0; all && i < more; i++)
        all[n++] = (char *)(uintptr_t)env[i];
    for (size_t i = 0; all && i < ours; i++)
        if (!is_named(env, environ[i]))
            all[n++] = environ[i];
    return all;
}

static int spawn_on(char **argv, const char *const *env, int in, int out, pid_t *ret)
{
    char **all = env ? environment(env) : environ;
    if (!all)
        return ENOMEM;
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&at);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&at, 0);
    posix_spawnattr_setsigmask(&at, &none);
    posix_spawnattr_setsigdefault(&at, &defaults);
    int error = posix_spawnp(ret, argv[0], &fa, &at, argv, all);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&at);
    if (env)
        free(all);
    return error;
}

int os_spawn(char **argv, const char *const *env, int *ret_pid, int *ret_in, int *ret_out)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    pid_t pid = 0;
    int error =
        pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0 ? errno : spawn_on(argv, env, to[0], from[1], &pid);
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
