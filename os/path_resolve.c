/* SPDX-License-Identifier: MIT */
/*
 * path_resolve.c - paths that the disk or the system completes: the working directory, homes,
 * links.
 * AnyIO: Path.cwd, home, absolute, expanduser, resolve, readlink.
 *
 * Resolving keeps two texts: what is resolved already, and what remains; the target of a link goes
 * before the remainder. A link is being resolved until the remainder is as short as it was when the
 * link was met; to meet it again before that is a circle, where the link is taken as it is.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "os/path_call.h"
#include "os/path_owner.h"
#include "os/text_buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- the working directory -- */

static int resolve_append(struct text_buffer *text, const char *more, size_t len)
{
    return anyc__text_append(text, more, len) ? 0 : ANYC_ENOMEM;
}

static int cwd_read(struct text_buffer *out)
{
    size_t room = 255;
    int rc = -ERANGE;

    while (rc == -ERANGE && anyc__text_reserve(out, room)) {
        rc = getcwd(out->data, out->room) == NULL ? -errno : 0;
        room *= 2;
    }
    if (rc == 0)
        anyc__text_grow(out, strlen(out->data));
    return rc == -ERANGE ? ANYC_ENOMEM : rc;
}

static void resolve_answer(int rc, struct text_buffer *text, struct path_answer *answer)
{
    if (rc == 0) {
        answer->text = text->data;
        answer->len = text->len;
    } else {
        anyc__text_deinit(text);
    }
}

static int absolute_fn(const struct path_args *args, struct path_answer *answer)
{
    struct text_buffer text = {0};
    int rc = args->text[0] == '/' ? 0 : cwd_read(&text);

    if (rc == 0 && text.len > 0)
        rc = resolve_append(&text, "/", 1);
    if (rc == 0)
        rc = resolve_append(&text, args->text, strlen(args->text));
    resolve_answer(rc, &text, answer);
    return rc;
}

/* -- homes -- */

/* The home of a user; an empty name: of this one. Without slashes at its end, as Python has it. */
static int home_append(struct text_buffer *out, const char *name)
{
    const char *home = name[0] == '\0' ? getenv("HOME") : NULL;
    int rc = home != NULL ? resolve_append(out, home, strlen(home))
                          : anyc__path_home(name[0] == '\0' ? NULL : name, out);

    if (rc < 0)
        return rc == ANYC_ENOTFOUND ? -ENOENT : rc;
    if (out->data[0] == '~') /* it would mean another home */
        return -ENOENT;
    while (out->len > 0 && out->data[out->len - 1] == '/')
        out->data[--out->len] = '\0';
    return 0;
}

/* The home of the user in "~user/...", and the rest of the text behind it. */
static int home_expand(const char *text, struct text_buffer *out)
{
    size_t name_len = strcspn(text, "/");
    char *name = anyc__strdup(text + 1);
    int rc;

    if (name == NULL)
        return ANYC_ENOMEM;
    name[name_len - 1] = '\0';
    rc = home_append(out, name);
    anyc__free(name);
    if (rc == 0)
        rc = resolve_append(out, text + name_len, strlen(text + name_len));
    if (rc == 0 && out->len == 0)
        rc = resolve_append(out, "/", 1); /* the home is the root */
    return rc;
}

static int expand_fn(const struct path_args *args, struct path_answer *answer)
{
    struct text_buffer text = {0};
    int rc = args->text[0] == '~' ? home_expand(args->text, &text)
                                  : resolve_append(&text, args->text, strlen(args->text));

    resolve_answer(rc, &text, answer);
    return rc;
}

/* -- links -- */

int anyc__path_read_link(const char *path, struct text_buffer *out)
{
    size_t room = 255;
    ssize_t len;

    anyc__text_clear(out);
    do {
        if (!anyc__text_reserve(out, room))
            return ANYC_ENOMEM;
        len = readlink(path, out->data, out->room);
        room = 2 * out->room;
    } while (len >= 0 && (size_t)len >= out->room);
    if (len < 0)
        return -errno;
    anyc__text_grow(out, (size_t)len);
    return 0;
}

static int readlink_fn(const struct path_args *args, struct path_answer *answer)
{
    struct text_buffer text = {0};
    int rc = anyc__path_read_link(args->text, &text);

    resolve_answer(rc, &text, answer);
    return rc;
}

/* A link that is being resolved, or was. */
struct resolve_link {
    struct resolve_link *next;
    size_t rest_len; /* of what remained behind it */
    char *target;    /* where it leads; NULL: not known yet */
    char path[];
};

