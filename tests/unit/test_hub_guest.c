/* SPDX-License-Identifier: MIT
 * Members by HTTP alone: what each answer holds, what is asked of who speaks, and when they go (hub_fake.h). */
#include "hub/guest.h"
#include "hub/hub.h"
#include "hub_fake.h"
#include "test.h"

static struct hub *hub;
static char token[40];
static char last_at[80];

static void start_with(const struct hub_opts *o)
{
    hub = hub_new(fake_loop(), o, NULL);
    CHECK(hub);
    CHECK(hub_listen(hub, "any://127.0.0.1:2333", NULL));
    snprintf(token, sizeof(token), "%s", hub->token);
    *last_at = 0;
}

static void end(void)
{
    fake_end();
    hub_free(hub);
    hub = NULL;
}

#define CHECK_HAS(got, part)                                                                                           \
    do {                                                                                                               \
        const char *has_ = (got);                                                                                      \
        CHECK_SAY(strstr(has_, part), "no %s in %s", part, has_);                                                      \
    } while (0)

#define GET(...) ((struct fake_request){.method = "GET", .host = "127.0.0.1:2333", __VA_ARGS__})
#define POST(...)                                                                                                      \
    ((struct fake_request){.method = "POST",                                                                           \
                           .target = "/~r/lobby",                                                                      \
                           .host = "127.0.0.1:2333",                                                                   \
                           .type = "application/json",                                                                 \
                           .token = token,                                                                             \
                           __VA_ARGS__})

static dx_conn *ask_from(struct fake_request r, const char *peer)
{
    if (!r.target)
        r.target = "/~r/lobby";
    if (!r.accept && !strstr(r.target, "poll"))
        r.accept = "application/json";
    return fake_http(&r, peer);
}

static dx_conn *ask(struct fake_request r)
{
    return ask_from(r, NULL);
}

/* What the exchange got as its answer; it is over then. */
static const char *answer(dx_conn *c)
{
    const char *out = fake_out(c), *at = strstr(out, "\"at\":\"");
    if (at)
        snprintf(last_at, sizeof(last_at), "%.*s", (int)strcspn(at + 6, "\""), at + 6);
    fake_gone(c);
    return out;
}

/* A poll that does not wait, from where the last one has heard. */
static const char *poll_now(const char *me, const char *target)
{
    static char at[80];
    snprintf(at, sizeof(at), "%s", last_at);
    dx_conn *c = ask(GET(.me = me, .target = target, .last_id = *at ? at : NULL));
    CHECK_INT(c->status, 200);
    return answer(c);
}

static const char *post(const char *me, const char *json, int status)
{
    dx_conn *c = ask(POST(.me = me));
    if (!c->status) {
        fake_say(c, json);
        fake_ended(c);
    }
    CHECK_INT(c->status, status);
    return answer(c);
}

#define NOW "/~r/lobby?wait=0"

TEST(how_far_is_read_strictly)
{
    static const char *const bad[] = {"",       "k3",       "k3.",   "k3.x",  "k3.1.",
                                      "k3.1.x", "k3.1.2.3", "k3.-1", "k3. 1", "k3.1234567890123456789"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_SAY(!at_read((dx_bytes){bad[i], strlen(bad[i])}).said, "%s was taken", bad[i]);
    CHECK(!at_read((dx_bytes){NULL, 0}).said);
    struct at at = at_read((dx_bytes){"k3.41.7", 7});
    CHECK(at.said && at.numbered && at.epoch_n == 2 && at.offset == 41 && at.number == 7);
    at = at_read((dx_bytes){"k3.41", 5});
    CHECK(at.said && !at.numbered && at.offset == 41);
}

TEST(the_first_answer_is_a_welcome_with_a_token)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "before");
    const char *out = poll_now("s3cret", "/~r/lobby?nick=ada&last=5&wait=0");
    CHECK(!strncmp(out, "[{\"is\":\"welcome\",\"epoch\":\"", 26));
    CHECK_HAS(out, "\"offset\":1,\"room\":\"lobby\",\"nick\":\"ada\",");
    CHECK_HAS(out, token);
    CHECK_HAS(out, "},{\"is\":\"who\",\"members\":[{\"nick\":\"nc-1\",\"wire\":\"tcp\",");
    CHECK_HAS(out, "{\"nick\":\"ada\",\"wire\":\"http\",");
    CHECK_HAS(out, ",{\"is\":\"msg\",\"offset\":1,");
    CHECK_HAS(out, "},{\"is\":\"at\",\"at\":\"");
    out = poll_now("s3cret", NOW);
    CHECK(!strncmp(out, "[{\"is\":\"at\"", 11));
    end();
}

