/* SPDX-License-Identifier: MIT */
/*
 * test_tls_connectable.c - objects that say where to connect by TLS. AnyIO: TestAsConnectable,
 * test_tls_connectable.
 */
#include <errno.h>
#include <string.h>

#include <anyc/connectable.h>
#include <anyc/tls.h>

#include "support/byte_pair.h"
#include "support/fail_alloc.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"
#include "unix_link.h"

/* Hands out one end of a connection in memory, or fails. */
struct memory_connectable {
    anyc_connectable connectable;
    struct byte_pair pair; /* `a` is handed out */
    int error;             /* what a connect answers in its place; 0: none */
    int destroyed;
};

static int memory_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    struct memory_connectable *self = (struct memory_connectable *)connectable;

    if (self->error != 0)
        return self->error;
    *out_stream = self->pair.a;
    return 0;
}

static void memory_destroy(anyc_connectable *connectable)
{
    ((struct memory_connectable *)connectable)->destroyed++;
}

static const anyc_connectable_ops memory_ops = {
    .type = "memory connectable", .connect = memory_connect, .destroy = memory_destroy};

/* TLS over it. */
static anyc_connectable *tls_over(struct memory_connectable *inner, anyc_tls_context *context)
{
    const anyc_tls_connectable_create_options options = {.context = context,
                                                         .hostname = "localhost"};
    anyc_connectable *connectable = NULL;

    byte_pair_from_objects(&inner->pair, 16);
    ck_assert_int_eq(anyc_connectable_init(&inner->connectable, &memory_ops), 0);
    ck_assert_int_eq(anyc_tls_connectable_create(&inner->connectable, &options, &connectable), 0);
    return connectable;
}

/* -- what they hold -- */

/* TL-004 */
ANYC_TEST_PLAIN(test_tls_connectable__a_tcp_target_gives_its_host_name)
{
    const anyc_connect_target target = {.host = "localhost", .port = 1234, .tls = true};
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
    ck_assert_str_eq(anyc_tls_connectable_hostname(connectable), "localhost");
    ck_assert_str_eq(anyc_tcp_connectable_host(anyc_tls_connectable_inner(connectable)),
                     "localhost");
    ck_assert_int_eq(anyc_tcp_connectable_port(anyc_tls_connectable_inner(connectable)), 1234);
    anyc_connectable_destroy(connectable);
}

/* Host name and path are copied, the context is kept. */
ANYC_TEST_PLAIN(test_tls_connectable__holds_what_it_was_given)
{
    char hostname[] = "fa\u00df.de";
    anyc_connect_target target = {.path = "/foo/bar", .tls_hostname = hostname};
    anyc_connectable *connectable = NULL;
    size_t len = 0;

    target.tls_context = tls_context_client();
    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
    anyc_tls_context_destroy(target.tls_context);
    memset(hostname, '!', sizeof hostname);
    ck_assert_str_eq(anyc_tls_connectable_hostname(connectable), "fa\u00df.de");
    ck_assert_str_eq(anyc_unix_connectable_path(anyc_tls_connectable_inner(connectable), &len),
                     "/foo/bar");
    anyc_connectable_destroy(connectable);
}

ANYC_TEST_PLAIN(test_tls_connectable__others_hold_no_host_name)
{
    const anyc_connect_target target = {.host = "localhost", .port = 1234};
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
    ck_assert_ptr_null(anyc_tls_connectable_hostname(connectable));
    ck_assert_ptr_null(anyc_tls_connectable_inner(connectable));
    anyc_connectable_destroy(connectable);
}

static void check_no_target(anyc_connect_target target, const char *trouble)
{
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), ANYC_EINVAL);
    ck_assert_msg(strstr(anyc_last_error()->message, trouble) != NULL, "%s",
                  anyc_last_error()->message);
    ck_assert_ptr_null(connectable);
}

/* A connectable that was given stays as it is, and so TLS options for it are a mistake. */
ANYC_TEST(test_tls_connectable__refuses_what_cannot_work)
{
    struct memory_connectable inner = {.error = -EIO};
    anyc_tls_context *server = tls_context_server();
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_connectable_init(&inner.connectable, &memory_ops), 0);
    check_no_target((anyc_connect_target){.connectable = &inner.connectable, .tls = true},
                    "without TLS options");
    check_no_target((anyc_connect_target){.path = "/foo/bar", .tls = true}, "host name");
    check_no_target((anyc_connect_target){.host = "localhost", .port = 1234, .tls_context = server},
                    "for servers");
    ck_assert_int_eq(anyc_tls_connectable_create(&inner.connectable, NULL, &connectable),
                     ANYC_EINVAL);
    ck_assert_int_eq(inner.destroyed, 0); /* still the caller's */
    anyc_tls_context_destroy(server);
}

