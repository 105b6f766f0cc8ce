/* SPDX-License-Identifier: MIT */
/*
 * test_temporary_file.c - temporary files on disk, and temporary names.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <signal.h>

#include "scratch.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/tasks.h"

/* TF-001 (TestNamedTemporaryFile.test_named_temporary_file). */
ANYC_TEST(test_temporary_file__has_a_name_until_it_is_closed)
{
    anyc_file *file = NULL;
    const char *path;

    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    path = anyc_file_path(file);
    ck_assert_ok(access(path, F_OK));
    file_put(file, "Temporary file");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    check_read(file, SIZE_MAX, "Temporary file");
    ck_assert_ok(anyc_close(file));
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_ok(anyc_aclose(file));
}

/* TF-002 (TestNamedTemporaryFile.test_exception_handling). */
ANYC_TEST(test_temporary_file__is_closed_afterwards)
{
    anyc_file *file = NULL;

    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    ck_assert_ok(anyc_close(file));
    ck_assert_int_eq(access(anyc_file_path(file), F_OK), -1);
    ck_assert_int_eq(anyc_file_write(file, "x", 1), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_temporary_file__may_stay_or_be_gone_before)
{
    anyc_named_temporary_file_options options = {.keep = true, .prefix = "stays-"};
    struct scratch scratch;
    anyc_file *file = NULL;

    ck_assert_ok(anyc_named_temporary_file(&options, &file));
    (void)snprintf(scratch.path, sizeof scratch.path, "%s", anyc_file_path(file));
    file_put(file, "abc");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abc");
    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    ck_assert_ok(unlink(anyc_file_path(file)));
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_temporary_file__has_no_name)
{
    anyc_file *file = NULL;
    struct stat status;

    ck_assert_ok(anyc_temporary_file(NULL, &file));
    ck_assert_ptr_null(anyc_file_path(file));
    ck_assert_ok(fstat(fileno(anyc_file_wrapped(file)), &status));
    ck_assert_uint_eq(status.st_nlink, 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    file_put(file, "abc");
    ck_assert_int_eq(anyc_file_seek(file, 1, SEEK_SET), 1);
    check_read(file, SIZE_MAX, "bc");
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_temporary_file__refuses_what_makes_no_sense)
{
    char name[300] = "";
    anyc_file *file;

    ck_assert_int_eq(anyc_temporary_file(&(anyc_temporary_file_options){.mode = "q"}, &file),
                     ANYC_EINVAL);
    ck_assert_int_eq(
        anyc_named_temporary_file(&(anyc_named_temporary_file_options){.prefix = "../x"}, &file),
        ANYC_EINVAL);
    ck_assert_int_eq(
        anyc_named_temporary_file(&(anyc_named_temporary_file_options){.suffix = "/x"}, &file),
        ANYC_EINVAL);
    ck_assert_int_eq(
        anyc_named_temporary_file(&(anyc_named_temporary_file_options){.dir = "/no/such"}, &file),
        -ENOENT);
    ck_assert_int_eq(anyc_temporary_file(&(anyc_temporary_file_options){.dir = "/no/such"}, &file),
                     -ENOENT);
    ck_assert_int_eq(anyc_temporary_file(&(anyc_temporary_file_options){.dir = "/dev/null"}, &file),
                     -ENOTDIR);
    memset(name, 'x', sizeof name - 1);
    ck_assert_int_eq(
        anyc_named_temporary_file(&(anyc_named_temporary_file_options){.prefix = name}, &file),
        -ENAMETOOLONG);
}

static bool is_closed_on_exec(const anyc_file *file)
{
    return (fcntl(fileno(anyc_file_wrapped(file)), F_GETFD) & FD_CLOEXEC) != 0;
}

/* What exists is never opened, so every mode begins with an empty file. */
ANYC_TEST(test_temporary_file__can_be_used_as_its_mode_says)
{
    anyc_temporary_file_options options = {.mode = "r"};
    anyc_bytes bytes;
    anyc_file *file = NULL;

    ck_assert_ok(anyc_temporary_file(&options, &file));
    ck_assert_int_eq(anyc_file_write(file, "x", 1), -EBADF);
    check_read(file, SIZE_MAX, "");
    ck_assert_ok(anyc_aclose(file));
    options.mode = "x";
    ck_assert_ok(anyc_named_temporary_file(&options, &file));
    file_put(file, "x");
    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), -EBADF);
    ck_assert_ok(anyc_aclose(file));
    options.mode = "ab+";
    ck_assert_ok(anyc_named_temporary_file(&options, &file));
    ck_assert(is_closed_on_exec(file));
    file_put(file, "ab");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    file_put(file, "c"); /* at the end */
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    check_read(file, SIZE_MAX, "abc");
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_temporary_file__has_a_limiter_and_any_name)
{
    anyc_capacity_limiter limiter;
    const anyc_temporary_file_options options = {
        .limiter = &limiter, .prefix = "\xff-", .suffix = "\n"};
    anyc_file *file = NULL;
    struct stat status;

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_named_temporary_file(&options, &file));
    ck_assert_ptr_eq(anyc_file_limiter(file), &limiter);
    ck_assert_ptr_nonnull(strstr(anyc_file_path(file), "/\xff-"));
    ck_assert_ok(stat(anyc_file_path(file), &status));
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_assert_ok(anyc_aclose(file));
    ck_assert_ok(anyc_temporary_file(&options, &file));
    ck_assert_ptr_eq(anyc_file_limiter(file), &limiter);
    ck_assert(is_closed_on_exec(file));
    ck_assert_ok(anyc_aclose(file));
    anyc_capacity_limiter_deinit(&limiter);
}

