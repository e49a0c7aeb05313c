/* SPDX-License-Identifier: MIT */
#include "base/url_join.h"
#include "test.h"

static const struct {
    const char *base, *ref, *url; /* NULL: it cannot be */
} cases[] = {
    /* RFC 3986 5.4, as far as a base with a host has them */
    {"http://a/b/c/d?q", "g:h", "g:h"},
    {"http://a/b/c/d?q", "g", "http://a/b/c/g"},
    {"http://a/b/c/d?q", "./g", "http://a/b/c/g"},
    {"http://a/b/c/d?q", "g/", "http://a/b/c/g/"},
    {"http://a/b/c/d?q", "/g", "http://a/g"},
    {"http://a/b/c/d?q", "//g", "http://g/"},
    {"http://a/b/c/d?q", "?y", "http://a/b/c/d?y"},
    {"http://a/b/c/d?q", "g?y", "http://a/b/c/g?y"},
    {"http://a/b/c/d?q", "#s", "http://a/b/c/d?q"},
    {"http://a/b/c/d?q", "g#s", "http://a/b/c/g"},
    {"http://a/b/c/d?q", "", "http://a/b/c/d?q"},
    {"http://a/b/c/d?q", ".", "http://a/b/c/"},
    {"http://a/b/c/d?q", "./", "http://a/b/c/"},
    {"http://a/b/c/d?q", "..", "http://a/b/"},
    {"http://a/b/c/d?q", "../g", "http://a/b/g"},
    {"http://a/b/c/d?q", "../..", "http://a/"},
    {"http://a/b/c/d?q", "../../../../g", "http://a/g"},
    {"http://a/b/c/d?q", "/./g", "http://a/g"},
    {"http://a/b/c/d?q", "/../g", "http://a/g"},
    {"http://a/b/c/d?q", "g.", "http://a/b/c/g."},
    {"http://a/b/c/d?q", "..g", "http://a/b/c/..g"},
    {"http://a/b/c/d?q", "./g/.", "http://a/b/c/g/"},
    {"http://a/b/c/d?q", "g/../h", "http://a/b/c/h"},
    {"http://a/b/c/d?q", "g?y/../x", "http://a/b/c/g?y/../x"},
    {"http://a/b/c/d?q", "http:g", "http:g"},
    /* what servers send */
    {"http://a", "b", "http://a/b"},
    {"http://a", "", "http://a/"},
    {"http://a", "?x", "http://a/?x"},
    {"https://a:8/x#insecure", "/y#pin=1", "https://a:8/y"},
    {"http://[::1]:8/", "y", "http://[::1]:8/y"},
    {"http://a/", "HTTP://B/C", "HTTP://B/C"},
    {"http://a/", "https://b", "https://b/"},
    {"http://a/", "https://b?x", "https://b/?x"},
    {"http://a/", "https://b/../../c", "https://b/c"},
    {"http://a/", "/a b", "http://a/a%20b"},
    {"http://a/", "/\xe4\xbd\xa0", "http://a/%E4%BD%A0"},
    {"http://a/", "/%2e%2e/x", "http://a/%2e%2e/x"},
    {"http://a/", "/100%", "http://a/100%25"},
    {"http://a/", "/%4", "http://a/%254"},
    {"http://a/", "/%zz%41?%", "http://a/%25zz%41?%25"},
    {"http://a/", "file:///etc", "file:///etc"},
    {"http://a/", "javascript:alert(1)", "javascript:alert(1)"},
    {"http://a/", "/a\tb", NULL},
    {"http://a/", "/a\x7f", NULL},
    {"http://a/", "//b\x01/", NULL},
    {"file:/x", "y", NULL},
};

TEST(a_reference_leads_where_the_rfc_says)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url u;
        dx_text out = {0};
        CHECK(url_parse(cases[i].base, &u, NULL) == 0);
        int r = url_join(&u, (struct bytes){(const uint8_t *)cases[i].ref, strlen(cases[i].ref)}, &out);
        if (!cases[i].url)
            CHECK_SAY(r == DX_URL, "%s + %s is %s", cases[i].base, cases[i].ref, out.p);
        else
            CHECK_SAY(r == 0 && !strcmp(out.p, cases[i].url), "%s + %s is %s, not %s", cases[i].base, cases[i].ref,
                      out.p, cases[i].url);
        dx_text_free(&out);
    }
}

TEST(what_is_no_ascii_goes_as_percents_and_all_else_as_it_is)
{
    char in[0x7F - 0x21 + 5] = "", want[sizeof in + 9] = "";
    dx_text out = {0};
    for (int c = 0x21; c < 0x7F; c++)
        in[c - 0x21] = want[c - 0x21] = (char)c;
    strcat(in, "\xe4\xbd\xa0");
    strcat(want, "%E4%BD%A0");
    CHECK_INT(url_ascii((struct bytes){(const uint8_t *)in, strlen(in)}, &out), 0);
    CHECK_STR(out.p, want);
    dx_text_free(&out);
}

TEST(a_nul_is_a_control_byte)
{
    static const struct bytes with[] = {
        {(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"a\0://x", 6}, {(const uint8_t *)"//a\0/", 5}};
    for (size_t i = 0; i < 3; i++) {
        struct url u;
        dx_text out = {0};
        CHECK(url_parse("http://a/", &u, NULL) == 0);
        CHECK_INT(url_join(&u, with[i], &out), DX_URL);
        dx_text_free(&out);
    }
}

TEST_MAIN
