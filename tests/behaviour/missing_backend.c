/* SPDX-License-Identifier: MIT */
/*
 * missing_backend.c - EL-006: a program that is linked with no adapter, in a place where no module
 * is installed, asks for one that anyc knows by name.
 */
#include <anyc/error.h>
#include <anyc/loop.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int main_task(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

static int complain(const char *what)
{
    printf("%s: %s\n", what, anyc_last_error()->message);
    return 1;
}

/* The same code as for a name that nobody knows, but another text. */
static int check(const char *name, bool known)
{
    bool called = false;
    int rc = anyc_run_with(main_task, &called, &(anyc_run_options){.backend = name});
    const char *message = anyc_last_error()->message;

    if (rc != ANYC_ENOBACKEND || called)
        return complain("the run was not refused");
    if (strstr(message, name) == NULL)
        return complain("the message does not name it");
    if (known != (strstr(message, "known to anyc but not installed") != NULL))
        return complain("the message does not tell known from unknown");
    if (known && strstr(message, "-lanyc-") == NULL)
        return complain("the message does not tell how to get it");
    return 0;
}

int main(void)
{
    char folder[] = "/tmp/anyc_missing_XXXXXX";
    int failed;

    if (mkdtemp(folder) == NULL)
        return 1;
    (void)setenv("ANYC_BACKEND_PATH", folder, 1);
    failed = check("libuv", true) + check("libevent", true) + check("nonesuch", false);
    (void)rmdir(folder);
    return failed > 0;
}
