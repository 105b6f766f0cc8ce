/* SPDX-License-Identifier: MIT */
/*
 * test_address.c - texts of socket addresses, and back.
 */
#include <check.h>

#include <anyc/testing.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "net/address.h"

#define ADDRESS(host, port) address_of((host), (port), &storage, &len)

static const struct sockaddr *address_of(const char *host, int port,
                                         struct sockaddr_storage *storage, socklen_t *len)
{
    ck_assert_msg(anyc__address_parse(host, port, storage, len), "%s", host);
    return (const struct sockaddr *)storage;
}

ANYC_TEST_PLAIN(test_address__writes_host_and_port)
{
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1", "fe80::1%7"};
    static const char *const texts[] = {"192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%7]:80"};
    char text[ANYC__ADDRESS_TEXT_SIZE];
    struct sockaddr_storage storage;
    socklen_t len;

    for (size_t i = 0; i < 3; i++) {
        const struct sockaddr *address = ADDRESS(hosts[i], 80);

        anyc__address_host(address, len, text, sizeof text);
        ck_assert_str_eq(text, hosts[i]);
        anyc__address_format(address, len, text, sizeof text);
        ck_assert_str_eq(text, texts[i]);
    }
}

static const char *unix_text(const char *name, size_t size)
{
    static char text[ANYC__ADDRESS_TEXT_SIZE];
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    memcpy(un.sun_path, name, size);
    anyc__address_format((const struct sockaddr *)&un,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size), text,
                         sizeof text);
    return text;
}

ANYC_TEST_PLAIN(test_address__writes_names_of_unix_sockets)
{
    ck_assert_str_eq(unix_text("/run/x", 7), "/run/x");
    ck_assert_str_eq(unix_text("/run/x", 6), "/run/x");
    ck_assert_str_eq(unix_text("/a\n\x7f", 5), "/a??");
    ck_assert_str_eq(unix_text("\0a\0b", 4), "@a?b");
    ck_assert_str_eq(unix_text("", 0), "");
}

ANYC_TEST_PLAIN(test_address__writes_something_for_any_family)
{
    struct sockaddr other = {.sa_family = AF_PACKET};
    struct sockaddr_in in = {.sin_family = AF_INET};
    char text[ANYC__ADDRESS_TEXT_SIZE];

    anyc__address_format(&other, sizeof other, text, sizeof text);
    ck_assert_str_eq(text, "address of family 17");
    anyc__address_format((const struct sockaddr *)&in, 4, text, sizeof text);
    ck_assert_str_eq(text, "address of family 2");
    anyc__address_format(&other, 0, text, sizeof text);
    ck_assert_str_eq(text, "address of family 0");
}

ANYC_TEST_PLAIN(test_address__cuts_a_text_to_fit)
{
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1"};
    struct sockaddr_storage storage;
    socklen_t len;
    char text[6];

    for (size_t i = 0; i < 2; i++) {
        const struct sockaddr *address = ADDRESS(hosts[i], 80);

        anyc__address_host(address, len, text, sizeof text);
        ck_assert_uint_eq(strlen(text), 5);
        anyc__address_format(address, len, text, sizeof text);
        ck_assert_uint_eq(strlen(text), 5);
    }
}

ANYC_TEST_PLAIN(test_address__knows_the_port)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};
    struct sockaddr_storage storage;
    socklen_t len;

    ck_assert_int_eq(anyc__address_port(ADDRESS("192.0.2.1", 65535)), 65535);
    anyc__address_set_port((struct sockaddr *)&storage, 81);
    ck_assert_int_eq(anyc__address_port((const struct sockaddr *)&storage), 81);
    ck_assert_int_eq(anyc__address_port(ADDRESS("::1", 0)), 0);
    anyc__address_set_port((struct sockaddr *)&storage, 82);
    ck_assert_int_eq(anyc__address_port((const struct sockaddr *)&storage), 82);
    anyc__address_set_port((struct sockaddr *)&un, 83);
    ck_assert_int_eq(anyc__address_port((const struct sockaddr *)&un), -1);
    ck_assert_str_eq(un.sun_path, "/x");
}

ANYC_TEST_PLAIN(test_address__reads_literals_only)
{
    static const char *const names[] = {
        "",
        "localhost",
        "127.1",
        "1.2.3.256",
        "1.2.3.4 ",
        "::1 ",
        "[::1]",
        "::1%",
        "::1%nosuchif",
        "::1%1x",
        "::1%4294967296",
        "1:2:3:4:5:6:7:8:9",
        "::ffff:1.2.3.4.5",
        "%1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"};
    struct sockaddr_storage storage;
    struct sockaddr_storage before;
    socklen_t len = 1;

    memset(&storage, 0x55, sizeof storage);
    before = storage;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(!anyc__address_parse(names[i], 1, &storage, &len), "%s", names[i]);
    ck_assert_uint_eq(len, 1);
    ck_assert_mem_eq(&storage, &before, sizeof storage);
}

/* A number or an interface's name. */
ANYC_TEST_PLAIN(test_address__reads_the_scope)
{
    struct if_nameindex *interfaces = if_nameindex();
    struct sockaddr_storage storage;
    uint32_t scope = 0;
    socklen_t len;

    ck_assert(anyc__address_parse_scope("4294967295", &scope));
    ck_assert_uint_eq(scope, UINT32_MAX);
    ck_assert_ptr_nonnull(interfaces);
    for (const struct if_nameindex *i = interfaces; i->if_index != 0; i++) {
        char host[64];

        ck_assert(anyc__address_parse_scope(i->if_name, &scope));
        ck_assert_uint_eq(scope, i->if_index);
        snprintf(host, sizeof host, "fe80::1%%%s", i->if_name);
        ADDRESS(host, 80);
        ck_assert_uint_eq(((const struct sockaddr_in6 *)&storage)->sin6_scope_id, i->if_index);
    }
    if_freenameindex(interfaces);
}

ANYC_TEST_PLAIN(test_address__compares)
{
    static const struct {
        const char *host;
        int port;
    } all[] = {{"192.0.2.1", 80}, {"192.0.2.2", 80}, {"192.0.2.1", 81}, {"::1", 80},
               {"::2", 80},       {"::1", 81},       {"::1%1", 80}};
    size_t count = sizeof all / sizeof *all;

    for (size_t i = 0; i < count * count; i++) {
        struct sockaddr_storage a;
        struct sockaddr_storage b;
        socklen_t a_len;
        socklen_t b_len;

        address_of(all[i / count].host, all[i / count].port, &a, &a_len);
        address_of(all[i % count].host, all[i % count].port, &b, &b_len);
        ck_assert(anyc__address_equal((const struct sockaddr *)&a, a_len,
                                      (const struct sockaddr *)&b,
                                      b_len) == (i / count == i % count));
    }
}

ANYC_TEST_PLAIN(test_address__compares_names_of_unix_sockets)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/a"};
    struct sockaddr_un b = {.sun_family = AF_UNIX, .sun_path = "/run/b"};
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 6;

    ck_assert(
        !anyc__address_equal((const struct sockaddr *)&a, len, (const struct sockaddr *)&b, len));
    ck_assert(
        anyc__address_equal((const struct sockaddr *)&a, len, (const struct sockaddr *)&a, len));
    ck_assert(!anyc__address_equal((const struct sockaddr *)&a, len, (const struct sockaddr *)&a,
                                   len - 1));
}
