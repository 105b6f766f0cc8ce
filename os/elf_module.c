/* SPDX-License-Identifier: MIT */
/*
 * elf_module.c - the files that are loaded into this process. See dl_iterate_phdr(3) and elf(5).
 */
#include "os/elf_module.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"

#define MODULE_DELETED " (deleted)" /* follows the path of a file that is not there any more */
#define MODULE_HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define MODULE_HASH_FACTOR UINT64_C(0x100000001b3)

/* -- search -- */

struct module_search {
    bool (*matches)(const struct module_search *search, const struct elf_module *module);
    const char *name;
    uintptr_t address;
    size_t seen; /* modules so far; the program is the first */
    struct elf_module module;
};

static int module_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct module_search *search = arg;

    (void)size;
    search->module = (struct elf_module){.name = info->dlpi_name,
                                         .base = info->dlpi_addr,
                                         .headers = info->dlpi_phdr,
                                         .header_count = info->dlpi_phnum};
    search->seen++;
    return search->matches(search, &search->module);
}

static bool module_search(struct module_search *search, struct elf_module *out_module)
{
    if (dl_iterate_phdr(module_visit, search) == 0)
        return false;
    *out_module = search->module;
    return true;
}

static bool module_is_first(const struct module_search *search, const struct elf_module *module)
{
    (void)module;
    return search->seen == 1;
}

static bool module_is_at(const struct module_search *search, const struct elf_module *module)
{
    return anyc__elf_has(module, search->address - module->base);
}

static bool module_is_named(const struct module_search *search, const struct elf_module *module)
{
    return strcmp(module->name, search->name) == 0;
}

static bool module_is_based(const struct module_search *search, const struct elf_module *module)
{
    return module->base == search->address;
}

bool anyc__elf_program(struct elf_module *out_module)
{
    return module_search(&(struct module_search){.matches = module_is_first}, out_module);
}

bool anyc__elf_at(const void *address, struct elf_module *out_module, bool *out_program)
{
    struct module_search search = {.matches = module_is_at, .address = (uintptr_t)address};
    bool found = module_search(&search, out_module);

    *out_program = search.seen == 1;
    return found;
}

bool anyc__elf_named(const char *name, struct elf_module *out_module)
{
    return module_search(&(struct module_search){.matches = module_is_named, .name = name},
                         out_module);
}

bool anyc__elf_based(uintptr_t base, struct elf_module *out_module)
{
    return module_search(&(struct module_search){.matches = module_is_based, .address = base},
                         out_module);
}

/* -- one module -- */

bool anyc__elf_has(const struct elf_module *module, uint64_t offset)
{
    for (size_t i = 0; i < module->header_count; i++) {
        const ElfW(Phdr) *header = &module->headers[i];

        if (header->p_type == PT_LOAD && offset >= header->p_vaddr &&
            offset - header->p_vaddr < header->p_memsz)
            return true;
    }
    return false;
}

const ElfW(Phdr) * anyc__elf_header(const struct elf_module *module, uint32_t type)
{
    for (size_t i = 0; i < module->header_count; i++) {
        if (module->headers[i].p_type == type)
            return &module->headers[i];
    }
    return NULL;
}

ElfW(Dyn) * anyc__elf_dynamic(const struct elf_module *module, ElfW(Sxword) tag)
{
    const ElfW(Phdr) *header = anyc__elf_header(module, PT_DYNAMIC);
    ElfW(Dyn) * entry;

    if (header == NULL)
        return NULL;
    for (entry = (void *)(module->base + header->p_vaddr); entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == tag)
            return entry;
    }
    return NULL;
}

static uint64_t module_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * MODULE_HASH_FACTOR;
    return hash;
}

/* The build-id among the notes of a segment, if it is there. */
static uint64_t module_hash_build_id(uint64_t hash, const char *notes, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)notes;
        size_t name_size = ((size_t)note->n_namesz + 3) & ~(size_t)3;
        size_t data_size = ((size_t)note->n_descsz + 3) & ~(size_t)3;
        size_t note_size = sizeof *note + name_size + data_size;

        if (note_size > size)
            break;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof "GNU" &&
            memcmp(note + 1, "GNU", sizeof "GNU") == 0)
            hash = module_hash(hash, notes + sizeof *note + name_size, note->n_descsz);
        notes += note_size;
        size -= note_size;
    }
    return hash;
}

uint64_t anyc__elf_fingerprint(const struct elf_module *module)
{
    uint64_t hash = module_hash(MODULE_HASH_START, module->headers,
                                module->header_count * sizeof *module->headers);

    for (size_t i = 0; i < module->header_count; i++) {
        const ElfW(Phdr) *header = &module->headers[i];

        if (header->p_type == PT_NOTE)
            hash = module_hash_build_id(hash, (const char *)(module->base + header->p_vaddr),
                                        header->p_memsz);
    }
    return hash;
}

/* -- /proc/self/maps -- */

/* "55d0-55d1 r-xp 00000000 08:01 1234   /usr/bin/program": the path in it, if the address lies there. */
static char *module_map_line(char *line, uintptr_t address)
{
    unsigned long start;
    unsigned long end;
    int path_at = 0;

    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &path_at) < 2 || path_at == 0)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return address >= start && address < end && line[path_at] == '/' ? line + path_at : NULL;
}

static void module_undelete(char *path)
{
    size_t len = strlen(path);
    size_t mark = strlen(MODULE_DELETED);

    if (len > mark && strcmp(path + len - mark, MODULE_DELETED) == 0 && access(path, F_OK) < 0)
        path[len - mark] = '\0';
}

int anyc__elf_mapped_file(const void *address, char **out_path)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *path = NULL;
    char *line = NULL;
    size_t room = 0;
    int rc = -ENOENT;

    if (maps == NULL)
        return anyc__fail_errno(errno, "open /proc/self/maps");
    while (path == NULL && getline(&line, &room, maps) > 0)
        path = module_map_line(line, (uintptr_t)address);
    if (path != NULL) {
        module_undelete(path);
        *out_path = anyc__strdup(path);
        rc = *out_path != NULL ? 0 : ANYC_ENOMEM;
    }
    free(line);
    (void)fclose(maps); /* it was only read */
    return rc == 0 ? 0 : anyc__fail_errno(-rc, "the file at %p", address);
}
