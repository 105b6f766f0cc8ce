/* SPDX-License-Identifier: MIT */
/*
 * tls_settings.c - what all configurations of a context share: everything but its own certificates.
 *
 * Handshakes in several threads use one configuration at the same time. What they change of it has
 * a lock: the keys of tickets here, the sessions in tls_session_cache.c.
 */
#include "streams/tls_settings.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_error.h"
#include "streams/tls_key_log.h"
#include "streams/tls_shim_key_log.h"
#include "streams/tls_trust.h"

#define SETTINGS_LIFETIME 7200 /* s, RFC 5246 section F.1.4 allows a day */
#define SETTINGS_SESSIONS 1024

static pthread_once_t settings_once = PTHREAD_ONCE_INIT;
static int settings_start_code;

static void settings_start(void)
{
    settings_start_code = anyc__tls_shim_start();
}

/* -- tickets -- */

static int settings_ticket_write(void *arg, const mbedtls_ssl_session *session,
                                 unsigned char *start, const unsigned char *end, size_t *out_len,
                                 uint32_t *out_lifetime)
{
    struct tls_settings *settings = ((struct tls_config_parts *)arg)->settings;
    int code;

    *out_len = 0; /* 2.28 sends them even if they were not set */
    *out_lifetime = 0;
    (void)pthread_mutex_lock(&settings->ticket_lock);
    code = mbedtls_ssl_ticket_write(&settings->tickets, session, start, end, out_len, out_lifetime);
    (void)pthread_mutex_unlock(&settings->ticket_lock);
    return code;
}

/* mbedTLS goes on with the session and yet with the cipher that it would choose for a new one. They
 * differ when the server's certificate was replaced by one of another kind: then the ticket is
 * passed over. */
static int settings_ticket_parse(void *arg, mbedtls_ssl_session *session, unsigned char *buf,
                                 size_t len)
{
    struct tls_config_parts *parts = arg;
    int code;

    (void)pthread_mutex_lock(&parts->settings->ticket_lock);
    code = mbedtls_ssl_ticket_parse(&parts->settings->tickets, session, buf, len);
    (void)pthread_mutex_unlock(&parts->settings->ticket_lock);
    if (code == 0 && !anyc__tls_identities_fit(&parts->identities, session))
        code = MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    return code;
}

/* -- making -- */

