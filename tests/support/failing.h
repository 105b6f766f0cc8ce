/* SPDX-License-Identifier: MIT */
/*
 * failing.h - takes operations on files through every failure of every system call that they make.
 *
 *     static const struct failing_op ops[] = {
 *         {"anyc_path_rmdir", .at = "empty", .run = run_rmdir, .check = check_rmdir},
 *         ...
 *     };
 *     failing_run(ops, sizeof ops / sizeof *ops);
 *
 * For each operation, errno and n the nth call fails. Then the operation has to tell that failure,
 * with a message that names what it was doing and to which path, and to leave no descriptor and no
 * memory behind; and the same operation, tried again, has to succeed. Where it gets over a failure,
 * as its row says, or the errno is EINTR, what it was to do has to be done in full.
 *
 * In each round it finds a directory of its own with these in it:
 *
 *     file             FAILING_TEXT
 *     dir/inner        "inner"
 *     dir/sub/deep     "deep"
 *     empty/
 *     link             -> file
 */
#ifndef ANYC_TESTS_SUPPORT_FAILING_H
#define ANYC_TESTS_SUPPORT_FAILING_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define FAILING_TEXT "first line\nsecond line\nthird line\n"

/* One round. What is not NULL at its end is freed or closed then. */
struct place {
    char folder[64];
    int error;        /* that is injected */
    bool smaller;     /* the operation may have left out what failed */
    anyc_path *path;  /* of the operation */
    anyc_path *made;  /* that it answered */
    char *text;       /* likewise, by anyc_path_free */
    anyc_bytes bytes; /* likewise */
    anyc_file_lines lines;
    anyc_file *file;
    anyc_byte_stream *stream;
    anyc_byte_stream *other; /* the other end of it */
    anyc_path_iterator *iterator;
    anyc_path_walker *walker;
    anyc_temporary_dir *dir;
    int fd; /* < 0: none */
    struct stat status;
    size_t count;
    size_t len;
    char buf[256];
};

struct failing_op {
    const char *name; /* of the functions; and in brackets which way they are used */
    const char *at;   /* the path is this, in the directory; absolute: as it is; NULL: "file" */

    void (*before)(struct place *place);
    int64_t (*run)(struct place *place);            /* without assertions, which write to a file */
    void (*check)(struct place *place, int64_t rc); /* it succeeded */
    void (*failed)(struct place *place);            /* it failed: what holds nevertheless */
    void (*again)(struct place *place);             /* needed before it can be tried again */

    /* Words. */
    const char *ignores; /* calls whose failure may change nothing */
    const char *passes;  /* calls that may be refused (EACCES), and the result is smaller */
    const char *says;    /* in each message; NULL: the directory's path */

    int code;  /* what it answers to any errno; 0: -errno */
    int other; /* that it may answer as well; 0: none */

    const char *always; /* calls that fail in any case, with always_error */
    int always_error;
};

/* In a plain test, once. */
void failing_run(const struct failing_op *ops, size_t count);

/* -- for the operations -- */

/* The path of a name in the directory; overwritten by the next but three call. */
const char *place_text(const struct place *place, const char *name);

void place_write(const struct place *place, const char *name, const char *text);

/* The file has this content. */
void place_expect(const struct place *place, const char *name, const char *text);

bool place_has(const struct place *place, const char *name);

/* Removes it with all that is in it, if it is there. */
void place_remove(const struct place *place, const char *name);

/* How many names there are in a directory. */
size_t place_count(const struct place *place, const char *name);

#endif
