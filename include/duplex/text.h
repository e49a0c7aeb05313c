/* SPDX-License-Identifier: MIT
 *
 * text.h - codings, framing, hex, checksums and safe showing. No conns and no loops here: bytes and time in,
 * bytes out. dx_opts.frame and dx_opts.coding put the same machines on a conn.
 *
 * CODINGS    Names as iconv has them, without case: "utf-8" "gb18030" "gbk" "gb2312" "big5" "shift_jis" "euc-kr"
 *            "utf-16le" ..., and "auto". A decoder is split-safe: a character cut between two calls is joined.
 *            Bytes that do not decode are shown as <FF> and counted; nothing is dropped.
 *            auto: UTF-8 until text that is not valid UTF-8 latches GB18030; a 3- or 4-byte UTF-8 sequence
 *            latches UTF-8; a message whose non-ASCII runs are all 2-byte sequences and also common GB2312
 *            hanzi (C9 B6 C3 B4: 什么) is read as the guess says, marked as a guess, and latches nothing.
 *            Under a latch that auto made only GBK characters are sent.
 * FRAMING    "none"            bytes as they come
 *            "line"            ends at LF; CR LF and LF are taken off; sending adds the end the peer used last,
 *                              LF until then; "line:lf" "line:crlf" "line:none" add that, whatever the peer uses
 *            "delim:0D0A"      ends at these bytes
 *            "gap:20ms"        ends when nothing came for so long
 *            "fixed:8"         every 8 bytes
 *            "length:OFFSET,SIZE,be|le,ADJUST"   a length field of SIZE bytes (1, 2, 3, 4, 8) at OFFSET; the
 *                              message ends ADJUST bytes after OFFSET + SIZE + its value. Kept in the message.
 *                              Without them: be, 0.
 *            "auto"            60 ms of silence ends a message until the peer has sent one that ends in LF (or
 *                              16 KiB with an LF in them and no silence), then lines (500 ms for a rest); telnet
 *                              IAC sequences are answered and stripped; sending adds the line end the peer uses,
 *                              none if it uses none; LF while it has said nothing
 *            A message over the limit is DX_BIG.
 */
#ifndef DUPLEX_TEXT_H
#define DUPLEX_TEXT_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_text { /* grows as the calls below append; zero it first, dx_text_free at the end */
    char *p;             /* always ends in a NUL that n does not count; NULL while empty            */
    size_t n, cap;
} dx_text;
DX_API int  dx_text_add(dx_text *t, const void *p, size_t n);             /* 0 or DX_NOMEM             */
DX_API void dx_text_clear(dx_text *t);                                    /* n = 0, keeps its memory    */
DX_API void dx_text_free(dx_text *t);

typedef struct dx_decoder dx_decoder;
enum dx_guess { DX_GUESS_LOCALE, DX_GUESS_GB, DX_GUESS_UTF8 };
/* NULL: DX_URL (no such coding), DX_NOMEM. One thread at a time. */
DX_API dx_decoder *dx_decoder_new(const char *coding, enum dx_guess guess, dx_err *err);
DX_API void        dx_decoder_free(dx_decoder *d);
/* Appends the UTF-8 of in[0..n). last: the message ends here, so a character that is still cut is bad bytes.
 * auto decides per call: give it whole messages with last set. Returns the count of bad bytes, or DX_NOMEM. */
DX_API int         dx_decode(dx_decoder *d, const void *in, size_t n, bool last, dx_text *out);
DX_API const char *dx_decoder_coding(const dx_decoder *d); /* what the last text was read as: "utf-8", "gb18030" */
DX_API bool        dx_decoder_guessed(const dx_decoder *d); /* the last message was a guess             */
/* What to send this peer in: the coding, or under auto what it latched ("gbk" for GB; "utf-8" for none), or
 * the last guess while nothing is latched. */
DX_API const char *dx_decoder_reply_coding(const dx_decoder *d);
/* Appends utf8[0..n) in the coding; what the coding lacks becomes U+XXXX in brackets and is counted, as are bytes
 * that are not UTF-8 (<FF>). "auto" is UTF-8. Stateless. The count, DX_URL (no such coding), DX_NOMEM. */
DX_API int         dx_encode(const char *coding, const char *utf8, size_t n, dx_text *out);
DX_API bool        dx_is_utf8(const void *p, size_t n);

/* URLs (RFC 3986). Appends in[0..n) without its percent-encoding, and with a blank for each '+' if plus. DX_URL: a '%' without two
 * hex digits, and out is as it was. DX_NOMEM. */
DX_API int dx_percent_decode(const char *in, size_t n, bool plus, dx_text *out);
/* Appends with %XX for all but letters, digits, - . _ ~ and what is in keep ("" none). */
DX_API int dx_percent_encode(const char *in, size_t n, const char *keep, dx_text *out);
/* Appends the one spelling of a path: decoded, without "." and ".." segments (never above the root) and empty ones ("//"); a
 * '/', a '%' and a NUL that were encoded stay %2F %25 %00, and so does a '%' without its digits. It begins with '/'. */
