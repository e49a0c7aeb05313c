/* SPDX-License-Identifier: MIT
 * record.h - what passed a relay, on file: docs/record.md is the format. */
#ifndef TOOL_RECORD_H
#define TOOL_RECORD_H
#include <duplex/text.h>
#include <stdio.h>

enum { RECORD_VERSION = 1 };

/* ---- writing ---- */

struct recorder {
    int fd;    /* -1: nothing is recorded      */
    int error; /* errno; what is there ends before it */
    int64_t start_us;
    dx_text line;
};
/* Makes the file, never over one that is there, and writes its first line. 0 or errno. */
int recorder_open(struct recorder *r, const char *path, const char *listen);
/* 0 or errno. */
int recorder_close(struct recorder *r);
void record_open(struct recorder *r, uint64_t conn, const char *peer, const char *target, bool client_messages,
                 bool server_messages);
/* data NULL: the end of that side. how as in on_data; messages: it is one. */
void record_data(struct recorder *r, uint64_t conn, bool server, const void *data, size_t n, unsigned how,
                 bool messages);
/* by: "client" or "server", who ended it first, or badly. */
void record_close(struct recorder *r, uint64_t conn, const char *by, const dx_err *why);

/* ---- reading ---- */

enum {
    RECORD_LINE_MAX = 64 << 20,   /* a message of 16 MiB in hex fits twice    */
    RECORD_BYTES_MAX = 256 << 20, /* of the connection that is played         */
    RECORD_CONNS_MAX = 1 << 20,   /* the highest number                       */
};
enum record_kind { RECORD_OPEN, RECORD_DATA, RECORD_END, RECORD_CLOSE };
struct record_event {
    enum record_kind kind;
    bool server;  /* of data and end: the target said it; of close: it did it   */
    uint8_t how;  /* DX_TEXT, DX_BINARY or 0                                    */
    int64_t us;   /* since the start                                            */
    size_t at, n; /* its bytes in record.bytes                                  */
    unsigned long line;
};
struct record { /* one connection of a file */
    uint64_t conn;
    bool messages[2];      /* of the client, of the server */
    bool reset, by_client; /* how it was closed: broken off, and by the client */
    struct record_event *event;
    size_t count, cap;
    dx_text bytes;
};
/* Reads all of a file and keeps connection number conn (0: the first). -1: *ret is filled, record_free it; else the exit code, and why
 * says which line and what is wrong with it. name: for the words. */
int record_read(FILE *f, const char *name, uint64_t conn, struct record *ret, char *why, size_t why_n);
void record_free(struct record *r);
#endif
