/* SPDX-License-Identifier: MIT */
/*
 * path_walk.c - a tree directory by directory. AnyIO: Path.walk.
 *
 * The stack holds directories to be read and, bottom up, those that were read and wait for what is
 * in them. One reading in the thread comes to the next step; what is not to be entered is known
 * when the next one is asked for, so that then the directories of the last step go on the stack.
 * on_error is called between two readings, in the task; until it has answered, the directory that
 * could not be read stays on top of the stack.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"
#include "os/path_reader.h"
#include "os/text_buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Names, one after another. */
struct walk_names {
    struct text_buffer text;
    const char **items; /* made when all are there */
    size_t count;
};

struct walk_node {
    struct walk_node *next;
    anyc_path *path;
    bool read;
    struct walk_names dirs;
    struct walk_names files;
};

struct path_walk {
    struct path_source source;
    anyc_path_walk_options options;
    struct walk_node *stack;
    struct walk_node *step; /* the last one, or NULL */
    int error;              /* why the top of the stack was not read, for on_error; or 0 */
};

static int names_add(struct walk_names *names, const char *name)
{
    if (!anyc__text_append(&names->text, name, strlen(name) + 1))
        return ANYC_ENOMEM;
    names->count++;
    return 0;
}

static int names_index(struct walk_names *names)
{
    const char *name = names->text.data;

    names->items = anyc__alloc_array(names->count + 1, sizeof names->items[0]);
    if (names->items == NULL)
        return ANYC_ENOMEM;
    for (size_t i = 0; i < names->count; i++) {
        names->items[i] = name;
        name += strlen(name) + 1;
    }
    return 0;
}

static void names_clear(struct walk_names *names)
{
    anyc__text_deinit(&names->text);
    anyc__free(names->items);
    *names = (struct walk_names){.items = NULL};
}

static void node_destroy(struct walk_node *node)
{
    if (node == NULL)
        return;
    anyc_path_destroy(node->path);
    names_clear(&node->dirs);
    names_clear(&node->files);
    anyc__free(node);
}

static void walk_drop(struct walk_node *node)
{
    while (node != NULL) {
        struct walk_node *next = node->next;

        node_destroy(node);
        node = next;
    }
}

/* Is it a directory that the walk would enter? */
static bool walk_is_dir(const struct path_walk *walk, DIR *listing, const struct dirent *entry)
{
    struct stat stat;

    if (entry->d_type != DT_UNKNOWN && (entry->d_type != DT_LNK || !walk->options.follow_symlinks))
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(listing), entry->d_name, &stat,
                   walk->options.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(stat.st_mode);
}

static int walk_list(const struct path_walk *walk, struct walk_node *node, DIR *listing)
{
    int rc = 0;

    while (rc == 0) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(listing);
        if (entry == NULL) {
            rc = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = names_add(walk_is_dir(walk, listing, entry) ? &node->dirs : &node->files,
                       entry->d_name);
    }
    if (rc == 0)
        rc = names_index(&node->dirs);
    return rc < 0 ? rc : names_index(&node->files);
}

/* The stack of a node's directories, the first one on top, above `below`. */
static int walk_children(const struct walk_node *node, struct walk_node *below,
                         struct walk_node **out_stack)
{
    struct walk_node *stack = below;
    int rc = 0;

    for (size_t i = node->dirs.count; rc == 0 && i-- > 0;) {
        struct walk_node *child;

        if (node->dirs.items[i] == NULL)
            continue;
        child = anyc__zalloc(sizeof *child);
        rc = child == NULL ? ANYC_ENOMEM
                           : anyc_path_joinpath(node->path, node->dirs.items[i], &child->path);
        if (rc < 0) {
            anyc__free(child);
            break;
        }
        child->next = stack;
        stack = child;
    }
    while (rc < 0 && stack != below) {
        struct walk_node *child = stack;

        stack = child->next;
        node_destroy(child);
    }
    if (rc == 0)
        *out_stack = stack;
    return rc;
}

/* The directory on top of the stack is left out. */
static void walk_pass(struct path_walk *walk)
{
    struct walk_node *node = walk->stack;

    walk->stack = node->next;
    node_destroy(node);
}

