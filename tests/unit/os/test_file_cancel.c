/* SPDX-License-Identifier: MIT */
/*
 * test_file_cancel.c - files and several tasks: cancelled, busy, closed in the middle of a call; and
 * without memory.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

/* A task that reads a byte of a pipe, which waits in its thread. */
struct reader {
    anyc_file *file;
    int writer;
    char byte;
    ssize_t n; /* what the read answered; 99: it has not ended */
};

static struct reader reader_make(void)
{
    struct reader reader = {.n = 99};

    reader.file = file_of_pipe(&reader.writer);
    return reader;
}

static int reader_task(void *arg)
{
    struct reader *reader = arg;

    reader->n = anyc_file_readinto(reader->file, &reader->byte, 1);
    return 0;
}

static void reader_let_go(const struct reader *reader)
{
    ck_assert_int_eq(write(reader->writer, "xy", 2), 2);
    close(reader->writer);
}

/* OS-R013: a cancelled scope does nothing, and harms nothing. */
ANYC_TEST(test_file_cancel__does_nothing_in_a_cancelled_scope)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "r+");
    anyc_file *other;
    anyc_cancel_scope scope;
    anyc_bytes bytes;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_file_write(file, "x", 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_file_truncate(file, 0), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_open_file(scratch.path, "w", NULL, &other), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    check_read(file, SIZE_MAX, "abc");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
}

/* OS-R013: a call that has begun is waited for, and its result stands. */
ANYC_TEST(test_file_cancel__waits_for_a_call_that_has_begun)
{
    struct reader reader = reader_make();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, reader_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    (void)anyc_wait_all_tasks_blocked(); /* it may say that the body is cancelled */
    ck_assert_int_eq(reader.n, 99);
    reader_let_go(&reader);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.n, 1);
    ck_assert_int_eq(reader.byte, 'x');
    check_read(reader.file, SIZE_MAX, "y"); /* nothing was lost */
    ck_assert_ok(anyc_aclose(reader.file));
}

/* A call that waits for a token of the file's own limiter can be cancelled. */
ANYC_TEST(test_file_cancel__takes_nothing_while_it_waits_for_a_thread)
{
    anyc_capacity_limiter limiter;
    struct scratch scratch = scratch_text("abc");
    const anyc_open_file_options options = {.limiter = &limiter};
    anyc_file *file;
    anyc_cancel_scope scope;
    anyc_bytes bytes;

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_open_file(scratch.path, "r", &options, &file));
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    anyc_move_on_after(&scope, 0.001, false);
    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    check_read(file, SIZE_MAX, "abc");
    ck_assert_ok(anyc_aclose(file));
    anyc_capacity_limiter_deinit(&limiter);
    scratch_remove(&scratch);
}

/* OS-R013: a second task is told. */
ANYC_TEST(test_file_cancel__is_busy_for_a_second_task)
{
    struct reader reader = reader_make();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_bytes bytes;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, reader_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_file_read(reader.file, 1, &bytes), ANYC_EBUSY);
    ck_assert_int_eq(anyc_file_tell(reader.file), ANYC_EBUSY);
    ck_assert_int_eq(anyc_file_flush(reader.file), ANYC_EBUSY);
    reader_let_go(&reader);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.n, 1);
    ck_assert_ok(anyc_aclose(reader.file));
}

static int closer_task(void *arg)
{
    return anyc_aclose((anyc_file *)arg);
}

/* Who closes waits for the call; the memory stays as long. */
ANYC_TEST(test_file_cancel__closes_after_a_call_has_ended)
{
    struct reader reader = reader_make();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_bytes bytes;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, reader_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    spawn(&group, closer_task, reader.file);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_file_read(reader.file, 1, &bytes), ANYC_ECLOSED);
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    reader_let_go(&reader);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.n, 1);
}

/* Who may not wait leaves it to the call. */
ANYC_TEST(test_file_cancel__is_closed_by_force_in_the_middle_of_a_call)
{
    struct reader reader = reader_make();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, reader_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_aclose_forcefully(reader.file);
    reader_let_go(&reader);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.n, 1);
}

/* What is cancelled closes all the same, and flushes. */
ANYC_TEST(test_file_cancel__closes_in_a_cancelled_scope)
{
    struct scratch scratch = scratch_text("");
    anyc_file *file = file_open(scratch.path, "w");
    anyc_cancel_scope scope;

    file_put(file, "abc");
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_aclose(file));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    scratch_end(&scratch, "abc");
}

struct scarce {
    long n;      /* the allocation that fails */
    bool failed; /* there was such a one */
};

/* Each step that may be short of memory; then all is as before. */
static int scarce_steps(void *arg)
{
    struct scarce *scarce = arg;
    struct scratch scratch = scratch_text("line one\nline two\n");
    anyc_file_lines lines = {NULL, 0, NULL};
    anyc_bytes bytes = {NULL, 0};
    anyc_file *file = NULL;
    char *line;
    ssize_t rc;

    fail_alloc_arm(scarce->n);
    rc = anyc_open_file(scratch.path, "r", NULL, &file);
    if (rc == 0)
        rc = anyc_file_read(file, 5, &bytes);
    if (rc == 0)
        rc = anyc_file_readlines(file, 0, &lines);
    if (rc == 0)
        rc = anyc_file_seek(file, 0, SEEK_SET);
    if (rc == 0)
        rc = anyc_file_next_line(file, &line);
    scarce->failed = fail_alloc_disarm();
    if (rc < 0)
        ck_assert_int_eq(rc, ANYC_ENOMEM);
    if (rc < 0 && file != NULL && lines.items == NULL)
        check_read(file, SIZE_MAX, bytes.len == 0 ? "line one\nline two\n" : "one\nline two\n");
    anyc_free_file_lines(&lines);
    anyc_bytes_deinit(&bytes);
    if (file != NULL)
        ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
    return 0;
}

ANYC_TEST_PLAIN(test_file_cancel__leaves_all_as_it_was_without_memory)
{
    struct scarce scarce = {1, true};

    fail_alloc_install();
    for (; scarce.failed; scarce.n++) {
        ck_assert_ok(run_on_backend(scarce_steps, &scarce));
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_gt(scarce.n, 5);
    ck_assert_ok(anyc_set_allocator(NULL));
}
