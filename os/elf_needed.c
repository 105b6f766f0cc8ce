/* SPDX-License-Identifier: MIT */
/*
 * elf_needed.c - was a library loaded together with the program, or later by dlopen(3)?
 *
 * No loader tells, so the needs of the program are followed from library to library.
 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/elf_module.h"

/* All modules, in the loader's order. Invariant: reached[0, reached_count) are the places of those
 * that the program needs, as far as they are known; each stands there once. */
struct needed_list {
    struct elf_module *modules;
    size_t *reached;
    size_t count;
    size_t room;
    size_t reached_count;
};

static int needed_count(struct dl_phdr_info *info, size_t size, void *arg)
{
    size_t *count = arg;

    (void)info;
    (void)size;
    ++*count;
    return 0;
}

static int needed_collect(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct needed_list *list = arg;

    (void)size;
    if (list->count == list->room)
        return 1; /* loaded just now */
    list->modules[list->count++] = (struct elf_module){.name = info->dlpi_name,
                                                       .base = info->dlpi_addr,
                                                       .headers = info->dlpi_phdr,
                                                       .header_count = info->dlpi_phnum};
    return 0;
}

/* A string of its dynamic section; some loaders have made an address of the table's offset. */
static const char *needed_string(const struct elf_module *module, uint64_t offset)
{
    const ElfW(Dyn) *table = anyc__elf_dynamic(module, DT_STRTAB);
    uintptr_t address = table->d_un.d_ptr;

    if (address < module->base)
        address += module->base;
    return (const char *)address + offset;
}

static bool needed_answers_to(const struct elf_module *module, const char *name)
{
    const ElfW(Dyn) *soname = anyc__elf_dynamic(module, DT_SONAME);
    const char *slash = strrchr(module->name, '/');

    if (soname != NULL && strcmp(needed_string(module, soname->d_un.d_val), name) == 0)
        return true;
    return strcmp(module->name, name) == 0 || (slash != NULL && strcmp(slash + 1, name) == 0);
}

static bool needed_is_reached(const struct needed_list *list, size_t place)
{
    for (size_t i = 0; i < list->reached_count; i++) {
        if (list->reached[i] == place)
            return true;
    }
    return false;
}

static void needed_reach(struct needed_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (needed_answers_to(&list->modules[i], name) && !needed_is_reached(list, i))
            list->reached[list->reached_count++] = i;
    }
}

static void needed_reach_needs(struct needed_list *list, const struct elf_module *module)
{
    const ElfW(Dyn) *entry = anyc__elf_dynamic(module, DT_NEEDED);

    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_NEEDED)
            needed_reach(list, needed_string(module, entry->d_un.d_val));
    }
}

int anyc__elf_is_needed(const struct elf_module *module, bool *out_needed)
{
    struct needed_list list = {.reached_count = 1}; /* the program is at place 0 */
    bool needed = false;

    (void)dl_iterate_phdr(needed_count, &list.room);
    list.modules = anyc__alloc_array(list.room, sizeof *list.modules);
    list.reached = anyc__alloc_array(list.room, sizeof *list.reached);
    if (list.modules == NULL || list.reached == NULL) {
        anyc__free(list.modules);
        anyc__free(list.reached);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    (void)dl_iterate_phdr(needed_collect, &list);
    list.reached[0] = 0;
    for (size_t i = 0; i < list.reached_count && !needed; i++) {
        const struct elf_module *next = &list.modules[list.reached[i]];

        needed = next->headers == module->headers;
        needed_reach_needs(&list, next);
    }
    anyc__free(list.modules);
    anyc__free(list.reached);
    *out_needed = needed;
    return 0;
}
