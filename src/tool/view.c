/* SPDX-License-Identifier: MIT
 * view.c - see view.h. */
#include "tool/view.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void view_free(struct view *v)
{
    dx_text_free(&v->out);
}

void view_check(const char *name, const char *eol, dx_bytes message, struct view_sum *ret)
{
    dx_bytes m = message;
    const char *p = m.p;
    size_t eol_n = eol ? strlen(eol) : 0;
    if (eol_n && m.n >= eol_n && !memcmp(p + m.n - eol_n, eol, eol_n))
        m.n -= eol_n;
    dx_sum sum;
    size_t n = (size_t)dx_sum_begin(&sum, name);
    *ret = (struct view_sum){.body = {p, m.n > n ? m.n - n : 0}, .n = n};
    dx_sum_add(&sum, p, ret->body.n);
    dx_sum_end(&sum, ret->expected);
    if (m.n < n)
        return;
    ret->found = (dx_bytes){p + m.n - n, n};
    ret->good = !memcmp(ret->found.p, ret->expected, n);
}

/* ---- lines ---- */

static int add(struct view *v, const char *s)
{
    return dx_text_add(&v->out, s, strlen(s));
}

/* What stands before a line; stamp is ready. */
static int begin_line(struct view *v, enum view_way way, const dx_text *stamp)
{
    if (v->stamps && (add(v, v->dated ? "" : "[") < 0 || dx_text_add(&v->out, stamp->p, stamp->n) < 0 ||
                      add(v, v->dated ? " " : "] ") < 0))
        return DX_NOMEM;
    char number[24] = "";
    if (v->from)
        snprintf(number, sizeof number, "%" PRIu64, v->from);
    if (v->ways && add(v, number) < 0)
        return DX_NOMEM;
    return v->ways ? add(v, way == VIEW_IN ? "< " : "> ") : 0;
}

static int add_lines(struct view *v, enum view_way way, const char *p, size_t n, const dx_text *stamp)
{
    for (const char *end = p + n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t took = nl ? (size_t)(nl - p) + 1 : (size_t)(end - p);
        if ((!v->inside && begin_line(v, way, stamp) < 0) || dx_text_add(&v->out, p, took) < 0)
            return DX_NOMEM;
        v->inside = !nl;
        p += took;
    }
    return 0;
}

static int hex_line(struct view *v, enum view_way way, dx_bytes data, const dx_text *stamp)
{
    int r = begin_line(v, way, stamp);
    if (r >= 0 && data.n)
        r = dx_hex(data.p, data.n, " ", &v->out);
    return r < 0 ? r : add(v, "\n");
}

static int text_lines(struct view *v, enum view_way way, dx_bytes data, bool whole, const dx_text *stamp)
{
    int r = show_data(v->show, data.p, data.n, whole);
    return r < 0 ? r : add_lines(v, way, v->show->out.p, v->show->out.n, stamp);
}

/* At the end of the message's last line: what is wrong with its checksum. */
static int note_sum(struct view *v, const struct view_sum *s)
{
    int r = 0;
    if (v->out.n && v->out.p[v->out.n - 1] == '\n')
        v->out.n--;
    if (add(v, " [") < 0 || add(v, v->sum) < 0)
        return DX_NOMEM;
    if (s->found.n)
        r = add(v, " found ") < 0 ? DX_NOMEM : dx_hex(s->found.p, s->found.n, " ", &v->out);
    else
        r = add(v, " missing");
    if (r < 0 || add(v, ", expected ") < 0 || dx_hex(s->expected, s->n, " ", &v->out) < 0)
        return DX_NOMEM;
    v->inside = false;
    return add(v, "]\n");
}

int view_add(struct view *v, enum view_way way, dx_bytes data, bool whole, struct moment at)
{
    dx_text stamp = {0};
    struct view_sum sum = {.body = data, .good = true};
    int r = v->stamps ? stamp_add(&v->last, at, v->dated, &stamp) : 0;
    dx_text_clear(&v->out);
    if (v->sum && whole) {
        view_check(v->sum, v->eol, data, &sum);
        v->sums_bad += !sum.good && way == VIEW_IN;
    }
    if (r >= 0)
        r = v->hex ? hex_line(v, way, sum.body, &stamp) : text_lines(v, way, sum.body, whole, &stamp);
    if (r >= 0 && !sum.good)
        r = note_sum(v, &sum);
    dx_text_free(&stamp);
    return r < 0 ? r : 0;
}

int view_rest(struct view *v, struct moment at)
{
    dx_text stamp = {0};
    dx_text_clear(&v->out);
    if (v->hex || (!show_waits(v->show) && !v->show->ended))
        return 0;
    int r = show_rest(v->show);
    if (r >= 0 && v->show->out.n && v->stamps)
        r = stamp_add(&v->last, at, v->dated, &stamp);
    if (r >= 0)
        r = add_lines(v, VIEW_IN, v->show->out.p, v->show->out.n, &stamp);
    dx_text_free(&stamp);
    return r;
}
