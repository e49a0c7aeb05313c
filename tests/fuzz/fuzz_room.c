/* SPDX-License-Identifier: MIT
 * A day in a room, written as lines: an operation, the member it is about, and the rest of the line.
 *   t u w j T U J  a member comes: tcp, udp, ws, duplex.json; capital: from beyond this machine
 *   s b            it says the rest as text, as binary
 *   f d e g        its queue is small; it drains; it ends its side; it is gone
 *   p              ten seconds pass
 * However they follow each other: every event is JSON, no stranger by datagram gets more than it gave, and when all are gone
 * the room is as empty as before. */
#include "../unit/hub_fake.h"
#include "hub/hub.h"
#include <assert.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MEMBERS = 10 };
static struct {
    dx_conn *c;
    bool json, far_udp;
} members[MEMBERS];

static void come(int i, uint8_t kind)
{
    bool far = kind < 'a';
    char low = (char)(kind | 0x20);
    struct fake_request r = {.method = "GET",
                             .target = i & 1 ? "/lab" : "/",
                             .host = "localhost",
                             .protocols = low == 'j' ? "duplex.json" : NULL,
                             .ws = true};
    if (members[i].c)
        return;
    members[i].json = low == 'j';
    members[i].far_udp = far && low == 'u';
    if (low == 'w' || low == 'j')
        members[i].c = fake_http(&r, far ? "tcp://192.0.2.1:1" : NULL);
    else
        members[i].c = fake_open(low == 'u' ? "udp" : "tcp", far ? "tcp://192.0.2.1:1" : NULL);
}

static void look(int i)
{
    dx_conn *c = members[i].c;
    const char *out = fake_out(c), *end;
    if (members[i].far_udp)
        assert(c->out_bytes <= c->in || strstr(out, ": ") || !*out || *out == '*');
    for (; members[i].json && (end = strchr(out, '\n')); out = end + 1) {
        json_t *o = json_loadb(out, (size_t)(end - out), JSON_REJECT_DUPLICATES, NULL);
        assert(o || !strncmp(out, "PING", 4));
        json_decref(o);
    }
}

static void happen(uint8_t op, int i, const uint8_t *p, size_t n)
{
    dx_conn *c = members[i].c;
    if (strchr("tuwjTUJ", op) && op) {
        come(i, op);
        return;
    }
    if (op == 'p') {
        fake_pass(10000);
        return;
    }
    if (!c)
        return;
    if (op == 'g') {
        members[i].c = NULL;
        fake_gone(c);
    } else if (op == 'd' && c->queued > c->room / 2)
        fake_drain(c);
    else if (op == 'f')
        c->room = 200;
    else if (op == 'e' && !c->closed && !c->aborted)
        c->h->on_end(c);
    else if ((op == 's' || op == 'b') && !c->closed && !c->aborted && !c->paused)
        fake_bytes(c, p, n, op == 's' ? DX_TEXT : DX_BINARY);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct hub_opts o = {.room_bytes_max = 8192, .guess = DX_GUESS_GB, .key = n & 1 ? "k" : NULL};
    struct hub *h = hub_new(fake_loop(), &o, NULL);
    struct hub_counts end;
    hub_listen(h, "any://127.0.0.1:2333", NULL);
    memset(members, 0, sizeof(members));
    while (n >= 2) {
        const uint8_t *eol = memchr(p, '\n', n);
        size_t line = eol ? (size_t)(eol - p) : n;
        if (line >= 2)
            happen(p[0], p[1] % MEMBERS, p + 2, line - 2);
        for (int i = 0; i < MEMBERS; i++)
            if (members[i].c)
                look(i);
        p += line + (eol != NULL);
        n -= line + (eol != NULL);
    }
    fake_end();
    hub_count(h, &end);
    assert(end.members == 0 && end.listed == 0 && end.rooms == 1);
    hub_free(h);
    return 0;
}
