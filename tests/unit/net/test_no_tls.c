/* SPDX-License-Identifier: MIT */
/*
 * test_no_tls.c - connecting with a library that was built without TLS.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>

#include <fcntl.h>
#include <unistd.h>

#include "support/peer.h"

/* Before anything is connected. */
ANYC_TEST(test_no_tls__connects_to_nobody)
{
    const anyc_connect_tcp_options options[] = {
        {.tls = true}, {.tls_hostname = "localhost"}, {.tls_not_standard_compatible = true}};
    int listener = peer_listen(AF_INET);
    anyc_byte_stream *stream = NULL;

    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), &options[i], &stream),
                         -ENOTSUP);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    close(listener);
}

ANYC_TEST(test_no_tls__makes_no_connectable)
{
    const anyc_connect_target plain = {.host = "localhost", .port = 80};
    const anyc_connect_target tls = {.host = "localhost", .port = 443, .tls = true};
    const anyc_tls_connectable_create_options options = {.hostname = "localhost"};
    anyc_connectable *over = NULL;
    anyc_connectable *inner;

    ck_assert_int_eq(anyc_as_connectable(&tls, &over), -ENOTSUP);
    ck_assert_int_eq(anyc_as_connectable(&plain, &inner), 0);
    ck_assert_int_eq(anyc_tls_connectable_create(inner, &options, &over), -ENOTSUP);
    ck_assert_ptr_null(over);
    anyc_connectable_destroy(inner); /* still the caller's */
}
