/* SPDX-License-Identifier: MIT */
/*
 * path_match.h - does a pattern match a name? As fnmatch of Python, by characters.
 */
#ifndef ANYC_OS_PATH_MATCH_H
#define ANYC_OS_PATH_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Does the pattern of one part match all of the name? In it `*` may match nothing. */
bool anyc__path_part_match(const char *pattern, size_t pattern_len, const char *name,
                           size_t name_len, bool ignore_case);

/* Is there anything in the part that is no plain character? */
bool anyc__path_part_is_wild(const char *pattern, size_t pattern_len);

#endif
