/* SPDX-License-Identifier: MIT */
/*
 * test_after_the_run.c - what a program still has in its hands when its run is over: it can be closed
 * then, in a later run or outside of any; all else answers ANYC_ECLOSED.
 */
#include <anyc/anyc.h>
#include <anyc/process.h>
#include <anyc/signal.h>
#include <anyc/testing.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

#include "support/tasks.h"

/* One of each kind of thing that has a descriptor. */
struct things {
    char folder[32];
    anyc_byte_stream *stream;
    anyc_byte_stream *other;
    anyc_buffered_stream *buffered; /* around a stream of its own */
    anyc_listener *tcp_listener;
    anyc_listener *unix_listener;
    anyc_udp_socket *udp_socket;
    anyc_process *process;
    anyc_file *file;
    anyc_path *path;
    anyc_path_iterator *listing;
    anyc_signal_receiver *signals;
};

static anyc_byte_stream *stream_of_pair(int *out_peer)
{
    anyc_byte_stream *stream;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_ok(anyc_unix_socket_stream_from_fd(fds[0], &stream));
    *out_peer = fds[1];
    return stream;
}

static int open_things(void *arg)
{
    static const char *const command[] = {"cat", NULL};
    struct things *things = arg;
    const anyc_path *found;
    char path[64];
    int fd = -1;

    things->stream = stream_of_pair(&fd);
    ck_assert_ok(anyc_unix_socket_stream_from_fd(fd, &things->other));
    ck_assert_ok(anyc_send(things->other, "text", 4));
    ck_assert_ok(anyc_buffered_stream_create(stream_of_pair(&fd), &things->buffered));
    close(fd);
    ck_assert_ok(anyc_create_tcp_listener(
        &(anyc_create_tcp_listener_options){.local_host = "127.0.0.1"}, &things->tcp_listener));
    (void)snprintf(path, sizeof path, "%s/socket", things->folder);
    ck_assert_ok(anyc_create_unix_listener(path, NULL, &things->unix_listener));
    ck_assert_ok(anyc_create_udp_socket(
        &(anyc_create_udp_socket_options){.local_host = "127.0.0.1"}, &things->udp_socket));
    ck_assert_ok(anyc_open_process(command, NULL, &things->process));
    ck_assert_ok(anyc_open_file("/dev/null", "r+", NULL, &things->file));
    ck_assert_ok(anyc_path_create("/", NULL, &things->path));
    ck_assert_ok(anyc_path_iterdir(things->path, &things->listing));
    ck_assert_ok(anyc_path_iterator_next(things->listing, &found));
    ck_assert_ok(anyc_open_signal_receiver(&(int){SIGUSR1}, 1, &things->signals));
    return 0;
}

static void open_in_a_run(struct things *things)
{
    *things = (struct things){.folder = "/tmp/anyc-test-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(things->folder));
    ck_assert_ok(run_on_backend(open_things, things));
}

static int close_things(void *arg)
{
    struct things *things = arg;
    pid_t pid = anyc_process_pid(things->process);

    ck_assert_ok(anyc_aclose(things->stream));
    ck_assert_ok(anyc_aclose(things->other));
    ck_assert_ok(anyc_aclose(things->buffered));
    ck_assert_ok(anyc_aclose(things->tcp_listener));
    ck_assert_ok(anyc_aclose(things->unix_listener));
    ck_assert_ok(anyc_aclose(things->udp_socket));
    ck_assert_int_eq(kill(pid, 0), 0);
    (void)anyc_aclose(things->process);
    ck_assert_int_eq(kill(pid, 0), -1); /* it was killed and collected */
    ck_assert_ok(anyc_aclose(things->file));
    ck_assert_ok(anyc_aclose(things->listing));
    anyc_path_destroy(things->path);
    ck_assert_ok(anyc_aclose(things->signals));
    return 0;
}

static void remove_folder(const struct things *things)
{
    char path[64];

    (void)snprintf(path, sizeof path, "%s/socket", things->folder);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(things->folder), 0);
}

ANYC_TEST_PLAIN(test_after_the_run__all_can_be_closed)
{
    struct things things;

    open_in_a_run(&things);
    (void)close_things(&things);
    remove_folder(&things);
}

static int use_and_close_things(void *arg)
{
    struct things *things = arg;
    anyc_byte_stream *stream;
    char buf[8];

    ck_assert_int_eq(anyc_receive(things->stream, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(things->other, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(things->stream, "text", 4), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(&things->buffered->stream, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_socket_listener_accept(things->unix_listener, &stream), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(things->process), buf, sizeof buf),
                     ANYC_ECLOSED);
    ck_assert_int_eq(anyc_process_wait(things->process, NULL), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_signal_receiver_next(things->signals), ANYC_ECLOSED);
    return close_things(things);
}

ANYC_TEST_PLAIN(test_after_the_run__a_later_one_finds_all_closed)
{
    struct things things;

    open_in_a_run(&things);
    ck_assert_ok(run_on_backend(use_and_close_things, &things));
    remove_folder(&things);
}
