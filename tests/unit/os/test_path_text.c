/* SPDX-License-Identifier: MIT */
/*
 * test_path_text.c - whole contents of files as text.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include "path_tree.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"

/* Bytes of a file and the text that they are. */
struct form {
    const char *encoding;
    const char *bytes;
    size_t bytes_len;
    const char *text;
};

#define FORM(encoding, bytes, text)              \
    {                                            \
        encoding, bytes, sizeof(bytes) - 1, text \
    }

static void tree_put(const struct tree *tree, const char *bytes, size_t len)
{
    FILE *file = fopen(tree_text(tree, "file"), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    ck_assert_ok(fclose(file));
}

/* The file holds these bytes. */
static void expect_bytes(const anyc_path *path, const char *bytes, size_t len)
{
    uint8_t *found = NULL;
    size_t found_len = 0;

    ck_assert_ok(anyc_path_read_bytes(path, &found, &found_len));
    ck_assert_uint_eq(found_len, len);
    ck_assert_mem_eq(found, bytes, len);
    anyc_path_free(found);
}

static void expect_text(const anyc_path *path, const anyc_path_text_options *options,
                        const char *expected)
{
    char *text = NULL;
    size_t len = 0;

    ck_assert_ok(anyc_path_read_text(path, options, &text, &len));
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(len, strlen(expected));
    anyc_path_free(text);
}

/* What Python's codecs of these names do, marks included; an empty text has one too. */
ANYC_TEST(test_path_text__encodings_and_their_marks)
{
    static const struct form forms[] = {
        FORM(NULL, "h\xC3\xA9", "h\xC3\xA9"),
        FORM("utf_8", "\xEF\xBB\xBFx", "\xEF\xBB\xBFx"),
        FORM("UTF-8-SIG", "\xEF\xBB\xBFx", "x"),
        FORM("utf_8_sig", "\xEF\xBB\xBF", ""),
        FORM("latin-1", "h\xE9", "h\xC3\xA9"),
        FORM("CP1252", "\x80", "\xE2\x82\xAC"),
        FORM("UTF-16BE", "\0h\x20\xAC", "h\xE2\x82\xAC"),
        FORM("UTF-32LE", "\x00\xF6\x01\x00", "\xF0\x9F\x98\x80"),
        FORM("shift_jis", "\x83\x65", "\xE3\x83\x86"),
        FORM("ISO-2022-JP", "\x1B$B%F\x1B(B", "\xE3\x83\x86"),
    };
    struct tree tree;
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *form = &forms[i];
        anyc_path_text_options options = {.encoding = form->encoding};

        tree_put(&tree, form->bytes, form->bytes_len);
        expect_text(path, &options, form->text);
        tree_put(&tree, "old", 3);
        ck_assert_ok(anyc_path_write_text(path, form->text, strlen(form->text), &options));
        expect_bytes(path, form->bytes, form->bytes_len);
    }
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_text__a_mark_tells_the_byte_order)
{
    anyc_path_text_options options = {.encoding = "UTF-16"};
    struct tree tree;
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    tree_put(&tree, "\xFE\xFF\0a", 4);
    expect_text(path, &options, "a");
    tree_put(&tree, "\xFF\xFE\x61\0", 4);
    expect_text(path, &options, "a");
    ck_assert_ok(anyc_path_write_text(path, "a", 1, &options));
    expect_text(path, &options, "a");
    ck_assert_ok(anyc_path_write_text(path, "", 0, &options));
    expect_text(path, &(anyc_path_text_options){.encoding = "UTF-16LE"},
                __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "\xEF\xBB\xBF" : "\xEF\xBF\xBE");
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_text__what_cannot_be_decoded)
{
    static const char *const expected[] = {
        [ANYC_TEXT_IGNORE] = "ab",
        [ANYC_TEXT_REPLACE] = "a\xEF\xBF\xBD"
                              "b\xEF\xBF\xBD",
        [ANYC_TEXT_BACKSLASHREPLACE] = "a\\xffb\\xe2\\x82",
    };
    anyc_path_text_options options = {.errors = ANYC_TEXT_STRICT};
    struct tree tree;
    anyc_path *path;
    char *text = NULL;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    tree_put(&tree,
             "a\xFF"
             "b\xE2\x82",
             5);
    ck_assert_int_eq(anyc_path_read_text(path, &options, &text, NULL), ANYC_EDECODE);
    ck_assert_ptr_null(text);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, tree.folder));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "0xff at offset 1"));
    for (int i = ANYC_TEXT_IGNORE; i <= ANYC_TEXT_BACKSLASHREPLACE; i++) {
        options.errors = (anyc_text_errors)i;
        expect_text(path, &options, expected[i]);
    }
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_text__what_cannot_be_encoded)
{
    static const char *const expected[] = {
        [ANYC_TEXT_STRICT] = "old",
        [ANYC_TEXT_IGNORE] = "ab",
        [ANYC_TEXT_REPLACE] = "a?b",
        [ANYC_TEXT_BACKSLASHREPLACE] = "a\\u20acb",
    };
    struct tree tree;
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    for (int i = ANYC_TEXT_STRICT; i <= ANYC_TEXT_BACKSLASHREPLACE; i++) {
        anyc_path_text_options options = {.encoding = "latin1", .errors = (anyc_text_errors)i};

        tree_put(&tree, "old", 3);
        ck_assert_int_eq(anyc_path_write_text(path,
                                              "a\xE2\x82\xAC"
                                              "b",
                                              5, &options),
                         i == ANYC_TEXT_STRICT ? ANYC_EENCODE : 0);
        tree_expect(&tree, "file", expected[i]);
    }
    ck_assert_int_eq(anyc_path_write_text(path, "\xE2\x82", 2, NULL), ANYC_EENCODE); /* cut */
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, tree.folder));
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_text__forms_of_line_ends)
{
    static const struct {
        const char *newline;
        const char *written; /* of "a\nb\r\nc\r" */
        const char *read;    /* of the same bytes */
    } rows[] = {
        {NULL, "a\nb\r\nc\r", "a\nb\nc\n"},         {"", "a\nb\r\nc\r", "a\nb\r\nc\r"},
        {"\n", "a\nb\r\nc\r", "a\nb\r\nc\r"},       {"\r", "a\rb\r\rc\r", "a\nb\r\nc\r"},
        {"\r\n", "a\r\nb\r\r\nc\r", "a\nb\r\nc\r"},
    };
    const char *text = "a\nb\r\nc\r";
    struct tree tree;
    anyc_path *path;

    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        anyc_path_text_options options = {.newline = rows[i].newline};

        ck_assert_ok(anyc_path_write_text(path, text, strlen(text), &options));
        expect_bytes(path, rows[i].written, strlen(rows[i].written));
        tree_put(&tree, text, strlen(text));
        expect_text(path, &options, rows[i].read);
    }
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

