/* SPDX-License-Identifier: MIT
 * layers.h - making the layers that stand between a transport and a conn. NULL: *err, where there is one, says why; else no memory. */
#ifndef NET_LAYERS_H
#define NET_LAYERS_H
#include "codec/frame.h"
#include "codec/http1.h"
#include "codec/ws_deflate.h"
#include "core/conn.h"
#include "core/scheme.h"
#include "core/settings.h"
#include <duplex/http.h>
#include <duplex/text.h>
#include <duplex/ws.h>

struct layer *frame_layer_new(const struct settings *set, dx_loop *loop, dx_err *err);
struct layer *coding_layer_new(const struct settings *set, bool messages, dx_err *err);

enum { WS_PING_MS = 20000 }; /* and as long for an answer */
/* What a WebSocket handshake has settled. */
struct ws_stand {
    bool server;
    uint64_t message_max;
    struct bytes protocol;                  /* the subprotocol agreed on; n 0: none */
    const struct ws_deflate_terms *deflate; /* NULL: none was agreed on             */
    int64_t ping_ms, ping_timeout_ms;       /* ping_ms 0: no pings of ours          */
};
void ws_stand_ping(struct ws_stand *s, const struct settings *set, const dx_ws_opts *o); /* its last two, by the options */
/* ws over whatever carries bytes below; *s is copied. */
struct layer *ws_layer_new(dx_loop *loop, const struct ws_stand *s);
/* Of a request's head, in ws_accept.c: is it a handshake, whole and in order? And of the version that we speak? */
bool ws_asked(const struct http1_head *head);
bool ws_version_ok(const struct http1_head *head);
bool ws_fields_ok(const dx_http_field *v, size_t count); /* may they stand in a handshake beside ours? In ws_accept.c */
struct layer *ws_handshake_new(const struct dial *d); /* a dial's: becomes the ws layer. In ws_handshake.c */
bool ws_dial_ok(const struct dial *d, dx_err *err);   /* does what is asked for read?                      */
/* The response's head, while DX_HEAD of a dial's handshake is told; else NULL. */
const struct http1_head *ws_handshake_head(const dx_conn *c);
#endif
