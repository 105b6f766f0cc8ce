/* SPDX-License-Identifier: MIT */
/*
 * test_unix_datagram.c - UNIX datagram sockets that are not connected. AnyIO:
 * TestUNIXDatagramSocket.
 */
#include "unix_datagram.h"

#include <stdio.h>

static void check_attributes(const struct unix_place *place)
{
    anyc_unix_datagram_socket *socket = unix_open(place);
    anyc_socket_address address;
    struct sockaddr_un expected;
    socklen_t expected_len = unix_peer_address(place, &expected);
    struct datagram_name name;
    int number = -1;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_RAW_SOCKET, &number));
    ck_assert_int_ne(fcntl(number, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
    name = datagram_peer_name(number);
    ck_assert_uint_eq(name.len, expected_len);
    ck_assert_mem_eq(&name.address, &expected, expected_len);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &number));
    ck_assert_int_eq(number, AF_UNIX);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    unix_check_name(&address, place->name, place->len);
    unix_check_no_port(&socket->resource);
    ck_assert_int_eq(anyc_extra(socket, &ANYC_SOCKET_REMOTE_ADDRESS, &address), ANYC_EATTRIBUTE);
    anyc_aclose(socket);
}

/* NT-074, NT-R011, NT-R017 */
ANYC_TEST(test_unix_datagram__has_the_attributes_of_its_socket)
{
    unix_for_each_place(check_attributes);
}

/* A name for people, a counted one: both forms in which C has names. */
static void send_to_itself(const struct unix_place *place)
{
    anyc_unix_datagram_socket *socket = unix_open(place);

    ck_assert_ok(unix_send_to(socket, "blah", place));
    unix_check_receives(socket, "blah", place);
    if (!unix_place_is_abstract(place))
        ck_assert_ok(anyc_unix_datagram_socket_sendto(socket, "halb", 4, place->name, 0));
    else
        ck_assert_ok(unix_send_to(socket, "halb", place));
    unix_check_receives(socket, "halb", place);
    anyc_aclose(socket);
}

/* NT-075 */
ANYC_TEST(test_unix_datagram__sends_and_receives)
{
    unix_for_each_place(send_to_itself);
}

static int serve_reversed(void *arg)
{
    char buf[64];
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int rc = anyc_unix_datagram_socket_receive(arg, &datagram);

    while (rc == 0) {
        unix_reverse(buf, datagram.len);
        rc = anyc_unix_datagram_socket_send(arg, &datagram);
        if (rc == 0)
            rc = anyc_unix_datagram_socket_receive(arg, &datagram);
    }
    return rc;
}

static void ask_server(const struct unix_place *place)
{
    struct unix_place server_place = unix_place_make(false);
    anyc_unix_datagram_socket *server = unix_open(&server_place);
    anyc_unix_datagram_socket *client = unix_open(place);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, serve_reversed, server);
    ck_assert_ok(unix_send_to(client, "FOOBAR", &server_place));
    unix_check_receives(client, "RABOOF", &server_place);
    ck_assert_ok(unix_send_to(client, "123456", &server_place));
    unix_check_receives(client, "654321", &server_place);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose(client);
    anyc_aclose(server);
    unix_place_remove(&server_place);
}

/* NT-076 */
ANYC_TEST(test_unix_datagram__serves_in_a_loop)
{
    unix_for_each_place(ask_server);
}

/* NT-080 */
static void counted_name(const struct unix_place *place)
{
    char longer[sizeof place->name + 8];

    memset(longer, 'x', sizeof longer);
    memcpy(longer, place->name, place->len);
    anyc_aclose(
        unix_open_with(&(unix_options){.local_path = longer, .local_path_len = place->len}));
    if (!unix_place_is_abstract(place))
        ck_assert_ok(access(place->name, F_OK));
}

ANYC_TEST(test_unix_datagram__takes_a_counted_name)
{
    unix_for_each_place(counted_name);
}

