/* SPDX-License-Identifier: MIT */
/*
 * echo.c - measures of a message of 64 bytes to another task and back, over a pair of sockets.
 */
#include "micro.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/from_fd.h>
#include <anyc/stream.h>
#include <anyc/task.h>

enum { MESSAGE_BYTES = 64 };
static const double timeout_seconds = 30.0;

struct connection {
    anyc_byte_stream *ends[2];
    bool timed; /* each receive has a timeout */
};

/* Bytes, or 0 at the end, or a negative code. */
static ssize_t connection_receive(const struct connection *connection, int end, char *buf)
{
    anyc_cancel_scope scope;
    ssize_t n;
    int rc;

    if (!connection->timed)
        return anyc_receive(connection->ends[end], buf, MESSAGE_BYTES);
    rc = anyc_fail_after(&scope, timeout_seconds, false);
    if (rc < 0)
        return rc;
    n = anyc_receive(connection->ends[end], buf, MESSAGE_BYTES);
    rc = anyc_cancel_scope_exit(&scope, n < 0 ? (int)n : 0);
    return rc < 0 ? rc : n;
}

static int send_back(void *arg)
{
    const struct connection *connection = arg;
    char buf[MESSAGE_BYTES];
    ssize_t n;

    while ((n = connection_receive(connection, 1, buf)) > 0) {
        int rc = anyc_send(connection->ends[1], buf, (size_t)n);

        if (rc < 0)
            return rc;
    }
    return n == ANYC_EOF ? 0 : (int)n;
}

static int talk(const struct connection *connection, uint64_t rounds)
{
    char message[MESSAGE_BYTES] = "echo";
    char answer[MESSAGE_BYTES];

    for (uint64_t i = 0; i < rounds; i++) {
        size_t len = 0;
        int rc = anyc_send(connection->ends[0], message, sizeof message);

        while (rc == 0 && len < sizeof message) {
            ssize_t n = connection_receive(connection, 0, answer);

            if (n < 0)
                return (int)n;
            len += (size_t)n;
        }
        if (rc < 0 || memcmp(answer, message, sizeof message) != 0)
            return rc < 0 ? rc : ANYC_ESTATE;
    }
    return anyc_send_eof(connection->ends[0]);
}

/* Both ends, or none. */
static int connection_open(struct connection *connection)
{
    int fds[2];
    int taken = 0;
    int rc = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    while (taken < 2 && rc == 0) {
        rc = anyc_unix_socket_stream_from_fd(fds[taken], &connection->ends[taken]);
        if (rc == 0)
            taken++;
    }
    for (int i = 0; i < 2 && rc < 0; i++) {
        if (i < taken)
            anyc_aclose(connection->ends[i]);
        else
            close(fds[i]);
    }
    return rc;
}

static int echo_messages(struct bench *bench, bool timed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct connection connection = {.timed = timed};
    int rc = connection_open(&connection);

    if (rc < 0)
        return rc;
    rc = anyc_task_group_enter(&group);
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, send_back, &connection, NULL);
    bench_start(bench);
    if (rc == 0)
        rc = talk(&connection, bench->rounds);
    bench_stop(bench);
    rc = anyc_task_group_exit(&group, rc);
    anyc_aclose(connection.ends[0]);
    anyc_aclose(connection.ends[1]);
    bench->ops = (double)bench->rounds;
    return rc;
}

int bench_echo(struct bench *bench)
{
    return echo_messages(bench, false);
}

int bench_echo_timeout(struct bench *bench)
{
    return echo_messages(bench, true);
}
