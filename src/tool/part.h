/* SPDX-License-Identifier: MIT
 * part.h - a file that comes: FILE.part beside it until all is there, and never over a file that is there unless told. */
#ifndef TOOL_PART_H
#define TOOL_PART_H
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PART_WORDS = 480 };
struct part {
    const char *file;    /* the caller's */
    char name[PATH_MAX]; /* file.part    */
    int fd;
    bool force, kept;
};
/* Makes file.part. false: words say why not and what to try. */
bool part_open(struct part *p, const char *file, bool force, char words[PART_WORDS]);
/* The same, but a file.part that is there is gone on with: open to be read and appended to. */
bool part_again(struct part *p, const char *file, bool force, char words[PART_WORDS]);
/* All is there: on the disk, and then by its own name. false: words say why not, and it stays as file.part. */
bool part_keep(struct part *p, char words[PART_WORDS]);
/* Closes it. What was not kept stays as file.part, or goes where there is nothing in it: is there something? Twice is fine. */
bool part_leave(struct part *p);
#endif
