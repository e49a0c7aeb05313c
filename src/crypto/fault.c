/* SPDX-License-Identifier: MIT */
#include "crypto/fault.h"
#include "base/err.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int fault_set(dx_err *err, int detail, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(err, DX_TLS, "%s", text);
    if (err) {
        err->detail = detail;
        err->detail_of = DX_OF_TLS;
    }
    return DX_TLS;
}

const char *fault_words(int gnutls_code)
{
    static _Thread_local char text[120];
    snprintf(text, sizeof text, "%s", gnutls_strerror(gnutls_code));
    size_t n = strlen(text);
    if (n && text[n - 1] == '.')
        text[n - 1] = '\0';
    return text;
}

int fault_of_file(dx_err *err, int gnutls_code, const char *fmt, ...)
{
    int saved_errno = errno;
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (gnutls_code == GNUTLS_E_MEMORY_ERROR)
        return err_set(err, DX_NOMEM, "%s: no memory", text);
    if (gnutls_code == GNUTLS_E_FILE_ERROR)
        return err_sys(err, DX_SYS, saved_errno ? saved_errno : ENOENT, "%s", text);
    return fault_set(err, DX_TLS_FILE, "%s: %s", text, fault_words(gnutls_code));
}

int fault_of_no_store(dx_err *err)
{
    return fault_set(err, DX_TLS_FILE, "no certificates to trust in the system's store (package ca-certificates)");
}

const char *fault_day(int64_t seconds, char text[FAULT_DAY_ROOM])
{
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(text, FAULT_DAY_ROOM, "%Y-%m-%d", &tm);
    return text;
}
