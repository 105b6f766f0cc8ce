/* SPDX-License-Identifier: MIT */
/*
 * test_file_stream.c - files as byte streams.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/path.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

static anyc_byte_stream *read_stream(const char *path)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_ok(anyc_file_read_stream_from_path(path, &stream));
    return stream;
}

static anyc_byte_stream *write_stream(const char *path, bool append)
{
    const anyc_file_write_stream_options options = {.append = append};
    anyc_byte_stream *stream = NULL;

    ck_assert_ok(anyc_file_write_stream_from_path(path, &options, &stream));
    return stream;
}

static void check_hello(const char *path)
{
    anyc_byte_stream *stream = read_stream(path);
    char buf[3];

    ck_assert_int_eq(anyc_receive(stream, buf, 3), 3);
    ck_assert_mem_eq(buf, "Hel", 3);
    ck_assert_int_eq(anyc_receive(stream, buf, 3), 2);
    ck_assert_mem_eq(buf, "lo", 2);
    ck_assert_int_eq(anyc_receive(stream, buf, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_send(stream, "x", 1), -ENOTSUP);
    ck_assert_ok(anyc_aclose(stream));
}

/* ST-031 (TestFileReadStream.test_read_file_as_str). */
ANYC_TEST(test_file_stream__receives_a_file)
{
    struct scratch scratch = scratch_text("Hello");

    check_hello(scratch.path);
    scratch_remove(&scratch);
}

/* ST-031 (TestFileReadStream.test_read_file_as_path). */
ANYC_TEST(test_file_stream__receives_a_file_named_by_a_path)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_path *path = NULL;

    ck_assert_ok(anyc_path_create(scratch.path, NULL, &path));
    check_hello(anyc_path_str(path));
    anyc_path_destroy(path);
    scratch_remove(&scratch);
}

/* ST-032 (TestFileReadStream.test_read_after_close). */
ANYC_TEST(test_file_stream__receives_nothing_after_its_close)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_byte_stream *stream = read_stream(scratch.path);
    char buf[3];

    ck_assert_ok(anyc_close(stream));
    ck_assert_int_eq(anyc_receive(stream, buf, 3), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_stream_seek(stream, 0, SEEK_SET), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_file_stream_tell(stream), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

/* ST-033 (TestFileReadStream.test_receive_invalid_max_bytes); -1 is larger than SSIZE_MAX. */
ANYC_TEST(test_file_stream__refuses_to_receive_nothing)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_byte_stream *stream = read_stream(scratch.path);
    char buf[3];

    ck_assert_int_eq(anyc_receive(stream, buf, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(stream, buf, (size_t)-1), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

/* ST-034 (TestFileReadStream.test_seek). */
ANYC_TEST(test_file_stream__seeks)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_byte_stream *stream = read_stream(scratch.path);
    char buf[10];

    ck_assert_int_eq(anyc_file_stream_seek(stream, 2, SEEK_SET), 2);
    ck_assert_int_eq(anyc_file_stream_tell(stream), 2);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 3);
    ck_assert_mem_eq(buf, "llo", 3);
    ck_assert_int_eq(anyc_file_stream_tell(stream), 5);
    ck_assert_int_eq(anyc_file_stream_seek(stream, -1, SEEK_SET), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

static void check_attributes(anyc_byte_stream *stream, const char *expected)
{
    const char *path = NULL;
    anyc_file *file = NULL;
    int fd = -1;

    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_PATH, &path));
    ck_assert_str_eq(path, expected);
    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_FILENO, &fd));
    ck_assert_int_gt(fd, 2);
    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_FILE, &file));
    ck_assert_int_eq(fileno(anyc_file_wrapped(file)), fd);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_REMOTE_PORT, &fd), ANYC_EATTRIBUTE);
}

/* ST-035 (TestFileReadStream.test_extra_attributes). */
ANYC_TEST(test_file_stream__has_attributes_for_reading)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_byte_stream *stream = read_stream(scratch.path);

    check_attributes(stream, scratch.path);
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

/* ST-036 (TestFileWriteStream.test_write_file). */
ANYC_TEST(test_file_stream__sends_to_a_file)
{
    struct scratch scratch = scratch_text("");
    const struct iovec pieces[] = {{"l", 1}, {"o", 1}};
    anyc_byte_stream *stream;
    char buf[1];

    scratch_remove(&scratch);
    stream = write_stream(scratch.path, false);
    ck_assert_ok(anyc_send(stream, "Hel", 3));
    ck_assert_ok(anyc_sendv(stream, pieces, 2));
    ck_assert_int_eq(anyc_receive(stream, buf, 1), -ENOTSUP);
    ck_assert_ok(anyc_aclose(stream));
    ck_assert_str_eq(content_of_path(scratch.path), "Hello");
    stream = write_stream(scratch.path, true);
    ck_assert_int_eq(anyc_send_some(stream, "!", 1), 1);
    ck_assert_ok(anyc_aclose(stream));
    scratch_end(&scratch, "Hello!");
}

