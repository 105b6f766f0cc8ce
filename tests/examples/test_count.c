/* SPDX-License-Identifier: MIT */
/*
 * test_count.c - examples/count.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "examples/program.h"

static struct program_result result;

struct folder {
    char path[40];
};

static struct folder folder_make(void)
{
    struct folder folder = {"/tmp/anyc-count-XXXXXX"};

    ck_assert_ptr_nonnull(mkdtemp(folder.path));
    return folder;
}

/* Valid until the next call. */
static const char *folder_path(const struct folder *folder, const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

static void folder_mkdir(const struct folder *folder, const char *name)
{
    ck_assert_int_eq(mkdir(folder_path(folder, name), 0777), 0);
}

static void folder_write(const struct folder *folder, const char *name, const void *data,
                         size_t len)
{
    int fd = open(folder_path(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void folder_text(const struct folder *folder, const char *name, const char *text)
{
    folder_write(folder, name, text, strlen(text));
}

static void shell(const char *command, const char *argument)
{
    const char *const arguments[] = {"sh", "-c", command, "sh", argument, NULL};
    struct program program;

    program_spawn(&program, arguments);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 0);
}

static void folder_end(const struct folder *folder)
{
    shell("rm -r \"$1\"", folder->path);
}

#define THREE "      3       4      20 total of 3 files\n"

static struct folder folder_of_three(void)
{
    struct folder folder = folder_make();

    folder_mkdir(&folder, "sub");
    folder_text(&folder, "one.txt", "one two\n");
    folder_text(&folder, "sub/two.txt", "\nthree\n");
    folder_text(&folder, "sub/last.c", "four!");
    return folder;
}

/* Run it with at most three more arguments. */
static void run(const char *first, const char *second, const char *third)
{
    struct program program;

    program_start(&program, "count", first, second, third, NULL);
    program_wait(&program, &result);
}

/* All kinds of names, contents and files. Each word has a printable character first: versions of wc
 * differ in what they call a word otherwise. */
static struct folder folder_of_all_kinds(void)
{
    static char big[300000];
    struct folder folder = folder_make();

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = "word\t12, \v\r\n\f"[i * 7 % 13];
    folder_mkdir(&folder, "a b");
    folder_mkdir(&folder, "a b/.hidden");
    folder_mkdir(&folder, "empty");
    folder_text(&folder, "a b/spaces in it.txt", "one  two\n\n three\n");
    folder_text(&folder, "a b/new\nline", "no end");
    folder_text(&folder, "a b/.hidden/\377\376 \200.c", "int x;\r\nint y;\r\n");
    folder_text(&folder, "nothing", "");
    folder_text(&folder, "-r", "\n");
    folder_write(&folder, "binary", "a\0\0b\377 c\x1b\n\0d\201\n", 13);
    folder_write(&folder, "big", big, sizeof big);
    ck_assert_int_eq(mkfifo(folder_path(&folder, "fifo"), 0666), 0); /* would block */
    ck_assert_int_eq(symlink(".", folder_path(&folder, "link")), 0); /* to a directory */
    return folder;
}

ANYC_TEST_PLAIN(test_count__counts_what_wc_counts)
{
    struct folder folder = folder_of_all_kinds();
    static char expected[PROGRAM_TEXT];

    shell("find \"$1\" -type f -exec sh -c 'for f; do LC_ALL=C wc <\"$f\"; done' sh {} + |"
          " awk '{ l += $1; w += $2; b += $3 }"
          " END { printf \"%7d %7d %7d total of %d files\\n\", l, w, b, NR }'",
          folder.path);
    ck_assert_ptr_nonnull(strstr(result.out, "total of 7 files"));
    strcpy(expected, result.out);
    run(folder.path, NULL, NULL);
    ck_assert_int_eq(result.code, 0);
    ck_assert_str_eq(result.out, expected);
    ck_assert_str_eq(result.err, "");
    folder_end(&folder);
}

ANYC_TEST_PLAIN(test_count__pattern_chooses_files)
{
    struct folder folder = folder_of_three();

    run("--pattern", "*.txt", folder.path);
    ck_assert_str_eq(result.out, "      3       3      15 total of 2 files\n");
    run("--pattern", "sub/*", folder.path);
    ck_assert_str_eq(result.out, "      2       2      12 total of 2 files\n");
    run("--pattern", "/absolute", folder.path);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "the pattern is not relative"));
    folder_end(&folder);
}

enum { FOLDERS = 50, MANY = 5000 };

ANYC_TEST_PLAIN(test_count__any_number_of_jobs_counts_5000_files)
{
    struct folder folder = folder_make();
    char name[32];

    for (int i = 0; i < MANY; i++) {
        if (i % (MANY / FOLDERS) == 0) {
            (void)snprintf(name, sizeof name, "d%d", i / (MANY / FOLDERS));
            folder_mkdir(&folder, name);
        }
        (void)snprintf(name, sizeof name, "d%d/f%d", i / (MANY / FOLDERS), i);
        folder_text(&folder, name, "a line\nand more");
    }
    for (int i = 0; i < 3; i++) {
        const char *const jobs[] = {"--jobs=1", "--jobs=64", "--jobs=1000"};

        run(jobs[i], folder.path, NULL);
        ck_assert_int_eq(result.code, 0);
        ck_assert_str_eq(result.out, "   5000   20000   75000 total of 5000 files\n");
        ck_assert_str_eq(result.err, ""); /* it is no terminal */
    }
    folder_end(&folder);
}

ANYC_TEST_PLAIN(test_count__links_count_as_files_if_they_lead_to_one)
{
    struct folder folder = folder_of_three();

    ck_assert_int_eq(symlink("one.txt", folder_path(&folder, "again")), 0);
    ck_assert_int_eq(symlink("missing", folder_path(&folder, "dangling")), 0);
    ck_assert_int_eq(symlink("loop", folder_path(&folder, "loop")), 0);
    run(folder.path, NULL, NULL);
    ck_assert_int_eq(result.code, 1);
    ck_assert_str_eq(result.out, "      4       6      28 total of 4 files\n");
    ck_assert_ptr_nonnull(strstr(result.err, folder_path(&folder, "dangling: No such file")));
    ck_assert_ptr_nonnull(strstr(result.err, folder_path(&folder, "loop: Too many levels")));
    ck_assert_ptr_nonnull(strstr(result.err, "count: 2 could not be read\n"));
    folder_end(&folder);
}

/* The others are counted. */
ANYC_TEST_PLAIN(test_count__says_which_directories_cannot_be_read)
{
    struct folder folder = folder_of_three();
    char file[512];

    strcpy(file, folder_path(&folder, "one.txt"));
    run("/no/such/folder", file, folder.path);
    ck_assert_int_eq(result.code, 1);
    ck_assert_str_eq(result.out, THREE);
    ck_assert_ptr_nonnull(strstr(result.err, "count: /no/such/folder: No such file"));
    ck_assert_ptr_nonnull(strstr(result.err, "one.txt: Not a directory"));
    ck_assert_ptr_nonnull(strstr(result.err, "count: 2 could not be read\n"));
    folder_end(&folder);
}

ANYC_TEST_PLAIN(test_count__refuses_a_wrong_command_line)
{
    run(NULL, NULL, NULL);
    ck_assert_int_eq(result.code, 2);
    ck_assert_ptr_nonnull(strstr(result.err, "usage: count"));
    run("--jobs", "0", "/");
    ck_assert_int_eq(result.code, 2);
    run("--jobs", "many", "/");
    ck_assert_int_eq(result.code, 2);
}

/* The last output, as far as it has come, until there is `text` in it. */
static void await_text(int fd, const char *text)
{
    size_t len = 0;

    do {
        ssize_t n = read(fd, result.err + len, PROGRAM_TEXT - 1 - len);

        ck_assert_int_gt(n, 0);
        len += (size_t)n;
        result.err[len] = '\0';
    } while (strstr(result.err, text) == NULL);
}

/* The second folder has a file that takes very long, and it is stopped there. */
static void check_signal(int signum)
{
    struct folder folder = folder_of_three();
    struct folder huge = folder_make();
    struct program program;

    folder_text(&huge, "huge", "");
    ck_assert_int_eq(truncate(folder_path(&huge, "huge"), (off_t)1 << 40), 0);
    program_start_on_terminal(&program, "count", folder.path, huge.path, NULL);
    await_text(program.err, "\r\033[K3 files, 20 bytes");
    ck_assert_int_eq(kill(program.pid, signum), 0);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 128 + signum);
    ck_assert_str_eq(result.out, THREE);
    ck_assert_uint_ge(strlen(result.err), 4);
    ck_assert_str_eq(result.err + strlen(result.err) - 4, "\r\033[K"); /* the line is gone */
    folder_end(&huge);
    folder_end(&folder);
}

ANYC_TEST_PLAIN(test_count__ended_by_a_signal_shows_what_it_has_counted)
{
    check_signal(SIGINT);
    check_signal(SIGTERM);
}
