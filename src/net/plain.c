/* SPDX-License-Identifier: MIT
 * plain.c - a conn right on its transport, with the framing and coding its dx_opts ask for. */
#include "base/err.h"
#include "net/layers.h"
#include "net/stack.h"
#include <string.h>

static bool wants(const char *name)
{
    return name && *name && strcmp(name, "none") != 0;
}

int stack_check(const struct settings *set, dx_err *err)
{
    struct frame_spec spec;
    if (wants(set->o.frame) && frame_spec_parse(set->o.frame, set->o.message_bytes_max, &spec, err) < 0)
        return DX_URL;
    if (wants(set->o.coding)) {
        dx_decoder *d = dx_decoder_new(set->o.coding, DX_GUESS_LOCALE, err);
        if (!d)
            return DX_URL;
        dx_decoder_free(d);
    }
    return 0;
}

/* What was stacked on below before memory ran out goes again: no conn was above it yet. */
void stack_undo(struct layer *below)
{
    for (struct layer *l = below->above, *next; l; l = next) {
        next = l->above;
        l->type->free(l);
    }
    below->above = NULL;
}

void stack_drop(struct layer *bottom)
{
    stack_undo(bottom);
    bottom->type->abort(bottom); /* buries itself at the end of the turn: nobody is above */
}

int stack_codings(struct layer *below, const struct settings *set, dx_loop *loop, bool messages, struct layer **ret_top,
                  bool *ret_messages, dx_err *err)
{
    struct layer *top = below;
    if (wants(set->o.frame) && !messages) { /* a wire that keeps boundaries needs no framing */
        struct layer *l = frame_layer_new(set, loop, err);
        if (!l)
            return DX_NOMEM;
        layer_put_above(top, l);
        top = l;
        messages = true;
    }
    if (wants(set->o.coding)) {
        struct layer *l = coding_layer_new(set, messages, err);
        if (!l) {
            stack_undo(below);
            return DX_NOMEM;
        }
        layer_put_above(top, l);
        top = l;
    }
    *ret_top = top;
    *ret_messages = messages;
    return 0;
}

static int stack_conn(dx_listener *s, struct layer *bottom, struct queue *q, bool messages)
{
    struct layer *top;
    if (stack_codings(bottom, s->set, s->loop, messages, &top, &messages, NULL) < 0)
        return DX_NOMEM;
    dx_conn *c = listener_conn(s, top, q);
    if (!c) {
        stack_undo(bottom);
        return DX_NOMEM;
    }
    c->messages = messages;
    conn_open(c);
    return 0;
}

int stack_plain(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return stack_conn(s, bottom, q, false);
}

int stack_datagrams(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return stack_conn(s, bottom, q, true);
}

dx_conn *stack_dial(const struct dial *d, struct layer *bottom, struct queue *q, bool messages, dx_err *err)
{
    struct layer *top;
    dx_conn *c = NULL;
    if (stack_check(d->set, err) == 0 && stack_codings(bottom, d->set, d->loop, messages, &top, &messages, err) == 0) {
        c = conn_new(d->on, d->user, top, q);
        if (!c)
            err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
    }
    if (c) {
        c->messages = messages;
        return c;
    }
    stack_drop(bottom);
    return NULL;
}
