/* SPDX-License-Identifier: MIT */
/*
 * test_file_model.c - long random turns of reading, writing, seeking and cutting, on disk and
 * spooled, against a model: some bytes and a position.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/steps.h"

#define MODEL_ROOM 65536 /* bytes; steps keep away from the end */
#define MODEL_STEPS 600

struct model {
    char data[MODEL_ROOM];
    int64_t len;
    int64_t position;
    bool append;
    uint32_t seed;
    anyc_file *file;
};

static uint32_t model_random(struct model *model, uint32_t below)
{
    model->seed = model->seed * 1664525 + 1013904223;
    return (model->seed >> 8) % below;
}

/* Mostly little, now and then more than a buffer of stdio, or just that. */
static int64_t model_size(struct model *model)
{
    static const int64_t sizes[] = {1, 2, 7, 64, 100, 1000, 4095, 4096, 4097, 9000};

    return sizes[model_random(model, sizeof sizes / sizeof *sizes)];
}

static int64_t model_left(const struct model *model)
{
    return model->len > model->position ? model->len - model->position : 0;
}

static void model_check_read(struct model *model, const void *data, int64_t n, int64_t expected)
{
    ck_assert_int_eq(n, expected);
    if (n > 0)
        ck_assert_mem_eq(data, model->data + model->position, (size_t)n);
    model->position += n;
}

static void model_read(struct model *model)
{
    int64_t size = model_size(model);
    int64_t left = model_left(model);
    anyc_bytes bytes;

    ck_assert_ok(anyc_file_read(model->file, (size_t)size, &bytes));
    ck_assert_int_eq(((char *)bytes.data)[bytes.len], '\0');
    model_check_read(model, bytes.data, (int64_t)bytes.len, size < left ? size : left);
    anyc_bytes_deinit(&bytes);
}

static int64_t model_line(const struct model *model, int64_t max)
{
    int64_t left = model_left(model);
    const char *from = model->data + model->position;
    const char *end = left > 0 ? memchr(from, '\n', (size_t)left) : NULL;
    int64_t len = end != NULL ? end + 1 - from : left;

    return len < max ? len : max;
}

static void model_readline(struct model *model)
{
    int64_t max = model_random(model, 2) == 0 ? INT64_MAX : model_size(model);
    anyc_bytes line;

    ck_assert_ok(anyc_file_readline(model->file, (size_t)max, &line));
    model_check_read(model, line.data, (int64_t)line.len, model_line(model, max));
    anyc_bytes_deinit(&line);
}

static void model_next_line(struct model *model)
{
    int64_t expected = model_line(model, INT64_MAX);
    char *line = NULL;
    ssize_t n = anyc_file_next_line(model->file, &line);

    if (expected == 0)
        ck_assert_int_eq(n, ANYC_EOF);
    else
        model_check_read(model, line, n, expected);
}

static void model_write(struct model *model)
{
    int64_t size = model_size(model);
    char *to;

    if (model->append)
        model->position = model->len;
    if (model->position + size > MODEL_ROOM)
        return;
    to = model->data + model->position;
    for (int64_t i = 0; i < size; i++)
        to[i] = model_random(model, 50) == 0 ? '\n' : (char)model_random(model, 256);
    ck_assert_int_eq(anyc_file_write(model->file, to, (size_t)size), size);
    model->position += size;
    if (model->len < model->position)
        model->len = model->position;
}

static void model_seek(struct model *model)
{
    int whence = (int)model_random(model, 3);
    int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? model->position : model->len;
    int64_t offset = model_size(model) * (model_random(model, 2) == 0 ? 1 : -1);

    if (from + offset > MODEL_ROOM - 10000)
        offset = -from;
    if (from + offset < 0) {
        ck_assert_int_eq(anyc_file_seek(model->file, offset, whence), ANYC_EINVAL);
        return;
    }
    model->position = from + offset;
    ck_assert_int_eq(anyc_file_seek(model->file, offset, whence), model->position);
}

static void model_truncate(struct model *model)
{
    int64_t size = model_random(model, 2) == 0 ? -1 : model_size(model);
    int64_t len = size < 0 ? model->position : size;

    ck_assert_int_eq(anyc_file_truncate(model->file, size), len);
    if (len < model->len)
        memset(model->data + len, 0, (size_t)(model->len - len));
    model->len = len;
}

static void model_step(struct model *model)
{
    static void (*const steps[])(struct model *) = {
        model_read, model_readline, model_next_line, model_next_line, model_write,
        model_read, model_write,    model_write,     model_seek,      model_truncate};

    steps[model_random(model, sizeof steps / sizeof *steps)](model);
    if (model_random(model, 4) == 0)
        ck_assert_int_eq(anyc_file_tell(model->file), model->position);
    if (model_random(model, 10) == 0)
        ck_assert_ok(anyc_file_flush(model->file));
}

/* All steps, and the whole content in the end. */
static void model_run(anyc_file *file, uint32_t seed, bool append)
{
    struct model *model = calloc(1, sizeof *model);

    model->file = file;
    model->seed = seed;
    model->append = append;
    for (int i = 0; i < MODEL_STEPS; i++)
        model_step(model);
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    model->position = 0;
    while (model_left(model) > 0)
        model_read(model);
    ck_assert_ok(anyc_aclose(file));
    free(model);
}

static void check_mode(const char *mode)
{
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct scratch scratch = scratch_text("");

        model_run(file_open(scratch.path, mode), seed, mode[0] == 'a');
        scratch_remove(&scratch);
    }
}

ANYC_TEST(test_file_model__reads_and_writes)
{
    check_mode("r+");
    check_mode("w+b");
}

ANYC_TEST(test_file_model__reads_and_appends)
{
    check_mode("a+");
}

/* OS-R019, OS-R028: in memory, on disk, and on the way. */
ANYC_TEST(test_file_model__spools)
{
    static const size_t sizes[] = {0, 1, 100, 5000, 20000, 10 * MODEL_ROOM, SIZE_MAX};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const anyc_spooled_temporary_file_options options = {.max_size = sizes[i]};
        anyc_file *file = NULL;

        ck_assert_ok(anyc_spooled_temporary_file(&options, &file));
        model_run(file, (uint32_t)i + 7, false);
    }
}
