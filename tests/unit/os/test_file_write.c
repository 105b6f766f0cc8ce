/* SPDX-License-Identifier: MIT */
/*
 * test_file_write.c - bytes into files, their size, and their position.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <sys/socket.h>

#include "scratch.h"
#include "support/steps.h"

ANYC_TEST(test_file_write__writes_and_reads_in_turn)
{
    struct scratch scratch = scratch_text("abcdef");
    anyc_file *file = file_open(scratch.path, "r+");

    check_read(file, 2, "ab");
    file_put(file, "XY"); /* no seek between */
    check_read(file, SIZE_MAX, "ef");
    file_put(file, "gh");
    ck_assert_int_eq(anyc_file_tell(file), 8);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abXYefgh");
}

ANYC_TEST(test_file_write__writes_pieces)
{
    struct scratch scratch = scratch_text("");
    struct iovec pieces[] = {{"one\n", 4}, {NULL, 0}, {"two", 3}};
    anyc_file *file = file_open(scratch.path, "w");

    ck_assert_ok(anyc_file_writelines(file, pieces, 3));
    ck_assert_ok(anyc_file_writelines(file, NULL, 0));
    ck_assert_int_eq(anyc_file_writelines(file, pieces, -1), ANYC_EINVAL);
    pieces[1].iov_len = SIZE_MAX;
    ck_assert_int_eq(anyc_file_writelines(file, pieces, 3), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_write(file, "", 0), 0);
    ck_assert_ok(anyc_file_flush(file));
    ck_assert_str_eq(content_of_path(scratch.path), "one\ntwo");
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_write__moves_the_position)
{
    struct scratch scratch = scratch_text("0123456789");
    anyc_file *file = file_open(scratch.path, "r+");

    ck_assert_int_eq(anyc_file_seek(file, 4, SEEK_SET), 4);
    check_read(file, 1, "4");
    ck_assert_int_eq(anyc_file_seek(file, 2, SEEK_CUR), 7);
    ck_assert_int_eq(anyc_file_seek(file, -1, SEEK_END), 9);
    check_read(file, SIZE_MAX, "9");
    ck_assert_int_eq(anyc_file_seek(file, -1, SEEK_SET), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_seek(file, 0, 99), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_tell(file), 10);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_write__has_no_position_in_a_pipe)
{
    int writer;
    anyc_file *file = file_of_pipe(&writer);

    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), -ESPIPE);
    ck_assert_int_eq(anyc_file_tell(file), -ESPIPE);
    ck_assert_int_eq(anyc_file_truncate(file, 0), ANYC_EINVAL);
    close(writer);
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_file_write__changes_the_size)
{
    struct scratch scratch = scratch_text("0123456789");
    anyc_file *file = file_open(scratch.path, "r+");
    struct stat status;

    check_read(file, 3, "012");
    ck_assert_int_eq(anyc_file_truncate(file, 5), 5);
    ck_assert_int_eq(anyc_file_tell(file), 3);
    check_read(file, SIZE_MAX, "34"); /* what was read ahead counts no more */
    ck_assert_int_eq(anyc_file_seek(file, 4, SEEK_SET), 4);
    file_put(file, "x");
    ck_assert_int_eq(anyc_file_truncate(file, -1), 5);
    ck_assert_int_eq(anyc_file_truncate(file, -2), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_truncate(file, 100), 100);
    ck_assert_ok(stat(scratch.path, &status));
    ck_assert_int_eq(status.st_size, 100);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "0123x");
}

/* Offsets of more than 4 GiB. */
ANYC_TEST(test_file_write__works_behind_four_gigabytes)
{
    const int64_t far = INT64_C(5) << 30;
    struct scratch scratch = scratch_text("");
    anyc_file *file = file_open(scratch.path, "w+");

    ck_assert_int_eq(anyc_file_seek(file, far, SEEK_SET), far);
    file_put(file, "far away");
    ck_assert_int_eq(anyc_file_tell(file), far + 8);
    ck_assert_int_eq(anyc_file_seek(file, far + 4, SEEK_SET), far + 4);
    check_read(file, SIZE_MAX, "away");
    ck_assert_int_eq(anyc_file_truncate(file, far + 1), far + 1);
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_END), far + 1);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_write__appends_behind_what_others_appended)
{
    struct scratch scratch = scratch_text("a");
    anyc_file *file = file_open(scratch.path, "a+");
    anyc_file *other = file_open(scratch.path, "a");

    file_put(other, "b");
    ck_assert_ok(anyc_aclose(other));
    file_put(file, "c");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    check_read(file, SIZE_MAX, "abc");
    file_put(file, "d");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abcd");
}

