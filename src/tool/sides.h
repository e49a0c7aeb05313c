/* SPDX-License-Identifier: MIT
 * sides.h - a command that listens at one URL and dials others: which of its options of TLS belong to which. --cert and --key are
 * the listener's where that is TLS, else they are shown to the targets; --client-ca is the listener's; --pin, --ca and --insecure
 * are about the targets. The fragment of a URL speaks for that URL alone. */
#ifndef TOOL_SIDES_H
#define TOOL_SIDES_H
#include "tool/trust.h"

/* listen NULL: nobody listens; dials: count URLs. An option that is for none of them: it has said so. -1: go on; else the exit code. */
int sides_check(const struct options *o, const char *listen, const char *const *dials, int count);
/* trust_read for one of them. listen: the listening URL; dial: a target, or NULL for the listener itself. */
int sides_trust(struct trust *t, const struct options *o, const char *listen, const char *dial);
#endif
