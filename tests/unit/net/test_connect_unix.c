/* SPDX-License-Identifier: MIT */
/*
 * test_connect_unix.c - how connections to UNIX sockets come about, and how they do not.
 */
#include <stdio.h>
#include <string.h>

#include <sys/resource.h>

#include "support/fail_alloc.h"
#include "unix_link.h"

/* The name without a zero byte behind it. */
static void connect_counted(const struct unix_place *place)
{
    anyc_connect_unix_options options = {.path_len = place->len};
    int listener = unix_peer_listen(place);
    char name[sizeof place->name + 1];
    anyc_byte_stream *stream;

    memset(name, '!', sizeof name);
    memcpy(name, place->name, place->len);
    ck_assert_int_eq(anyc_connect_unix(name, &options, &stream), 0);
    anyc_aclose(stream);
    close(listener);
}

/* NT-044, NT-R011 */
ANYC_TEST(test_connect_unix__takes_a_counted_name)
{
    unix_for_each_place(connect_counted);
}

ANYC_TEST(test_connect_unix__takes_a_path_as_a_string)
{
    struct unix_place place = unix_place_make(false);
    int listener = unix_peer_listen(&place);
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_unix(place.name, NULL, &stream), 0);
    anyc_aclose(stream);
    close(listener);
    unix_place_remove(&place);
}

/* The peer is called what it calls itself, however it was reached. */
ANYC_TEST(test_connect_unix__the_peer_has_its_own_name)
{
    struct unix_place place = unix_place_make(false);
    int listener = unix_peer_listen(&place);
    anyc_socket_address address;
    anyc_byte_stream *stream;
    char path[sizeof place.name + 8];

    snprintf(path, sizeof path, "%s/../%s", place.folder, strchr(place.name + 1, '/') + 1);
    ck_assert_int_eq(anyc_connect_unix(path, NULL, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_REMOTE_ADDRESS, &address), 0);
    unix_link_check_name(&address, place.name, place.len);
    anyc_aclose(stream);
    close(listener);
    unix_place_remove(&place);
}

ANYC_TEST(test_connect_unix__refuses_what_is_no_name)
{
    char path[] = "/a\0b";
    char long_path[200];
    anyc_byte_stream *stream = NULL;

    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    ck_assert_int_eq(anyc_connect_unix(NULL, NULL, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_unix("", NULL, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_unix(path, &(anyc_connect_unix_options){.path_len = 4}, &stream),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_unix(long_path, NULL, &stream), -ENAMETOOLONG);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "107"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "199"));
    ck_assert_ptr_null(stream);
}

