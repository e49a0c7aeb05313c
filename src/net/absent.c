/* SPDX-License-Identifier: MIT
 * absent.c - what tls.h and quic.h promise and this build does not have yet: a clear answer, never a crash. */
#include "base/err.h"
#include <duplex/quic.h>
#include <duplex/tls.h>

static int no_tls(dx_err *err)
{
    return err_set(err, DX_ABSENT, "making certificates is not in this build");
}

int dx_cert_make_sized(const char *cert_path, const char *key_path, const dx_cert_opts *o, size_t o_bytes, dx_err *err)
{
    (void)cert_path;
    (void)key_path;
    (void)o;
    (void)o_bytes;
    return no_tls(err);
}

int dx_cert_auto(const char *names, char *cert_path, char *key_path, size_t path_n, dx_err *err)
{
    (void)names;
    (void)cert_path;
    (void)key_path;
    (void)path_n;
    return no_tls(err);
}

int dx_cert_folder(char *path, size_t path_n, dx_err *err)
{
    (void)path;
    (void)path_n;
    return no_tls(err);
}

int dx_cert_read(const char *path, void (*fn)(void *arg, const dx_cert_info *i), void *arg, dx_err *err)
{
    (void)path;
    (void)fn;
    (void)arg;
    return no_tls(err);
}

int dx_cert_check(const char *path, const char *host, const char *ca, dx_err *err)
{
    (void)path;
    (void)host;
    (void)ca;
    return no_tls(err);
}

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
