/* SPDX-License-Identifier: MIT
 * Who hears what in a room: plain, datagram, WebSocket and JSON members over a library without sockets (hub_fake.h). */
#include "hub/hub.h"
#include "hub/name.h"
#include "hub_fake.h"
#include "test.h"
#include <time.h>

static dx_loop *loop;
static struct hub *hub;

static void start_with(const struct hub_opts *o)
{
    loop = fake_loop();
    hub = hub_new(loop, o, NULL);
    CHECK(hub);
    CHECK(hub_listen(hub, "any://127.0.0.1:2333", NULL));
}

static void start(void)
{
    start_with(NULL);
}

static void end(void)
{
    fake_end();
    hub_free(hub);
    hub = NULL;
}

static dx_conn *open_ws(const char *path, const char *protocols, const char *peer)
{
    struct fake_request r = {
        .method = "GET", .target = path, .host = "127.0.0.1:2333", .protocols = protocols, .ws = true};
    dx_conn *c = fake_http(&r, peer);
    CHECK_INT(c->status, 101);
    return c;
}

static dx_conn *open_json(const char *hello)
{
    dx_conn *c = open_ws("/", "duplex.json", NULL);
    fake_say(c, hello);
    return c;
}

#define CHECK_HAS(got, part)                                                                                           \
    do {                                                                                                               \
        const char *has_ = (got);                                                                                      \
        CHECK_SAY(strstr(has_, part), "no %s in %s", part, has_);                                                      \
    } while (0)

TEST(raw_members_hear_each_other_and_not_themselves)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("unix", NULL);
    fake_say(a, "hi");
    CHECK_STR(fake_out(a), "");
    CHECK_STR(fake_out(b), "nc-1: hi\n");
    fake_say(b, "你好");
    CHECK_STR(fake_out(a), "nc-2: 你好\n");
    end();
}

TEST(a_silent_conn_hears_but_is_not_listed_or_announced)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *silent = fake_open("tcp", NULL);
    struct hub_counts n;
    fake_say(a, "/who");
    CHECK_STR(fake_out(a), "* 1 here: nc-1 (tcp)\n");
    fake_say(a, "hi");
    CHECK_STR(fake_out(silent), "nc-1: hi\n");
    fake_gone(silent);
    CHECK_STR(fake_out(a), "");
    hub_count(hub, &n);
    CHECK_INT(n.members, 1);
    CHECK_INT(n.listed, 1);
    end();
}

TEST(a_gb_member_is_answered_in_its_coding)
{
    start();
    dx_conn *gb = fake_open("tcp", NULL), *utf8 = fake_open("tcp", NULL);
    fake_bytes(gb, "\xc4\xe3\xba\xc3", 4, DX_TEXT);
    CHECK_STR(fake_out(utf8), "nc-1: 你好\n");
    fake_say(utf8, "谢谢");
    CHECK_STR(fake_out(gb), "nc-2: \xd0\xbb\xd0\xbb\n");
    fake_bytes(gb, "/nick \xc4\xe3", 8, DX_TEXT);
    CHECK_HAS(fake_out(gb), "* you are \xc4\xe3\n");
    end();
}

TEST(who_comes_back_by_a_command_sees_his_own_earlier_words_too)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
    fake_say(a, "mine");
    fake_say(b, "yours");
    CHECK_STR(fake_out(a), "nc-2: yours\n");
    fake_say(a, "/join lab");
    fake_say(a, "/join lobby");
    CHECK_HAS(fake_out(a), "] nc-1: mine\n[");
    end();
}

TEST(help_names_the_commands_and_what_the_first_one_begins)
{
    start();
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/help");
    const char *out = fake_out(a);
    CHECK_HAS(out, "* /nick NAME ");
    CHECK_HAS(out, "* //TEXT ");
    CHECK_HAS(out, "from your first command on");
    CHECK(!strstr(out, "/lan"));
    end();
}

TEST(a_binary_websocket_message_that_is_text_is_text)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *w = open_ws("/", NULL, NULL);
    fake_bytes(w, "hi\n", 3, DX_BINARY);
    CHECK_STR(fake_out(a), "ws-1: hi\n");
    fake_bytes(w, "\xe4\xbd\xa0\thi", 6, DX_BINARY);
    CHECK_STR(fake_out(a), "ws-1: \xe4\xbd\xa0\thi\n");
    fake_bytes(w, "\x1b[2J", 4, DX_BINARY);
    CHECK_HAS(fake_out(a), "ws-1: [4 bytes] ");
    fake_bytes(w, "\xff\xfe", 2, DX_BINARY);
    CHECK_HAS(fake_out(a), "ws-1: [2 bytes] ");
    end();
}

