/* SPDX-License-Identifier: MIT
 * manner.c - see manner.h. */
#include "tool/manner.h"
#include "tool/escape.h"
#include "tool/hex.h"
#include "tool/tool.h"
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { WITHIN_MS = 10000 };

/* What sending adds to a line is the frame's, where it has a word for that. */
static const char *frame_with_eol(const char *frame, const char *eol)
{
    static const char *const with[][2] = {{"lf", "line:lf"}, {"crlf", "line:crlf"}, {"none", "line:none"}};
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        if (!strcmp(eol, with[i][0]) && !strcmp(frame, "line"))
            return with[i][1];
    return frame;
}

static int read_sum(struct manner *m, const char *name)
{
    dx_sum sum;
    int r = name ? hex_sum_begin(&sum, name) : 0;
    if (r)
        return r;
    m->out.sum = m->view.sum = m->events.sum = name;
    if (name && !m->frame) /* a checksum ends a message: without a frame silence does */
        m->frame = "gap:20ms";
    return -1;
}

static int read_eol(struct manner *m, const char *name)
{
    if (!name)
        return -1;
    const char *eol = outgoing_eol(name);
    if (!eol) {
        tool_say("--eol wants lf, crlf or none, not '%.60s'", name);
        return TOOL_USAGE;
    }
    m->view.eol = m->events.eol = eol;
    m->out.eol = eol;
    if (m->frame && !strcmp(m->frame, "line")) {
        m->frame = frame_with_eol(m->frame, name);
        m->out.eol = NULL;
    }
    return -1;
}

/* Where bytes matter - hex, checksums - the conn leaves the coding to us. */
static int read_coding(struct manner *m, const char *coding)
{
    dx_err err = {0};
    dx_decoder *d = coding ? dx_decoder_new(coding, DX_GUESS_LOCALE, &err) : NULL;
    if (coding && !d) {
        const char *near = nearest_coding(coding);
        tool_say("--encoding: %s%s%s%s", err.text, near ? ".  Did you mean " : "", near ? near : "", near ? "?" : "");
        return TOOL_USAGE;
    }
    if (coding && !m->hex && m->out.sum) {
        m->out.coding = coding;
        m->events.decoder = d;
        return -1;
    }
    m->coding = m->hex ? NULL : coding;
    dx_decoder_free(d);
    return -1;
}

static bool is_half_a_byte(const char *hex)
{
    return isxdigit((unsigned char)*hex) && (!hex[1] || hex[1] == ' ');
}

int manner_make(struct manner *m, const char *option, const char *text, dx_text *ret)
{
    dx_text plain = {0};
    dx_bytes made = {0};
    size_t at = 0;
    int r = m->hex ? dx_text_add(&plain, text, strlen(text)) : escape_read(text, &plain, &at);
    if (r == 0)
        r = outgoing_make(&m->out, (dx_bytes){plain.p ? plain.p : "", plain.n}, &made, &at);
    if (r == 0)
        r = dx_text_add(ret, made.p, made.n);
    dx_text_free(&plain);
    if (r == 0)
        return -1;
    if (r == DX_URL)
        tool_say("--%s: '%.20s' is %s", option, text + at,
                 !m->hex                     ? "no escape: there are \\r \\n \\t \\0 \\xHH \\\\"
                 : is_half_a_byte(text + at) ? "half a byte"
                                             : "no hex");
    else
        tool_say("--%s: %s", option, dx_code_text(r));
    return r == DX_URL ? TOOL_USAGE : TOOL_LIMIT;
}

int manner_content(struct manner *m, const dx_text *content)
{
    dx_bytes made, all = {content->p ? content->p : "", content->n};
    size_t at = 0;
    bool works = outgoing_works(&m->out);
    while (works && all.n && strchr("\r\n", content->p[all.n - 1]))
        all.n--;
    int r = outgoing_make(&m->out, all, &made, &at);
    if (r == 0)
        r = dx_text_add(&m->send, made.p, made.n);
    m->send_end[0] = m->send.n;
    m->send_count = 1;
    if (r == 0)
        return -1;
    tool_say("standard input: %s", r == DX_URL ? "that is no hex" : dx_code_text(r));
    return r == DX_URL ? TOOL_USAGE : TOOL_LIMIT;
}

