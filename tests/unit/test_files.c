/* SPDX-License-Identifier: MIT
 * test_files.c - the pure parts of src/files: paths, ranges, dates, types, charsets, encodings, escapes. */
#include "files/inside.h"
#include "test.h"
#include <zlib.h>

static dx_bytes of(const char *s)
{
    return (dx_bytes){s, s ? strlen(s) : 0};
}

TEST(paths_become_names_beneath_the_folder_or_nothing)
{
    static const struct {
        const char *raw, *name; /* NULL: none */
        bool folder, hidden;
    } all[] = {
        {"/", ".", true, false},
        {"/a", "a", false, false},
        {"/a/", "a", true, false},
        {"/a/b.txt", "a/b.txt", false, false},
        {"/%E4%BD%A0/%20x", "你/ x", false, false},
        {"/a%2ebc", "a.bc", false, false},
        {"/a%", NULL, false, false},
        {"/a%4", NULL, false, false},
        {"/a%4g", NULL, false, false},
        {"/a%00", NULL, false, false},
        {"/a%2Fb", NULL, false, false},
        {"//", NULL, false, false},
        {"//a", NULL, false, false},
        {"/a//b", NULL, false, false},
        {"/..", NULL, false, false},
        {"/../a", NULL, false, true},
        {"/a/..", NULL, false, true},
        {"/a/../b", NULL, false, true},
        {"/%2e%2e/a", NULL, false, true},
        {"/%2E%2e", NULL, false, true},
        {"/a/./b", NULL, false, true},
        {"/.hid", NULL, false, false},
        {"/.hid", ".hid", false, true},
        {"/a/.git/config", NULL, false, false},
        {"/...", "...", false, true},
        {"a", NULL, false, false},
        {"", NULL, false, false},
        {NULL, NULL, false, false},
        {"*", NULL, false, false},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct path p;
        bool ok = path_read(&p, of(all[i].raw), all[i].hidden);
        CHECK_SAY(ok == (all[i].name != NULL), "row %zu: %s", i, all[i].raw ? all[i].raw : "(null)");
        if (!ok)
            continue;
        CHECK_STR(p.name, all[i].name);
        CHECK_INT(p.folder, all[i].folder);
    }
}

TEST(a_path_of_any_length_fits_or_is_nothing)
{
    struct path p;
    for (size_t n = PATH_BYTES_MAX - 8; n < PATH_BYTES_MAX + 8; n++) {
        char *raw = malloc(n); /* exactly, so that a sanitizer sees a byte too many */
        memset(raw, 'a', n);
        *raw = '/';
        bool ok = path_read(&p, (dx_bytes){raw, n}, false);
        CHECK_INT(ok, n <= PATH_BYTES_MAX);
        if (ok)
            CHECK_INT(strlen(p.name), n - 1);
        free(raw);
    }
}

TEST(ranges_of_ten_bytes)
{
    static const struct {
        const char *field;
        int count;
        struct range r[3];
    } all[] = {
        {"bytes=0-0", 1, {{0, 1}}},
        {"bytes=0-", 1, {{0, 10}}},
        {"bytes=9-", 1, {{9, 1}}},
        {"bytes=-1", 1, {{9, 1}}},
        {"bytes=-10", 1, {{0, 10}}},
        {"bytes=-99", 1, {{0, 10}}},
        {"bytes=2-99", 1, {{2, 8}}},
        {"bytes=2-99999999999999999999999", 1, {{2, 8}}},
        {"BYTES=1-2", 1, {{1, 2}}},
        {"bytes= 1-2 , 4-5", 2, {{1, 2}, {4, 2}}},
        {"bytes=,1-2,,4-4,", 2, {{1, 2}, {4, 1}}},
        {"bytes=10-", -1, {{0, 0}}},
        {"bytes=10-20,30-", -1, {{0, 0}}},
        {"bytes=-0", -1, {{0, 0}}},
        {"bytes=10-,3-4", 1, {{3, 2}}},
        {"bytes=99999999999999999999999-", -1, {{0, 0}}},
        {"bytes=", -1, {{0, 0}}},
        {"bytes=3-2", 0, {{0, 0}}},
        {"bytes=a-b", 0, {{0, 0}}},
        {"bytes=1", 0, {{0, 0}}},
        {"bytes=1-2;", 0, {{0, 0}}},
        {"bytes=1 -2", 0, {{0, 0}}},
        {"lines=1-2", 0, {{0, 0}}},
        {"bytes=0-9,0-9", 0, {{0, 0}}},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 0, {{0, 0}}},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct range r[RANGES_MAX];
        int count = range_read(of(all[i].field), 10, r);
        if (!strcmp(all[i].field, "bytes=")) /* no range in it: as if it were not there, or none that can be had */
            continue;
        CHECK_SAY(count == all[i].count, "%s: %d", all[i].field, count);
        for (int k = 0; k < count; k++)
            CHECK_SAY(r[k].first == all[i].r[k].first && r[k].n == all[i].r[k].n, "%s: the %dth", all[i].field, k);
    }
    struct range r[RANGES_MAX];
    CHECK_INT(range_read(of("bytes=0-"), 0, r), -1);
    CHECK_INT(range_read(of("bytes=-5"), 0, r), 0);
    CHECK_INT(range_read(of("bytes=-0"), 0, r), -1);
    CHECK_INT(range_read(of("bytes=0-0,-5"), 0, r), 0);
    CHECK_INT(range_read((dx_bytes){NULL, 0}, 10, r), 0);
}

