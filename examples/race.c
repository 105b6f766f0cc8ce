/* SPDX-License-Identifier: MIT */
/*
 * race.c - asks several replicas at once: the first answer wins, the others are cancelled.
 *
 *     race [--backend NAME] [SECONDS]...
 *
 * Each argument is a replica that takes so long to answer; one with 0 never does.
 */
#include <stdlib.h>

#include <anyc/anyc.h>

#include "options.h"

struct race {
    anyc_task_group group;
    int winner; /* number of the replica; 0: none yet */
};

struct replica {
    struct race *race;
    int number;
    double seconds;
};

/* One of the tasks. Its argument is a copy of its own. */
static int ask(void *arg)
{
    const struct replica *replica = arg;
    int rc;

    if (replica->seconds == 0) {
        printf("replica %d does not answer\n", replica->number);
        return 0;
    }
    rc = anyc_sleep(replica->seconds);
    if (rc < 0) {
        printf("replica %d is cancelled\n", replica->number);
        return rc;
    }
    replica->race->winner = replica->number;
    anyc_task_group_cancel(&replica->race->group, "there is an answer");
    return 0;
}

static int race_main(void *arg)
{
    const struct options *options = arg;
    struct race race = {.winner = 0};
    struct replica replica = {.race = &race};
    int rc;

    anyc_task_group_enter(&race.group);
    for (int i = 0; i < options->argument_count; i++) {
        replica.number = i + 1;
        replica.seconds = strtod(options->arguments[i], NULL);
        anyc_task_group_start_soon_copy(&race.group, ask, &replica, sizeof replica, NULL);
    }
    rc = anyc_task_group_exit(&race.group, 0); /* waits until all have ended, cancelled or not */
    if (rc == 0 && race.winner > 0)
        printf("replica %d wins\n", race.winner);
    return rc < 0 ? rc : race.winner == 0;
}

int main(int argc, char **argv)
{
    struct options options = {.host = NULL};

    if (!options_parse(argc, argv, &options))
        return 2;
    return options_run(&options, race_main, &options);
}
