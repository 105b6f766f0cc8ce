/* SPDX-License-Identifier: MIT */
/*
 * tls_context.c - what one side of TLS connections knows and demands. AnyIO: ssl.SSLContext.
 *
 * A context is a pointer to its present configuration, with a lock around it. Listeners and
 * connectables hold it by references.
 */
#include <anyc/tls_context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_client.h"
#include "streams/tls_config.h"
#include "streams/tls_settings.h"

#include <pthread.h>
#include <stdatomic.h>

struct anyc_tls_context {
    atomic_uint refs;
    pthread_mutex_t lock; /* guards: */
    struct tls_config *config;
};

int anyc_tls_context_create(const anyc_tls_context_options *options, anyc_tls_context **out_context)
{
    static const anyc_tls_context_options defaults;
    const anyc_tls_context_options *chosen = options != NULL ? options : &defaults;
    anyc_tls_context *context = anyc__alloc(sizeof *context);
    struct tls_settings *settings = NULL;
    int rc;

    if (context == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__tls_settings_create(chosen, &settings);
    if (rc >= 0) {
        rc = anyc__tls_config_create(settings, chosen->certificates, chosen->certificate_count,
                                     &context->config);
        anyc__tls_settings_unref(settings);
    }
    if (rc < 0) {
        anyc__free(context);
        return rc;
    }
    atomic_init(&context->refs, 1);
    (void)pthread_mutex_init(&context->lock, NULL); /* a plain one cannot fail */
    *out_context = context;
    return 0;
}

struct tls_config *anyc__tls_context_config(anyc_tls_context *context)
{
    struct tls_config *config;

    (void)pthread_mutex_lock(&context->lock);
    config = anyc__tls_config_ref(context->config);
    (void)pthread_mutex_unlock(&context->lock);
    return config;
}

int anyc_tls_context_replace_certificates(anyc_tls_context *context,
                                          const anyc_tls_certificate *certificates, size_t count)
{
    struct tls_config *old = anyc__tls_context_config(context);
    struct tls_config *fresh = NULL;
    int rc = anyc__tls_config_create(old->parts->settings, certificates, count, &fresh);

    anyc__tls_config_unref(old);
    if (rc < 0)
        return rc;
    (void)pthread_mutex_lock(&context->lock);
    old = context->config;
    context->config = fresh;
    (void)pthread_mutex_unlock(&context->lock);
    anyc__tls_config_unref(old);
    return 0;
}

anyc_tls_context *anyc__tls_context_ref(anyc_tls_context *context)
{
    if (context != NULL)
        atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void anyc_tls_context_destroy(anyc_tls_context *context)
{
    if (context == NULL || atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1)
        return;
    anyc__tls_config_unref(context->config);
    (void)pthread_mutex_destroy(&context->lock);
    anyc__free(context);
}
