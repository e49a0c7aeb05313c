/* SPDX-License-Identifier: MIT
 * sniff.h - what do the first bytes of a stranger say? The whole of ../../docs/why/sniffing.md in two pure functions:
 * always asked with all the bytes from offset 0. */
#ifndef CODEC_SNIFF_H
#define CODEC_SNIFF_H
#include "base/url.h"

enum sniff {
    SNIFF_MORE,    /* could be speech or a protocol yet: ask again with more, or when the gap has passed it is text */
    SNIFF_HOLD,    /* a prefix of a protocol: never becomes speech by waiting (docs/safe.md, rule 1)          */
    SNIFF_TEXT,
    SNIFF_HTTP1,   /* a request line has begun for certain, well formed or not: the parser answers                 */
    SNIFF_HTTP2,   /* the whole preface                                                                         */
    SNIFF_TLS,     /* a ClientHello has begun                                                                   */
    SNIFF_FOREIGN, /* ssh, rdp, smb, mqtt, socks, proxy, stun, ... : drop it; *ret_name says which                 */
    SNIFF_NOISE,   /* NUL in the first KiB: not speech                                                           */
    SNIFF_QUIC,    /* datagrams                                                                                 */
};
/* A stream's bytes so far. *ret_name: the foreign protocol's name, a constant; may be NULL. */
enum sniff sniff_stream(const uint8_t *p, size_t n, const char **ret_name);
/* One datagram: SNIFF_TEXT, SNIFF_QUIC (long header of >= 1,200 bytes, known or reserved version, CID lengths that fit),
 * SNIFF_FOREIGN (stun, dns-like ...), SNIFF_TLS (dtls ClientHello), SNIFF_NOISE. Never MORE or HOLD. */
enum sniff sniff_datagram(const uint8_t *p, size_t n, const char **ret_name);
#endif
