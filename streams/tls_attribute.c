/* SPDX-License-Identifier: MIT */
/*
 * tls_attribute.c - what can be asked of a TLS stream. AnyIO: streams.tls.TLSAttribute.
 */
#include "streams/tls_error.h"
#include "streams/tls_stream.h"
#include "streams/tls_words.h"

#include "core/error.h"
#include "streams/tls_shim_cipher.h"
#include "streams/tls_shim_connection.h"

#include <string.h>

ANYC_TYPED_ATTRIBUTE(ANYC_TLS_ALPN_PROTOCOL, const char *);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, anyc_tls_bytes);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_CIPHER, anyc_tls_cipher);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_PEER_CERTIFICATE_BINARY, anyc_tls_der);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SERVER_SIDE, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SESSION_REUSED, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SHARED_CIPHERS, anyc_tls_cipher);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SSL_OBJECT, void *);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_STANDARD_COMPATIBLE, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_VERSION, const char *);

static int attribute_missing(const anyc_typed_attribute *attribute)
{
    return anyc__fail(ANYC_EATTRIBUTE, 0, "this TLS stream does not provide %s", attribute->name);
}

static int attribute_alpn(struct tls_stream *self, const anyc_typed_attribute *attribute, void *out)
{
    (void)attribute;
    *(const char **)out = mbedtls_ssl_get_alpn_protocol(&self->ssl);
    return 0;
}

/* The Finished message that came first: the client's, or the server's if a session was resumed. */
static int attribute_unique(struct tls_stream *self, const anyc_typed_attribute *attribute,
                            void *out)
{
    bool own = self->config->server_side == self->reused;
    anyc_tls_bytes bytes;

    bytes.len = anyc__tls_shim_finished(&self->ssl, own, &bytes.data);
    if (bytes.len == 0)
        return attribute_missing(attribute);
    memcpy(out, &bytes, sizeof bytes);
    return 0;
}

static int attribute_cipher(struct tls_stream *self, const anyc_typed_attribute *attribute,
                            void *out)
{
    const anyc_tls_cipher cipher = {
        .name = self->cipher_name,
        .protocol = mbedtls_ssl_get_version(&self->ssl),
        .secret_bits = anyc__tls_shim_cipher_bits(&self->ssl),
    };

    (void)attribute;
    anyc__tls_shim_cipher_name(mbedtls_ssl_get_ciphersuite(&self->ssl), self->cipher_name,
                               sizeof self->cipher_name);
    memcpy(out, &cipher, sizeof cipher);
    return 0;
}

static int attribute_peer(struct tls_stream *self, const anyc_typed_attribute *attribute, void *out)
{
    const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&self->ssl);
    anyc_tls_der der;

    if (certificate == NULL)
        return attribute_missing(attribute);
    der = (anyc_tls_der){certificate->raw.p, certificate->raw.len};
    memcpy(out, &der, sizeof der);
    return 0;
}

static int attribute_server_side(struct tls_stream *self, const anyc_typed_attribute *attribute,
                                 void *out)
{
    (void)attribute;
    *(bool *)out = self->config->server_side;
    return 0;
}

static int attribute_reused(struct tls_stream *self, const anyc_typed_attribute *attribute,
                            void *out)
{
    (void)attribute;
    *(bool *)out = self->reused;
    return 0;
}

/* mbedTLS does not keep what the client offered. */
static int attribute_shared_ciphers(struct tls_stream *self, const anyc_typed_attribute *attribute,
                                    void *out)
{
    (void)self;
    (void)out;
    return attribute_missing(attribute);
}

static int attribute_ssl_object(struct tls_stream *self, const anyc_typed_attribute *attribute,
                                void *out)
{
    (void)attribute;
    *(void **)out = &self->ssl;
    return 0;
}

static int attribute_standard_compatible(struct tls_stream *self,
                                         const anyc_typed_attribute *attribute, void *out)
{
    (void)attribute;
    *(bool *)out = self->standard_compatible;
    return 0;
}

static int attribute_version(struct tls_stream *self, const anyc_typed_attribute *attribute,
                             void *out)
{
    (void)attribute;
    *(const char **)out = mbedtls_ssl_get_version(&self->ssl);
    return 0;
}

