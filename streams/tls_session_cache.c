/* SPDX-License-Identifier: MIT */
/*
 * tls_session_cache.c - sessions that can be resumed: a hash table, and a ring in the order of use.
 *
 * Invariants: an entry is in the ring and in the slot of its hash, or in neither; count <= limit;
 * the number of slots is a power of two. What is dropped is wiped: it has the keys of connections.
 */
#include "streams/tls_session_cache.h"

#include "core/alloc.h"
#include "streams/tls_shim.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define CACHE_FIRST_SLOTS 16

/* The entries whose hashes have the same lowest bits. */
struct cache_slot {
    struct tls_session_entry *first;
};

struct tls_session_cache {
    size_t limit;
    int64_t lifetime;
    uint64_t seed; /* so that nobody can choose keys that all fall into one slot */

    pthread_mutex_t lock; /* guards: */
    struct cache_slot *slots;
    size_t slot_count;
    size_t count;
    anyc_list used;
};

int64_t anyc__tls_session_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* FNV-1a, mixed at the end, as the slots go by the lowest bits. */
static uint64_t cache_hash(const struct tls_session_cache *cache, const void *key, size_t len)
{
    const unsigned char *bytes = key;
    uint64_t hash = UINT64_C(14695981039346656037) ^ cache->seed;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static struct tls_session_entry **cache_slot(const struct tls_session_cache *cache, uint64_t hash)
{
    return &cache->slots[hash & (cache->slot_count - 1)].first;
}

/* Where the pointer to the entry is, or would be. */
static struct tls_session_entry **cache_find(const struct tls_session_cache *cache, const void *key,
                                             size_t len, uint64_t hash)
{
    struct tls_session_entry **place = cache_slot(cache, hash);

    while (*place != NULL && ((*place)->hash != hash || (*place)->key_len != len ||
                              memcmp((*place)->key, key, len) != 0))
        place = &(*place)->next;
    return place;
}

static void cache_drop(struct tls_session_cache *cache, struct tls_session_entry **place)
{
    struct tls_session_entry *entry = *place;

    *place = entry->next;
    anyc__list_remove(&entry->used);
    cache->count--;
    anyc__tls_session_entry_destroy(entry);
}

static void cache_drop_oldest(struct tls_session_cache *cache)
{
    struct tls_session_entry *entry =
        ANYC__CONTAINER(cache->used.prev, struct tls_session_entry, used);

    cache_drop(cache, cache_find(cache, entry->key, entry->key_len, entry->hash));
}

/* As many slots again. Without memory it stays as it is, only slower. */
static void cache_grow(struct tls_session_cache *cache)
{
    struct cache_slot *old = cache->slots;
    struct cache_slot *bigger = anyc__alloc_array(2 * cache->slot_count, sizeof *bigger);
    size_t old_count = cache->slot_count;

    if (bigger == NULL)
        return;
    memset(bigger, 0, 2 * old_count * sizeof *bigger);
    cache->slots = bigger;
    cache->slot_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i].first != NULL) {
            struct tls_session_entry *entry = old[i].first;
            struct tls_session_entry **slot = cache_slot(cache, entry->hash);

            old[i].first = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    }
    anyc__free(old);
}

struct tls_session_cache *anyc__tls_session_cache_create(size_t limit, unsigned lifetime)
{
    struct tls_session_cache *cache = anyc__zalloc(sizeof *cache);

    if (cache == NULL)
        return NULL;
    cache->slots = anyc__zalloc(CACHE_FIRST_SLOTS * sizeof *cache->slots);
    if (cache->slots == NULL) {
        anyc__free(cache);
        return NULL;
    }
    cache->slot_count = CACHE_FIRST_SLOTS;
    cache->limit = limit;
    cache->lifetime = lifetime;
    (void)anyc__tls_shim_random(NULL, (unsigned char *)&cache->seed, sizeof cache->seed);
    anyc__list_init(&cache->used);
    (void)pthread_mutex_init(&cache->lock, NULL); /* a plain one cannot fail */
    return cache;
}

void anyc__tls_session_cache_destroy(struct tls_session_cache *cache)
{
    if (cache == NULL)
        return;
    while (!anyc__list_empty(&cache->used))
        cache_drop_oldest(cache);
    (void)pthread_mutex_destroy(&cache->lock);
    anyc__free(cache->slots);
    anyc__free(cache);
}

int64_t anyc__tls_session_cache_lifetime(const struct tls_session_cache *cache)
{
    return cache->lifetime;
}

struct tls_session_entry *anyc__tls_session_entry_create(const void *key, size_t key_len,
                                                         size_t len, int64_t expires)
{
    struct tls_session_entry *entry = anyc__alloc(sizeof *entry + key_len + len);

    if (entry == NULL)
        return NULL;
    *entry = (struct tls_session_entry){.key_len = key_len, .len = len, .expires = expires};
    memcpy(entry->key, key, key_len);
    entry->data = entry->key + key_len;
    return entry;
}

void anyc__tls_session_entry_destroy(struct tls_session_entry *entry)
{
    mbedtls_platform_zeroize(entry->data, entry->len);
    anyc__free(entry);
}

void anyc__tls_session_cache_put(struct tls_session_cache *cache, struct tls_session_entry *entry)
{
    struct tls_session_entry **place;

    entry->hash = cache_hash(cache, entry->key, entry->key_len);
    (void)pthread_mutex_lock(&cache->lock);
    place = cache_find(cache, entry->key, entry->key_len, entry->hash);
    if (*place != NULL)
        cache_drop(cache, place);
    else if (cache->count == cache->limit)
        cache_drop_oldest(cache);
    if (cache->count == cache->slot_count)
        cache_grow(cache);
    place = cache_slot(cache, entry->hash);
    entry->next = *place;
    *place = entry;
    anyc__list_push_front(&cache->used, &entry->used);
    cache->count++;
    (void)pthread_mutex_unlock(&cache->lock);
}

static struct tls_session_entry *cache_copy(const struct tls_session_entry *entry)
{
    struct tls_session_entry *copy =
        anyc__tls_session_entry_create(entry->key, entry->key_len, entry->len, entry->expires);

    if (copy != NULL)
        memcpy(copy->data, entry->data, entry->len);
    return copy;
}

struct tls_session_entry *anyc__tls_session_cache_get(struct tls_session_cache *cache,
                                                      const void *key, size_t key_len, int64_t now)
{
    uint64_t hash = cache_hash(cache, key, key_len);
    struct tls_session_entry *copy = NULL;
    struct tls_session_entry **place;

    (void)pthread_mutex_lock(&cache->lock);
    place = cache_find(cache, key, key_len, hash);
    if (*place != NULL && (*place)->expires <= now) {
        cache_drop(cache, place);
    } else if (*place != NULL) {
        copy = cache_copy(*place);
        anyc__list_remove(&(*place)->used);
        anyc__list_push_front(&cache->used, &(*place)->used);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return copy;
}

void anyc__tls_session_cache_remove(struct tls_session_cache *cache, const void *key,
                                    size_t key_len)
{
    uint64_t hash = cache_hash(cache, key, key_len);
    struct tls_session_entry **place;

    (void)pthread_mutex_lock(&cache->lock);
    place = cache_find(cache, key, key_len, hash);
    if (*place != NULL)
        cache_drop(cache, place);
    (void)pthread_mutex_unlock(&cache->lock);
}

size_t anyc__tls_session_cache_count(struct tls_session_cache *cache)
{
    size_t count;

    (void)pthread_mutex_lock(&cache->lock);
    count = cache->count;
    (void)pthread_mutex_unlock(&cache->lock);
    return count;
}
