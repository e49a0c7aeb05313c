/* SPDX-License-Identifier: MIT
 * absent.c - the blocking form of duplex.h is not in this build yet: each constructor says so. */
#include "base/err.h"

static const char words[] = "the blocking form is not in this build";

dx_sock *dx_listen_sized(const char *url, const dx_opts *o, size_t o_bytes, dx_err *err)
{
    (void)o;
    (void)o_bytes;
    err_set(err, DX_ABSENT, "listen %s: %s", url, words);
    return NULL;
}

dx_sock *dx_dial_sized(const char *url, const dx_opts *o, size_t o_bytes, dx_err *err)
{
    (void)o;
    (void)o_bytes;
    err_set(err, DX_ABSENT, "dial %s: %s", url, words);
    return NULL;
}

dx_sock *dx_accept(dx_sock *listener, dx_err *err)
{
    (void)listener;
    err_set(err, DX_ABSENT, "accept: %s", words);
    return NULL;
}

int64_t dx_recv(dx_sock *s, void *buf, size_t n)
{
    (void)s;
    (void)buf;
    (void)n;
    return DX_ABSENT;
}

int64_t dx_take(dx_sock *s, const void **ret_data)
{
    (void)s;
    (void)ret_data;
    return DX_ABSENT;
}

int64_t dx_recv_line(dx_sock *s, char *buf, size_t n)
{
    (void)s;
    (void)buf;
    (void)n;
    return DX_ABSENT;
}

int dx_write(dx_sock *s, const void *data, size_t n)
{
    (void)s;
    (void)data;
    (void)n;
    return DX_ABSENT;
}

void dx_deadline(dx_sock *s, int64_t ms)
{
    (void)s;
    (void)ms;
}

int dx_hangup(dx_sock *s)
{
    (void)s;
    return DX_ABSENT;
}

dx_group *dx_group_new(size_t tasks_max, dx_err *err)
{
    (void)tasks_max;
    err_set(err, DX_ABSENT, "a group of tasks: %s", words);
    return NULL;
}

int dx_spawn(dx_group *g, void (*fn)(dx_sock *s, void *arg), dx_sock *s, void *arg)
{
    (void)g;
    (void)fn;
    (void)s;
    (void)arg;
    return DX_ABSENT;
}

int dx_group_wait(dx_group *g, int64_t ms)
{
    (void)g;
    (void)ms;
    return DX_ABSENT;
}

void dx_group_free(dx_group *g)
{
    (void)g;
}
