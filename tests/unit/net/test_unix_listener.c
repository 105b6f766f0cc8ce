/* SPDX-License-Identifier: MIT */
/*
 * test_unix_listener.c - what UNIX listeners show to their user. AnyIO: TestUNIXListener.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>

#include "support/fail_alloc.h"
#include "unix_link.h"

static int fd_of(anyc_resource *x)
{
    int fd = -1;

    ck_assert_int_eq((anyc_extra)(x, &ANYC_SOCKET_RAW_SOCKET, sizeof fd, &fd), 0);
    return fd;
}

static void attributes(const struct unix_place *place)
{
    anyc_listener *listener = unix_link_listen(place);
    anyc_socket_address address;
    int family = 0;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_LOCAL_ADDRESS, &address), 0);
    unix_link_check_name(&address, place->name, place->len);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_REMOTE_ADDRESS, &address), ANYC_EATTRIBUTE);
    unix_link_check_no_port(&listener->resource, &ANYC_SOCKET_LOCAL_PORT);
    unix_link_check_no_port(&listener->resource, &ANYC_SOCKET_REMOTE_PORT);
    anyc_aclose(listener);
}

/* NT-048, NT-R011, NT-R017 */
ANYC_TEST(test_unix_listener__has_the_attributes_of_its_socket)
{
    unix_for_each_place(attributes);
}

static void accept_and_answer(anyc_listener *listener, const struct unix_place *place)
{
    int client = unix_peer_connect(place);
    anyc_byte_stream *stream;
    char buf[8] = "";
    char reversed[4];

    ck_assert_int_eq(anyc_socket_listener_accept(listener, &stream), 0);
    ck_assert(peer_send(client, "blah", 4));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 4);
    for (size_t i = 0; i < 4; i++)
        reversed[i] = buf[3 - i];
    ck_assert_int_eq(anyc_send(stream, reversed, 4), 0);
    ck_assert_uint_eq(peer_receive(client, buf, 4), 4);
    ck_assert_str_eq(buf, "halb");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    close(client);
}

static void accept_counted(const struct unix_place *place)
{
    anyc_listener *listener = unix_link_listen(place);

    accept_and_answer(listener, place);
    ck_assert_int_eq(anyc_aclose(listener), 0);
}

/* NT-049 */
ANYC_TEST(test_unix_listener__accepts_connections)
{
    struct unix_place place = unix_place_make(false);
    anyc_listener *listener;

    unix_for_each_place(accept_counted);
    ck_assert_int_eq(anyc_create_unix_listener(place.name, NULL, &listener), 0);
    accept_and_answer(listener, &place);
    ck_assert_int_eq(anyc_aclose(listener), 0);
    unix_place_remove(&place);
}

static void socket_options(const struct unix_place *place)
{
    anyc_listener *listener = unix_link_listen(place);
    int fd = fd_of(&listener->resource);
    int client = unix_peer_connect(place);
    anyc_byte_stream *stream;
    int size = 80000;
    socklen_t len = sizeof size;
    int family = 0;

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, len), 0);
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
    ck_assert(size == 80000 || size == 160000);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &stream), 0);
    ck_assert_int_ne(fcntl(fd_of(&stream->resource), F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(fcntl(fd_of(&stream->resource), F_GETFD), FD_CLOEXEC);
    family = 0;
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    anyc_aclose(stream);
    close(client);
    anyc_aclose(listener);
}

/* NT-050, NT-R031 */
ANYC_TEST(test_unix_listener__sets_up_its_sockets)
{
    unix_for_each_place(socket_options);
}

static void listen_counted(const struct unix_place *place)
{
    anyc_create_unix_listener_options options = {.path_len = place->len};
    char name[sizeof place->name + 1];
    anyc_listener *listener;

    memset(name, '!', sizeof name);
    memcpy(name, place->name, place->len);
    ck_assert_int_eq(anyc_create_unix_listener(name, &options, &listener), 0);
    close(unix_peer_connect(place));
    anyc_aclose(listener);
}

/* NT-051 */
ANYC_TEST(test_unix_listener__takes_a_counted_name)
{
    unix_for_each_place(listen_counted);
}

static void listen_on_invalid_text(const struct unix_place *given)
{
    struct unix_place place = *given;

    place.name[place.len++] = (char)0xF0;
    accept_counted(&place);
    if (!unix_place_is_abstract(&place))
        ck_assert_int_eq(unlink(place.name), 0);
}

/* NT-052 */
ANYC_TEST(test_unix_listener__takes_a_name_that_is_no_text)
{
    unix_for_each_place(listen_on_invalid_text);
}

/* NT-R010: a socket that was left behind goes; closing leaves the path. */
ANYC_TEST(test_unix_listener__removes_a_stale_socket)
{
    struct unix_place place = unix_place_make(false);
    anyc_listener *first = unix_link_listen(&place);
    anyc_listener *second;

    ck_assert_int_eq(anyc_aclose(first), 0);
    ck_assert_int_eq(access(place.name, F_OK), 0);
    second = unix_link_listen(&place);
    accept_and_answer(second, &place);
    anyc_aclose(second);
    unix_place_remove(&place);
}

/* NT-R010: anything else that is there is left alone. */
ANYC_TEST(test_unix_listener__leaves_alone_what_is_no_socket)
{
    struct unix_place place = unix_place_make(false);
    int file = open(place.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    anyc_listener *listener = NULL;
    struct stat found;

    ck_assert_int_eq(write(file, "precious", 8), 8);
    close(file);
    ck_assert_int_eq(anyc_create_unix_listener(place.name, NULL, &listener), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, place.name));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "no socket"));
    ck_assert_int_eq(stat(place.name, &found), 0);
    ck_assert_int_eq(found.st_size, 8);
    ck_assert_int_eq(anyc_create_unix_listener(place.folder, NULL, &listener), -EADDRINUSE);
    ck_assert_ptr_null(listener);
    unix_place_remove(&place);
}

