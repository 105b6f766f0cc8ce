/* SPDX-License-Identifier: MIT */
/*
 * test_spooled_file.c - temporary files that begin in memory.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <signal.h>

#include "scratch.h"
#include "support/limit_fds.h"
#include "support/tasks.h"
#include "support/thread.h"

static anyc_file *spooled(size_t max_size)
{
    const anyc_spooled_temporary_file_options options = {.max_size = max_size};
    anyc_file *file = NULL;

    ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
    return file;
}

static void check_content(anyc_file *file, const char *text)
{
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    check_read(file, SIZE_MAX, text);
}

/* TF-003 (TestSpooledTemporaryFile.test_writewithout_rolled). */
ANYC_TEST(test_spooled_file__goes_to_disk_when_it_is_large)
{
    anyc_file *file = spooled(10);

    ck_assert_int_eq(anyc_file_write(file, "12345", 5), 5);
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_write(file, "67890X", 6), 6);
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_gt(fileno(anyc_file_wrapped(file)), 2);
    ck_assert_int_eq(anyc_file_tell(file), 11);
    check_content(file, "1234567890X");
    ck_assert_ok(anyc_aclose(file));
}

/* TF-004 (TestSpooledTemporaryFile.test_closed_state). */
ANYC_TEST(test_spooled_file__is_closed_afterwards)
{
    anyc_file *file = spooled(10);

    ck_assert(!anyc_file_closed(file));
    ck_assert_ok(anyc_close(file));
    ck_assert(anyc_file_closed(file));
    ck_assert_int_eq(anyc_file_write(file, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_spooled_temporary_file_rollover(file), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(file));
}

/* TF-005 (TestSpooledTemporaryFile.test_readinto). */
ANYC_TEST(test_spooled_file__reads_into_a_buffer)
{
    anyc_file *file = spooled(1024);
    char buf[5];

    file_put(file, "hello world");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "hello", 5);
    ck_assert_ok(anyc_aclose(file));
}

/* OS-R019: what counts is where the write ends; the size before it does not. */
ANYC_TEST(test_spooled_file__looks_at_the_position)
{
    anyc_file *file = spooled(10);

    file_put(file, "1234567890");
    ck_assert_int_eq(anyc_file_seek(file, 2, SEEK_SET), 2);
    file_put(file, "abcdefgh");
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_seek(file, 3, SEEK_SET), 3);
    file_put(file, "");
    ck_assert_int_eq(anyc_file_truncate(file, 11), 11);
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_tell(file), 3); /* kept, as the content is */
    ck_assert_int_eq(anyc_file_truncate(file, 10), 10);
    check_content(file, "12abcdefgh");
    ck_assert_ok(anyc_aclose(file));
}

/* OS-R019: 0 means at the first byte. */
ANYC_TEST(test_spooled_file__goes_to_disk_at_once_without_a_size)
{
    anyc_file *file = spooled(0);

    file_put(file, "");
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    file_put(file, "1");
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    check_content(file, "1");
    ck_assert_ok(anyc_aclose(file));
}

/* OS-R019: no thread before that, but a checkpoint. */
ANYC_TEST(test_spooled_file__uses_no_thread_in_memory)
{
    anyc_capacity_limiter limiter;
    const anyc_spooled_temporary_file_options options = {.max_size = 10, .limiter = &limiter};
    anyc_cancel_scope scope;
    anyc_file *file;
    int threads = thread_count();

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter)); /* who wants a thread waits for ever */
    ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
    file_put(file, "abc");
    check_content(file, "abc");
    ck_assert_int_eq(anyc_file_truncate(file, 2), 2);
    ck_assert_ok(anyc_file_flush(file));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_file_write(file, "x", 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_file_tell(file), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    check_content(file, "ab");
    ck_assert_ok(anyc_aclose(file));
    ck_assert_int_eq(thread_count(), threads);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    anyc_capacity_limiter_deinit(&limiter);
}

