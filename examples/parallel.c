/* SPDX-License-Identifier: MIT */
/*
 * parallel.c - runs shell commands, several at once; what each of them writes is kept together.
 *
 *     parallel [--backend NAME] [-j N] [COMMAND]...
 *
 *     parallel -j 2 'gzip a.log' 'gzip b.log' 'gzip c.log'
 *     ls *.log | sed 's/^/gzip /' | parallel
 *
 * Without commands each line of standard input is one; it is run as soon as it is there. -j: how many
 * run at once, as many as there are processors unless given. The exit code is 0, 1 if a command
 * failed, or 128 + the signal by which all was ended: then the running commands are killed.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <anyc/anyc.h>
#include <anyc/signal.h>

#include "options.h"

enum { JOBS_MAX = 10000, SIGNAL_EXIT = 128 };

/* What came from standard input: bytes from `start` to `end` are not yet used. */
struct lines {
    char *bytes;
    size_t start;
    size_t end;
    size_t size;
    bool over;
};

struct parallel {
    int jobs;
    char **commands; /* NULL: they come from standard input */
    int command_count;
    struct lines lines;

    anyc_semaphore free; /* one for each command that may be started */
    int started;
    int done;
    int failed;
    int signum; /* that ended all; 0: none */
    bool shows_progress;
};

/* -- what is shown -- */

/* On a terminal there is one line below all output. */
static void show_progress(const struct parallel *parallel)
{
    if (!parallel->shows_progress)
        return;
    fprintf(stderr, "\r\033[K%d done, %d running", parallel->done,
            parallel->started - parallel->done);
    if (parallel->commands != NULL)
        fprintf(stderr, ", %d to come", parallel->command_count - parallel->started);
    if (parallel->failed > 0)
        fprintf(stderr, ", %d failed", parallel->failed);
}

static void hide_progress(const struct parallel *parallel)
{
    if (parallel->shows_progress)
        fputs("\r\033[K", stderr);
}

/* All that a command wrote, in one piece. */
static void show_output(const anyc_completed_process *completed)
{
    fwrite(completed->std_out, 1, completed->std_out_len, stdout);
    fflush(stdout);
    fwrite(completed->std_err, 1, completed->std_err_len, stderr);
}

/* -- running -- */

struct job {
    struct parallel *parallel;
    char *command; /* freed by its task */
};

/* A task. */
static int run_command(void *arg)
{
    const struct job *job = arg;
    struct parallel *parallel = job->parallel;
    const char *const line[] = {job->command, NULL};
    const anyc_process_options options = {.shell = true, .std_in = ANYC_STDIO_DEVNULL};
    anyc_completed_process completed;
    int rc = anyc_run_process(line, &options, &completed);

    parallel->done++;
    hide_progress(parallel);
    if (rc == 0 || rc == ANYC_EPROCESS)
        show_output(&completed);
    if (rc < 0 && !anyc_is_cancelled(rc)) {
        parallel->failed++;
        fprintf(stderr, "parallel: %s\n", why(rc));
    }
    show_progress(parallel);
    anyc_free_completed_process(&completed);
    free(job->command);
    anyc_semaphore_release(&parallel->free);
    return anyc_is_cancelled(rc) ? rc : 0; /* the others go on */
}

static int start_command(struct parallel *parallel, anyc_task_group *group, char *command)
{
    const struct job job = {parallel, command};
    int rc = anyc_task_group_start_soon_copy(group, run_command, &job, sizeof job, command);

    if (rc < 0) {
        free(command);
        return rc;
    }
    parallel->started++;
    show_progress(parallel);
    return 0;
}

/* -- where commands come from -- */

/* Read what there is, waiting for it; regular files are always ready. */
static int lines_read(struct lines *lines)
{
    int rc = anyc_wait_readable(STDIN_FILENO);
    ssize_t n;

    if (rc < 0 && rc != -EPERM)
        return rc;
    if (lines->end == lines->size) {
        size_t size = lines->size > 0 ? 2 * lines->size : 4096;
        char *bytes = realloc(lines->bytes, size);

        if (bytes == NULL)
            return ANYC_ENOMEM;
        lines->bytes = bytes;
        lines->size = size;
    }
    n = read(STDIN_FILENO, lines->bytes + lines->end, lines->size - lines->end);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    lines->end += (size_t)n;
    lines->over = n == 0;
    return 0;
}

