/* SPDX-License-Identifier: MIT */
/*
 * process_ids.c - the users and groups of a plan: numbers as they are, names by the system's
 * databases, which may be far away; those are asked in a worker thread.
 */
#include "os/process_plan.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/error.h"
#include "threads/worker_pool.h"

#define IDS_ROOM_FIRST ((size_t)1024) /* bytes for an entry of a database */

/* The job of a thread, which may not set the task's last error. */
struct ids_job {
    struct worker_job job;
    struct process_plan *plan;
    const anyc_process_options *options;
    const char *kind; /* of the name that there is not: "user" or "group" */
    const char *name;
};

/* A number in digits; false: it is a name. */
static bool ids_number(const char *text, unsigned long *out_number)
{
    char *end = NULL;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *out_number = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *out_number < (uid_t)-1; /* which means: as it is */
}

/* 0 or an errno; *out_found if there is such a name. */
static int ids_ask_user(const char *name, char *room, size_t size, bool *out_found,
                        unsigned long *out_id)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int rc = getpwnam_r(name, &entry, room, size, &found);

    *out_found = found != NULL;
    if (found != NULL)
        *out_id = found->pw_uid;
    return rc;
}

static int ids_ask_group(const char *name, char *room, size_t size, bool *out_found,
                         unsigned long *out_id)
{
    struct group entry;
    struct group *found = NULL;
    int rc = getgrnam_r(name, &entry, room, size, &found);

    *out_found = found != NULL;
    if (found != NULL)
        *out_id = found->gr_gid;
    return rc;
}

typedef int (*ids_ask_fn)(const char *name, char *room, size_t size, bool *out_found,
                          unsigned long *out_id);

/* Ask with as much room as it takes. 0, ANYC_EINVAL if there is no such name, or -errno. */
static int ids_find(ids_ask_fn ask, const char *name, unsigned long *out_id)
{
    size_t size = IDS_ROOM_FIRST;
    bool found = false;
    int rc = ERANGE;

    if (ids_number(name, out_id))
        return 0;
    while (rc == ERANGE && size <= SIZE_MAX / 2) {
        char *room;

        size *= 2;
        room = anyc__alloc(size);
        if (room == NULL)
            return ANYC_ENOMEM;
        rc = ask(name, room, size, &found, out_id);
        anyc__free(room);
    }
    if (found)
        return 0;
    /* what getpwnam(3) lists for a name that is not there */
    return rc == 0 || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM ? ANYC_EINVAL : -rc;
}

static int ids_find_user(struct ids_job *job)
{
    struct process_plan *plan = job->plan;
    unsigned long id = 0;
    int rc;

    if (job->options->user == NULL)
        return 0;
    rc = ids_find(ids_ask_user, job->options->user, &id);
    plan->set_user = true;
    plan->user = (uid_t)id;
    job->kind = "user";
    job->name = job->options->user;
    return rc;
}

static int ids_find_group(struct ids_job *job, const char *name, gid_t *out_group)
{
    unsigned long id = 0;
    int rc = ids_find(ids_ask_group, name, &id);

    *out_group = (gid_t)id;
    job->kind = "group";
    job->name = name;
    return rc;
}

static int ids_find_groups(struct ids_job *job)
{
    const char *const *names = job->options->extra_groups;
    struct process_plan *plan = job->plan;
    int rc = 0;

    if (job->options->group != NULL) {
        plan->set_group = true;
        rc = ids_find_group(job, job->options->group, &plan->group);
    }
    for (size_t i = 0; rc == 0 && i < plan->group_count; i++)
        rc = ids_find_group(job, names[i], &plan->groups[i]);
    return rc;
}

static int ids_run(struct worker_job *base)
{
    struct ids_job *job = ANYC__CONTAINER(base, struct ids_job, job);
    int rc = ids_find_user(job);

    return rc == 0 ? ids_find_groups(job) : rc;
}

static int ids_reserve_groups(struct process_plan *plan, const char *const *names)
{
    if (names == NULL)
        return 0;
    plan->set_groups = true;
    while (names[plan->group_count] != NULL)
        plan->group_count++;
    plan->groups = anyc__alloc_array(plan->group_count + 1, sizeof *plan->groups);
    return plan->groups == NULL ? anyc__fail_plain(ANYC_ENOMEM) : 0;
}

static bool ids_all_numbers(const anyc_process_options *options)
{
    const char *const *extra = options->extra_groups;
    unsigned long number;

    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++) {
        if (!ids_number(extra[i], &number))
            return false;
    }
    return (options->user == NULL || ids_number(options->user, &number)) &&
           (options->group == NULL || ids_number(options->group, &number));
}

int anyc__process_plan_ids(anyc_task *task, struct process_plan *plan,
                           const anyc_process_options *options)
{
    struct ids_job job = {
        .job = {.fn = ids_run, .kind = WORKER_LOOKUPS}, .plan = plan, .options = options};
    int rc = ids_reserve_groups(plan, options->extra_groups);

    if (rc < 0)
        return rc;
    if (ids_all_numbers(options))
        return ids_run(&job.job);
    rc = anyc__worker_run(task, &job.job);
    if (rc < 0)
        return rc;
    rc = job.job.result;
    if (rc == ANYC_EINVAL)
        return anyc__fail(rc, 0, "there is no %s \"%s\"", job.kind, job.name);
    if (rc < 0)
        return anyc__fail_errno(-rc, "%s \"%s\"", job.kind, job.name);
    return anyc__process_plan_environment(plan, options);
}
