/* SPDX-License-Identifier: MIT */
/*
 * worker_process_function.c - where a function is.
 */
#include "os/worker_process_function.h"

#include <dlfcn.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/elf_module.h"

int anyc__worker_function_locate(anyc_process_fn fn, struct worker_function *out_function)
{
    const void *address = (const void *)(uintptr_t)fn;
    struct elf_module module;
    char *path = NULL;
    bool program;
    int rc = 0;

    if (!anyc__elf_at(address, &module, &program))
        return anyc__fail(ANYC_EINVAL, 0,
                          "the function at %p is in no file, so that no worker has it", address);
    if (!program && module.name[0] == '/') {
        path = anyc__strdup(module.name);
        rc = path == NULL ? anyc__fail_plain(ANYC_ENOMEM) : 0;
    } else if (!program) { /* relative to what was the working directory when it was loaded */
        rc = anyc__elf_mapped_file(address, &path);
    }
    if (rc < 0)
        return rc;
    *out_function = (struct worker_function){
        .path = path,
        .offset = (uintptr_t)address - module.base,
        .fingerprint = anyc__elf_fingerprint(&module),
    };
    return 0;
}

void anyc__worker_function_deinit(struct worker_function *function)
{
    anyc__free(function->path);
}

/* Load a file, or find that it is. False with the reason. */
static bool function_load(const char *path, struct elf_module *out_module, const char **out_reason)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* it stays loaded */
    struct link_map *map;

    *out_reason = library == NULL ? dlerror() : "the loader does not list it";
    return library != NULL && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 &&
           anyc__elf_based(map->l_addr, out_module);
}

int anyc__worker_function_find(const struct worker_function *function, anyc_process_fn *out_fn)
{
    const char *path = function->path != NULL ? function->path : "the program itself";
    const char *reason = "the loader does not list it";
    struct elf_module module;
    bool found;

    if (function->path == NULL)
        found = anyc__elf_program(&module);
    else
        found = anyc__elf_named(path, &module) || function_load(path, &module, &reason);
    if (!found)
        return anyc__fail(ANYC_EWORKER, 0, "the worker process cannot load %.300s: %.300s", path,
                          reason);
    if (anyc__elf_fingerprint(&module) != function->fingerprint ||
        !anyc__elf_has(&module, function->offset))
        return anyc__fail(ANYC_EWORKER, 0,
                          "the worker process finds another file than the program has: %.300s",
                          path);
    *out_fn = (anyc_process_fn)(module.base + function->offset);
    return 0;
}
