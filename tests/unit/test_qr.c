/* SPDX-License-Identifier: MIT
 * What qr_text draws is read back from its characters, and zbarimg, where there is one, says what a camera would see. */
#include "test.h"
#include "tool/qr.h"
#include <unistd.h>

enum { SIDE_MAX = 200, SCALE = 4 };

static bool light[SIDE_MAX][SIDE_MAX];
static int width, height;

/* One line between its colours: two rows of modules. */
static void read_line(const char *p, size_t n)
{
    static const char *const halves[] = {" ", "▄", "▀", "█"};
    int x = 0;
    for (size_t i = 0, step; i < n; i += step, x++) {
        int k = 3;
        while (k >= 0 && strncmp(p + i, halves[k], strlen(halves[k])))
            k--;
        CHECK_SAY(k >= 0 && x < SIDE_MAX, "a half block at column %d", x);
        step = strlen(halves[k]);
        light[height][x] = k & 2;
        light[height + 1][x] = k & 1;
    }
    CHECK_SAY(!height || x == width, "a line of %d, not %d columns", x, width);
    width = x;
    height += 2;
}

static void draw(const char *text, int columns_max)
{
    static const char colours[] = "\033[38;5;231;48;5;16m", plain[] = "\033[0m\n";
    dx_text t = {0};
    width = height = 0;
    CHECK_INT(qr_text(text, columns_max, &t), 0);
    CHECK_INT(dx_text_add(&t, "", 1), 0);
    for (char *p = t.p, *end; *p; p = end + strlen(plain)) {
        CHECK(!strncmp(p, colours, strlen(colours)));
        end = strstr(p, plain);
        CHECK(end != NULL);
        read_line(p + strlen(colours), (size_t)(end - p) - strlen(colours));
    }
    dx_text_free(&t);
}

static void write_picture(FILE *f)
{
    fprintf(f, "P5 %d %d 255\n", width * SCALE, height * SCALE);
    for (int y = 0; y < height * SCALE; y++)
        for (int x = 0; x < width * SCALE; x++)
            fputc(light[y / SCALE][x / SCALE] ? 255 : 0, f);
}

/* What zbarimg reads in the picture; false: there is no zbarimg. */
static bool scan(char *ret, size_t n)
{
    char path[] = "/tmp/duplex-qr-XXXXXX", command[100];
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    CHECK(f != NULL);
    write_picture(f);
    fclose(f);
    snprintf(command, sizeof command, "zbarimg -q --raw %s 2>/dev/null", path);
    f = popen(command, "r");
    CHECK(f != NULL);
    if (!fgets(ret, (int)n, f))
        *ret = 0;
    bool there = pclose(f) != 127 << 8;
    unlink(path);
    ret[strcspn(ret, "\n")] = 0;
    return there;
}

static const char *const addresses[] = {
    "https://127.0.0.1:2333/",
    "https://192.168.100.200:65535/#key=abcdefghjkmnpqrs",
    "https://[2001:db8:1234:5678:9abc:def0:1234:5678]:2333/#key=abcdefghjkmnpqrs",
};

TEST(a_camera_reads_the_address)
{
    char read[200];
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        draw(addresses[i], 80);
        if (!scan(read, sizeof read)) {
            printf("# no zbarimg here\n");
            return;
        }
        CHECK_STR(read, addresses[i]);
    }
}

TEST(the_smallest_code_has_these_modules)
{
    static const char *const golden[] = {
        "111111100010101111111", "100000100000101000001", "101110101010001011101", "101110100000101011101",
        "101110100101101011101", "100000100111001000001", "111111101010101111111", "000000001010000000000",
        "111011111010111000100", "011000001101010101011", "100101101101011100011", "110111010011110111000",
        "100000100111011100101", "000000001100001000111", "111111101100100010011", "100000101110001000111",
        "101110101000101010101", "101110100101010101010", "101110101101011101101", "100000101111110111010",
        "111111101101011101111",
    };
    draw("ab", 80);
    CHECK_INT(width, 21 + 2 * QR_QUIET);
    CHECK_INT(height, width + 1);
    for (int y = 0; y < 21; y++)
        for (int x = 0; x < 21; x++)
            CHECK_SAY(light[QR_QUIET + y][QR_QUIET + x] == (golden[y][x] == '0'), "row %d, column %d", y, x);
}

TEST(four_light_modules_are_around_it)
{
    draw(addresses[0], 80);
    for (int i = 0; i < width; i++)
        for (int k = 0; k < QR_QUIET; k++)
            CHECK_SAY(light[k][i] && light[i][k] && light[height - 1 - k][i] && light[i][width - 1 - k], "at %d, %d", k,
                      i);
}

TEST(what_does_not_fit_is_refused_and_appends_nothing)
{
    static char much[4000];
    dx_text t = {0};
    CHECK_INT(dx_text_add(&t, "x", 1), 0);
    CHECK_INT(qr_text("ab", 28, &t), DX_LIMIT);
    memset(much, 'a', sizeof much - 1);
    CHECK_INT(qr_text(much, 1000, &t), DX_LIMIT);
    CHECK_INT(t.n, 1);
    CHECK_INT(qr_text("ab", 29, &t), 0);
    dx_text_free(&t);
}

TEST_MAIN
