/* SPDX-License-Identifier: MIT */
/*
 * test_datagram.c - what the four kinds of datagram sockets have in common. Each test runs with all
 * of them.
 */
#include "datagram_link.h"

#include <errno.h>
#include <fcntl.h>

#include <sys/resource.h>

#include "support/fail_alloc.h"
#include "support/tasks.h"

static void second_receive(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    char buf[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
}

/* NT-059, NT-068, NT-077, NT-086, NT-R041 */
ANYC_TEST(test_datagram__only_one_task_receives)
{
    datagram_for_each_link(second_receive);
    datagram_for_each_unnamed(second_receive);
}

static void second_receive_with_data(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    char buf[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    datagram_link_get(link, "one");
    datagram_link_get(link, "two");
    ck_assert_int_eq(datagram_link_receive(link, buf, 0, NULL), ANYC_EINVAL);
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), ANYC_EBUSY);
    ck_assert_ok(datagram_link_send(link, "out", 3)); /* one of each direction */
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, 3);
    ck_assert_mem_eq(in, "one", 3);
    datagram_link_check_receives(link, "two");
    datagram_link_check_sent(link, "out");
}

/* NT-R001: BUSY comes before anything else happens, even if data is waiting; a bad argument comes
 * before that. */
ANYC_TEST(test_datagram__a_second_receive_takes_nothing)
{
    datagram_for_each_link(second_receive_with_data);
}

static void close_during_receive(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok((anyc_close)(link->resource));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECLOSED);
}

/* NT-060, NT-069, NT-078, NT-087, NT-R003 */
ANYC_TEST(test_datagram__close_wakes_the_receiver)
{
    datagram_for_each_link(close_during_receive);
    datagram_for_each_unnamed(close_during_receive);
}

static void free_during_receive(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok((anyc_aclose)(link->resource));
    link->resource = NULL;
    ck_assert(!call.done);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECLOSED);
}

/* NT-R003: the memory outlives those who wait. */
ANYC_TEST(test_datagram__is_freed_after_its_receiver)
{
    datagram_for_each_link(free_during_receive);
}

static void use_after_close(struct datagram_link *link)
{
    char buf[8];

    ck_assert_ok((anyc_close)(link->resource));
    ck_assert_ok((anyc_close)(link->resource));
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), ANYC_ECLOSED);
    ck_assert_int_eq(datagram_link_send(link, "foo", 3), ANYC_ECLOSED);
}

/* NT-061, NT-062, NT-070, NT-071, NT-079, NT-088, NT-R003 */
ANYC_TEST(test_datagram__is_of_no_use_after_close)
{
    datagram_for_each_link(use_after_close);
    datagram_for_each_unnamed(use_after_close);
}

static void use_cancelled(struct datagram_link *link)
{
    anyc_cancel_scope scope;
    char buf[8] = {0};

    datagram_link_get(link, "data");
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(datagram_link_send(link, "lost", 4), ANYC_ECANCELLED);
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    datagram_link_check_receives(link, "data");
    ck_assert_ok(datagram_link_send(link, "kept", 4));
    datagram_link_check_sent(link, "kept");
}

/* NT-R002: cancelled on entry, nothing is done to the socket. */
ANYC_TEST(test_datagram__a_cancelled_task_does_nothing_to_the_socket)
{
    datagram_for_each_link(use_cancelled);
}

static void cancel_after_arrival(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    datagram_link_get(link, "data");
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    datagram_link_check_receives(link, "data");
}

/* NT-R002, NT-R036: what came just before the cancellation is there for the next. */
ANYC_TEST(test_datagram__a_cancelled_receive_loses_nothing)
{
    datagram_for_each_link(cancel_after_arrival);
}

static void close_after_cancel(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    struct datagram_call call = {link, in, sizeof in, 0, false};

    anyc_task_group_enter(&group);
    spawn(&group, datagram_call_receive, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok((anyc_aclose)(link->resource));
    link->resource = NULL;
    ck_assert(!call.done);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
}

/* NT-R030: closed right after the cancellation of a blocked call, before its task ran. */
ANYC_TEST(test_datagram__close_after_a_cancelled_call_wakes_nobody_twice)
{
    datagram_for_each_link(close_after_cancel);
}

static void empty_datagrams(struct datagram_link *link)
{
    char buf[8];
    bool truncated = true;

    datagram_link_get(link, "");
    datagram_link_get(link, "next");
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, &truncated), 0);
    ck_assert(!truncated);
    datagram_link_check_receives(link, "next");
    ck_assert_ok(datagram_link_send(link, NULL, 0));
    ck_assert_ok(datagram_link_send(link, "next", 4));
    datagram_link_check_sent(link, "");
    datagram_link_check_sent(link, "next");
}

