/* SPDX-License-Identifier: MIT */
#include "base/url.h"
#include "test.h"

static const char *str(struct bytes b)
{
    static char room[8][256];
    static int at;
    char *s = room[at++ % 8];
    snprintf(s, 256, "%.*s", (int)b.n, b.n ? (const char *)b.p : "");
    return s;
}

TEST(network_urls_come_apart)
{
    static const struct {
        const char *url, *scheme, *host, *path, *target, *fragment;
        int port;
        bool v6;
    } t[] = {
        {"tcp://127.0.0.1:2333", "tcp", "127.0.0.1", "", "", "", 2333, false},
        {"tcp://:0", "tcp", "", "", "", "", 0, false},
        {"tcp://", "tcp", "", "", "", "", -1, false},
        {"udp://[::1]:65535", "udp", "::1", "", "", "", 65535, true},
        {"udp://[fe80::1%eth0]:1", "udp", "fe80::1%eth0", "", "", "", 1, true},
        {"tcp://[::]", "tcp", "::", "", "", "", -1, true},
        {"WS://A.example/chat?x=1&y=a?b#z", "ws", "A.example", "/chat", "/chat?x=1&y=a?b", "z", -1, false},
        {"http://h:80/", "http", "h", "/", "/", "", 80, false},
        {"http://h/#a?b/c#d", "http", "h", "/", "/", "a?b/c#d", -1, false},
        {"http://h/?q", "http", "h", "/", "/?q", "", -1, false},
        {"tls://:443#cert=a.pem,key=a.key", "tls", "", "", "", "cert=a.pem,key=a.key", 443, false},
        {"any://my_host-1.local:00002333/a%20b", "any", "my_host-1.local", "/a%20b", "/a%20b", "", 2333, false},
        {"http://\xE4\xBE\x8B.cn/\xE8\x81\x8A", "http", "\xE4\xBE\x8B.cn", "/\xE8\x81\x8A", "/\xE8\x81\x8A", "", -1,
         false},
        {"x-y+z.1://h", "x-y+z.1", "h", "", "", "", -1, false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct url u;
        dx_err e = {0};
        CHECK_SAY(url_parse(t[i].url, &u, &e) == 0, "%s", e.text);
        CHECK_STR(u.scheme, t[i].scheme);
        CHECK_STR(str(u.host), t[i].host);
        CHECK_STR(str(u.path), t[i].path);
        CHECK_STR(str(u.target), t[i].target);
        CHECK_STR(str(u.fragment), t[i].fragment);
        CHECK_INT(u.port, t[i].port);
        CHECK_INT(u.v6, t[i].v6);
        CHECK(!u.local);
    }
}

TEST(local_urls_are_a_path)
{
    static const struct {
        const char *url, *scheme, *path, *fragment;
    } t[] = {
        {"unix:///tmp/x.sock", "unix", "/tmp/x.sock", ""},
        {"unix:///tmp/a b#mode=0600", "unix", "/tmp/a b", "mode=0600"},
        {"unix://@name", "unix", "@name", ""},
        {"unix://x.sock", "unix", "x.sock", ""},
        {"unixgram:///tmp/d", "unixgram", "/tmp/d", ""},
        {"stdio:", "stdio", "", ""},
        {"fd:3", "fd", "3", ""},
        {"file:/tmp/a#b?c d", "file", "/tmp/a#b?c d", ""},
        {"exec:tr a-z A-Z | sed 's#a@b#c#'", "exec", "tr a-z A-Z | sed 's#a@b#c#'", ""},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct url u;
        dx_err e = {0};
        CHECK_SAY(url_parse(t[i].url, &u, &e) == 0, "%s", e.text);
        CHECK_STR(u.scheme, t[i].scheme);
        CHECK_STR(str(u.path), t[i].path);
        CHECK_STR(str(u.fragment), t[i].fragment);
        CHECK_INT(u.host.n + u.target.n, 0);
        CHECK_INT(u.port, -1);
        CHECK(u.local);
    }
}

TEST(bad_urls_say_what_is_wrong)
{
    static const char *const t[][2] = {
        {"", "url '': it is empty"},
        {"tcp//a:1", "url 'tcp//a:1': no ':' after the scheme"},
        {"tcp", "url 'tcp': no ':' after the scheme"},
        {"localhost:80", "url 'localhost:80': no '//' after the scheme"},
        {"127.0.0.1:80", "url '127.0.0.1:80': it begins with no scheme such as tcp://"},
        {"tcp:/a:1", "url 'tcp:/a:1': no '//' after the scheme"},
        {"abcdefghijkl://a", "url 'abcdefghijkl://a': no scheme has so long a name"},
        {"tcp://a:99999", "url 'tcp://a:99999': port 99999 is over 65535"},
        {"tcp://a:65536", "url 'tcp://a:65536': port 65536 is over 65535"},
        {"tcp://a:99999999999999999999999",
         "url 'tcp://a:99999999999999999999999': port 99999999999999999999 is over 65535"},
        {"tcp://a:", "url 'tcp://a:': no port after the ':'"},
        {"tcp://a:8x", "url 'tcp://a:8x': the port is not a number"},
        {"tcp://a:-1", "url 'tcp://a:-1': the port is not a number"},
        {"tcp://::1:80", "url 'tcp://::1:80': an IPv6 address wants brackets: [::1]"},
        {"tcp://[::1:80", "url 'tcp://[::1:80': no ']' after the IPv6 address"},
        {"tcp://[::1]80", "url 'tcp://[::1]80': only ':' and a port may follow the ']'"},
        {"tcp://[]:80", "url 'tcp://[]:80': no IPv6 address in the brackets"},
        {"tcp://[a]:80", "url 'tcp://[a]:80': no IPv6 address in the brackets"},
        {"tcp://a]b:80", "url 'tcp://a]b:80': a character in the host that no host has"},
        {"tcp://a%41:80", "url 'tcp://a%41:80': a character in the host that no host has"},
        {"tcp://me:secret@a:1", "url 'tcp://me:secret@a:1': user and password do not go into a url"},
        {"http://h?q", "url 'http://h?q': no '/' before the '?'"},
        {"tcp://a b:1", "url 'tcp://a b:1': a blank in it"},
        {"http://h/a\r\nX: y", "url 'http://h/a??X: y': a control byte in it"},
        {"unix:/tmp/x", "url 'unix:/tmp/x': no '//' after the scheme"},
        {"unix://", "url 'unix://': no path in it"},
        {"unix://@", "url 'unix://@': no path in it"},
        {"unix:///a\nb", "url 'unix:///a?b': a control byte in it"},
        {"stdio:x", "url 'stdio:x': nothing may follow the ':'"},
        {"fd:", "url 'fd:': nothing follows the ':'"},
        {"fd:x", "url 'fd:x': what follows the ':' is not a descriptor's number"},
        {"fd:1234567890", "url 'fd:1234567890': what follows the ':' is not a descriptor's number"},
        {"exec:", "url 'exec:': nothing follows the ':'"},
        {"file:", "url 'file:': nothing follows the ':'"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct url u, before;
        dx_err e = {0};
        memset(&u, 0x5A, sizeof u);
        memcpy(&before, &u, sizeof u);
        CHECK_INT(url_parse(t[i][0], &u, &e), DX_URL);
        CHECK_STR(e.text, t[i][1]);
        CHECK_INT(e.code, DX_URL);
        CHECK(!memcmp(&u, &before, sizeof u));
    }
}

TEST(a_long_url_leaves_room_for_the_cause)
{
    char s[1000] = "tcp://";
    memset(s + 6, 'a', sizeof s - 7);
    struct url u;
    dx_err e = {0};
    CHECK_INT(url_parse(s, &u, &e), DX_URL);
    CHECK(strstr(e.text, "...': the host is over 255 bytes"));
    s[6 + 255] = '\0';
    CHECK_INT(url_parse(s, &u, &e), 0);
}

TEST(options_are_found_by_name)
{
    struct url u;
    CHECK_INT(url_parse("tls://:443#cert=a.pem,key=,bare,x=1=2", &u, NULL), 0);
    CHECK_STR(str(url_option(&u, "cert")), "a.pem");
    CHECK_STR(str(url_option(&u, "x")), "1=2");
    CHECK_INT(url_option(&u, "key").n, 0);
    CHECK(url_option(&u, "key").p != NULL);
    CHECK(url_option(&u, "bare").p != NULL);
    CHECK(url_option(&u, "cer").p == NULL);
    CHECK(url_option(&u, "a.pem").p == NULL);
    CHECK_INT(url_parse("tls://:443", &u, NULL), 0);
    CHECK(url_option(&u, "cert").p == NULL);
    CHECK(url_option(&u, "").p == NULL);
}

TEST_MAIN