/* ST-037 (TestFileWriteStream.test_write_after_close). */
ANYC_TEST(test_file_stream__sends_nothing_after_its_close)
{
    struct scratch scratch = scratch_text("abc");
    anyc_byte_stream *stream = write_stream(scratch.path, true);

    ck_assert_ok(anyc_close(stream));
    ck_assert_int_eq(anyc_send(stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(stream, "", 0), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(stream));
    scratch_end(&scratch, "abc");
}

/* ST-038 (TestFileWriteStream.test_extra_attributes). */
ANYC_TEST(test_file_stream__has_attributes_for_writing)
{
    struct scratch scratch = scratch_text("");
    anyc_byte_stream *stream = write_stream(scratch.path, false);

    check_attributes(stream, scratch.path);
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_stream__takes_an_open_file)
{
    int writer;
    anyc_byte_stream *stream = NULL;
    const char *path;
    char buf[10];

    ck_assert_ok(anyc_file_read_stream_create(file_of_pipe(&writer), &stream));
    ck_assert_int_eq(anyc_extra(stream, &ANYC_FILE_PATH, &path), ANYC_EATTRIBUTE);
    ck_assert_int_eq(write(writer, "abc", 3), 3);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 3); /* it does not wait for more */
    close(writer);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_ok(anyc_aclose(stream));
}

/* ST-R015: the system's failures are BROKEN, and say which. */
ANYC_TEST(test_file_stream__tells_of_failures)
{
    static const char much[100000];
    anyc_byte_stream *stream = NULL;
    char c;

    ck_assert_int_eq(anyc_file_read_stream_from_path("/no/such", &stream), -ENOENT);
    stream = write_stream("/dev/full", false);
    ck_assert_int_eq(anyc_send(stream, much, sizeof much), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOSPC);
    (void)anyc_aclose(stream); /* what is left in the buffer decides */
    stream = write_stream("/dev/full", false);
    ck_assert_ok(anyc_send(stream, "x", 1));
    ck_assert_int_eq(anyc_aclose(stream), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOSPC);
    stream = read_stream("/proc/self/mem");
    ck_assert_int_eq(anyc_receive(stream, &c, 1), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, EIO);
    ck_assert_ok(anyc_aclose(stream));
}

/* ST-R015: the end is not final. */
ANYC_TEST(test_file_stream__goes_on_when_the_file_has_grown)
{
    struct scratch scratch = scratch_text("a");
    anyc_byte_stream *stream = read_stream(scratch.path);
    anyc_byte_stream *other = write_stream(scratch.path, true);
    char c;

    ck_assert_int_eq(anyc_receive(stream, &c, 1), 1);
    ck_assert_int_eq(anyc_receive(stream, &c, 1), ANYC_EOF);
    ck_assert_ok(anyc_send(other, "b", 1));
    ck_assert_ok(anyc_aclose(other));
    ck_assert_int_eq(anyc_receive(stream, &c, 1), 1);
    ck_assert_int_eq(c, 'b');
    ck_assert_ok(anyc_aclose(stream));
    scratch_remove(&scratch);
}

/* What has no positions. */
ANYC_TEST(test_file_stream__does_not_seek_in_a_pipe)
{
    int writer;
    anyc_byte_stream *stream = NULL;
    anyc_byte_stream *other = NULL;

    ck_assert_ok(anyc_file_read_stream_create(file_of_pipe(&writer), &stream));
    ck_assert_int_eq(anyc_file_stream_seek(stream, 0, SEEK_SET), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ESPIPE);
    ck_assert_int_eq(anyc_file_stream_tell(stream), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_file_stream_seek(stream, 0, 99), ANYC_EINVAL);
    close(writer);
    ck_assert_ok(anyc_aclose(stream));
    ck_assert_ok(anyc_stapled_byte_stream_create(write_stream("/dev/null", false),
                                                 read_stream("/dev/null"), &other));
    ck_assert_int_eq(anyc_file_stream_seek(other, 0, SEEK_SET), ANYC_EINVAL);
    ck_assert_int_eq(anyc_file_stream_tell(other), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(other));
}

/* Write streams have positions too; those that append write at the end all the same. */
ANYC_TEST(test_file_stream__seeks_for_writing)
{
    struct scratch scratch = scratch_text("Hello");
    anyc_byte_stream *stream = write_stream(scratch.path, true);

    ck_assert_int_eq(anyc_file_stream_tell(stream), 5);
    ck_assert_int_eq(anyc_file_stream_seek(stream, 0, SEEK_SET), 0);
    ck_assert_ok(anyc_send(stream, "!", 1));
    ck_assert_int_eq(anyc_file_stream_tell(stream), 6);
    ck_assert_ok(anyc_aclose(stream));
    ck_assert_str_eq(content_of_path(scratch.path), "Hello!");
    stream = write_stream(scratch.path, false); /* it is empty now */
    ck_assert_ok(anyc_send(stream, "abcd", 4));
    ck_assert_int_eq(anyc_file_stream_seek(stream, -3, SEEK_END), 1);
    ck_assert_ok(anyc_send(stream, "XY", 2));
    ck_assert_ok(anyc_aclose(stream));
    scratch_end(&scratch, "aXYd");
}

