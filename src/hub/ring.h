/* SPDX-License-Identifier: MIT
 * ring.h - the messages of a room, numbered from 1 without gaps, the oldest dropped by bytes, count and age. Memory alone:
 * time is an argument. */
#ifndef HUB_RING_H
#define HUB_RING_H
#include <duplex/duplex.h>

/* The forms in which a message goes out; each is made once, when the first member needs it. */
enum form { FORM_JSON, FORM_SSE, FORM_EXACT, FORM_UTF8, FORM_GBK, FORM_GB18030, FORM_GB2312, FORM_BIG5, FORMS };
enum { NOTES_MAX = 65536 };

struct note {            /* one message                                                       */
    uint64_t offset, by; /* by: the serial of the member that said it; 0: nobody's             */
    int64_t time_ms;     /* since 1970                                                         */
    size_t text_n, raw_n, cost;
    const char *from, *wire; /* all the texts below live behind the struct                          */
    const char *id, *me;     /* NULL: said without                                                  */
    const char *coding;      /* a constant; NULL: UTF-8                                             */
    const char *text;        /* UTF-8; of a binary one the line of hex                               */
    const uint8_t *raw;      /* NULL: the same as text                                              */
    bool guess, binary;
    dx_msg *as[FORMS];
};
struct note_in { /* what note_new copies; coding must be a constant                     */
    uint64_t by;
    int64_t time_ms;
    const char *from, *wire, *id, *me, *coding;
    dx_bytes text, raw;
    bool guess, binary;
};
struct note *note_new(const struct note_in *in); /* NULL: no memory */
void note_free(struct note *n);

struct ring {
    struct note **v; /* a power of two of places                                            */
    size_t cap, bytes, bytes_max;
    uint64_t first, next; /* offsets: [first, next) are here                                     */
    int64_t age_ms_max;
    void *ids; /* tree of the notes said with an id                                   */
};
void ring_init(struct ring *r, size_t bytes_max, int64_t age_ms_max);
void ring_free(struct ring *r);
/* Takes n, numbers it and drops the oldest past the limits, never n itself. DX_NOMEM: n is still the caller's. */
int ring_push(struct ring *r, struct note *n);
void ring_trim(struct ring *r, int64_t time_ms);
/* A form was made: its bytes count like the note's own. */
void ring_grew(struct ring *r, struct note *n, size_t bytes);
/* The note said under this id and me with this text; NULL: none (any more). */
struct note *ring_said(const struct ring *r, const char *me, const char *id, const char *text, size_t n);
static inline struct note *ring_at(const struct ring *r, uint64_t offset)
{
    return r->v[offset & (r->cap - 1)];
}
#endif