/* By force too, and whatever is cancelled. */
ANYC_TEST(test_temporary_file__is_removed_however_it_ends)
{
    char path[64];
    anyc_cancel_scope scope;
    anyc_file *file = NULL;

    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    (void)snprintf(path, sizeof path, "%s", anyc_file_path(file));
    anyc_aclose_forcefully(file);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    (void)snprintf(path, sizeof path, "%s", anyc_file_path(file));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_aclose(file));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_int_eq(access(path, F_OK), -1);
}

/* The name is removed, and the failure told, when the last bytes find no room. */
ANYC_TEST(test_temporary_file__is_removed_if_its_close_fails)
{
    struct rlimit old;
    struct rlimit limit;
    anyc_file *file = NULL;
    int rc;

    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_ok(anyc_named_temporary_file(NULL, &file));
    file_put(file, "abc");
    ck_assert_ok(getrlimit(RLIMIT_FSIZE, &old));
    limit = old;
    limit.rlim_cur = 1;
    ck_assert_ok(setrlimit(RLIMIT_FSIZE, &limit)); /* no output from here on */
    rc = anyc_close(file);
    ck_assert_ok(setrlimit(RLIMIT_FSIZE, &old));
    ck_assert_int_eq(rc, -EFBIG);
    ck_assert_int_eq(access(anyc_file_path(file), F_OK), -1);
    ck_assert_ok(anyc_aclose(file));
}

static bool text_ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* TF-009 (test_mkstemp); OS-R020. Bytes and text are one in C. */
ANYC_TEST(test_temporary_file__makes_a_name_for_a_file)
{
    const anyc_mkstemp_options options = {.suffix = ".txt", .prefix = "mkstemp_"};
    struct stat status;
    anyc_bytes path;
    int fd = -1;

    ck_assert_ok(anyc_mkstemp(&options, &fd, &path));
    ck_assert_int_eq(((char *)path.data)[0], '/');
    ck_assert_ptr_nonnull(strstr(path.data, "/mkstemp_"));
    ck_assert(text_ends_with(path.data, ".txt"));
    ck_assert_uint_eq(path.len, strlen(path.data));
    ck_assert_int_eq(write(fd, "mkstemp content", 15), 15);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_ok(fstat(fd, &status));
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    close(fd);
    ck_assert_str_eq(content_of_path(path.data), "mkstemp content");
    ck_assert_ok(unlink(path.data));
    anyc_bytes_deinit(&path);
}

