/* SPDX-License-Identifier: MIT
 * member.c - what all kinds of members have in common: coming, being told, resting, going. */
#include "hub/guest.h"
#include "hub/inside.h"
#include <duplex/http.h>
#include <duplex/udp.h>
#include <duplex/ws.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void member_sent(struct member *m, int r)
{
    if (r == 1 || r == DX_FULL)
        m->blocked = true;
}

static enum kind kind_of(dx_conn *c)
{
    const char *wire = dx_wire(c);
    if (dx_http_is(c))
        return KIND_HTTP;
    return !strcmp(wire, "udp") || !strcmp(wire, "unixgram") ? KIND_UDP
           : !strcmp(wire, "ws") || !strcmp(wire, "wss")     ? KIND_WS
                                                             : KIND_RAW;
}

static void late(dx_conn *c)
{
    struct member *m = dx_state(c);
    if (!m->room && !m->closing)
        member_close(m);
}

void member_expected(struct member *m)
{
    if (!m->room && !m->closing)
        dx_after(m->c, KEY_MS_MAX, late);
}

void member_open(dx_conn *c, struct hub *h)
{
    struct member *m = dx_state(c);
    m->c = c;
    m->hub = h;
    m->kind = (uint8_t)kind_of(c);
    m->form = FORM_UTF8;
    m->serial = ++h->serials;
    m->heard_ms = dx_loop_now(h->loop);
    if (m->kind == KIND_HTTP)
        visit_begin(m);
    if (!gate_enter(m, c)) {
        if (m->kind == KIND_HTTP)
            dx_http_reply(c, 503, "text/plain", "too many connections from your address\n", 39, NULL, 0);
        else {
            member_tell(m, "* too many connections from your address");
            dx_close(c);
        }
        m->closing = true;
        return;
    }
    if (m->kind == KIND_HTTP)
        front_open(m);
    else if (m->keyed)
        plain_join(m);
    if (m->kind != KIND_HTTP)
        member_expected(m);
}

void member_gone(struct member *m)
{
    m->closing = true;
    if (m->kind == KIND_HTTP && m->hub) {
        struct hub_request r;
        visit_read(m, &r);
        visit_over(m, &r);
    }
    if (m->talk)
        m->hub->o.site->gone(m->talk);
    m->talk = NULL;
    if (m->call)
        call_free(m);
    free(m->peer);
    m->peer = NULL;
    room_leave(m);
    if (m->hub)
        gate_leave(m);
    dx_decoder_free(m->decoder);
    free(m->me);
    free(m->want);
    free(m->head);
    m->decoder = NULL;
    m->me = m->want = m->head = NULL;
}

void member_broken(struct member *m, const dx_err *why)
{
    if (m->closing || m->kind == KIND_HTTP)
        return;
    if (m->kind == KIND_JSON)
        json_error(m, "too-big", NULL, "a message has at most 64 KiB");
    else if (m->keyed && (why->code == DX_BIG || (why->code == DX_PROTO && m->kind == KIND_RAW)))
        member_tell(m, "* %s is not speech: send lines, or shorter messages",
                    why->code == DX_BIG ? "more than 64 KiB without an end" : "binary data");
    m->closing = true;
}

void member_close(struct member *m)
{
    m->closing = true;
    dx_close(m->c);
}

/* What a stranger's datagrams may cause: never more bytes than came. */
static bool may_answer(struct member *m, size_t n)
{
    uint64_t in, out;
    if (m->kind != KIND_UDP || dx_is_loopback(m->c) || dx_loop_now(m->hub->loop) < m->hears_until_ms)
        return true;
    dx_udp_traffic(m->c, &in, &out);
    return out + n <= in;
}

/* In the member's own coding. A local one is told as it is. */
int member_tell_n(struct member *m, const char *utf8, size_t n)
{
    const char *coding = form_coding((enum form)m->form);
    dx_text t = {0};
    int r = 0;
    if (m->kind == KIND_LOCAL) {
        if (local_of(m)->watch->notice)
            local_of(m)->watch->notice(local_of(m)->arg, utf8, n);
        return 0;
    }
    if (m->closing)
        return DX_CLOSED;
    if (coding && (r = dx_encode(coding, utf8, n, &t)) >= 0)
        utf8 = t.p, n = t.n;
    if (r >= 0)
        r = may_answer(m, n + 2) ? dx_send(m->c, utf8, n, DX_TEXT) : DX_FULL;
    if (m->kind != KIND_UDP)
        member_sent(m, r);
    dx_text_free(&t);
    return r;
}

int member_tell(struct member *m, const char *fmt, ...)
{
    char s[1024];
    va_list args;
    int n;
    va_start(args, fmt);
    n = vsnprintf(s, sizeof(s), fmt, args);
    va_end(args);
    return n < 0 ? DX_URL : member_tell_n(m, s, (size_t)n < sizeof(s) ? (size_t)n : sizeof(s) - 1);
}

bool member_private(struct member *from, struct member *to, const char *text, size_t n)
{
    dx_text t = {0};
    int r;
    if (to->kind == KIND_JSON) {
        r = text_str(&t, "{\"is\":\"private\",\"from\":");
        r |= text_json(&t, from->nick, strlen(from->nick));
        r |= text_str(&t, ",\"to\":");
        r |= text_json(&t, to->nick, strlen(to->nick));
        r |= text_str(&t, ",\"text\":");
        r |= text_json(&t, text, n);
        r |= text_fmt(&t, ",\"time\":%lld}", (long long)wall_ms());
        r = r < 0 ? r : json_put(to, &t);
    } else {
        /* A nick has no blank: nobody can be called "ada (to you)". */
        r = text_fmt(&t, "%s (to you): ", from->nick);
        r |= show_clean(text, n, &t);
        r = r < 0 ? r : member_tell_n(to, t.p, t.n);
    }
    dx_text_free(&t);
    return r >= 0;
}

static void rested(dx_conn *c)
{
    struct member *m = dx_state(c);
    if (!m->closing)
        dx_pause(c, false);
}

/* Over its rate a stream waits and loses nothing; a datagram peer's rate is looked at before. */
void member_rest(struct member *m, size_t bytes)
{
    int64_t ms = m->kind == KIND_UDP ? 0 : gate_rate(m, m->c, bytes);
    if (ms <= 0 || m->closing)
        return;
    dx_pause(m->c, true);
    dx_after(m->c, ms, rested);
}
