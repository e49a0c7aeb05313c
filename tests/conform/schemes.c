/* SPDX-License-Identifier: MIT
 * schemes.c - what each scheme is, as data. A new wire is a new line here and nothing else. */
#include "conform.h"
#include <sys/socket.h>

enum {
    STREAM = HAS_PEER | HAS_BYTES | HAS_END | HAS_PRESSURE,
    SOCKET = STREAM | HAS_LISTENER | HAS_RAW | HAS_BACKLOG | HAS_REFUSAL | HAS_SPLICE,
    DATAGRAM = HAS_PEER | HAS_MESSAGES | HAS_DATAGRAMS | HAS_LISTENER | HAS_RAW,
    WS = HAS_PEER | HAS_MESSAGES | HAS_END | HAS_PRESSURE | HAS_LISTENER | HAS_RAW | HAS_BACKLOG | HAS_REFUSAL |
         HAS_SPLICE | HAS_WS | HAS_TELL_BREAK,
    /* What fills queues and what many share is another thing when it is packed, and the rest is as with ws4. */
    DEFLATE = HAS_PEER | HAS_MESSAGES | HAS_END | HAS_LISTENER | HAS_WS | HAS_TELL_BREAK | HAS_DEFLATE,
};

/* clang-format off */
const struct scheme all_schemes[] = {
    {"tcp4",      "tcp://127.0.0.1:0",     "tcp",  SOCKET | HAS_TELL_BREAK | HAS_BY_NAME, 0, AF_INET, SOCK_STREAM},
    {"tcp6",      "tcp://[::1]:0",         "tcp",  SOCKET | HAS_TELL_BREAK,  0,     AF_INET6, SOCK_STREAM},
    {"tcp-dual",  "tcp://:0",              "tcp",  SOCKET | HAS_TELL_BREAK,  0,     AF_INET,  SOCK_STREAM},
    {"unix",      "unix://*",              "unix", SOCKET | HAS_PATH,        0,     AF_UNIX,  SOCK_STREAM},
    {"abstract",  "unix://@*",             "unix", SOCKET,                   0,     AF_UNIX,  SOCK_STREAM},
    {"udp4",      "udp://127.0.0.1:0",     "udp",  DATAGRAM,                 65507, AF_INET,  SOCK_DGRAM},
    {"udp6",      "udp://[::1]:0",         "udp",  DATAGRAM,                 65507, AF_INET6, SOCK_DGRAM},
    {"unixgram",  "unixgram://*",          "unixgram", DATAGRAM | HAS_PATH,      65507, AF_UNIX, SOCK_DGRAM},
    {"ws4",       "ws://127.0.0.1:0/chat", "ws",   WS,                       0,     AF_INET,  SOCK_STREAM},
    {"ws6",       "ws://[::1]:0/",         "ws",   WS,                       0,     AF_INET6, SOCK_STREAM},
    {"ws-deflate", "ws://127.0.0.1:0/",    "ws",   DEFLATE,                  0,     AF_INET,  SOCK_STREAM},
    {"fd",        "fd:",                   "fd",   STREAM,                   0,     0,        0},
    {"exec",      "exec:cat",              "exec", HAS_BYTES | HAS_END | HAS_PRESSURE, 0, 0,  0},
    {"exec-sh",   "exec:sh -c 'exec cat'", "exec", HAS_BYTES | HAS_END | HAS_PRESSURE, 0, 0,  0},
    {"http",      "http://127.0.0.1:0/",   "http", HAS_HTTP,                 0,     AF_INET,  SOCK_STREAM},
    {"any",       "any://127.0.0.1:0",     "any",  HAS_ANY,                  0,     AF_INET,  SOCK_STREAM},
    {"tls4",      "tls://127.0.0.1:0",     "tls",  SOCKET | HAS_TELL_BREAK | HAS_BY_NAME | HAS_TLS, 0, AF_INET, SOCK_STREAM},
    {"tls6",      "tls://[::1]:0",         "tls",  SOCKET | HAS_TELL_BREAK | HAS_TLS, 0, AF_INET6, SOCK_STREAM},
    {"wss4",      "wss://127.0.0.1:0/chat", "wss", WS | HAS_TLS,             0,     AF_INET,  SOCK_STREAM},
    {"https",     "https://127.0.0.1:0/",  "https", HAS_HTTP | HAS_TLS,      0,     AF_INET,  SOCK_STREAM},
    {"any-tls",   "any://127.0.0.1:0",     "any",  HAS_ANY | HAS_TLS,        0,     AF_INET,  SOCK_STREAM},
    {"-",         "",                      "",     HAS_NO_WIRE,              0,     0,        0},
    {NULL,        NULL,                    NULL,   0,                        0,     0,        0},
};
/* clang-format on */
