/* SPDX-License-Identifier: MIT */
/*
 * test_file.c - files that are opened, wrapped and closed.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/limit_fds.h"
#include "support/steps.h"

/* FI-001 (TestAsyncFile.test_readinto). */
ANYC_TEST(test_file__reads_into_a_buffer)
{
    char data[10000];
    char buf[100];
    struct scratch scratch;
    anyc_file *file;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i / 1000);
    scratch = scratch_make(data, sizeof data);
    file = file_open(scratch.path, "rb");
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), 100);
    ck_assert_mem_eq(buf, data, sizeof buf);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

/* FI-002 (TestAsyncFile.test_write). */
ANYC_TEST(test_file__appends)
{
    static char data[10000];
    struct scratch scratch = scratch_make(data, sizeof data);
    struct stat status;
    anyc_file *file = file_open(scratch.path, "ab");

    ck_assert_int_eq(anyc_file_tell(file), 10000);
    ck_assert_int_eq(anyc_file_write(file, data, 1000), 1000);
    ck_assert_ok(anyc_aclose(file));
    ck_assert_ok(stat(scratch.path, &status));
    ck_assert_int_eq(status.st_size, 11000);
    scratch_remove(&scratch);
}

static void check_wrapped(anyc_capacity_limiter *limiter)
{
    struct scratch scratch = scratch_text("");
    const anyc_wrap_file_options options = {.limiter = limiter, .keep_open = true};
    FILE *owned = fopen(scratch.path, "we");
    anyc_file *file = NULL;

    ck_assert_ok(anyc_wrap_file(owned, &options, &file));
    ck_assert_ptr_eq(anyc_file_limiter(file), limiter);
    ck_assert_ptr_eq(anyc_file_wrapped(file), owned);
    file_put(file, "dummydata");
    ck_assert_ok(fclose(owned));
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "dummydata");
}

/* FI-004 (TestAsyncFile.test_wrap_file), no limiter. */
ANYC_TEST(test_file__wraps_one_that_is_open)
{
    check_wrapped(NULL);
}

/* FI-004, own limiter. */
ANYC_TEST(test_file__wraps_one_with_a_limiter)
{
    anyc_capacity_limiter limiter;

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    check_wrapped(&limiter);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    anyc_capacity_limiter_deinit(&limiter);
}

ANYC_TEST(test_file__closes_what_it_wraps)
{
    struct scratch scratch = scratch_text("");
    anyc_file *file = NULL;

    ck_assert_ok(anyc_wrap_file(fopen(scratch.path, "we"), NULL, &file));
    file_put(file, "abc");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
    ck_assert_int_eq(anyc_wrap_file(NULL, NULL, &file), ANYC_EINVAL);
}

/* What was done to it before does not matter. */
ANYC_TEST(test_file__wraps_one_that_was_written)
{
    struct scratch scratch = scratch_text("abcdef");
    FILE *stream = fopen(scratch.path, "r+e");
    anyc_file *file = NULL;

    ck_assert_int_ge(fputs("XY", stream), 0);
    ck_assert_ok(anyc_wrap_file(stream, NULL, &file));
    check_read(file, 2, "cd");
    file_put(file, "Z");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "XYcdZf");
}

ANYC_TEST(test_file__knows_the_modes)
{
    static const char *const good[] = {"r", "rb", "rt", "br", "r+", "rb+", "r+b", "+br",
                                       "w", "wb", "w+", "a",  "a+", "ab+", "wt"};
    struct scratch scratch = scratch_text("abc");

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_ok(anyc_aclose(file_open(scratch.path, good[i])));
    scratch_end(&scratch, "");
}

ANYC_TEST(test_file__refuses_other_modes)
{
    static const char *const bad[] = {"",   "b",  "+",  "rw", "rr",  "r++", "rbt",
                                      "rU", "re", "wx", "ax", "r b", "R",   "bb+"};
    struct scratch scratch = scratch_text("abc");
    anyc_file *file;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_open_file(scratch.path, bad[i], NULL, &file), ANYC_EINVAL);
    ck_assert_int_eq(anyc_open_file(NULL, "r", NULL, &file), ANYC_EINVAL);
    scratch_end(&scratch, "abc");
}

