/* SPDX-License-Identifier: MIT
 * text.c - hex in, readable text out:  ./text 'C4 E3 BA C3'   prints 你好, gb18030, and the same in UTF-8 bytes */
#include <duplex/text.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    dx_text bytes = {0}, text = {0}, shown = {0}, hex = {0};
    dx_err err = {.text = "usage: text hex"};
    size_t at = 0;
    dx_decoder *d = argc == 2 ? dx_decoder_new("auto", DX_GUESS_GB, &err) : NULL;
    int r = d ? dx_unhex(argv[1], strlen(argv[1]), &bytes, &at) : DX_URL;
    if (d && r < 0)
        snprintf(err.text, sizeof err.text, "no hex from byte %zu on: %s", at, argv[1] + at);
    if (r >= 0 && dx_decode(d, bytes.p, bytes.n, true, &text) >= 0 && dx_visible(text.p, text.n, NULL, &shown) >= 0 &&
        dx_hex(text.p, text.n, " ", &hex) >= 0)
        printf("%s\n%s\n%s\n", shown.p, dx_decoder_coding(d), hex.p);
    else
        fprintf(stderr, "text: %s\n", err.text);
    dx_decoder_free(d);
    dx_text_free(&bytes);
    dx_text_free(&text);
    dx_text_free(&shown);
    dx_text_free(&hex);
    return r < 0;
}
