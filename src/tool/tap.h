/* SPDX-License-Identifier: MIT
 * tap.h - shows what passes a relay, as text or as a hex dump, a line or more each time something passes:
 *
 *   12:01:07.123 1 = tcp://127.0.0.1:40112 to tcp://127.0.0.1:80     a connection begins: its number is 1
 *   12:01:07.125 1 > GET / HTTP/1.0                                  from the client; < is from the target
 *   12:01:07.130 1 > (end)                                           its end is said
 *   12:01:07.131 1 = ended                                           all is over
 *
 * With stamps the time since the line before stands behind the time: +0.002. A terminal obeys none of it (dx_visible). A log
 * gets the same lines, with their dates. */
#ifndef TOOL_TAP_H
#define TOOL_TAP_H
#include "tool/logfile.h"

struct tap { /* zeroed: nobody looks */
    bool shows; /* on stderr */
    bool hex, stamps, failed;
    const char *coding; /* of the text that passes; NULL: UTF-8 */
    int64_t last_us;
    struct moment last;
    struct logfile log; /* of the same, dated; none unless it is open */
    dx_text body, line; /* without its time; with it                  */
};
struct tap_side {        /* one direction of one connection; zero at first      */
    uint64_t at;         /* bytes that have passed: what a dump counts from      */
    dx_decoder *decoder; /* joins characters that are cut                        */
    dx_text text;
};
static inline bool tap_looks(const struct tap *t)
{
    return t->shows || t->log.path;
}
void tap_close(struct tap *t);
void tap_words(struct tap *t, uint64_t number, const char *words);
/* data NULL: the end of that side. */
void tap_data(struct tap *t, struct tap_side *s, uint64_t number, bool back, const void *data, size_t n);
void tap_side_free(struct tap_side *s);
#endif
