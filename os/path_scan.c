/* SPDX-License-Identifier: MIT */
/*
 * path_scan.c - find the paths that match a pattern, in batches. AnyIO: Path.glob, rglob, iterdir.
 *
 * The tree is gone through once. Each directory comes with the set of places in the pattern that
 * its path may have come to; an entry of it goes on to the set of places that its name leads to
 * from there. If the end of the pattern is among these, the entry is a result, and so no path is
 * found twice. Places inside the pattern make a directory one to be read later: these stand on a
 * stack of their own. Only one directory is open at a time.
 *
 * A directory in which plain names only are looked for is not read: the names are asked for, as its
 * permissions may allow that and no more.
 *
 * Whatever cannot be done (no memory, no descriptor) leaves the scan where it was, to be tried
 * again.
 */
#include "os/path_scan.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"
#include "os/path_scan_batch.h"
#include "os/path_scan_directory.h"
#include "os/path_scan_listing.h"
#include "os/text_buffer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SCAN_BATCH_STEPS 4096 /* then what was found is not kept waiting for more */

struct path_scan {
    struct path_source source;
    struct scan_pattern pattern;
    unsigned char *places; /* where the present entry leads to */
    anyc_path *root;
    bool started;

    struct scan_directory *pending; /* the stack */
    struct scan_listing listing;    /* of the present directory */
    struct text_buffer joined;      /* the path of the present entry */
    struct scan_batch batch;
};

/* -- what an entry leads to -- */

/* Puts a directory on the stack, with the present places. */
static int scan_push(struct path_scan *scan, const char *text, size_t len)
{
    struct scan_directory *directory = anyc__scan_directory_create(
        scan->listing.directory, text, len, scan->places, scan->pattern.count);

    if (directory == NULL)
        return ANYC_ENOMEM;
    directory->next = scan->pending;
    scan->pending = directory;
    return 0;
}

static void scan_pop(struct path_scan *scan)
{
    struct scan_directory *directory = scan->pending;

    scan->pending = directory->next;
    anyc__scan_directory_unref(directory);
}

static int scan_emit(struct path_scan *scan, const char *text, size_t len)
{
    return anyc__scan_batch_add(&scan->batch, text, len, scan->source.limiter);
}

static int scan_join(struct path_scan *scan, const struct scan_name *name)
{
    const struct scan_directory *directory = scan->listing.directory;
    bool slash = directory->len > 0 && directory->text[directory->len - 1] != '/';

    anyc__text_clear(&scan->joined);
    return anyc__text_append(&scan->joined, directory->text, directory->len) &&
                   (!slash || anyc__text_append(&scan->joined, "/", 1)) &&
                   anyc__text_append(&scan->joined, name->text, name->len)
               ? 0
               : ANYC_ENOMEM;
}

/* The type of the present entry by the system; of a link by what it leads to if `follow`. */
static int scan_stat(const struct path_scan *scan, bool follow, enum entry_type *out_type)
{
    struct stat stat;
    int rc = anyc__path_errno(
        fstatat(AT_FDCWD, scan->joined.data, &stat, follow ? 0 : AT_SYMLINK_NOFOLLOW));

    if (rc < 0 && !anyc__path_passes_over(rc))
        return rc;
    if (rc < 0)
        *out_type = ENTRY_MISSING;
    else if (S_ISDIR(stat.st_mode))
        *out_type = ENTRY_DIR;
    else
        *out_type = S_ISLNK(stat.st_mode) ? ENTRY_LINK : ENTRY_OTHER;
    return 0;
}

/* By its present places the present entry is a directory to be read, a result, both, or nothing. */
static int scan_place(struct path_scan *scan)
{
    bool goes_on = anyc__scan_pattern_goes_on(&scan->pattern, scan->places);
    int rc = goes_on ? scan_push(scan, scan->joined.data, scan->joined.len) : 0;

    if (rc == 0 && scan->places[scan->pattern.count] != 0) {
        rc = scan_emit(scan, scan->joined.data, scan->joined.len);
        if (rc < 0 && goes_on)
            scan_pop(scan);
    }
    return rc;
}

static int scan_entry(struct path_scan *scan, const struct scan_name *name, enum entry_type type)
{
    const struct scan_pattern *pattern = &scan->pattern;
    const unsigned char *from = scan->listing.directory->places;
    enum entry_type target = ENTRY_OTHER;
    bool is_dir;
    bool entered;
    int rc;

    if (!anyc__scan_pattern_may_lead(pattern, from, name))
        return 0;
    rc = scan_join(scan, name);
    if (rc == 0 && type == ENTRY_UNKNOWN)
        rc = scan_stat(scan, false, &type);
    if (rc == 0 && type == ENTRY_LINK && anyc__scan_pattern_needs_target(pattern, from, name))
        rc = scan_stat(scan, true, &target);
    if (rc < 0 || type == ENTRY_MISSING)
        return rc;
    is_dir = type == ENTRY_DIR || target == ENTRY_DIR;
    entered =
        is_dir && !name->is_parent && (type == ENTRY_DIR || (pattern->flags & SCAN_FOLLOW) != 0);
    anyc__scan_pattern_lead(pattern, from, name, is_dir, entered, scan->places);
    return scan_place(scan);
}

