/* SPDX-License-Identifier: MIT */
/*
 * test_getaddrinfo.c - look-ups of names, with the system's resolver or one of the test's own.
 */
#include <check.h>

#include <anyc/dns.h>
#include <anyc/error.h>
#include <anyc/socket.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"
#include "net/resolver.h"
#include "support/fail_alloc.h"
#include "support/thread.h"

/* What the test's own resolver was asked, and what it answers. */
static struct {
    pthread_mutex_t lock; /* of what is asked, several threads may come at once */
    atomic_int calls;
    atomic_int freed;
    char host[256];
    char service[32];
    bool has_host;
    bool has_service;
    struct addrinfo hints;
    pthread_t thread;
    sem_t gate;
    bool waits; /* at the gate */
    int eai;
    int os_error;
    struct addrinfo *found;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **out_found)
{
    pthread_mutex_lock(&fake.lock);
    fake.thread = pthread_self();
    fake.hints = *hints;
    fake.has_host = host != NULL;
    fake.has_service = service != NULL;
    snprintf(fake.host, sizeof fake.host, "%s", host == NULL ? "" : host);
    snprintf(fake.service, sizeof fake.service, "%s", service == NULL ? "" : service);
    fake.calls++;
    pthread_mutex_unlock(&fake.lock);
    if (fake.waits)
        gate_wait(&fake.gate);
    errno = fake.os_error;
    *out_found = fake.found;
    return fake.eai;
}

static void fake_freeaddrinfo(struct addrinfo *found)
{
    ck_assert_ptr_eq(found, fake.found);
    fake.freed++;
}

static void fake_install(void)
{
    anyc__resolver_hooks.getaddrinfo = fake_getaddrinfo;
    anyc__resolver_hooks.freeaddrinfo = fake_freeaddrinfo;
    sem_init(&fake.gate, 0, 0);
}

/* A list of one entry, 192.0.2.1. */
static struct addrinfo *fake_entry(void)
{
    static struct sockaddr_in in = {.sin_family = AF_INET};
    static struct addrinfo entry;

    in.sin_addr.s_addr = htonl(0xc0000201);
    entry = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_protocol = IPPROTO_TCP,
                              .ai_addr = (struct sockaddr *)&in,
                              .ai_addrlen = sizeof in};
    return &entry;
}

static const char *text_of(const anyc_addrinfo *item)
{
    static char text[ANYC__ADDRESS_TEXT_SIZE];

    anyc__address_format((const struct sockaddr *)&item->address, item->address_len, text,
                         sizeof text);
    return text;
}

/* -- names -- */

/* DN-001 */
ANYC_TEST(test_getaddrinfo__looks_up_the_idna_2008_form)
{
    anyc_addrinfo_list list = {0};

    fake_install();
    fake.found = fake_entry();
    ck_assert_int_eq(anyc_getaddrinfo("faß.de", NULL, NULL, &list), 0);
    ck_assert_str_eq(fake.host, "xn--fa-hia.de");
    ck_assert(!fake.has_service);
    anyc_freeaddrinfo(&list);
    ck_assert_int_eq(anyc_getaddrinfo("fass.de", "http", NULL, &list), 0);
    ck_assert_str_eq(fake.host, "fass.de");
    ck_assert_str_eq(fake.service, "http");
    anyc_freeaddrinfo(&list);
    ck_assert_int_eq(fake.freed, 2);
}

ANYC_TEST(test_getaddrinfo__refuses_a_name_without_idna_form)
{
    anyc_addrinfo_list list = {0};

    fake_install();
    ck_assert_int_eq(anyc_getaddrinfo("\xff", NULL, NULL, &list), ANYC_EENCODE);
    ck_assert_int_eq(fake.calls, 0);
}