/* TF-010 (test_mkdtemp); OS-R020. */
ANYC_TEST(test_temporary_file__makes_a_name_for_a_directory)
{
    const anyc_mkdtemp_options options = {.prefix = "mkdtemp_"};
    struct stat status;
    anyc_bytes path;

    ck_assert_ok(anyc_mkdtemp(&options, &path));
    ck_assert_ptr_nonnull(strstr(path.data, "/mkdtemp_"));
    ck_assert_ok(stat(path.data, &status));
    ck_assert(S_ISDIR(status.st_mode));
    ck_assert_int_eq(status.st_mode & 0777, 0700);
    ck_assert_ok(rmdir(path.data));
    anyc_bytes_deinit(&path);
}

static void check_temporary_dir(const char *expected)
{
    anyc_bytes path;

    ck_assert_ok(anyc_gettempdir(&path));
    check_bytes(&path, expected);
}

/* TF-011 (test_gettemp_functions); OS-R020: the order, and what cannot be written to is passed over. */
ANYC_TEST(test_temporary_file__finds_the_directory)
{
    char dir[] = "/tmp/anyc-tempdir-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(dir));
    unsetenv("TMPDIR");
    unsetenv("TEMP");
    unsetenv("TMP");
    check_temporary_dir("/tmp");
    setenv("TMP", dir, 1);
    check_temporary_dir(dir);
    setenv("TEMP", "/var/tmp", 1);
    check_temporary_dir("/var/tmp");
    setenv("TMPDIR", dir, 1);
    check_temporary_dir(dir);
    setenv("TMPDIR", "/no/such", 1);
    check_temporary_dir("/var/tmp");
    setenv("TEMP", "/dev/null", 1);
    check_temporary_dir(dir);
    setenv("TMPDIR", "", 1); /* as if it were not set */
    check_temporary_dir(dir);
    ck_assert_ok(rmdir(dir));
}

/* Slashes too many are taken out, as ".", so that paths can be compared. */
ANYC_TEST(test_temporary_file__tidies_the_directory)
{
    char dir[] = "/tmp/anyc-tidy-XXXXXX";
    char path[64];
    anyc_bytes made;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("TMPDIR", "/tmp/", 1);
    check_temporary_dir("/tmp");
    setenv("TMPDIR", "//var/./tmp//.", 1);
    check_temporary_dir("/var/tmp");
    ck_assert_ok(chdir(dir));
    setenv("TMPDIR", "./", 1);
    check_temporary_dir(dir);
    setenv("TMPDIR", ".", 1);
    check_temporary_dir(dir);
    setenv("TMPDIR", "..", 1); /* it stays: a link might be before it */
    (void)snprintf(path, sizeof path, "%s/..", dir);
    check_temporary_dir(path);
    ck_assert_ok(anyc_mkdtemp(&(anyc_mkdtemp_options){.dir = ".//"}, &made));
    ck_assert_int_eq(strncmp(made.data, dir, strlen(dir)), 0);
    ck_assert_uint_eq(made.len, strlen(dir) + strlen("/tmpxxxxxxxx"));
    ck_assert_ok(rmdir(made.data));
    anyc_bytes_deinit(&made);
    ck_assert_ok(rmdir(dir));
}

/* What the user may not write to is passed over. */
ANYC_TEST(test_temporary_file__passes_over_what_is_closed_to_it)
{
    char dir[] = "/tmp/anyc-closed-XXXXXX";
    uid_t user = geteuid();

    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_ok(chmod(dir, 0555));
    setenv("TMPDIR", dir, 1);
    unsetenv("TEMP");
    unsetenv("TMP");
    if (user == 0) /* who may write anywhere */
        ck_assert_ok(seteuid(65534));
    check_temporary_dir("/tmp");
    ck_assert_ok(seteuid(user));
    ck_assert_ok(rmdir(dir));
}

