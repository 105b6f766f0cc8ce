/* SPDX-License-Identifier: MIT */
/*
 * test_serve_threads.c - one port for several cores: a loop in each of several threads, each with a
 * listener of its own, on whatever backends there are.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <math.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "support/peer.h"

enum { LOOPS = 4, CALLS = 200 };

/* A loop in a thread of its own. */
struct worker {
    pthread_t thread;
    const char *backend;
    pthread_barrier_t *listening; /* all loops, and the client */
    anyc_event stop;
    int port;
    unsigned char number;
    int rc;
};

/* Says which loop this is. A client that sends "q" stops it. */
static int tell_number(anyc_byte_stream *stream, void *arg)
{
    struct worker *worker = arg;
    char word = 0;
    ssize_t n = anyc_receive(stream, &word, 1);

    if (n == 1 && word == 'q')
        anyc_event_set(&worker->stop);
    if (n == 1)
        ck_assert_int_eq(anyc_send(stream, &worker->number, 1), 0);
    anyc_aclose(stream);
    return 0;
}

static int work(void *arg)
{
    struct worker *worker = arg;
    anyc_create_tcp_listener_options where = {
        .local_host = "127.0.0.1", .local_port = worker->port, .reuse_port = true};
    anyc_serve_options options = {.stop = &worker->stop, .grace_seconds = INFINITY};
    anyc_listener *listener;
    int rc;

    ck_assert_int_eq(anyc_create_tcp_listener(&where, &listener), 0);
    (void)pthread_barrier_wait(worker->listening); /* blocks the loop, which has no other task */
    rc = anyc_listener_serve_with(listener, tell_number, worker, &options);
    anyc_aclose(listener);
    return rc;
}

static void *run_worker(void *arg)
{
    struct worker *worker = arg;
    anyc_run_options options = {.backend = worker->backend};

    worker->rc = anyc_run_with(work, worker, &options);
    return NULL;
}

/* Sends a word to whichever loop it comes to, and answers its number; -1: that was just ending. */
static int call_loop(int port, char word)
{
    const struct sockaddr_in there = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned char number = 0;
    int client = peer_socket(AF_INET);
    ssize_t n = connect(client, (const struct sockaddr *)&there, sizeof there);

    if (n == 0)
        n = send(client, &word, 1, MSG_NOSIGNAL);
    else
        ck_assert_int_eq(errno, ECONNRESET); /* in the queue of a listener that was closed */
    if (n == 1)
        n = recv(client, &number, 1, 0);
    close(client);
    return n == 1 ? number : -1;
}

/* The first and every other one on this test's backend, the rest on all that there are. */
static const char *backend_for(int i)
{
    const char *const *available = anyc_get_available_backends(NULL);
    int count = 0;

    while (available[count] != NULL)
        count++;
    ck_assert_int_gt(count, 0);
    return i % 2 == 0 ? anyc_testing_backend() : available[i / 2 % count];
}

static void workers_start(struct worker *workers, pthread_barrier_t *listening, int port)
{
    ck_assert_int_eq(pthread_barrier_init(listening, NULL, LOOPS + 1), 0);
    for (int i = 0; i < LOOPS; i++) {
        workers[i] = (struct worker){.backend = backend_for(i),
                                     .listening = listening,
                                     .port = port,
                                     .number = (unsigned char)i,
                                     .rc = 1};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    (void)pthread_barrier_wait(listening);
}

/* Call until each loop has answered once. */
static void call_all(int port, char word)
{
    bool heard[LOOPS] = {false};
    int left = LOOPS;

    for (int i = 0; left > 0; i++) {
        int number = call_loop(port, word);

        ck_assert_int_lt(i, CALLS);
        ck_assert_int_lt(number, LOOPS);
        if (number < 0 || heard[number])
            continue;
        heard[number] = true;
        left--;
    }
}

ANYC_TEST_PLAIN(test_serve_threads__share_a_port)
{
    struct worker workers[LOOPS];
    pthread_barrier_t listening;
    int port = anyc_testing_free_tcp_port();

    ck_assert_int_gt(port, 0);
    workers_start(workers, &listening, port);
    call_all(port, 'w');
    call_all(port, 'q');
    for (int i = 0; i < LOOPS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_int_eq(workers[i].rc, 0);
    }
    pthread_barrier_destroy(&listening);
}
