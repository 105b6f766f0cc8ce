/* SPDX-License-Identifier: MIT */
/*
 * happy_eyeballs.c - connect to whichever address of a host answers first (RFC 6555, RFC 8305).
 *
 * Each attempt is a task of one group. The host of the group starts them one by one: the next when
 * the one before has failed, or when the delay is over. The first to succeed cancels the others. A
 * connection exists only as a local of the attempt that made it or as race->winner, so a
 * cancellation at any point leaves nothing open.
 */
#include "net/happy_eyeballs.h"

#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/socket_io.h"
#include "net/socket_stream.h"

/* Room in a message for one address and its error. */
#define ATTEMPT_TEXT_SIZE (ANYC__ADDRESS_TEXT_SIZE + 80)

struct attempt {
    struct race *race;
    const anyc_addrinfo *address;
    int rc; /* 0 until it has failed */
};

struct race {
    const struct connect_target *target;
    struct attempt *attempts;   /* target->count of them, in the order in which they start */
    const struct attempt *last; /* that was started */
    anyc_list starter;          /* the host while it waits for the last attempt to fail */
    anyc_byte_stream *winner;   /* NULL: none yet */
    anyc_task_group group;
};

static const struct wait_type race_wait = {.what = "connection attempt"};

/* Bind if asked to, and connect. Answers 0, ANYC_ECANCELLED or -errno. */
static int attempt_connect(const struct connect_target *target, anyc_watch *watch,
                           const anyc_addrinfo *address)
{
    int rc = 0;

    if (target->local != NULL && bind(watch->fd, target->local, target->local_len) < 0)
        rc = -errno;
    if (rc == 0)
        rc = anyc__socket_set_option(watch->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0)
        rc = anyc__backend_connect(watch, (const struct sockaddr *)&address->address,
                                   address->address_len);
    return rc;
}

/* A stream that is connected to one address: 0, ANYC_ECANCELLED, ANYC_ENOMEM or -errno. */
static int attempt_run(const struct connect_target *target, const anyc_addrinfo *address,
                       anyc_byte_stream **out_stream)
{
    anyc_watch *watch = NULL;
    int fd = anyc__socket_open(address->family, SOCK_STREAM);
    int rc = fd < 0 ? fd : 0;

    if (rc == 0)
        rc = anyc__watch_open(anyc__loop, fd, &watch);
    if (rc == 0)
        rc = attempt_connect(target, watch, address);
    if (rc == 0)
        rc = anyc__socket_stream_create(watch, (const struct sockaddr *)&address->address,
                                        address->address_len, out_stream);
    if (rc == 0) {
        watch = NULL; /* the stream owns them now */
        fd = -1;
    }
    if (watch != NULL)
        anyc__watch_close(watch, ANYC_ECLOSED);
    anyc__descriptor_close(fd);
    return rc;
}

static void race_wake_starter(struct race *race)
{
    anyc_list *node = anyc__list_first(&race->starter);

    if (node != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
}

/* The task of one attempt. Its failure is not one of the group. */
static int race_attempt(void *arg)
{
    struct attempt *attempt = arg;
    struct race *race = attempt->race;
    anyc_byte_stream *stream = NULL;
    int rc = attempt_run(race->target, attempt->address, &stream);

    if (rc == ANYC_ECANCELLED)
        return rc;
    if (rc < 0) {
        attempt->rc = rc;
        if (race->last == attempt)
            race_wake_starter(race);
        return 0;
    }
    if (race->winner != NULL) {
        anyc_aclose_forcefully(stream);
        return 0;
    }
    race->winner = stream;
    anyc_task_group_cancel(&race->group, "another attempt succeeded");
    return 0;
}

/* Wait until the last attempt has failed or the delay is over: 0 or ANYC_ECANCELLED. */
static int race_pause(struct race *race)
{
    struct task_wait wait = {0};
    int64_t deadline_ns = anyc__deadline_after(anyc__loop, race->target->delay);
    int rc;

    anyc__list_push(&race->starter, &wait.link);
    rc = anyc__wait_until(&wait, &race_wait, race, deadline_ns);
    return rc == ANYC_ETIMEDOUT ? 0 : rc;
}

static int race_start_all(struct race *race)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < race->target->count; i++) {
        race->last = &race->attempts[i];
        rc = anyc_task_group_start_soon(&race->group, race_attempt, &race->attempts[i], NULL);
        if (rc == 0 && i + 1 < race->target->count)
            rc = race_pause(race);
    }
    return rc;
}

