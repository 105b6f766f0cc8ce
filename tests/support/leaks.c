/* SPDX-License-Identifier: MIT */
/*
 * leaks.c - finds descriptors and memory of anyc that a test left behind.
 */
#include "leaks.h"

#include <anyc/alloc.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LEAKS_PATIENCE 200 /* looks, 10 ms apart */

static atomic_long leaks_blocks; /* allocated and not yet freed, by any thread */

static void *leaks_alloc(size_t size, void *arg)
{
    void *ptr = malloc(size);

    (void)arg;
    if (ptr != NULL)
        atomic_fetch_add(&leaks_blocks, 1);
    return ptr;
}

static void *leaks_realloc(void *ptr, size_t size, void *arg)
{
    void *moved = realloc(ptr, size);

    (void)arg;
    if (ptr == NULL && moved != NULL)
        atomic_fetch_add(&leaks_blocks, 1);
    return moved;
}

static void leaks_free(void *ptr, void *arg)
{
    (void)arg;
    if (ptr != NULL)
        atomic_fetch_sub(&leaks_blocks, 1);
    free(ptr);
}

/* Lists the open descriptors; none where there is no /proc. */
static void leaks_list_fds(struct leaks *now)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t room = 0;
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        if (now->fd_count == room) {
            room = room == 0 ? 32 : 2 * room;
            now->fds = realloc(now->fds, room * sizeof *now->fds);
            if (now->fds == NULL)
                abort();
        }
        now->fds[now->fd_count++] = fd;
    }
    closedir(dir);
}

static bool leaks_has_fd(const struct leaks *set, int fd)
{
    for (size_t i = 0; i < set->fd_count; i++) {
        if (set->fds[i] == fd)
            return true;
    }
    return false;
}

/* Writes "descriptor 7 -> socket:[1234]". */
static void leaks_describe_fd(int fd, char *text, size_t size)
{
    char path[32];
    char target[128];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    len = readlink(path, target, sizeof target - 1);
    target[len < 0 ? 0 : len] = '\0';
    snprintf(text, size, "descriptor %d -> %s", fd, target);
}

void anyc__leaks_install(void)
{
    static const anyc_allocator counting = {
        .alloc = leaks_alloc, .realloc = leaks_realloc, .free = leaks_free};

    if (anyc_set_allocator(&counting) < 0)
        abort(); /* the table above is complete */
}

void anyc__leaks_look(struct leaks *now)
{
    *now = (struct leaks){.blocks = atomic_load(&leaks_blocks)};
    leaks_list_fds(now);
}

/* One look; describes the first leak. */
static bool leaks_describe(const struct leaks *before, char *text, size_t size)
{
    struct leaks now;
    bool found = false;

    anyc__leaks_look(&now);
    for (size_t i = 0; i < now.fd_count && !found; i++) {
        if (!leaks_has_fd(before, now.fds[i])) {
            leaks_describe_fd(now.fds[i], text, size);
            found = true;
        }
    }
    if (!found && now.blocks > before->blocks) {
        snprintf(text, size, "%ld blocks of memory", now.blocks - before->blocks);
        found = true;
    }
    free(now.fds);
    return found;
}

bool anyc__leaks_find(struct leaks *before, char *text, size_t size)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    bool found = leaks_describe(before, text, size);

    /* A worker thread that was abandoned ends on its own, after the run. */
    for (int i = 0; i < LEAKS_PATIENCE && found; i++) {
        nanosleep(&pause, NULL);
        found = leaks_describe(before, text, size);
    }
    free(before->fds);
    return found;
}
