/* SPDX-License-Identifier: MIT */
/*
 * micro_st_start.c - measures of starting State Threads, then creating a thread and joining it.
 *
 * The library can be started only once in a process and never be ended. run_first forks before each
 * start, so it is cold; run_empty starts copies of the library that are loaded beforehand, so that
 * memory and caches are as warm as for whoever starts something again and again.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <st.h>

#include "micro_st.h"

enum { STARTS_A_CHILD = 100, STARTS_BEFORE = 10 };

/* What a start takes, of whichever copy of the library. */
struct library {
    int (*set_eventsys)(int eventsys);
    int (*init)(void);
    st_thread_t (*create)(void *(*start)(void *arg), void *arg, int joinable, int stack_size);
    int (*join)(st_thread_t thread, void **out_value);
};

static const struct library linked = {st_set_eventsys, st_init, st_thread_create, st_thread_join};

static void *do_nothing(void *arg)
{
    return arg;
}

/* With epoll, as servers do. */
static int library_init(const struct library *library)
{
    return library->set_eventsys(ST_EVENTSYS_ALT) < 0 ? -1 : library->init();
}

int library_start(void)
{
    return st_get_eventsys() >= 0 ? 0 : library_init(&linked);
}

static int library_run(const struct library *library, struct bench *bench)
{
    st_thread_t thread;

    bench_start(bench);
    if (library_init(library) < 0)
        return -1;
    thread = library->create(do_nothing, NULL, 1, (int)bench->stack_size);
    if (thread == NULL || library->join(thread, NULL) < 0)
        return -1;
    bench_stop(bench);
    return 0;
}

static int linked_run(struct bench *bench)
{
    return library_run(&linked, bench);
}

int bench_run_first(struct bench *bench)
{
    return measure_in_children(bench, linked_run);
}

/* A file in memory with the library that is linked: loading that one again is no copy. Or -1. */
static int copy_create(void)
{
    struct stat stat = {0};
    Dl_info info;
    int copy = -1;
    int original = -1;

    if (dladdr(dlsym(RTLD_DEFAULT, "st_init"), &info) != 0)
        original = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
    if (original >= 0 && fstat(original, &stat) == 0)
        copy = memfd_create("libst", MFD_CLOEXEC);
    if (copy >= 0 && sendfile(copy, original, NULL, (size_t)stat.st_size) != stat.st_size) {
        close(copy);
        copy = -1;
    }
    if (original >= 0)
        close(original);
    return copy;
}

/* Load, run, unload; also close the descriptor that the run opened, for want of an end. */
static int copy_run(const char *path, struct bench *bench)
{
    /* its functions call each other, not those of the linked library */
    void *copy = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    struct library library;
    int lowest_free = dup(STDERR_FILENO);
    int rc;

    if (copy == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return -1;
    }
    close(lowest_free);
    *(void **)&library.set_eventsys = dlsym(copy, "st_set_eventsys");
    *(void **)&library.init = dlsym(copy, "st_init");
    *(void **)&library.create = dlsym(copy, "st_thread_create");
    *(void **)&library.join = dlsym(copy, "st_thread_join");
    rc = library_run(&library, bench);
    close(lowest_free);
    dlclose(copy);
    return rc;
}

/* Some starts, the first ones not counted; the stacks that they leave behind end with the child. */
static int copies_run(struct bench *bench)
{
    char path[64];
    double before = bench->total;
    int fd = copy_create();
    int rc = fd < 0 ? -1 : 0;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int i = 0; i < STARTS_BEFORE + STARTS_A_CHILD && rc == 0; i++) {
        if (i == STARTS_BEFORE)
            bench->total = before;
        rc = copy_run(path, bench);
    }
    return rc;
}

int bench_run_empty(struct bench *bench)
{
    int rc = measure_in_children(bench, copies_run);

    bench->ops *= STARTS_A_CHILD;
    return rc;
}
