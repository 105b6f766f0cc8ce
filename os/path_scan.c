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
#include "os/path_match.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SCAN_BATCH_COUNT 512 /* paths */
#define SCAN_BATCH_BYTES ((size_t)64 * 1024)

enum part_kind {
    PART_PLAIN,
    PART_WILD,
    PART_PARENT,   /* ".." */
    PART_RECURSIVE /* "**" */
};

struct scan_part {
    enum part_kind kind;
    const char *text;
    size_t len;
};

/* A directory that is to be read, and the set of places: a byte for each part. */
struct scan_node {
    struct scan_node *next;   /* on the stack */
    struct scan_node *parent; /* for circles; counted */
    unsigned refs;
    dev_t dev; /* with SCAN_FOLLOW, once it is open */
    ino_t ino;
    unsigned char *places; /* behind the text */
    size_t len;
    char text[]; /* "" for the working directory */
};

enum entry_type { ENTRY_UNKNOWN, ENTRY_MISSING, ENTRY_OTHER, ENTRY_LINK, ENTRY_DIR };

struct path_scan {
    struct path_source source;
    unsigned flags;
    bool dirs_only; /* the pattern ends with a slash */
    bool started;
    size_t count; /* parts */
    struct scan_part *parts;
    unsigned char *places; /* where the present entry leads to: count + 1 */
    anyc_path *root;

    struct scan_node *pending; /* the stack */
    struct scan_node *current;
    DIR *listing;               /* of it, or NULL */
    const struct dirent *entry; /* read and not yet dealt with, or NULL */
    bool listed;                /* the listing was read: plain names have been met */
    size_t plain_at;            /* the part whose name is asked for next */

    char *joined; /* the path of the present entry */
    size_t joined_len;
    size_t joined_room;

    char *batch; /* anyc_path after anyc_path, each at a multiple of 8 */
    size_t batch_len;
    size_t batch_room;
    size_t batch_count;
    size_t taken;
};

static int scan_reserve(char **data, size_t *room, size_t wanted)
{
    char *more;

    if (wanted <= *room)
        return 0;
    more = anyc__realloc_array(*data, 2, wanted);
    if (more == NULL)
        return ANYC_ENOMEM;
    *data = more;
    *room = 2 * wanted;
    return 0;
}

/* -- directories to be read -- */

static void node_unref(struct scan_node *node)
{
    while (node != NULL && --node->refs == 0) {
        struct scan_node *parent = node->parent;

        anyc__free(node);
        node = parent;
    }
}

/* Puts a directory on the stack, with the present places. */
static int scan_push(struct path_scan *scan, const char *text, size_t len)
{
    struct scan_node *node = anyc__alloc(sizeof *node + len + 1 + scan->count);

    if (node == NULL)
        return ANYC_ENOMEM;
    node->refs = 1;
    node->parent = scan->current;
    if (scan->current != NULL)
        scan->current->refs++;
    node->len = len;
    memcpy(node->text, text, len);
    node->text[len] = '\0';
    node->places = (unsigned char *)node->text + len + 1;
    memcpy(node->places, scan->places, scan->count);
    node->next = scan->pending;
    scan->pending = node;
    return 0;
}

static void scan_pop(struct path_scan *scan)
{
    struct scan_node *node = scan->pending;

    scan->pending = node->next;
    node_unref(node);
}

/* A path into the batch. */
static int scan_emit(struct path_scan *scan, const char *text, size_t len)
{
    size_t size = (sizeof(anyc_path) + len + 1 + 7) & ~(size_t)7;
    int rc = scan_reserve(&scan->batch, &scan->batch_room, scan->batch_len + size);
    anyc_path *path;

    if (rc < 0)
        return rc;
    path = (anyc_path *)(void *)(scan->batch + scan->batch_len);
    path->limiter = scan->source.limiter;
    path->len = len;
    memcpy(path->text, text, len);
    path->text[len] = '\0';
    scan->batch_len += size;
    scan->batch_count++;
    return 0;
}

/* -- one entry -- */

static int scan_join(struct path_scan *scan, const char *name, size_t name_len)
{
    const struct scan_node *node = scan->current;
    bool slash = node->len > 0 && node->text[node->len - 1] != '/';
    int rc = scan_reserve(&scan->joined, &scan->joined_room, node->len + name_len + 2);

    if (rc < 0)
        return rc;
    memcpy(scan->joined, node->text, node->len);
    if (slash)
        scan->joined[node->len] = '/';
    scan->joined_len = node->len + slash + name_len;
    memcpy(scan->joined + node->len + slash, name, name_len);
    scan->joined[scan->joined_len] = '\0';
    return 0;
}

