/* SPDX-License-Identifier: MIT */
/*
 * process_stdio.c - the descriptors of a process that is about to be started.
 *
 * Every descriptor that is given or inherited is looked at before any is made: in a program whose
 * own descriptors 0 to 2 are closed, the new ones may get these numbers.
 */
#include "os/process_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "os/process_pipe.h"

static anyc_stdio stdio_kind(const anyc_process_options *options, int number)
{
    const anyc_stdio kinds[] = {options->std_in, options->std_out, options->std_err};

    return kinds[number];
}

static bool stdio_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int stdio_check_given(const anyc_process_options *options)
{
    const int given[] = {options->std_in_fd, options->std_out_fd, options->std_err_fd};

    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        anyc_stdio kind = stdio_kind(options, i);

        if (kind > ANYC_STDIO_STDOUT || (kind == ANYC_STDIO_STDOUT && i != STDERR_FILENO))
            return anyc__fail(ANYC_EINVAL, 0, "descriptor %d of a program cannot lead there", i);
        if (kind == ANYC_STDIO_FD && !stdio_is_open(given[i]))
            return anyc__fail(-EBADF, EBADF, "descriptor %d, for its descriptor %d, is not open",
                              given[i], i);
    }
    if (options->pass_fds == NULL && options->pass_fds_count > 0)
        return anyc__fail(ANYC_EINVAL, 0, "%zu descriptors to be passed, at NULL",
                          options->pass_fds_count);
    for (size_t i = 0; i < options->pass_fds_count; i++) {
        if (!stdio_is_open(options->pass_fds[i]))
            return anyc__fail(-EBADF, EBADF, "descriptor %d, to be passed, is not open",
                              options->pass_fds[i]);
    }
    return 0;
}

/* What the process gets that is there already. */
static void stdio_take_given(struct process_stdio *stdio, const anyc_process_options *options)
{
    const int given[] = {options->std_in_fd, options->std_out_fd, options->std_err_fd};

    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        anyc_stdio kind = stdio_kind(options, i);

        stdio->theirs[i] = -1;
        if (kind == ANYC_STDIO_FD)
            stdio->theirs[i] = given[i];
        else if (kind == ANYC_STDIO_INHERIT && stdio_is_open(i))
            stdio->theirs[i] = i;
    }
}

static int stdio_open_null(struct process_stdio *stdio, int number)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return anyc__fail_errno(errno, "open /dev/null");
    stdio->theirs[number] = fd;
    stdio->made[number] = true;
    return 0;
}

static int stdio_open_pipe(struct process_stdio *stdio, anyc_loop *loop, int number)
{
    int ends[2];
    int ours;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return anyc__fail_errno(errno, "a pipe for descriptor %d of a program", number);
    stdio->theirs[number] = ends[number != STDIN_FILENO];
    stdio->made[number] = true;
    ours = ends[number == STDIN_FILENO];
    (void)fcntl(ours, F_SETFL, O_NONBLOCK); /* cannot fail: it is a pipe, and open */
    return anyc__process_pipe_create(loop, ours, number, &stdio->streams[number]);
}

static int stdio_make(struct process_stdio *stdio, anyc_loop *loop, anyc_stdio kind, int number)
{
    switch (kind) {
    case ANYC_STDIO_DEFAULT:
    case ANYC_STDIO_PIPE:
        return stdio_open_pipe(stdio, loop, number);
    case ANYC_STDIO_DEVNULL:
        return stdio_open_null(stdio, number);
    case ANYC_STDIO_STDOUT:
        stdio->theirs[number] = stdio->theirs[STDOUT_FILENO];
        return 0;
    case ANYC_STDIO_INHERIT:
    case ANYC_STDIO_FD:
        break;
    }
    return 0;
}

int anyc__process_stdio_open(struct process_stdio *stdio, anyc_loop *loop,
                             const anyc_process_options *options)
{
    int rc = stdio_check_given(options);

    if (rc < 0)
        return rc;
    *stdio = (struct process_stdio){.theirs = {-1, -1, -1}};
    stdio_take_given(stdio, options);
    for (int i = 0; i < ANYC__STDIO_COUNT && rc == 0; i++)
        rc = stdio_make(stdio, loop, stdio_kind(options, i), i);
    if (rc < 0)
        anyc__process_stdio_undo(stdio);
    return rc;
}

void anyc__process_stdio_close_theirs(struct process_stdio *stdio)
{
    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        if (stdio->made[i])
            anyc__descriptor_close(stdio->theirs[i]);
        stdio->made[i] = false;
    }
}

void anyc__process_stdio_undo(struct process_stdio *stdio)
{
    anyc__process_stdio_close_theirs(stdio);
    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        if (stdio->streams[i] == NULL)
            continue;
        anyc__process_pipe_close(stdio->streams[i]);
        anyc__process_pipe_destroy(stdio->streams[i]);
    }
}
