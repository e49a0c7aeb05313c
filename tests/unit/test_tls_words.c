/* SPDX-License-Identifier: MIT
 * Each fault of TLS has an exit code of its own, and words that say what to do. */
#include "test.h"
#include "tool/tool.h"
#include <duplex/tls.h>

static dx_err fault(int detail, const char *text)
{
    dx_err e = {.code = DX_TLS, .detail = detail, .detail_of = DX_OF_TLS};
    snprintf(e.text, sizeof e.text, "%s", text);
    return e;
}

static const char *words(const char *doing, const char *url, int detail, const char *text)
{
    static char buf[720];
    dx_err e = fault(detail, text);
    tool_words(doing, url, &e, buf, sizeof buf);
    return buf;
}

TEST(every_fault_has_a_code_that_the_table_names)
{
    int seen[DX_TLS_FILE + 1] = {0};
    for (int detail = DX_TLS_OTHER; detail <= DX_TLS_FILE; detail++) {
        dx_err e = fault(detail, "x");
        const struct tool_exit_row *r = tool_exits;
        int code = tool_exit_of(&e);
        while (r->name && r->code != code)
            r++;
        CHECK_SAY(r->name, "fault %d: %d is in the table", detail, code);
        for (int k = DX_TLS_OTHER; k < detail; k++) /* a version and a cipher are one cause */
            CHECK_SAY(seen[k] != code || (k == DX_TLS_VERSION && detail == DX_TLS_CIPHER), "%d and %d are both %d", k,
                      detail, code);
        seen[detail] = code;
    }
}

TEST(codes_keep_curls_numbers)
{
    static const struct {
        int detail, code;
    } cases[] = {{DX_TLS_OTHER, 35},
                 {DX_TLS_HOST, 51},
                 {DX_TLS_FILE, 58},
                 {DX_TLS_VERSION, 59},
                 {DX_TLS_ISSUER, 60},
                 {DX_TLS_PIN, 90},
                 {DX_TLS_REVOKED, 91},
                 {DX_TLS_EXPIRED, 110},
                 {DX_TLS_PLAIN, 117},
                 {DX_TLS_CUT, 118},
                 {10, 35},
                 {40, 35},
                 {41, 35},
                 {42, 58},
                 {46, 58},
                 {47, 35},
                 {48, 58},
                 {70, 59},
                 {112, 116},
                 {116, 114},
                 {120, 115},
                 {255, 35},
                 {9999, 35}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dx_err e = fault(cases[i].detail, "x");
        CHECK_SAY(tool_exit_of(&e) == cases[i].code, "%d is %d, not %d", cases[i].detail, tool_exit_of(&e),
                  cases[i].code);
    }
    dx_err other = {.code = DX_TLS, .detail = DX_TLS_PIN, .detail_of = DX_OF_ERRNO};
    CHECK_INT(tool_exit_of(&other), 35);
}

TEST(words_name_the_host_and_what_to_do)
{
    static const struct {
        int detail;
        const char *url, *text, *words;
    } cases[] = {
        {DX_TLS_EXPIRED, "tls://a.example:443", "dial tls://a.example:443: certificate expired on 2026-01-02",
         "a.example: certificate expired on 2026-01-02.  Its owner must renew it, or --pin if it is the right one all "
         "the same"},
        {DX_TLS_EXPIRED, "tls://[::1]:443", "certificate expired on 2026-01-02",
         "[::1]: certificate expired on 2026-01-02.  Its owner must renew it, or --pin if it is the right one all the "
         "same"},
        {DX_TLS_ISSUER, "wss://a.example/chat", "self-signed certificate (pin sha256:XYZ=)",
         "a.example: self-signed certificate.  Try: --pin sha256:XYZ= if that is the pin its owner shows, or --ca "
         "FILE"},
        {DX_TLS_ISSUER, "tls://a.example", "certificate's issuer CN=b (pin is not here",
         "a.example: certificate's issuer CN=b (pin is not here.  Try: --ca FILE with its issuer's certificate, or "
         "--pin "
         "with what its owner shows"},
        {DX_TLS_PLAIN, "tls://127.0.0.1:80#pin=sha256:x", "no TLS: the peer speaks something else",
         "127.0.0.1: no TLS there: it answers in plain text.  Try: duplex dial tcp://127.0.0.1:80"},
        {DX_TLS_PLAIN, "WSS://a.example/chat", "no TLS",
         "a.example: no TLS there: it answers in plain text.  Try: duplex dial ws://a.example/chat"},
        {DX_TLS_OTHER, "tls://a.example", "a record that does not decrypt",
         "a.example: a record that does not decrypt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(words("dial", cases[i].url, cases[i].detail, cases[i].text), cases[i].words);
}

TEST(somebody_in_between_is_never_let_through_by_advice)
{
    static const int faults[] = {DX_TLS_PIN, DX_TLS_ISSUER, DX_TLS_HOST, DX_TLS_REVOKED};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        CHECK(!strstr(words("dial", "tls://a.example", faults[i], "x"), "--insecure"));
}

TEST(who_listens_reads_the_librarys_words)
{
    CHECK_STR(words("listen", "tls://:443", DX_TLS_NO_CERT, "the peer shows no certificate"),
              "the peer shows no certificate");
}

TEST(a_file_in_a_url_is_not_taken_for_its_host)
{
    char buf[720];
    dx_err e = {.code = DX_SYS, .detail = 2, .detail_of = DX_OF_ERRNO, .text = "certificate a.pem: No such file"};
    tool_words("serve", "tls://:443#cert=a.pem", &e, buf, sizeof buf);
    CHECK_STR(buf, "certificate a.pem: No such file");
}

TEST_MAIN