TEST(commands_answer_with_a_star_and_begin_joins_and_leaves)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
    fake_say(b, "first");
    fake_out(a);
    fake_say(a, "/nick ada");
    CHECK_STR(fake_out(a), "* you are ada\n");
    CHECK_STR(fake_out(b), "");
    fake_say(b, "/nick Ada");
    CHECK_STR(fake_out(b), "* nick Ada is taken\n");
    fake_say(b, "/nick Bob Smith");
    CHECK_STR(fake_out(b), "* a nick is one word, without blanks\n");
    fake_say(b, "/nick bob");
    CHECK_STR(fake_out(a), "* nc-1 is now bob\n");
    dx_conn *c = fake_open("tcp", NULL);
    fake_say(c, "exit");
    CHECK(c->closed);
    fake_gone(c);
    CHECK_STR(fake_out(a), "* nc-3 joined\n* nc-3 left\n");
    fake_say(a, "/nosuch");
    CHECK_HAS(fake_out(a), "* no command /nosuch");
    fake_say(a, "//usr/bin");
    CHECK_STR(fake_out(b), "* you are bob\n* nc-3 joined\n* nc-3 left\nada: /usr/bin\n");
    end();
}

TEST(the_first_command_brings_the_last_twenty_that_it_has_not_heard)
{
    char text[32];
    start();
    dx_conn *a = fake_open("tcp", NULL);
    for (int i = 1; i <= 30; i++) {
        snprintf(text, sizeof(text), "m%d", i);
        fake_say(a, text);
    }
    dx_conn *b = fake_open("tcp", NULL);
    fake_say(a, "m31");
    CHECK_STR(fake_out(b), "nc-1: m31\n");
    fake_say(b, "/who");
    const char *out = fake_out(b);
    int hour, minute;
    CHECK_INT(sscanf(out, "[%2d:%2d] nc-1: m12\n", &hour, &minute), 2);
    CHECK_HAS(out, "] nc-1: m12\n[");
    CHECK(!strstr(out, "m11"));
    CHECK_HAS(out, "] nc-1: m30\n* 2 here: nc-1 (tcp), nc-2 (tcp)\n");
    CHECK(!strstr(out, "m31"));
    fake_say(b, "/who");
    CHECK_STR(fake_out(b), "* 2 here: nc-1 (tcp), nc-2 (tcp)\n");
    end();
}

TEST(no_message_can_pretend_to_be_another)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = open_ws("/", NULL, NULL);
    fake_say(b, "one\nbob: two\x1b[2J\x7f\xc2\x9b\tend\r\n");
    CHECK_STR(fake_out(a), "ws-1: one\n  bob: two␛[2J␡�\tend\n");
    end();
}

TEST(nicks_that_would_deceive_are_refused)
{
    static const char *const bad[] = {"",
                                      "a b",
                                      "*",
                                      "/x",
                                      "a:b",
                                      "a\xe2\x80\xae",
                                      "\xe2\x80\x8b",
                                      "\x1b[m",
                                      "\xff",
                                      "a\xe3\x80\x80",
                                      "a\xc2\xa0z",
                                      "123456789012345678901234567890123"};
    static const char *const good[] = {"ada", "你好", "é", "nc-7", "12345678901234567890123456789012", "😀"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_SAY(nick_fault(bad[i], strlen(bad[i])), "'%s' was taken", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CHECK_SAY(!nick_fault(good[i], strlen(good[i])), "'%s' was not taken", good[i]);
}

TEST(private_words_reach_one_alone)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL), *c = fake_open("tcp", NULL);
    fake_say(b, "/nick bob");
    fake_say(c, "/nick cy");
    fake_out(b), fake_out(c);
    fake_say(a, "/msg bob psst now");
    CHECK_STR(fake_out(b), "* nc-3 joined\nnc-3 (to you): psst now\n");
    CHECK_STR(fake_out(a), "* told bob\n");
    CHECK_STR(fake_out(c), "* nc-3 joined\n");
    fake_say(a, "/msg nobody x");
    CHECK_STR(fake_out(a), "* nobody here is called nobody\n");
    end();
}