/* A context that does not look at it needs no host name. */
ANYC_TEST_PLAIN(test_tls_connectable__a_host_name_may_be_left_out_where_nobody_looks)
{
    anyc_tls_context *context = tls_context(
        &(anyc_tls_context_options){.ca.file = TLS_FILE("ca.pem"), .no_hostname_check = true});
    const anyc_connect_target target = {.path = "/foo/bar", .tls_context = context};
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
    ck_assert_ptr_null(anyc_tls_connectable_hostname(connectable));
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(context);
}

/* -- connecting -- */

/* The other end: answers a message with "hello, " before it. */
static int greet(void *arg)
{
    struct memory_connectable *inner = arg;
    struct tls_end end = {.stream = inner->pair.b};
    char buf[32] = "hello, ";
    ssize_t n;

    end.options.context = tls_context_server();
    ck_assert_int_eq(tls_end_wrap(&end), 0);
    ck_assert_int_eq(end.rc, 0);
    n = anyc_receive(end.stream, buf + 7, sizeof buf - 7);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(anyc_send(end.stream, buf, 7 + (size_t)n), 0);
    ck_assert_int_eq(anyc_aclose(end.stream), 0);
    anyc_tls_context_destroy(end.options.context);
    return 0;
}

/* TL-013. The context is not the program's any more when the connect uses it. */
ANYC_TEST(test_tls_connectable__connects_by_tls)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct memory_connectable inner = {.error = 0};
    anyc_tls_context *context = tls_context_client();
    anyc_connectable *connectable = tls_over(&inner, context);
    anyc_byte_stream *stream = NULL;
    char buf[32];

    anyc_tls_context_destroy(context);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, greet, &inner, NULL), 0);
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), 0);
    ck_assert_int_eq(anyc_send(stream, "world", 5), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 12);
    ck_assert_mem_eq(buf, "hello, world", 12);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_connectable_destroy(connectable);
    ck_assert_int_eq(inner.destroyed, 1);
}

/* Takes one connection, and closes it when the client has. */
static int accept_once(void *arg)
{
    anyc_listener *listener = arg;
    anyc_byte_stream *stream = NULL;
    char byte;

    ck_assert_int_eq(anyc_listener_accept(listener, &stream), 0);
    ck_assert_int_eq(anyc_receive(stream, &byte, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return 0;
}

/* By what as_connectable makes of a path, with every option. */
ANYC_TEST(test_tls_connectable__connects_to_a_path)
{
    const anyc_tls_listener_create_options lax = {.not_standard_compatible = true};
    struct unix_place place = unix_place_make(true);
    anyc_connect_target target = {.path = place.name,
                                  .path_len = place.len,
                                  .tls = true,
                                  .tls_context = tls_context_client(),
                                  .tls_hostname = "localhost",
                                  .tls_not_standard_compatible = true};
    anyc_tls_context *server = tls_context_server();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_connectable *connectable = NULL;
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    bool compatible = true;

    ck_assert_int_eq(anyc_tls_listener_create(unix_link_listen(&place), server, &lax, &listener),
                     0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, accept_once, listener, NULL), 0);
    ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_TLS_STANDARD_COMPATIBLE, &compatible), 0);
    ck_assert(!compatible);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_aclose(listener), 0);
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(target.tls_context);
    anyc_tls_context_destroy(server);
}

/* -- it fails -- */

/* Takes the handshake, which the client gives up. */
static int be_refused(void *arg)
{
    struct memory_connectable *inner = arg;
    struct tls_end end = {.stream = inner->pair.b};

    end.options.context = tls_context_server();
    ck_assert_int_eq(tls_end_wrap(&end), 0);
    ck_assert_int_eq(end.rc, ANYC_ETLS); /* the alert */
    anyc_tls_context_destroy(end.options.context);
    return 0;
}

/* TL-R012: the connection is closed. The failure is one of connecting, with all that is known. */
ANYC_TEST(test_tls_connectable__a_failed_handshake_names_target_and_cause)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct memory_connectable inner = {.error = 0};
    anyc_tls_context *context =
        tls_context(&(anyc_tls_context_options){.ca.file = TLS_FILE("other_ca.pem")});
    anyc_connectable *connectable = tls_over(&inner, context);
    anyc_byte_stream *stream = NULL;
    const anyc_error *error;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, be_refused, &inner, NULL), 0);
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECONNECT);
    ck_assert_ptr_null(stream);
    error = anyc_last_error();
    ck_assert_int_eq(error->code, ANYC_ECONNECT);
    ck_assert_uint_eq(error->tls.verify_flags, ANYC_TLS_NOT_TRUSTED);
    ck_assert_ptr_nonnull(strstr(error->message, "cannot reach localhost by TLS: the certificate"));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(context);
}