/* NT-R010: errors of the look that say that nothing is there are passed over, and bind tells. */
ANYC_TEST(test_unix_listener__tells_why_it_cannot_bind)
{
    struct unix_place place = unix_place_make(false);
    anyc_listener *listener = NULL;
    char path[sizeof place.name + 8];
    int file = open(place.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    close(file);
    snprintf(path, sizeof path, "%s/below", place.name);
    ck_assert_int_eq(anyc_create_unix_listener(path, NULL, &listener), -ENOTDIR);
    snprintf(path, sizeof path, "%s/no/socket", place.folder);
    ck_assert_int_eq(anyc_create_unix_listener(path, NULL, &listener), -ENOENT);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, path));
    ck_assert_ptr_null(listener);
    unix_place_remove(&place);
}

static int mode_of(const struct unix_place *place)
{
    struct stat found;

    ck_assert_int_eq(stat(place->name, &found), 0);
    ck_assert(S_ISSOCK(found.st_mode));
    return (int)(found.st_mode & 07777);
}

/* NT-R010 */
ANYC_TEST(test_unix_listener__gives_the_path_its_mode)
{
    struct unix_place place = unix_place_make(false);
    anyc_create_unix_listener_options options = {.mode = 0642};
    mode_t mask = umask(027);
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_unix_listener(place.name, &options, &listener), 0);
    ck_assert_int_eq(mode_of(&place), 0642);
    anyc_aclose(listener);
    options.mode = 0; /* as the umask has it */
    ck_assert_int_eq(anyc_create_unix_listener(place.name, &options, &listener), 0);
    ck_assert_int_eq(mode_of(&place), 0750);
    anyc_aclose(listener);
    umask(mask);
    unix_place_remove(&place);
}

/* NT-R011: a mode is for paths only. */
ANYC_TEST(test_unix_listener__refuses_bad_options)
{
    struct unix_place place = unix_place_make(true);
    anyc_create_unix_listener_options options = {.path_len = place.len, .mode = 0600};
    anyc_listener *listener = NULL;

    ck_assert_int_eq(anyc_create_unix_listener(place.name, &options, &listener), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "abstract"));
    options = (anyc_create_unix_listener_options){.mode = 010000};
    ck_assert_int_eq(anyc_create_unix_listener("/nowhere", &options, &listener), ANYC_EINVAL);
    options.mode = -1;
    ck_assert_int_eq(anyc_create_unix_listener("/nowhere", &options, &listener), ANYC_EINVAL);
    options = (anyc_create_unix_listener_options){.backlog = -1};
    ck_assert_int_eq(anyc_create_unix_listener("/nowhere", &options, &listener), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_unix_listener(NULL, NULL, &listener), ANYC_EINVAL);
    ck_assert_ptr_null(listener);
}

/* NT-R035: an abstract name that continues like the path of a socket: that socket stays. */
ANYC_TEST(test_unix_listener__an_abstract_name_never_meets_the_file_system)
{
    struct unix_place path = unix_place_make(false);
    struct unix_place name = path;
    int left = unix_peer_listen(&path);
    anyc_listener *listener;

    name.name[0] = '\0';
    memcpy(name.name + 1, path.name, path.len);
    name.len = path.len + 1;
    listener = unix_link_listen(&name);
    ck_assert_int_eq(access(path.name, F_OK), 0);
    accept_and_answer(listener, &name);
    anyc_aclose(listener);
    close(left);
    unix_place_remove(&path);
}

