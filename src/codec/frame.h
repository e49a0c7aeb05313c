/* SPDX-License-Identifier: MIT
 * frame.h - bytes into messages by the specs of <duplex/text.h>. Time is an argument. The public dx_framer and the
 * frame layer on a conn are both this engine. In place: messages are views into the caller's bytes. */
#ifndef CODEC_FRAME_H
#define CODEC_FRAME_H
#include "base/url.h"

enum frame_kind { FRAME_NONE, FRAME_LINE, FRAME_DELIM, FRAME_GAP, FRAME_FIXED, FRAME_LENGTH, FRAME_AUTO };
enum frame_eol { EOL_NONE, EOL_LF, EOL_CRLF };
struct frame_spec {
    uint8_t kind;
    uint8_t size, big_endian;       /* of the length field                       */
    uint8_t delim_n, delim[8];
    uint8_t eol, eol_stays;         /* enum frame_eol: what sending adds, whatever the peer uses */
    uint32_t offset;
    uint64_t fixed;
    int64_t adjust, gap_ms;
    uint64_t message_max;
};
/* 0, or DX_URL: "frame 'length:0,5': the size is 1, 2, 3, 4 or 8". message_max 0: 16 MiB. */
int frame_spec_parse(const char *spec, uint64_t message_max, struct frame_spec *ret, dx_err *err);

struct frame {                      /* the state of one peer                                              */
    const struct frame_spec *spec;  /* borrowed                                                           */
    int64_t last_ms;                /* when bytes last came                                               */
    size_t scanned;                 /* of the rest, already searched for an end                            */
    uint8_t eol;                    /* enum frame_eol: what the peer used last; what sending adds           */
    uint8_t lines;                  /* auto: the peer has ended a message with LF                          */
    uint8_t telnet;                 /* inside an IAC sequence: its state                                   */
    uint8_t answer_n, answer[32];   /* telnet answers to send; take them and zero answer_n                 */
};
void frame_init(struct frame *f, const struct frame_spec *spec);
/* Once over each new run of bytes as it comes, before frame_next sees it. The telnet pass of auto strips IAC in place
 * and returns what is left of n; answers WILL with DONT and DO with WONT. Other kinds return n. Bytes that come when
 * frame_due has passed are a new message: let frame_next have the old ones first. */
size_t frame_arrive(struct frame *f, uint8_t *p, size_t n, int64_t now_ms);
/* The first message of p[0..n), all that is not yet taken: bytes used up (> 0) with *ret the message without its end
 * mark, 0: none yet, DX_BIG, DX_PROTO (length: it ends before its own field). last: no more will come, so a rest is a
 * message (fixed, length: DX_TRUNCATED). After an error there is no going on. */
int64_t frame_next(struct frame *f, const uint8_t *p, size_t n, int64_t now_ms, bool last, struct bytes *ret);
/* With n bytes waiting: the ms at which frame_next will have a message by time alone; -1: never. */
int64_t frame_due(const struct frame *f, size_t n);
/* What to put behind an outgoing message: "", "\n", "\r\n" or the delimiter. */
struct bytes frame_tail(const struct frame *f);
#endif
