/* SPDX-License-Identifier: MIT */
#include "codec/ws.h"
#include "codec/mask.h"
#include "test.h"
#include <time.h>

enum { MAX = 1 << 20 };
static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* Appends a frame, masked as a client's if masked. */
static size_t put(uint8_t *to, uint8_t op, bool fin, const void *payload, size_t n, bool masked)
{
    size_t head = ws_head(to, op, fin, n, masked ? key : NULL);
    if (n)
        memcpy(to + head, payload, n);
    if (masked)
        for (size_t i = 0; i < n; i++)
            to[head + i] ^= key[i % 4];
    return head + n;
}

/* What came of some bytes: "T:hello|" a message, "t:" one piece of it that is not the last, "!1002" the end. */
struct story {
    char text[65536];
    size_t n;
    int64_t code;
};

static void tell(struct story *s, const struct ws_piece *piece)
{
    static const char names[] = {
        [WS_TEXT] = 't', [WS_BINARY] = 'b', [WS_CLOSE] = 'c', [WS_PING] = 'i', [WS_PONG] = 'o'};
    char name = names[piece->op];
    CHECK(s->n + piece->n + 4 < sizeof s->text);
    if (piece->first) {
        s->text[s->n++] = name;
        s->text[s->n++] = ':';
    }
    if (piece->n)
        memcpy(s->text + s->n, piece->p, piece->n);
    s->n += piece->n;
    if (piece->last)
        s->text[s->n++] = '|';
    s->text[s->n] = 0;
}

/* Feeds bytes as they would come in pieces of at most step, each in memory of its own size. */
static void feed(struct story *s, bool server, uint64_t max, const uint8_t *bytes, size_t n, size_t step)
{
    struct ws_in w;
    struct ws_piece piece;
    ws_in_init(&w, server, max);
    s->n = 0;
    s->text[0] = 0;
    s->code = 0;
    uint8_t *rest = NULL; /* what the engine left, as it left it */
    size_t rest_n = 0, done = 0;
    while (done < n && s->code >= 0) {
        size_t more = n - done < step ? n - done : step, at = 0;
        uint8_t *p = malloc(rest_n + more);
        if (rest_n)
            memcpy(p, rest, rest_n);
        memcpy(p + rest_n, bytes + done, more);
        free(rest);
        done += more;
        rest_n += more;
        while ((s->code = ws_in_next(&w, p + at, rest_n - at, &piece)) > 0) {
            tell(s, &piece);
            at += (size_t)s->code;
        }
        rest_n -= at;
        rest = malloc(rest_n + 1);
        memcpy(rest, p + at, rest_n);
        free(p);
    }
    free(rest);
    if (s->code == 0 && rest_n > 0)
        s->code = 1; /* some of it waits for more */
}

TEST(masking_equals_the_plain_loop_for_every_length_offset_and_phase)
{
    static const struct {
        const char *name;
        mask_fn *fn;
    } kernels[] = {
        {"words", mask_words},
#if MASK_X86
        {"sse2", mask_sse2},
        {"avx2", mask_avx2},
#endif
    };
    static uint8_t src[400], got[400], want[400];
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    srand(seed);
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)rand();
    for (size_t k = 0; k <= sizeof kernels / sizeof *kernels; k++)
        for (size_t n = 0; n <= 300; n++)
            for (size_t at = 0; at < 4 * 33; at++) {
                size_t offset = at / 4, phase = at % 4;
                bool ascii = true, says = true;
                memcpy(want, src, sizeof src);
                memcpy(got, src, sizeof src);
                if (n % 3 == 0) /* so that the result is ASCII in some cases */
                    for (size_t i = 0; i < n; i++)
                        want[offset + i] = got[offset + i] = (uint8_t)((src[i] & 0x7F) ^ key[(phase + i) % 4]);
                for (size_t i = 0; i < n; i++)
                    ascii &= (want[offset + i] ^= key[(phase + i) % 4]) < 0x80;
                uint32_t k32;
                memcpy(&k32, key, 4);
#if MASK_X86
                if (k == 2 && !__builtin_cpu_supports("avx2"))
                    continue;
#endif
                if (k == sizeof kernels / sizeof *kernels)
                    ws_mask(got + offset, n, key, phase);
                else
                    says = kernels[k].fn(got + offset, n, mask_turn(k32, phase)) == ascii;
                CHECK_SAY(!memcmp(got, want, sizeof got) && says, "kernel %zu n %zu offset %zu phase %zu", k, n, offset,
                          phase);
            }
}