TEST(a_poll_waits_for_news_and_the_next_goes_on_behind_them)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "one");
    poll_now("s3cret", "/~r/lobby?last=9&wait=0");
    fake_pass(600); /* who is here is told again: itself */
    poll_now("s3cret", NOW);
    dx_conn *c = ask(GET(.me = "s3cret", .last_id = last_at));
    CHECK_INT(c->status, 0);
    CHECK_INT(c->parked_ms, 25000);
    fake_say(a, "two");
    CHECK_INT(c->status, 200);
    fake_say(a, "three"); /* between two polls */
    const char *out = answer(c);
    CHECK_HAS(out, "\"two\"}");
    CHECK(!strstr(out, "one") && !strstr(out, "three") && !strstr(out, "welcome"));
    out = poll_now("s3cret", NOW);
    CHECK_HAS(out, "\"three\"}");
    CHECK(!strstr(out, "two"));
    end();
}

TEST(an_answer_that_was_lost_is_given_again)
{
    char at[80];
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/nick bob");
    poll_now("s3cret", "/~r/lobby?nick=ada&wait=0");
    strcpy(at, last_at);
    fake_say(a, "one");
    fake_say(a, "/msg ada psst");
    for (int i = 0; i < 2; i++) {
        strcpy(last_at, at);
        const char *out = poll_now("s3cret", NOW);
        CHECK_HAS(out, "\"one\"}");
        CHECK_HAS(out, "{\"is\":\"private\",\"from\":\"bob\",\"to\":\"ada\",\"text\":\"psst\"");
    }
    const char *out = poll_now("s3cret", NOW);
    CHECK(!strstr(out, "one") && !strstr(out, "psst"));
    end();
}

TEST(a_flood_comes_in_answers_of_bounded_size_and_what_was_dropped_is_counted)
{
    static char long_text[60001];
    struct hub_opts o = {.room_bytes_max = 400000};
    int got = 0, answers = 0;
    memset(long_text, 'x', 60000);
    start_with(&o);
    dx_conn *a = fake_open("tcp", NULL);
    poll_now("s3cret", NOW);
    for (int i = 0; i < 10; i++)
        fake_say(a, long_text);
    const char *out = poll_now("s3cret", NOW);
    CHECK_HAS(out, "{\"is\":\"missed\",\"count\":");
    for (; strstr(out, "\"msg\""); answers++, out = poll_now("s3cret", NOW)) {
        for (const char *p = out; (p = strstr(p, "\"is\":\"msg\"")); p++)
            got++;
        CHECK_SAY(strlen(out) < 200000, "%zu bytes", strlen(out));
    }
    CHECK_SAY(got >= 3 && got < 10 && answers >= got / 2, "%d messages in %d answers", got, answers);
    end();
}

