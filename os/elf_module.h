/* SPDX-License-Identifier: MIT */
/*
 * elf_module.h - the files that are loaded into this process: the program and its libraries.
 */
#ifndef ANYC_OS_ELF_MODULE_H
#define ANYC_OS_ELF_MODULE_H

#include <link.h>

#include <anyc/base.h>

/* Valid as long as the file stays loaded. */
struct elf_module {
    const char *name; /* as the loader has it; "" for the program */
    uintptr_t base;   /* what is added to the addresses in the file */
    const ElfW(Phdr) * headers;
    size_t header_count;
};

/* The program itself. False where nothing can be known. */
bool anyc__elf_program(struct elf_module *out_module);

/* What lies at an address; *out_program: it is the program. False: no file. */
bool anyc__elf_at(const void *address, struct elf_module *out_module, bool *out_program);

/* The first one of this name, and the one that was loaded there. */
bool anyc__elf_named(const char *name, struct elf_module *out_module);
bool anyc__elf_based(uintptr_t base, struct elf_module *out_module);

/* Does it have this address, once added to its base? */
bool anyc__elf_has(const struct elf_module *module, uint64_t offset);

/* The first header of a type, or NULL. */
const ElfW(Phdr) * anyc__elf_header(const struct elf_module *module, uint32_t type);

/* The entry of the dynamic section, or NULL. In memory that may be read-only. */
ElfW(Dyn) * anyc__elf_dynamic(const struct elf_module *module, ElfW(Sxword) tag);

/* A number that tells the file from others, older and newer ones of the same name included. */
uint64_t anyc__elf_fingerprint(const struct elf_module *module);

/* Was it loaded together with the program, because that needs it? ANYC_ENOMEM. */
int anyc__elf_is_needed(const struct elf_module *module, bool *out_needed);

/* The absolute path that the file mapped at an address has, or had: anyc__free it. ANYC_ENOMEM, -ENOENT: there
 * is none, or -errno. */
int anyc__elf_mapped_file(const void *address, char **out_path);

#endif