/* The first IPv6 address, then the first IPv4 one, then the others as they come. */
static void race_order(struct race *race)
{
    const struct connect_target *target = race->target;
    size_t first[2] = {target->count, target->count}; /* IPv6, IPv4 */
    size_t filled = 0;

    for (size_t i = target->count; i-- > 0;)
        first[target->addresses[i].family == AF_INET6 ? 0 : 1] = i;
    for (size_t i = 0; i < 2; i++)
        if (first[i] < target->count)
            race->attempts[filled++].address = &target->addresses[first[i]];
    for (size_t i = 0; i < target->count; i++)
        if (i != first[0] && i != first[1])
            race->attempts[filled++].address = &target->addresses[i];
}

/* "[::1]:80: Connection refused; 127.0.0.1:80: Connection refused" */
static void race_list_failures(const struct race *race, char *text, size_t size)
{
    char address[ANYC__ADDRESS_TEXT_SIZE];
    size_t used = 0;

    for (size_t i = 0; i < race->target->count && used < size; i++) {
        const struct attempt *attempt = &race->attempts[i];

        anyc__address_format((const struct sockaddr *)&attempt->address->address,
                             attempt->address->address_len, address, sizeof address);
        used += (size_t)snprintf(text + used, size - used, "%s%s: %s", i == 0 ? "" : "; ", address,
                                 anyc_strerror(attempt->rc));
    }
}

/* Every attempt failed: the error they have in common, else ANYC_ECONNECT. */
static int race_fail(const struct race *race)
{
    const struct connect_target *target = race->target;
    size_t size = target->count * ATTEMPT_TEXT_SIZE;
    char *text = anyc__alloc_array(target->count, ATTEMPT_TEXT_SIZE);
    int first = race->attempts[0].rc;
    int rc = first;

    for (size_t i = 1; i < target->count; i++)
        if (race->attempts[i].rc != first)
            rc = ANYC_ECONNECT;
    if (text != NULL)
        race_list_failures(race, text, size);
    /* codes of anyc's own have no errno */
    rc = anyc__fail(rc, first > ANYC_ECANCELLED ? -first : 0, "cannot connect to %s port %d: %s",
                    target->host, target->port, text == NULL ? anyc_strerror(rc) : text);
    anyc__free(text);
    return rc;
}

/* Several addresses, a task for each. */
static int race_run(struct race *race)
{
    int rc = anyc_task_group_enter(&race->group);

    if (rc < 0)
        return rc;
    rc = race_start_all(race);
    rc = anyc_task_group_exit(&race->group, rc);
    if (race->winner != NULL) /* also when a cancellation came just behind it */
        return 0;
    return rc < 0 ? rc : race_fail(race);
}

/* One address: no need for tasks. */
static int race_run_alone(struct race *race)
{
    struct attempt *attempt = &race->attempts[0];

    attempt->rc = attempt_run(race->target, attempt->address, &race->winner);
    if (attempt->rc == 0 || attempt->rc == ANYC_ECANCELLED)
        return attempt->rc;
    return race_fail(race);
}

int anyc__happy_eyeballs(const struct connect_target *target, anyc_byte_stream **out_stream)
{
    struct race race = {.target = target};
    int rc;

    race.attempts = anyc__alloc_array(target->count, sizeof *race.attempts);
    if (race.attempts == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (size_t i = 0; i < target->count; i++)
        race.attempts[i] = (struct attempt){.race = &race};
    race_order(&race);
    rc = target->count == 1 ? race_run_alone(&race) : race_run(&race);
    anyc__free(race.attempts);
    if (rc == 0)
        *out_stream = race.winner;
    return rc;
}