ANYC_TEST(test_file__makes_only_new_ones_with_x)
{
    struct scratch scratch = scratch_text("abc");
    struct stat status;
    anyc_file *file;
    const anyc_open_file_options options = {.permissions = 0600};

    ck_assert_int_eq(anyc_open_file(scratch.path, "x", NULL, &file), -EEXIST);
    scratch_end(&scratch, "abc");
    ck_assert_ok(anyc_open_file(scratch.path, "x+", &options, &file));
    file_put(file, "new");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    check_read(file, SIZE_MAX, "new");
    ck_assert_ok(anyc_aclose(file));
    ck_assert_ok(stat(scratch.path, &status));
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    scratch_end(&scratch, "new");
}

ANYC_TEST(test_file__tells_why_it_cannot_be_opened)
{
    struct rlimit old;
    anyc_file *file;
    int rc;

    ck_assert_int_eq(anyc_open_file("/no/such/file", "r", NULL, &file), -ENOENT);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "/no/such/file"));
    ck_assert_int_eq(anyc_open_file("/tmp", "r", NULL, &file), -EISDIR);
    ck_assert_int_eq(anyc_open_file("/tmp", "w", NULL, &file), -EISDIR);
    old = limit_fds(0);
    rc = anyc_open_file("/dev/null", "r", NULL, &file);
    unlimit_fds(&old);
    ck_assert_int_eq(rc, -EMFILE);
}

ANYC_TEST(test_file__tells_of_missing_permission)
{
    struct scratch scratch = scratch_text("abc");
    uid_t user = geteuid();
    anyc_file *file;
    int rc;

    ck_assert_ok(chmod(scratch.path, 0));
    if (user == 0) /* who may read anything */
        ck_assert_ok(seteuid(65534));
    rc = anyc_open_file(scratch.path, "r", NULL, &file);
    ck_assert_ok(seteuid(user));
    ck_assert_int_eq(rc, -EACCES);
    scratch_remove(&scratch);
}

ANYC_TEST(test_file__is_closed_on_exec)
{
    anyc_file *file = file_open("/dev/null", "r");
    int flags = fcntl(fileno(anyc_file_wrapped(file)), F_GETFD);

    ck_assert_int_ne(flags & FD_CLOEXEC, 0);
    ck_assert_str_eq(anyc_file_path(file), "/dev/null");
    ck_assert_ok(anyc_aclose(file));
}

