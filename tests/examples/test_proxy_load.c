/* SPDX-License-Identifier: MIT */
/*
 * test_proxy_load.c - examples/proxy.c when a reader stops, and when peers reset.
 */
#include <check.h>

#include <anyc/testing.h>

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "route.h"

/* -- a reader that stops -- */

enum { MUCH = 64 * 1024 * 1024, BLOCK = 65536, ROOM_KIB = 8 * 1024 };

/* A figure of the program's memory, KiB. */
static long memory_kib(const struct program *program, const char *figure)
{
    char path[64];
    char line[256];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)program->pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (kib < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, figure, strlen(figure)) == 0)
            kib = strtol(line + strlen(figure) + 1, NULL, 10);
    fclose(file);
    ck_assert_int_ge(kib, 0);
    return kib;
}

/* What stands at this place of the bytes that are sent. */
static uint8_t pattern_at(size_t place)
{
    return (uint8_t)(place ^ (place >> 8) ^ (place >> 16));
}

/* Send what fits of the bytes from this place on; how many did. */
static size_t push(int fd, size_t place)
{
    static uint8_t block[BLOCK];
    size_t pushed = 0;
    ssize_t n = 1;

    while (n > 0 && place + pushed < MUCH) {
        size_t len = MUCH - place - pushed < BLOCK ? MUCH - place - pushed : BLOCK;

        for (size_t i = 0; i < len; i++)
            block[i] = pattern_at(place + pushed + i);
        n = send(fd, block, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        pushed += n > 0 ? (size_t)n : 0;
    }
    ck_assert(n > 0 || errno == EAGAIN);
    return pushed;
}

/* Send until nothing fits, not even some time later. */
static size_t push_until_stuck(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    size_t place = 0;
    int quiet = 0;

    while (quiet < 5) {
        size_t pushed = push(fd, place);

        quiet = pushed > 0 ? 0 : quiet + 1;
        place += pushed;
        ck_assert_int_ge(poll(&wanted, 1, 10), 0);
    }
    return place;
}

/* Receive some of the bytes, which must be the right ones; how many there were. */
static size_t pull(int fd, size_t place)
{
    static uint8_t block[BLOCK];
    ssize_t n = recv(fd, block, sizeof block, 0);

    ck_assert_msg(n > 0, "recv: %zd, %s", n, strerror(errno));
    for (ssize_t i = 0; i < n; i++)
        if (block[i] != pattern_at(place + (size_t)i))
            ck_abort_msg("a wrong byte at %zu", place + (size_t)i);
    return (size_t)n;
}

/* The reader stops, and the sender is held up before long; then all of it arrives. */
static void stopped_reader(bool unix_sockets)
{
    struct route route;
    size_t received = 0;
    size_t held;
    size_t sent;
    long before;
    long stuck;
    int client;
    int server;

    route_open(&route, unix_sockets, unix_sockets);
    route_connect(&route, &client, &server);
    check_passes(client, server, "there");
    before = memory_kib(&route.proxy, "VmRSS");
    held = push_until_stuck(client);
    ck_assert_uint_lt(held, MUCH);
    sent = held;
    stuck = memory_kib(&route.proxy, "VmRSS");
    while (received < MUCH) {
        received += pull(server, received);
        sent += push(client, sent);
    }
    printf("%s: stuck after %zu KiB of %d; the proxy's memory: %ld KiB before, %ld then, %ld at "
           "most while all passed\n",
           unix_sockets ? "UNIX" : "TCP", held / 1024, MUCH / 1024, before, stuck,
           memory_kib(&route.proxy, "VmHWM"));
    ck_assert_int_lt(stuck - before, ROOM_KIB);
    ck_assert_int_lt(memory_kib(&route.proxy, "VmHWM") - before, ROOM_KIB);
    close(client);
    close(server);
    route_close(&route);
}

ANYC_TEST_PLAIN(test_proxy_load__a_reader_that_stops_holds_up_the_sender)
{
    stopped_reader(false);
    stopped_reader(true);
}

/* -- resets -- */

/* Receive until the other side has gone, in whatever way. */
static void drain(int fd)
{
    static char block[BLOCK];
    ssize_t n = 1;

    while (n > 0)
        n = recv(fd, block, sizeof block, 0);
    ck_assert_msg(n == 0 || errno == ECONNRESET, "recv: %s", strerror(errno));
    close(fd);
}

/* A connection whose ends belong together: what others left in the queue is passed over. */
static void route_connect_late(const struct route *route, int *out_client, int *out_server)
{
    ssize_t n = 0;
    char byte;

    *out_client = route_client(route);
    program_send(*out_client, "x");
    while (n <= 0) {
        *out_server = peer_accept(route->listener);
        n = recv(*out_server, &byte, 1, 0);
        if (n <= 0)
            close(*out_server);
    }
}

enum { MOMENTS = 8 };

/* One end resets; the other one finds that the proxy has let go of it. */
static void reset_at(const struct route *route, int moment)
{
    int client;
    int server;

    if (moment == 0) { /* before there is a connection to the target */
        peer_reset(route_client(route));
        return;
    }
    route_connect_late(route, &client, &server);
    if (moment == 2 || moment == 4) { /* with something on its way */
        program_send(client, "unread");
        program_send(server, "unread");
    }
    if (moment == 5)
        ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    if (moment == 6)
        ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    if (moment == 7) { /* both, one right behind the other */
        peer_reset(server);
        peer_reset(client);
        return;
    }
    peer_reset(moment == 3 || moment == 4 || moment == 5 ? server : client);
    drain(moment == 3 || moment == 4 || moment == 5 ? client : server);
}

/* The reader has stopped and everything in between is full: then the sender resets, or the reader. */
static void reset_when_full(const struct route *route, bool sender)
{
    int client;
    int server;

    route_connect_late(route, &client, &server);
    peer_fill(client);
    peer_reset(sender ? client : server);
    drain(sender ? server : client);
}

static int count_fds(const struct program *program)
{
    char path[64];
    int count = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)program->pid);
    folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* While one connection works, which shows that all before has been dealt with. */
