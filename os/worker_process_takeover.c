/* SPDX-License-Identifier: MIT */
/*
 * worker_process_takeover.c - how a program that was executed as a worker becomes one.
 *
 * A constructor finds out. Now most of the program's initialisation is still to come, for that of a
 * library runs first; but main() must not run. So the constructor changes the last entry of the
 * program's own array of initialisers (elf(5), DT_INIT_ARRAY), which the C library has yet to go
 * through: there it puts a function that calls what stood there, serves, and never returns. So all
 * is initialised, in the right order, the program last.
 *
 * A program without such an array, as hardly a compiler makes it, has DT_INIT instead.
 *
 * Who starts workers calls anyc_in_worker_process, which links this file into a static program.
 */
#include <anyc/worker_process.h>

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "os/elf_module.h"
#include "os/worker_process_message.h"
#include "os/worker_process_serve.h"

typedef void (*takeover_fn)(int argc, char **argv, char **env);

/* In a program without a dynamic section, which is a static one, the linker tells. */
extern takeover_fn takeover_array __asm__("__init_array_start")
    __attribute__((weak, visibility("hidden")));
extern takeover_fn takeover_array_end __asm__("__init_array_end")
    __attribute__((weak, visibility("hidden")));

static bool takeover_happens;
static struct worker_birth takeover_birth;
static takeover_fn takeover_last; /* what stood where takeover_serve is now; NULL: nothing */

static void takeover_serve(int argc, char **argv, char **env)
{
    if (takeover_last != NULL)
        takeover_last(argc, argv, env);
    anyc__worker_process_serve(&takeover_birth);
}

/* Make a word of the program's, which is read-only by now, writable. */
static bool takeover_unlock(const void *word)
{
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t page = (uintptr_t)word / page_size * page_size;

    return mprotect((void *)page, page_size, PROT_READ | PROT_WRITE) == 0;
}

/* The last entry of the program's initialisers, or NULL. */
static takeover_fn *takeover_find_last(const struct elf_module *program)
{
    const ElfW(Dyn) *array = anyc__elf_dynamic(program, DT_INIT_ARRAY);
    const ElfW(Dyn) *size = anyc__elf_dynamic(program, DT_INIT_ARRAYSZ);

    if (anyc__elf_header(program, PT_DYNAMIC) == NULL)
        return &takeover_array_end != &takeover_array ? &takeover_array_end - 1 : NULL;
    if (array == NULL || size == NULL || size->d_un.d_val < sizeof(takeover_fn))
        return NULL;
    return (takeover_fn *)(program->base + array->d_un.d_ptr) +
           (size->d_un.d_val / sizeof(takeover_fn) - 1);
}

static bool takeover_hook_last(takeover_fn *last)
{
    uintptr_t none = (uintptr_t)-1; /* such an entry is passed over */

    if (!takeover_unlock(last))
        return false;
    if (*last != NULL && (uintptr_t)*last != none)
        takeover_last = *last;
    *last = takeover_serve;
    return true;
}

static bool takeover_hook_init(const struct elf_module *program)
{
    ElfW(Dyn) *init = anyc__elf_dynamic(program, DT_INIT);

    if (init == NULL || !takeover_unlock(&init->d_un.d_ptr))
        return false;
    takeover_last = (takeover_fn)(program->base + init->d_un.d_ptr);
    init->d_un.d_ptr = (uintptr_t)takeover_serve - program->base;
    return true;
}

static bool takeover_hook(void)
{
    struct elf_module program;
    takeover_fn *last;

    if (!anyc__elf_program(&program))
        return false;
    last = takeover_find_last(&program);
    return last != NULL ? takeover_hook_last(last) : takeover_hook_init(&program);
}

/* The environment is as the program's was. */
static void takeover_clear_environment(void)
{
    const char *preload = takeover_birth.preload ? getenv("LD_PRELOAD") : NULL;
    const char *colon = preload != NULL ? strchr(preload, ':') : NULL;

    (void)unsetenv(WORKER_VARIABLE);
    if (colon != NULL && colon[1] != '\0')
        (void)setenv("LD_PRELOAD", colon + 1, 1);
    else if (colon != NULL)
        (void)unsetenv("LD_PRELOAD");
}

/* The worker goes when the program goes, which has started it in the thread of its run. */
static bool takeover_bind(void)
{
    long parent;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "anyc-worker");
    parent = (long)getppid();
    return (parent == takeover_birth.parent || parent == 0) && /* 0: it is out of our sight */
           fcntl(takeover_birth.fd, F_SETFD, FD_CLOEXEC) == 0;
}

__attribute__((constructor(101))) static void takeover_look(void)
{
    const char *text = secure_getenv(WORKER_VARIABLE);

    if (text == NULL)
        return;
    takeover_happens = true;
    if (sscanf(text, WORKER_BIRTH_FORMAT, &takeover_birth.fd, &takeover_birth.parent,
               &takeover_birth.idle_ms, &takeover_birth.preload) != 4 ||
        !takeover_bind())
        _exit(WORKER_EXIT_UNBORN);
    takeover_clear_environment();
    if (!takeover_hook())
        _exit(WORKER_EXIT_UNBORN);
}

bool anyc_in_worker_process(void)
{
    return takeover_happens;
}
