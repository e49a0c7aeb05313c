/* SPDX-License-Identifier: MIT
 * files.c - a folder that answers: which of the answers a path gets. */
#include "files/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CACHE_BYTES_MAX = 16 << 20 };

/* "photos" of "/srv/photos", and of "." there; what has none, "/", is "files". */
static void find_name(struct files *f, const char *folder)
{
    char *path = realpath(folder, NULL), *slash = path ? strrchr(path, '/') : NULL;
    snprintf(f->name, sizeof(f->name), "%s", slash && slash[1] ? slash + 1 : "files");
    free(path);
}

struct files *files_open(const char *folder, const struct files_opts *o, dx_err *err)
{
    struct files *f = calloc(1, sizeof(*f));
    if (!f)
        goto no_memory;
    if (o)
        f->o = *o;
    f->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->root < 0) {
        if (err) {
            *err = (dx_err){.code = DX_SYS, .detail = errno, .detail_of = DX_OF_ERRNO};
            snprintf(err->text, sizeof(err->text), "%.160s: %s", folder, strerror(errno));
        }
        free(f);
        return NULL;
    }
    find_name(f, folder);
    f->cache = cache_new(f->o.cache_bytes_max ? f->o.cache_bytes_max : CACHE_BYTES_MAX);
    if (f->cache)
        return f;
    files_close(f);
no_memory:
    if (err)
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory for a folder"};
    return NULL;
}

void files_close(struct files *f)
{
    if (!f)
        return;
    cache_free(f->cache);
    close(f->root);
    free(f);
}

void files_count(const struct files *f, struct files_counts *ret)
{
    *ret = f->counts;
}

void answer_status(dx_conn *c, int status, const char *words)
{
    const dx_http_field fields[] = {{"X-Content-Type-Options", "nosniff"}, {"Allow", "GET, HEAD"}};
    char body[256];
    int n = snprintf(body, sizeof(body), "%s\n", words);
    dx_http_reply(c, status, "text/plain; charset=utf-8", body, (size_t)n, fields, status == 405 ? 2 : 1);
}

void answer_whole(dx_conn *c, int status, const char *type, const void *p, size_t n, const dx_http_field *fields,
                  size_t count)
{
    if (dx_http_reply(c, status, type, p, n, fields, count) < 0)
        dx_abort(c);
}

static bool is(dx_bytes a, const char *s)
{
    return a.p && a.n == strlen(s) && !memcmp(a.p, s, a.n);
}

/* A folder's address ends in '/', or what its files are called relative to it would be wrong. */
static void to_folder(dx_conn *c)
{
    dx_bytes path = dx_http_path(c), query = dx_http_query(c);
    dx_text to = {0};
    int r = dx_text_add(&to, path.p, path.n);
    r |= add_str(&to, "/");
    if (query.p)
        r |= add_str(&to, "?"), r |= dx_text_add(&to, query.p, query.n);
    if (r < 0 || dx_http_redirect(c, 308, to.p) < 0)
        answer_status(c, 503, "no memory");
    dx_text_free(&to);
}

/* What a folder's address shows where there is no index.html in it. */
static struct files_talk *answer_folder(struct files *f, dx_conn *c, const char *name, int fd)
{
    struct files_talk *t = NULL;
    if (f->o.no_listing)
        answer_status(c, 404, "nothing here");
    else if (is(dx_http_query(c), "tar"))
        t = answer_tar(f, c, name, fd);
    else
        answer_listing(f, c, name, fd);
    return t;
}

static int index_name(const struct path *p, char *ret, size_t room)
{
    int n = strcmp(p->name, ".") ? snprintf(ret, room, "%s/index.html", p->name) : snprintf(ret, room, "index.html");
    return n > 0 && (size_t)n < room ? 0 : -1;
}

/* Opens a regular file; anything else is closed again. */
static int open_file(const struct files *f, const char *name, struct stat *st)
{
    int fd = beneath_open(f->root, name, O_RDONLY);
    if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
        errno = ENOENT;
    }
    return fd;
}

static void answer_errno(dx_conn *c, int no)
{
    if (no == EACCES || no == EPERM)
        answer_status(c, 403, "no right to read this");
    else if (no == EMFILE || no == ENFILE || no == ENOMEM)
        answer_status(c, 503, "too much is open here: later");
    else
        answer_status(c, 404, "nothing here");
}

static struct files_talk *answer_opened(struct files *f, dx_conn *c, const char *name, int fd, const struct stat *st)
{
    struct small *s = cache_put(f->cache, name, fd, st, dx_loop_now(dx_loop_of(c)));
    struct files_talk *t = s ? answer_small(f, c, name, s) : answer_file(f, c, name, fd, st);
    close(fd);
    return t;
}

static struct files_talk *answer_index(struct files *f, dx_conn *c, const struct path *p)
{
    char name[PATH_BYTES_MAX + 16];
    struct stat st;
    struct files_talk *t = NULL;
    bool tar = is(dx_http_query(c), "tar") && !f->o.no_listing;
    int fd = tar || index_name(p, name, sizeof(name)) < 0 ? -1 : open_file(f, name, &st);
    if (fd >= 0)
        return answer_opened(f, c, name, fd, &st);
    fd = beneath_open(f->root, p->name, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        answer_errno(c, errno);
        return NULL;
    }
    t = answer_folder(f, c, p->name, fd);
    close(fd);
    return t;
}

static struct files_talk *answer_name(struct files *f, dx_conn *c, const struct path *p)
{
    struct stat st;
    struct small *s = cache_find(f->cache, f->root, p->name, dx_loop_now(dx_loop_of(c)));
    if (s) {
        f->counts.from_memory++;
        return answer_small(f, c, p->name, s);
    }
    /* Looked at before it is opened: opening a device can do something. */
    int fd = beneath_open(f->root, p->name, O_PATH);
    bool known = fd >= 0 && fstat(fd, &st) == 0;
    int no = errno;
    if (fd >= 0)
        close(fd);
    if (known && S_ISDIR(st.st_mode)) {
        to_folder(c);
        return NULL;
    }
    fd = known && S_ISREG(st.st_mode) ? open_file(f, p->name, &st) : -1;
    if (fd < 0) {
        answer_errno(c, known ? S_ISREG(st.st_mode) ? errno : ENOENT : no);
        return NULL;
    }
    return answer_opened(f, c, p->name, fd, &st);
}

struct files_talk *files_answer(struct files *f, dx_conn *c)
{
    dx_bytes method = dx_http_method(c);
    struct path p;
    f->counts.answered++;
    if (!is(method, "GET") && !is(method, "HEAD"))
        answer_status(c, 405, "GET or HEAD");
    else if (!path_read(&p, dx_http_path(c), f->o.hidden))
        answer_status(c, 404, "nothing here");
    else
        return p.folder ? answer_index(f, c, &p) : answer_name(f, c, &p);
    return NULL;
}
