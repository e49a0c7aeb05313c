/* SPDX-License-Identifier: MIT
 * lock.h - the two locks of the mailbox. */
#ifndef OS_LOCK_H
#define OS_LOCK_H
#include <pthread.h>

typedef pthread_mutex_t os_lock;
typedef pthread_rwlock_t os_rwlock;
#define OS_RWLOCK_INIT     PTHREAD_RWLOCK_INITIALIZER
#define os_lock_init(l)    pthread_mutex_init(l, NULL)
#define os_lock_free(l)    pthread_mutex_destroy(l)
#define os_lock_take(l)    pthread_mutex_lock(l)
#define os_lock_give(l)    pthread_mutex_unlock(l)
#define os_rwlock_read(l)  pthread_rwlock_rdlock(l)
#define os_rwlock_write(l) pthread_rwlock_wrlock(l)
#define os_rwlock_give(l)  pthread_rwlock_unlock(l)
#endif
