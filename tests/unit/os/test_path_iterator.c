/* SPDX-License-Identifier: MIT */
/*
 * test_path_iterator.c - listings, searches and walks. AnyIO: tests/test_fileio.py, TestPath.
 */
#include <anyc/path.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <errno.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/tasks.h"

/* What an iterator found, as sorted lines relative to the tree. */
struct found {
    char *lines[64];
    size_t count;
    char text[4096];
};

static int found_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void found_read(struct found *found, const struct tree *tree, anyc_path_iterator *iterator)
{
    size_t skip = strlen(tree->folder) + 1;
    const anyc_path *path;
    int rc;

    found->count = 0;
    while ((rc = anyc_path_iterator_next(iterator, &path)) == 0) {
        const char *text = anyc_path_str(path);

        ck_assert_ptr_eq(anyc_path_limiter(path), tree->limiter);
        ck_assert_int_eq(strncmp(text, tree->folder, skip - 1), 0);
        ck_assert_uint_lt(found->count, 64);
        found->lines[found->count++] = strdup(strlen(text) < skip ? "." : text + skip);
    }
    ck_assert_int_eq(rc, ANYC_EOF);
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &path), ANYC_EOF);
    ck_assert_ok(anyc_aclose(iterator));
    qsort(found->lines, found->count, sizeof found->lines[0], found_order);
    found->text[0] = '\0';
    for (size_t i = 0; i < found->count; i++) {
        strcat(strcat(found->text, i > 0 ? " " : ""), found->lines[i]);
        free(found->lines[i]);
    }
}

static void expect_found(const struct tree *tree, anyc_path_iterator *iterator,
                         const char *expected)
{
    struct found found;

    found_read(&found, tree, iterator);
    ck_assert_str_eq(found.text, expected);
}

static void expect_glob(const struct tree *tree, const char *pattern,
                        const anyc_path_glob_options *options, const char *expected)
{
    anyc_path *path = tree_path(tree, "");
    anyc_path_iterator *iterator = NULL;

    ck_assert_ok(anyc_path_glob(path, pattern, options, &iterator));
    anyc_path_destroy(path); /* the iterator has its own */
    expect_found(tree, iterator, expected);
}

static void expect_rglob(const struct tree *tree, const char *pattern,
                         const anyc_path_glob_options *options, const char *expected)
{
    anyc_path *path = tree_path(tree, "");
    anyc_path_iterator *iterator = NULL;

    ck_assert_ok(anyc_path_rglob(path, pattern, options, &iterator));
    anyc_path_destroy(path);
    expect_found(tree, iterator, expected);
}

#define DUMMIES                                                          \
    "sibdir/dummyfile1.txt sibdir/dummyfile2.txt subdir/dummyfile1.txt " \
    "subdir/dummyfile2.txt"

/* Each row in the sample tree, without and with a limiter. */
static void in_sample_tree(void (*check)(const struct tree *tree))
{
    for (int limited = 0; limited < 2; limited++) {
        struct tree tree;

        tree_init(&tree, limited);
        tree_sample(&tree);
        check(&tree);
        tree_deinit(&tree);
    }
}

static void check_glob(const struct tree *tree)
{
    anyc_path_glob_options ignore_case = {.ignore_case = true};
    anyc_path_glob_options recurse = {.recurse_symlinks = true};

    expect_glob(tree, "**/*.txt", NULL, DUMMIES);
    expect_glob(tree, "**/DUMMY*.txt", NULL, "");
    expect_glob(tree, "**/DUMMY*.txt", &ignore_case, DUMMIES);
    expect_glob(tree, "**/*.txt", &recurse,
                DUMMIES " subdir/symlink/dummyfile1.txt subdir/symlink/dummyfile2.txt");
}

/* PA-028, PA-029, PA-030, OS-R017, OS-R018 */
ANYC_TEST(test_path_iterator__glob_finds_the_sample_files)
{
    in_sample_tree(check_glob);
}

static void check_rglob(const struct tree *tree)
{
    anyc_path_glob_options ignore_case = {.ignore_case = true};

    expect_rglob(tree, "*.txt", NULL, DUMMIES);
    expect_rglob(tree, "*.TXT", NULL, "");
    expect_rglob(tree, "*.TXT", &ignore_case, DUMMIES);
}

