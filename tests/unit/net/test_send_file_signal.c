/* SPDX-License-Identifier: MIT */
/*
 * test_send_file_signal.c - a sendfile(2) that meets the end of its reader half way: it answers what
 * it has sent, and the signal SIGPIPE comes all the same. The system's does that once in thousands of
 * broken connections, the one here always.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "support/byte_pair.h"
#include "support/stream_job.h"
#include "support/tasks.h"

enum { LEN = 4000 };

static int calls;

ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count)
{
    size_t part = count > 1 ? count / 2 : count;

    calls++;
    if (part < count)
        ck_assert_int_eq(raise(SIGPIPE), 0);
    return syscall(SYS_sendfile, out_fd, in_fd, offset, part);
}

static void make_file(char *path)
{
    char data[LEN] = {0};
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, sizeof data), LEN);
    close(fd);
}

ANYC_TEST(test_send_file_signal__that_comes_with_a_part_is_taken_back)
{
    char path[] = "/tmp/anyc-send-XXXXXX";
    char data[LEN];
    struct byte_pair pair;
    struct job job = {.data = data, .len = sizeof data};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    sigset_t pending;

    make_file(path);
    byte_pair_unix(&pair);
    job.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_all, &job);
    ck_assert_int_eq(anyc_send_file(pair.a, path, 0, -1), LEN);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_gt(calls, 1);
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
    ck_assert_int_eq(unlink(path), 0);
    anyc_aclose(pair.a);
    anyc_aclose(pair.b);
}
