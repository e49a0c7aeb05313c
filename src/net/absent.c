/* SPDX-License-Identifier: MIT
 * absent.c - what quic.h promises and this build does not have yet: a clear answer, never a crash. */
#include "base/err.h"
#include <duplex/quic.h>

dx_session *dx_session_of(dx_conn *c)
{
    (void)c;
    return NULL;
}

dx_session *dx_session_ref(dx_session *s)
{
    return s;
}

void dx_session_drop(dx_session *s)
{
    (void)s;
}

dx_conn *dx_open_stream(dx_session *s, const dx_handler *h, void *user, dx_err *err)
{
    (void)s;
    (void)h;
    (void)user;
    err_set(err, DX_ABSENT, "QUIC is not in this build");
    return NULL;
}

int dx_datagram(dx_session *s, const void *data, size_t n)
{
    (void)s;
    (void)data;
    (void)n;
    return DX_ABSENT;
}
