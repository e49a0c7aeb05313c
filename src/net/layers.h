/* SPDX-License-Identifier: MIT
 * layers.h - making the layers that stand between a transport and a conn. NULL: *err, where there is one, says why; else no memory. */
#ifndef NET_LAYERS_H
#define NET_LAYERS_H
#include "codec/frame.h"
#include "core/conn.h"
#include "core/settings.h"
#include <duplex/text.h>
#include <duplex/ws.h>

struct layer *frame_layer_new(const struct settings *set, dx_loop *loop, dx_err *err);
struct layer *coding_layer_new(const struct settings *set, bool messages, dx_err *err);

/* ws over whatever carries bytes below. protocol: the subprotocol agreed on; copied; NULL or "": none. */
struct layer *ws_layer_new(dx_loop *loop, bool server, uint64_t message_max, struct bytes protocol);
#endif
