/* SPDX-License-Identifier: MIT
 * sniff.c - docs/why/sniffing.md in code. A table of first bytes for protocols that can be told by them, and a reader of
 * request lines for HTTP/1, where a wrong guess would turn somebody's Authorization into speech. */
#include "sniff.h"
#include <string.h>

enum { NUL_MAX = 1024, SNIFF_LINE_MAX = 8192 + 64, METHOD_MIN = 3, METHOD_MAX = 20, QUIC_MIN = 1200, CID_MAX = 20 };

/* ---- protocols known by their first bytes ---- */

struct mark {
    const char *name;
    uint8_t n, hold; /* bytes of the mark; from how many of them on it cannot be speech */
    uint8_t verdict;
    const char *bytes;
    const char *mask; /* NULL: all ones */
};
/* clang-format off */
#define MARK(name, hold, bytes)             {name, sizeof(bytes) - 1, hold, SNIFF_FOREIGN, bytes, NULL}
#define MASKED(name, hold, bytes, mask)     {name, sizeof(bytes) - 1, hold, SNIFF_FOREIGN, bytes, mask}
static const struct mark stream_marks[] = {
    {NULL, 3, 1, SNIFF_TLS, "\x16\x03\x00", "\xFF\xFF\xF8"},
    {NULL, 24, 4, SNIFF_HTTP2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL},
    MARK("proxy", 6, "PROXY TCP4 "),
    MARK("proxy", 6, "PROXY TCP6 "),
    MARK("proxy", 6, "PROXY UNKNOWN"),
    MARK("proxy", 5, "\r\n\r\n\0\r\nQUIT\n"),
    MASKED("ssh", 4, "SSH-0", "\xFF\xFF\xFF\xFF\xF8"),
    MASKED("http reply", 5, "HTTP/0.0 0", "\xFF\xFF\xFF\xFF\xFF\xFE\xFF\xFE\xFF\xF8"),
    MARK("ssdp", 9, "M-SEARCH * "),
    MARK("vnc", 4, "RFB 00"),
    MASKED("amqp", 5, "AMQP\0", "\xFF\xFF\xFF\xFF\xFC"),
    MARK("rdp", 1, "\x03\0"),
    MARK("socks", 1, "\x04\x01"),
    MARK("socks", 1, "\x04\x02"),
    MASKED("socks", 1, "\x05\0", "\xFF\xF0"),
    MARK("mssql", 1, "\x12\x01\0"),
    MARK("bittorrent", 1, "\x13" "BitTorrent"),
    MASKED("smb", 1, "\0\0\0\0\xFE" "SMB", "\xFF\xFF\0\0\xFE\xFF\xFF\xFF"),
    MASKED("stun", 1, "\0\0\0\0\x21\x12\xA4\x42", "\xFF\0\0\0\xFF\xFF\xFF\xFF"),
    MASKED("postgres", 1, "\0\0\0\x08\x04\xD2\x16\0", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0"),
    MASKED("postgres", 1, "\0\0\0\0\0\x03\0\0", "\xFF\xFF\0\0\xFF\xFF\xFF\xFF"),
    MASKED("kafka", 1, "\0\0\0\0\0\x12\0", "\xFF\xFF\xFF\0\xFF\xFF\xFF"),
    MASKED("mqtt", 1, "\x10\0\0\x04MQTT", "\xFF\x80\xFF\xFF\xFF\xFF\xFF\xFF"),
    MASKED("mqtt", 1, "\x10\0\0\x06MQIsdp", "\xFF\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    MASKED("mqtt", 1, "\x10\x80\0\0\x04MQTT", "\xFF\x80\x80\xFF\xFF\xFF\xFF\xFF\xFF"),
    MASKED("mqtt", 1, "\x10\x80\0\0\x06MQIsdp", "\xFF\x80\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
};
static const struct mark datagram_marks[] = {
    {NULL, 3, 1, SNIFF_TLS, "\x16\xFE\xFC", "\xFF\xFF\xFC"},
    MASKED("stun", 1, "\0\0\0\0\x21\x12\xA4\x42", "\xFC\0\0\0\xFF\xFF\xFF\xFF"),
    MARK("wireguard", 1, "\x01\0\0\0"),
    MARK("ssdp", 1, "M-SEARCH * "),
    MARK("ssdp", 1, "NOTIFY * HTTP/"),
    MASKED("dns", 1, "\0\0\0\0\0\x01\0\0\0\0\0", "\0\0\x78\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), /* a standard query */
    MASKED("dns", 1, "\0\0\x80\0\0\0\0\0\0\0", "\0\0\xF8\0\xFF\xFE\xFF\0\xFF\0"),             /* its answer      */
    MASKED("snmp", 1, "\x30\0\x02\x01\0\x04", "\xFF\x80\xFF\xFF\xFC\xFF"),
};
/* clang-format on */
enum { STREAM_MARKS = sizeof stream_marks / sizeof *stream_marks };
enum { DATAGRAM_MARKS = sizeof datagram_marks / sizeof *datagram_marks };

static bool begins(const struct mark *m, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n && i < m->n; i++) {
        uint8_t mask = m->mask ? (uint8_t)m->mask[i] : 0xFF;
        if ((p[i] & mask) != (uint8_t)m->bytes[i])
            return false;
    }
    return true;
}

/* SNIFF_TEXT: none of them. */
static enum sniff find_mark(const uint8_t *p, size_t n, const char **ret_name)
{
    enum sniff best = SNIFF_TEXT;
    for (size_t i = 0; i < STREAM_MARKS; i++) {
        const struct mark *m = &stream_marks[i];
        if (!begins(m, p, n))
            continue;
        if (n >= m->n) {
            *ret_name = m->name;
            return (enum sniff)m->verdict;
        }
        if (n >= m->hold)
            best = SNIFF_HOLD;
        else if (best == SNIFF_TEXT)
            best = SNIFF_MORE;
    }
    return best;
}

static bool has_nul(const uint8_t *p, size_t n)
{
    return n > 0 && memchr(p, 0, n < NUL_MAX ? n : NUL_MAX);
}

/* A telnet client negotiates options (some of them number 0) and may send Enter as CR NUL: that is a person. */
static bool has_nul_but_telnet(const uint8_t *p, size_t n)
{
    if (n < 2 || p[0] != 0xFF || p[1] < 0xF0)
        return has_nul(p, n);
    for (size_t i = 2; i < n && i < NUL_MAX; i++)
        if (p[i] == 0 && p[i - 1] != '\r' && !(p[i - 1] >= 0xFA && p[i - 2] == 0xFF))
            return true;
    return false;
}

static enum sniff text_or_noise(const uint8_t *p, size_t n)
{
    return has_nul_but_telnet(p, n) ? SNIFF_NOISE : SNIFF_TEXT;
}

/* ---- request lines ---- */

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3986, but '#': what may stand in a target of any form. */
static bool in_uri(uint8_t c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z') || is_digit(c) || (c && strchr("-._~:/?[]@!$&'()*+,;=%", c));
}

/* Does p end in " HTTP/d" or " HTTP/d.d"? */
static bool ends_in_version(const uint8_t *p, size_t n)
{
    if (n >= 2 && p[n - 2] == '.' && is_digit(p[n - 1]))
        n -= 2;
    return n >= 7 && is_digit(p[n - 1]) && memcmp(p + n - 7, " HTTP/", 6) == 0;
}

/* Not a good request line, but the end of the line could show that it was meant as one. */
static enum sniff wait_for_line(const uint8_t *p, size_t n)
{
    const uint8_t *lf = memchr(p, '\n', n < SNIFF_LINE_MAX ? n : SNIFF_LINE_MAX);
    size_t line = lf ? (size_t)(lf - p) : n;
    if (!lf && n < SNIFF_LINE_MAX && !has_nul(p, n))
        return SNIFF_MORE;
    if (!lf || has_nul(p, line)) /* a NUL has been the verdict since it came */
        return text_or_noise(p, n);
    while (line > 0 && (p[line - 1] == '\r' || p[line - 1] == ' '))
        line--;
    return ends_in_version(p, line) ? SNIFF_HTTP1 : text_or_noise(p, n);
}

/* Would nobody say this, so that a line with it is a request even where it is malformed? */
static bool is_requestlike(const uint8_t *p, size_t n, bool connect)
{
    if (n > 0 && (p[0] == '/' || p[0] == '*'))
        return true;
    if (n >= 3 && memmem(p, n, "://", 3))
        return true;
    size_t digits = 0;
    while (digits < n && is_digit(p[n - 1 - digits]))
        digits++;
    return connect && digits > 0 && digits < n - 1 && p[n - 1 - digits] == ':';
}

/* "HTTP/d.d" and what speaks with lines like HTTP's. 1: p begins with it, 0: with less than all of it, -1: with neither. */
static int begins_version(const uint8_t *p, size_t n, const char *word)
{
    for (size_t i = 0; word[i]; i++) {
        if (i == n)
            return 0;
        if (word[i] == '0' ? !is_digit(p[i]) : p[i] != (uint8_t)word[i])
            return -1;
    }
    return 1;
}

static enum sniff behind_target(const uint8_t *p, size_t n, size_t at, bool like, const char **ret_name)
{
    int http = begins_version(p + at, n - at, "HTTP/0.0");
    if (http == 1 && like)
        return SNIFF_HTTP1;
    if (http == 1 && n > at + 8) /* "USE NEW HTTP/1.1 or not" is none: the line must end here */
        return p[at + 8] == '\r' || p[at + 8] == '\n' ? SNIFF_HTTP1 : wait_for_line(p, n);
    if (http >= 0)
        return SNIFF_HOLD;
    int sip = begins_version(p + at, n - at, "SIP/0.0"), rtsp = begins_version(p + at, n - at, "RTSP/0.0");
    if (sip == 1 || rtsp == 1) {
        *ret_name = sip == 1 ? "sip" : "rtsp";
        return SNIFF_FOREIGN;
    }
    if (sip == 0 || rtsp == 0)
        return SNIFF_HOLD;
    return like ? SNIFF_HTTP1 : wait_for_line(p, n);
}

/* p is an upper-case word of a method's length and a space: at. */
static enum sniff behind_method(const uint8_t *p, size_t n, size_t at, const char **ret_name)
{
    bool connect = at == 7 && memcmp(p, "CONNECT", 7) == 0, uri = true;
    size_t limit = n < SNIFF_LINE_MAX ? n : SNIFF_LINE_MAX;
    while (at < limit && p[at] == ' ')
        at++;
    size_t end = at;
    while (end < limit && p[end] > ' ' && p[end] != 0x7F)
        uri &= in_uri(p[end++]);
    bool like = is_requestlike(p + at, end - at, connect);
    if (end == limit) {
        if (limit == SNIFF_LINE_MAX) /* the parser says 414 to what looks like a request; else it is a long speech */
            return like ? SNIFF_HTTP1 : wait_for_line(p, n);
        return uri || p[at] == '/' || p[at] == '*' || like ? SNIFF_HOLD : wait_for_line(p, n);
    }
    if (p[end] == ' ')
        return uri || like ? behind_target(p, n, end + 1, like, ret_name) : wait_for_line(p, n);
    return like ? SNIFF_HTTP1 : wait_for_line(p, n); /* the line ends, or a control byte */
}

/* Is p a method that people know, in any case, and a space: 1; the beginning of one: 0; neither: -1. */
static int known_method(const uint8_t *p, size_t n)
{
    static const char *const words[] = {"get ",   "head ",    "post ",  "put ",     "delete ",
                                        "trace ", "options ", "patch ", "connect ", "propfind "};
    int best = -1;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        size_t i = 0;
        while (words[w][i] && i < n && (p[i] | 0x20) == words[w][i] && (p[i] == ' ') == (words[w][i] == ' '))
            i++;
        if (!words[w][i])
            return 1;
        if (i == n)
            best = 0;
    }
    return best;
}

static enum sniff request_line(const uint8_t *p, size_t n, const char **ret_name)
{
    size_t word = 0;
    while (word < n && word <= METHOD_MAX && is_upper(p[word]))
        word++;
    if (word == n && word <= METHOD_MAX)
        return SNIFF_MORE;
    if (word >= METHOD_MIN && word <= METHOD_MAX && p[word] == ' ')
        return behind_method(p, n, word, ret_name);
    int known = known_method(p, n);
    if (known == 1)
        return wait_for_line(p, n);
    return known == 0 ? SNIFF_MORE : text_or_noise(p, n);
}

/* "*1\r\n$4\r\nPING\r\n": a star and digits may be speech, with the dollar they are redis. */
static enum sniff redis(const uint8_t *p, size_t n, const char **ret_name)
{
    size_t i = 1;
    if (n == 0 || p[0] != '*')
        return SNIFF_TEXT;
    while (i < n && i < 8 && is_digit(p[i]))
        i++;
    if (i == 1 && n > 1)
        return SNIFF_TEXT;
    int r = begins_version(p + i, n - i, "\r\n$");
    if (r == 1)
        *ret_name = "redis";
    return r == 1 ? SNIFF_FOREIGN : r == 0 ? SNIFF_MORE : SNIFF_TEXT;
}

enum sniff sniff_stream(const uint8_t *p, size_t n, const char **ret_name)
{
    const char *unused, **name = ret_name ? ret_name : &unused;
    size_t lead = 0;
    *name = NULL;
    enum sniff mark = n ? find_mark(p, n, name) : SNIFF_MORE;
    if (mark == SNIFF_TEXT)
        mark = redis(p, n, name);
    if (mark != SNIFF_TEXT && mark != SNIFF_MORE)
        return mark;
    while (lead < n && (p[lead] == '\r' || p[lead] == '\n'))
        lead++;
    if (lead == n)
        return SNIFF_MORE;
    enum sniff line = request_line(p + lead, n - lead, name);
    return line == SNIFF_TEXT ? mark : line;
}

/* ---- datagrams ---- */

/* A long header (RFC 8999 5.1) of a version we know or must answer (reserved ones ask for negotiation). A first datagram of a
 * client has 1,200 bytes at least, which keeps short Chinese ones, whose first byte looks the same, out of this. */
static bool is_quic(const uint8_t *p, size_t n)
{
    if (n < QUIC_MIN || !(p[0] & 0x80))
        return false;
    uint32_t v = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    if (v != 1 && v != 0x6b3343cf && v >> 8 != 0xff0000 && (v & 0x0f0f0f0f) != 0x0a0a0a0a)
        return false;
    size_t scid = 6 + (size_t)p[5]; /* where its length stands: within the datagram, since n >= 1,200 */
    return p[5] <= CID_MAX && p[scid] <= CID_MAX && scid + 1 + p[scid] < n;
}

/* NULL: it is none of those that lines or lengths tell. */
static const char *other_datagram(const uint8_t *p, size_t n, bool nul)
{
    enum { NTP_N = 48, NTP_MODE = 7, NTP_CLIENT = 3 };
    static const char sip[] = " SIP/2.0";
    if (nul)
        return n == NTP_N && (p[0] & NTP_MODE) == NTP_CLIENT ? "ntp" : NULL;
    const uint8_t *lf = is_upper(p[0]) ? memchr(p, '\n', n < SNIFF_LINE_MAX ? n : SNIFF_LINE_MAX) : NULL;
    if (!lf)
        return NULL;
    size_t line = (size_t)(lf - p) - (lf[-1] == '\r');
    if (line >= sizeof sip - 1 && memcmp(p + line - (sizeof sip - 1), sip, sizeof sip - 1) == 0)
        return "sip";
    return ends_in_version(p, line) ? "http" : NULL;
}

enum sniff sniff_datagram(const uint8_t *p, size_t n, const char **ret_name)
{
    const char *unused, **name = ret_name ? ret_name : &unused;
    *name = NULL;
    if (n == 0)
        return SNIFF_TEXT;
    if (is_quic(p, n))
        return SNIFF_QUIC;
    for (size_t i = 0; i < DATAGRAM_MARKS; i++) {
        const struct mark *m = &datagram_marks[i];
        if (n < m->n || !begins(m, p, n))
            continue;
        *name = m->name;
        return (enum sniff)m->verdict;
    }
    bool nul = has_nul(p, n);
    *name = other_datagram(p, n, nul);
    return *name ? SNIFF_FOREIGN : nul ? SNIFF_NOISE : SNIFF_TEXT;
}
