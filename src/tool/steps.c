/* SPDX-License-Identifier: MIT
 * steps.c - see steps.h. */
#include "tool/steps.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include <duplex/text.h>
#include <duplex/ws.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { A_DAY_S = 86400, NO_CODE = 1005 };

struct shown {
    const char *who;
    int count;
};

/* The leaf says who it is and for how long; of its issuers the name is enough. */
static void tell_cert(void *arg, const dx_cert_info *i)
{
    struct shown *s = arg;
    int64_t days = (i->until_s - (int64_t)time(NULL)) / A_DAY_S;
    if (s->count++)
        tool_say("%s  signed by %s", s->who, i->subject);
    else
        tool_say("%s  certificate for %s, %s, %" PRId64 " day%s left%s", s->who, *i->names ? i->names : i->subject,
                 i->key, days, days == 1 ? "" : "s", i->self_signed ? ", signed by itself" : "");
}

static void tell_websocket(dx_conn *c, const char *who)
{
    const char *wire = dx_wire(c), *protocol = dx_ws_protocol(c);
    if (strcmp(wire, "ws") && strcmp(wire, "wss"))
        return;
    tool_say("%sHTTP 101: this connection is a WebSocket now%s%s%s", who, *protocol ? ", subprotocol " : "", protocol,
             dx_ws_deflates(c) ? ", permessage-deflate" : "");
}

/* What the peer's Close said. */
static void tell_close(const dx_conn *c, const char *who)
{
    const char *reason = dx_ws_close_reason(c);
    int code = dx_ws_close_code(c);
    dx_text shown = {0};
    if (!code || code == NO_CODE)
        return;
    dx_visible(reason, strlen(reason), NULL, &shown);
    tool_say("%sthe peer's Close: %d%s%s", who, code, shown.n ? " " : "", shown.n ? shown.p : "");
    dx_text_free(&shown);
}

void steps_open(struct steps *s, dx_conn *c, const char *who)
{
    struct shown shown = {.who = who};
    s->opened = dx_loop_now(dx_loop_of(c));
    if (!s->began)
        s->began = s->opened;
    trust_tell(c, who);
    dx_tls_peer(c, tell_cert, &shown);
    tell_websocket(c, who);
}

void steps_close(const struct steps *s, dx_conn *c, const char *who, const dx_err *why)
{
    tell_close(c, who);
    int64_t ms = dx_loop_now(dx_loop_of(c)) - s->opened;
    tool_say("%s%s: %" PRIu64 " bytes in, %" PRIu64 " bytes out, %" PRId64 ".%03d s", who,
             why->text[0] ? why->text : dx_code_text(why->code), s->in, s->out, ms / 1000, (int)(ms % 1000));
}
