/* SPDX-License-Identifier: MIT
 * escape.c - names of files are anybody's words: how they are written into HTML. */
#include "files/inside.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int add_str(dx_text *t, const char *s)
{
    return dx_text_add(t, s, strlen(s));
}

int add_fmt(dx_text *t, const char *fmt, ...)
{
    char s[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(s, sizeof(s), fmt, args);
    va_end(args);
    return n < 0 || (size_t)n >= sizeof(s) ? DX_BIG : dx_text_add(t, s, (size_t)n);
}

int escape_html(const char *s, size_t n, dx_text *out)
{
    dx_text safe = {0};
    int r = dx_visible(s, n, NULL, &safe);
    for (size_t i = 0; i < safe.n && r >= 0; i++) {
        char c = safe.p[i];
        r = c == '&'    ? add_str(out, "&amp;")
            : c == '<'  ? add_str(out, "&lt;")
            : c == '>'  ? add_str(out, "&gt;")
            : c == '"'  ? add_str(out, "&quot;")
            : c == '\'' ? add_str(out, "&#39;")
                        : dx_text_add(out, &c, 1);
    }
    dx_text_free(&safe);
    return r < 0 ? r : 0;
}
