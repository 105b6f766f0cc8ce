/* SPDX-License-Identifier: MIT */
/*
 * memory_pair.c - a memory stream of strings, and tasks that use it.
 */
#include "memory_pair.h"

#include <anyc/error.h>
#include <anyc/lowlevel.h>

#include <check.h>

void pair_open(struct pair *pair, size_t max_buffer_size)
{
    ck_assert_int_eq(anyc_create_memory_object_stream(max_buffer_size, sizeof(const char *),
                                                      &pair->send, &pair->receive),
                     0);
}

void pair_end(struct pair *pair)
{
    ck_assert_int_eq(anyc_aclose(pair->send), 0);
    ck_assert_int_eq(anyc_aclose(pair->receive), 0);
}

int send_text(const struct pair *pair, const char *text)
{
    return anyc_memory_send_stream_send(pair->send, &text);
}

int send_text_nowait(const struct pair *pair, const char *text)
{
    return anyc_memory_send_stream_send_nowait(pair->send, &text);
}

int receive_text_nowait(const struct pair *pair)
{
    const char *text = NULL;
    int rc = anyc_memory_receive_stream_receive_nowait(pair->receive, &text);

    ck_assert(rc >= 0 || text == NULL);
    return rc;
}

void expect_nowait(const struct pair *pair, const char *expected)
{
    const char *text = NULL;

    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(pair->receive, &text), 0);
    ck_assert_str_eq(text, expected);
}

void expect(const struct pair *pair, const char *expected)
{
    const char *text = NULL;

    ck_assert_int_eq(anyc_memory_receive_stream_receive(pair->receive, &text), 0);
    ck_assert_str_eq(text, expected);
}

/* Tasks: the result stays in the job, the group sees none. */

int sender(void *arg)
{
    struct job *job = arg;

    job->rc = send_text(job->pair, job->item);
    return 0;
}

int receiver(void *arg)
{
    struct job *job = arg;

    job->item = NULL;
    job->rc = anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
    return 0;
}

int receiver_in_a_scope(void *arg)
{
    struct job *job = arg;
    int rc;

    ck_assert_int_eq(anyc_cancel_scope_enter(&job->scope, NULL), 0);
    job->item = NULL;
    job->rc = anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
    job->next_rc = anyc_checkpoint();
    rc = anyc_cancel_scope_exit(&job->scope, job->next_rc);
    job->cancel_called = anyc_cancel_scope_cancel_called(&job->scope);
    job->after_rc = anyc_checkpoint();
    return rc;
}

int send_for_ever(void *arg)
{
    struct job *job = arg;

    for (job->rc = 0; job->rc >= 0;)
        job->rc = send_text(job->pair, "x");
    return 0;
}

void group_start(anyc_task_group *group, anyc_task_fn fn, void *arg)
{
    ck_assert_int_eq(anyc_task_group_start_soon(group, fn, arg, NULL), 0);
}
