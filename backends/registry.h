/* SPDX-License-Identifier: MIT */
/*
 * registry.h - find a backend by its name.
 */
#ifndef ANYC_BACKENDS_REGISTRY_H
#define ANYC_BACKENDS_REGISTRY_H

#include <anyc/backend.h>

/* The table of a name, which is loaded if need be. NULL: $ANYC_BACKEND, else the best one there is.
 * 0, or ANYC_ENOBACKEND with a message that lists what there is. May load a library: not on the
 * small stack of a task. */
int anyc__backend_find(const char *name, const anyc_backend **out_backend);

/* Around fork(2): nobody changes what is known meanwhile. */
void anyc__registry_lock(void);
void anyc__registry_unlock(void);

#endif
