/* SPDX-License-Identifier: MIT */
/*
 * portal_provider.c - a portal that is there while anybody needs it. AnyIO: BlockingPortalProvider.
 */
#include <anyc/portal_provider.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"

#include <pthread.h>

/* Invariant, outside of the lock: portal != NULL iff users > 0. */
struct anyc_blocking_portal_provider {
    pthread_mutex_t lock; /* for the two below; held while a portal is being started */
    size_t users;
    anyc_blocking_portal *portal;

    anyc_start_blocking_portal_options options;
    char *backend; /* copies, or NULL */
    char *name;
};

/* A copy of a text that may be missing; false without memory. */
static bool provider_copy(const char *text, char **out_copy)
{
    *out_copy = text != NULL ? anyc__strdup(text) : NULL;
    return text == NULL || *out_copy != NULL;
}

int anyc_blocking_portal_provider_create(const char *backend,
                                         const anyc_start_blocking_portal_options *options,
                                         anyc_blocking_portal_provider **out_provider)
{
    anyc_blocking_portal_provider *provider = anyc__zalloc(sizeof *provider);

    if (provider == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (options != NULL)
        provider->options = *options;
    if (!provider_copy(backend, &provider->backend) ||
        !provider_copy(provider->options.name, &provider->name)) {
        anyc__free(provider->backend);
        anyc__free(provider);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    provider->options.name = provider->name;
    (void)pthread_mutex_init(&provider->lock, NULL); /* a plain one: cannot fail */
    *out_provider = provider;
    return 0;
}

void anyc_blocking_portal_provider_destroy(anyc_blocking_portal_provider *provider)
{
    if (provider == NULL)
        return;
    if (provider->users > 0)
        anyc__abort("a blocking portal provider is destroyed while somebody is in it");
    pthread_mutex_destroy(&provider->lock);
    anyc__free(provider->backend);
    anyc__free(provider->name);
    anyc__free(provider);
}

int anyc_blocking_portal_provider_enter(anyc_blocking_portal_provider *provider,
                                        anyc_blocking_portal **out_portal)
{
    int rc = 0;

    pthread_mutex_lock(&provider->lock);
    if (provider->users == 0)
        rc = anyc_start_blocking_portal(provider->backend, &provider->options, &provider->portal);
    if (rc == 0) {
        provider->users++;
        *out_portal = provider->portal;
    }
    pthread_mutex_unlock(&provider->lock);
    return rc;
}

void anyc_blocking_portal_provider_exit(anyc_blocking_portal_provider *provider)
{
    anyc_blocking_portal *ended = NULL;

    pthread_mutex_lock(&provider->lock);
    ANYC_ASSERT(provider->users > 0);
    provider->users--;
    if (provider->users == 0) {
        ended = provider->portal;
        provider->portal = NULL;
    }
    pthread_mutex_unlock(&provider->lock);
    if (ended != NULL)
        (void)anyc_aclose(ended); /* fails only in the portal's own thread */
}
