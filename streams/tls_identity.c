/* SPDX-License-Identifier: MIT */
/*
 * tls_identity.c - the certificates of one's own, and which of them a client gets to see.
 *
 * A client says in its first message for whom it takes its peer (RFC 6066 section 3). The answer is
 * the certificate with exactly that name, else the one with "*" in place of the name's first label,
 * else the first of all. Several may have the same name, for different ciphers: mbedTLS chooses.
 */
#include "streams/tls_identity.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/idna.h"
#include "streams/tls_error.h"
#include "streams/tls_shim_key.h"
#include "streams/tls_shim_session.h"
#include "streams/tls_source.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY_NAME_MAX 255 /* bytes of a host name, RFC 1035 section 2.3.4 */

static char identity_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* -- reading -- */

static int identity_read_chain(struct tls_identity *identity, const struct tls_text *text)
{
    int code = mbedtls_x509_crt_parse(&identity->chain, text->data, anyc__tls_text_parse_len(text));

    if (code < 0)
        return anyc__tls_fail(ANYC_ETLS, code, "the certificate %s cannot be read", text->name);
    if (code > 0)
        return anyc__fail(ANYC_ETLS, 0, "%d of the certificates in %s cannot be read", code,
                          text->name);
    return 0;
}

static int identity_read_key(struct tls_identity *identity, const struct tls_text *text,
                             const char *password)
{
    int code = anyc__tls_shim_parse_key(&identity->key, text->data, anyc__tls_text_parse_len(text),
                                        password);

    if (code != 0)
        return anyc__tls_fail(ANYC_ETLS, code, "the key %s cannot be read", text->name);
    return 0;
}

static int identity_check(struct tls_identity *identity, const char *chain_name,
                          const char *key_name)
{
    int code = anyc__tls_shim_check_pair(&identity->chain.pk, &identity->key);

    if (code != 0)
        return anyc__tls_fail(ANYC_ETLS, code, "the key %s is not that of the certificate %s",
                              key_name, chain_name);
    code = anyc__tls_shim_prepare_key(&identity->key);
    if (code != 0)
        return anyc__tls_fail(ANYC_ETLS, code, "the key %s cannot be used", key_name);
    return 0;
}

static int identity_read(struct tls_identity *identity, const anyc_tls_certificate *certificate)
{
    struct tls_text chain = {0};
    struct tls_text key = {0};
    const struct tls_text *key_text = &chain;
    int rc = anyc__tls_text_read(&chain, &certificate->chain);

    if (rc >= 0 && anyc__tls_source_exists(&certificate->key)) {
        rc = anyc__tls_text_read(&key, &certificate->key);
        key_text = &key;
    }
    if (rc >= 0)
        rc = identity_read_chain(identity, &chain);
    if (rc >= 0)
        rc = identity_read_key(identity, key_text, certificate->password);
    if (rc >= 0)
        rc = identity_check(identity, chain.name, key_text->name);
    anyc__tls_text_deinit(&key);
    anyc__tls_text_deinit(&chain);
    return rc;
}

/* -- names -- */

/* By name; of equal ones the certificate that was given first. */
static int identity_compare(const void *left, const void *right)
{
    const struct tls_identity_name *a = left;
    const struct tls_identity_name *b = right;
    int order = strcmp(a->text, b->text);

    return order != 0 ? order : (a->identity > b->identity) - (a->identity < b->identity);
}

