/* SPDX-License-Identifier: MIT
 * Chunked bodies and what trails them, cut at every byte. */
#include "codec/http1.h"
#include "test.h"

/* Reads a chunked body that comes step bytes at a time, with its trailers. 1: whole, 0: not yet, or the breach. */
static int64_t read_chunks(const char *text, size_t n, size_t step, char *ret_data, struct http1_trailers *ret_trailers,
                           size_t *ret_used)
{
    struct http1_chunks c = {0};
    bool end = false;
    size_t used = 0, have = 0, data = 0, scanned = 0;
    int64_t r = 0;
    ret_trailers->count = 0;
    *ret_data = '\0';
    while (have < n && !(end && r > 0)) {
        have = have + step < n ? have + step : n;
        uint8_t *p = malloc(have - used + 1); /* of its own size, so that a sanitizer sees a read too far */
        memcpy(p, text + used, have - used);
        size_t at = 0;
        struct bytes piece;
        while (!end && (r = http1_chunk(&c, p + at, have - used - at, &piece, &end)) > 0) {
            memcpy(ret_data + data, piece.p, piece.n);
            data += piece.n;
            at += (size_t)r;
        }
        ret_data[data] = '\0';
        if (end && (r = http1_trailers(p + at, have - used - at, &scanned, ret_trailers)) > 0)
            at += (size_t)r;
        used += at;
        free(p);
        if (r < 0)
            return r;
    }
    *ret_used = used;
    return end && r > 0;
}