TEST(rooms_are_apart_and_go_when_empty)
{
    struct hub_counts n;
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = open_ws("/~r/lab", NULL, NULL), *c = open_ws("/lab", NULL, NULL);
    fake_say(a, "lobby only");
    CHECK_STR(fake_out(b), "");
    fake_say(a, "/join lab");
    CHECK_HAS(fake_out(a), "* this is room lab, you are nc-1\n");
    fake_say(b, "in lab");
    CHECK_STR(fake_out(a), "ws-1: in lab\n");
    CHECK_STR(fake_out(c), "ws-1: in lab\n");
    fake_say(a, "/join no/such");
    CHECK_HAS(fake_out(a), "* a room's name");
    hub_count(hub, &n);
    CHECK_INT(n.rooms, 2);
    fake_gone(b), fake_gone(c), fake_gone(a);
    hub_count(hub, &n);
    CHECK_INT(n.rooms, 1);
    CHECK_INT(n.members, 0);
    end();
}

TEST(rooms_of_one_address_are_limited)
{
    char text[32];
    start();
    dx_conn *c[40];
    for (int i = 0; i < 33; i++) {
        snprintf(text, sizeof(text), "/join r%d", i);
        c[i] = fake_open("tcp", NULL);
        fake_say(c[i], text);
    }
    CHECK_HAS(fake_out(c[31]), "* this is room r31");
    CHECK_HAS(fake_out(c[32]), "* there are too many rooms");
    end();
}

TEST(binary_is_hex_to_text_members_and_exact_to_plain_websockets)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = open_ws("/", NULL, NULL), *j = open_json("{\"do\":\"hello\"}"),
            *w = open_ws("/", NULL, NULL);
    fake_out(j);
    fake_bytes(w, "\x01\x02\xff", 3, DX_BINARY);
    CHECK_STR(fake_out(a), "ws-2: [3 bytes] 01 02 FF\n");
    CHECK_STR(fake_out(b), "\x01\x02\xff\n");
    CHECK_HAS(fake_out(j), "\"text\":\"[3 bytes] 01 02 FF\",\"binary\":true,\"raw\":\"AQL/\"}");
    fake_bytes(a, "a\0b", 3, DX_TEXT);
    CHECK_HAS(fake_out(j), "[3 bytes] 61 00 62");
    end();
}

TEST(a_stalled_member_is_told_what_it_missed_and_costs_the_room_nothing)
{
    struct hub_opts o = {.room_bytes_max = 4096};
    struct hub_counts n;
    start_with(&o);
    dx_conn *slow = fake_open("tcp", NULL), *quick = fake_open("tcp", NULL), *a = fake_open("tcp", NULL);
    slow->room = 64;
    for (int i = 0; i < 100; i++) {
        fake_say(a, "0123456789012345678901234567890123456789");
        quick->queued = 0;
    }
    CHECK(slow->sends < 3);
    CHECK_INT(quick->sends, 100);
    fake_out(slow);
    slow->room = 64 * 1024;
    fake_drain(slow);
    const char *out = fake_out(slow);
    CHECK_SAY(!strncmp(out, "* 9", 3) || !strncmp(out, "* 8", 3), "%s", out);
    CHECK_HAS(out, " messages missed\nnc-1: 0123");
    hub_count(hub, &n);
    CHECK_INT(n.missed + (uint64_t)slow->sends - 1, 100);
    end();
}

TEST(hello_is_welcomed_and_gets_the_last_that_it_asks_for)
{
    start();
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "one"), fake_say(a, "two"), fake_say(a, "three");
    dx_conn *j = open_json("{\"do\":\"hello\",\"nick\":\"ada\",\"last\":2}");
    const char *out = fake_out(j);
    CHECK(!strncmp(out, "{\"is\":\"welcome\",\"epoch\":\"", 25));
    CHECK_HAS(
        out,
        "\"offset\":3,\"room\":\"lobby\",\"nick\":\"ada\",\"version\":\"0.1.0\",\"urls\":[\"tcp://127.0.0.1:2333\","
        "\"udp://127.0.0.1:2333\",\"tcp://[::1]:2333\",\"udp://[::1]:2333\"],\"lan\":false}\n");
    CHECK_HAS(out, "{\"is\":\"msg\",\"offset\":2,");
    CHECK_HAS(out, "\"from\":\"nc-1\",\"wire\":\"tcp\",\"text\":\"three\"}\n");
    CHECK(!strstr(out, "one"));
    fake_pass(20);
    CHECK_HAS(fake_out(j), "{\"is\":\"who\",\"members\":[{\"nick\":\"nc-1\",\"wire\":\"tcp\",\"since\":");
    dx_conn *k = open_json("{\"do\":\"hello\",\"nick\":\"ADA\"}");
    CHECK_HAS(fake_out(k), "\"nick\":\"ADA-2\"");
    end();
}