/* Every way to read and write, in memory or on disk, does it once. */
static void check_every_method(anyc_file *file)
{
    const struct iovec pieces[] = {{"one\n", 4}, {"two\n", 4}, {"three", 5}};
    anyc_file_lines lines;
    anyc_bytes bytes;
    char buf[8];
    char *line;

    ck_assert_ok(anyc_file_writelines(file, pieces, 3));
    ck_assert_int_eq(anyc_file_tell(file), 13);
    ck_assert_int_eq(anyc_file_seek(file, 1, SEEK_SET), 1);
    ck_assert_int_eq(anyc_file_readinto1(file, buf, 2), 2);
    ck_assert_mem_eq(buf, "ne", 2);
    ck_assert_int_eq(anyc_file_readinto(file, buf, 2), 2);
    ck_assert_mem_eq(buf, "\nt", 2);
    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &bytes));
    check_bytes(&bytes, "wo\n");
    ck_assert_ok(anyc_file_read1(file, 2, &bytes));
    check_bytes(&bytes, "th");
    ck_assert_int_eq(anyc_file_next_line(file, &line), 3);
    ck_assert_str_eq(line, "ree");
    ck_assert_int_eq(anyc_file_seek(file, -9, SEEK_END), 4);
    ck_assert_ok(anyc_file_readlines(file, 0, &lines));
    ck_assert_uint_eq(lines.count, 2);
    anyc_free_file_lines(&lines);
    ck_assert_int_eq(anyc_file_truncate(file, 2), 2);
    file_put(file, "!"); /* behind the end: zeros between */
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), 8);
    ck_assert_mem_eq(buf, "on\0\0\0\0\0\0", 8);
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_END), 14);
}

/* OS-R028. */
ANYC_TEST(test_spooled_file__does_everything_once_in_memory)
{
    anyc_file *file = spooled(100);

    check_every_method(file);
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_ok(anyc_aclose(file));
}

/* OS-R028. */
ANYC_TEST(test_spooled_file__does_everything_once_on_disk)
{
    anyc_file *file = spooled(100);

    ck_assert_ok(anyc_spooled_temporary_file_rollover(file));
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    ck_assert_ok(anyc_spooled_temporary_file_rollover(file));
    check_every_method(file);
    ck_assert_ok(anyc_aclose(file));
}

/* Nothing was written then, and the file stays in memory. */
ANYC_TEST(test_spooled_file__stays_as_it_is_if_the_disk_refuses)
{
    anyc_file *file = spooled(4);
    struct rlimit old;
    ssize_t n;

    file_put(file, "abc");
    old = limit_fds(0);
    n = anyc_file_write(file, "def", 3);
    unlimit_fds(&old);
    ck_assert_int_eq(n, -EMFILE);
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_tell(file), 3);
    file_put(file, "def");
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    check_content(file, "abcdef");
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_spooled_file__has_one_mode)
{
    anyc_spooled_temporary_file_options options = {.mode = "r"};
    anyc_file *file;

    ck_assert_int_eq(anyc_spooled_temporary_file(&options, &file), ANYC_EINVAL);
    options.mode = "bw+";
    ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
    ck_assert_int_eq(anyc_file_seek(file, -1, SEEK_SET), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(file));
}

/* OS-R019: just as much stays. */
ANYC_TEST(test_spooled_file__stays_in_memory_up_to_its_size)
{
    anyc_file *file = spooled(4);
    const struct iovec pieces[] = {{"c", 1}, {"d", 1}};

    file_put(file, "ab");
    ck_assert_ok(anyc_file_writelines(file, pieces, 2));
    ck_assert_int_eq(anyc_file_truncate(file, 4), 4);
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_ok(anyc_file_writelines(file, pieces, 1));
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    check_content(file, "abcdc");
    ck_assert_ok(anyc_aclose(file));
}

/* A position alone needs no room, however far away; a file that reaches it does. */
ANYC_TEST(test_spooled_file__goes_to_disk_when_it_is_cut_far_away)
{
    const int64_t far = INT64_C(1) << 40;
    anyc_file *file = spooled(10);

    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_seek(file, far, SEEK_SET), far);
    check_read(file, SIZE_MAX, "");
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_truncate(file, -1), far);
    ck_assert(anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_END), far);
    ck_assert_int_eq(anyc_file_truncate(file, 3), 3);
    check_content(file, "abc");
    ck_assert_ok(anyc_aclose(file));
}

