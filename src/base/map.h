/* SPDX-License-Identifier: MIT
 * map.h - bytes to pointers, for peers by address, members by nick, rooms by name. Keyed hashing (SipHash-1-3), so
 * that strangers who choose the keys cannot choose collisions. */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include <stddef.h>
#include <stdint.h>

struct map_slot;
struct map {
    struct map_slot *v;
    size_t n, cap, dead;
    uint64_t seed[2]; /* fill with random bytes before first use; zero is fine in tests */
};
void *map_get(const struct map *m, const void *key, size_t key_n); /* NULL: not there */
/* Adds or replaces; value is not NULL; the key's bytes must stay where they are until map_del (keep them inside the
 * value). 0, DX_NOMEM. */
int map_put(struct map *m, const void *key, size_t key_n, void *value);
void *map_del(struct map *m, const void *key, size_t key_n); /* what was there, or NULL */
/* *at starts at 0; NULL at the end. Deleting the one just returned is fine, adding is not. */
void *map_next(const struct map *m, size_t *at);
void map_free(struct map *m);
#endif