/* PA-031, PA-032 */
ANYC_TEST(test_path_iterator__rglob_finds_the_sample_files)
{
    in_sample_tree(check_rglob);
}

static void check_iterdir(const struct tree *tree)
{
    anyc_path *path = tree_path(tree, "");
    anyc_path_iterator *iterator = NULL;

    ck_assert_ok(anyc_path_iterdir(path, &iterator));
    anyc_path_destroy(path);
    expect_found(tree, iterator, "sibdir subdir testfile testfile2");
}

/* PA-033 */
ANYC_TEST(test_path_iterator__iterdir_lists_the_sample_tree)
{
    in_sample_tree(check_iterdir);
}

static void check_shapes(const struct tree *tree)
{
    expect_glob(tree, "subdir/dummyfile1.txt", NULL, "subdir/dummyfile1.txt");
    expect_glob(tree, "*/", NULL, "sibdir subdir");
    expect_glob(tree, "subdir/symlink/*1*", NULL, "subdir/symlink/dummyfile1.txt");
    expect_glob(tree, "*/../testfile", NULL, "sibdir/../testfile subdir/../testfile");
    expect_glob(tree, "**/", NULL, ". sibdir subdir");
    expect_glob(tree, "sub*/**", NULL,
                "subdir subdir/dummyfile1.txt subdir/dummyfile2.txt subdir/symlink");
    expect_glob(tree, "**/**/d*1.txt", NULL, "sibdir/dummyfile1.txt subdir/dummyfile1.txt");
    expect_glob(tree, "testfile/*", NULL, "");
    expect_glob(tree, "missing/*", NULL, "");
    expect_rglob(tree, "", NULL, ". sibdir subdir");
    expect_rglob(tree, "symlink/*1.txt", NULL, "subdir/symlink/dummyfile1.txt");
}

/* As Python 3.13: a final "**" finds files too. */
ANYC_TEST(test_path_iterator__patterns_of_every_shape)
{
    in_sample_tree(check_shapes);
}

ANYC_TEST(test_path_iterator__finds_no_path_twice)
{
    struct tree tree;

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/a");
    tree_mkdir(&tree, "a/a/a");
    tree_mkdir(&tree, "a/a/a/b");
    expect_glob(&tree, "**/a/**/b", NULL, "a/a/a/b");
    expect_glob(&tree, "**/a/**/a", NULL, "a/a a/a/a");
    tree_deinit(&tree);
}

ANYC_TEST(test_path_iterator__refuses_patterns_that_are_not_relative)
{
    anyc_path *path = new_path("/");
    anyc_path_iterator *iterator = NULL;

    ck_assert_int_eq(anyc_path_glob(path, "", NULL, &iterator), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_glob(path, ".", NULL, &iterator), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_glob(path, "/x", NULL, &iterator), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_glob(path, NULL, NULL, &iterator), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_rglob(path, "/x", NULL, &iterator), ANYC_EINVAL);
    anyc_path_destroy(path);
}

/* OS-R029: the first reading opens the directory, in its thread. */
ANYC_TEST(test_path_iterator__iterdir_of_what_is_no_directory_fails_each_time)
{
    struct tree tree;
    anyc_path *path;
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;

    tree_init(&tree, false);
    path = tree_path(&tree, "missing");
    ck_assert_ok(anyc_path_iterdir(path, &iterator));
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), -ENOENT);
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), -ENOENT);
    ck_assert_ok(anyc_aclose(iterator));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* A circle of links ends, and so does a directory without permissions. */
ANYC_TEST(test_path_iterator__circles_and_closed_directories_are_passed_over)
{
    anyc_path_glob_options recurse = {.recurse_symlinks = true};
    struct tree tree;

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "locked");
    tree_write(&tree, "a/x", "");
    ck_assert_ok(symlink("..", tree_text(&tree, "a/up")));
    ck_assert_ok(symlink("self", tree_text(&tree, "self")));
    ck_assert_ok(chmod(tree_text(&tree, "locked"), 0));
    expect_glob(&tree, "**/*", NULL, "a a/up a/x locked self");
    expect_glob(&tree, "**/x", &recurse, "a/x");
    expect_glob(&tree, "self/*", NULL, "");
    ck_assert_ok(chmod(tree_text(&tree, "locked"), 0777));
    tree_deinit(&tree);
}