/* Every method of a closed file. */
ANYC_TEST(test_file__is_closed_afterwards)
{
    anyc_file *file = file_open("/dev/null", "r+");
    anyc_file_lines lines;
    anyc_bytes bytes;
    char *line;
    char c = 'x';

    ck_assert(!anyc_file_closed(file));
    ck_assert_ok(anyc_close(file));
    ck_assert_ok(anyc_close(file));
    ck_assert(anyc_file_closed(file));
    ck_assert_ptr_null(anyc_file_wrapped(file));
    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_read1(file, 1, &bytes), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_readinto(file, &c, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_readinto1(file, &c, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_readline(file, SIZE_MAX, &bytes), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_readlines(file, 0, &lines), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_next_line(file, &line), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_write(file, &c, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_writelines(file, NULL, 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_truncate(file, 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_tell(file), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_flush(file), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(file));
}

/* The disk turns out to be full when the buffer is flushed at last. */
ANYC_TEST(test_file__tells_of_a_full_disk_when_it_closes)
{
    anyc_file *file = file_open("/dev/full", "w");

    file_put(file, "abc");
    ck_assert_int_eq(anyc_close(file), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "/dev/full"));
    ck_assert_ok(anyc_aclose(file));
    file = file_open("/dev/full", "w");
    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_flush(file), -ENOSPC);
    ck_assert_ok(anyc_aclose(file)); /* it was told */
}

ANYC_TEST(test_file__can_be_closed_by_force)
{
    struct scratch scratch = scratch_text("");
    anyc_file *file = file_open(scratch.path, "w");

    file_put(file, "abc");
    anyc_aclose_forcefully(file);
    scratch_end(&scratch, "abc");
}

/* The same with a pipe: no signal ends the program. */
ANYC_TEST(test_file__can_be_closed_by_force_when_nobody_reads)
{
    int ends[2];
    anyc_file *file = NULL;

    ck_assert_ok(pipe2(ends, O_CLOEXEC));
    ck_assert_ok(anyc_wrap_file(fdopen(ends[1], "w"), NULL, &file));
    file_put(file, "abc");
    close(ends[0]);
    anyc_aclose_forcefully(file);
    ck_assert_ok(pipe2(ends, O_CLOEXEC));
    ck_assert_ok(anyc_wrap_file(fdopen(ends[1], "w"), NULL, &file));
    file_put(file, "abc");
    close(ends[0]);
    ck_assert_int_eq(anyc_aclose(file), -EPIPE);
}

/* Nor does that wait until somebody does. */
ANYC_TEST(test_file__can_be_closed_by_force_when_its_pipe_is_full)
{
    static const char much[65536];
    int ends[2];
    anyc_file *file = NULL;

    ck_assert_ok(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    while (write(ends[1], much, sizeof much) > 0)
        continue;
    ck_assert_ok(fcntl(ends[1], F_SETFL, 0)); /* a write would wait for ever */
    ck_assert_ok(anyc_wrap_file(fdopen(ends[1], "w"), NULL, &file));
    file_put(file, "abc");
    anyc_aclose_forcefully(file);
    close(ends[0]);
}

/* The umask takes bits away; who opens what exists changes none. */
ANYC_TEST(test_file__has_the_permissions_of_the_umask)
{
    struct scratch scratch = scratch_text("");
    struct stat status;
    mode_t mask = umask(027);

    ck_assert_ok(anyc_aclose(file_open(scratch.path, "w")));
    ck_assert_ok(stat(scratch.path, &status));
    ck_assert_int_eq(status.st_mode & 0777, 0600); /* as it was made */
    scratch_remove(&scratch);
    ck_assert_ok(anyc_aclose(file_open(scratch.path, "a")));
    umask(mask);
    ck_assert_ok(stat(scratch.path, &status));
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    scratch_remove(&scratch);
}

ANYC_TEST(test_file__has_any_name)
{
    struct scratch scratch = scratch_text("");
    anyc_file *file;

    scratch_remove(&scratch);
    (void)strncat(scratch.path, "\xff \n\\", sizeof scratch.path - strlen(scratch.path) - 1);
    file = file_open(scratch.path, "x");
    file_put(file, "abc");
    ck_assert_str_eq(anyc_file_path(file), scratch.path);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
    ck_assert_int_eq(anyc_open_file("", "w", NULL, &file), -ENOENT);
    ck_assert_int_eq(anyc_open_file("/dev/null/x", "w", NULL, &file), -ENOTDIR);
}

/* Who keeps the stream has all of it again, and what is in its buffer. */
ANYC_TEST(test_file__leaves_what_is_not_its_own)
{
    struct scratch scratch = scratch_text("");
    const anyc_wrap_file_options options = {.keep_open = true};
    FILE *owned = fopen(scratch.path, "w+e");
    anyc_file *file = NULL;

    ck_assert_ok(anyc_wrap_file(owned, &options, &file));
    file_put(file, "abc");
    anyc_aclose_forcefully(file);
    ck_assert_str_eq(content_of_path(scratch.path), ""); /* unflushed */
    ck_assert_int_ge(fputs("def", owned), 0);
    ck_assert_ok(fclose(owned));
    scratch_end(&scratch, "abcdef");
}

ANYC_TEST_PLAIN(test_file__needs_a_loop)
{
    anyc_file *file = NULL;
    char c;

    ck_assert_int_eq(anyc_open_file("/dev/null", "r", NULL, &file), ANYC_ENOLOOP);
    ck_assert_ok(anyc_wrap_file(fopen("/dev/null", "re"), NULL, &file));
    ck_assert_int_eq(anyc_file_readinto(file, &c, 1), ANYC_ENOLOOP);
    ck_assert_ok(anyc_aclose(file));
}
