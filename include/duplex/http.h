/* SPDX-License-Identifier: MIT
 *
 * http.h - one HTTP exchange is one dx_conn, the same for every version (RFC 9110).
 *
 * SERVER     on_open: the request's head is in: ask below. on_data: its body. on_end: its body is complete (also
 *            when it had none). Answer with dx_http_reply, or dx_http_head and then dx_send ... dx_finish: a reply that
 *            dx_http_head has begun goes on behind the request's end, also where there is no on_end.
 *            Sending before a head is 200 with defaults. Expect: 100-continue is answered when on_open returns,
 *            unless answered or paused. Idle keep-alive connections are not conns; a pipelined request's on_open
 *            waits for the reply before it. on_event DX_GONE: the client has said its end while the exchange runs. It may have
 *            gone, or wait for the reply with half its connection closed; a reset is on_close as ever. It is not seen while
 *            we read no more: paused, or with a further request waiting. What is not HTTP/1.1 to the letter (docs/why/http1-strict.md), or over a limit, never
 *            becomes a conn: it is answered with 400, 408, 413, 414, 417, 421, 431, 501 or 505, and the connection ends.
 * TRAILERS   Fields behind a body that came in chunks: DX_TRAILERS (arg NULL) comes once before on_end where there are some;
 *            ask dx_http_trailer. Those that may not trail (RFC 9110 6.5.1) are left out; Content-Length, Transfer-Encoding
 *            and Host there are breaches, as are more than 32 or 8 KiB. dx_http_trailers sends them, both sides.
 * CLIENT     dx_connect to http:// or https:// is one exchange on a connection of its own (it asks for Connection: close).
 *            on_open: it stands, TLS too. Say dx_http_request then or any time later, once. Who sends or finishes without
 *            it asks for a POST of the URL's target, with what is sent as its body, in chunks. dx_finish ends the body
 *            (never by the end of the connection, so reading goes on).
 *            Then come DX_INFO for each 1xx (arg: const int *status; its fields are skipped; 101 is DX_PROTO), DX_HEAD
 *            (arg NULL) when the response's head is in: ask below; on_data: its body; on_end: its body is complete
 *            (also when there is none: HEAD, 204, 304). When the request is whole too, on_close follows by itself.
 *            EARLY: the response may come, and be complete, before the request is. Sending goes on until dx_finish, or
 *            until dx_close (at once, where there is no on_end), which breaks the request off.
 *            CUT: dx_close makes no request whole: what is queued goes out, and the server sees that the rest is missing.
 *            A body that dx_finish leaves shorter than its length breaks the conn off: DX_TRUNCATED. So does a
 *            response that stops inside its head or body; where its end is that of the connection, TLS must have
 *            said it (close_notify). DX_PROTO with DX_OF_HTTP: not HTTP/1 (detail: the status, if one came);
 *            with DX_OF_TLS: the server speaks TLS there.
 *            dial_ms_max is for the connection; a response may take as long as idle_ms_max.
 *            dx_opts.frame, .coding and .protocols are not for exchanges.
 * VIEWS      What the calls below return is good until on_close, or dx_ws_accept; a NULL p means absent.
 * WEBSOCKET  dx_ws_accept (ws.h) turns the same conn into messages, once, before any data.
 */
#ifndef DUPLEX_HTTP_H
#define DUPLEX_HTTP_H
#include <duplex/duplex.h>
#include <duplex/text.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_http_field {
    const char *name, *value; /* names in any case */
} dx_http_field;

/* Of what came: the request on a server's conn; on a client's the response, from DX_HEAD on: before it all are absent, and
 * method to host always. */
DX_API bool     dx_http_is(const dx_conn *c);              /* an exchange, and not yet a tunnel           */
DX_API int      dx_http_status(const dx_conn *c);          /* of the response: what came, a server's: what has gone; 0: none yet */
DX_API uint64_t dx_http_sent(const dx_conn *c);            /* bytes of the body that a server's conn has taken; in on_close too */
DX_API dx_bytes dx_http_method(const dx_conn *c);
DX_API dx_bytes dx_http_target(const dx_conn *c);          /* as it came                                  */
DX_API dx_bytes dx_http_path(const dx_conn *c);            /* of the target, still percent-encoded        */
DX_API dx_bytes dx_http_query(const dx_conn *c);           /* without the '?'; NULL: none                 */
DX_API dx_bytes dx_http_host(const dx_conn *c);            /* Host or :authority                          */
DX_API dx_bytes dx_http_header(const dx_conn *c, const char *name);   /* the first of that name           */
DX_API dx_bytes dx_http_header_at(const dx_conn *c, size_t i, dx_bytes *ret_name); /* NULL: no more       */
DX_API dx_bytes dx_http_trailer(const dx_conn *c, const char *name);  /* the same, from DX_TRAILERS on    */
DX_API dx_bytes dx_http_trailer_at(const dx_conn *c, size_t i, dx_bytes *ret_name);
DX_API int64_t  dx_http_length(const dx_conn *c);          /* of the body, 0: none; -1: not said           */
DX_API int      dx_http_version(const dx_conn *c);         /* 10, 11, 20, 30                              */
DX_API bool     dx_http_wants_ws(const dx_conn *c);        /* a WebSocket handshake that dx_ws_accept takes */

