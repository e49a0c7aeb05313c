/* SPDX-License-Identifier: MIT
 * escape.c - names of files are anybody's words: one way each to write them into HTML, into a URL, into a field. */
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

int escape_url(const char *s, size_t n, dx_text *out)
{
    int r = 0;
    for (size_t i = 0; i < n && r >= 0; i++) {
        uint8_t c = (uint8_t)s[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("-._~", c));
        r = plain ? dx_text_add(out, &s[i], 1) : add_fmt(out, "%%%02X", c);
    }
    return r;
}
