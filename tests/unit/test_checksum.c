/* SPDX-License-Identifier: MIT */
#include <duplex/text.h>
#include "test.h"
#include <pthread.h>
#include <strings.h>

static const char digits[] = "123456789";

void *__wrap_malloc(size_t n);
void *__real_malloc(size_t n);
static bool no_memory;

void *__wrap_malloc(size_t n)
{
    return no_memory ? NULL : __real_malloc(n);
}

/* These two come first, before another case has made the tables. */
TEST(without_memory_for_tables_it_is_only_slower)
{
    const dx_sum_info *k;
    no_memory = true;
    for (size_t i = 0; (k = dx_sum_at(i)); i++) {
        dx_sum s;
        dx_sum_begin(&s, k->name);
        dx_sum_add(&s, digits, 9);
        if (dx_sum_value(&s) != k->check)
            break;
    }
    no_memory = false;
    CHECK_SAY(!k, "%s", k->name);
}

/* With a thread at each of them: the tables are made once, whoever is first. */
static void *check_all(void *arg)
{
    const dx_sum_info *k;
    bool *fine = arg;
    *fine = true;
    for (size_t i = 0; (k = dx_sum_at(i)); i++) {
        dx_sum s;
        dx_sum_begin(&s, k->name);
        dx_sum_add(&s, digits, 9);
        *fine = *fine && dx_sum_value(&s) == k->check;
    }
    return NULL;
}

TEST(threads_may_be_the_first_together)
{
    enum { THREADS = 4 };
    pthread_t id[THREADS];
    bool fine[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&id[i], NULL, check_all, &fine[i]));
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(fine[i]);
}

/* The checksum of text as it goes on the wire. */
static const char *wire(const char *name, const char *text, size_t n)
{
    static char hex[20];
    uint8_t sum[8];
    int bytes = dx_checksum(name, text, n, sum);
    CHECK_SAY(bytes > 0, "%s: %d", name, bytes);
    for (int i = 0; i < bytes; i++)
        snprintf(hex + 2 * i, 3, "%02X", sum[i]);
    return hex;
}

TEST(every_checksum_has_its_published_check)
{
    size_t crcs = 0, i = 0;
    const dx_sum_info *k;
    for (; (k = dx_sum_at(i)); i++) {
        dx_sum s;
        CHECK_SAY(dx_sum_begin(&s, k->name) == (k->bits + 7) / 8 && s.info == k, "%s", k->name);
        dx_sum_add(&s, digits, 9);
        CHECK_SAY(dx_sum_value(&s) == k->check, "%s: %llX, not %llX", k->name, (unsigned long long)dx_sum_value(&s),
                  (unsigned long long)k->check);
        crcs += k->crc;
    }
    CHECK_INT(crcs, 112); /* the catalogue's, but for the one of 82 bits */
    CHECK_INT(i, 120);
    CHECK(!dx_sum_at(SIZE_MAX));
}

TEST(every_parameter_fits_its_width)
{
    const dx_sum_info *k;
    for (size_t i = 0; (k = dx_sum_at(i)); i++)
        CHECK_SAY(!((k->poly | k->init | k->xor_out | k->check) & ~(UINT64_MAX >> (64 - k->bits))), "%s", k->name);
}

/* Bit by bit as the model is described, without tables: what the tables must agree with, however the bytes lie. */
static uint64_t by_the_book(const dx_sum_info *k, const uint8_t *p, size_t n)
{
    uint64_t top = 1ull << (k->bits - 1), mask = top | (top - 1), x = k->init, r = 0;
    for (size_t i = 0; i < n * 8; i++) {
        int bit = p[i / 8] >> (k->refin ? i % 8 : 7 - i % 8) & 1;
        x = (x << 1 & mask) ^ (!!(x & top) ^ bit ? k->poly : 0);
    }
    for (int i = 0; k->refout && i < k->bits; i++)
        r |= (x >> i & 1) << (k->bits - 1 - i);
    return (k->refout ? r : x) ^ k->xor_out;
}

TEST(in_steps_is_as_whole_wherever_it_is_cut)
{
    enum { N = 67 };
    uint8_t bytes[N];
    const dx_sum_info *k;
    for (int i = 0; i < N; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t i = 0; (k = dx_sum_at(i)); i++) {
        dx_sum whole;
        dx_sum_begin(&whole, k->name);
        dx_sum_add(&whole, bytes, N);
        CHECK_SAY(!k->crc || dx_sum_value(&whole) == by_the_book(k, bytes, N), "%s", k->name);
        for (size_t cut = 0; cut <= N; cut++) {
            dx_sum s;
            dx_sum_begin(&s, k->name);
            dx_sum_add(&s, bytes, cut);
            dx_sum_value(&s); /* a look in between changes nothing */
            dx_sum_add(&s, bytes + cut, N - cut);
            CHECK_SAY(dx_sum_value(&s) == dx_sum_value(&whole), "%s cut at %zu", k->name, cut);
        }
    }
}

