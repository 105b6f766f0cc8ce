/* SPDX-License-Identifier: MIT */
/*
 * worker_late.c - a program that is not linked with anyc: it loads worker_host.c as a library, and anyc
 * with it.
 *
 *     worker_late LIBRARY BACKEND WHAT...
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*host_main)(int, char **);

    puts("late");
    (void)fflush(stdout);
    if (library == NULL) {
        puts(argc > 1 ? dlerror() : "what is to be loaded?");
        return 1;
    }
    host_main = (int (*)(int, char **))(uintptr_t)dlsym(library, "host_main");
    return host_main(argc - 1, argv + 1);
}
