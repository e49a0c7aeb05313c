/* SPDX-License-Identifier: MIT
 * err.h - filling a dx_err: verb, URL, cause, made once, at the bottom. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <duplex/duplex.h>

/* Fills *e (NULL is fine) and returns code, so that a failing line reads `return err_set(e, DX_URL, ...)`.
 * Text that does not fit is cut at a character's edge. */
int err_set(dx_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for a system call: detail is the errno, and ": " and its words are added. code 0: DX_SYS, DX_REFUSED,
 * DX_RESET, DX_TIMEOUT, DX_BUSY, DX_LIMIT or DX_NOMEM by the errno. */
int err_sys(dx_err *e, int code, int saved_errno, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int err_code_of_errno(int saved_errno);
#endif
