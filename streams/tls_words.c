/* SPDX-License-Identifier: MIT */
/*
 * tls_words.c - what is wrong with a certificate, in words: one line, "; " between the reasons.
 */
#include "streams/tls_words.h"

#include "core/alloc.h"
#include "streams/tls_shim_key.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#define WORDS_NAME_SIZE 128
#define WORDS_HOST_SIZE 256 /* RFC 1035 section 2.3.4 */
#define WORDS_LIST_SIZE 384 /* of a certificate's names */

_Static_assert(ANYC_TLS_EXPIRED == MBEDTLS_X509_BADCERT_EXPIRED &&
                   ANYC_TLS_REVOKED == MBEDTLS_X509_BADCERT_REVOKED &&
                   ANYC_TLS_WRONG_NAME == MBEDTLS_X509_BADCERT_CN_MISMATCH &&
                   ANYC_TLS_NOT_TRUSTED == MBEDTLS_X509_BADCERT_NOT_TRUSTED &&
                   ANYC_TLS_MISSING == MBEDTLS_X509_BADCERT_MISSING &&
                   ANYC_TLS_OTHER == MBEDTLS_X509_BADCERT_OTHER &&
                   ANYC_TLS_NOT_YET_VALID == MBEDTLS_X509_BADCERT_FUTURE &&
                   ANYC_TLS_WRONG_KEY_USAGE == MBEDTLS_X509_BADCERT_KEY_USAGE &&
                   ANYC_TLS_WRONG_EXT_KEY_USAGE == MBEDTLS_X509_BADCERT_EXT_KEY_USAGE &&
                   ANYC_TLS_WRONG_CERT_TYPE == MBEDTLS_X509_BADCERT_NS_CERT_TYPE &&
                   ANYC_TLS_WEAK_DIGEST == MBEDTLS_X509_BADCERT_BAD_MD &&
                   ANYC_TLS_WEAK_ALGORITHM == MBEDTLS_X509_BADCERT_BAD_PK &&
                   ANYC_TLS_WEAK_KEY == MBEDTLS_X509_BADCERT_BAD_KEY,
               "anyc's flags are mbedTLS's");

/* Those that need no look at the certificate. */
static const struct {
    uint32_t flag;
    const char *text;
} words_plain[] = {
    {ANYC_TLS_REVOKED, "revoked"},
    {ANYC_TLS_MISSING, "there is none"},
    {ANYC_TLS_WRONG_KEY_USAGE, "not for this use (key usage)"},
    {ANYC_TLS_WRONG_CERT_TYPE, "not for this use (certificate type)"},
    {ANYC_TLS_WEAK_DIGEST, "signed with a digest that is no longer safe"},
    {ANYC_TLS_WEAK_ALGORITHM, "key or signature of a kind that is not allowed"},
    {ANYC_TLS_WEAK_KEY, "key too weak"},
};

#define WORDS_PLAIN_COUNT (sizeof words_plain / sizeof *words_plain)

/* What the library may find and anyc has no flag for. */
static uint32_t words_known_flags(uint32_t flags)
{
    uint32_t known = ANYC_TLS_EXPIRED | ANYC_TLS_NOT_YET_VALID | ANYC_TLS_WRONG_NAME |
                     ANYC_TLS_NOT_TRUSTED | ANYC_TLS_WRONG_EXT_KEY_USAGE | ANYC_TLS_OTHER;

    for (size_t i = 0; i < WORDS_PLAIN_COUNT; i++)
        known |= words_plain[i].flag;
    return (flags & known) | ((flags & ~known) != 0 ? (uint32_t)ANYC_TLS_OTHER : 0);
}

static void words_add(struct tls_verification *verification, const char *format, ...)
    ANYC_PRINTF(2, 3);

static void words_add(struct tls_verification *verification, const char *format, ...)
{
    const char *before = verification->problem != NULL ? verification->problem : "";
    const char *between = verification->problem != NULL ? "; " : "";
    char text[2 * WORDS_LIST_SIZE]; /* a list, a host name, some words */
    char *both;
    size_t size;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size = strlen(before) + strlen(between) + strlen(text) + 1;
    both = anyc__alloc(size);
    if (both == NULL)
        return;
    (void)snprintf(both, size, "%s%s%s", before, between, text);
    anyc__free(verification->problem);
    verification->problem = both;
}

/* "CN=..., O=...": a long one is cut. */
static const char *words_subject(const mbedtls_x509_name *name, char *buf, size_t size)
{
    if (mbedtls_x509_dn_gets(buf, size, name) <= 0)
        (void)snprintf(buf, size, "a long name");
    return buf;
}

/* -- dates -- */

static void words_date(struct tls_verification *verification, const char *what,
                       const mbedtls_x509_time *time, const char *whose)
{
    words_add(verification, "%s %04d-%02d-%02d%s", what, time->year, time->mon, time->day, whose);
}

/* -- names -- */

/* A name of a certificate as it is shown. Answers its length, whatever the room; 0: it is of another
 * kind. */
