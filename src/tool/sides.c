/* SPDX-License-Identifier: MIT */
#include "tool/sides.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <string.h>

enum side { LISTENER = 1, TARGET = 2 };

/* Whose is an option of that name; 0: it is none of TLS. */
static int side_of(const char *name, bool listener_has_tls)
{
    static const struct {
        const char *name;
        int side;
    } rows[] = {{"client-ca", LISTENER}, {"pin", TARGET}, {"ca", TARGET}, {"insecure", TARGET}};
    if (!strcmp(name, "cert") || !strcmp(name, "key"))
        return listener_has_tls ? LISTENER : TARGET;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].side;
    return 0;
}

int sides_check(const struct options *o, const char *listen, const char *const *dials, int count)
{
    bool here = wire_may_be_tls(listen), there = false;
    for (int i = 0; i < count; i++)
        there |= wire_may_be_tls(dials[i]);
    for (int i = 0; i < o->given_count; i++) {
        const char *name = o->given[i].opt->name;
        int side = side_of(name, here);
        if (side && !(side == LISTENER ? here : there)) {
            tool_say("--%s is for %s TLS, and there is none.  Try: tls:// or wss://", name,
                     side == LISTENER ? "listening with" : "dialling with");
            return TOOL_USAGE;
        }
    }
    return -1;
}

int sides_trust(struct trust *t, const struct options *o, const char *listen, const char *dial)
{
    struct options own = {.command = command_find(dial ? "dial" : "listen"), .as = o->command, .arg_count = 1};
    own.args[0] = dial ? dial : listen;
    for (int i = 0; i < o->given_count; i++)
        if (side_of(o->given[i].opt->name, wire_may_be_tls(listen)) == (dial ? TARGET : LISTENER) &&
            wire_may_be_tls(own.args[0]))
            own.given[own.given_count++] = o->given[i];
    return trust_read(t, &own, own.args[0], NULL);
}