/* NT-R006 */
ANYC_TEST(test_datagram__an_empty_one_is_a_datagram)
{
    datagram_for_each_link(empty_datagrams);
}

static void long_datagrams(struct datagram_link *link)
{
    static unsigned char out[65507];
    static unsigned char in[65536];
    char buf[8] = "--------";
    bool truncated = false;

    datagram_link_get(link, "too long");
    datagram_link_get(link, "whole");
    ck_assert_int_eq(datagram_link_receive(link, buf, 3, &truncated), 3);
    ck_assert(truncated);
    ck_assert_mem_eq(buf, "too-----", 8);
    ck_assert_int_eq(datagram_link_receive(link, buf, 5, &truncated), 5);
    ck_assert(!truncated);
    ck_assert_mem_eq(buf, "whole", 5);

    memset(out, 0xa5, sizeof out);
    datagram_peer_send(link->peer, out, sizeof out, &link->name);
    ck_assert_int_eq(datagram_link_receive(link, in, sizeof in, &truncated), sizeof out);
    ck_assert(!truncated);
    ck_assert(memcmp(in, out, sizeof out) == 0);
}

/* NT-R006: the rest of a datagram that is too long is lost, and that is said. 65,536 bytes are room
 * enough. */
ANYC_TEST(test_datagram__says_what_was_cut)
{
    datagram_for_each_link(long_datagrams);
}

static void no_room(struct datagram_link *link)
{
    char buf[1];

    datagram_link_get(link, "data");
    ck_assert_int_eq(datagram_link_receive(link, buf, 0, NULL), ANYC_EINVAL);
    datagram_link_check_receives(link, "data");
}

ANYC_TEST(test_datagram__needs_room_to_receive)
{
    datagram_for_each_link(no_room);
}

static void oversize(struct datagram_link *link)
{
    enum { SIZE = 8 * 1024 * 1024 };
    char *data = calloc(1, SIZE);

    ck_assert_int_eq(datagram_link_send(link, data, SIZE), -EMSGSIZE);
    ck_assert_int_eq(anyc_last_error()->os_error, EMSGSIZE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "cannot send 8388608 bytes to "));
    ck_assert_ok(datagram_link_send(link, "fits", 4));
    datagram_link_check_sent(link, "fits");
    free(data);
}

/* More than the system takes: its own error, and the socket is well. */
ANYC_TEST(test_datagram__a_datagram_may_be_too_long_to_be_sent)
{
    datagram_for_each_link(oversize);
}

static int wait_for_fd(void *arg)
{
    int rc = anyc_wait_readable(*(const int *)arg);

    return rc == ANYC_ECLOSED ? 0 : rc;
}

static void raw_waiter(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int fd = datagram_link_fd(link);
    char buf[8];

    anyc_task_group_enter(&group);
    spawn(&group, wait_for_fd, &fd);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), ANYC_EBUSY);
    ck_assert_ok((anyc_close)(link->resource));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* NT-R018: somebody waits for the raw descriptor already. */
ANYC_TEST(test_datagram__shares_its_descriptor_with_one_waiter)
{
    datagram_for_each_link(raw_waiter);
}

static void attributes_after_close(struct datagram_link *link)
{
    anyc_socket_address address;
    int number = 0;
    int remote = link->variant.connected ? 0 : ANYC_EATTRIBUTE;

    ck_assert_ok((anyc_close)(link->resource));
    ck_assert_int_eq((anyc_extra)(link->resource, &ANYC_SOCKET_FAMILY, sizeof number, &number),
                     ANYC_ECLOSED);
    ck_assert_int_eq((anyc_extra)(link->resource, &ANYC_SOCKET_RAW_SOCKET, sizeof number, &number),
                     ANYC_ECLOSED);
    ck_assert_int_eq(
        (anyc_extra)(link->resource, &ANYC_SOCKET_LOCAL_ADDRESS, sizeof address, &address),
        ANYC_ECLOSED);
    ck_assert_int_eq(
        (anyc_extra)(link->resource, &ANYC_SOCKET_REMOTE_ADDRESS, sizeof address, &address),
        remote);
}

/* NT-R017: the peer's address is kept. */
ANYC_TEST(test_datagram__remembers_its_peer_after_close)
{
    datagram_for_each_link(attributes_after_close);
}

struct closer {
    struct datagram_link *link;
    bool closed;
};

static int free_at_once(void *arg)
{
    struct closer *closer = arg;

    closer->closed = (anyc_aclose)(closer->link->resource) == 0;
    closer->link->resource = NULL;
    return 0;
}