/* The type by the system; of a link by what it leads to if `follow`. */
static enum entry_type scan_stat(const struct path_scan *scan, bool follow)
{
    struct stat stat;

    if (fstatat(AT_FDCWD, scan->joined, &stat, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return ENTRY_MISSING;
    if (S_ISDIR(stat.st_mode))
        return ENTRY_DIR;
    return S_ISLNK(stat.st_mode) ? ENTRY_LINK : ENTRY_OTHER;
}

static enum entry_type scan_type(const struct dirent *entry)
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

static bool scan_part_match(const struct path_scan *scan, const struct scan_part *part,
                            const char *name, size_t len)
{
    bool is_parent = len == 2 && memcmp(name, "..", 2) == 0;

    if (is_parent != (part->kind == PART_PARENT))
        return false;
    return is_parent || (part->len == 1 && part->text[0] == '*') ||
           anyc__path_part_match(part->text, part->len, name, len,
                                 (scan->flags & SCAN_IGNORE_CASE) != 0);
}

/* Where the name leads to, whatever it is: a first look that needs no system call. */
static bool scan_may_match(const struct path_scan *scan, const char *name, size_t len)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->current->places[i] == 0)
            continue;
        if (scan->parts[i].kind == PART_RECURSIVE ||
            scan_part_match(scan, &scan->parts[i], name, len))
            return true;
    }
    return false;
}

/* From each "**" the way goes on behind it too. */
static void scan_close_places(struct path_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->places[i] != 0 && scan->parts[i].kind == PART_RECURSIVE)
            scan->places[i + 1] = 1;
    }
}

/* Sets the places that the entry leads to. `is_dir`: by itself or as a link; `entered`: "**" may
 * enter it. */
static void scan_lead(struct path_scan *scan, const char *name, size_t len, bool is_dir,
                      bool entered)
{
    memset(scan->places, 0, scan->count + 1);
    for (size_t i = 0; i < scan->count; i++) {
        const struct scan_part *part = &scan->parts[i];
        bool last = i + 1 == scan->count;

        if (scan->current->places[i] == 0)
            continue;
        if (part->kind != PART_RECURSIVE) {
            if ((is_dir || (last && !scan->dirs_only)) && scan_part_match(scan, part, name, len))
                scan->places[i + 1] = 1;
        } else if (entered) {
            scan->places[i] = 1;
        } else if (last && !scan->dirs_only && !(len == 2 && memcmp(name, "..", 2) == 0)) {
            scan->places[i + 1] = 1;
        }
    }
    scan_close_places(scan);
}

static bool scan_goes_on(const struct path_scan *scan)
{
    return memchr(scan->places, 1, scan->count) != NULL;
}

/* Is it of interest whether a link leads to a directory? */
static bool scan_needs_target(const struct path_scan *scan, const char *name, size_t len)
{
    if ((scan->flags & SCAN_FOLLOW) != 0)
        return true;
    for (size_t i = 0; i < scan->count; i++) {
        const struct scan_part *part = &scan->parts[i];

        if (scan->current->places[i] != 0 && part->kind != PART_RECURSIVE &&
            (i + 1 < scan->count || scan->dirs_only) && scan_part_match(scan, part, name, len))
            return true;
    }
    return false;
}

static int scan_entry(struct path_scan *scan, const char *name, size_t len, enum entry_type type)
{
    bool is_parent = len == 2 && memcmp(name, "..", 2) == 0;
    bool is_dir;
    int rc;

    if (!scan_may_match(scan, name, len))
        return 0;
    rc = scan_join(scan, name, len);
    if (rc < 0)
        return rc;
    if (type == ENTRY_UNKNOWN)
        type = scan_stat(scan, false);
    if (type == ENTRY_MISSING)
        return 0;
    is_dir = type == ENTRY_DIR || (type == ENTRY_LINK && scan_needs_target(scan, name, len) &&
                                   scan_stat(scan, true) == ENTRY_DIR);
    scan_lead(scan, name, len, is_dir,
              is_dir && !is_parent && (type == ENTRY_DIR || (scan->flags & SCAN_FOLLOW) != 0));
    if (scan_goes_on(scan))
        rc = scan_push(scan, scan->joined, scan->joined_len);
    if (rc == 0 && scan->places[scan->count] != 0) {
        rc = scan_emit(scan, scan->joined, scan->joined_len);
        if (rc < 0 && scan_goes_on(scan))
            scan_pop(scan);
    }
    return rc;
}

