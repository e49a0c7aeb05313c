/* SPDX-License-Identifier: MIT
 * map.c - open addressing with linear probing. Deleting leaves a mark where a run goes on, so that nothing moves under
 * a walk with map_next; marks go when the table is built anew. */
#include "map.h"
#include <duplex/duplex.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_EMPTY = 0, SLOT_DEAD = 1, CAP_MIN = 16 };
struct map_slot {
    uint64_t hash; /* SLOT_EMPTY, SLOT_DEAD, or a hash from 2 on */
    const void *key;
    size_t key_n;
    void *value;
};

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = ROTL(v[1], 13) ^ v[0], v[0] = ROTL(v[0], 32);
    v[2] += v[3], v[3] = ROTL(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = ROTL(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = ROTL(v[1], 17) ^ v[2], v[2] = ROTL(v[2], 32);
}

static uint64_t load64(const uint8_t *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

/* SipHash-1-3 (Aumasson, Bernstein), 64 bits. */
static uint64_t hash_of(const struct map *m, const void *key, size_t n)
{
    const uint8_t *p = key;
    uint64_t v[4] = {m->seed[0] ^ 0x736f6d6570736575, m->seed[1] ^ 0x646f72616e646f6d, m->seed[0] ^ 0x6c7967656e657261,
                     m->seed[1] ^ 0x7465646279746573};
    size_t left = n;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t x = load64(p, 8);
        v[3] ^= x;
        sip_round(v);
        v[0] ^= x;
    }
    uint64_t x = load64(p, left) | (uint64_t)n << 56;
    v[3] ^= x;
    sip_round(v);
    v[0] ^= x;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
    return h > SLOT_DEAD ? h : h + 2;
}

static struct map_slot *find(const struct map *m, uint64_t hash, const void *key, size_t key_n)
{
    if (!m->cap)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->v[i];
        if (s->hash == SLOT_EMPTY)
            return NULL;
        if (s->hash == hash && s->key_n == key_n && (key_n == 0 || !memcmp(s->key, key, key_n)))
            return s;
    }
}

static struct map_slot *free_slot(struct map_slot *v, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (v[i].hash > SLOT_DEAD)
        i = (i + 1) & (cap - 1);
    return &v[i];
}

/* A table for one more, at most half full, without marks: it also shrinks one that has emptied. */
static int rebuild(struct map *m)
{
    size_t cap = CAP_MIN;
    while (cap / 2 < m->n + 1) {
        if (cap > SIZE_MAX / 4 / sizeof *m->v)
            return DX_NOMEM;
        cap *= 2;
    }
    struct map_slot *v = calloc(cap, sizeof *v);
    if (!v)
        return DX_NOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->v[i].hash > SLOT_DEAD)
            *free_slot(v, cap, m->v[i].hash) = m->v[i];
    free(m->v);
    m->v = v;
    m->cap = cap;
    m->dead = 0;
    return 0;
}

void *map_get(const struct map *m, const void *key, size_t key_n)
{
    if (m->n == 0)
        return NULL;
    struct map_slot *s = find(m, hash_of(m, key, key_n), key, key_n);
    return s ? s->value : NULL;
}

int map_put(struct map *m, const void *key, size_t key_n, void *value)
{
    assert(value && "a map holds no NULL");
    uint64_t hash = hash_of(m, key, key_n);
    struct map_slot *s = find(m, hash, key, key_n);
    if (s) {
        s->key = key; /* the old value's bytes may go with it */
        s->value = value;
        return 0;
    }
    if ((m->n + m->dead + 1) * 4 > m->cap * 3 && rebuild(m) < 0)
        return DX_NOMEM;
    s = free_slot(m->v, m->cap, hash);
    m->dead -= s->hash == SLOT_DEAD;
    *s = (struct map_slot){hash, key, key_n, value};
    m->n++;
    return 0;
}

void *map_del(struct map *m, const void *key, size_t key_n)
{
    struct map_slot *s = m->n ? find(m, hash_of(m, key, key_n), key, key_n) : NULL;
    if (!s)
        return NULL;
    void *value = s->value;
    size_t i = (size_t)(s - m->v);
    *s = (struct map_slot){.hash = SLOT_DEAD};
    m->n--;
    m->dead++;
    /* At the end of a run no mark is needed, nor are those right before it. */
    if (m->v[(i + 1) & (m->cap - 1)].hash == SLOT_EMPTY)
        for (; m->v[i].hash == SLOT_DEAD; i = (i - 1) & (m->cap - 1)) {
            m->v[i].hash = SLOT_EMPTY;
            m->dead--;
        }
    return value;
}

void *map_next(const struct map *m, size_t *at)
{
    while (*at < m->cap) {
        const struct map_slot *s = &m->v[(*at)++];
        if (s->hash > SLOT_DEAD)
            return s->value;
    }
    return NULL;
}

void map_free(struct map *m)
{
    free(m->v);
    m->v = NULL;
    m->n = m->cap = m->dead = 0;
}
