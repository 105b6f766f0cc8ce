/* SPDX-License-Identifier: MIT */
/*
 * path_scan_listing.c - the names in a directory that a search has to look at.
 */
#include "os/path_scan_listing.h"

#include "os/path_call.h"

#include <errno.h>
#include <string.h>

/* The answer to an errno: 0 if the directory is just passed over. */
static int listing_failure(const struct scan_pattern *pattern, int error)
{
    bool is_listing = (pattern->flags & SCAN_LISTING) != 0;

    return !is_listing && anyc__path_passes_over(-error) ? 0 : -error;
}

/* Opens the directory; NULL if it is not to be read or may not be. */
static int listing_open_stream(const struct scan_pattern *pattern,
                               const struct scan_directory *directory, DIR **out_stream)
{
    DIR *stream = NULL;
    int rc = 0;

    if (anyc__scan_pattern_reads(pattern, directory->places)) {
        stream = opendir(directory->len == 0 ? "." : directory->text);
        if (stream == NULL)
            rc = listing_failure(pattern, errno);
    }
    if (rc == 0)
        *out_stream = stream;
    return rc;
}

/* Also the end of reading. */
static void listing_close_stream(struct scan_listing *listing)
{
    if (listing->stream != NULL)
        (void)closedir(listing->stream); /* only read from */
    listing->stream = NULL;
    listing->entry = NULL;
}

int anyc__scan_listing_open(struct scan_listing *listing, const struct scan_pattern *pattern,
                            struct scan_directory *directory)
{
    DIR *stream = NULL;
    int rc = listing_open_stream(pattern, directory, &stream);

    if (rc < 0)
        return rc;
    if (stream != NULL && (pattern->flags & SCAN_FOLLOW) != 0)
        rc = anyc__scan_directory_is_circle(directory, dirfd(stream));
    if (stream != NULL && rc != 0) {
        (void)closedir(stream); /* not even read from */
        stream = NULL;
    }
    if (rc < 0)
        return rc;
    *listing = (struct scan_listing){.directory = directory, .stream = stream};
    if (rc > 0)
        listing->plain_at = pattern->count;
    return 0;
}

static enum entry_type listing_type(const struct dirent *entry)
{
    switch (entry->d_type) {
    case DT_DIR:
        return ENTRY_DIR;
    case DT_LNK:
        return ENTRY_LINK;
    case DT_UNKNOWN:
        return ENTRY_UNKNOWN;
    default:
        return ENTRY_OTHER;
    }
}

/* Reads the present entry unless it is there; at the end it is NULL, and the stream is closed. */
static int listing_read(struct scan_listing *listing, const struct scan_pattern *pattern)
{
    while (listing->entry == NULL && listing->stream != NULL) {
        errno = 0;
        listing->entry = readdir(listing->stream);
        if (listing->entry == NULL) {
            int rc = errno == 0 ? 0 : listing_failure(pattern, errno);

            if (rc < 0)
                return rc;
            listing_close_stream(listing);
            listing->read = true;
        } else if (strcmp(listing->entry->d_name, ".") == 0 ||
                   strcmp(listing->entry->d_name, "..") == 0) {
            listing->entry = NULL;
        }
    }
    return 0;
}

int anyc__scan_listing_look(struct scan_listing *listing, const struct scan_pattern *pattern,
                            struct scan_name *out_name, enum entry_type *out_type)
{
    const struct scan_part *part;
    int rc = listing_read(listing, pattern);

    if (rc < 0)
        return rc;
    if (listing->entry != NULL) {
        *out_name = anyc__scan_name(listing->entry->d_name, strlen(listing->entry->d_name));
        *out_type = listing_type(listing->entry);
        return 1;
    }
    while (listing->plain_at < pattern->count &&
           !anyc__scan_pattern_asks(pattern, listing->directory->places, listing->plain_at,
                                    listing->read))
        listing->plain_at++;
    if (listing->plain_at == pattern->count)
        return 0;
    part = &pattern->parts[listing->plain_at];
    *out_name = anyc__scan_name(part->text, part->len);
    *out_type = ENTRY_UNKNOWN;
    return 1;
}

void anyc__scan_listing_advance(struct scan_listing *listing)
{
    if (listing->entry != NULL)
        listing->entry = NULL;
    else
        listing->plain_at++;
}

void anyc__scan_listing_close(struct scan_listing *listing)
{
    listing_close_stream(listing);
    anyc__scan_directory_unref(listing->directory);
    listing->directory = NULL;
}
