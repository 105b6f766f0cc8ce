/* SPDX-License-Identifier: MIT */
/*
 * path_copy.h - copies of single files, for copies of trees.
 */
#ifndef ANYC_OS_PATH_COPY_H
#define ANYC_OS_PATH_COPY_H

#include <stdbool.h>

/* Copy the contents of a file, with `metadata` its permissions and times too. ANYC_EINVAL if both
 * are the same file, ANYC_ENOMEM or -errno. What is in *buffer, NULL at first, is used again by the
 * next call; the caller's to free. */
int anyc__path_copy_file(const char *source, const char *target, bool metadata, char **buffer);

#endif
