/* SPDX-License-Identifier: MIT */
/*
 * test_path_disk.c - disk calls of paths. AnyIO: tests/test_fileio.py, TestPath.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

/* PA-011, OS-R015 */
ANYC_TEST(test_path_disk__exists_expands_no_tilde)
{
    struct tree tree;
    anyc_path *tilde = new_path("~/btelkbee");
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "");
    ck_assert_int_eq(anyc_path_exists(tilde, NULL), 0);
    ck_assert_int_eq(anyc_path_exists(path, NULL), 1);
    anyc_path_destroy(tilde);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* The first block device below /dev, or NULL. */
static anyc_path *block_device(void)
{
    DIR *listing = opendir("/dev");
    const struct dirent *entry;
    anyc_path *path = NULL;

    while (path == NULL && (entry = readdir(listing)) != NULL) {
        struct stat stat;

        if (fstatat(dirfd(listing), entry->d_name, &stat, 0) == 0 && S_ISBLK(stat.st_mode)) {
            anyc_path *dev = new_path("/dev");

            ck_assert_ok(anyc_path_joinpath(dev, entry->d_name, &path));
            anyc_path_destroy(dev);
        }
    }
    closedir(listing);
    return path;
}

/* PA-014 */
ANYC_TEST(test_path_disk__is_block_device)
{
    anyc_path *missing = new_path("/btelkbee");
    anyc_path *device = block_device();

    ck_assert_int_eq(anyc_path_is_block_device(missing), 0);
    anyc_path_destroy(missing);
    if (device == NULL)
        ANYC_TEST_SKIP("no block device in /dev");
    ck_assert_int_eq(anyc_path_is_block_device(device), 1);
    anyc_path_destroy(device);
}

/* PA-015, PA-022 */
ANYC_TEST(test_path_disk__is_char_device_and_is_mount)
{
    anyc_path *missing = new_path("/btelkbee");
    anyc_path *random = new_path("/dev/random");
    anyc_path *nowhere = new_path("/gfobj4ewiotj");
    anyc_path *root = new_path("/");

    ck_assert_int_eq(anyc_path_is_char_device(missing), 0);
    ck_assert_int_eq(anyc_path_is_char_device(random), 1);
    ck_assert_int_eq(anyc_path_is_mount(nowhere), 0);
    ck_assert_int_eq(anyc_path_is_mount(random), 0);
    ck_assert_int_eq(anyc_path_is_mount(root), 1);
    anyc_path_destroy(missing);
    anyc_path_destroy(random);
    anyc_path_destroy(nowhere);
    anyc_path_destroy(root);
}

static void bind_socket(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, text);
    ck_assert_ok(bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
}

/* PA-016, PA-017, PA-018, PA-023, PA-024, PA-039, PA-049, PA-050, OS-R015 */
ANYC_TEST(test_path_disk__kinds_of_files)
{
    struct tree tree;
    anyc_path *dir, *fifo, *file, *sock, *link;

    tree_init(&tree, false);
    dir = tree_path(&tree, "dir");
    fifo = tree_path(&tree, "fifo");
    file = tree_path(&tree, "file");
    sock = tree_path(&tree, "sock");
    link = tree_path(&tree, "link");
    ck_assert_int_eq(anyc_path_is_dir(dir, NULL), 0);
    ck_assert_ok(anyc_path_mkdir(dir, NULL));
    ck_assert_int_eq(anyc_path_is_dir(dir, NULL), 1);
    ck_assert_int_eq(anyc_path_is_fifo(fifo), 0);
    ck_assert_ok(mkfifo(anyc_path_str(fifo), 0600));
    ck_assert_int_eq(anyc_path_is_fifo(fifo), 1);
    ck_assert_int_eq(anyc_path_is_file(file, NULL), 0);
    ck_assert_ok(anyc_path_touch(file, NULL));
    ck_assert_int_eq(anyc_path_is_file(file, NULL), 1);
    ck_assert_int_eq(anyc_path_is_socket(sock), 0);
    bind_socket(anyc_path_str(sock));
    ck_assert_int_eq(anyc_path_is_socket(sock), 1);
    ck_assert_int_eq(anyc_path_is_symlink(link), 0);
    ck_assert_ok(anyc_path_symlink_to(link, "/foo"));
    ck_assert_int_eq(anyc_path_is_symlink(link), 1);
    anyc_path_destroy(dir);
    anyc_path_destroy(fifo);
    anyc_path_destroy(file);
    anyc_path_destroy(sock);
    anyc_path_destroy(link);
    tree_deinit(&tree);
}

