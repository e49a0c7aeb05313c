/* SPDX-License-Identifier: MIT
 * checksum.c - CRCs by their parameters (names, values and checks as in the catalogue of G. Cook), and plain sums.
 * Bit by bit: frames with a checksum are short, and a table for each of them is not. */
#include <duplex/text.h>
#include <strings.h>

struct crc {
    const char *name;
    uint8_t bits;
    bool reflected; /* bytes go in with their low bit first */
    bool low_first; /* on the wire                            */
    uint32_t poly, init, xor_out;
};
/* clang-format off */
static const struct crc crcs[] = {
    {"crc8",            8, false, false, 0x07,       0,          0},
    {"crc8-maxim",      8, true,  false, 0x31,       0,          0},
    {"crc8-rohc",       8, true,  false, 0x07,       0xFF,       0},
    {"crc16-modbus",   16, true,  true,  0x8005,     0xFFFF,     0},
    {"crc16-arc",      16, true,  true,  0x8005,     0,          0},
    {"crc16-usb",      16, true,  true,  0x8005,     0xFFFF,     0xFFFF},
    {"crc16-maxim",    16, true,  true,  0x8005,     0,          0xFFFF},
    {"crc16-xmodem",   16, false, false, 0x1021,     0,          0},
    {"crc16-ccitt",    16, false, false, 0x1021,     0xFFFF,     0},
    {"crc16-kermit",   16, true,  true,  0x1021,     0,          0},
    {"crc16-x25",      16, true,  true,  0x1021,     0xFFFF,     0xFFFF},
    {"crc16-dnp",      16, true,  true,  0x3D65,     0,          0xFFFF},
    {"crc32",          32, true,  true,  0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF},
    {"crc32-bzip2",    32, false, false, 0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF},
    {"crc32-mpeg2",    32, false, false, 0x04C11DB7, 0xFFFFFFFF, 0},
    {"crc32c",         32, true,  true,  0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF},
};
/* clang-format on */

static uint32_t reflect(uint32_t x, int bits)
{
    uint32_t r = 0;
    for (int i = 0; i < bits; i++)
        r |= (x >> i & 1) << (bits - 1 - i);
    return r;
}

/* The register stands at the top of 32 bits, so that every width shifts out alike. */
static uint32_t crc_of(const struct crc *c, const uint8_t *p, size_t n)
{
    int low = 32 - c->bits;
    uint32_t poly = c->poly << low, x = c->init << low;
    for (size_t i = 0; i < n; i++) {
        x ^= (c->reflected ? reflect(p[i], 8) : p[i]) << 24;
        for (int bit = 0; bit < 8; bit++)
            x = x << 1 ^ (x >> 31 ? poly : 0);
    }
    x >>= low;
    return (c->reflected ? reflect(x, c->bits) : x) ^ c->xor_out;
}

static int put(uint32_t x, int bytes, bool low_first, uint8_t *ret)
{
    for (int i = 0; i < bytes; i++)
        ret[i] = (uint8_t)(x >> 8 * (low_first ? i : bytes - 1 - i));
    return bytes;
}

int dx_checksum(const char *name, const void *data, size_t n, uint8_t ret_sum[8])
{
    const uint8_t *p = data;
    uint32_t sum = 0, x = 0;
    for (size_t i = 0; i < sizeof crcs / sizeof *crcs; i++)
        if (!strcasecmp(name, crcs[i].name))
            return put(crc_of(&crcs[i], p, n), crcs[i].bits / 8, crcs[i].low_first, ret_sum);
    for (size_t i = 0; i < n; i++) {
        sum += p[i];
        x ^= p[i];
    }
    if (!strcasecmp(name, "sum8"))
        return put(sum, 1, false, ret_sum);
    if (!strcasecmp(name, "sum16"))
        return put(sum, 2, false, ret_sum);
    if (!strcasecmp(name, "xor"))
        return put(x, 1, false, ret_sum);
    return strcasecmp(name, "lrc") ? DX_URL : put(0 - sum, 1, false, ret_sum);
}
