/* SPDX-License-Identifier: MIT */
/*
 * test_send_file_streams.c - files over streams of every kind, and files with habits of their own.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/byte_pair.h"
#include "support/fail_syscall.h"
#include "support/stream_job.h"
#include "support/tasks.h"

enum { COUNT = 40000, UNIT = 29, LEN = COUNT * UNIT }; /* bytes: several parts */

static const char unit[UNIT + 1] = "\xE6\x97\xA5\xE6\x9C\xAC, 23 more bytes of it.\n";

/* A file of units in a folder; -1 if it cannot be made. */
static int text_file_make(const char *folder, char path[64])
{
    char data[10 * UNIT];
    int fd;

    snprintf(path, 64, "%s/anyc-send-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    for (int i = 0; i < 10; i++)
        memcpy(data + i * UNIT, unit, UNIT);
    for (int i = 0; i < COUNT / 10 && fd >= 0; i++)
        ck_assert_int_eq(write(fd, data, sizeof data), (ssize_t)sizeof data);
    return fd;
}

struct sender {
    anyc_byte_stream *stream;
    const char *path;
    int64_t offset;
    int64_t rc;
};

/* Sends from the offset on, then the end of all. */
static int send_to_end(void *arg)
{
    struct sender *sender = arg;

    sender->rc = anyc_send_file(sender->stream, sender->path, sender->offset, -1);
    ck_assert_int_eq(anyc_send_eof(sender->stream), 0);
    return 0;
}

/* Receive up to the end; how many bytes. With `right` all must be units. */
static int64_t receive_to_end(anyc_byte_stream *stream, bool right)
{
    char *expected = malloc(2 * UNIT * UNIT);
    char buf[UNIT * UNIT];
    int64_t got = 0;
    ssize_t n;

    for (int i = 0; i < 2 * UNIT; i++)
        memcpy(expected + i * UNIT, unit, UNIT);
    while ((n = anyc_receive(stream, buf, sizeof buf)) > 0) {
        if (right)
            ck_assert_mem_eq(buf, expected + got % UNIT, (size_t)n);
        got += n;
    }
    ck_assert_int_eq(n, ANYC_EOF);
    free(expected);
    return got;
}

/* Over `a` to `b`, which both go. */
static void check_pair(anyc_byte_stream *a, anyc_byte_stream *b, const char *folder)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char path[64];
    int fd = text_file_make(folder, path);
    struct sender sender = {.stream = a, .path = path};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_to_end, &sender, NULL), 0);
    ck_assert_int_eq(receive_to_end(b, true), LEN);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, LEN);
    anyc_aclose_forcefully(a);
    anyc_aclose_forcefully(b);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
}

ANYC_TEST(test_send_file_streams__buffered_over_a_socket)
{
    struct byte_pair pair;

    byte_pair_unix(&pair);
    byte_pair_buffer(&pair);
    check_pair(pair.a, pair.b, "/tmp");
}

ANYC_TEST(test_send_file_streams__stapled)
{
    struct byte_pair pair;

    byte_pair_stapled(&pair, 2);
    check_pair(pair.a, pair.b, "/tmp");
}

/* The file is text in UTF-8, which may be cut within a character; on the way it is something else. */
ANYC_TEST(test_send_file_streams__text_in_another_encoding)
{
    const anyc_text_stream_options options = {.encoding = "UTF-16"};
    anyc_text_stream *a = NULL;
    anyc_text_stream *b = NULL;
    struct byte_pair pair;

    byte_pair_unix(&pair);
    ck_assert_int_eq(anyc_text_stream_create(pair.a, &options, &a), 0);
    ck_assert_int_eq(anyc_text_stream_create(pair.b, &options, &b), 0);
    check_pair(&a->stream, &b->stream, "/tmp");
}

/* A file system in memory does not know RWF_NOWAIT. */
ANYC_TEST(test_send_file_streams__a_file_in_memory)
{
    struct byte_pair pair;

    if (access("/dev/shm", W_OK) != 0)
        ANYC_TEST_SKIP("no /dev/shm");
    byte_pair_unix_narrow(&pair);
    check_pair(pair.a, pair.b, "/dev/shm");
}

