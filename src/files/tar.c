/* SPDX-License-Identifier: MIT
 * tar.c - a folder as a tar stream (POSIX.1-2017 pax: ustar headers, with extended records where a name or a size does not fit). Links
 * are not followed and not sent: what they lead to has its own name, or is not ours to give. */
#include "files/inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 512, DEPTH_MAX = 64, ENTRIES_A_STEP = 64 };

struct tar {
    struct files_talk t; /* first */
    DIR *open[DEPTH_MAX];
    size_t name_n[DEPTH_MAX]; /* how much of name is this folder's */
    int depth;                /* folders open                      */
    char name[PATH_BYTES_MAX];
    int fd; /* of the file being given; -1: none */
    int64_t left, pad;
};

static void octal(char *p, size_t n, uint64_t v)
{
    p[--n] = 0;
    while (n--)
        p[n] = (char)('0' + (v & 7)), v >>= 3;
}

static int write_header(dx_text *out, const char *name, char kind, uint64_t size, uint64_t modified, unsigned mode)
{
    char b[BLOCK] = {0};
    unsigned sum = 0;
    size_t n = strlen(name);
    memcpy(b, name, n < 100 ? n : 100);
    octal(b + 100, 8, mode & 0777);
    octal(b + 108, 8, 0);
    octal(b + 116, 8, 0);
    octal(b + 124, 12, size < 1ULL << 33 ? size : 0);
    octal(b + 136, 12, modified < 1ULL << 33 ? modified : 0);
    memset(b + 148, ' ', 8);
    b[156] = kind;
    memcpy(b + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (uint8_t)b[i];
    octal(b + 148, 7, sum);
    return dx_text_add(out, b, BLOCK);
}

/* "LENGTH key=value\n", where LENGTH counts itself. */
static int write_record(dx_text *t, const char *key, const char *value)
{
    size_t body = strlen(key) + strlen(value) + 3, n = body + 1;
    char digits[24];
    while ((size_t)snprintf(digits, sizeof(digits), "%zu", n) + body != n)
        n = body + (size_t)snprintf(digits, sizeof(digits), "%zu", n);
    const char *const parts[] = {digits, " ", key, "=", value, "\n"};
    int r = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        r |= add_str(t, parts[i]);
    return r;
}

static int write_padding(dx_text *out, uint64_t n)
{
    static const char zeros[BLOCK];
    size_t pad = (size_t)(BLOCK - n % BLOCK) % BLOCK;
    return dx_text_add(out, zeros, pad);
}

static bool is_ascii(const char *s)
{
    while (*s > 0)
        s++;
    return !*s;
}

static int write_entry(dx_text *out, const char *name, bool folder, const struct stat *st)
{
    uint64_t size = folder ? 0 : (uint64_t)st->st_size,
             modified = st->st_mtim.tv_sec < 0 ? 0 : (uint64_t)st->st_mtim.tv_sec;
    dx_text more = {0};
    char digits[24];
    int r = 0;
    if (strlen(name) > 100 || !is_ascii(name))
        r |= write_record(&more, "path", name);
    snprintf(digits, sizeof(digits), "%" PRIu64, size);
    if (size >= 1ULL << 33)
        r |= write_record(&more, "size", digits);
    if (more.n)
        r |= write_header(out, "pax", 'x', more.n, modified, 0644), r |= dx_text_add(out, more.p, more.n),
            r |= write_padding(out, more.n);
    dx_text_free(&more);
    return r | write_header(out, name, folder ? '5' : '0', size, modified, st->st_mode);
}

static bool enter(struct tar *x, int fd, size_t name_n)
{
    DIR *d = x->depth < DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!d) {
        close(fd);
        return false;
    }
    x->open[x->depth] = d;
    x->name_n[x->depth++] = name_n;
    return true;
}

/* What went away, became something else or is not ours to read is left out; a tar that lacks more would look whole and not be it. */
static int left_out(void)
{
    bool fine = errno == ENOENT || errno == EACCES || errno == EPERM || errno == ELOOP || errno == ENOTDIR;
    return fine ? 0 : -1;
}

static int begin_folder(struct tar *x, int at, const char *name, size_t name_n, const struct stat *st, dx_text *out)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return left_out();
    memcpy(x->name + name_n, "/", 2);
    int r = write_entry(out, x->name, true, st);
    return enter(x, fd, name_n + 1) ? r : -1;
}

static int begin_file(struct tar *x, int at, const char *name, dx_text *out)
{
    struct stat st;
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return left_out();
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return 0;
    }
    x->fd = fd;
    x->left = x->pad = st.st_size;
    return write_entry(out, x->name, false, &st);
}

