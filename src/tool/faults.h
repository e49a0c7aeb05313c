/* SPDX-License-Identifier: MIT
 * faults.h - callers whose TLS handshake came to nothing, said on stderr: who and why. A flood of them is a few lines and a count. */
#ifndef TOOL_FAULTS_H
#define TOOL_FAULTS_H
#include <duplex/tls.h>

enum { FAULTS_SAID_MAX = 5, FAULTS_MS = 10000 }; /* so many lines in so long */
struct faults {
    void (*say)(void *arg, const char *words); /* NULL: tool_say */
    void *arg;
    const char *sni_advice; /* where a name was asked for that no certificate has; NULL: none */
    int64_t since_ms;       /* when the first of these was said    */
    int said;
    uint64_t unsaid; /* their count follows when that is over */
};
/* f, zeroed but for the first three, outlives l; several listeners may share it. */
void faults_watch(struct faults *f, dx_listener *l);
void faults_rest(struct faults *f); /* says how many were not said, if any */
#endif
