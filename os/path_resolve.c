/* SPDX-License-Identifier: MIT */
/*
 * path_resolve.c - paths that the disk or the system completes: the working directory, homes,
 * links.
 * AnyIO: Path.cwd, home, absolute, expanduser, resolve, readlink.
 *
 * Resolving keeps two texts: what is resolved already, and what remains; the target of a link goes
 * before the remainder. A link is being resolved until the remainder is as short as it was when the
 * link was met; to meet it again before that is a circle.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A buffer that grows; freed by its user. Always ended by NUL when it has anything. */
struct text {
    char *data;
    size_t len;
    size_t room;
};

static int text_reserve(struct text *text, size_t more)
{
    size_t room = text->len + more + 1;
    char *data;

    if (room <= text->room)
        return 0;
    data = anyc__realloc_array(text->data, 2, room);
    if (data == NULL)
        return ANYC_ENOMEM;
    text->data = data;
    text->room = 2 * room;
    return 0;
}

static int text_append(struct text *text, const char *more, size_t len)
{
    int rc = text_reserve(text, len);

    if (rc < 0)
        return rc;
    memcpy(text->data + text->len, more, len);
    text->len += len;
    text->data[text->len] = '\0';
    return 0;
}

/* -- the working directory -- */

static int cwd_read(struct text *out)
{
    int rc = text_reserve(out, PATH_MAX);

    while (rc == 0 && getcwd(out->data, out->room) == NULL) {
        rc = errno == ERANGE ? text_reserve(out, 2 * out->room) : -errno;
    }
    if (rc == 0)
        out->len = strlen(out->data);
    return rc;
}

static void text_answer(int rc, struct text *text, struct path_answer *answer)
{
    if (rc == 0) {
        answer->text = text->data;
        answer->len = text->len;
    } else {
        anyc__free(text->data);
    }
}

static int absolute_fn(const struct path_args *args, struct path_answer *answer)
{
    struct text text = {.data = NULL};
    int rc = args->text[0] == '/' ? 0 : cwd_read(&text);

    if (rc == 0 && text.len > 0)
        rc = text_append(&text, "/", 1);
    if (rc == 0)
        rc = text_append(&text, args->text, strlen(args->text));
    text_answer(rc, &text, answer);
    return rc;
}

/* -- homes -- */

/* The home of a user; an empty name: of this one. */
static int home_append(struct text *out, const char *name)
{
    const char *home = name[0] == '\0' ? getenv("HOME") : NULL;
    struct passwd entry;
    struct passwd *found = NULL;
    char *room = NULL;
    size_t size = 1024;
    int rc = 0;

    while (home == NULL) {
        anyc__free(room);
        room = anyc__alloc(size);
        if (room == NULL)
            return ANYC_ENOMEM;
        rc = name[0] == '\0' ? -getpwuid_r(getuid(), &entry, room, size, &found)
                             : -getpwnam_r(name, &entry, room, size, &found);
        size *= 2;
        if (rc == -ERANGE)
            continue;
        if (rc == 0 && found == NULL)
            rc = -ENOENT;
        if (rc < 0)
            break;
        home = found->pw_dir;
    }
    if (rc == 0)
        rc = text_append(out, home, strlen(home));
    anyc__free(room);
    return rc;
}

static int expand_fn(const struct path_args *args, struct path_answer *answer)
{
    size_t name_len = strcspn(args->text, "/");
    struct text text = {.data = NULL};
    char *name = NULL;
    int rc = 0;

    if (args->text[0] == '~') {
        name = anyc__strdup(args->text + 1);
        if (name == NULL)
            return ANYC_ENOMEM;
        name[name_len - 1] = '\0';
        rc = home_append(&text, name);
        anyc__free(name);
    } else {
        name_len = 0;
    }
    if (rc == 0)
        rc = text_append(&text, args->text + name_len, strlen(args->text + name_len));
    text_answer(rc, &text, answer);
    return rc;
}

/* -- links -- */

static int link_read(const char *path, struct text *out)
{
    ssize_t len;
    int rc;

    out->len = 0;
    do {
        rc = text_reserve(out, out->room < 128 ? 255 : 2 * out->room);
        if (rc < 0)
            return rc;
        len = readlink(path, out->data, out->room);
        if (len < 0)
            return -errno;
    } while ((size_t)len >= out->room);
    out->len = (size_t)len;
    out->data[len] = '\0';
    return 0;
}

static int readlink_fn(const struct path_args *args, struct path_answer *answer)
{
    struct text text = {.data = NULL};
    int rc = link_read(args->text, &text);

    text_answer(rc, &text, answer);
    return rc;
}

/* A link that is being resolved. */
struct resolve_link {
    struct resolve_link *outer;
    size_t rest_len; /* of what remained behind it */
    char path[];
};

struct resolve {
    struct text done;  /* absolute; "" stands for the root */
    struct text rest;  /* what remains, from `at` on */
    struct text found; /* the target of a link */
    size_t at;
    struct resolve_link *links; /* innermost first */
    bool strict;
    bool circle; /* from here on nothing more is resolved */
};

static void resolve_leave_links(struct resolve *resolve, size_t rest_len)
{
    while (resolve->links != NULL && resolve->links->rest_len >= rest_len) {
        struct resolve_link *link = resolve->links;

        resolve->links = link->outer;
        anyc__free(link);
    }
}

