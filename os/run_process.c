/* SPDX-License-Identifier: MIT */
/*
 * run_process.c - run a program to its end. AnyIO: run_process.
 *
 * One task sends the input, one receives its output, one its errors, and the caller's own task waits
 * for the end; so no pipe can fill up while nobody looks at it.
 */
#include <anyc/process.h>

#include <signal.h>
#include <string.h>

#include <anyc/error.h>
#include <anyc/task.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/process_pipe.h"
#include "streams/byte_buffer.h"

#define CAPTURE_ROOM ((size_t)4096) /* bytes for a receive, at least */

/* What comes from one stream. */
struct capture {
    anyc_byte_stream *stream; /* NULL: none */
    struct byte_buffer bytes; /* with room for a zero behind them */
    size_t max_bytes;         /* SIZE_MAX: as many as there are */
};

struct run {
    anyc_process *process;
    const anyc_process_options *options;
    struct capture out;
    struct capture err;
};

/* One receive. Up to a byte more than may come, to see that there are more. */
static int capture_more(struct capture *capture)
{
    struct byte_buffer *bytes = &capture->bytes;
    size_t left = capture->max_bytes - anyc__byte_buffer_len(bytes);
    size_t room;
    ssize_t n;

    if (anyc__byte_buffer_reserve(bytes, CAPTURE_ROOM + 1) < 0)
        return anyc__fail_plain(ANYC_ENOMEM);
    room = bytes->capacity - bytes->end - 1;
    if (room - 1 > left)
        room = left + 1;
    n = anyc_receive(capture->stream, bytes->data + bytes->end, room);
    if (n < 0)
        return (int)n;
    if ((size_t)n > left) {
        bytes->end += left;
        return anyc__fail(-ENOBUFS, ENOBUFS, "the program wrote more than %zu bytes",
                          capture->max_bytes);
    }
    bytes->end += (size_t)n;
    return 0;
}

/* A task. */
static int capture_all(void *arg)
{
    struct capture *capture = arg;
    int rc = 0;

    while (rc == 0)
        rc = capture_more(capture);
    return rc == ANYC_EOF ? 0 : rc;
}

/* The content becomes the caller's. */
static char *capture_take(struct capture *capture, size_t *out_len)
{
    char *data = capture->bytes.data;

    if (data == NULL)
        return NULL;
    *out_len = anyc__byte_buffer_len(&capture->bytes);
    data[*out_len] = '\0';
    capture->bytes = (struct byte_buffer){.data = NULL};
    return data;
}

static int run_start_capture(anyc_task_group *group, struct capture *capture,
                             anyc_byte_stream *stream, size_t max_bytes)
{
    capture->stream = stream;
    capture->max_bytes = max_bytes > 0 ? max_bytes : SIZE_MAX - 1;
    return stream == NULL ? 0 : anyc_task_group_start_soon(group, capture_all, capture, NULL);
}

/* Receive all there is, and wait for the end. */
static int run_receive(struct run *run)
{
    size_t max_bytes = run->options->max_output_bytes;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    if (rc < 0)
        return rc;
    rc = run_start_capture(&group, &run->out, anyc_process_stdout(run->process), max_bytes);
    if (rc == 0)
        rc = run_start_capture(&group, &run->err, anyc_process_stderr(run->process), max_bytes);
    if (rc == 0)
        rc = anyc_process_wait(run->process, NULL);
    return anyc_task_group_exit(&group, rc);
}

/* A task: send the input, and its end. That nobody reads it to the end is the program's business. */
static int run_feed(void *arg)
{
    struct run *run = arg;
    anyc_byte_stream *input = anyc_process_stdin(run->process);
    int rc = anyc_send(input, run->options->input, run->options->input_len);

    if (rc == ANYC_EBROKEN && !anyc__process_pipe_has_reader(input))
        rc = 0;
    (void)anyc_close(input); /* a pipe's cannot fail */
    return rc;
}

