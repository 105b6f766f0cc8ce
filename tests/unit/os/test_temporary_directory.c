/* SPDX-License-Identifier: MIT */
/*
 * test_temporary_directory.c - directories that go by themselves.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/steps.h"

static anyc_temporary_dir *directory_make(void)
{
    anyc_temporary_dir *dir = NULL;

    ck_assert_ok(anyc_temporary_directory(NULL, &dir));
    return dir;
}

/* The path of a file in it. */
static struct scratch file_in(const anyc_temporary_dir *dir)
{
    struct scratch scratch;

    (void)snprintf(scratch.path, sizeof scratch.path, "%s/test.txt", anyc_temporary_dir_path(dir));
    return scratch;
}

static void file_make_in(const anyc_temporary_dir *dir)
{
    struct scratch scratch = file_in(dir);
    anyc_file *file = file_open(scratch.path, "w");

    file_put(file, "temporary directory test");
    ck_assert_ok(anyc_aclose(file));
    ck_assert_str_eq(content_of_path(scratch.path), "temporary directory test");
}

/* TF-006 (TestTemporaryDirectory.test_context_manager). */
ANYC_TEST(test_temporary_directory__goes_when_it_is_closed)
{
    anyc_temporary_dir *dir = directory_make();
    struct stat status;

    ck_assert_ok(stat(anyc_temporary_dir_path(dir), &status));
    ck_assert(S_ISDIR(status.st_mode));
    ck_assert_int_eq(status.st_mode & 0777, 0700);
    file_make_in(dir);
    ck_assert_ok(anyc_close(dir));
    ck_assert_int_eq(access(file_in(dir).path, F_OK), -1);
    ck_assert_int_eq(access(anyc_temporary_dir_path(dir), F_OK), -1);
    ck_assert_ok(anyc_aclose(dir));
}

/* TF-007 (TestTemporaryDirectory.test_cleanup_method); OS-R020: it may be repeated. */
ANYC_TEST(test_temporary_directory__can_be_removed_before)
{
    anyc_temporary_dir *dir = directory_make();

    file_make_in(dir);
    ck_assert_ok(anyc_temporary_dir_cleanup(dir));
    ck_assert_int_eq(access(anyc_temporary_dir_path(dir), F_OK), -1);
    ck_assert_ok(anyc_temporary_dir_cleanup(dir));
    ck_assert_ok(anyc_aclose(dir));
}

/* TF-008 (TestTemporaryDirectory.test_exception_handling). */
ANYC_TEST(test_temporary_directory__takes_nothing_afterwards)
{
    anyc_temporary_dir *dir = directory_make();
    anyc_file *file;

    ck_assert_ok(anyc_close(dir));
    ck_assert_int_eq(access(anyc_temporary_dir_path(dir), F_OK), -1);
    ck_assert_int_eq(anyc_open_file(file_in(dir).path, "w", NULL, &file), -ENOENT);
    ck_assert_ok(anyc_aclose(dir));
}

ANYC_TEST(test_temporary_directory__may_stay)
{
    const anyc_temporary_directory_options options = {.keep = true, .suffix = ".d"};
    anyc_temporary_dir *dir = NULL;

    ck_assert_ok(anyc_temporary_directory(&options, &dir));
    ck_assert_ok(anyc_close(dir));
    ck_assert_ok(rmdir(anyc_temporary_dir_path(dir)));
    ck_assert_ok(anyc_aclose(dir));
}

ANYC_TEST(test_temporary_directory__goes_in_a_cancelled_scope)
{
    anyc_temporary_dir *dir = directory_make();
    struct scratch scratch = file_in(dir);
    anyc_cancel_scope scope;

    file_make_in(dir);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_temporary_dir_cleanup(dir), ANYC_ECANCELLED);
    ck_assert_ok(access(scratch.path, F_OK));
    ck_assert_ok(anyc_aclose(dir));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_int_eq(access(scratch.path, F_OK), -1);
}

ANYC_TEST(test_temporary_directory__goes_by_force)
{
    anyc_temporary_dir *dir = directory_make();
    struct scratch scratch = file_in(dir);

    file_make_in(dir);
    anyc_aclose_forcefully(dir);
    ck_assert_int_eq(access(scratch.path, F_OK), -1);
}

/* What took its place is no directory of ours. */
ANYC_TEST(test_temporary_directory__tells_what_it_cannot_remove)
{
    const anyc_temporary_directory_options options = {.ignore_cleanup_errors = true};
    anyc_temporary_dir *dir = directory_make();

    ck_assert_ok(rmdir(anyc_temporary_dir_path(dir)));
    ck_assert_ok(symlink("/tmp", anyc_temporary_dir_path(dir)));
    ck_assert_int_eq(anyc_temporary_dir_cleanup(dir), -ENOTDIR);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, anyc_temporary_dir_path(dir)));
    ck_assert_ok(unlink(anyc_temporary_dir_path(dir)));
    ck_assert_ok(anyc_aclose(dir));
    ck_assert_ok(anyc_temporary_directory(&options, &dir));
    ck_assert_ok(rmdir(anyc_temporary_dir_path(dir)));
    ck_assert_ok(symlink("/tmp", anyc_temporary_dir_path(dir)));
    ck_assert_ok(anyc_temporary_dir_cleanup(dir));
    ck_assert_ok(unlink(anyc_temporary_dir_path(dir)));
    ck_assert_ok(anyc_aclose(dir));
}

/* So does its close, once; it may be told to be content. */
ANYC_TEST(test_temporary_directory__tells_it_when_it_is_closed)
{
    for (int ignore = 0; ignore < 2; ignore++) {
        const anyc_temporary_directory_options options = {.ignore_cleanup_errors = ignore == 1};
        anyc_temporary_dir *dir = NULL;

        ck_assert_ok(anyc_temporary_directory(&options, &dir));
        ck_assert_ok(rmdir(anyc_temporary_dir_path(dir)));
        ck_assert_ok(symlink("/tmp", anyc_temporary_dir_path(dir)));
        ck_assert_int_eq(anyc_close(dir), ignore == 1 ? 0 : -ENOTDIR);
        ck_assert_ok(anyc_close(dir));
        ck_assert_ok(unlink(anyc_temporary_dir_path(dir)));
        ck_assert_ok(anyc_aclose(dir));
    }
}

static void fill(const anyc_temporary_dir *dir)
{
    char path[128];

    for (int i = 0; i < 300; i++) {
        (void)snprintf(path, sizeof path, "%s/%03d", anyc_temporary_dir_path(dir), i / 3);
        if (i % 3 == 0)
            ck_assert_ok(mkdir(path, 0700));
        (void)strncat(path, i % 3 == 1 ? "/a" : "/b", 3);
        ck_assert_ok(i % 3 == 0 ? 0 : mknod(path, S_IFREG | 0600, 0));
    }
}

static int cleanup_task(void *arg)
{
    return anyc_temporary_dir_cleanup(arg);
}

/* Each finds gone what the others have removed. */
ANYC_TEST(test_temporary_directory__may_be_removed_by_several_at_once)
{
    anyc_temporary_dir *dir = directory_make();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    fill(dir);
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 4; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, cleanup_task, dir, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(access(anyc_temporary_dir_path(dir), F_OK), -1);
    ck_assert_ok(anyc_aclose(dir));
}
