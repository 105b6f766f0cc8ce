/* SPDX-License-Identifier: MIT */
/*
 * test_no_tls.c - an anyc that was built without a TLS library says so.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <string.h>

#include "support/steps.h"

ANYC_TEST(test_no_tls__contexts_cannot_be_made)
{
    anyc_tls_context *context = NULL;

    ck_assert_int_eq(anyc_tls_context_create(NULL, &context), -ENOTSUP);
    ck_assert_ptr_null(context);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "without a TLS library"));
    ck_assert_int_eq(anyc_tls_context_replace_certificates(NULL, NULL, 0), -ENOTSUP);
    anyc_tls_context_destroy(NULL);
}

ANYC_TEST(test_no_tls__streams_and_listeners_cannot_be_wrapped)
{
    anyc_create_tcp_listener_options options = {.local_host = "127.0.0.1"};
    anyc_listener *listener = NULL;
    anyc_listener *wrapped = NULL;
    anyc_byte_stream *stream = NULL;
    anyc_tls_der der = {"", 0};
    anyc_bytes text;

    ck_assert_ok(anyc_create_tcp_listener(&options, &listener));
    ck_assert_int_eq(anyc_tls_listener_create(listener, NULL, NULL, &wrapped), -ENOTSUP);
    ck_assert_int_eq(anyc_tls_stream_wrap(NULL, NULL, &stream), -ENOTSUP);
    ck_assert_int_eq(anyc_tls_stream_unwrap(NULL, &stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_tls_stream_peer_chain(NULL, 0, &der), -ENOTSUP);
    ck_assert_int_eq(anyc_tls_certificate_describe(&der, &text), -ENOTSUP);
    ck_assert_ok(anyc_aclose(listener)); /* still this test's */
}

ANYC_TEST(test_no_tls__connecting_by_tls_does_not_even_connect)
{
    anyc_connect_tcp_options options = {.tls = true};
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 1, &options, &stream), -ENOTSUP);
    ck_assert_ptr_null(stream);
}

ANYC_TEST(test_no_tls__attributes_have_their_keys)
{
    anyc_create_tcp_listener_options options = {.local_host = "127.0.0.1"};
    anyc_listener *listener = NULL;
    const char *version;

    ck_assert_ok(anyc_create_tcp_listener(&options, &listener));
    ck_assert_int_eq(anyc_extra(listener, &ANYC_TLS_VERSION, &version), ANYC_EATTRIBUTE);
    ck_assert_ok(anyc_aclose(listener));
}