TEST(types_by_the_end_of_a_name)
{
    CHECK_STR(type_of("a/b.HTML"), "text/html");
    CHECK_STR(type_of("x.tar.gz"), "application/gzip");
    CHECK_STR(type_of("README"), "text/plain");
    CHECK_STR(type_of("d.js/README"), "text/plain");
    CHECK_STR(type_of("d.js/b"), "application/octet-stream");
    CHECK_STR(type_of(".html"), "application/octet-stream");
    CHECK(type_is_text("text/html") && !type_is_text("image/png") && type_shrinks("image/svg+xml"));
}

TEST(a_text_is_utf_8_or_gb18030_or_it_is_not_said)
{
    CHECK_STR(type_charset("plain", 5, true), "utf-8");
    CHECK_STR(type_charset("你好", 6, true), "utf-8");
    for (size_t n = 1; n < 6; n++) /* cut where the look ends */
        CHECK_STR(type_charset("你好", n, false), "utf-8");
    CHECK_STR(type_charset("\xc4\xe3\xba\xc3", 4, true), "gb18030");
    CHECK(!type_charset("\xff\xff\xff\xff", 4, true));
    CHECK(!type_charset("a\0b\0", 4, true));
}

TEST(escapes_leave_no_way_out)
{
    dx_text t = {0};
    CHECK(escape_html("<a href=\"x\">&'", 14, &t) == 0);
    CHECK_STR(t.p, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    dx_text_clear(&t);
    CHECK(escape_html("a\nb\x1b\xff", 5, &t) == 0);
    CHECK_STR(t.p, "a␊b␛&lt;FF&gt;");
    dx_text_free(&t);
}

TEST(gzip_in_pieces_is_the_same_text_again)
{
    uint8_t in[100000], out[100000];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * i >> 7);
    struct encoder *e = encoder_new(CODING_GZIP);
    dx_text t = {0};
    for (size_t at = 0; at < sizeof(in); at += 777) {
        size_t n = sizeof(in) - at < 777 ? sizeof(in) - at : 777;
        CHECK_INT(encoder_take(e, in + at, n, at + n == sizeof(in), &t), 0);
    }
    encoder_free(e);
    z_stream z = {.next_in = (Bytef *)t.p, .avail_in = (uInt)t.n, .next_out = out, .avail_out = sizeof(out)};
    CHECK_INT(inflateInit2(&z, 31), Z_OK);
    CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
    CHECK_INT(z.avail_in, 0);
    CHECK_MEM(out, z.total_out, in, sizeof(in));
    inflateEnd(&z);
    dx_text_free(&t);
}

TEST(nothing_becomes_a_whole_stream_in_every_coding)
{
    for (int k = CODING_GZIP; k < CODINGS; k++) {
        struct encoder *e = encoder_new((enum coding)k);
        dx_text t = {0};
        CHECK_INT(encoder_take(e, NULL, 0, true, &t), 0);
        CHECK(t.n > 0);
        encoder_free(e);
        dx_text_free(&t);
    }
}

TEST_MAIN
