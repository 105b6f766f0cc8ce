/* SPDX-License-Identifier: MIT */
/*
 * test_path_deep.c - trees of 2,000 levels: nothing goes by the C stack.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include "path_tree.h"

enum { LEVELS = 1980 }; /* as many as PATH_MAX lets be reached by one name */

struct deep {
    struct tree tree;
    char text[PATH_MAX]; /* of the innermost directory */
    anyc_path *top;      /* "d" in the tree */
};

static void deep_init(struct deep *deep)
{
    anyc_path_mkdir_options parents = {.parents = true};
    anyc_path *path;
    size_t len;

    tree_init(&deep->tree, false);
    len = (size_t)snprintf(deep->text, sizeof deep->text, "%s", deep->tree.folder);
    for (int i = 0; i < LEVELS; i++, len += 2)
        strcpy(deep->text + len, "/d");
    path = new_path(deep->text);
    ck_assert_ok(anyc_path_mkdir(path, &parents));
    anyc_path_destroy(path);
    deep->top = tree_path(&deep->tree, "d");
}

/* Removes all in the tree, by a walk from the bottom. */
static void deep_deinit(struct deep *deep)
{
    anyc_path_walk_options options = {.bottom_up = true};
    anyc_path *path = tree_path(&deep->tree, "");
    anyc_path_walker *walker = NULL;
    anyc_path_walk_step step;
    int rc;

    ck_assert_ok(anyc_path_walk(path, &options, &walker));
    while ((rc = anyc_path_walker_next(walker, &step)) == 0)
        ck_assert_ok(anyc_path_rmdir(step.path));
    ck_assert_int_eq(rc, ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    anyc_path_destroy(path);
    anyc_path_destroy(deep->top);
    anyc_capacity_limiter_deinit(&deep->tree.own);
}

ANYC_TEST_WITH(test_path_deep__is_made_and_walked_both_ways, .timeout = 60)
{
    struct deep deep;
    anyc_path_walker *walker = NULL;
    anyc_path_walk_step step;
    int count = 0;

    deep_init(&deep);
    ck_assert_ok(anyc_path_walk(deep.top, NULL, &walker));
    while (anyc_path_walker_next(walker, &step) == 0)
        count++;
    ck_assert_int_eq(count, LEVELS);
    ck_assert_ok(anyc_aclose(walker));
    deep_deinit(&deep);
}

ANYC_TEST_WITH(test_path_deep__is_searched, .timeout = 60)
{
    struct deep deep;
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    int count = 0;

    deep_init(&deep);
    ck_assert_ok(anyc_path_rglob(deep.top, "*", NULL, &iterator));
    while (anyc_path_iterator_next(iterator, &found) == 0)
        count++;
    ck_assert_int_eq(count, LEVELS - 1);
    ck_assert_ok(anyc_aclose(iterator));
    deep_deinit(&deep);
}

ANYC_TEST_WITH(test_path_deep__is_copied_and_moved, .timeout = 60)
{
    struct deep deep;
    anyc_path *copy = NULL;
    anyc_path *moved = NULL;
    anyc_path *inner;
    char text[PATH_MAX];

    deep_init(&deep);
    ck_assert_ok(anyc_path_copy(deep.top, tree_text(&deep.tree, "c"), NULL, &copy));
    ck_assert_ok(anyc_path_move(copy, tree_text(&deep.tree, "m"), &moved));
    strcpy(text, deep.text);
    text[strlen(deep.tree.folder) + 1] = 'm';
    inner = new_path(text);
    ck_assert_int_eq(anyc_path_is_dir(inner, NULL), 1);
    ck_assert_int_eq(anyc_path_copy(moved, text, NULL, NULL), ANYC_EINVAL);
    anyc_path_destroy(copy);
    anyc_path_destroy(moved);
    anyc_path_destroy(inner);
    deep_deinit(&deep);
}
