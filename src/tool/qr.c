/* SPDX-License-Identifier: MIT
 * qr.c - libqrencode finds the modules, this draws them. */
#include "tool/qr.h"
#include "tool/add.h"
#include <errno.h>
#include <qrencode.h>

/* White on black whatever the theme: the palette's own black and white need not be that. */
static const char colours[] = "\033[38;5;231;48;5;16m", plain[] = "\033[0m\n";

static bool is_light(const QRcode *q, int x, int y)
{
    bool inside = x >= 0 && y >= 0 && x < q->width && y < q->width;
    return !inside || !(q->data[y * q->width + x] & 1);
}

static int draw_row(const QRcode *q, int y, dx_text *out)
{
    static const char *const halves[] = {" ", "▄", "▀", "█"};
    int r = add(out, colours);
    for (int x = -QR_QUIET; x < q->width + QR_QUIET; x++)
        r |= add(out, halves[2 * is_light(q, x, y) + is_light(q, x, y + 1)]);
    return r | add(out, plain);
}

int qr_text(const char *text, int columns_max, dx_text *out)
{
    QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    size_t before = out->n;
    int r = 0;
    if (!q)
        return errno == ENOMEM ? DX_NOMEM : DX_LIMIT;
    if (q->width + 2 * QR_QUIET > columns_max)
        r = DX_LIMIT;
    for (int y = -QR_QUIET; r >= 0 && y < q->width + QR_QUIET; y += 2)
        r |= draw_row(q, y, out);
    QRcode_free(q);
    if (r < 0)
        out->n = before;
    return r < 0 && r != DX_LIMIT ? DX_NOMEM : r;
}