/* NT-R020, the first part: in a thread. */
ANYC_TEST(test_getaddrinfo__asks_the_system_in_a_thread)
{
    const anyc_getaddrinfo_hints hints = {AF_INET, SOCK_STREAM, IPPROTO_TCP, AI_PASSIVE};
    anyc_addrinfo_list list = {0};

    fake_install();
    fake.found = fake_entry();
    ck_assert_int_eq(anyc_getaddrinfo("a.example", "80", &hints, &list), 0);
    ck_assert(!pthread_equal(fake.thread, pthread_self()));
    ck_assert_int_eq(fake.hints.ai_family, AF_INET);
    ck_assert_int_eq(fake.hints.ai_socktype, SOCK_STREAM);
    ck_assert_int_eq(fake.hints.ai_protocol, IPPROTO_TCP);
    ck_assert_int_eq(fake.hints.ai_flags, AI_PASSIVE);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(text_of(&list.items[0]), "192.0.2.1:0");
    anyc_freeaddrinfo(&list);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_ptr_null(list.items);
}

ANYC_TEST(test_getaddrinfo__asks_for_this_machine_without_a_host)
{
    anyc_addrinfo_list list = {0};

    fake_install();
    fake.found = fake_entry();
    ck_assert_int_eq(anyc_getaddrinfo(NULL, "80", NULL, &list), 0);
    ck_assert(!fake.has_host);
    ck_assert_str_eq(fake.service, "80");
    anyc_freeaddrinfo(&list);
}

/* NT-R009: expects of localhost what the system says. */
ANYC_TEST(test_getaddrinfo__finds_what_the_system_finds)
{
    const anyc_getaddrinfo_hints hints = {.flags = AI_CANONNAME};
    const struct addrinfo system_hints = {.ai_flags = AI_CANONNAME};
    const struct addrinfo *entry;
    struct addrinfo *expected;
    anyc_addrinfo_list list;

    ck_assert_int_eq(getaddrinfo("localhost", "80", &system_hints, &expected), 0);
    ck_assert_int_eq(anyc_getaddrinfo("localhost", "80", &hints, &list), 0);
    entry = expected;
    for (size_t i = 0; i < list.count; i++, entry = entry->ai_next) {
        ck_assert_ptr_nonnull(entry);
        ck_assert_int_eq(list.items[i].family, entry->ai_family);
        ck_assert_int_eq(list.items[i].type, entry->ai_socktype);
        ck_assert_int_eq(list.items[i].protocol, entry->ai_protocol);
        ck_assert_str_eq(list.items[i].canonical_name,
                         entry->ai_canonname == NULL ? "" : entry->ai_canonname);
        ck_assert_uint_eq(list.items[i].address_len, entry->ai_addrlen);
        ck_assert_mem_eq(&list.items[i].address, entry->ai_addr, entry->ai_addrlen);
    }
    ck_assert_ptr_null(entry);
    freeaddrinfo(expected);
    anyc_freeaddrinfo(&list);
}

/* -- literals -- */

/* DN-002, stream and datagram; what goes to the system is tested below. */
ANYC_TEST(test_getaddrinfo__reads_an_ipv6_literal)
{
    static const int kinds[][2] = {{SOCK_STREAM, 6}, {SOCK_DGRAM, 17}};

    for (size_t i = 0; i < 2; i++) {
        const anyc_getaddrinfo_hints hints = {.type = kinds[i][0]};
        anyc_addrinfo_list list;

        ck_assert_int_eq(anyc_getaddrinfo("::1", "0", &hints, &list), 0);
        ck_assert_uint_eq(list.count, 1);
        ck_assert_int_eq(list.items[0].family, AF_INET6);
        ck_assert_int_eq(list.items[0].type, kinds[i][0]);
        ck_assert_int_eq(list.items[0].protocol, kinds[i][1]);
        ck_assert_str_eq(list.items[0].canonical_name, "");
        ck_assert_str_eq(text_of(&list.items[0]), "[::1]:0");
        anyc_freeaddrinfo(&list);
    }
}

