/* SPDX-License-Identifier: MIT
 *
 * sse.h - server-sent events (the EventSource of browsers; text/event-stream of the HTML standard) on a server's HTTP exchange.
 *
 * In on_open: dx_sse_open instead of dx_http_reply. The conn is then a stream of events until dx_finish or dx_close: dx_sse_send puts
 * one into its queue by the rules of dx_send (1, DX_FULL, on_writable), dx_send_msg one that dx_sse_msg made for many conns at once.
 * A client that comes back says the id of the last event that it had: dx_sse_last_id, in on_open.
 * While nothing else is sent, comments are, which clients skip: proxies keep the stream open, and a client that is gone is noticed.
 * A client that says its end is taken for gone, and so is the stream. A handler without on_end does not close it.
 */
#ifndef DUPLEX_SSE_H
#define DUPLEX_SSE_H
#include <duplex/http.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_sse {     /* NULL and 0: not said                                                     */
    const char *id;         /* "" makes the client forget the last one                                   */
    const char *event;      /* its kind; not said it is "message"                                        */
    const char *data;       /* UTF-8; each CR, LF or CRLF in it arrives as LF. NULL: none, and then clients tell nobody of it */
    size_t n;
    int64_t retry_ms;       /* how long the client waits before it comes back; > 0                       */
} dx_sse;

/* Sends the head: 200, text/event-stream, Cache-Control: no-store, and up to 32 fields. After keep_ms, and before twice that, of silence a
 * comment goes (0: 15 000; -1: none). 0 and errors as dx_http_head; DX_URL: also another keep_ms < 0; DX_BIG: more fields. */
DX_API int dx_sse_open(dx_conn *c, int64_t keep_ms, const dx_http_field *fields, size_t count);
/* As dx_send of all of the event. DX_URL: CR, LF or NUL in id or event, retry_ms < 0, or nothing is said at all; DX_NOMEM. */
DX_API int dx_sse_send_sized(dx_conn *c, const dx_sse *e, size_t e_bytes);
static inline int dx_sse_send(dx_conn *c, const dx_sse *e)
{
    return dx_sse_send_sized(c, e, sizeof(dx_sse));
}
/* An event for dx_send_msg on any number of conns that dx_sse_open opened; yours to drop. NULL: what dx_sse_send calls DX_URL, or
 * no memory. */
DX_API dx_msg *dx_sse_msg_sized(const dx_sse *e, size_t e_bytes);
static inline dx_msg *dx_sse_msg(const dx_sse *e)
{
    return dx_sse_msg_sized(e, sizeof(dx_sse));
}
/* Last-Event-ID as it came; p NULL: the client has had none. Good until on_close. */
DX_API dx_bytes dx_sse_last_id(const dx_conn *c);

#ifdef __cplusplus
}
#endif
#endif
