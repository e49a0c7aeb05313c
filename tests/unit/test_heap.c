/* SPDX-License-Identifier: MIT */
#include "base/heap.h"
#include "test.h"
#include <time.h>

enum { NODES = 500 };
static struct heap_node node[NODES];

static void check_order(const struct heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        CHECK_INT(h->v[i]->pos, i + 1);
        CHECK(i == 0 || h->v[(i - 1) / 4]->at <= h->v[i]->at);
    }
}

TEST(an_empty_heap_has_no_top)
{
    struct heap h = {0};
    CHECK(heap_top(&h) == NULL);
    heap_free(&h);
    heap_free(&h);
}

TEST(nodes_leave_in_order_of_their_key)
{
    struct heap h = {0};
    memset(node, 0, sizeof node);
    for (int i = 0; i < NODES; i++)
        CHECK_INT(heap_set(&h, &node[i], (i * 7919) % NODES), 0);
    check_order(&h);
    for (int i = 0; i < NODES; i++) {
        struct heap_node *top = heap_top(&h);
        CHECK_INT(top->at, i);
        heap_del(&h, top);
        CHECK_INT(top->pos, 0);
    }
    CHECK(heap_top(&h) == NULL);
    heap_free(&h);
}

TEST(deleting_what_is_not_in_is_no_error)
{
    struct heap h = {0};
    struct heap_node a = {0};
    heap_del(&h, &a);
    CHECK_INT(heap_set(&h, &a, INT64_MIN), 0);
    heap_del(&h, &a);
    heap_del(&h, &a);
    CHECK_INT(h.n, 0);
    heap_free(&h);
}

TEST(free_leaves_the_nodes_out)
{
    struct heap h = {0};
    struct heap_node a = {0};
    heap_set(&h, &a, 1);
    heap_free(&h);
    CHECK_INT(a.pos, 0);
}

TEST(any_mix_of_set_move_and_del_keeps_the_order)
{
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    struct heap h = {0};
    memset(node, 0, sizeof node);
    for (int i = 0; i < 20000; i++) {
        struct heap_node *x = &node[rand_r(&seed) % NODES];
        if (rand_r(&seed) % 3)
            CHECK_INT(heap_set(&h, x, rand_r(&seed) % 1000), 0);
        else
            heap_del(&h, x);
        if (i % 100 == 0)
            check_order(&h);
    }
    check_order(&h);
    heap_free(&h);
}

TEST_MAIN
