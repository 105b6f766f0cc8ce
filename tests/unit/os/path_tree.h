/* SPDX-License-Identifier: MIT */
/*
 * path_tree.h - temporary directories for the tests of paths, and short forms.
 */
#ifndef ANYC_TESTS_UNIT_OS_PATH_TREE_H
#define ANYC_TESTS_UNIT_OS_PATH_TREE_H

#include <check.h>

#include <anyc/error.h>
#include <anyc/path.h>

#include "support/steps.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A temporary directory, and a limiter that the paths in it carry or do not. */
struct tree {
    char folder[64];
    anyc_capacity_limiter own;
    anyc_capacity_limiter *limiter; /* NULL: none */
};

static inline void tree_init(struct tree *tree, bool limited)
{
    char folder[PATH_MAX];

    strcpy(tree->folder, "/tmp/anyc-path-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree->folder));
    ck_assert_ptr_nonnull(realpath(tree->folder, folder));
    ck_assert_uint_lt(strlen(folder), sizeof tree->folder);
    strcpy(tree->folder, folder);
    ck_assert_ok(anyc_capacity_limiter_init(&tree->own, 1));
    tree->limiter = limited ? &tree->own : NULL;
}

static inline int tree_remove_entry(const char *path, const struct stat *stat, int kind,
                                    struct FTW *where)
{
    (void)stat;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void tree_deinit(struct tree *tree)
{
    ck_assert_ok(nftw(tree->folder, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS));
    anyc_capacity_limiter_deinit(&tree->own);
}

static inline anyc_path *new_path(const char *text)
{
    anyc_path *path = NULL;

    ck_assert_ok(anyc_path_create(text, NULL, &path));
    return path;
}

/* A path in the directory; "" is the directory. */
static inline anyc_path *tree_path(const struct tree *tree, const char *name)
{
    anyc_path *path = NULL;
    char text[512];

    ck_assert_int_lt(snprintf(text, sizeof text, "%s/%s", tree->folder, name), (int)sizeof text);
    ck_assert_ok(anyc_path_create(text, tree->limiter, &path));
    return path;
}

/* The directory's text with that name behind it; overwritten by the next call. */
static inline const char *tree_text(const struct tree *tree, const char *name)
{
    static char text[512];

    ck_assert_int_lt(snprintf(text, sizeof text, "%s/%s", tree->folder, name), (int)sizeof text);
    return text;
}

static inline void tree_write(const struct tree *tree, const char *name, const char *contents)
{
    FILE *file = fopen(tree_text(tree, name), "w");

    ck_assert_ptr_nonnull(file);
    fputs(contents, file);
    ck_assert_ok(fclose(file));
}

static inline void tree_mkdir(const struct tree *tree, const char *name)
{
    ck_assert_ok(mkdir(tree_text(tree, name), 0777));
}

/* The file holds this text. */
static inline void tree_expect(const struct tree *tree, const char *name, const char *contents)
{
    FILE *file = fopen(tree_text(tree, name), "r");
    char found[256] = "";

    ck_assert_ptr_nonnull(file);
    (void)!fread(found, 1, sizeof found - 1, file);
    ck_assert_ok(fclose(file));
    ck_assert_str_eq(found, contents);
}

/* The sample tree of the behaviour list. */
static inline void tree_sample(const struct tree *tree)
{
    tree_mkdir(tree, "sibdir");
    tree_mkdir(tree, "subdir");
    tree_write(tree, "testfile", "");
    tree_write(tree, "testfile2", "");
    tree_write(tree, "sibdir/dummyfile1.txt", "one");
    tree_write(tree, "sibdir/dummyfile2.txt", "two");
    tree_write(tree, "subdir/dummyfile1.txt", "three");
    tree_write(tree, "subdir/dummyfile2.txt", "four");
    ck_assert_ok(symlink("../sibdir", tree_text(tree, "subdir/symlink")));
}

/* The path has this text and this limiter; it is freed. */
static inline void expect_path(anyc_path *path, const char *text,
                               const anyc_capacity_limiter *limiter)
{
    ck_assert_str_eq(anyc_path_str(path), text);
    ck_assert_ptr_eq(anyc_path_limiter(path), limiter);
    anyc_path_destroy(path);
}

/* The rows with variants: without and with a limiter. */
static inline void each_tree(void (*check)(const struct tree *tree))
{
    for (int limited = 0; limited < 2; limited++) {
        struct tree tree;

        tree_init(&tree, limited);
        check(&tree);
        tree_deinit(&tree);
    }
}

#endif