TEST(each_goes_in_its_order_on_the_wire)
{
    static const char *const t[][2] = {
        {"crc8", "F4"},
        {"crc8-maxim", "A1"},
        {"crc8-rohc", "D0"},
        {"crc16-modbus", "374B"},
        {"crc16-arc", "3DBB"},
        {"crc16-usb", "C8B4"},
        {"crc16-maxim", "C244"},
        {"crc16-xmodem", "31C3"},
        {"crc16-ccitt", "29B1"},
        {"crc16-kermit", "8921"},
        {"crc16-x25", "6E90"},
        {"crc16-dnp", "82EA"},
        {"crc32", "2639F4CB"},
        {"crc32-bzip2", "FC891918"},
        {"crc32-mpeg2", "0376E6E7"},
        {"CRC32C", "839206E3"},
        {"internet", "F62A"},
        {"sum8", "DD"},
        {"sum16", "01DD"},
        {"xor", "31"},
        {"lrc", "23"},
        {"crc5-usb", "19"},
        {"crc12-umts", "0DAF"}, /* reflected on one side alone */
        {"crc15-can", "059E"},
        {"crc24", "21CF02"},
        {"crc24-ble", "565AC2"},
        {"crc40-gsm", "D4164FC646"},
        {"crc64", "6C40DF5F0B497347"},
        {"crc64-xz", "FA3919DFBBC95D99"},
        {"adler32", "091E01DE"},
        {"crc16-modbus:be", "4B37"},
        {"Modbus:BE", "4B37"},
        {"crc16-modbus:le", "374B"},
        {"sum16:le", "DD01"},
        {"crc64-xz:be", "995DC9BBDF1939FA"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_SAY(!strcmp(wire(t[i][0], digits, 9), t[i][1]), "%s: %s, not %s", t[i][0], wire(t[i][0], digits, 9),
                  t[i][1]);
}

TEST(plain_sums_by_known_examples)
{
    static const struct {
        const char *name, *text, *sum;
    } t[] = {
        {"fletcher16", "abcde", "C8F0"},
        {"fletcher16", "abcdef", "2057"},
        {"fletcher16", "abcdefgh", "0627"},
        {"fletcher32", "abcde", "F04FC729"},
        {"fletcher32", "abcdef", "56502D2A"},
        {"fletcher32", "abcdefgh", "EBE19591"},
        {"adler32", "Wikipedia", "11E60398"},
        {"adler32", "", "00000001"},
        {"lrc", "\x01\x03", "FC"},
        {"internet", "\x01", "FEFF"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_STR(wire(t[i].name, t[i].text, strlen(t[i].text)), t[i].sum);
    CHECK_STR(wire("internet", "\x00\x01\xF2\x03\xF4\xF5\xF6\xF7", 8), "220D"); /* RFC 1071, 3 */
    CHECK_STR(wire("internet", "E\0\0\x73\0\0\x40\0\x40\x11\0\0\xC0\xA8\0\1\xC0\xA8\0\xC7", 20), "B861");
}

TEST(sums_of_many_bytes_do_not_overflow)
{
    static uint8_t ff[1 << 20];
    memset(ff, 0xFF, sizeof ff);
    CHECK_STR(wire("adler32", (char *)ff, sizeof ff), "8E88EF11");
    CHECK_STR(wire("fletcher16", (char *)ff, sizeof ff), "0000");
    CHECK_STR(wire("fletcher32", (char *)ff, sizeof ff), "00000000");
    CHECK_STR(wire("internet", (char *)ff, sizeof ff), "0000");
    CHECK_STR(wire("sum16", (char *)ff, sizeof ff), "0000");
}

TEST(every_name_and_alias_is_one_kind_s)
{
    const dx_sum_info *k, *j;
    for (size_t i = 0; (k = dx_sum_at(i)); i++) {
        char names[200], *at = NULL;
        snprintf(names, sizeof names, "%s %s", k->name, k->aliases);
        for (char *w = strtok_r(names, " ", &at); w; w = strtok_r(NULL, " ", &at)) {
            dx_sum s;
            CHECK_SAY(dx_sum_begin(&s, w) > 0 && s.info == k, "%s is %s", w, k->name);
            for (size_t l = 0; l < i && (j = dx_sum_at(l)); l++)
                CHECK_SAY(strcasecmp(w, j->name) != 0, "%s is %s and %s", w, k->name, j->name);
        }
    }
}

TEST(no_bytes_have_a_checksum_and_no_name_has_none)
{
    static const char *const none[] = {"md5", "", ":be", "crc32:", "crc32:xe", "crc3", "crc32 ", "crc16/modbus"};
    uint8_t sum[8];
    CHECK_INT(dx_checksum("crc32", "", 0, sum), 4);
    CHECK_MEM(sum, 4, "\0\0\0\0", 4);
    CHECK_INT(dx_checksum("crc16-modbus", NULL, 0, sum), 2);
    CHECK_MEM(sum, 2, "\xFF\xFF", 2);
    CHECK_INT(dx_checksum("lrc", "\x01", 1, sum), 1);
    CHECK_INT(sum[0], 0xFF);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        dx_sum s = {.state = 77};
        CHECK_SAY(dx_checksum(none[i], "", 0, sum) == DX_URL, "'%s'", none[i]);
        CHECK(dx_sum_begin(&s, none[i]) == DX_URL && s.state == 77);
    }
}

TEST_MAIN
