/* SPDX-License-Identifier: MIT
 * Lists with weights: which range speaks of what is asked for. */
#include "test.h"
#include <duplex/router.h>

static int quality(const char *list, const char *what)
{
    return dx_http_quality((dx_bytes){list, list ? strlen(list) : 0}, what);
}

TEST(the_most_precise_range_weighs)
{
    static const struct {
        const char *list, *what;
        int weight;
    } t[] = {
        {NULL, "text/html", 1000},
        {"", "text/html", 0},
        {"text/html", "text/html", 1000},
        {"TEXT/HTML;q=0.5", "text/html", 500},
        {"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/html", 700},
        {"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/plain", 300},
        {"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "image/png", 500},
        {"text/html;q=0, */*", "text/html", 0},
        {"text/html;level=\"1,q=0\";q=0.25", "text/html", 250},
        {"application/xml", "text/html", 0},
        {"text", "text/html", 0},
        {"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", 1000},
        {"zh-CN,zh;q=0.9,en;q=0.8", "zh-TW", 900},
        {"zh-CN,zh;q=0.9,en;q=0.8", "en-GB-oed", 800},
        {"zh-CN,zh;q=0.9,en;q=0.8", "de", 0},
        {"*;q=0.1, de;q=0.2", "fr", 100},
        {"e", "en", 0},
        {"gzip, br;q=1.0", "br", 1000},
        {"gzip;q=0.001", "gzip", 1},
        {"gzip;q=1.001", "gzip", 0},
        {"gzip;q=2", "gzip", 0},
        {"gzip;q=0.1234", "gzip", 0},
        {"gzip;q=.5", "gzip", 0},
        {"gzip;q=", "gzip", 0},
        {"gzip ; q=0.5 ,, br", "gzip", 500},
        {"gzip", "identity", 1},
        {"gzip, identity;q=0", "identity", 0},
        {"gzip, *;q=0", "identity", 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_SAY(quality(t[i].list, t[i].what) == t[i].weight, "\"%s\" in \"%s\": %d, not %d", t[i].what, t[i].list,
                  quality(t[i].list, t[i].what), t[i].weight);
}

TEST(secrets_are_compared_whole)
{
    static const struct {
        const char *a, *b;
        bool same;
    } t[] = {{"", "", true},     {"a", "a", true}, {"a", "b", false}, {"a", "aa", false},
             {"aa", "a", false}, {"", "a", false}, {"a", "", false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_INT(dx_secret_same((dx_bytes){t[i].a, strlen(t[i].a)}, (dx_bytes){t[i].b, strlen(t[i].b)}), t[i].same);
}

TEST_MAIN