/* A disk that has room for a part only: the copy is given up. */
ANYC_TEST(test_spooled_file__stays_as_it_is_if_the_disk_is_full)
{
    anyc_file *file = spooled(8);
    struct rlimit old;
    struct rlimit limit;
    ssize_t n;
    int rc;

    (void)signal(SIGXFSZ, SIG_IGN);
    file_put(file, "12345678");
    ck_assert_int_eq(anyc_file_seek(file, 4, SEEK_SET), 4);
    ck_assert_ok(getrlimit(RLIMIT_FSIZE, &old));
    limit = old;
    limit.rlim_cur = 6;
    ck_assert_ok(setrlimit(RLIMIT_FSIZE, &limit)); /* no output from here on */
    rc = anyc_spooled_temporary_file_rollover(file);
    n = anyc_file_write(file, "abcdef", 6);
    ck_assert_ok(setrlimit(RLIMIT_FSIZE, &old));
    ck_assert_int_eq(rc, -EFBIG);
    ck_assert_int_eq(n, -EFBIG);
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_tell(file), 4);
    file_put(file, "abcdef");
    check_content(file, "1234abcdef");
    ck_assert_ok(anyc_aclose(file));
}

/* A cancelled roll-over has not begun. */
ANYC_TEST(test_spooled_file__stays_in_memory_when_the_write_is_cancelled)
{
    anyc_capacity_limiter limiter;
    const anyc_spooled_temporary_file_options options = {.max_size = 4, .limiter = &limiter};
    anyc_cancel_scope scope;
    anyc_file *file = NULL;

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
    file_put(file, "abc");
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    anyc_move_on_after(&scope, 0.001, false);
    ck_assert_int_eq(anyc_file_write(file, "defg", 4), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert(!anyc_spooled_temporary_file_rolled(file));
    ck_assert_int_eq(anyc_file_tell(file), 3);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    file_put(file, "defg");
    check_content(file, "abcdefg");
    ck_assert_ok(anyc_aclose(file));
    anyc_capacity_limiter_deinit(&limiter);
}

ANYC_TEST(test_spooled_file__has_a_descriptor_on_disk_only)
{
    anyc_file *file = spooled(100);
    struct stat status;
    int fd;

    file_put(file, "abc");
    ck_assert_int_eq(fileno(anyc_file_wrapped(file)), -1);
    ck_assert_ptr_null(anyc_file_path(file));
    ck_assert_ok(anyc_spooled_temporary_file_rollover(file));
    fd = fileno(anyc_file_wrapped(file));
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_ok(fstat(fd, &status));
    ck_assert_uint_eq(status.st_nlink, 0);
    ck_assert_int_eq(status.st_size, 3);
    ck_assert_ok(anyc_aclose(file));
}

/* It can be the inside of a stream, before and after. */
ANYC_TEST(test_spooled_file__can_be_a_stream)
{
    anyc_byte_stream *stream = NULL;
    anyc_file *file = spooled(8);
    char buf[16];
    int fd;

    ck_assert_ok(anyc_file_write_stream_create(file, &stream));
    ck_assert_ok(anyc_send(stream, "1234", 4));
    ck_assert_int_eq(anyc_extra(stream, &ANYC_FILE_FILENO, &fd), ANYC_EATTRIBUTE);
    ck_assert_ok(anyc_send(stream, "56789", 5));
    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_FILENO, &fd));
    ck_assert_int_eq(anyc_file_stream_tell(stream), 9);
    ck_assert_ok(anyc_aclose(stream));
    file = spooled(8);
    file_put(file, "1234");
    ck_assert_ok(anyc_file_read_stream_create(file, &stream));
    ck_assert_int_eq(anyc_file_stream_seek(stream, 1, SEEK_SET), 1);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 3);
    ck_assert_mem_eq(buf, "234", 3);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_ok(anyc_aclose(stream));
}
