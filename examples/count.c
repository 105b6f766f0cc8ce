/* SPDX-License-Identifier: MIT */
/*
 * count.c - counts the lines, words and bytes of all files below directories, as `wc` does.
 *
 *     count [--backend NAME] [--jobs N] [--pattern GLOB] DIR...
 *
 *     count --pattern '*.[ch]' core net
 *
 * So many tasks as --jobs says (64 unless given) take turns at the search, and have the file that
 * each of them gets read in a worker thread. So there are never more files under way than that,
 * however many there are. On a terminal a line tells how far it is.
 *
 * A link to a file counts as that file; links to directories are not entered. The exit code is 0, 1
 * if a file or a DIR could not be read (the others are counted), or 128 + the signal by which all
 * was ended: then what was counted until then is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include <sys/stat.h>

#include <anyc/anyc.h>
#include <anyc/path.h>
#include <anyc/signal.h>
#include <anyc/thread.h>

#include "options.h"

enum { JOBS = 64, JOBS_MAX = 1000, PIECE = 64 * 1024, SIGNAL_EXIT = 128 };

struct totals {
    uintmax_t files;
    uintmax_t lines;
    uintmax_t words;
    uintmax_t bytes;
};

struct count {
    int jobs;
    const char *pattern;
    char **directories;
    int directory_count;

    anyc_path_iterator *found;     /* of the present directory */
    anyc_lock lock;                /* of `found` */
    anyc_capacity_limiter threads; /* the default one has 40 tokens */
    struct totals totals;
    uintmax_t unreadable;
    bool shows_progress;

    anyc_signal_receiver *signals;
    anyc_task_group *group; /* of all, to be cancelled by a signal */
    int signum;             /* of that; 0: none */
};

/* -- what is shown -- */

static void hide_progress(const struct count *count)
{
    if (count->shows_progress)
        fputs("\r\033[K", stderr);
}

/* A task: one line, until it is cancelled. */
static int show_progress(void *arg)
{
    const struct count *count = arg;
    int rc = anyc_sleep(0.1);

    for (; rc == 0; rc = anyc_sleep(0.1))
        fprintf(stderr, "\r\033[K%ju files, %ju bytes", count->totals.files, count->totals.bytes);
    return rc;
}

static void show_unreadable(struct count *count, const anyc_path *path, int rc)
{
    count->unreadable++;
    hide_progress(count);
    fprintf(stderr, "count: %s: %s\n", anyc_path_str(path), anyc_strerror(rc));
}

static void show_totals(const struct count *count)
{
    const struct totals *totals = &count->totals;

    hide_progress(count);
    printf("%7ju %7ju %7ju total of %ju files\n", totals->lines, totals->words, totals->bytes,
           totals->files);
    if (count->unreadable > 0)
        fprintf(stderr, "count: %ju could not be read\n", count->unreadable);
}

/* -- one file, in a worker thread -- */

struct file {
    const char *path;
    char *piece; /* room for PIECE bytes of it */
    struct totals totals;
};

static void count_piece(struct totals *totals, const char *piece, ssize_t len, bool *in_word)
{
    totals->bytes += (uintmax_t)len;
    for (ssize_t i = 0; i < len; i++) {
        bool space = piece[i] == ' ' || (piece[i] >= '\t' && piece[i] <= '\r');

        totals->lines += piece[i] == '\n';
        totals->words += !space && !*in_word;
        *in_word = !space;
    }
}

static int count_open_file(struct file *file, int fd)
{
    bool in_word = false;
    ssize_t n;
    int rc;

    do {
        n = read(fd, file->piece, PIECE);
        if (n > 0)
            count_piece(&file->totals, file->piece, n, &in_word);
        rc = n < 0 ? -errno : anyc_from_thread_check_cancelled();
    } while (n > 0 && rc == 0);
    return rc;
}

/* Only regular files are opened: others might block, or do something. */
static int count_file(void *arg)
{
    struct file *file = arg;
    struct stat about;
    int fd;
    int rc;

    if (stat(file->path, &about) < 0)
        return -errno;
    if (!S_ISREG(about.st_mode))
        return 0;
    fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    file->totals.files = 1;
    rc = count_open_file(file, fd);
    close(fd);
    return rc;
}

/* -- one directory -- */

static void add_totals(struct totals *sum, const struct totals *more)
{
    sum->files += more->files;
    sum->lines += more->lines;
    sum->words += more->words;
    sum->bytes += more->bytes;
}

/* The next path, for one task at a time; freed by the caller. */
static int next_path(struct count *count, anyc_path **out_path)
{
    const anyc_path *path;
    int rc = anyc_lock_acquire(&count->lock);

    if (rc < 0)
        return rc;
    rc = anyc_path_iterator_next(count->found, &path);
    if (rc == 0)
        rc = anyc_path_clone(path, out_path);
    anyc_lock_release(&count->lock);
    return rc;
}

