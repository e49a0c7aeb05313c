/* SPDX-License-Identifier: MIT
 * test_proxy.c - a proxy's URL, as people write it. */
#include "net/proxy.h"
#include "test.h"

TEST(a_proxy_s_address_is_read_as_people_write_it)
{
    static const struct {
        const char *text;
        enum proxy_kind kind;
        int port;
        const char *url, *login; /* url NULL: it cannot be */
    } cases[] = {{"http://a:3128", PROXY_HTTP, 80, "http://a:3128", NULL},
                 {"a:3128", PROXY_HTTP, 80, "http://a:3128", NULL},
                 {"a", PROXY_HTTP, 80, "http://a", NULL},
                 {"http://n:p@a:1/", PROXY_HTTP, 80, "http://a:1", "n:p"},
                 {"n:p@w@a:1", PROXY_HTTP, 80, "http://a:1", "n:p@w"},
                 {"n%3a%40:50%%2@a:1", PROXY_HTTP, 80, "http://a:1", "n:@:50%%2"},
                 {"HTTP://[::1]:8/x", PROXY_HTTP, 80, "http://[::1]:8", NULL},
                 {"https://n@a#pin=x", PROXY_HTTP, 443, "https://a#pin=x", "n"},
                 {"socks5://a:1", PROXY_SOCKS, 1080, "socks5://a:1", NULL},
                 {"socks5H://n:@a", PROXY_SOCKS_NAMES, 1080, "socks5h://a", "n:"},
                 {"socks5://:p@a", PROXY_NONE, 0, NULL, NULL},
                 {"socks4://a:1", PROXY_NONE, 0, NULL, NULL},
                 {"socks://a:1", PROXY_NONE, 0, NULL, NULL},
                 {"http://", PROXY_NONE, 0, NULL, NULL},
                 {"http://a:99999", PROXY_NONE, 0, NULL, NULL},
                 {"http://secret:secret@", PROXY_NONE, 0, NULL, NULL},
                 {"http://secret:a/secret@a:1", PROXY_NONE, 0, NULL, NULL},
                 {"a%00b@a", PROXY_HTTP, 80, "http://a", "a%00b"},
                 {"secret:secret@a b", PROXY_NONE, 0, NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proxy p;
        dx_err err = {0};
        int r = proxy_read(cases[i].text, "fetch", "http://x/", &p, &err);
        CHECK_SAY((r == 0) == (cases[i].url != NULL), "%s: %s", cases[i].text, err.text);
        if (r < 0)
            CHECK_SAY(err.code == DX_URL && !strstr(err.text, "secret"), "%s", err.text);
        CHECK_SAY(p.kind == cases[i].kind, "%s", cases[i].text);
        if (r == 0) {
            CHECK_STR(p.url, cases[i].url);
            CHECK_STR(p.login ? p.login : "", cases[i].login ? cases[i].login : "");
            CHECK_INT(proxy_port(&p), cases[i].port);
            CHECK_INT(proxy_is_tls(&p), !strncmp(p.url, "https", 5));
        }
        proxy_free(&p);
    }
}

TEST(no_text_is_no_proxy)
{
    struct proxy p;
    CHECK_INT(proxy_read(NULL, "fetch", "x", &p, NULL), 0);
    CHECK_INT(p.kind, PROXY_NONE);
    CHECK_INT(proxy_read("", "fetch", "x", &p, NULL), 0);
    CHECK_INT(p.kind, PROXY_NONE);
}

TEST_MAIN
