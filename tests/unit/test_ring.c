/* SPDX-License-Identifier: MIT */
#include "hub/ring.h"
#include "test.h"

void dx_msg_drop(dx_msg *m)
{
    free(m);
}

static struct note *push(struct ring *r, const char *text, int64_t time_ms, const char *me, const char *id)
{
    struct note_in in = {
        .time_ms = time_ms, .from = "a", .wire = "tcp", .me = me, .id = id, .text = {text, strlen(text)}};
    struct note *n = note_new(&in);
    CHECK(n);
    CHECK_INT(ring_push(r, n), 0);
    return n;
}

TEST(offsets_count_from_one_without_gaps)
{
    struct ring r;
    ring_init(&r, 1 << 20, 1000);
    for (int i = 1; i <= 100; i++)
        CHECK_INT(push(&r, "x", 0, NULL, NULL)->offset, i);
    CHECK_INT(r.first, 1);
    CHECK_INT(r.next, 101);
    for (uint64_t i = 1; i <= 100; i++)
        CHECK_INT(ring_at(&r, i)->offset, i);
    ring_free(&r);
}

TEST(bytes_are_bounded_and_the_newest_stays)
{
    struct ring r;
    char big[10001];
    memset(big, 'x', 10000);
    big[10000] = 0;
    ring_init(&r, 3000, 1000);
    for (int i = 0; i < 100; i++)
        push(&r, "0123456789", 0, NULL, NULL);
    CHECK(r.bytes <= 3000 && r.next - r.first > 5);
    push(&r, big, 0, NULL, NULL);
    CHECK_INT(r.next - r.first, 1);
    CHECK_INT(ring_at(&r, r.first)->text_n, 10000);
    ring_free(&r);
}

TEST(forms_count_like_the_message)
{
    struct ring r;
    ring_init(&r, 3000, 1000);
    push(&r, "a", 0, NULL, NULL);
    struct note *n = push(&r, "b", 0, NULL, NULL);
    ring_grew(&r, n, 2900);
    ring_trim(&r, 0);
    CHECK_INT(r.first, 2);
    ring_free(&r);
}

TEST(count_is_bounded)
{
    struct ring r;
    ring_init(&r, SIZE_MAX, INT64_MAX);
    for (int i = 0; i < NOTES_MAX + 5; i++)
        push(&r, "", 0, NULL, NULL);
    CHECK_INT(r.next - r.first, NOTES_MAX);
    CHECK_INT(r.first, 6);
    CHECK_INT(r.cap, NOTES_MAX);
    ring_free(&r);
}

TEST(age_drops_the_old_and_even_the_last)
{
    struct ring r;
    ring_init(&r, 1 << 20, 1000);
    push(&r, "a", 0, NULL, NULL);
    push(&r, "b", 500, NULL, NULL);
    push(&r, "c", 1400, NULL, NULL);
    CHECK_INT(r.first, 2);
    ring_trim(&r, 5000);
    CHECK_INT(r.first, 4);
    CHECK_INT(r.next, 4);
    CHECK_INT(push(&r, "d", 5000, NULL, NULL)->offset, 4);
    ring_free(&r);
}

TEST(ids_are_known_while_their_message_is_here)
{
    struct ring r;
    ring_init(&r, 1 << 20, 1000);
    struct note *n = push(&r, "hi", 0, "m", "1");
    CHECK(ring_said(&r, "m", "1", "hi", 2) == n);
    CHECK(!ring_said(&r, "m", "1", "ho", 2));
    CHECK(!ring_said(&r, "m2", "1", "hi", 2));
    CHECK(!ring_said(&r, NULL, "1", "hi", 2));
    CHECK(!ring_said(&r, "m", "2", "hi", 2));
    push(&r, "other", 0, "m", "1"); /* the same id again, with other words */
    CHECK(ring_said(&r, "m", "1", "hi", 2) == n);
    push(&r, "c", 1200, NULL, NULL);
    CHECK(!ring_said(&r, "m", "1", "hi", 2));
    CHECK(!ring_said(&r, "m", "1", "other", 5));
    ring_free(&r);
}

TEST_MAIN
