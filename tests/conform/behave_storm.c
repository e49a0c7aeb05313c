/* SPDX-License-Identifier: MIT
 * behave_storm.c - many pairs, and every act in any order: what the wrapper asserts must hold whatever comes. The seed is in
 * the failure's words; CONFORM_SEED=N plays it again. */
#include "conform.h"
#include <time.h>
#include <unistd.h>

enum { PAIRS = 24, STEPS = 1200, PIECE_MAX = 48 * KIB };

static uint32_t chance;

static uint32_t roll(uint32_t n)
{
    chance ^= chance << 13;
    chance ^= chance >> 17;
    chance ^= chance << 5;
    return chance % n;
}

static void seed_storm(struct world *w)
{
    const char *given = getenv("CONFORM_SEED");
    chance = given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)getpid() * 2654435761u + (uint32_t)time(NULL);
    chance = chance ? chance : 1;
    snprintf(w->report->words, WORDS_MAX, "seed %u", chance);
}

/* An orderly end comes after every byte that was taken before it. goal: aborted. */
static void storm_end(dx_conn *c)
{
    struct end *e = end_of(c), *other = e->arg;
    if (!other->goal && e->got != other->sent)
        fail(e->w, "%s: on_end after %zu of %zu bytes (%s)", e->who, e->got, other->sent, e->w->report->words);
    if (roll(2))
        end_close(e);
}

static void storm_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    (void)data, (void)how;
    if (roll(3) == 0 && n && !e->closing)
        put(e, 1 + roll((uint32_t)(n < PIECE_MAX ? n : PIECE_MAX)));
    if (roll(200) == 0)
        end_pause(e, true);
    if (roll(2000) == 0)
        end_close(e);
}

static void storm_after(dx_conn *c)
{
    struct end *e = end_of(c);
    e->afters++;
    put(e, 10);
}

static void act(struct end *e)
{
    uint32_t what = roll(100);
    if (!e->c || e->closing)
        return;
    if (what < 60)
        put(e, roll(PIECE_MAX));
    else if (what < 70)
        end_pause(e, true);
    else if (what < 90)
        end_pause(e, false);
    else if (what < 94)
        dx_after(e->c, roll(5), storm_after);
    else if (what < 96)
        dx_finish(e->c);
    else if (what < 98)
        end_close(e);
    else if (what == 98 && roll(4) == 0) {
        e->goal = 1;
        end_abort(e);
    }
}

static const dx_handler on_storm = {.on_data = storm_data, .on_end = storm_end};

static struct end *any_end(struct world *w)
{
    struct end *e;
    do
        e = w->ends[roll((uint32_t)w->ends_n)];
    while (e->door);
    return e;
}

static void storm(struct world *w)
{
    seed_storm(w);
    w->so.queue_bytes_max = 64 * KIB;
    w->co.queue_bytes_max = 40 * KIB;
    MUST_DO(serve(w, &on_storm));
    for (size_t i = 0; i < PAIRS; i++) {
        struct end *c;
        MUST_DO(c = dial(w, NULL, &on_storm));
        WAIT(c->opens && accepted(w, i));
        c->arg = accepted(w, i);
        accepted(w, i)->arg = c;
    }
    for (int i = 0; i < STEPS && !w->report->failed; i++) {
        for (uint32_t k = roll(6); k > 0; k--)
            act(any_end(w));
        pass(w, 0);
    }
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && w->ends[i]->c && !w->ends[i]->closing) {
            end_pause(w->ends[i], false);
            end_close(w->ends[i]);
        }
    WAIT(all_closed(w));
    w->report->words[0] = '\0';
}

const struct behaviour behave_storm[] = {
    {"a storm of acts in any order", HAS_LISTENER | HAS_END, 0, storm},
    {0},
};
