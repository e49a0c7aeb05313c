/* SPDX-License-Identifier: MIT
 * outgoing.c - see outgoing.h. */
#include "tool/outgoing.h"
#include <string.h>

void outgoing_free(struct outgoing *g)
{
    dx_text_free(&g->bytes);
}

bool outgoing_works(const struct outgoing *g)
{
    return g->hex || g->coding || g->sum || g->eol;
}

const char *outgoing_eol(const char *name)
{
    static const char *const eols[][2] = {{"lf", "\n"}, {"crlf", "\r\n"}, {"none", ""}};
    for (size_t i = 0; i < sizeof eols / sizeof *eols; i++)
        if (!strcmp(name, eols[i][0]))
            return eols[i][1];
    return NULL;
}

static int add_sum(struct outgoing *g)
{
    uint8_t sum[8];
    int n = dx_checksum(g->sum, g->bytes.p ? g->bytes.p : "", g->bytes.n, sum);
    return n < 0 ? n : dx_text_add(&g->bytes, sum, (size_t)n);
}

int outgoing_make(struct outgoing *g, dx_bytes in, dx_bytes *ret, size_t *ret_at)
{
    int r;
    dx_text_clear(&g->bytes);
    if (g->hex)
        r = dx_unhex(in.p, in.n, &g->bytes, ret_at);
    else if (g->coding)
        r = dx_encode(g->coding, in.p, in.n, &g->bytes);
    else
        r = dx_text_add(&g->bytes, in.p, in.n);
    if (r >= 0 && g->sum)
        r = add_sum(g);
    if (r >= 0 && g->eol)
        r = dx_text_add(&g->bytes, g->eol, strlen(g->eol));
    if (r < 0)
        return r;
    *ret = (dx_bytes){g->bytes.p ? g->bytes.p : "", g->bytes.n};
    return 0;
}