/* NT-081 */
static void odd_name(const struct unix_place *place)
{
    struct unix_place odd = *place;
    anyc_unix_datagram_socket *socket;

    odd.name[odd.len++] = (char)0xf0;
    odd.name[odd.len] = '\0';
    socket = unix_open(&odd);
    ck_assert_ok(unix_send_to(socket, "odd", &odd));
    unix_check_receives(socket, "odd", &odd);
    anyc_aclose(socket);
    if (!unix_place_is_abstract(place))
        ck_assert_ok(unlink(odd.name));
}

ANYC_TEST(test_unix_datagram__takes_a_name_that_is_not_ascii)
{
    unix_for_each_place(odd_name);
}

/* NT-082, NT-R016 */
ANYC_TEST(test_unix_datagram__refuses_other_descriptors)
{
    int stream[2];
    int udp = datagram_peer_udp(AF_INET, 0);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    anyc_unix_datagram_socket *socket = NULL;

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream));
    ck_assert_int_eq(anyc_unix_datagram_socket_from_fd(stream[0], &socket), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "stream"));
    ck_assert_int_eq(anyc_unix_datagram_socket_from_fd(udp, &socket), ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_datagram_socket_from_fd(file, &socket), ANYC_EINVAL);
    ck_assert_ptr_null(socket);
    ck_assert_int_eq(fcntl(udp, F_GETFL) & O_NONBLOCK, 0);
    close(stream[0]);
    close(stream[1]);
    close(udp);
    close(file);
}

