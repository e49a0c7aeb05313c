/* SPDX-License-Identifier: MIT
 * behave_queue.c - back-pressure: the queue's rule, pause, and the process's memory. */
#include "conform.h"

static void nothing(dx_conn *c)
{
    (void)c;
}

static void slow_reader(struct world *w)
{
    size_t max = 64 * KIB, stalled_at;
    struct end *reader;
    w->co.queue_bytes_max = max;
    MUST_DO(both(w, &on_quiet, &on_fill));
    reader = w->s ? w->s : w->c;
    end_pause(reader, true);
    stall(w, w->c, 4 * KIB);
    MUST(w->c->half > 0);
    for (int i = 0; i < 100 && !w->c->full; i++)
        put(w->c, 4 * KIB);
    MUST(w->c->full > 0);
    MUST_SAY(dx_queued(w->c->c) <= max, "the queue holds %zu of %zu", dx_queued(w->c->c), max);
    MUST(dx_queued(w->c->c) >= max / 2);
    MUST_INT(put(w->c, 4 * KIB), DX_FULL);
    pass(w, 10);
    stalled_at = w->c->writables;
    end_pause(reader, false);
    put_all(w->c, w->c->sent + 2 * MIB, 4 * KIB);
    WAIT(w->c->sent == w->c->goal && reader->got == w->c->sent);
    MUST(w->c->writables > stalled_at);
    MUST_INT(dx_queued(w->c->c), 0);
}

static void writable_once(struct world *w)
{
    w->co.queue_bytes_max = 64 * KIB;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    MUST_INT(put(w->c, 1000), 0);
    WAIT(w->s->got == 1000);
    MUST_INT(w->c->writables, 0);
    end_pause(w->s, true);
    fill(w, w->c, 4 * KIB);
    size_t before = w->c->writables;
    MUST_INT(put(w->c, 40 * KIB), DX_FULL);
    end_pause(w->s, false);
    WAIT(w->c->writables == before + 1);
    WAIT(w->s->got == w->c->sent);
    pass(w, 10);
    MUST_INT(w->c->writables, before + 1);
}

static void whole_when_low(dx_conn *c)
{
    struct end *e = end_of(c);
    if (dx_queued(c) > 5000)
        fail(e->w, "on_writable with %zu queued of 10000", dx_queued(c));
    if (e->goal++ == 0 && put(e, 30000) < 0) /* not past half: taken whole, however big */
        fail(e->w, "a send is not taken in on_writable");
}

static void rule_of_sizes(struct world *w)
{
    static const dx_handler on = {.on_end = nothing, .on_writable = whole_when_low};
    w->co.queue_bytes_max = 10000;
    MUST_DO(both(w, &on_quiet, &on));
    end_pause(w->s, true);
    w->c->goal = 1;
    fill(w, w->c, 1000);
    MUST(dx_queued(w->c->c) > 5000 && dx_queued(w->c->c) <= 10000);
    MUST_INT(put(w->c, 10000), DX_FULL); /* neither low enough nor small enough */
    w->c->goal = 0;
    end_pause(w->s, false);
    WAIT(w->c->goal && w->s->got == w->c->sent);
    MUST_INT(dx_queued(w->c->c), 0);
}

static void pause_holds(struct world *w)
{
    size_t n = has(w, HAS_DATAGRAMS) ? 600 : 30000;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    MUST(put(w->c, n) >= 0);
    WAIT(w->s->got == n);
    end_pause(w->s, true);
    for (int i = 0; i < 5; i++)
        MUST(put(w->c, n) >= 0);
    if (has(w, HAS_END))
        MUST_INT(dx_finish(w->c->c), 0);
    pass(w, 30);
    MUST_INT(w->s->got, n);
    MUST_INT(w->s->ends, 0);
    end_pause(w->s, true);
    end_pause(w->s, false);
    WAIT(w->s->got == 6 * n);
    if (has(w, HAS_END))
        WAIT(w->s->ends);
}

static void pause_inside(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    (void)data, (void)n, (void)how;
    end_pause(e, true);
}

/* Pausing inside on_data holds already what came in the same read. */
static void pause_in_data(struct world *w)
{
    static const dx_handler on = {.on_data = pause_inside};
    MUST_DO(both(w, &on, &on_quiet));
    for (int i = 0; i < 10; i++)
        MUST_INT(put(w->c, 100), 0);
    for (int i = 0; i < 10 && w->s->got < 1000; i++) {
        size_t before = w->s->datas;
        WAIT(w->s->datas > before || w->s->got == 1000);
        if (w->s->got == 1000)
            break;
        pass(w, 5);
        MUST_INT(w->s->datas, before + 1);
        end_pause(w->s, false);
    }
    WAIT(w->s->got == 1000);
}

