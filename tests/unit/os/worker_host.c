/* SPDX-License-Identifier: MIT */
/*
 * worker_host.c - a program with worker processes, for tests of how programs may be built and started.
 *
 *     worker_host BACKEND WHAT...
 *
 * It prints "main", then, for each WHAT, what a worker answers:
 *
 *     program, library      the order of initialisation, by a function of that
 *     plugin FILE           the same from a file that is loaded by its relative path, in its folder
 *     replaced FILE OTHER   loaded; then OTHER takes the file's place (the file is removed if that is "")
 *     unlink                nothing: removes the program's own file
 *     pid, busy             the worker's number, and it waits, without work or with it
 */
#include <anyc/anyc.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker_library.h"

#ifndef WORKER_HOST_NO_ARRAY
__attribute__((constructor(150))) static void note_first(void)
{
    library_note('a');
}

__attribute__((constructor(200))) static void note_second(void)
{
    library_note('b');
}

__attribute__((constructor)) static void note_third(void)
{
    library_note('c');
}
#endif

static int tell_order(const void *input, size_t input_size, anyc_bytes *output)
{
    return library_tell_order(input, input_size, output);
}

static int tell_pid(const void *input, size_t input_size, anyc_bytes *output)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld", (long)getpid());

    (void)input;
    (void)input_size;
    return anyc_bytes_init(output, text, (size_t)len);
}

static int stay(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    (void)output;
    while (pause() < 0)
        continue;
    return 0;
}

static void print_call(anyc_process_fn fn)
{
    anyc_bytes output = {NULL, 0};
    int rc = anyc_to_process_run_sync(fn, NULL, 0, NULL, &output);

    if (rc < 0)
        printf("%s: %s\n", anyc_error_name(rc), anyc_last_error()->message);
    else
        printf("%.*s\n", (int)output.len, (const char *)output.data);
    (void)fflush(stdout);
    anyc_bytes_deinit(&output);
}

/* The plugin's function, if it can be loaded. */
static anyc_process_fn load(const char *path)
{
    char folder[512];
    char file[256];
    const char *slash = strrchr(path, '/');
    void *plugin;

    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    snprintf(file, sizeof file, ".%.250s", slash);
    if (chdir(folder) < 0)
        return NULL;
    plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        printf("%s\n", dlerror());
    if (plugin == NULL || chdir("/") < 0)
        return NULL;
    return (anyc_process_fn)(uintptr_t)dlsym(plugin, "plugin_tell_order");
}

static void replace(const char *path, const char *other)
{
    if (other[0] == '\0' ? unlink(path) < 0 : rename(other, path) < 0)
        perror(path);
}

static void unlink_self(void)
{
    char path[512] = "";

    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0 || unlink(path) < 0)
        perror(path);
}

/* Answers how many words it took. */
static int do_it(char **words)
{
    if (strcmp(words[0], "program") == 0)
        print_call(tell_order);
    else if (strcmp(words[0], "library") == 0)
        print_call(library_tell_order);
    else if (strcmp(words[0], "unlink") == 0)
        unlink_self();
    else if (strcmp(words[0], "pid") == 0 || strcmp(words[0], "busy") == 0)
        print_call(tell_pid);
    if (strcmp(words[0], "busy") == 0)
        print_call(stay);
    if (strcmp(words[0], "pid") == 0)
        return anyc_sleep(600);
    if (strcmp(words[0], "plugin") == 0) {
        print_call(load(words[1]));
        return 2;
    }
    if (strcmp(words[0], "replaced") == 0) {
        anyc_process_fn fn = load(words[1]);

        replace(words[1], words[2]);
        print_call(fn);
        return 3;
    }
    return 1;
}

static int main_task(void *arg)
{
    char **words = arg;

    while (*words != NULL)
        words += do_it(words);
    return 0;
}

#ifdef WORKER_HOST_LATE
#define main host_main /* called by worker_late.c */
ANYC_API int main(int argc, char **argv);
#endif

int main(int argc, char **argv)
{
    int rc;

    library_note('m');
    puts("main");
    (void)fflush(stdout);
    if (argc < 2)
        return 2;
    rc = anyc_run_with(main_task, argv + 2, &(anyc_run_options){.backend = argv[1]});
    if (rc < 0)
        fprintf(stderr, "%s\n", anyc_last_error()->message);
    return rc < 0;
}
