/* SPDX-License-Identifier: MIT */
#include "codec/sniff.h"
#include "test.h"

static const char *const names[] = {"MORE", "HOLD", "TEXT", "HTTP1", "HTTP2", "TLS", "FOREIGN", "NOISE", "QUIC"};

typedef enum sniff sniff_fn(const uint8_t *p, size_t n, const char **ret_name);

/* In memory of its own size, so that a sanitizer sees a read too far. */
static enum sniff ask(sniff_fn *fn, const void *bytes, size_t n, const char **ret_name)
{
    uint8_t *p = malloc(n + !n);
    if (n)
        memcpy(p, bytes, n);
    enum sniff got = fn(p, n, ret_name);
    free(p);
    CHECK_SAY((got == SNIFF_FOREIGN) == (*ret_name != NULL), "a name goes with FOREIGN, not with %s", names[got]);
    CHECK(fn != sniff_datagram || (got != SNIFF_MORE && got != SNIFF_HOLD));
    return got;
}

static enum sniff stream(const char *text)
{
    const char *name;
    return ask(sniff_stream, text, strlen(text), &name);
}

static void show(const char *what, const void *bytes, size_t n)
{
    printf("# %s:", what);
    for (size_t i = 0; i < n && i < 60; i++)
        printf(" %02x", ((const uint8_t *)bytes)[i]);
    printf("\n");
}

struct packet {
    const char *name, *bytes;
    size_t n;
    size_t hold; /* from how many bytes on it must not become speech, not even by waiting */
};
#define PACKET(name, bytes, hold)                                                                                      \
    {                                                                                                                  \
        name, bytes, sizeof(bytes) - 1, hold                                                                           \
    }
