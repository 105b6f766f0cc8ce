/* SPDX-License-Identifier: MIT */
/*
 * test_path.c - paths as values. AnyIO: tests/test_fileio.py, TestPath.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

/* Both variants of the rows that say so: no limiter, own limiter. */
static void each_limiter(void (*check)(anyc_capacity_limiter *limiter))
{
    anyc_capacity_limiter own = ANYC_CAPACITY_LIMITER_INIT(1);

    check(NULL);
    check(&own);
    anyc_capacity_limiter_deinit(&own);
}

static anyc_path *limited_path(const char *text, anyc_capacity_limiter *limiter)
{
    anyc_path *path = NULL;

    ck_assert_ok(anyc_path_create(text, limiter, &path));
    return path;
}

/* PA-001; bytes that are no UTF-8 too. */
ANYC_TEST(test_path__keeps_its_bytes)
{
    expect_path(new_path("/foo-\xC3\xA5\xC3\xA4\xC3\xB6"), "/foo-\xC3\xA5\xC3\xA4\xC3\xB6", NULL);
    expect_path(new_path("/\xFF\xFE/\x01"), "/\xFF\xFE/\x01", NULL);
}

ANYC_TEST(test_path__is_brought_into_normal_form)
{
    static const char *const texts[][2] = {
        {"", "."},        {".", "."},           {"./", "."},
        {"/", "/"},       {"//", "//"},         {"///", "/"},
        {"a//b/", "a/b"}, {"./a/./b/.", "a/b"}, {"a/../b", "a/../b"},
        {"//a", "//a"},   {"///a//", "/a"},     {"/.", "/"},
        {"...", "..."},   {"/..", "/.."},       {".a/..", ".a/.."},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_path(new_path(texts[i][0]), texts[i][1], NULL);
}

/* PA-002 */
ANYC_TEST(test_path__is_ordered_part_by_part)
{
    anyc_path *one = new_path("/foo1");
    anyc_path *two = new_path("/foo2");
    anyc_path *inside = new_path("a/b");
    anyc_path *dotted = new_path("a.b");

    ck_assert_int_lt(anyc_path_compare(one, two), 0);
    ck_assert_int_gt(anyc_path_compare(two, one), 0);
    ck_assert_int_eq(anyc_path_compare(one, one), 0);
    ck_assert_int_lt(anyc_path_compare(inside, dotted), 0);
    anyc_path_destroy(one);
    anyc_path_destroy(two);
    anyc_path_destroy(inside);
    anyc_path_destroy(dotted);
}

static void check_join(anyc_capacity_limiter *limiter)
{
    anyc_path *foo = limited_path("/foo", limiter);
    anyc_path *joined = NULL;

    ck_assert_ok(anyc_path_joinpath(foo, "bar", &joined));
    expect_path(joined, "/foo/bar", limiter);
    ck_assert_ok(anyc_path_joinpath(foo, "/bar", &joined)); /* OS-R017 */
    expect_path(joined, "/bar", limiter);
    ck_assert_ok(anyc_path_clone(foo, &joined));
    expect_path(joined, "/foo", limiter);
    anyc_path_destroy(foo);
}

/* PA-003, OS-R017, OS-R018 */
ANYC_TEST(test_path__joins_and_hands_on_the_limiter)
{
    each_limiter(check_join);
}

/* PA-004, PA-005 */
ANYC_TEST(test_path__has_a_root_and_an_anchor)
{
    anyc_path *path = new_path("/abc/xyz/foo.txt");
    anyc_path *zip = new_path("/abc/xyz/foo.txt.zip");
    anyc_path *two = new_path("//abc");
    anyc_path *relative = new_path("abc");

    ck_assert_str_eq(anyc_path_root(path), "/");
    ck_assert_str_eq(anyc_path_anchor(zip), "/");
    ck_assert_str_eq(anyc_path_root(two), "//");
    ck_assert_str_eq(anyc_path_root(relative), "");
    anyc_path_destroy(path);
    anyc_path_destroy(zip);
    anyc_path_destroy(two);
    anyc_path_destroy(relative);
}

static void check_parents(anyc_capacity_limiter *limiter)
{
    static const char *const expected[] = {"/abc/xyz", "/abc", "/"};
    anyc_path *path = limited_path("/abc/xyz/foo.txt", limiter);
    anyc_path *parent = NULL;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(anyc_path_parents(path, i, &parent));
        expect_path(parent, expected[i], limiter);
    }
    ck_assert_int_eq(anyc_path_parents(path, 3, &parent), ANYC_EOF);
    ck_assert_ok(anyc_path_parent(path, &parent));
    expect_path(parent, "/abc/xyz", limiter);
    anyc_path_destroy(path);
}

