/* SPDX-License-Identifier: MIT */
/*
 * unix_address.c - the names of UNIX sockets, stream and datagram (unix(7)).
 */
#include "net/unix_address.h"

#include <string.h>

#include "core/error.h"

#define UNIX_NAME_MAX sizeof((struct sockaddr_un *)NULL)->sun_path
#define UNIX_PATH_MAX (UNIX_NAME_MAX - 1) /* the closing zero takes one */

static int unix_address_check(const char *path, size_t len)
{
    bool abstract = path[0] == '\0';
    size_t max = abstract ? UNIX_NAME_MAX : UNIX_PATH_MAX;

    if (len == 0)
        return anyc__fail(ANYC_EINVAL, 0, "the path of the UNIX socket is empty");
    if (!abstract && memchr(path, '\0', len) != NULL)
        return anyc__fail(ANYC_EINVAL, 0, "there is a zero byte within the path %s", path);
    if (len > max && abstract)
        return anyc__fail(-ENAMETOOLONG, ENAMETOOLONG,
                          "the abstract name of a UNIX socket may have %zu bytes, this one has %zu",
                          max, len);
    if (len > max)
        return anyc__fail(-ENAMETOOLONG, ENAMETOOLONG,
                          "the path of a UNIX socket may have %zu bytes, this one has %zu: %.*s",
                          max, len, (int)(len < INT16_MAX ? len : INT16_MAX), path);
    return 0;
}

int anyc__unix_address_make(const char *path, size_t path_len, struct unix_address *out_address)
{
    size_t len = path_len;
    int rc;

    if (path == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a UNIX socket needs a path");
    if (len == 0)
        len = strlen(path);
    rc = unix_address_check(path, len);
    if (rc < 0)
        return rc;
    *out_address = (struct unix_address){.un.sun_family = AF_UNIX};
    memcpy(out_address->un.sun_path, path, len);
    out_address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (path[0] != '\0')
        out_address->len++;
    return 0;
}
