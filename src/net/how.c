/* SPDX-License-Identifier: MIT */
#include "net/how.h"
#include "base/err.h"
#include <string.h>

enum { HOPS_MAX = 255, PORT_MAX = 65535 };

/* All of b as a number; -1: it is none, or over max. */
static int number(struct bytes b, int max)
{
    int x = 0;
    if (b.n == 0)
        return -1;
    for (size_t i = 0; i < b.n; i++) {
        if (b.p[i] < '0' || b.p[i] > '9' || (x = x * 10 + (b.p[i] - '0')) > max)
            return -1;
    }
    return x;
}

/* "ADDR", "ADDR:PORT", "[V6]", "[V6]:PORT". */
static bool read_source(struct bytes b, struct addr *ret)
{
    const uint8_t *colon = b.n ? memrchr(b.p, ':', b.n) : NULL, *close = b.n ? memchr(b.p, ']', b.n) : NULL;
    struct bytes host = b, port = {(const uint8_t *)"0", 1};
    bool bracket = b.n && b.p[0] == '[';
    if (addr_literal(b, 0, ret))
        return true;
    if (bracket != (close != NULL) || (bracket && close + 1 < b.p + b.n && close + 1 != colon))
        return false;
    if (colon && (!close || colon > close)) {
        host.n = (size_t)(colon - b.p);
        port = (struct bytes){colon + 1, b.n - host.n - 1};
    }
    if (bracket)
        host = (struct bytes){b.p + 1, (size_t)(close - b.p) - 1};
    int at = number(port, PORT_MAX);
    return at >= 0 && addr_literal(host, at, ret);
}

int how_read(const struct url *u, const char *text, struct addr_how *ret, dx_err *err)
{
    struct addr_how how = {0};
    struct bytes from = url_option(u, "bind"), hops = url_option(u, "ttl"), by = url_option(u, "interface");
    if (from.p && !read_source(from, &how.from))
        return err_set(err, DX_URL, "dial %s: #bind wants an address of this machine, or ADDR:PORT", text);
    if (hops.p && (how.hops = number(hops, HOPS_MAX)) < 1)
        return err_set(err, DX_URL, "dial %s: #ttl is 1 to %d", text, HOPS_MAX);
    if (by.p && !(how.interface = addr_interface(by)))
        return err_set(err, DX_URL, "dial %s: no interface %.*s", text, (int)by.n, (const char *)by.p);
    how.broadcast = url_option(u, "broadcast").p != NULL;
    *ret = how;
    return 0;
}