/* Is the link at `done` being resolved already? */
static bool resolve_is_circle(const struct resolve *resolve)
{
    const struct resolve_link *link = resolve->links;

    while (link != NULL && strcmp(link->path, resolve->done.data) != 0)
        link = link->outer;
    return link != NULL;
}

/* `done` is a link with the target `found`: that goes before the rest. */
static int resolve_enter_link(struct resolve *resolve, size_t parent_len)
{
    size_t rest_len = resolve->rest.len - resolve->at;
    struct resolve_link *link = anyc__alloc(sizeof *link + resolve->done.len + 1);
    int rc;

    if (link == NULL)
        return ANYC_ENOMEM;
    memcpy(link->path, resolve->done.data, resolve->done.len + 1);
    link->rest_len = rest_len;
    link->outer = resolve->links;
    resolve->links = link;
    rc = text_append(&resolve->found, "/", 1);
    if (rc == 0)
        rc = text_append(&resolve->found, resolve->rest.data + resolve->at, rest_len);
    if (rc < 0)
        return rc;
    resolve->rest.len = 0;
    resolve->at = 0;
    resolve->done.len = resolve->found.data[0] == '/' ? 0 : parent_len;
    resolve->done.data[resolve->done.len] = '\0';
    return text_append(&resolve->rest, resolve->found.data, resolve->found.len);
}

/* `done` has got one part more. */
static int resolve_look(struct resolve *resolve, size_t parent_len)
{
    int rc = link_read(resolve->done.data, &resolve->found);

    if (rc == -EINVAL || rc == ANYC_ENOMEM)
        return rc == -EINVAL ? 0 : rc; /* no link */
    if (rc < 0)
        return resolve->strict ? rc : 0;
    if (!resolve_is_circle(resolve))
        return resolve_enter_link(resolve, parent_len);
    resolve->circle = true;
    return resolve->strict ? -ELOOP : 0;
}

static int resolve_part(struct resolve *resolve, const char *part, size_t len)
{
    size_t parent_len = resolve->done.len;
    int rc;

    if (len == 0 || (len == 1 && part[0] == '.'))
        return 0;
    if (len == 2 && memcmp(part, "..", 2) == 0) {
        while (parent_len > 0 && resolve->done.data[--parent_len] != '/') {
        }
        resolve->done.len = parent_len;
        resolve->done.data[parent_len] = '\0';
        return 0;
    }
    rc = text_append(&resolve->done, "/", 1);
    if (rc == 0)
        rc = text_append(&resolve->done, part, len);
    return rc < 0 || resolve->circle ? rc : resolve_look(resolve, parent_len);
}

static int resolve_all(struct resolve *resolve)
{
    int rc = 0;

    while (rc == 0 && resolve->at < resolve->rest.len) {
        const char *part = resolve->rest.data + resolve->at;
        size_t len = strcspn(part, "/");

        resolve_leave_links(resolve, resolve->rest.len - resolve->at);
        resolve->at += len + (part[len] == '/');
        rc = resolve_part(resolve, part, len);
    }
    if (rc == 0 && resolve->done.len == 0)
        rc = text_append(&resolve->done, "/", 1);
    return rc;
}

static int resolve_fn(const struct path_args *args, struct path_answer *answer)
{
    struct resolve resolve = {.strict = args->flags != 0};
    struct path_answer absolute = {.text = NULL};
    int rc = absolute_fn(args, &absolute);

    if (rc == 0)
        rc = text_append(&resolve.rest, absolute.text, absolute.len);
    if (rc == 0)
        rc = text_append(&resolve.done, "", 0);
    if (rc == 0)
        rc = resolve_all(&resolve);
    resolve_leave_links(&resolve, 0);
    anyc__free(absolute.text);
    anyc__free(resolve.rest.data);
    anyc__free(resolve.found.data);
    text_answer(rc, &resolve.done, answer);
    return rc;
}

/* -- the calls -- */

static int resolve_ask(const anyc_path *path, const char *what, path_fn fn, unsigned flags,
                       anyc_path **out_path)
{
    struct path_args args = {.flags = flags};
    struct path_answer answer = {.text = NULL};
    int rc = anyc__path_ask(path, what, fn, &args, &answer);

    return anyc__path_of_answer(path, rc, &answer, out_path);
}

/* The same for a path that only the call needs. */
static int resolve_ask_text(const char *text, anyc_capacity_limiter *limiter, const char *what,
                            path_fn fn, anyc_path **out_path)
{
    anyc_path *path = NULL;
    int rc = anyc_path_create(text, limiter, &path);

    if (rc < 0)
        return rc;
    rc = resolve_ask(path, what, fn, 0, out_path);
    anyc_path_destroy(path);
    return rc;
}

int anyc_path_cwd(anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    return resolve_ask_text(".", limiter, "working directory", absolute_fn, out_path);
}

int anyc_path_home(anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    return resolve_ask_text("~", limiter, "home of", expand_fn, out_path);
}

int anyc_path_absolute(const anyc_path *path, anyc_path **out_path)
{
    return resolve_ask(path, "working directory for", absolute_fn, 0, out_path);
}

int anyc_path_expanduser(const anyc_path *path, anyc_path **out_path)
{
    return resolve_ask(path, "home of", expand_fn, 0, out_path);
}

int anyc_path_resolve(const anyc_path *path, bool strict, anyc_path **out_path)
{
    return resolve_ask(path, "resolving", resolve_fn, strict, out_path);
}

int anyc_path_readlink(const anyc_path *path, anyc_path **out_path)
{
    return resolve_ask(path, "readlink", readlink_fn, 0, out_path);
}