/* PA-019, PA-020, PA-037, OS-R015 */
ANYC_TEST(test_path_disk__links_are_followed_or_not)
{
    anyc_path_follow_options no_follow = {.no_follow = true};
    struct tree tree;
    anyc_path *dangling, *link, *below;
    struct stat stat;

    tree_init(&tree, false);
    tree_write(&tree, "file", "");
    dangling = tree_path(&tree, "dangling");
    link = tree_path(&tree, "link");
    below = tree_path(&tree, "file/below");
    ck_assert_ok(anyc_path_symlink_to(dangling, "missing"));
    ck_assert_ok(anyc_path_symlink_to(link, "file"));
    ck_assert_int_eq(anyc_path_exists(dangling, &no_follow), 1);
    ck_assert_int_eq(anyc_path_exists(dangling, NULL), 0);
    ck_assert_int_eq(anyc_path_is_file(link, NULL), 1);
    ck_assert_int_eq(anyc_path_is_file(link, &no_follow), 0);
    ck_assert_int_eq(anyc_path_exists(below, NULL), 0);
    ck_assert_ok(anyc_path_lstat(dangling, &stat));
    ck_assert(S_ISLNK(stat.st_mode));
    ck_assert_int_eq(anyc_path_stat(dangling, NULL, &stat), -ENOENT);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOENT);
    anyc_path_destroy(dangling);
    anyc_path_destroy(link);
    anyc_path_destroy(below);
    tree_deinit(&tree);
}

/* PA-021, PA-041, PA-042 */
ANYC_TEST(test_path_disk__reads_contents)
{
    anyc_path_text_options off = {.newline = ""};
    struct tree tree;
    anyc_path *lines, *words;
    uint8_t *bytes = NULL;
    char *text = NULL;
    size_t len = 0;

    tree_init(&tree, false);
    tree_write(&tree, "lines", "a\r\nb");
    tree_write(&tree, "words", "some text \xC3\xA5\xC3\xA4\xC3\xB6");
    tree_write(&tree, "bytes", "bibbitibobbitiboo");
    lines = tree_path(&tree, "lines");
    words = tree_path(&tree, "words");
    ck_assert_ok(anyc_path_read_text(lines, &off, &text, &len));
    ck_assert_uint_eq(len, 4);
    ck_assert_str_eq(text, "a\r\nb");
    anyc_path_free(text);
    ck_assert_ok(anyc_path_read_text(lines, NULL, &text, NULL));
    ck_assert_str_eq(text, "a\nb");
    anyc_path_free(text);
    ck_assert_ok(anyc_path_read_text(words, NULL, &text, NULL));
    ck_assert_str_eq(text, "some text \xC3\xA5\xC3\xA4\xC3\xB6");
    anyc_path_free(text);
    anyc_path_destroy(words);
    words = tree_path(&tree, "bytes");
    ck_assert_ok(anyc_path_read_bytes(words, &bytes, &len));
    ck_assert_uint_eq(len, 17);
    ck_assert_str_eq((char *)bytes, "bibbitibobbitiboo");
    anyc_path_free(bytes);
    anyc_path_destroy(lines);
    anyc_path_destroy(words);
    tree_deinit(&tree);
}

