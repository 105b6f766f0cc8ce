/* SPDX-License-Identifier: MIT */
/*
 * test_unix_datagram_connected.c - connected UNIX datagram sockets. AnyIO:
 * TestConnectedUNIXDatagramSocket.
 */
#include "unix_datagram.h"

static void check_attributes(const struct unix_place *place)
{
    struct unix_place peer_place = unix_place_make(false);
    int peer = datagram_peer_unix(&peer_place);
    anyc_connected_unix_datagram_socket *socket = unix_connect(&peer_place, place);
    anyc_socket_address address;
    int number = -1;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &number));
    ck_assert_int_eq(number, AF_UNIX);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    unix_check_name(&address, place->name, place->len);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_REMOTE_ADDRESS, &address));
    unix_check_name(&address, peer_place.name, peer_place.len);
    unix_check_no_port(&socket->resource);
    close(peer);
    anyc_aclose(socket);
    unix_place_remove(&peer_place);
}

/* NT-083, NT-R011, NT-R017 */
ANYC_TEST(test_unix_datagram_connected__has_the_attributes_of_its_socket)
{
    unix_for_each_place(check_attributes);
}

/* `counted`: the names go with their lengths; else, for paths, they end at their zero bytes. */
static void exchange(const struct unix_place *a_place, const struct unix_place *b_place,
                     bool counted)
{
    anyc_unix_datagram_socket *a = unix_open(a_place);
    unix_connect_options options = {.remote_path_len = counted ? a_place->len : 0,
                                    .local_path = b_place->name,
                                    .local_path_len = counted ? b_place->len : 0};
    anyc_connected_unix_datagram_socket *b;
    char buf[16] = "";

    ck_assert_ok(anyc_create_connected_unix_datagram_socket(a_place->name, &options, &b));
    ck_assert_ok(anyc_connected_unix_datagram_socket_send(b, "blah", 4));
    unix_check_receives(a, "blah", b_place);
    ck_assert_ok(unix_send_to(a, "halb", b_place));
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_receive(b, buf, sizeof buf, NULL), 4);
    ck_assert_str_eq(buf, "halb");
    anyc_aclose(b);
    anyc_aclose(a);
}

/* NT-084 */
ANYC_TEST(test_unix_datagram_connected__sends_and_receives)
{
    for (int i = 0; i < 4; i++) {
        struct unix_place a = unix_place_make((i & 1) != 0);
        struct unix_place b = unix_place_make((i & 2) != 0);

        exchange(&a, &b, true);
        if (i == 0)
            exchange(&a, &b, false);
        unix_place_remove(&a);
        unix_place_remove(&b);
    }
}

static int serve_reversed(void *arg)
{
    char buf[64];
    ssize_t n = anyc_connected_unix_datagram_socket_receive(arg, buf, sizeof buf, NULL);
    int rc = n < 0 ? (int)n : 0;

    while (rc == 0) {
        unix_reverse(buf, (size_t)n);
        rc = anyc_connected_unix_datagram_socket_send(arg, buf, (size_t)n);
        if (rc == 0)
            n = anyc_connected_unix_datagram_socket_receive(arg, buf, sizeof buf, NULL);
        if (rc == 0 && n < 0)
            rc = (int)n;
    }
    return rc;
}

static void ask_server(const struct unix_place *place)
{
    struct unix_place a_place = unix_place_make(false);
    anyc_unix_datagram_socket *a = unix_open(&a_place);
    anyc_connected_unix_datagram_socket *b = unix_connect(&a_place, place);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, serve_reversed, b);
    ck_assert_ok(unix_send_to(a, "FOOBAR", place));
    unix_check_receives(a, "RABOOF", place);
    ck_assert_ok(unix_send_to(a, "123456", place));
    unix_check_receives(a, "654321", place);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose(b);
    anyc_aclose(a);
    unix_place_remove(&a_place);
}

/* NT-085 */
ANYC_TEST(test_unix_datagram_connected__serves_in_a_loop)
{
    unix_for_each_place(ask_server);
}