enum { MANY = 3000 };

static void make_many(const struct tree *tree)
{
    char name[32];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "f%d", i);
        tree_write(tree, name, "");
    }
}

/* More than a batch; each is removed once it was met. */
ANYC_TEST(test_path_iterator__a_directory_may_be_emptied_meanwhile)
{
    struct tree tree;
    anyc_path *path;
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    int count = 0;
    int rc;

    tree_init(&tree, false);
    make_many(&tree);
    path = tree_path(&tree, "");
    ck_assert_ok(anyc_path_rglob(path, "*", NULL, &iterator));
    while ((rc = anyc_path_iterator_next(iterator, &found)) == 0) {
        ck_assert_ok(unlink(anyc_path_str(found)));
        count++;
    }
    ck_assert_int_eq(rc, ANYC_EOF);
    ck_assert_int_eq(count, MANY);
    ck_assert_ok(anyc_aclose(iterator));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_iterator__goes_on_after_descriptors_ran_out)
{
    struct tree tree;
    anyc_path *path;
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    struct rlimit old;

    tree_init(&tree, false);
    tree_write(&tree, "x", "");
    path = tree_path(&tree, "");
    ck_assert_int_eq(anyc_path_exists(path, NULL), 1); /* a thread is there */
    ck_assert_ok(anyc_path_glob(path, "*", NULL, &iterator));
    old = limit_fds(0);
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), -EMFILE);
    unlimit_fds(&old);
    ck_assert_ok(anyc_path_iterator_next(iterator, &found));
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), ANYC_EOF);
    ck_assert_ok(anyc_aclose(iterator));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* A cancelled call that has not begun loses nothing. */
ANYC_TEST(test_path_iterator__cancelled_before_it_begins_goes_on_later)
{
    anyc_path *path = new_path("/");
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_path_iterdir(path, &iterator));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    rc = anyc_path_iterator_next(iterator, &found);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_ok(anyc_path_iterator_next(iterator, &found));
    ck_assert_ok(anyc_close(iterator));
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(iterator));
    anyc_path_destroy(path);
}

struct next_job {
    anyc_path_iterator *iterator;
    int rc;
};

static int next_task(void *arg)
{
    struct next_job *job = arg;
    const anyc_path *found;

    job->rc = anyc_path_iterator_next(job->iterator, &found);
    return job->rc;
}

/* OS-R014: waiting for the thread is given up; the listing is lost with it. */
ANYC_TEST(test_path_iterator__cancelled_while_it_reads_is_broken)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_path *path = new_path("/");
    struct next_job job = {.rc = 1};
    const anyc_path *found;

    ck_assert_ok(anyc_path_iterdir(path, &job.iterator));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, next_task, &job);
    ck_assert_ok(anyc_checkpoint()); /* it waits for its thread now */
    ck_assert_int_eq(anyc_path_iterator_next(job.iterator, &found), ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_path_iterator_next(job.iterator, &found), ANYC_EBROKEN);
    ck_assert_ok(anyc_aclose(job.iterator));
    anyc_path_destroy(path);
}

ANYC_TEST(test_path_iterator__closed_while_it_reads_tells_the_reader)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_path *path = new_path("/");
    struct next_job job = {.rc = 1};

    ck_assert_ok(anyc_path_iterdir(path, &job.iterator));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, next_task, &job);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_aclose(job.iterator));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ECLOSED);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    anyc_path_destroy(path);
}