TEST(masking_starts_at_any_count_of_bytes_seen)
{
    uint8_t p[3] = {0, 0, 0};
    ws_mask(p, 3, key, 1000003);
    CHECK(p[0] == key[3] && p[1] == key[0] && p[2] == key[1]);
}

TEST(heads_use_the_shortest_length)
{
    static const struct {
        uint64_t n;
        size_t head;
        uint8_t bytes[10];
    } t[] = {{0, 2, {0x82, 0}},
             {125, 2, {0x82, 125}},
             {126, 4, {0x82, 126, 0, 126}},
             {65535, 4, {0x82, 126, 0xFF, 0xFF}},
             {65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
             {0x7FFFFFFFFFFFFFFF, 10, {0x82, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint8_t head[WS_HEAD_MAX];
        CHECK_MEM(head, ws_head(head, WS_BINARY, true, t[i].n, NULL), t[i].bytes, t[i].head);
        CHECK_INT(ws_head(head, WS_TEXT, false, t[i].n, key), t[i].head + 4);
        CHECK_INT(head[0], WS_TEXT);
        CHECK_INT(head[1], t[i].bytes[1] | 0x80);
        CHECK(!memcmp(head + t[i].head, key, 4));
    }
}

static size_t sample(uint8_t *p, bool masked)
{
    static uint8_t big[9000];
    size_t n = 0;
    for (size_t i = 0; i + 3 <= sizeof big; i += 3)
        memcpy(big + i, "\xE4\xBD\xA0", 3);
    n += put(p + n, WS_TEXT, true, "hello", 5, masked);
    n += put(p + n, WS_PING, true, "p", 1, masked);
    n += put(p + n, WS_TEXT, true, "", 0, masked);
    n += put(p + n, WS_TEXT, false, "\xE4\xBD", 2, masked);
    n += put(p + n, WS_PONG, true, NULL, 0, masked);
    n += put(p + n, WS_CONT, false, "\xA0", 1, masked);
    n += put(p + n, WS_CONT, false, "", 0, masked);
    n += put(p + n, WS_CONT, true, "!", 1, masked);
    n += put(p + n, WS_BINARY, true, "\xFF\xFE", 2, masked);
    n += put(p + n, WS_TEXT, true, big, sizeof big, masked);
    n += put(p + n, WS_TEXT, true, big, 300, masked);
    n += put(p + n, WS_BINARY, false, big, 5000, masked);
    n += put(p + n, WS_CONT, true, big, 5001, masked);
    n += put(p + n, WS_CLOSE, true,
             "\x03\xE8"
             "bye",
             5, masked);
    return n;
}

TEST(every_cut_of_a_stream_gives_the_same_messages)
{
    static uint8_t bytes[65536];
    static struct story whole, cut;
    for (int server = 0; server < 2; server++) {
        size_t n = sample(bytes, server);
        feed(&whole, server, MAX, bytes, n, n);
        CHECK_INT(whole.code, 0);
        CHECK(!strncmp(whole.text, "t:hello|i:p|t:|t:", 17));
        CHECK(strstr(whole.text, "t:\xE4\xBDo:|\xA0!|b:\xFF\xFE|t:\xE4\xBD\xA0\xE4"));
        CHECK_STR(whole.text + whole.n - 8, "c:\x03\xE8"
                                            "bye|");
        for (size_t step = 1; step < n; step = step < 40 ? step + 1 : step * 3) {
            feed(&cut, server, MAX, bytes, n, step);
            CHECK_INT(cut.code, 0);
            CHECK_MEM(cut.text, cut.n, whole.text, whole.n);
        }
    }
}

TEST(a_short_frame_comes_whole_and_a_long_one_as_it_arrives)
{
    static uint8_t bytes[8192], payload[8192];
    struct ws_in w;
    struct ws_piece piece;
    for (size_t size = WS_WHOLE_MAX - 8; size <= WS_WHOLE_MAX - 7; size++) {
        bool whole = size + 8 <= WS_WHOLE_MAX;
        size_t n = put(bytes, WS_BINARY, true, payload, size, true);
        ws_in_init(&w, true, MAX);
        CHECK_INT(ws_in_next(&w, bytes, 8, &piece), 0);
        CHECK_INT(ws_in_next(&w, bytes, 9, &piece), whole ? 0 : 9);
        if (!whole) {
            CHECK(piece.first && !piece.last && piece.n == 1);
            CHECK_INT(ws_in_next(&w, bytes + 9, 0, &piece), 0);
            CHECK_INT(ws_in_next(&w, bytes + 9, n - 9, &piece), n - 9);
            CHECK(!piece.first && piece.last && piece.p == bytes + 9);
            continue;
        }
        CHECK_INT(ws_in_next(&w, bytes, n - 1, &piece), 0);
        CHECK_INT(ws_in_next(&w, bytes, n, &piece), n);
        CHECK(piece.first && piece.last && piece.n == size && piece.p == bytes + 8);
    }
}

TEST(breaches_of_the_framing_get_their_code)
{
    static const struct {
        const char *what;
        int64_t want;
        bool server;
        uint8_t n, bytes[16];
    } t[] = {
        {"unmasked to a server", -1002, true, 2, {0x81, 0x00}},
        {"masked to a client", -1002, false, 2, {0x81, 0x80}},
        {"reserved bit 1", -1002, false, 2, {0xC1, 0}},
        {"reserved bit 2", -1002, false, 2, {0xA1, 0}},
        {"reserved bit 3", -1002, false, 2, {0x91, 0}},
        {"opcode 3", -1002, false, 2, {0x83, 0}},
        {"opcode 7", -1002, false, 2, {0x87, 0}},
        {"opcode 11", -1002, false, 2, {0x8B, 0}},
        {"opcode 15", -1002, false, 2, {0x8F, 0}},
        {"a fragmented ping", -1002, false, 2, {0x09, 0}},
        {"a ping of 126", -1002, false, 2, {0x89, 126}},
        {"a close with a long length", -1002, false, 2, {0x88, 127}},
        {"a continuation of nothing", -1002, false, 2, {0x80, 0}},
        {"length 125 in 2 bytes", -1002, false, 4, {0x82, 126, 0, 125}},
        {"length 126 in 2 bytes", 0, false, 4, {0x82, 126, 0, 126}},
        {"length 65535 in 8 bytes", -1002, false, 10, {0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}},
        {"length 65536 in 8 bytes", 0, false, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
        {"length with the top bit", -1002, false, 10, {0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0}},
        {"length 2^63 - 1", -1009, false, 10, {0x82, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
        {"one byte", 0, false, 1, {0xFF}},
        {"an empty close", 2, false, 2, {0x88, 0}},
        {"a close of one byte", -1002, false, 3, {0x88, 1, 3}},
        {"close 1000", 4, false, 4, {0x88, 2, 0x03, 0xE8}},
        {"close 1005", -1002, false, 4, {0x88, 2, 0x03, 0xED}},
        {"close 999", -1002, false, 4, {0x88, 2, 0x03, 0xE7}},
        {"close 5000", -1002, false, 4, {0x88, 2, 0x13, 0x88}},
        {"close with a reason that is not text", -1007, false, 5, {0x88, 3, 0x03, 0xE8, 0xFF}},
        {"close with half a character", -1007, false, 6, {0x88, 4, 0x03, 0xE8, 0xE4, 0xBD}},
        {"close with a character", 7, false, 7, {0x88, 5, 0x03, 0xE8, 0xE4, 0xBD, 0xA0}},
        {"text that is not UTF-8", -1007, false, 3, {0x81, 1, 0xFF}},
        {"half a character at the end", -1007, false, 4, {0x81, 2, 0xE4, 0xBD}},
        {"half a character in a fragment", 4, false, 4, {0x01, 2, 0xE4, 0xBD}},
        {"an overlong slash", -1007, false, 4, {0x01, 2, 0xC0, 0xAF}},
        {"a surrogate", -1007, false, 5, {0x01, 3, 0xED, 0xA0, 0x80}},
        {"binary may be anything", 3, false, 3, {0x82, 1, 0xFF}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct ws_in w;
        struct ws_piece piece;
        uint8_t *p = malloc(t[i].n);
        memcpy(p, t[i].bytes, t[i].n);
        ws_in_init(&w, t[i].server, MAX);
        int64_t got = ws_in_next(&w, p, t[i].n, &piece);
        free(p);
        CHECK_SAY(got == t[i].want, "%s: %lld", t[i].what, (long long)got);
    }
}

TEST(a_message_begins_only_after_the_last_has_ended)
{
    static struct story s;
    uint8_t bytes[64];
    size_t n = put(bytes, WS_TEXT, false, "a", 1, true);
    n += put(bytes + n, WS_TEXT, true, "b", 1, true);
    feed(&s, true, MAX, bytes, n, n);
    CHECK_INT(s.code, -1002);
    n = put(bytes, WS_TEXT, true, "a", 1, true);
    n += put(bytes + n, WS_CONT, true, "b", 1, true);
    feed(&s, true, MAX, bytes, n, n);
    CHECK_INT(s.code, -1002);
    CHECK_STR(s.text, "t:a|");
}

TEST(a_message_may_have_its_limit_and_not_one_byte_more)
{
    static struct story s;
    static uint8_t bytes[9000], payload[9000];
    static const struct {
        size_t a, b; /* two fragments */
        int64_t want;
    } t[] = {{10, 90, 0}, {10, 91, -1009}, {100, 0, 0}, {101, 0, -1009}, {0, 100, 0}, {0, 101, -1009}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t n = put(bytes, WS_BINARY, false, payload, t[i].a, true);
        n += put(bytes + n, WS_PING, true, payload, 125, true); /* counts for nothing */
        n += put(bytes + n, WS_CONT, true, payload, t[i].b, true);
        n += put(bytes + n, WS_BINARY, true, payload, t[i].want ? 0 : 100, true);
        feed(&s, true, 100, bytes, n, n);
        CHECK_SAY(s.code == t[i].want, "%zu + %zu: %lld", t[i].a, t[i].b, (long long)s.code);
    }
    size_t n = put(bytes, WS_BINARY, true, payload, 8192, true);
    feed(&s, true, 8192, bytes, n, 1000);
    CHECK_INT(s.code, 0);
    feed(&s, true, 8191, bytes, 4, 4); /* said as soon as the length is known */
    CHECK_INT(s.code, -1009);
}

TEST(bad_text_in_a_long_frame_is_refused_when_it_comes)
{
    static uint8_t bytes[20000], payload[20000];
    struct ws_in w;
    struct ws_piece piece;
    memset(payload, 'a', sizeof payload);
    payload[6000] = 0xFF;
    put(bytes, WS_TEXT, true, payload, 19000, true);
    ws_in_init(&w, true, MAX);
    CHECK_INT(ws_in_next(&w, bytes, 6008, &piece), 6008);
    CHECK_INT(ws_in_next(&w, bytes + 6008, 1, &piece), -1007);
}

/* Bytes so far, given again with one more each time, as a transport does. The count that was needed to see the fault. */
static size_t seen_after(const uint8_t *bytes, size_t n, bool server)
{
    struct ws_in w;
    struct ws_piece piece;
    uint8_t *p = malloc(n);
    size_t at = 0;
    ws_in_init(&w, server, MAX);
    memcpy(p, bytes, n);
    for (size_t k = 1; k <= n; k++)
        for (int64_t got; (got = ws_in_next(&w, p + at, k - at, &piece)) != 0; at += (size_t)got)
            if (got < 0) {
                free(p);
                return got == -1007 ? k : 0;
            }
    free(p);
    return 0;
}

TEST(bad_text_is_refused_at_its_first_bad_byte_however_short_its_frame)
{
    static const struct {
        const char *text;
        size_t n, bad;
    } t[] = {{"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xF4\x90\x80\x80\x65\x64", 14, 9},
             {"\xFF", 10, 1},
             {"plain \xC0\xAF and more", 20, 7},
             {"\xED\xA0\x80 surrogate", 13, 2}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int server = 0; server < 2; server++) {
            uint8_t bytes[64], payload[32] = {0};
            size_t head = server ? 6 : 2;
            memcpy(payload, t[i].text, strlen(t[i].text));
            size_t n = put(bytes, WS_TEXT, true, payload, t[i].n, server);
            CHECK_INT(seen_after(bytes, n, server), head + t[i].bad);
            /* and in a continuation, behind half a character */
            n = put(bytes, WS_TEXT, false, "\xE4\xBD", 2, server);
            payload[0] = 'x';
            size_t first = n;
            n += put(bytes + n, WS_CONT, true, payload, t[i].n, server);
            CHECK_INT(seen_after(bytes, n, server), first + head + 1);
        }
}

TEST(reserved_bit_1_is_for_the_first_frame_of_a_packed_message)
{
    static const struct {
        const char *what;
        bool packs;
        int64_t want[3];
        uint8_t n, bytes[12];
    } t[] = {
        {"not agreed on", false, {-1002}, 3, {0xC2, 1, 0xFF}},
        {"text that is not UTF-8 before it is unpacked", true, {3}, 3, {0xC1, 1, 0xFF}},
        {"binary", true, {3}, 3, {0xC2, 1, 0xFF}},
        {"with reserved bit 2", true, {-1002}, 3, {0xE2, 1, 0xFF}},
        {"with reserved bit 3", true, {-1002}, 3, {0xD2, 1, 0xFF}},
        {"a ping", true, {-1002}, 2, {0xC9, 0}},
        {"a pong", true, {-1002}, 2, {0xCA, 0}},
        {"a close", true, {-1002}, 2, {0xC8, 0}},
        {"a continuation", true, {3, -1002}, 6, {0x42, 1, 'a', 0xC0, 1, 'b'}},
        {"a continuation of a message as it is", true, {3, -1002}, 6, {0x02, 1, 'a', 0xC0, 1, 'b'}},
        {"fragments", true, {3, 3}, 6, {0x41, 1, 0xFF, 0x80, 1, 0xFF}},
        {"not packed, and so checked", true, {-1007}, 3, {0x81, 1, 0xFF}},
        {"packed, then not", true, {3, -1007}, 6, {0xC1, 1, 0xFF, 0x81, 1, 0xFF}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct ws_in w;
        struct ws_piece piece;
        uint8_t bytes[12];
        size_t at = 0;
        memcpy(bytes, t[i].bytes, sizeof bytes);
        ws_in_init(&w, false, MAX);
        w.packs = t[i].packs;
        for (size_t k = 0; k < 3 && t[i].want[k]; k++) {
            int64_t got = ws_in_next(&w, bytes + at, t[i].n - at, &piece);
            CHECK_SAY(got == t[i].want[k], "%s, frame %zu: %lld", t[i].what, k, (long long)got);
            CHECK_SAY(got < 0 || piece.packed == ((t[i].bytes[0] & 0x40) != 0), "%s", t[i].what);
            at += got > 0 ? (size_t)got : 0;
        }
    }
}

TEST(a_character_may_be_cut_anywhere_between_pieces_and_fragments)
{
    static const char text[] = "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80z";
    static struct story s;
    for (size_t i = 0; i < sizeof text; i++)
        for (size_t j = i; j < sizeof text; j++) {
            uint8_t bytes[64];
            size_t n = put(bytes, WS_TEXT, false, text, i, true);
            n += put(bytes + n, WS_CONT, false, text + i, j - i, true);
            n += put(bytes + n, WS_CONT, true, text + j, sizeof text - 1 - j, true);
            if (j == sizeof text)
                continue;
            feed(&s, true, MAX, bytes, n, n);
            CHECK_INT(s.code, 0);
            CHECK_INT(s.n, sizeof text - 1 + 3);
        }
}

TEST(close_codes_that_may_be_sent)
{
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                               1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const int bad[] = {-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_SAY(ws_close_code_ok(good[i]), "%d", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_SAY(!ws_close_code_ok(bad[i]), "%d", bad[i]);
}

TEST(the_handshake_of_the_rfc)
{
    static const char said[] = "dGhlIHNhbXBsZSBub25jZQ==";
    char got[WS_ACCEPT_N + 1], made[WS_KEY_N + 1];
    ws_accept_of((struct bytes){(const uint8_t *)said, WS_KEY_N}, got);
    CHECK_STR(got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ws_key((const uint8_t *)"the sample nonce", made);
    CHECK_STR(made, said);
}

TEST(keys_are_16_bytes_in_base64)
{
    static const struct {
        const char *key;
        bool ok;
    } t[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true}, {"AAAAAAAAAAAAAAAAAAAAA+==", true},  {"", false},
        {"dGhlIHNhbXBsZSBub25jZQ=", false}, {"dGhlIHNhbXBsZSBub25jZQAA", false}, {"dGhlIHNhbXBsZSBub25jZQ== ", false},
        {"dGhl-HNhbXBsZSBub25jZQ==", false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_SAY(ws_key_ok((struct bytes){(const uint8_t *)t[i].key, strlen(t[i].key)}) == t[i].ok, "%s", t[i].key);
}

TEST_MAIN