/* Fails only if all is to end. */
static int count_path(struct count *count, const anyc_path *path, char *piece)
{
    const anyc_to_thread_run_sync_options options = {.limiter = &count->threads};
    struct file file = {.path = anyc_path_str(path), .piece = piece};
    int rc = anyc_to_thread_run_sync(count_file, &file, &options, NULL);

    if (rc == 0)
        add_totals(&count->totals, &file.totals);
    else if (anyc_is_cancelled(rc) || rc == ANYC_ENOMEM)
        return rc;
    else
        show_unreadable(count, path, rc);
    return 0;
}

/* One of the tasks. */
static int count_paths(void *arg)
{
    struct count *count = arg;
    char *piece = malloc(PIECE);
    anyc_path *path = NULL;
    int rc = piece == NULL ? ANYC_ENOMEM : 0;

    while (rc == 0) {
        rc = next_path(count, &path);
        if (rc == 0) {
            rc = count_path(count, path, piece);
            anyc_path_destroy(path);
        }
    }
    free(piece);
    return rc == ANYC_EOF ? 0 : rc;
}

/* A search passes over what cannot be read; a listing tells. */
static int try_to_list(const anyc_path *directory)
{
    const anyc_path *first;
    anyc_path_iterator *listing;
    int rc = anyc_path_iterdir(directory, &listing);

    if (rc < 0)
        return rc;
    rc = anyc_path_iterator_next(listing, &first);
    anyc_aclose(listing);
    return rc == ANYC_EOF ? 0 : rc;
}

static int count_directory(struct count *count, const anyc_path *directory)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = try_to_list(directory);

    if (rc < 0 && !anyc_is_cancelled(rc)) {
        show_unreadable(count, directory, rc);
        return 0;
    }
    if (rc == 0)
        rc = anyc_path_rglob(directory, count->pattern, NULL, &count->found);
    if (rc < 0)
        return rc;
    anyc_task_group_enter(&group);
    for (int i = 0; i < count->jobs && rc == 0; i++)
        rc = anyc_task_group_start_soon(&group, count_paths, count, NULL);
    rc = anyc_task_group_exit(&group, rc);
    anyc_aclose(count->found);
    return rc;
}

static int count_directories(struct count *count)
{
    int rc = 0;

    for (int i = 0; i < count->directory_count && rc == 0; i++) {
        anyc_path *directory;

        rc = anyc_path_create(count->directories[i], NULL, &directory);
        if (rc == 0) {
            rc = count_directory(count, directory);
            anyc_path_destroy(directory);
        }
    }
    return rc;
}

/* -- the whole -- */

/* A task: the first signal ends everything. */
static int end_by_signal(void *arg)
{
    struct count *count = arg;
    int signum = anyc_signal_receiver_next(count->signals);

    if (signum < 0)
        return signum;
    count->signum = signum;
    anyc_task_group_cancel(count->group, "a signal");
    return 0;
}

static int count_until_signal(struct count *count)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    count->group = &group;
    anyc_task_group_enter(&group);
    rc = anyc_task_group_start_soon(&group, end_by_signal, count, NULL);
    if (rc == 0 && count->shows_progress)
        rc = anyc_task_group_start_soon(&group, show_progress, count, NULL);
    if (rc == 0)
        rc = count_directories(count);
    anyc_task_group_cancel(&group, "all is done");
    return anyc_task_group_exit(&group, rc);
}

static int count_main(void *arg)
{
    const int signals[] = {SIGINT, SIGTERM};
    struct count *count = arg;
    int rc = anyc_open_signal_receiver(signals, 2, &count->signals);

    if (rc < 0)
        return rc;
    anyc_lock_init(&count->lock, &(anyc_lock_options){.fast_acquire = true});
    anyc_capacity_limiter_init(&count->threads, count->jobs);
    rc = count_until_signal(count);
    anyc_capacity_limiter_deinit(&count->threads);
    anyc_aclose(count->signals);
    show_totals(count);
    return rc;
}

static bool parse(int argc, char **argv, struct options *options, struct count *out)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"pattern", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    int option;
    bool ok = true;

    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            options->backend = optarg;
        else if (option == 'p')
            out->pattern = optarg;
        else
            ok = option == 'j' && option_number(optarg, JOBS_MAX, &out->jobs) && out->jobs > 0;
    }
    out->directories = argv + optind;
    out->directory_count = argc - optind;
    return ok && out->directory_count > 0;
}

int main(int argc, char **argv)
{
    struct count count = {
        .jobs = JOBS, .pattern = "*", .shows_progress = isatty(STDERR_FILENO) == 1};
    struct options options = {.backend = NULL};
    int code;

    if (!parse(argc, argv, &options, &count))
        return usage("count [--backend NAME] [--jobs N] [--pattern GLOB] DIR...");
    raise_descriptor_limit();
    code = options_run(&options, count_main, &count);
    if (count.signum > 0)
        return SIGNAL_EXIT + count.signum;
    return code != 0 || count.unreadable > 0 ? 1 : 0;
}
