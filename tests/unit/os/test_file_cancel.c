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

/* Somebody else who has locked the stream inside. */
struct locker {
    anyc_file *file;
    int asked[2];
    int told[2];
    ssize_t n;
};

static int lock_in_thread(void *arg)
{
    struct locker *locker = arg;
    FILE *stream = anyc_file_wrapped(locker->file);
    char c = 'x';

    flockfile(stream);
    if (write(locker->told[1], &c, 1) == 1)
        (void)!read(locker->asked[0], &c, 1);
    funlockfile(stream);
    return 0;
}

static int locker_task(void *arg)
{
    int rc;

    return anyc_to_thread_run_sync(lock_in_thread, arg, NULL, &rc);
}

static int line_task(void *arg)
{
    struct locker *locker = arg;
    char *line;

    locker->n = anyc_file_next_line(locker->file, &line);
    return 0;
}

/* Not even for what is buffered the loop waits. */
ANYC_TEST(test_file_cancel__does_not_wait_for_the_lock_of_the_stream)
{
    struct scratch scratch = scratch_text("one\ntwo\n");
    struct locker locker = {.file = file_open(scratch.path, "r"), .n = 99};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *line;
    char c;

    ck_assert_int_eq(anyc_file_next_line(locker.file, &line), 4);
    ck_assert_ok(pipe2(locker.asked, O_CLOEXEC));
    ck_assert_ok(pipe2(locker.told, O_CLOEXEC));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, locker_task, &locker);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(read(locker.told[0], &c, 1), 1);
    spawn(&group, line_task, &locker);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(locker.n, 99);
    ck_assert_int_eq(write(locker.asked[1], &c, 1), 1);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(locker.n, 4);
    ck_assert_ok(anyc_aclose(locker.file));
    for (int i = 0; i < 2; i++) {
        close(locker.asked[i]);
        close(locker.told[i]);
    }
    scratch_remove(&scratch);
}

struct opener {
    const char *path;
    anyc_file *file;
    int rc; /* 99: it has not ended */
};

static int opener_task(void *arg)
{
    struct opener *opener = arg;

    opener->rc = anyc_open_file(opener->path, "r", NULL, &opener->file);
    return 0;
}

/* A FIFO without its other end keeps only its task, whatever is cancelled. */
ANYC_TEST(test_file_cancel__waits_for_the_other_end_of_a_fifo)
{
    struct scratch scratch = scratch_text("");
    struct opener opener = {.path = scratch.path, .rc = 99};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int writer;

    scratch_remove(&scratch);
    ck_assert_ok(mkfifo(scratch.path, 0600));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, opener_task, &opener);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    (void)anyc_wait_all_tasks_blocked(); /* it may say that the body is cancelled */
    ck_assert_int_eq(opener.rc, 99);
    writer = open(scratch.path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(writer, "abc", 3), 3);
    close(writer);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(opener.rc);
    check_read(opener.file, SIZE_MAX, "abc");
    ck_assert_ok(anyc_aclose(opener.file));
    scratch_remove(&scratch);
}

/* Nothing is done in a thread of somebody else's, nor kept from the file. */
static int foreign_read(void *arg)
{
    anyc_bytes bytes;

    ck_assert_int_eq(anyc_file_read(arg, 1, &bytes), ANYC_ENOLOOP);
    return anyc_file_write(arg, "x", 1) == ANYC_ENOLOOP ? 0 : E1;
}

ANYC_TEST(test_file_cancel__is_of_no_use_in_another_thread)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "r+");
    int rc = E1;

    ck_assert_ok(anyc_to_thread_run_sync(foreign_read, file, NULL, &rc));
    ck_assert_ok(rc);
    check_read(file, SIZE_MAX, "abc");
    ck_assert_ok(anyc_aclose(file));
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
