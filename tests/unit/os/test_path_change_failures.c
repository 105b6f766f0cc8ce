/* SPDX-License-Identifier: MIT */
/*
 * test_path_change_failures.c - changes of the disk, with each of their system calls failing in each
 * way (see support/failing.h). What was to be moved is never lost.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/failing.h"

#define RENAMES "rename renameat renameat2"

/* -- what a call or two do -- */

static int64_t run_chmod(struct place *place)
{
    return anyc_path_chmod(place->path, 0640, NULL);
}

static int64_t run_lchmod(struct place *place)
{
    return anyc_path_lchmod(place->path, 0640);
}

static void check_chmod(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(stat(place_text(place, "file"), &place->status), 0);
    ck_assert_int_eq(place->status.st_mode & 0777, 0640);
}

static int64_t run_mkdir(struct place *place)
{
    return anyc_path_mkdir(place->path, NULL);
}

static int64_t run_mkdir_parents(struct place *place)
{
    return anyc_path_mkdir(place->path, &(anyc_path_mkdir_options){.parents = true});
}

static int64_t run_mkdir_exist_ok(struct place *place)
{
    return anyc_path_mkdir(place->path, &(anyc_path_mkdir_options){.exist_ok = true});
}

static void check_is_dir(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(stat(anyc_path_str(place->path), &place->status), 0);
    ck_assert(S_ISDIR(place->status.st_mode));
}

static int64_t run_rmdir(struct place *place)
{
    return anyc_path_rmdir(place->path);
}

static int64_t run_unlink(struct place *place)
{
    return anyc_path_unlink(place->path, true);
}

static void check_gone(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_ne(lstat(anyc_path_str(place->path), &place->status), 0);
}

static void before_touch(struct place *place)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    ck_assert_int_eq(utimensat(AT_FDCWD, place_text(place, "file"), times, 0), 0);
}

static int64_t run_touch(struct place *place)
{
    return anyc_path_touch(place->path, NULL);
}

static int64_t run_touch_new(struct place *place)
{
    return anyc_path_touch(place->path, &(anyc_path_touch_options){.must_be_new = true});
}

static void again_touch_new(struct place *place)
{
    place_remove(place, "new");
}

static void check_touch(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(stat(anyc_path_str(place->path), &place->status), 0);
    ck_assert_int_gt(place->status.st_mtim.tv_sec, 1);
}

static int64_t run_symlink_to(struct place *place)
{
    return anyc_path_symlink_to(place->path, "file");
}

static int64_t run_hardlink_to(struct place *place)
{
    return anyc_path_hardlink_to(place->path, place_text(place, "file"));
}

static void check_new(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    place_expect(place, "new", FAILING_TEXT);
}

static void check_made_new(struct place *place, int64_t rc)
{
    check_new(place, rc);
    ck_assert_str_eq(anyc_path_str(place->made), place_text(place, "new"));
}

static int64_t run_rename(struct place *place)
{
    return anyc_path_rename(place->path, place_text(place, "new"), &place->made);
}

static int64_t run_replace(struct place *place)
{
    return anyc_path_replace(place->path, place_text(place, "new"), &place->made);
}

static void check_moved(struct place *place, int64_t rc)
{
    check_made_new(place, rc);
    ck_assert(!place_has(place, "file"));
}

/* -- contents -- */

static int64_t run_write_bytes(struct place *place)
{
    return anyc_path_write_bytes(place->path, FAILING_TEXT, strlen(FAILING_TEXT));
}

static int64_t run_write_text(struct place *place)
{
    return anyc_path_write_text(place->path, FAILING_TEXT, strlen(FAILING_TEXT), NULL);
}

/* -- copies -- */

static int64_t run_copy(struct place *place)
{
    return anyc_path_copy(place->path, place_text(place, "new"), NULL, &place->made);
}

static int64_t run_copy_whole(struct place *place)
{
    const anyc_path_copy_options options = {.preserve_metadata = true, .no_follow = true};

    return anyc_path_copy(place->path, place_text(place, "new"), &options, &place->made);
}

static void again_new(struct place *place)
{
    place_remove(place, "new");
}

static void before_copy_link(struct place *place)
{
    ck_assert_int_eq(symlink("inner", place_text(place, "dir/link")), 0);
}

static void check_tree(const struct place *place, const char *name)
{
    char inner[64];
    char deep[64];

    snprintf(inner, sizeof inner, "%s/inner", name);
    snprintf(deep, sizeof deep, "%s/sub/deep", name);
    place_expect(place, inner, "inner");
    place_expect(place, deep, "deep");
}

static void check_copied_tree(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    check_tree(place, "dir");
    check_tree(place, "new");
    ck_assert_uint_eq(place_count(place, "new"), place_count(place, "dir"));
    ck_assert_str_eq(anyc_path_str(place->made), place_text(place, "new"));
}

static int64_t run_copy_into(struct place *place)
{
    return anyc_path_copy_into(place->path, place_text(place, "empty"), NULL, &place->made);
}

static int64_t run_move_into(struct place *place)
{
    return anyc_path_move_into(place->path, place_text(place, "empty"), &place->made);
}

static void check_into(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    place_expect(place, "empty/file", FAILING_TEXT);
}

/* -- moves -- */

static int64_t run_move(struct place *place)
{
    return anyc_path_move(place->path, place_text(place, "new"), &place->made);
}

/* As long as the target is not whole, the source is. */
static void failed_move(struct place *place)
{
    if (place_has(place, "file"))
        place_expect(place, "file", FAILING_TEXT);
    else
        place_expect(place, "new", FAILING_TEXT);
}

static void failed_move_into(struct place *place)
{
    if (place_has(place, "file"))
        place_expect(place, "file", FAILING_TEXT);
    else
        place_expect(place, "empty/file", FAILING_TEXT);
}

