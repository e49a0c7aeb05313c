/* SPDX-License-Identifier: MIT
 * load_http.c - HTTP/1.1 replies, checked as they come in: status, length, each byte of the body; and the request for them. */
#include "load.h"
#include <stdio.h>
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

static void check_body(const uint8_t *p, const uint8_t *want, size_t n, size_t at)
{
    size_t same = 0;
    if (!memcmp(p, want, n))
        return;
    while (p[same] == want[same])
        same++;
    die("byte %zu of the reply differs", at + same);
}

/* How many bytes are the head's. */
static size_t take_head(struct reply *r, size_t body_n, const uint8_t *p, size_t n)
{
    size_t before = r->head_n, room = sizeof r->head - 1 - before, k = n < room ? n : room;
    memcpy(r->head + before, p, k);
    r->head_n += k;
    r->head[r->head_n] = 0;
    char *end = strstr(r->head + (before > 3 ? before - 3 : 0), "\r\n\r\n");
    if (!end && k < n)
        die("the reply's head is longer than %zu bytes", sizeof r->head - 1);
    if (!end)
        return n;
    end[2] = 0;
    check_head(r->head, body_n);
    r->in_body = true;
    return (size_t)(end + 4 - r->head) - before;
}

size_t reply_take(struct reply *r, const uint8_t *body, size_t body_n, const uint8_t *p, size_t n, bool *ret_whole)
{
    size_t used = r->in_body ? 0 : take_head(r, body_n, p, n), left = n - used;
    if (left > body_n - r->body_n)
        left = body_n - r->body_n;
    check_body(p + used, body + r->body_n, left, r->body_n);
    r->body_n += left;
    *ret_whole = r->in_body && r->body_n == body_n;
    if (*ret_whole)
        r->head_n = r->body_n = 0, r->in_body = false;
    return used + left;
}

size_t request_make(const char *url, char *ret, size_t room)
{
    const char *rest = strstr(url, "://"), *path = rest ? strchr(rest + 3, '/') : NULL;
    int path_n = path ? (int)strcspn(path, "#") : 1;
    int n = snprintf(ret, room, "GET %.*s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n",
                     path_n, path ? path : "/");
    if (n < 0 || (size_t)n >= room)
        die("%s: the path is too long", url);
    return (size_t)n;
}

uint8_t *body_read(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    if (!f || fseek(f, 0, SEEK_END) || (*ret_n = (size_t)ftell(f)) == 0 || fseek(f, 0, SEEK_SET) ||
        !(p = malloc(*ret_n)) || fread(p, 1, *ret_n, f) != *ret_n)
        die("%s: no body there", path);
    fclose(f);
    return p;
}
