/* SPDX-License-Identifier: MIT */
/*
 * test_disk_full.c - disks that are full, other disks, and a process without descriptors, as they are:
 * /dev/full, a small file system of the test's own, and another one that every Linux has.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/limit_fds.h"
#include "unit/os/path_tree.h"

#define LARGE ((size_t)1 << 20) /* bytes, more than the small file system has */

/* -- a device that is always full -- */

ANYC_TEST(test_disk_full__is_told_of_a_device)
{
    anyc_path *full = new_path("/dev/full");
    struct tree tree;
    anyc_path *source;

    tree_init(&tree, false);
    tree_write(&tree, "file", "content");
    source = tree_path(&tree, "file");
    ck_assert_int_eq(anyc_path_write_bytes(full, "x", 1), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "/dev/full"));
    ck_assert_int_eq(anyc_path_write_text(full, "x", 1, NULL), -ENOSPC);
    ck_assert_int_eq(anyc_path_copy(source, "/dev/full", NULL, NULL), -ENOSPC);
    tree_expect(&tree, "file", "content");
    anyc_path_destroy(source);
    anyc_path_destroy(full);
    tree_deinit(&tree);
}

/* -- a small file system -- */

struct small {
    struct tree tree;
    char disk[512]; /* where it is mounted */
    char *large;    /* LARGE bytes, also in the file "large" outside of it */
};

/* In the test's own name space, so that it goes with the test. */
static void small_init(struct small *small)
{
    tree_init(&small->tree, false);
    tree_mkdir(&small->tree, "disk");
    strcpy(small->disk, tree_text(&small->tree, "disk"));
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", small->disk, "tmpfs", 0, "size=65536,nr_inodes=8") < 0) {
        fprintf(stderr, "test_disk_full: mounting is refused: %s\n", strerror(errno));
        tree_deinit(&small->tree);
        ANYC_TEST_SKIP("mounting a small file system is refused");
    }
    small->large = malloc(LARGE + 1);
    memset(small->large, 'x', LARGE);
    small->large[LARGE] = '\0';
    tree_write(&small->tree, "large", small->large);
}

static void small_deinit(struct small *small)
{
    struct stat status;

    ck_assert_ok(stat(tree_text(&small->tree, "large"), &status));
    ck_assert_int_eq(status.st_size, (off_t)LARGE); /* whatever failed, the source is whole */
    free(small->large);
    ck_assert_ok(umount(small->disk));
    tree_deinit(&small->tree);
}

static int fill_bytes(void *arg)
{
    struct small *small = arg;
    anyc_path *path = tree_path(&small->tree, "disk/new");

    ck_assert_int_eq(anyc_path_write_bytes(path, small->large, LARGE), -ENOSPC);
    ck_assert_int_eq(anyc_path_write_text(path, small->large, LARGE, NULL), -ENOSPC);
    ck_assert_ok(anyc_path_write_bytes(path, "fits", 4));
    tree_expect(&small->tree, "disk/new", "fits");
    anyc_path_destroy(path);
    return 0;
}

static int fill_by_copies(void *arg)
{
    struct small *small = arg;
    anyc_path *large = tree_path(&small->tree, "large");

    ck_assert_int_eq(anyc_path_copy_into(large, small->disk, NULL, NULL), -ENOSPC);
    ck_assert_int_eq(anyc_path_move_into(large, small->disk, NULL), -ENOSPC);
    anyc_path_destroy(large);
    return 0;
}

static int fill_a_file(void *arg)
{
    struct small *small = arg;
    anyc_file *file = NULL;

    ck_assert_ok(anyc_open_file(tree_text(&small->tree, "disk/new"), "w", NULL, &file));
    ck_assert_int_eq(anyc_file_write(file, small->large, LARGE), -ENOSPC);
    (void)anyc_aclose(file); /* may tell of it once more */
    return 0;
}

static int fill_temporaries(void *arg)
{
    struct small *small = arg;
    const anyc_temporary_file_options options = {.dir = small->disk, .max_size = 10};
    anyc_file *file = NULL;

    ck_assert_ok(anyc_named_temporary_file(&options, &file));
    ck_assert_int_eq(anyc_file_write(file, small->large, LARGE), -ENOSPC);
    (void)anyc_aclose(file); /* as above */
    ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
    ck_assert_int_eq(anyc_file_write(file, "in memory", 9), 9);
    ck_assert_int_eq(anyc_file_write(file, small->large, LARGE), -ENOSPC);
    (void)anyc_aclose(file); /* as above */
    return 0;
}

/* All the names that it has room for; then each kind of name is refused. */
static int fill_names(void *arg)
{
    struct small *small = arg;
    const anyc_mkstemp_options options = {.dir = small->disk};
    anyc_path *path = tree_path(&small->tree, "disk/name");
    anyc_bytes name;
    int fd;
    int rc = 0;

    while (rc == 0) {
        rc = anyc_mkdtemp(&options, &name);
        if (rc == 0)
            anyc_bytes_deinit(&name);
    }
    ck_assert_int_eq(rc, -ENOSPC);
    ck_assert_int_eq(anyc_mkstemp(&options, &fd, &name), -ENOSPC);
    ck_assert_int_eq(anyc_path_mkdir(path, NULL), -ENOSPC);
    ck_assert_int_eq(anyc_path_touch(path, NULL), -ENOSPC);
    ck_assert_int_eq(anyc_path_symlink_to(path, "target"), -ENOSPC);
    ck_assert_int_eq(anyc_path_write_bytes(path, "x", 1), -ENOSPC);
    anyc_path_destroy(path);
    return 0;
}

