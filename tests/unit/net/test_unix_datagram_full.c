/* SPDX-License-Identifier: MIT */
/*
 * test_unix_datagram_full.c - UNIX datagram sockets that send to a full queue. NT-R013.
 */
#include "unix_datagram.h"

/* A sender, connected or not, to a raw socket whose queue is full. */
struct full {
    anyc_unix_datagram_socket *plain;
    anyc_connected_unix_datagram_socket *connected;
    anyc_resource *resource;
    struct unix_place place;
    int peer;
    size_t queued;
    int rc; /* of the send */
    bool done;
    uint64_t sender; /* id of the task that sends; 0: it has not run yet */
    size_t steps;    /* of that task */
};

static void full_open(struct full *full, bool connected)
{
    *full = (struct full){.place = unix_place_make(false)};
    full->peer = datagram_peer_unix(&full->place);
    if (connected) {
        full->connected = unix_connect(&full->place, NULL);
        full->resource = &full->connected->resource;
    } else {
        full->plain = unix_open_with(NULL);
        full->resource = &full->plain->resource;
    }
    full->queued = unix_fill(&full->place);
}

/* The socket may have been freed by the test: `resource` is NULL then. */
static void full_close(struct full *full)
{
    if (full->resource != NULL)
        ck_assert_ok((anyc_aclose)(full->resource));
    close(full->peer);
    unix_place_remove(&full->place);
}

/* Empty the raw socket's queue. */
static void full_drain(const struct full *full, size_t count)
{
    char buf[8];

    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(datagram_peer_receive(full->peer, buf, sizeof buf, NULL), 4);
}

static int full_send(struct full *full)
{
    if (full->connected != NULL)
        return anyc_connected_unix_datagram_socket_send(full->connected, "last", 4);
    return unix_send_to(full->plain, "last", &full->place);
}

