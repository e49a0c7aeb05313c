/* SPDX-License-Identifier: MIT
 * table.c - every scheme there is: a new wire is one more row. */
#include "core/scheme.h"

extern const struct scheme scheme_any, scheme_exec, scheme_fd, scheme_file, scheme_http, scheme_https, scheme_stdio,
    scheme_tcp, scheme_tls, scheme_udp, scheme_unix, scheme_unixgram, scheme_ws, scheme_wss;

const struct scheme *const schemes[] = {&scheme_any,   &scheme_exec,     &scheme_fd,  &scheme_file, &scheme_http,
                                        &scheme_https, &scheme_stdio,    &scheme_tcp, &scheme_tls,  &scheme_udp,
                                        &scheme_unix,  &scheme_unixgram, &scheme_ws,  &scheme_wss,  NULL};
