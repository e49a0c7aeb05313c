/* SPDX-License-Identifier: MIT
 * listing.c - a folder without index.html: its names, sizes and dates, as a page or, where the client wants it rather, as JSON. */
#include "files/inside.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct item {
    char *name;
    bool folder;
    int64_t size;
    time_t modified;
};
struct items {
    struct item *v;
    size_t n, cap;
    bool cut; /* there is more than LISTED_MAX */
};
enum order { BY_NAME, BY_SIZE, BY_DATE };

static void items_free(struct items *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].name);
    free(l->v);
}

static bool put(struct items *l, const char *name, const struct stat *st)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct item *v = realloc(l->v, cap * sizeof(*v));
        if (!v)
            return false;
        l->v = v;
        l->cap = cap;
    }
    char *mine = strdup(name);
    if (mine)
        l->v[l->n++] = (struct item){mine, S_ISDIR(st->st_mode), st->st_size, st->st_mtim.tv_sec};
    return mine != NULL;
}

/* What a link leads to, if that is beneath the folder too. */
static bool followed(const struct files *f, const char *folder, const char *name, struct stat *st)
{
    char path[PATH_BYTES_MAX + 300];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return false;
    int fd = beneath_open(f->root, path, O_PATH);
    bool ok = fd >= 0 && fstat(fd, st) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* false: no memory. */
static bool gather(const struct files *f, const char *folder, int fd, struct items *ret)
{
    int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = mine < 0 ? NULL : fdopendir(mine);
    const struct dirent *e;
    bool ok = d != NULL;
    if (!d && mine >= 0)
        close(mine);
    while (ok && !ret->cut && (e = readdir(d))) {
        struct stat st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || (*e->d_name == '.' && !f->o.hidden))
            continue;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            (S_ISLNK(st.st_mode) && !followed(f, folder, e->d_name, &st)) ||
            (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
            continue;
        if (ret->n == LISTED_MAX)
            ret->cut = true; /* to count the rest would be to look at all of it */
        else
            ok = put(ret, e->d_name, &st);
    }
    if (d)
        closedir(d);
    return ok;
}

/* Names as people count: file2 before file10. */
static int by_name(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int r = y->folder - x->folder;
    return r ? r : strverscmp(x->name, y->name);
}

static int by_size(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    /* Folders have a size too, but it says nothing of what is in them. */
    return x->folder || y->folder || x->size == y->size ? by_name(a, b) : x->size < y->size ? 1 : -1;
}

static int by_date(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->folder != y->folder || x->modified == y->modified ? by_name(a, b) : x->modified < y->modified ? 1 : -1;
}

static bool query_is(const dx_conn *c, const char *s)
{
    dx_bytes q = dx_http_query(c);
    return q.p && q.n == strlen(s) && !memcmp(q.p, s, q.n);
}

static enum order order_of(const dx_conn *c)
{
    return query_is(c, "by=size") ? BY_SIZE : query_is(c, "by=date") ? BY_DATE : BY_NAME;
}

/* ---- JSON ---- */

static int write_json(const struct items *l, dx_text *t)
{
    int r = add_str(t, "[");
    for (size_t i = 0; i < l->n && r >= 0; i++) {
        const struct item *m = &l->v[i];
        r |= add_str(t, i ? ",\n {\"name\":\"" : "\n {\"name\":\""), r |= dx_json_escape(m->name, strlen(m->name), t);
        r |= add_fmt(t, "\",\"type\":\"%s\",", m->folder ? "folder" : "file");
        if (!m->folder)
            r |= add_fmt(t, "\"size\":%" PRId64 ",", m->size);
        r |= add_fmt(t, "\"modified\":%" PRId64 "}", (int64_t)m->modified);
    }
    return r | add_str(t, "\n]\n");
}

/* ---- HTML ---- */

static const char style[] =
    "<style>"
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:60rem}"
    "h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}"
    "th{text-align:left;font-weight:500;font-size:.85rem}th a{color:GrayText}"
    "td,th{padding:.3rem .5rem}tr:hover td{background:color-mix(in srgb,CanvasText 7%,transparent)}"
    "td:first-child{overflow-wrap:anywhere}"
    "td+td,th+th{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:GrayText}"
    "a{text-decoration:none}a:hover{text-decoration:underline}"
    "footer{display:flex;gap:1.5rem;flex-wrap:wrap;margin-top:1rem;font-size:.9rem}"
    "@media(max-width:32rem){td:nth-child(3),th:nth-child(3){display:none}}"
    "</style>\n";

static int write_size(int64_t n, dx_text *t)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double x = (double)n;
    size_t u = 0;
    while (x >= 1000 && u + 1 < sizeof(units) / sizeof(*units))
        x /= 1024, u++;
    return u && x < 9.95 ? add_fmt(t, "%.1f %s", x, units[u]) : add_fmt(t, "%.0f %s", x, units[u]);
}

static int write_date(time_t at, dx_text *t)
{
    struct tm m;
    char s[32], iso[32];
    localtime_r(&at, &m);
    strftime(s, sizeof(s), "%Y-%m-%d %H:%M", &m);
    gmtime_r(&at, &m);
    strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &m);
    return add_fmt(t, "<time datetime=\"%s\">%s</time>", iso, s);
}

