/* SPDX-License-Identifier: MIT
 * err.c - words for what went wrong. Every dx_err is filled here. */
#include "err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The length of s without a character that was cut at its end. */
static size_t whole_length(const char *s, size_t n)
{
    size_t lead = n;
    while (lead > 0 && n - lead < 3 && ((unsigned char)s[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return n;
    unsigned char c = (unsigned char)s[--lead];
    size_t want = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    return n - lead < want ? lead : n;
}

/* No error text carries a control byte: parts of it may come from a peer, and it ends on somebody's terminal. */
static void text_tidy(char *s, bool cut)
{
    if (cut)
        s[whole_length(s, strlen(s))] = '\0';
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            *s = '?';
}

__attribute__((format(printf, 2, 0))) static void text_put(dx_err *e, const char *fmt, va_list args)
{
    int n = vsnprintf(e->text, sizeof e->text, fmt, args);
    if (n < 0)
        e->text[0] = '\0';
    text_tidy(e->text, n >= (int)sizeof e->text);
}

int err_set(dx_err *e, int code, const char *fmt, ...)
{
    if (!e)
        return code;
    va_list args;
    va_start(args, fmt);
    text_put(e, fmt, args);
    va_end(args);
    e->code = code;
    e->detail = 0;
    e->detail_of = DX_OF_NOTHING;
    return code;
}

int err_sys(dx_err *e, int code, int saved_errno, const char *fmt, ...)
{
    if (code == 0)
        code = err_code_of_errno(saved_errno);
    if (!e)
        return code;
    va_list args;
    va_start(args, fmt);
    text_put(e, fmt, args);
    va_end(args);
    /* The cause is never what is cut: a long URL gives way to it. strerror is thread-safe in glibc (2.32) and musl. */
    const char *why = strerror(saved_errno);
    size_t why_n = strlen(why) + 2, n = strlen(e->text);
    if (why_n < sizeof e->text && n + why_n >= sizeof e->text) {
        n = sizeof e->text - 1 - why_n;
        e->text[n] = '\0';
        text_tidy(e->text, true);
        n = strlen(e->text);
    }
    snprintf(e->text + n, sizeof e->text - n, ": %s", why);
    e->code = code;
    e->detail = saved_errno;
    e->detail_of = DX_OF_ERRNO;
    return code;
}

int err_code_of_errno(int saved_errno)
{
    switch (saved_errno) {
    case ECONNREFUSED:
        return DX_REFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return DX_RESET;
    case ETIMEDOUT:
        return DX_TIMEOUT;
    case EADDRINUSE:
        return DX_BUSY;
    case EMFILE:
    case ENFILE:
        return DX_LIMIT;
    case ENOMEM:
    case ENOBUFS:
        return DX_NOMEM;
    default:
        return DX_SYS;
    }
}

const char *dx_code_text(int code)
{
    static const char *const text[] = {
        "all is well",
        "the peer ended",
        "closed by us",
        "time is up",
        "the send queue is full",
        "a message is over its limit",
        "the peer broke it off",
        "nobody listens there",
        "no such name",
        "TLS failed",
        "the peer broke its protocol's rules",
        "it stopped before its own end mark",
        "the URL or an option does not read",
        "a limit was reached",
        "out of memory",
        "a system call failed",
        "the address is taken",
        "not in this build",
        "not possible now",
    };
    size_t i = code <= 0 && code > -1000 ? (size_t)-code : sizeof text;
    return i < sizeof text / sizeof *text ? text[i] : "an unknown error";
}