/* PA-006, PA-007 */
ANYC_TEST(test_path__has_parents_with_its_limiter)
{
    each_limiter(check_parents);
}

/* PA-009 */
ANYC_TEST(test_path__has_a_uri)
{
    anyc_path *path = new_path("/foo/bar");
    anyc_path *odd = new_path("/a b%\xFF");
    anyc_path *relative = new_path("foo");
    char *uri = NULL;

    ck_assert_ok(anyc_path_as_uri(path, &uri));
    ck_assert_str_eq(uri, "file:///foo/bar");
    anyc_path_free(uri);
    ck_assert_ok(anyc_path_as_uri(odd, &uri));
    ck_assert_str_eq(uri, "file:///a%20b%25%FF");
    anyc_path_free(uri);
    ck_assert_int_eq(anyc_path_as_uri(relative, &uri), ANYC_EINVAL);
    anyc_path_destroy(path);
    anyc_path_destroy(odd);
    anyc_path_destroy(relative);
}

static void check_from_uri(anyc_capacity_limiter *limiter)
{
    anyc_path *path = NULL;
    char *uri = NULL;

    ck_assert_ok(anyc_path_from_uri("file:///foo/bar", limiter, &path));
    ck_assert_ok(anyc_path_as_uri(path, &uri));
    ck_assert_str_eq(uri, "file:///foo/bar");
    anyc_path_free(uri);
    expect_path(path, "/foo/bar", limiter);
    ck_assert_ok(anyc_path_from_uri("file://localhost/a%20b", limiter, &path));
    expect_path(path, "/a b", limiter);
}

/* PA-010 */
ANYC_TEST(test_path__is_made_of_a_uri_with_a_limiter)
{
    anyc_path *path = NULL;

    each_limiter(check_from_uri);
    ck_assert_int_eq(anyc_path_from_uri("http://x/", NULL, &path), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_from_uri("file:a", NULL, &path), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_from_uri("file:///a%00b", NULL, &path), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_from_uri(NULL, NULL, &path), ANYC_EINVAL);
}

/* PA-013 */
ANYC_TEST(test_path__is_absolute_or_not)
{
    anyc_path *absolute = new_path("/xyz");
    anyc_path *relative = new_path("../xyz");

    ck_assert(anyc_path_is_absolute(absolute));
    ck_assert(!anyc_path_is_absolute(relative));
    anyc_path_destroy(absolute);
    anyc_path_destroy(relative);
}

/* PA-034, PA-035 */
ANYC_TEST(test_path__matches_patterns)
{
    anyc_path *path = new_path("/foo/bar");
    anyc_path_match_options ignore_case = {.ignore_case = true};

    ck_assert_int_eq(anyc_path_full_match(path, "/foo/*", NULL), 1);
    ck_assert_int_eq(anyc_path_full_match(path, "/baz/*", NULL), 0);
    ck_assert_int_eq(anyc_path_full_match(path, "bar", NULL), 0);
    ck_assert_int_eq(anyc_path_full_match(path, "**/bar", NULL), 1);
    ck_assert_int_eq(anyc_path_match(path, "/foo/*", NULL), 1);
    ck_assert_int_eq(anyc_path_match(path, "/baz/*", NULL), 0);
    ck_assert_int_eq(anyc_path_match(path, "b?[q-s]", NULL), 1);
    ck_assert_int_eq(anyc_path_match(path, "BAR", NULL), 0);
    ck_assert_int_eq(anyc_path_match(path, "BA[R]", &ignore_case), 1);
    ck_assert_int_eq(anyc_path_match(path, "", NULL), ANYC_EINVAL);
    anyc_path_destroy(path);
}

