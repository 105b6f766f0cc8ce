/* SPDX-License-Identifier: MIT */
/*
 * http_open.h - opens the file below a folder that the target of a request names, and no other.
 *
 * The target is decoded once; then ".." is refused in whatever spelling it came. Symbolic links are
 * left to openat2(2), which opens a path only if no step of it leads out of the folder. As it looks
 * and opens in one, nothing can be changed in between. A system without it gets a walk that follows
 * no link at all.
 *
 * The loop's thread must not wait for a disk. So it opens only what the kernel has in its cache of
 * names already (RESOLVE_CACHED, Linux 5.12, made for event loops); else a worker thread does. On a
 * file system over a network even that may wait for a server: none of those is to be served here.
 */
#ifndef ANYC_EXAMPLES_HTTP_OPEN_H
#define ANYC_EXAMPLES_HTTP_OPEN_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <anyc/anyc.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

/* Nobody may make us wait: a FIFO would, for its writer, and so might a terminal. */
#define HTTP_OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct http_opening {
    int root;            /* descriptor of the folder */
    char path[PATH_MAX]; /* below it; never empty */
    bool is_index;       /* the target names a folder: the path is that of its index.html */
    int fd;              /* the result; -1: none */
    struct stat status;  /* of it */
};

/* The value of two hexadecimal digits; -1 if they are none. */
static inline int http_hex(const char *digits)
{
    static const char all[] = "0123456789abcdefABCDEF";
    int value = 0;

    for (int i = 0; i < 2; i++) {
        const char *found = digits[i] == '\0' ? NULL : strchr(all, digits[i]);

        if (found == NULL)
            return -1;
        value = value * 16 + (int)(found - all) - (found - all > 15 ? 6 : 0);
    }
    return value;
}

/* Turns "%41" into "A". -EINVAL: no proper text; -ENOENT: no name of a file can be meant. */
static inline int http_decode(const char *text, size_t len, char *out, size_t size)
{
    size_t out_len = 0;

    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)text[i];

        if (out_len + 1 >= size)
            return -ENAMETOOLONG;
        if (c == '%') {
            c = len - i > 2 ? http_hex(text + i + 1) : -1;
            i += 2;
            if (c == '/')
                return -ENOENT; /* part of a name, where it cannot be */
        }
        if (c <= 0)
            return -EINVAL;
        out[out_len++] = (char)c;
    }
    out[out_len] = '\0';
    return 0;
}

static inline bool http_leads_up(const char *path)
{
    for (; path != NULL; path = strchr(path, '/')) {
        path += strspn(path, "/");
        if (strncmp(path, "..", 2) == 0 && (path[2] == '/' || path[2] == '\0'))
            return true;
    }
    return false;
}

/* Without control characters: a target may become a line of the answer. */
static inline bool http_is_plain(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && (unsigned char)text[i] > ' ' && text[i] != '\x7f')
        i++;
    return i == len;
}

/* From a target, which begins with a slash, to a path below the folder. */
static inline int http_target_to_path(struct http_opening *opening, const char *target, size_t len)
{
    static const char index[] = "index.html";
    const char *query = memchr(target, '?', len);
    const char *end = query != NULL ? query : target + len;
    size_t path_len;
    int rc;

    if (!http_is_plain(target, len))
        return -EINVAL;
    while (target < end && *target == '/')
        target++;
    rc = http_decode(target, (size_t)(end - target), opening->path,
                     sizeof opening->path - sizeof index);
    if (rc == 0 && http_leads_up(opening->path))
        rc = -ENOENT;
    path_len = rc == 0 ? strlen(opening->path) : 0;
    opening->is_index = path_len == 0 || opening->path[path_len - 1] == '/';
    if (opening->is_index)
        memcpy(opening->path + path_len, index, sizeof index);
    return rc;
}

/* Opens the path without leaving the folder: a descriptor, or -1 with errno. */
static inline int http_open_beneath(const struct http_opening *opening, bool only_cached)
{
#ifdef SYS_openat2
    enum { RESOLVE_CACHED_ = 0x20 }; /* RESOLVE_CACHED, which not all headers have */
    struct open_how how = {.flags = HTTP_OPEN_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
                                      (only_cached ? RESOLVE_CACHED_ : 0)};

    return (int)syscall(SYS_openat2, opening->root, opening->path, &how, sizeof how);
#else
    (void)opening;
    (void)only_cached;
    errno = ENOSYS;
    return -1;
#endif
}

/* The same where there is no openat2: part by part, no link followed. Changes the path. */
static inline int http_walk_beneath(struct http_opening *opening)
{
    int folder = opening->root;
    char *name = opening->path;
    char *slash;

    while (folder >= 0 && (slash = strchr(name, '/')) != NULL) {
        int inner;

        *slash = '\0'; /* a part may be empty: "a//b" */
        inner = openat(folder, *name == '\0' ? "." : name,
                       O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
        if (folder != opening->root)
            close(folder);
        folder = inner;
        name = slash + 1;
    }
    if (folder >= 0) {
        opening->fd = openat(folder, name, HTTP_OPEN_FLAGS | O_NOFOLLOW);
        if (folder != opening->root)
            close(folder);
    }
    return opening->fd;
}

static inline int http_open_rest(struct http_opening *opening, int fd)
{
    opening->fd = fd;
    return fd < 0 || fstat(fd, &opening->status) != 0 ? -errno : 0;
}

static inline int http_open_in_thread(void *arg)
{
    enum { TRIES = 10 };
    struct http_opening *opening = arg;
    int fd = -1;

    errno = EAGAIN; /* folders were moved meanwhile: it is to be tried again */
    for (int i = 0; i < TRIES && fd < 0 && errno == EAGAIN; i++)
        fd = http_open_beneath(opening, false);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* EPERM: containers' way of having none */
        fd = http_walk_beneath(opening);
    return http_open_rest(opening, fd);
}

/* Opens what the path names: 0 and maybe a descriptor even if not, or a negative code. */
static inline int http_open(struct http_opening *opening)
{
    int fd = http_open_beneath(opening, true);

    /* EAGAIN: not all is cached; EINVAL: a kernel that does not know how to tell */
    if (fd < 0 && (errno == EAGAIN || errno == EINVAL || errno == ENOSYS || errno == EPERM))
        return anyc_to_thread_run_sync(http_open_in_thread, opening, NULL, NULL);
    return http_open_rest(opening, fd);
}

/* What the client is told when it failed. */
static inline const char *http_open_status(int rc)
{
    switch (rc) {
    case -EINVAL:
        return "400 Bad Request";
    case -EACCES:
    case -EPERM:
        return "403 Forbidden";
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV: /* it leads out of the folder */
    case -ENXIO: /* a socket, or a device that is not there */
    case -ENODEV:
    case -ENAMETOOLONG:
        return "404 Not Found";
    case -EMFILE:
    case -ENFILE:
    case -EAGAIN:
    case -ENOMEM:
    case ANYC_ECANCELLED: /* nobody will read it: sending it is cancelled as well */
        return "503 Service Unavailable";
    default:
        return "500 Internal Server Error";
    }
}

#endif
