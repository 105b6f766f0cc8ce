/* SPDX-License-Identifier: MIT */
/*
 * tls_source.c - the bytes of certificates and keys, from files or from memory.
 *
 * Every copy that is given up is wiped: it may be a key.
 */
#include "streams/tls_source.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_FIRST_ROOM 4096 /* where the size of a file is not known */

/* More room, so that `room` bytes and the zero byte fit. */
static int text_grow(struct tls_text *text, size_t room)
{
    unsigned char *bigger = anyc__alloc(room + 1);

    if (bigger == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (text->len > 0)
        memcpy(bigger, text->data, text->len);
    anyc__tls_text_deinit(&(struct tls_text){.data = text->data, .len = text->len});
    text->data = bigger;
    return 0;
}

static size_t text_first_room(int fd)
{
    struct stat info;

    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        return (size_t)info.st_size + 1; /* one more, so that the end is seen at once */
    return SOURCE_FIRST_ROOM;
}

/* Reads up to the end, whatever it is that was opened. */
static int text_read_fd(struct tls_text *text, int fd)
{
    size_t room = text_first_room(fd);
    int rc = text_grow(text, room);
    ssize_t n = 1;

    while (rc >= 0 && n != 0) {
        if (text->len == room) {
            room *= 2;
            rc = text_grow(text, room);
            continue;
        }
        n = read(fd, text->data + text->len, room - text->len);
        if (n > 0)
            text->len += (size_t)n;
        else if (n < 0 && errno != EINTR)
            rc = anyc__fail_errno(errno, "%s", text->name);
    }
    return rc;
}

static int text_read_file(struct tls_text *text)
{
    int fd = open(text->name, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return anyc__fail_errno(errno, "%s", text->name);
    rc = text_read_fd(text, fd);
    close(fd);
    return rc;
}

static int text_copy(struct tls_text *text, const anyc_tls_source *source)
{
    int rc = text_grow(text, source->len);

    if (rc >= 0) {
        memcpy(text->data, source->data, source->len);
        text->len = source->len;
    }
    return rc;
}

int anyc__tls_text_read(struct tls_text *text, const anyc_tls_source *source)
{
    int rc;

    *text = (struct tls_text){.name = source->file != NULL ? source->file : "(in memory)"};
    rc = source->file != NULL ? text_read_file(text) : text_copy(text, source);
    if (rc < 0)
        anyc__tls_text_deinit(text);
    else
        text->data[text->len] = '\0';
    return rc;
}

void anyc__tls_text_deinit(struct tls_text *text)
{
    if (text->data != NULL)
        mbedtls_platform_zeroize(text->data, text->len);
    anyc__free(text->data);
    *text = (struct tls_text){.name = text->name};
}

size_t anyc__tls_text_parse_len(const struct tls_text *text)
{
    return strstr((const char *)text->data, "-----BEGIN ") != NULL ? text->len + 1 : text->len;
}
