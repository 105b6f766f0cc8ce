/* SPDX-License-Identifier: MIT */
/*
 * file.c - files that are opened or wrapped, the frame of their calls, and their end. AnyIO:
 * AsyncFile.
 *
 * Nobody but the call under way touches the stdio stream. Who closes the file meanwhile waits for the
 * end of that call; who closes it by force may not wait, and leaves the stream to that end.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/sigpipe.h"
#include "os/file_ahead.h"
#include "os/spooled_file.h"

struct file_opening {
    struct worker_job job;
    const char *path;
    int flags;
    mode_t permissions;
    FILE *stream;
};

struct file_closing {
    struct worker_job job;
    struct file *file;
};

int anyc__file_fail(int rc, const char *what, const char *path)
{
    int error = anyc__errno_of(rc);

    if (error == 0)
        return anyc__fail_plain(rc);
    return anyc__fail_errno(error, "%s %s", what, path != NULL ? path : "a file");
}

int anyc__file_run(anyc_task *task, struct worker_job *job, const char *what, const char *path)
{
    int rc = anyc__worker_run(task, job);

    if (rc < 0)
        return rc;
    return job->result < 0 ? anyc__file_fail(job->result, what, path) : 0;
}

int anyc__file_errno(void)
{
    return errno > 0 ? -errno : -EIO;
}

int anyc__file_turn(struct file *file, enum file_turn turn)
{
    enum file_turn before = file->turn;
    int rc = file->failed_rc;
    const char *ahead;
    bool loses; /* what was read ahead, unless the position can go back */

    clearerr(file->stream);
    errno = 0;
    file->failed_rc = 0;
    if (before == turn)
        return turn == FILE_TURN_READ ? rc : 0;
    loses = turn == FILE_TURN_WRITE && anyc__file_ahead(file->stream, &ahead) > 0;
    file->turn = turn;
    if (turn == FILE_TURN_NONE || (before == FILE_TURN_NONE && !loses))
        return 0;
    if (fseeko(file->stream, 0, SEEK_CUR) == 0 || (errno == ESPIPE && !loses))
        return 0;
    file->turn = before;
    return anyc__file_errno();
}

static void file_free_content(struct file *file)
{
    if (file->spool != NULL)
        anyc__spool_destroy(file->spool);
    file->spool = NULL;
}

/* In any thread: 0 or the first error; it is over in any case. */
static int file_shut_now(struct file *file)
{
    FILE *stream = file->stream;
    int rc = 0;

    file->stream = NULL;
    errno = 0;
    if (!file->keep_open && fclose(stream) != 0)
        rc = anyc__file_errno();
    if (file->unlink_path && unlink(file->path) < 0 && errno != ENOENT && rc == 0)
        rc = anyc__file_errno();
    file_free_content(file);
    return rc;
}

/* On the loop's thread; the last bytes may be for a pipe that nobody reads. */
static int file_shut_here(struct file *file)
{
    struct sigpipe_block block;
    int rc;

    anyc__sigpipe_block(&block);
    rc = file_shut_now(file);
    anyc__sigpipe_unblock(&block, rc == -EPIPE);
    return rc;
}

/* Nor does it wait for a pipe that is full: what is left for that is dropped. */
static int file_shut_by_force(struct file *file)
{
    struct pollfd full = {.fd = fileno(file->stream), .events = POLLOUT};

    if (!file->keep_open && full.fd >= 0 && poll(&full, 1, 0) == 0)
        anyc__file_forget(file->stream);
    return file_shut_here(file);
}

static int file_shut_in_thread(struct worker_job *job)
{
    return file_shut_now(ANYC__CONTAINER(job, struct file_closing, job)->file);
}

/* Whatever happens meanwhile; without a thread, here. */
static int file_shut(anyc_task *task, struct file *file)
{
    struct file_closing closing = {
        .job = {.fn = file_shut_in_thread, .kind = WORKER_FILES, .limiter = file->limiter},
        .file = file};
    anyc_cancel_scope shield;
    int rc;

    if (file->keep_open || file->spool != NULL)
        return file_shut_now(file); /* that touches nothing but memory */
    rc = anyc_cancel_scope_enter(&shield, &(anyc_cancel_scope_options){.shield = true});
    if (rc == 0)
        rc = anyc_cancel_scope_exit(&shield, anyc__worker_run(task, &closing.job));
    return rc < 0 ? file_shut_here(file) : closing.job.result;
}

static void file_release(struct file *file)
{
    if (anyc__stream_release(&file->life))
        anyc__file_destroy(file);
}

