/* SPDX-License-Identifier: MIT */
/*
 * test_path_resolve.c - paths that the disk completes. AnyIO: tests/test_fileio.py, TestPath.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <errno.h>
#include <pwd.h>

#include "path_tree.h"

static void check_absolute(const struct tree *tree)
{
    anyc_path *path = NULL;
    anyc_path *cwd = NULL;
    anyc_path *result = NULL;
    anyc_path *expected = NULL;

    ck_assert_ok(anyc_path_create("../foo/bar", tree->limiter, &path));
    ck_assert_ok(anyc_path_cwd(NULL, &cwd));
    ck_assert_ok(anyc_path_joinpath(cwd, "../foo/bar", &expected));
    ck_assert_ok(anyc_path_absolute(path, &result));
    expect_path(result, anyc_path_str(expected), tree->limiter);
    anyc_path_destroy(path);
    anyc_path_destroy(cwd);
    anyc_path_destroy(expected);
}

/* PA-008, OS-R016 */
ANYC_TEST(test_path_resolve__absolute_keeps_dots)
{
    each_tree(check_absolute);
}

static void check_expanduser(const struct tree *tree)
{
    anyc_path *path = NULL;
    anyc_path *home = NULL;
    anyc_path *expected = NULL;
    anyc_path *result = NULL;

    ck_assert_ok(anyc_path_create("~/btelkbee", tree->limiter, &path));
    ck_assert_ok(anyc_path_create(getpwuid(getuid())->pw_dir, NULL, &home));
    ck_assert_ok(setenv("HOME", anyc_path_str(home), 1));
    ck_assert_ok(anyc_path_joinpath(home, "btelkbee", &expected));
    ck_assert_ok(anyc_path_expanduser(path, &result));
    expect_path(result, anyc_path_str(expected), tree->limiter);
    anyc_path_destroy(path);
    ck_assert_ok(anyc_path_home(tree->limiter, &path));
    expect_path(path, anyc_path_str(home), tree->limiter);
    anyc_path_destroy(expected);
    anyc_path_destroy(home);
}

/* PA-012 */
ANYC_TEST(test_path_resolve__expanduser_finds_the_home)
{
    anyc_path *nobody = new_path("~nobody-of-that-name/x");
    anyc_path *result = NULL;

    each_tree(check_expanduser);
    ck_assert_int_eq(anyc_path_expanduser(nobody, &result), -ENOENT);
    anyc_path_destroy(nobody);
}

/* PA-043 */
ANYC_TEST(test_path_resolve__the_way_to_a_sibling_can_be_read_along)
{
    struct tree tree;
    anyc_path *subdir, *way = NULL, *file = NULL;
    char *text = NULL;

    tree_init(&tree, false);
    tree_sample(&tree);
    subdir = tree_path(&tree, "subdir");
    ck_assert_int_eq(anyc_path_relative_to(subdir, tree_text(&tree, "sibdir"), false, &way),
                     ANYC_EINVAL);
    ck_assert_ok(anyc_path_relative_to(subdir, tree_text(&tree, "sibdir"), true, &way));
    ck_assert_ok(chdir(tree_text(&tree, "sibdir")));
    ck_assert_ok(anyc_path_joinpath(way, "dummyfile1.txt", &file));
    ck_assert_ok(anyc_path_read_text(file, NULL, &text, NULL));
    ck_assert_str_eq(text, "three");
    ck_assert_ok(chdir("/"));
    anyc_path_free(text);
    anyc_path_destroy(subdir);
    anyc_path_destroy(way);
    anyc_path_destroy(file);
    tree_deinit(&tree);
}

static void expect_resolved(const struct tree *tree, const char *name, const char *expected)
{
    anyc_path *path = tree_path(tree, name);
    anyc_path *result = NULL;

    ck_assert_ok(anyc_path_resolve(path, false, &result));
    expect_path(result, tree_text(tree, expected), tree->limiter);
    anyc_path_destroy(path);
}

static void check_resolve(const struct tree *tree)
{
    expect_resolved(tree, "somedir/../somefile", "somefile");
    tree_mkdir(tree, "real");
    ck_assert_ok(symlink("real", tree_text(tree, "l1")));
    ck_assert_ok(symlink("l1/.", tree_text(tree, "l2")));
    ck_assert_ok(symlink(".", tree_text(tree, "here")));
    ck_assert_ok(symlink("loop2", tree_text(tree, "loop")));
    ck_assert_ok(symlink("loop", tree_text(tree, "loop2")));
    expect_resolved(tree, "l2/../l2/x", "real/x");
    expect_resolved(tree, "here/here/l1", "real");
    expect_resolved(tree, "loop/x", "loop/x");
}

/* PA-046, OS-R016 */
ANYC_TEST(test_path_resolve__resolve_follows_links_and_does_not_mind_what_is_missing)
{
    struct tree tree;
    anyc_path *path, *result = NULL;

    each_tree(check_resolve);
    tree_init(&tree, false);
    ck_assert_ok(symlink("loop", tree_text(&tree, "loop")));
    path = tree_path(&tree, "missing");
    ck_assert_int_eq(anyc_path_resolve(path, true, &result), -ENOENT);
    anyc_path_destroy(path);
    path = tree_path(&tree, "loop");
    ck_assert_int_eq(anyc_path_resolve(path, true, &result), -ELOOP);
    ck_assert_ok(anyc_path_readlink(path, &result));
    expect_path(result, "loop", NULL);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}
