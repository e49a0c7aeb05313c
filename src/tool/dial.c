/* SPDX-License-Identifier: MIT
 * dial.c - duplex dial URL: stdin and stdout, joined to any wire. */
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/trust.h"

enum { A_DAY_MS = 86400000 }; /* a datagram talk ends by its user, not by a minute's silence */

int cmd_dial(int argc, char **argv)
{
    struct options o;
    struct trust trust;
    dx_err err = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0 || (r = trust_read(&trust, &o, o.args[0], NULL)) >= 0)
        return r;
    struct talk t = {.doing = "dial", .url = o.args[0], .loop = dx_loop_new(&err)};
    if (!t.loop) {
        trust_free(&trust);
        return tool_fail("dial", t.url, &err);
    }
    talk_options(&t, &o);
    tool_signals(t.loop);
    dx_opts opts = {.dial_ms_max = option_number(&o, "timeout", 0),
                    .idle_ms_max = A_DAY_MS,
                    .tls = trust.tls,
                    .frame = talk_conn_frame(t.url, t.frame),
                    .coding = t.coding};
    bool dials = dx_connect(t.loop, t.url, &talk_on, &t, &opts, &err);
    trust_free(&trust); /* the conn has a reference of its own */
    if (dials)
        return talk_run(&t);
    dx_loop_free(t.loop);
    return tool_fail("dial", t.url, &err);
}
