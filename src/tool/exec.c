/* SPDX-License-Identifier: MIT
 * exec.c - see exec.h. */
#include "tool/exec.h"
#include <stdio.h>
#include <string.h>

enum { URL_MAX = 600, COMMAND_MAX = 4096 };

static const dx_handler child_on = {0};

int exec_join(dx_conn *c, const char *command, dx_err *err)
{
    char peer[URL_MAX], local[URL_MAX], wire[40], url[COMMAND_MAX];
    snprintf(peer, sizeof peer, "DUPLEX_PEER=%s", dx_peer(c));
    snprintf(local, sizeof local, "DUPLEX_LOCAL=%s", dx_local(c));
    snprintf(wire, sizeof wire, "DUPLEX_WIRE=%s", dx_wire(c));
    const char *const env[] = {peer, local, wire, NULL};
    dx_opts opts = {.env = env};
    snprintf(url, sizeof url, "exec:%s", command);
    dx_conn *child = dx_connect(dx_loop_of(c), url, &child_on, NULL, &opts, err);
    if (!child)
        return err->code;
    int r = dx_relay(c, child);
    if (r < 0) {
        dx_abort(child);
        *err = (dx_err){.code = r};
    }
    return r;
}
