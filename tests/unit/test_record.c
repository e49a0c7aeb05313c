/* SPDX-License-Identifier: MIT
 * Records of a relay: what reads, and that each broken one is refused with its line. */
#include "test.h"
#include "tool/record.h"
#include "tool/tool.h"
#include <errno.h>
#include <unistd.h>

#define HEAD  "{\"v\":1,\"event\":\"record\",\"at\":\"2026-01-02T03:04:05Z\"}\n"
#define OPEN  "{\"t\":10,\"conn\":1,\"event\":\"open\",\"client\":\"bytes\",\"server\":\"messages\"}\n"
#define DATA  "{\"t\":20,\"conn\":1,\"event\":\"data\",\"from\":\"client\",\"hex\":\"4142\"}\n"
#define END   "{\"t\":30,\"conn\":1,\"event\":\"end\",\"from\":\"client\"}\n"
#define CLOSE "{\"t\":40,\"conn\":1,\"event\":\"close\",\"by\":\"server\",\"reason\":\"reset\"}\n"

static struct record got;
static char why[300];

static int reads(const char *text, size_t n, uint64_t conn)
{
    FILE *f = fmemopen((void *)(uintptr_t)(n ? text : "x"), n ? n : 1, "r");
    CHECK(f);
    if (!n)
        getc(f);
    why[0] = 0;
    int r = record_read(f, "r", conn, &got, why, sizeof why);
    fclose(f);
    return r;
}

static int read_text(const char *text)
{
    return reads(text, strlen(text), 0);
}

TEST(a_connection_reads_as_its_events)
{
    CHECK_SAY(read_text(HEAD OPEN DATA END CLOSE) == -1, "%s", why);
    CHECK_INT(got.conn, 1);
    CHECK_INT(got.count, 4);
    CHECK(!got.messages[0] && got.messages[1] && got.reset && !got.by_client);
    CHECK_INT(got.event[1].kind, RECORD_DATA);
    CHECK_INT(got.event[1].us, 20);
    CHECK_INT(got.event[1].line, 3);
    CHECK_MEM(got.bytes.p + got.event[1].at, got.event[1].n, "AB", 2);
    record_free(&got);
}

TEST(other_connections_are_checked_and_left_out)
{
    static const char two[] = HEAD OPEN
        "{\"t\":11,\"conn\":7,\"event\":\"open\",\"client\":\"bytes\",\"server\":\"bytes\"}\n" DATA
        "{\"t\":21,\"conn\":7,\"event\":\"data\",\"from\":\"server\",\"as\":\"text\",\"hex\":\"43\",\"later\":[1]}\n";
    CHECK_SAY(reads(two, sizeof two - 1, 7) == -1, "%s", why);
    CHECK_INT(got.conn, 7);
    CHECK_INT(got.count, 2);
    CHECK_MEM(got.bytes.p, got.bytes.n, "C", 1);
    CHECK_INT(got.event[1].how, DX_TEXT);
    record_free(&got);
    CHECK_INT(reads(two, sizeof two - 1, 3), TOOL_USAGE);
    CHECK_STR(why, "r: there is no connection 3 in it");
}

