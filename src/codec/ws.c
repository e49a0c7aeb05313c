/* SPDX-License-Identifier: MIT
 * ws.c - RFC 6455 sections 4 and 5. The one extension is that of ws_deflate.h; any other reserved bit is a breach. */
#include "ws.h"
#include "mask.h"
#include "base/utf8.h"
#include <nettle/base64.h>
#include <nettle/sha1.h>

_Static_assert(sizeof(struct ws_in) <= 48, "a ws_in is kept for every idle connection");

enum { CONTROL_MAX = 125, CONTROL_BIT = 8, UTF8_BLOCK = 4096, BREACH = 1002, NOT_TEXT = 1007, TOO_BIG = 1009 };

#if MASK_X86
static bool mask_long_sse2(uint8_t *p, size_t n, uint32_t key)
{
    return mask_sse2(p, n, key);
}
__attribute__((target("avx2"))) static bool mask_long_avx2(uint8_t *p, size_t n, uint32_t key)
{
    return mask_avx2(p, n, key);
}
static mask_fn *mask_long = mask_long_sse2;

/* Before main, so that no call pays for asking; not ifunc or target_clones, which crash under TSan. */
__attribute__((constructor)) static void mask_choose(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        mask_long = mask_long_avx2;
}

/* Short frames are the many: not even a call. */
static inline bool mask_any(uint8_t *p, size_t n, uint32_t key)
{
    return n <= CONTROL_MAX ? mask_sse2(p, n, key) : mask_long(p, n, key);
}
#else
static inline bool mask_any(uint8_t *p, size_t n, uint32_t key)
{
    return mask_words(p, n, key);
}
#endif

void ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t at)
{
    uint32_t key;
    memcpy(&key, mask, 4);
    mask_any(p, n, mask_turn(key, at));
}

void ws_in_init(struct ws_in *w, bool server, uint64_t message_max)
{
    *w = (struct ws_in){.message_max = message_max, .expect_mask = server};
}

/* Unmasks a run of text, in blocks that stay in the first cache between the two passes. */
static bool take_text(struct ws_in *w, uint8_t *p, size_t n, uint32_t key)
{
    while (n > 0) {
        size_t k = n < UTF8_BLOCK ? n : UTF8_BLOCK; /* a multiple of 4: the key need not turn */
        bool ascii = w->expect_mask && mask_any(p, k, key) && w->utf8 == 0;
        if (!ascii && !utf8_check(&w->utf8, p, k))
            return false;
        p += k;
        n -= k;
    }
    return true;
}

static inline bool take_data(struct ws_in *w, uint8_t *p, size_t n, uint32_t key)
{
    if (w->message_op == WS_TEXT && !w->packed)
        return take_text(w, p, n, key);
    if (w->expect_mask)
        mask_any(p, n, key);
    return true;
}

/* A data frame has had its last byte. */
static inline bool end_frame(struct ws_in *w, bool fin)
{
    w->in_frame = 0;
    if (!fin)
        return true;
    bool whole = w->packed || w->utf8 == 0;
    w->message_op = 0;
    w->message_n = 0;
    w->packed = 0;
    return whole;
}

/* More of a long frame whose head has been read. */
__attribute__((noinline)) static int64_t take_rest(struct ws_in *w, uint8_t *p, size_t n, struct ws_piece *ret)
{
    if (n > w->left)
        n = (size_t)w->left;
    if (n == 0)
        return 0;
    uint32_t key;
    memcpy(&key, w->mask, 4);
    uint8_t op = w->message_op;
    bool packed = w->packed;
    if (!take_data(w, p, n, mask_turn(key, w->mask_at)))
        return -NOT_TEXT;
    w->left -= n;
    w->mask_at = (uint8_t)((w->mask_at + n) & 3);
    bool last = w->left == 0 && w->fin;
    if (w->left == 0 && !end_frame(w, w->fin))
        return -NOT_TEXT;
    *ret = (struct ws_piece){.op = op, .last = last, .packed = packed, .p = p, .n = n};
    return (int64_t)n;
}

