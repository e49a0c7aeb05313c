/* SPDX-License-Identifier: MIT
 * The first byte chooses a spec, the second where the rest is cut: in pieces or whole, the messages are the same, and
 * no byte is made up. */
#include <duplex/text.h>
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MESSAGE_MAX = 64, FAR_MS = 10000 };
static const char *const specs[] = {
    "none", "line",       "delim:0D0A",      "delim:6161",       "gap:20ms",      "fixed:3",
    "auto", "length:0,1", "length:1,2,le,1", "length:0,2,be,-2", "length:0,8,be", "length:3,4,le,-2147483647"};

static int pull(dx_framer *f, int64_t now_ms, bool last, dx_text *out)
{
    dx_bytes m;
    int r;
    while ((r = dx_framer_next(f, now_ms, last, &m)) > 0) {
        assert(m.n <= MESSAGE_MAX || out->cap == 0);
        dx_text_add(out, m.p, m.n);
        dx_text_add(out, "|", 1);
    }
    return r;
}

static int run(const char *spec, const uint8_t *p, size_t n, size_t bite, dx_text *out)
{
    dx_framer *f = dx_framer_new(spec, MESSAGE_MAX, NULL);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i += bite) {
        if (dx_framer_take(f, p + i, n - i < bite ? n - i : bite, 0) < 0)
            break;
        r = pull(f, 0, false, out);
        assert(dx_framer_answer(f).n <= 32 && strlen(dx_framer_eol(f)) <= 8);
    }
    if (r == 0)
        r = pull(f, FAR_MS, false, out);
    r = r ? r : pull(f, FAR_MS, true, out);
    dx_framer_free(f);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char spec[64] = "";
    if (n < 2)
        return 0;
    memcpy(spec, p, n < sizeof spec ? n : sizeof spec - 1);
    dx_framer_free(dx_framer_new(spec, 0, NULL)); /* any words may be a spec */

    const char *chosen = specs[p[0] % (sizeof specs / sizeof *specs)];
    size_t bite = p[1] % 17 + 1u;
    dx_text whole = {0}, cut = {0};
    int a = run(chosen, p + 2, n - 2, n, &whole), b = run(chosen, p + 2, n - 2, bite, &cut);
    /* none passes runs as they come; a first IAC at a run's end is taken for telnet's; limits are seen sooner in bites */
    bool same = strcmp(chosen, "none") != 0 && !(strcmp(chosen, "auto") == 0 && memchr(p, 0xFF, n));
    if (same && a == 0 && b == 0)
        assert(whole.n == cut.n && (whole.n == 0 || !memcmp(whole.p, cut.p, whole.n)));
    dx_text_free(&whole);
    dx_text_free(&cut);
    return 0;
}
