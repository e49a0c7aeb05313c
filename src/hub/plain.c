/* SPDX-License-Identifier: MIT
 * plain.c - members that send plain text: raw TCP and Unix sockets, datagrams, WebSockets without a subprotocol. */
#include "hub/inside.h"
#include <duplex/udp.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_SHOWN_MAX = 256 };

void plain_join(struct member *m)
{
    if (!room_enter_wanted(m)) {
        member_tell(m, "* there are too many rooms or members");
        member_close(m);
        return;
    }
    /* A raw socket that is only open may be a browser's spare one: it hears, and is nobody until it speaks. */
    if (m->kind == KIND_WS)
        room_list(m, NULL);
}

static void hex_line(const void *p, size_t n, dx_text *out)
{
    text_fmt(out, "[%zu byte%s] ", n, n == 1 ? "" : "s");
    dx_hex(p, n < HEX_SHOWN_MAX ? n : HEX_SHOWN_MAX, " ", out);
    if (n > HEX_SHOWN_MAX)
        text_str(out, " ...");
}

static bool is_ascii(const uint8_t *p, size_t n)
{
    uint8_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= p[i];
    return all < 0x80;
}

/* Fills in->text, coding, guess and raw where the bytes say more than the text. */
static bool decode(struct member *m, const void *data, size_t n, struct note_in *in, dx_text *out)
{
    int bad;
    in->text = (dx_bytes){data, n};
    if (!m->decoder && is_ascii(data, n))
        return true;
    if (!m->decoder && !(m->decoder = dx_decoder_new("auto", m->hub->o.guess, NULL)))
        return false;
    bad = dx_decode(m->decoder, data, n, true, out);
    if (bad < 0)
        return false;
    in->text = (dx_bytes){out->p, out->n};
    in->guess = dx_decoder_guessed(m->decoder);
    in->coding = dx_decoder_coding(m->decoder);
    if (!in->coding || !strcmp(in->coding, "utf-8"))
        in->coding = NULL;
    if (in->coding || in->guess || bad)
        in->raw = (dx_bytes){data, n};
    m->form = (uint8_t)form_of(dx_decoder_reply_coding(m->decoder));
    return true;
}

/* A pipe's words come as binary WebSocket messages, because nobody knew that they would be words. */
static bool is_plain_text(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)p[i] < 0x20 && !strchr("\t\n\r", p[i])) || p[i] == 0x7f)
            return false;
    return n && !memchr(p, 0, n) && dx_is_utf8(p, n);
}

static size_t without_eol(const char *p, size_t n)
{
    if (n && p[n - 1] == '\n')
        n--;
    if (n && p[n - 1] == '\r')
        n--;
    return n;
}

/* Where the room wants a key, nothing else is listened to until it is right. false: these words were not speech. */
static bool may_speak(struct member *m, const char *p, size_t n)
{
    if (m->keyed)
        return true;
    if (command_key(m, p, n))
        plain_join(m);
    return false;
}

static void send_cookie(struct member *m)
{
    while (!m->cookie)
        if (!fill_random(&m->cookie, sizeof(m->cookie)))
            return;
    if (!m->told_cookie && !dx_is_loopback(m->c))
        m->told_cookie = member_tell(m, "/hear %016llx", (unsigned long long)m->cookie) >= 0;
}

void plain_data(struct member *m, const void *data, size_t n, unsigned how)
{
    dx_text text = {0};
    struct note_in in = {0};
    const char *p = data;
    bool binary = (m->kind == KIND_WS && (how & DX_BINARY) && !is_plain_text(p, n)) || (n && memchr(data, 0, n));
    m->heard_ms = dx_loop_now(m->hub->loop);
    if (m->kind == KIND_UDP && gate_rate(m, m->c, n) > 0)
        return;
    if (!binary)
        n = without_eol(p, n);
    if (m->kind == KIND_RAW && !m->spoke && request_begins(m, p, n)) {
        m->hub->counts.refused++;
        member_close(m);
    }
    if (m->closing || !may_speak(m, p, n))
        goto rest;
    if (!n)
        goto rest;
    if (!m->nick && !room_list(m, NULL))
        goto rest;
    if (binary) {
        hex_line(data, n, &text);
        in = (struct note_in){.binary = true, .text = {text.p, text.n}, .raw = {data, n}};
        room_say(m, &in);
    } else if (decode(m, data, n, &in, &text))
        plain_line(m, &in);
rest:
    dx_text_free(&text);
    if (m->kind == KIND_UDP && m->room && !m->closing)
        send_cookie(m);
    if (!m->closing)
        member_rest(m, n);
}

void plain_line(struct member *m, struct note_in *in)
{
    const char *p = in->text.p;
    size_t n = in->text.n, word = n;
    while (word && (p[word - 1] == ' ' || p[word - 1] == '\t'))
        word--;
    if (word == 4 && !memcmp(p, "exit", 4)) {
        command_run(m, "/quit", 5);
        return;
    }
    if (n && *p == '/') {
        if (n < 2 || p[1] != '/') {
            command_run(m, p, n);
            return;
        }
        in->text = (dx_bytes){p + 1, n - 1};
        in->raw.n -= in->raw.n > 0; /* the bytes lose the same '/': it is one byte in every coding we read */
        in->raw.p = in->raw.p ? (const char *)in->raw.p + 1 : NULL;
    }
    room_say(m, in);
}
