/* SPDX-License-Identifier: MIT */
/*
 * test_path_walk.c - walks over trees that change, that may not be read, and that are deep. The
 * ordinary ones are in test_path_iterator.c.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <errno.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/tasks.h"

/* What an on_error was told, and what it is to answer. */
struct told {
    char names[256]; /* each with a space behind it */
    int error;       /* the last one */
    int count;
    int answer;
    anyc_path_walker *closes; /* or NULL */
};

static int tell(const anyc_path *path, int error, void *arg)
{
    struct told *told = arg;

    ck_assert_int_eq(anyc_last_error()->code, error);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, anyc_path_str(path)));
    strcat(strcat(told->names, anyc_path_name(path)), " ");
    told->error = error;
    told->count++;
    if (told->closes != NULL)
        ck_assert_ok(anyc_aclose(told->closes));
    return told->answer;
}

static anyc_path_walker *walk_in(const struct tree *tree, const char *name, bool bottom_up,
                                 struct told *told)
{
    anyc_path_walk_options options = {.bottom_up = bottom_up, .arg = told};
    anyc_path *path = tree_path(tree, name);
    anyc_path_walker *walker = NULL;

    options.on_error = told == NULL ? NULL : tell;
    ck_assert_ok(anyc_path_walk(path, &options, &walker));
    anyc_path_destroy(path);
    return walker;
}

/* The names of the directories of all further steps, sorted by nothing. */
static int walk_rest(anyc_path_walker *walker, char *out)
{
    anyc_path_walk_step step;
    int rc;

    *out = '\0';
    while ((rc = anyc_path_walker_next(walker, &step)) == 0)
        strcat(strcat(out, anyc_path_name(step.path)), " ");
    return rc;
}

ANYC_TEST(test_path_walk__a_missing_directory_is_no_step_and_told)
{
    struct told told = {.answer = 0};
    struct tree tree;
    anyc_path_walker *walker;
    char names[256];

    tree_init(&tree, false);
    tree_write(&tree, "file", "");
    walker = walk_in(&tree, "missing", false, NULL);
    ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    walker = walk_in(&tree, "missing", false, &told);
    ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    ck_assert_str_eq(names, "");
    ck_assert_str_eq(told.names, "missing ");
    ck_assert_int_eq(told.error, -ENOENT);
    walker = walk_in(&tree, "file", true, &told);
    ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
    ck_assert_ok(anyc_aclose(walker));
    ck_assert_int_eq(told.error, -ENOTDIR);
    tree_deinit(&tree);
}

/* pathlib's: one removed between the step that names it and its own. */
ANYC_TEST(test_path_walk__a_directory_removed_meanwhile_is_told)
{
    struct told told = {.answer = 0};
    struct tree tree;
    anyc_path_walker *walker;
    anyc_path_walk_step step;
    char names[256];

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "b");
    walker = walk_in(&tree, "", false, &told);
    ck_assert_ok(anyc_path_walker_next(walker, &step));
    ck_assert_uint_eq(step.dir_count, 2);
    ck_assert_ok(rmdir(tree_text(&tree, "a")));
    ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
    ck_assert_str_eq(names, "b ");
    ck_assert_str_eq(told.names, "a ");
    ck_assert_int_eq(told.error, -ENOENT);
    ck_assert_ok(anyc_aclose(walker));
    tree_deinit(&tree);
}

/* By a user who may not; also where it is asked for bottom up. */
ANYC_TEST(test_path_walk__a_directory_that_may_not_be_read_is_told)
{
    const uid_t user = geteuid();
    struct tree tree;
    char names[256];

    tree_init(&tree, false);
    tree_mkdir(&tree, "locked");
    tree_mkdir(&tree, "locked/in");
    tree_mkdir(&tree, "open");
    ck_assert_ok(chmod(tree.folder, 0755));
    ck_assert_ok(chmod(tree_text(&tree, "locked"), 0));
    if (user == 0)
        ck_assert_ok(seteuid(65534));
    for (int bottom_up = 0; bottom_up < 2; bottom_up++) {
        struct told told = {.answer = 0};
        anyc_path_walker *walker = walk_in(&tree, "", bottom_up, &told);

        ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
        ck_assert_ok(anyc_aclose(walker));
        ck_assert_ptr_nonnull(strstr(names, "open "));
        ck_assert_ptr_null(strstr(names, "locked "));
        ck_assert_str_eq(told.names, "locked ");
        ck_assert_int_eq(told.error, -EACCES);
    }
    ck_assert_ok(seteuid(user));
    ck_assert_ok(chmod(tree_text(&tree, "locked"), 0755));
    tree_deinit(&tree);
}