static void epoch_of(const char *out, char ret[32])
{
    const char *p = strstr(out, "\"epoch\":\"");
    CHECK(p);
    snprintf(ret, 32, "%.16s", p + 9);
}

TEST(a_reconnect_takes_its_place_and_gets_what_it_missed_once)
{
    char epoch[32], hello[256];
    start();
    dx_conn *a = fake_open("tcp", NULL), *j = open_json("{\"do\":\"hello\",\"nick\":\"ada\",\"me\":\"s3cret\"}");
    epoch_of(fake_out(j), epoch);
    fake_say(j, "{\"do\":\"say\",\"id\":\"x-1\",\"text\":\"hi\"}");
    CHECK_HAS(fake_out(j), "{\"is\":\"ack\",\"id\":\"x-1\",\"offset\":1}\n{\"is\":\"msg\",\"offset\":1,");
    fake_say(a, "while you were away");
    snprintf(hello, sizeof(hello),
             "{\"do\":\"hello\",\"nick\":\"ada\",\"me\":\"s3cret\",\"epoch\":\"%s\",\"offset\":1}", epoch);
    dx_conn *k = open_json(hello);
    CHECK_INT(j->ws_code, 4001);
    const char *out = fake_out(k);
    CHECK_HAS(out, "\"nick\":\"ada\",");
    CHECK_HAS(out, "while you were away");
    CHECK(!strstr(out, "\"hi\""));
    fake_out(a);
    fake_say(k, "{\"do\":\"say\",\"id\":\"x-1\",\"text\":\"hi\"}");
    CHECK_STR(fake_out(k), "{\"is\":\"ack\",\"id\":\"x-1\",\"offset\":1}\n");
    CHECK_STR(fake_out(a), "");
    fake_gone(j); /* the ghost goes at last, and nobody is told */
    fake_say(k, "{\"do\":\"who\"}");
    CHECK_HAS(fake_out(k), "\"nick\":\"ada\"");
    end();
}

TEST(a_foreign_epoch_gets_the_last)
{
    start();
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "one");
    CHECK_HAS(fake_out(open_json("{\"do\":\"hello\",\"epoch\":\"no\",\"offset\":1,\"last\":5}")), "\"one\"");
    CHECK_HAS(fake_out(open_json("{\"do\":\"hello\",\"epoch\":\"no\",\"offset\":900,\"last\":5}")), "\"one\"");
    end();
}

TEST(json_nonsense_is_an_error_and_harms_nobody)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "[]",
                                      "{}",
                                      "{\"do\":1}",
                                      "{\"do\":\"say\"}",
                                      "{\"do\":\"say\",\"text\":7}",
                                      "{\"do\":\"say\",\"text\":\"a\\u0000b\"}",
                                      "{\"do\":\"to\",\"text\":\"x\"}",
                                      "{\"do\":"};
    start();
    dx_conn *j = open_json("{\"do\":\"hello\"}");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        fake_out(j);
        fake_say(j, bad[i]);
        CHECK_HAS(fake_out(j), "\"code\":\"bad-json\"");
    }
    fake_say(j, "{\"do\":\"something new\"}");
    CHECK_STR(fake_out(j), "");
    fake_say(j, "{\"do\":\"nick\",\"nick\":\"a b\"}");
    CHECK_HAS(fake_out(j), "\"code\":\"bad-nick\"");
    fake_say(j, "{\"do\":\"to\",\"nick\":\"x\",\"text\":\"t\",\"id\":\"7\"}");
    CHECK_HAS(fake_out(j), "\"code\":\"no-such-nick\",\"text\":\"nobody here is called that\",\"id\":\"7\"}");
    fake_say(j, "{\"do\":\"ping\"}");
    CHECK_STR(fake_out(j), "{\"is\":\"pong\"}\n");
    end();
}