static int file_begin(struct file *file, anyc_task **out_task)
{
    int rc;

    anyc__stream_hold(&file->life);
    rc = anyc__enter(out_task);
    if (rc == 0 && file->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED);
    else if (rc == 0 && file->at_work)
        rc = anyc__fail_plain(ANYC_EBUSY);
    if (rc == 0)
        file->at_work = true;
    else
        file_release(file);
    return rc;
}

static void file_end(anyc_task *task, struct file *file)
{
    struct task_wait *closer = file->closer;

    if (file->closed && closer == NULL)
        (void)file_shut(task, file); /* who closed it by force is not told */
    file->at_work = false;
    file->closer = NULL;
    if (closer != NULL)
        anyc__wake(closer, 0);
    file_release(file);
}

static int file_call_in_thread(struct worker_job *job)
{
    struct file_call *call = ANYC__CONTAINER(job, struct file_call, job);
    int rc = 0;

    if (call->roll)
        rc = anyc__spool_roll(call->file);
    return rc < 0 ? rc : call->fn(call);
}

/* False if stdio would have to ask the system, or somebody else has locked its stream. */
static bool file_do_at_hand(struct file_call *call, int *out_rc)
{
    FILE *stream = call->file->stream;
    bool at_hand;

    if (call->at_hand == NULL || ftrylockfile(stream) != 0)
        return false;
    at_hand = call->at_hand(call);
    if (at_hand)
        *out_rc = call->fn(call);
    funlockfile(stream);
    return at_hand;
}

/* False if it would touch anything but memory. */
static bool file_do_here(struct file_call *call, int *out_rc)
{
    const struct file *file = call->file;

    if (file->spool == NULL) {
        call->roll = false;
        return file_do_at_hand(call, out_rc);
    }
    if (!call->roll)
        call->roll = anyc__spool_is_too_small(file->spool, call->adds, call->reach);
    if (call->roll)
        return false;
    *out_rc = call->fn(call);
    return true;
}

static int file_do(anyc_task *task, struct file *file, struct file_call *call)
{
    int rc = 0;

    call->file = file;
    if (file_do_here(call, &rc))
        return rc < 0 ? anyc__file_fail(rc, call->what, file->path) : 0;
    call->job.fn = file_call_in_thread;
    call->job.kind = WORKER_FILES;
    call->job.limiter = file->limiter;
    rc = anyc__file_run(task, &call->job, call->what, file->path);
    file->rolled = file->rolled || (call->roll && file->spool == NULL);
    return rc;
}

int anyc__file_call(anyc_file *base, struct file_call *call)
{
    struct file *file = anyc__file_of(base);
    anyc_task *task;
    int rc = file_begin(file, &task);

    if (rc < 0)
        return rc;
    rc = file_do(task, file, call);
    file_end(task, file);
    return rc;
}

static struct file *file_of_resource(anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct file, file.resource);
}

static int file_close(anyc_resource *resource, bool forcefully)
{
    static const struct wait_type type = {.what = "a call on a file that is being closed"};
    struct file *file = file_of_resource(resource);
    struct task_wait wait = {0};
    anyc_task *task = forcefully ? NULL : anyc__task();
    int rc = 0;

    if (file->closed)
        return 0;
    file->closed = true;
    anyc__stream_hold(&file->life);
    if (file->at_work && task != NULL) {
        file->closer = &wait;
        (void)anyc__wait_shielded(&wait, &type, file); /* nothing but that end wakes it */
    }
    if (!file->at_work && task != NULL)
        rc = file_shut(task, file);
    else if (!file->at_work)
        rc = forcefully ? file_shut_by_force(file) : file_shut_here(file);
    if (rc < 0)
        rc = anyc__file_fail(rc, "closing", file->path);
    file_release(file);
    return rc;
}

static void file_destroy(anyc_resource *resource)
{
    struct file *file = file_of_resource(resource);

    if (anyc__stream_destroy(&file->life))
        anyc__file_destroy(file);
}

static const anyc_resource_ops file_ops = {
    .type = "file",
    .close = file_close,
    .destroy = file_destroy,
    .extra = anyc_no_attributes,
};

struct file *anyc__file_create(anyc_capacity_limiter *limiter)
{
    struct file *file = anyc__zalloc(sizeof *file);

    if (file == NULL)
        return NULL;
    file->file.resource.ops = &file_ops;
    file->limiter = limiter;
    return file;
}

void anyc__file_destroy(struct file *file)
{
    file_free_content(file);
    anyc__text_deinit(&file->line);
    anyc__free(file->path);
    anyc__free(file);
}

