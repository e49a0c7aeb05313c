/* SPDX-License-Identifier: MIT
 * add.c - see add.h. */
#include "tool/add.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int addf(dx_text *t, const char *fmt, ...)
{
    char few[200], *many = NULL;
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(few, sizeof few, fmt, ap), r = DX_NOMEM; /* n < 0 is ENOMEM, too: the formats are our own */
    if (n >= (int)sizeof few && (many = malloc((size_t)n + 1)))
        vsnprintf(many, (size_t)n + 1, fmt, again);
    if (n >= 0 && (many || n < (int)sizeof few))
        r = dx_text_add(t, many ? many : few, (size_t)n);
    va_end(again);
    va_end(ap);
    free(many);
    return r;
}

int add_json(dx_text *t, const char *name, const char *value, size_t n)
{
    int r = addf(t, ",\"%s\":\"", name);
    if (r >= 0 && n)
        r = dx_json_escape(value, n, t);
    return r < 0 ? r : add(t, "\"");
}
