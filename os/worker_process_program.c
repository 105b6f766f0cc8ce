/* SPDX-License-Identifier: MIT */
/*
 * worker_process_program.c - how to execute this program once more.
 *
 * /proc/self/exe leads to the file even if another one has got its name since. It is opened, and
 * executed by its descriptor: in tools that run programs of their own accord (Valgrind, QEMU), only
 * opening it leads to the program and not to the tool.
 *
 * That file is the dynamic loader if the program was started as "ld.so [OPTIONS] PROGRAM"; then so is
 * the worker. And a program that came to anyc only by dlopen(3) would not become a worker by itself:
 * it is told to load that library at its start.
 */
#include "os/worker_process_program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "os/elf_module.h"
#include "streams/byte_buffer.h"

#define PROGRAM_PRELOAD "LD_PRELOAD="
#define PROGRAM_VARIABLE WORKER_VARIABLE "="
#define PROGRAM_ARGS_PART 4096 /* bytes that are read at once */

/* -- the file -- */

static int program_open(struct worker_program *program)
{
    int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

    program->exe = fd;
    if (fd >= 0 && fd <= STDERR_FILENO) { /* there will be the null device */
        program->exe = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        anyc__descriptor_close(fd);
    }
    if (program->exe < 0)
        return anyc__fail_errno(errno, "open /proc/self/exe, to start a worker process");
    (void)snprintf(program->path, sizeof program->path, "/proc/self/fd/%d", program->exe);
    return 0;
}

/* -- the arguments -- */

/* Is /proc/self/exe the loader, and the program its argument? */
static bool program_has_loader(const struct elf_module *module)
{
    return getauxval(AT_BASE) == 0 && anyc__elf_header(module, PT_INTERP) != NULL;
}

/* The process's arguments, each with its end. Answers their size in bytes or -errno. */
static ssize_t program_read_args(struct worker_program *program)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    struct byte_buffer args = {.data = NULL};
    ssize_t n = -1;
    int rc = 0;

    if (fd < 0)
        return anyc__fail_errno(errno, "open /proc/self/cmdline");
    while (rc == 0 && n != 0) {
        rc = anyc__byte_buffer_reserve(&args, PROGRAM_ARGS_PART);
        if (rc == 0) {
            n = read(fd, args.data + args.end, PROGRAM_ARGS_PART);
            rc = n < 0 ? -errno : 0;
        }
        args.end += n > 0 ? (size_t)n : 0;
    }
    anyc__descriptor_close(fd);
    if (rc == 0)
        args.data[args.end] = '\0'; /* the program may have written over it */
    program->args = args.data;
    return rc < 0 ? anyc__fail_errno(-rc, "read /proc/self/cmdline") : (ssize_t)args.end;
}

/* How many of the arguments are the loader's: the next one is what the program calls its own name. */
static size_t program_count_loader_args(const char *args, size_t size)
{
    size_t count = 0;

    for (size_t at = 0; at < size; at += strlen(args + at) + 1) {
        if (at > 0 && strcmp(args + at, program_invocation_name) == 0)
            return count;
        count++;
    }
    return 0;
}