DX_API int dx_path_clean(const char *path, size_t n, dx_text *out);
/* a=1&b=two+words, of a query or a body (application/x-www-form-urlencoded). Appends the value of the nth (from 0) field of that
 * name, decoded: 1; 0: no such; DX_URL: it does not decode; DX_NOMEM. */
DX_API int dx_form_get(const char *form, size_t n, const char *name, size_t nth, dx_text *out);
/* The same for the i-th field of all; name and value are cleared first. */
DX_API int dx_form_at(const char *form, size_t n, size_t i, dx_text *name, dx_text *value);

typedef struct dx_framer dx_framer;
DX_API dx_framer *dx_framer_new(const char *spec, size_t message_bytes_max, dx_err *err);
DX_API void       dx_framer_free(dx_framer *f);
/* Takes all of in; messages wait for dx_framer_next. now_ms: any monotonic clock. 0, DX_NOMEM, or what
 * dx_framer_next has answered. */
DX_API int        dx_framer_take(dx_framer *f, const void *in, size_t n, int64_t now_ms);
/* 1: *ret is the next message, good until the next call on f. 0: none yet. last: the stream has ended. For good:
 * DX_BIG, DX_PROTO (a length that ends before its own field), DX_TRUNCATED (last, inside a fixed or length one). */
DX_API int        dx_framer_next(dx_framer *f, int64_t now_ms, bool last, dx_bytes *ret);
DX_API int64_t    dx_framer_due(const dx_framer *f); /* when dx_framer_next has more by time alone; -1: never */
DX_API dx_bytes   dx_framer_answer(dx_framer *f);    /* telnet answers to send now; n 0: none            */
DX_API const char *dx_framer_eol(const dx_framer *f); /* what sending adds: "\n" "\r\n" "", the delimiter */

/* Appends hex in pairs with sep between ("" for none). */
DX_API int dx_hex(const void *p, size_t n, const char *sep, dx_text *out);
/* Appends the bytes of a hex string: any case, blanks, commas, colons and 0x between pairs. DX_URL: the text
 * has something else, or an odd digit is left; *ret_at is where. */
DX_API int dx_unhex(const char *hex, size_t n, dx_text *out, size_t *ret_at);

/* Checksums: the CRCs of the catalogue of parametrised CRC algorithms up to 64 bits, CRC-16/MODBUS as "crc16-modbus",
 * under its aliases too ("crc32", "crc32c", "modbus", ...), and "sum8" "sum16" "xor" "lrc" (the sum's negative)
 * "fletcher16" "fletcher32" "adler32" "internet" (RFC 1071). Any case. "crc16-ccitt" is init FFFF, as most devices
 * mean it; the catalogue's CCITT is "crc16-kermit".
 * WIRE ORDER  (bits + 7) / 8 bytes. A CRC that is reflected in and out goes low byte first (Modbus: 4B37 as 37 4B),
 *             every other checksum high byte first. ":be" (high first) or ":le" behind a name says otherwise. */
typedef struct dx_sum_info {
    const char *name, *aliases; /* aliases: separated by blanks; "": none                           */
    int bits;                   /* 3-64                                                             */
    bool crc;                   /* by the parameters that follow; else a plain sum                  */
    bool refin, refout;
    uint64_t poly, init, xor_out;
    uint64_t check;             /* the checksum of "123456789"                                      */
} dx_sum_info;
typedef struct dx_sum {         /* one in the making; nothing to free                               */
    const dx_sum_info *info;
    bool low_first, odd;
    uint64_t state;
} dx_sum;
DX_API const dx_sum_info *dx_sum_at(size_t i);        /* from 0 on; NULL: no more                    */
/* The count of its bytes on the wire, 1-8, or DX_URL: no such name, and s is untouched. */
DX_API int  dx_sum_begin(dx_sum *s, const char *name);
DX_API void dx_sum_add(dx_sum *s, const void *p, size_t n);
/* Of all that was added. s stays as it is and can take more. */
DX_API uint64_t dx_sum_value(const dx_sum *s);
DX_API int  dx_sum_end(const dx_sum *s, uint8_t ret_sum[8]); /* writes it in wire order; the count of bytes, 1-8 */
/* The same in one call: the count of bytes written, 1-8, or DX_URL: no such name. */
DX_API int  dx_checksum(const char *name, const void *p, size_t n, uint8_t ret_sum[8]);

/* Appends text from others so that a terminal shows it and obeys none of it: C0 (but tab) and DEL become
 * pictures; C1, bidi controls and what has no width are marked, <U+202E>; bytes that are not UTF-8 show as <FF>. LF or
 * CR LF inside becomes a newline and the indent; indent NULL (for names): a picture too, as is a tab. */
DX_API int dx_visible(const char *utf8, size_t n, const char *indent, dx_text *out);
/* Appends as the inside of a JSON string, without the quotes; invalid UTF-8 becomes U+FFFD. */
DX_API int dx_json_escape(const char *utf8, size_t n, dx_text *out);

#ifdef __cplusplus
}
#endif
#endif
