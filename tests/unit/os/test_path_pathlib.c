/* SPDX-License-Identifier: MIT */
/*
 * test_path_pathlib.c - the same answers as pathlib of python3 to thousands of questions, which
 * path_pathlib.py makes up.
 */
#include <anyc/path.h>
#include <anyc/testing.h>

#include "path_tree.h"
#include "support/program.h"

enum { ANSWER_ROOM = 1 << 23, QUESTIONS_LEAST = 9000 };

/* What a function answered, as the script writes it. */
struct answer {
    bool error;
    size_t len;
    char text[ANSWER_ROOM];
};

static void answer_add(struct answer *answer, const char *text, size_t len)
{
    ck_assert_uint_lt(answer->len + len, ANSWER_ROOM);
    memcpy(answer->text + answer->len, text, len);
    answer->len += len;
}

static void answer_text(struct answer *answer, const char *text)
{
    answer_add(answer, text, strlen(text));
}

/* An item of a list. */
static void answer_item(struct answer *answer, const char *text, size_t len)
{
    answer_add(answer, text, len);
    answer_add(answer, "", 1);
}

static void answer_path(struct answer *answer, int rc, anyc_path *path)
{
    answer->error = rc < 0;
    if (rc < 0)
        return;
    answer_text(answer, anyc_path_str(path));
    anyc_path_destroy(path);
}

static void answer_truth(struct answer *answer, int rc)
{
    answer->error = rc < 0;
    if (rc >= 0)
        answer_text(answer, rc == 1 ? "1" : "0");
}

typedef void (*ask_fn)(struct answer *answer, const anyc_path *path, const char *other);

static void ask_str(struct answer *answer, const anyc_path *path, const char *other)
{
    (void)other;
    answer_text(answer, anyc_path_str(path));
}

static void ask_name(struct answer *answer, const anyc_path *path, const char *other)
{
    (void)other;
    answer_text(answer, anyc_path_name(path));
}

static void ask_stem(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path_piece stem = anyc_path_stem(path);

    (void)other;
    answer_add(answer, stem.text, stem.len);
}

static void ask_suffix(struct answer *answer, const anyc_path *path, const char *other)
{
    (void)other;
    answer_text(answer, anyc_path_suffix(path));
}

static void ask_suffixes(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path_piece piece;

    (void)other;
    for (size_t i = 0; anyc_path_suffixes(path, i, &piece); i++)
        answer_item(answer, piece.text, piece.len);
}

static void ask_parts(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path_piece piece;

    (void)other;
    for (size_t i = 0; anyc_path_parts(path, i, &piece); i++)
        answer_item(answer, piece.text, piece.len);
}

static void ask_root(struct answer *answer, const anyc_path *path, const char *other)
{
    (void)other;
    answer_text(answer, anyc_path_root(path));
}

static void ask_parent(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *parent = NULL;
    int rc = anyc_path_parent(path, &parent);

    (void)other;
    answer_path(answer, rc, parent);
}

static void ask_parents(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *parent = NULL;

    (void)other;
    for (size_t i = 0; anyc_path_parents(path, i, &parent) == 0; i++) {
        answer_item(answer, anyc_path_str(parent), strlen(anyc_path_str(parent)));
        anyc_path_destroy(parent);
    }
}

static void ask_join(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_joinpath(path, other, &result);

    answer_path(answer, rc, result);
}

static void ask_with_name(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_with_name(path, other, &result);

    answer_path(answer, rc, result);
}

static void ask_with_stem(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_with_stem(path, other, &result);

    answer_path(answer, rc, result);
}

static void ask_with_suffix(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_with_suffix(path, other, &result);

    answer_path(answer, rc, result);
}

static void ask_relative_to(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_relative_to(path, other, false, &result);

    answer_path(answer, rc, result);
}

static void ask_relative_up(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_relative_to(path, other, true, &result);

    answer_path(answer, rc, result);
}

static void ask_is_relative_to(struct answer *answer, const anyc_path *path, const char *other)
{
    answer_truth(answer, anyc_path_is_relative_to(path, other));
}

static void ask_match(struct answer *answer, const anyc_path *path, const char *other)
{
    answer_truth(answer, anyc_path_match(path, other, NULL));
}

static void ask_full_match(struct answer *answer, const anyc_path *path, const char *other)
{
    answer_truth(answer, anyc_path_full_match(path, other, NULL));
}

static void ask_compare(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *second = new_path(other);
    int order = anyc_path_compare(path, second);

    answer_text(answer, order < 0 ? "<" : order > 0 ? ">" : "=");
    anyc_path_destroy(second);
}

