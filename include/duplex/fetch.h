/* SPDX-License-Identifier: MIT
 *
 * fetch.h - ask a URL: an HTTP client with what stands around one exchange: connections kept for the next request, redirects,
 * proxies, compressed bodies.
 *
 * A FETCH    is one dx_conn, like the exchange that dx_connect to http:// or https:// makes (http.h, CLIENT, and its EARLY
 *            and CUT): DX_INFO, DX_HEAD, on_data, DX_TRAILERS, on_end, on_close; dx_http_status and its like ask the response.
 *            But the request is said in dx_fetch_opts, for it may have to be said again: it has gone, or waits for its
 *            connection, when dx_fetch returns, and dx_http_request is DX_STATE. on_open: a connection stands. The conn is one and the
 *            same whatever happens below: only the response that counts is seen.
 * BODY       opts.body, or opts.length bytes (-1: in chunks, till dx_finish) by dx_send and dx_send_file at any time after
 *            dx_fetch. It can be said again while it is opts.body, one whole dx_send_file, or at most 64 KiB of dx_send, and without
 *            dx_http_trailers.
 * KEPT       After an exchange that was whole on both sides its connection is kept by the loop, and the next fetch to the
 *            same scheme, host, port, proxy, URL options (its fragment) and opts.tls takes it, the last used first. One that has
 *            broken before a byte of the response came is tried once more on a new connection where the method is GET,
 *            HEAD, OPTIONS, TRACE, PUT or DELETE and the body can be said again; others take only one that was in use within
 *            the last second. A server that says anything unasked loses its connection. Kept ones do not keep dx_loop_run going.
 * REDIRECTS  opts.redirects_max > 0: 301, 302, 303, 307 and 308 with a Location are followed: to 303 and, for POST, to 301
 *            and 302 with GET and without the body; to 307 and 308 with all of it, where that can be said again. Never to another kind of
 *            URL, nor from https to http: DX_PROTO, with the status as detail. One too many: DX_LIMIT. A redirect that
 *            cannot be followed for another reason is the response. The body of one that is followed is read over, 64 KiB and a
 *            second at most. To another scheme, host or port no Authorization, Cookie, login or bearer goes along. The fragment of a
 *            Location means nothing; that of the URL holds for every hop. DX_STEP (words for people) comes for each that is followed.
 *            Bytes over 0x7F in a URL's path and query are sent percent-encoded.
 * DECODE     opts.decode: asks for gzip, deflate, br and zstd (unless fields have Accept-Encoding or Range) and takes one
 *            such coding off. More than ratio_max times of what came, counted from 16 MiB on, is DX_BIG; so is a body over
 *            body_bytes_max. A coding unknown or stacked, or a body that does not decode, is DX_PROTO, one that ends too early
 *            DX_TRUNCATED. dx_http_length and the fields stay as they came. zstd windows are at most 8 MiB (RFC 9659).
 * PROXY      "[KIND://][NAME:PASSWORD@]HOST[:PORT][#OPTIONS]", NAME and PASSWORD percent-encoded where they must be. Of KIND http (the
 *            default; port 80) and https (TLS with the proxy; port 443) it is asked for the whole URL by http, and by CONNECT for a
 *            tunnel by https; of KIND socks5h (port 1080) it is given the host, of socks5 the host's address, looked up here. OPTIONS are
 *            those of the connection to the proxy (#ca, #pin, #insecure, #bind): neither opts.tls nor the URL's fragment says whom to
 *            believe there. No login of the one goes to the other. A proxy that says no is DX_REFUSED, with the status it gave as detail
 *            (DX_OF_HTTP), one that answers in another protocol DX_PROTO. opts.proxy_for is called for the URL and for each that a
 *            redirect leads to, the first time before dx_fetch returns: its text is copied, NULL is no proxy, and it must call nothing of
 *            the library's. What the environment says of proxies is the caller's to read. dx_opts.proxy (duplex.h) takes the same texts
 *            for a tunnel to any host; other wires than those named there are DX_URL with it.
 */
#ifndef DUPLEX_FETCH_H
#define DUPLEX_FETCH_H
#include <duplex/http.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_fetch_opts {   /* zero means the default named here; all is copied, tls referred to       */
    const char *method;          /* "GET"; "POST" where there is a body                                     */
    const dx_http_field *fields; /* as in dx_http_request                                                   */
    size_t      count;
    dx_bytes    body;
    int64_t     length;          /* without body: what will be sent; -1: in chunks; 0: nothing              */
    int         redirects_max;   /* 0: none is followed                                                     */
    bool        decode;          /* false: bodies as they come                                              */
    bool        fresh;           /* a connection of its own, which is not kept either                       */
    const char *login;           /* "name:password": Basic                                                  */
    const char *bearer;          /* a token: Bearer                                                         */
    const char *proxy;           /* NULL, "": none                                                          */
    const char *(*proxy_for)(void *arg, const char *url); /* asked in place of it for each URL on the way   */
    void       *proxy_arg;
    dx_tls     *tls;             /* as in dx_opts                                                           */
    int64_t     dial_ms_max;     /* 10 000: for each connection                                             */
    int64_t     idle_ms_max;     /* 0: none                                                                 */
    int64_t     total_ms_max;    /* 0: none. From dx_fetch to the end of the body: DX_TIMEOUT               */
    int64_t     body_bytes_max;  /* 0: none. Of the body as on_data sees it                                 */
    int         ratio_max;       /* 200                                                                     */
} dx_fetch_opts;

/* h as in dx_connect. NULL for what can be said without waiting: DX_URL (also: not http or https, a field or method that cannot be),
 * DX_ABSENT, DX_BIG (head over 32 KiB), DX_NOMEM, DX_CLOSED, DX_TLS (certificates that do not read). */
DX_API dx_conn *dx_fetch_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_fetch_opts *o,
                               size_t o_bytes, dx_err *err);
static inline dx_conn *dx_fetch(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_fetch_opts *o,
                                dx_err *err)
{
    return dx_fetch_sized(l, url, h, user, o, sizeof(dx_fetch_opts), err);
}

typedef struct dx_fetch_info {
    const char *url;        /* the one asked now or last, as redirects led to it; good until on_close       */
    const char *coding;     /* that is taken off: "gzip"; "": none                                          */
    int         redirects;  /* followed so far                                                              */
    bool        reused;     /* on a connection that had been kept                                           */
    int64_t     body_bytes; /* of the body so far, as it came                                               */
} dx_fetch_info;
DX_API int dx_fetch_info_of_sized(const dx_conn *c, dx_fetch_info *ret, size_t ret_bytes); /* 0; DX_STATE: no fetch */
static inline int dx_fetch_info_of(const dx_conn *c, dx_fetch_info *ret)
{
    return dx_fetch_info_of_sized(c, ret, sizeof *ret);
}

/* How many connections loop l keeps: to one place (0: 8), in all (0: 64), and for how long (0: 30 000 ms; less where the server says
 * Keep-Alive: timeout=). < 0: none. Those over the new bounds close. */
DX_API void   dx_fetch_keep(dx_loop *l, int host_max, int all_max, int64_t idle_ms);
DX_API size_t dx_fetch_kept(const dx_loop *l); /* how many it keeps now */

#ifdef __cplusplus
}
#endif
#endif