/* NT-089 */
ANYC_TEST(test_unix_datagram_connected__adopts_a_descriptor)
{
    anyc_connected_unix_datagram_socket *socket;
    anyc_socket_address address;
    int pair[2];
    int family = 0;
    char buf[8] = "";

    ck_assert_ok(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
    ck_assert_ok(anyc_connected_unix_datagram_socket_from_fd(pair[0], &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &family));
    ck_assert_int_eq(family, AF_UNIX);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_REMOTE_ADDRESS, &address));
    unix_check_name(&address, "", 0);
    ck_assert_ok(anyc_connected_unix_datagram_socket_send(socket, "there", 5));
    ck_assert_uint_eq(datagram_peer_receive(pair[1], buf, sizeof buf, NULL), 5);
    datagram_peer_send(pair[1], "back", 4, NULL);
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_receive(socket, buf, sizeof buf, NULL), 4);
    ck_assert_mem_eq(buf, "back", 4);
    close(pair[1]);
    anyc_aclose(socket);
}

/* NT-090, NT-091, NT-R016 */
ANYC_TEST(test_unix_datagram_connected__refuses_other_descriptors)
{
    struct unix_place place = unix_place_make(false);
    int bound = datagram_peer_unix(&place);
    anyc_connected_unix_datagram_socket *socket = NULL;
    int stream[2];

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream));
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_from_fd(stream[0], &socket), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "stream"));
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_from_fd(bound, &socket), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "not connected"));
    ck_assert_ptr_null(socket);
    ck_assert_int_eq(fcntl(stream[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(fcntl(bound, F_GETFL) & O_NONBLOCK, 0);
    close(stream[0]);
    close(stream[1]);
    close(bound);
    unix_place_remove(&place);
}

/* NT-R004: connect gives the system's error; nothing stays open. */
ANYC_TEST(test_unix_datagram_connected__a_peer_must_be_there)
{
    struct unix_place place = unix_place_make(false);
    anyc_connected_unix_datagram_socket *socket = NULL;
    char longest[109];
    int fds = peer_count_fds();

    ck_assert_int_eq(anyc_create_connected_unix_datagram_socket(place.name, NULL, &socket),
                     -ENOENT);
    close(datagram_peer_unix(&place));
    ck_assert_int_eq(anyc_create_connected_unix_datagram_socket(place.name, NULL, &socket),
                     -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, place.name));
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(anyc_create_connected_unix_datagram_socket(longest, NULL, &socket),
                     -ENAMETOOLONG);
    ck_assert_int_eq(anyc_create_connected_unix_datagram_socket(NULL, NULL, &socket), ANYC_EINVAL);
    ck_assert_ptr_null(socket);
    ck_assert_int_eq(peer_count_fds(), fds);
    unix_place_remove(&place);
}

/* NT-R010: its own path has a mode, and a stale socket there goes. */
ANYC_TEST(test_unix_datagram_connected__has_a_path_with_a_mode)
{
    struct unix_place peer_place = unix_place_make(false);
    struct unix_place place = unix_place_make(false);
    int peer = datagram_peer_unix(&peer_place);
    unix_connect_options options = {.local_path = place.name, .local_mode = 0600};
    anyc_connected_unix_datagram_socket *socket;
    struct stat found;

    close(datagram_peer_unix(&place));
    ck_assert_ok(anyc_create_connected_unix_datagram_socket(peer_place.name, &options, &socket));
    ck_assert_ok(stat(place.name, &found));
    ck_assert_uint_eq(found.st_mode & 07777, 0600);
    close(peer);
    anyc_aclose(socket);
    unix_place_remove(&place);
    unix_place_remove(&peer_place);
}

/* NT-R033: the peer has gone. */
ANYC_TEST(test_unix_datagram_connected__a_peer_may_go)
{
    struct unix_place place = unix_place_make(true);
    int peer = datagram_peer_unix(&place);
    anyc_connected_unix_datagram_socket *socket = unix_connect(&place, NULL);

    ck_assert_ok(anyc_connected_unix_datagram_socket_send(socket, "there?", 6));
    close(peer);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(anyc_connected_unix_datagram_socket_send(socket, "x", 1), ANYC_EBROKEN);
        ck_assert_int_ne(anyc_last_error()->os_error, 0);
    }
    ck_assert_ok(anyc_close(socket));
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_send(socket, "x", 1), ANYC_ECLOSED);
    anyc_aclose(socket);
}
