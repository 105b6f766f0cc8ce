/* SPDX-License-Identifier: MIT */
/*
 * failing.c - the rounds of operations that fail.
 */
#include "support/failing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fail_alloc.h"
#include "support/fail_syscall.h"

#define ROUNDS_MAX 1000 /* more calls than any operation makes */
#define FDS_MAX 128     /* the descriptors that are looked at */

static const int failing_errors[] = {ENOSPC, EIO, EMFILE, EACCES, ENOMEM, EINTR};

struct failing_table {
    const struct failing_op *ops;
    size_t count;
    long failures;
};

/* -- words -- */

static bool word_is_among(const char *words, const char *word, size_t len)
{
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t at_len = strcspn(at, " ");

        if (at_len == len && strncmp(at, word, len) == 0)
            return true;
        at += at_len + (at[at_len] == ' ');
    }
    return false;
}

/* -- the directory -- */

const char *place_text(const struct place *place, const char *name)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];

    if (snprintf(text, sizeof texts[0], "%s/%s", place->folder, name) >= (int)sizeof texts[0])
        abort(); /* no assertion, which would write to a file of Check's */
    return text;
}

void place_write(const struct place *place, const char *name, const char *text)
{
    int fd = open(place_text(place, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

void place_expect(const struct place *place, const char *name, const char *text)
{
    static char found[65536];
    int fd = open(place_text(place, name), O_RDONLY | O_CLOEXEC);
    ssize_t n;

    ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
    n = read(fd, found, sizeof found - 1);
    close(fd);
    ck_assert_int_ge(n, 0);
    found[n] = '\0';
    ck_assert_str_eq(found, text);
}

bool place_has(const struct place *place, const char *name)
{
    return faccessat(AT_FDCWD, place_text(place, name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int place_remove_entry(const char *path, const struct stat *status, int kind,
                              struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void place_remove(const struct place *place, const char *name)
{
    if (place_has(place, name))
        ck_assert_int_eq(nftw(place_text(place, name), place_remove_entry, 8, FTW_DEPTH | FTW_PHYS),
                         0);
}

size_t place_count(const struct place *place, const char *name)
{
    DIR *dir = opendir(place_text(place, name));
    size_t count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2; /* "." and ".." */
}

static void place_begin(struct place *place, const struct failing_op *op, int error)
{
    const char *at = op->at != NULL ? op->at : "file";

    *place = (struct place){.folder = "/tmp/anyc-failing-XXXXXX", .error = error, .fd = -1};
    ck_assert_ptr_nonnull(mkdtemp(place->folder));
    place_write(place, "file", FAILING_TEXT);
    ck_assert_int_eq(mkdir(place_text(place, "dir"), 0777), 0);
    ck_assert_int_eq(mkdir(place_text(place, "dir/sub"), 0777), 0);
    ck_assert_int_eq(mkdir(place_text(place, "empty"), 0777), 0);
    place_write(place, "dir/inner", "inner");
    place_write(place, "dir/sub/deep", "deep");
    ck_assert_int_eq(symlink("file", place_text(place, "link")), 0);
    if (*at != '/' && *at != '~')
        at = place_text(place, at);
    ck_assert_int_eq(anyc_path_create(at, NULL, &place->path), 0);
    if (op->before != NULL)
        op->before(place);
}

static void place_end(struct place *place)
{
    if (place->stream != NULL)
        (void)anyc_aclose(place->stream);
    if (place->other != NULL)
        (void)anyc_aclose(place->other);
    if (place->file != NULL)
        (void)anyc_aclose(place->file);
    if (place->iterator != NULL)
        (void)anyc_aclose(place->iterator);
    if (place->walker != NULL)
        (void)anyc_aclose(place->walker);
    if (place->dir != NULL)
        (void)anyc_aclose(place->dir);
    anyc_path_destroy(place->path);
    anyc_path_destroy(place->made);
    anyc_path_free(place->text);
    anyc_bytes_deinit(&place->bytes);
    anyc_free_file_lines(&place->lines);
    if (place->fd >= 0)
        close(place->fd);
    place_remove(place, "");
}

/* -- what is open and alive -- */

struct holdings {
    short open[FDS_MAX];
    long blocks;
};

static void holdings_look(struct holdings *now)
{
    struct pollfd fds[FDS_MAX];

    for (int i = 0; i < FDS_MAX; i++)
        fds[i] = (struct pollfd){.fd = i};
    ck_assert_int_ge(poll(fds, FDS_MAX, 0), 0);
    for (int i = 0; i < FDS_MAX; i++)
        now->open[i] = (fds[i].revents & POLLNVAL) == 0;
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0); /* the loop lets go of what was closed */

    /* A message is kept until the next one: let it always be this one. */
    (void)anyc_open_file(NULL, NULL, NULL, NULL);
    now->blocks = fail_alloc_live();
}

static void holdings_compare(const struct holdings *before, const char *round)
{
    struct holdings now;

    holdings_look(&now);
    for (int i = 0; i < FDS_MAX; i++)
        ck_assert_msg(before->open[i] == now.open[i], "%s: descriptor %d was left %s", round, i,
                      now.open[i] ? "open" : "closed");
    ck_assert_msg(before->blocks == now.blocks, "%s: %ld blocks of memory were left", round,
                  now.blocks - before->blocks);
}

/* -- a round -- */

static void check_failure(const struct failing_op *op, const struct place *place, int64_t rc,
                          const char *round)
{
    const anyc_error *error = anyc_last_error();
    const char *says = op->says != NULL ? op->says : place->folder;
    int code = op->code != 0 ? op->code : -place->error;

    ck_assert_msg(rc == code || (op->other != 0 && rc == op->other), "%s answered %s", round,
                  anyc_error_name((int)rc));
    ck_assert_msg(error->code == rc, "%s: the last error is %s", round,
                  anyc_error_name(error->code));
    if (rc != code)
        return;
    ck_assert_msg(error->os_error == place->error, "%s: the errno is not told", round);
    ck_assert_msg(strstr(error->message, says) != NULL, "%s: \"%s\" does not say %s", round,
                  error->message, says);
    ck_assert_msg(strncmp(error->message, place->folder, strlen(place->folder)) != 0,
                  "%s: \"%s\" does not say what failed", round, error->message);
}

static void check_success(const struct failing_op *op, struct place *place, const char *call,
                          const char *round)
{
    size_t len = call != NULL ? strlen(call) : 0;

    if (call == NULL)
        return;
    place->smaller = place->error == EACCES && word_is_among(op->passes, call, len);
    ck_assert_msg(place->error == EINTR || place->smaller || word_is_among(op->ignores, call, len),
                  "%s: success was told", round);
}

/* False: there are fewer than n calls. */
static bool failing_round(const struct failing_op *op, int error, long n)
{
    struct holdings before;
    struct place place;
    char round[256];
    const char *call;
    int64_t rc;

    holdings_look(&before);
    place_begin(&place, op, error);
    fail_syscall_always(op->always, op->always_error);
    fail_syscall_arm(n, error);
    rc = op->run(&place);
    call = fail_syscall_disarm();
    snprintf(round, sizeof round, "%s, call %ld (%s) with %s", op->name, n,
             call != NULL ? call : "none", strerror(error));
    ck_assert_msg(call != NULL || rc >= 0, "%s: %s", round, anyc_last_error()->message);
    if (rc < 0) {
        check_failure(op, &place, rc, round);
        if (op->failed != NULL)
            op->failed(&place);
        if (op->again != NULL)
            op->again(&place);
        fail_syscall_arm(0, 0); /* for what fails always */
        rc = op->run(&place);
        (void)fail_syscall_disarm();
        ck_assert_msg(rc >= 0, "%s, and again: %s", round, anyc_last_error()->message);
    } else {
        check_success(op, &place, call, round);
    }
    op->check(&place, rc);
    place_end(&place);
    if (n > 0) /* else what is made once and kept may be made */
        holdings_compare(&before, round);
    return call != NULL;
}

static int failing_main(void *arg)
{
    struct failing_table *table = arg;

    for (size_t i = 0; i < table->count; i++) {
        const struct failing_op *op = &table->ops[i];

        (void)failing_round(op, 0, 0);
        for (size_t k = 0; k < sizeof failing_errors / sizeof *failing_errors; k++) {
            long n = 1;

            while (n < ROUNDS_MAX && failing_round(op, failing_errors[k], n))
                n++;
            ck_assert_int_lt(n, ROUNDS_MAX);
            table->failures += n - 1;
        }
    }
    return 0;
}

void failing_run(const struct failing_op *ops, size_t count)
{
    struct failing_table table = {ops, count, 0};
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_syscall_install();
    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(failing_main, &table, &options), 0);
    (void)anyc_checkpoint(); /* its failure replaces one that still holds its message */
    ck_assert_int_eq(fail_alloc_live(), 0);
    ck_assert_int_gt(table.failures, 0);
    printf("%zu operations, %zu errnos, %ld failures\n", count,
           sizeof failing_errors / sizeof *failing_errors, table.failures);
}