ANYC_TEST(test_unix_listener__an_abstract_name_can_be_taken)
{
    struct unix_place place = unix_place_make(true);
    anyc_create_unix_listener_options options = {.path_len = place.len};
    anyc_listener *second = NULL;
    anyc_listener *first = unix_link_listen(&place);

    ck_assert_int_eq(anyc_create_unix_listener(place.name, &options, &second), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "@anyc"));
    ck_assert_ptr_null(second);
    anyc_aclose(first);
    second = unix_link_listen(&place); /* it went with the listener */
    anyc_aclose(second);
}

/* A client that connects without a name has an empty one; one with a name has that. */
ANYC_TEST(test_unix_listener__knows_the_names_of_its_clients)
{
    struct unix_place place = unix_place_make(true);
    struct unix_place own = unix_place_make(true);
    struct sockaddr_un address;
    anyc_listener *listener = unix_link_listen(&place);
    anyc_socket_address remote;
    anyc_byte_stream *streams[2];
    int clients[2] = {unix_peer_connect(&place), peer_socket(AF_UNIX)};
    socklen_t len = unix_peer_address(&own, &address);

    ck_assert_int_eq(bind(clients[1], (struct sockaddr *)&address, len), 0);
    len = unix_peer_address(&place, &address);
    ck_assert_int_eq(connect(clients[1], (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &streams[0]), 0);
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &streams[1]), 0);
    ck_assert_int_eq(anyc_extra(streams[0], &ANYC_SOCKET_REMOTE_ADDRESS, &remote), 0);
    unix_link_check_name(&remote, "", 0);
    ck_assert_int_eq(anyc_extra(streams[0], &ANYC_SOCKET_LOCAL_ADDRESS, &remote), 0);
    unix_link_check_name(&remote, place.name, place.len);
    ck_assert_int_eq(anyc_extra(streams[1], &ANYC_SOCKET_REMOTE_ADDRESS, &remote), 0);
    unix_link_check_name(&remote, own.name, own.len);
    for (int i = 0; i < 2; i++) {
        anyc_aclose(streams[i]);
        close(clients[i]);
    }
    anyc_aclose(listener);
}

/* NT-R002: cancelled on entry, nothing stands at the path, and what stood there does. */
ANYC_TEST(test_unix_listener__a_cancelled_task_touches_nothing)
{
    struct unix_place place = unix_place_make(false);
    anyc_listener *listener = NULL;
    anyc_cancel_scope scope;
    struct stat before;
    struct stat after;

    close(unix_peer_listen(&place));
    ck_assert_int_eq(stat(place.name, &before), 0);
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_create_unix_listener(place.name, NULL, &listener), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(stat(place.name, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_ptr_null(listener);
    unix_place_remove(&place);
}

struct create_call {
    const struct unix_place *place;
    anyc_listener *listener;
    int rc;
};

static int create_one(void *arg)
{
    struct create_call *call = arg;

    call->rc = anyc_create_unix_listener(call->place->name, NULL, &call->listener);
    return call->rc;
}

/* Cancelled while a worker thread binds the socket: the call ends with its result. */
ANYC_TEST(test_unix_listener__a_bind_that_has_begun_is_finished)
{
    struct unix_place place = unix_place_make(false);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct create_call call = {.place = &place};

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, create_one, &call, NULL);
    ck_assert_int_eq(anyc_checkpoint(), 0); /* the task waits for the thread now */
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, 0);
    accept_and_answer(call.listener, &place);
    anyc_aclose(call.listener);
    unix_place_remove(&place);
}

/* Listens and accepts while the nth allocation fails; true when none failed. */
static bool listen_without_memory(const struct unix_place *place, long n)
{
    anyc_listener *listener = NULL;
    anyc_byte_stream *stream = NULL;
    int client = -1;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = anyc_create_unix_listener(place->name, NULL, &listener);
    if (rc == 0) {
        client = unix_peer_connect(place);
        rc = anyc_socket_listener_accept(listener, &stream);
    }
    failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    if (client >= 0)
        close(client);
    if (stream != NULL)
        anyc_aclose(stream);
    if (listener != NULL)
        anyc_aclose(listener);
    return !failed;
}

static int without_memory(void *arg)
{
    struct unix_place place = unix_place_make(false);
    bool done = false;
    int fds;

    (void)arg;
    ck_assert(listen_without_memory(&place, 1000000)); /* starts the thread */
    fds = peer_count_fds();
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 50);
        done = listen_without_memory(&place, n);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    unix_place_remove(&place);
    return 0;
}

ANYC_TEST_PLAIN(test_unix_listener__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