/* The bytes to wait for: as they come up to us, so with no checksum or line end. */
static int read_pattern(struct manner *m)
{
    dx_text bytes = {0};
    struct outgoing kept = m->out;
    m->out = (struct outgoing){.hex = m->hex, .coding = kept.coding};
    int r = manner_make(m, "wait-for", m->wait_for, &bytes);
    outgoing_free(&m->out);
    m->out = kept;
    if (r < 0 && !bytes.n) {
        tool_say("--wait-for: there is nothing in it to wait for");
        r = TOOL_USAGE;
    } else if (r < 0 && expect_init(&m->expect, bytes.p, bytes.n) < 0) {
        r = TOOL_LIMIT;
    }
    dx_text_free(&bytes);
    return r;
}

static int read_sends(struct manner *m, const struct options *o)
{
    const char *text;
    int at = 0, r = -1;
    while (r < 0 && (text = option_next(o, "send", &at))) {
        r = manner_make(m, "send", text, &m->send);
        m->send_end[m->send_count++] = m->send.n;
    }
    return r;
}

static int read_texts(struct manner *m, const struct options *o)
{
    const char *log = option_text(o, "log");
    bool dials = option_is(o->command, "wait-for");
    int r = read_sends(m, o);
    m->wait_for = dials ? option_text(o, "wait-for") : NULL;
    m->within_ms = dials ? option_number(o, "within", WITHIN_MS) : 0;
    if (r < 0 && dials && option_has(o, "within") && !m->wait_for) {
        tool_say("--within says how long to wait for --wait-for TEXT");
        r = TOOL_USAGE;
    }
    if (r < 0 && m->wait_for)
        r = read_pattern(m);
    if (r < 0 && log && (r = logfile_open_view(&m->log, log, m->hex, m->out.coding ? m->out.coding : "auto")) == 0)
        r = -1;
    return r;
}

int manner_read(struct manner *m, const struct options *o)
{
    *m = (struct manner){.frame = option_text(o, "frame"),
                         .hex = option_has(o, "hex"),
                         .stamps = option_has(o, "timestamps"),
                         .every_ms = option_number(o, "every", 0)};
    m->out.hex = m->view.hex = m->events.hex = m->hex;
    m->view.stamps = m->stamps;
    m->events.on = option_has(o, "json");
    int r = read_sum(m, option_text(o, "checksum"));
    if (r < 0)
        r = read_eol(m, option_text(o, "eol"));
    if (r < 0)
        r = read_coding(m, option_text(o, "encoding"));
    if (r < 0)
        r = read_texts(m, o);
    if (r < 0 && option_has(o, "every") && m->every_ms < 1) {
        tool_say("--every wants at least 1ms");
        r = TOOL_USAGE;
    }
    return r;
}

void manner_free(struct manner *m)
{
    logfile_close(&m->log);
    outgoing_free(&m->out);
    expect_free(&m->expect);
    view_free(&m->view);
    events_free(&m->events);
    dx_text_free(&m->send);
}

bool manner_views(const struct manner *m)
{
    return m->hex || m->stamps || m->view.sum || m->events.on;
}

static dx_bytes text_of(const dx_text *t)
{
    return (dx_bytes){t->p, t->n};
}

int manner_came(struct manner *m, dx_bytes data, bool whole, dx_bytes *ret)
{
    struct moment now = moment_now();
    int r = 0;
    *ret = (dx_bytes){0};
    logfile_add(&m->log, VIEW_IN, data, now);
    if (m->events.on && (r = events_data(&m->events, now, VIEW_IN, data, whole)) == 0)
        *ret = text_of(&m->events.out);
    else if (!m->events.on && manner_views(m) && (r = view_add(&m->view, VIEW_IN, data, whole, now)) == 0)
        *ret = text_of(&m->view.out);
    return r;
}

int manner_went(struct manner *m, dx_bytes data, bool whole, dx_bytes *ret)
{
    struct moment now = moment_now();
    int r = 0;
    *ret = (dx_bytes){0};
    logfile_add(&m->log, VIEW_OUT, data, now);
    if (m->events.on && (r = events_data(&m->events, now, VIEW_OUT, data, whole)) == 0)
        *ret = text_of(&m->events.out);
    return r;
}

bool manner_met(struct manner *m, dx_bytes data, bool whole)
{
    bool met = expect_seen(&m->expect, data.p, data.n);
    if (!met && whole)
        m->expect.at = 0;
    return met;
}

uint64_t manner_sums_bad(const struct manner *m)
{
    return m->view.sums_bad + m->events.sums_bad;
}

int manner_sums_tell(const struct manner *m, uint64_t bad)
{
    if (!bad)
        return 0;
    tool_say("%" PRIu64 " %s had a wrong %s", bad, bad == 1 ? "message" : "messages", m->view.sum);
    return TOOL_UNMET;
}