/* A failure of the connectable below stays as it is. */
ANYC_TEST(test_tls_connectable__passes_failures_of_connecting_on)
{
    struct memory_connectable inner = {.error = ANYC_ECONNECT};
    anyc_tls_context *context = tls_context_client();
    anyc_connectable *connectable = tls_over(&inner, context);
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECONNECT);
    inner.error = ANYC_ECANCELLED;
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECANCELLED);
    ck_assert_ptr_null(stream);
    anyc_aclose_forcefully(inner.pair.a);
    anyc_aclose_forcefully(inner.pair.b);
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(context);
}

/* A transport that ends at once, and whose close spoils the last error. */
static ssize_t spoiler_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    (void)stream;
    (void)buf;
    (void)max_bytes;
    return ANYC_EOF;
}

static int spoiler_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    (void)stream;
    (void)buf;
    (void)len;
    return 0;
}

static int spoiler_close(anyc_resource *resource, bool forcefully)
{
    int port;

    ck_assert(forcefully);
    return (anyc_extra)(resource, &ANYC_SOCKET_LOCAL_PORT, sizeof port, &port);
}

static void spoiler_destroy(anyc_resource *resource)
{
    (void)resource;
}

static const anyc_byte_stream_ops spoiler_ops = {
    .resource = {"spoiler", spoiler_close, spoiler_destroy, anyc_no_attributes},
    .receive = spoiler_receive,
    .send = spoiler_send,
    .sendv = anyc_sendv_by_send,
    .send_some = anyc_send_some_by_send,
    .send_eof = anyc_no_send_eof,
};

ANYC_TEST(test_tls_connectable__closing_does_not_spoil_the_cause)
{
    struct memory_connectable inner = {.error = 0};
    anyc_tls_context *context = tls_context_client();
    anyc_connectable *connectable = tls_over(&inner, context);
    anyc_byte_stream *stream = NULL;
    anyc_byte_stream spoiler;

    anyc_aclose_forcefully(inner.pair.a);
    anyc_aclose_forcefully(inner.pair.b);
    ck_assert_int_eq(anyc_byte_stream_init(&spoiler, &spoiler_ops), 0);
    inner.pair.a = &spoiler;
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECONNECT);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "ended within the TLS handshake"));
    ck_assert_int_ne(anyc_last_error()->tls.library_code, 0);
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(context);
}

/* Cancelled in the handshake, the connection is closed, and the code is not dressed up. */
ANYC_TEST_WITH(test_tls_connectable__a_deadline_ends_the_handshake, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct memory_connectable inner = {.error = 0};
    anyc_tls_context *context = tls_context_client();
    anyc_connectable *connectable = tls_over(&inner, context);
    anyc_byte_stream *stream = NULL;
    anyc_cancel_scope scope;
    char buf[2048];
    int rc;

    ck_assert_int_eq(anyc_fail_after(&scope, 3, false), 0);
    rc = anyc_connectable_connect(connectable, &stream);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_ptr_null(stream);
    ck_assert_int_gt(anyc_receive(inner.pair.b, buf, sizeof buf), 0); /* the client's hello */
    ck_assert_int_eq(anyc_receive(inner.pair.b, buf, sizeof buf), ANYC_EOF);
    anyc_aclose(inner.pair.b);
    anyc_connectable_destroy(connectable);
    anyc_tls_context_destroy(context);
}

/* -- without memory -- */

/* Make a connectable and connect to somebody who says nothing and goes, while the nth allocation
 * fails; true when none failed. */
static bool connect_without_memory(anyc_tls_context *context, long n)
{
    const anyc_tls_connectable_create_options options = {.context = context,
                                                         .hostname = "localhost"};
    struct memory_connectable inner = {.error = 0};
    anyc_connectable *connectable = NULL;
    anyc_byte_stream *stream = NULL;
    bool failed;
    int rc;

    byte_pair_from_objects(&inner.pair, 16);
    ck_assert_int_eq(anyc_send_eof(inner.pair.b), 0);
    ck_assert_int_eq(anyc_connectable_init(&inner.connectable, &memory_ops), 0);
    fail_alloc_arm(n);
    rc = anyc_tls_connectable_create(&inner.connectable, &options, &connectable);
    if (rc == 0)
        rc = anyc_connectable_connect(connectable, &stream);
    failed = fail_alloc_disarm();
    ck_assert(rc == ANYC_ECONNECT || (failed && rc == ANYC_ENOMEM)); /* or only a message failed */
    ck_assert_ptr_null(stream);
    if (connectable != NULL)
        anyc_connectable_destroy(connectable);
    else
        anyc_aclose(inner.pair.a); /* nobody has it */
    anyc_aclose(inner.pair.b);
    return !failed;
}

static int without_memory(void *arg)
{
    anyc_tls_context *context = tls_context_client();
    bool done = false;

    (void)arg;
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 100);
        done = connect_without_memory(context, n);
    }
    anyc_tls_context_destroy(context);
    return 0;
}

ANYC_TEST_PLAIN(test_tls_connectable__survives_without_memory)
{
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
