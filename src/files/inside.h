/* SPDX-License-Identifier: MIT
 * inside.h - what the files of this room share. */
#ifndef FILES_INSIDE_H
#define FILES_INSIDE_H
#include "files/files.h"
#include <duplex/http.h>
#include <duplex/text.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SMALL_MAX = 64 << 10,     /* a file that is kept in memory has at most so many bytes                   */
    STEP_BYTES = 64 << 10,    /* a stream reads so much at a time                                          */
    COMPRESS_MIN = 512,       /* below it a smaller body is no smaller answer                              */
    COMPRESSING_MAX = 16,     /* streams that are being compressed at a time; who comes later gets it as it is */
    LISTED_MAX = 20000,       /* names in one listing                                                      */
    RANGES_MAX = 16,          /* in one request; more are answered with the whole                          */
    PATH_BYTES_MAX = 4096,
    FIELDS_MAX = 12,
};

/* path.c - a request's path becomes a name beneath the folder. */
struct path {
    char name[PATH_BYTES_MAX]; /* "a/b.txt" or "."; no leading or trailing '/', no "." or ".." in it           */
    bool folder;               /* it ended in '/'                                                              */
};
/* false: no path that anything could have: escapes that do not read, NUL, %2F, "..", two '/' in a row, too long; and, unless hidden, a
 * part that begins with a dot. */
bool path_read(struct path *ret, dx_bytes raw, bool hidden);

/* beneath.c */
/* Opens what is beneath the folder `root`: no ".." and no link leads out. A FIFO is not waited for. < 0: errno is set. */
int beneath_open(int root, const char *name, int flags);

/* type.c */
const char *type_of(const char *name);     /* "text/html", by the name's end; "application/octet-stream" */
bool type_is_text(const char *type);       /* it has a charset                                            */
bool type_shrinks(const char *type);       /* compression pays                                             */
const char *type_charset(const void *p, size_t n, bool whole); /* "utf-8", "gb18030"; NULL: it cannot be said */

/* when.c - RFC 9110 13 */
struct facts { /* of what would be sent: what conditions ask for */
    char etag[64]; /* with its quotes; "": none */
    char date[30]; /* modified, as Last-Modified has it */
    time_t modified;
};
/* The status that the request's conditions lead to: 0 (send it), 304, 412. */
int condition_status(const dx_conn *c, const struct facts *f);
/* Does If-Range let its Range be used? Without one it does. */
bool condition_range(const dx_conn *c, const struct facts *f);

/* range.c - RFC 9110 14 */
struct range {
    int64_t first, n;
};
/* The ranges of a file of size bytes. > 0: so many; 0: there is none to heed, send the whole; < 0: none can be had (416). */
int range_read(dx_bytes field, int64_t size, struct range ret[RANGES_MAX]);

/* encode.c - gzip, br, zstd, in steps */
enum coding { CODING_NONE, CODING_GZIP, CODING_BR, CODING_ZSTD, CODINGS };
const char *coding_name(enum coding k);   /* "gzip" */
const char *coding_suffix(enum coding k); /* ".gz"  */
/* Of those in the set (1 << CODING_BR | ...) the one that the client wants most; CODING_NONE: none. */
enum coding coding_choose(const dx_conn *c, unsigned set);
struct encoder;
struct encoder *encoder_new(enum coding k); /* NULL: no memory */
/* Appends the encoding of p[0..n), and with last the end of it. 0 or DX_NOMEM. */
int encoder_take(struct encoder *e, const void *p, size_t n, bool last, dx_text *out);
void encoder_free(struct encoder *e);

/* escape.c */
int escape_html(const char *s, size_t n, dx_text *out); /* broken UTF-8 and controls are shown, not obeyed */
int add_str(dx_text *t, const char *s);
int add_fmt(dx_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* cache.c - small files in memory, by path; whether they still are the same is asked of the system */
struct small {
    struct stat st;
    const char *type; /* with its charset     */
    bool shrinks;     /* compression may pay  */
    struct facts facts;
    const uint8_t *p;
    size_t n;
    dx_bytes made[CODINGS]; /* its encodings, as they were asked for; of none, n is 0 */
};
struct cache;
struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache *k);
/* Good until the next call on the cache. NULL: not there, or no longer the same. now_ms: what was the same at this time still is. */
struct small *cache_find(struct cache *k, int root, const char *name, int64_t now_ms);
/* Reads all of fd into it; NULL: not kept (too big, no memory, it is being written to). Never more than SMALL_MAX bytes. */
struct small *cache_put(struct cache *k, const char *name, int fd, const struct stat *st, int64_t now_ms);
void cache_made(struct cache *k, struct small *s, enum coding coding, dx_bytes made); /* takes made.p (malloc) over */

struct files {
    int root;
    char name[256]; /* the folder's own, for its tar */
    struct files_opts o;
    struct cache *cache;
    unsigned compressing;
    struct files_talk *first, *last; /* the streams whose next step is due */
    int64_t timer;                   /* of the line; 0: none               */
    struct files_counts counts;
};

/* A stream that is being given: its kind gives a step at a time. The first member of what the kind needs, and on the heap. */
struct files_talk {
    struct files *files;
    dx_conn *c;
    struct files_talk *before, *next; /* in the folder's line */
    bool waits;                       /* it stands there      */
    bool last, done;
    /* Puts some of it into out; 1: more follows, 0: that was the last, < 0: it broke. */
    int (*step)(struct files_talk *t, dx_text *out);
    void (*free)(struct files_talk *t); /* what it holds, not t itself */
    dx_text out;
};

struct body { /* of a file's bytes: in memory, or by a descriptor */
    const uint8_t *p;
    int fd;
    int64_t size;
    const char *type;
};
struct head { /* the fields of an answer, and what they point to */
    dx_http_field fields[FIELDS_MAX];
    size_t count;
    char range[80];
};
void head_field(struct head *h, const char *name, const char *value);

/* The answers. */
void answer_status(dx_conn *c, int status, const char *words);
/* A body that is all there; where it cannot be given the client sees that. */
void answer_whole(dx_conn *c, int status, const char *type, const void *p, size_t n, const dx_http_field *fields, size_t count);
struct files_talk *answer_parts(struct files *f, dx_conn *c, const struct body *b, const struct range *r, int count, struct head *h);
struct files_talk *answer_file(struct files *f, dx_conn *c, const char *name, int fd, const struct stat *st);
struct files_talk *answer_small(struct files *f, dx_conn *c, const char *name, struct small *s);
struct files_talk *answer_compressed(struct files *f, dx_conn *c, int fd, const struct stat *st, enum coding k, const dx_http_field *fields,
                                     size_t count);
void answer_listing(struct files *f, dx_conn *c, const char *name, int fd);
struct files_talk *answer_tar(struct files *f, dx_conn *c, const char *name, int fd);
void facts_of(const struct stat *st, enum coding k, bool made, struct facts *ret);
#endif
