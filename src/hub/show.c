/* SPDX-License-Identifier: MIT
 * show.c - the forms in which a message leaves: JSON for pages, "nick: text" in each coding for plain sockets, the exact bytes
 * for plain WebSockets. Each form of a message is made once and shared by all who hear it. */
#include "hub/inside.h"
#include <duplex/sse.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const coding_of[FORMS] = {
    [FORM_GBK] = "gbk", [FORM_GB18030] = "gb18030", [FORM_GB2312] = "gb2312", [FORM_BIG5] = "big5"};

const char *form_coding(enum form form)
{
    return coding_of[form];
}

enum form form_of(const char *coding)
{
    for (int i = FORM_UTF8 + 1; coding && i < FORMS; i++)
        if (!strcasecmp(coding, coding_of[i]))
            return (enum form)i;
    return FORM_UTF8;
}

/* A control character's picture; C1 controls come as two bytes. */
static int picture(unsigned char c, dx_text *out)
{
    char s[3] = {(char)0xe2, (char)0x90, (char)(c == 0x7f ? 0xa1 : 0x80 + c)};
    return dx_text_add(out, s, 3);
}

int show_clean(const char *p, size_t n, dx_text *out)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool c1 = c == 0xc2 && i + 1 < n && (unsigned char)p[i + 1] < 0xa0;
        int r;
        if ((c >= 0x20 && c != 0x7f && !c1) || c == '\t')
            continue;
        if (dx_text_add(out, p + from, i - from) < 0)
            return DX_NOMEM;
        if (c == '\n')
            r = text_str(out, "\n  ");
        else if (c == '\r' && i + 1 < n && p[i + 1] == '\n')
            r = 0;
        else
            r = c1 ? text_str(out, "\xef\xbf\xbd") : picture(c, out);
        if (r < 0)
            return r;
        i += c1;
        from = i + 1;
    }
    return dx_text_add(out, p + from, n - from);
}

int show_json(const struct note *n, dx_text *out)
{
    int r = text_fmt(out, "{\"is\":\"msg\",\"offset\":%llu,\"time\":%lld,\"from\":", (unsigned long long)n->offset,
                     (long long)n->time_ms);
    r |= text_json(out, n->from, strlen(n->from));
    r |= text_str(out, ",\"wire\":");
    r |= text_json(out, n->wire, strlen(n->wire));
    r |= text_str(out, ",\"text\":");
    r |= text_json(out, n->text, n->text_n);
    if (n->id) {
        r |= text_str(out, ",\"id\":");
        r |= text_json(out, n->id, strlen(n->id));
    }
    if (n->coding)
        r |= text_fmt(out, ",\"coding\":\"%s\"", n->coding);
    if (n->guess)
        r |= text_str(out, ",\"guess\":true");
    if (n->binary)
        r |= text_str(out, ",\"binary\":true");
    if (n->raw) {
        r |= text_str(out, ",\"raw\":\"");
        r |= text_base64(out, n->raw, n->raw_n);
        r |= text_str(out, "\"");
    }
    return r | text_str(out, "}");
}

static int show_plain(const struct note *n, enum form form, dx_text *line, dx_text *out)
{
    dx_text *utf8 = form == FORM_UTF8 ? out : line;
    if (text_str(utf8, n->from) < 0 || text_str(utf8, ": ") < 0 || show_clean(n->text, n->text_n, utf8) < 0)
        return DX_NOMEM;
    return form == FORM_UTF8 ? 0 : dx_encode(coding_of[form], line->p, line->n, out);
}

/* The JSON in an event, whose id says where it stands. */
static dx_msg *show_event(const struct room *r, const struct note *n, dx_text *json)
{
    char id[64];
    snprintf(id, sizeof(id), "%s.%llu", r->epoch, (unsigned long long)n->offset);
    return show_json(n, json) < 0 ? NULL : dx_sse_msg(&(dx_sse){.id = id, .data = json->p, .n = json->n});
}

dx_msg *show(struct room *r, struct note *n, enum form form)
{
    dx_text *out = &r->hub->scratch, *line = &r->hub->scratch2;
    if (form == FORM_EXACT && !n->binary)
        form = FORM_UTF8;
    if (n->as[form])
        return n->as[form];
    dx_text_clear(out);
    dx_text_clear(line);
    if (form == FORM_SSE)
        n->as[form] = show_event(r, n, out);
    else if (form == FORM_EXACT)
        n->as[form] = dx_msg_new(n->raw, n->raw_n, DX_BINARY);
    else if ((form == FORM_JSON ? show_json(n, out) : show_plain(n, form, line, out)) >= 0)
        n->as[form] = dx_msg_new(out->p, out->n, DX_TEXT);
    if (n->as[form])
        ring_grew(&r->ring, n, dx_msg_bytes(n->as[form]).n + 64);
    return n->as[form];
}