/* The next line, which the caller frees; NULL when there are no more. */
static int lines_next(struct lines *lines, char **out_line)
{
    char *begin = NULL;
    char *newline = NULL;
    int rc = 0;

    while (rc == 0 && newline == NULL) {
        begin = lines->bytes + lines->start;
        if (lines->end > lines->start)
            newline = memchr(begin, '\n', lines->end - lines->start);
        if (newline != NULL || lines->over)
            break;
        rc = lines_read(lines);
    }
    *out_line = NULL;
    if (rc < 0 || (newline == NULL && lines->end == lines->start))
        return rc;
    if (newline == NULL)
        newline = lines->bytes + lines->end; /* the last one has no end */
    *out_line = strndup(begin, (size_t)(newline - begin));
    lines->start = (size_t)(newline - lines->bytes) + (newline < lines->bytes + lines->end);
    if (lines->start == lines->end)
        lines->start = lines->end = 0;
    return *out_line == NULL ? ANYC_ENOMEM : 0;
}

/* The next command, which the caller frees; NULL when there are no more. */
static int next_command(struct parallel *parallel, char **out_command)
{
    if (parallel->commands == NULL)
        return lines_next(&parallel->lines, out_command);
    *out_command = NULL;
    if (parallel->started == parallel->command_count)
        return 0;
    *out_command = strdup(parallel->commands[parallel->started]);
    return *out_command == NULL ? ANYC_ENOMEM : 0;
}

static int run_all(struct parallel *parallel)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *command = "";
    int rc;

    anyc_task_group_enter(&group);
    do {
        rc = anyc_semaphore_acquire(&parallel->free);
        if (rc == 0)
            rc = next_command(parallel, &command);
        if (rc == 0 && command != NULL)
            rc = start_command(parallel, &group, command);
    } while (rc == 0 && command != NULL);
    return anyc_task_group_exit(&group, rc);
}

/* -- the whole -- */

struct ender {
    struct parallel *parallel;
    anyc_signal_receiver *receiver;
    anyc_task_group *group;
};

/* A task: the first signal ends everything. */
static int end_by_signal(void *arg)
{
    const struct ender *ender = arg;
    int signum = anyc_signal_receiver_next(ender->receiver);

    if (signum < 0)
        return signum;
    ender->parallel->signum = signum;
    anyc_task_group_cancel(ender->group, "a signal");
    return 0;
}

static int run_until_signal(struct parallel *parallel, anyc_signal_receiver *receiver)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct ender ender = {parallel, receiver, &group};
    int rc;

    anyc_task_group_enter(&group);
    rc = anyc_task_group_start_soon(&group, end_by_signal, &ender, NULL);
    if (rc == 0)
        rc = run_all(parallel);
    anyc_task_group_cancel(&group, "all is done");
    return anyc_task_group_exit(&group, rc);
}

static int parallel_main(void *arg)
{
    const int signals[] = {SIGINT, SIGTERM};
    struct parallel *parallel = arg;
    anyc_signal_receiver *receiver;
    int rc = anyc_open_signal_receiver(signals, 2, &receiver);

    if (rc < 0)
        return rc;
    anyc_semaphore_init(&parallel->free, (size_t)parallel->jobs,
                        &(anyc_semaphore_options){.fast_acquire = true});
    rc = run_until_signal(parallel, receiver);
    anyc_aclose(receiver);
    hide_progress(parallel);
    free(parallel->lines.bytes);
    if (parallel->failed > 0)
        fprintf(stderr, "parallel: %d of %d commands failed\n", parallel->failed, parallel->done);
    return rc;
}

static bool parse(int argc, char **argv, struct options *options, struct parallel *out)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    int option;
    bool ok = true;

    while (ok && (option = getopt_long(argc, argv, "+j:", known, NULL)) != -1) {
        if (option == 'b')
            options->backend = optarg;
        else
            ok = option == 'j' && option_number(optarg, JOBS_MAX, &out->jobs) && out->jobs > 0;
    }
    out->command_count = argc - optind;
    out->commands = out->command_count > 0 ? argv + optind : NULL;
    return ok;
}

int main(int argc, char **argv)
{
    struct parallel parallel = {.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN),
                                .shows_progress = isatty(STDERR_FILENO) == 1};
    struct options options = {.host = NULL};
    int code;

    if (!parse(argc, argv, &options, &parallel))
        return usage("parallel [--backend NAME] [-j N] [COMMAND]...");
    raise_descriptor_limit();
    code = options_run(&options, parallel_main, &parallel);
    if (parallel.signum > 0)
        return SIGNAL_EXIT + parallel.signum;
    return code != 0 || parallel.failed > 0 ? 1 : 0;
}
