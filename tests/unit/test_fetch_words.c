/* SPDX-License-Identifier: MIT
 * test_fetch_words.c - what duplex fetch reads from others: no_proxy, a file's name in a URL. */
#include "test.h"
#include "tool/fetch_inside.h"
#include "tool/proxies.h"

TEST(no_proxy_names_hosts_and_all_below_them)
{
    static const struct {
        const char *url, *no;
        bool excepted;
    } cases[] = {
        {"http://a.example/", "a.example", true},
        {"http://x.a.example:80/", "a.example", true},
        {"http://A.Example/", "b, .a.EXAMPLE", true},
        {"http://x.a.example/", "*.a.example", true},
        {"http://aa.example/", "a.example", false},
        {"http://a.example.b/", "a.example", false},
        {"http://a.example/", "*", true},
        {"http://a.example/", "", false},
        {"http://a.example:8080/", "a.example:8080", true},
        {"http://a.example/", "a.example:8080", false},
        {"https://a.example/", "a.example:443", true},
        {"http://[::1]:8/", "[::1]", true},
        {"http://[::1]/", "::1", true},
        {"http://[fe80::1]/", "::1", false},
        {"http://10.0.0.9/", "10.0.0.9 a", true},
        {"http://110.0.0.9/", "10.0.0.9", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_SAY(proxy_is_excepted(cases[i].url, cases[i].no) == cases[i].excepted, "%s by '%s'", cases[i].url,
                  cases[i].no);
}

TEST(no_proxy_names_networks)
{
    static const struct {
        const char *url, *no;
        bool excepted;
    } cases[] = {
        {"http://10.1.2.3/", "10.0.0.0/8", true},
        {"http://11.1.2.3/", "10.0.0.0/8", false},
        {"http://10.1.2.3/", "10.1.2.0/30,x", true},
        {"http://10.1.2.4/", "10.1.2.0/30", false},
        {"http://10.1.2.3/", "10.1.2.3/33", false},
        {"http://10.1.2.3:99/", "10.1.2.3:98", false},
        {"http://10.1.2.3:99/", "10.1.2.3:99", true},
        {"ws://[fd00::7]/", "fd00::/8", true},
        {"wss://[fe80::7%25eth0]/", "[fe80::]/10", true},
        {"http://[2001::7]/", "fd00::/8", false},
        {"http://[::1]:8/", "[0:0:0:0:0:0:0:1]:8", true},
        {"http://0.0.0.9/", "0.9", false}, /* an address has no names above it */
        {"http://a.example./", "a.example", true},
        {"http://a.example/", ".example.", true},
        {"http://a.example/", "*, b", true},
        {"http://a.example/", "/,/8,:80,[,[]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_SAY(proxy_is_excepted(cases[i].url, cases[i].no) == cases[i].excepted, "%s by '%s'", cases[i].url,
                  cases[i].no);
}

TEST(a_file_s_name_stays_in_its_folder)
{
    static const struct {
        const char *url, *name;
    } cases[] = {{"http://a/b/c.txt", "c.txt"},
                 {"http://a/c%20d?x=/y#z/w", "c d"},
                 {"http://a/%e4%bd%a0", "\xe4\xbd\xa0"},
                 {"http://a/100%", "100%"},
                 {"http://a", NULL},
                 {"http://a/", NULL},
                 {"http://a/b/", NULL},
                 {"http://a/..", NULL},
                 {"http://a/.ssh", NULL},
                 {"http://a/%2e%2e", NULL},
                 {"http://a/x%2Fy", NULL},
                 {"http://a/x%00", NULL},
                 {"http://a/x%0ay", NULL},
                 {"http://a/-rf", NULL},
                 {"http://a?x/y", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        bool has = file_name_of(cases[i].url, name, sizeof name);
        CHECK_SAY(has == (cases[i].name != NULL), "%s: %s", cases[i].url, has ? name : "none");
        if (has)
            CHECK_STR(name, cases[i].name);
    }
    char name[16];
    CHECK(file_name_of("http://a/123456789", name, sizeof name));
    CHECK(!file_name_of("http://a/1234567890", name, sizeof name));
}

TEST_MAIN