TEST(what_it_says_is_acknowledged_and_said_once)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    poll_now("s3cret", "/~r/lobby?nick=ada&wait=0");
    CHECK_STR(post("s3cret", "{\"do\":\"say\",\"id\":\"x-1\",\"text\":\"hi\"}", 200),
              "[{\"is\":\"ack\",\"id\":\"x-1\",\"offset\":1}]");
    CHECK_STR(post("s3cret", "{\"do\":\"say\",\"id\":\"x-1\",\"text\":\"hi\"}", 200),
              "[{\"is\":\"ack\",\"id\":\"x-1\",\"offset\":1}]");
    CHECK_STR(fake_out(a), "ada: hi\n");
    CHECK_HAS(poll_now("s3cret", NOW), "\"from\":\"ada\",\"wire\":\"http\",\"text\":\"hi\",\"id\":\"x-1\"}");
    CHECK_STR(post("s3cret", "{\"do\":\"ping\"}", 200), "[{\"is\":\"pong\"}]");
    CHECK_STR(post("s3cret", "{\"do\":\"nick\",\"nick\":\"bob\"}", 200), "[{\"is\":\"nick\",\"nick\":\"bob\"}]");
    CHECK_HAS(post("s3cret", "{\"do\":\"who\"}", 200), "[{\"is\":\"who\",\"members\":[");
    CHECK_HAS(post("s3cret", "{\"do\":", 200), "[{\"is\":\"error\",\"code\":\"bad-json\"");
    CHECK_STR(post("s3cret", "{\"do\":\"hello\"}", 200), "[]");
    CHECK_HAS(post("s3cret", "{\"do\":\"to\",\"nick\":\"bob\",\"text\":\"to me\",\"id\":\"y\"}", 200),
              "{\"is\":\"private\",\"from\":\"bob\"");
    end();
}

TEST(who_speaks_shows_type_site_and_token)
{
    static const struct {
        struct fake_request r;
        int status;
        const char *code;
    } cases[] = {
        {{.type = "text/plain"}, 415, "bad-json"},
        {{.type = ""}, 415, "bad-json"},
        {{.type = "application/jsonp"}, 415, "bad-json"},
        {{.type = "application/json; charset=utf-8"}, 0, NULL},
        {{.token = "x"}, 403, "bad-token"},
        {{.token = ""}, 403, "bad-token"},
        {{.site = "cross-site"}, 403, "not-yours"},
        {{.site = "same-site"}, 403, "not-yours"},
        {{.site = "same-origin"}, 0, NULL},
        {{.site = "none"}, 0, NULL},
        {{.origin = "http://127.0.0.1:2333"}, 0, NULL},
        {{.origin = "https://127.0.0.1:2333"}, 0, NULL},
        {{.origin = "http://127.0.0.1:2334"}, 403, "not-yours"},
        {{.origin = "http://127.0.0.1"}, 403, "not-yours"},
        {{.origin = "null"}, 403, "not-yours"},
        {{.origin = "http://127.0.0.1:2333", .site = "cross-site"}, 403, "not-yours"},
        {{.me = ""}, 400, "bad-json"},
        {{.host = "evil.example"}, 421, "no such host"},
    };
    start_with(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fake_request r = POST(.me = "s3cret");
        r.type = cases[i].r.type ? cases[i].r.type : r.type;
        r.token = cases[i].r.token ? cases[i].r.token : r.token;
        r.me = cases[i].r.me ? cases[i].r.me : r.me;
        r.host = cases[i].r.host ? cases[i].r.host : r.host;
        r.site = cases[i].r.site;
        r.origin = cases[i].r.origin;
        dx_conn *c = ask(r);
        CHECK_SAY(c->status == cases[i].status, "case %zu: %d, not %d", i, c->status, cases[i].status);
        if (cases[i].code)
            CHECK_HAS(fake_out(c), cases[i].code);
        CHECK(!strstr(c->fields, "Access-Control"));
    }
    /* And none of those who were refused is in the room. */
    CHECK_INT(hub->counts.listed, 0);
    end();
}

TEST(no_page_from_elsewhere_hears)
{
    start_with(NULL);
    static const struct fake_request from[] = {
        {.site = "cross-site"}, {.site = "same-site"}, {.origin = "http://evil.example"}};
    for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
        for (int stream = 0; stream < 2; stream++) {
            struct fake_request r = GET(.me = "s3cret", .site = from[i].site, .origin = from[i].origin);
            r.accept = stream ? "text/event-stream" : r.accept;
            dx_conn *c = ask(r);
            CHECK_INT(c->status, 403);
            CHECK_HAS(fake_out(c), "not-yours");
        }
    CHECK_INT(hub->counts.members, 0);
    end();
}

