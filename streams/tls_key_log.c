/* SPDX-License-Identifier: MIT */
/*
 * tls_key_log.c - the file with the secrets of connections, as NSS began it and Wireshark reads it:
 * lines of a label, the client's random number and the secret.
 *
 * Each line is one write to the end of the file, so that several threads and processes can share
 * it. What cannot be written is lost: nobody's connection fails for that.
 */
#include "streams/tls_key_log.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_shim_key_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define KEY_LOG_LABEL_MAX 40
#define KEY_LOG_RANDOM 32
#define KEY_LOG_SECRET_MAX 64
#define KEY_LOG_LINE_MAX (KEY_LOG_LABEL_MAX + 2 * (KEY_LOG_RANDOM + KEY_LOG_SECRET_MAX) + 4)

struct tls_key_log {
    int fd;
};

int anyc__tls_key_log_open(const char *path, struct tls_key_log **out_log)
{
    struct tls_key_log *log = anyc__alloc(sizeof *log);

    if (log == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (log->fd < 0) {
        anyc__free(log);
        return anyc__fail_errno(errno, "%s", path);
    }
    *out_log = log;
    return 0;
}

void anyc__tls_key_log_close(struct tls_key_log *log)
{
    if (log != NULL)
        close(log->fd);
    anyc__free(log);
}

static char *key_log_hex(char *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

void anyc__tls_key_log_write(struct tls_key_log *log, const char *label,
                             const unsigned char client_random[32], const unsigned char *secret,
                             size_t len)
{
    char line[KEY_LOG_LINE_MAX];
    char *end;
    ssize_t n;

    if (len > KEY_LOG_SECRET_MAX)
        return;
    end = line + snprintf(line, KEY_LOG_LABEL_MAX + 2, "%.*s ", KEY_LOG_LABEL_MAX, label);
    end = key_log_hex(end, client_random, KEY_LOG_RANDOM);
    *end++ = ' ';
    end = key_log_hex(end, secret, len);
    *end++ = '\n';
    n = write(log->fd, line, (size_t)(end - line));
    (void)n;
    mbedtls_platform_zeroize(line, sizeof line);
}
