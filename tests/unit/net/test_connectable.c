/* SPDX-License-Identifier: MIT */
/*
 * test_connectable.c - objects that say where to connect. AnyIO: TestAsConnectable,
 * test_unix_connectable, test_buffered_connectable.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <anyc/connectable.h>

#include "support/fail_alloc.h"
#include "unix_link.h"

static anyc_connectable *tcp_to(const char *host, int port)
{
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_tcp_connectable_create(host, port, &connectable), 0);
    return connectable;
}

static anyc_connectable *unix_to(const char *path, size_t path_len)
{
    const anyc_connect_unix_options options = {.path_len = path_len};
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_unix_connectable_create(path, &options, &connectable), 0);
    return connectable;
}

/* -- what they hold -- */

/* NT-093 */
ANYC_TEST_PLAIN(test_connectable__a_connectable_is_handed_back)
{
    anyc_connectable *given = tcp_to("localhost", 1234);
    anyc_connectable *got = NULL;

    ck_assert_int_eq(anyc_as_connectable(&(anyc_connect_target){.connectable = given}, &got), 0);
    ck_assert_ptr_eq(got, given);
    anyc_connectable_destroy(got);
}

/* NT-094: an address has one form in C, its text, which stays as it is given. */
ANYC_TEST_PLAIN(test_connectable__a_host_and_port_are_held_as_given)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
    anyc_connectable *connectable = NULL;
    char host[16];

    for (size_t i = 0; i < 3; i++) {
        strcpy(host, hosts[i]);
        ck_assert_int_eq(
            anyc_as_connectable(&(anyc_connect_target){.host = host, .port = 1234}, &connectable),
            0);
        memset(host, '!', sizeof host); /* it was copied */
        ck_assert_str_eq(anyc_tcp_connectable_host(connectable), hosts[i]);
        ck_assert_int_eq(anyc_tcp_connectable_port(connectable), 1234);
        ck_assert_ptr_null(anyc_unix_connectable_path(connectable, NULL));
        anyc_connectable_destroy(connectable);
    }
}

/* NT-095: a string (a path value has no other form in C), and counted bytes. */
ANYC_TEST_PLAIN(test_connectable__a_path_is_held_as_given)
{
    static const size_t lens[] = {0, 8};
    anyc_connectable *connectable = NULL;
    char path[] = "/foo/bar";
    size_t len = 0;

    for (size_t i = 0; i < 2; i++) {
        const anyc_connect_target target = {.path = path, .path_len = lens[i]};

        path[8] = i == 0 ? '\0' : '!';
        ck_assert_int_eq(anyc_as_connectable(&target, &connectable), 0);
        ck_assert_str_eq(anyc_unix_connectable_path(connectable, &len), "/foo/bar");
        ck_assert_uint_eq(len, 8);
        ck_assert_ptr_null(anyc_tcp_connectable_host(connectable));
        ck_assert_int_eq(anyc_tcp_connectable_port(connectable), 0);
        anyc_connectable_destroy(connectable);
    }
}

