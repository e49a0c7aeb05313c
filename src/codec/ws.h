/* SPDX-License-Identifier: MIT
 * ws.h - RFC 6455 frames and handshake. No sockets, no clock, no allocation.
 *
 *   struct ws_in w;  ws_in_init(&w, true, max);
 *   while ((got = ws_in_next(&w, p, n, &piece)) > 0) { use(piece); p += got; n -= got; }
 */
#ifndef CODEC_WS_H
#define CODEC_WS_H
#include "base/url.h"
#include <string.h>

enum ws_op { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10, WS_PACKED = 0x40 };
enum { WS_HEAD_MAX = 14, WS_WHOLE_MAX = 4096 };

struct ws_in {          /* the reading side; at most 48 bytes                                     */
    uint64_t left;      /* of the frame's payload, not yet seen                                   */
    uint64_t message_n; /* of the message so far                                                  */
    uint64_t message_max;
    uint32_t utf8; /* utf8_check's state across pieces                                       */
    uint8_t mask[4];
    uint8_t mask_at;    /* payload bytes seen, mod 4                                              */
    uint8_t op;         /* of the frame under way                                                 */
    uint8_t message_op; /* WS_TEXT, WS_BINARY; 0: between messages                                */
    uint8_t fin : 1, in_frame : 1, expect_mask : 1;
    uint8_t packs : 1, packed : 1; /* permessage-deflate is agreed on; this message is packed by it      */
};
struct ws_piece {
    uint8_t op;               /* WS_TEXT or WS_BINARY (also for continuations), WS_CLOSE, WS_PING, WS_PONG */
    bool first : 1, last : 1; /* of the message. Control frames are always whole: both are true          */
    bool packed : 1;          /* its bytes are deflate's, unchecked: RSV1 stood in its first frame (RFC 7692)  */
    uint8_t *p;               /* unmasked in place                                                      */
    size_t n;
};
/* server: frames must be masked; a client's must not. Who has agreed on permessage-deflate sets packs behind it; a packed
 * message may then be a little over message_max on the wire, and what comes out of it is the caller's to bound. */
void ws_in_init(struct ws_in *w, bool server, uint64_t message_max);
/* The next piece of p[0..n): the count of bytes used up, 0: give the same bytes again with more behind them, or
 * minus the close code its breach wants (1002, 1007, 1009). A frame of up to WS_WHOLE_MAX bytes in all and every control
 * frame comes whole or not at all; of a longer one what is there. Text is checked as UTF-8 in the same pass and
 * fails at the first bad byte, though its frame is not all there. A Close is checked too (code, UTF-8). Writes only inside p[0..n). */
int64_t ws_in_next(struct ws_in *w, uint8_t *p, size_t n, struct ws_piece *ret);

/* Writes a frame's head (2-14 bytes) and returns its length; mask NULL: unmasked. op may have WS_PACKED beside it. */
static inline size_t ws_head(uint8_t ret[WS_HEAD_MAX], uint8_t op, bool fin, uint64_t n, const uint8_t mask[4])
{
    size_t k = 2;
    ret[0] = (uint8_t)(fin << 7 | op);
    if (n < 126) {
        ret[1] = (uint8_t)n;
    } else {
        size_t bytes = n < 65536 ? 2 : 8;
        ret[1] = bytes == 2 ? 126 : 127;
        for (size_t i = bytes; i-- > 0;)
            ret[k++] = (uint8_t)(n >> 8 * i);
    }
    if (mask) {
        ret[1] |= 0x80;
        memcpy(ret + k, mask, 4);
        k += 4;
    }
    return k;
}
/* XORs with the mask, starting at mask byte (at % 4). SIMD chosen once by a function pointer. */
void ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t at);
bool ws_close_code_ok(int code); /* may stand in a Close frame */

enum { WS_KEY_N = 24, WS_ACCEPT_N = 28 };
void ws_key(const uint8_t random[16], char ret[WS_KEY_N + 1]);  /* base64, NUL-ended */
void ws_accept_of(struct bytes key, char ret[WS_ACCEPT_N + 1]); /* SHA-1 and base64  */
bool ws_key_ok(struct bytes key);                               /* 16 bytes in base64 */

enum { WS_TOKENS_MAX = 64 };
struct ws_tokens { /* of one or several fields: views into them; zero n first */
    size_t n;
    struct bytes v[WS_TOKENS_MAX];
};
/* Adds those of a Sec-WebSocket-Protocol. strict: no element is empty, as who offers must write it. false: one is no token, stands there
 * twice or is one too many, or there is none. */
bool ws_tokens_add(struct ws_tokens *t, struct bytes value, bool strict);
bool ws_tokens_has(const struct ws_tokens *t, struct bytes token);
bool ws_extensions_read(struct bytes value); /* by the grammar of RFC 6455 9.1, whatever it asks for */
#endif