static const struct packet foreign_streams[] = {
    PACKET("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 4),
    PACKET("ssh", "SSH-1.99-x\n", 4),
    PACKET("rdp", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00", 1),
    PACKET("smb",
           "\x00\x00\x00\x54\xff"
           "SMBr\x00\x00\x00\x00\x18\x01",
           1),
    PACKET("smb",
           "\x00\x00\x00\xa4\xfe"
           "SMB\x40\x00\x00\x00",
           1),
    PACKET("mqtt",
           "\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03"
           "abc",
           1),
    PACKET("mqtt", "\x10\x8f\x01\x00\x04MQTT\x05\x02\x00\x3c", 1),
    PACKET("mqtt",
           "\x10\x11\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x03"
           "abc",
           1),
    PACKET("socks", "\x05\x01\x00", 1),
    PACKET("socks", "\x05\x02\x00\x02", 1),
    PACKET("socks", "\x04\x01\x00\x50\x7f\x00\x00\x01\x00", 1),
    PACKET("socks", "\x04\x02\x00\x50\x7f\x00\x00\x01\x00", 1),
    PACKET("proxy", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n", 6),
    PACKET("proxy", "PROXY TCP6 ::1 ::1 1 2\r\n", 6),
    PACKET("proxy", "PROXY UNKNOWN\r\n", 6),
    PACKET("proxy", "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", 5),
    PACKET("stun",
           "\x00\x01\x00\x00\x21\x12\xa4\x42"
           "abcdefghijkl",
           1),
    PACKET("stun",
           "\x00\x03\x00\x08\x21\x12\xa4\x42"
           "abcdefghijkl",
           1),
    PACKET("redis", "*1\r\n$4\r\nPING\r\n", 99),
    PACKET("redis", "*12\r\n$7\r\nCOMMAND\r\n", 99),
    PACKET("postgres", "\x00\x00\x00\x08\x04\xd2\x16\x2f", 1),
    PACKET("postgres", "\x00\x00\x00\x08\x04\xd2\x16\x30", 1),
    PACKET("postgres", "\x00\x00\x00\x29\x00\x03\x00\x00user\x00me\x00", 1),
    PACKET("amqp", "AMQP\x00\x00\x09\x01", 5),
    PACKET("amqp", "AMQP\x03\x01\x00\x00", 5),
    PACKET("kafka", "\x00\x00\x00\x24\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07", 1),
    PACKET("mssql", "\x12\x01\x00\x2f\x00\x00\x00\x00", 1),
    PACKET("bittorrent",
           "\x13"
           "BitTorrent protocol\0\0\0\0",
           1),
    PACKET("vnc", "RFB 003.008\n", 4),
    PACKET("http reply", "HTTP/1.1 200 OK\r\nSet-Cookie: canary\r\n", 5),
    PACKET("sip", "INVITE sip:bob@example SIP/2.0\r\nAuthorization: canary\r\n", 7),
    PACKET("rtsp", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n", 8),
    PACKET("ssdp", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n", 9),
};

TEST(first_packets_of_other_protocols_stay_out)
{
    for (size_t i = 0; i < sizeof foreign_streams / sizeof *foreign_streams; i++) {
        const struct packet *f = &foreign_streams[i];
        const char *name;
        for (size_t n = 0; n <= f->n; n++) {
            enum sniff got = ask(sniff_stream, f->bytes, n, &name);
            bool fine = got == SNIFF_HOLD || got == SNIFF_FOREIGN || (got == SNIFF_MORE && n < f->hold);
            CHECK_SAY(fine, "%s is %s at %zu", f->name, names[got], n);
        }
        CHECK_SAY(ask(sniff_stream, f->bytes, f->n, &name) == SNIFF_FOREIGN, "%s", f->name);
        CHECK_STR(name, f->name);
    }
}

TEST(tls_and_http2_are_known_by_their_first_bytes)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const char *name;
    for (int minor = 0; minor <= 4; minor++) {
        uint8_t hello[5] = {0x16, 3, (uint8_t)minor, 2, 0};
        CHECK_INT(ask(sniff_stream, hello, 1, &name), SNIFF_HOLD);
        CHECK_INT(ask(sniff_stream, hello, 2, &name), SNIFF_HOLD);
        CHECK_INT(ask(sniff_stream, hello, 3, &name), SNIFF_TLS);
        CHECK_INT(ask(sniff_stream, hello, 5, &name), SNIFF_TLS);
    }
    for (size_t n = 1; n < sizeof preface - 1; n++)
        CHECK_INT(ask(sniff_stream, preface, n, &name), n < 4 ? SNIFF_MORE : SNIFF_HOLD);
    CHECK_INT(stream(preface), SNIFF_HTTP2);
    CHECK_INT(stream("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"), SNIFF_HTTP2);
    CHECK_INT(stream("PRI * HTTP/2.0\r\nHost: x"), SNIFF_HTTP1);
    CHECK_INT(stream("PRI * HTTP/1.1\r\n"), SNIFF_HTTP1);
    CHECK_INT(stream("\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), SNIFF_HTTP1);
}

static const char *const heads[] = {
    "GET / HTTP/1.1\r\nAuthorization: canary\r\n\r\n",
    "GET /~r/lobby?a=1 HTTP/1.0\r\n\r\n",
    "POST /x HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "CONNECT example:443 HTTP/1.1\r\n",
    "CONNECT [::1]:443 HTTP/1.1\r\n",
    "GET http://127.0.0.1:2333/ HTTP/1.1\r\n",
    "PROPFIND /\xE4\xBD\xA0/ HTTP/1.1\r\n",
    "BREW /pot\"<>| HTTP/1.1\r\n",
    "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\n",
    "GET  / HTTP/1.1\r\n",
    "GET foo HTTP/1.1\r\nAuthorization: canary\r\n",
    "GET /a b c HTTP/1.1\r\n",
    "GET / FTP/1.1\r\n",
    "GET / HTTP/x\r\n",
    "GET /up, guys\n",
    "GET /\x01\r\n",
    "GET /\r\n",
    "CONNECT a:1 please\r\n",
    "GET x://y\n",
    "GET / HTTP/9.9\r\n",
};

TEST(a_request_cut_anywhere_never_becomes_speech)
{
    char text[300];
    const char *name;
    static const char *const leads[] = {"", "\r\n", "\n", "\r\n\r\n\r\n"};
    for (size_t l = 0; l < sizeof leads / sizeof *leads; l++)
        for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
            size_t n = (size_t)snprintf(text, sizeof text, "%s%s", leads[l], heads[i]);
            size_t space = (size_t)(strchr(text, ' ') - text);
            enum sniff got = SNIFF_MORE;
            for (size_t k = 0; k <= n; k++) {
                enum sniff before = got;
                got = ask(sniff_stream, text, k, &name);
                bool fine = got == SNIFF_HOLD || got == SNIFF_HTTP1 || (k <= space && got == SNIFF_MORE);
                CHECK_SAY(fine, "%s at %zu of: %s", names[got], k, text);
                CHECK_SAY(before != SNIFF_HTTP1 || got == SNIFF_HTTP1, "no longer HTTP at %zu of: %s", k, text);
            }
            CHECK_SAY(got == SNIFF_HTTP1, "%s: %s", names[got], text);
        }
}

TEST(a_good_request_waits_for_its_version)
{
    const char *name;
    for (size_t k = 4; k <= 16; k++)
        CHECK_INT(ask(sniff_stream, "GET / HTTP/1.1\r\n", k, &name), k < 14 ? SNIFF_HOLD : SNIFF_HTTP1);
}

TEST(lines_that_only_begin_like_a_protocol)
{
    static const struct {
        const char *text;
        enum sniff want;
    } t[] = {
        {"GET up, guys\n", SNIFF_TEXT},
        {"GET up, guys", SNIFF_MORE},
        {"GET up,", SNIFF_HOLD},
        {"GET up\n", SNIFF_TEXT},
        {"GET \r\n", SNIFF_TEXT},
        {"GET a b HTTP/1.1\r\n", SNIFF_HTTP1},
        {"HELLO", SNIFF_MORE},
        {"HELLO\n", SNIFF_TEXT},
        {"HELLO!", SNIFF_TEXT},
        {"HELLO ", SNIFF_HOLD},
        {"HELLO WORLD", SNIFF_HOLD},
        {"HELLO WORLD\n", SNIFF_TEXT},
        {"HELLO WORLD OF", SNIFF_MORE},
        {"HELLO \xE4\xBD\xA0\xE5\xA5\xBD", SNIFF_MORE},
        {"HELLO \xC4\xE3\xBA\xC3\n", SNIFF_TEXT},
        {"USE NEW HTTP/1.1 OR NOT\n", SNIFF_TEXT},
        {"USE HTTP/1.1\n", SNIFF_HTTP1},
        {"OK then", SNIFF_TEXT},
        {"OK", SNIFF_MORE},
        {"ABCDEFGHIJKLMNOPQRST", SNIFF_MORE},
        {"ABCDEFGHIJKLMNOPQRSTU", SNIFF_TEXT},
        {"ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1", SNIFF_TEXT},
        {"CONNECT me\n", SNIFF_TEXT},
        {"get / HTTP/1.1\r\n", SNIFF_HTTP1},
        {"Get /x HTTP/1.0\n", SNIFF_HTTP1},
        {"post /x HTTP/1\r\n", SNIFF_HTTP1},
        {"get / HTTP/1.1", SNIFF_MORE},
        {"get well soon\n", SNIFF_TEXT},
        {"ge", SNIFF_MORE},
        {"gee", SNIFF_TEXT},
        {"hello", SNIFF_TEXT},
        {"hi\n", SNIFF_TEXT},
        {"", SNIFF_MORE},
        {"\n", SNIFF_MORE},
        {"\r\n\r\n\n", SNIFF_MORE},
        {"\nhello", SNIFF_TEXT},
        {"\n\nHELLO", SNIFF_MORE},
        {"SSH-keys are here", SNIFF_TEXT},
        {"SSH-", SNIFF_HOLD},
        {"PROXY is down\n", SNIFF_TEXT},
        {"HTTP/2 is nice", SNIFF_TEXT},
        {"HTTP/1.1 is old", SNIFF_TEXT},
        {"RFB is a thing\n", SNIFF_TEXT},
        {"AMQP!", SNIFF_TEXT},
        {"*", SNIFF_MORE},
        {"*1", SNIFF_MORE},
        {"*1\n", SNIFF_TEXT},
        {"*bold*", SNIFF_TEXT},
        {"/nick me\n", SNIFF_TEXT},
        {"/", SNIFF_TEXT},
        {"{\"a\":1}", SNIFF_TEXT},
        {"\t", SNIFF_TEXT},
        {"\x02measure\x03", SNIFF_TEXT},
        {"\x16x", SNIFF_TEXT},
        {"\x16\x03\x08", SNIFF_TEXT},
        {"\xFF\xFB\x1F\xFF\xFD\x03", SNIFF_TEXT},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        enum sniff got = stream(t[i].text);
        if (got != t[i].want)
            show("bytes", t[i].text, strlen(t[i].text));
        CHECK_SAY(got == t[i].want, "%s, not %s: %s", names[got], names[t[i].want], t[i].text);
    }
}

TEST(an_endless_line_is_no_request_line)
{
    static char text[20000];
    const char *name;
    memset(text, 'a', sizeof text);
    memcpy(text, "GET ", 4);
    CHECK_INT(ask(sniff_stream, text, 8000, &name), SNIFF_HOLD);
    CHECK_INT(ask(sniff_stream, text, sizeof text, &name), SNIFF_TEXT);
    text[4] = '/'; /* the parser has a status for it */
    CHECK_INT(ask(sniff_stream, text, 8000, &name), SNIFF_HOLD);
    CHECK_INT(ask(sniff_stream, text, sizeof text, &name), SNIFF_HTTP1);
    memcpy(text, "get /", 5);
    CHECK_INT(ask(sniff_stream, text, 8000, &name), SNIFF_MORE);
    CHECK_INT(ask(sniff_stream, text, sizeof text, &name), SNIFF_TEXT);
}

TEST(nul_in_the_first_kib_is_noise)
{
    static char text[3000];
    const char *name;
    for (size_t at = 0; at < 2000; at += at < 20 ? 1 : 1004) {
        memset(text, 'a', sizeof text);
        text[at] = 0;
        CHECK_INT(ask(sniff_datagram, text, 1100, &name), at < 1024 ? SNIFF_NOISE : SNIFF_TEXT);
        CHECK_INT(ask(sniff_stream, text, sizeof text, &name), at < 1024 ? SNIFF_NOISE : SNIFF_TEXT);
        memset(text, '\xC4', 20);
        text[at] = 0;
        CHECK_INT(ask(sniff_stream, text, sizeof text, &name), at < 1024 ? SNIFF_NOISE : SNIFF_TEXT);
    }
    CHECK_INT(ask(sniff_stream, "\0\0\0\0\x01", 5, &name), SNIFF_NOISE);
    CHECK_INT(ask(sniff_stream, "HE\0", 3, &name), SNIFF_NOISE);
    static const char late[] = "GET a\x7F\0b HTTP/1.1\r\n"; /* noise from the NUL on, whatever follows */
    for (size_t n = 7; n < sizeof late; n++)
        CHECK_INT(ask(sniff_stream, late, n, &name), SNIFF_NOISE);
}

TEST(a_telnet_client_may_send_nul)
{
    const char *name;
    CHECK_INT(ask(sniff_stream, "\xFF\xFB\0\xFF\xFD\x03hi\r\0", 10, &name), SNIFF_TEXT);
    CHECK_INT(ask(sniff_stream, "\xFF\xFB\x1Fhi\0", 6, &name), SNIFF_NOISE);
    CHECK_INT(ask(sniff_stream, "hi\r\0", 4, &name), SNIFF_NOISE);
}

/* Lines that begin with every first byte of GB2312 and of Chinese UTF-8. */
TEST(chinese_text_is_text_at_every_length)
{
    static uint8_t text[3000];
    const char *name;
    for (int first = 0xA1; first <= 0xF7; first++)
        for (int second = 0xA1; second <= 0xFE; second += 31) {
            for (size_t i = 0; i < sizeof text; i += 2) {
                text[i] = (uint8_t)(i ? 0xB0 + i % 71 : (size_t)first);
                text[i + 1] = (uint8_t)second;
            }
            for (size_t n = 1; n < sizeof text; n = n < 64 ? n + 1 : n + 333) {
                CHECK_SAY(ask(sniff_stream, text, n, &name) == SNIFF_TEXT, "stream %02x %02x, %zu", first, second, n);
                CHECK_SAY(ask(sniff_datagram, text, n, &name) == SNIFF_TEXT, "datagram %02x %02x, %zu", first, second,
                          n);
            }
        }
    for (int a = 0xE4; a <= 0xE9; a++)
        for (int b = 0x80; b < 0xC0; b++) {
            for (size_t i = 0; i + 3 <= sizeof text; i += 3)
                memcpy(text + i, (uint8_t[]){(uint8_t)a, (uint8_t)b, 0x8A}, 3);
            for (size_t n = 1; n < sizeof text; n = n < 8 ? n + 1 : n + 611) {
                CHECK_INT(ask(sniff_stream, text, n, &name), SNIFF_TEXT);
                CHECK_INT(ask(sniff_datagram, text, n, &name), SNIFF_TEXT);
            }
        }
}

static size_t long_header(uint8_t *p, uint32_t version, uint8_t dcid, uint8_t scid, size_t n)
{
    memset(p, 0x55, n);
    p[0] = 0xC3;
    for (int i = 0; i < 4; i++)
        p[1 + i] = (uint8_t)(version >> (24 - 8 * i));
    p[5] = dcid;
    if ((size_t)6 + dcid < n)
        p[6 + dcid] = scid;
    return n;
}

TEST(quic_is_a_whole_long_header_of_a_version_we_know)
{
    static const struct {
        uint32_t version;
        uint8_t dcid, scid;
        size_t n;
        enum sniff want;
    } t[] = {
        {1, 8, 0, 1200, SNIFF_QUIC},
        {1, 20, 20, 1252, SNIFF_QUIC},
        {1, 8, 0, 1199, SNIFF_NOISE},
        {1, 21, 0, 1200, SNIFF_NOISE},
        {1, 8, 21, 1200, SNIFF_NOISE},
        {0x6b3343cf, 8, 8, 1200, SNIFF_QUIC},
        {0x6b3343cf, 8, 8, 1199, SNIFF_TEXT},
        {0xff00001d, 8, 8, 1350, SNIFF_QUIC},
        {0x1a2a3a4a, 8, 8, 1200, SNIFF_QUIC},
        {0xbabababa, 20, 20, 1200, SNIFF_QUIC},
        {0xbabababa, 21, 20, 1200, SNIFF_TEXT},
        {0xbabababb, 8, 8, 1200, SNIFF_TEXT},
        {2, 8, 8, 1200, SNIFF_NOISE},
    };
    uint8_t p[1500];
    const char *name;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t n = long_header(p, t[i].version, t[i].dcid, t[i].scid, t[i].n);
        enum sniff got = ask(sniff_datagram, p, n, &name);
        CHECK_SAY(got == t[i].want, "case %zu: %s", i, names[got]);
        p[0] = 0x43;
        CHECK(ask(sniff_datagram, p, n, &name) != SNIFF_QUIC);
    }
}

TEST(datagrams_of_other_protocols_stay_out)
{
    static const struct packet t[] = {
        PACKET("stun",
               "\x00\x01\x00\x00\x21\x12\xa4\x42"
               "abcdefghijkl",
               0),
        PACKET("stun",
               "\x01\x01\x00\x00\x21\x12\xa4\x42"
               "abcdefghijkl",
               0),
        PACKET("dns",
               "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
               "a\x00\x00\x01\x00\x01",
               0),
        PACKET("dns",
               "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01"
               "a\x00\x00\x01\x00\x01",
               0),
        PACKET("dns", "\x00\x00\x84\x00\x00\x00\x00\x02\x00\x00\x00\x00\x05_http", 0),
        PACKET("ntp",
               "\x23\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0),
        PACKET("snmp", "\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01\x02\x01\x00", 0),
        PACKET("ssdp", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", 0),
        PACKET("ssdp", "NOTIFY * HTTP/1.1\r\n\r\n", 0),
        PACKET("http", "GET / HTTP/1.1\r\nAuthorization: canary\r\n\r\n", 0),
        PACKET("sip", "OPTIONS sip:nm SIP/2.0\r\nVia: x\r\n\r\n", 0),
        PACKET("wireguard",
               "\x01\x00\x00\x00"
               "abcdefgh",
               0),
    };
    const char *name;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        enum sniff got = ask(sniff_datagram, t[i].bytes, t[i].n, &name);
        CHECK_SAY(got == SNIFF_FOREIGN && !strcmp(name, t[i].name), "%s: %s", t[i].name, names[got]);
    }
    CHECK_INT(ask(sniff_datagram, "\x16\xFE\xFF\0\0", 5, &name), SNIFF_TLS);
    CHECK_INT(ask(sniff_datagram, "\x16\xFE\xFD\0\0", 5, &name), SNIFF_TLS);
    CHECK_INT(ask(sniff_datagram, "hello", 5, &name), SNIFF_TEXT);
    CHECK_INT(ask(sniff_datagram, "GET up, guys\n", 13, &name), SNIFF_TEXT);
    CHECK_INT(ask(sniff_datagram, "/hear 0123456789abcdef\n", 23, &name), SNIFF_TEXT);
    CHECK_INT(ask(sniff_datagram, "\n", 1, &name), SNIFF_TEXT);
    CHECK_INT(ask(sniff_datagram, "", 0, &name), SNIFF_TEXT);
    CHECK_INT(sniff_stream((const uint8_t *)"SSH-2", 5, NULL), SNIFF_FOREIGN);
    CHECK_INT(sniff_datagram((const uint8_t *)"\x01\0\0\0", 4, NULL), SNIFF_FOREIGN);
}

TEST_MAIN
