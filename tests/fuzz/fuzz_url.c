/* SPDX-License-Identifier: MIT
 * The parts of a url lie inside it, and a url that was refused says why. */
#include "base/url.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_inside(struct bytes b, const char *s, size_t n)
{
    const char *from = (const char *)b.p;
    assert(b.n == 0 || (from >= s && from + b.n <= s + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char *s = malloc(n + 1);
    if (!s)
        return 0;
    if (n)
        memcpy(s, p, n);
    s[n] = '\0';
    size_t len = strlen(s);
    struct url u;
    dx_err err = {0};
    if (url_parse(s, &u, &err) < 0) {
        assert(err.code == DX_URL && err.text[0] && memchr(err.text, '\0', sizeof err.text));
    } else {
        struct bytes part[] = {u.host, u.path, u.target, u.fragment, url_option(&u, "cert"), url_option(&u, "")};
        for (size_t i = 0; i < sizeof part / sizeof *part; i++)
            check_inside(part[i], s, len);
        assert(u.port >= -1 && u.port <= 65535);
    }
    free(s);
    return 0;
}
