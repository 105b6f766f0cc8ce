/* SPDX-License-Identifier: MIT */
/*
 * path_content.c - whole contents of files. AnyIO: Path.read_bytes, read_text, write_bytes,
 * write_text.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <string.h>
#include <unistd.h>

#define CONTENT_ROOM 4096 /* bytes, for a file that does not say how much there is */
#define CONTENT_UTF8 "UTF-8"

/* -- bytes -- */

/* Reads until the end. `size` is what the system says of the file, or 0. */
static int content_read(int fd, size_t size, char **out_data, size_t *out_len)
{
    size_t room = size > 0 ? size + 2 : CONTENT_ROOM; /* so that the end is seen without growing */
    char *data = anyc__alloc(room);
    size_t len = 0;
    ssize_t got = data == NULL ? ANYC_ENOMEM : 1;

    while (got > 0) {
        if (room - len < 2) {
            char *more = anyc__realloc_array(data, 2, room);

            if (more == NULL) {
                got = ANYC_ENOMEM;
                break;
            }
            data = more;
            room *= 2;
        }
        do {
            got = read(fd, data + len, room - len - 1);
        } while (got < 0 && errno == EINTR);
        got = got < 0 ? -errno : got;
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        anyc__free(data);
        return (int)got;
    }
    data[len] = '\0';
    *out_data = data;
    *out_len = len;
    return 0;
}

int anyc__path_read_all(const char *text, char **out_data, size_t *out_len)
{
    struct stat stat;
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    int rc = anyc__path_errno(fd);

    if (rc < 0)
        return rc;
    rc = anyc__path_errno(fstat(fd, &stat));
    if (rc == 0 && S_ISDIR(stat.st_mode))
        rc = -EISDIR;
    if (rc == 0)
        rc = content_read(fd, S_ISREG(stat.st_mode) ? (size_t)stat.st_size : 0, out_data, out_len);
    (void)close(fd); /* only read from */
    return rc;
}

static int read_bytes_fn(const struct path_args *args, struct path_answer *answer)
{
    return anyc__path_read_all(args->text, &answer->text, &answer->len);
}

int anyc_path_read_bytes(const anyc_path *path, uint8_t **out_data, size_t *out_len)
{
    struct path_args args = {.flags = 0};
    struct path_answer answer;
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

static int write_bytes_fn(const struct path_args *args, struct path_answer *answer)
{
    int fd = open(args->text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc = anyc__path_errno(fd);
    int closed;

    (void)answer;
    if (rc < 0)
        return rc;
    rc = content_write(fd, args->data, args->data_len);
    closed = anyc__path_errno(close(fd));
    return rc < 0 ? rc : closed;
}

int anyc_path_write_bytes(const anyc_path *path, const void *data, size_t len)
{
    struct path_args args = {.data = data, .data_len = len};
    struct path_answer answer;

    return anyc__path_do(path, "writing", write_bytes_fn, &args, &answer);
}

/* -- text -- */

/* Converts all of the input; `code` is the answer if it cannot be. The output replaces it. */
static int text_convert_with(iconv_t converter, int code, char **data, size_t *len)
{
    size_t room = *len + 64;
    char *out = anyc__alloc(room);
    char *in_at = *data;
    size_t in_left = *len;
    size_t out_len = 0;
    bool ended = false;

    while (out != NULL) {
        char *out_at = out + out_len;
        size_t out_left = room - out_len - 1;
        size_t rc =
            iconv(converter, ended ? NULL : &in_at, ended ? NULL : &in_left, &out_at, &out_left);
        char *more;

        out_len = (size_t)(out_at - out);
        if (rc != (size_t)-1 && ended)
            break;
        if (rc != (size_t)-1) {
            ended = true; /* once more, for what the encoding has to end with */
            continue;
        }
        if (errno != E2BIG) {
            anyc__free(out);
            return code;
        }
        more = anyc__realloc_array(out, 2, room);
        if (more == NULL)
            anyc__free(out);
        out = more;
        room *= 2;
    }
    if (out == NULL)
        return ANYC_ENOMEM;
    out[out_len] = '\0';
    anyc__free(*data);
    *data = out;
    *len = out_len;
    return 0;
}

static int text_convert(const char *from, const char *to, int code, char **data, size_t *len)
{
    iconv_t converter = iconv_open(to, from);
    int rc;

    if (converter == (iconv_t)-1)
        return errno == EINVAL ? ANYC_EINVAL : -errno;
    rc = text_convert_with(converter, code, data, len);
    (void)iconv_close(converter); /* of a valid one */
    return rc;
}

/* CR LF and CR become LF, in place. */
static size_t text_unify_lines(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r')
            text[out++] = text[i];
        else if (i + 1 == len || text[i + 1] != '\n')
            text[out++] = '\n';
    }
    text[out] = '\0';
    return out;
}

/* The text with each LF replaced; a copy in any case. NULL without memory. */
static char *text_end_lines(const char *text, size_t len, const char *newline, size_t *out_len)
{
    size_t end_len = strlen(newline);
    size_t count = 0;
    char *out;
    char *at;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    out = anyc__alloc(len + count * end_len + 1);
    if (out == NULL)
        return NULL;
    at = out;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n') {
            *at++ = text[i];
            continue;
        }
        memcpy(at, newline, end_len);
        at += end_len;
    }
    *at = '\0';
    *out_len = (size_t)(at - out);
    return out;
}

