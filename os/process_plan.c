/* SPDX-License-Identifier: MIT */
/*
 * process_plan.c - what to execute, and where it may be.
 *
 * The program's own environment decides where it is looked for, as in Python's subprocess; an empty
 * entry of PATH is the working directory, which is the new one if there is one.
 */
#include "os/process_plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"

#define PLAN_DEFAULT_PATH "/bin:/usr/bin" /* without any PATH, as execvp(3) has it */

static const char *plan_search_path(const struct process_plan *plan)
{
    for (size_t i = 0; plan->env[i] != NULL; i++) {
        if (strncmp(plan->env[i], "PATH=", 5) == 0)
            return plan->env[i] + 5;
    }
    return PLAN_DEFAULT_PATH;
}

/* Write "directory/name" or "name", and answer what follows it. */
static char *plan_write_path(char *at, const char *directory, size_t len, const char *name)
{
    size_t name_size = strlen(name) + 1;

    memcpy(at, directory, len);
    at += len;
    if (len > 0)
        *at++ = '/';
    memcpy(at, name, name_size);
    return at + name_size;
}

/* search: directories, parted by colons; "": only the name itself. */
static int plan_list_paths(struct process_plan *plan, const char *search, const char *name)
{
    size_t count = 1;
    size_t bytes;
    char *at;

    for (const char *colon = search; *colon != '\0'; colon++)
        count += *colon == ':';
    bytes = strlen(search) + count * (strlen(name) + 2);
    plan->paths = anyc__alloc((count + 1) * sizeof *plan->paths + bytes);
    if (plan->paths == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    at = (char *)(plan->paths + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(search, ":");

        plan->paths[i] = at;
        at = plan_write_path(at, search, len, name);
        search += len + 1;
    }
    plan->paths[count] = NULL;
    return 0;
}

static int plan_command(struct process_plan *plan, const char *const *argv, bool shell)
{
    if (argv == NULL || argv[0] == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "no program was named");
    plan->program = argv[0];
    plan->argv = argv;
    if (!shell)
        return 0;
    if (argv[1] != NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a shell takes one line, and \"%s\" is another one",
                          argv[1]);
    plan->shell_argv[0] = "/bin/sh";
    plan->shell_argv[1] = "-c";
    plan->shell_argv[2] = "--"; /* the line may begin with a dash */
    plan->shell_argv[3] = argv[0];
    plan->shell_argv[4] = NULL;
    plan->argv = plan->shell_argv;
    return 0;
}

/* After clearenv(3) there is none at all. */
static const char *const *plan_environment(const anyc_process_options *options)
{
    static const char *const nothing[] = {NULL};

    if (options->env != NULL)
        return options->env;
    return environ != NULL ? (const char *const *)environ : nothing;
}

int anyc__process_plan_init(struct process_plan *plan, const char *const *argv,
                            const anyc_process_options *options)
{
    int rc;

    *plan = (struct process_plan){
        .cwd = options->cwd,
        .std = {-1, -1, -1},
        .pass_fds = options->pass_fds,
        .pass_fds_count = options->pass_fds_count,
        .start_new_session = options->start_new_session,
        .set_process_group = options->process_group != 0,
        .set_umask = options->set_umask,
        .umask = options->umask,
    };
    if (options->start_new_session && options->process_group == ANYC_PROCESS_GROUP_NEW)
        plan->set_process_group = false; /* a session begins with one, and it is refused another */
    if (options->process_group < ANYC_PROCESS_GROUP_NEW)
        return anyc__fail(ANYC_EINVAL, 0, "%ld is no process group", (long)options->process_group);
    if (options->process_group > 0)
        plan->process_group = options->process_group;
    rc = plan_command(plan, argv, options->shell);
    return rc == 0 ? anyc__process_plan_environment(plan, options) : rc;
}

int anyc__process_plan_environment(struct process_plan *plan, const anyc_process_options *options)
{
    const char *name = plan->argv[0];
    bool search = *name != '\0' && strchr(name, '/') == NULL;

    anyc__free(plan->paths);
    plan->paths = NULL;
    plan->env = plan_environment(options);
    return plan_list_paths(plan, search ? plan_search_path(plan) : "", name);
}

void anyc__process_plan_deinit(struct process_plan *plan)
{
    anyc__free(plan->paths);
    anyc__free(plan->groups);
}