/* -- all of it -- */

/* Looks at one more name of the present directory; after the last one that is done. */
static int scan_look(struct path_scan *scan)
{
    struct scan_name name;
    enum entry_type type;
    int rc = anyc__scan_listing_look(&scan->listing, &scan->pattern, &name, &type);

    if (rc > 0) {
        rc = scan_entry(scan, &name, type);
        if (rc == 0)
            anyc__scan_listing_advance(&scan->listing);
    } else if (rc == 0) {
        anyc__scan_listing_close(&scan->listing);
    }
    return rc;
}

/* The top of the stack becomes the present directory. */
static int scan_open(struct path_scan *scan)
{
    struct scan_directory *directory = scan->pending;
    struct scan_directory *next = directory->next;
    int rc = anyc__scan_listing_open(&scan->listing, &scan->pattern, directory);

    if (rc == 0)
        scan->pending = next;
    return rc;
}

/* The root, which is a result of a pattern that is "**" alone. */
static int scan_start(struct path_scan *scan)
{
    const anyc_path *root = scan->root;
    struct stat stat_of_root;
    bool is_result;
    int rc;

    anyc__scan_pattern_begin(&scan->pattern, scan->places);
    is_result = scan->places[scan->pattern.count] != 0;
    rc = is_result ? anyc__path_errno(stat(root->text, &stat_of_root)) : 0;
    if (rc < 0 && !anyc__path_passes_over(rc))
        return rc;
    is_result = is_result && rc == 0 && S_ISDIR(stat_of_root.st_mode);
    rc = scan_push(scan, root->text, anyc__path_text_is_empty(root->text) ? 0 : root->len);
    if (rc == 0 && is_result) {
        rc = scan_emit(scan, root->text, root->len);
        if (rc < 0)
            scan_pop(scan);
    }
    scan->started = rc == 0;
    return rc;
}

static bool scan_is_ended(const struct path_scan *scan)
{
    return scan->started && scan->pending == NULL && scan->listing.directory == NULL;
}

static int scan_step(struct path_scan *scan)
{
    if (!scan->started)
        return scan_start(scan);
    if (scan->listing.directory == NULL)
        return scan_open(scan);
    return scan_look(scan);
}

static const char *scan_where(const struct path_scan *scan)
{
    if (scan->listing.directory != NULL)
        return scan->listing.directory->text;
    return scan->pending != NULL ? scan->pending->text : scan->root->text;
}

static int scan_read(struct path_source *source)
{
    struct path_scan *scan = ANYC__CONTAINER(source, struct path_scan, source);
    struct scan_batch *batch = &scan->batch;
    int rc = 0;

    anyc__scan_batch_clear(batch);
    for (int steps = 0;
         rc == 0 && !scan_is_ended(scan) && !anyc__scan_batch_is_full(batch) &&
         (batch->count == 0 || steps < SCAN_BATCH_STEPS) && !atomic_load(&source->job.abandoned);
         steps++)
        rc = scan_step(scan);
    if (rc < 0)
        source->where = scan_where(scan);
    return batch->count > 0 ? 0 : rc; /* a failure comes again */
}

static void scan_destroy(struct path_source *source)
{
    struct path_scan *scan = ANYC__CONTAINER(source, struct path_scan, source);

    anyc__scan_listing_close(&scan->listing);
    while (scan->pending != NULL)
        scan_pop(scan);
    anyc__scan_pattern_deinit(&scan->pattern);
    anyc__scan_batch_deinit(&scan->batch);
    anyc__free(scan->places);
    anyc__text_deinit(&scan->joined);
    anyc_path_destroy(scan->root);
    anyc__free(scan);
}

static int scan_init(struct path_scan *scan, const anyc_path *root, const char *prefix,
                     const char *pattern, unsigned flags)
{
    int rc = anyc_path_clone(root, &scan->root);

    if (rc == 0)
        rc = anyc__scan_pattern_init(&scan->pattern, prefix, pattern, flags);
    if (rc < 0)
        return rc;
    scan->places = anyc__alloc(scan->pattern.count + 1);
    return scan->places == NULL ? anyc__fail_plain(ANYC_ENOMEM) : 0;
}

int anyc__path_scan_create(const anyc_path *root, const char *prefix, const char *pattern,
                           unsigned flags, struct path_scan **out_scan)
{
    struct path_scan *scan;
    int rc;

    if (pattern == NULL || pattern[0] == '/')
        return anyc__fail(ANYC_EINVAL, 0, "path: the pattern is not relative");
    scan = anyc__zalloc(sizeof *scan);
    if (scan == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    scan->source.read = scan_read;
    scan->source.destroy = scan_destroy;
    scan->source.limiter = root->limiter;
    rc = scan_init(scan, root, prefix, pattern, flags);
    if (rc < 0)
        scan_destroy(&scan->source);
    else
        *out_scan = scan;
    return rc;
}

struct path_source *anyc__path_scan_source(struct path_scan *scan)
{
    return &scan->source;
}

const anyc_path *anyc__path_scan_take(struct path_scan *scan, bool *out_ended)
{
    const anyc_path *path = anyc__scan_batch_take(&scan->batch);

    *out_ended = path == NULL && scan_is_ended(scan);
    return path;
}
