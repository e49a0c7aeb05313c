/* SPDX-License-Identifier: MIT
 * The first byte chooses a coding, the second where the rest is cut. What is read is always UTF-8; a fixed coding reads
 * the same whole and in bites; what was read without a bad byte in GB18030 or UTF-8 goes back to the same length at
 * least, and reads again as itself. */
#include <duplex/text.h>
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const codings[] = {"auto", "auto",      "utf-8",  "gb18030",  "gbk",        "gb2312",
                                      "big5", "shift_jis", "euc-kr", "utf-16le", "iso-2022-jp"};

static int read_in_bites(const char *coding, const uint8_t *p, size_t n, size_t bite, bool guess_gb, dx_text *out)
{
    dx_decoder *d = dx_decoder_new(coding, guess_gb ? DX_GUESS_GB : DX_GUESS_UTF8, NULL);
    int bad = 0, r;
    assert(d);
    for (size_t i = 0; i < n; i += bite) {
        r = dx_decode(d, p + i, n - i < bite ? n - i : bite, false, out);
        assert(r >= 0);
        bad += r;
    }
    r = dx_decode(d, NULL, 0, true, out);
    assert(r >= 0 && dx_is_utf8(out->p, out->n));
    assert(dx_decoder_coding(d) && dx_decoder_reply_coding(d));
    dx_decoder_free(d);
    return bad + r;
}

static void there_and_back(const dx_text *text)
{
    dx_text gb = {0}, back = {0};
    assert(dx_encode("gb18030", text->p, text->n, &gb) == 0);
    assert(read_in_bites("gb18030", (const uint8_t *)gb.p, gb.n, 7, true, &back) == 0);
    assert(back.n == text->n && !memcmp(back.p, text->p, back.n));
    dx_text_free(&gb);
    dx_text_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 3)
        return 0;
    const char *coding = codings[p[0] % (sizeof codings / sizeof *codings)];
    bool guess_gb = p[0] & 0x80, is_auto = !strcmp(coding, "auto");
    size_t bite = p[1] % 9 + 1u;
    dx_text whole = {0}, cut = {0}, sent = {0};
    int a = read_in_bites(coding, p + 2, n - 2, n, guess_gb, &whole);
    int b = read_in_bites(coding, p + 2, n - 2, bite, guess_gb, &cut);
    if (!is_auto)
        assert(a == b && whole.n == cut.n && (whole.n == 0 || !memcmp(whole.p, cut.p, whole.n)));
    if (a == 0 && whole.n > 0 && !strcmp(coding, "utf-8"))
        there_and_back(&whole);
    assert(dx_encode(coding, (const char *)p + 2, n - 2, &sent) >= 0);
    dx_text_free(&whole);
    dx_text_free(&cut);
    dx_text_free(&sent);
    return 0;
}