static bool is_tree_whole(const struct place *place, const char *folder)
{
    char inner[64];
    char deep[64];

    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(deep, sizeof deep, "%s/sub/deep", folder);
    return place_has(place, inner) && place_has(place, deep);
}

static void failed_move_tree(struct place *place)
{
    check_tree(place, is_tree_whole(place, "dir") ? "dir" : "new");
}

/* What is left of the source may be less than all: it is put together once more. */
static void again_move_tree(struct place *place)
{
    if (!is_tree_whole(place, "dir")) {
        place_remove(place, "dir");
        ck_assert_int_eq(rename(place_text(place, "new"), place_text(place, "dir")), 0);
    }
    place_remove(place, "new");
}

static void again_move(struct place *place)
{
    if (!place_has(place, "file"))
        ck_assert_int_eq(rename(place_text(place, "new"), place_text(place, "file")), 0);
}

static void check_moved_tree(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    check_tree(place, "new");
    ck_assert(!place_has(place, "dir"));
}

/* Of what was only read from. */
#define READ_ONLY "close"

/* Looking whether the target is the source, or lies in it: what may not be looked at is not. */
#define LOOK "openat stat fstat newfstatat"

static const struct failing_op change_ops[] = {
    {"anyc_path_chmod", .run = run_chmod, .check = check_chmod},
    {"anyc_path_lchmod", .run = run_lchmod, .check = check_chmod, .ignores = "close newfstatat"},
    {"anyc_path_mkdir", .at = "new", .run = run_mkdir, .check = check_is_dir},
    {"anyc_path_mkdir (parents)", .at = "new/new/new", .run = run_mkdir_parents,
     .check = check_is_dir},
    {"anyc_path_mkdir (exist_ok)", .at = "dir", .run = run_mkdir_exist_ok, .check = check_is_dir,
     .ignores = "mkdir mkdirat", .other = -EEXIST},
    {"anyc_path_rmdir", .at = "empty", .run = run_rmdir, .check = check_gone},
    {"anyc_path_touch", .before = before_touch, .run = run_touch, .check = check_touch},
    {"anyc_path_touch (of nothing)", .at = "new", .run = run_touch, .check = check_touch},
    {"anyc_path_touch (must_be_new)", .at = "new", .run = run_touch_new, .check = check_touch,
     .again = again_touch_new},
    {"anyc_path_unlink", .run = run_unlink, .check = check_gone},
    {"anyc_path_symlink_to", .at = "new", .run = run_symlink_to, .check = check_new},
    {"anyc_path_hardlink_to", .at = "new", .run = run_hardlink_to, .check = check_new},
    {"anyc_path_rename", .run = run_rename, .check = check_moved},
    {"anyc_path_replace", .run = run_replace, .check = check_moved},
    {"anyc_path_write_bytes", .at = "new", .run = run_write_bytes, .check = check_new},
    {"anyc_path_write_text", .at = "new", .run = run_write_text, .check = check_new},
};

ANYC_TEST_WITH(test_path_change_failures__of_changes_are_told, .plain = true, .timeout = 120)
{
    failing_run(change_ops, sizeof change_ops / sizeof *change_ops);
}

static const struct failing_op copy_ops[] = {
    {"anyc_path_copy", .run = run_copy, .check = check_made_new, .ignores = READ_ONLY},
    {"anyc_path_copy (by a buffer)", .run = run_copy, .check = check_made_new, .ignores = READ_ONLY,
     .always = "copy_file_range", .always_error = EXDEV},
    {"anyc_path_copy (with metadata)", .run = run_copy_whole, .check = check_made_new,
     .ignores = READ_ONLY},
    {"anyc_path_copy (of a tree)", .at = "dir", .run = run_copy, .check = check_copied_tree,
     .again = again_new, .ignores = READ_ONLY, .passes = LOOK},
    {"anyc_path_copy (of a tree with metadata)", .at = "dir", .before = before_copy_link,
     .run = run_copy_whole, .check = check_copied_tree, .again = again_new, .ignores = READ_ONLY,
     .passes = LOOK},
    {"anyc_path_copy_into", .run = run_copy_into, .check = check_into, .ignores = READ_ONLY},
};

ANYC_TEST_WITH(test_path_change_failures__of_copies_are_told, .plain = true, .timeout = 120)
{
    failing_run(copy_ops, sizeof copy_ops / sizeof *copy_ops);
}

static const struct failing_op move_ops[] = {
    {"anyc_path_move", .run = run_move, .check = check_moved, .failed = failed_move,
     .passes = LOOK},
    {"anyc_path_move (to another file system)", .run = run_move, .check = check_moved,
     .failed = failed_move, .again = again_move, .ignores = READ_ONLY, .always = RENAMES,
     .always_error = EXDEV, .passes = LOOK},
    {"anyc_path_move (of a tree, to another file system)", .at = "dir", .run = run_move,
     .check = check_moved_tree, .failed = failed_move_tree, .again = again_move_tree,
     .ignores = READ_ONLY, .always = RENAMES, .always_error = EXDEV, .passes = LOOK},
    {"anyc_path_move_into", .run = run_move_into, .check = check_into, .failed = failed_move_into,
     .passes = LOOK},
    {"anyc_path_move_into (to another file system)", .run = run_move_into, .check = check_into,
     .failed = failed_move_into, .ignores = READ_ONLY, .always = RENAMES, .always_error = EXDEV,
     .passes = LOOK},
};

ANYC_TEST_WITH(test_path_change_failures__of_moves_are_told_and_lose_nothing, .plain = true,
               .timeout = 120)
{
    failing_run(move_ops, sizeof move_ops / sizeof *move_ops);
}
