/* SPDX-License-Identifier: MIT
 * faults.c - see faults.h. */
#include "tool/faults.h"
#include "tool/stamp.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <stdio.h>

enum { WORDS_MAX = 700 };

static void say(const struct faults *f, const char *words)
{
    if (f->say)
        f->say(f->arg, words);
    else
        tool_say("%s", words);
}

void faults_rest(struct faults *f)
{
    char words[80];
    snprintf(words, sizeof words, "%" PRIu64 " more TLS handshake%s came to nothing", f->unsaid,
             f->unsaid == 1 ? "" : "s");
    if (f->unsaid)
        say(f, words);
    f->unsaid = 0;
}

static void tell_one(const struct faults *f, const char *peer, const dx_err *why)
{
    char words[WORDS_MAX];
    bool sni = why->detail_of == DX_OF_TLS && why->detail == DX_TLS_SNI && f->sni_advice;
    snprintf(words, sizeof words, "%s: no TLS came about: %s%s%s", *peer ? peer : "a client that is gone",
             why->text[0] ? why->text : dx_code_text(why->code), sni ? ".  " : "", sni ? f->sni_advice : "");
    say(f, words);
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
        tell_one(f, peer, why);
    else
        f->unsaid++;
}

void faults_watch(struct faults *f, dx_listener *l)
{
    dx_listener_faults(l, tell, f);
}