/* What is known without the file stays known. */
ANYC_TEST(test_file_stream__has_a_path_when_it_is_closed)
{
    anyc_byte_stream *stream = read_stream("/dev/null");
    anyc_file *file = NULL;
    const char *path = NULL;
    int fd = -1;

    ck_assert_ok(anyc_close(stream));
    ck_assert_ok(anyc_close(stream));
    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_PATH, &path));
    ck_assert_str_eq(path, "/dev/null");
    ck_assert_ok(anyc_extra(stream, &ANYC_FILE_FILE, &file));
    ck_assert(anyc_file_closed(file));
    ck_assert_int_eq(anyc_extra(stream, &ANYC_FILE_FILENO, &fd), ANYC_ECLOSED);
    ck_assert_ok(anyc_aclose(stream));
}

/* All of a file in pieces that are smaller and larger than the buffer. */
ANYC_TEST(test_file_stream__receives_all_in_any_pieces)
{
    static const size_t sizes[] = {1, 100, 4095, 4096, 4097, 50000};
    static char data[20000];
    static char buf[50000];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct scratch scratch = scratch_make(data, sizeof data);
        anyc_byte_stream *stream = read_stream(scratch.path);
        size_t done = 0;
        ssize_t n = anyc_receive(stream, buf, sizes[i]);

        for (; n > 0; n = anyc_receive(stream, buf, sizes[i])) {
            ck_assert_mem_eq(buf, data + done, (size_t)n);
            done += (size_t)n;
        }
        ck_assert_int_eq(n, ANYC_EOF);
        ck_assert_uint_eq(done, sizeof data);
        ck_assert_ok(anyc_aclose(stream));
        scratch_remove(&scratch);
    }
}

struct receiver {
    anyc_byte_stream *stream;
    ssize_t n; /* 99: it has not ended */
};

static int receiver_task(void *arg)
{
    struct receiver *receiver = arg;
    char buf[10];

    receiver->n = anyc_receive(receiver->stream, buf, sizeof buf);
    return 0;
}

/* ST-R015: a cancelled call waits for its thread. */
ANYC_TEST(test_file_stream__waits_for_its_thread)
{
    struct receiver receiver = {.n = 99};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char c;
    int writer;

    ck_assert_ok(anyc_file_read_stream_create(file_of_pipe(&writer), &receiver.stream));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, receiver_task, &receiver);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_receive(receiver.stream, &c, 1), ANYC_EBUSY);
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    ck_assert_int_eq(write(writer, "abc", 3), 3);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(receiver.n, 3);
    close(writer);
    ck_assert_ok(anyc_aclose(receiver.stream));
}

static int closer_task(void *arg)
{
    return anyc_aclose((anyc_byte_stream *)arg);
}

/* Who closes it waits for the call; by force, nobody waits. */
ANYC_TEST(test_file_stream__is_closed_in_the_middle_of_a_call)
{
    for (int force = 0; force < 2; force++) {
        struct receiver receiver = {.n = 99};
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        int writer;

        ck_assert_ok(anyc_file_read_stream_create(file_of_pipe(&writer), &receiver.stream));
        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, receiver_task, &receiver);
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        if (force == 1)
            anyc_aclose_forcefully(receiver.stream);
        else
            spawn(&group, closer_task, receiver.stream);
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_int_eq(receiver.n, 99);
        ck_assert_int_eq(write(writer, "abc", 3), 3);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
        ck_assert_int_eq(receiver.n, 3);
        close(writer);
    }
}

struct scarce {
    long n;      /* the allocation that fails */
    bool failed; /* there was such a one */
};

static int scarce_stream(void *arg)
{
    struct scarce *scarce = arg;
    anyc_byte_stream *stream = NULL;
    char c;
    ssize_t rc;

    fail_alloc_arm(scarce->n);
    rc = anyc_file_read_stream_from_path("/dev/zero", &stream);
    if (rc == 0)
        rc = anyc_receive(stream, &c, 1);
    scarce->failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, scarce->failed && stream == NULL ? ANYC_ENOMEM : 1);
    return stream != NULL ? anyc_aclose(stream) : 0;
}

ANYC_TEST_PLAIN(test_file_stream__leaves_nothing_behind_without_memory)
{
    struct scarce scarce = {1, true};

    fail_alloc_install();
    for (; scarce.failed; scarce.n++) {
        ck_assert_ok(run_on_backend(scarce_stream, &scarce));
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_gt(scarce.n, 3);
    ck_assert_ok(anyc_set_allocator(NULL));
}