/* As Python 3.13 answers; the 3.11 of other tests has no full_match. */
ANYC_TEST(test_path__full_match_takes_any_number_of_parts)
{
    static const struct {
        const char *path;
        const char *pattern;
        int expected;
    } rows[] = {
        {"a/b/c", "a/**/c", 1},
        {"a/c", "a/**/c", 1},
        {"a/b/c", "**", 1},
        {"a", "a/**", 0},
        {"a/b", "a/**", 1},
        {"a/b/c", "*/c", 0},
        {"", "", 1},
        {"", "*", 0},
        {"", "**", 1},
        {"/b", "**/b", 0},
        {"/a/b", "**/b", 1},
        {".h/x", "*/x", 1},
        {"a/x/b/x", "**/x", 1},
        {"a/x/b/y", "**/x", 0},
        {"a/b", "a/b/", 1},
        {"ab", "a**b", 1},
        {"a/b", "a**b", 0},
        {"//a", "/a", 0},
        {"a/b/c/d", "a/**/**/d", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        anyc_path *path = new_path(rows[i].path);

        ck_assert_msg(anyc_path_full_match(path, rows[i].pattern, NULL) == rows[i].expected,
                      "%s against %s", rows[i].path, rows[i].pattern);
        anyc_path_destroy(path);
    }
}

ANYC_TEST(test_path__relative_to_goes_by_the_text)
{
    anyc_path *path = new_path("/a/b");
    anyc_path *way = NULL;

    ck_assert_ok(anyc_path_relative_to(path, "/a", false, &way));
    expect_path(way, "b", NULL);
    ck_assert_int_eq(anyc_path_relative_to(path, "/c", false, &way), ANYC_EINVAL);
    ck_assert_ok(anyc_path_relative_to(path, "/c/d", true, &way));
    expect_path(way, "../../a/b", NULL);
    ck_assert_int_eq(anyc_path_relative_to(path, "/c/..", true, &way), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_relative_to(path, "a", true, &way), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_is_relative_to(path, "/a"), 1);
    ck_assert_int_eq(anyc_path_is_relative_to(path, "/a/bc"), 0);
    anyc_path_destroy(path);
}

/* PA-053, PA-054, PA-055 */
ANYC_TEST(test_path__takes_another_name_stem_or_suffix)
{
    anyc_path *path = new_path("/xyz/foo.txt");
    anyc_path *gz = new_path("/xyz/foo.txt.gz");
    anyc_path *other = NULL;

    ck_assert_ok(anyc_path_with_name(path, "bar", &other));
    ck_assert_str_eq(anyc_path_name(other), "bar");
    expect_path(other, "/xyz/bar", NULL);
    ck_assert_int_eq(anyc_path_with_stem(path, "", &other), ANYC_EINVAL);
    ck_assert_ok(anyc_path_with_stem(path, "bar", &other));
    expect_path(other, "/xyz/bar.txt", NULL);
    ck_assert_ok(anyc_path_with_suffix(gz, ".zip", &other));
    ck_assert_str_eq(anyc_path_name(other), "foo.txt.zip");
    anyc_path_destroy(other);
    ck_assert_int_eq(anyc_path_with_name(path, "a/b", &other), ANYC_EINVAL);
    ck_assert_int_eq(anyc_path_with_name(path, NULL, &other), ANYC_EINVAL);
    anyc_path_destroy(path);
    anyc_path_destroy(gz);
}

typedef int (*derive_fn)(const anyc_path *path, anyc_path **out_path);

static int derive_clone(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_clone(path, out_path);
}

static int derive_parent(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_parent(path, out_path);
}

static int derive_parents(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_parents(path, 1, out_path);
}

static int derive_join(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_joinpath(path, "x", out_path);
}

static int derive_join_absolute(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_joinpath(path, "/x", out_path);
}

static int derive_name(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_with_name(path, "x", out_path);
}

static int derive_stem(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_with_stem(path, "x", out_path);
}

static int derive_suffix(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_with_suffix(path, ".x", out_path);
}

static int derive_way(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_relative_to(path, "/a", false, out_path);
}

static int derive_way_up(const anyc_path *path, anyc_path **out_path)
{
    return anyc_path_relative_to(path, "/x", true, out_path);
}

static int derive_uri(const anyc_path *path, anyc_path **out_path)
{
    char *uri = NULL;
    int rc = anyc_path_as_uri(path, &uri);

    if (rc == 0)
        rc = anyc_path_from_uri(uri, anyc_path_limiter(path), out_path);
    anyc_path_free(uri);
    return rc;
}

/* Of "/a/b.c". */
static const struct {
    derive_fn derive;
    const char *expected;
} derived[] = {
    {derive_clone, "/a/b.c"},    {derive_parent, "/a"},     {derive_parents, "/"},
    {derive_join, "/a/b.c/x"},   {derive_name, "/a/x"},     {derive_join_absolute, "/x"},
    {derive_stem, "/a/x.c"},     {derive_suffix, "/a/b.x"}, {derive_way, "b.c"},
    {derive_way_up, "../a/b.c"}, {derive_uri, "/a/b.c"},
};

enum { DERIVED = sizeof derived / sizeof derived[0] };

static void check_derived(anyc_capacity_limiter *limiter)
{
    anyc_path *path = limited_path("/a/b.c", limiter);
    anyc_path *result = NULL;

    for (size_t i = 0; i < DERIVED; i++) {
        ck_assert_ok(derived[i].derive(path, &result));
        expect_path(result, derived[i].expected, limiter);
    }
    anyc_path_destroy(path);
}

/* OS-R018 */
ANYC_TEST(test_path__hands_on_its_limiter_to_all_that_is_made_from_it)
{
    each_limiter(check_derived);
}

/* Names and texts that are none. */
ANYC_TEST(test_path__refuses_what_is_no_text_or_name)
{
    static const char *const nameless[] = {"", ".", "/", "//"};
    anyc_path *path = NULL;
    anyc_path *other = NULL;

    ck_assert_int_eq(anyc_path_create(NULL, NULL, &path), ANYC_EINVAL);
    for (size_t i = 0; i < sizeof nameless / sizeof nameless[0]; i++) {
        path = new_path(nameless[i]);
        ck_assert_int_eq(anyc_path_with_name(path, "x", &other), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_with_stem(path, "x", &other), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_with_suffix(path, ".x", &other), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_joinpath(path, NULL, &other), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_relative_to(path, NULL, false, &other), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_is_relative_to(path, NULL), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_match(path, NULL, NULL), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_full_match(path, NULL, NULL), ANYC_EINVAL);
        anyc_path_destroy(path);
    }
    ck_assert_ptr_null(other);
}

ANYC_TEST_PLAIN(test_path__out_of_memory_is_an_answer)
{
    anyc_path *path;
    anyc_path *result = NULL;

    fail_alloc_install();
    path = limited_path("/a/b.c", NULL);
    for (size_t i = 0; i < DERIVED; i++) {
        bool failed = true;

        for (long n = 1; failed; n++) {
            int rc;

            fail_alloc_arm(n);
            rc = derived[i].derive(path, &result);
            failed = fail_alloc_disarm();
            ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        }
        expect_path(result, derived[i].expected, NULL);
    }
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_path_match(path, "*", NULL), ANYC_ENOMEM);
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_path_full_match(path, "**", NULL), ANYC_ENOMEM);
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_path_is_relative_to(path, "/"), ANYC_ENOMEM);
    (void)fail_alloc_disarm(); /* it did */
    anyc_path_destroy(path);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
