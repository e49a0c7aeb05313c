/* SPDX-License-Identifier: MIT
 * events.h - --json: what happens, an object a line, as docs/events.md has it. Only makes the lines. */
#ifndef TOOL_EVENTS_H
#define TOOL_EVENTS_H
#include "tool/view.h"

enum { EVENTS_VERSION = 1 };
struct events {
    bool on, hex;
    const char *sum, *eol; /* as in struct view */
    dx_decoder *decoder;   /* NULL: data is UTF-8 where it is text */
    uint64_t sums_bad;
    unsigned kind; /* of the next data, a message of a WebSocket: DX_TEXT or DX_BINARY; else 0 */
    struct moment last;
    dx_text out; /* the line of the last call */
};
void events_free(struct events *e);
/* Each puts a line into e->out. 0 or DX_NOMEM. */
int events_open(struct events *e, struct moment at, const dx_conn *c, const char *url);
int events_data(struct events *e, struct moment at, enum view_way way, dx_bytes data, bool whole);
/* The head of a response, and how long it took: ms since it was asked for. */
struct event_head {
    const char *url, *coding; /* as dx_fetch_info has them */
    int redirects;
    bool reused;
    int64_t opened_ms, head_ms;
};
int events_head(struct events *e, struct moment at, const dx_conn *c, const struct event_head *h);
/* All of c's body has come, and what trails it. file NULL: it went into none. */
int events_body(struct events *e, struct moment at, const dx_conn *c, int64_t bytes, int64_t coded, int64_t ms,
                const char *file);
int events_end(struct events *e, struct moment at, enum view_way way);
/* code: enum tool_exit, name: its name; words "": none. What a WebSocket's peer said in its Close is told too; c NULL: it never stood. */
int events_close(struct events *e, struct moment at, const dx_conn *c, int code, const char *name, const char *words);
#endif