TEST(a_stream_gets_each_message_with_where_it_stands)
{
    char id[80];
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/nick bob");
    dx_conn *c = ask(GET(.me = "s3cret", .accept = "text/html, text/event-stream", .target = "/~r/lobby?nick=ada"));
    CHECK(c->stream);
    const char *out = fake_out(c);
    snprintf(id, sizeof(id), "%s.0 {\"is\":\"welcome\"", hub->lobby->epoch);
    CHECK_HAS(out, id);
    fake_say(a, "one");
    snprintf(id, sizeof(id), "%s.1 {\"is\":\"msg\",\"offset\":1,", hub->lobby->epoch);
    CHECK_HAS(fake_out(c), id);
    fake_say(a, "/msg ada psst");
    out = fake_out(c);
    snprintf(id, sizeof(id), "%s.1.", hub->lobby->epoch);
    CHECK(!strncmp(out, id, strlen(id)));
    CHECK_HAS(out, "\"psst\"");
    /* It comes back: what it has had is not told again, what may have been lost is. */
    snprintf(id, sizeof(id), "%s.1.%d", hub->lobby->epoch, atoi(out + strlen(id)) - 1);
    fake_gone(c);
    fake_say(a, "two");
    c = ask(GET(.me = "s3cret", .accept = "text/event-stream", .last_id = id));
    out = fake_out(c);
    CHECK(strstr(out, "\"two\"") && strstr(out, "psst") && !strstr(out, "\"one\""));
    end();
}

TEST(a_stream_that_is_full_goes_on_when_it_is_read)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL), *c = ask(GET(.me = "s3cret", .accept = "text/event-stream"));
    fake_drain(c);
    c->room = 600;
    c->sends = 0;
    for (int i = 0; i < 50; i++)
        fake_say(a, "0123456789012345678901234567890123456789");
    CHECK_SAY(c->sends < 8, "%d were sent to a full queue", c->sends);
    for (int i = 0; i < 50; i++)
        fake_drain(c);
    int got = 0;
    for (const char *p = fake_out(c); (p = strstr(p, "\"is\":\"msg\"")); p++)
        got++;
    CHECK_INT(got, 50);
    end();
}

TEST(a_second_request_takes_the_place_of_the_first)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    poll_now("s3cret", NOW);
    fake_pass(600);
    poll_now("s3cret", NOW);
    dx_conn *one = ask(GET(.me = "s3cret", .last_id = last_at)), *two = ask(GET(.me = "s3cret", .last_id = last_at));
    CHECK_INT(one->status, 409);
    CHECK_HAS(fake_out(one), "taken-over");
    fake_say(a, "hi");
    CHECK_HAS(answer(two), "\"hi\"");
    fake_gone(one);
    one = ask(GET(.me = "s3cret", .accept = "text/event-stream"));
    fake_out(one);
    two = ask(GET(.me = "s3cret", .accept = "text/event-stream"));
    CHECK(one->closed && !two->closed);
    CHECK_HAS(fake_out(one), " {\"is\":\"error\",\"code\":\"taken-over\"");
    fake_gone(one);
    fake_say(a, "again");
    CHECK_HAS(fake_out(two), "\"again\"");
    CHECK_INT(hub->counts.listed, 2);
    end();
}

