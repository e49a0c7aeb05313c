/* SPDX-License-Identifier: MIT
 * url.h - the parts of an endpoint's name (RFC 3986, as far as endpoints need it). Views into the caller's string.
 *
 *   scheme://host:port/path?query#fragment     tcp udp tls ws wss quic http https any
 *   unix:///path  unix://@abstract  unixgram://...   path is all after "//", up to '#'
 *   stdio:   fd:3   file:PATH   exec:CMD        path is all after ':', a '#' included
 */
#ifndef BASE_URL_H
#define BASE_URL_H
#include <duplex/duplex.h>

struct bytes {
    const uint8_t *p;
    size_t n;
};
struct url {
    char scheme[12];         /* lower case                                                        */
    struct bytes host;       /* without brackets; n 0: empty                                       */
    struct bytes path;       /* from the '/' on, without query; n 0: none                          */
    struct bytes target;     /* path and '?' query as an HTTP request line wants it; n 0: none     */
    struct bytes fragment;   /* without the '#'                                                    */
    int port;                /* 0-65535; -1: not said                                              */
    bool v6;                 /* the host stood in brackets                                         */
    bool local;              /* unix, unixgram, stdio, fd, file, exec: path is all there is        */
};
/* 0, or DX_URL with words that show what is wrong with it: "url 'tcp//a:1': no ':' after the scheme",
 * "url 'tcp://a:99999': port 99999 is over 65535". Control bytes and user:password@ are refused, and blanks but in
 * local paths. A scheme it does not know reads like tcp: who knows it is not this file's business. */
int url_parse(const char *s, struct url *ret_url, dx_err *err);
/* The value of name in "#name=value,other=..."; p NULL: absent; an empty value has n 0 and a p. */
struct bytes url_option(const struct url *u, const char *name);
#endif
