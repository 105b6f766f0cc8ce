/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_attribute.c - what can be asked of a TLS stream. AnyIO: TLSAttribute.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>

#include "tls_link.h"

/* A file of the tests as it is. */
static size_t read_file(const char *path, char *buf, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    ck_assert_ptr_nonnull(file);
    len = fread(buf, 1, size, file);
    fclose(file);
    ck_assert_uint_gt(len, 0);
    ck_assert_uint_lt(len, size);
    return len;
}

static void check_missing(anyc_byte_stream *stream, const anyc_typed_attribute *attribute)
{
    char value[64];
    char before[64];

    ck_assert_uint_le(attribute->size, sizeof value);
    memset(value, 7, sizeof value);
    memset(before, 7, sizeof before);
    ck_assert_int_eq((anyc_extra)(&stream->resource, attribute, attribute->size, value),
                     ANYC_EATTRIBUTE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, attribute->name));
    ck_assert_mem_eq(value, before, sizeof value);
}

ANYC_TEST(test_tls_stream_attribute__what_was_agreed_on)
{
    struct byte_pair pair;
    anyc_byte_stream *ends[2];

    tls_pair_open(&pair, NULL);
    ends[0] = pair.a;
    ends[1] = pair.b;
    for (int i = 0; i < 2; i++) {
        anyc_tls_cipher cipher;
        const char *version = NULL;
        const char *protocol = "unset";
        bool reused = true;
        void *ssl = NULL;

        ck_assert_int_eq(anyc_extra(ends[i], &ANYC_TLS_VERSION, &version), 0);
        ck_assert_int_eq(anyc_extra(ends[i], &ANYC_TLS_CIPHER, &cipher), 0);
        ck_assert_str_eq(cipher.protocol, version);
        ck_assert(cipher.secret_bits == 128 || cipher.secret_bits == 256);
        ck_assert_int_eq(strncmp(cipher.name, "TLS_", 4), 0);
        ck_assert_ptr_null(strchr(cipher.name, '-'));
        ck_assert_int_eq(anyc_extra(ends[i], &ANYC_TLS_ALPN_PROTOCOL, &protocol), 0);
        ck_assert_ptr_null(protocol);
        ck_assert_int_eq(anyc_extra(ends[i], &ANYC_TLS_SESSION_REUSED, &reused), 0);
        ck_assert(!reused);
        ck_assert_int_eq(anyc_extra(ends[i], &ANYC_TLS_SSL_OBJECT, &ssl), 0);
        ck_assert_str_eq(mbedtls_ssl_get_version(ssl), version);
        check_missing(ends[i], &ANYC_TLS_SHARED_CIPHERS);
    }
    tls_pair_close(&pair);
}

/* The peer's view: TLS_ECDHE_ECDSA_... here is TLS-ECDHE-ECDSA-... there. */
ANYC_TEST(test_tls_stream_attribute__the_cipher_has_its_name_of_iana)
{
    const anyc_tls_context_options options = {.ca.file = TLS_FILE("ca.pem"),
                                              .max_version = ANYC_TLS_1_2,
                                              .ciphers = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
    anyc_tls_context *context = tls_context(&options);
    struct tls_peer peer;
    anyc_byte_stream *stream =
        tls_link_wrap(tls_link_connect(&peer, NULL, NULL, NULL),
                      &(anyc_tls_stream_wrap_options){.context = context, .hostname = "localhost"});
    anyc_tls_cipher cipher = {NULL, NULL, 0};

    ck_assert_int_eq(anyc_extra(stream, &ANYC_TLS_CIPHER, &cipher), 0);
    ck_assert_str_eq(cipher.name, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    ck_assert_str_eq(cipher.protocol, "TLSv1.2");
    ck_assert_int_eq(cipher.secret_bits, 128);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    ck_assert_str_eq(peer.ciphersuite, "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256");
    anyc_tls_context_destroy(context);
}

static void check_standard_compatible(bool compatible)
{
    struct byte_pair pair;
    bool value = !compatible;

    tls_pair_open(&pair, &(struct tls_pair_options){.not_standard_compatible = !compatible});
    ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_STANDARD_COMPATIBLE, &value), 0);
    ck_assert(value == compatible);
    tls_pair_drop(&pair);
}

