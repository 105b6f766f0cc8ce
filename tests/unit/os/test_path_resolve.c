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
    anyc_path *link = tree_path(tree, "l1");
    anyc_path *result = NULL;

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
    ck_assert_ok(anyc_path_readlink(link, &result));
    expect_path(result, "real", tree->limiter); /* OS-R018 */
    anyc_path_destroy(link);
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

/* As os.path.expanduser: no slashes at the end of a home, an empty one is the root. */
ANYC_TEST(test_path_resolve__homes_of_every_form)
{
    static const char *const rows[][3] = {
        {"/h", "~/x", "/h/x"},   {"/h/", "~", "/h"}, {"", "~", "/"},          {"", "~/x", "/x"},
        {"/", "~/x", "/x"},      {"//", "~", "/"},   {"rel", "~/x", "rel/x"}, {"/h", "x/~", "x/~"},
        {"/h", "./~/x", "/h/x"}, {"/h", "/~", "/~"},
    };
    anyc_path *result = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        anyc_path *path = new_path(rows[i][1]);

        ck_assert_ok(setenv("HOME", rows[i][0], 1));
        ck_assert_ok(anyc_path_expanduser(path, &result));
        expect_path(result, rows[i][2], NULL);
        anyc_path_destroy(path);
    }
    ck_assert_ok(setenv("HOME", "~root", 1));
    ck_assert_int_eq(anyc_path_home(NULL, &result), -ENOENT);
}

/* Without HOME, and of another user: what the system knows. */
ANYC_TEST(test_path_resolve__homes_that_the_system_knows)
{
    const struct passwd *user = getpwuid(getuid());
    anyc_path *home = NULL;
    anyc_path *path = NULL;
    anyc_path *result = NULL;
    char text[256];

    if (user == NULL)
        ANYC_TEST_SKIP("the user is not in the database");
    (void)snprintf(text, sizeof text, "~%s/x", user->pw_name);
    ck_assert_ok(anyc_path_create(user->pw_dir, NULL, &home));
    ck_assert_ok(setenv("HOME", "/elsewhere", 1));
    ck_assert_ok(anyc_path_create(text, NULL, &path));
    ck_assert_ok(anyc_path_expanduser(path, &result));
    anyc_path_destroy(path);
    ck_assert_ok(anyc_path_joinpath(home, "x", &path));
    expect_path(result, anyc_path_str(path), NULL);
    anyc_path_destroy(path);
    ck_assert_ok(unsetenv("HOME"));
    ck_assert_ok(anyc_path_home(NULL, &result));
    expect_path(result, anyc_path_str(home), NULL);
    anyc_path_destroy(home);
}

/* Each part is looked at with the same buffer. */
ANYC_TEST(test_path_resolve__resolves_many_parts)
{
    enum { PARTS = 1000 };
    struct tree tree;
    anyc_path *path, *result = NULL;
    char text[3 * PARTS + 100];
    size_t len;

    tree_init(&tree, false);
    len = (size_t)snprintf(text, sizeof text, "%s", tree.folder);
    for (int i = 0; i < PARTS; i++) {
        strcpy(text + len, "/d");
        ck_assert_ok(mkdir(text, 0777));
        len += 2;
    }
    path = new_path(text);
    ck_assert_ok(anyc_path_resolve(path, true, &result));
    expect_path(result, text, NULL);
    for (int i = 0; i < PARTS; i++) {
        ck_assert_ok(rmdir(text));
        text[len -= 2] = '\0';
    }
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* l1 leads to "l0/l0", l2 to "l1/l1" ...: each is resolved once, not 2^60 times. */
ANYC_TEST(test_path_resolve__links_to_links_take_no_exponential_time)
{
    struct tree tree;
    anyc_path *path, *result = NULL;
    char target[32];
    char name[16];

    tree_init(&tree, false);
    ck_assert_ok(symlink(".", tree_text(&tree, "l0")));
    for (int i = 1; i <= 60; i++) {
        (void)snprintf(target, sizeof target, "l%d/l%d", i - 1, i - 1);
        (void)snprintf(name, sizeof name, "l%d", i);
        ck_assert_ok(symlink(target, tree_text(&tree, name)));
    }
    path = tree_path(&tree, "l60/x");
    ck_assert_ok(anyc_path_resolve(path, false, &result));
    expect_path(result, tree_text(&tree, "x"), NULL);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* A circle is taken as it is, and what follows goes on from there, as in Python 3.13. */
ANYC_TEST(test_path_resolve__circles_with_something_behind)
{
    struct tree tree;

    tree_init(&tree, false);
    tree_mkdir(&tree, "real");
    ck_assert_ok(symlink("real", tree_text(&tree, "link")));
    ck_assert_ok(symlink("two/x", tree_text(&tree, "one")));
    ck_assert_ok(symlink("one/y", tree_text(&tree, "two")));
    expect_resolved(&tree, "one/../link", "one/y/link");
    expect_resolved(&tree, "one/../../../link/z", "real/z");
    tree_deinit(&tree);
}

ANYC_TEST(test_path_resolve__reads_links_of_any_text)
{
    struct tree tree;
    anyc_path *path, *result = NULL;
    char text[2001];

    tree_init(&tree, false);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_ok(symlink(text, tree_text(&tree, "long")));
    ck_assert_ok(symlink("x//\n\xFF/", tree_text(&tree, "odd")));
    path = tree_path(&tree, "long");
    ck_assert_ok(anyc_path_readlink(path, &result));
    expect_path(result, text, NULL);
    anyc_path_destroy(path);
    path = tree_path(&tree, "odd");
    ck_assert_ok(anyc_path_readlink(path, &result));
    expect_path(result, "x/\n\xFF", NULL);
    anyc_path_destroy(path);
    path = tree_path(&tree, "");
    ck_assert_int_eq(anyc_path_readlink(path, &result), -EINVAL);
    anyc_path_destroy(path);
    path = tree_path(&tree, "missing");
    ck_assert_int_eq(anyc_path_readlink(path, &result), -ENOENT);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* The working directory is gone. */
ANYC_TEST(test_path_resolve__without_a_working_directory)
{
    struct tree tree;
    anyc_path *path = new_path("x");
    anyc_path *root = new_path("/");
    anyc_path *result = NULL;

    tree_init(&tree, false);
    tree_mkdir(&tree, "gone");
    ck_assert_ok(chdir(tree_text(&tree, "gone")));
    ck_assert_ok(rmdir(tree_text(&tree, "gone")));
    ck_assert_int_eq(anyc_path_cwd(NULL, &result), -ENOENT);
    ck_assert_int_eq(anyc_path_absolute(path, &result), -ENOENT);
    ck_assert_int_eq(anyc_path_resolve(path, false, &result), -ENOENT);
    ck_assert_ok(anyc_path_resolve(root, true, &result));
    expect_path(result, "/", NULL);
    ck_assert_ok(chdir("/"));
    anyc_path_destroy(path);
    anyc_path_destroy(root);
    tree_deinit(&tree);
}
