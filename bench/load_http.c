/* SPDX-License-Identifier: MIT
 * load_http.c - one HTTP/1.1 reply, checked as it comes in: status, length, each byte of the body, and no byte more. */
#include "load.h"
#include <stdlib.h>
#include <string.h>

static void check_head(const char *head, size_t body_n)
{
    static const char length[] = "\r\nContent-Length:";
    const char *at = strcasestr(head, length);
    if (strncmp(head, "HTTP/1.1 200 ", 13))
        die("the reply is not 200: %.*s", (int)strcspn(head, "\r\n"), head);
    if (!at || strcasestr(head, "\r\nTransfer-Encoding:"))
        die("the reply's head does not say its length");
    unsigned long long n = strtoull(at + sizeof length - 1, NULL, 10);
    if (n != body_n)
        die("the reply's body has %llu bytes, not %zu", n, body_n);
}

bool reply_take(struct reply *r, const uint8_t *body, size_t body_n, const uint8_t *p, size_t n)
{
    if (!r->in_body) {
        size_t before = r->head_n, room = sizeof r->head - 1 - before, k = n < room ? n : room;
        memcpy(r->head + before, p, k);
        r->head_n += k;
        r->head[r->head_n] = 0;
        char *end = strstr(r->head, "\r\n\r\n");
        if (!end && k < n)
            die("the reply's head is longer than %zu bytes", sizeof r->head - 1);
        if (!end)
            return false;
        end[2] = 0;
        check_head(r->head, body_n);
        size_t used = (size_t)(end + 4 - r->head) - before;
        p += used;
        n -= used;
        r->in_body = true;
    }
    if (n > body_n - r->body_n)
        die("%zu bytes that nobody asked for", n - (body_n - r->body_n));
    if (memcmp(p, body + r->body_n, n)) {
        size_t same = 0;
        while (p[same] == body[r->body_n + same])
            same++;
        die("byte %zu of the reply differs", r->body_n + same);
    }
    r->body_n += n;
    if (r->body_n < body_n)
        return false;
    r->head_n = r->body_n = 0;
    r->in_body = false;
    return true;
}
