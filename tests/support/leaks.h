/* SPDX-License-Identifier: MIT */
/*
 * leaks.h - what a test process holds, before and after.
 */
#ifndef ANYC_TESTS_SUPPORT_LEAKS_H
#define ANYC_TESTS_SUPPORT_LEAKS_H

#include <stdbool.h>
#include <stddef.h>

/* What is held at one moment. */
struct leaks {
    long blocks;     /* memory of anyc */
    int *fds;        /* open descriptors; malloc'd */
    size_t fd_count; /* 0 where the system does not list them */
};

/* Count anyc's memory from now on. Before anything of anyc is in use. */
void anyc__leaks_install(void);

/* Fill `now`; its memory goes to anyc__leaks_find. */
void anyc__leaks_look(struct leaks *now);

/* Describe what is held now and was not held before; false if nothing. Frees what `before` holds. */
bool anyc__leaks_find(struct leaks *before, char *text, size_t size);

#endif