TEST(without_the_key_one_line_and_nothing_else)
{
    struct hub_opts o = {.key = "k3y-of-room"};
    start_with(&o);
    dx_conn *in = fake_open("tcp", NULL), *out = fake_open("tcp", "tcp://192.0.2.7:1000");
    fake_say(in, "secret");
    fake_say(out, "let me in");
    CHECK_STR(fake_out(out), "* this room wants a key: say /key K first; serve printed it\n");
    fake_say(out, "let me in"), fake_say(out, "/who");
    CHECK_STR(fake_out(out), "");
    CHECK_STR(fake_out(in), "");
    fake_say(out, "/key k3y-of-roo");
    CHECK_STR(fake_out(out), "* that is not the key\n");
    fake_say(out, "/key k3y-of-room");
    CHECK_STR(fake_out(out), "* the key is right\n");
    fake_say(out, "hi");
    CHECK_STR(fake_out(in), "nc-2: hi\n");
    end();
}

TEST(wrong_keys_are_counted_by_address)
{
    struct hub_opts o = {.key = "k"};
    start_with(&o);
    dx_conn *a = NULL;
    for (int i = 0; i < 6; i++) {
        a = fake_open("tcp", "tcp://192.0.2.7:1000");
        fake_say(a, "/key x");
        if (i < 5) {
            CHECK_STR(fake_out(a), "* that is not the key\n");
            fake_gone(a);
        }
    }
    CHECK_STR(fake_out(a), "* too many wrong keys: wait a minute\n");
    CHECK(a->closed);
    dx_conn *b = fake_open("tcp", "tcp://192.0.2.7:1001"), *c = fake_open("tcp", "tcp://192.0.2.8:1001");
    fake_say(b, "/key k"), fake_say(c, "/key k");
    CHECK_HAS(fake_out(b), "too many");
    CHECK_STR(fake_out(c), "* the key is right\n");
    fake_pass(60000);
    dx_conn *d = fake_open("tcp", "tcp://192.0.2.7:1001");
    fake_say(d, "/key k");
    CHECK_STR(fake_out(d), "* the key is right\n");
    end();
}

TEST(who_shows_no_key_is_closed_in_time)
{
    struct hub_opts o = {.key = "k"};
    start_with(&o);
    dx_conn *a = fake_open("tcp", "tcp://192.0.2.7:1000"), *j = open_ws("/", "duplex.json", "tcp://192.0.2.7:1001");
    fake_pass(30000);
    CHECK(a->closed && j->closed);
    end();
}

TEST(a_page_shows_the_key_in_hello)
{
    struct hub_opts o = {.key = "k"};
    start_with(&o);
    dx_conn *j = open_ws("/", "duplex.json", "tcp://192.0.2.7:1000"),
            *k = open_ws("/", "duplex.json", "tcp://192.0.2.7:1000");
    fake_say(j, "{\"do\":\"hello\",\"key\":\"wrong\"}");
    CHECK_HAS(fake_out(j), "\"code\":\"bad-key\"");
    CHECK_INT(j->ws_code, 4003);
    fake_say(k, "{\"do\":\"hello\",\"key\":\"k\"}");
    CHECK_HAS(fake_out(k), "\"is\":\"welcome\"");
    end();
}

TEST(a_stranger_by_datagram_is_never_sent_more_than_it_sent)
{
    start();
    dx_conn *in = fake_open("tcp", NULL), *u = fake_open("udp", "udp://192.0.2.9:5000");
    char cookie[64], text[64];
    fake_say(u, "hi");
    CHECK_STR(fake_out(in), "udp-1: hi\n");
    fake_say(in, "a long answer that nobody asked for");
    fake_say(u, "/who"), fake_say(u, "/help");
    CHECK(u->out_bytes <= u->in);
    CHECK_STR(fake_out(u), "");
    fake_say(u, "/hear                               ");
    snprintf(cookie, sizeof(cookie), "%.22s", fake_out(u));
    CHECK(!strncmp(cookie, "/hear ", 6));
    CHECK(u->out_bytes <= u->in);
    fake_say(u, "/hear 0000000000000001");
    fake_say(in, "still silent");
    CHECK_STR(fake_out(u), "");
    fake_say(u, cookie);
    fake_out(u);
    fake_say(in, "now you hear");
    CHECK_STR(fake_out(u), "nc-1: now you hear\n");
    fake_pass(60000);
    fake_say(in, "too late");
    CHECK_STR(fake_out(u), "");
    snprintf(text, sizeof(text), "%s", cookie);
    fake_say(u, text);
    fake_say(in, "again");
    CHECK_STR(fake_out(u), "nc-1: again\n");
    end();
}

