/* SPDX-License-Identifier: MIT */
/*
 * tls_session_cache.h - sessions that can be resumed, as bytes, by a key of bytes: the newest ones,
 * up to a limit. From any thread.
 */
#ifndef ANYC_STREAMS_TLS_SESSION_CACHE_H
#define ANYC_STREAMS_TLS_SESSION_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"

struct tls_session_cache;

/* A session. Make it, fill `data`, put it into the cache. */
struct tls_session_entry {
    struct tls_session_entry *next; /* of the same slot */
    anyc_list used;                 /* the one that was used last is first */
    uint64_t hash;
    int64_t expires; /* s, of anyc__tls_session_now */
    size_t key_len;
    size_t len;
    unsigned char *data; /* behind the key */
    unsigned char key[];
};

/* Seconds of a clock that never jumps. */
int64_t anyc__tls_session_now(void);

/* NULL without memory. `lifetime` is in seconds. */
struct tls_session_cache *anyc__tls_session_cache_create(size_t limit, unsigned lifetime);
void anyc__tls_session_cache_destroy(struct tls_session_cache *cache); /* may be NULL */

/* How long a new session lives, s. */
int64_t anyc__tls_session_cache_lifetime(const struct tls_session_cache *cache);

/* NULL without memory. */
struct tls_session_entry *anyc__tls_session_entry_create(const void *key, size_t key_len,
                                                         size_t len, int64_t expires);
void anyc__tls_session_entry_destroy(struct tls_session_entry *entry);

/* Takes the entry, in place of one with its key; drops the one that was not used for the longest
 * time if there are too many. */
void anyc__tls_session_cache_put(struct tls_session_cache *cache, struct tls_session_entry *entry);

/* A copy of the entry, to be destroyed; NULL if there is none at the time `now`, or no memory. */
struct tls_session_entry *anyc__tls_session_cache_get(struct tls_session_cache *cache,
                                                      const void *key, size_t key_len, int64_t now);

void anyc__tls_session_cache_remove(struct tls_session_cache *cache, const void *key,
                                    size_t key_len);

/* How many there are. */
size_t anyc__tls_session_cache_count(struct tls_session_cache *cache);

#endif
