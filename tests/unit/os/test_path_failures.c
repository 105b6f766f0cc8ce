/* SPDX-License-Identifier: MIT */
/*
 * test_path_failures.c - questions to the disk, and contents, with each of their system calls failing
 * in each way (see support/failing.h).
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fail_syscall.h"
#include "support/failing.h"

static void expect_made(const struct place *place, const char *text)
{
    ck_assert_str_eq(anyc_path_str(place->made), text);
}

static int64_t run_cwd(struct place *place)
{
    return anyc_path_cwd(NULL, &place->made);
}

static void check_cwd(struct place *place, int64_t rc)
{
    char cwd[4096];

    ck_assert_int_eq(rc, 0);
    expect_made(place, getcwd(cwd, sizeof cwd));
}

static void before_home(struct place *place)
{
    (void)place;
    unsetenv("HOME"); /* so that the system is asked */
}

static int64_t run_home(struct place *place)
{
    return anyc_path_home(NULL, &place->made);
}

static int64_t run_expanduser(struct place *place)
{
    return anyc_path_expanduser(place->path, &place->made);
}

static void check_home(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(*anyc_path_str(place->made), '/');
}

static void before_relative(struct place *place)
{
    anyc_path_destroy(place->path);
    place->path = NULL;
    ck_assert_int_eq(anyc_path_create("some/file", NULL, &place->path), 0);
}

static int64_t run_absolute(struct place *place)
{
    return anyc_path_absolute(place->path, &place->made);
}

static void check_absolute(struct place *place, int64_t rc)
{
    char cwd[4096];
    char wanted[4200];

    ck_assert_int_eq(rc, 0);
    snprintf(wanted, sizeof wanted, "%s/some/file", getcwd(cwd, sizeof cwd));
    expect_made(place, wanted);
}

static int64_t run_resolve(struct place *place)
{
    return anyc_path_resolve(place->path, true, &place->made);
}

static int64_t run_resolve_loosely(struct place *place)
{
    return anyc_path_resolve(place->path, false, &place->made);
}

static void check_resolve(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    expect_made(place, place_text(place, "file"));
}

/* What fails is taken as it is. */
static void check_resolve_loosely(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_ptr_nonnull(strstr(anyc_path_str(place->made), place->folder));
}

static int64_t run_readlink(struct place *place)
{
    return anyc_path_readlink(place->path, &place->made);
}

static void check_readlink(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    expect_made(place, "file");
}

static int64_t run_stat(struct place *place)
{
    return anyc_path_stat(place->path, NULL, &place->status);
}

static int64_t run_lstat(struct place *place)
{
    return anyc_path_lstat(place->path, &place->status);
}

static void check_stat(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(place->status.st_size, (off_t)strlen(FAILING_TEXT));
}

static int64_t run_exists(struct place *place)
{
    return anyc_path_exists(place->path, NULL);
}

static int64_t run_is_dir(struct place *place)
{
    return anyc_path_is_dir(place->path, NULL);
}

static int64_t run_is_file(struct place *place)
{
    return anyc_path_is_file(place->path, NULL);
}

static int64_t run_is_symlink(struct place *place)
{
    return anyc_path_is_symlink(place->path);
}

static int64_t run_is_block_device(struct place *place)
{
    return anyc_path_is_block_device(place->path);
}

static int64_t run_is_char_device(struct place *place)
{
    return anyc_path_is_char_device(place->path);
}

static int64_t run_is_fifo(struct place *place)
{
    return anyc_path_is_fifo(place->path);
}

static int64_t run_is_socket(struct place *place)
{
    return anyc_path_is_socket(place->path);
}

static int64_t run_is_mount(struct place *place)
{
    return anyc_path_is_mount(place->path);
}

static int64_t run_samefile(struct place *place)
{
    return anyc_path_samefile(place->path, place_text(place, "file"));
}

static void check_yes(struct place *place, int64_t rc)
{
    (void)place;
    ck_assert_int_eq(rc, 1);
}

static void check_no(struct place *place, int64_t rc)
{
    (void)place;
    ck_assert_int_eq(rc, 0);
}

static int64_t run_owner(struct place *place)
{
    return anyc_path_owner(place->path, NULL, &place->text);
}

static int64_t run_group(struct place *place)
{
    return anyc_path_group(place->path, NULL, &place->text);
}

static void check_name(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_gt(strlen(place->text), 0);
}

static int64_t run_read_bytes(struct place *place)
{
    return anyc_path_read_bytes(place->path, (uint8_t **)&place->text, &place->len);
}

static int64_t run_read_text(struct place *place)
{
    return anyc_path_read_text(place->path, NULL, &place->text, &place->len);
}

static void check_content(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(place->len, strlen(FAILING_TEXT));
    ck_assert_str_eq(place->text, FAILING_TEXT);
}

