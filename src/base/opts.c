/* SPDX-License-Identifier: MIT */
#include "base/opts.h"
#include "base/err.h"
#include <stdlib.h>
#include <string.h>

int opts_read(const void *o, size_t o_bytes, void *ret, size_t ret_bytes, dx_err *err)
{
    const char *p = o;
    for (size_t i = ret_bytes; o && i < o_bytes; i++)
        if (p[i])
            return err_set(err, DX_ABSENT, "an option that this build of duplex does not know is set");
    memset(ret, 0, ret_bytes);
    if (o)
        memcpy(ret, o, o_bytes < ret_bytes ? o_bytes : ret_bytes);
    return 0;
}

int opts_keep(const char **const strings[], size_t n, char **ret_block)
{
    size_t room = 1;
    for (size_t i = 0; i < n; i++)
        room += *strings[i] ? strlen(*strings[i]) + 1 : 0;
    char *at = malloc(room);
    if (!at)
        return DX_NOMEM;
    *ret_block = at;
    for (size_t i = 0; i < n; i++)
        if (*strings[i]) {
            size_t k = strlen(*strings[i]) + 1;
            *strings[i] = memcpy(at, *strings[i], k);
            at += k;
        }
    return 0;
}
