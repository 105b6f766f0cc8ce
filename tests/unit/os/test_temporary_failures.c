/* SPDX-License-Identifier: MIT */
/*
 * test_temporary_failures.c - temporary files and directories, with each of their system calls failing
 * in each way (see support/failing.h). What could not be made leaves nothing on the disk.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/failing.h"

static anyc_temporary_file_options options_of(const struct place *place)
{
    return (anyc_temporary_file_options){.dir = anyc_path_str(place->path), .max_size = 100};
}

/* Nothing was left. */
static void failed_to_make(struct place *place)
{
    ck_assert_uint_eq(place_count(place, "empty"), 0);
}

/* -- files -- */

static int64_t run_temporary(struct place *place)
{
    const anyc_temporary_file_options options = options_of(place);

    return anyc_temporary_file(&options, &place->file);
}

static void check_file(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_file_write(place->file, "text", 4), 4);
    ck_assert_int_eq(anyc_file_seek(place->file, 0, SEEK_SET), 0);
    ck_assert_int_eq(anyc_file_readinto(place->file, place->buf, 10), 4);
}

static void check_unnamed(struct place *place, int64_t rc)
{
    check_file(place, rc);
    failed_to_make(place);
}

static int64_t run_named(struct place *place)
{
    const anyc_temporary_file_options options = options_of(place);

    return anyc_named_temporary_file(&options, &place->file);
}

static void check_named(struct place *place, int64_t rc)
{
    check_file(place, rc);
    ck_assert_uint_eq(place_count(place, "empty"), 1);
    ck_assert_int_eq(anyc_aclose(place->file), 0);
    place->file = NULL;
    failed_to_make(place);
}

static void before_closing(struct place *place)
{
    ck_assert_int_eq(run_named(place), 0);
    ck_assert_int_eq(anyc_file_write(place->file, "text", 4), 4);
}

static int64_t run_close(struct place *place)
{
    int rc = anyc_aclose(place->file);

    place->file = NULL;
    return rc;
}

/* One that could not be removed is told of. */
static void again_closing(struct place *place)
{
    ck_assert_uint_le(place_count(place, "empty"), 1);
    place_remove(place, "empty");
    ck_assert_int_eq(mkdir(place_text(place, "empty"), 0777), 0);
    before_closing(place);
}

static void check_removed(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    failed_to_make(place);
}

/* -- spooled files -- */

static int64_t run_spooled(struct place *place)
{
    const anyc_temporary_file_options options = options_of(place);

    return anyc_spooled_temporary_file(&options, &place->file);
}

static void before_rolling(struct place *place)
{
    ck_assert_int_eq(run_spooled(place), 0);
    ck_assert_int_eq(anyc_file_write(place->file, "some text", 9), 9);
}

static int64_t run_rollover(struct place *place)
{
    return anyc_spooled_temporary_file_rollover(place->file);
}

/* It has its text, and is in memory. */
static void failed_to_roll(struct place *place)
{
    ck_assert(!anyc_spooled_temporary_file_rolled(place->file));
    ck_assert_int_eq(anyc_file_tell(place->file), 9);
    failed_to_make(place);
}

static void check_rolled(struct place *place, int64_t rc)
{
    ck_assert_int_ge(rc, 0);
    ck_assert(anyc_spooled_temporary_file_rolled(place->file));
    ck_assert_int_eq(anyc_file_seek(place->file, 0, SEEK_SET), 0);
    ck_assert_int_ge(anyc_file_readinto(place->file, place->buf, sizeof place->buf), 9);
    ck_assert_mem_eq(place->buf, "some text", 9);
    failed_to_make(place);
}

/* More than it may have in memory. */
static int64_t run_grow(struct place *place)
{
    return anyc_file_write(place->file, place->buf, 200);
}

/* What could not go on disk was not written; what was written there in part, from the position on, is
 * written over. */
static void again_growing(struct place *place)
{
    ck_assert_int_eq(anyc_file_seek(place->file, 9, SEEK_SET), 9);
}

/* -- directories and names -- */

static int64_t run_directory(struct place *place)
{
    const anyc_temporary_directory_options options = {.dir = anyc_path_str(place->path)};

    return anyc_temporary_directory(&options, &place->dir);
}

