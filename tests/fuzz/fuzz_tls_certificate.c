/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tls_certificate.c - hostile certificates in DER form: described for people, and verified as
 * the certificate of several hosts. What anyc says of them can be shown on a terminal.
 */
#include "fuzz.h"

#include <anyc/error.h>
#include <anyc/tls.h>

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "streams/tls_config.h"
#include "support/tls_tape.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* One line, or several: no other control characters, which might play tricks. */
static void check_text(const char *text, size_t len, bool lines)
{
    require(strlen(text) == len);
    for (size_t i = 0; i < len; i++)
        require((unsigned char)text[i] >= ' ' || (lines && text[i] == '\n'));
}

static void describe(const uint8_t *data, size_t size)
{
    const anyc_tls_der der = {.data = data, .len = size};
    anyc_bytes text;
    int rc = anyc_tls_certificate_describe(&der, &text);

    require(rc == 0 || rc == ANYC_ETLS);
    if (rc < 0)
        return;
    check_text(text.data, text.len, true);
    anyc_bytes_deinit(&text);
}

/* The same way as in a handshake: mbedTLS asks anyc's function. */
static void verify(const uint8_t *data, size_t size, const char *hostname,
                   const struct tls_config *config)
{
    struct tls_verification verification;
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt nobody;
    mbedtls_ssl_context ssl;
    uint32_t flags = 0;
    int code;

    mbedtls_x509_crt_init(&certificate);
    mbedtls_x509_crt_init(&nobody);
    mbedtls_ssl_init(&ssl);
    require(mbedtls_ssl_setup(&ssl, &config->ssl) == 0);
    require(anyc__tls_verification_init(&verification, config, hostname) == 0);
    require(anyc__tls_verification_attach(&verification, &ssl) == 0);
    if (mbedtls_x509_crt_parse_der(&certificate, data, size) == 0) {
        code = mbedtls_x509_crt_verify_with_profile(&certificate, &nobody, NULL,
                                                    &mbedtls_x509_crt_profile_next, NULL, &flags,
                                                    ssl.f_vrfy, ssl.p_vrfy);
        require(code != 0); /* nobody is trusted */
        require((verification.flags & ANYC_TLS_NOT_TRUSTED) != 0);
        require(verification.problem != NULL);
        check_text(verification.problem, strlen(verification.problem), false);
    }
    anyc__tls_verification_deinit(&verification);
    mbedtls_ssl_free(&ssl);
    mbedtls_x509_crt_free(&certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"localhost", "a.wild.example", "127.0.0.1", "::1"};
    static anyc_tls_context *context;
    struct tls_config *config;

    if (context == NULL)
        context = tls_tape_context(false);
    config = anyc__tls_context_config(context);
    describe(data, size);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        verify(data, size, hosts[i], config);
    anyc__tls_config_unref(config);
    return 0;
}
