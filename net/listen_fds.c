/* SPDX-License-Identifier: MIT */
/*
 * listen_fds.c - sockets handed over by a service manager (sd_listen_fds(3)). AnyIO: no
 * counterpart.
 */
#include <anyc/from_fd.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"

#define LISTEN_FDS_START 3
#define LISTEN_FDS_DEFAULT_NAME "unknown"

/* Reads a variable that holds a whole number of 0..max. Answers 0, 1 if it is not set, or
 * ANYC_EINVAL. */
static int listen_fds_number(const char *variable, long max, long *out_value)
{
    const char *text = getenv(variable);
    char *end;

    if (text == NULL)
        return 1;
    errno = 0;
    *out_value = strtol(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || *out_value > max)
        return anyc__fail(ANYC_EINVAL, 0, "%s is no number of 0..%ld: %s", variable, max, text);
    return 0;
}

/* How many descriptors are for this process, or ANYC_EINVAL. */
static int listen_fds_count(void)
{
    long pid = 0;
    long count = 0;
    int rc = listen_fds_number("LISTEN_PID", INT_MAX, &pid);

    if (rc < 0)
        return rc;
    if (rc == 1 || pid != getpid())
        return 0;
    rc = listen_fds_number("LISTEN_FDS", INT_MAX - LISTEN_FDS_START, &count);
    return rc < 0 ? rc : (int)count;
}

/* Are they all open? Then they become close-on-exec. */
static int listen_fds_set_up(int count)
{
    for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + count; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            return anyc__fail(-EBADF, EBADF, "LISTEN_FDS is %d, but descriptor %d is not open",
                              count, fd);
    }
    for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + count; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* fails only for one that is not open */
    return 0;
}

/* As many names as descriptors? */
static int listen_fds_check_names(const char *names, int count)
{
    int found = 1;

    for (const char *at = names; *at != '\0'; at++)
        found += *at == ':';
    if (found == count)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "LISTEN_FDNAMES has %d names for %d descriptors: %s", found,
                      count, names);
}

/* The items, and the text that their names stand in behind them; NULL without memory. */
static anyc_listen_fd *listen_fds_make(int count, const char *names)
{
    size_t size = names == NULL ? 0 : strlen(names) + 1;
    size_t items_size = (size_t)count * sizeof(anyc_listen_fd);
    anyc_listen_fd *items = anyc__alloc(items_size + size);
    char *at = items == NULL || names == NULL ? NULL : memcpy(items + count, names, size);

    for (int i = 0; items != NULL && i < count; i++) {
        items[i].fd = LISTEN_FDS_START + i;
        items[i].name = at == NULL ? LISTEN_FDS_DEFAULT_NAME : at;
        if (at != NULL) {
            at = strchrnul(at, ':');
            *at++ = '\0';
        }
    }
    return items;
}

/* Fills the list; 0 or an error. */
static int listen_fds_find(anyc_listen_fd_list *list)
{
    const char *names = getenv("LISTEN_FDNAMES");
    int count = listen_fds_count();
    int rc = count < 0 ? count : 0;

    if (count <= 0)
        return rc;
    if (names != NULL)
        rc = listen_fds_check_names(names, count);
    if (rc == 0)
        rc = listen_fds_set_up(count);
    if (rc < 0)
        return rc;
    list->items = listen_fds_make(count, names);
    if (list->items == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    list->count = (size_t)count;
    return 0;
}

int anyc_listen_fds(const anyc_listen_fds_options *options, anyc_listen_fd_list *out_list)
{
    anyc_listen_fd_list list = {0};
    int rc = listen_fds_find(&list);

    if (options != NULL && options->unset_environment) {
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
    }
    if (rc < 0)
        return rc;
    *out_list = list;
    return (int)list.count;
}

void anyc_free_listen_fds(anyc_listen_fd_list *list)
{
    anyc__free(list->items);
    *list = (anyc_listen_fd_list){0};
}
