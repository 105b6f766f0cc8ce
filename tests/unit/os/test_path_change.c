/* SPDX-License-Identifier: MIT */
/*
 * test_path_change.c - changes of the disk where something is in the way: the codes are what pathlib
 * raises. The ordinary ones are in test_path_disk.c.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <errno.h>
#include <sys/time.h>

#include "path_tree.h"
#include "support/tasks.h"

static int mkdir_in(const struct tree *tree, const char *name, bool parents, bool exist_ok)
{
    anyc_path_mkdir_options options = {.parents = parents, .exist_ok = exist_ok};
    anyc_path *path = tree_path(tree, name);
    int rc = anyc_path_mkdir(path, &options);

    anyc_path_destroy(path);
    return rc;
}

/* A directory, a full one, a file, and links to each and to nothing. */
static void make_kinds(const struct tree *tree)
{
    tree_mkdir(tree, "dir");
    tree_mkdir(tree, "full");
    tree_write(tree, "full/x", "");
    tree_write(tree, "file", "f");
    ck_assert_ok(symlink("dir", tree_text(tree, "to_dir")));
    ck_assert_ok(symlink("file", tree_text(tree, "to_file")));
    ck_assert_ok(symlink("missing", tree_text(tree, "dangling")));
}

ANYC_TEST(test_path_change__mkdir_where_something_is)
{
    static const struct {
        const char *name;
        bool parents;
        bool exist_ok;
        int expected;
    } rows[] = {
        {"dir", false, false, -EEXIST},
        {"dir", false, true, 0},
        {"to_dir", false, true, 0},
        {"to_dir", true, false, -EEXIST},
        {"file", true, true, -EEXIST},
        {"to_file", true, true, -EEXIST},
        {"dangling", true, true, -EEXIST},
        {"dangling/x", true, true, -EEXIST},
        {"dangling/x/y", true, true, -EEXIST},
        {"file/x", true, true, -ENOTDIR},
        {"file/x/y", true, true, -ENOTDIR},
        {"to_dir/p/q", true, false, 0},
        {"n/../m/k", true, false, 0},
        {"missing/x", false, true, -ENOENT},
        {"", true, true, 0},
        {"", false, false, -EEXIST},
    };
    struct tree tree;
    struct stat stat;

    tree_init(&tree, false);
    make_kinds(&tree);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = mkdir_in(&tree, rows[i].name, rows[i].parents, rows[i].exist_ok);

        ck_assert_msg(rc == rows[i].expected, "mkdir %s: %d", rows[i].name, rc);
    }
    ck_assert_ok(lstat(tree_text(&tree, "dir/p/q"), &stat));
    ck_assert_ok(lstat(tree_text(&tree, "m/k"), &stat));
    ck_assert_int_lt(lstat(tree_text(&tree, "missing"), &stat), 0);
    tree_deinit(&tree);
}