/* Nobody has it open for writing: opening it must not wait for that. */
ANYC_TEST(test_send_file_streams__a_fifo_is_refused)
{
    char path[] = "/tmp/anyc-send-XXXXXX";
    struct byte_pair pair;
    char fifo[64];

    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(fifo, sizeof fifo, "%s/fifo", path);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    byte_pair_unix(&pair);
    ck_assert_int_eq(anyc_send_file(pair.a, fifo, 0, -1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    ck_assert_int_eq(unlink(fifo), 0);
    ck_assert_int_eq(rmdir(path), 0);
}

/* Offsets of more than 32 bits, in a file that has no blocks before. */
ANYC_TEST(test_send_file_streams__offsets_may_be_large)
{
    const int64_t far = INT64_C(5) << 30;
    char path[] = "/tmp/anyc-send-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct byte_pair pair;
    char buf[8];

    ck_assert_int_ge(fd, 0);
    if (pwrite(fd, "far", 3, (off_t)far) != 3)
        ANYC_TEST_SKIP("no large files here");
    byte_pair_unix(&pair);
    ck_assert_int_eq(anyc_send_file(pair.a, path, far - 2, -1), 5);
    ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "\0\0far", 5);
    ck_assert_int_eq(anyc_send_file(pair.a, path, far + 3, 5), 0);
    ck_assert_int_eq(anyc_send_file(pair.a, path, INT64_MAX, INT64_MAX), 0);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
}

/* The file becomes shorter while it is sent: no more is waited for. What is in the socket already may
 * change with the file, as it is still the file's memory. */
static void check_truncated(void (*make)(struct byte_pair *pair))
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    char path[64];
    int fd = text_file_make("/tmp", path);
    struct sender sender = {.path = path};
    int64_t received;
    char first;

    ck_assert_int_ge(fd, 0);
    make(&pair);
    sender.stream = pair.a;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_to_end, &sender, NULL), 0);
    ck_assert_int_eq(anyc_receive(pair.b, &first, 1), 1); /* it has begun */
    settle();
    ck_assert_int_eq(ftruncate(fd, 1000), 0);
    received = 1 + receive_to_end(pair.b, false);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, received);
    ck_assert_int_lt(sender.rc, LEN);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
}

static void pair_of_one_chunk(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 1);
}

ANYC_TEST(test_send_file_streams__a_file_that_is_cut_meanwhile)
{
    check_truncated(byte_pair_unix_narrow);
    check_truncated(pair_of_one_chunk);
}

static int send_only(void *arg)
{
    struct sender *sender = arg;

    sender->rc = anyc_send_file(sender->stream, sender->path, 0, -1);
    return 0;
}

/* The peer goes in the middle; no SIGPIPE, which would end the test. */
static void check_peer_gone(void (*make)(struct byte_pair *pair))
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    char path[64];
    int fd = text_file_make("/tmp", path);
    struct sender sender = {.path = path};
    char first;

    ck_assert_int_ge(fd, 0);
    make(&pair);
    sender.stream = pair.a;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_only, &sender, NULL), 0);
    ck_assert_int_eq(anyc_receive(pair.b, &first, 1), 1); /* it has begun */
    settle();
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
}

ANYC_TEST(test_send_file_streams__a_peer_that_goes_meanwhile)
{
    check_peer_gone(byte_pair_unix_narrow);
    check_peer_gone(pair_of_one_chunk);
}

/* -- file systems that say nothing of what is cached, or know no sendfile -- */

struct cut_sender {
    anyc_byte_stream *stream;
    int fd;
    int64_t offset;
    int64_t rc;
};

static int send_open_task(void *arg)
{
    struct cut_sender *sender = arg;

    sender->rc =
        anyc_send_open_file(sender->stream, sender->fd, &sender->offset, LEN - sender->offset);
    return 0;
}

/* Send until the socket is full, and cancel it then. */
static void send_until_full(struct cut_sender *sender)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int64_t before = sender->offset;

    sender->rc = 1;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_open_task, sender, NULL), 0);
    settle();
    if (sender->rc == 1)
        ck_assert_int_eq(anyc_send(sender->stream, "x", 1), ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender->rc, sender->offset == LEN ? LEN - before : ANYC_ECANCELLED);
}

/* Cut again and again: nothing is lost, nothing comes twice, and nobody else can send in between. */
static int send_without_help(void *arg)
{
    char path[64];
    struct byte_pair pair;
    struct cut_sender sender = {.fd = text_file_make("/tmp", path)};
    int64_t received = 0;
    char buf[UNIT];

    (void)arg;
    byte_pair_unix_narrow(&pair);
    sender.stream = pair.a;
    fail_syscall_arm(0, EIO);
    while (received < LEN) {
        if (sender.offset < LEN)
            send_until_full(&sender);
        while (received < sender.offset) {
            int64_t left = sender.offset - received;
            ssize_t n = anyc_receive(pair.b, buf, left < UNIT ? (size_t)left : UNIT);

            ck_assert_int_gt(n, 0);
            for (ssize_t i = 0; i < n; i++, received++) {
                if (buf[i] != unit[received % UNIT])
                    ck_abort_msg("other from byte %lld on", (long long)received);
            }
        }
    }
    fail_syscall_disarm();
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    close(sender.fd);
    ck_assert_int_eq(unlink(path), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_send_file_streams__a_file_of_which_nobody_knows_what_is_cached)
{
    fail_syscall_install();
    fail_syscall_always("preadv2", EOPNOTSUPP);
    ck_assert_int_eq(run_on_backend(send_without_help, NULL), 0);
}

ANYC_TEST_PLAIN(test_send_file_streams__a_file_that_sendfile_does_not_take)
{
    fail_syscall_install();
    fail_syscall_always("sendfile", EINVAL);
    ck_assert_int_eq(run_on_backend(send_without_help, NULL), 0);
}
