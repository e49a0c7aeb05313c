/* SPDX-License-Identifier: MIT */
#include "os/resolve.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 4, DESCRIPTORS = 4 /* what looking a name up may open at once */ };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct resolve *first, **last = &first;
static int threads, idle;

/* Without a descriptor the files and servers that know names are not asked, and the answer is that there is no such name. */
static int no_descriptor(void)
{
    int fd[DESCRIPTORS], n = 0, error = 0;
    while (n < DESCRIPTORS && (fd[n] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
        n++;
    if (n < DESCRIPTORS && (errno == EMFILE || errno == ENFILE))
        error = errno;
    while (n > 0)
        close(fd[--n]);
    return error;
}

static void look_up(struct resolve *r)
{
    struct addrinfo hints = {.ai_family = r->family, .ai_socktype = SOCK_STREAM}, *list = NULL;
    r->gai = getaddrinfo(r->host, NULL, &hints, &list);
    r->error = r->gai == EAI_SYSTEM ? errno : r->gai ? no_descriptor() : 0;
    for (struct addrinfo *a = list; a && r->count < RESOLVE_MAX; a = a->ai_next) {
        struct addr *to = &r->found[r->count++];
        *to = (struct addr){.n = a->ai_addrlen};
        memcpy(&to->any, a->ai_addr, a->ai_addrlen);
    }
    if (list)
        freeaddrinfo(list);
}

static void *helper(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!first) {
            idle++;
            pthread_cond_wait(&more, &lock);
            idle--;
        }
        struct resolve *r = first;
        first = r->next;
        if (!first)
            last = &first;
        pthread_mutex_unlock(&lock);
        look_up(r);
        r->done(r);
        pthread_mutex_lock(&lock);
    }
    return NULL;
}

/* Signals are the program's own threads' affair. */
static bool add_thread(void)
{
    sigset_t all, old;
    pthread_t t;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = pthread_create(&t, NULL, helper, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (ok)
        pthread_detach(t);
    return ok;
}

int resolve_start(struct resolve *r)
{
    int result = 0;
    pthread_mutex_lock(&lock);
    if (idle == 0 && threads < THREADS_MAX && add_thread())
        threads++;
    if (threads == 0) {
        result = DX_LIMIT;
    } else {
        r->next = NULL;
        *last = r;
        last = &r->next;
        pthread_cond_signal(&more);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

const char *resolve_text(int gai)
{
    return gai_strerror(gai);
}