TEST(it_is_one_member_that_goes_after_a_minute_of_silence)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/who");
    poll_now("s3cret", "/~r/lobby?nick=ada&wait=0");
    CHECK_HAS(fake_out(a), "* ada joined\n");
    for (int i = 0; i < 5; i++) {
        fake_pass(50000);
        CHECK(!strstr(poll_now("s3cret", NOW), "welcome"));
    }
    CHECK(!strstr(fake_out(a), "left"));
    dx_conn *c = ask(GET(.me = "s3cret", .last_id = last_at)); /* one that waits is not silent */
    fake_pass(200000);
    if (c->status) {
        answer(c);
        c = ask(GET(.me = "s3cret", .last_id = last_at));
        fake_pass(200000);
    }
    CHECK(!strstr(fake_out(a), "left"));
    fake_gone(c);
    fake_pass(50000);
    CHECK_STR(fake_out(a), "");
    fake_pass(25000);
    CHECK_HAS(fake_out(a), "* ada left\n");
    CHECK_INT(hub->guest_count, 0);
    fake_say(a, "while it was gone");
    const char *out = poll_now("s3cret", "/~r/lobby?nick=ada&wait=0");
    CHECK_HAS(out, "welcome");
    CHECK_HAS(out, "while it was gone");
    end();
}

TEST(who_says_that_it_leaves_is_gone_at_once_unless_it_hears_again)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/who");
    poll_now("s3cret", "/~r/lobby?nick=ada&wait=0");
    CHECK_STR(post("s3cret", "{\"do\":\"leave\"}", 200), "[]");
    poll_now("s3cret", NOW); /* the page was loaded anew */
    fake_pass(50000);
    CHECK(!strstr(fake_out(a), "left"));
    /* On another connection what hears may come before what leaves. */
    dx_conn *c = ask(GET(.me = "s3cret", .last_id = last_at, .accept = "text/event-stream"));
    post("s3cret", "{\"do\":\"leave\"}", 200);
    fake_pass(15000);
    CHECK(!strstr(fake_out(a), "left"));
    fake_gone(c);
    fake_pass(15000);
    CHECK_HAS(fake_out(a), "* ada left\n");
    CHECK_INT(hub->guest_count, 0);
    end();
}

TEST(who_changes_the_wire_keeps_place_and_nick)
{
    char hello[200];
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL);
    fake_say(a, "/who");
    struct fake_request r = {
        .method = "GET", .target = "/~r/lobby", .host = "127.0.0.1:2333", .protocols = "duplex.json", .ws = true};
    dx_conn *w = fake_http(&r, NULL);
    fake_say(w, "{\"do\":\"hello\",\"nick\":\"ada\",\"me\":\"s3cret\"}");
    CHECK_HAS(poll_now("s3cret", NOW), "\"nick\":\"ada\"");
    CHECK_INT(w->ws_code, 4001);
    fake_gone(w);
    fake_say(a, "meanwhile");
    dx_conn *c = ask(GET(.me = "s3cret", .accept = "text/event-stream"));
    w = fake_http(&r, NULL);
    snprintf(hello, sizeof(hello), "{\"do\":\"hello\",\"me\":\"s3cret\",\"epoch\":\"%s\",\"offset\":0}",
             hub->lobby->epoch);
    fake_say(w, hello);
    CHECK(c->closed);
    const char *out = fake_out(w);
    CHECK_HAS(out, "\"nick\":\"ada\"");
    CHECK_HAS(out, "meanwhile");
    CHECK(!strstr(out, "token"));
    fake_gone(c);
    CHECK_INT(hub->counts.listed, 2);
    CHECK_INT(hub->guest_count, 0);
    end();
}

TEST(who_has_no_secret_hears_unlisted_as_long_as_it_asks)
{
    start_with(NULL);
    dx_conn *a = fake_open("tcp", NULL), *b = fake_open("tcp", NULL);
    dx_conn *c = ask(GET(.accept = "text/event-stream")), *d = ask(GET(.target = "/~r/lobby?poll"));
    CHECK_INT(d->status, 200); /* its welcome */
    fake_say(a, "hi");
    CHECK_HAS(fake_out(c), "\"hi\"");
    CHECK_HAS(fake_out(b), "hi");
    CHECK_INT(hub->counts.listed, 1);
    fake_gone(c), fake_gone(d);
    CHECK_INT(hub->guest_count, 0);
    CHECK_INT(hub->counts.members, 2);
    end();
}

