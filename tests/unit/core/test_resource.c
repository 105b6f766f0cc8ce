/* SPDX-License-Identifier: MIT */
/*
 * test_resource.c - closing objects, and their typed attributes. AnyIO: AsyncResource,
 * TypedAttributeProvider.
 */
#include "support/tasks.h"

#include <anyc/resource.h>

#include <stdlib.h>
#include <string.h>

static ANYC_TYPED_ATTRIBUTE(COLOUR, int);
static ANYC_TYPED_ATTRIBUTE(LABEL, const char *);
static ANYC_TYPED_ATTRIBUTE(BROKEN, int);

/* What happened to a box; it outlives it. */
struct box_log {
    int closed;
    int forced;
    int destroyed;
};

struct box {
    anyc_resource resource;
    struct box_log *log;
    int close_rc;
};

static int box_close(anyc_resource *resource, bool forcefully)
{
    struct box *box = (struct box *)resource;

    box->log->closed++;
    box->log->forced += forcefully;
    return forcefully ? 0 : box->close_rc;
}

static void box_destroy(anyc_resource *resource)
{
    struct box *box = (struct box *)resource;

    box->log->destroyed++;
    free(box);
}

static int box_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    static const char *const label = "a box";
    const int colour = 7;

    (void)resource;
    if (attribute == &COLOUR)
        memcpy(out, &colour, sizeof colour);
    else if (attribute == &LABEL)
        memcpy(out, &label, sizeof label);
    else
        return attribute == &BROKEN ? -EIO : ANYC_EATTRIBUTE;
    return 0;
}

static const anyc_resource_ops box_ops = {
    .type = "box",
    .close = box_close,
    .destroy = box_destroy,
    .extra = box_extra,
};

static struct box *box_create(struct box_log *log, int close_rc)
{
    struct box *box = calloc(1, sizeof *box);

    ck_assert_ptr_nonnull(box);
    *box = (struct box){{&box_ops}, log, close_rc};
    return box;
}

ANYC_TEST_PLAIN(test_resource__closed_keeps_its_memory)
{
    struct box_log log = {0};
    struct box *box = box_create(&log, E1);

    ck_assert_int_eq(anyc_close(box), E1);
    ck_assert_int_eq(anyc_close(box), E1);
    ck_assert_int_eq(log.destroyed, 0);
    ck_assert_int_eq(anyc_aclose(box), E1);
    ck_assert_int_eq(log.closed, 3);
    ck_assert_int_eq(log.forced, 0);
    ck_assert_int_eq(log.destroyed, 1);
}

ANYC_TEST_PLAIN(test_resource__is_freed_whatever_closing_it_answers)
{
    struct box_log log = {0};

    ck_assert_ok(anyc_aclose(box_create(&log, 0)));
    ck_assert_int_eq(anyc_aclose(box_create(&log, ANYC_ECANCELLED)), ANYC_ECANCELLED);
    ck_assert_int_eq(log.closed, 2);
    ck_assert_int_eq(log.destroyed, 2);
}

ANYC_TEST_PLAIN(test_resource__closed_forcefully_is_freed_without_a_word)
{
    struct box_log log = {0};
    struct box *box = box_create(&log, E1);

    anyc_aclose_forcefully(box);
    ck_assert_int_eq(log.forced, 1);
    ck_assert_int_eq(log.destroyed, 1);
}

ANYC_TEST_PLAIN(test_resource__gives_its_attributes)
{
    struct box_log log = {0};
    struct box *box = box_create(&log, 0);
    int colour = 0;
    const char *label = NULL;

    ck_assert_ok(anyc_extra(box, &COLOUR, &colour));
    ck_assert_int_eq(colour, 7);
    ck_assert_ok(anyc_extra(box, &LABEL, &label));
    ck_assert_str_eq(label, "a box");
    ck_assert_ok(anyc_aclose(box));
}

ANYC_TEST_PLAIN(test_resource__says_which_attribute_it_does_not_provide)
{
    static ANYC_TYPED_ATTRIBUTE(WEIGHT, int);
    struct box_log log = {0};
    struct box *box = box_create(&log, 0);
    int weight = 77;

    ck_assert_int_eq(anyc_extra(box, &WEIGHT, &weight), ANYC_EATTRIBUTE);
    ck_assert_int_eq(weight, 77);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "box"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "WEIGHT"));
    ck_assert_int_eq(anyc_no_attributes(&box->resource, &WEIGHT, &weight), ANYC_EATTRIBUTE);
    ck_assert_ok(anyc_aclose(box));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_resource__refuses_an_out_of_another_size)
{
    struct box_log log = {0};
    struct box *box = box_create(&log, 0);
    char colour = 77;

    ck_assert_int_eq(anyc_extra(box, &COLOUR, &colour), ANYC_EINVAL);
    ck_assert_int_eq(anyc_extra_default(box, &COLOUR, &(int){1}, &colour), ANYC_EINVAL);
    ck_assert_int_eq(colour, 77);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "COLOUR"));
    ck_assert_ok(anyc_aclose(box));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_resource__gives_a_default_only_for_what_it_does_not_provide)
{
    static ANYC_TYPED_ATTRIBUTE(WEIGHT, int);
    struct box_log log = {0};
    struct box *box = box_create(&log, 0);
    int value = 77;

    ck_assert_ok(anyc_extra_default(box, &WEIGHT, &(int){12}, &value));
    ck_assert_int_eq(value, 12);
    ck_assert_ok(anyc_extra_default(box, &COLOUR, &(int){12}, &value));
    ck_assert_int_eq(value, 7);
    ck_assert_int_eq(anyc_extra_default(box, &BROKEN, &(int){12}, &value), -EIO);
    ck_assert_int_eq(value, 7);
    ck_assert_ok(anyc_aclose(box));
    forget_last_error();
}
