/* SPDX-License-Identifier: MIT
 * Threads that post to conns which open and close at random, on loops that are made and freed meanwhile. */
#include "breaker.h"
#include <pthread.h>
#include <stdatomic.h>

enum { POSTERS = 4, IDS = 64, ROUNDS = 30 };
static _Atomic dx_id ids[IDS];
static atomic_bool over;
static atomic_long posted, refused;
static unsigned first_seed;

static void *poster(void *arg)
{
    unsigned seed = first_seed + (unsigned)(uintptr_t)arg;
    dx_msg *m = NULL;
    while (!atomic_load(&over)) {
        if (rand_r(&seed) % 8 == 0 || !m) {
            dx_msg_drop(m);
            m = dx_msg_new("a message", 9, DX_TEXT);
        }
        dx_id id = atomic_load(&ids[rand_r(&seed) % IDS]);
        if (rand_r(&seed) % 16 == 0)
            id ^= (dx_id)rand_r(&seed) << (rand_r(&seed) % 40); /* ids that never were */
        if (dx_post(id, m) == 0)
            atomic_fetch_add(&posted, 1);
        else
            atomic_fetch_add(&refused, 1);
        if (rand_r(&seed) % 64 == 0)
            poll(NULL, 0, 1);
    }
    dx_msg_drop(m);
    return NULL;
}

static void opened(dx_conn *c)
{
    atomic_store(&ids[dx_id_of(c) % IDS], dx_id_of(c));
    seen.opens++;
}

static void one_loop(unsigned *seed)
{
    static const dx_handler on = {.on_open = opened, .on_data = count_data, .on_close = count_close};
    static const char *const urls[] = {"tcp://127.0.0.1:0", "ws://127.0.0.1:0/", "udp://127.0.0.1:0"};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, urls[rand_r(seed) % 3], &on, &(dx_opts){.queue_bytes_max = 4096});
    char url[80];
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *c[8];
    for (int i = 0; i < 8; i++) {
        c[i] = dx_connect(l, url, &on, NULL, NULL, NULL);
        turn(l, 1);
    }
    for (int i = 0; i < 8; i++) {
        dx_id id = c[i] ? dx_id_of(c[i]) : 0;
        if (rand_r(seed) % 2 && dx_find(l, id) && seen.closes == 0)
            dx_close(c[i]);
        turn(l, 1);
        if (seen.closes)
            break;
    }
    dx_loop_free(l);
}

TEST(posts_meet_loops_that_come_and_go)
{
    pthread_t t[POSTERS];
    first_seed = (unsigned)now_ms();
    unsigned seed = first_seed;
    printf("# seed %u\n", seed);
    size_t before = dx_memory_used();
    for (uintptr_t i = 0; i < POSTERS; i++)
        CHECK(pthread_create(&t[i], NULL, poster, (void *)(i + 1)) == 0);
    for (int i = 0; i < ROUNDS; i++)
        one_loop(&seed);
    atomic_store(&over, true);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(t[i], NULL);
    printf("# %ld posted, %ld refused\n", (long)posted, (long)refused);
    CHECK(posted > 0 && refused > 0);
    CHECK_INT(dx_memory_used(), before);
}

/* ---- a thread that drops the last reference of a message keeps nothing ---- */

static dx_msg *shared;
static void *drop_it(void *arg)
{
    (void)arg;
    dx_msg_drop(shared);
    return NULL;
}

TEST(a_thread_that_only_drops_a_message_leaks_no_block)
{
    static char text[9000];
    static const dx_handler on = {.on_open = count_open, .on_data = count_data, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/", &on, NULL);
    char url[80];
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *c = dx_connect(l, url, &on, NULL, NULL, NULL);
    UNTIL(l, seen.opens == 2, 2000);
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        shared = dx_msg_new(text, sizeof text, DX_TEXT);
        for (int k = 0; k < 8; k++) { /* more than one block of encodings */
            dx_msg *m = dx_msg_new(text, sizeof text, DX_TEXT);
            dx_send_msg(seen.c, m);
            dx_msg_drop(m);
        }
        dx_send_msg(seen.c, shared);
        turn(l, 2);
        CHECK(pthread_create(&t, NULL, drop_it, NULL) == 0);
        pthread_join(t, NULL);
    }
    (void)c;
    loop_gone(l);
}
TEST_MAIN
