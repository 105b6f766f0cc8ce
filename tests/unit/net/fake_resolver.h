/* SPDX-License-Identifier: MIT */
/*
 * fake_resolver.h - lets every name have the addresses that a test lists. For white-box tests.
 *
 * fake_resolver_install() is called within the test's run, while no look-up is at work; each test
 * is a process of its own.
 */
#ifndef ANYC_TESTS_UNIT_NET_FAKE_RESOLVER_H
#define ANYC_TESTS_UNIT_NET_FAKE_RESOLVER_H

#include <check.h>

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>

#include "net/resolver.h"

static const char *const *fake_resolver_hosts; /* literal addresses, ended by NULL */

static inline struct addrinfo *fake_resolver_entry(const char *host, const char *service)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    ck_assert_int_eq(getaddrinfo(host, service, &hints, &found), 0);
    return found;
}

static int fake_resolver_getaddrinfo(const char *host, const char *service,
                                     const struct addrinfo *hints, struct addrinfo **out_found)
{
    struct addrinfo **end = out_found;

    (void)host;
    *out_found = NULL;
    for (size_t i = 0; fake_resolver_hosts[i] != NULL; i++) {
        struct addrinfo *entry = fake_resolver_entry(fake_resolver_hosts[i], service);

        if (hints->ai_family == AF_UNSPEC || hints->ai_family == entry->ai_family) {
            *end = entry;
            end = &entry->ai_next;
        } else {
            freeaddrinfo(entry);
        }
    }
    return *out_found == NULL ? EAI_NONAME : 0;
}

static void fake_resolver_freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;

        found->ai_next = NULL; /* each came from a getaddrinfo of its own */
        freeaddrinfo(found);
        found = next;
    }
}

static inline void fake_resolver_install(const char *const *hosts)
{
    fake_resolver_hosts = hosts;
    anyc__resolver_hooks.getaddrinfo = fake_resolver_getaddrinfo;
    anyc__resolver_hooks.freeaddrinfo = fake_resolver_freeaddrinfo;
}

/* Every name has the loopback address of both families, whatever the machine says. */
static inline void fake_resolver_install_loopback(void)
{
    static const char *const both[] = {"127.0.0.1", "::1", NULL};

    fake_resolver_install(both);
}

#endif
