/* SPDX-License-Identifier: MIT */
/*
 * path_scan_listing.h - the names in a directory that a search has to look at.
 *
 * If the directory has to be read, these are all in it. Else, or if it may not be read, they are
 * the plain ones of the pattern, which are asked for; ".." is one of these in any case.
 */
#ifndef ANYC_OS_PATH_SCAN_LISTING_H
#define ANYC_OS_PATH_SCAN_LISTING_H

#include <dirent.h>

#include "os/path_scan_directory.h"
#include "os/path_scan_pattern.h"

/* What a name is known to be the name of; that of a plain name may be missing. */
enum entry_type { ENTRY_UNKNOWN, ENTRY_MISSING, ENTRY_OTHER, ENTRY_LINK, ENTRY_DIR };

/* All zero is none. */
struct scan_listing {
    struct scan_directory *directory; /* NULL: there is none; counted */
    DIR *stream;                      /* of it, or NULL */
    const struct dirent *entry;       /* the present one, or NULL */
    bool read;                        /* to the end: plain names have been met */
    size_t plain_at;                  /* the part whose name is asked for next */
};

/* Opens the listing of a directory and takes that over; -errno, and then it does not. One that may
 * not be read has only names that are asked for; one that links have led back to has none. */
int anyc__scan_listing_open(struct scan_listing *listing, const struct scan_pattern *pattern,
                            struct scan_directory *directory);

/* 1 and the present name, valid until the next call; 0: there are no more; -errno. */
int anyc__scan_listing_look(struct scan_listing *listing, const struct scan_pattern *pattern,
                            struct scan_name *out_name, enum entry_type *out_type);

/* The present name is dealt with. */
void anyc__scan_listing_advance(struct scan_listing *listing);

/* Then there is none. */
void anyc__scan_listing_close(struct scan_listing *listing);

#endif
