/* SPDX-License-Identifier: MIT */
/*
 * stream_job.h - tasks that send or receive on a byte stream, and short forms.
 */
#ifndef ANYC_TESTS_SUPPORT_STREAM_JOB_H
#define ANYC_TESTS_SUPPORT_STREAM_JOB_H

#include <check.h>

#include <anyc/error.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

/* What a task does it with, and how it went. */
struct job {
    anyc_byte_stream *stream;
    char *data;
    size_t len;
    ssize_t rc; /* 1: not yet over */
};

static inline void group_start(anyc_task_group *group, anyc_task_fn fn, struct job *job)
{
    job->rc = 1;
    ck_assert_int_eq(anyc_task_group_start_soon(group, fn, job, NULL), 0);
}

/* Until all others wait. */
static inline void settle(void)
{
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

/* -- tasks: the result stays in the job, the group sees none -- */

static inline int send_once(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_send(job->stream, job->data, job->len);
    return 0;
}

static inline int send_until_error(void *arg)
{
    struct job *job = arg;

    for (job->rc = 0; job->rc >= 0;)
        job->rc = anyc_send(job->stream, job->data, job->len);
    return 0;
}

static inline int receive_once(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_receive(job->stream, job->data, job->len);
    return 0;
}

/* Closes and keeps the memory. */
static inline int close_once(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_close(job->stream);
    return 0;
}

/* Receives until `len` bytes came. */
static inline int receive_all(void *arg)
{
    struct job *job = arg;
    size_t at = 0;

    while (at < job->len) {
        ssize_t n = anyc_receive(job->stream, job->data + at, job->len - at);

        ck_assert_int_gt(n, 0);
        at += (size_t)n;
    }
    job->rc = 0;
    return 0;
}

/* -- at once -- */

static inline void expect(anyc_byte_stream *stream, const char *expected)
{
    char buf[64];
    struct job job = {stream, buf, strlen(expected), 1};

    ck_assert_int_eq(receive_all(&job), 0);
    ck_assert_mem_eq(buf, expected, job.len);
}

/* Send a little, which a stream holds until it is received. */
static inline void put(anyc_byte_stream *stream, const char *text)
{
    ck_assert_int_eq(anyc_send(stream, text, strlen(text)), 0);
}

/* An error of receiving, which leaves the buffer alone. */
static inline void expect_error(anyc_byte_stream *stream, int code)
{
    char buf[4] = "xyz";

    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), code);
    ck_assert_str_eq(buf, "xyz");
}

static inline void expect_eof(anyc_byte_stream *stream)
{
    expect_error(stream, ANYC_EOF);
}

#endif
