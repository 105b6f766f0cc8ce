/* SPDX-License-Identifier: MIT */
/*
 * test_remove_tree.c - a directory with all that is in it.
 */
#include <check.h>

#include <anyc/testing.h>

#include "os/remove_tree.h"
#include "scratch.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/steps.h"

struct tree {
    char path[64];
    int fd;
};

static struct tree tree_make(void)
{
    struct tree tree = {.path = "/tmp/anyc-tree-XXXXXX"};

    ck_assert_ptr_nonnull(mkdtemp(tree.path));
    tree.fd = open(tree.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(tree.fd, 0);
    return tree;
}

static void tree_add_file(const struct tree *tree, const char *name)
{
    int fd = openat(tree->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void tree_add_dir(const struct tree *tree, const char *name)
{
    ck_assert_ok(mkdirat(tree->fd, name, 0700));
}

static void tree_check_gone(const struct tree *tree)
{
    close(tree->fd);
    ck_assert_int_eq(access(tree->path, F_OK), -1);
}

ANYC_TEST_PLAIN(test_remove_tree__removes_all_that_is_in_it)
{
    struct tree tree = tree_make();

    tree_add_file(&tree, "a");
    tree_add_file(&tree, ".hidden");
    tree_add_dir(&tree, "b");
    tree_add_dir(&tree, "b/c");
    tree_add_file(&tree, "b/c/d");
    tree_add_file(&tree, "b/e\n\xff");
    tree_add_dir(&tree, "f");
    ck_assert_ok(mkfifoat(tree.fd, "g", 0600));
    ck_assert_ok(anyc__remove_tree(tree.path));
    tree_check_gone(&tree);
    ck_assert_ok(anyc__remove_tree(tree.path));
}

/* OS-R020: links are not followed. */
ANYC_TEST_PLAIN(test_remove_tree__does_not_follow_links)
{
    struct tree outside = tree_make();
    struct tree tree = tree_make();

    tree_add_file(&outside, "precious");
    ck_assert_ok(symlinkat(outside.path, tree.fd, "link"));
    ck_assert_ok(symlinkat("link", tree.fd, "loop"));
    ck_assert_ok(symlinkat("/no/such", tree.fd, "dangling"));
    ck_assert_ok(anyc__remove_tree(tree.path));
    tree_check_gone(&tree);
    ck_assert_ok(faccessat(outside.fd, "precious", F_OK, 0));
    ck_assert_ok(anyc__remove_tree(outside.path));
    tree_check_gone(&outside);
}

/* No recursion, a few descriptors, and paths longer than PATH_MAX. */
ANYC_TEST_PLAIN(test_remove_tree__goes_down_any_depth)
{
    struct tree tree = tree_make();
    struct rlimit old;
    int fd = dup(tree.fd);
    int rc;

    for (int i = 0; i < 2000; i++) {
        int next;

        ck_assert_ok(mkdirat(fd, "deeper", 0700));
        next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        close(fd);
        fd = next;
    }
    close(fd);
    old = limit_fds(4);
    rc = anyc__remove_tree(tree.path);
    unlimit_fds(&old);
    ck_assert_ok(rc);
    tree_check_gone(&tree);
}

ANYC_TEST_PLAIN(test_remove_tree__removes_what_has_no_permissions)
{
    struct tree tree = tree_make();

    tree_add_dir(&tree, "a");
    tree_add_file(&tree, "a/b");
    ck_assert_ok(fchmodat(tree.fd, "a", 0, 0));
    ck_assert_ok(fchmod(tree.fd, 0500));
    ck_assert_ok(anyc__remove_tree(tree.path));
    tree_check_gone(&tree);
}

/* The same for a user who needs permissions, and deep in the tree. */
ANYC_TEST_PLAIN(test_remove_tree__gives_itself_permissions)
{
    static const mode_t modes[] = {0, 0400, 0100, 0500, 0600};
    uid_t user = geteuid();

    if (user == 0)
        ck_assert_ok(seteuid(65534));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct tree tree = tree_make();

        tree_add_dir(&tree, "a");
        tree_add_dir(&tree, "a/b");
        tree_add_file(&tree, "a/b/c");
        tree_add_file(&tree, "d");
        ck_assert_ok(fchmodat(tree.fd, "d", 0, 0));
        ck_assert_ok(fchmodat(tree.fd, "a/b", modes[i], 0));
        ck_assert_ok(fchmodat(tree.fd, "a", modes[i], 0));
        ck_assert_ok(fchmod(tree.fd, modes[i]));
        ck_assert_ok(anyc__remove_tree(tree.path));
        tree_check_gone(&tree);
    }
    ck_assert_ok(seteuid(user));
}

/* A directory of somebody else's stays; all around it goes, and it is told. */
ANYC_TEST_PLAIN(test_remove_tree__leaves_what_it_may_not_touch)
{
    struct tree tree = tree_make();
    uid_t user = geteuid();
    int rc;

    if (user != 0) /* who cannot give files away */
        ck_assert_ok(chmod(tree.path, 0700));
    tree_add_dir(&tree, "a");
    tree_add_dir(&tree, "others");
    tree_add_file(&tree, "others/precious");
    tree_add_file(&tree, "z");
    if (user == 0) {
        ck_assert_ok(fchown(tree.fd, 65534, (gid_t)-1));
        ck_assert_ok(fchownat(tree.fd, "a", 65534, (gid_t)-1, 0));
        ck_assert_ok(seteuid(65534));
        rc = anyc__remove_tree(tree.path);
        ck_assert_ok(seteuid(user));
        ck_assert_int_eq(rc, -EACCES);
        ck_assert_ok(faccessat(tree.fd, "others/precious", F_OK, 0));
        ck_assert_int_eq(faccessat(tree.fd, "a", F_OK, 0), -1);
        ck_assert_int_eq(faccessat(tree.fd, "z", F_OK, 0), -1);
    }
    ck_assert_ok(anyc__remove_tree(tree.path));
    tree_check_gone(&tree);
}

ANYC_TEST_PLAIN(test_remove_tree__goes_on_after_a_failure)
{
    struct tree tree = tree_make();
    struct rlimit old;
    int rc;

    tree_add_file(&tree, "a");
    tree_add_dir(&tree, "b");
    tree_add_file(&tree, "c");
    old = limit_fds(1); /* the tree itself can be opened, but not listed */
    rc = anyc__remove_tree(tree.path);
    unlimit_fds(&old);
    ck_assert_int_eq(rc, -EMFILE);
    ck_assert_ok(faccessat(tree.fd, "a", F_OK, 0));
    ck_assert_ok(anyc__remove_tree(tree.path));
    tree_check_gone(&tree);
}

ANYC_TEST_PLAIN(test_remove_tree__tells_that_there_is_no_memory)
{
    bool failed = true;

    fail_alloc_install();
    for (long n = 1; failed; n++) {
        struct tree tree = tree_make();
        int rc;

        tree_add_dir(&tree, "a");
        tree_add_file(&tree, "a/b");
        fail_alloc_arm(n);
        rc = anyc__remove_tree(tree.path);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? -ENOMEM : 0);
        ck_assert_int_eq(fail_alloc_live(), 0);
        ck_assert_ok(anyc__remove_tree(tree.path));
        tree_check_gone(&tree);
    }
    ck_assert_ok(anyc_set_allocator(NULL));
}

ANYC_TEST_PLAIN(test_remove_tree__removes_no_file)
{
    struct scratch scratch = scratch_text("abc");

    ck_assert_int_eq(anyc__remove_tree(scratch.path), -ENOTDIR);
    scratch_end(&scratch, "abc");
}
