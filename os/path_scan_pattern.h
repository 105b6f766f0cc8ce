/* SPDX-License-Identifier: MIT */
/*
 * path_scan_pattern.h - the parts of a pattern, and how a path leads from place to place in it.
 *
 * A place is the index of the part that is to match next; the last one, `count`, is the end of the
 * pattern. A path may have come to several places at once, as "**" may match more or less of it.
 * A set of places has a byte for each, 0 or 1.
 */
#ifndef ANYC_OS_PATH_SCAN_PATTERN_H
#define ANYC_OS_PATH_SCAN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SCAN_IGNORE_CASE = 1,
    SCAN_FOLLOW = 2, /* "**" enters links */
    SCAN_LISTING = 4 /* a directory that cannot be read is an error */
};

enum scan_part_kind {
    PART_PLAIN,
    PART_WILD,
    PART_PARENT,   /* ".." */
    PART_RECURSIVE /* "**" */
};

struct scan_part {
    enum scan_part_kind kind;
    const char *text;
    size_t len;
};

struct scan_pattern {
    unsigned flags; /* SCAN_... */
    bool dirs_only; /* it ends with a slash */
    size_t count;   /* parts */
    struct scan_part *parts;
};

/* The name of an entry; with a NUL behind it or not. */
struct scan_name {
    const char *text;
    size_t len;
    bool is_parent; /* ".." */
};

struct scan_name anyc__scan_name(const char *text, size_t len);

/* `prefix` and `pattern`, one behind the other; copied. ANYC_EINVAL without any part, ANYC_ENOMEM.
 * All zero is none; then and after a failure too it can be freed. */
int anyc__scan_pattern_init(struct scan_pattern *pattern, const char *prefix, const char *text,
                            unsigned flags);
void anyc__scan_pattern_deinit(struct scan_pattern *pattern);

/* The places of the root. */
void anyc__scan_pattern_begin(const struct scan_pattern *pattern, unsigned char *out_places);

/* The places that an entry of a directory leads to. `is_dir`: by itself or as a link; `entered`:
 * "**" may enter it. */
void anyc__scan_pattern_lead(const struct scan_pattern *pattern, const unsigned char *from,
                             const struct scan_name *name, bool is_dir, bool entered,
                             unsigned char *out_places);

/* May the name lead to any place, whatever it is the name of? Needs no system call. */
bool anyc__scan_pattern_may_lead(const struct scan_pattern *pattern, const unsigned char *from,
                                 const struct scan_name *name);

/* Is it of interest whether a link leads to a directory? */
bool anyc__scan_pattern_needs_target(const struct scan_pattern *pattern, const unsigned char *from,
                                     const struct scan_name *name);

/* Is there any place but the end: can the path be that of a directory to be read? */
bool anyc__scan_pattern_goes_on(const struct scan_pattern *pattern, const unsigned char *places);

/* Does a directory at these places have to be read, or are there only names to be asked for? */
bool anyc__scan_pattern_reads(const struct scan_pattern *pattern, const unsigned char *places);

/* Is the name of this part to be asked for? `listed`: the directory has been read, and plain names
 * have been met. Each name is asked for once. */
bool anyc__scan_pattern_asks(const struct scan_pattern *pattern, const unsigned char *places,
                             size_t index, bool listed);

#endif