ANYC_TEST_PLAIN(test_connectable__an_abstract_name_keeps_its_zero_bytes)
{
    anyc_connectable *connectable = unix_to("\0a\0b", 4);
    size_t len = 0;
    const char *name = anyc_unix_connectable_path(connectable, &len);

    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(name, "\0a\0b", 4);
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

/* NT-096 */
ANYC_TEST(test_connectable__refuses_what_is_no_target)
{
    anyc_connectable *given = tcp_to("localhost", 1234);

    check_no_target((anyc_connect_target){.host = NULL}, "none of them");
    check_no_target((anyc_connect_target){.host = "localhost", .port = 1, .path = "/foo"},
                    "more than one");
    check_no_target((anyc_connect_target){.connectable = given, .path = "/foo"}, "more than one");
    check_no_target((anyc_connect_target){.connectable = given, .port = 1}, "more than one");
    check_no_target((anyc_connect_target){.port = 1234}, "no host");
    check_no_target((anyc_connect_target){.host = "localhost"}, "port 0");
    check_no_target((anyc_connect_target){.path_len = 4}, "path");
    anyc_connectable_destroy(given);
}

/* NT-R025: a port out of range is noticed when the connectable is made. */
ANYC_TEST(test_connectable__refuses_a_port_out_of_range)
{
    static const int ports[] = {-1, 0, 65536};
    anyc_connectable *connectable = NULL;

    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(anyc_tcp_connectable_create("localhost", ports[i], &connectable),
                         ANYC_EINVAL);
    ck_assert_int_eq(anyc_tcp_connectable_create("", 80, &connectable), ANYC_EINVAL);
    ck_assert_int_eq(anyc_tcp_connectable_create(NULL, 80, &connectable), ANYC_EINVAL);
    ck_assert_ptr_null(connectable);
    anyc_connectable_destroy(tcp_to("localhost", 1));
    anyc_connectable_destroy(tcp_to("localhost", 65535));
}

ANYC_TEST(test_connectable__refuses_what_is_no_path)
{
    anyc_connectable *connectable = NULL;
    char path[109];

    memset(path, 'x', sizeof path);
    path[108] = '\0';
    ck_assert_int_eq(anyc_unix_connectable_create(NULL, NULL, &connectable), ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_connectable_create("", NULL, &connectable), ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_connectable_create(path, NULL, &connectable), -ENAMETOOLONG);
    ck_assert_ptr_null(connectable);
}

/* -- connecting -- */

/* The stream and this raw end of the connection belong together. */
static void check_connected(anyc_byte_stream *stream, int peer)
{
    char buf[8];

    ck_assert(peer_send(peer, "hello", 5));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "hello", 5);
}

/* Each connect is one connection to this listener, which is all that is said of it. */
static void check_connects_once(anyc_connectable *connectable, int listener)
{
    anyc_byte_stream *stream = NULL;
    int peer;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), 0);
        peer = peer_accept(listener);
        check_connected(stream, peer);
        anyc_aclose(stream);
        close(peer);
    }
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

static void connects_to_place(const struct unix_place *place)
{
    anyc_connectable *connectable = unix_to(place->name, place->len);
    int listener = unix_peer_listen(place);

    check_connects_once(connectable, listener);
    anyc_connectable_destroy(connectable);
    close(listener);
}

/* NT-092 */
ANYC_TEST(test_connectable__connects_once_to_a_path)
{
    unix_for_each_place(connects_to_place);
}

static void connects_to_family(int family)
{
    int listener = peer_listen(family);
    anyc_connectable *connectable = tcp_to(peer_loopback(family), peer_port(listener));

    check_connects_once(connectable, listener);
    anyc_connectable_destroy(connectable);
    close(listener);
}

ANYC_TEST(test_connectable__connects_once_to_a_host)
{
    peer_for_each_family(connects_to_family);
}

static void check_unreachable(anyc_connectable *connectable, const char *target, int os_error)
{
    anyc_byte_stream *stream = NULL;
    const anyc_error *error;

    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECONNECT);
    ck_assert_ptr_null(stream);
    error = anyc_last_error();
    ck_assert_int_eq(error->code, ANYC_ECONNECT);
    ck_assert_int_eq(error->os_error, os_error);
    ck_assert_msg(strstr(error->message, target) != NULL, "%s", error->message);
    ck_assert_msg(strstr(error->message, strerror(os_error)) != NULL, "%s", error->message);
    anyc_connectable_destroy(connectable);
}

/* NT-R025: the target is in the text, and the cause is kept. */
ANYC_TEST(test_connectable__a_failed_connect_names_target_and_cause)
{
    int listener = peer_listen(AF_INET);
    int port = peer_port(listener);
    char target[64];

    close(listener); /* nobody listens there now */
    snprintf(target, sizeof target, "cannot reach 127.0.0.1 port %d: ", port);
    check_unreachable(tcp_to("127.0.0.1", port), target, ECONNREFUSED);
    check_unreachable(unix_to("/foo/bar", 0), "cannot reach /foo/bar: ", ENOENT);
    check_unreachable(unix_to("\0nobody has this", 16),
                      "cannot reach @nobody has this: ", ECONNREFUSED);
}