/* The mode is that of the last one only. */
ANYC_TEST(test_path_change__mkdir_has_its_mode)
{
    anyc_path_mkdir_options options = {.mode = 0700, .parents = true};
    struct tree tree;
    struct stat stat;
    anyc_path *path;
    mode_t mask = umask(022);

    tree_init(&tree, false);
    path = tree_path(&tree, "a/b");
    ck_assert_ok(anyc_path_mkdir(path, &options));
    ck_assert_ok(lstat(tree_text(&tree, "a"), &stat));
    ck_assert_uint_eq(stat.st_mode & 07777, 0755);
    ck_assert_ok(lstat(tree_text(&tree, "a/b"), &stat));
    ck_assert_uint_eq(stat.st_mode & 07777, 0700);
    (void)umask(mask);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

static int rename_in(const struct tree *tree, const char *from, const char *to)
{
    anyc_path *path = tree_path(tree, from);
    int rc = anyc_path_rename(path, tree_text(tree, to), NULL);

    anyc_path_destroy(path);
    return rc;
}

ANYC_TEST(test_path_change__rename_onto_something)
{
    struct tree tree;
    struct stat stat;

    tree_init(&tree, false);
    make_kinds(&tree);
    ck_assert_int_eq(rename_in(&tree, "file", "dir"), -EISDIR);
    ck_assert_int_eq(rename_in(&tree, "dir", "file"), -ENOTDIR);
    ck_assert_int_eq(rename_in(&tree, "dir", "full"), -ENOTEMPTY);
    ck_assert_int_eq(rename_in(&tree, "dir", "dir/x"), -EINVAL);
    ck_assert_int_eq(rename_in(&tree, "missing", "dir"), -ENOENT);
    ck_assert_int_eq(rename_in(&tree, "file", "missing/x"), -ENOENT);
    ck_assert_ok(rename_in(&tree, "full", "dir")); /* an empty one is replaced */
    tree_expect(&tree, "dir/x", "");
    ck_assert_ok(rename_in(&tree, "file", "to_file")); /* the link itself is replaced */
    ck_assert_ok(lstat(tree_text(&tree, "to_file"), &stat));
    ck_assert(S_ISREG(stat.st_mode));
    tree_deinit(&tree);
}

static int unlink_in(const struct tree *tree, const char *name, bool missing_ok)
{
    anyc_path *path = tree_path(tree, name);
    int rc = anyc_path_unlink(path, missing_ok);

    anyc_path_destroy(path);
    return rc;
}

static int rmdir_in(const struct tree *tree, const char *name)
{
    anyc_path *path = tree_path(tree, name);
    int rc = anyc_path_rmdir(path);

    anyc_path_destroy(path);
    return rc;
}

ANYC_TEST(test_path_change__removals_of_the_wrong_kind)
{
    struct tree tree;

    tree_init(&tree, false);
    make_kinds(&tree);
    ck_assert_int_eq(unlink_in(&tree, "dir", true), -EISDIR);
    ck_assert_int_eq(unlink_in(&tree, "file/x", true), -ENOTDIR);
    ck_assert_ok(unlink_in(&tree, "missing/x", true));
    ck_assert_int_eq(rmdir_in(&tree, "full"), -ENOTEMPTY);
    ck_assert_int_eq(rmdir_in(&tree, "file"), -ENOTDIR);
    ck_assert_int_eq(rmdir_in(&tree, "to_dir"), -ENOTDIR);
    ck_assert_int_eq(rmdir_in(&tree, "missing"), -ENOENT);
    ck_assert_ok(unlink_in(&tree, "to_dir", false));
    ck_assert_ok(unlink_in(&tree, "dangling", false));
    tree_expect(&tree, "full/x", "");
    tree_deinit(&tree);
}

ANYC_TEST(test_path_change__touch_sets_times_and_mode)
{
    anyc_path_touch_options new_only = {.must_be_new = true, .mode = 0600};
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct tree tree;
    struct stat stat;
    anyc_path *path, *dangling, *dir;

    tree_init(&tree, false);
    make_kinds(&tree);
    path = tree_path(&tree, "file");
    dangling = tree_path(&tree, "dangling");
    dir = tree_path(&tree, "dir");
    ck_assert_ok(utimensat(AT_FDCWD, anyc_path_str(path), old, 0));
    ck_assert_ok(anyc_path_touch(path, NULL));
    ck_assert_ok(lstat(anyc_path_str(path), &stat));
    ck_assert_int_gt(stat.st_mtim.tv_sec, 1000);
    tree_expect(&tree, "file", "f");
    ck_assert_int_eq(anyc_path_touch(path, &new_only), -EEXIST);
    ck_assert_int_eq(anyc_path_touch(dangling, &new_only), -EEXIST);
    ck_assert_ok(anyc_path_touch(dir, NULL));
    ck_assert_ok(anyc_path_touch(dangling, &(anyc_path_touch_options){.mode = 0600}));
    ck_assert_ok(lstat(tree_text(&tree, "missing"), &stat)); /* where the link leads */
    ck_assert_uint_eq(stat.st_mode & 07777, 0600);
    anyc_path_destroy(path);
    anyc_path_destroy(dangling);
    anyc_path_destroy(dir);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_change__links_and_modes)
{
    anyc_path_follow_options no_follow = {.no_follow = true};
    struct tree tree;
    struct stat stat;
    anyc_path *link, *file, *made;

    tree_init(&tree, false);
    make_kinds(&tree);
    link = tree_path(&tree, "to_file");
    file = tree_path(&tree, "file");
    made = tree_path(&tree, "made");
    ck_assert_int_eq(anyc_path_symlink_to(file, "x"), -EEXIST);
    ck_assert_int_eq(anyc_path_symlink_to(made, ""), -ENOENT);
    ck_assert_int_eq(anyc_path_symlink_to(made, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_hardlink_to(made, tree_text(&tree, "dir")), -EPERM);
    ck_assert_int_eq(anyc_path_hardlink_to(file, tree_text(&tree, "full/x")), -EEXIST);
    ck_assert_ok(anyc_path_hardlink_to(made, tree_text(&tree, "to_file"))); /* of the link */
    ck_assert_int_eq(anyc_path_is_symlink(made), 1);
    ck_assert_ok(anyc_path_chmod(link, 0640, NULL));
    ck_assert_ok(lstat(anyc_path_str(file), &stat));
    ck_assert_uint_eq(stat.st_mode & 07777, 0640);
    ck_assert_int_eq(anyc_path_lchmod(link, 0600), -EOPNOTSUPP);
    ck_assert_ok(anyc_path_chmod(file, 0600, &no_follow));
    ck_assert_int_eq(anyc_path_chmod(made, 0600, &no_follow), -EOPNOTSUPP);
    anyc_path_destroy(link);
    anyc_path_destroy(file);
    anyc_path_destroy(made);
    tree_deinit(&tree);
}

/* Both names in normal form, the empty one too; links are followed. */
ANYC_TEST(test_path_change__samefile_takes_any_form_of_a_name)
{
    struct tree tree;
    anyc_path *path;
    anyc_path *here = new_path(".");
    char text[512];

    tree_init(&tree, false);
    make_kinds(&tree);
    path = tree_path(&tree, "file");
    strcpy(text, tree_text(&tree, "to_file/"));
    ck_assert_int_eq(anyc_path_samefile(path, text), 1);
    ck_assert_int_eq(anyc_path_samefile(path, tree_text(&tree, "missing")), -ENOENT);
    ck_assert_int_eq(anyc_path_samefile(here, ""), 1);
    ck_assert_int_eq(anyc_path_samefile(here, NULL), ANYC_EINVAL);
    anyc_path_destroy(path);
    anyc_path_destroy(here);
    tree_deinit(&tree);
}

/* A user without a name, and questions to what is missing. */
ANYC_TEST(test_path_change__owners_without_names)
{
    struct tree tree;
    anyc_path *file, *missing, *dangling;
    anyc_path_follow_options no_follow = {.no_follow = true};
    char *name = NULL;

    if (geteuid() != 0)
        ANYC_TEST_SKIP("only root gives files away");
    tree_init(&tree, false);
    make_kinds(&tree);
    file = tree_path(&tree, "file");
    missing = tree_path(&tree, "missing");
    dangling = tree_path(&tree, "dangling");
    ck_assert_ok(lchown(anyc_path_str(file), 3999999999u, 3999999999u));
    ck_assert_int_eq(anyc_path_owner(file, NULL, &name), ANYC_ENOTFOUND);
    ck_assert_int_eq(anyc_path_group(file, NULL, &name), ANYC_ENOTFOUND);
    ck_assert_int_eq(anyc_path_owner(missing, NULL, &name), -ENOENT);
    ck_assert_int_eq(anyc_path_group(dangling, NULL, &name), -ENOENT);
    ck_assert_ptr_null(name);
    ck_assert_ok(anyc_path_group(dangling, &no_follow, &name));
    anyc_path_free(name);
    anyc_path_destroy(file);
    anyc_path_destroy(missing);
    anyc_path_destroy(dangling);
    tree_deinit(&tree);
}

/* PATH_MAX and NAME_MAX are the system's: the code is too. */
ANYC_TEST(test_path_change__names_that_are_too_long)
{
    static char text[3 * PATH_MAX];
    char name[NAME_MAX + 3];
    anyc_path *path;
    anyc_path *resolved = NULL;

    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < sizeof text - 1; i += 100)
        text[i] = '/';
    memset(name, 'n', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    path = new_path(text);
    ck_assert_int_eq(anyc_path_mkdir(path, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(anyc_path_exists(path, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(anyc_path_rename(path, name, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(anyc_path_resolve(path, true, &resolved), -ENOENT);
    ck_assert_ok(anyc_path_resolve(path, false, &resolved));
    expect_path(resolved, text, NULL);
    anyc_path_destroy(path);
    path = new_path(name);
    ck_assert_int_eq(anyc_path_touch(path, NULL), -ENAMETOOLONG);
    anyc_path_destroy(path);
}

/* A change that has not begun is not made. */
ANYC_TEST(test_path_change__cancelled_before_it_begins_changes_nothing)
{
    struct tree tree;
    anyc_path *path;
    anyc_cancel_scope scope;
    int rc;

    tree_init(&tree, false);
    path = tree_path(&tree, "x");
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_path_mkdir(path, NULL), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_path_touch(path, NULL), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_path_write_bytes(path, "x", 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_path_copy(path, "/x", NULL, NULL), ANYC_ECANCELLED);
    rc = anyc_path_write_text(path, "x", 1, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_int_eq(anyc_path_exists(path, NULL), 0);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

struct write_job {
    anyc_path *path;
    int rc;
};

static int write_task(void *arg)
{
    struct write_job *job = arg;

    job->rc = anyc_path_write_bytes(job->path, "all of it", 9);
    return job->rc;
}

/* OS-R014: one that has begun is waited for. Here its thread waits for a reader of the FIFO. */
ANYC_TEST(test_path_change__cancelled_under_way_is_made_as_a_whole)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct write_job job = {.rc = 1};
    struct tree tree;
    char text[16] = "";
    int fd;

    tree_init(&tree, false);
    job.path = tree_path(&tree, "fifo");
    ck_assert_ok(mkfifo(anyc_path_str(job.path), 0600));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, write_task, &job);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(job.rc, 1);
    fd = open(anyc_path_str(job.path), O_RDONLY | O_CLOEXEC); /* now the thread goes on */
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(read(fd, text, sizeof text - 1), 9);
    ck_assert_str_eq(text, "all of it");
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(job.rc, 0);
    close(fd);
    anyc_path_destroy(job.path);
    tree_deinit(&tree);
}
