/* SPDX-License-Identifier: MIT */
#include "tool/part.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool no(char words[PART_WORDS], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool no(char words[PART_WORDS], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, PART_WORDS, fmt, ap);
    va_end(ap);
    return false;
}

/* The folder that path is in, with its '/'; "./" where path names none. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(folder, PATH_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
}

static bool cannot_make(const struct part *p, int error, char words[PART_WORDS])
{
    char folder[PATH_MAX];
    folder_of(p->name, folder);
    if (error == EEXIST)
        return no(words, "%.150s is there: left over, or another transfer writes it.  Try: rm %.150s, or --force",
                  p->name, p->name);
    if (error == ENOENT)
        return no(words, "no folder %.150s.  Try: mkdir -p %.150s", folder, folder);
    if (error == EACCES || error == EROFS || error == EPERM)
        return no(words, "no file can be made in %.150s: %s", folder, strerror(error));
    return no(words, "%.200s: %s", p->name, strerror(error));
}

/* What is there under the name that it is to have. */
static bool may_become(const struct part *p, const struct stat *there, char words[PART_WORDS])
{
    if (S_ISDIR(there->st_mode))
        return no(words, "%.150s is a folder, and what comes has no name of its own.  Try: %.150s%sNAME", p->file,
                  p->file, p->file[strlen(p->file) - 1] == '/' ? "" : "/");
    if (!S_ISREG(there->st_mode) && !S_ISLNK(there->st_mode))
        return no(words, "%.150s is no file that can be replaced.  Try: - >%.150s", p->file, p->file);
    if (!p->force)
        return no(words, "%.200s is there already.  Try: --force, or another name", p->file);
    return true;
}

/* May file.part become file? *ret_mode: what is there has these permissions; 0: there is nothing. */
static bool name_is_free(struct part *p, const char *file, bool force, mode_t *ret_mode, char words[PART_WORDS])
{
    struct stat there;
    *p = (struct part){.file = file, .fd = -1, .force = force};
    *ret_mode = 0;
    if ((size_t)snprintf(p->name, sizeof p->name, "%s.part", file) >= sizeof p->name)
        return cannot_make(p, ENAMETOOLONG, words);
    bool replaces = lstat(file, &there) == 0;
    if (replaces && !may_become(p, &there, words))
        return false;
    if (!*file || file[strlen(file) - 1] == '/')
        return no(words, "'%.150s' is no name for a file.  Try: %.150sNAME", file, file);
    if (replaces && S_ISREG(there.st_mode))
        *ret_mode = there.st_mode;
    return true;
}

static bool make(struct part *p, mode_t mode, char words[PART_WORDS])
{
    p->fd = open(p->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
    if (p->fd < 0)
        return cannot_make(p, errno, words);
    if (mode)
        fchmod(p->fd, mode & 0777); /* what was kept from others stays so; where it cannot be, it is not worse */
    return true;
}

bool part_open(struct part *p, const char *file, bool force, char words[PART_WORDS])
{
    mode_t mode;
    if (!name_is_free(p, file, force, &mode, words))
        return false;
    if (force)
        unlink(p->name);
    return make(p, mode, words);
}

bool part_again(struct part *p, const char *file, bool force, char words[PART_WORDS])
{
    struct stat st;
    mode_t mode;
    if (!name_is_free(p, file, force, &mode, words))
        return false;
    p->fd = open(p->name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    if (p->fd < 0 && errno == ENOENT)
        return make(p, mode, words);
    if (p->fd < 0)
        return cannot_make(p, errno, words);
    if (fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || lseek(p->fd, 0, SEEK_END) < 0) {
        close(p->fd);
        p->fd = -1;
        return no(words, "%.200s is no file that a fetch has left", p->name);
    }
    return true;
}

/* 0 or errno. */
static int name_it(const struct part *p)
{
    if (p->force)
        return rename(p->name, p->file) < 0 ? errno : 0;
    if (renameat2(AT_FDCWD, p->name, AT_FDCWD, p->file, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (link(p->name, p->file) < 0) /* a file system, or a kernel, without that flag */
        return errno;
    unlink(p->name);
    return 0;
}

/* Else the new name may be gone after a power cut. Not every file system can, and the file itself is safe. */
static void sync_folder(const struct part *p)
{
    char folder[PATH_MAX];
    folder_of(p->file, folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

bool part_keep(struct part *p, char words[PART_WORDS])
{
    if (fsync(p->fd) < 0)
        return no(words, "%.200s: %s", p->name, strerror(errno));
    int error = name_it(p);
    if (error == EEXIST)
        return no(words, "%.150s has come into being meanwhile: all that came is in %.150s", p->file, p->name);
    if (error)
        return no(words, "%.150s could not be named %.150s: %s", p->name, p->file, strerror(error));
    sync_folder(p);
    p->kept = true;
    return true;
}

bool part_leave(struct part *p)
{
    struct stat st = {0};
    if (p->fd < 0)
        return false;
    bool some = fstat(p->fd, &st) == 0 && st.st_size > 0;
    if (!some && !p->kept)
        unlink(p->name);
    close(p->fd);
    p->fd = -1;
    return some && !p->kept;
}
