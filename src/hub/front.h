/* SPDX-License-Identifier: MIT
 * front.h - the page's files, as tools/embed.py puts them into the command. */
#ifndef HUB_FRONT_H
#define HUB_FRONT_H
#include <stddef.h>

struct page_file {
    const char *path, *type, *etag;
    const unsigned char *data;
    size_t n;
};
extern const struct page_file page_files[]; /* the first is the page itself: "/" */
extern const size_t page_file_count;
#endif