static int program_loader_args(struct worker_program *program, const struct elf_module *module)
{
    ssize_t size = program_read_args(program);
    const char *at = program->args;
    size_t count;
    int rc;

    if (size < 0)
        return (int)size;
    count = program_count_loader_args(program->args, (size_t)size);
    if (count == 0)
        return anyc__fail(-ENOTSUP, 0,
                          "the loader was started for this program in a way that is not clear");
    rc = anyc__elf_mapped_file(module->headers, &program->file);
    if (rc < 0)
        return rc;
    program->argv = anyc__alloc_array(count + 2, sizeof *program->argv);
    if (program->argv == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (size_t i = 0; i < count; i++) {
        program->argv[i] = at;
        at += strlen(at) + 1;
    }
    program->argv[count] = program->file;
    program->argv[count + 1] = NULL;
    return 0;
}

static int program_args(struct worker_program *program)
{
    struct elf_module module;

    if (anyc__elf_program(&module) && program_has_loader(&module))
        return program_loader_args(program, &module);
    program->argv = anyc__alloc_array(2, sizeof *program->argv);
    if (program->argv == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    program->argv[0] = program_invocation_name;
    program->argv[1] = NULL;
    return 0;
}

/* -- the environment -- */

/* The library that has this code, if it must be named to be loaded at the start; else NULL. */
static int program_find_preload(const char **out_path)
{
    struct elf_module module;
    bool needed = true;
    bool program;
    int rc = 0;

    *out_path = NULL;
    if (anyc__elf_at((const void *)(uintptr_t)anyc__worker_program_init, &module, &program) &&
        !program)
        rc = anyc__elf_is_needed(&module, &needed);
    if (rc < 0 || needed)
        return rc;
    if (module.name[0] != '/' || strpbrk(module.name, " :") != NULL)
        return anyc__fail(
            -ENOTSUP, 0,
            "a worker process cannot be told to load %.200s: its path is relative, or "
            "has a blank or a colon",
            module.name);
    *out_path = module.name;
    return 0;
}

/* "LD_PRELOAD=library", and what was there before. */
static int program_preload(struct worker_program *program, bool *out_preload)
{
    const char *before = getenv("LD_PRELOAD");
    const char *library;
    size_t size;
    int rc = program_find_preload(&library);

    *out_preload = rc == 0 && library != NULL;
    if (!*out_preload)
        return rc;
    if (before == NULL)
        before = "";
    size = sizeof PROGRAM_PRELOAD + strlen(library) + 1 + strlen(before);
    program->preload = anyc__alloc(size);
    if (program->preload == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    (void)snprintf(program->preload, size, PROGRAM_PRELOAD "%s:%s", library, before);
    return 0;
}

static bool program_passes_on(const struct worker_program *program, const char *entry)
{
    if (strncmp(entry, PROGRAM_VARIABLE, strlen(PROGRAM_VARIABLE)) == 0)
        return false; /* it would be found first */
    return program->preload == NULL ||
           strncmp(entry, PROGRAM_PRELOAD, strlen(PROGRAM_PRELOAD)) != 0;
}

static int program_env(struct worker_program *program)
{
    size_t count = 0;
    size_t used = 0;

    while (environ != NULL && environ[count] != NULL)
        count++;
    program->env = anyc__alloc_array(count + 3, sizeof *program->env);
    if (program->env == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (size_t i = 0; i < count; i++) {
        if (program_passes_on(program, environ[i]))
            program->env[used++] = environ[i];
    }
    program->env[used++] = program->birth;
    if (program->preload != NULL)
        program->env[used++] = program->preload;
    program->env[used] = NULL;
    return 0;
}

int anyc__worker_program_init(struct worker_program *program, struct worker_birth *birth)
{
    bool preload = false;
    int rc;

    *program = (struct worker_program){.exe = -1};
    if (getauxval(AT_SECURE) != 0)
        return anyc__fail(-EPERM, EPERM,
                          "a program with raised privileges has no worker processes");
    rc = program_open(program);
    if (rc == 0)
        rc = program_args(program);
    if (rc == 0)
        rc = program_preload(program, &preload);
    if (rc < 0)
        return rc;
    birth->preload = preload;
    (void)snprintf(program->birth, sizeof program->birth, PROGRAM_VARIABLE WORKER_BIRTH_FORMAT,
                   birth->fd, birth->parent, birth->idle_ms, birth->preload);
    return program_env(program);
}

void anyc__worker_program_deinit(struct worker_program *program)
{
    anyc__descriptor_close(program->exe);
    anyc__free(program->argv);
    anyc__free(program->env);
    anyc__free(program->file);
    anyc__free(program->preload);
    anyc__free(program->args);
}