/* "/ a / b": each a way back up. */
static int write_trail(const char *folder, dx_text *t)
{
    size_t depth = 0, at = 0;
    if (!strcmp(folder, "."))
        return add_str(t, "/");
    for (const char *p = folder; *p; p++)
        depth += *p == '/';
    int r = 0;
    for (size_t up = depth + 1; r >= 0; up--) {
        size_t n = strcspn(folder + at, "/");
        r |= add_str(t, up == depth + 1 ? "<a href=\"./" : "");
        if (up == depth + 1) {
            for (size_t i = 0; i < up; i++)
                r |= add_str(t, "../");
            r |= add_str(t, "\">/</a> ");
        }
        if (up == 1)
            return r | escape_html(folder + at, n, t);
        r |= add_str(t, "<a href=\"./");
        for (size_t i = 1; i < up; i++)
            r |= add_str(t, "../");
        r |= add_str(t, "\">"), r |= escape_html(folder + at, n, t), r |= add_str(t, "</a> / ");
        at += n + 1;
    }
    return r;
}

static int write_row(const struct item *m, dx_text *t)
{
    size_t n = strlen(m->name);
    int r = add_str(t, "<tr><td><a href=\"./");
    r |= dx_percent_encode(m->name, n, "", t), r |= add_str(t, m->folder ? "/\">" : "\">");
    r |= escape_html(m->name, n, t), r |= add_str(t, m->folder ? "/</a><td><td>" : "</a><td>");
    if (!m->folder)
        r |= write_size(m->size, t), r |= add_str(t, "<td>");
    r |= write_date(m->modified, t);
    return r | add_str(t, "\n");
}

static int write_order(enum order is, dx_text *t)
{
    static const struct {
        const char *word, *to;
    } all[] = {{"Name", "?"}, {"Size", "?by=size"}, {"Changed", "?by=date"}};
    int r = add_str(t, "<table><thead><tr>");
    for (size_t i = 0; i < 3; i++)
        r |= add_fmt(t, "<th%s><a href=\"%s\">%s</a>", i == (size_t)is ? " aria-sort=\"ascending\"" : "", all[i].to,
                     all[i].word);
    return r | add_str(t, "<tbody>\n");
}

static int write_foot(const struct files *f, const struct items *l, dx_text *t)
{
    int r = add_str(t, "</table>\n");
    if (!l->n)
        r |= add_str(t, "<p>Nothing here yet.\n");
    if (l->cut)
        r |= add_fmt(t, "<p>and more: these are %d of them\n", LISTED_MAX);
    r |= add_str(t, "<footer><a href=\"?tar\" download>all as tar</a>");
    if (f->o.home)
        r |= add_str(t, "<a href=\""), r |= escape_html(f->o.home, strlen(f->o.home), t), r |= add_str(t, "\">"),
            r |= escape_html(f->o.home_word, strlen(f->o.home_word), t), r |= add_str(t, "</a>");
    return r | add_str(t, "</footer>\n");
}

static int write_page(const struct files *f, const char *folder, const struct items *l, enum order by, dx_text *t)
{
    const char *last = strrchr(folder, '/'), *title = !strcmp(folder, ".") ? "/" : last ? last + 1 : folder;
    int r = add_str(t, "<!doctype html>\n<html><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                       "content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><title>");
    r |= escape_html(title, strlen(title), t), r |= add_str(t, "</title>\n"), r |= add_str(t, style),
        r |= add_str(t, "</head><body>\n<h1>");
    r |= write_trail(folder, t), r |= add_str(t, "</h1>\n"), r |= write_order(by, t);
    if (strcmp(folder, ".") != 0)
        r |= add_str(t, "<tr><td><a href=\"../\">../</a><td><td>\n");
    for (size_t i = 0; i < l->n && r >= 0; i++)
        r |= write_row(&l->v[i], t);
    r |= write_foot(f, l, t);
    return r | add_str(t, "</body></html>\n");
}

/* Is JSON wanted rather than a page? Only who says so, and not beside HTML. */
static bool wants_json(const dx_conn *c)
{
    dx_bytes accept = dx_http_header(c, "Accept");
    return accept.p && memmem(accept.p, accept.n, "application/json", 16) &&
           !memmem(accept.p, accept.n, "text/html", 9);
}

void answer_listing(struct files *f, dx_conn *c, const char *name, int fd)
{
    static int (*const orders[])(const void *, const void *) = {by_name, by_size, by_date};
    static const dx_http_field fields[] = {
        {"Cache-Control", "no-store"},
        {"Vary", "Accept"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                                    "form-action 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"}};
    struct items l = {0};
    dx_text t = {0};
    enum order by = order_of(c);
    bool json = wants_json(c), ok = gather(f, name, fd, &l);
    if (l.n)
        qsort(l.v, l.n, sizeof(*l.v), orders[by]);
    if (!ok || (json ? write_json(&l, &t) : write_page(f, name, &l, by, &t)) < 0)
        answer_status(c, 503, "no memory");
    else
        answer_whole(c, 200, json ? "application/json" : "text/html; charset=utf-8", t.p, t.n, fields,
                     sizeof(fields) / sizeof(*fields));
    items_free(&l);
    dx_text_free(&t);
}