ANYC_TEST(test_file_write__tells_of_a_full_disk)
{
    static const char much[100000];
    anyc_file *file = file_open("/dev/full", "w");

    ck_assert_int_eq(anyc_file_write(file, much, sizeof much), -ENOSPC);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOSPC);
    (void)anyc_aclose(file); /* what is left in the buffer decides */
}

ANYC_TEST(test_file_write__tells_what_it_cannot_write)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "r");

    ck_assert_int_eq(anyc_file_write(file, "x", 1), -EBADF);
    check_read(file, SIZE_MAX, "abc");
    ck_assert_int_eq(anyc_file_truncate(file, 0), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
}

/* What fits into the buffer needs no thread: here there is none to be had. */
ANYC_TEST(test_file_write__uses_no_thread_for_what_fits)
{
    anyc_capacity_limiter limiter;
    struct scratch scratch = scratch_text("");
    const anyc_open_file_options options = {.limiter = &limiter};
    anyc_cancel_scope scope;
    anyc_file *file;
    static const char much[100000];

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_open_file(scratch.path, "w", &options, &file));
    file_put(file, "one ");
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    file_put(file, "two ");
    anyc_move_on_after(&scope, 0.001, false);
    ck_assert_int_eq(anyc_file_write(file, much, sizeof much), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    file_put(file, "three");
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_ok(anyc_aclose(file));
    anyc_capacity_limiter_deinit(&limiter);
    scratch_end(&scratch, "one two three");
}

/* Neither without a buffer, nor with one that goes out at each line end, anything is kept back. */
ANYC_TEST(test_file_write__obeys_the_buffering_of_what_it_wraps)
{
    static const int kinds[] = {_IONBF, _IOLBF};

    for (size_t i = 0; i < 2; i++) {
        struct scratch scratch = scratch_text("");
        FILE *stream = fopen(scratch.path, "we");
        anyc_file *file = NULL;

        ck_assert_ok(setvbuf(stream, NULL, kinds[i], 0));
        ck_assert_ok(anyc_wrap_file(stream, NULL, &file));
        file_put(file, "one\n");
        file_put(file, "two\n");
        ck_assert_str_eq(content_of_path(scratch.path), "one\ntwo\n");
        ck_assert_ok(anyc_aclose(file));
        scratch_remove(&scratch);
    }
}

/* What was read ahead of a socket cannot be read again, so it must be read before writing. */
ANYC_TEST(test_file_write__loses_nothing_that_was_read_ahead)
{
    int ends[2];
    anyc_file *file = NULL;
    char buf[10] = "";

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    ck_assert_ok(anyc_wrap_file(fdopen(ends[0], "r+"), NULL, &file));
    ck_assert_int_eq(write(ends[1], "abcdef", 6), 6);
    check_read(file, 2, "ab");
    ck_assert_int_eq(anyc_file_write(file, "x", 1), -ESPIPE);
    ck_assert_ok(anyc_file_flush(file));
    ck_assert_int_eq(anyc_file_write(file, "x", 1), -ESPIPE);
    check_read(file, 4, "cdef");
    file_put(file, "answer");
    ck_assert_ok(anyc_file_flush(file));
    ck_assert_int_eq(read(ends[1], buf, sizeof buf), 6);
    ck_assert_str_eq(buf, "answer");
    ck_assert_int_eq(write(ends[1], "gh", 2), 2);
    check_read(file, 2, "gh");
    ck_assert_ok(anyc_aclose(file));
    close(ends[1]);
}

/* A failure is told once, then the file goes on. */
ANYC_TEST(test_file_write__goes_on_after_a_full_disk)
{
    anyc_file *file = file_open("/dev/full", "r+");
    char buf[3];

    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), -ENOSPC);
    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_truncate(file, -1), -ENOSPC);
    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_readinto(file, buf, 3), -ENOSPC);
    ck_assert_int_eq(anyc_file_readinto(file, buf, 3), 3);
    ck_assert_ok(anyc_file_flush(file));
    ck_assert_ok(anyc_aclose(file));
}

/* Positions that no file has; the position stays. */
ANYC_TEST(test_file_write__refuses_positions_without_sense)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "r+");

    ck_assert_int_eq(anyc_file_seek(file, 1, SEEK_SET), 1);
    ck_assert_int_eq(anyc_file_seek(file, INT64_MIN, SEEK_CUR), ANYC_EINVAL);
    ck_assert_int_lt(anyc_file_seek(file, INT64_MAX, SEEK_CUR), 0);
    ck_assert_int_lt(anyc_file_seek(file, INT64_MAX, SEEK_END), 0);
    ck_assert_int_eq(anyc_file_truncate(file, INT64_MIN), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_truncate(file, INT64_MAX), -EFBIG);
    ck_assert_int_eq(anyc_file_tell(file), 1);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
}