/* Adds the name, which has `len` bytes, behind the last. There is room. */
static int identity_add_name(struct tls_identities *identities, struct tls_identity *identity,
                             const char *text, size_t len)
{
    char *copy;

    if (len > 0 && text[len - 1] == '.')
        len--;
    if (len == 0 || memchr(text, '\0', len) != NULL)
        return 0; /* nobody can ask for it */
    copy = anyc__alloc(len + 1);
    if (copy == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (size_t i = 0; i < len; i++)
        copy[i] = identity_lower(text[i]);
    copy[len] = '\0';
    identities->names[identities->name_count++] =
        (struct tls_identity_name){.text = copy, .identity = identity};
    return 0;
}

/* A name of the options, in any alphabet; its "*." has no IDNA form and needs none. */
static int identity_add_option(struct tls_identities *identities, struct tls_identity *identity,
                               const char *text)
{
    size_t wild = strncmp(text, "*.", 2) == 0 ? 2 : 0;
    const char *ascii;
    char *owned = NULL;
    char *whole;
    size_t len;
    int rc;

    if (text[wild] == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "a certificate is to be used for an empty name");
    rc = anyc__idna_encode(text + wild, &ascii, &owned);
    if (rc < 0)
        return rc;
    len = strlen(ascii);
    whole = anyc__alloc(wild + len);
    if (whole == NULL) {
        anyc__free(owned);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    memcpy(whole, text, wild);
    memcpy(whole + wild, ascii, len);
    rc = identity_add_name(identities, identity, whole, wild + len);
    anyc__free(whole);
    anyc__free(owned);
    return rc;
}

static bool identity_is_host(const mbedtls_x509_sequence *name)
{
    return (name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_DNS_NAME;
}

static int identity_add_names(struct tls_identities *identities, struct tls_identity *identity,
                              const char *const *names)
{
    const mbedtls_x509_sequence *name = &identity->chain.subject_alt_names;
    int rc = 0;

    if (names != NULL) {
        for (; rc >= 0 && *names != NULL; names++)
            rc = identity_add_option(identities, identity, *names);
        return rc;
    }
    if (!anyc__tls_shim_has_names(&identity->chain))
        return 0;
    for (; rc >= 0 && name != NULL; name = name->next) {
        if (identity_is_host(name))
            rc = identity_add_name(identities, identity, (const char *)name->buf.p, name->buf.len);
    }
    return rc;
}

/* At most so many names come of the certificate. */
static size_t identity_count_names(const struct tls_identity *identity, const char *const *names)
{
    const mbedtls_x509_sequence *name = &identity->chain.subject_alt_names;
    size_t count = 0;

    if (names != NULL) {
        for (; *names != NULL; names++)
            count++;
    } else {
        for (; name != NULL; name = name->next)
            count++;
    }
    return count;
}

static int identity_list_names(struct tls_identities *identities,
                               const anyc_tls_certificate *certificates)
{
    size_t count = 0;
    int rc = 0;

    for (size_t i = 0; i < identities->count; i++)
        count += identity_count_names(&identities->items[i], certificates[i].names);
    if (count == 0)
        return 0;
    identities->names = anyc__alloc_array(count, sizeof *identities->names);
    if (identities->names == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (size_t i = 0; rc >= 0 && i < identities->count; i++)
        rc = identity_add_names(identities, &identities->items[i], certificates[i].names);
    if (identities->name_count > 1)
        qsort(identities->names, identities->name_count, sizeof *identities->names,
              identity_compare);
    return rc;
}

/* -- choosing -- */

/* The first with this name; NULL: none. */
static const struct tls_identity_name *identity_find(const struct tls_identities *identities,
                                                     const char *text)
{
    size_t low = 0;
    size_t high = identities->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(identities->names[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == identities->name_count || strcmp(identities->names[low].text, text) != 0)
        return NULL;
    return &identities->names[low];
}

/* mbedTLS calls it with the name that a client asks for. */
static int identity_choose(void *arg, mbedtls_ssl_context *ssl, const unsigned char *name,
                           size_t len)
{
    const struct tls_identities *identities = arg;
    const struct tls_identity_name *found;
    char text[IDENTITY_NAME_MAX + 1];
    char *dot;
    int code = 0;

    if (len > IDENTITY_NAME_MAX || memchr(name, '\0', len) != NULL)
        return 0;
    for (size_t i = 0; i < len; i++)
        text[i] = identity_lower((char)name[i]);
    text[len] = '\0';
    found = identity_find(identities, text);
    dot = strchr(text, '.');
    if (found == NULL && dot != NULL && dot != text) {
        dot[-1] = '*';
        found = identity_find(identities, dot - 1);
    }
    if (found == NULL)
        return 0;
    for (const char *chosen = found->text;
         code == 0 && found < identities->names + identities->name_count &&
         strcmp(found->text, chosen) == 0;
         found++)
        code = mbedtls_ssl_set_hs_own_cert(ssl, &found->identity->chain, &found->identity->key);
    return code;
}

int anyc__tls_identities_init(struct tls_identities *identities,
                              const anyc_tls_certificate *certificates, size_t count)
{
    int rc = 0;

    *identities = (struct tls_identities){0};
    if (count == 0)
        return 0;
    identities->items = anyc__alloc_array(count, sizeof *identities->items);
    if (identities->items == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    while (rc >= 0 && identities->count < count) {
        struct tls_identity *identity = &identities->items[identities->count];

        mbedtls_x509_crt_init(&identity->chain);
        mbedtls_pk_init(&identity->key);
        rc = identity_read(identity, &certificates[identities->count++]);
    }
    if (rc >= 0)
        rc = identity_list_names(identities, certificates);
    if (rc < 0)
        anyc__tls_identities_deinit(identities);
    return rc;
}

void anyc__tls_identities_deinit(struct tls_identities *identities)
{
    for (size_t i = 0; i < identities->name_count; i++)
        anyc__free(identities->names[i].text);
    for (size_t i = 0; i < identities->count; i++) {
        mbedtls_x509_crt_free(&identities->items[i].chain);
        mbedtls_pk_free(&identities->items[i].key);
    }
    anyc__free(identities->names);
    anyc__free(identities->items);
    *identities = (struct tls_identities){0};
}

bool anyc__tls_identities_fit(const struct tls_identities *identities,
                              const mbedtls_ssl_session *session)
{
    bool rsa;
    bool ec;

    anyc__tls_shim_session_needs(session, &rsa, &ec);
    if (!rsa && !ec)
        return true;
    for (size_t i = 0; i < identities->count; i++) {
        if (anyc__tls_shim_is_rsa(&identities->items[i].chain.pk) == rsa)
            return true;
    }
    return false;
}

int anyc__tls_identities_conf(struct tls_identities *identities, mbedtls_ssl_config *conf)
{
    if (identities->count == 0)
        return 0;
    mbedtls_ssl_conf_sni(conf, identity_choose, identities);
    return mbedtls_ssl_conf_own_cert(conf, &identities->items[0].chain, &identities->items[0].key);
}