TEST(from_elsewhere_the_key_is_needed_each_time)
{
    static const char far[] = "tcp://192.0.2.7:1000";
    struct hub_opts o = {.key = "k3y"};
    start_with(&o);
    dx_conn *c = ask_from(GET(.me = "s3cret", .target = NOW), far);
    CHECK_INT(c->status, 403);
    CHECK_HAS(fake_out(c), "bad-key");
    CHECK_INT(ask_from(GET(.me = "s3cret", .target = "/~r/lobby?wait=0&key=k3y"), far)->status, 403);
    CHECK_INT(ask_from(GET(.me = "s3cret", .target = NOW, .key = "k3y"), far)->status, 200);
    CHECK_INT(ask_from(GET(.me = "s3cret", .target = NOW), far)->status, 403); /* it is in, and still */
    CHECK_INT(ask_from(POST(.me = "s3cret"), far)->status, 403);
    for (int i = 0; i < 6; i++)
        c = ask_from(GET(.target = NOW, .key = "wrong"), far);
    CHECK_HAS(fake_out(c), "wait a minute");
    end();
}

TEST(an_address_has_as_many_guests_as_conns)
{
    static const char far[] = "tcp://192.0.2.7:1000";
    char me[16];
    int in = 0;
    start_with(NULL);
    for (int i = 0; i < 80; i++) {
        snprintf(me, sizeof(me), "m%d", i);
        dx_conn *c = ask_from(GET(.me = me, .target = NOW), far);
        in += c->status == 200;
        fake_gone(c);
    }
    CHECK_INT(in, 63); /* and the request itself */
    CHECK_INT(hub->guest_count, 63);
    fake_pass(75000);
    CHECK_INT(hub->guest_count, 0);
    CHECK_INT(hub->counts.addresses, 0);
    end();
}

TEST(over_its_rate_it_is_told_so_and_nothing_is_said)
{
    static const char far[] = "tcp://192.0.2.7:1000";
    int said = 0;
    start_with(NULL);
    for (int i = 0; i < 60; i++) {
        dx_conn *c = ask_from(POST(.me = "s3cret"), far);
        fake_say(c, "{\"do\":\"say\",\"text\":\"x\"}");
        fake_ended(c);
        said += c->status == 200;
        if (c->status != 200)
            CHECK_INT(c->status, 429);
        fake_gone(c);
    }
    CHECK_SAY(said >= 20 && said <= 22, "%d said", said);
    CHECK_INT(hub->counts.messages, said);
    end();
}

TEST(too_much_at_once_is_refused_and_so_is_what_never_comes)
{
    static char big[140000];
    start_with(NULL);
    memset(big, ' ', sizeof(big));
    dx_conn *c = ask(POST(.me = "s3cret"));
    fake_bytes(c, big, sizeof(big), 0);
    CHECK_INT(c->status, 413);
    fake_bytes(c, big, sizeof(big), 0);
    c = ask(POST(.me = "s3cret"));
    fake_pass(31000);
    CHECK_INT(c->status, 408);
    CHECK_INT(hub->guest_count, 0);
    end();
}

TEST(when_the_server_ends_nobody_is_left_waiting)
{
    start_with(NULL);
    poll_now("s3cret", NOW);
    fake_pass(600);
    poll_now("s3cret", NOW);
    dx_conn *c = ask(GET(.me = "s3cret", .last_id = last_at)),
            *d = ask(GET(.me = "other", .accept = "text/event-stream"));
    if (c->status) { /* the other came */
        answer(c);
        fake_pass(600);
        poll_now("s3cret", NOW);
        c = ask(GET(.me = "s3cret", .last_id = last_at));
    }
    CHECK_INT(c->status, 0);
    hub_drain(hub, 1000);
    CHECK_INT(c->status, 503);
    CHECK(d->closed);
    CHECK_INT(hub->guest_count, 0);
    end();
}

TEST_MAIN
