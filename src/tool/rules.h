/* SPDX-License-Identifier: MIT
 * rules.h - what a rules file answers to what comes (docs/rules.md is the file's own contract). Pure: bytes in, bytes out; time
 * and chance are arguments, and nothing here is printed.
 *
 * struct rules is a file that was read: counted, and shared by all clients. struct rules_talk is one client: it cuts its bytes into
 * messages, finds the first rule that matches, and holds what is to be sent until its time has come. */
#ifndef TOOL_RULES_H
#define TOOL_RULES_H
#include <duplex/text.h>

struct rules;
struct rules_talk;

enum {
    RULES_FILE_MAX = 1 << 20,
    RULES_COUNT_MAX = 1000,
    RULES_FAULTS_MAX = 20,
    RULES_MESSAGE_MAX = 64 << 10, /* a longer one is DX_BIG                                                          */
    RULES_ANSWER_MAX = 64 << 10,  /* a longer one is not sent; a word says so                                        */
    RULES_REGEX_TEXT_MAX = 8 << 10, /* what is longer meets no regular expression                                    */
    RULES_STEPS_MAX = 500000,     /* of all patterns that one message is held against                                */
};

struct rules_given {
    const char *name;             /* of the file, for the words                                                      */
    const char *frame, *encoding; /* in place of what the file says; NULL: as it says                                */
};
struct rules_faults {
    int count;                    /* at most RULES_FAULTS_MAX are in words                                           */
    dx_text words;                /* "rules.txt:12: 'A' is half a byte\n", a line a fault; dx_text_free it            */
};
/* NULL: faults says why; all of them, not the first. The caller holds a reference. */
struct rules *rules_read(const struct rules_given *given, const char *text, size_t n, struct rules_faults *faults);
struct rules *rules_ref(struct rules *r);
void rules_drop(struct rules *r);  /* NULL is fine */
size_t rules_count(const struct rules *r);

struct rules_moment {
    int64_t now_ms;               /* any monotonic clock                                                             */
    int64_t unix_ms;              /* since 1970                                                                      */
    int32_t east_s;               /* the local time's distance from UTC                                              */
};
struct rules_wire {
    bool messages;                /* each rules_talk_take is a message; else bytes that the file's frame cuts        */
    bool utf8;                    /* its text is UTF-8 whatever the file says (WebSocket)                            */
    const char *peer;             /* {peer}; copied                                                                  */
    uint64_t seed;                /* {random:N}                                                                      */
    /* What happened, in a sentence with the line of the file. trouble: somebody should know; else for who looks on. */
    void (*say)(void *arg, bool trouble, const char *words);
    void *arg;
};
/* NULL: no memory. Keeps a reference of its own. */
struct rules_talk *rules_talk_new(struct rules *r, const struct rules_wire *wire);
void rules_talk_free(struct rules_talk *t); /* NULL is fine */
/* The file was read anew: variables keep their values by name, repeats end, what is under way is still sent. Where the frame is
 * another one, half a message is lost. 0 or DX_NOMEM (as before, then). */
int rules_talk_adopt(struct rules_talk *t, struct rules *r);

/* Each of the next three: 0, DX_NOMEM, DX_BIG, DX_PROTO (the frame's); then rules_talk_next until it has nothing. */
int rules_talk_open(struct rules_talk *t, const struct rules_moment *m);
int rules_talk_take(struct rules_talk *t, const void *data, size_t n, const struct rules_moment *m);
int rules_talk_end(struct rules_talk *t, const struct rules_moment *m); /* the peer said its last */

enum rules_next { RULES_NOTHING, RULES_SEND, RULES_CLOSE };
struct rules_out {
    dx_bytes bytes;               /* good until the next call on the talk; may be none (an empty message)            */
    bool text;                    /* else it was written in hex                                                      */
    bool repeated;                /* nobody asked for this one: an `every`                                           */
};
/* What to do next: RULES_SEND fills *ret; RULES_CLOSE ends the talk; RULES_NOTHING until rules_talk_due or more bytes; or < 0 as
 * above, for good. Who cannot send now does not call. */
int rules_talk_next(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret);
int64_t rules_talk_due(const struct rules_talk *t);  /* when there is more by time alone; -1: never                  */
bool rules_talk_full(const struct rules_talk *t);    /* so much is under way that no more may be taken               */
bool rules_talk_cut_short(const struct rules_talk *t); /* did the end come inside a message?                   */
bool rules_talk_answered(const struct rules_talk *t); /* did the last message meet a rule?                           */
const char *rules_talk_coding(const struct rules_talk *t); /* what text answers are sent in                          */
#endif