/* NT-R004: the system's own error, and the message names the path. */
ANYC_TEST(test_connect_unix__tells_why_it_failed)
{
    struct unix_place place = unix_place_make(false);
    struct sockaddr_un address;
    socklen_t len = unix_peer_address(&place, &address);
    anyc_byte_stream *stream = NULL;
    int datagram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int listener;

    ck_assert_int_eq(unix_link_connect_to(&place, &stream), -ENOENT);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, place.name));
    ck_assert_int_eq(anyc_last_error()->os_error, ENOENT);
    listener = unix_peer_listen(&place);
    close(listener); /* the path stays */
    ck_assert_int_eq(unix_link_connect_to(&place, &stream), -ECONNREFUSED);
    ck_assert_int_eq(unlink(place.name), 0);
    ck_assert_int_eq(bind(datagram, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(unix_link_connect_to(&place, &stream), -EPROTOTYPE);
    ck_assert_ptr_null(stream);
    close(datagram);
    unix_place_remove(&place);
}

static int connect_and_close(void *arg)
{
    anyc_byte_stream *stream;
    int rc = unix_link_connect_to(arg, &stream);

    if (rc == 0)
        anyc_aclose(stream);
    return rc;
}

static void count_step(uint64_t id, void *arg)
{
    int *steps = arg;

    (void)id;
    *steps += 1;
}

/* NT-R012: with a full queue it tries again after growing pauses, never in a circle, and succeeds
 * when there is room. */
static void full_backlog(const struct unix_place *place)
{
    static const anyc_instrument counter = {.before_step = count_step};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    double start = anyc_current_time();
    int filler;
    int listener = unix_peer_listen_full(place, &filler);
    int steps = 0;

    ck_assert_int_eq(anyc_add_instrument(&counter, &steps), 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, connect_and_close, (void *)place, NULL);
    ck_assert_int_eq(anyc_sleep(10), 0);
    ck_assert_int_ge(steps, 100); /* at least ten times a second */
    ck_assert_int_le(steps, 120);
    close(peer_accept(listener));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_double_le(anyc_current_time() - start, 10.11);
    ck_assert_int_eq(anyc_remove_instrument(&counter), 0);
    close(filler);
    close(listener);
}

ANYC_TEST_WITH(test_connect_unix__pauses_while_the_backlog_is_full, .clock = ANYC_CLOCK_VIRTUAL)
{
    unix_for_each_place(full_backlog);
}

/* NT-R036, NT-R002 */
ANYC_TEST_WITH(test_connect_unix__a_deadline_ends_the_pauses, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct unix_place place = unix_place_make(false);
    double start = anyc_current_time();
    anyc_cancel_scope scope;
    int filler;
    int listener = unix_peer_listen_full(&place, &filler);
    int fds = peer_count_fds();

    anyc_fail_after(&scope, 3, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, connect_and_close(&place)), ANYC_ETIMEDOUT);
    ck_assert_double_eq_tol(anyc_current_time() - start, 3, 0.001);
    ck_assert_int_eq(peer_count_fds(), fds);
    close(filler);
    close(listener);
    unix_place_remove(&place);
}

/* The listener goes meanwhile. */
ANYC_TEST_WITH(test_connect_unix__notices_that_the_listener_has_gone, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct unix_place place = unix_place_make(true);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int filler;
    int listener = unix_peer_listen_full(&place, &filler);

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, connect_and_close, &place, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    close(listener);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), -ECONNREFUSED);
    close(filler);
    unix_place_remove(&place);
}

/* NT-R002: cancelled on entry, there is no connection. */
ANYC_TEST(test_connect_unix__a_cancelled_task_does_not_connect)
{
    struct unix_place place = unix_place_make(true);
    int listener = unix_peer_listen(&place);
    anyc_cancel_scope scope;

    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(connect_and_close(&place), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), -1);
    close(listener);
}

ANYC_TEST_PLAIN(test_connect_unix__needs_a_loop)
{
    anyc_byte_stream *stream;
    anyc_listener *listener;

    ck_assert_int_eq(anyc_connect_unix("/nowhere", NULL, &stream), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_create_unix_listener("/nowhere", NULL, &listener), ANYC_ENOLOOP);
}

/* No descriptor is left in this process. */
ANYC_TEST(test_connect_unix__needs_a_descriptor)
{
    struct unix_place place = unix_place_make(true);
    int raw = unix_peer_listen(&place);
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    struct rlimit before;
    struct rlimit none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(unix_link_connect_to(&place, &stream), -EMFILE);
    ck_assert_int_eq(anyc_create_unix_listener("/nowhere/socket", NULL, &listener), -EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ptr_null(stream);
    ck_assert_ptr_null(listener);
    ck_assert_int_eq(unix_link_connect_to(&place, &stream), 0);
    anyc_aclose(stream);
    close(raw);
}

/* Connects while the nth allocation fails; true when none failed. */
static bool connect_without_memory(const struct unix_place *place, long n)
{
    anyc_byte_stream *stream = NULL;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = unix_link_connect_to(place, &stream);
    failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    if (stream != NULL)
        anyc_aclose(stream);
    return !failed;
}

static int without_memory(void *arg)
{
    struct unix_place place = unix_place_make(false);
    int listener = unix_peer_listen(&place);
    int fds = peer_count_fds();
    bool done = false;

    (void)arg;
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 50);
        done = connect_without_memory(&place, n);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    close(listener);
    unix_place_remove(&place);
    return 0;
}

ANYC_TEST_PLAIN(test_connect_unix__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