static int settings_init_resumption(struct tls_settings *settings,
                                    const anyc_tls_context_options *options)
{
    unsigned lifetime =
        options->session_lifetime > 0 ? options->session_lifetime : SETTINGS_LIFETIME;
    size_t limit =
        options->session_cache_size > 0 ? options->session_cache_size : SETTINGS_SESSIONS;
    int code;

    if (!settings->resumes)
        return 0;
    settings->sessions = anyc__tls_session_cache_create(limit, lifetime);
    if (settings->sessions == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (!settings->server_side)
        return 0;
    code = anyc__tls_shim_ticket_setup(&settings->tickets, lifetime);
    if (code != 0)
        return anyc__tls_fail(ANYC_ETLS, code, "the keys of session tickets cannot be made");
    settings->has_tickets = true;
    return 0;
}

static int settings_init(struct tls_settings *settings, const anyc_tls_context_options *options)
{
    int rc = anyc__tls_options_check(options, settings);

    if (rc >= 0)
        rc = anyc__tls_options_ciphers(options->ciphers, &settings->ciphers);
    if (rc >= 0)
        rc = anyc__tls_options_protocols(options->alpn_protocols, &settings->protocols);
    if (rc >= 0 && settings->verify != ANYC_TLS_VERIFY_NONE)
        rc = anyc__tls_trust_load(&settings->trusted, options);
    if (rc >= 0 && options->key_log_file != NULL)
        rc = anyc__tls_key_log_open(options->key_log_file, &settings->log);
    if (rc >= 0)
        rc = settings_init_resumption(settings, options);
    return rc;
}

int anyc__tls_settings_create(const anyc_tls_context_options *options,
                              struct tls_settings **out_settings)
{
    struct tls_settings *settings;
    int rc;

    (void)pthread_once(&settings_once, settings_start);
    if (settings_start_code != 0)
        return anyc__tls_fail(ANYC_ETLS, settings_start_code, "the TLS library cannot be used");
    settings = anyc__zalloc(sizeof *settings);
    if (settings == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    atomic_init(&settings->refs, 1);
    mbedtls_x509_crt_init(&settings->trusted);
    mbedtls_ssl_ticket_init(&settings->tickets);
    (void)pthread_mutex_init(&settings->ticket_lock, NULL); /* a plain one cannot fail */
    rc = settings_init(settings, options);
    if (rc < 0)
        anyc__tls_settings_unref(settings);
    else
        *out_settings = settings;
    return rc;
}

void anyc__tls_settings_ref(struct tls_settings *settings)
{
    atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
}

void anyc__tls_settings_unref(struct tls_settings *settings)
{
    if (atomic_fetch_sub_explicit(&settings->refs, 1, memory_order_acq_rel) > 1)
        return;
    anyc__tls_session_cache_destroy(settings->sessions);
    anyc__tls_key_log_close(settings->log);
    mbedtls_ssl_ticket_free(&settings->tickets);
    mbedtls_x509_crt_free(&settings->trusted);
    (void)pthread_mutex_destroy(&settings->ticket_lock);
    anyc__free(settings->protocols);
    anyc__free(settings->ciphers);
    anyc__free(settings);
}

/* -- using -- */

/* REQUIRED and OPTIONAL differ here in what happens without a certificate; a bad one tls_verify.c
 * refuses in either. Who trusts nobody has an empty chain and not none, which would be an error. */
static void settings_conf_verify(struct tls_settings *settings, mbedtls_ssl_config *conf)
{
    int mode = MBEDTLS_SSL_VERIFY_REQUIRED;

    if (settings->verify == ANYC_TLS_VERIFY_NONE)
        mode = MBEDTLS_SSL_VERIFY_NONE;
    else if (settings->verify == ANYC_TLS_VERIFY_OPTIONAL)
        mode = MBEDTLS_SSL_VERIFY_OPTIONAL;
    mbedtls_ssl_conf_authmode(conf, mode);
    mbedtls_ssl_conf_ca_chain(conf, &settings->trusted, NULL);
}

static void settings_conf_resumption(struct tls_config_parts *parts, mbedtls_ssl_config *conf)
{
    struct tls_settings *settings = parts->settings;

    if (!settings->server_side) {
        mbedtls_ssl_conf_session_tickets(conf, settings->resumes
                                                   ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                   : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
        return;
    }
    if (settings->has_tickets)
        mbedtls_ssl_conf_session_tickets_cb(conf, settings_ticket_write, settings_ticket_parse,
                                            parts);
    if (settings->sessions != NULL)
        anyc__tls_shim_conf_cache(conf, settings->sessions);
}

int anyc__tls_settings_conf(struct tls_config_parts *parts, mbedtls_ssl_config *conf)
{
    struct tls_settings *settings = parts->settings;
    int code = mbedtls_ssl_config_defaults(
        conf, settings->server_side ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    if (code != 0)
        return code;
    anyc__tls_shim_conf_defaults(conf);
    anyc__tls_shim_conf_versions(conf, settings->min_version, settings->max_version);
    /* a server that does not know RFC 5746 may be in somebody else's connection already */
    mbedtls_ssl_conf_legacy_renegotiation(conf, settings->server_side
                                                    ? MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION
                                                    : MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE);
    mbedtls_ssl_conf_ciphersuites(conf, settings->ciphers);
    settings_conf_verify(settings, conf);
    settings_conf_resumption(parts, conf);
    if (settings->log != NULL && !anyc__tls_shim_conf_key_log(conf, settings->log))
        return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
    if (settings->protocols != NULL)
        code = mbedtls_ssl_conf_alpn_protocols(conf, settings->protocols);
    return code;
}