TEST(chunked_bodies)
{
    static const struct {
        const char *text;
        int64_t want; /* 1: whole */
        const char *data;
        size_t rest;
    } t[] = {
        {"0\r\n\r\n", 1, "", 0},
        {"5\r\nhello\r\n0\r\n\r\nGET", 1, "hello", 3},
        {"00005\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n", 1, "hello0123456789", 0},
        {"a\r\n0123456789\r\n0\r\n\r\n", 1, "0123456789", 0},
        {"1\r\n\r\r\n1\r\n\n\r\n0\r\nA: b\r\nC:\r\n\r\n", 1, "\r\n", 0},
        {"5\r\nhel", 0, "hel", 0},
        {"0\r\nA: b\r\n", 0, "", 0},
        {"7fffffffffffffff\r\nx", 0, "x", 0},
        {"0000000000000005\r\nhello", 0, "hello", 0},
        {"00000000000000005\r\n", -400, "", 0}, /* 17 digits */
        {"8000000000000000\r\n", -400, "", 0},
        {"10000000000000000\r\n", -400, "", 0},
        {"ffffffffffffffff0\r\n", -400, "", 0},
        {"\r\n", -400, "", 0},
        {"g\r\n", -400, "", 0},
        {"0x5\r\n", -400, "", 0},
        {"0_2e\r\n", -400, "", 0},
        {"+5\r\n", -400, "", 0},
        {"-5\r\n", -400, "", 0},
        {" 5\r\n", -400, "", 0},
        {"5 \r\n", -400, "", 0},
        {"5\t\r\n", -400, "", 0},
        {"5 5\r\n", -400, "", 0},
        {"5,5\r\n", -400, "", 0},
        {"5 a\r\n", -400, "", 0},
        {"5\n", -400, "", 0},
        {"5\rX", -400, "", 0},
        {"5\r\r\n", -400, "", 0},
        {"5\r\r;ABCD\r\n", -400, "", 0},
        {"5\x0B\r\n", -400, "", 0},
        {"5\r\nhelloX", -400, "hello", 0},
        {"5\r\nhello\n", -400, "hello", 0},
        {"5\r\nhello\rX", -400, "hello", 0},
        {"5\r\nhello0\r\n\r\n", -400, "hello", 0},
        {"5\r\nhello\r\n\r\n", -400, "hello", 0},
        {"3\r\nhello\r\n", -400, "hel", 0},
        /* extensions, 7.1.1 */
        {"5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", 1, "hello", 0},
        {"5 \t;a\r\nhello\r\n0\r\n\r\n", 1, "hello", 0},
        {"5; a\t=\tb ;c = \"\"\t;d\r\nhello\r\n0\r\n\r\n", 1, "hello", 0},
        {"5;a=\"I \\\"love\\\"; \\\\them\\\\\";b\r\nhello\r\n0\r\n\r\n", 1, "hello", 0},
        {"5;a=\"\xE4\xBD\xA0\"\r\nhello\r\n0\r\n\r\n", 1, "hello", 0},
        {"5;\r\n", -400, "", 0},
        {"5;;a\r\n", -400, "", 0},
        {"5;a;\r\n", -400, "", 0},
        {"5;a=\r\n", -400, "", 0},
        {"5;=b\r\n", -400, "", 0},
        {"5;a \r\n", -400, "", 0},
        {"5;a=b \r\n", -400, "", 0},
        {"5;a b\r\n", -400, "", 0},
        {"5;a=b c\r\n", -400, "", 0},
        {"5;a=b=c\r\n", -400, "", 0},
        {"5;a=\"b\r\n", -400, "", 0},
        {"5;a=\"b\"c\r\n", -400, "", 0},
        {"5;a=\"b\\\r\n", -400, "", 0},
        {"5;a=\"\n\"\r\n", -400, "", 0},
        {"5;a\n", -400, "", 0},
        {"5;a\rb\r\n", -400, "", 0},
        {"5; \r\r\n", -400, "", 0},
        {"5;\x01\r\n", -400, "", 0},
        {"5;a\x80\r\n", -400, "", 0},
        /* the end */
        {"0\r\n\rX", 0, "", 0}, /* a line is judged when it is whole */
        {"0\r\n\rX\r\n", -400, "", 0},
        {"0\r\n\n", -400, "", 0},
        {"0\r\nX:GET / HTTP/1.1\r\n\r\nGET", 1, "", 3},
        {"0\r\nA : b\r\n", -400, "", 0},
        {"0\r\n b\r\n", -400, "", 0},
        {"0\r\nA: b\r\n c\r\n", -400, "", 0},
        {"0\r\nA\r\n", -400, "", 0},
        {"0\r\n: b\r\n", -400, "", 0},
        {"0\r\nA: b\n", -400, "", 0},
        {"0\r\nA: b\rC: d\r\n", -400, "", 0},
        {"0\r\nA: \x01\r\n", -400, "", 0},
        {"0\r\ncontent-length: 5\r\n", -400, "", 0},
        {"0\r\nTransfer-Encoding: chunked\r\n", -400, "", 0},
        {"0\r\nA: b\r\nHOST: a\r\n", -400, "", 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (size_t n = strlen(t[i].text), step = 1; step <= n; step++) {
            char data[100];
            size_t used;
            struct http1_trailers trailers;
            int64_t got = read_chunks(t[i].text, n, step, data, &trailers, &used);
            CHECK_SAY(got == t[i].want, "%s by %zu: %lld", t[i].text, step, (long long)got);
            if (got == 1)
                CHECK_INT(n - used, t[i].rest);
            if (got >= 0 || step == 1)
                CHECK_STR(data, t[i].data);
        }
}

TEST(trailers_are_kept_but_for_those_that_may_not_trail)
{
    static const char text[] =
        "0\r\nDigest: x\r\nSet-Cookie: a\r\nAUTHORIZATION: b\r\nX:\r\nte: c\r\nServer-Timing: \t d e \r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        char data[8];
        size_t used;
        struct http1_trailers trailers;
        CHECK_INT(read_chunks(text, sizeof text - 1, sizeof text, data, &trailers, &used), 1);
        CHECK_INT(trailers.count, 3);
    }
    size_t scanned = 0;
    struct http1_trailers trailers;
    CHECK_INT(http1_trailers((const uint8_t *)text + 3, sizeof text - 4, &scanned, &trailers), sizeof text - 4);
    CHECK_MEM(trailers.fields[0].name.p, trailers.fields[0].name.n, "Digest", 6);
    CHECK_MEM(trailers.fields[1].name.p, trailers.fields[1].name.n, "X", 1);
    CHECK_INT(trailers.fields[1].value.n, 0);
    CHECK_MEM(trailers.fields[2].value.p, trailers.fields[2].value.n, "d e", 3);
    CHECK(http1_never_trails((struct bytes){(const uint8_t *)"hOST", 4}));
    CHECK(http1_never_trails((struct bytes){(const uint8_t *)"te", 2}));
    CHECK(!http1_never_trails((struct bytes){(const uint8_t *)"ETag", 4}));
}

TEST(chunked_bodies_have_limits)
{
    static char text[20000], data[10];
    struct http1_trailers trailers;
    size_t used, n;
    for (size_t line = 255; line <= 257; line++) { /* with CR LF 256 are allowed */
        n = (size_t)sprintf(text, "0;a%0*d\r\n\r\n", (int)line - 5, 1);
        for (size_t step = n; step > 0; step = step == n ? 1 : 0)
            CHECK_INT(read_chunks(text, n, step, data, &trailers, &used), line <= 256 ? 1 : -400);
    }
    for (int pad = 8192 - 5; pad <= 8192 - 3; pad++) { /* its 8,192 bytes are "A:", the blank line, and two more */
        n = (size_t)sprintf(text, "0\r\nA:%0*d\r\n\r\n", pad - 1, 1);
        for (size_t step = n; step > 0; step = step == n ? 100 : 0)
            CHECK_INT(read_chunks(text, n, step, data, &trailers, &used), n - 3 <= 8192 ? 1 : -431);
    }
    for (int count = HTTP1_TRAILERS_MAX - 1; count <= HTTP1_TRAILERS_MAX + 1; count++) {
        n = (size_t)sprintf(text, "0\r\n");
        for (int i = 0; i < count; i++)
            n += (size_t)sprintf(text + n, "A: b\r\nDate: c\r\n");
        n += (size_t)sprintf(text + n, "\r\n");
        CHECK_INT(read_chunks(text, n, 7, data, &trailers, &used), count <= HTTP1_TRAILERS_MAX ? 1 : -431);
    }
}

/* Sends chunks of size bytes with extensions of ext bytes until that is refused; 0: max chunks went through. */
static size_t refused_at(size_t size, int ext, size_t max)
{
    static char line[1 << 17];
    struct http1_chunks c = {0};
    for (size_t i = 1; i <= max; i++) {
        size_t n = (size_t)sprintf(line, "%zx;a%0*d\r\n", size, ext - 2, 1), at = 0;
        memset(line + n, 'x', size);
        n += size;
        n += (size_t)sprintf(line + n, "\r\n");
        while (at < n) {
            struct bytes piece;
            bool end;
            int64_t r = http1_chunk(&c, (const uint8_t *)line + at, n - at, &piece, &end);
            if (r < 0)
                return i;
            at += (size_t)r;
        }
    }
    return 0;
}

TEST(extensions_cannot_be_the_most_of_a_body)
{
    CHECK_INT(refused_at(1, 250, 1000), 16384 / (250 + 3 - 16 - 2) + 1);
    CHECK_INT(refused_at(1, 14, 100000), 0);   /* no more than a chunk may cost */
    CHECK_INT(refused_at(65536, 85, 2000), 0); /* a signature each 64 KiB, as object stores have it */
    CHECK_INT(refused_at(120, 240, 10000), 0); /* half of it data */
    CHECK(refused_at(100, 240, 10000) > 16384 / 240);
}

TEST_MAIN