/* Two names are never the same, and paths are absolute. */
ANYC_TEST(test_temporary_file__is_absolute_in_a_relative_directory)
{
    char dir[] = "/tmp/anyc-relative-XXXXXX";
    anyc_bytes first;
    anyc_bytes second;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_ok(chdir(dir));
    ck_assert_ok(anyc_mkdtemp(&(anyc_mkdtemp_options){.dir = "."}, &first));
    ck_assert_ok(anyc_mkdtemp(&(anyc_mkdtemp_options){.dir = first.data}, &second));
    ck_assert_int_eq(strncmp(first.data, dir, strlen(dir)), 0);
    ck_assert_int_eq(strncmp(second.data, first.data, first.len), 0);
    ck_assert_ok(rmdir(second.data));
    ck_assert_ok(rmdir(first.data));
    ck_assert_ok(rmdir(dir));
    anyc_bytes_deinit(&first);
    anyc_bytes_deinit(&second);
}

ANYC_TEST(test_temporary_file__tells_that_descriptors_are_out)
{
    struct rlimit old = limit_fds(0);
    anyc_file *file = NULL;
    anyc_bytes path;
    int fd;
    int rc[3];

    rc[0] = anyc_temporary_file(NULL, &file);
    rc[1] = anyc_named_temporary_file(NULL, &file);
    rc[2] = anyc_mkstemp(NULL, &fd, &path);
    unlimit_fds(&old);
    ck_assert_int_eq(rc[0], -EMFILE);
    ck_assert_int_eq(rc[1], -EMFILE);
    ck_assert_int_eq(rc[2], -EMFILE);
}

ANYC_TEST(test_temporary_file__makes_nothing_in_a_cancelled_scope)
{
    anyc_temporary_dir *dir;
    anyc_cancel_scope scope;
    anyc_file *file;
    anyc_bytes path;
    int fd;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_temporary_file(NULL, &file), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_named_temporary_file(NULL, &file), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_spooled_temporary_file(NULL, &file), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_temporary_directory(NULL, &dir), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_mkstemp(NULL, &fd, &path), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_mkdtemp(NULL, &path), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_gettempdir(&path), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

struct scarce {
    long n;
    bool failed;
};

static int scarce_steps(void *arg)
{
    struct scarce *scarce = arg;
    anyc_temporary_dir *dir = NULL;
    anyc_file *file = NULL;
    anyc_file *spooled = NULL;
    int rc;

    fail_alloc_arm(scarce->n);
    rc = anyc_temporary_directory(NULL, &dir);
    if (rc == 0)
        rc = anyc_named_temporary_file(
            &(anyc_named_temporary_file_options){.dir = anyc_temporary_dir_path(dir)}, &file);
    if (rc == 0)
        rc = anyc_spooled_temporary_file(&(anyc_spooled_temporary_file_options){.max_size = 100},
                                         &spooled);
    if (rc == 0 && anyc_file_write(spooled, "abc", 3) < 0)
        rc = ANYC_ENOMEM;
    if (rc == 0)
        rc = anyc_spooled_temporary_file_rollover(spooled);
    scarce->failed = fail_alloc_disarm();
    ck_assert(rc == 0 || rc == ANYC_ENOMEM);
    if (spooled != NULL)
        ck_assert_ok(anyc_aclose(spooled));
    if (file != NULL)
        ck_assert_ok(anyc_aclose(file));
    if (dir != NULL) /* nothing must be left in it */
        ck_assert_ok(rmdir(anyc_temporary_dir_path(dir)));
    return dir != NULL ? anyc_aclose(dir) : 0;
}

ANYC_TEST_PLAIN(test_temporary_file__leaves_nothing_behind_without_memory)
{
    struct scarce scarce = {1, true};

    fail_alloc_install();
    for (; scarce.failed; scarce.n++) {
        ck_assert_ok(run_on_backend(scarce_steps, &scarce));
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_gt(scarce.n, 8);
    ck_assert_ok(anyc_set_allocator(NULL));
}