/* DN-002: untouched, without a thread and without anything that is looked up. */
ANYC_TEST(test_getaddrinfo__reads_literals_at_once)
{
    static const char *const hosts[] = {"::1", "192.0.2.1", "fe80::1%1"};
    int threads = thread_count_before();

    fake_install();
    fake.found = fake_entry();
    for (size_t i = 0; i < 3; i++) {
        anyc_addrinfo_list list;

        ck_assert_int_eq(anyc_getaddrinfo(hosts[i], "80", NULL, &list), 0);
        ck_assert_str_eq(fake.host, hosts[i]);
        ck_assert(pthread_equal(fake.thread, pthread_self()));
        ck_assert_int_eq(fake.hints.ai_flags, AI_NUMERICHOST | AI_NUMERICSERV);
        anyc_freeaddrinfo(&list);
    }
    ck_assert_int_eq(thread_count(), threads);
}

ANYC_TEST(test_getaddrinfo__looks_up_the_service_of_a_literal)
{
    anyc_addrinfo_list list;

    fake_install();
    fake.found = fake_entry();
    ck_assert_int_eq(anyc_getaddrinfo("::1", "http", NULL, &list), 0);
    ck_assert(!pthread_equal(fake.thread, pthread_self()));
    anyc_freeaddrinfo(&list);
}

/* -- results -- */

/* DN-003, NT-R039: too short, of another family inside, or no address at all. */
ANYC_TEST(test_getaddrinfo__leaves_unusable_entries_out)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in6 other = {.sin6_family = AF_INET};
    struct addrinfo entries[] = {
        {.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&in6, .ai_addrlen = 16},
        {.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&other, .ai_addrlen = sizeof other},
        {.ai_family = AF_INET6, .ai_addr = NULL, .ai_addrlen = sizeof in6},
        {.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&in6, .ai_addrlen = 4096},
    };
    anyc_addrinfo_list list;

    fake_install();
    for (size_t i = 0; i < 4; i++) {
        list = (anyc_addrinfo_list){.count = 9};
        entries[i].ai_socktype = SOCK_STREAM;
        fake.found = &entries[i];
        ck_assert_int_eq(anyc_getaddrinfo("a.example", "80", NULL, &list), 0);
        ck_assert_uint_eq(list.count, 0);
        ck_assert_ptr_null(list.items);
        anyc_freeaddrinfo(&list);
    }
    entries[2].ai_next = fake_entry();
    fake.found = &entries[2];
    ck_assert_int_eq(anyc_getaddrinfo("a.example", "80", NULL, &list), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(text_of(&list.items[0]), "192.0.2.1:0");
    anyc_freeaddrinfo(&list);
    ck_assert_int_eq(fake.freed, 5);
}

ANYC_TEST(test_getaddrinfo__copies_canonical_names)
{
    struct addrinfo first = *fake_entry();
    anyc_addrinfo_list list;
    char name[] = "www.a.example";

    fake_install();
    first.ai_canonname = name;
    first.ai_next = fake_entry();
    fake.found = &first;
    ck_assert_int_eq(anyc_getaddrinfo("a.example", NULL, NULL, &list), 0);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.items[0].canonical_name, "www.a.example");
    ck_assert_ptr_ne(list.items[0].canonical_name, name);
    ck_assert_str_eq(list.items[1].canonical_name, "");
    anyc_freeaddrinfo(&list);
}

/* -- errors -- */

/* NT-R020, the errors; NT-R037: nothing but the resolver's own error, with the name in it. */
ANYC_TEST(test_getaddrinfo__gives_the_resolvers_error)
{
    static const int codes[] = {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_FAMILY, EAI_MEMORY};
    anyc_addrinfo_list list = {.count = 9};

    fake_install();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const anyc_error *error;

        fake.eai = codes[i];
        ck_assert_int_eq(anyc_getaddrinfo("no.example", "80", NULL, &list), ANYC_EAI(codes[i]));
        error = anyc_last_error();
        ck_assert_int_eq(error->code, ANYC_EAI(codes[i]));
        ck_assert_int_eq(error->os_error, 0);
        ck_assert_ptr_nonnull(strstr(error->message, "no.example"));
        ck_assert_ptr_nonnull(strstr(error->message, gai_strerror(codes[i])));
    }
    ck_assert_uint_eq(list.count, 9);
    ck_assert_int_eq(fake.freed, 0);
}