static void check_directory(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(place_count(place, "empty"), 1);
    ck_assert_int_eq(anyc_aclose(place->dir), 0);
    place->dir = NULL;
    failed_to_make(place);
}

static void before_removing(struct place *place)
{
    char sub[256];

    ck_assert_int_eq(run_directory(place), 0);
    for (int i = 0; i < 3; i++) {
        snprintf(sub, sizeof sub, "%s/%d", anyc_temporary_dir_path(place->dir), i);
        ck_assert_int_eq(mkdir(sub, 0777), 0);
        snprintf(sub, sizeof sub, "%s/%d/file", anyc_temporary_dir_path(place->dir), i);
        close(open(sub, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    }
}

static int64_t run_cleanup(struct place *place)
{
    return anyc_temporary_dir_cleanup(place->dir);
}

static int64_t run_close_directory(struct place *place)
{
    int rc = anyc_aclose(place->dir);

    place->dir = NULL;
    return rc;
}

static void again_removing(struct place *place)
{
    place_remove(place, "empty");
    ck_assert_int_eq(mkdir(place_text(place, "empty"), 0777), 0);
    before_removing(place);
}

static int64_t run_mkstemp(struct place *place)
{
    const anyc_mkstemp_options options = {.dir = anyc_path_str(place->path)};

    return anyc_mkstemp(&options, &place->fd, &place->bytes);
}

static int64_t run_mkdtemp(struct place *place)
{
    const anyc_mkdtemp_options options = {.dir = anyc_path_str(place->path)};

    return anyc_mkdtemp(&options, &place->bytes);
}

static void check_made(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(place_count(place, "empty"), 1);
    ck_assert_int_eq(access(place->bytes.data, R_OK | W_OK), 0);
}

static void before_asking(struct place *place)
{
    ck_assert_int_eq(setenv("TMPDIR", anyc_path_str(place->path), 1), 0);
}

static int64_t run_gettempdir(struct place *place)
{
    return anyc_gettempdir(&place->bytes);
}

/* That which could not be looked at was passed over. */
static void check_tempdir(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(((const char *)place->bytes.data)[0], '/');
    ck_assert_int_eq(unsetenv("TMPDIR"), 0);
}

/* Asks for the kind of a file and, when it seeks, reads ahead; it goes on without. */
#define STDIO "fstat newfstatat read"

#define FILE_OP(name_, run_, check_)                                                            \
    .name = (name_), .at = "empty", .run = (run_), .check = (check_), .failed = failed_to_make, \
    .says = "temporary"

static const struct failing_op ops[] = {
    {FILE_OP("anyc_temporary_file", run_temporary, check_unnamed)},
    {FILE_OP("anyc_named_temporary_file", run_named, check_named)},
    {FILE_OP("anyc_mkstemp", run_mkstemp, check_made)},
    {FILE_OP("anyc_mkdtemp", run_mkdtemp, check_made)},
    {FILE_OP("anyc_temporary_directory", run_directory, check_directory)},
    {"anyc_aclose (of a named temporary file)", .at = "empty", .before = before_closing,
     .run = run_close, .check = check_removed, .again = again_closing},
    {"anyc_spooled_temporary_file_rollover", .at = "empty", .before = before_rolling,
     .run = run_rollover, .check = check_rolled, .failed = failed_to_roll, .says = "a file",
     .ignores = STDIO},
    {"anyc_spooled_temporary_file (that grows)", .at = "empty", .before = before_rolling,
     .run = run_grow, .check = check_rolled, .failed = failed_to_make, .again = again_growing,
     .says = "a file", .ignores = STDIO},
    {"anyc_temporary_dir_cleanup", .at = "empty", .before = before_removing, .run = run_cleanup,
     .check = check_removed, .ignores = "close", .passes = "openat"},
    {"anyc_aclose (of a temporary directory)", .at = "empty", .before = before_removing,
     .run = run_close_directory, .check = check_removed, .again = again_removing,
     .ignores = "close", .passes = "openat"},
    {"anyc_gettempdir", .at = "empty", .before = before_asking, .run = run_gettempdir,
     .check = check_tempdir, .says = "temporary",
     .ignores = "stat newfstatat access faccessat faccessat2"},
};

ANYC_TEST_WITH(test_temporary_failures__are_told_and_leave_nothing, .plain = true, .timeout = 120)
{
    failing_run(ops, sizeof ops / sizeof *ops);
}
