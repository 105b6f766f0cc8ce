/* SPDX-License-Identifier: MIT */
/*
 * path_content.c - whole contents of files. AnyIO: Path.read_bytes, write_bytes.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "os/path_call.h"
#include "os/text_buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CONTENT_ROOM 4096 /* bytes, for a file that does not say how much there is */

/* Reads until the end. `size` is what the system says of the file, or 0. */
static int content_read(int fd, size_t size, struct text_buffer *out)
{
    size_t room = size > 0 ? size + 1 : CONTENT_ROOM; /* so that the end is seen without growing */
    ssize_t got;

    do {
        if (!anyc__text_reserve(out, room))
            return ANYC_ENOMEM;
        room = 1;
        got = read(fd, out->data + out->len, out->room - out->len - 1);
        if (got > 0)
            anyc__text_grow(out, (size_t)got);
    } while (got > 0 || (got < 0 && errno == EINTR));
    return anyc__path_errno((int)got);
}

int anyc__path_read_all(const char *text, char **out_data, size_t *out_len)
{
    struct text_buffer content = {0};
    struct stat stat;
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    int rc = anyc__path_errno(fd);

    if (rc < 0)
        return rc;
    rc = anyc__path_errno(fstat(fd, &stat));
    if (rc == 0 && S_ISDIR(stat.st_mode))
        rc = -EISDIR;
    if (rc == 0)
        rc = content_read(fd, S_ISREG(stat.st_mode) ? (size_t)stat.st_size : 0, &content);
    (void)close(fd); /* only read from */
    if (rc < 0) {
        anyc__text_deinit(&content);
        return rc;
    }
    *out_data = content.data;
    *out_len = content.len;
    return 0;
}

static int read_bytes_fn(const struct path_args *args, struct path_answer *answer)
{
    return anyc__path_read_all(args->text, &answer->text, &answer->len);
}

int anyc_path_read_bytes(const anyc_path *path, uint8_t **out_data, size_t *out_len)
{
    struct path_args args = {.flags = 0};
    struct path_answer answer = {.text = NULL};
    int rc = anyc__path_ask(path, "reading", read_bytes_fn, &args, &answer);

    if (rc == 0) {
        *out_data = (uint8_t *)answer.text;
        *out_len = answer.len;
    }
    return rc;
}

static int content_write(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        data += done;
        len -= (size_t)done;
    }
    return 0;
}

int anyc__path_write_all(const char *text, const void *data, size_t len)
{
    int fd = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc = anyc__path_errno(fd);
    int closed;

    if (rc < 0)
        return rc;
    rc = content_write(fd, data, len);
    closed = anyc__path_errno(close(fd));
    return rc < 0 ? rc : closed;
}

static int write_bytes_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_write_all(args->text, args->data, args->data_len);
}

int anyc_path_write_bytes(const anyc_path *path, const void *data, size_t len)
{
    struct path_args args = {.data = data, .data_len = len};
    struct path_answer answer = {.text = NULL};

    return anyc__path_do(path, "writing", write_bytes_fn, &args, &answer);
}