ANYC_TEST(test_tls_stream_attribute__the_kind_of_end)
{
    check_standard_compatible(true);
    check_standard_compatible(false);
}

ANYC_TEST(test_tls_stream_attribute__the_peers_certificate)
{
    struct byte_pair pair;
    anyc_tls_der der = {NULL, 0};
    anyc_tls_der first = {NULL, 0};
    char file[2048];
    size_t len = read_file(TLS_FILE("localhost.der"), file, sizeof file);

    tls_pair_open(&pair, NULL);
    ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_PEER_CERTIFICATE_BINARY, &der), 0);
    ck_assert_uint_eq(der.len, len);
    ck_assert_mem_eq(der.data, file, len);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 0, &first), 0);
    ck_assert_mem_eq(first.data, file, len);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 1, &first), ANYC_EATTRIBUTE);
    check_missing(pair.b, &ANYC_TLS_PEER_CERTIFICATE_BINARY);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.b, 0, &first), ANYC_EATTRIBUTE);
    tls_pair_close(&pair);
}

ANYC_TEST(test_tls_stream_attribute__the_peers_chain)
{
    anyc_tls_context *server =
        tls_context_server_with(TLS_FILE("chain_intermediate.pem"), TLS_FILE("localhost.key"));
    struct byte_pair pair;
    anyc_tls_der certificates[3];
    anyc_bytes text = {NULL, 0};

    tls_pair_open(&pair, &(struct tls_pair_options){.server = server});
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 0, &certificates[0]), 0);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 1, &certificates[1]), 0);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 2, &certificates[2]), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_tls_certificate_describe(&certificates[1], &text), 0);
    ck_assert_uint_eq(strlen(text.data), text.len);
    ck_assert_ptr_nonnull(strstr(text.data, "CA=true"));
    anyc_bytes_deinit(&text);
    tls_pair_close(&pair);
    anyc_tls_context_destroy(server);
}

/* The server's view of a client that has one. */
ANYC_TEST(test_tls_stream_attribute__a_clients_certificate)
{
    const anyc_tls_certificate of_client = {.chain.file = TLS_FILE("client.pem"),
                                            .key.file = TLS_FILE("client.key")};
    const anyc_tls_certificate of_server = {.chain.file = TLS_FILE("localhost.pem"),
                                            .key.file = TLS_FILE("localhost.key")};
    const struct tls_pair_options options = {
        .client = tls_context(&(anyc_tls_context_options){
            .ca.file = TLS_FILE("ca.pem"), .certificates = &of_client, .certificate_count = 1}),
        .server = tls_context(&(anyc_tls_context_options){.server_side = true,
                                                          .ca.file = TLS_FILE("ca.pem"),
                                                          .verify = ANYC_TLS_VERIFY_REQUIRED,
                                                          .certificates = &of_server,
                                                          .certificate_count = 1})};
    struct byte_pair pair;
    anyc_tls_der der = {NULL, 0};
    anyc_bytes text = {NULL, 0};

    tls_pair_open(&pair, &options);
    ck_assert_int_eq(anyc_extra(pair.b, &ANYC_TLS_PEER_CERTIFICATE_BINARY, &der), 0);
    ck_assert_int_eq(anyc_tls_certificate_describe(&der, &text), 0);
    ck_assert_ptr_nonnull(strstr(text.data, "CN=client"));
    anyc_bytes_deinit(&text);
    tls_pair_close(&pair);
    anyc_tls_context_destroy(options.client);
    anyc_tls_context_destroy(options.server);
}

/* RFC 5929 section 3: both sides know the same, after a resumption too, and each connection has its
 * own. */