/* NT-R016: it need not be bound. */
ANYC_TEST(test_unix_datagram__adopts_a_descriptor)
{
    struct unix_place place = unix_place_make(false);
    int peer = datagram_peer_unix(&place);
    anyc_unix_datagram_socket *socket;
    anyc_socket_address address;
    char buf[8] = "";

    ck_assert_ok(anyc_unix_datagram_socket_from_fd(datagram_peer_unix(NULL), &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    unix_check_name(&address, "", 0);
    ck_assert_ok(unix_send_to(socket, "hello", &place));
    ck_assert_uint_eq(datagram_peer_receive(peer, buf, sizeof buf, NULL), 5);
    ck_assert_str_eq(buf, "hello");
    close(peer);
    anyc_aclose(socket);
    unix_place_remove(&place);
}

/* NT-R017: a sender without a name has an empty one. */
ANYC_TEST(test_unix_datagram__a_sender_may_have_no_name)
{
    struct unix_place place = unix_place_make(true);
    struct unix_place nowhere = {.len = 0};
    anyc_unix_datagram_socket *socket = unix_open(&place);
    anyc_unix_datagram_socket *unnamed = unix_open_with(NULL);

    ck_assert_ok(unix_send_to(unnamed, "who?", &place));
    unix_check_receives(socket, "who?", &nowhere);
    anyc_aclose(unnamed);
    anyc_aclose(socket);
}

ANYC_TEST(test_unix_datagram__refuses_bad_arguments)
{
    char longest[109];
    const unix_options bad[] = {
        {.local_path = ""},
        {.local_path = "/tmp\0/x", .local_path_len = 7},
        {.local_path = "\0abstract", .local_path_len = 9, .local_mode = 0600},
        {.local_path = "/tmp/x", .local_mode = 010000},
        {.local_path = "/tmp/x", .local_mode = -1},
        {.local_mode = 0600},
    };
    unix_options too_long = {.local_path = longest};
    anyc_unix_datagram_socket *socket = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_create_unix_datagram_socket(&bad[i], &socket), ANYC_EINVAL);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(anyc_create_unix_datagram_socket(&too_long, &socket), -ENAMETOOLONG);
    ck_assert_ptr_null(socket);
    socket = unix_open_with(NULL);
    ck_assert_int_eq(anyc_unix_datagram_socket_sendto(socket, "x", 1, longest, 0), -ENAMETOOLONG);
    ck_assert_int_eq(anyc_unix_datagram_socket_sendto(socket, "x", 1, "", 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_datagram_socket_sendto(socket, "x", 1, NULL, 0), ANYC_EINVAL);
    anyc_aclose(socket);
}

/* NT-R010: a socket left behind is removed, the mode is set, and the path stays after the end. */
ANYC_TEST(test_unix_datagram__removes_a_stale_socket)
{
    struct unix_place place = unix_place_make(false);
    unix_options options = {.local_path = place.name, .local_mode = 0620};
    anyc_unix_datagram_socket *socket;
    struct stat found;

    close(datagram_peer_unix(&place));
    ck_assert_ok(access(place.name, F_OK));
    socket = unix_open_with(&options);
    ck_assert_ok(stat(place.name, &found));
    ck_assert_uint_eq(found.st_mode & 07777, 0620);
    ck_assert_ok(unix_send_to(socket, "new", &place));
    unix_check_receives(socket, "new", &place);
    anyc_aclose(socket);
    ck_assert_ok(access(place.name, F_OK));
    unix_place_remove(&place);
}

/* NT-R010: anything else at the path stays. */
ANYC_TEST(test_unix_datagram__leaves_other_files_alone)
{
    struct unix_place place = unix_place_make(false);
    unix_options options = {.local_path = place.name};
    anyc_unix_datagram_socket *socket = NULL;
    FILE *file = fopen(place.name, "w");

    fclose(file);
    ck_assert_int_eq(anyc_create_unix_datagram_socket(&options, &socket), -EADDRINUSE);
    ck_assert_ok(access(place.name, F_OK));
    ck_assert_ptr_null(socket);
    unix_place_remove(&place);
    ck_assert_int_eq(anyc_create_unix_datagram_socket(&options, &socket), -ENOENT);
}

/* NT-R004, NT-R033: nobody is there, and the socket goes on. */
ANYC_TEST(test_unix_datagram__a_receiver_may_have_gone)
{
    struct unix_place place = unix_place_make(false);
    anyc_unix_datagram_socket *socket = unix_open_with(NULL);
    int peer = datagram_peer_unix(&place);
    char buf[8] = "";

    close(peer);
    ck_assert_int_eq(unix_send_to(socket, "gone", &place), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, place.name));
    ck_assert_ok(unlink(place.name));
    ck_assert_int_eq(unix_send_to(socket, "gone", &place), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOENT);
    peer = datagram_peer_unix(&place);
    ck_assert_ok(unix_send_to(socket, "back", &place));
    ck_assert_uint_eq(datagram_peer_receive(peer, buf, sizeof buf, NULL), 4);
    close(peer);
    anyc_aclose(socket);
    unix_place_remove(&place);
}

/* What cannot be sent is the system's error. */
ANYC_TEST(test_unix_datagram__a_receiver_may_be_the_wrong_one)
{
    struct unix_place place = unix_place_make(false);
    struct unix_place listening = unix_place_make(false);
    anyc_unix_datagram_socket *socket = unix_open_with(NULL);
    anyc_datagram nobody = {.data = "x", .len = 1};
    int peer = datagram_peer_unix(&place);
    struct datagram_name self = datagram_peer_name(peer);
    int listener = unix_peer_listen(&listening);

    ck_assert_int_eq(anyc_unix_datagram_socket_send(socket, &nobody), -ENOTCONN);
    ck_assert_int_eq(unix_send_to(socket, "x", &listening), -EPROTOTYPE);
    datagram_peer_connect(peer, &self); /* hears only itself now */
    ck_assert_int_eq(unix_send_to(socket, "x", &place), -EPERM);
    close(peer);
    close(listener);
    anyc_aclose(socket);
    unix_place_remove(&place);
    unix_place_remove(&listening);
}

/* An address as people write it goes into a datagram and comes out again. */
static void address_as_text(const struct unix_place *place)
{
    anyc_unix_datagram_socket *socket = unix_open(place);
    anyc_datagram datagram = {.data = "text", .len = 4};
    anyc_socket_address address;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    ck_assert_ok(anyc_datagram_set_address(&datagram, &address));
    ck_assert_ok(anyc_unix_datagram_socket_send(socket, &datagram));
    unix_check_receives(socket, "text", place);
    anyc_aclose(socket);
}

ANYC_TEST(test_unix_datagram__addresses_of_datagrams_are_text_too)
{
    unix_for_each_place(address_as_text);
}
