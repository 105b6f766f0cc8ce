/* SPDX-License-Identifier: MIT */
/*
 * test_path_scan.c - the batches of a search, read without a thread.
 */
#include <anyc/testing.h>

#include "os/path_scan.h"
#include "path_tree.h"

enum { MANY = 6000, RARE_EACH = 60, BATCH = 512 };

/* So many files in one directory; one of RARE_EACH is called r..., the others f... */
static void make_many(const struct tree *tree)
{
    char name[32];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "%c%d", i % RARE_EACH == 0 ? 'r' : 'f', i);
        tree_write(tree, name, "");
    }
}

static struct path_scan *new_scan(const struct tree *tree, const char *pattern)
{
    anyc_path *path = tree_path(tree, "");
    struct path_scan *scan = NULL;

    ck_assert_ok(anyc__path_scan_create(path, "", pattern, 0, &scan));
    anyc_path_destroy(path); /* the scan has its own */
    return scan;
}

/* How many paths the next batch has. */
static int read_batch(struct path_scan *scan, bool *out_ended)
{
    struct path_source *source = anyc__path_scan_source(scan);
    int count = 0;

    atomic_init(&source->job.abandoned, false);
    ck_assert_ok(source->read(source));
    while (anyc__path_scan_take(scan, out_ended) != NULL)
        count++;
    return count;
}

static void end_scan(struct path_scan *scan)
{
    struct path_source *source = anyc__path_scan_source(scan);

    source->destroy(source);
}

/* However many entries there are, few are held. */
ANYC_TEST(test_path_scan__a_batch_is_bounded)
{
    struct tree tree;
    struct path_scan *scan;
    bool ended = false;
    int total = 0;

    tree_init(&tree, false);
    make_many(&tree);
    scan = new_scan(&tree, "*");
    while (!ended) {
        int count = read_batch(scan, &ended);

        ck_assert_int_le(count, BATCH);
        total += count;
    }
    ck_assert_int_eq(total, MANY);
    end_scan(scan);
    tree_deinit(&tree);
}

/* What was found is handed over before all has been looked at, though the batch is not full. */
ANYC_TEST(test_path_scan__rare_results_are_not_kept_waiting)
{
    struct tree tree;
    struct path_scan *scan;
    bool ended = false;
    int first;
    int total;

    tree_init(&tree, false);
    make_many(&tree);
    scan = new_scan(&tree, "r*");
    first = read_batch(scan, &ended);
    ck_assert_int_gt(first, 0);
    ck_assert_int_lt(first, MANY / RARE_EACH);
    ck_assert(!ended);
    for (total = first; !ended;)
        total += read_batch(scan, &ended);
    ck_assert_int_eq(total, MANY / RARE_EACH);
    end_scan(scan);
    tree_deinit(&tree);
}