struct resolve {
    struct text_buffer done;  /* absolute; "" stands for the root */
    struct text_buffer rest;  /* what remains, from `at` on */
    struct text_buffer found; /* the target of a link */
    size_t at;
    struct resolve_link *links; /* being resolved, innermost first */
    struct resolve_link *known; /* resolved: else links to links would take exponential time */
    bool strict;
};

static const struct resolve_link *resolve_find(const struct resolve_link *link, const char *path)
{
    while (link != NULL && strcmp(link->path, path) != 0)
        link = link->next;
    return link;
}

static void resolve_drop(struct resolve_link *link)
{
    while (link != NULL) {
        struct resolve_link *next = link->next;

        anyc__free(link->target);
        anyc__free(link);
        link = next;
    }
}

/* `done` is where the innermost links lead to, once no more remains than what was behind them. */
static int resolve_leave_links(struct resolve *resolve)
{
    while (resolve->links != NULL && resolve->links->rest_len >= resolve->rest.len - resolve->at) {
        struct resolve_link *link = resolve->links;

        link->target = anyc__strdup(resolve->done.data);
        if (link->target == NULL)
            return ANYC_ENOMEM;
        resolve->links = link->next;
        link->next = resolve->known;
        resolve->known = link;
    }
    return 0;
}

/* Makes `done` another text. */
static int resolve_set(struct resolve *resolve, const char *text)
{
    anyc__text_clear(&resolve->done);
    return resolve_append(&resolve->done, text, strlen(text));
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
    link->target = NULL;
    link->next = resolve->links;
    resolve->links = link;
    rc = resolve_append(&resolve->found, "/", 1);
    if (rc == 0)
        rc = resolve_append(&resolve->found, resolve->rest.data + resolve->at, rest_len);
    if (rc < 0)
        return rc;
    anyc__text_clear(&resolve->rest);
    resolve->at = 0;
    resolve->done.len = resolve->found.data[0] == '/' ? 0 : parent_len;
    resolve->done.data[resolve->done.len] = '\0';
    return resolve_append(&resolve->rest, resolve->found.data, resolve->found.len);
}

/* `done` has got one part more. */
static int resolve_look(struct resolve *resolve, size_t parent_len)
{
    const struct resolve_link *known = resolve_find(resolve->known, resolve->done.data);
    int rc;

    if (known != NULL)
        return resolve_set(resolve, known->target);
    rc = anyc__path_read_link(resolve->done.data, &resolve->found);
    if (rc == -EINVAL || rc == ANYC_ENOMEM)
        return rc == -EINVAL ? 0 : rc; /* no link */
    if (rc < 0)
        return resolve->strict ? rc : 0;
    if (resolve_find(resolve->links, resolve->done.data) != NULL)
        return resolve->strict ? -ELOOP : 0; /* a circle */
    return resolve_enter_link(resolve, parent_len);
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
    rc = resolve_append(&resolve->done, "/", 1);
    if (rc == 0)
        rc = resolve_append(&resolve->done, part, len);
    return rc < 0 ? rc : resolve_look(resolve, parent_len);
}

static int resolve_all(struct resolve *resolve)
{
    int rc = 0;

    while (rc == 0 && resolve->at < resolve->rest.len) {
        const char *part = resolve->rest.data + resolve->at;
        size_t len = strcspn(part, "/");

        rc = resolve_leave_links(resolve);
        resolve->at += len + (part[len] == '/');
        if (rc == 0)
            rc = resolve_part(resolve, part, len);
    }
    if (rc == 0 && resolve->done.len == 0)
        rc = resolve_append(&resolve->done, "/", 1);
    return rc;
}

static int resolve_fn(const struct path_args *args, struct path_answer *answer)
{
    struct resolve resolve = {.strict = args->flags != 0};
    struct path_answer absolute = {.text = NULL};
    int rc = absolute_fn(args, &absolute);

    if (rc == 0)
        rc = resolve_append(&resolve.rest, absolute.text, absolute.len);
    if (rc == 0)
        rc = resolve_append(&resolve.done, "", 0);
    if (rc == 0)
        rc = resolve_all(&resolve);
    resolve_drop(resolve.links);
    resolve_drop(resolve.known);
    anyc__free(absolute.text);
    anyc__text_deinit(&resolve.rest);
    anyc__text_deinit(&resolve.found);
    resolve_answer(rc, &resolve.done, answer);
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
