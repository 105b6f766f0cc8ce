/* SPDX-License-Identifier: MIT */
/*
 * tls_verify.c - is the peer who it should be? mbedTLS follows the chain of certificates and calls
 * anyc for each of them, the peer's own last; anyc looks at the names, and says in words what is
 * wrong.
 *
 * Names are compared here and not by mbedTLS: only with subjectAltName, never with the common name
 * (RFC 9525), "*" only as a whole first label with two behind it, and addresses with addresses.
 */
#include "core/alloc.h"
#include "core/error.h"
#include "core/idna.h"
#include "streams/tls_config.h"
#include "streams/tls_settings.h"
#include "streams/tls_shim_key.h"
#include "streams/tls_shim_key_log.h"
#include "streams/tls_words.h"

#include <arpa/inet.h>

#define VERIFY_NAME_MAX 255 /* bytes of a host name, RFC 1035 section 2.3.4 */

/* -- whom to expect -- */

/* A literal address: its bytes. A zone ("%eth0") is this host's business. */
static bool verify_read_address(struct tls_verification *verification, const char *hostname)
{
    char text[INET6_ADDRSTRLEN];
    size_t len = strcspn(hostname, "%");

    if (len >= sizeof text)
        return false;
    memcpy(text, hostname, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, verification->address) == 1)
        verification->address_len = 16;
    else if (hostname[len] == '\0' && inet_pton(AF_INET, text, verification->address) == 1)
        verification->address_len = 4;
    return verification->address_len > 0;
}

static int verify_keep_name(struct tls_verification *verification, const char *ascii, size_t len)
{
    verification->name = anyc__alloc(len + 1);
    if (verification->name == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    memcpy(verification->name, ascii, len);
    verification->name[len] = '\0';
    return 0;
}

static int verify_read_name(struct tls_verification *verification, const char *hostname)
{
    const char *ascii;
    char *owned = NULL;
    size_t len;
    int rc = anyc__idna_encode(hostname, &ascii, &owned);

    if (rc < 0)
        return rc;
    len = strlen(ascii);
    if (len > 0 && ascii[len - 1] == '.')
        len--;
    if (len == 0)
        rc = anyc__fail(ANYC_EINVAL, 0, "the host name \"%s\" is empty", hostname);
    else if (len > VERIFY_NAME_MAX)
        rc = anyc__fail(ANYC_EENCODE, 0, "the host name %.64s... is too long", hostname);
    else
        rc = verify_keep_name(verification, ascii, len);
    anyc__free(owned);
    return rc;
}

int anyc__tls_verification_init(struct tls_verification *verification,
                                const struct tls_config *config, const char *hostname)
{
    int rc = 0;

    *verification = (struct tls_verification){.config = config};
    if (hostname == NULL)
        return 0;
    verification->hostname = anyc__strdup(hostname);
    if (verification->hostname == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (!verify_read_address(verification, hostname))
        rc = verify_read_name(verification, hostname);
    if (rc < 0)
        anyc__tls_verification_deinit(verification);
    return rc;
}

void anyc__tls_verification_deinit(struct tls_verification *verification)
{
    anyc__free(verification->hostname);
    anyc__free(verification->name);
    anyc__free(verification->problem);
    verification->hostname = NULL;
    verification->name = NULL;
    verification->problem = NULL;
}

/* -- names -- */

static unsigned char verify_lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : byte;
}

static bool verify_same(const unsigned char *left, size_t left_len, const char *right)
{
    size_t i = 0;

    if (left_len != strlen(right))
        return false;
    while (i < left_len && verify_lower(left[i]) == verify_lower((unsigned char)right[i]))
        i++;
    return i == left_len;
}

/* Is the host meant by a dNSName of a certificate? */
static bool verify_matches(const mbedtls_x509_buf *pattern, const char *host)
{
    const char *rest = strchr(host, '.');

    if (verify_same(pattern->p, pattern->len, host))
        return true;
    if (pattern->len < 3 || pattern->p[0] != '*' || pattern->p[1] != '.')
        return false;
    if (rest == NULL || rest == host || strchr(rest + 1, '.') == NULL)
        return false;
    return verify_same(pattern->p + 1, pattern->len - 1, rest);
}

static bool verify_name_fits(const struct tls_verification *verification,
                             const mbedtls_x509_buf *name)
{
    int kind = name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

    if (verification->address_len > 0)
        return kind == MBEDTLS_X509_SAN_IP_ADDRESS && name->len == verification->address_len &&
               memcmp(name->p, verification->address, name->len) == 0;
    return kind == MBEDTLS_X509_SAN_DNS_NAME && verify_matches(name, verification->name);
}

static bool verify_names_host(const struct tls_verification *verification,
                              const mbedtls_x509_crt *certificate)
{
    if (!anyc__tls_shim_has_names(certificate))
        return false;
    for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name != NULL;
         name = name->next) {
        if (verify_name_fits(verification, &name->buf))
            return true;
    }
    return false;
}

/* -- the peer's own certificate -- */

/* mbedTLS looks at this too, but later, and in the mode OPTIONAL in vain. Which key usage a cipher
 * needs it knows better; here is only what none of them can do without. */
