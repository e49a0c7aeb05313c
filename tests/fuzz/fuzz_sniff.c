/* SPDX-License-Identifier: MIT
 * A verdict is final, a name goes with a foreign protocol and with nothing else, and no prefix of a request that the parser takes
 * is ever speech. */
#include "codec/http1.h"
#include "codec/sniff.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static enum sniff ask(const uint8_t *p, size_t n)
{
    const char *name = "";
    uint8_t *copy = malloc(n + !n); /* of its own size, so that a sanitizer sees one byte too far */
    assert(copy);
    if (n)
        memcpy(copy, p, n);
    enum sniff d = sniff_datagram(copy, n, &name);
    assert(d != SNIFF_MORE && d != SNIFF_HOLD && d != SNIFF_HTTP1 && d != SNIFF_HTTP2);
    assert((d == SNIFF_FOREIGN) == (name != NULL));
    enum sniff s = sniff_stream(copy, n, &name);
    assert(s != SNIFF_QUIC && (s == SNIFF_FOREIGN) == (name != NULL));
    free(copy);
    return s;
}

/* The method's end where the input is a request whose method has 3-20 upper-case letters; else 0. */
static size_t method_end(const uint8_t *p, size_t n)
{
    static struct http1_head h;
    size_t scanned = 0, i = 0;
    if (http1_request(p, n, &scanned, &h) <= 0)
        return 0;
    while (i < h.method.n && h.method.p[i] >= 'A' && h.method.p[i] <= 'Z')
        i++;
    return i == h.method.n && i >= 3 && i <= 20 ? (size_t)(h.method.p - p) + i : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    enum { PREFIX_MAX = 512 };
    enum sniff last = SNIFF_MORE;
    size_t method = method_end(p, n);
    for (size_t k = 0; k <= n; k = k < PREFIX_MAX || k == n ? k + 1 : n) {
        enum sniff s = ask(p, k);
        bool final = last != SNIFF_MORE && last != SNIFF_HOLD;
        assert(!final || s == last || (last == SNIFF_TEXT && s == SNIFF_NOISE));
        if (method)
            assert(s == SNIFF_HTTP1 || s == SNIFF_HOLD || (s == SNIFF_MORE && k <= method));
        last = s;
    }
    assert(!method || last == SNIFF_HTTP1);
    return 0;
}