/* -- one directory -- */

static bool scan_is_passed_over(int error)
{
    return error == EACCES || error == EPERM || error == ENOENT || error == ENOTDIR ||
           error == ELOOP || error == ENAMETOOLONG;
}

/* Does the directory have to be read? */
static bool scan_reads(const struct path_scan *scan, const struct scan_node *node)
{
    for (size_t i = 0; i < scan->count; i++) {
        enum part_kind kind = scan->parts[i].kind;

        if (node->places[i] != 0 && (kind == PART_WILD || kind == PART_RECURSIVE))
            return true;
    }
    return false;
}

/* Has a link led back to a directory above? */
static bool scan_is_circle(struct scan_node *node, DIR *listing)
{
    const struct scan_node *above = node->parent;
    struct stat stat;

    if (fstat(dirfd(listing), &stat) < 0)
        return true;
    node->dev = stat.st_dev;
    node->ino = stat.st_ino;
    while (above != NULL && (above->dev != node->dev || above->ino != node->ino))
        above = above->parent;
    return above != NULL;
}

/* The top of the stack becomes the current directory. */
static int scan_open(struct path_scan *scan)
{
    struct scan_node *node = scan->pending;
    bool circle = false;

    node->dev = 0;
    node->ino = 0;
    if (scan_reads(scan, node)) {
        scan->listing = opendir(node->len == 0 ? "." : node->text);
        if (scan->listing == NULL &&
            ((scan->flags & SCAN_LISTING) != 0 || !scan_is_passed_over(errno)))
            return -errno;
        if (scan->listing != NULL && (scan->flags & SCAN_FOLLOW) != 0)
            circle = scan_is_circle(node, scan->listing);
    }
    scan->pending = node->next;
    scan->current = node;
    scan->plain_at = circle ? scan->count : 0;
    scan->listed = false;
    if (circle) {
        (void)closedir(scan->listing);
        scan->listing = NULL;
    }
    return 0;
}

/* One more entry of the listing; at its end the listing is closed. */
static int scan_list(struct path_scan *scan)
{
    const char *name;
    int rc;

    if (scan->entry == NULL) {
        errno = 0;
        scan->entry = readdir(scan->listing);
        if (scan->entry == NULL) {
            rc = scan_is_passed_over(errno) ? 0 : -errno;
            if (rc < 0)
                return rc;
            (void)closedir(scan->listing); /* only read from */
            scan->listing = NULL;
            scan->listed = true;
            return 0;
        }
    }
    name = scan->entry->d_name;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
        rc = scan_entry(scan, name, strlen(name), scan_type(scan->entry));
        if (rc < 0)
            return rc;
    }
    scan->entry = NULL;
    return 0;
}

/* Is it the first of the places with this name? */
static bool scan_is_first(const struct path_scan *scan, size_t index)
{
    const struct scan_part *part = &scan->parts[index];

    for (size_t i = 0; i < index; i++) {
        if (scan->current->places[i] != 0 && scan->parts[i].len == part->len &&
            memcmp(scan->parts[i].text, part->text, part->len) == 0)
            return false;
    }
    return true;
}

/* Asks for one plain name; after the last one the directory is done. */
static int scan_ask(struct path_scan *scan)
{
    size_t i = scan->plain_at;
    int rc = 0;

    if (i >= scan->count) {
        node_unref(scan->current);
        scan->current = NULL;
        return 0;
    }
    if (scan->current->places[i] != 0 && scan_is_first(scan, i) &&
        (scan->parts[i].kind == PART_PARENT ||
         (scan->parts[i].kind == PART_PLAIN && !scan->listed)))
        rc = scan_entry(scan, scan->parts[i].text, scan->parts[i].len, ENTRY_UNKNOWN);
    if (rc == 0)
        scan->plain_at++;
    return rc;
}

/* -- all of it -- */

