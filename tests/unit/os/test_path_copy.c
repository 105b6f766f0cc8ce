/* SPDX-License-Identifier: MIT */
/*
 * test_path_copy.c - copies and moves that lead to themselves, into themselves, or onto something
 * else. The ordinary ones are in test_path_disk.c.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <errno.h>

#include "path_tree.h"

static int copy_in(const struct tree *tree, const char *from, const char *to, bool no_follow)
{
    anyc_path_copy_options options = {.no_follow = no_follow, .preserve_metadata = true};
    anyc_path *path = tree_path(tree, from);
    int rc = anyc_path_copy(path, tree_text(tree, to), &options, NULL);

    anyc_path_destroy(path);
    return rc;
}

static int move_in(const struct tree *tree, const char *from, const char *to)
{
    anyc_path *path = tree_path(tree, from);
    int rc = anyc_path_move(path, tree_text(tree, to), NULL);

    anyc_path_destroy(path);
    return rc;
}

static bool is_there(const struct tree *tree, const char *name)
{
    struct stat stat;

    return lstat(tree_text(tree, name), &stat) == 0;
}

/* Wherever links and ".." lead; nothing is made then. */
ANYC_TEST(test_path_copy__a_directory_is_not_copied_into_itself)
{
    static const char *const targets[] = {"a",           "a/x",       "a/b/x",   "link/x",
                                          "a/../link/x", "link/../x", "a/b/../x"};
    struct tree tree;

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/b");
    tree_write(&tree, "a/file", "deep");
    ck_assert_ok(symlink("a/b", tree_text(&tree, "link")));
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        ck_assert_int_eq(copy_in(&tree, "a", targets[i], false), ANYC_EINVAL);
    ck_assert(!is_there(&tree, "a/x") && !is_there(&tree, "a/b/x"));
    ck_assert_int_eq(copy_in(&tree, "a/b", "link", false), ANYC_EINVAL);
    ck_assert_int_eq(copy_in(&tree, "a", "missing/x", false), -ENOENT);
    ck_assert_ok(copy_in(&tree, "a", "ab", false)); /* begins alike, but is another */
    tree_expect(&tree, "ab/file", "deep");
    tree_deinit(&tree);
}

ANYC_TEST(test_path_copy__what_is_in_the_way_is_told)
{
    struct tree tree;

    tree_init(&tree, false);
    tree_mkdir(&tree, "dir");
    tree_write(&tree, "file", "old");
    tree_write(&tree, "other", "new");
    ck_assert_int_eq(copy_in(&tree, "file", "dir", false), -EISDIR);
    ck_assert_int_eq(copy_in(&tree, "dir", "file", false), -EEXIST);
    ck_assert_int_eq(copy_in(&tree, "missing", "x", false), -ENOENT);
    ck_assert_int_eq(copy_in(&tree, "file", "missing/x", false), -ENOENT);
    ck_assert_int_eq(move_in(&tree, "file", "dir"), -EISDIR);
    ck_assert_int_eq(move_in(&tree, "dir", "file"), -ENOTDIR);
    ck_assert_ok(symlink("file", tree_text(&tree, "link")));
    ck_assert_int_eq(copy_in(&tree, "file", "link", false), ANYC_EINVAL);
    tree_expect(&tree, "file", "old");
    ck_assert_ok(copy_in(&tree, "other", "link", false)); /* into what the link leads to */
    tree_expect(&tree, "file", "new");
    tree_deinit(&tree);
}

/* rename(2) does nothing with two names of one file, and would let the first one stay. */
ANYC_TEST(test_path_copy__a_file_is_not_moved_to_itself)
{
    struct tree tree;
    char name[512];

    tree_init(&tree, false);
    tree_mkdir(&tree, "dir");
    tree_write(&tree, "file", "x");
    strcpy(name, tree_text(&tree, "file"));
    ck_assert_ok(link(name, tree_text(&tree, "hard")));
    ck_assert_ok(symlink("file", tree_text(&tree, "link")));
    ck_assert_int_eq(move_in(&tree, "file", "file"), ANYC_EINVAL);
    ck_assert_int_eq(move_in(&tree, "file", "dir/../file"), ANYC_EINVAL);
    ck_assert_int_eq(move_in(&tree, "file", "hard"), ANYC_EINVAL);
    ck_assert_int_eq(move_in(&tree, "link", "file"), ANYC_EINVAL);
    ck_assert_int_eq(move_in(&tree, "dir", "dir/x"), ANYC_EINVAL);
    tree_expect(&tree, "file", "x");
    ck_assert(is_there(&tree, "dir") && is_there(&tree, "link"));
    ck_assert_ok(move_in(&tree, "link", "dir/link")); /* the link itself */
    ck_assert(!is_there(&tree, "link") && is_there(&tree, "dir/link"));
    tree_deinit(&tree);
}

/* Links as links with their own times, FIFOs as FIFOs; names of any bytes. */
ANYC_TEST(test_path_copy__a_tree_of_every_kind)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct tree tree;
    struct stat stat;

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/x\ny");
    tree_write(&tree, "a/x\ny/\xFF\xFE", "odd");
    ck_assert_ok(mkfifo(tree_text(&tree, "a/fifo"), 0600));
    ck_assert_ok(symlink("missing", tree_text(&tree, "a/link")));
    ck_assert_ok(utimensat(AT_FDCWD, tree_text(&tree, "a/link"), times, AT_SYMLINK_NOFOLLOW));
    ck_assert_ok(copy_in(&tree, "a", "b", true));
    tree_expect(&tree, "b/x\ny/\xFF\xFE", "odd");
    ck_assert_ok(lstat(tree_text(&tree, "b/fifo"), &stat));
    ck_assert(S_ISFIFO(stat.st_mode));
    ck_assert_ok(lstat(tree_text(&tree, "b/link"), &stat));
    ck_assert(S_ISLNK(stat.st_mode));
    ck_assert_int_eq(stat.st_mtim.tv_sec, 2000);
    tree_deinit(&tree);
}

/* What has no name cannot go into a directory. */
ANYC_TEST(test_path_copy__into_a_directory_needs_a_name)
{
    struct tree tree;
    anyc_path *root = new_path("/");
    anyc_path *here = new_path("");

    tree_init(&tree, false);
    ck_assert_int_eq(anyc_path_copy_into(root, tree.folder, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_move_into(here, tree.folder, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_move_into(here, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_copy(here, NULL, NULL, NULL), ANYC_EINVAL);
    anyc_path_destroy(root);
    anyc_path_destroy(here);
    tree_deinit(&tree);
}
