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

static const char *entity(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : "&#39;";
}

int escape_html(const char *s, size_t n, dx_text *out)
{
    dx_text safe = {0};
    int r = dx_visible(s, n, NULL, &safe);
    for (const char *p = safe.p, *end = p + safe.n; r >= 0 && p < end;) {
        size_t plain = strcspn(p, "&<>\"'");
        r = dx_text_add(out, p, plain);
        p += plain;
        if (p < end && r >= 0)
            r = add_str(out, entity(*p++));
    }
    dx_text_free(&safe);
    return r < 0 ? r : 0;
}
