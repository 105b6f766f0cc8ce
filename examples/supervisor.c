/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c - keeps programs running.
 *
 *     supervisor [--backend NAME] [--grace S] [--pause S] [--longest-pause S] CONFIG
 *
 * CONFIG lists them, see program_list.h. One that ends is started again, after a pause that doubles
 * each time and begins anew once it has run for a while. What they write comes out line by line,
 * each with the program's name. SIGHUP reads the list again: programs that are new to it are
 * started, those that are gone from it or changed are stopped, the others run on. SIGTERM or SIGINT
 * stops them all: by SIGTERM, and by SIGKILL after the grace of 5 s; a second one at once.
 *
 * There is a task for each program; an event tells it to stop.
 */
#include <signal.h>
#include <stdarg.h>

#include <anyc/anyc.h>
#include <anyc/signal.h>

#include "options.h"
#include "program_list.h"

#define LINE_MAX_BYTES 4096 /* longer ones are cut */
#define LAST_WORDS 1.0      /* seconds for what a program's own children still write */

struct supervisor {
    const char *config;
    double grace;         /* seconds a program has to stop */
    double first_pause;   /* seconds between two starts */
    double longest_pause; /* and as long it must run for the pauses to begin anew */
    anyc_task_group *group;
    struct program *programs;
    bool stopping;
};

struct program {
    struct supervisor *supervisor;
    struct program *next;
    char **words;     /* as listed */
    char **new_words; /* what it becomes when it has stopped; NULL: nothing more */
    anyc_event stop;
    anyc_process *process; /* while it runs */
};

/* -- what is said -- */

static void say(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const char *name, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "supervisor: %s: ", name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

static const char *name_of(const struct program *program)
{
    return listed_name(program->words);
}

static void say_end(const struct program *program, int returncode)
{
    if (returncode >= 0)
        say(name_of(program), "ended with exit code %d", returncode);
    else
        say(name_of(program), "was killed by signal %d", -returncode);
}

/* -- what programs write -- */

struct forwarding {
    const struct program *program;
    anyc_byte_stream *from;
    FILE *to;
};

/* The next line, or what there is of one that is too long or has no end. */
static ssize_t next_line(anyc_buffered_stream *lines, char *line)
{
    ssize_t n = anyc_buffered_receive_until(lines, "\n", 1, LINE_MAX_BYTES, line, LINE_MAX_BYTES);

    if (n == ANYC_EDELIMITER || n == ANYC_EINCOMPLETE)
        n = anyc_receive(&lines->stream, line, LINE_MAX_BYTES);
    return n;
}

static void print_line(const struct forwarding *forwarding, const char *line, size_t len)
{
    fprintf(forwarding->to, "%s | %.*s\n", name_of(forwarding->program), (int)len, line);
    fflush(forwarding->to);
}

static int forward_lines(const struct forwarding *forwarding, anyc_buffered_stream *lines)
{
    char *line = malloc(LINE_MAX_BYTES);
    const char *rest;
    size_t len = 0;
    ssize_t n = line == NULL ? ANYC_ENOMEM : 0;

    while (n >= 0) {
        n = next_line(lines, line);
        if (n >= 0)
            print_line(forwarding, line, (size_t)n);
    }
    rest = anyc_buffered_buffer(lines, &len); /* if there was no time for the end of the line */
    if (len > 0)
        print_line(forwarding, rest, len);
    free(line);
    return n == ANYC_EOF ? 0 : (int)n;
}

/* A task. */
static int forward(void *arg)
{
    const struct forwarding *forwarding = arg;
    anyc_buffered_stream *lines;
    int rc = anyc_buffered_stream_create(forwarding->from, &lines);

    if (rc < 0)
        return rc;
    rc = forward_lines(forwarding, lines);
    anyc_aclose(lines);
    return rc;
}

/* -- one run of a program -- */

/* A task: ask it to end when it is told to stop. */
static int stop_when_told(void *arg)
{
    struct program *program = arg;
    int rc = anyc_event_wait(&program->stop);

    return rc < 0 ? rc : anyc_process_stop(program->process, program->supervisor->grace, NULL);
}

static int wait_for_end(struct program *program, int *out_returncode)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    anyc_task_group_enter(&group);
    rc = anyc_task_group_start_soon(&group, stop_when_told, program, name_of(program));
    if (rc == 0)
        rc = anyc_process_wait(program->process, out_returncode);
    anyc_task_group_cancel(&group, "it has ended");
    return anyc_task_group_exit(&group, rc);
}