static int file_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_walk(bool limited)
{
    struct tree tree;
    anyc_path *path;
    anyc_path_walker *walker = NULL;
    anyc_path_walk_step step;

    tree_init(&tree, limited);
    tree_mkdir(&tree, "subdir");
    tree_write(&tree, "subdir/file1", "");
    tree_write(&tree, "subdir/file2", "");
    path = tree_path(&tree, "");
    ck_assert_ok(anyc_path_walk(path, NULL, &walker));
    ck_assert_ok(anyc_path_walker_next(walker, &step));
    ck_assert_str_eq(anyc_path_str(step.path), tree.folder);
    ck_assert_ptr_eq(anyc_path_limiter(step.path), tree.limiter);
    ck_assert_uint_eq(step.dir_count, 1);
    ck_assert_str_eq(step.dirs[0], "subdir");
    ck_assert_uint_eq(step.file_count, 0);
    ck_assert_ok(anyc_path_walker_next(walker, &step));
    ck_assert_str_eq(anyc_path_str(step.path), tree_text(&tree, "subdir"));
    ck_assert_ptr_eq(anyc_path_limiter(step.path), tree.limiter);
    ck_assert_uint_eq(step.dir_count, 0);
    ck_assert_uint_eq(step.file_count, 2);
    qsort(step.files, 2, sizeof step.files[0], file_order);
    ck_assert_str_eq(step.files[0], "file1");
    ck_assert_str_eq(step.files[1], "file2");
    ck_assert_int_eq(anyc_path_walker_next(walker, &step), ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* PA-052 */
ANYC_TEST(test_path_iterator__walk_goes_down_a_tree)
{
    check_walk(false);
    check_walk(true);
}

/* The names of the directories that a walk of the sample tree comes to. */
static void walk_names(const struct tree *tree, const anyc_path_walk_options *options,
                       const char *prune, char *out)
{
    anyc_path *path = tree_path(tree, "");
    anyc_path_walker *walker = NULL;
    anyc_path_walk_step step;

    *out = '\0';
    ck_assert_ok(anyc_path_walk(path, options, &walker));
    while (anyc_path_walker_next(walker, &step) == 0) {
        strcat(strcat(out, anyc_path_name(step.path)), " ");
        for (size_t i = 0; i < step.dir_count; i++)
            if (prune != NULL && strcmp(step.dirs[i], prune) == 0)
                step.dirs[i] = NULL;
    }
    ck_assert_ok(anyc_aclose(walker));
    anyc_path_destroy(path);
}

ANYC_TEST(test_path_iterator__walk_can_be_pruned_turned_round_and_follow_links)
{
    anyc_path_walk_options bottom_up = {.bottom_up = true};
    anyc_path_walk_options follow = {.follow_symlinks = true};
    struct tree tree;
    char names[256];
    char root[80];

    tree_init(&tree, false);
    tree_sample(&tree);
    walk_names(&tree, NULL, "subdir", names);
    ck_assert_ptr_nonnull(strstr(names, "sibdir"));
    ck_assert_ptr_null(strstr(names, "subdir"));
    walk_names(&tree, &bottom_up, NULL, names);
    (void)snprintf(root, sizeof root, "%s ", strrchr(tree.folder, '/') + 1);
    ck_assert_str_eq(strstr(names, root), root); /* comes last */
    walk_names(&tree, &follow, NULL, names);
    ck_assert_ptr_nonnull(strstr(names, "symlink"));
    tree_deinit(&tree);
}

struct oom_list {
    const struct tree *tree;
    long n;
    bool failed;
    int count;
};

static int oom_list_main(void *arg)
{
    struct oom_list *job = arg;
    anyc_path *path = tree_path(job->tree, "");
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    int rc;

    ck_assert_int_eq(anyc_path_exists(path, NULL), 1);
    fail_alloc_arm(job->n);
    rc = anyc_path_rglob(path, "*", NULL, &iterator);
    job->count = 0;
    while (rc == 0 || (rc == ANYC_ENOMEM && iterator != NULL)) { /* nothing is lost by that */
        rc = anyc_path_iterator_next(iterator, &found);
        job->count += rc == 0;
    }
    job->failed = fail_alloc_disarm();
    ck_assert(rc == ANYC_EOF || (iterator == NULL && rc == ANYC_ENOMEM));
    if (iterator != NULL) {
        ck_assert_int_eq(job->count, 7);
        ck_assert_ok(anyc_aclose(iterator));
    }
    anyc_path_destroy(path);
    return 0;
}

ANYC_TEST_PLAIN(test_path_iterator__out_of_memory_loses_nothing)
{
    struct tree tree;
    struct oom_list job = {.tree = &tree, .failed = true};

    tree_init(&tree, false);
    tree_sample(&tree);
    ck_assert_ok(unlink(tree_text(&tree, "testfile2")));
    ck_assert_ok(unlink(tree_text(&tree, "testfile")));
    fail_alloc_install();
    for (job.n = 1; job.failed; job.n++)
        ck_assert_ok(run_on_backend(oom_list_main, &job));
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
    tree_deinit(&tree);
}
