/* SPDX-License-Identifier: MIT
 * A rules file up to the first NUL, what a client says behind it. Whatever the file says it reads or has a fault with its line;
 * the client's bytes are answered within every bound, the same in bites as whole where no time passes. */
#include "tool/rules.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { TURNS_MAX = 300, HEARD_MAX = 1 << 20 };

static void pull(struct rules_talk *t, struct rules_moment *m)
{
    struct rules_out out;
    size_t heard = 0;
    int r = RULES_SEND;
    for (int turn = 0; turn < TURNS_MAX && r == RULES_SEND && heard < HEARD_MAX; turn++) {
        r = rules_talk_next(t, m, &out);
        assert(r <= RULES_CLOSE);
        if (r == RULES_SEND) {
            assert(out.bytes.n <= RULES_ANSWER_MAX);
            heard += out.bytes.n;
        }
        int64_t due = rules_talk_due(t);
        assert(due >= -1);
        if (r == RULES_NOTHING && due > m->now_ms && due - m->now_ms < 10000) {
            m->now_ms = due;
            r = RULES_SEND;
        }
    }
}

static void talk(struct rules *r, const uint8_t *p, size_t n, size_t bite, bool messages)
{
    struct rules_wire wire = {.messages = messages, .peer = "udp://x:1", .seed = 1};
    struct rules_moment m = {.now_ms = 1, .unix_ms = 1000000000000};
    struct rules_talk *t = rules_talk_new(r, &wire);
    assert(t);
    int bad = rules_talk_open(t, &m);
    for (size_t i = 0; i < n && !bad; i += bite) {
        bad = rules_talk_take(t, p + i, n - i < bite ? n - i : bite, &m);
        pull(t, &m);
    }
    rules_talk_adopt(t, r);
    if (!bad) {
        rules_talk_end(t, &m);
        pull(t, &m);
    }
    rules_talk_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const uint8_t *nul = memchr(p, 0, n);
    size_t file = nul ? (size_t)(nul - p) : n, rest = nul ? n - file - 1 : 0;
    struct rules_given given = {.name = "f"};
    struct rules_faults faults = {0};
    struct rules *r = rules_read(&given, (const char *)p, file, &faults);
    assert((r == NULL) == (faults.count > 0) && (!faults.count || dx_is_utf8(faults.words.p, faults.words.n)));
    if (r) {
        talk(r, nul + !!nul, rest, rest + 1, false);
        talk(r, nul + !!nul, rest, rest % 7 + 1, false);
        talk(r, nul + !!nul, rest, rest / 2 + 1, true);
    }
    rules_drop(r);
    dx_text_free(&faults.words);
    return 0;
}