/* Forward what it writes until it has ended, and its last words. */
static int attend(struct program *program, int *out_returncode)
{
    anyc_process *process = program->process;
    struct forwarding out = {program, anyc_process_stdout(process), stdout};
    struct forwarding err = {program, anyc_process_stderr(process), stderr};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope *scope;
    int rc;

    anyc_task_group_enter(&group);
    rc = anyc_task_group_start_soon(&group, forward, &out, name_of(program));
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, forward, &err, name_of(program));
    if (rc == 0)
        rc = wait_for_end(program, out_returncode);
    scope = anyc_task_group_cancel_scope(&group);
    anyc_cancel_scope_set_deadline(scope, anyc_current_time() + LAST_WORDS);
    return anyc_task_group_exit(&group, rc);
}

/* 0: it ran. Otherwise it could not be started, or this task was cancelled. */
static int run_once(struct program *program)
{
    const anyc_process_options options = {.std_in = ANYC_STDIO_DEVNULL,
                                          .process_group = ANYC_PROCESS_GROUP_NEW};
    const char *const *command = listed_command(program->words);
    int returncode = 0;
    int closed;
    int rc = anyc_open_process(command, &options, &program->process);

    if (rc < 0) {
        if (!anyc_is_cancelled(rc))
            say(name_of(program), "cannot be started: %s", why(rc));
        return rc;
    }
    say(name_of(program), "started, process %ld", (long)anyc_process_pid(program->process));
    rc = attend(program, &returncode);
    closed = anyc_aclose(program->process);
    program->process = NULL;
    if (rc == 0)
        rc = closed;
    if (rc == 0)
        say_end(program, returncode);
    return rc;
}

/* -- its whole life -- */

static int pause_for(struct program *program, double seconds)
{
    anyc_cancel_scope scope;
    int rc;

    say(name_of(program), "starts again in %.2f s", seconds);
    anyc_move_on_after(&scope, seconds, false);
    rc = anyc_event_wait(&program->stop);
    return anyc_cancel_scope_exit(&scope, rc);
}

/* Until it is told to stop. */
static int keep_up(struct program *program)
{
    const struct supervisor *supervisor = program->supervisor;
    double pause = supervisor->first_pause;
    int rc = 0;

    while (!anyc_event_is_set(&program->stop) && !anyc_is_cancelled(rc)) {
        double begin = anyc_current_time();

        rc = run_once(program);
        if (anyc_event_is_set(&program->stop) || anyc_is_cancelled(rc))
            break;
        if (anyc_current_time() - begin > supervisor->longest_pause)
            pause = supervisor->first_pause;
        rc = pause_for(program, pause);
        pause = 2 * pause < supervisor->longest_pause ? 2 * pause : supervisor->longest_pause;
    }
    return anyc_is_cancelled(rc) ? rc : 0;
}

static void program_remove(struct program *program)
{
    struct program **at = &program->supervisor->programs;

    while (*at != program)
        at = &(*at)->next;
    *at = program->next;
    free(program->words);
    free(program->new_words);
    free(program);
}

/* A task. The last one that ends while all stop ends the supervisor. */
static int program_task(void *arg)
{
    struct program *program = arg;
    struct supervisor *supervisor = program->supervisor;
    int rc = keep_up(program);

    while (rc == 0 && program->new_words != NULL && !supervisor->stopping) {
        free(program->words);
        program->words = program->new_words;
        program->new_words = NULL;
        program->stop = (anyc_event)ANYC_EVENT_INIT;
        rc = keep_up(program);
    }
    program_remove(program);
    if (supervisor->stopping && supervisor->programs == NULL)
        anyc_task_group_cancel(supervisor->group, "all have stopped");
    return rc;
}

/* -- the list -- */

static struct program *program_find(const struct supervisor *supervisor, const char *name)
{
    struct program *program = supervisor->programs;

    while (program != NULL && strcmp(name_of(program), name) != 0)
        program = program->next;
    return program;
}