/* DN-005. The real resolver says the same of "anyio.invalid" where it can ask a name server. */
ANYC_TEST(test_getaddrinfo__connect_tcp_gives_the_resolvers_error)
{
    anyc_byte_stream *stream = NULL;

    fake_install();
    fake.eai = EAI_NONAME;
    ck_assert_int_eq(anyc_connect_tcp("anyio.invalid", 6666, NULL, &stream), ANYC_EAI(EAI_NONAME));
    ck_assert_str_eq(fake.host, "anyio.invalid");
    ck_assert_str_eq(fake.service, "6666");
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EAI(EAI_NONAME));
    ck_assert_int_eq(anyc_last_error()->os_error, 0);
    ck_assert_str_eq(anyc_last_error()->message,
                     "looking up anyio.invalid: Name or service not known");
    ck_assert_ptr_null(stream);
}

ANYC_TEST(test_getaddrinfo__keeps_the_errno_of_a_system_error)
{
    anyc_addrinfo_list list;

    fake_install();
    fake.eai = EAI_SYSTEM;
    fake.os_error = EMFILE;
    ck_assert_int_eq(anyc_getaddrinfo("a.example", NULL, NULL, &list), ANYC_EAI(EAI_SYSTEM));
    ck_assert_int_eq(anyc_last_error()->os_error, EMFILE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, strerror(EMFILE)));
}

ANYC_TEST(test_getaddrinfo__refuses_what_the_system_refuses)
{
    const anyc_getaddrinfo_hints numeric = {.flags = AI_NUMERICHOST};
    const anyc_getaddrinfo_hints inet = {.family = AF_INET};
    anyc_addrinfo_list list;

    ck_assert_int_eq(anyc_getaddrinfo("localhost", "80", &numeric, &list), ANYC_EAI(EAI_NONAME));
    ck_assert_int_lt(anyc_getaddrinfo("::1", "80", &inet, &list), ANYC_EAI(0));
    ck_assert_int_eq(anyc_getaddrinfo(NULL, NULL, NULL, &list), ANYC_EAI(EAI_NONAME));
    ck_assert_int_eq(anyc_getaddrinfo("::1", "65536", NULL, &list), ANYC_EAI(EAI_SERVICE));
    ck_assert_int_eq(anyc_getaddrinfo("a.example", "99999999999999999999", NULL, &list),
                     ANYC_EAI(EAI_SERVICE));
    ck_assert_int_eq(anyc__resolve("::1", 65536, 0, 0, 0, &list), ANYC_EINVAL);
    ck_assert_int_eq(anyc__resolve("::1", -1, 0, 0, 0, &list), ANYC_EINVAL);
}

