/* SPDX-License-Identifier: MIT
 * test_decompress.c - what was compressed by others comes out whole, however it is cut; what is broken, cut or goes on is seen. */
#include "codec/decompress.h"
#include "test.h"
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN = 200000, PACKED = 300000 };
static uint8_t plain[PLAIN], packed[PACKED], out[PLAIN];

static void make_plain(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < PLAIN; i++) {
        x = x * 1103515245 + 12345;
        plain[i] = (uint8_t)(i % 5 ? x >> 28 : x >> 16);
    }
}

static size_t deflate_as(int bits)
{
    z_stream z = {0};
    CHECK(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = plain;
    z.avail_in = PLAIN;
    z.next_out = packed;
    z.avail_out = PACKED;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack(const char *coding)
{
    size_t n = PACKED;
    make_plain();
    if (!strcmp(coding, "gzip"))
        return deflate_as(31);
    if (!strcmp(coding, "raw"))
        return deflate_as(-15);
    if (!strcmp(coding, "deflate"))
        return deflate_as(15);
    if (!strcmp(coding, "zstd"))
        return ZSTD_compress(packed, PACKED, plain, PLAIN, 3);
    CHECK(BrotliEncoderCompress(5, 20, BROTLI_MODE_GENERIC, PLAIN, plain, &n, packed));
    return n;
}

/* All of packed[0..n) in pieces of `in`, out in pieces of `room`. Bytes, or the code; *ret_whole: it ended well. */
static int64_t unpack(const char *coding, size_t n, size_t in, size_t room, bool *ret_whole)
{
    int code;
    const char *name = strcmp(coding, "raw") ? coding : "deflate";
    struct decompressor *d = decompressor_new((struct bytes){(const uint8_t *)name, strlen(name)}, &code);
    int64_t total = 0, got = 0;
    CHECK(d);
    for (size_t at = 0; at < n && got >= 0; at += in) {
        struct bytes b = {packed + at, n - at < in ? n - at : in};
        do {
            size_t space = PLAIN - (size_t)total < room ? PLAIN - (size_t)total : room;
            uint8_t none[1];
            got = decompressor_step(d, &b, space ? out + total : none, space ? space : 1);
            total += got > 0 ? got : 0;
        } while ((got > 0 || b.n) && got >= 0 && total <= PLAIN);
    }
    *ret_whole = decompressor_whole(d);
    decompressor_free(d);
    return got < 0 ? got : total;
}

static const char *const all[] = {"gzip", "deflate", "raw", "br", "zstd"};

TEST(what_others_packed_comes_out_however_it_is_cut)
{
    static const size_t cuts[][2] = {{PACKED, PLAIN}, {1, 4096}, {7, 13}, {1000, 1}, {65536, 16384}};
    for (size_t i = 0; i < 5; i++) {
        size_t n = pack(all[i]);
        for (size_t k = 0; k < 5; k++) {
            bool whole;
            memset(out, 0, sizeof out);
            int64_t got = unpack(all[i], n, cuts[k][0], cuts[k][1], &whole);
            CHECK_SAY(got == PLAIN, "%s cut %zu: %lld", all[i], k, (long long)got);
            CHECK_SAY(!memcmp(out, plain, PLAIN) && whole, "%s cut %zu", all[i], k);
        }
    }
}

TEST(one_that_is_cut_off_is_not_whole)
{
    for (size_t i = 0; i < 5; i++) {
        size_t n = pack(all[i]);
        bool whole;
        CHECK(unpack(all[i], n - 1, 1000, 4096, &whole) >= 0 && !whole);
        CHECK(unpack(all[i], 1, 1000, 4096, &whole) >= 0 && !whole);
    }
}

TEST(one_that_goes_on_behind_its_end_is_a_breach)
{
    for (size_t i = 0; i < 5; i++) {
        size_t n = pack(all[i]);
        bool whole;
        packed[n] = 'x';
        for (size_t in = 1; in < PACKED; in += PACKED / 2) {
            int64_t got = unpack(all[i], n + 1, in, 4096, &whole);
            CHECK_SAY(got == DX_PROTO || !whole, "%s: %lld", all[i], (long long)got);
        }
    }
}

TEST(frames_and_members_follow_each_other)
{
    bool whole;
    memset(plain, 'a', 1000);
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    z.next_in = plain;
    z.avail_in = 1000;
    z.next_out = packed;
    z.avail_out = PACKED;
    deflate(&z, Z_FINISH);
    size_t n = z.total_out;
    deflateEnd(&z);
    memcpy(packed + n, packed, n);
    CHECK_INT(unpack("gzip", 2 * n, PACKED, 300, &whole), 2000);
    CHECK(whole);
    n = ZSTD_compress(packed, PACKED, plain, 1000, 3);
    memcpy(packed + n, packed, n);
    CHECK_INT(unpack("zstd", 2 * n, PACKED, 300, &whole), 2000);
    CHECK(whole);
    CHECK_INT(unpack("zstd", n + n / 2, PACKED, 300, &whole), 1000);
    CHECK(!whole);
}

TEST(a_zstd_window_over_8_mib_is_refused)
{
    bool whole;
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 24);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    ZSTD_inBuffer in = {plain, 1000, 0};
    ZSTD_outBuffer to = {packed, PACKED, 0};
    ZSTD_compressStream2(c, &to, &in, ZSTD_e_flush);
    ZSTD_compressStream2(c, &to, &in, ZSTD_e_end);
    ZSTD_freeCCtx(c);
    CHECK_INT(unpack("zstd", to.pos, PACKED, 4096, &whole), DX_BIG);
}

TEST(what_zstd_was_before_it_had_an_rfc_is_none)
{
    static const struct {
        char bytes[10]; /* a frame without content */
        size_t n;
    } olds[] = {{"\x25\xb5\x2f\xfd\x0f", 8}, {"\x26\xb5\x2f\xfd\x0f", 8}, {"\x27\xb5\x2f\xfd\x00\x88", 9}};
    bool whole;
    for (size_t i = 0; i < sizeof olds / sizeof *olds; i++)
        for (int behind = 0; behind < 2; behind++) {
            memset(plain, 'a', 1000);
            size_t n = behind ? ZSTD_compress(packed, PACKED, plain, 1000, 3) : 0;
            memcpy(packed + n, olds[i].bytes, olds[i].n);
            CHECK_INT(unpack("zstd", n + olds[i].n, PACKED, PLAIN, &whole), DX_PROTO);
            CHECK_INT(unpack("zstd", n + olds[i].n, 1, 100, &whole), DX_PROTO);
        }
}

TEST(codings_have_names)
{
    static const char *const names[] = {"gzip", "X-GZip", "DEFLATE", "Br", "zstd"};
    int code = 0;
    for (size_t i = 0; i < 5; i++) {
        struct decompressor *d = decompressor_new((struct bytes){(const uint8_t *)names[i], strlen(names[i])}, &code);
        CHECK(d && decompressor_whole(d));
        decompressor_free(d);
    }
    CHECK(!decompressor_new((struct bytes){(const uint8_t *)"compress", 8}, &code));
    CHECK_INT(code, DX_ABSENT);
    CHECK_STR(decompressor_name(NULL), "");
}

TEST_MAIN