static int text_check(const anyc_path_text_options *options)
{
    const char *newline = options == NULL ? NULL : options->newline;

    if (newline == NULL || strcmp(newline, "") == 0 || strcmp(newline, "\n") == 0 ||
        strcmp(newline, "\r") == 0 || strcmp(newline, "\r\n") == 0)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "path: no such form of line ends");
}

/* other: the encoding; third: the form of line ends. */
static struct path_args text_args(const anyc_path_text_options *options)
{
    struct path_args args = {.other = NULL};

    if (options != NULL) {
        args.other = options->encoding;
        args.third = options->newline;
    }
    return args;
}

static const char *text_encoding(const struct path_args *args)
{
    return args->other == NULL ? CONTENT_UTF8 : args->other;
}

static int read_text_fn(const struct path_args *args, struct path_answer *answer)
{
    char *data = NULL;
    size_t len = 0;
    int rc = anyc__path_read_all(args->text, &data, &len);

    if (rc == 0)
        rc = text_convert(text_encoding(args), CONTENT_UTF8, ANYC_EDECODE, &data, &len);
    if (rc < 0) {
        anyc__free(data);
        return rc;
    }
    answer->text = data;
    answer->len = args->third == NULL ? text_unify_lines(data, len) : len;
    return 0;
}

int anyc_path_read_text(const anyc_path *path, const anyc_path_text_options *options,
                        char **out_text, size_t *out_len)
{
    struct path_args args = text_args(options);
    struct path_answer answer;
    int rc = text_check(options);

    if (rc == 0)
        rc = anyc__path_ask(path, "reading text of", read_text_fn, &args, &answer);
    if (rc < 0)
        return rc;
    *out_text = answer.text;
    if (out_len != NULL)
        *out_len = answer.len;
    return 0;
}

static int write_text_fn(const struct path_args *args, struct path_answer *answer)
{
    const char *newline = args->third == NULL || args->third[0] == '\0' ? "\n" : args->third;
    struct path_args bytes = *args;
    size_t len = 0;
    char *data = text_end_lines(args->data, args->data_len, newline, &len);
    int rc = data == NULL ? ANYC_ENOMEM : 0;

    if (rc == 0)
        rc = text_convert(CONTENT_UTF8, text_encoding(args), ANYC_EENCODE, &data, &len);
    if (rc == 0) {
        bytes.data = data;
        bytes.data_len = len;
        rc = write_bytes_fn(&bytes, answer);
    }
    anyc__free(data);
    return rc;
}

int anyc_path_write_text(const anyc_path *path, const char *text, size_t len,
                         const anyc_path_text_options *options)
{
    struct path_args args = text_args(options);
    struct path_answer answer;
    int rc = text_check(options);

    if (rc < 0)
        return rc;
    args.data = text;
    args.data_len = len;
    return anyc__path_do(path, "writing text to", write_text_fn, &args, &answer);
}