static int64_t run_read_encoded(struct place *place)
{
    const anyc_path_text_options options = {.encoding = "CP932"}; /* by a module of iconv's */

    return anyc_path_read_text(place->path, &options, &place->text, &place->len);
}

static int64_t run_open(struct place *place)
{
    return anyc_path_open(place->path, "r+", NULL, &place->file);
}

static void check_open(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_file_readinto(place->file, place->buf, sizeof place->buf),
                     (ssize_t)strlen(FAILING_TEXT));
}

/* The name services have calls of their own, and answer "unknown" to some failures. */
#define NAME_SERVICE "openat close read fstat newfstatat lseek fcntl"

static const struct failing_op ops[] = {
    {"anyc_path_cwd", .run = run_cwd, .check = check_cwd, .says = "working directory"},
    {"anyc_path_home", .before = before_home, .run = run_home, .check = check_home, .says = "home",
     .ignores = NAME_SERVICE, .other = -ENOENT},
    {"anyc_path_absolute", .before = before_relative, .run = run_absolute, .check = check_absolute,
     .says = "some/file"},
    {"anyc_path_expanduser", .at = "~root", .run = run_expanduser, .check = check_home,
     .says = "home of ~root", .ignores = NAME_SERVICE, .other = -ENOENT},
    {"anyc_path_resolve", .at = "link", .run = run_resolve, .check = check_resolve},
    {"anyc_path_resolve (not strict)", .at = "link", .run = run_resolve_loosely,
     .check = check_resolve_loosely, .ignores = "readlink readlinkat"},
    {"anyc_path_readlink", .at = "link", .run = run_readlink, .check = check_readlink},
    {"anyc_path_stat", .at = "link", .run = run_stat, .check = check_stat},
    {"anyc_path_lstat", .run = run_lstat, .check = check_stat},
    {"anyc_path_exists", .run = run_exists, .check = check_yes},
    {"anyc_path_is_dir", .at = "dir", .run = run_is_dir, .check = check_yes},
    {"anyc_path_is_file", .run = run_is_file, .check = check_yes},
    {"anyc_path_is_symlink", .at = "link", .run = run_is_symlink, .check = check_yes},
    {"anyc_path_is_block_device", .run = run_is_block_device, .check = check_no},
    {"anyc_path_is_char_device", .at = "/dev/null", .run = run_is_char_device, .check = check_yes,
     .says = "/dev/null"},
    {"anyc_path_is_fifo", .run = run_is_fifo, .check = check_no},
    {"anyc_path_is_socket", .run = run_is_socket, .check = check_no},
    {"anyc_path_is_mount", .at = "dir", .run = run_is_mount, .check = check_no},
    {"anyc_path_samefile", .at = "link", .run = run_samefile, .check = check_yes},
    {"anyc_path_owner", .run = run_owner, .check = check_name, .ignores = NAME_SERVICE,
     .other = ANYC_ENOTFOUND},
    {"anyc_path_group", .run = run_group, .check = check_name, .ignores = NAME_SERVICE,
     .other = ANYC_ENOTFOUND},
    {"anyc_path_read_bytes", .run = run_read_bytes, .check = check_content, .ignores = "close"},
    {"anyc_path_read_text", .run = run_read_text, .check = check_content, .ignores = "close"},
    {"anyc_path_read_text (in an encoding)", .run = run_read_encoded, .check = check_content,
     .ignores = "openat close read fstat newfstatat", .other = ANYC_EINVAL},
    {"anyc_path_open", .run = run_open, .check = check_open},
};

ANYC_TEST_WITH(test_path_failures__are_told_by_questions, .plain = true, .timeout = 120)
{
    failing_run(ops, sizeof ops / sizeof *ops);
}

/* pathlib's _IGNORED_ERRNOS: whatever these questions ask for is not there then. */
static int absent_main(void *arg)
{
    static int64_t (*const questions[])(struct place * place) = {
        run_exists,         run_is_dir,  run_is_file,   run_is_symlink, run_is_block_device,
        run_is_char_device, run_is_fifo, run_is_socket, run_is_mount};
    static const int errors[] = {ENOENT, ENOTDIR, ELOOP, EBADF};
    struct place place = {.fd = -1};

    (void)arg;
    ck_assert_int_eq(anyc_path_create("/", NULL, &place.path), 0);
    ck_assert_int_eq(run_exists(&place), 1); /* its thread has begun */
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
            int64_t rc;

            fail_syscall_arm(1, errors[k]);
            rc = questions[i](&place);
            ck_assert_ptr_nonnull(fail_syscall_disarm());
            ck_assert_int_eq(rc, 0);
        }
    }
    anyc_path_destroy(place.path);
    return 0;
}

ANYC_TEST_PLAIN(test_path_failures__may_mean_that_there_is_no_such_file)
{
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_syscall_install();
    ck_assert_int_eq(anyc_run_with(absent_main, NULL, &options), 0);
}