ANYC_TEST(test_getaddrinfo__resolves_with_a_port)
{
    anyc_addrinfo_list list;

    ck_assert_int_eq(anyc__resolve("::1", 65535, 0, SOCK_STREAM, 0, &list), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(text_of(&list.items[0]), "[::1]:65535");
    anyc_freeaddrinfo(&list);
    ck_assert_int_eq(anyc__resolve(NULL, 80, AF_INET, SOCK_STREAM, AI_PASSIVE, &list), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(text_of(&list.items[0]), "0.0.0.0:80");
    anyc_freeaddrinfo(&list);
}

ANYC_TEST_PLAIN(test_getaddrinfo__needs_a_loop)
{
    anyc_addrinfo_list list;

    ck_assert_int_eq(anyc_getaddrinfo("::1", "80", NULL, &list), ANYC_ENOLOOP);
}

/* -- cancellation -- */

ANYC_TEST(test_getaddrinfo__asks_nobody_in_a_cancelled_scope)
{
    anyc_addrinfo_list list;
    anyc_cancel_scope scope;

    fake_install();
    anyc_move_on_after(&scope, 0, false);
    ck_assert_int_eq(anyc_getaddrinfo("::1", "80", NULL, &list), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_getaddrinfo("a.example", "80", NULL, &list), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(fake.calls, 0);
}

static int look_up(void *arg)
{
    anyc_addrinfo_list list;
    int rc = anyc_getaddrinfo(arg, "80", NULL, &list);

    if (rc == 0)
        anyc_freeaddrinfo(&list);
    return rc;
}

/* Starts a look-up of a name that is not ASCII, and cancels it while the system is at it. */
static void look_up_in_vain(void)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char name[] = "faß.de";

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, look_up, name, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    memset(name, 'x', 4);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
}

/* NT-R020: abandoned by a cancelled caller; the result is freed. */
ANYC_TEST(test_getaddrinfo__is_abandoned_when_cancelled)
{
    fake_install();
    fake.found = fake_entry();
    fake.waits = true;
    look_up_in_vain();
    ck_assert_int_eq(fake.freed, 0);
    sem_post(&fake.gate);
    while (fake.freed == 0)
        ck_assert_int_eq(anyc_sleep(0.001), 0);
    ck_assert_str_eq(fake.host, "xn--fa-hia.de");
}

static int abandon_main(void *arg)
{
    (void)arg;
    look_up_in_vain();
    return 0;
}

/* NT-R020: then the thread frees it. */
ANYC_TEST_PLAIN(test_getaddrinfo__may_outlive_its_run)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int threads = thread_count_before();

    fake_install();
    fake.found = fake_entry();
    fake.waits = true;
    ck_assert_int_eq(anyc_run_with(abandon_main, NULL, &options), 0);
    ck_assert_int_eq(fake.freed, 0);
    sem_post(&fake.gate);
    ck_assert(thread_count_falls_to(threads));
    ck_assert_int_eq(fake.freed, 1);
}

/* Look-ups and calls of the user have limiters of their own. */
ANYC_TEST(test_getaddrinfo__waits_only_for_other_look_ups)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char name[] = "a.example";

    fake_install();
    fake.found = fake_entry();
    fake.waits = true;
    anyc_task_group_enter(&group);
    for (int i = 0; i < 50; i++)
        anyc_task_group_start_soon(&group, look_up, name, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    while (fake.calls < 40)
        ck_assert_int_eq(anyc_sleep(0.001), 0);
    ck_assert_int_eq(fake.calls, 40);
    for (int i = 0; i < 50; i++)
        sem_post(&fake.gate);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(fake.calls, 50);
    ck_assert_int_eq(fake.freed, 50);
}

/* -- out of memory -- */

struct scarce {
    const char *host;
    long n;
    bool failed;
    int rc;
};

static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;
    anyc_addrinfo_list list = {.count = 9};

    fail_alloc_arm(scarce->n);
    scarce->rc = anyc_getaddrinfo(scarce->host, "80", NULL, &list);
    scarce->failed = fail_alloc_disarm();
    if (scarce->rc == 0)
        anyc_freeaddrinfo(&list);
    else
        ck_assert_uint_eq(list.count, 9);
    return 0;
}

ANYC_TEST_PLAIN(test_getaddrinfo__answers_when_memory_runs_out)
{
    static const char *const hosts[] = {"::1", "a.example", "faß.de"};
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fake_install();
    fake.found = fake_entry();
    fail_alloc_install();
    for (size_t i = 0; i < 3; i++) {
        struct scarce scarce = {.host = hosts[i], .failed = true};

        for (scarce.n = 1; scarce.failed; scarce.n++) {
            ck_assert_int_eq(anyc_run_with(scarce_main, &scarce, &options), 0);
            ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
            ck_assert_int_eq(fake.freed, fake.calls);
        }
        ck_assert_int_gt(scarce.n, 2);
    }
    ck_assert_int_eq(fail_alloc_live(), 0);
}