TEST(a_datagram_peer_of_this_machine_hears_at_once)
{
    start();
    dx_conn *in = fake_open("tcp", NULL), *u = fake_open("udp", NULL);
    fake_say(u, "hi\n");
    CHECK_STR(fake_out(in), "udp-1: hi\n");
    fake_say(in, "ho");
    CHECK_STR(fake_out(u), "nc-1: ho\n");
    end();
}

TEST(an_address_holds_so_many_conns_unless_it_is_this_machine)
{
    start();
    dx_conn *c = NULL;
    for (int i = 0; i < 65; i++)
        c = fake_open("tcp", "tcp://[2001:db8::1]:1000");
    CHECK(c->closed);
    CHECK_STR(fake_out(c), "* too many connections from your address\n");
    c = fake_open("tcp", "tcp://[2001:db8::ffff]:1000"); /* the same /64 */
    CHECK(c->closed);
    c = fake_open("tcp", "tcp://[2001:db8:0:1::1]:1000");
    CHECK(!c->closed);
    for (int i = 0; i < 100; i++)
        c = fake_open("tcp", NULL);
    CHECK(!c->closed);
    end();
}

TEST(over_its_rate_a_stream_waits_and_a_datagram_is_dropped)
{
    start();
    dx_conn *near = fake_open("tcp", NULL), *far = fake_open("tcp", "tcp://192.0.2.7:1000"),
            *u = fake_open("udp", "udp://192.0.2.7:1000");
    for (int i = 0; i < 20; i++)
        fake_say(far, "x");
    CHECK(!far->paused);
    fake_say(far, "x");
    CHECK(far->paused);
    fake_pass(100);
    CHECK(!far->paused);
    for (int i = 0; i < 100; i++)
        fake_say(near, "x");
    CHECK(!near->paused);
    fake_out(near);
    for (int i = 0; i < 100; i++)
        fake_say(u, "x");
    CHECK_INT(strlen(fake_out(near)), 20 * strlen("udp-1: x\n"));
    end();
}

static dx_conn *get(const char *method, const char *target, const char *host)
{
    struct fake_request r = {.method = method, .target = target, .host = host};
    return fake_http(&r, NULL);
}

TEST(only_the_page_its_files_and_rooms_are_there)
{
    static const struct {
        const char *method, *target;
        int status;
    } table[] = {{"GET", "/", 200},   {"HEAD", "/", 200},         {"GET", "/~", 200},       {"GET", "/~page.js", 200},
                 {"GET", "/?x", 200}, {"GET", "/~page.css", 200}, {"GET", "/x", 404},       {"GET", "/~~", 404},
                 {"POST", "/", 405},  {"GET", "/~r/lobby", 426},  {"GET", "/~r/a.b", 404},  {"GET", "/../x", 404},
                 {"GET", "//", 404},  {"GET", "/~r/", 404},       {"PUT", "/~r/lobby", 405}};
    start();
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        dx_conn *c = get(table[i].method, table[i].target, "localhost:2333");
        CHECK_SAY(c->status == table[i].status, "%s %s: %d", table[i].method, table[i].target, c->status);
        CHECK_HAS(c->fields, "Content-Security-Policy: default-src 'none'");
        CHECK_HAS(c->fields, "X-Content-Type-Options: nosniff");
        CHECK_HAS(c->fields, "Referrer-Policy: no-referrer");
    }
    dx_conn *c = get("GET", "/", "localhost");
    char tag[64];
    snprintf(tag, sizeof(tag), "%.18s", strstr(c->fields, "ETag: ") + 6);
    struct fake_request again = {.method = "GET", .target = "/", .host = "localhost", .if_none_match = tag};
    CHECK_INT(fake_http(&again, NULL)->status, 304);
    end();
}

