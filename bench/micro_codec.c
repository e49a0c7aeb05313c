/* SPDX-License-Identifier: MIT
 * micro_codec.c - nanoseconds per call of the pure engines: what they cost without any socket. The best of some rounds, since
 * neighbours only ever add. */
#include "codec/http1.h"
#include "codec/sniff.h"
#include "codec/ws.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, ROUND_NS = 4000000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint8_t buffer[1 << 20];
static size_t buffer_n, frames_n;
static volatile int64_t sink;

/* Frames with a key of zeros: every step is done, and the bytes are the same for the next round. */
static void frames(uint8_t op, const char *unit, size_t n, size_t count)
{
    static const uint8_t zeros[4];
    buffer_n = 0;
    frames_n = count;
    for (size_t i = 0; i < count; i++) {
        buffer_n += ws_head(buffer + buffer_n, op, true, n, zeros);
        for (size_t k = 0; k < n; k++)
            buffer[buffer_n++] = (uint8_t)unit[k % strlen(unit)];
    }
}

static size_t ws_once(void)
{
    struct ws_in w;
    struct ws_piece piece;
    uint8_t *p = buffer;
    size_t n = buffer_n;
    int64_t got;
    ws_in_init(&w, true, 1 << 20);
    while ((got = ws_in_next(&w, p, n, &piece)) > 0) {
        sink = (int64_t)piece.n;
        p += got;
        n -= (size_t)got;
    }
    return frames_n;
}

static size_t head_once(void)
{
    static struct http1_head h;
    size_t scanned = 0;
    sink = http1_request(buffer, buffer_n, &scanned, &h);
    return 1;
}

static size_t sniff_once(void)
{
    sink = sniff_stream(buffer, buffer_n, NULL);
    return 1;
}

static size_t mask_once(void)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    ws_mask(buffer, buffer_n, key, 1);
    return 1;
}

static void measure(const char *name, size_t (*once)(void))
{
    double best = 1e18;
    for (int r = 0; r < ROUNDS; r++) {
        double from = now_ns(), t;
        size_t n = 0;
        do
            for (int i = 0; i < 16; i++)
                n += once();
        while ((t = now_ns() - from) < ROUND_NS);
        best = t / (double)n < best ? t / (double)n : best;
    }
    printf("%-44s %8.1f ns\n", name, best);
}

static void text(const char *s)
{
    buffer_n = strlen(s);
    memcpy(buffer, s, buffer_n);
}

int main(void)
{
    static const char chinese[] = "\xE4\xBD\xA0\xE5\xA5\xBD";
    frames(WS_TEXT, "hello ", 64, 16);
    measure("ws 64 B ASCII text", ws_once);
    frames(WS_BINARY, "hello ", 64, 16);
    measure("ws 64 B binary", ws_once);
    frames(WS_TEXT, chinese, 66, 16);
    measure("ws 66 B Chinese text", ws_once);
    frames(WS_TEXT, "hello ", 5, 16);
    measure("ws 5 B ASCII text", ws_once);
    frames(WS_TEXT, "hello ", 1000, 16);
    measure("ws 1,000 B ASCII text", ws_once);
    frames(WS_TEXT, "hello ", 16384, 1);
    measure("ws 16 KiB ASCII text", ws_once);
    frames(WS_TEXT, chinese, 16386, 1);
    measure("ws 16 KiB Chinese text", ws_once);
    frames(WS_BINARY, "hello ", 16384, 1);
    measure("ws 16 KiB binary", ws_once);
    measure("ws_mask 16 KiB", mask_once);
    text("GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
    measure("head of wrk (46 B)", head_once);
    text("GET /~r/lobby HTTP/1.1\r\nHost: 127.0.0.1:2333\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: "
         "no-cache\r\n"
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
         "Safari/537.36\r\n"
         "Upgrade: websocket\r\nOrigin: http://127.0.0.1:2333\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, "
         "deflate, br\r\n"
         "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\nCookie: _ga=GA1.2.3456789; "
         "session=0123456789abcdef0123456789abcdef\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; "
         "client_max_window_bits\r\n\r\n");
    measure("head of Chromium (612 B)", head_once);
    measure("sniff of that", sniff_once);
    text("hello\n");
    measure("sniff of hello", sniff_once);
    return 0;
}
