/* SPDX-License-Identifier: MIT */
/*
 * test_path_memory.c - every disk call of paths with each of its allocations failing.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <errno.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

/* One run: what it makes or finds is the caller's. */
struct memory {
    struct tree tree;
    anyc_path *path; /* "dir/file" */
    char target[512];
    anyc_path *made;
    char *text;
};

typedef int (*memory_fn)(struct memory *memory);

static int ask_cwd(struct memory *memory)
{
    return anyc_path_cwd(NULL, &memory->made);
}

static int ask_home(struct memory *memory)
{
    ck_assert_ok(unsetenv("HOME"));
    return anyc_path_home(NULL, &memory->made);
}

static int ask_resolve(struct memory *memory)
{
    anyc_path *path = NULL;
    int rc = anyc_path_create(tree_text(&memory->tree, "link/../link/file"), NULL, &path);

    if (rc == 0)
        rc = anyc_path_resolve(path, true, &memory->made);
    anyc_path_destroy(path);
    return rc;
}

static int ask_absolute(struct memory *memory)
{
    return anyc_path_absolute(memory->path, &memory->made);
}

static int ask_readlink(struct memory *memory)
{
    anyc_path *path = NULL;
    int rc = anyc_path_create(tree_text(&memory->tree, "link"), NULL, &path);

    if (rc == 0)
        rc = anyc_path_readlink(path, &memory->made);
    anyc_path_destroy(path);
    return rc;
}

static int ask_kind(struct memory *memory)
{
    int rc = anyc_path_is_file(memory->path, NULL);

    return rc < 0 ? rc : rc - 1;
}

static int ask_mount(struct memory *memory)
{
    return anyc_path_is_mount(memory->path);
}

static int ask_same(struct memory *memory)
{
    int rc = anyc_path_samefile(memory->path, tree_text(&memory->tree, "link/file"));

    return rc < 0 ? rc : rc - 1;
}

static int ask_owner(struct memory *memory)
{
    return anyc_path_owner(memory->path, NULL, &memory->text);
}

static int ask_group(struct memory *memory)
{
    return anyc_path_group(memory->path, NULL, &memory->text);
}

static int ask_bytes(struct memory *memory)
{
    size_t len;

    return anyc_path_read_bytes(memory->path, (uint8_t **)&memory->text, &len);
}

static int do_mkdir(struct memory *memory)
{
    anyc_path_mkdir_options options = {.parents = true};
    anyc_path *path = NULL;
    int rc = anyc_path_create(tree_text(&memory->tree, "a/b/c"), NULL, &path);

    if (rc == 0)
        rc = anyc_path_mkdir(path, &options);
    anyc_path_destroy(path);
    return rc;
}

static int do_rename(struct memory *memory)
{
    return anyc_path_rename(memory->path, memory->target, &memory->made);
}

static int do_copy(struct memory *memory)
{
    anyc_path_copy_options options = {.no_follow = true, .preserve_metadata = true};
    anyc_path *parent = NULL;
    int rc = anyc_path_parent(memory->path, &parent);

    if (rc == 0)
        rc = anyc_path_copy(parent, memory->target, &options, &memory->made);
    anyc_path_destroy(parent);
    return rc;
}

static int do_move_into(struct memory *memory)
{
    return anyc_path_move_into(memory->path, memory->tree.folder, &memory->made);
}

static const memory_fn calls[] = {
    ask_cwd,   ask_home,  ask_resolve, ask_absolute, ask_readlink, ask_kind, ask_mount,    ask_same,
    ask_owner, ask_group, ask_bytes,   do_mkdir,     do_rename,    do_copy,  do_move_into,
};

struct memory_job {
    memory_fn call;
    long n;
    bool failed;
};

static int memory_main(void *arg)
{
    struct memory_job *job = arg;
    struct memory memory = {.made = NULL};
    int rc;

    tree_init(&memory.tree, false);
    tree_mkdir(&memory.tree, "dir");
    tree_write(&memory.tree, "dir/file", "contents");
    ck_assert_ok(symlink("../dir", tree_text(&memory.tree, "dir/link")));
    ck_assert_ok(symlink("dir", tree_text(&memory.tree, "link")));
    memory.path = tree_path(&memory.tree, "dir/file");
    strcpy(memory.target, tree_text(&memory.tree, "target"));
    fail_alloc_arm(job->n);
    rc = job->call(&memory);
    job->failed = fail_alloc_disarm();
    ck_assert(rc == 0 || (job->failed && rc == ANYC_ENOMEM));
    if (rc < 0)
        ck_assert(memory.made == NULL && memory.text == NULL);
    anyc_path_destroy(memory.made);
    anyc_path_free(memory.text);
    anyc_path_destroy(memory.path);
    tree_deinit(&memory.tree);
    return 0;
}

ANYC_TEST_WITH(test_path_memory__out_of_memory_is_an_answer_of_every_call, .plain = true,
               .timeout = 60)
{
    fail_alloc_install();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct memory_job job = {.call = calls[i], .failed = true};

        for (job.n = 1; job.failed; job.n++)
            ck_assert_ok(run_on_backend(memory_main, &job));
    }
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
