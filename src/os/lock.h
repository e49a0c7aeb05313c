/* SPDX-License-Identifier: MIT
 * lock.h - the two locks of the mailbox, and what a thread does at its end. */
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
#define os_rwlock_init(l)  pthread_rwlock_init(l, NULL)
#define os_rwlock_free(l)  pthread_rwlock_destroy(l)
#define os_rwlock_read(l)  pthread_rwlock_rdlock(l)
#define os_rwlock_write(l) pthread_rwlock_wrlock(l)
#define os_rwlock_give(l)  pthread_rwlock_unlock(l)

/* fn(value) runs when a thread ends that has set the key to a value. */
typedef pthread_key_t os_key;
typedef pthread_once_t os_once;
#define OS_ONCE_INIT      PTHREAD_ONCE_INIT
#define os_once_do(o, fn) pthread_once(o, fn)
#define os_key_new(k, fn) pthread_key_create(k, fn) /* 0: made */
#define os_key_set(k, v)  pthread_setspecific(k, v) /* 0: set  */
#endif
