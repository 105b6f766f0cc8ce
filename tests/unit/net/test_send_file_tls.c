/* SPDX-License-Identifier: MIT */
/*
 * test_send_file_tls.c - files over TLS, which go through memory.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/byte_pair.h"
#include "support/stream_job.h"
#include "support/tls_pair.h"

enum { LEN = 700001 }; /* bytes: several parts */

struct sender {
    anyc_byte_stream *stream;
    const char *path;
    int64_t rc;
};

static int send_file_task(void *arg)
{
    struct sender *sender = arg;

    sender->rc = anyc_send_file(sender->stream, sender->path, 1000, -1);
    return 0;
}

ANYC_TEST(test_send_file_tls__sends_a_file)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char path[] = "/tmp/anyc-send-XXXXXX";
    int fd = mkstemp(path);
    char *data = malloc(LEN);
    char *got = malloc(LEN);
    struct byte_pair pair;
    struct sender sender = {.path = path};
    struct job job = {.data = got, .len = LEN - 1000};

    for (size_t i = 0; i < LEN; i++)
        data[i] = (char)(i * 7 + i / 1000);
    ck_assert_int_eq(write(fd, data, LEN), LEN);
    byte_pair_unix(&pair);
    tls_pair_wrap(&pair, NULL);
    sender.stream = pair.a;
    job.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_file_task, &sender, NULL), 0);
    ck_assert_int_eq(receive_all(&job), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, LEN - 1000);
    ck_assert_mem_eq(got, data + 1000, LEN - 1000);
    tls_pair_close(&pair);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
    free(got);
    free(data);
}
