/* SPDX-License-Identifier: MIT
 * faults.c - see faults.h. */
#include "tool/faults.h"
#include "tool/stamp.h"
#include "tool/tool.h"
#include <inttypes.h>

void faults_rest(struct faults *f)
{
    if (f->unsaid)
        tool_say("%" PRIu64 " more TLS handshake%s came to nothing", f->unsaid, f->unsaid == 1 ? "" : "s");
    f->unsaid = 0;
}

static void tell(void *arg, const char *peer, const dx_err *why)
{
    struct faults *f = arg;
    int64_t now = moment_now().steady_ms;
    if (f->said == 0 || now - f->since_ms >= FAULTS_MS) {
        faults_rest(f);
        f->since_ms = now;
        f->said = 0;
    }
    if (f->said++ < FAULTS_SAID_MAX)
        tool_say("%s: no TLS came about: %s", *peer ? peer : "a client that is gone",
                 why->text[0] ? why->text : dx_code_text(why->code));
    else
        f->unsaid++;
}

void faults_watch(struct faults *f, dx_listener *l)
{
    dx_listener_faults(l, tell, f);
}