static void look(const struct route *route, int *out_fds, long *out_kib)
{
    int client;
    int server;

    route_connect_late(route, &client, &server);
    check_passes(client, server, "there");
    check_passes(server, client, "and back");
    *out_fds = count_fds(&route->proxy);
    *out_kib = memory_kib(&route->proxy, "VmRSS");
    close(client);
    drain(server);
}

/* ANYC_PROXY_RESETS=10000 test_proxy_load gives the figures of a long run. */
static int resets_wanted(void)
{
    const char *text = getenv("ANYC_PROXY_RESETS");

    return text == NULL ? 400 : atoi(text);
}

ANYC_TEST_PLAIN(test_proxy_load__a_reset_at_any_moment_leaves_nothing_behind)
{
    int wanted = resets_wanted();
    struct route route;
    long kib[2];
    int fds[2];

    /* AddressSanitizer, if the proxy has it, shall not keep all that is freed */
    ck_assert_int_eq(setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0), 0);
    route_open(&route, false, false);
    for (int i = 0; i < 100; i++)
        reset_at(&route, i % MOMENTS);
    reset_when_full(&route, true);
    reset_when_full(&route, false);
    look(&route, &fds[0], &kib[0]);
    for (int i = 0; i < wanted; i++) {
        reset_at(&route, i % MOMENTS);
        if (i % 100 == 0)
            reset_when_full(&route, i % 200 == 0);
    }
    look(&route, &fds[1], &kib[1]);
    printf(
        "%d resets: %d descriptors before and %d after, %ld KiB of memory before and %ld after\n",
        wanted, fds[0], fds[1], kib[0], kib[1]);
    ck_assert_int_eq(fds[0], fds[1]);
    ck_assert_int_lt(kib[1] - kib[0], ROOM_KIB);
    route_close(&route);
}