static void ask_as_uri(struct answer *answer, const anyc_path *path, const char *other)
{
    char *uri = NULL;
    int rc = anyc_path_as_uri(path, &uri);

    (void)other;
    answer->error = rc < 0;
    if (rc == 0)
        answer_text(answer, uri);
    anyc_path_free(uri);
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that an iterator finds, sorted. */
static void answer_found(struct answer *answer, anyc_path_iterator *iterator)
{
    static char *texts[1 << 17];
    const anyc_path *path;
    size_t count = 0;

    while (anyc_path_iterator_next(iterator, &path) == 0) {
        ck_assert_uint_lt(count, sizeof texts / sizeof texts[0]);
        texts[count++] = strdup(anyc_path_str(path));
    }
    ck_assert_ok(anyc_aclose(iterator));
    qsort(texts, count, sizeof texts[0], text_order);
    for (size_t i = 0; i < count; i++) {
        answer_item(answer, texts[i], strlen(texts[i]));
        free(texts[i]);
    }
}

static void ask_glob(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path_iterator *iterator = NULL;

    ck_assert_ok(anyc_path_glob(path, other, NULL, &iterator));
    answer_found(answer, iterator);
}

static void ask_rglob(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path_iterator *iterator = NULL;

    ck_assert_ok(anyc_path_rglob(path, other, NULL, &iterator));
    answer_found(answer, iterator);
}

static void ask_resolve(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_resolve(path, false, &result);

    (void)other;
    answer_path(answer, rc, result);
}

static void ask_resolve_strict(struct answer *answer, const anyc_path *path, const char *other)
{
    anyc_path *result = NULL;
    int rc = anyc_path_resolve(path, true, &result);

    (void)other;
    answer_path(answer, rc, result);
}

static const struct {
    const char *name;
    ask_fn ask;
} questions[] = {
    {"str", ask_str},
    {"name", ask_name},
    {"stem", ask_stem},
    {"suffix", ask_suffix},
    {"suffixes", ask_suffixes},
    {"parts", ask_parts},
    {"root", ask_root},
    {"parent", ask_parent},
    {"parents", ask_parents},
    {"join", ask_join},
    {"with_name", ask_with_name},
    {"with_stem", ask_with_stem},
    {"with_suffix", ask_with_suffix},
    {"relative_to", ask_relative_to},
    {"relative_up", ask_relative_up},
    {"is_relative_to", ask_is_relative_to},
    {"match", ask_match},
    {"full_match", ask_full_match},
    {"compare", ask_compare},
    {"as_uri", ask_as_uri},
    {"glob", ask_glob},
    {"rglob", ask_rglob},
    {"resolve", ask_resolve},
    {"resolve_strict", ask_resolve_strict},
};

/* Turns hexadecimal into bytes, in place; "-" is the empty text. Answers their number. */
static size_t from_hex(char *text)
{
    size_t len = 0;

    if (strcmp(text, "-") == 0)
        text[0] = '\0';
    for (size_t i = 0; text[i] != '\0'; i += 2) {
        char digits[3] = {text[i], text[i + 1], '\0'};

        text[len++] = (char)strtol(digits, NULL, 16);
    }
    text[len] = '\0';
    return len;
}

static void ask(struct answer *answer, const char *question, const char *text, const char *other)
{
    size_t count = sizeof questions / sizeof questions[0];
    size_t i = 0;
    anyc_path *path = new_path(text);

    while (i < count && strcmp(questions[i].name, question) != 0)
        i++;
    ck_assert_uint_lt(i, count);
    answer->error = false;
    answer->len = 0;
    questions[i].ask(answer, path, other);
    anyc_path_destroy(path);
}

/* Where the first item begins that is not in both lists. */
static size_t first_difference(const char *one, size_t one_len, const char *two, size_t two_len)
{
    size_t start = 0;

    for (size_t i = 0; i < one_len && i < two_len && one[i] == two[i]; i++)
        start = one[i] == '\0' ? i + 1 : start;
    return start;
}

/* One line of the script against what anyc answers. */
static void check_line(struct answer *answer, char *line)
{
    char *rest = NULL;
    const char *question = strtok_r(line, " ", &rest);
    char *text = strtok_r(NULL, " ", &rest);
    char *other = strtok_r(NULL, " ", &rest);
    char *expected = strtok_r(NULL, " \n", &rest);
    bool error = expected[0] == '!';
    size_t len = error ? 0 : from_hex(expected);
    size_t same;

    (void)from_hex(text);
    (void)from_hex(other);
    ask(answer, question, text, other);
    if (answer->error == error && answer->len == len && memcmp(answer->text, expected, len) == 0)
        return;
    answer->text[answer->len] = '\0';
    same = first_difference(answer->text, answer->len, expected, len);
    ck_abort_msg("%s of '%s' and '%s': '%.300s'%s, but pathlib: '%.300s'%s", question, text, other,
                 answer->text + same, answer->error ? " (error)" : "", expected + same,
                 error ? " (error)" : "");
}

ANYC_TEST_WITH(test_path_pathlib__answers_as_python_does, .timeout = 120)
{
    static struct answer answer;
    struct tree tree;
    char command[1024];
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    FILE *script;

    if (!program_exists("python3"))
        ANYC_TEST_SKIP("PATHS WERE NOT COMPARED WITH PATHLIB: there is no python3");
    tree_init(&tree, false);
    (void)snprintf(command, sizeof command, "exec python3 '%s/unit/os/path_pathlib.py' '%s'",
                   ANYC_TESTS_DIR, tree.folder);
    script = popen(command, "re");
    ck_assert_ptr_nonnull(script);
    while (getline(&line, &room, script) > 0) {
        check_line(&answer, line);
        count++;
    }
    ck_assert_ok(pclose(script));
    ck_assert_int_gt(count, QUESTIONS_LEAST);
    free(line);
    tree_deinit(&tree);
}