/* Facts that the views above hold, read for you. Lists: p NULL is "says nothing". */
DX_API dx_bytes dx_http_cookie(const dx_conn *c, const char *name);  /* the first of that name, as it came; NULL: absent */
DX_API dx_bytes dx_http_cookie_at(const dx_conn *c, size_t i, dx_bytes *ret_name); /* NULL: no more        */
/* dx_form_get and dx_form_at (text.h) of the query. */
DX_API int      dx_http_param(const dx_conn *c, const char *name, size_t nth, dx_text *out);
DX_API int      dx_http_param_at(const dx_conn *c, size_t i, dx_text *name, dx_text *value);
/* How welcome what ("text/html", "zh-CN", "gzip") is to a list with weights (Accept, Accept-Language, Accept-Encoding): 0-1000, by the
 * most precise range that fits. No list: 1000. */
DX_API int      dx_http_quality(dx_bytes list, const char *what);
DX_API dx_bytes dx_http_charset(const dx_conn *c);         /* of Content-Type, without quotes. Good until the next call of this thread */
DX_API bool     dx_http_keeps_alive(const dx_conn *c);     /* may another exchange follow on the connection?  */
/* DATES      of HTTP (RFC 9110 5.6.7), as Last-Modified, Expires and their like hold them, in seconds since 1970: of the years 0 to
 *            9999; what is beyond is written as the nearest of them. */
DX_API void     dx_http_date(char ret[30], int64_t s);     /* "Sun, 06 Nov 1994 08:49:37 GMT"              */
/* All three forms. now_s says which century a year of two digits is of. 0; DX_URL: no date, and *ret_s is as it was. */
DX_API int      dx_http_date_read(dx_bytes field, int64_t now_s, int64_t *ret_s);
/* 32 hex digits that name this exchange in logs; no other of this process has them. Good until the next call of this thread. */
DX_API const char *dx_http_id(const dx_conn *c);

/* A whole reply; then the exchange ends by itself. extra: count more fields; control bytes in them are DX_URL.
 * Content-Length, Date (where extra has none) and, unless type is NULL or extra has one, Content-Type are added; Content-Length and
 * Transfer-Encoding are ours alone (DX_URL), and Connection: close in extra ends the connection behind the reply; it is added where
 * more of the request's body than discard_bytes_max is to come, or may (chunks). The body is
 * not sent where there may be none: to HEAD, and with 204, 205 and 304. DX_STATE: a head has gone. DX_URL: also a
 * status that is not 200-999. DX_ABSENT: a 2xx to CONNECT, which would open a tunnel; who sends without a head answers 501. */
DX_API int dx_http_reply(dx_conn *c, int status, const char *type, const void *body, size_t n,
                         const dx_http_field *extra, size_t count);
/* The head alone: length -1 streams (chunked in 1.1); the body follows by dx_send, its end by dx_finish. To 1.0 that end is the
 * connection's: what cuts it before dx_finish or dx_close, dx_opts.idle_ms_max too, breaks it off, so that half does not look whole. */
DX_API int dx_http_head(dx_conn *c, int status, int64_t length, const dx_http_field *fields, size_t count);
/* An informational response before the head: 100, or 102 to 199 (103 with Link fields). A client of HTTP/1.0 knows none, and is sent
 * none. 0; DX_STATE: a head has gone, or no server's exchange; DX_URL: another status, a field as in dx_http_reply; DX_NOMEM. */
DX_API int dx_http_info(dx_conn *c, int status, const dx_http_field *fields, size_t count);
/* Fields to go behind the body that is being sent in chunks, when it ends; may be called more than once. Where no chunks go (a
 * client of HTTP/1.0, a reply without a body) they are dropped. 0; DX_STATE: before the head, for a body by length, or after its
 * end; DX_URL: a field that may not trail or would split the section; DX_BIG: over 8 KiB in all; DX_NOMEM. */
DX_API int dx_http_trailers(dx_conn *c, const dx_http_field *fields, size_t count);
DX_API const char *dx_http_reason(int status);             /* "Not Found"                                 */
/* FIELDS     of the head to come, whichever call sends it (dx_ws_accept too); a field that this call is given itself wins over one of
 *            that name set here. 0; DX_STATE: no server's exchange, or its head has gone; DX_URL: a name or value that cannot be, or
 *            Content-Length, Transfer-Encoding, Connection or Date, which are ours; DX_BIG: over 32 KiB in all; DX_NOMEM. */
