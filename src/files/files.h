/* SPDX-License-Identifier: MIT
 * files.h - a folder answers HTTP exchanges: files, ranges, listings, a folder as a tar. It only reads. What the command sees of it.
 *
 *     struct files *f = files_open("/srv/www", NULL, &err);
 *     struct files_talk *t = files_answer(f, c);       // in on_open; in on_writable files_more(t), in on_close files_gone(t)
 *
 * STAYS INSIDE  Nothing is opened that is not beneath the folder, whatever ".." or link says (openat2, RESOLVE_BENEATH; without it no
 *               link is followed). Names that begin with a dot are not there, nor is what is no regular file and no folder.
 * THREADS       All calls on the loop's thread. Folders and files are read on it too. */
#ifndef FILES_FILES_H
#define FILES_FILES_H
#include <duplex/duplex.h>

struct files;
struct files_talk;

struct files_opts {         /* zero means the default named here                                         */
    bool hidden;            /* names that begin with a dot are there too                                  */
    bool no_listing;        /* a folder without index.html is a 404, as is its tar                        */
    bool no_compression;    /* neither made ones nor those that lie beside the file (.br .zst .gz)        */
    size_t cache_bytes_max; /* 16 MiB of small files kept in memory                                       */
    const char *home;       /* a path that listings link to, with a word for it: "/~"; NULL: none. Kept   */
    const char *home_word;
};
struct files_counts {
    uint64_t answered, from_memory, compressed, tars;
};
/* NULL: DX_SYS (no such folder, no right to read it), DX_NOMEM. */
struct files *files_open(const char *folder, const struct files_opts *o, dx_err *err);
void files_close(struct files *f); /* every talk must be gone */
/* Answers the exchange c (dx_http_is) for its path: always, and be it with a 404. NULL: all of it is given. Else the answer is a
 * stream that goes on with files_more in c's on_writable, until files_gone in its on_close, which frees it. */
struct files_talk *files_answer(struct files *f, dx_conn *c);
void files_more(struct files_talk *t);
void files_gone(struct files_talk *t);
void files_count(const struct files *f, struct files_counts *ret);
#endif
