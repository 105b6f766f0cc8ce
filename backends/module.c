/* SPDX-License-Identifier: MIT */
/*
 * module.c - backends as modules, loaded when their name is asked for.
 */
#include "backends/module.h"

#include "core/alloc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE_PREFIX "anyc_backend_"
#define MODULE_SUFFIX ".so"
#define MODULE_NAME_MAX 32 /* bytes, the end included; longer ones are not listed */
#ifndef ANYC_MODULE_DIR
#define ANYC_MODULE_DIR NULL
#endif

/* FOLDER/anyc_backend_NAME.so, to be freed; NULL without folder or memory. */
static char *module_path(const char *name)
{
    const char *folder = anyc__module_folder();
    size_t size;
    char *path;

    if (folder == NULL)
        return NULL;
    size = strlen(folder) + strlen(name) + sizeof "/" MODULE_PREFIX MODULE_SUFFIX;
    path = anyc__alloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/" MODULE_PREFIX "%s" MODULE_SUFFIX, folder, name);
    return path;
}

/* Stores NAME of "anyc_backend_NAME.so"; false for other files. */
static bool module_name(const char *file, char name[MODULE_NAME_MAX])
{
    const size_t prefix = strlen(MODULE_PREFIX);
    const size_t around = prefix + strlen(MODULE_SUFFIX);
    size_t len = strlen(file);

    if (len <= around || len - around >= MODULE_NAME_MAX)
        return false;
    if (strncmp(file, MODULE_PREFIX, prefix) != 0 ||
        strcmp(file + len - strlen(MODULE_SUFFIX), MODULE_SUFFIX) != 0)
        return false;
    memcpy(name, file + prefix, len - around);
    name[len - around] = '\0';
    return true;
}

const char *anyc__module_folder(void)
{
    const char *folder = secure_getenv("ANYC_BACKEND_PATH");

    return folder != NULL && folder[0] != '\0' ? folder : ANYC_MODULE_DIR;
}

bool anyc__module_exists(const char *name)
{
    char *path = module_path(name);
    bool exists = path != NULL && access(path, R_OK) == 0;

    anyc__free(path);
    return exists;
}

bool anyc__module_load(const char *name, char *why, size_t why_size)
{
    char *path = module_path(name);
    void *library = NULL;

    why[0] = '\0';
    if (path != NULL && access(path, F_OK) == 0) {
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL)
            snprintf(why, why_size, "%s", dlerror());
    }
    anyc__free(path);
    return library != NULL;
}

void anyc__module_list(void (*found)(const char *name))
{
    const char *folder = anyc__module_folder();
    DIR *dir = folder == NULL ? NULL : opendir(folder);
    const struct dirent *file;
    char name[MODULE_NAME_MAX];

    if (dir == NULL)
        return;
    while ((file = readdir(dir)) != NULL) {
        if (module_name(file->d_name, name))
            found(name);
    }
    closedir(dir);
}
