/* SPDX-License-Identifier: MIT
 * wire_options.c - see wire_options.h. */
#include "tool/wire_options.h"
#include "tool/tool.h"
#include <duplex/udp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

enum { GROUP_MAX = 64 };

/* "239.1.1.1%eth0" into its two halves; the second may be "". false: too long, or nothing. */
static bool split_group(const char *text, char group[GROUP_MAX], const char **ret_interface)
{
    size_t n = strcspn(text, "%");
    if (n == 0 || n >= GROUP_MAX)
        return false;
    memcpy(group, text, n);
    group[n] = 0;
    *ret_interface = text[n] ? text + n + 1 : "";
    return true;
}

/* ---- a dial ---- */

struct maker {
    char *buf;
    size_t n;
    bool begun; /* the fragment has */
};

static void add(struct maker *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct maker *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(m->buf + m->n, WIRE_URL_MAX - m->n, fmt, ap);
    va_end(ap);
    m->n += (size_t)n < WIRE_URL_MAX - m->n ? (size_t)n : WIRE_URL_MAX - m->n - 1;
}

static void add_word(struct maker *m, const char *name, const char *value)
{
    add(m, "%s%s%s%s", m->begun ? "," : "#", name, value ? "=" : "", value ? value : "");
    m->begun = true;
}

/* udp://:5000 or udp://GROUP:5000 becomes the latter. */
static int add_group(struct maker *m, const char *url, const char *group)
{
    const char *host = url + strlen("udp://");
    size_t end = strcspn(url, "#");
    const char *port = strncasecmp(url, "udp://", 6) ? NULL : memrchr(host, ':', end - 6);
    bool v6 = strchr(group, ':') != NULL;
    size_t n = port ? (size_t)(port - host) : 0, bare = n && v6 ? n - 2 : n;
    if (!port || (n && (n < 3 || bare != strlen(group) || strncmp(host + (v6 ? 1 : 0), group, bare) != 0))) {
        tool_say("--multicast %s goes with a URL such as udp://:5000, not %s", group, url);
        return TOOL_USAGE;
    }
    add(m, "udp://%s%s%s%.*s", v6 ? "[" : "", group, v6 ? "]" : "", (int)(url + end - port), port);
    return -1;
}

static bool has_fragments(const char *url)
{
    static const char *const none[] = {"unix", "stdio:", "fd:", "file:", "exec:"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!strncmp(url, none[i], strlen(none[i])))
            return false;
    return true;
}

int wire_url(const struct options *o, const char *url, char ret[WIRE_URL_MAX])
{
    const char *from = option_text(o, "bind"), *multicast = option_text(o, "multicast"), *by = "";
    const char *fragment = strchr(url, '#');
    char group[GROUP_MAX], hops[24];
    bool any = from || multicast || option_has(o, "ttl") || option_has(o, "broadcast");
    struct maker m = {.buf = ret};
    if (any && !has_fragments(url)) {
        tool_say("--bind, --ttl, --multicast and --broadcast are for wires of the network, not for %s", url);
        return TOOL_USAGE;
    }
    if (strlen(url) >= WIRE_URL_MAX / 2 || (from && strlen(from) > WIRE_URL_MAX / 4)) {
        tool_say("the URL is too long");
        return TOOL_USAGE;
    }
    if (!multicast)
        add(&m, "%s", url);
    else if (!split_group(multicast, group, &by) || add_group(&m, url, group) >= 0)
        return TOOL_USAGE;
    else if (fragment)
        add(&m, "%s", fragment);
    m.begun = fragment && any;
    if (from)
        add_word(&m, "bind", from);
    snprintf(hops, sizeof hops, "%" PRId64, option_number(o, "ttl", 0));
    if (option_has(o, "ttl"))
        add_word(&m, "ttl", hops);
    if (option_has(o, "broadcast"))
        add_word(&m, "broadcast", NULL);
    if (*by)
        add_word(&m, "interface", by);
    return -1;
}

/* ---- a listener ---- */

static int say(const char *option, const char *value, const char *url, int code)
{
    if (code == DX_URL)
        tool_say("--%s %s: no such group, interface or number.  Try: --multicast 239.1.1.1%%eth0", option, value);
    else if (code == DX_STATE)
        tool_say("--%s %s: %s has no UDP socket of that family", option, value, url);
    else
        tool_say("--%s %s: %s.  Try: name the interface, as 239.1.1.1%%eth0", option, value, strerror(errno));
    return code == DX_SYS ? TOOL_LOCAL : TOOL_USAGE;
}

int wire_listener(const struct options *o, const char *url, dx_listener *l)
{
    const char *text, *by;
    char group[GROUP_MAX];
    int at = 0, r, hops = (int)option_number(o, "ttl", 0);
    while ((text = option_next(o, "multicast", &at)))
        if ((r = split_group(text, group, &by) ? dx_udp_join(l, group, by) : DX_URL) < 0)
            return say("multicast", text, url, r);
    if (option_has(o, "ttl") && (r = dx_udp_ttl(l, hops)) < 0)
        return say("ttl", option_text(o, "ttl"), url, r);
    return -1;
}
