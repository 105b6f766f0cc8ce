/* SPDX-License-Identifier: MIT */
/*
 * fdpass.c - a supervisor that hands accepted connections to worker processes.
 *
 *     fdpass [--backend NAME] [--host H] [--port P] [WORKERS]
 *
 * The workers are this same program, started before the loop, each with one end of a socket pair as
 * its standard input. A connection travels as a descriptor over it: the supervisor accepts and
 * forgets, the worker talks to the client. A worker that dies is passed over; when the supervisor
 * ends, the workers finish what they have and end too.
 */
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include <anyc/anyc.h>

#include "listen.h"
#include "options.h"

extern char **environ;

enum { WORKERS = 2, WORKERS_MAX = 64 };

/* -- a worker -- */

/* Tells the client who serves it, then sends back whatever comes. */
static int answer(void *arg)
{
    anyc_byte_stream *stream = arg;
    char buf[1024];
    ssize_t n = snprintf(buf, sizeof buf, "worker %d\n", (int)getpid());

    while (n > 0 && anyc_send(stream, buf, (size_t)n) == 0)
        n = anyc_receive(stream, buf, sizeof buf);
    anyc_aclose(stream);
    return 0;
}

/* Takes one connection from the supervisor. */
static int take(anyc_byte_stream *channel, anyc_task_group *group)
{
    anyc_byte_stream *stream;
    size_t count;
    char byte;
    int fd;
    ssize_t n = anyc_unix_socket_stream_receive_fds(channel, &byte, 1, &fd, 1, &count);
    int rc;

    if (n < 0 || count == 0)
        return n < 0 ? (int)n : 0;
    if (anyc_socket_stream_from_fd(fd, &stream) < 0) {
        close(fd); /* the client has gone already */
        return 0;
    }
    rc = anyc_task_group_start_soon(group, answer, stream, NULL);
    if (rc < 0)
        anyc_aclose(stream);
    return rc;
}

static int work(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_byte_stream *channel;
    int rc = anyc_unix_socket_stream_from_fd(STDIN_FILENO, &channel);

    (void)arg;
    if (rc < 0)
        return rc;
    anyc_task_group_enter(&group);
    while (rc == 0)
        rc = take(channel, &group);
    rc = anyc_task_group_exit(&group, rc == ANYC_EOF ? 0 : rc); /* waits for the connections */
    anyc_aclose(channel);
    return rc;
}

/* -- the supervisor -- */

struct supervisor {
    struct options *options;
    int ends[WORKERS_MAX]; /* ours of the socket pairs */
    anyc_byte_stream *channels[WORKERS_MAX];
    int count;
    int next;       /* whose turn it is */
    anyc_lock lock; /* one task at a time may send over a channel */
};

/* Starts this program once more; -1 if that fails, else our end of the channel to it. */
static int start_worker(const struct options *options)
{
    char *const arguments[] = {"fdpass", "--backend",
                               (char *)(options->backend == NULL ? "" : options->backend), "worker",
                               NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int ends[2];
    int error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* Gives the descriptor to the worker whose turn it is, or to the next that is alive. */
static int send_to_worker(struct supervisor *supervisor, int fd)
{
    int rc = ANYC_EBROKEN;

    for (int left = supervisor->count; rc == ANYC_EBROKEN && left > 0; left--) {
        anyc_byte_stream *channel = supervisor->channels[supervisor->next];

        supervisor->next = (supervisor->next + 1) % supervisor->count;
        rc = anyc_unix_socket_stream_send_fds(channel, "c", 1, &fd, 1);
    }
    return rc; /* ANYC_EBROKEN: nobody is left, which ends the supervisor */
}

static int hand_over(anyc_byte_stream *stream, void *arg)
{
    struct supervisor *supervisor = arg;
    int fd = -1;
    int rc = anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &fd);

    if (rc == 0)
        rc = anyc_lock_acquire(&supervisor->lock);
    if (rc == 0) {
        rc = send_to_worker(supervisor, fd);
        anyc_lock_release(&supervisor->lock);
    }
    anyc_aclose(stream); /* the worker has a copy of the descriptor */
    return rc;
}

/* Listens, says where, and serves until it is cancelled. */
static int listen_and_hand_over(struct supervisor *supervisor)
{
    const struct options *options = supervisor->options;
    const anyc_create_tcp_listener_options where = {.local_host = options->host,
                                                    .local_port = options->port};
    anyc_listener *listener;
    int port = 0;
    int rc = anyc_create_tcp_listener(&where, &listener);

    if (rc < 0)
        return rc;
    rc = anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &port);
    announce(options, port);
    if (rc == 0)
        rc = anyc_listener_serve(listener, hand_over, supervisor, NULL);
    anyc_aclose(listener);
    return rc;
}

static int supervise(void *arg)
{
    struct supervisor *supervisor = arg;
    int open = 0;
    int rc = 0;

    while (rc == 0 && open < supervisor->count) {
        rc = anyc_unix_socket_stream_from_fd(supervisor->ends[open], &supervisor->channels[open]);
        open += rc == 0;
    }
    if (rc == 0)
        rc = listen_and_hand_over(supervisor);
    while (open > 0)
        anyc_aclose(supervisor->channels[--open]); /* the end of the workers' input */
    return rc;
}

int main(int argc, char **argv)
{
    struct options options = {.host = "127.0.0.1"};
    struct supervisor supervisor = {.options = &options, .lock = ANYC_LOCK_INIT};
    int workers = WORKERS;

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.backend != NULL && *options.backend == '\0')
        options.backend = NULL;
    if (options.argument_count == 1 && strcmp(options.arguments[0], "worker") == 0)
        return options_run(&options, work, NULL);
    if (options.argument_count > 1 ||
        (options.argument_count == 1 &&
         (!option_number(options.arguments[0], WORKERS_MAX, &workers) || workers == 0)))
        return usage("fdpass [--backend NAME] [--host H] [--port P] [WORKERS]");
    signal(SIGCHLD, SIG_IGN); /* a worker that ends leaves nothing behind */
    for (; supervisor.count < workers; supervisor.count++) {
        supervisor.ends[supervisor.count] = start_worker(&options);
        if (supervisor.ends[supervisor.count] < 0) {
            perror("cannot start a worker");
            return EXIT_FAILURE;
        }
    }
    return options_run(&options, supervise, &supervisor);
}
