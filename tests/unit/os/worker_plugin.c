/* SPDX-License-Identifier: MIT */
/*
 * worker_plugin.c - a file that worker_host.c loads while it runs.
 */
#include "worker_library.h"

#include <stdlib.h>
#include <string.h>

static const char *plugin_text = "nothing";

__attribute__((constructor)) static void plugin_initialise(void)
{
    plugin_text = "plugin";
}

#ifdef WORKER_PLUGIN_OTHER
/* The same functions, and more: another file. */
ANYC_API const char *plugin_other(void);

const char *plugin_other(void)
{
    return plugin_text;
}
#endif

ANYC_API int plugin_tell_order(const void *input, size_t input_size, anyc_bytes *output);

int plugin_tell_order(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    output->data = strdup(plugin_text);
    output->len = output->data != NULL ? strlen(plugin_text) : 0;
    return 0;
}
