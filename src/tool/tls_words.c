/* SPDX-License-Identifier: MIT
 * tls_words.c - a fault of TLS: its exit code, and what a person can do about it. The sentence itself is the library's. */
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/tls.h>
#include <stdio.h>
#include <string.h>

enum { /* alerts that name a cause (RFC 8446 6) */
       ALERT_HANDSHAKE_FAILURE = 40,
       ALERT_BAD_CERTIFICATE = 42,
       ALERT_CERTIFICATE_UNKNOWN = 46,
       ALERT_UNKNOWN_CA = 48,
       ALERT_ACCESS_DENIED = 49,
       ALERT_PROTOCOL_VERSION = 70,
       ALERT_INSUFFICIENT_SECURITY = 71,
       ALERT_UNRECOGNIZED_NAME = 112,
       ALERT_CERTIFICATE_REQUIRED = 116,
       ALERT_NO_APPLICATION_PROTOCOL = 120,
};

/* Never --insecure where somebody may be in between on purpose: with it they would have what they want. */
/* clang-format off */
static const struct row {
    int from, to; /* dx_err.detail */
    int code;
    const char *advice; /* to who dials; NULL: there is none */
} rows[] = {
    {ALERT_HANDSHAKE_FAILURE, ALERT_HANDSHAKE_FAILURE, TOOL_TLS, "It may want a certificate (--cert FILE), or speak older TLS than 1.2"},
    {ALERT_BAD_CERTIFICATE, ALERT_CERTIFICATE_UNKNOWN, TOOL_OWN_CERT, "Try: --cert FILE with a certificate that it believes"},
    {ALERT_UNKNOWN_CA, ALERT_ACCESS_DENIED, TOOL_OWN_CERT, "Try: --cert FILE with a certificate that it believes"},
    {ALERT_PROTOCOL_VERSION, ALERT_INSUFFICIENT_SECURITY, TOOL_NO_CIPHER, "TLS 1.3 and 1.2 are what is spoken here"},
    {ALERT_UNRECOGNIZED_NAME, ALERT_UNRECOGNIZED_NAME, TOOL_SNI, "Try: the name that its certificate has, in the URL; there, serve --host NAME adds one"},
    {ALERT_CERTIFICATE_REQUIRED, ALERT_CERTIFICATE_REQUIRED, TOOL_NO_CERT, "Try: --cert FILE --key FILE, of an issuer that it trusts"},
    {ALERT_NO_APPLICATION_PROTOCOL, ALERT_NO_APPLICATION_PROTOCOL, TOOL_ALPN, "Try: wss:// where it speaks HTTP"},
    {DX_TLS_EXPIRED, DX_TLS_EXPIRED, TOOL_EXPIRED, "Its owner must renew it, or --pin if it is the right one all the same"},
    {DX_TLS_NOT_YET, DX_TLS_NOT_YET, TOOL_NOT_YET, "Try: date"},
    {DX_TLS_HOST, DX_TLS_HOST, TOOL_HOST, "Try: a name of its own in the URL, or --pin if it is the right one all the same"},
    {DX_TLS_ISSUER, DX_TLS_ISSUER, TOOL_UNTRUSTED, "Try: --ca FILE with its issuer's certificate, or --pin with what its owner shows"},
    {DX_TLS_PIN, DX_TLS_PIN, TOOL_PIN, "Somebody may be in between; if its owner has a new key, ask for the new pin"},
    {DX_TLS_WEAK, DX_TLS_WEAK, TOOL_WEAK, "Its owner must make a stronger one"},
    {DX_TLS_USAGE, DX_TLS_USAGE, TOOL_CERT_USAGE, "Its owner must use one that is made for this"},
    {DX_TLS_REVOKED, DX_TLS_REVOKED, TOOL_REVOKED, "Its owner has withdrawn it: who shows it may be somebody else"},
    {DX_TLS_NO_CERT, DX_TLS_NO_CERT, TOOL_NO_CERT, NULL},
    {DX_TLS_VERSION, DX_TLS_CIPHER, TOOL_NO_CIPHER, "TLS 1.3 and 1.2 with AES-GCM or ChaCha20 are what is spoken here"},
    {DX_TLS_ALPN, DX_TLS_ALPN, TOOL_ALPN, NULL},
    {DX_TLS_SNI, DX_TLS_SNI, TOOL_SNI, NULL},
    {DX_TLS_PLAIN, DX_TLS_PLAIN, TOOL_PLAIN, NULL},
    {DX_TLS_CUT, DX_TLS_CUT, TOOL_CUT, "Does it speak TLS?"},
    {DX_TLS_FILE, DX_TLS_FILE, TOOL_OWN_CERT, NULL},
};
/* clang-format on */

