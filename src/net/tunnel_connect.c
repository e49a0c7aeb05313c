/* SPDX-License-Identifier: MIT
 * tunnel_connect.c - an HTTP proxy is asked for a tunnel by CONNECT (RFC 9110 9.3.6). */
#include "net/http1_parts.h"
#include "net/tunnel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make(struct tunnel *t, const struct proxy *p)
{
    struct draft d = {0};
    char port[16], *basic = p->login ? proxy_basic(p->login) : NULL;
    snprintf(port, sizeof port, ":%d", t->port);
    for (int i = 0; i < 2; i++) {
        draft_say(&d, i ? "Host: " : "CONNECT ");
        draft_add(&d, "[", t->v6);
        draft_add(&d, t->host,
                  strcspn(t->host, "%")); /* a zone is this machine's own: it means nothing there (RFC 6874) */
        draft_add(&d, "]", t->v6);
        draft_say(&d, port);
        draft_say(&d, i ? "\r\n" : " HTTP/1.1\r\n");
    }
    if (basic)
        draft_field(&d, "Proxy-Authorization", basic);
    draft_say(&d, "\r\n");
    if (p->login && !basic)
        d.r = DX_NOMEM;
    free(basic);
    t->connect.head = d.t.p;
    return d.r;
}

static void begin(struct tunnel *t)
{
    tunnel_say(t, t->connect.head, strlen(t->connect.head));
}

static void refuse(struct tunnel *t, int status)
{
    char text[100];
    const char *reason = dx_http_reason(status);
    snprintf(text, sizeof text, "refuses the tunnel: %d %s", status, strcmp(reason, "Status") ? reason : "");
    tunnel_refuse(t, DX_REFUSED, DX_OF_HTTP, status, text);
}

static void refuse_no_http(struct tunnel *t, const uint8_t *p, size_t n)
{
    int detail_of;
    http1_no_response(p, n, &detail_of);
    tunnel_refuse(t, DX_PROTO, DX_OF_HTTP, 0,
                  detail_of == DX_OF_TLS ? "speaks TLS: its URL is https://" : "does not answer in HTTP");
}

static size_t take(struct tunnel *t, const uint8_t *p, size_t n)
{
    static _Thread_local struct http1_head head;
    int64_t got = http1_tunnel_response(p, n, &t->connect.scanned, &head);
    if (got == 0)
        return 0;
    t->connect.scanned = 0;
    if (got < 0)
        refuse_no_http(t, p, n);
    else if (head.status >= 200 && head.status < 300)
        tunnel_stands(t);
    else if (head.status >= 200)
        refuse(t, head.status);
    return got < 0 ? n : (size_t)got;
}

static void free_it(struct tunnel *t)
{
    free(t->connect.head);
}

const struct tunnel_kind tunnel_connect = {.make = make, .begin = begin, .take = take, .free = free_it};
