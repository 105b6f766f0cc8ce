/* SPDX-License-Identifier: MIT */
/*
 * test_path_locked.c - directories without permissions: every operation is refused, and says so.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/os/path_tree.h"

#define NOBODY 65534

struct locked {
    struct tree tree;
    anyc_path *path;   /* in the locked directory */
    const char *other; /* outside of it */
    uid_t user;
};

struct locked_op {
    const char *name;
    int64_t (*run)(const struct locked *locked);
};

/* A user without privileges, and a directory with this mode, in which the name is looked for. */
static void locked_init(struct locked *locked, mode_t mode, const char *name)
{
    static char other[128];

    tree_init(&locked->tree, false);
    ck_assert_ok(chmod(locked->tree.folder, 0777));
    tree_mkdir(&locked->tree, "locked");
    tree_write(&locked->tree, "locked/file", "content");
    tree_write(&locked->tree, "other", "other");
    locked->path = tree_path(&locked->tree, name);
    snprintf(other, sizeof other, "%s/other", locked->tree.folder);
    locked->other = other;
    ck_assert_ok(chmod(tree_text(&locked->tree, "locked"), mode));
    locked->user = geteuid();
    if (locked->user == 0) {
        ck_assert_ok(chown(other, NOBODY, NOBODY));
        ck_assert_ok(seteuid(NOBODY));
    }
}

static void locked_deinit(struct locked *locked)
{
    ck_assert_ok(seteuid(locked->user));
    ck_assert_ok(chmod(tree_text(&locked->tree, "locked"), 0777));
    tree_expect(&locked->tree, "locked/file", "content");
    tree_expect(&locked->tree, "other", "other");
    ck_assert_int_eq(unlink(tree_text(&locked->tree, "locked/file")), 0);
    ck_assert_int_eq(rmdir(tree_text(&locked->tree, "locked")), 0); /* nothing was made in it */
    anyc_path_destroy(locked->path);
    tree_deinit(&locked->tree);
}

static void check_refused(const struct locked *locked, const struct locked_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t rc = ops[i].run(locked);

        ck_assert_msg(rc == -EACCES, "%s answered %s", ops[i].name, anyc_error_name((int)rc));
        ck_assert_msg(strstr(anyc_last_error()->message, "/locked") != NULL ||
                          strstr(anyc_last_error()->message, "temporary") != NULL,
                      "%s: %s", ops[i].name, anyc_last_error()->message);
    }
}

/* -- questions -- */

/* The call with the path before its other arguments: a function that does it. */
#define QUESTION(name, ...)                             \
    static int64_t run_##name(const struct locked *of)  \
    {                                                   \
        return anyc_path_##name(of->path, __VA_ARGS__); \
    }
#define SHORT_QUESTION(name)                           \
    static int64_t run_##name(const struct locked *of) \
    {                                                  \
        return anyc_path_##name(of->path);             \
    }
#define ROW(name)                      \
    {                                  \
        "anyc_path_" #name, run_##name \
    }

QUESTION(exists, NULL)
QUESTION(is_dir, NULL)
QUESTION(is_file, NULL)
SHORT_QUESTION(is_symlink)
SHORT_QUESTION(is_block_device)
SHORT_QUESTION(is_char_device)
SHORT_QUESTION(is_fifo)
SHORT_QUESTION(is_socket)
SHORT_QUESTION(is_mount)
QUESTION(stat, NULL, &(struct stat){0})
QUESTION(lstat, &(struct stat){0})
QUESTION(samefile, of->other)
QUESTION(owner, NULL, &(char *){NULL})
QUESTION(group, NULL, &(char *){NULL})
QUESTION(resolve, true, &(anyc_path *){NULL})
QUESTION(readlink, &(anyc_path *){NULL})
QUESTION(read_bytes, &(uint8_t *){NULL}, &(size_t){0})
QUESTION(read_text, NULL, &(char *){NULL}, NULL)
QUESTION(open, "r", NULL, &(anyc_file *){NULL})

