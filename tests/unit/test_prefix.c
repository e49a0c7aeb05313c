/* SPDX-License-Identifier: MIT
 * Which prefix answers: the order of classes, paths by whole segments, and what is no prefix. */
#include "test.h"
#include "net/router.h"
#include <pthread.h>

static struct bytes bytes(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static const dx_handler nothing;

/* Who answers. url: "https://host:port/path", the port the socket's. */
static void want(dx_router *r, bool tls, const char *host, int port, const char *path, const char *prefix)
{
    struct router_ask a = {.tls = tls, .port = port, .host = bytes(host), .path = bytes(path)};
    struct route *found = NULL;
    CHECK_INT(router_find(r, &a, &found), 0);
    CHECK_SAY(found || !prefix, "%s%s: nobody, not %s", host, path, prefix);
    CHECK_SAY(!found || (prefix && !strcmp(found->at.text, prefix)), "%s%s: %s, not %s", host, path, found->at.text,
              prefix ? prefix : "nobody");
    if (found)
        found->keeper.drop(&found->keeper);
}

static dx_router *router(const char *const *prefixes)
{
    dx_err err = {0};
    dx_router *r = dx_router_new(&err);
    for (; *prefixes; prefixes++)
        CHECK_SAY(dx_router_add(r, *prefixes, &nothing, NULL, NULL, &err) == 0, "%s", err.text);
    return r;
}

TEST(classes_of_hosts_come_in_one_order)
{
    static const char *const all[] = {"/",
                                      "/long/path/here/",
                                      "http://a.example/",
                                      "http://*.example/",
                                      "http://*.b.example/x/",
                                      "+/plus/",
                                      "https://a.example/",
                                      "http://[::1]/v6/",
                                      NULL};
    dx_router *r = router(all);
    want(r, false, "a.example", 80, "/", "http://a.example/");
    want(r, false, "A.EXAMPLE:8080", 80, "/x", "http://a.example/");
    want(r, true, "a.example", 443, "/x", "https://a.example/");
    want(r, false, "a.example", 80, "/long/path/here/", "http://a.example/");
    want(r, false, "a.example", 80, "/plus/x", "+/plus/");
    want(r, false, "", 80, "/plus", "+/plus/");
    want(r, false, "c.b.example", 80, "/x/", "http://*.b.example/x/");
    want(r, false, "c.b.example", 80, "/y/", "http://*.example/");
    want(r, false, "b.example", 80, "/x/", "http://*.example/");
    want(r, false, "example", 80, "/x/", "/");
    want(r, false, ".example", 80, "/x/", "/");
    want(r, true, "c.example", 80, "/x/", "/");
    want(r, false, "[::1]:80", 80, "/v6/x", "http://[::1]/v6/");
    want(r, false, "[::1]", 80, "/long/path/here", "/long/path/here/");
    want(r, false, "a.example.", 80, "/", "/");
    dx_router_drop(r);
}

TEST(paths_go_by_whole_segments_in_one_spelling)
{
    static const char *const all[] = {"/files/", "/files/secret/", "/a%20b/", "/c%2fd/", NULL};
    dx_router *r = router(all);
    want(r, false, "x", 80, "/files", "/files/");
    want(r, false, "x", 80, "/files/", "/files/");
    want(r, false, "x", 80, "/files2", NULL);
    want(r, false, "x", 80, "/Files/", NULL);
    want(r, false, "x", 80, "/file", NULL);
    want(r, false, "x", 80, "/files/secret", "/files/secret/");
    want(r, false, "x", 80, "/files/secrets", "/files/");
    want(r, false, "x", 80, "/files/x/../secret/a", "/files/secret/");
    want(r, false, "x", 80, "/files//secret", "/files/secret/");
    want(r, false, "x", 80, "//files/./secret", "/files/secret/");
    want(r, false, "x", 80, "/files/%73ecre%74/x", "/files/secret/");
    want(r, false, "x", 80, "/files/%2e%2e/files/secret", "/files/secret/");
    want(r, false, "x", 80, "/files%2Fsecret", NULL);
    want(r, false, "x", 80, "/files/secret/../x", "/files/");
    want(r, false, "x", 80, "/a%20b/c", "/a%20b/");
    want(r, false, "x", 80, "/files%2fsecret/a", NULL);
    want(r, false, "x", 80, "/files/%2Fsecret", "/files/");
    want(r, false, "x", 80, "/files/secret%2F", "/files/");
    want(r, false, "x", 80, "/c%2Fd/", "/c%2fd/");
    want(r, false, "x", 80, "/c%2Fd/e%2f", "/c%2fd/");
    want(r, false, "x", 80, "/c/d/", NULL);
    want(r, false, "x", 80, "*", NULL);
    want(r, false, "x", 80, "", NULL);
    dx_router_drop(r);
}

TEST(a_port_and_a_scheme_are_those_it_came_by)
{
    static const char *const all[] = {"http://*:81/", "https://*/", "/", NULL};
    dx_router *r = router(all);
    want(r, false, "x:90", 81, "/", "http://*:81/");
    want(r, false, "x:81", 80, "/", "/");
    want(r, true, "x", 81, "/", "https://*/");
    want(r, false, "x", -1, "/", "/");
    dx_router_drop(r);
}

TEST(what_is_no_prefix_is_said)
{
    static const char *const bad[] = {"",
                                      "files",
                                      "/files",
                                      "files/",
                                      "http://a.example",
                                      "http:///x/",
                                      "ftp://a/",
                                      "http://a_b*/",
                                      "http://*.*/",
                                      "http://*./",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "http://a:/",
                                      "http://a:123456/",
                                      "/a?b/",
                                      "/a#/",
                                      "/a b/",
                                      "http://[::1/",
                                      "http://::1/",
                                      "http://user@a/"};
    dx_router *r = dx_router_new(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dx_err err = {0};
        bool name = !strcmp(bad[i], "files/"); /* a host */
        CHECK_SAY(dx_router_add(r, bad[i], &nothing, NULL, NULL, &err) == (name ? 0 : DX_URL), "%s", bad[i]);
        CHECK_SAY(name || (strstr(err.text, "prefix") && strstr(err.text, bad[i])), "%s", err.text);
        CHECK_INT(dx_router_remove(r, bad[i]), name ? 0 : DX_URL);
    }
    dx_router_drop(r);
}

static int let_in(dx_conn *c, const dx_http_login *l, void *user)
{
    (void)c, (void)l, (void)user;
    return 0;
}

TEST(one_prefix_is_there_once_and_can_be_listed)
{
    static const char *const all[] = {"/", "http://a.example/x/", NULL};
    dx_router *r = router(all);
    dx_route asks = {.auth = DX_AUTH_BASIC}, quoted = {.auth = DX_AUTH_BASIC, .check = let_in, .realm = "a\"b"};
    dx_http_limits odd = {.head_ms = -2};
    dx_route limited = {.limits = &odd};
    dx_err err;
    char text[100];
    CHECK_INT(dx_router_add(r, "HTTP://A.example/x/", &nothing, NULL, NULL, &err), DX_BUSY);
    CHECK_INT(dx_router_add(r, "http://a.example//x/", &nothing, NULL, NULL, &err), DX_BUSY);
    CHECK_INT(dx_router_add(r, "*/", &nothing, NULL, NULL, &err), DX_BUSY);
    CHECK_INT(dx_router_add(r, "/y/", &nothing, NULL, &asks, &err), DX_URL);
    CHECK_INT(dx_router_add(r, "/y/", &nothing, NULL, &quoted, &err), DX_URL);
    CHECK_INT(dx_router_add(r, "/y/", &nothing, NULL, &limited, &err), DX_URL);
    CHECK(dx_router_has(r, "/") && dx_router_has(r, "http://A.EXAMPLE/x/") && !dx_router_has(r, "/y/"));
    CHECK_INT(dx_router_at(r, 0, text, sizeof text), 19);
    CHECK_STR(text, "http://a.example/x/");
    CHECK_INT(dx_router_at(r, 1, text, sizeof text), 1);
    CHECK_INT(dx_router_at(r, 2, text, sizeof text), -1);
    CHECK_INT(dx_router_remove(r, "/"), 0);
    CHECK_INT(dx_router_remove(r, "/"), DX_URL);
    want(r, false, "x", 80, "/", NULL);
    dx_router_drop(r);
}

TEST(there_is_a_most)
{
    dx_router *r = dx_router_new(NULL);
    char text[20];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "/%d/", i);
        CHECK_INT(dx_router_add(r, text, &nothing, NULL, NULL, NULL), 0);
    }
    CHECK_INT(dx_router_add(r, "/x/", &nothing, NULL, NULL, NULL), DX_LIMIT);
    dx_router_drop(r);
}