static uint32_t verify_usage(const struct tls_config *config, const mbedtls_x509_crt *certificate)
{
    static const unsigned server_uses[] = {MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                           MBEDTLS_X509_KU_KEY_ENCIPHERMENT,
                                           MBEDTLS_X509_KU_KEY_AGREEMENT};
    const char *purpose = config->server_side ? MBEDTLS_OID_CLIENT_AUTH : MBEDTLS_OID_SERVER_AUTH;
    size_t uses = config->server_side ? 1 : sizeof server_uses / sizeof *server_uses;
    uint32_t flags = MBEDTLS_X509_BADCERT_KEY_USAGE;

    for (size_t i = 0; i < uses; i++) {
        if (mbedtls_x509_crt_check_key_usage(certificate, server_uses[i]) == 0)
            flags = 0;
    }
    if (mbedtls_x509_crt_check_extended_key_usage(certificate, purpose, strlen(purpose)) != 0)
        flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    return flags;
}

static uint32_t verify_own(const struct tls_verification *verification,
                           const mbedtls_x509_crt *certificate, uint32_t flags)
{
    const struct tls_settings *settings = verification->config->parts->settings;

    flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
    if (settings->check_name && !verify_names_host(verification, certificate))
        flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return flags | verify_usage(verification->config, certificate);
}

/* -- the program's verify function -- */

static int verify_ask(struct tls_verification *verification, const mbedtls_x509_crt *certificate)
{
    const struct tls_settings *settings = verification->config->parts->settings;
    anyc_tls_peer peer = {.hostname = verification->hostname, .flags = verification->flags};
    anyc_tls_der *chain;
    size_t count = 0;
    int rc;

    /* one that the library cannot check is there, but empty */
    for (const mbedtls_x509_crt *next = certificate; next != NULL && next->raw.p != NULL;
         next = next->next)
        peer.chain_len++;
    chain = anyc__alloc_array(peer.chain_len + 1, sizeof *chain);
    if (chain == NULL)
        return ANYC_ENOMEM;
    for (const mbedtls_x509_crt *next = certificate; count < peer.chain_len; next = next->next)
        chain[count++] = (anyc_tls_der){.data = next->raw.p, .len = next->raw.len};
    peer.chain = chain;
    peer.problem = verification->problem != NULL ? verification->problem : "";
    rc = settings->verify_peer(&peer, settings->verify_arg);
    anyc__free(chain);
    return rc > 0 ? ANYC_ETLS_CERTIFICATE : rc;
}

/* What the library is to think of the chain: nothing, or whatever makes it refuse. */
static uint32_t verify_decide(struct tls_verification *verification, mbedtls_x509_crt *certificate)
{
    verification->refused = verify_ask(verification, certificate);
    if (verification->refused == 0) {
        anyc__tls_shim_forgive_usage(certificate);
        return 0;
    }
    return verification->flags != 0 ? verification->flags : MBEDTLS_X509_BADCERT_OTHER;
}

/* -- mbedTLS's side -- */

/* Called for each certificate of the chain, from the root's end to the peer's own, which is depth
 * 0. The flags of all are put together. */
static int verify_certificate(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct tls_verification *verification = arg;
    const struct tls_settings *settings = verification->config->parts->settings;
    struct tls_look look = {.certificate = certificate,
                            .trusted = &settings->trusted,
                            .is_own = depth == 0,
                            .is_last = !verification->looked};

    verification->looked = true;
    if (depth == 0)
        *flags = verify_own(verification, certificate, *flags);
    look.flags = *flags;
    anyc__tls_say_problems(verification, &look);
    if (settings->verify_peer != NULL)
        *flags = depth == 0 ? verify_decide(verification, certificate) : 0;
    /* mbedTLS's mode OPTIONAL would take any certificate at all */
    if (depth == 0 && settings->verify == ANYC_TLS_VERIFY_OPTIONAL &&
        (settings->verify_peer != NULL ? *flags : verification->flags) != 0)
        return MBEDTLS_ERR_X509_FATAL_ERROR;
    return 0;
}

int anyc__tls_verification_attach(struct tls_verification *verification, mbedtls_ssl_context *ssl)
{
    const struct tls_config *config = verification->config;
    const struct tls_settings *settings = config->parts->settings;

    mbedtls_ssl_set_verify(ssl, verify_certificate, verification);
    if (settings->log != NULL)
        anyc__tls_shim_attach_key_log(ssl, settings->log);
    /* newer releases want to be told that there is no name, too */
    if (mbedtls_ssl_set_hostname(ssl, config->server_side ? NULL : verification->name) != 0)
        return anyc__fail_plain(ANYC_ENOMEM);
    return 0;
}

void anyc__tls_verification_failed(struct tls_verification *verification,
                                   const mbedtls_ssl_context *ssl)
{
    const struct tls_settings *settings = verification->config->parts->settings;
    struct tls_look look = {.is_own = true, .flags = mbedtls_ssl_get_verify_result(ssl)};

    if (verification->flags != 0 || verification->refused != 0 || look.flags == UINT32_MAX)
        return; /* known, or the library did not come so far */
    if (settings->verify != ANYC_TLS_VERIFY_NONE)
        anyc__tls_say_problems(verification, &look);
}
