/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "tool/lan.h"

TEST(loopback_and_unix_are_not_beyond)
{
    static const char *const near[] = {"any://127.0.0.1:2333", "tcp://[::1]:0",      "udp://localhost:1",
                                       "unix:///tmp/x",        "any://127.9.9.9:80", "unixgram://@x"};
    static const char *const far[] = {
        "any://:2333",       "tcp://0.0.0.0:1",      "tcp://[::]:1",         "any://192.168.1.5:2333",
        "tcp://host.lan:80", "tcp://127.0.0.1.x:80", "tcp://localhost.x:80", "tcp://[::1:2]:80"};
    for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++)
        CHECK_SAY(!lan_is_beyond(near[i]), "%s", near[i]);
    for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++)
        CHECK_SAY(lan_is_beyond(far[i]), "%s", far[i]);
}

TEST(keys_differ_and_can_be_typed)
{
    char a[LAN_KEY_CHARS + 1], b[LAN_KEY_CHARS + 1];
    CHECK(lan_make_key(a) && lan_make_key(b));
    CHECK(strcmp(a, b));
    CHECK_INT(strlen(a), LAN_KEY_CHARS);
    CHECK_INT(strspn(a, "abcdefghjkmnpqrstuvwxyz123456789"), LAN_KEY_CHARS);
}

TEST(no_address_of_the_lan_is_loopback)
{
    struct lan lan;
    char url[80];
    lan_find(&lan);
    for (int i = 0; i < lan.count; i++) {
        snprintf(url, sizeof(url), "any://%s:1", lan.host[i]);
        CHECK_SAY(lan_is_beyond(url), "%s", url);
    }
}

TEST_MAIN