ANYC_TEST_PLAIN(test_disk_full__is_told_of_a_file_system)
{
    static int (*const mains[])(void *arg) = {fill_bytes, fill_by_copies, fill_a_file,
                                              fill_temporaries, fill_names};
    const anyc_run_options options = {.backend = anyc_testing_backend()};
    struct small small;

    small_init(&small);
    for (size_t i = 0; i < sizeof mains / sizeof *mains; i++)
        ck_assert_ok(anyc_run_with(mains[i], &small, &options));
    small_deinit(&small);
}

/* -- another file system -- */

/* A directory in memory, on another file system than the tree. */
static void other_init(const struct tree *tree, char *folder)
{
    struct stat here;
    struct stat there;

    strcpy(folder, "/dev/shm/anyc-other-XXXXXX");
    if (mkdtemp(folder) == NULL)
        ANYC_TEST_SKIP("/dev/shm cannot be written to");
    ck_assert_ok(stat(tree->folder, &here));
    ck_assert_ok(stat(folder, &there));
    if (here.st_dev == there.st_dev) {
        (void)rmdir(folder);
        ANYC_TEST_SKIP("/dev/shm is no other file system");
    }
}

/* With its content, its permissions and its links. */
static void check_moved(const char *folder)
{
    struct stat status;
    char path[256];
    char text[16] = "";

    snprintf(path, sizeof path, "%s/file", folder);
    ck_assert_ok(stat(path, &status));
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    ck_assert_int_eq(status.st_size, 7);
    snprintf(path, sizeof path, "%s/link", folder);
    ck_assert_int_eq(readlink(path, text, sizeof text - 1), 4);
    ck_assert_str_eq(text, "file");
}

ANYC_TEST(test_disk_full__a_move_to_another_disk_copies_and_removes)
{
    char folder[64];
    struct tree tree;
    anyc_path *source;
    anyc_path *moved = NULL;

    tree_init(&tree, false);
    tree_mkdir(&tree, "dir");
    tree_write(&tree, "dir/file", "content");
    ck_assert_ok(symlink("file", tree_text(&tree, "dir/link")));
    ck_assert_ok(chmod(tree_text(&tree, "dir/file"), 0640));
    other_init(&tree, folder);
    source = tree_path(&tree, "dir");
    ck_assert_int_eq(anyc_path_rename(source, folder, NULL), -EXDEV);
    ck_assert_ok(anyc_path_move_into(source, folder, &moved));
    ck_assert_int_eq(anyc_path_exists(source, NULL), 0);
    check_moved(anyc_path_str(moved));
    ck_assert_ok(nftw(folder, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS));
    anyc_path_destroy(source);
    anyc_path_destroy(moved);
    tree_deinit(&tree);
}

/* -- no descriptors -- */

/* Each call that opens something answers -EMFILE, and works once there is room. */
static void check_without_fds(const struct tree *tree, bool room)
{
    const int wanted = room ? 0 : -EMFILE;
    anyc_path *path = tree_path(tree, "file");
    anyc_path *folder = tree_path(tree, "");
    anyc_temporary_file_options options = {.dir = tree->folder};
    anyc_path_iterator *iterator = NULL;
    const anyc_path *found;
    uint8_t *data = NULL;
    anyc_file *file = NULL;
    size_t len;

    ck_assert_int_eq(anyc_path_read_bytes(path, &data, &len), wanted);
    anyc_path_free(data);
    ck_assert_int_eq(anyc_path_write_bytes(path, "content", 7), wanted);
    ck_assert_int_eq(anyc_path_copy(path, tree_text(tree, "copy"), NULL, NULL), wanted);
    ck_assert_ok(anyc_path_iterdir(folder, &iterator));
    ck_assert_int_eq(anyc_path_iterator_next(iterator, &found), wanted);
    ck_assert_ok(anyc_aclose(iterator));
    ck_assert_int_eq(anyc_open_file(tree_text(tree, "file"), "r", NULL, &file), wanted);
    if (room)
        ck_assert_ok(anyc_aclose(file));
    ck_assert_int_eq(anyc_temporary_file(&options, &file), wanted);
    if (room)
        ck_assert_ok(anyc_aclose(file));
    anyc_path_destroy(path);
    anyc_path_destroy(folder);
}

ANYC_TEST(test_disk_full__a_lack_of_descriptors_is_told_too)
{
    struct rlimit limit;
    struct tree tree;

    tree_init(&tree, false);
    tree_write(&tree, "file", "content");
    check_without_fds(&tree, true); /* its thread has begun */
    limit = limit_fds(0);
    check_without_fds(&tree, false);
    unlimit_fds(&limit);
    check_without_fds(&tree, true);
    tree_expect(&tree, "file", "content");
    tree_deinit(&tree);
}
