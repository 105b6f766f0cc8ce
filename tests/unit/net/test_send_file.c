/* SPDX-License-Identifier: MIT */
/*
 * test_send_file.c - files over sockets, by the system, and over other streams, through memory.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/byte_pair.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/stream_job.h"
#include "support/tasks.h"

enum { LARGE = 1500000 }; /* bytes: several parts, the last one not full */

struct sent_file {
    char path[64];
    char *data;
    size_t len;
};

static struct sent_file sent_file_make(size_t len)
{
    struct sent_file file = {.path = "/tmp/anyc-send-XXXXXX", .data = malloc(len + 1), .len = len};
    int fd = mkostemp(file.path, O_CLOEXEC);

    for (size_t i = 0; i < len; i++)
        file.data[i] = (char)(i * 7 + i / 1000);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, file.data, len), (ssize_t)len);
    close(fd);
    return file;
}

static void sent_file_end(const struct sent_file *file)
{
    ck_assert_int_eq(unlink(file->path), 0);
    free(file->data);
}

static struct byte_pair pair_of(void (*make)(struct byte_pair *pair))
{
    struct byte_pair pair;

    make(&pair);
    return pair;
}

static void pair_of_objects(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 4);
}

static void pair_end(struct byte_pair *pair)
{
    anyc_aclose(pair->a);
    anyc_aclose(pair->b);
}

static void check_sent(void (*make)(struct byte_pair *pair), int64_t offset, int64_t count)
{
    struct sent_file file = sent_file_make(LARGE);
    struct byte_pair pair = pair_of(make);
    size_t len = count < 0 ? LARGE - (size_t)offset : (size_t)count;
    struct job job = {.stream = pair.b, .data = malloc(len), .len = len};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_all, &job);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, offset, count), (int64_t)len);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_mem_eq(job.data, file.data + offset, len);
    free(job.data);
    pair_end(&pair);
    sent_file_end(&file);
}

ANYC_TEST(test_send_file__sends_a_file_over_a_socket)
{
    check_sent(byte_pair_unix, 0, -1);
}

ANYC_TEST(test_send_file__sends_a_file_over_any_stream)
{
    check_sent(pair_of_objects, 0, -1);
}

ANYC_TEST(test_send_file__sends_a_part_over_a_socket)
{
    check_sent(byte_pair_unix_narrow, 123456, 700001);
}

ANYC_TEST(test_send_file__sends_a_part_over_any_stream)
{
    check_sent(pair_of_objects, 123456, 700001);
}

ANYC_TEST(test_send_file__sends_no_more_than_there_is)
{
    struct sent_file file = sent_file_make(10);
    struct byte_pair pair = pair_of(byte_pair_unix);
    char buf[20];

    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 4, 100), 6);
    ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 6);
    ck_assert_mem_eq(buf, file.data + 4, 6);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 10, -1), 0);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 11, 5), 0);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 0, 0), 0);
    pair_end(&pair);
    sent_file_end(&file);
}

ANYC_TEST(test_send_file__refuses_what_is_no_file)
{
    struct byte_pair pair = pair_of(byte_pair_unix);

    ck_assert_int_eq(anyc_send_file(pair.a, "/no/such", 0, -1), -ENOENT);
    ck_assert_int_eq(anyc_send_file(pair.a, "/tmp", 0, -1), -EISDIR);
    ck_assert_int_eq(anyc_send_file(pair.a, "/dev/null", 0, -1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_file(pair.a, NULL, 0, -1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_file(pair.a, "/etc/passwd", -1, -1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_file(pair.a, "/etc/passwd", 0, -2), ANYC_EINVAL);
    pair_end(&pair);
}

ANYC_TEST(test_send_file__tells_a_closed_stream)
{
    struct sent_file file = sent_file_make(10);
    struct byte_pair pair = pair_of(byte_pair_unix);

    anyc_close(pair.a);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 0, -1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 0, 0), ANYC_ECLOSED);
    pair_end(&pair);
    sent_file_end(&file);
}

/* No SIGPIPE: it would end the test. */
ANYC_TEST(test_send_file__tells_that_the_peer_has_gone)
{
    struct sent_file file = sent_file_make(LARGE);
    struct byte_pair pair = pair_of(byte_pair_unix);

    signal(SIGPIPE, SIG_DFL);
    anyc_close(pair.b);
    ck_assert_int_eq(anyc_send_file(pair.a, file.path, 0, -1), ANYC_EBROKEN);
    pair_end(&pair);
    sent_file_end(&file);
}

struct file_job {
    anyc_byte_stream *stream;
    const char *path;
    int64_t rc;
};

static int send_file_task(void *arg)
{
    struct file_job *job = arg;

    job->rc = anyc_send_file(job->stream, job->path, 0, -1);
    if (job->rc == ANYC_ECANCELLED)
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "of 1500000 bytes"));
    return 0;
}

/* One sender at a time; a cancelled one says how far it came; so does a stream that is closed. */
ANYC_TEST(test_send_file__can_be_cancelled)
{
    struct sent_file file = sent_file_make(LARGE);
    struct byte_pair pair = pair_of(byte_pair_unix_narrow);
    struct file_job job = {pair.a, file.path, 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char first;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_file_task, &job, NULL), 0);
    ck_assert_int_eq(anyc_receive(pair.b, &first, 1), 1); /* it has begun */
    settle();
    ck_assert_int_eq(anyc_send(pair.a, "x", 1), ANYC_EBUSY);
    ck_assert_int_eq(job.rc, 1);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    pair_end(&pair);
    sent_file_end(&file);
}

