/* SPDX-License-Identifier: MIT */
/*
 * test_unix_address.c - names of UNIX sockets as the system takes them.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include "net/unix_address.h"

#define OFFSET offsetof(struct sockaddr_un, sun_path)

enum { ROOM = sizeof((struct sockaddr_un *)NULL)->sun_path };

ANYC_TEST(test_unix_address__a_path_has_its_closing_zero)
{
    struct unix_address address;

    ck_assert_int_eq(anyc__unix_address_make("/run/socket", 0, &address), 0);
    ck_assert_int_eq(address.un.sun_family, AF_UNIX);
    ck_assert_str_eq(address.un.sun_path, "/run/socket");
    ck_assert_uint_eq(address.len, OFFSET + 12);
    ck_assert(!anyc__unix_address_is_abstract(&address));
}

/* NT-044, NT-051: a counted name need not end with a zero byte. */
ANYC_TEST(test_unix_address__a_counted_path_ends_where_its_length_says)
{
    struct unix_address address;

    ck_assert_int_eq(anyc__unix_address_make("/run/socket", 4, &address), 0);
    ck_assert_str_eq(address.un.sun_path, "/run");
    ck_assert_uint_eq(address.len, OFFSET + 5);
}

/* NT-R011 */
ANYC_TEST(test_unix_address__an_abstract_name_is_taken_byte_for_byte)
{
    const char name[] = {'\0', 'a', '\0', 'b', '\0'};
    struct unix_address address;

    ck_assert_int_eq(anyc__unix_address_make(name, sizeof name, &address), 0);
    ck_assert_mem_eq(address.un.sun_path, name, sizeof name);
    ck_assert_uint_eq(address.len, OFFSET + sizeof name);
    ck_assert(anyc__unix_address_is_abstract(&address));
}

/* NT-R011: never cut short; the message has the limit and the length. */
ANYC_TEST(test_unix_address__a_name_that_does_not_fit_is_an_error)
{
    struct unix_address address;
    char path[ROOM + 1];
    char limit[16];

    memset(path, 'x', sizeof path);
    path[ROOM - 1] = '\0';
    ck_assert_int_eq(anyc__unix_address_make(path, 0, &address), 0);
    path[ROOM - 1] = 'x';
    path[ROOM] = '\0';
    ck_assert_int_eq(anyc__unix_address_make(path, 0, &address), -ENAMETOOLONG);
    snprintf(limit, sizeof limit, " %d bytes", ROOM - 1);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, limit));
    snprintf(limit, sizeof limit, " has %d", ROOM);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, limit));

    path[0] = '\0';
    ck_assert_int_eq(anyc__unix_address_make(path, ROOM, &address), 0);
    ck_assert_uint_eq(address.len, OFFSET + ROOM);
    ck_assert_int_eq(anyc__unix_address_make(path, ROOM + 1, &address), -ENAMETOOLONG);
    snprintf(limit, sizeof limit, " %d bytes", ROOM);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, limit));
}

ANYC_TEST(test_unix_address__refuses_what_is_no_name)
{
    struct unix_address address;

    ck_assert_int_eq(anyc__unix_address_make(NULL, 0, &address), ANYC_EINVAL);
    ck_assert_int_eq(anyc__unix_address_make("", 0, &address), ANYC_EINVAL);
    ck_assert_int_eq(anyc__unix_address_make("/a\0b", 4, &address), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "/a"));
}