ANYC_TEST(test_path_text__refuses_unknown_names)
{
    static const char *const names[] = {"", "no-such-code", "UTF-8//IGNORE", "ascii//TRANSLIT"};
    struct tree tree;
    anyc_path *path;
    char *text = NULL;

    tree_init(&tree, false);
    tree_write(&tree, "file", "old");
    path = tree_path(&tree, "file");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        anyc_path_text_options options = {.encoding = names[i]};

        ck_assert_int_eq(anyc_path_read_text(path, &options, &text, NULL), ANYC_EINVAL);
        ck_assert_int_eq(anyc_path_write_text(path, "x", 1, &options), ANYC_EINVAL);
    }
    ck_assert_int_eq(
        anyc_path_read_text(path, &(anyc_path_text_options){.newline = "\n\n"}, &text, NULL),
        ANYC_EINVAL);
    tree_expect(&tree, "file", "old");
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

/* Larger than any buffer at first, and with NULs. */
ANYC_TEST(test_path_text__long_texts_come_back_whole)
{
    enum { LEN = 300001 };
    anyc_path_text_options options = {.encoding = "UTF-16BE", .newline = ""};
    static char text[LEN];
    struct tree tree;
    anyc_path *path;
    char *back = NULL;
    size_t len = 0;

    for (size_t i = 0; i < LEN; i++)
        text[i] = (char)(i % 127);
    tree_init(&tree, false);
    path = tree_path(&tree, "file");
    ck_assert_ok(anyc_path_write_text(path, text, LEN, &options));
    ck_assert_ok(anyc_path_read_text(path, &options, &back, &len));
    ck_assert_uint_eq(len, LEN);
    ck_assert_mem_eq(back, text, LEN);
    anyc_path_free(back);
    anyc_path_destroy(path);
    tree_deinit(&tree);
}

struct oom_text {
    const struct tree *tree;
    const char *encoding;
    long n;
    bool failed;
};

static int oom_text_main(void *arg)
{
    struct oom_text *job = arg;
    anyc_path_text_options options = {.encoding = job->encoding, .newline = "\r\n"};
    anyc_path *path = tree_path(job->tree, "file");
    char *text = NULL;
    int rc;

    fail_alloc_arm(job->n);
    rc = anyc_path_write_text(path, "a\n", 2, &options);
    if (rc == 0)
        rc = anyc_path_read_text(path, &options, &text, NULL);
    job->failed = fail_alloc_disarm();
    ck_assert(rc == 0 || (job->failed && rc == ANYC_ENOMEM));
    if (rc == 0)
        ck_assert_str_eq(text, "a\r\n");
    anyc_path_free(text);
    anyc_path_destroy(path);
    return 0;
}

ANYC_TEST_PLAIN(test_path_text__out_of_memory_is_an_answer)
{
    static const char *const encodings[] = {NULL, "UTF-8-SIG", "UTF-16", "latin1"};
    struct tree tree;

    tree_init(&tree, false);
    fail_alloc_install();
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        struct oom_text job = {.tree = &tree, .encoding = encodings[i], .failed = true};

        for (job.n = 1; job.failed; job.n++)
            ck_assert_ok(run_on_backend(oom_text_main, &job));
    }
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
    tree_deinit(&tree);
}