ANYC_TEST(test_send_file__ends_when_the_stream_is_closed)
{
    struct sent_file file = sent_file_make(LARGE);
    struct byte_pair pair = pair_of(byte_pair_unix_narrow);
    struct file_job job = {pair.a, file.path, 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char first;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_file_task, &job, NULL), 0);
    ck_assert_int_eq(anyc_receive(pair.b, &first, 1), 1); /* it has begun */
    settle();
    anyc_close(pair.a);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    pair_end(&pair);
    sent_file_end(&file);
}

/* -- a file that is open -- */

struct open_job {
    anyc_byte_stream *stream;
    int fd;
    int64_t offset;
    int64_t rc;
};

static int send_open_task(void *arg)
{
    struct open_job *job = arg;

    job->rc = anyc_send_open_file(job->stream, job->fd, &job->offset, LARGE - job->offset);
    return 0;
}

/* Let it send until the socket is full, and cancel it then. */
static void send_open_cut(struct open_job *job)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_open_task, job, NULL), 0);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
}

/* Whoever cancels it knows where to go on: nothing is lost, nothing comes twice. */
ANYC_TEST(test_send_file__goes_on_where_it_was_cancelled)
{
    struct sent_file file = sent_file_make(LARGE);
    struct byte_pair pair = pair_of(byte_pair_unix_narrow);
    struct open_job job = {pair.a, open(file.path, O_RDONLY | O_CLOEXEC), 0, ANYC_ECANCELLED};
    char *data = malloc(LARGE);
    int64_t received = 0;

    while (received < LARGE) {
        ssize_t n = 1;

        if (job.offset < LARGE)
            send_open_cut(&job);
        for (; n > 0 && received < job.offset; received += n)
            n = anyc_receive(pair.b, data + received, (size_t)(job.offset - received));
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(job.rc < 0, job.offset < LARGE);
        ck_assert(job.rc >= 0 || job.rc == ANYC_ECANCELLED);
    }
    ck_assert_mem_eq(data, file.data, LARGE);
    free(data);
    close(job.fd);
    pair_end(&pair);
    sent_file_end(&file);
}

ANYC_TEST(test_send_file__sends_a_part_of_an_open_file)
{
    void (*const makers[])(struct byte_pair *) = {byte_pair_unix, pair_of_objects};
    struct sent_file file = sent_file_make(10);
    int fd = open(file.path, O_RDONLY | O_CLOEXEC);

    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        struct byte_pair pair = pair_of(makers[i]);
        int64_t offset = 2;
        char buf[20];

        ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 3), 3);
        ck_assert_int_eq(offset, 5);
        ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 3);
        ck_assert_mem_eq(buf, file.data + 2, 3);
        ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 100), 5);
        ck_assert_int_eq(offset, 10);
        ck_assert_int_eq(anyc_receive(pair.b, buf, sizeof buf), 5);
        ck_assert_mem_eq(buf, file.data + 5, 5);
        ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 100), 0);
        ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 0), 0);
        ck_assert_int_eq(offset, 10);
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
        pair_end(&pair);
    }
    close(fd);
    sent_file_end(&file);
}

ANYC_TEST(test_send_file__refuses_what_is_no_open_file)
{
    struct byte_pair pair = pair_of(byte_pair_unix);
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int64_t offset = -1;

    ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_open_file(pair.a, fd, NULL, 1), ANYC_EINVAL);
    offset = 1;
    ck_assert_int_eq(anyc_send_open_file(pair.a, -1, &offset, 1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, -1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, INT64_MAX), ANYC_EINVAL);
    anyc_close(pair.a);
    ck_assert_int_eq(anyc_send_open_file(pair.a, fd, &offset, 1), ANYC_ECLOSED);
    ck_assert_int_eq(offset, 1);
    close(fd);
    pair_end(&pair);
}

ANYC_TEST(test_send_file__tells_that_descriptors_are_out)
{
    struct byte_pair pair = pair_of(byte_pair_unix);
    struct rlimit old = limit_fds(0);
    int64_t n = anyc_send_file(pair.a, "/etc/passwd", 0, -1);

    unlimit_fds(&old);
    ck_assert_int_eq(n, -EMFILE);
    pair_end(&pair);
}

struct scarce {
    long n;      /* the allocation that fails */
    bool failed; /* there was such a one */
    const char *path;
};

static int scarce_sends(void *arg)
{
    struct scarce *scarce = arg;
    struct byte_pair pair = pair_of(pair_of_objects);
    int64_t n;

    fail_alloc_arm(scarce->n);
    n = anyc_send_file(pair.a, scarce->path, 0, -1);
    scarce->failed = fail_alloc_disarm();
    ck_assert_int_eq(n, scarce->failed ? ANYC_ENOMEM : 10);
    pair_end(&pair);
    return 0;
}

ANYC_TEST_PLAIN(test_send_file__leaves_nothing_behind_without_memory)
{
    struct sent_file file = sent_file_make(10);
    struct scarce scarce = {1, true, file.path};

    fail_alloc_install();
    for (; scarce.failed; scarce.n++) {
        ck_assert_int_eq(run_on_backend(scarce_sends, &scarce), 0);
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_eq(anyc_set_allocator(NULL), 0);
    sent_file_end(&file);
}
