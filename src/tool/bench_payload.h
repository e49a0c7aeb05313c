/* SPDX-License-Identifier: MIT
 * bench_payload.h - the messages of duplex bench, made before the clock runs, and what must come back for each. */
#ifndef TOOL_BENCH_PAYLOAD_H
#define TOOL_BENCH_PAYLOAD_H
#include <duplex/duplex.h>

enum {
    BENCH_NUMBER_BYTES = 8, /* a datagram begins with its number in hex            */
    BENCH_PAYLOAD_MAX = 16 << 20,
};
struct bench_payload {
    uint8_t *out, *in; /* count messages each                                              */
    size_t one, count; /* count is a power of two                                          */
    bool numbered;
    unsigned how; /* DX_TEXT or DX_BINARY                                             */
};
/* Messages of so many bytes of ASCII text, each another. line_end: they end in LF. upper: what comes back is in upper case.
 * 0 or DX_NOMEM. */
int bench_payload_make(struct bench_payload *p, size_t bytes, bool numbered, bool line_end, bool upper);
/* Always the one that is said: TEXT, @FILE, hex:0102. 0, or an error with words. */
int bench_payload_read(struct bench_payload *p, const char *said, bool upper, dx_err *err);
void bench_payload_free(struct bench_payload *p);
/* Message number i, and what must come back for it (but for the number of a datagram). */
static inline const uint8_t *bench_payload_out(const struct bench_payload *p, uint64_t i)
{
    return p->out + (i & (p->count - 1)) * p->one;
}
static inline const uint8_t *bench_payload_in(const struct bench_payload *p, uint64_t i)
{
    return p->in + (i & (p->count - 1)) * p->one;
}
void bench_number_write(uint8_t at[BENCH_NUMBER_BYTES], uint32_t number);
bool bench_number_read(const uint8_t at[BENCH_NUMBER_BYTES], uint32_t *ret_number);
#endif
