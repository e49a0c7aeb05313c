/* SPDX-License-Identifier: MIT
 * What a URL's fragment says of the socket that dials it. */
#include "test.h"
#include "net/how.h"

static int read_url(const char *text, struct addr_how *ret, dx_err *err)
{
    struct url u;
    CHECK_SAY(url_parse(text, &u, err) == 0, "%s: %s", text, err->text);
    return how_read(&u, text, ret, err);
}

TEST(sources_read_in_every_spelling)
{
    static const char *const t[][2] = {
        {"127.0.0.1", "x://127.0.0.1:0"}, {"127.0.0.1:80", "x://127.0.0.1:80"}, {"::1", "x://[::1]:0"},
        {"[::1]", "x://[::1]:0"},         {"[::1]:65535", "x://[::1]:65535"},   {"0.0.0.0:53", "x://0.0.0.0:53"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct addr_how how;
        dx_err err = {0};
        char url[100], shown[ADDR_TEXT_MAX];
        snprintf(url, sizeof url, "tcp://a:1#ttl=9,bind=%s", t[i][0]);
        CHECK_SAY(read_url(url, &how, &err) == 0, "%s: %s", url, err.text);
        CHECK_STR(addr_url("x", &how.from, "", shown, sizeof shown), t[i][1]);
        CHECK_INT(how.hops, 9);
        CHECK(!how.broadcast);
    }
}

TEST(what_is_no_source_or_number_is_refused)
{
    static const char *const t[] = {"bind=",
                                    "bind",
                                    "bind=here",
                                    "bind=127.0.0.1:",
                                    "bind=127.0.0.1:65536",
                                    "bind=127.0.0.1:x",
                                    "bind=[::1",
                                    "bind=::1]",
                                    "bind=[::1]x:1",
                                    "bind=:80",
                                    "bind=[]",
                                    "bind=]",
                                    "ttl=0",
                                    "ttl=256",
                                    "ttl=",
                                    "ttl=1x",
                                    "ttl=-1",
                                    "ttl=99999999999",
                                    "interface=nope",
                                    "interface="};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct addr_how how = {.hops = 77};
        dx_err err = {0};
        char url[100];
        snprintf(url, sizeof url, "udp://a:1#%s", t[i]);
        CHECK_SAY(read_url(url, &how, &err) == DX_URL && err.text[0], "%s reads", url);
        CHECK_INT(how.hops, 77);
    }
}

TEST(groups_and_broadcast_are_not_connected)
{
    static const struct {
        const char *host;
        bool group, loose;
    } t[] = {{"224.0.0.1", true, true},   {"239.255.255.255", true, true}, {"240.0.0.1", false, true},
             {"10.0.0.255", false, true}, {"ff02::1", true, true},         {"fe80::1", false, false},
             {"::1", false, false}};
    struct addr_how how;
    dx_err err = {0};
    CHECK_INT(read_url("udp://a:1#broadcast", &how, &err), 0);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct addr a;
        CHECK(addr_literal((struct bytes){(const uint8_t *)t[i].host, strlen(t[i].host)}, 5, &a));
        CHECK_INT(addr_is_group(&a), t[i].group);
        CHECK_INT(addr_is_loose(&a, &how), t[i].loose);
        CHECK_INT(addr_is_loose(&a, NULL), t[i].group);
    }
}

TEST_MAIN