static size_t words_show_name(const mbedtls_x509_buf *name, char *buf, size_t size)
{
    size_t i = 0;

    switch (name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK) {
    case MBEDTLS_X509_SAN_DNS_NAME:
        for (; i < name->len && i + 1 < size; i++)
            buf[i] = anyc__tls_printable(name->p[i]);
        buf[i] = '\0';
        return name->len;
    case MBEDTLS_X509_SAN_IP_ADDRESS:
        if ((name->len != 4 && name->len != 16) ||
            inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->p, buf, (socklen_t)size) == NULL)
            return 0;
        return strlen(buf);
    default:
        return 0;
    }
}

/* Adds one of a certificate's names to a list; false: there is no room for it. */
static bool words_list_name(const mbedtls_x509_buf *name, char *list, size_t size)
{
    char text[WORDS_HOST_SIZE];
    size_t len = strlen(list);
    size_t name_len = words_show_name(name, text, sizeof text);

    if (name_len == 0)
        return true;
    if (name_len >= sizeof text || len + 2 + name_len >= size)
        return false;
    (void)snprintf(list + len, size - len, "%s%s", len > 0 ? ", " : "", text);
    return true;
}

static void words_wrong_name(struct tls_verification *verification, const struct tls_look *look)
{
    char list[WORDS_LIST_SIZE] = "";
    bool whole = true;

    if (anyc__tls_shim_has_names(look->certificate)) {
        for (const mbedtls_x509_sequence *name = &look->certificate->subject_alt_names;
             whole && name != NULL; name = name->next)
            whole = words_list_name(&name->buf, list, sizeof list);
    }
    words_add(verification, "wrong host name: expected %s, certificate names %s%s",
              verification->hostname != NULL ? verification->hostname : "one",
              list[0] != '\0' ? list : "none", whole ? "" : ", ...");
}

/* -- trust -- */

static bool words_has_subject(const mbedtls_x509_crt *chain, const mbedtls_x509_buf *subject)
{
    for (; chain != NULL && chain->version != 0; chain = chain->next) {
        if (chain->subject_raw.len == subject->len &&
            memcmp(chain->subject_raw.p, subject->p, subject->len) == 0)
            return true;
    }
    return false;
}

static void words_not_trusted(struct tls_verification *verification, const struct tls_look *look)
{
    const mbedtls_x509_crt *certificate = look->certificate;
    const mbedtls_x509_buf *issuer = &certificate->issuer_raw;
    const char *none = look->trusted->version == 0 ? " (no certificate is trusted at all)" : "";
    char name[WORDS_NAME_SIZE];

    words_subject(&certificate->issuer, name, sizeof name);
    if (words_has_subject(look->trusted, issuer) || words_has_subject(certificate->next, issuer) ||
        !look->is_last)
        words_add(verification, "bad signature: not made by %s", name);
    else if (look->is_own && issuer->len == certificate->subject_raw.len &&
             memcmp(issuer->p, certificate->subject_raw.p, issuer->len) == 0)
        words_add(verification, "self-signed");
    else
        words_add(verification, "unknown CA: %s%s", name, none);
}

/* -- all of it -- */

/* Those for which the certificate must be at hand. */
static void words_look(struct tls_verification *verification, const struct tls_look *look,
                       const char *whose)
{
    const mbedtls_x509_crt *certificate = look->certificate;

    if (certificate->raw.p == NULL) { /* the library passes over those that it cannot check */
        words_add(verification, "signed in a way that is not known");
        return;
    }
    if ((look->flags & ANYC_TLS_EXPIRED) != 0)
        words_date(verification, "expired on", &certificate->valid_to, whose);
    if ((look->flags & ANYC_TLS_NOT_YET_VALID) != 0)
        words_date(verification, "not valid before", &certificate->valid_from, whose);
    if ((look->flags & ANYC_TLS_NOT_TRUSTED) != 0)
        words_not_trusted(verification, look);
    if ((look->flags & ANYC_TLS_WRONG_NAME) != 0)
        words_wrong_name(verification, look);
}

void anyc__tls_say_problems(struct tls_verification *verification, const struct tls_look *look)
{
    char whose[WORDS_NAME_SIZE + 8] = "";
    char name[WORDS_NAME_SIZE];

    if (look->flags == 0)
        return;
    verification->flags |= words_known_flags(look->flags);
    if (!look->is_own)
        (void)snprintf(whose, sizeof whose, " (%s)",
                       words_subject(&look->certificate->subject, name, sizeof name));
    if (look->certificate != NULL)
        words_look(verification, look, whose);
    for (size_t i = 0; i < WORDS_PLAIN_COUNT; i++) {
        if ((look->flags & words_plain[i].flag) != 0)
            words_add(verification, "%s%s", words_plain[i].text, whose);
    }
    if ((look->flags & ANYC_TLS_WRONG_EXT_KEY_USAGE) != 0)
        words_add(verification, "not for %s (extended key usage)%s",
                  verification->config->server_side ? "clients" : "servers", whose);
}
