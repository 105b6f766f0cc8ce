/* SPDX-License-Identifier: MIT */
/*
 * tls_session.c - resuming sessions: the cache of servers, by session id, and that of clients, by
 * the name of the host.
 *
 * A cache belongs to one context. So a session is only ever resumed where its full handshake was
 * verified by the same rules; a client's also for the same name, and never for longer than the
 * lifetime after that handshake, however often it is resumed.
 */
#include "core/alloc.h"
#include "streams/tls_config.h"
#include "streams/tls_settings.h"
#include "streams/tls_shim_session.h"

/* In bytes, under a key; NULL if that cannot be, or without memory. */
static struct tls_session_entry *session_save(const mbedtls_ssl_session *session, const void *key,
                                              size_t key_len, int64_t expires)
{
    struct tls_session_entry *entry;
    size_t len = 0;

    if (mbedtls_ssl_session_save(session, NULL, 0, &len) != MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL)
        return NULL;
    entry = anyc__tls_session_entry_create(key, key_len, len, expires);
    if (entry != NULL && mbedtls_ssl_session_save(session, entry->data, len, &len) != 0) {
        anyc__tls_session_entry_destroy(entry);
        return NULL;
    }
    return entry;
}

/* -- servers -- */

int anyc__tls_cache_get(void *cache, const unsigned char *id, size_t len,
                        mbedtls_ssl_session *out_session)
{
    struct tls_session_entry *entry =
        anyc__tls_session_cache_get(cache, id, len, anyc__tls_session_now());
    int code;

    if (entry == NULL)
        return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    code = mbedtls_ssl_session_load(out_session, entry->data, entry->len);
    anyc__tls_session_entry_destroy(entry);
    return code;
}

int anyc__tls_cache_set(void *cache, const unsigned char *id, size_t len,
                        const mbedtls_ssl_session *session)
{
    struct tls_session_entry *entry = session_save(
        session, id, len, anyc__tls_session_now() + anyc__tls_session_cache_lifetime(cache));

    if (entry == NULL)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED; /* the connection goes on */
    anyc__tls_session_cache_put(cache, entry);
    return 0;
}

/* -- clients -- */

/* The client's cache; NULL: no resumption. */
static struct tls_session_cache *session_cache(const struct tls_verification *verification)
{
    const struct tls_config *config = verification->config;

    return config->server_side ? NULL : config->parts->settings->sessions;
}

/* The key of the host: its name, or its address. Answers its length, 0: there is none. */
static size_t session_key(const struct tls_verification *verification, const void **out_key)
{
    if (verification->name == NULL) {
        *out_key = verification->address;
        return verification->address_len;
    }
    *out_key = verification->name;
    return strlen(verification->name) + 1; /* so that it is never an address */
}

void anyc__tls_session_offer(struct tls_verification *verification, mbedtls_ssl_context *ssl)
{
    struct tls_session_cache *cache = session_cache(verification);
    struct tls_session_entry *entry = NULL;
    mbedtls_ssl_session session;
    const void *key;
    size_t key_len = session_key(verification, &key);

    if (cache != NULL && key_len > 0)
        entry = anyc__tls_session_cache_get(cache, key, key_len, anyc__tls_session_now());
    if (entry == NULL)
        return;
    mbedtls_ssl_session_init(&session);
    if (mbedtls_ssl_session_load(&session, entry->data, entry->len) == 0 &&
        mbedtls_ssl_set_session(ssl, &session) == 0)
        verification->session_expires = entry->expires;
    mbedtls_ssl_session_free(&session);
    anyc__tls_session_entry_destroy(entry);
}

void anyc__tls_session_keep(const struct tls_verification *verification,
                            const mbedtls_ssl_context *ssl)
{
    struct tls_session_cache *cache = session_cache(verification);
    const mbedtls_ssl_session *session = anyc__tls_shim_session(ssl);
    struct tls_session_entry *entry;
    int64_t expires = verification->session_expires;
    const void *key;
    size_t key_len = session_key(verification, &key);

    if (cache == NULL || key_len == 0 || session == NULL)
        return;
    if (verification->looked || expires == 0)
        expires = anyc__tls_session_now() + anyc__tls_session_cache_lifetime(cache);
    entry = session_save(session, key, key_len, expires);
    if (entry != NULL)
        anyc__tls_session_cache_put(cache, entry);
}

void anyc__tls_session_forget(const struct tls_verification *verification)
{
    struct tls_session_cache *cache = session_cache(verification);
    const void *key;
    size_t key_len = session_key(verification, &key);

    if (cache != NULL && key_len > 0 && verification->session_expires != 0)
        anyc__tls_session_cache_remove(cache, key, key_len);
}
