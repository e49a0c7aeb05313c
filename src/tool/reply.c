/* SPDX-License-Identifier: MIT
 * reply.c - see reply.h. */
#include "tool/reply.h"
#include "tool/manner.h"
#include "tool/tool.h"
#include <ctype.h>
#include <duplex/http.h>
#include <string.h>

static bool is_html(const dx_text *t)
{
    size_t at = t->p ? strspn(t->p, " \t\r\n") : 0;
    return at + 1 < t->n && t->p[at] == '<' && (isalpha((unsigned char)t->p[at + 1]) || t->p[at + 1] == '!');
}

static void read_type(struct reply *r, const char *coding)
{
    const char *charset = coding && strcmp(coding, "auto") != 0 ? coding : "utf-8";
    if (r->hex)
        snprintf(r->type, sizeof r->type, "application/octet-stream");
    else
        snprintf(r->type, sizeof r->type, "text/%s; charset=%.40s", is_html(&r->plain) ? "html" : "plain", charset);
}

int reply_read(struct reply *r, const struct options *o)
{
    const char *text = option_text(o, "reply"), *coding = option_text(o, "encoding");
    struct manner m;
    *r = (struct reply){.on = text != NULL};
    if (!text)
        return -1;
    int code = manner_read(&m, o);
    struct outgoing bare = {.hex = m.hex}, full = m.out;
    full.coding = m.hex ? NULL : coding;
    r->hex = m.hex;
    r->frame = m.frame ? m.frame : "gap:20ms";
    m.out = bare;
    if (code < 0)
        code = manner_make(&m, "reply", text, &r->plain);
    outgoing_free(&m.out);
    m.out = full;
    if (code < 0)
        code = manner_make(&m, "reply", text, &r->bytes);
    manner_free(&m);
    read_type(r, coding);
    return code;
}

void reply_free(struct reply *r)
{
    dx_text_free(&r->bytes);
    dx_text_free(&r->plain);
}

int reply_http(const struct reply *r, dx_conn *c)
{
    return dx_http_reply(c, 200, r->type, r->bytes.p, r->bytes.n, NULL, 0);
}

int reply_message(const struct reply *r, dx_conn *c)
{
    const char *wire = dx_wire(c);
    if (strcmp(wire, "ws") != 0 && strcmp(wire, "wss") != 0)
        return dx_send(c, r->bytes.p, r->bytes.n, 0);
    return dx_send(c, r->plain.p, r->plain.n, r->hex ? DX_BINARY : DX_TEXT);
}