int anyc__file_mode(const char *mode)
{
    static const struct {
        char letter;
        int flags;
    } kinds[] = {
        {'r', 0}, {'w', O_CREAT | O_TRUNC}, {'a', O_CREAT | O_APPEND}, {'x', O_CREAT | O_EXCL}};
    const char *letters = "rwaxbt+";
    size_t seen[7] = {0};
    int flags = 0;

    for (const char *at = mode; *at != '\0'; at++) {
        const char *found = strchr(letters, *at);

        if (found == NULL || seen[found - letters]++ > 0)
            return ANYC_EINVAL;
    }
    if (seen[0] + seen[1] + seen[2] + seen[3] != 1 || seen[4] + seen[5] > 1)
        return ANYC_EINVAL;
    for (size_t i = 0; i < 4; i++)
        flags |= seen[i] > 0 ? kinds[i].flags : 0;
    if (seen[6] > 0)
        return flags | O_RDWR;
    return flags | (seen[0] > 0 ? O_RDONLY : O_WRONLY);
}

static const char *file_stdio_mode(int flags)
{
    bool append = (flags & O_APPEND) != 0;

    if ((flags & O_ACCMODE) == O_RDONLY)
        return "r";
    if ((flags & O_ACCMODE) == O_RDWR)
        return append ? "a+" : "r+";
    return append ? "a" : "w";
}

int anyc__file_fdopen(int fd, int flags, FILE **out_stream)
{
    FILE *stream = fdopen(fd, file_stdio_mode(flags));
    int error = errno;

    if (stream == NULL) {
        anyc__descriptor_close(fd);
        return -error;
    }
    if ((flags & O_APPEND) != 0)
        (void)fseeko(stream, 0, SEEK_END); /* what has no positions has no need of it */
    *out_stream = stream;
    return 0;
}

static int file_open_in_thread(struct worker_job *job)
{
    struct file_opening *opening = ANYC__CONTAINER(job, struct file_opening, job);
    struct stat status;
    int fd = open(opening->path, opening->flags | O_CLOEXEC, opening->permissions);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        error = errno;
    else if (S_ISDIR(status.st_mode))
        error = EISDIR;
    if (error != 0) {
        anyc__descriptor_close(fd);
        return -error;
    }
    return anyc__file_fdopen(fd, opening->flags, &opening->stream);
}

int anyc_open_file(const char *path, const char *mode, const anyc_open_file_options *options,
                   anyc_file **out_file)
{
    static const anyc_open_file_options defaults;
    struct file_opening opening = {
        .job = {.fn = file_open_in_thread, .kind = WORKER_FILES},
        .path = path,
    };
    struct file *file = NULL;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    options = options != NULL ? options : &defaults;
    opening.flags = anyc__file_mode(mode != NULL ? mode : "r");
    if (path == NULL || opening.flags < 0)
        return anyc__fail(ANYC_EINVAL, 0, "open: no path, or no such mode");
    opening.job.limiter = options->limiter;
    opening.permissions = options->permissions != 0 ? options->permissions : 0666;
    file = anyc__file_create(options->limiter);
    if (file != NULL)
        file->path = anyc__strdup(path);
    if (file == NULL || file->path == NULL)
        rc = anyc__fail_plain(ANYC_ENOMEM);
    else
        rc = anyc__file_run(task, &opening.job, "opening", file->path);
    if (rc < 0) {
        if (file != NULL)
            anyc__file_destroy(file);
        return rc;
    }
    file->stream = opening.stream;
    *out_file = &file->file;
    return 0;
}

int anyc_wrap_file(FILE *stream, const anyc_wrap_file_options *options, anyc_file **out_file)
{
    static const anyc_wrap_file_options defaults;
    struct file *file;

    if (stream == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "wrap_file: no file");
    options = options != NULL ? options : &defaults;
    file = anyc__file_create(options->limiter);
    if (file == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    file->stream = stream;
    file->turn = FILE_TURN_UNKNOWN;
    file->keep_open = options->keep_open;
    *out_file = &file->file;
    return 0;
}

FILE *anyc_file_wrapped(const anyc_file *file)
{
    return anyc__file_of(file)->stream;
}

const char *anyc_file_path(const anyc_file *file)
{
    return anyc__file_of(file)->path;
}

anyc_capacity_limiter *anyc_file_limiter(const anyc_file *file)
{
    return anyc__file_of(file)->limiter;
}

bool anyc_file_closed(const anyc_file *file)
{
    return anyc__file_of(file)->closed;
}
