/* SPDX-License-Identifier: MIT */
/*
 * module_good.c - a module as it should be: its constructor registers a backend of its name.
 */
#include "table.h"

static anyc_backend module_table;

__attribute__((constructor)) static void module_register(void)
{
    module_table = table_named("test_good");
    (void)anyc_register_backend(&module_table);
}
