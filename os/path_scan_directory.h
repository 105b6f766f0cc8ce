/* SPDX-License-Identifier: MIT */
/*
 * path_scan_directory.h - directories that a search has come to: to be read, or being read.
 */
#ifndef ANYC_OS_PATH_SCAN_DIRECTORY_H
#define ANYC_OS_PATH_SCAN_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* With the set of places that its path has come to (path_scan_pattern.h), the end left out. */
struct scan_directory {
    struct scan_directory *next;   /* on the stack of the search */
    struct scan_directory *parent; /* for circles; counted */
    unsigned refs;
    dev_t dev; /* if links are followed, once it was opened */
    ino_t ino;
    unsigned char *places; /* behind the text */
    size_t len;
    char text[]; /* "" for the working directory */
};

/* One with a copy of the text and of `count` places; NULL without memory. */
struct scan_directory *anyc__scan_directory_create(struct scan_directory *parent, const char *text,
                                                   size_t len, const unsigned char *places,
                                                   size_t count);

/* NULL is fine. */
void anyc__scan_directory_unref(struct scan_directory *directory);

/* For each directory, once it was opened as `fd`, if links are followed: has one led back to a
 * directory above? 1, 0 or -errno. */
int anyc__scan_directory_is_circle(struct scan_directory *directory, int fd);

#endif
