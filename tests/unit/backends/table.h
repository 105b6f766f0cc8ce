/* SPDX-License-Identifier: MIT */
/*
 * table.h - a backend that can be registered, but whose open always fails with -ENOSYS: a run on it
 * shows by that code that it was found.
 */
#ifndef ANYC_TESTS_UNIT_BACKENDS_TABLE_H
#define ANYC_TESTS_UNIT_BACKENDS_TABLE_H

#include <anyc/backend.h>

anyc_backend table_named(const char *name);

#endif
