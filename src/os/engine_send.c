/* SPDX-License-Identifier: MIT
 * engine_send.c - what a port is given to write: from memory, from files, from pipes. None of them waits, and none raises SIGPIPE. */
#include "os/engine_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

ssize_t os_send_wait(struct os_engine *e, struct os_port *p)
{
    p->send_wait = 1;
    engine_arm(e, p, p->armed | ARM_OUT);
    return -EAGAIN;
}

void os_send_forget(struct os_engine *e, struct os_port *p)
{
    p->send_wait = 0;
    engine_arm(e, p, p->armed & ARM_IN);
}

/* A pipe whose reader is gone raises SIGPIPE, which no flag of write and sendfile prevents: it is blocked for the moment and
 * what came of it is eaten, unless the program has it blocked anyway. */
static void quiet_begin(sigset_t *ret_old)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, ret_old);
}

static void quiet_end(const sigset_t *old, bool broken)
{
    int error = errno;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!sigismember(old, SIGPIPE)) {
        if (broken)
            sigtimedwait(&pipe, NULL, &(struct timespec){0});
        pthread_sigmask(SIG_SETMASK, old, NULL);
    }
    errno = error;
}

static ssize_t write_quietly(int fd, const struct iovec *v, size_t count)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = writev(fd, v, (int)count);
    quiet_end(&old, done < 0 && errno == EPIPE);
    return done;
}

static ssize_t sendfile_quietly(int to, int fd, off_t off, size_t n)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = sendfile(to, fd, &off, n);
    quiet_end(&old, done < 0 && errno == EPIPE);
    return done;
}

ssize_t os_send(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, bool more)
{
    ssize_t done;
    do {
        if (!p->socket) {
            done = write_quietly(p->fd, v, count);
        } else if (count == 1) {
            done = send(p->fd, v->iov_base, v->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        } else {
            struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = count};
            done = sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        }
    } while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN ? os_send_wait(e, p) : -errno;
}

ssize_t os_send_file(struct os_engine *e, struct os_port *p, int fd, int64_t off, size_t n)
{
    ssize_t done = -1;
    /* sendfile knows no MSG_DONTWAIT: only for sockets that are non-blocking, as all but handed-over ones are */
    bool straight = p->socket && fcntl(p->fd, F_GETFL) & O_NONBLOCK;
    while (straight && (done = sendfile_quietly(p->fd, fd, off, n)) < 0 && errno == EINTR)
        ;
    if (done >= 0)
        return done;
    if (straight && errno == EAGAIN)
        return os_send_wait(e, p);
    if (straight && errno != EINVAL && errno != ENOSYS)
        return -errno;
    size_t want = n < OS_RECV_MAX ? n : OS_RECV_MAX; /* no sendfile between these two: through memory */
    uint8_t *copy = malloc(want);
    ssize_t got = copy ? pread(fd, copy, want, off) : -1;
    int error = copy ? errno : ENOMEM;
    done = got > 0 ? os_send(e, p, &(struct iovec){copy, (size_t)got}, 1, false) : got == 0 ? 0 : -error;
    free(copy);
    return done;
}

ssize_t os_send_tube(struct os_engine *e, struct os_port *p, struct os_tube *from)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = os_splice_out(from, p->fd);
    quiet_end(&old, done == -EPIPE);
    return done == -EAGAIN ? os_send_wait(e, p) : done;
}

ssize_t os_send_datagrams(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, size_t seg,
                          const struct sockaddr *to, socklen_t to_n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct msghdr m = {.msg_name = (void *)(uintptr_t)to,
                       .msg_namelen = to_n,
                       .msg_iov = (struct iovec *)(uintptr_t)v,
                       .msg_iovlen = count};
    if (count > 1) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_UDP;
        control.head.cmsg_type = UDP_SEGMENT;
        control.head.cmsg_len = CMSG_LEN(sizeof(uint16_t));
        memcpy(CMSG_DATA(&control.head), &(uint16_t){(uint16_t)seg}, sizeof(uint16_t));
    }
    ssize_t done;
    do
        done = sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN ? os_send_wait(e, p) : -errno;
}
