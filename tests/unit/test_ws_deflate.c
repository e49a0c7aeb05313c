/* SPDX-License-Identifier: MIT */
#include "codec/ws_deflate.h"
#include "test.h"
#include <time.h>

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

/* ---- what is agreed on ---- */

TEST(a_server_takes_the_first_offer_it_can_keep)
{
    static const struct {
        const char *offer, *wish, *answer; /* answer NULL: declined */
    } t[] = {
        {"permessage-deflate", "", "permessage-deflate"},
        {"Permessage-Deflate", "", "permessage-deflate"},
        {"permessage-deflate; client_max_window_bits", "", "permessage-deflate; client_max_window_bits=12"},
        {"permessage-deflate;client_max_window_bits=10", "", "permessage-deflate; client_max_window_bits=10"},
        {"permessage-deflate; client_max_window_bits=15", "", "permessage-deflate; client_max_window_bits=12"},
        {"permessage-deflate; client_max_window_bits=15", "client_max_window_bits=15",
         "permessage-deflate; client_max_window_bits=15"},
        {"permessage-deflate; client_max_window_bits=8", "client_max_window_bits=9",
         "permessage-deflate; client_max_window_bits=8"},
        {"permessage-deflate; server_max_window_bits=10", "", "permessage-deflate; server_max_window_bits=10"},
        {"permessage-deflate; server_max_window_bits=15", "", "permessage-deflate; server_max_window_bits=12"},
        {"permessage-deflate; server_max_window_bits=8", "", "permessage-deflate; server_max_window_bits=8"},
        {"permessage-deflate", "server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"},
        {"permessage-deflate; server_max_window_bits=\"11\"", "", "permessage-deflate; server_max_window_bits=11"},
        {"permessage-deflate; server_no_context_takeover", "", "permessage-deflate; server_no_context_takeover"},
        {"permessage-deflate; client_no_context_takeover", "", "permessage-deflate; client_no_context_takeover"},
        {"permessage-deflate", "client_no_context_takeover; server_no_context_takeover",
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {"permessage-deflate; server_max_window_bits=7", "", NULL},
        {"permessage-deflate; server_max_window_bits=16", "", NULL},
        {"permessage-deflate; server_max_window_bits=08", "", NULL},
        {"permessage-deflate; server_max_window_bits=010", "", NULL},
        {"permessage-deflate; server_max_window_bits", "", NULL},
        {"permessage-deflate; server_max_window_bits=", "", NULL},
        {"permessage-deflate; server_max_window_bits=1x", "", NULL},
        {"permessage-deflate; client_max_window_bits=0", "", NULL},
        {"permessage-deflate; client_max_window_bits=99999999999", "", NULL},
        {"permessage-deflate; client_max_window_bits=\"10", "", NULL},
        {"permessage-deflate; server_no_context_takeover=1", "", NULL},
        {"permessage-deflate; client_no_context_takeover=\"\"", "", NULL},
        {"permessage-deflate; unknown", "", NULL},
        {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", NULL},
        {"permessage-deflate; client_max_window_bits; client_max_window_bits=10", "", NULL},
        {"permessage-deflate; client_max_window_bits=10; client_max_window_bits", "", NULL},
        {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "", NULL},
        {"permessage-deflate;", "", NULL},
        {"permessage-deflate;; server_no_context_takeover", "", NULL},
        {"permessage-deflate client_max_window_bits", "", NULL},
        {"x-webkit-deflate-frame", "", NULL},
        {"permessage-deflatex", "", NULL},
        {"", "", NULL},
        {",", "", NULL},
        {"x; a=\"1,permessage-deflate\"", "", NULL},
        {"permessage-deflate; unknown, permessage-deflate", "", "permessage-deflate"},
        {"x-other; y=\",\", permessage-deflate; server_max_window_bits=9", "",
         "permessage-deflate; server_max_window_bits=9"},
        {" , permessage-deflate ; client_max_window_bits = 11 , x", "",
         "permessage-deflate; client_max_window_bits=11"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct ws_deflate_terms wish, agreed;
        char text[WS_EXTENSION_MAX];
        CHECK_SAY(ws_deflate_wish(t[i].wish, &wish), "%s", t[i].wish);
        bool ok = ws_deflate_agree(bytes_of(t[i].offer), &wish, &agreed);
        CHECK_SAY(ok == (t[i].answer != NULL), "%s", t[i].offer);
        if (!ok)
            continue;
        ws_deflate_write(&agreed, text);
        CHECK_STR(text, t[i].answer);
    }
}

TEST(a_client_takes_no_answer_that_its_offer_does_not_allow)
{
    static const struct {
        const char *wish, *answer;
        int server_bits, client_bits; /* -1: the connection is to fail */
    } t[] = {
        {"", "permessage-deflate", 0, 12},
        {"", "permessage-deflate; client_max_window_bits=10", 0, 10},
        {"", "permessage-deflate; client_max_window_bits=15", 0, 12},
        {"", "permessage-deflate; server_max_window_bits=10", 10, 12},
        {"", "permessage-deflate; client_no_context_takeover; server_no_context_takeover", 0, 12},
        {"client_max_window_bits=14", "permessage-deflate", 0, 14},
        {"client_max_window_bits=10", "permessage-deflate; client_max_window_bits=9", 0, 9},
        {"server_max_window_bits=10", "permessage-deflate; server_max_window_bits=8", 8, 12},
        {"client_max_window_bits=10", "permessage-deflate; client_max_window_bits=11", -1, 0},
        {"server_max_window_bits=10", "permessage-deflate; server_max_window_bits=11", -1, 0},
        {"server_max_window_bits=10", "permessage-deflate", -1, 0},
        {"server_no_context_takeover", "permessage-deflate", -1, 0},
        {"", "permessage-deflate; client_max_window_bits", -1, 0},
        {"", "permessage-deflate; client_max_window_bits=7", -1, 0},
        {"", "permessage-deflate; server_max_window_bits=16", -1, 0},
        {"", "permessage-deflate; server_max_window_bits", -1, 0},
        {"", "permessage-deflate; server_no_context_takeover=1", -1, 0},
        {"", "permessage-deflate; unknown", -1, 0},
        {"", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", -1, 0},
        {"", "permessage-deflate, permessage-deflate", -1, 0},
        {"", "permessage-deflate, x-other", -1, 0},
        {"", "x-other", -1, 0},
        {"", "", -1, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct ws_deflate_terms offer, a = {0};
        CHECK(ws_deflate_wish(t[i].wish, &offer));
        ws_deflate_offer(&offer);
        bool ok = ws_deflate_answered(bytes_of(t[i].answer), &offer, &a);
        CHECK_SAY(ok == (t[i].server_bits >= 0), "%s to %s", t[i].answer, t[i].wish);
        CHECK_SAY(!ok || (a.server_bits == t[i].server_bits && a.client_bits == t[i].client_bits), "%s to %s: %d %d",
                  t[i].answer, t[i].wish, a.server_bits, a.client_bits);
    }
}

TEST(wishes_that_do_not_read)
{
    static const char *const bad[] = {"x",  "server_max_window_bits=7",    "server_max_window_bits",       ";",
                                      "on", "client_no_context_takeover;", "client_no_context_takeover, x"};
    struct ws_deflate_terms t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_SAY(!ws_deflate_wish(bad[i], &t), "%s", bad[i]);
    CHECK(ws_deflate_wish("", &t) && !t.server_bits && !t.client_bits_open);
    CHECK(ws_deflate_wish("client_max_window_bits", &t) && t.client_bits_open);
}

/* ---- messages ---- */

enum { MAX = 1 << 20 };
static uint8_t packed[2 * MAX], plain[2 * MAX], message[MAX];

static int64_t pack(struct ws_deflate *d, const void *p, size_t n, bool last, uint8_t *out)
{
    struct bytes part = {p, n};
    return ws_pack(d, &part, 1, last, out, ws_pack_room(n));
}

/* Unpacks bytes that come in pieces of step into room of room bytes at a time. The length, or < 0. */
static int64_t unpack(struct ws_deflate *d, const uint8_t *p, size_t n, size_t step, size_t room)
{
    size_t done = 0, out = 0;
    do {
        size_t k = n - done < step ? n - done : step;
        uint8_t *copy = malloc(k + 1), *some = malloc(room);
        memcpy(copy, p + done, k);
        struct bytes in = {copy, k};
        done += k;
        int64_t got;
        while ((got = ws_unpack(d, &in, done == n, some, room)) > 0 && out + (size_t)got <= sizeof plain) {
            memcpy(plain + out, some, (size_t)got);
            out += (size_t)got;
        }
        free(copy);
        free(some);
        if (got < 0)
            return got;
    } while (done < n);
    return (int64_t)out;
}

static struct ws_deflate *deflate_of(const char *terms, bool server)
{
    struct ws_deflate_terms t;
    CHECK(ws_deflate_wish(terms, &t));
    return ws_deflate_new(&t, server);
}

TEST(the_examples_of_the_rfc)
{
    static const struct {
        const char *what;
        uint8_t n, bytes[24];
    } t[] = {
        {"7.2.3.1", 7, {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}},
        {"7.2.3.2, with what was said before", 5, {0xF2, 0x00, 0x11, 0x00, 0x00}},
        {"7.2.3.3, not packed", 11, {0x00, 0x05, 0x00, 0xFA, 0xFF, 'H', 'e', 'l', 'l', 'o', 0x00}},
        {"7.2.3.4, a last block", 8, {0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00}},
        {"7.2.3.5, two blocks", 13, {0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00}},
        {"a last block and nothing behind it", 7, {0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}},
        {"with what was said before, behind a last block", 5, {0xF2, 0x00, 0x11, 0x00, 0x00}},
    };
    for (size_t step = 1; step < 20; step++) {
        struct ws_deflate *d = deflate_of("", false);
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            int64_t n = unpack(d, t[i].bytes, t[i].n, step, 1 + step % 3);
            CHECK_SAY(n == 5 && !memcmp(plain, "Hello", 5), "%s: %lld", t[i].what, (long long)n);
        }
        CHECK_INT(unpack(d, (const uint8_t *)"", 1, 1, 10), 0); /* 7.2.3.6: one zero is an empty message */
        ws_deflate_free(d);
    }
}

/* Words that repeat, noise, and stretches of one byte. */
static void fill(uint8_t *p, size_t n, unsigned kind)
{
    static const char words[] = "the same words again and again, ";
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(kind == 0 ? words[i % (sizeof words - 1)] : kind == 1 ? rand() : kind == 2 ? 0 : rand() % 3);
}

TEST(what_was_packed_unpacks_with_every_window_with_and_without_memory)
{
    static const size_t sizes[] = {0, 1, 31, 126, 4000, 300, 70000, 5, 256, 1000};
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    srand(seed);
    for (int bits = 8; bits <= 15; bits++)
        for (int fresh = 0; fresh < 2; fresh++) {
            char terms[100];
            snprintf(terms, sizeof terms, "server_max_window_bits=%d%s", bits,
                     fresh ? "; server_no_context_takeover" : "");
            struct ws_deflate *server = deflate_of(terms, true), *client = deflate_of(terms, false);
            for (unsigned i = 0; i < 40; i++) {
                size_t n = sizes[i % 10];
                fill(message, n, i / 10);
                int64_t k = pack(server, message, n, true, packed);
                CHECK(k > 0 && k <= (int64_t)ws_pack_room(n));
                int64_t got = unpack(client, packed, (size_t)k, 1 + (size_t)rand() % 5000, 1 + (size_t)rand() % 9000);
                CHECK_SAY(got == (int64_t)n && !memcmp(plain, message, n), "bits %d fresh %d message %u: %lld of %zu",
                          bits, fresh, i, (long long)got, n);
                if (i % 7 == 3)
                    ws_pack_rest(server); /* nobody notices */
            }
            ws_deflate_free(server);
            ws_deflate_free(client);
        }
}

TEST(a_message_in_parts_is_one_message)
{
    struct ws_deflate *server = deflate_of("", true), *client = deflate_of("", false);
    for (int empty_end = 0; empty_end < 2; empty_end++) {
        size_t n = 0, at = 0;
        fill(message, 3000, 0);
        for (int i = 0; i < 3; i++) {
            int64_t k = pack(server, message + at, 1000, i == 2 && !empty_end, packed + n);
            CHECK(k > 0);
            n += (size_t)k;
            at += 1000;
        }
        if (empty_end) {
            int64_t k = pack(server, NULL, 0, true, packed + n);
            CHECK_INT(k, 1);
            n += (size_t)k;
        }
        CHECK_INT(unpack(client, packed, n, 17, 100), 3000);
        CHECK(!memcmp(plain, message, 3000));
    }
    ws_deflate_free(server);
    ws_deflate_free(client);
}

TEST(what_was_said_before_makes_a_message_shorter_unless_each_begins_anew)
{
    for (int fresh = 0; fresh < 2; fresh++) {
        struct ws_deflate *d = deflate_of(fresh ? "server_no_context_takeover" : "", true);
        fill(message, 200, 3);
        int64_t first = pack(d, message, 200, true, packed), again = pack(d, message, 200, true, packed);
        CHECK_SAY(fresh ? again == first : again < first / 2, "%lld then %lld", (long long)first, (long long)again);
        ws_deflate_free(d);
    }
}

TEST(what_is_no_deflate_is_refused)
{
    static const struct {
        const char *what;
        uint8_t n, bytes[8];
    } t[] = {
        {"a block of type 3", 1, {0x06}},
        {"a stored block whose lengths differ", 5, {0x00, 0x05, 0x00, 0x00, 0x00}},
        {"half a block", 3, {0xF2, 0x48, 0xCD}},
        {"a stored block that is cut", 6, {0x00, 0x06, 0x00, 0xF9, 0xFF, 'H'}},
        {"a look back at nothing", 4, {0x02, 0x11, 0x00, 0x00}},
        {"nothing at all", 0, {0}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (size_t step = 1; step < 9; step += 7) {
            struct ws_deflate *d = deflate_of("", true);
            int64_t got = unpack(d, t[i].bytes, t[i].n, step, 100);
            CHECK_SAY(got == -1007, "%s: %lld", t[i].what, (long long)got);
            ws_deflate_free(d);
        }
}

TEST(a_bomb_comes_out_in_steps_as_large_as_the_room)
{
    struct ws_deflate *server = deflate_of("", true), *client = deflate_of("", false);
    memset(message, 0, MAX);
    int64_t k = pack(server, message, MAX, true, packed);
    CHECK(k > 0 && k < 4000);
    struct bytes in = {packed, (size_t)k};
    static uint8_t room[1000];
    for (int i = 0; i < 100; i++)
        CHECK_INT(ws_unpack(client, &in, true, room, sizeof room), sizeof room);
    ws_deflate_free(server);
    ws_deflate_free(client);
}

/* Each last block begins deflate anew; a message may be full of them, two bytes each. */
TEST(a_message_of_nothing_but_last_blocks_takes_no_time)
{
    struct ws_deflate *d = deflate_of("", true);
    for (size_t i = 0; i < MAX; i += 2)
        memcpy(packed + i, "\x03\x00", 2);
    packed[MAX] = 0;
    CHECK_INT(unpack(d, packed, MAX + 1, MAX + 1, 100), 0);
    ws_deflate_free(d);
}

TEST_MAIN
