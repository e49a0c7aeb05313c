/* SPDX-License-Identifier: MIT
 * test_coding_layer.c - dx_opts.coding on a conn: characters cut by the wire, by its end, and by the caller. */
#include "test.h"
#include <duplex/duplex.h>
#include <sys/socket.h>
#include <unistd.h>

struct heard {
    char text[256];
    size_t n;
    int closes;
};

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct heard *h = dx_user(c);
    (void)how;
    memcpy(h->text + h->n, p, n);
    h->n += n;
}

static void closed(dx_conn *c, const dx_err *why)
{
    struct heard *h = dx_user(c);
    (void)why;
    h->closes++;
}

/* A conn with that coding on one end of a socket pair; the other end is *ret_peer. */
static dx_conn *stand(dx_loop *l, const char *coding, struct heard *h, int *ret_peer)
{
    static const dx_handler on = {.on_data = data, .on_close = closed};
    dx_opts o = {.coding = coding};
    char url[16];
    int pair[2];
    dx_err err;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    snprintf(url, sizeof url, "fd:%d", pair[0]);
    dx_conn *c = dx_connect(l, url, &on, h, &o, &err);
    CHECK_SAY(c, "%s", err.text);
    close(pair[0]); /* the conn has its own */
    *ret_peer = pair[1];
    return c;
}

static void hear(const char *coding, const char *sent, size_t n, const char *want)
{
    struct heard h = {0};
    dx_loop *l = dx_loop_new(NULL);
    int peer;
    stand(l, coding, &h, &peer);
    CHECK_INT(write(peer, sent, n), n);
    shutdown(peer, SHUT_WR);
    CHECK_INT(dx_loop_run(l), 0);
    CHECK_MEM(h.text, h.n, want, strlen(want));
    CHECK_INT(h.closes, 1);
    close(peer);
    dx_loop_free(l);
}

TEST(a_character_cut_by_the_end_of_the_stream_is_shown)
{
    hear("utf-8", "ab\xE4\xB8", 4, "ab<E4><B8>");
    hear("gb18030", "ab\xC4", 3, "ab<C4>");
}

TEST(gb18030_arrives_as_utf8)
{
    hear("gb18030", "\xC4\xE3\xBA\xC3", 4, "你好");
}

TEST(a_character_across_the_parts_of_one_send_is_whole)
{
    struct heard h = {0};
    dx_loop *l = dx_loop_new(NULL);
    int peer;
    char got[16];
    dx_conn *c = stand(l, "gb18030", &h, &peer);
    dx_bytes parts[] = {{"\xE4\xBD", 2}, {"\xA0\xE5", 2}, {"\xA5\xBD", 2}};
    CHECK_INT(dx_sendv(c, parts, 3, DX_TEXT), 0);
    CHECK_INT(dx_finish(c), 0);
    shutdown(peer, SHUT_WR);
    CHECK_INT(dx_loop_run(l), 0);
    ssize_t n = read(peer, got, sizeof got);
    CHECK_MEM(got, n, "\xC4\xE3\xBA\xC3", 4);
    close(peer);
    dx_loop_free(l);
}

TEST_MAIN