/* Takes the words on success. */
static int program_start(struct supervisor *supervisor, char **words)
{
    struct program *program = calloc(1, sizeof *program);
    int rc;

    if (program == NULL)
        return ANYC_ENOMEM;
    *program = (struct program){.supervisor = supervisor,
                                .next = supervisor->programs,
                                .words = words,
                                .stop = ANYC_EVENT_INIT};
    rc = anyc_task_group_start_soon(supervisor->group, program_task, program, words[0]);
    if (rc < 0)
        free(program);
    else
        supervisor->programs = program;
    return rc;
}

static void program_stop(struct program *program)
{
    anyc_event_set(&program->stop);
}

/* What is listed is what is to run. Takes the words that it uses. */
static int apply_listed(struct supervisor *supervisor, struct listed_program *listed)
{
    struct program *program = program_find(supervisor, listed_name(listed->words));
    int rc = 0;

    if (program == NULL) {
        rc = program_start(supervisor, listed->words);
    } else if (listed_same(program->words, listed->words) && !anyc_event_is_set(&program->stop)) {
        return 0;
    } else {
        free(program->new_words);
        program->new_words = listed->words;
        program_stop(program);
    }
    if (rc == 0)
        listed->words = NULL;
    return rc;
}

static int apply(struct supervisor *supervisor, struct listed_program *list)
{
    int rc = 0;

    for (struct program *program = supervisor->programs; program != NULL; program = program->next) {
        if (program_list_has(list, name_of(program)))
            continue;
        free(program->new_words);
        program->new_words = NULL;
        program_stop(program);
    }
    for (; list != NULL && rc == 0; list = list->next)
        rc = apply_listed(supervisor, list);
    return rc;
}

/* Read the list and do as it says. A wrong one changes nothing. */
static int load(struct supervisor *supervisor)
{
    struct listed_program *list = NULL;
    int rc;

    if (!program_list_read(supervisor->config, &list))
        return ANYC_EINVAL;
    rc = apply(supervisor, list);
    program_list_free(list);
    return rc;
}

static void stop_all(struct supervisor *supervisor)
{
    supervisor->stopping = true;
    for (struct program *program = supervisor->programs; program != NULL; program = program->next)
        program_stop(program);
    if (supervisor->programs == NULL)
        anyc_task_group_cancel(supervisor->group, "nothing is running");
}

/* -- signals -- */

static int heed(struct supervisor *supervisor, anyc_signal_receiver *receiver)
{
    int signum = anyc_signal_receiver_next(receiver);

    if (signum < 0)
        return signum;
    say(supervisor->config, "%s", strsignal(signum));
    if (signum == SIGHUP && !supervisor->stopping)
        return load(supervisor) == ANYC_ENOMEM ? ANYC_ENOMEM : 0;
    if (signum != SIGHUP && supervisor->stopping)
        anyc_task_group_cancel(supervisor->group, "a second signal");
    else if (signum != SIGHUP)
        stop_all(supervisor);
    return 0;
}

static int supervise(void *arg)
{
    const int signals[] = {SIGHUP, SIGINT, SIGTERM};
    struct supervisor *supervisor = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_signal_receiver *receiver;
    int rc = anyc_open_signal_receiver(signals, 3, &receiver);

    if (rc < 0)
        return rc;
    anyc_task_group_enter(&group);
    supervisor->group = &group;
    rc = load(supervisor);
    while (rc == 0)
        rc = heed(supervisor, receiver);
    rc = anyc_task_group_exit(&group, rc);
    anyc_aclose(receiver);
    return rc;
}

static bool parse(int argc, char **argv, struct options *options, struct supervisor *out)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {"grace", required_argument, NULL, 'g'},
                                          {"pause", required_argument, NULL, 'p'},
                                          {"longest-pause", required_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    int option;
    bool ok = true;

    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            options->backend = optarg;
        else if (option == 'g')
            ok = option_seconds(optarg, &out->grace);
        else if (option == 'p')
            ok = option_seconds(optarg, &out->first_pause);
        else
            ok = option == 'l' && option_seconds(optarg, &out->longest_pause);
    }
    out->config = argv[optind];
    return ok && optind + 1 == argc;
}

int main(int argc, char **argv)
{
    struct supervisor supervisor = {.grace = 5, .first_pause = 0.1, .longest_pause = 30};
    struct options options = {.host = NULL};

    if (!parse(argc, argv, &options, &supervisor))
        return usage(
            "supervisor [--backend NAME] [--grace S] [--pause S] [--longest-pause S] CONFIG");
    raise_descriptor_limit();
    return options_run(&options, supervise, &supervisor);
}
