/* SPDX-License-Identifier: MIT
 * owner.c - the socket that holds an address, by /proc/net; its process, by the links in /proc/PID/fd. */
#include "tool/owner.h"
#include "tool/wires.h"
#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_MAX = 200000, PIDS_MAX = 100000, FDS_MAX = 70000, LISTENING = 0x10000 };
struct holder {
    unsigned long inode;
    unsigned uid;
};

/* One line of /proc/net/tcp or udp: "sl local remote state queues timer retransmits uid timeout inode ...". */
static bool line_holds(const char *line, unsigned port, bool tcp, struct holder *ret)
{
    unsigned local_port, state;
    struct holder h;
    if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*u %lu", &local_port, &state, &h.uid,
               &h.inode) != 4)
        return false;
    if (local_port != port || !h.inode || (tcp && state != 0x0A)) /* 0A: listening */
        return false;
    *ret = h;
    return true;
}

static bool table_holds(const char *name, unsigned port, struct holder *ret)
{
    char path[40], line[512];
    bool found = false;
    snprintf(path, sizeof path, "/proc/net/%s", name);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    for (int i = 0; !found && i < LINES_MAX && fgets(line, sizeof line, f); i++)
        found = line_holds(line, port, name[0] == 't', ret);
    fclose(f);
    return found;
}

/* "Num: RefCount Protocol Flags Type St Inode Path". The owner's uid is not there: the file's would be another's. */
static bool unix_holds(const char *want, size_t want_n, struct holder *ret)
{
    char line[512];
    bool found = false;
    FILE *f = want_n ? fopen("/proc/net/unix", "re") : NULL;
    if (!f)
        return false;
    for (int i = 0; !found && i < LINES_MAX && fgets(line, sizeof line, f); i++) {
        unsigned long inode;
        unsigned flags, type;
        int at = 0;
        if (sscanf(line, "%*s %*s %*s %x %x %*s %lu %n", &flags, &type, &inode, &at) != 3 || !at)
            continue;
        if (type == SOCK_STREAM && !(flags & LISTENING)) /* a client's end has its server's path too */
            continue;
        line[strcspn(line, "\n")] = 0;
        if (strlen(line + at) == want_n && !memcmp(line + at, want, want_n)) {
            *ret = (struct holder){inode, (unsigned)-1};
            found = true;
        }
    }
    fclose(f);
    return found;
}

static bool process_holds(const char *pid, unsigned long inode)
{
    char path[300], link[64], want[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    snprintf(want, sizeof want, "socket:[%lu]", inode);
    DIR *d = opendir(path);
    struct dirent *e;
    if (!d)
        return false;
    for (int i = 0; !found && i < FDS_MAX && (e = readdir(d)); i++) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        found = n == (ssize_t)strlen(want) && !memcmp(link, want, (size_t)n);
    }
    closedir(d);
    return found;
}

static bool name_process(unsigned long inode, char *buf, size_t n)
{
    char path[40], comm[32] = "?";
    bool found = false;
    DIR *d = opendir("/proc");
    struct dirent *e;
    if (!d)
        return false;
    for (int i = 0; !found && i < PIDS_MAX && (e = readdir(d)); i++) {
        if (!isdigit((unsigned char)e->d_name[0]) || !process_holds(e->d_name, inode))
            continue;
        found = true;
        snprintf(path, sizeof path, "/proc/%.20s/comm", e->d_name);
        FILE *f = fopen(path, "re");
        if (f && fgets(comm, sizeof comm, f))
            comm[strcspn(comm, "\n")] = 0;
        if (f)
            fclose(f);
        snprintf(buf, n, "pid %.20s (%s)", e->d_name, comm);
    }
    closedir(d);
    return found;
}

/* The port of scheme://host:port...; -1: none is said. */
static int port_of(const char *url)
{
    const char *p = strstr(url, "://");
    if (!p)
        return -1;
    p += 3;
    if (*p == '[' && !(p = strchr(p, ']')))
        return -1;
    p += strcspn(p, ":/?#");
    if (*p != ':' || !isdigit((unsigned char)p[1]))
        return -1;
    long port = strtol(p + 1, NULL, 10);
    return port > 0 && port < 65536 ? (int)port : -1;
}

static bool find_holder(const char *url, struct holder *ret)
{
    static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
    if (wire_is_path(url)) {
        const char *path = strchr(url, ':') + 1;
        path += strncmp(path, "//", 2) ? 0 : 2;
        return unix_holds(path, strcspn(path, "#"), ret);
    }
    int port = port_of(url);
    bool tcp = !wire_is(url, "udp") && !wire_is(url, "quic");
    bool udp = !tcp || wire_is(url, "any");
    for (int i = 0; port > 0 && i < 4; i++)
        if ((tables[i][0] == 't' ? tcp : udp) && table_holds(tables[i], (unsigned)port, ret))
            return true;
    return false;
}

int owner_of_port(const char *url, char *buf, size_t n)
{
    struct holder h;
    buf[0] = 0;
    if (!find_holder(url, &h))
        return 0;
    if (name_process(h.inode, buf, n))
        return 1;
    struct passwd *who = h.uid == (unsigned)-1 ? NULL : getpwuid(h.uid);
    if (who)
        snprintf(buf, n, "a process of user %s", who->pw_name);
    else
        snprintf(buf, n, "another user's process");
    return 1;
}