DX_API int dx_http_set(dx_conn *c, const char *name, const char *value); /* in place of all of that name; NULL: none */
DX_API int dx_http_add(dx_conn *c, const char *name, const char *value); /* one more                          */
enum dx_same_site { DX_SAME_SITE_UNSAID, DX_SAME_SITE_LAX, DX_SAME_SITE_STRICT, DX_SAME_SITE_NONE };
typedef struct dx_cookie {
    const char *name, *value;
    const char *path, *domain;   /* NULL: not said                                                        */
    int64_t max_age_s;           /* 0: until the browser ends; < 0: it goes at once                          */
    enum dx_same_site same_site;
    bool secure, http_only, partitioned;
} dx_cookie;
/* Set-Cookie, in place of an earlier one of the same name, path and domain (RFC 6265). As above; DX_URL also: SameSite=None or
 * partitioned without secure, and what __Secure- and __Host- names forbid, for browsers would drop it silently. */
DX_API int dx_http_set_cookie_sized(dx_conn *c, const dx_cookie *k, size_t k_bytes);
static inline int dx_http_set_cookie(dx_conn *c, const dx_cookie *k)
{
    return dx_http_set_cookie_sized(c, k, sizeof(dx_cookie));
}
DX_API int dx_http_end_connection(dx_conn *c); /* after this reply: Connection: close. DX_STATE: as above        */
/* A whole reply: 301, 302, 303, 307 or 308 (0: 302), to an absolute or relative URL; what cannot stand in one is percent-encoded.
 * DX_URL: another status, an empty location or control characters in it. */
DX_API int dx_http_redirect(dx_conn *c, int status, const char *location);

/* LIMITS     of a server: dx_opts.http for all of a listener, dx_route.limits (router.h) for a prefix. 0: the default, or for a
 *            prefix what the listener has; -1: none. What is over is answered with the status named here where no head has gone,
 *            and the connection ends; on_close is told DX_TIMEOUT or DX_BIG. */
typedef struct dx_http_limits {
    int64_t head_ms;           /* 10 000: for a head, from its first byte on: 408 *                         */
    int64_t idle_ms;           /* 75 000: between exchanges *; longer than proxies keep theirs to us        */
    int64_t body_ms;           /* none: for a whole body: 408                                               */
    int64_t answer_ms;         /* none: from on_open until the head of the reply: 503                        */
    int64_t receive_s_min;     /* bytes a second of a body that we wait for: 408. Default 240, and only until the reply's
                                  head goes: from there on it is a conversation. A number holds for all of the body       */
    int64_t send_s_min;        /* 240: bytes a second that a client takes while something waits for it: broken off      */
    int64_t grace_ms;          /* 5 000: both rates are judged over so long, again and again                  */
    int64_t body_bytes_max;    /* none: 413                                                                */
    int64_t head_bytes_max;    /* 32 768, which is also the most: 431, or 414 where it is one line *          */
    int64_t fields_max;        /* 100, which is also the most: 431 *                                        */
    int64_t requests_max;      /* none: exchanges on a connection *                                         */
    int64_t discard_bytes_max; /* 1 MiB: of a body that nobody wants, read for the sake of the next request...  */
    int64_t discard_ms;        /* 2 000: ...and so long                                                     */
    int64_t zero[8];           /* must be: later limits come here.       * of a listener alone, not a prefix */
} dx_http_limits;

/* A long poll: the answer waits for news. Unless a head has gone by then, after ms the reply is status without a body (0: 204), and
 * so it is at once when the client says its end, for it may have gone. Called again it counts anew. A handler without on_end
 * does not close a conn that waits. 0; DX_STATE: a head has gone; DX_URL: ms < 0, or a status as in dx_http_reply; DX_NOMEM. */
DX_API int dx_http_park(dx_conn *c, int64_t ms, int status);
/* A client's request. target NULL: the URL's path and query; else "/..." or "*" as it goes on the wire. length: of the body,
 * which follows by dx_send, dx_send_file and dx_finish; -1: in chunks; 0, and -1 with GET or HEAD: there is none, the
 * request is whole, and our end is said with it (dx_send and dx_finish are DX_STATE). A body longer than length is
 * DX_BIG. Host and User-Agent are added where fields has none; Content-Length, Transfer-Encoding and Connection are ours
 * alone. 0; DX_STATE: a request or a response's head has gone, our end is said, or no client's exchange; DX_URL: a method,
 * target or length that cannot be, a field of ours or one that would split the head, and what RFC 9110 forbids: Expect: 100-continue
 * without a body, a body, login or cookie with TRACE, chunked in TE; DX_BIG: a head over 32 KiB; DX_ABSENT:
 * CONNECT; DX_NOMEM. Nothing has gone then. */
DX_API int dx_http_request(dx_conn *c, const char *method, const char *target, const dx_http_field *fields, size_t count,
                           int64_t length);
/* CONNECT and Upgrade: the conn becomes bytes, with handler h if not NULL. Not in this build yet. */
DX_API int dx_http_tunnel(dx_conn *c, const char *protocol, const dx_handler *h, void *user);

#ifdef __cplusplus
}
#endif
#endif