/* What waits while a datagram conn is paused is bounded; the newest are dropped and counted. */
static void pause_drops_newest(struct world *w)
{
    int64_t drops, before = -1;
    MUST_DO(both(w, &on_quiet, &on_quiet));
    w->s->unchecked = true;
    end_pause(w->s, true);
    for (int i = 0; i < 100; i++) {
        MUST(put(w->c, 4000) >= 0);
        pass(w, 1);
    }
    while ((drops = dx_loop_count(w->loop, DX_COUNT_DATAGRAM_DROPS)) != before) { /* some may still be on their way */
        before = drops;
        pass(w, 20);
    }
    MUST_SAY(drops > 0 && drops < 100, "%lld dropped", (long long)drops);
    MUST(dx_memory_used() <= 256 * KIB);
    end_pause(w->s, false);
    WAIT(w->s->datas == 100 - (size_t)drops);
    MUST(w->s->got <= 64 * KIB + 4000);
}

/* However small its queue: one send in each on_data is taken, because reading rests while the queue is past half. */
static void one_send_per_data(struct world *w)
{
    size_t total = 400 * KIB;
    w->so.queue_bytes_max = 2 * KIB;
    MUST_DO(both(w, &on_echo, &on_fill));
    end_pause(w->c, true);
    put_all(w->c, total, KIB);
    pass(w, 30);
    end_pause(w->c, false);
    WAIT(w->c->got == total);
    MUST_INT(w->s->full, 0);
}

static void memory_is_given_back(struct world *w)
{
    size_t before = dx_memory_used();
    MUST_DO(both(w, &on_quiet, &on_fill));
    end_pause(w->s, true);
    stall(w, w->c, 32 * KIB);
    MUST(dx_memory_used() >= before + 256 * KIB);
    MUST_SAY(dx_memory_used() <= before + 4 * MIB, "%zu bytes are held", dx_memory_used());
    end_pause(w->s, false);
    WAIT(w->s->got == w->c->sent);
    end_close(w->c);
    WAIT(w->s->ends);
    end_close(w->s);
    WAIT(all_closed(w));
    pass(w, 1);
    /* a block is kept, and two that TLS works in */
    MUST_SAY(dx_memory_used() <= before + (has(w, HAS_TLS) ? 256 : 128) * KIB, "%zu bytes are still held",
             dx_memory_used());
}

static void largest_pays(struct world *w)
{
    struct end *big, *small;
    w->co.queue_bytes_max = 8 * MIB;
    MUST_DO(both(w, &on_quiet, &on_fill));
    big = w->c;
    MUST_DO(small = dial(w, NULL, &on_fill));
    WAIT(w->accepted == 2 && small->opens);
    end_pause(w->s, true);
    end_pause(accepted(w, 1), true);
    stall(w, big, 256 * KIB);
    MUST(dx_queued(big->c) >= 3 * MIB);
    while (dx_queued(small->c) < MIB && small->sent < 64 * MIB) {
        MUST(put(small, 256 * KIB) >= 0);
        pass(w, 2);
    }
    dx_memory_limit(dx_memory_used() + 256 * KIB);
    for (int i = 0; i < 4; i++) {
        put(small, 256 * KIB);
        pass(w, 5);
    }
    WAIT(big->closes);
    MUST_INT(big->why.code, DX_LIMIT);
    MUST_INT(small->closes, 0);
    end_pause(accepted(w, 1), false);
    WAIT(accepted(w, 1)->got == small->sent);
    dx_memory_limit(0);
}

const struct behaviour behave_queue[] = {
    {"slow reader: DX_FULL, bounded, nothing lost", HAS_PRESSURE, HAS_DATAGRAMS, slow_reader},
    {"on_writable once for a full queue", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, writable_once},
    {"what a queue takes", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, rule_of_sizes},
    {"pause holds data and end", HAS_PEER, 0, pause_holds},
    {"pause inside on_data", HAS_PEER, 0, pause_in_data},
    {"a paused conn drops the newest datagrams", HAS_DATAGRAMS, 0, pause_drops_newest},
    {"one send per on_data is always taken", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, one_send_per_data},
    {"memory is counted and given back", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, memory_is_given_back},
    {"memory limit: the largest queue pays", HAS_PRESSURE | HAS_LISTENER, HAS_DATAGRAMS, largest_pays},
    {0},
};