TEST(a_host_that_is_not_this_machine_is_misdirected)
{
    static const char *const good[] = {"127.0.0.1:2333", "127.0.0.1",  "localhost",
                                       "LOCALHOST:80",   "[::1]:2333", "extra.example:1"};
    static const char *const bad[] = {NULL,
                                      "",
                                      "evil.example",
                                      "127.0.0.1.evil.example",
                                      "127.0.0.2:2333",
                                      "0.0.0.0:2333",
                                      "localhost.",
                                      "[::]:2333",
                                      "127.1:2333",
                                      "localhost:x",
                                      "localhost:",
                                      "localhost:99999",
                                      "::1",
                                      "[::1",
                                      "a@localhost",
                                      "127.0.0.1:2333:1",
                                      "xlocalhost",
                                      "[0:0:0:0:0:0:0:1]:2333",
                                      "2130706433"};
    static const char *const hosts[] = {"extra.example", NULL};
    struct hub_opts o = {.hosts = hosts};
    start_with(&o);
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CHECK_SAY(get("GET", "/", good[i])->status == 200, "%s was refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_SAY(get("GET", "/", bad[i])->status == 421, "%s was taken", bad[i] ? bad[i] : "none");
    CHECK_INT(get("OPTIONS", "*", "evil.example")->status, 421);
    CHECK_INT(get("OPTIONS", "*", "localhost")->status, 405);
    struct fake_request ws = {
        .method = "GET", .target = "/", .host = "evil.example", .origin = "evil.example", .ws = true};
    CHECK_INT(fake_http(&ws, NULL)->status, 421);
    end();
}

TEST(a_foreign_origin_gets_no_websocket)
{
    struct fake_request r = {.method = "GET", .target = "/", .host = "localhost", .origin = "evil.example", .ws = true};
    struct hub_counts n;
    start();
    CHECK_INT(fake_http(&r, NULL)->status, 403);
    hub_count(hub, &n);
    CHECK_INT(n.members, 0);
    end();
}

TEST(a_silent_websocket_is_pinged_and_given_up)
{
    start();
    dx_conn *w = open_ws("/", NULL, NULL), *raw = fake_open("tcp", NULL);
    for (int i = 0; i < 3; i++)
        fake_pass(10000);
    CHECK_STR(fake_out(w), "PING\n");
    w->h->on_event(w, DX_PONG, NULL);
    for (int i = 0; i < 7; i++)
        fake_pass(10000);
    CHECK(!w->aborted);
    for (int i = 0; i < 2; i++)
        fake_pass(10000);
    CHECK(w->aborted && !raw->aborted);
    end();
}

static char shown[4096];
static void show_line(void *arg, const struct hub_line *l)
{
    (void)arg;
    snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%s%s: %.*s\n", l->own ? "(own) " : "", l->from,
             (int)l->n, l->text);
}
static void show_notice(void *arg, const char *text, size_t n)
{
    (void)arg;
    snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%.*s\n", (int)n, text);
}
static void open_lan(void *arg, dx_text *answer)
{
    (void)arg;
    dx_text_add(answer, "* open", 6);
}

TEST(the_terminal_is_a_member)
{
    static const struct hub_watch w = {.message = show_line, .notice = show_notice, .lan = open_lan};
    start();
    *shown = 0;
    struct hub_local *l = hub_join(hub, "me", &w, NULL, NULL);
    dx_conn *a = fake_open("tcp", NULL);
    hub_said(l, "hello", 5);
    fake_say(a, "hi");
    CHECK_STR(fake_out(a), "me: hello\n");
    hub_said(l, "/lan", 4);
    fake_say(a, "/lan");
    CHECK_STR(shown, "(own) me: hello\nnc-1: hi\n* open\n");
    CHECK_HAS(fake_out(a), "* only whoever runs serve can");
    *shown = 0;
    fake_say(a, "/msg me psst");
    CHECK_STR(shown, "nc-1 (to you): psst\n");
    hub_drain(hub, 100);
    end();
}

/* All in one turn. */
static void say_numbers(dx_conn *c, int n)
{
    char line[8];
    for (int i = 0; i < n; i++)
        c->h->on_data(c, line, (size_t)snprintf(line, sizeof(line), "%d", i), DX_TEXT);
}

TEST(a_turn_that_brings_more_than_a_room_holds_costs_nobody_a_word)
{
    static const struct hub_watch w = {.message = show_line};
    struct hub_opts o = {.room_bytes_max = 4096};
    struct hub_counts n;
    start_with(&o);
    struct hub_local *l = hub_join(hub, NULL, &w, NULL, NULL);
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
    char big[3000], want[4096] = "";
    *shown = 0;
    say_numbers(a, 100);
    memset(big, 'x', sizeof(big));
    a->h->on_data(a, big, sizeof(big), DX_TEXT);
    fake_turn();
    for (int i = 0; i < 100; i++)
        snprintf(want + strlen(want), sizeof(want) - strlen(want), "nc-1: %d\n", i);
    CHECK(!strncmp(shown, want, strlen(want)));
    CHECK_INT(strlen(shown), strlen(want) + 6 + sizeof(big) + 1);
    CHECK_STR(shown, fake_out(b));
    hub_count(hub, &n);
    CHECK_INT(n.missed, 0);
    hub_leave(l);
    end();
}

