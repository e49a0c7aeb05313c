/* SPDX-License-Identifier: MIT
 * exchange.h - a talk over HTTP: stdin is the body of a POST, stdout the response's body; and what becomes of the
 * requests that a listener gets. */
#ifndef TOOL_EXCHANGE_H
#define TOOL_EXCHANGE_H
#include <duplex/http.h>

/* Asks for what the URL names. The body follows: of a file on stdin it says the length; what is typed goes line by line; of
 * a pipe nothing goes before its first byte, so that an empty one is an empty body. 0 or < 0. */
int exchange_ask(dx_conn *c);
void exchange_tell(dx_conn *c, int what, const void *arg); /* of an event: status and fields, on stderr */
bool exchange_refused(const dx_conn *c, const char *url);  /* an answer of 400 and up; then it has said so */
/* An HTTP exchange that wants a WebSocket becomes one; a page from elsewhere gets 403 and stays an exchange. */
bool exchange_accept_ws(dx_conn *c);
/* Is the client of a listener one to talk with? An HTTP exchange is where it becomes a WebSocket; another is answered. */
bool exchange_talks(dx_conn *c);
#endif