/* Reads the directory on top of the stack. */
static int walk_open(struct path_walk *walk)
{
    struct walk_node *node = walk->stack;
    DIR *listing = opendir(node->path->text);
    int rc;

    if (listing == NULL)
        return -errno;
    rc = walk_list(walk, node, listing);
    (void)closedir(listing); /* only read from */
    if (rc == 0 && walk->options.bottom_up)
        rc = walk_children(node, walk->stack, &walk->stack);
    node->read = rc == 0;
    if (rc < 0) {
        names_clear(&node->dirs);
        names_clear(&node->files);
    }
    return rc;
}

static int walk_read(struct path_source *source)
{
    struct path_walk *walk = ANYC__CONTAINER(source, struct path_walk, source);

    while (walk->stack != NULL && !atomic_load(&source->job.abandoned)) {
        int rc = walk->stack->read ? 0 : walk_open(walk);

        source->where = walk->stack->path->text;
        if (rc < 0 && walk->options.on_error != NULL && anyc__errno_of(rc) != 0) {
            walk->error = rc;
            return 0;
        }
        if (rc < 0 && !anyc__path_passes_over(rc))
            return rc;
        if (rc < 0) {
            walk_pass(walk);
        } else if (walk->stack->read) {
            walk->step = walk->stack;
            walk->stack = walk->step->next;
            return 0;
        }
    }
    return 0;
}

static void walk_destroy(struct path_source *source)
{
    struct path_walk *walk = ANYC__CONTAINER(source, struct path_walk, source);

    walk_drop(walk->stack);
    node_destroy(walk->step);
    anyc__free(walk);
}

int anyc_path_walk(const anyc_path *path, const anyc_path_walk_options *options,
                   anyc_path_walker **out_walker)
{
    struct path_walk *walk = anyc__zalloc(sizeof *walk);
    struct walk_node *node = walk == NULL ? NULL : anyc__zalloc(sizeof *node);
    struct path_reader *reader;
    int rc;

    if (node == NULL) {
        anyc__free(walk);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    walk->source.read = walk_read;
    walk->source.destroy = walk_destroy;
    walk->source.limiter = path->limiter;
    if (options != NULL)
        walk->options = *options;
    walk->stack = node;
    rc = anyc_path_clone(path, &node->path);
    if (rc < 0) {
        walk_destroy(&walk->source);
        return rc;
    }
    rc = anyc__path_reader_create(&walk->source, &reader);
    if (rc == 0)
        *out_walker = &reader->walker;
    return rc;
}

/* The last step is over: top down, its directories come next. */
static int walk_leave_step(struct path_walk *walk)
{
    struct walk_node *step = walk->step;
    int rc = 0;

    if (step != NULL && !walk->options.bottom_up)
        rc = walk_children(step, walk->stack, &walk->stack);
    if (rc < 0)
        return rc;
    walk->step = NULL;
    node_destroy(step);
    return 0;
}

/* Tells of a directory that cannot be read; it is left out, or tried again by a later call. */
static int walk_tell(struct path_reader *reader, struct path_walk *walk)
{
    const int error = walk->error;
    const anyc_path *path = walk->stack->path;
    int rc;

    walk->error = 0;
    (void)anyc__fail_errno(-error, "reading directory %s",
                           path->text); /* for on_error to look at */
    rc = walk->options.on_error(path, error, walk->options.arg);
    if (reader->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (rc >= 0)
        walk_pass(walk);
    return rc < 0 ? rc : 0;
}

static int walk_next(struct path_reader *reader, anyc_path_walk_step *out_step)
{
    struct path_walk *walk = ANYC__CONTAINER(reader->source, struct path_walk, source);
    int rc = walk_leave_step(walk);

    while (rc == 0 && walk->stack != NULL && walk->step == NULL) {
        rc = anyc__path_reader_read(reader);
        if (rc == 0 && walk->error < 0)
            rc = walk_tell(reader, walk);
    }
    if (rc < 0)
        return rc;
    if (walk->step == NULL)
        return anyc__fail_plain(ANYC_EOF);
    *out_step = (anyc_path_walk_step){
        .path = walk->step->path,
        .dirs = walk->step->dirs.items,
        .dir_count = walk->step->dirs.count,
        .files = walk->step->files.items,
        .file_count = walk->step->files.count,
    };
    return 0;
}

int anyc_path_walker_next(anyc_path_walker *walker, anyc_path_walk_step *out_step)
{
    struct path_reader *reader = ANYC__CONTAINER(walker, struct path_reader, walker);
    int rc = anyc__path_reader_begin(reader);

    if (rc < 0)
        return rc;
    rc = walk_next(reader, out_step);
    anyc__path_reader_end(reader);
    return rc;
}