static void free_within_checkpoint(struct datagram_link *link)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct closer closer = {link, false};
    char in[8];
    int rc = 0;

    anyc_task_group_enter(&group);
    spawn(&group, free_at_once, &closer);
    while (rc == 0 && !closer.closed) {
        datagram_link_get(link, "x");
        rc = datagram_link_receive(link, in, sizeof in, NULL) == 1 ? 0 : ANYC_ECLOSED;
    }
    ck_assert_int_eq(rc, ANYC_ECLOSED); /* from the call in which the other task ran */
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* A task that lets others run at its checkpoint may come back to a socket that has gone. */
ANYC_TEST(test_datagram__is_freed_while_a_call_lets_others_run)
{
    datagram_for_each_link(free_within_checkpoint);
}

/* Makes a socket and uses it while the nth allocation fails; true when none failed. */
static bool use_without_memory(const struct datagram_variant *variant, long n)
{
    const char *host = peer_loopback(variant->family);
    const anyc_create_udp_socket_options options = {.local_host = host};
    struct datagram_link link = {.variant = *variant, .peer = -1};
    char byte;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    if (variant->family == AF_UNIX)
        rc = anyc_create_unix_datagram_socket(NULL, &link.unix_datagram);
    else if (variant->connected)
        rc = anyc_create_connected_udp_socket(host, 9, NULL, &link.connected_udp);
    else
        rc = anyc_create_udp_socket(&options, &link.udp);
    if (rc == 0 && link.udp != NULL) {
        link.resource = &link.udp->resource;
        link.name = datagram_peer_name(datagram_link_fd(&link));
        link.peer_name = link.name;
        ck_assert_ok(datagram_link_send(&link, "x", 1));
        ck_assert_int_eq(datagram_link_receive(&link, &byte, 1, NULL), 1);
    }
    failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    if (link.udp != NULL)
        anyc_aclose(link.udp);
    if (link.connected_udp != NULL)
        anyc_aclose(link.connected_udp);
    if (link.unix_datagram != NULL)
        anyc_aclose(link.unix_datagram);
    return !failed;
}

static int without_memory(void *arg)
{
    const struct datagram_variant *variant = arg;
    int fds = peer_count_fds();
    bool done = false;

    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 100);
        done = use_without_memory(variant, n);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_datagram__survives_without_memory)
{
    struct datagram_variant variants[] = {
        {.family = AF_INET}, {.family = AF_INET, .connected = true}, {.family = AF_UNIX}};

    fail_alloc_install();
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        ck_assert_ok(run_on_backend(without_memory, &variants[i]));
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}

/* No descriptor is left in this process. */
ANYC_TEST(test_datagram__needs_a_descriptor)
{
    struct rlimit before;
    struct rlimit none;
    anyc_create_udp_socket_options options = {.family = AF_INET};
    anyc_udp_socket *udp;
    anyc_connected_udp_socket *connected_udp;
    anyc_unix_datagram_socket *unix_datagram;

    ck_assert_ok(getrlimit(RLIMIT_NOFILE, &before));
    none = before;
    none.rlim_cur = 0;
    ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
    ck_assert_int_eq(anyc_create_udp_socket(&options, &udp), -EMFILE);
    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 9, NULL, &connected_udp),
                     -EMFILE);
    ck_assert_int_eq(anyc_create_unix_datagram_socket(NULL, &unix_datagram), -EMFILE);
    ck_assert_ok(setrlimit(RLIMIT_NOFILE, &before));
}

/* The functions that wait need a task. */
ANYC_TEST_PLAIN(test_datagram__needs_a_loop)
{
    anyc_create_udp_socket_options options = {.family = AF_INET};
    anyc_udp_socket *udp;
    anyc_connected_udp_socket *connected_udp;
    anyc_unix_datagram_socket *unix_datagram;
    anyc_connected_unix_datagram_socket *connected_unix;

    ck_assert_int_eq(anyc_create_udp_socket(&options, &udp), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_udp_socket_from_fd(0, &udp), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 9, NULL, &connected_udp),
                     ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_create_unix_datagram_socket(NULL, &unix_datagram), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_create_connected_unix_datagram_socket("/x", NULL, &connected_unix),
                     ANYC_ENOLOOP);
}

/* NT-R016: what cannot be adopted stays as it was, and the caller's. */
ANYC_TEST(test_datagram__adopts_a_descriptor_only_once)
{
    int fd = datagram_peer_udp(AF_INET, 0);
    anyc_udp_socket *first;
    anyc_udp_socket *second = NULL;

    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_ok(anyc_udp_socket_from_fd(fd, &first));
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(anyc_udp_socket_from_fd(fd, &second), ANYC_EBUSY);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_ptr_null(second);
    anyc_aclose(first);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