static int64_t run_open_file(const struct locked *of)
{
    return anyc_open_file(anyc_path_str(of->path), "r", NULL, &(anyc_file *){NULL});
}

static int64_t run_read_stream(const struct locked *of)
{
    return anyc_file_read_stream_from_path(anyc_path_str(of->path), &(anyc_byte_stream *){NULL});
}

/* Of the directory itself. */
static int64_t run_iterdir(const struct locked *of)
{
    anyc_path *directory = tree_path(&of->tree, "locked");
    anyc_path_iterator *iterator;
    const anyc_path *path;
    int rc;

    ck_assert_ok(anyc_path_iterdir(directory, &iterator));
    rc = anyc_path_iterator_next(iterator, &path);
    (void)anyc_aclose(iterator);
    anyc_path_destroy(directory);
    return rc;
}

ANYC_TEST(test_path_locked__directories_answer_no_questions)
{
    static const struct locked_op ops[] = {
        ROW(exists),
        ROW(is_dir),
        ROW(is_file),
        ROW(is_symlink),
        ROW(is_block_device),
        ROW(is_char_device),
        ROW(is_fifo),
        ROW(is_socket),
        ROW(is_mount),
        ROW(stat),
        ROW(lstat),
        ROW(samefile),
        ROW(owner),
        ROW(group),
        ROW(resolve),
        ROW(readlink),
        ROW(read_bytes),
        ROW(read_text),
        ROW(open),
        ROW(iterdir),
        {"anyc_open_file", run_open_file},
        {"anyc_file_read_stream_from_path", run_read_stream},
    };
    struct locked locked;

    locked_init(&locked, 0, "locked/file");
    check_refused(&locked, ops, sizeof ops / sizeof *ops);
    locked_deinit(&locked);
}

