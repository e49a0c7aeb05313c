/* SPDX-License-Identifier: MIT
 * charset.c - iconv. struct charset is the iconv_t itself: there is nothing to add to it. */
#include "charset.h"
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

static iconv_t cd_of(struct charset *c)
{
    return (iconv_t)c;
}

/* iconv reads "" as the locale's coding and "//" as the start of options. */
static bool is_name(const char *s)
{
    return *s && !strpbrk(s, "/,");
}

struct charset *charset_new(const char *to, const char *from)
{
    if (!is_name(to) || !is_name(from)) {
        errno = EINVAL;
        return NULL;
    }
    iconv_t cd = iconv_open(to, from);
    return cd == (iconv_t)-1 ? NULL : (struct charset *)cd;
}

void charset_free(struct charset *c)
{
    if (c)
        iconv_close(cd_of(c));
}

enum charset_end charset_run(struct charset *c, const uint8_t **in, size_t *in_n, uint8_t **out, size_t *out_n)
{
    char *from = (char *)(uintptr_t)*in, *to = (char *)*out; /* iconv's in is not const, and not written to */
    size_t r = iconv(cd_of(c), &from, in_n, &to, out_n);
    int why = errno;
    *in = (const uint8_t *)from;
    *out = (uint8_t *)to;
    if (r != (size_t)-1)
        return CHARSET_DONE;
    return why == E2BIG ? CHARSET_FULL : why == EINVAL ? CHARSET_CUT : CHARSET_BAD;
}

size_t charset_reset(struct charset *c, uint8_t *out, size_t out_n)
{
    char *to = (char *)out;
    size_t left = out_n;
    if (iconv(cd_of(c), NULL, NULL, &to, &left) == (size_t)-1)
        iconv(cd_of(c), NULL, NULL, NULL, NULL);
    return out_n - left;
}

bool charset_locale_is_zh(void)
{
    static const char *const name[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const char *s = getenv(name[i]);
        if (s && *s)
            return !strncmp(s, "zh", 2);
    }
    return false;
}
