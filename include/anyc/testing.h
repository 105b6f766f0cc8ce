/* SPDX-License-Identifier: MIT */
/*
 * testing.h - tests for Check that run once on every backend, each as a task in a loop of its own.
 *
 *     #include <check.h>
 *     #include <anyc/anyc.h>
 *
 *     ANYC_TEST(test_lock__is_free_at_first)
 *     {
 *         anyc_lock lock = ANYC_LOCK_INIT;
 *
 *         ck_assert(!anyc_lock_locked(&lock));
 *     }
 *
 * Link with anyc::testing, which brings a main():
 *
 *     test_lock                                    every test on every backend that runs here
 *     test_lock --backend libuv --test NAME        one of them
 *     test_lock --list                             their names
 *     test_lock --backend libuv --test NAME --no-fork
 *                                                  in the program's own process, for a debugger
 *
 * Each test is a process of its own, so a failed assertion may end it from any task. It fails too
 * when descriptors or memory of anyc are left over, or when it takes longer than 20 seconds
 * (multiplied by the environment variable ANYC_TESTING_TIMEOUT_SCALE). Exit code 77 means that
 * every test was skipped.
 */
#ifndef ANYC_TESTING_H
#define ANYC_TESTING_H

#include <anyc/base.h>
#include <anyc/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a test may ask for; all zero means the defaults. */
typedef struct anyc_testing_options {
    bool plain;       /* call the body outside of a loop; it may run its own */
    double timeout;   /* seconds until the test is killed; 0: 20 */
    anyc_clock clock; /* ANYC_CLOCK_VIRTUAL: time jumps when all tasks are blocked */
} anyc_testing_options;

/** One test, as the macros below define it. */
typedef struct anyc_testing_case {
    const char *name;
    void (*body)(void);
    anyc_testing_options options;
    struct anyc_testing_case *next; /* set by anyc_testing_register */
} anyc_testing_case;

/** Define a test whose body runs as the main task of a loop. Its name starts a line of its own. */
#define ANYC_TEST(test) ANYC_TEST_WITH(test, .plain = false)

/** Define a test whose body is called outside of a loop, once for each backend. */
#define ANYC_TEST_PLAIN(test) ANYC_TEST_WITH(test, .plain = true)

/** Define a test with options: ANYC_TEST_WITH(test_x__y, .clock = ANYC_CLOCK_VIRTUAL) { ... } */
#define ANYC_TEST_WITH(test, ...)                                  \
    static void test(void);                                        \
    static anyc_testing_case test##_case = {                       \
        .name = #test, .body = test, .options = {__VA_ARGS__}};    \
    __attribute__((constructor)) static void test##_register(void) \
    {                                                              \
        anyc_testing_register(&test##_case);                       \
    }                                                              \
    static void test(void)

/** End this test here as skipped, not failed: ANYC_TEST_SKIP("needs IPv6"). */
#define ANYC_TEST_SKIP(reason) anyc_testing_skip(reason)

/**
 * Wait until every other task of this loop waits for something.
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   wait_all_tasks_blocked.
 */
ANYC_API int anyc_wait_all_tasks_blocked(void);

/**
 * The name of the backend that the running test is for.
 *
 * Returns: its name; NULL outside a test.
 * Owns:    borrowed, valid until the program ends.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the anyio_backend_name fixture.
 */
ANYC_API const char *anyc_testing_backend(void);

/**
 * Find a TCP port that nobody uses at this moment, on any address of this machine.
 *
 * Returns: the port, 1..65535, or
 *   -errno          the system gave none
 * Owns:    nothing; another program may take the port before the caller does.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the free_tcp_port fixture.
 */
ANYC_API int anyc_testing_free_tcp_port(void);

/**
 * The same for UDP.
 *
 * Returns: as anyc_testing_free_tcp_port.
 * Owns:    nothing; another program may take the port before the caller does.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the free_udp_port fixture.
 */
ANYC_API int anyc_testing_free_udp_port(void);

/**
 * End the running test as skipped; ANYC_TEST_SKIP calls it.
 *
 * @param reason  for the report; copied
 *
 * Returns: never.
 * Owns:    nothing; what the test holds goes with its process.
 * Cancel:  never suspends.
 * Threads: any thread of the test.
 * AnyIO:   pytest.skip.
 */
ANYC_API void anyc_testing_skip(const char *reason);

/**
 * Add a test to the program; the macros call it before main() starts.
 *
 * @param test  kept by reference until the program ends
 *
 * Owns:    nothing; `test` stays the caller's.
 * Cancel:  never suspends.
 * Threads: the main thread, before anyc_testing_main.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_testing_register(anyc_testing_case *test);

/**
 * Run the program's tests as its command line asks. The library's main() does only this; a program
 * with a main() of its own calls it from there.
 *
 * @param argc  as main() got it
 * @param argv  as main() got it
 *
 * Returns: the exit code: 0, 1 when a test failed, 2 for a wrong command line, 77 when all were
 *          skipped.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the main thread, the only one.
 * AnyIO:   the pytest plugin.
 */
ANYC_API int anyc_testing_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
