/* SPDX-License-Identifier: MIT */
/*
 * path_open.c - files opened by their paths. AnyIO: Path.open.
 */
#include <anyc/path.h>

int anyc_path_open(const anyc_path *path, const char *mode, const anyc_open_file_options *options,
                   anyc_file **out_file)
{
    anyc_open_file_options own = {.limiter = NULL};

    if (options != NULL)
        own = *options;
    if (own.limiter == NULL)
        own.limiter = anyc_path_limiter(path);
    return anyc_open_file(anyc_path_str(path), mode, &own, out_file);
}