/* Searches and walks pass over it. */
ANYC_TEST(test_path_locked__directories_are_passed_over)
{
    anyc_path_walk_step step;
    anyc_path_iterator *iterator;
    anyc_path_walker *walker;
    const anyc_path *found;
    struct locked locked;
    anyc_path *root;
    size_t count = 0;

    locked_init(&locked, 0, "locked/file");
    root = tree_path(&locked.tree, "");
    ck_assert_ok(anyc_path_rglob(root, "*", NULL, &iterator));
    while (anyc_path_iterator_next(iterator, &found) == 0)
        count++;
    ck_assert_uint_eq(count, 2);
    ck_assert_ok(anyc_aclose(iterator));
    ck_assert_ok(anyc_path_walk(root, NULL, &walker));
    ck_assert_ok(anyc_path_walker_next(walker, &step));
    ck_assert_uint_eq(step.dir_count, 1);
    ck_assert_int_eq(anyc_path_walker_next(walker, &step), ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    anyc_path_destroy(root);
    locked_deinit(&locked);
}

/* -- changes -- */

QUESTION(chmod, 0600, NULL)
QUESTION(lchmod, 0600)
QUESTION(mkdir, NULL)
SHORT_QUESTION(rmdir)
QUESTION(touch, NULL)
QUESTION(unlink, true)
QUESTION(symlink_to, "file")
QUESTION(hardlink_to, of->other)
QUESTION(rename, of->other, NULL)
QUESTION(replace, of->other, NULL)
QUESTION(write_bytes, "x", 1)
QUESTION(write_text, "x", 1, NULL)
QUESTION(copy, of->other, NULL, NULL)
QUESTION(move, of->other, NULL)
QUESTION(copy_into, of->tree.folder, NULL, NULL)
QUESTION(move_into, of->tree.folder, NULL)

/* From outside to a name in the directory. */
static int64_t run_other(const struct locked *of, const char *name, bool moved)
{
    const char *target = tree_text(&of->tree, name);
    anyc_path *other = new_path(of->other);
    int rc =
        moved ? anyc_path_move(other, target, NULL) : anyc_path_copy(other, target, NULL, NULL);

    anyc_path_destroy(other);
    return rc;
}

static int64_t run_copy_to(const struct locked *of)
{
    return run_other(of, "locked/new", false);
}

static int64_t run_move_to(const struct locked *of)
{
    return run_other(of, "locked/new", true);
}

static int64_t run_open_writing(const struct locked *of)
{
    return anyc_open_file(anyc_path_str(of->path), "w", NULL, &(anyc_file *){NULL});
}

static int64_t run_write_stream(const struct locked *of)
{
    return anyc_file_write_stream_from_path(anyc_path_str(of->path), NULL,
                                            &(anyc_byte_stream *){NULL});
}

static anyc_temporary_file_options temporary_in(const struct locked *of)
{
    return (anyc_temporary_file_options){.dir = tree_text(&of->tree, "locked")};
}

static int64_t run_temporary(const struct locked *of)
{
    const anyc_temporary_file_options options = temporary_in(of);

    return anyc_temporary_file(&options, &(anyc_file *){NULL});
}

static int64_t run_named(const struct locked *of)
{
    const anyc_temporary_file_options options = temporary_in(of);

    return anyc_named_temporary_file(&options, &(anyc_file *){NULL});
}

static int64_t run_directory(const struct locked *of)
{
    const anyc_temporary_directory_options options = {.dir = tree_text(&of->tree, "locked")};

    return anyc_temporary_directory(&options, &(anyc_temporary_dir *){NULL});
}

static int64_t run_mkstemp(const struct locked *of)
{
    const anyc_mkstemp_options options = {.dir = tree_text(&of->tree, "locked")};

    return anyc_mkstemp(&options, &(int){-1}, &(anyc_bytes){.len = 0});
}

static int64_t run_mkdtemp(const struct locked *of)
{
    const anyc_mkdtemp_options options = {.dir = tree_text(&of->tree, "locked")};

    return anyc_mkdtemp(&options, &(anyc_bytes){.len = 0});
}

#define MADE_IN_IT                                                                                \
    ROW(mkdir), ROW(touch), ROW(symlink_to), ROW(hardlink_to), ROW(write_bytes), ROW(write_text), \
        ROW(copy_to), ROW(move_to), {"anyc_open_file", run_open_writing},                         \
        {"anyc_file_write_stream_from_path", run_write_stream},                                   \
        {"anyc_temporary_file", run_temporary}, {"anyc_named_temporary_file", run_named},         \
        {"anyc_temporary_directory", run_directory}, {"anyc_mkstemp", run_mkstemp},               \
    {                                                                                             \
        "anyc_mkdtemp", run_mkdtemp                                                               \
    }

ANYC_TEST(test_path_locked__directories_are_not_changed)
{
    static const struct locked_op ops[] = {
        MADE_IN_IT,   ROW(chmod), ROW(lchmod), ROW(rmdir),     ROW(unlink),    ROW(rename),
        ROW(replace), ROW(copy),  ROW(move),   ROW(copy_into), ROW(move_into),
    };
    struct locked locked;

    locked_init(&locked, 0, "locked/file");
    check_refused(&locked, ops, sizeof ops / sizeof *ops);
    locked_deinit(&locked);
}

/* It may be searched and read. */
ANYC_TEST(test_path_locked__nothing_is_made_without_permission_to_write)
{
    static const struct locked_op ops[] = {MADE_IN_IT};
    struct locked locked;

    locked_init(&locked, 0555, "locked/new");
    check_refused(&locked, ops, sizeof ops / sizeof *ops);
    locked_deinit(&locked);
}

ANYC_TEST(test_path_locked__nothing_is_taken_away_without_permission_to_write)
{
    static const struct locked_op ops[] = {ROW(unlink), ROW(rename), ROW(replace), ROW(move),
                                           ROW(move_into)};
    struct locked locked;

    locked_init(&locked, 0555, "locked/file");
    check_refused(&locked, ops, sizeof ops / sizeof *ops);
    locked_deinit(&locked);
}