/* The next name of the innermost folder that is open. < 0: no memory, no descriptors, a disk that fails. */
static int next_entry(struct tar *x, dx_text *out)
{
    DIR *d = x->open[x->depth - 1];
    size_t at = x->name_n[x->depth - 1];
    struct stat st;
    errno = 0;
    const struct dirent *e = readdir(d);
    if (!e && errno)
        return -1;
    if (!e) {
        closedir(d);
        x->depth--;
        return 0;
    }
    size_t n = strlen(e->d_name);
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || (*e->d_name == '.' && !x->t.files->o.hidden) ||
        at + n + 2 > sizeof(x->name))
        return 0;
    if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return left_out();
    memcpy(x->name + at, e->d_name, n + 1);
    if (S_ISDIR(st.st_mode))
        return begin_folder(x, dirfd(d), e->d_name, at + n, &st, out);
    return S_ISREG(st.st_mode) ? begin_file(x, dirfd(d), e->d_name, out) : 0;
}

/* Of a file that shrinks meanwhile the rest is zeros: the header has gone, and those that follow must not be lost. */
static int some_of_file(struct tar *x, dx_text *out)
{
    char buf[STEP_BYTES];
    size_t want = x->left < STEP_BYTES ? (size_t)x->left : STEP_BYTES;
    ssize_t n = want ? read(x->fd, buf, want) : 0;
    if (n < 0)
        return -1;
    if (n == 0)
        memset(buf, 0, (size_t)(n = (ssize_t)want));
    x->left -= n;
    int r = dx_text_add(out, buf, (size_t)n);
    if (!x->left) {
        close(x->fd);
        x->fd = -1;
        r |= write_padding(out, (uint64_t)x->pad);
    }
    return r;
}

static int step(struct files_talk *t, dx_text *out)
{
    struct tar *x = (struct tar *)t;
    static const char end[2 * BLOCK];
    for (int i = 0; out->n < STEP_BYTES && i < ENTRIES_A_STEP; i++) {
        if (x->fd < 0 && !x->depth)
            return dx_text_add(out, end, sizeof(end)) < 0 ? -1 : 0;
        if ((x->fd >= 0 ? some_of_file(x, out) : next_entry(x, out)) < 0)
            return -1;
    }
    return 1;
}

static void let_go(struct files_talk *t)
{
    struct tar *x = (struct tar *)t;
    while (x->depth)
        closedir(x->open[--x->depth]);
    if (x->fd >= 0)
        close(x->fd);
}

/* filename* says it by the book (RFC 6266, RFC 8187); curl -J reads filename alone, and gets UTF-8 there as it is. */
static int write_disposition(const char *base, dx_text *t)
{
    int r = add_str(t, "attachment; filename=\"");
    bool utf8 = dx_is_utf8(base, strlen(base));
    for (const char *p = base; *p; p++) {
        bool plain = *p >= ' ' && *p < 127 && *p != '"' && *p != '\\' && *p != '%';
        r |= dx_text_add(t, plain || (utf8 && (*p & 0x80)) ? p : "_", 1);
    }
    r |= add_str(t, ".tar\"; filename*=UTF-8''"), r |= dx_percent_encode(base, strlen(base), "", t);
    return r | add_str(t, ".tar");
}

struct files_talk *answer_tar(struct files *f, dx_conn *c, const char *name, int fd)
{
    const char *slash = strrchr(name, '/'), *base = !strcmp(name, ".") ? f->name : slash ? slash + 1 : name;
    struct tar *x = calloc(1, sizeof(*x));
    dx_text disposition = {0};
    int mine = x && write_disposition(base, &disposition) >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1, r = DX_NOMEM;
    if (x)
        x->fd = -1;
    if (mine >= 0) {
        size_t n = strlen(base);
        memcpy(x->name, base, n);
        x->name[n] = '/';
        if (enter(x, mine, n + 1)) {
            const dx_http_field fields[] = {{"Content-Type", "application/x-tar"},
                                            {"Content-Disposition", disposition.p},
                                            {"Cache-Control", "no-store"},
                                            {"X-Content-Type-Options", "nosniff"}};
            r = dx_http_head(c, 200, -1, fields, 4);
        }
    }
    dx_text_free(&disposition);
    if (r < 0) {
        if (x)
            let_go(&x->t);
        free(x);
        answer_status(c, 503, "no memory, or too much is open here");
        return NULL;
    }
    f->counts.tars++;
    x->t = (struct files_talk){.files = f, .c = c, .step = step, .free = let_go};
    if (dx_http_method(c).n == 4) {
        x->t.done = true;
        dx_finish(c); /* HEAD */
    }
    files_more(&x->t);
    return &x->t;
}
