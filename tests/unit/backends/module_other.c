/* SPDX-License-Identifier: MIT */
/*
 * module_other.c - a module that registers another name than that of its file.
 */
#include "table.h"

static anyc_backend module_table;

__attribute__((constructor)) static void module_register(void)
{
    module_table = table_named("test_renamed");
    (void)anyc_register_backend(&module_table);
}