TEST(what_is_broken_is_named_with_its_line)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "r: it is empty"},
        {HEAD, "r: there is no connection in it"},
        {"hello\n", "r:1: "},
        {"[1]\n", "r:1: no JSON object"},
        {"{}\n", "r:1: this is no record"},
        {"{\"v\":2,\"event\":\"record\"}\n", "r:1: a record of version 2; this duplex reads version 1"},
        {HEAD "{\"t\":1,\"conn\":1,\"event\":\"open\"", "was the writer stopped here?"},
        {HEAD OPEN "\n", "r:3: "},
        {HEAD "{\"t\":-1,\"conn\":1,\"event\":\"end\"}\n", "r:2: no number \"t\""},
        {HEAD "{\"t\":1,\"t\":2}\n", "r:2: duplicate object key"},
        {HEAD "{\"t\":1,\"conn\":0,\"event\":\"open\"}\n", "r:2: no number \"conn\" from 1 to 1048576"},
        {HEAD "{\"t\":1,\"conn\":1048577,\"event\":\"open\"}\n", "r:2: no number \"conn\""},
        {HEAD "{\"t\":1,\"conn\":1}\n", "r:2: no text \"event\""},
        {HEAD "{\"t\":1,\"conn\":1,\"event\":\"opened\"}\n", "r:2: no such event: \"opened\""},
        {HEAD "{\"t\":1,\"conn\":1,\"event\":\"open\",\"client\":\"bits\",\"server\":\"bytes\"}\n",
         "r:2: \"client\" is \"bits\"; it may be \"bytes\" or \"messages\""},
        {HEAD DATA, "r:2: connection 1 is not open"},
        {HEAD OPEN OPEN, "r:3: connection 1 opens twice"},
        {HEAD OPEN DATA OPEN, "r:4: its time is before that of the line before"},
        {HEAD OPEN "{\"t\":20,\"conn\":1,\"event\":\"data\",\"from\":\"me\",\"hex\":\"41\"}\n",
         "r:3: \"from\" is \"me\""},
        {HEAD OPEN "{\"t\":20,\"conn\":1,\"event\":\"data\",\"from\":\"client\"}\n", "r:3: no text \"hex\""},
        {HEAD OPEN "{\"t\":20,\"conn\":1,\"event\":\"data\",\"from\":\"client\",\"hex\":\"41x\"}\n",
         "r:3: \"hex\" does not read, from character 3 on"},
        {HEAD OPEN "{\"t\":20,\"conn\":1,\"event\":\"data\",\"from\":\"client\",\"hex\":\"41\",\"as\":1}\n",
         "r:3: no text \"as\""},
        {HEAD OPEN END "{\"t\":31,\"conn\":1,\"event\":\"data\",\"from\":\"client\",\"hex\":\"\"}\n",
         "r:4: the client had said its end"},
        {HEAD OPEN CLOSE "{\"t\":41,\"conn\":1,\"event\":\"end\",\"from\":\"server\"}\n",
         "r:4: connection 1 is not open"},
        {HEAD OPEN "{\"t\":40,\"conn\":1,\"event\":\"close\"}\n", "r:3: no text \"reason\" or \"by\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_SAY(read_text(rows[i].text) == TOOL_USAGE, "%s reads", rows[i].text);
        CHECK_SAY(strstr(why, rows[i].words), "%s: %s", rows[i].text, why);
    }
}

TEST(a_record_cut_anywhere_reads_or_says_why)
{
    static const char all[] = HEAD OPEN DATA END CLOSE;
    for (size_t n = 0; n < sizeof all - 1; n++) {
        int r = reads(all, n, 0);
        CHECK_SAY(r == -1 || (r == TOOL_USAGE && why[0]), "cut at %zu: %d %s", n, r, why);
        if (r == -1)
            record_free(&got);
    }
}

TEST(what_is_written_reads_again)
{
    char path[] = "/tmp/duplex-record-XXXXXX", text[4096];
    uint8_t bytes[256];
    struct recorder w;
    dx_err why_closed = {.code = DX_RESET, .text = "it \"broke\"\n\x1b"};
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    CHECK(mkdtemp(path));
    snprintf(text, sizeof text, "%s/r", path);
    CHECK_INT(recorder_open(&w, text, "tls://:1#key=secret"), 0);
    record_open(&w, 1, "tcp://a:1", "tls://b:2#key=secret", true, false);
    record_data(&w, 1, false, bytes, sizeof bytes, DX_BINARY, true);
    record_data(&w, 1, false, "", 0, DX_TEXT, true);
    record_data(&w, 1, true, bytes, 3, 0, false);
    record_data(&w, 1, true, NULL, 0, 0, false);
    record_close(&w, 1, "client", &why_closed);
    CHECK_INT(recorder_close(&w), 0);
    FILE *f = fopen(text, "r");
    CHECK(f && record_read(f, "r", 0, &got, why, sizeof why) == -1);
    CHECK_INT(got.count, 6);
    CHECK_MEM(got.bytes.p, got.event[1].n, bytes, sizeof bytes);
    CHECK_INT(got.event[1].how, DX_BINARY);
    CHECK_INT(got.event[2].how, DX_TEXT);
    CHECK_INT(got.event[2].n, 0);
    CHECK(got.event[4].kind == RECORD_END && got.event[4].server && got.reset && got.by_client);
    rewind(f);
    size_t n = fread(text + 100, 1, sizeof text - 101, f);
    text[100 + n] = 0;
    CHECK(!strstr(text + 100, "secret"));
    record_free(&got);
    fclose(f);
    unlink(text);
    CHECK_INT(recorder_open(&w, "/no/such/folder/r", "x"), ENOENT);
    rmdir(path);
}

TEST_MAIN