/* The program's own children may hold on to an input that they never read: it is given up when
 * everything else has come to its end. */
static int run_with_input(struct run *run)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    if (rc < 0)
        return rc;
    rc = anyc_task_group_start_soon(&group, run_feed, run, NULL);
    if (rc == 0)
        rc = run_receive(run);
    if (rc == 0)
        anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, rc);
}

static int run_to_end(struct run *run)
{
    anyc_byte_stream *input = anyc_process_stdin(run->process);

    if (run->options->input_len > 0)
        return run_with_input(run);
    if (input != NULL)
        (void)anyc_close(input); /* there is nothing to send */
    return run_receive(run);
}

/* Close the process; one that is to be given up is killed first. Keeps the last error of rc < 0. */
static int run_close(struct run *run, int rc, int *out_returncode)
{
    int closed;

    if (rc < 0)
        (void)anyc_process_kill(run->process);
    closed = anyc_close(run->process);
    if (rc == 0)
        rc = closed;
    if (rc == 0)
        rc = anyc_process_returncode(run->process, out_returncode);
    else if (rc == -ENOBUFS)
        (void)anyc_process_returncode(run->process, out_returncode);
    anyc_aclose_forcefully(run->process);
    return rc;
}

static int run_check(const struct run *run, const char *program, int returncode)
{
    if (run->options->no_check || returncode == 0)
        return 0;
    if (returncode > 0)
        return anyc__fail(ANYC_EPROCESS, 0, "\"%s\" ended with exit code %d", program, returncode);
    return anyc__fail(ANYC_EPROCESS, 0, "\"%s\" was killed by signal %d (%s)", program, -returncode,
                      strsignal(-returncode));
}

/* The options for anyc_open_process. */
static int run_open_options(const anyc_process_options *options, anyc_process_options *out)
{
    if ((options->input != NULL || options->input_len > 0) && options->std_in != ANYC_STDIO_DEFAULT)
        return anyc__fail(ANYC_EINVAL, 0, "both an input and a std_in");
    if (options->input == NULL && options->input_len > 0)
        return anyc__fail(ANYC_EINVAL, 0, "an input of %zu bytes at NULL", options->input_len);
    *out = *options;
    if (options->std_in == ANYC_STDIO_DEFAULT)
        out->std_in = options->input != NULL ? ANYC_STDIO_PIPE : ANYC_STDIO_INHERIT;
    out->input = NULL;
    out->input_len = 0;
    out->no_check = false;
    out->max_output_bytes = 0;
    return 0;
}

int anyc_run_process(const char *const *argv, const anyc_process_options *options,
                     anyc_completed_process *out_completed)
{
    static const anyc_process_options defaults;
    anyc_completed_process completed = {.returncode = 0};
    struct run run = {.options = options != NULL ? options : &defaults};
    anyc_process_options open_options;
    int rc;

    if (out_completed != NULL)
        *out_completed = completed;
    rc = run_open_options(run.options, &open_options);
    if (rc == 0)
        rc = anyc_open_process(argv, &open_options, &run.process);
    if (rc < 0)
        return rc;
    rc = run_to_end(&run);
    rc = run_close(&run, rc, &completed.returncode);
    if (rc == 0)
        rc = run_check(&run, argv[0], completed.returncode);
    if (out_completed != NULL && (rc == 0 || rc == ANYC_EPROCESS || rc == -ENOBUFS)) {
        completed.std_out = capture_take(&run.out, &completed.std_out_len);
        completed.std_err = capture_take(&run.err, &completed.std_err_len);
        *out_completed = completed;
    }
    anyc__free(run.out.bytes.data);
    anyc__free(run.err.bytes.data);
    return rc;
}

void anyc_free_completed_process(anyc_completed_process *completed)
{
    anyc__free(completed->std_out);
    anyc__free(completed->std_err);
    *completed = (anyc_completed_process){.returncode = 0};
}
