/* SPDX-License-Identifier: MIT
 * trust.h - certificates and trust as the command line says them: options and the fragments of URLs become a dx_tls, which is
 * read anew when it is asked for, and each day where its leaf is renewed by itself. */
#ifndef TOOL_TRUST_H
#define TOOL_TRUST_H
#include "tool/options.h"
#include <duplex/tls.h>

struct trust {
    dx_tls *tls; /* NULL: nobody has said anything of TLS            */
    bool shows;  /* it has a certificate                              */

    /* its own, zero at first */
    bool renews;
    char *files; /* of the certificates, ','-separated: their dates are looked at; NULL: none */
    dx_loop *loop;
    int64_t timer;
    void (*say)(void *arg, const char *words);
    void *arg;
};
/* What a command's options and url's fragment say; where both speak of certificates, or both of whom to trust, the options win.
 * names: of an "auto" leaf; NULL: none more. url NULL: the options alone. -1: go on; else the exit code: it has said why. A
 * scheme that is never TLS with an option of TLS is such a fault, and so is a listener that could only be TLS without a
 * certificate. */
int trust_read(struct trust *t, const struct options *o, const char *url, const char *names);
/* Could url only be served with TLS, and t has no certificate? Then it has said so. */
bool trust_lacks(const struct trust *t, const struct options *o, const char *url);
/* A line about it goes to say: the certificates read anew, or why not, and then the old ones stay. */
void trust_reload(struct trust *t);
/* Where to say things; and an "auto" leaf is renewed on this loop from now on. */
void trust_keep(struct trust *t, dx_loop *loop, void (*say)(void *arg, const char *words), void *arg);
void trust_rest(struct trust *t); /* no more renewals: a timer would keep the loop running. Twice is fine */
void trust_free(struct trust *t); /* t zeroed is fine. After the loop is gone, too                     */
/* Says on stderr what TLS has agreed on, and with whom; nothing where there is none. who: "client 1: " or "". */
void trust_tell(dx_conn *c, const char *who);
#endif