static int check_close(const uint8_t *p, size_t n)
{
    uint32_t state = 0;
    if (n == 0)
        return 0;
    if (n == 1 || !ws_close_code_ok(p[0] << 8 | p[1]))
        return BREACH;
    return utf8_check(&state, p + 2, n - 2) && state == 0 ? 0 : NOT_TEXT;
}

static int64_t take_control(struct ws_in *w, uint8_t op, uint8_t *p, size_t n, uint32_t key, struct ws_piece *ret)
{
    if (w->expect_mask)
        mask_any(p, n, key);
    int code = op == WS_CLOSE ? check_close(p, n) : 0;
    if (code)
        return -code;
    *ret = (struct ws_piece){.op = op, .first = true, .last = true, .p = p, .n = n};
    return 0;
}

/* May a frame begin with these two bytes, as things stand? */
static inline bool head_ok(const struct ws_in *w, uint8_t a, uint8_t b)
{
    uint8_t op = a & 15;
    bool may_pack = w->packs && (op == WS_TEXT || op == WS_BINARY);
    if ((a & (may_pack ? 0x30 : 0x70)) || b >> 7 != w->expect_mask)
        return false;
    if (op & CONTROL_BIT)
        return op <= WS_PONG && (a & 0x80) && (b & 0x7F) <= CONTROL_MAX;
    return op <= WS_BINARY && (op == WS_CONT) == (w->message_op != 0);
}

/* The length written in 2 or 8 bytes behind the first two. 0: not all there; 1, or minus 1002. */
static int long_length(const uint8_t *p, size_t n, uint64_t *ret_n)
{
    size_t bytes = (p[1] & 0x7F) == 126 ? 2 : 8;
    if (n < 2 + bytes)
        return 0;
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[2 + i];
    if (v < (bytes == 2 ? 126u : 65536u) || v >> 63)
        return -BREACH;
    *ret_n = v;
    return 1;
}

/* How much longer the message may become. What does not pack grows by 1 in 80 or less, by zlib's least memory. */
static inline uint64_t room_left(const struct ws_in *w, bool packed)
{
    uint64_t max = w->message_max, more = packed ? max / 16 + 64 : 0;
    return (max < UINT64_MAX - more ? max + more : UINT64_MAX) - w->message_n;
}

/* A text frame of which only some is there: is that good so far? Looks at a copy, for the bytes will be given again. */
static bool peek_text(const struct ws_in *w, const uint8_t *p, size_t n, uint32_t key)
{
    uint8_t some[256]; /* a multiple of 4 */
    uint32_t state = w->utf8;
    for (size_t k; n > 0; p += k, n -= k) {
        k = n < sizeof some ? n : sizeof some;
        memcpy(some, p, k);
        if (w->expect_mask)
            mask_any(some, k, key);
        if (!utf8_check(&state, some, k))
            return false;
    }
    return true;
}