ANYC_TEST(test_tls_stream_attribute__the_channel_binding_and_the_resumption)
{
    const struct tls_pair_options options = {.client = tls_context_client(),
                                             .server = tls_context_server()};
    char last[64] = "";

    for (int i = 0; i < 2; i++) {
        struct byte_pair pair;
        anyc_tls_bytes a = {NULL, 0};
        anyc_tls_bytes b = {NULL, 0};
        bool reused = false;
        int rc;

        tls_pair_open(&pair, &options);
        ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_SESSION_REUSED, &reused), 0);
        ck_assert(reused == (i > 0));
        ck_assert_int_eq(anyc_extra(pair.b, &ANYC_TLS_SESSION_REUSED, &reused), 0);
        ck_assert(reused == (i > 0));
        rc = anyc_extra(pair.a, &ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, &a);
        ck_assert_int_eq(anyc_extra(pair.b, &ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, &b), rc);
        ck_assert(rc == 0 || rc == ANYC_EATTRIBUTE);
        if (rc == 0) {
            ck_assert_uint_eq(a.len, 12);
            ck_assert_uint_eq(b.len, 12);
            ck_assert_mem_eq(a.data, b.data, 12);
            ck_assert_mem_ne(a.data, last, 12);
            memcpy(last, a.data, 12);
        }
        tls_pair_close(&pair);
    }
    anyc_tls_context_destroy(options.client);
    anyc_tls_context_destroy(options.server);
}

/* Through two layers of TLS. */
ANYC_TEST(test_tls_stream_attribute__those_of_the_transport_are_passed_on)
{
    struct byte_pair pair;
    int family = 0;

    byte_pair_unix(&pair);
    for (int i = 0; i < 2; i++) {
        tls_pair_wrap(&pair, NULL);
        ck_assert_int_eq(anyc_extra(pair.a, &ANYC_SOCKET_FAMILY, &family), 0);
        ck_assert_int_eq(family, AF_UNIX);
        family = 0;
    }
    tls_pair_close(&pair);
}

ANYC_TEST(test_tls_stream_attribute__only_tls_streams_have_them)
{
    struct byte_pair pair;
    anyc_tls_der der;
    bool value;

    byte_pair_from_objects(&pair, 1);
    ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_SERVER_SIDE, &value), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(pair.a, 0, &der), ANYC_EINVAL);
    tls_pair_drop(&pair);
}

ANYC_TEST_PLAIN(test_tls_stream_attribute__what_is_no_certificate_is_not_described)
{
    const anyc_tls_der none = {"no certificate", 14};
    const anyc_tls_der empty = {NULL, 0};
    anyc_bytes text = {NULL, 0};

    ck_assert_int_eq(anyc_tls_certificate_describe(&none, &text), ANYC_ETLS);
    ck_assert_int_ne(anyc_last_error()->tls.library_code, 0);
    ck_assert_int_eq(anyc_tls_certificate_describe(&empty, &text), ANYC_ETLS);
    ck_assert_ptr_null(text.data);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP); /* the message would be left behind */
}

/* What is left of a record can be had without waiting. */
ANYC_TEST(test_tls_stream_attribute__says_how_much_is_pending)
{
    struct byte_pair plain;
    struct byte_pair pair;
    char buf[10];

    tls_pair_open(&pair, NULL);
    ck_assert_uint_eq(anyc_tls_stream_pending(pair.b), 0);
    ck_assert_int_eq(anyc_send(pair.a, "a longer message", 16), 0);
    ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 10);
    ck_assert_uint_eq(anyc_tls_stream_pending(pair.b), 6);
    ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 6);
    ck_assert_uint_eq(anyc_tls_stream_pending(pair.b), 0);
    tls_pair_drop(&pair);
    byte_pair_unix(&plain);
    ck_assert_uint_eq(anyc_tls_stream_pending(plain.a), 0);
    anyc_aclose(plain.a);
    anyc_aclose(plain.b);
}
