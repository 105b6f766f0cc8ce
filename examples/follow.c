/* SPDX-License-Identifier: MIT */
/*
 * follow.c - prints files line by line, and goes on as they grow, as `tail -f` does.
 *
 *     follow [--backend NAME] FILE...
 *
 * A task for each file. It waits for the system to tell of changes (inotify(7)), and reads in a
 * worker thread. A file that has become shorter is read from its beginning.
 */
#include <limits.h>
#include <unistd.h>

#include <sys/inotify.h>

#include <anyc/anyc.h>
#include <anyc/file.h>

#include "options.h"

struct follower {
    const char *path;
    anyc_file *file;
    int changes;    /* inotify's descriptor */
    bool in_a_line; /* what was printed last had no end */
};

/* Prints what there is; 0 at the end of the file. */
static int print_lines(struct follower *follower)
{
    char *line;
    ssize_t n = anyc_file_next_line(follower->file, &line);

    for (; n > 0; n = anyc_file_next_line(follower->file, &line)) {
        if (!follower->in_a_line)
            printf("%s: ", follower->path);
        fwrite(line, 1, (size_t)n, stdout);
        follower->in_a_line = line[n - 1] != '\n';
    }
    fflush(stdout);
    return n == ANYC_EOF ? 0 : (int)n;
}

/* Back to the beginning if the file was cut. */
static int look_at_size(struct follower *follower)
{
    int64_t position = anyc_file_tell(follower->file);
    int64_t size = position < 0 ? position : anyc_file_seek(follower->file, 0, SEEK_END);

    if (size < 0)
        return (int)size;
    if (size < position)
        printf("%s has become shorter\n", follower->path);
    position = anyc_file_seek(follower->file, size < position ? 0 : position, SEEK_SET);
    return position < 0 ? (int)position : 0;
}

/* Waits until there was a change, and forgets it. */
static int wait_for_change(const struct follower *follower)
{
    char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    int rc = anyc_wait_readable(follower->changes);

    while (rc == 0 && read(follower->changes, events, sizeof events) > 0)
        continue;
    return rc;
}

static int follow_open_file(struct follower *follower)
{
    int rc = 0;

    if (inotify_add_watch(follower->changes, follower->path, IN_MODIFY) < 0)
        return -errno;
    while (rc == 0) {
        rc = print_lines(follower);
        if (rc == 0)
            rc = wait_for_change(follower);
        if (rc == 0)
            rc = look_at_size(follower);
    }
    return rc;
}

/* One of the tasks; its argument is a copy of its own. */
static int follow(void *arg)
{
    struct follower *follower = arg;
    int rc = anyc_open_file(follower->path, "r", NULL, &follower->file);

    if (rc < 0)
        return rc;
    follower->changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    rc = follower->changes < 0 ? -errno : follow_open_file(follower);
    if (follower->changes >= 0)
        close(follower->changes);
    anyc_aclose(follower->file);
    return rc;
}

static int follow_main(void *arg)
{
    const struct options *options = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    for (int i = 0; i < options->argument_count; i++) {
        struct follower follower = {.path = options->arguments[i]};

        anyc_task_group_start_soon_copy(&group, follow, &follower, sizeof follower, NULL);
    }
    return anyc_task_group_exit(&group, 0);
}

int main(int argc, char **argv)
{
    struct options options = {.backend = NULL};

    if (!options_parse(argc, argv, &options) || options.argument_count == 0)
        return usage("follow [--backend NAME] FILE...");
    return options_run(&options, follow_main, &options);
}
