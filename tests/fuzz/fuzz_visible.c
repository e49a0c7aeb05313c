/* SPDX-License-Identifier: MIT
 * Whatever comes in: what goes to a terminal and into JSON is valid UTF-8 without one control, and hex reads back. */
#include <duplex/text.h>
#include "base/utf8.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_harmless(const dx_text *t, const char *allowed)
{
    const uint8_t *b = (const uint8_t *)t->p;
    for (size_t i = 0; i < t->n;) {
        uint32_t cp = 0;
        size_t k = utf8_next(b + i, t->n - i, &cp);
        assert(k > 0);
        assert((cp >= 0x20 && cp != 0x7F && (cp < 0x80 || cp >= 0xA0)) ||
               (cp && cp < 0x80 && strchr(allowed, (int)cp)));
        assert(cp != 0x202E && cp != 0x200B && cp != 0x2028);
        i += k;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    dx_text out = {0}, back = {0};
    const char *s = (const char *)p;
    if (dx_visible(s, n, NULL, &out) == 0)
        check_harmless(&out, "");
    dx_text_clear(&out);
    if (dx_visible(s, n, "  ", &out) == 0)
        check_harmless(&out, "\t\n");
    dx_text_clear(&out);
    if (dx_json_escape(s, n, &out) == 0)
        assert(dx_is_utf8(out.p, out.n));
    dx_text_clear(&out);
    if (dx_hex(p, n, ":", &out) == 0 && dx_unhex(out.p, out.n, &back, NULL) == 0)
        assert(back.n == n && (n == 0 || !memcmp(back.p, p, n)));
    dx_text_clear(&back);
    size_t at = 0;
    if (dx_unhex(s, n, &back, &at) < 0)
        assert(at <= n && back.n == 0);
    dx_text_free(&out);
    dx_text_free(&back);
    return 0;
}