static int full_task(void *arg)
{
    struct full *full = arg;
    anyc_task_info info;

    anyc_get_current_task(&info);
    full->sender = info.id;
    full->rc = full_send(full);
    full->done = true;
    return full->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static void full_count_step(uint64_t id, void *arg)
{
    struct full *full = arg;

    if (id == full->sender)
        full->steps++;
}

static void check_last(const struct full *full)
{
    char buf[8] = "";

    ck_assert_uint_eq(datagram_peer_receive(full->peer, buf, sizeof buf, NULL), 4);
    ck_assert_str_eq(buf, "last");
    datagram_peer_check_empty(full->peer);
}

/* NT-R013: for ten seconds it only looks now and then; when there is room, it sends. */
static void wait_long(bool connected, size_t most)
{
    static const anyc_instrument counter = {.before_step = full_count_step};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct full full;

    full_open(&full, connected);
    anyc_task_group_enter(&group);
    ck_assert_ok(anyc_add_instrument(&counter, &full));
    spawn(&group, full_task, &full);
    ck_assert_ok(anyc_sleep(10));
    ck_assert(!full.done);
    ck_assert_uint_le(full.steps, most);
    ck_assert_ok(anyc_remove_instrument(&counter));
    full_drain(&full, full.queued);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(full.rc);
    check_last(&full);
    full_close(&full);
}

ANYC_TEST_WITH(test_unix_datagram_full__waits_without_spinning, .clock = ANYC_CLOCK_VIRTUAL)
{
    wait_long(false, 300); /* two for each pause of 0.1 s, and a few at the beginning */
}

/* The system tells a connected one when there is room. */
ANYC_TEST_WITH(test_unix_datagram_full__a_connected_one_is_woken, .clock = ANYC_CLOCK_VIRTUAL)
{
    wait_long(true, 3);
}

/* NT-R002: cancelled, nothing was sent. */
static void cancel_blocked(bool connected)
{
    struct full full;
    anyc_cancel_scope scope;
    int rc;

    full_open(&full, connected);
    anyc_move_on_after(&scope, 3, false);
    rc = full_send(&full);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    full_drain(&full, full.queued);
    datagram_peer_check_empty(full.peer);
    ck_assert_ok(full_send(&full));
    check_last(&full);
    full_close(&full);
}

ANYC_TEST_WITH(test_unix_datagram_full__a_cancelled_send_sends_nothing, .clock = ANYC_CLOCK_VIRTUAL)
{
    cancel_blocked(false);
    cancel_blocked(true);
}

/* Closed (or freed) while the sender waits for the descriptor or sleeps, or just after it was woken
 * or cancelled. */
static void close_blocked(bool connected, double after, bool cancel, bool free_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct full full;

    full_open(&full, connected);
    anyc_task_group_enter(&group);
    spawn(&group, full_task, &full);
    if (after > 0)
        ck_assert_ok(anyc_sleep(after));
    else
        ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(!full.done);
    if (cancel)
        anyc_task_group_cancel(&group, NULL);
    if (free_it) {
        ck_assert_ok((anyc_aclose)(full.resource));
        full.resource = NULL;
    } else {
        ck_assert_ok((anyc_close)(full.resource));
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(full.rc, cancel ? ANYC_ECANCELLED : ANYC_ECLOSED);
    full_close(&full);
}

/* NT-R003, NT-R030 */
ANYC_TEST_WITH(test_unix_datagram_full__close_wakes_the_sender, .clock = ANYC_CLOCK_VIRTUAL)
{
    for (int i = 0; i < 16; i++) {
        bool cancel = (i & 2) != 0;
        bool free_it = (i & 4) != 0;

        close_blocked((i & 1) != 0, (i & 8) != 0 ? 0.01 : 0, cancel, free_it);
    }
}

/* The pause ends at the very moment at which the socket is closed. */
ANYC_TEST_WITH(test_unix_datagram_full__close_may_meet_the_end_of_a_pause,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    for (int ms = 1; ms < 8; ms++)
        close_blocked(false, 0.001 * ms, false, true);
}

struct datagram_buffer {
    anyc_unix_datagram_socket *socket;
    const struct unix_place *place;
    int peer;
};

static int send_three(void *arg)
{
    static char data[4000];
    struct datagram_buffer *buffer = arg;
    int rc = 0;

    for (int i = 0; rc == 0 && i < 3; i++)
        rc = anyc_unix_datagram_socket_sendto(buffer->socket, data, sizeof data,
                                              buffer->place->name, 0);
    return rc;
}

/* Not the receiver's queue but the sender's own buffer is full: the system tells when it has room,
 * so no time goes by. */
ANYC_TEST_WITH(test_unix_datagram_full__waits_for_its_own_buffer, .clock = ANYC_CLOCK_VIRTUAL)
{
    static char data[4000];
    const int small = 1;
    struct unix_place place = unix_place_make(false);
    struct datagram_buffer buffer = {.peer = datagram_peer_unix(&place), .place = &place};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int fd = -1;
    double start;

    buffer.socket = unix_open_with(NULL);
    ck_assert_ok(anyc_extra(buffer.socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    ck_assert_ok(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    start = anyc_current_time();
    anyc_task_group_enter(&group);
    spawn(&group, send_three, &buffer);
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(datagram_peer_receive(buffer.peer, data, sizeof data, NULL), 4000);
        datagram_peer_check_empty(buffer.peer); /* the next one waits */
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(anyc_current_time(), start);
    close(buffer.peer);
    anyc_aclose(buffer.socket);
    unix_place_remove(&place);
}

/* NT-R001, NT-R041: a second one is told, and one that receives does not count. */
static void second_sender(bool connected)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct full full;

    full_open(&full, connected);
    anyc_task_group_enter(&group);
    spawn(&group, full_task, &full);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(full_send(&full), ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    full_drain(&full, full.queued);
    datagram_peer_check_empty(full.peer);
    full_close(&full);
}

ANYC_TEST(test_unix_datagram_full__only_one_task_sends)
{
    second_sender(false);
    second_sender(true);
}

/* The receiver goes while somebody waits for room. */
static void receiver_goes(bool connected)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct full full;

    full_open(&full, connected);
    anyc_task_group_enter(&group);
    spawn(&group, full_task, &full);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    close(full.peer);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(full.rc, ANYC_EBROKEN);
    full.peer = -1;
    full_close(&full);
}

/* NT-R033 */
ANYC_TEST_WITH(test_unix_datagram_full__the_receiver_may_go, .clock = ANYC_CLOCK_VIRTUAL)
{
    receiver_goes(false);
    receiver_goes(true);
}

/* One that sends far more than a queue holds, to one that takes them in the same loop: none is
 * lost, and they stay in order. */
struct flood {
    struct unix_place place;
    anyc_unix_datagram_socket *receiver;
    anyc_unix_datagram_socket *sender;
};

enum { FLOOD_COUNT = 500 };

static int flood_send(void *arg)
{
    struct flood *flood = arg;
    int rc = 0;

    for (int i = 0; rc == 0 && i < FLOOD_COUNT; i++)
        rc = anyc_unix_datagram_socket_sendto(flood->sender, &i, sizeof i, flood->place.name, 0);
    return rc;
}

ANYC_TEST(test_unix_datagram_full__loses_nothing)
{
    struct flood flood = {.place = unix_place_make(false)};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int number = -1;
    anyc_datagram datagram = {.data = &number, .size = sizeof number};

    flood.receiver = unix_open(&flood.place);
    flood.sender = unix_open_with(NULL);
    anyc_task_group_enter(&group);
    spawn(&group, flood_send, &flood);
    for (int i = 0; i < FLOOD_COUNT; i++) {
        ck_assert_ok(anyc_unix_datagram_socket_receive(flood.receiver, &datagram));
        ck_assert_int_eq(number, i);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose(flood.sender);
    anyc_aclose(flood.receiver);
    unix_place_remove(&flood.place);
}