static int gone;
static void on_gone(void *user)
{
    gone += *(int *)user;
}

TEST(a_removed_prefix_tells_when_its_last_conn_has_gone)
{
    int one = 1;
    dx_router *r = dx_router_new(NULL);
    dx_route o = {.on_gone = on_gone};
    struct router_ask a = {.host = bytes("x"), .path = bytes("/")};
    struct route *first, *second;
    CHECK_INT(dx_router_add(r, "/", &nothing, &one, &o, NULL), 0);
    router_find(r, &a, &first);
    router_find(r, &a, &second);
    CHECK_INT(dx_router_remove(r, "/"), 2);
    first->keeper.drop(&first->keeper);
    CHECK_INT(gone, 0);
    second->keeper.drop(&second->keeper);
    CHECK_INT(gone, 1);
    CHECK_INT(dx_router_add(r, "/", &nothing, &one, &o, NULL), 0);
    CHECK_INT(dx_router_remove(r, "/"), 0);
    CHECK_INT(gone, 1);
    dx_router_drop(r);
}

/* ---- threads ---- */
static dx_router *shared;
static atomic_int told;
static atomic_bool over;
static void tell(void *user)
{
    (void)user;
    atomic_fetch_add(&told, 1);
}
static void *find_all_the_time(void *arg)
{
    struct router_ask a = {.host = bytes("x"), .path = bytes("/a/b")};
    atomic_int *found = arg;
    while (!over) {
        struct route *r = NULL;
        router_find(shared, &a, &r);
        if (r) {
            r->keeper.drop(&r->keeper);
            atomic_fetch_add(found, 1);
        }
    }
    return NULL;
}

TEST(a_router_changes_while_others_ask)
{
    pthread_t t[2];
    atomic_int found[2] = {0};
    int running = 0;
    dx_route o = {.on_gone = tell};
    shared = dx_router_new(NULL);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&t[i], NULL, find_all_the_time, &found[i]), 0);
    for (int i = 0; i < 2000 || (i < 200000 && (!running || !found[0])); i++) {
        CHECK_INT(dx_router_add(shared, "/a/", &nothing, NULL, &o, NULL), 0);
        running += dx_router_remove(shared, "/a/") > 0;
    }
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    printf("# found %d and %d times, %d removed while in use\n", found[0], found[1], running);
    CHECK_INT(told, running); /* each that was in use has told once, and the others never */
    dx_router_drop(shared);
}

TEST_MAIN