static const struct row *row_of(const dx_err *e)
{
    for (size_t i = 0; e->detail_of == DX_OF_TLS && i < sizeof rows / sizeof *rows; i++)
        if (e->detail >= rows[i].from && e->detail <= rows[i].to)
            return &rows[i];
    return NULL;
}

int tls_exit_of(const dx_err *e)
{
    const struct row *r = row_of(e);
    return r ? r->code : TOOL_TLS;
}

bool tls_is_exit(int code)
{
    bool is = code == TOOL_TLS || code == TOOL_CA;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is |= rows[i].code == code;
    return is;
}

/* The sentence without "dial URL: " before it. */
static const char *sentence_of(const char *text, const char *doing)
{
    size_t n = strcspn(text, " ");
    bool said = !strncmp(text, "dial ", 5) || !strncmp(text, doing, n);
    const char *end = said && text[n] == ' ' ? strstr(text + n, ": ") : NULL;
    return end ? end + 2 : text;
}

/* What is left of a URL when its scheme is taken off: without the fragment, which is for TLS. */
static dx_bytes rest_of(const char *url)
{
    const char *p = strstr(url, "://");
    p = p ? p : "";
    return (dx_bytes){p, strcspn(p, "#")};
}

static const char *scheme_without_tls(const char *url)
{
    return wire_is(url, "wss") ? "ws" : wire_is(url, "https") ? "http" : "tcp";
}

/* The library puts the key that was shown behind its sentence: "self-signed certificate (pin sha256:...)". */
static bool words_with_pin(dx_bytes host, const char *sentence, char *buf, size_t n)
{
    static const char before[] = " (pin ";
    const char *at = strstr(sentence, before), *pin = at ? at + strlen(before) : NULL;
    const char *end = pin ? strchr(pin, ')') : NULL;
    if (!end)
        return false;
    snprintf(buf, n, "%.*s: %.*s%s.  Try: --pin %.*s if that is the pin its owner shows, or --ca FILE", (int)host.n,
             (const char *)host.p, (int)(at - sentence), sentence, end + 1, (int)(end - pin), pin);
    return true;
}

void tls_words(const char *doing, const char *url, const dx_err *e, char *buf, size_t n)
{
    const struct row *r = row_of(e);
    const char *sentence = sentence_of(e->text[0] ? e->text : dx_code_text(e->code), doing);
    dx_bytes rest = rest_of(url), host = rest;
    if (rest.n > 3)
        host.p = (const char *)rest.p + 3;
    host.n = *(const char *)host.p == '[' ? strcspn(host.p, "]") + 1 : strcspn(host.p, ":/?#");
    bool dialling = !strcmp(doing, "dial") || !strcmp(doing, "fetch");
    if (!dialling || !host.n || host.n > 200)
        snprintf(buf, n, "%s", e->text[0] ? e->text : sentence);
    else if (r && r->code == TOOL_PLAIN)
        snprintf(buf, n, "%.*s: no TLS there: it answers in plain text.  Try: duplex %s %s%.*s", (int)host.n,
                 (const char *)host.p, doing, scheme_without_tls(url), (int)(rest.n < 200 ? rest.n : 200),
                 (const char *)rest.p);
    else if (!r || r->code != TOOL_UNTRUSTED || !words_with_pin(host, sentence, buf, n))
        snprintf(buf, n, "%.*s: %s%s%s", (int)host.n, (const char *)host.p, sentence, r && r->advice ? ".  " : "",
                 r && r->advice ? r->advice : "");
}

bool tls_is_alert(const void *data, size_t n)
{
    const unsigned char *p = data;
    return n == 7 && p[0] == 21 && p[1] == 3 && p[3] == 0 && p[4] == 2;
}

const char *tls_scheme_of(const char *url)
{
    return wire_is(url, "ws") ? "wss" : wire_is(url, "http") ? "https" : "tls";
}
