/* SPDX-License-Identifier: MIT */
/*
 * consumer.c - a program from outside: runs a task on each backend that it is told by name.
 *
 * It prints "NAME: ran", or "NAME: ERROR: message" when the run failed; a name after "--missing"
 * must answer ANYC_ENOBACKEND.
 */
#include <anyc/anyc.h>

#include <stdio.h>
#include <string.h>

static int main_task(void *arg)
{
    const char *wanted = arg;

    if (strcmp(anyc_current_backend(), wanted) != 0)
        return ANYC_ESTATE;
    return anyc_sleep(0.001);
}

static int run_on(const char *backend)
{
    int rc = anyc_run_with(main_task, (void *)backend, &(anyc_run_options){.backend = backend});

    if (rc < 0)
        printf("%s: %s: %s\n", backend, anyc_error_name(rc), anyc_last_error()->message);
    else
        printf("%s: ran\n", backend);
    return rc;
}

int main(int argc, char **argv)
{
    int wanted = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--missing") == 0)
            wanted = ANYC_ENOBACKEND;
        else if (run_on(argv[i]) != wanted)
            return 1;
    }
    return 0;
}