ANYC_TEST(test_path_walk__what_on_error_answers_ends_the_step_and_the_directory_waits)
{
    struct told told = {.answer = E1};
    struct tree tree;
    anyc_path_walker *walker;
    char names[256];

    tree_init(&tree, false);
    walker = walk_in(&tree, "late", false, &told);
    ck_assert_int_eq(walk_rest(walker, names), E1);
    ck_assert_int_eq(walk_rest(walker, names), E1);
    ck_assert_int_eq(told.count, 2);
    tree_mkdir(&tree, "late");
    ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
    ck_assert_str_eq(names, "late ");
    ck_assert_int_eq(told.count, 2);
    ck_assert_ok(anyc_aclose(walker));
    tree_deinit(&tree);
}

ANYC_TEST(test_path_walk__descriptors_that_ran_out_are_answered_or_told)
{
    struct told told = {.answer = -EMFILE};
    struct tree tree;
    anyc_path_walker *walker;
    anyc_path *path;
    char names[256];

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    path = tree_path(&tree, "a");
    ck_assert_int_eq(anyc_path_is_dir(path, NULL), 1); /* a thread is there */
    anyc_path_destroy(path);
    for (int i = 0; i < 2; i++) {
        struct rlimit old;

        walker = walk_in(&tree, "a", false, i == 0 ? NULL : &told);
        old = limit_fds(0);
        ck_assert_int_eq(walk_rest(walker, names), -EMFILE);
        unlimit_fds(&old);
        ck_assert_int_eq(walk_rest(walker, names), ANYC_EOF);
        ck_assert_str_eq(names, "a ");
        ck_assert_ok(anyc_aclose(walker));
    }
    ck_assert_int_eq(told.count, 1);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_walk__on_error_may_close_the_walk)
{
    struct told told = {.answer = 0};
    struct tree tree;
    anyc_path_walk_step step;

    tree_init(&tree, false);
    told.closes = walk_in(&tree, "missing", false, &told);
    ck_assert_int_eq(anyc_path_walker_next(told.closes, &step), ANYC_ECLOSED);
    tree_deinit(&tree);
}

static int suspend_on_error(const anyc_path *path, int error, void *arg)
{
    (void)path;
    (void)error;
    (void)arg;
    return anyc_sleep_forever();
}

struct walk_job {
    anyc_path_walker *walker;
    int rc;
};

static int walk_task(void *arg)
{
    struct walk_job *job = arg;
    anyc_path_walk_step step;

    job->rc = anyc_path_walker_next(job->walker, &step);
    return job->rc;
}

ANYC_TEST(test_path_walk__on_error_may_wait_and_be_cancelled)
{
    anyc_path_walk_options options = {.on_error = suspend_on_error};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_path *path = new_path("/no-such-directory-anywhere");
    struct walk_job job = {.rc = 1};
    anyc_path_walk_step step;

    ck_assert_ok(anyc_path_walk(path, &options, &job.walker));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, walk_task, &job);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_path_walker_next(job.walker, &step), ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(job.walker));
    anyc_path_destroy(path);
}

struct oom_walk {
    const struct tree *tree;
    bool bottom_up;
    long n;
    bool failed;
};

static int oom_walk_main(void *arg)
{
    struct oom_walk *job = arg;
    anyc_path_walk_options options = {.bottom_up = job->bottom_up};
    anyc_path *path = tree_path(job->tree, "");
    anyc_path_walker *walker = NULL;
    anyc_path_walk_step step;
    int steps = 0;
    int rc;

    ck_assert_int_eq(anyc_path_exists(path, NULL), 1);
    fail_alloc_arm(job->n);
    rc = anyc_path_walk(path, &options, &walker);
    while (rc == 0 || (rc == ANYC_ENOMEM && walker != NULL)) {
        rc = anyc_path_walker_next(walker, &step);
        steps += rc == 0;
    }
    job->failed = fail_alloc_disarm();
    ck_assert(rc == ANYC_EOF || (walker == NULL && rc == ANYC_ENOMEM));
    ck_assert_int_eq(steps, walker == NULL ? 0 : 3);
    if (walker != NULL)
        ck_assert_ok(anyc_aclose(walker));
    anyc_path_destroy(path);
    return 0;
}

ANYC_TEST_PLAIN(test_path_walk__out_of_memory_loses_nothing)
{
    struct tree tree;

    tree_init(&tree, false);
    tree_sample(&tree);
    fail_alloc_install();
    for (int bottom_up = 0; bottom_up < 2; bottom_up++) {
        struct oom_walk job = {.tree = &tree, .bottom_up = bottom_up, .failed = true};

        for (job.n = 1; job.failed; job.n++)
            ck_assert_ok(run_on_backend(oom_walk_main, &job));
    }
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
    tree_deinit(&tree);
}
