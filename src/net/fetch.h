/* SPDX-License-Identifier: MIT
 * fetch.h - what the rest of this room knows of fetches: the layer that their conns stand on. While an exchange carries one, the
 * layer's below is that exchange's, which has another conn above it: who looks down sees one stack, what comes up does not. */
#ifndef NET_FETCH_H
#define NET_FETCH_H
#include "core/layer.h"

extern const struct layer_type fetch_layer;
void fetch_trails(dx_conn *c); /* trailers are added to its request, which cannot be said again then; another conn: nothing */
#endif
