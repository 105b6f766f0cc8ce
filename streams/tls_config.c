/* SPDX-License-Identifier: MIT */
/*
 * tls_config.c - a configuration: the settings of a context with the certificates of one moment.
 */
#include "streams/tls_config.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_error.h"
#include "streams/tls_settings.h"

static void config_destroy(struct tls_config *config)
{
    mbedtls_ssl_config_free(&config->ssl);
    anyc__tls_identities_deinit(&config->parts->identities);
    anyc__tls_settings_unref(config->parts->settings);
    anyc__free(config->parts);
    anyc__free(config);
}

void anyc__tls_config_unref(struct tls_config *config)
{
    if (atomic_fetch_sub_explicit(&config->parts->refs, 1, memory_order_acq_rel) == 1)
        config_destroy(config);
}

struct tls_config *anyc__tls_config_ref(struct tls_config *config)
{
    atomic_fetch_add_explicit(&config->parts->refs, 1, memory_order_relaxed);
    return config;
}

/* With one reference, and nothing in it but the settings. */
static struct tls_config *config_alloc(struct tls_settings *settings)
{
    struct tls_config *config = anyc__zalloc(sizeof *config);
    struct tls_config_parts *parts = anyc__zalloc(sizeof *parts);

    if (config == NULL || parts == NULL) {
        anyc__free(config);
        anyc__free(parts);
        return NULL;
    }
    anyc__tls_settings_ref(settings);
    atomic_init(&parts->refs, 1);
    parts->settings = settings;
    config->parts = parts;
    mbedtls_ssl_config_init(&config->ssl);
    config->server_side = settings->server_side;
    config->needs_hostname = settings->check_name;
    config->in_workers = settings->in_workers;
    return config;
}

static int config_init(struct tls_config *config, const anyc_tls_certificate *certificates,
                       size_t count)
{
    struct tls_config_parts *parts = config->parts;
    int rc = anyc__tls_identities_init(&parts->identities, certificates, count);
    int code;

    if (rc < 0)
        return rc;
    code = anyc__tls_settings_conf(parts, &config->ssl);
    if (code == 0)
        code = anyc__tls_identities_conf(&parts->identities, &config->ssl);
    return code == 0 ? 0 : anyc__tls_fail(ANYC_ETLS, code, "the TLS library does not take this");
}

int anyc__tls_config_create(struct tls_settings *settings, const anyc_tls_certificate *certificates,
                            size_t count, struct tls_config **out_config)
{
    struct tls_config *config;
    int rc;

    if (settings->server_side && count == 0)
        return anyc__fail(ANYC_EINVAL, 0, "a server needs a certificate");
    config = config_alloc(settings);
    if (config == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = config_init(config, certificates, count);
    if (rc < 0)
        config_destroy(config);
    else
        *out_config = config;
    return rc;
}