/* A frame begins. Not in one with take_short, which would pay for its registers. */
__attribute__((noinline)) static int64_t take_frame(struct ws_in *w, uint8_t *p, size_t n, struct ws_piece *ret)
{
    if (!head_ok(w, p[0], p[1]))
        return -BREACH;
    uint8_t op = p[0] & 15;
    uint64_t len = p[1] & 0x7F;
    size_t head = 2;
    if (len > CONTROL_MAX) {
        head = len == 126 ? 4 : 10;
        int r = long_length(p, n, &len);
        if (r <= 0)
            return r;
    }
    bool packed = p[0] & WS_PACKED || w->packed;
    if (!(op & CONTROL_BIT) && len > room_left(w, packed))
        return -TOO_BIG;
    uint32_t key = 0;
    if (w->expect_mask) {
        head += 4;
        if (n < head)
            return 0;
        memcpy(&key, p + head - 4, 4);
    }
    size_t here = n < head ? 0 : n - head; /* payload bytes that are there */
    if (here < len && (len + head <= WS_WHOLE_MAX || here == 0)) {
        bool text = op == WS_TEXT || (op == WS_CONT && w->message_op == WS_TEXT);
        return text && !packed && !peek_text(w, p + head, here, key) ? -NOT_TEXT : 0;
    }
    if (here > len)
        here = (size_t)len;
    if (op & CONTROL_BIT) {
        int64_t r = take_control(w, op, p + head, here, key, ret);
        return r < 0 ? r : (int64_t)(head + here);
    }
    bool fin = p[0] >> 7, last = here == len;
    if (op != WS_CONT) {
        w->message_op = op;
        w->packed = packed;
    }
    uint8_t message_op = w->message_op;
    w->message_n += len;
    if (!take_data(w, p + head, here, key))
        return -NOT_TEXT;
    if (last) {
        if (!end_frame(w, fin))
            return -NOT_TEXT;
    } else {
        w->in_frame = 1;
        w->fin = fin;
        w->left = len - here;
        w->mask_at = (uint8_t)(here & 3);
        memcpy(w->mask, &key, 4);
    }
    *ret = (struct ws_piece){
        .op = message_op, .first = op != WS_CONT, .last = last && fin, .packed = packed, .p = p + head, .n = here};
    return (int64_t)(head + here);
}

/* The many: a whole message of up to 125 bytes to a server. 0: it is none, or not all there. */
static inline int64_t take_short(const struct ws_in *w, uint8_t *p, size_t n, struct ws_piece *ret)
{
    enum { HEAD = 6 };
    uint8_t op = p[0] & 0x7F;
    size_t len = p[1] & 0x7F;
    uint32_t key, state = 0;
    if (!(p[0] & p[1] & 0x80) || (op != WS_TEXT && op != WS_BINARY) || w->message_op != 0 || !w->expect_mask ||
        len > CONTROL_MAX || len > w->message_max || n - 2 < HEAD - 2 + len)
        return 0;
    memcpy(&key, p + 2, 4);
    p += HEAD;
    if (!mask_any(p, len, key) && op == WS_TEXT && (!utf8_check(&state, p, len) || state != 0))
        return -NOT_TEXT;
    *ret = (struct ws_piece){.op = op, .first = true, .last = true, .p = p, .n = len};
    return (int64_t)(HEAD + len);
}

int64_t ws_in_next(struct ws_in *w, uint8_t *p, size_t n, struct ws_piece *ret)
{
    if (w->in_frame)
        return take_rest(w, p, n, ret);
    if (n < 2)
        return 0;
    int64_t whole = take_short(w, p, n, ret);
    return whole ? whole : take_frame(w, p, n, ret);
}

/* Section 7.4.1 and what IANA has added since (1012-1014); 1004-1006 and 1015 only stand for things that were not sent. */
bool ws_close_code_ok(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

void ws_key(const uint8_t random[16], char ret[WS_KEY_N + 1])
{
    base64_encode_raw(ret, 16, random);
    ret[WS_KEY_N] = 0;
}

void ws_accept_of(struct bytes key, char ret[WS_ACCEPT_N + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct sha1_ctx sha;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&sha);
    sha1_update(&sha, key.n, key.p);
    sha1_update(&sha, sizeof guid - 1, (const uint8_t *)guid);
    sha1_digest(&sha, sizeof digest, digest);
    base64_encode_raw(ret, sizeof digest, digest);
    ret[WS_ACCEPT_N] = 0;
}

/* 22 characters and "==": 16 bytes and no others. The 4 bits left over are not looked at: some clients do not clear them. */
bool ws_key_ok(struct bytes key)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.n != WS_KEY_N || key.p[22] != '=' || key.p[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!key.p[i] || !strchr(set, key.p[i]))
            return false;
    return true;
}
