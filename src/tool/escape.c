/* SPDX-License-Identifier: MIT
 * escape.c - see escape.h. */
#include "tool/escape.h"
#include "tool/nibble.h"
#include <string.h>

/* The byte that the escape at p (behind the backslash) means and *ret_n characters of it, or -1. */
static int escape_at(const char *p, size_t *ret_n)
{
    static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
    const char *at = *p ? strchr(names, *p) : NULL;
    *ret_n = 1;
    if (at)
        return bytes[at - names];
    if (*p != 'x' || nibble(p[1]) < 0 || nibble(p[2]) < 0)
        return -1;
    *ret_n = 3;
    return nibble(p[1]) << 4 | nibble(p[2]);
}

int escape_read(const char *text, dx_text *out, size_t *ret_at)
{
    const char *p = text;
    while (*p) {
        size_t n = strcspn(p, "\\");
        if (n && dx_text_add(out, p, n) < 0)
            return DX_NOMEM;
        p += n;
        if (!*p)
            break;
        int byte = escape_at(p + 1, &n);
        if (byte < 0) {
            *ret_at = (size_t)(p - text);
            return DX_URL;
        }
        if (dx_text_add(out, &(char){(char)byte}, 1) < 0)
            return DX_NOMEM;
        p += 1 + n;
    }
    return 0;
}
