/* SPDX-License-Identifier: MIT
 * cache.c - small files in memory, by their names, the longest unused going first. Before one is used its name is looked up, and only
 * where it leads to the same file, unchanged, are its bytes right: one system call in place of four. */
#include "files/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUCKETS = 1024, SETTLED_S = 2 };

struct entry {
    struct small s; /* first */
    struct entry *next_here, *newer, *older;
    int64_t seen_ms; /* when it was last the same */
    uint32_t bucket;
    size_t bytes;
    char type[64];
    char name[];
};
struct cache {
    struct entry *buckets[BUCKETS], *newest, *oldest;
    size_t bytes, bytes_max;
};

struct cache *cache_new(size_t bytes_max)
{
    struct cache *k = calloc(1, sizeof(*k));
    if (k)
        k->bytes_max = bytes_max;
    return k;
}

static void off_list(struct cache *k, struct entry *e)
{
    *(e->newer ? &e->newer->older : &k->newest) = e->older;
    *(e->older ? &e->older->newer : &k->oldest) = e->newer;
}

static void on_list(struct cache *k, struct entry *e)
{
    e->newer = NULL;
    e->older = k->newest;
    *(k->newest ? &k->newest->newer : &k->oldest) = e;
    k->newest = e;
}

static void drop(struct cache *k, struct entry *e)
{
    struct entry **at = &k->buckets[e->bucket];
    while (*at != e)
        at = &(*at)->next_here;
    *at = e->next_here;
    off_list(k, e);
    k->bytes -= e->bytes;
    for (int i = 0; i < CODINGS; i++)
        free((void *)(uintptr_t)e->s.made[i].p);
    free((void *)(uintptr_t)e->s.p);
    free(e);
}

void cache_free(struct cache *k)
{
    while (k && k->oldest)
        drop(k, k->oldest);
    free(k);
}

static uint32_t bucket_of(const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a; who can choose names here can fill the folder anyway */
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h % BUCKETS;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static struct entry *lookup(struct cache *k, const char *name)
{
    struct entry *e = k->buckets[bucket_of(name)];
    while (e && strcmp(e->name, name))
        e = e->next_here;
    return e;
}

struct small *cache_find(struct cache *k, int root, const char *name, int64_t now_ms)
{
    struct entry *e = lookup(k, name);
    struct stat st;
    if (!e)
        return NULL;
    /* A name that leads out of the folder leads to no file that was read from inside it. */
    if (e->seen_ms != now_ms && (fstatat(root, name, &st, 0) < 0 || !same(&st, &e->s.st))) {
        drop(k, e);
        return NULL;
    }
    e->seen_ms = now_ms;
    off_list(k, e);
    on_list(k, e);
    return &e->s;
}

static uint8_t *read_all(int fd, size_t n)
{
    uint8_t *p = malloc(n + 1);
    size_t got = 0;
    ssize_t r = 1;
    while (p && got < n && (r = pread(fd, p + got, n - got, (off_t)got)) > 0)
        got += (size_t)r;
    if (p && got == n)
        return p;
    free(p);
    return NULL;
}

struct small *cache_put(struct cache *k, const char *name, int fd, const struct stat *st, int64_t now_ms)
{
    struct stat after;
    size_t n = (size_t)st->st_size, name_n = strlen(name);
    /* A clock's tick is no finer than a few ms: what was changed just now may be changed again under the same times. */
    if (st->st_size > SMALL_MAX || n + sizeof(struct entry) > k->bytes_max / 8 ||
        time(NULL) - st->st_ctim.tv_sec < SETTLED_S)
        return NULL;
    struct entry *e = lookup(k, name);
    if (e)
        drop(k, e);
    e = calloc(1, sizeof(*e) + name_n + 1);
    uint8_t *p = e ? read_all(fd, n) : NULL;
    if (!p || fstat(fd, &after) < 0 || !same(&after, st)) {
        free(p);
        free(e);
        return NULL;
    }
    memcpy(e->name, name, name_n + 1);
    const char *type = type_of(name), *charset = type_is_text(type) ? type_charset(p, n, true) : NULL;
    snprintf(e->type, sizeof(e->type), "%s; charset=%s", type, charset ? charset : "");
    e->s = (struct small){.st = *st, .type = charset ? e->type : type, .shrinks = type_shrinks(type), .p = p, .n = n};
    facts_of(st, CODING_NONE, false, &e->s.facts);
    e->seen_ms = now_ms;
    e->bytes = sizeof(*e) + name_n + n;
    e->bucket = bucket_of(name);
    e->next_here = k->buckets[e->bucket];
    k->buckets[e->bucket] = e;
    on_list(k, e);
    k->bytes += e->bytes;
    while (k->bytes > k->bytes_max && k->oldest != e)
        drop(k, k->oldest);
    return &e->s;
}

void cache_made(struct cache *k, struct small *s, enum coding coding, dx_bytes made)
{
    struct entry *e = (struct entry *)s;
    e->s.made[coding] = made;
    e->bytes += made.n;
    k->bytes += made.n;
    while (k->bytes > k->bytes_max && k->oldest != e)
        drop(k, k->oldest);
}
