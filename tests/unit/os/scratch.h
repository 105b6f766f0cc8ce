/* SPDX-License-Identifier: MIT */
/*
 * scratch.h - files for tests of files: made, compared and removed by plain system calls.
 */
#ifndef ANYC_TESTS_OS_SCRATCH_H
#define ANYC_TESTS_OS_SCRATCH_H

#include <check.h>

#include <anyc/anyc.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char path[64];
};

/* A file with this content. */
static inline struct scratch scratch_make(const void *data, size_t len)
{
    struct scratch scratch = {"/tmp/anyc-scratch-XXXXXX"};
    int fd = mkostemp(scratch.path, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
    return scratch;
}

static inline struct scratch scratch_text(const char *text)
{
    return scratch_make(text, strlen(text));
}

static inline void scratch_remove(const struct scratch *scratch)
{
    ck_assert_int_eq(unlink(scratch->path), 0);
}

/* The first 4 KiB of it. */
static inline const char *content_of_path(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    close(fd);
    return text;
}

/* It has this content; it is removed. */
static inline void scratch_end(const struct scratch *scratch, const char *content)
{
    ck_assert_str_eq(content_of_path(scratch->path), content);
    scratch_remove(scratch);
}

static inline anyc_file *file_open(const char *path, const char *mode)
{
    anyc_file *file = NULL;

    ck_assert_int_eq(anyc_open_file(path, mode, NULL, &file), 0);
    return file;
}

/* anyc_file_write of text, which must succeed. */
static inline void file_put(anyc_file *file, const char *text)
{
    ck_assert_int_eq(anyc_file_write(file, text, strlen(text)), (ssize_t)strlen(text));
}

/* What anyc_file_read or one of its kind gave is this text. */
static inline void check_bytes(anyc_bytes *bytes, const char *text)
{
    ck_assert_uint_eq(bytes->len, strlen(text));
    ck_assert_str_eq((const char *)bytes->data, text);
    anyc_bytes_deinit(bytes);
}

/* The next `max_bytes` are this text. */
static inline void check_read(anyc_file *file, size_t max_bytes, const char *text)
{
    anyc_bytes bytes;

    ck_assert_int_eq(anyc_file_read(file, max_bytes, &bytes), 0);
    check_bytes(&bytes, text);
}

/* A file of anyc over the reading end of a pipe, whose calls wait in their thread. */
static inline anyc_file *file_of_pipe(int *out_writer)
{
    int ends[2];
    anyc_file *file = NULL;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(anyc_wrap_file(fdopen(ends[0], "r"), NULL, &file), 0);
    *out_writer = ends[1];
    return file;
}

#endif
