/* SPDX-License-Identifier: MIT */
/*
 * test_send_file_failures.c - files over streams, with each system call on the file failing in each
 * way (see support/failing.h).
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "support/byte_pair.h"
#include "support/failing.h"

static void take_pair(struct place *place, const struct byte_pair *pair)
{
    place->stream = pair->a;
    place->other = pair->b;
}

static void before_unix(struct place *place)
{
    struct byte_pair pair;

    byte_pair_unix(&pair);
    take_pair(place, &pair);
}

static void before_objects(struct place *place)
{
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 4);
    take_pair(place, &pair);
}

static int64_t run_send_file(struct place *place)
{
    return anyc_send_file(place->stream, anyc_path_str(place->path), 0, -1);
}

static int64_t run_send_open_file(struct place *place)
{
    int64_t offset = 0;

    return anyc_send_open_file(place->stream, place->fd, &offset, (int64_t)strlen(FAILING_TEXT));
}

/* A connection that an unknown part went over is of no more use. */
static void again_pair(struct place *place, void (*before)(struct place *place))
{
    ck_assert_int_eq(anyc_aclose(place->stream), 0);
    ck_assert_int_eq(anyc_aclose(place->other), 0);
    before(place);
}

static void again_unix(struct place *place)
{
    again_pair(place, before_unix);
}

static void again_objects(struct place *place)
{
    again_pair(place, before_objects);
}

static void open_it(struct place *place)
{
    place->fd = open(place_text(place, "file"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(place->fd, 0);
}

static void before_open_unix(struct place *place)
{
    before_unix(place);
    open_it(place);
}

static void before_open_objects(struct place *place)
{
    before_objects(place);
    open_it(place);
}

static void check_sent(struct place *place, int64_t rc)
{
    const size_t len = strlen(FAILING_TEXT);

    ck_assert_int_eq(rc, (int64_t)len);
    while (place->len < len) {
        ssize_t n = anyc_receive(place->other, place->buf + place->len, len - place->len);

        ck_assert_int_gt(n, 0);
        place->len += (size_t)n;
    }
    ck_assert_mem_eq(place->buf, FAILING_TEXT, len);
}

/* Asking whether the file is cached may fail; what it was read by is only closed. What the system
 * tells of sendfile(2) is taken to be the connection's, but for a failure to read. */
static const struct failing_op ops[] = {
    {"anyc_send_file", .before = before_unix, .run = run_send_file, .check = check_sent,
     .again = again_unix, .ignores = "close preadv2", .other = ANYC_EBROKEN},
    {"anyc_send_file (through memory)", .before = before_objects, .run = run_send_file,
     .check = check_sent, .again = again_objects, .ignores = "close"},
    {"anyc_send_open_file", .before = before_open_unix, .run = run_send_open_file,
     .check = check_sent, .again = again_unix, .ignores = "preadv2", .says = "",
     .other = ANYC_EBROKEN},
    {"anyc_send_open_file (through memory)", .before = before_open_objects,
     .run = run_send_open_file, .check = check_sent, .again = again_objects,
     .says = "reading a file"},
};

ANYC_TEST_WITH(test_send_file_failures__are_told, .plain = true, .timeout = 120)
{
    failing_run(ops, sizeof ops / sizeof *ops);
}