/* The root, which is a result of a pattern that is "**" alone. */
static int scan_start(struct path_scan *scan)
{
    const char *text = scan->root->text;
    struct stat stat_of_root;
    int rc;

    memset(scan->places, 0, scan->count + 1);
    scan->places[0] = 1;
    scan_close_places(scan);
    rc = scan_push(scan, text, anyc__path_text_is_empty(text) ? 0 : scan->root->len);
    if (rc == 0 && scan->places[scan->count] != 0 && stat(text, &stat_of_root) == 0 &&
        S_ISDIR(stat_of_root.st_mode)) {
        rc = scan_emit(scan, text, scan->root->len);
        if (rc < 0)
            scan_pop(scan);
    }
    scan->started = rc == 0;
    return rc;
}

static bool scan_is_ended(const struct path_scan *scan)
{
    return scan->started && scan->pending == NULL && scan->current == NULL;
}

static int scan_step(struct path_scan *scan)
{
    if (!scan->started)
        return scan_start(scan);
    if (scan->current == NULL)
        return scan_open(scan);
    return scan->listing != NULL ? scan_list(scan) : scan_ask(scan);
}

static int scan_read(struct path_source *source)
{
    struct path_scan *scan = ANYC__CONTAINER(source, struct path_scan, source);
    int rc = 0;

    scan->batch_len = 0;
    scan->batch_count = 0;
    scan->taken = 0;
    while (rc == 0 && !scan_is_ended(scan) && scan->batch_count < SCAN_BATCH_COUNT &&
           scan->batch_len < SCAN_BATCH_BYTES && !atomic_load(&source->job.abandoned))
        rc = scan_step(scan);
    return scan->batch_count > 0 ? 0 : rc; /* a failure comes again */
}

static void scan_destroy(struct path_source *source)
{
    struct path_scan *scan = ANYC__CONTAINER(source, struct path_scan, source);

    if (scan->listing != NULL)
        (void)closedir(scan->listing);
    node_unref(scan->current);
    while (scan->pending != NULL)
        scan_pop(scan);
    anyc__free(scan->parts);
    anyc__free(scan->places);
    anyc__free(scan->joined);
    anyc__free(scan->batch);
    anyc_path_destroy(scan->root);
    anyc__free(scan);
}

/* -- making -- */

static enum part_kind scan_part_kind(const char *text, size_t len, unsigned flags)
{
    if (len == 2 && memcmp(text, "**", 2) == 0)
        return PART_RECURSIVE;
    if (len == 2 && memcmp(text, "..", 2) == 0)
        return PART_PARENT;
    return anyc__path_part_is_wild(text, len) || (flags & SCAN_IGNORE_CASE) != 0 ? PART_WILD
                                                                                 : PART_PLAIN;
}

/* Adds the parts of a text, which must outlive the scan. A "**" after another is left out. */
static void scan_add_parts(struct path_scan *scan, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "/");
        enum part_kind kind = scan_part_kind(text, len, scan->flags);

        if (len > 0 && !(len == 1 && text[0] == '.') &&
            !(kind == PART_RECURSIVE && scan->count > 0 &&
              scan->parts[scan->count - 1].kind == PART_RECURSIVE))
            scan->parts[scan->count++] = (struct scan_part){kind, text, len};
        scan->dirs_only = text[len] == '/';
        text += len + (text[len] == '/');
    }
}

/* The parts, and behind them in the same memory their text. */
static int scan_parse(struct path_scan *scan, const char *prefix, const char *pattern)
{
    size_t prefix_len = strlen(prefix);
    size_t len = prefix_len + strlen(pattern);
    char *text;

    scan->parts = anyc__alloc((len + 1) * sizeof scan->parts[0] + len + 1);
    if (scan->parts == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    text = (char *)(scan->parts + len + 1);
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, pattern, len - prefix_len + 1);
    scan_add_parts(scan, text);
    if (scan->count == 0)
        return anyc__fail(ANYC_EINVAL, 0, "path: the pattern is empty");
    scan->places = anyc__alloc(scan->count + 1);
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
    scan->flags = flags;
    rc = anyc_path_clone(root, &scan->root);
    if (rc == 0)
        rc = scan_parse(scan, prefix, pattern);
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
    const anyc_path *path;

    *out_ended = scan->taken == scan->batch_len && scan_is_ended(scan);
    if (scan->taken == scan->batch_len)
        return NULL;
    path = (const anyc_path *)(const void *)(scan->batch + scan->taken);
    scan->taken += (sizeof *path + path->len + 1 + 7) & ~(size_t)7;
    return path;
}