static void count_missed(void *arg, uint64_t count)
{
    *(uint64_t *)arg += count;
}

TEST(the_terminal_and_the_log_too_are_told_what_they_missed)
{
    static const struct hub_watch counts = {.missed = count_missed}, w = {.message = show_line, .notice = show_notice},
                                  deaf = {.message = show_line};
    struct hub_opts o = {.room_age_ms_max = 20};
    start_with(&o);
    uint64_t missed = 0;
    struct hub_local *l = hub_join(hub, NULL, &w, NULL, NULL), *log = hub_join(hub, NULL, &deaf, NULL, NULL);
    CHECK(hub_join(hub, NULL, &counts, &missed, NULL));
    dx_conn *a = fake_open("tcp", NULL);
    *shown = 0;
    say_numbers(a, 9);
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL); /* they become too old before the turn ends */
    a->h->on_data(a, "late", 4, DX_TEXT);
    fake_turn();
    CHECK_STR(shown, "* 9 messages missed\nnc-1: late\nnc-1: late\n");
    CHECK_INT(missed, 9);
    hub_leave(log);
    hub_leave(l);
    end();
}

TEST(the_end_of_the_hub_closes_websockets_with_1001)
{
    start();
    dx_conn *w = open_ws("/", NULL, NULL), *a = fake_open("tcp", NULL);
    a->h->on_data(a, "last words", 10, DX_TEXT); /* no turn has passed yet */
    hub_drain(hub, 100);
    CHECK_INT(w->ws_code, 1001);
    CHECK_STR(fake_out(w), "nc-1: last words\n");
    CHECK_STR(fake_out(a), "* the room closes\n");
    end();
}

TEST(an_end_of_input_leaves_after_what_was_said_before)
{
    start();
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
    b->h->on_data(b, "last", 4, DX_TEXT);
    a->h->on_end(a);
    CHECK(a->closed);
    CHECK_STR(fake_out(a), "nc-1: last\n");
    fake_turn();
    end();
}

TEST(a_request_in_pieces_is_not_heard)
{
    static const struct {
        const char *first, *then;
        bool request;
    } table[] = {{"GET", " / HTTP/1.1\r\nX: canary", true},
                 {"GE", "T / HTTP/1.1", true},
                 {"POST", " /x?canary", true},
                 {"OPTIONS", " * HTTP/1.1", true},
                 {"CONNECT", " a:1 HTTP/1.1", true},
                 {"PRI", " * HTTP/2.0", true},
                 {"SSH", "-2.0-canary", true},
                 {"PROXY", " TCP4 1.1.1.1", true},
                 {"GET", " up, guys", false},
                 {"OK", "/ HTTP/1.1", false},
                 {"HELLO", "world", false},
                 {"hello", " / HTTP/1.1", false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        start();
        dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
        fake_say(b, table[i].first);
        fake_say(b, table[i].then);
        const char *out = fake_out(a);
        CHECK_SAY(b->closed == table[i].request, "%s%s", table[i].first, table[i].then);
        CHECK_SAY(!strstr(out, "canary"), "%s", out);
        end();
    }
    start();
    dx_conn *a = fake_open("unix", NULL), *b = fake_open("unix", NULL);
    fake_say(b, "GET /canary HTTP/1.1");
    CHECK(b->closed);
    CHECK_STR(fake_out(a), "");
    end();
}

TEST(what_is_too_big_gets_one_line_before_the_end)
{
    dx_err big = {.code = DX_BIG};
    start();
    dx_conn *a = fake_open("tcp", NULL), *j = open_json("{\"do\":\"hello\"}");
    fake_out(j);
    a->h->on_event(a, DX_BROKEN, &big);
    j->h->on_event(j, DX_BROKEN, &big);
    CHECK_HAS(fake_out(a), "is not speech: send lines, or shorter messages");
    CHECK_HAS(fake_out(j), "\"code\":\"too-big\"");
    end();
}

TEST_MAIN