static const struct {
    const anyc_typed_attribute *attribute;
    int (*get)(struct tls_stream *self, const anyc_typed_attribute *attribute, void *out);
} attribute_table[] = {
    {&ANYC_TLS_ALPN_PROTOCOL, attribute_alpn},
    {&ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, attribute_unique},
    {&ANYC_TLS_CIPHER, attribute_cipher},
    {&ANYC_TLS_PEER_CERTIFICATE_BINARY, attribute_peer},
    {&ANYC_TLS_SERVER_SIDE, attribute_server_side},
    {&ANYC_TLS_SESSION_REUSED, attribute_reused},
    {&ANYC_TLS_SHARED_CIPHERS, attribute_shared_ciphers},
    {&ANYC_TLS_SSL_OBJECT, attribute_ssl_object},
    {&ANYC_TLS_STANDARD_COMPATIBLE, attribute_standard_compatible},
    {&ANYC_TLS_VERSION, attribute_version},
};

int anyc__tls_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    struct tls_stream *self = anyc__tls_of(resource);

    for (size_t i = 0; i < sizeof attribute_table / sizeof *attribute_table; i++) {
        if (attribute_table[i].attribute == attribute)
            return attribute_table[i].get(self, attribute, out);
    }
    return anyc__stream_extra_inner(&self->transport->resource, attribute, out);
}

int anyc_tls_stream_peer_chain(anyc_byte_stream *stream, size_t index, anyc_tls_der *out_der)
{
    struct tls_stream *self = anyc__tls_cast(stream);
    const mbedtls_x509_crt *certificate;

    if (self == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "%s: not a TLS stream", stream->resource.ops->type);
    certificate = mbedtls_ssl_get_peer_cert(&self->ssl);
    for (; certificate != NULL && index > 0; index--)
        certificate = certificate->next;
    if (certificate == NULL)
        return anyc__fail(ANYC_EATTRIBUTE, 0, "the peer did not send so many certificates");
    *out_der = (anyc_tls_der){certificate->raw.p, certificate->raw.len};
    return 0;
}

/* mbedTLS shows names as they are: make them harmless. */
static void describe_clean(mbedtls_x509_crt *certificate)
{
    for (mbedtls_x509_sequence *name = &certificate->subject_alt_names; name != NULL;
         name = name->next) {
        int kind = name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

        if (kind != MBEDTLS_X509_SAN_DNS_NAME && kind != MBEDTLS_X509_SAN_RFC822_NAME &&
            kind != MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER)
            continue;
        for (size_t i = 0; i < name->buf.len; i++)
            name->buf.p[i] = (unsigned char)anyc__tls_printable(name->buf.p[i]);
    }
}

/* mbedTLS's description, in a buffer of twice the size each time it was too small. */
static int describe(mbedtls_x509_crt *certificate, anyc_bytes *out_text)
{
    size_t size = 1024;
    int len = -1;
    char *text;

    describe_clean(certificate);
    while (size <= (size_t)1024 * 1024) {
        text = anyc__alloc(size);
        if (text == NULL)
            return anyc__fail_plain(ANYC_ENOMEM);
        len = mbedtls_x509_crt_info(text, size, "", certificate);
        if (len >= 0) {
            *out_text = (anyc_bytes){text, (size_t)len};
            return 0;
        }
        anyc__free(text);
        size *= 2;
    }
    return anyc__tls_fail(ANYC_ETLS, len, "the certificate cannot be described");
}

int anyc_tls_certificate_describe(const anyc_tls_der *der, anyc_bytes *out_text)
{
    mbedtls_x509_crt certificate;
    int code;
    int rc;

    mbedtls_x509_crt_init(&certificate);
    code = mbedtls_x509_crt_parse_der(&certificate, der->data, der->len);
    if (anyc__tls_shim_is_no_memory(code))
        rc = anyc__fail_plain(ANYC_ENOMEM);
    else if (code != 0)
        rc = anyc__tls_fail(ANYC_ETLS, code, "this is no certificate");
    else
        rc = describe(&certificate, out_text);
    mbedtls_x509_crt_free(&certificate);
    return rc;
}
