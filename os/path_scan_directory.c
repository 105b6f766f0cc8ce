/* SPDX-License-Identifier: MIT */
/*
 * path_scan_directory.c - directories that a search has come to: to be read, or being read.
 */
#include "os/path_scan_directory.h"

#include "core/alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct scan_directory *anyc__scan_directory_create(struct scan_directory *parent, const char *text,
                                                   size_t len, const unsigned char *places,
                                                   size_t count)
{
    struct scan_directory *directory = anyc__alloc(sizeof *directory + len + 1 + count);

    if (directory == NULL)
        return NULL;
    directory->next = NULL;
    directory->parent = parent;
    if (parent != NULL)
        parent->refs++;
    directory->refs = 1;
    directory->dev = 0;
    directory->ino = 0;
    directory->len = len;
    memcpy(directory->text, text, len);
    directory->text[len] = '\0';
    directory->places = (unsigned char *)directory->text + len + 1;
    memcpy(directory->places, places, count);
    return directory;
}

void anyc__scan_directory_unref(struct scan_directory *directory)
{
    while (directory != NULL && --directory->refs == 0) {
        struct scan_directory *parent = directory->parent;

        anyc__free(directory);
        directory = parent;
    }
}

int anyc__scan_directory_is_circle(struct scan_directory *directory, int fd)
{
    const struct scan_directory *above = directory->parent;
    struct stat stat;

    if (fstat(fd, &stat) < 0)
        return -errno;
    directory->dev = stat.st_dev;
    directory->ino = stat.st_ino;
    while (above != NULL && (above->dev != directory->dev || above->ino != directory->ino))
        above = above->parent;
    return above != NULL;
}
