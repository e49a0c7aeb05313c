/* SPDX-License-Identifier: MIT
 * dialing.h - from a name to an open socket: both families are looked up side by side, their addresses tried in turns a
 * quarter of a second apart, the first that stands wins (RFC 8305), all within dial_ms_max. */
#ifndef NET_DIALING_H
#define NET_DIALING_H
#include "core/scheme.h"
#include "os/addr.h"

struct stream;
/* The stream opens or breaks later (stream_opened, stream_broken). 0 or DX_NOMEM. */
int dialing_start(const struct dial *d, struct stream *s, int default_port);
int dialing_start_at(const struct dial *d, struct stream *s, const struct addr *a);
#endif
