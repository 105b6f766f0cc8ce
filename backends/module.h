/* SPDX-License-Identifier: MIT */
/*
 * module.h - backends as modules: files named anyc_backend_NAME.so in one folder, which is
 * $ANYC_BACKEND_PATH, else where anyc was installed. Names are [a-z0-9_]+: the caller checks that.
 */
#ifndef ANYC_BACKENDS_MODULE_H
#define ANYC_BACKENDS_MODULE_H

#include <anyc/base.h>

/* The folder, or NULL if there is none. */
const char *anyc__module_folder(void);

/* Is there a file for this name? It may still turn out not to load. */
bool anyc__module_exists(const char *name);

/* Load the module for good; its constructor registers its table. False if that fails; `why` then
 * holds the reason, or "" if there is no such file. Must be called without a lock that the
 * constructor, or one of a library that another thread is loading, would take. */
bool anyc__module_load(const char *name, char *why, size_t why_size);

/* Call `found` with the name of each file in the folder; what is not a valid name comes along. The
 * name is borrowed for the call. */
void anyc__module_list(void (*found)(const char *name));

#endif