/* -- cancellation and other ends -- */

static void check_cancelled_at_once(anyc_connectable *connectable, int listener)
{
    anyc_byte_stream *stream = NULL;
    anyc_cancel_scope scope;

    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
    anyc_connectable_destroy(connectable);
    close(listener);
}

ANYC_TEST(test_connectable__a_cancelled_task_does_not_connect)
{
    struct unix_place place = unix_place_make(true);
    anyc_connectable *inner = unix_to(place.name, place.len);
    int listener = peer_listen(AF_INET);
    anyc_connectable *buffered;

    check_cancelled_at_once(tcp_to("127.0.0.1", peer_port(listener)), listener);
    ck_assert_int_eq(anyc_buffered_connectable_create(inner, &buffered), 0);
    check_cancelled_at_once(buffered, unix_peer_listen(&place));
}

static void check_deadline(anyc_connectable *connectable)
{
    anyc_byte_stream *stream = NULL;
    int fds = peer_count_fds();
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, 3, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_connectable_connect(connectable, &stream)),
                     ANYC_ETIMEDOUT);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(peer_count_fds(), fds);
    anyc_connectable_destroy(connectable);
}

/* Cancelled in the middle, nothing stays open, and the code is not dressed up as another. */
ANYC_TEST_WITH(test_connectable__a_deadline_ends_a_connect, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct unix_place place = unix_place_make(true);
    anyc_connectable *buffered;
    int filler;
    int listener = unix_peer_listen_full(&place, &filler);

    check_deadline(unix_to(place.name, place.len));
    ck_assert_int_eq(anyc_buffered_connectable_create(unix_to(place.name, place.len), &buffered),
                     0);
    check_deadline(buffered);
    close(filler);
    close(listener);
}

ANYC_TEST_PLAIN(test_connectable__connecting_needs_a_loop)
{
    anyc_connectable *connectables[] = {tcp_to("127.0.0.1", 1), unix_to("/foo/bar", 0)};
    anyc_byte_stream *stream = NULL;

    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_connectable_connect(connectables[i], &stream), ANYC_ENOLOOP);
        anyc_connectable_destroy(connectables[i]);
    }
    ck_assert_ptr_null(stream);
}

/* -- one's own, and over another -- */

struct memory_connectable {
    anyc_connectable connectable;
    int error; /* what a connect answers; 0: it works */
    int destroyed;
};

/* A pair of chunks, with one place, that gives out what is sent into it. */
static int memory_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    const struct memory_connectable *self = (struct memory_connectable *)connectable;
    anyc_memory_receive_stream *receive;
    anyc_memory_send_stream *send;
    anyc_object_stream *both;

    if (self->error != 0)
        return self->error;
    ck_assert_int_eq(anyc_create_memory_object_stream(1, sizeof(anyc_bytes), &send, &receive), 0);
    ck_assert_int_eq(anyc_stapled_object_stream_create(&send->stream, &receive->stream, &both), 0);
    ck_assert_int_eq(anyc_byte_stream_from_object_stream(both, out_stream), 0);
    return 0;
}

static void memory_destroy(anyc_connectable *connectable)
{
    ((struct memory_connectable *)connectable)->destroyed++;
}

static const anyc_connectable_ops memory_ops = {
    .type = "memory connectable", .connect = memory_connect, .destroy = memory_destroy};

static anyc_connectable *buffered_over(struct memory_connectable *inner)
{
    anyc_connectable *connectable = NULL;

    ck_assert_int_eq(anyc_connectable_init(&inner->connectable, &memory_ops), 0);
    ck_assert_int_eq(anyc_buffered_connectable_create(&inner->connectable, &connectable), 0);
    return connectable;
}