/* PA-056, PA-057 */
ANYC_TEST(test_path_disk__writes_contents)
{
    anyc_path_text_options latin = {.encoding = "ISO-8859-1", .newline = "\r\n"};
    const char *text = "some text \xC3\xA5\xC3\xA4\xC3\xB6";
    struct tree tree;
    anyc_path *path;
    char *back = NULL;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    ck_assert_ok(anyc_path_write_bytes(path, "bibbitibobbitiboo", 17));
    tree_expect(&tree, "file", "bibbitibobbitiboo");
    ck_assert_ok(anyc_path_write_text(path, text, strlen(text), NULL));
    tree_expect(&tree, "file", text);
    ck_assert_ok(anyc_path_write_text(path, "\xC3\xA5\n", 3, &latin));
    tree_expect(&tree, "file", "\xE5\r\n");
    ck_assert_ok(anyc_path_read_text(path, &(anyc_path_text_options){.encoding = "ISO-8859-1"},
                                     &back, NULL));
    ck_assert_str_eq(back, "\xC3\xA5\n");
    anyc_path_free(back);
    ck_assert_int_eq(anyc_path_read_text(path, NULL, &back, NULL), ANYC_EDECODE);
    ck_assert_int_eq(anyc_path_write_text(path, "\xE2\x82\xAC", 3, &latin), ANYC_EENCODE);
    tree_expect(&tree, "file", "\xE5\r\n"); /* untouched */
    latin.encoding = "no-such-code";
    ck_assert_int_eq(anyc_path_write_text(path, "", 0, &latin), ANYC_EINVAL);
    latin.newline = "x";
    ck_assert_int_eq(anyc_path_write_text(path, "", 0, &latin), ANYC_EINVAL);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

static void check_copy(const struct tree *tree)
{
    anyc_path *path = tree_path(tree, "source");
    anyc_path *copied = NULL;
    char target[512];

    tree_write(tree, "source", "hello");
    strcpy(target, tree_text(tree, "target"));
    ck_assert_ok(anyc_path_copy(path, target, NULL, &copied));
    expect_path(copied, target, tree->limiter);
    tree_expect(tree, "target", "hello");
    tree_expect(tree, "source", "hello");
    ck_assert_int_eq(anyc_path_copy(path, anyc_path_str(path), NULL, NULL), ANYC_EINVAL);
    tree_expect(tree, "source", "hello");
    anyc_path_destroy(path);
}

/* PA-025, OS-R018 */
ANYC_TEST(test_path_disk__copies_a_file)
{
    each_tree(check_copy);
}

static void check_move(const struct tree *tree)
{
    anyc_path *path = tree_path(tree, "source");
    anyc_path *moved = NULL;
    char target[512];

    tree_write(tree, "source", "hello");
    strcpy(target, tree_text(tree, "target"));
    ck_assert_ok(anyc_path_move(path, target, &moved));
    expect_path(moved, target, tree->limiter);
    tree_expect(tree, "target", "hello");
    ck_assert_int_eq(anyc_path_exists(path, NULL), 0);
    tree_mkdir(tree, "dir");
    tree_write(tree, "source", "hello");
    strcpy(target, tree_text(tree, "dir"));
    ck_assert_ok(anyc_path_move_into(path, target, &moved));
    expect_path(moved, tree_text(tree, "dir/source"), tree->limiter);
    tree_expect(tree, "dir/source", "hello");
    ck_assert_int_eq(anyc_path_exists(path, NULL), 0);
    anyc_path_destroy(path);
}

/* PA-026, PA-027 */
ANYC_TEST(test_path_disk__moves_a_file_to_a_name_or_into_a_directory)
{
    each_tree(check_move);
}

ANYC_TEST(test_path_disk__copies_a_tree_but_not_into_itself)
{
    anyc_path_copy_options options = {.no_follow = true, .preserve_metadata = true};
    struct tree tree;
    anyc_path *path, *link;
    char target[512];

    tree_init(&tree, false);
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/b");
    tree_write(&tree, "a/b/c", "deep");
    ck_assert_ok(symlink("b/c", tree_text(&tree, "a/link")));
    ck_assert_ok(chmod(tree_text(&tree, "a/b/c"), 0400));
    path = tree_path(&tree, "a");
    strcpy(target, tree_text(&tree, "copy"));
    ck_assert_ok(anyc_path_copy(path, target, &options, NULL));
    tree_expect(&tree, "copy/b/c", "deep");
    tree_expect(&tree, "copy/link", "deep");
    link = tree_path(&tree, "copy/link");
    ck_assert_int_eq(anyc_path_is_symlink(link), 1);
    ck_assert_int_eq(anyc_path_copy(path, target, NULL, NULL), -EEXIST);
    strcpy(target, tree_text(&tree, "a/b/x"));
    ck_assert_int_eq(anyc_path_copy(path, target, NULL, NULL), ANYC_EINVAL);
    anyc_path_destroy(link);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* PA-036 */
ANYC_TEST(test_path_disk__chmod_sets_the_bits)
{
    struct tree tree;
    anyc_path *path;
    struct stat stat;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    ck_assert_ok(anyc_path_touch(path, &(anyc_path_touch_options){.mode = 0666}));
    ck_assert_ok(anyc_path_chmod(path, 0444, NULL));
    ck_assert_ok(anyc_path_stat(path, NULL, &stat));
    ck_assert_uint_eq(stat.st_mode & 0777, 0444);
    ck_assert_int_eq(anyc_path_touch(path, &(anyc_path_touch_options){.must_be_new = true}),
                     -EEXIST);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* PA-038, PA-040 */
ANYC_TEST(test_path_disk__owner_and_group_have_names)
{
    struct tree tree;
    anyc_path *path;
    char *name = NULL;

    tree_init(&tree, false);
    path = tree_path(&tree, "");
    ck_assert_ok(anyc_path_owner(path, NULL, &name));
    ck_assert_str_eq(name, getpwuid(geteuid())->pw_name);
    anyc_path_free(name);
    ck_assert_ok(anyc_path_group(path, NULL, &name));
    ck_assert_str_eq(name, getgrgid(getegid())->gr_name);
    anyc_path_free(name);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

static void check_rename(const struct tree *tree)
{
    anyc_path *path = tree_path(tree, "old");
    anyc_path *renamed = NULL;
    char target[512];

    strcpy(target, tree_text(tree, "new"));
    tree_write(tree, "old", "hello");
    ck_assert_ok(anyc_path_rename(path, target, &renamed));
    expect_path(renamed, target, tree->limiter);
    tree_write(tree, "new", "world");
    tree_write(tree, "old", "hello");
    ck_assert_ok(anyc_path_replace(path, target, &renamed));
    expect_path(renamed, target, tree->limiter);
    tree_expect(tree, "new", "hello");
    ck_assert_int_eq(anyc_path_rename(path, target, &renamed), -ENOENT);
    anyc_path_destroy(path);
}

/* PA-044, PA-045 */
ANYC_TEST(test_path_disk__renames_and_replaces)
{
    each_tree(check_rename);
}

/* PA-047, PA-048, PA-051 */
ANYC_TEST(test_path_disk__removes_and_compares_files)
{
    struct tree tree;
    anyc_path *dir, *file, *hard;

    tree_init(&tree, false);
    tree_mkdir(&tree, "dir");
    tree_write(&tree, "file", "");
    dir = tree_path(&tree, "dir");
    file = tree_path(&tree, "file");
    hard = tree_path(&tree, "hard");
    ck_assert_ok(anyc_path_rmdir(dir));
    ck_assert_int_eq(anyc_path_exists(dir, NULL), 0);
    ck_assert_int_eq(anyc_path_samefile(file, tree_text(&tree, "file")), 1);
    ck_assert_ok(anyc_path_hardlink_to(hard, tree_text(&tree, "file")));
    ck_assert_int_eq(anyc_path_samefile(file, tree_text(&tree, "hard")), 1);
    ck_assert_int_eq(anyc_path_samefile(file, tree.folder), 0);
    ck_assert_ok(anyc_path_unlink(file, false));
    ck_assert_int_eq(anyc_path_exists(file, NULL), 0);
    ck_assert_int_eq(anyc_path_unlink(file, false), -ENOENT);
    ck_assert_ok(anyc_path_unlink(file, true));
    anyc_path_destroy(dir);
    anyc_path_destroy(file);
    anyc_path_destroy(hard);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_disk__mkdir_makes_parents_and_may_find_it_there)
{
    anyc_path_mkdir_options options = {.parents = true};
    struct tree tree;
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "a/b/c/d");
    ck_assert_int_eq(anyc_path_mkdir(path, NULL), -ENOENT);
    ck_assert_ok(anyc_path_mkdir(path, &options));
    ck_assert_int_eq(anyc_path_is_dir(path, NULL), 1);
    ck_assert_int_eq(anyc_path_mkdir(path, &options), -EEXIST);
    options.exist_ok = true;
    ck_assert_ok(anyc_path_mkdir(path, &options));
    anyc_path_destroy(path);
    tree_write(&tree, "file", "");
    path = tree_path(&tree, "file");
    ck_assert_int_eq(anyc_path_mkdir(path, &options), -EEXIST);
    anyc_path_destroy(path);
    ck_assert_ok(chdir(tree.folder));
    path = new_path("x/y/z");
    ck_assert_ok(anyc_path_mkdir(path, &options));
    ck_assert_int_eq(anyc_path_is_dir(path, NULL), 1);
    ck_assert_ok(chdir("/"));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_disk__opens_a_file_with_the_limiter)
{
    struct tree tree;
    anyc_path *path;
    anyc_file *file = NULL;

    tree_init(&tree, true);
    path = tree_path(&tree, "file");
    ck_assert_int_eq(anyc_path_open(path, "r", NULL, &file), -ENOENT);
    ck_assert_ok(anyc_path_open(path, "w", NULL, &file));
    ck_assert_ok(anyc_aclose(file));
    tree_expect(&tree, "file", "");
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* What a task asks of a FIFO that nobody writes to: its thread is stuck. */
static int read_fifo_task(void *arg)
{
    uint8_t *data;
    size_t len;

    return anyc_path_read_bytes(arg, &data, &len);
}

/* OS-R014 */
ANYC_TEST(test_path_disk__a_question_is_abandoned_when_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tree tree;
    anyc_path *path;
    int fd;

    tree_init(&tree, false);
    path = tree_path(&tree, "fifo");
    ck_assert_ok(mkfifo(anyc_path_str(path), 0600));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, read_fifo_task, path);
    ck_assert_ok(anyc_checkpoint());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    do { /* the thread may not have come to it yet */
        fd = open(anyc_path_str(path), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    } while (fd < 0);
    close(fd);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

struct oom_call {
    const struct tree *tree;
    long n;
    bool failed;
};

static int oom_call_main(void *arg)
{
    struct oom_call *job = arg;
    anyc_path *path = tree_path(job->tree, "");
    anyc_path *resolved = NULL;
    char *name = NULL;
    int rc;

    fail_alloc_arm(job->n);
    rc = anyc_path_resolve(path, true, &resolved);
    if (rc == 0)
        rc = anyc_path_owner(path, NULL, &name);
    job->failed = fail_alloc_disarm();
    ck_assert(rc == (job->failed ? ANYC_ENOMEM : 0) || rc == 0);
    anyc_path_destroy(path);
    anyc_path_destroy(resolved);
    anyc_path_free(name);
    return 0;
}

ANYC_TEST_PLAIN(test_path_disk__out_of_memory_is_an_answer)
{
    struct tree tree;
    struct oom_call job = {.tree = &tree, .failed = true};

    tree_init(&tree, false);
    fail_alloc_install();
    for (job.n = 1; job.failed; job.n++)
        ck_assert_ok(run_on_backend(oom_call_main, &job));
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
    tree_deinit(&tree);
}
