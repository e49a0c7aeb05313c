/* SPDX-License-Identifier: MIT
 * behave_echo.c - what goes there comes back: sizes, boundaries, kinds. */
#include "conform.h"

static void close_both(struct world *w)
{
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
    if (!w->s)
        return;
    if (!has(w, HAS_END))
        end_close(w->s);
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

static void echo_small(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(put(w->c, 5), 0);
    WAIT(w->c->got == 5);
    MUST_INT(w->c->datas, 1);
    MUST_INT(dx_queued(w->c->c), 0);
    close_both(w);
}

static void empty_message(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(put(w->c, 0), 0);
    WAIT(w->c->datas == 1);
    MUST_INT(w->c->last_n, 0);
    MUST_INT(put(w->c, 3), 0);
    WAIT(w->c->datas == 2);
    MUST_INT(w->c->last_n, 3);
    close_both(w);
}

static void empty_send(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(put(w->c, 0), 0);
    MUST_INT(put(w->c, 3), 0);
    MUST_INT(put(w->c, 0), 0);
    WAIT(w->c->got == 3);
    MUST_INT(w->c->ends, 0);
    close_both(w);
}

static void mebibyte(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_fill));
    put_all(w->c, MIB, 16 * KIB);
    WAIT(w->c->got == MIB);
    close_both(w);
}

/* More than all buffers on the way hold, so the one who sends must be read from too. */
static void there_and_back_at_once(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_fill));
    put_all(w->c, 12 * MIB, 32 * KIB);
    WAIT(w->c->got == 12 * MIB);
    close_both(w);
}

static void one_big_message(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST(put(w->c, MIB) >= 0);
    WAIT(w->c->datas == 1);
    MUST_INT(w->c->last_n, MIB);
    close_both(w);
}

static void biggest_datagram(struct world *w)
{
    size_t max = w->scheme->one_max;
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST(put(w->c, max) >= 0);
    WAIT(w->c->datas == 1);
    MUST_INT(w->c->last_n, max);
    MUST_INT(put(w->c, max + 1), DX_BIG);
    MUST(put(w->c, 5) >= 0);
    WAIT(w->c->datas == 2);
    MUST_INT(w->c->last_n, 5);
    close_both(w);
}

static void over_their_limit(struct world *w)
{
    w->so.message_bytes_max = 1000;
    MUST_DO(both(w, &on_echo, &on_default));
    MUST_INT(put(w->c, 1000), 0);
    WAIT(w->c->got == 1000);
    MUST_INT(put(w->c, 1001), 0);
    WAIT(w->s->closes && w->c->closes);
    MUST_INT(w->s->why.code, DX_BIG);
    MUST_INT(w->s->datas, 1);
}

static void boundaries(struct world *w)
{
    size_t total = 0;
    MUST_DO(both(w, &on_echo, &on_quiet));
    for (size_t i = 0; i < 60; i++) {
        MUST_INT(put(w->c, i), 0);
        total += i;
        WAIT(w->c->datas == i + 1);
        MUST_INT(w->c->last_n, i);
    }
    for (size_t i = 0; i < 8; i++)
        MUST_INT(put(w->c, 100 + i), 0);
    WAIT(w->c->datas == 68);
    MUST_INT(w->c->last_n, 107);
    MUST_INT(w->c->got, total + 828);
    close_both(w);
}

static void parts(struct world *w)
{
    dx_bytes v[4] = {{pattern(0), 10}, {pattern(10), 0}, {pattern(10), 300}, {pattern(310), 90}};
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(dx_sendv(w->c->c, v, 4, has(w, HAS_MESSAGES) ? DX_BINARY : 0), 0);
    WAIT(w->c->got == 400);
    MUST(has(w, HAS_BYTES) || w->c->datas == 1);
    close_both(w);
}

/* DX_MORE: a part of a message, or bytes that more follow at once. */
static void more(struct world *w)
{
    unsigned how = has(w, HAS_MESSAGES) ? DX_BINARY : 0;
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(dx_send(w->c->c, pattern(0), 10, how | DX_MORE), 0);
    MUST_INT(dx_send(w->c->c, pattern(10), 20, how | DX_MORE), 0);
    MUST_INT(dx_send(w->c->c, pattern(30), 30, how), 0);
    WAIT(w->c->got == 60);
    MUST(has(w, HAS_BYTES) || w->c->datas == 1);
    close_both(w);
}

static void last(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(dx_send(w->c->c, pattern(0), 500, (has(w, HAS_MESSAGES) ? DX_BINARY : 0) | DX_LAST), 0);
    MUST_INT(put(w->c, 1), DX_STATE);
    WAIT(w->c->ends);
    MUST_INT(w->c->got, 500);
    close_both(w);
}

static void text_and_binary(struct world *w)
{
    MUST_DO(both(w, &on_echo, &on_quiet));
    w->c->unchecked = w->s->unchecked = true;
    MUST_INT(dx_send(w->c->c, "\xE4\xBD\xA0", 3, DX_TEXT), 0);
    WAIT(w->c->datas == 1);
    MUST_INT(w->c->last_how & (DX_TEXT | DX_BINARY), DX_TEXT);
    MUST_INT(dx_send(w->c->c, "\xE4\xBD\xFF", 3, DX_BINARY), 0);
    WAIT(w->c->datas == 2);
    MUST_INT(w->c->last_how & (DX_TEXT | DX_BINARY), DX_BINARY);
    close_both(w);
}

static void message_object(struct world *w)
{
    dx_msg *m = dx_msg_new(pattern(0), 2000, has(w, HAS_MESSAGES) ? DX_BINARY : 0);
    MUST_DO(both(w, &on_echo, &on_quiet));
    MUST_INT(dx_msg_bytes(m).n, 2000);
    MUST(dx_msg_ref(m) == m);
    dx_msg_drop(m);
    MUST_INT(dx_send_msg(w->c->c, m), 0);
    dx_msg_drop(m);
    WAIT(w->c->got == 2000);
    close_both(w);
}

const struct behaviour behave_echo[] = {
    {"echo small", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, echo_small},
    {"empty message", HAS_MESSAGES, 0, empty_message},
    {"an empty send is nothing", HAS_BYTES, 0, empty_send},
    {"1 MiB there and back", HAS_END, 0, mebibyte},
    {"12 MiB there and back at once", HAS_END, HAS_DEFLATE, there_and_back_at_once},
    {"one message of 1 MiB", HAS_MESSAGES, HAS_DATAGRAMS, one_big_message},
    {"biggest datagram, DX_BIG beyond", HAS_DATAGRAMS, 0, biggest_datagram},
    {"a message over the peer's limit", HAS_MESSAGES | HAS_END, 0, over_their_limit},
    {"message boundaries are kept", HAS_MESSAGES, 0, boundaries},
    {"dx_sendv joins its parts", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, parts},
    {"DX_MORE joins what follows", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, more},
    {"DX_LAST finishes", HAS_END, 0, last},
    {"text and binary are told apart", HAS_WS, 0, text_and_binary},
    {"dx_send_msg", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, message_object},
    {0},
};
