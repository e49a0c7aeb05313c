/* SPDX-License-Identifier: MIT
 * fetch_inside.h - what the files of `duplex fetch` share: fetch.c (one URL after the other), fetch_try.c (one try), fetch_over.c (how it ended), fetch_ask.c (what the options
 * ask for), fetch_out.c (the body on its way to stdout), fetch_file.c (to a
 * file, and on where it had stopped). */
#ifndef TOOL_FETCH_INSIDE_H
#define TOOL_FETCH_INSIDE_H
#include "tool/events.h"
#include "tool/options.h"
#include "tool/part.h"
#include "tool/progress.h"
#include "tool/retry.h"
#include "tool/show.h"
#include "tool/trust.h"
#include <duplex/fetch.h>
#include <limits.h>

enum { FETCH_NOT_MODIFIED = 304, FETCH_ERROR_FROM = 400 /* statuses */ };
enum { FETCH_FIELDS = 64, FETCH_WORDS = PART_WORDS, FETCH_TAIL = 4096, FETCH_SINCE = 256 };

/* ---- fetch_ask.c ---- */
struct fetch_ask {
    const struct options *o;
    dx_fetch_opts opts;               /* as the options say; fields point into v and text */
    dx_http_field v[FETCH_FIELDS];
    dx_text text[FETCH_FIELDS];       /* names and values, ended by NULs  */
    size_t own;                       /* fields that the options gave     */
    char range[64];
    bool ranged;                      /* the options have a Range         */
    int fd;                           /* of the body; -1: none            */
    int64_t fd_size;                  /* -1: it flows                     */
};
int ask_read(struct fetch_ask *a, const struct options *o); /* -1: go on; else the exit code: it has said why */
/* What is asked now: a range from on and if since (NULL: none). */
void ask_for(struct fetch_ask *a, int64_t from, const char *since);
void ask_free(struct fetch_ask *a);

/* ---- fetch_file.c ---- */
struct fetch_file {
    const char *name;        /* NULL: no file                                                   */
    bool force, goes_on;     /* --force, --continue                                             */
    bool any_part;           /* the request's own Range: whatever part comes is all that was wanted */
    struct part part;
    int64_t had;             /* bytes that were there when this try began                       */
    uint8_t tail[FETCH_TAIL]; /* the last of them: what comes must begin so                      */
    size_t tail_n, tail_at;
    int64_t whole;           /* of a part (206): how long the file must become; -1: nothing says */
    char since[FETCH_SINCE]; /* what the server had said they are of; "": nothing               */
};
/* All of these: 0, or the exit code with words. */
int file_begin(struct fetch_file *f, char words[FETCH_WORDS]); /* makes FILE.part, or goes on with it; a second try too */
int64_t file_from(const struct fetch_file *f);                 /* what to ask for; 0: all                      */
int file_head(struct fetch_file *f, const dx_conn *c, char words[FETCH_WORDS]);
int file_take(struct fetch_file *f, const void *p, size_t n, char words[FETCH_WORDS]);
int file_keep(struct fetch_file *f, char words[FETCH_WORDS]);
bool file_name_of(const char *url, char *name, size_t n);      /* the last part of its path, decoded; false: it has none that can be a name */

/* ---- fetch_out.c ---- */
struct fetch_out {
    bool terminal, json;
    const char *coding;  /* --encoding; NULL: the head's, or by looking */
    struct show show;
    bool shows, begun, open; /* open: the line on the screen has no end yet */
    struct events events;
};
int out_head(struct fetch_out *s, const dx_conn *c, bool include, char words[FETCH_WORDS]);
int out_take(struct fetch_out *s, const void *p, size_t n, char words[FETCH_WORDS]);
int out_rest(struct fetch_out *s, char words[FETCH_WORDS]); /* what waits for the rest of its line: nothing has come for a while */
int out_end(struct fetch_out *s, char words[FETCH_WORDS]);
static inline bool out_waits(const struct fetch_out *s)
{
    return s->shows && show_waits(&s->show);
}
void out_free(struct fetch_out *s);
/* All of it to stdout, however long that takes. 0 or the exit code; words "": there is nothing to say. */
int out_write(const void *p, size_t n, char words[FETCH_WORDS]);

/* ---- fetch.c, fetch_try.c, fetch_over.c ---- */
struct fetching {
    struct options o;
    struct fetch_ask ask;
    struct fetch_out out;
    struct fetch_file file;
    struct trust trust;
    struct retry retry;
    struct progress progress;
    dx_loop *loop;
    dx_conn *wire, *in; /* in: stdin, where the body flows from it */
    int at;             /* of the URLs */
    const char *url;
    char name[NAME_MAX + 1];
    bool saves, include, quiet, verbose, json, head, redraws, drawn;
    int64_t began_ms, opened_ms, head_ms, shown_ms, got; /* got: bytes of the body, as they were shown */
    int64_t after_ms;                                    /* Retry-After; -1: not said                          */
    int status;
    bool drops; /* the body is that of an error, and goes into no file */
    bool wrote; /* to stdout: it cannot be said again                  */
    bool sent;  /* of stdin                                            */
    bool ended; /* all has come                                        */
    bool again; /* the status wants another try                        */
    bool stuck; /* it is a redirect that cannot be followed             */
    bool rests; /* out_rest comes by itself                            */
    int code;   /* of this URL                                         */
    int worst;  /* of all: the first that is not 0                     */
    char words[FETCH_WORDS];
    char cause[FETCH_WORDS]; /* what was said of this URL's code; "": nothing */
};
/* From the request to its end; then fetch_next, or itself again later. arg: the struct fetching. */
void fetch_try(void *arg);
void fetch_next(struct fetching *t); /* the next URL, or the loop ends */
void fetch_clear_line(struct fetching *t);
int64_t try_now_ms(void);
/* Said on stderr, and in the last event. */
void try_say(struct fetching *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Breaks it off. The first cause is the cause; words "": there is nothing to say. */
void try_fail(struct fetching *t, int code, const char *words);
void try_emit(struct fetching *t, int r); /* the event that was written to out.events, whose result is r */
bool try_may_again(const struct fetching *t);
void try_closed(dx_conn *c, const dx_err *why); /* on_close: tried again, or try_over */
void try_over(struct fetching *t);              /* t->code is what came of this URL: the next one */
void fetch_say_rest(struct fetching *t); /* where what came is, if it is no whole file */
#endif
