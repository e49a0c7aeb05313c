/* SPDX-License-Identifier: MIT
 * ws_deflate.h - permessage-deflate (RFC 7692): what two ends agree on, and a message packed and unpacked. No sockets, no clock;
 * zlib's memory is all it takes, and it is given back as soon as what was agreed on lets it be. */
#ifndef CODEC_WS_DEFLATE_H
#define CODEC_WS_DEFLATE_H
#include "base/url.h"

enum {
    WS_WINDOW_MIN = 8,
    WS_WINDOW_MAX = 15,
    WS_WINDOW_OURS = 12, /* where nobody asks for another: 4 KiB; with level 5 of zlib's memory about 38 KiB to pack, 11 to unpack */
    WS_EXTENSION_MAX = 160,
};
/* The four parameters. As a wish (of a user), as an offer (of a client) or as an answer (of a server). */
struct ws_deflate_terms {
    uint8_t server_bits, client_bits; /* 8-15; 0: not said                                               */
    bool server_fresh, client_fresh;  /* ..._no_context_takeover: that side begins each message anew     */
    bool client_bits_open;            /* an offer's client_max_window_bits without a value               */
};
/* "" or the parameters as RFC 7692 writes them, "client_no_context_takeover; server_max_window_bits=10". false: it does not read. */
bool ws_deflate_wish(const char *text, struct ws_deflate_terms *ret);
/* A server: takes the first offer of a Sec-WebSocket-Extensions that it can keep. What does not read is declined. */
bool ws_deflate_agree(struct bytes offers, const struct ws_deflate_terms *wish, struct ws_deflate_terms *ret);
/* A client: is that answer one to our offer? If not, the connection is to fail. */
bool ws_deflate_answered(struct bytes answer, const struct ws_deflate_terms *offer, struct ws_deflate_terms *ret);
void ws_deflate_offer(struct ws_deflate_terms *wish); /* the wish as a client offers it: our small window is said */
/* The value of Sec-WebSocket-Extensions for an offer or an answer. */
void ws_deflate_write(const struct ws_deflate_terms *t, char ret[WS_EXTENSION_MAX]);

struct ws_deflate; /* one connection's two contexts */
struct ws_deflate *ws_deflate_new(const struct ws_deflate_terms *agreed, bool server); /* NULL: no memory */
void ws_deflate_free(struct ws_deflate *d); /* NULL is fine */

/* Packs a message, or with last false a part of it, into at most room bytes, of which there are to be ws_pack_room(n). The count of
 * bytes, or -1: no memory, and what was packed is lost; the next message begins anew. */
size_t ws_pack_room(size_t n);
int64_t ws_pack(struct ws_deflate *d, const struct bytes *parts, size_t count, bool last, uint8_t *out, size_t room);
void ws_pack_rest(struct ws_deflate *d); /* nothing was packed for long: its memory goes; a peer does not notice */

/* Unpacks: *in loses what was used. The count of bytes written, 0 only when more has to come; or < 0: minus 1007 (this is no
 * deflate), minus 1011 (no memory). Call it until 0. last: the message ends behind *in; it is to be called with it at least once. */
int64_t ws_unpack(struct ws_deflate *d, struct bytes *in, bool last, uint8_t *out, size_t room);
#endif