/* ST-019 */
ANYC_TEST(test_connectable__a_buffered_one_gives_buffered_streams)
{
    struct memory_connectable inner = {.error = 0};
    anyc_connectable *connectable = buffered_over(&inner);
    anyc_buffered_stream *stream;
    char buf[2];

    ck_assert_int_eq(anyc_buffered_connectable_connect(connectable, &stream), 0);
    ck_assert_int_eq(anyc_send(&stream->stream, "abcd", 4), 0);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 2), 0);
    ck_assert_mem_eq(buf, "ab", 2);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 2), 0);
    ck_assert_mem_eq(buf, "cd", 2);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    anyc_connectable_destroy(connectable);
    ck_assert_int_eq(inner.destroyed, 1);
}

/* As any other connectable it gives byte streams, which are the buffered ones. */
ANYC_TEST(test_connectable__a_buffered_one_is_a_connectable)
{
    struct memory_connectable inner = {.error = 0};
    anyc_connectable *connectable = buffered_over(&inner);
    anyc_byte_stream *stream;
    char buf[8];

    ck_assert_int_eq(anyc_connectable_connect(connectable, &stream), 0);
    ck_assert_int_eq(anyc_send(stream, "abcd", 4), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 4);
    ck_assert_mem_eq(buf, "abcd", 4);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    anyc_connectable_destroy(connectable);
}

ANYC_TEST(test_connectable__a_buffered_one_passes_failures_on)
{
    struct memory_connectable inner = {.error = ANYC_ECONNECT};
    anyc_connectable *connectable = buffered_over(&inner);
    anyc_buffered_stream *stream = NULL;
    anyc_byte_stream *bytes = NULL;

    ck_assert_int_eq(anyc_buffered_connectable_connect(connectable, &stream), ANYC_ECONNECT);
    ck_assert_int_eq(anyc_connectable_connect(connectable, &bytes), ANYC_ECONNECT);
    ck_assert_int_eq(anyc_buffered_connectable_connect(&inner.connectable, &stream), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "memory connectable"));
    ck_assert_ptr_null(stream);
    ck_assert_ptr_null(bytes);
    anyc_connectable_destroy(connectable);
}

ANYC_TEST(test_connectable__refuses_a_table_with_a_hole)
{
    anyc_connectable_ops holes[] = {memory_ops, memory_ops, memory_ops};
    anyc_connectable connectable = {NULL};

    holes[0].type = NULL;
    holes[1].connect = NULL;
    holes[2].destroy = NULL;
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(anyc_connectable_init(&connectable, &holes[i]), ANYC_EINVAL);
    ck_assert_ptr_null(connectable.ops);
}

/* -- without memory -- */

/* Make a buffered connectable of a UNIX one and connect with it, all of it or nothing. */
static int make_and_connect(const struct unix_place *place)
{
    const anyc_connect_target target = {.path = place->name, .path_len = place->len};
    anyc_connectable *connectable = NULL;
    anyc_connectable *buffered = NULL;
    anyc_byte_stream *stream;
    int rc = anyc_as_connectable(&target, &connectable);

    if (rc < 0)
        return rc;
    rc = anyc_buffered_connectable_create(connectable, &buffered);
    if (rc == 0)
        rc = anyc_connectable_connect(buffered, &stream);
    if (rc == 0)
        anyc_aclose(stream);
    anyc_connectable_destroy(buffered != NULL ? buffered : connectable);
    return rc;
}

static int without_memory(void *arg)
{
    struct unix_place place = unix_place_make(true);
    int listener = unix_peer_listen(&place);
    int fds = peer_count_fds();
    anyc_connectable *connectable = NULL;
    bool failed = true;

    (void)arg;
    for (long n = 1; failed; n++) {
        int rc;

        fail_alloc_arm(n);
        rc = make_and_connect(&place);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        ck_assert_int_eq(peer_count_fds(), fds);
        ck_assert_int_lt(n, 50);
    }
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_tcp_connectable_create("localhost", 80, &connectable), ANYC_ENOMEM);
    ck_assert(fail_alloc_disarm());
    close(listener);
    return 0;
}

ANYC_TEST_PLAIN(test_connectable__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
