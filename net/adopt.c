/* SPDX-License-Identifier: MIT */
/*
 * adopt.c - take over a socket that somebody else made. AnyIO: _validate_socket.
 */
#include "net/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <sys/un.h>

#include "core/error.h"
#include "net/address.h"

#define ADOPT_NAME_SIZE 24

static const char *adopt_type_name(int type, char *text, size_t size)
{
    if (type == SOCK_STREAM)
        return "stream";
    if (type == SOCK_DGRAM)
        return "datagram";
    snprintf(text, size, "type %d", type);
    return text;
}

static const char *adopt_family_name(int family, char *text, size_t size)
{
    if (family == AF_UNIX)
        return "AF_UNIX";
    if (family == AF_INET)
        return "AF_INET";
    if (family == AF_INET6)
        return "AF_INET6";
    snprintf(text, size, "family %d", family);
    return text;
}

/* An option of type int; -1 if the system does not tell. */
static int adopt_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

static int adopt_check_socket(int fd, int *out_type)
{
    socklen_t len = sizeof *out_type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, out_type, &len) == 0)
        return 0;
    if (errno == EBADF)
        return anyc__fail(-EBADF, EBADF, "descriptor %d is not open", fd);
    return anyc__fail(ANYC_EINVAL, errno, "descriptor %d is not a socket", fd);
}

static int adopt_check_peer(struct adoption *adoption)
{
    socklen_t len = sizeof adoption->peer;

    if (getpeername(adoption->fd, (struct sockaddr *)&adoption->peer, &len) < 0)
        return anyc__fail(ANYC_EINVAL, errno, "the socket of descriptor %d is not connected",
                          adoption->fd);
    adoption->peer_len = len;
    return 0;
}

static int adopt_check_bound(int fd, const struct sockaddr *local, socklen_t len)
{
    int port = anyc__address_port(local);
    bool bound = port != 0;

    if (local->sa_family == AF_UNIX)
        bound = len > offsetof(struct sockaddr_un, sun_path);
    if (bound)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "the socket of descriptor %d is not bound to a local address",
                      fd);
}

static int adopt_check_state(const struct adopt_rule *rule, const struct sockaddr *local,
                             socklen_t len, struct adoption *adoption)
{
    int fd = adoption->fd;
    int rc = 0;

    if (rule->state == ADOPT_CONNECTED)
        return adopt_check_peer(adoption);
    if (rule->state == ADOPT_BOUND || rule->state == ADOPT_LISTENING)
        rc = adopt_check_bound(fd, local, len);
    return rc;
}

/* Family, then type, then whether it listens, which only a socket of the right type can. */
static int adopt_check_kind(const struct adopt_rule *rule, int type,
                            const struct adoption *adoption)
{
    char found[ADOPT_NAME_SIZE];
    char wanted[ADOPT_NAME_SIZE];
    int fd = adoption->fd;

    if (rule->family != AF_UNSPEC && rule->family != adoption->family)
        return anyc__fail(ANYC_EINVAL, 0, "the socket of descriptor %d is of %s, not of %s", fd,
                          adopt_family_name(adoption->family, found, sizeof found),
                          adopt_family_name(rule->family, wanted, sizeof wanted));
    if (rule->type != type)
        return anyc__fail(ANYC_EINVAL, 0, "descriptor %d is a %s socket, not a %s socket", fd,
                          adopt_type_name(type, found, sizeof found),
                          adopt_type_name(rule->type, wanted, sizeof wanted));
    if (rule->state == ADOPT_LISTENING && adopt_option(fd, SO_ACCEPTCONN) == 0)
        return anyc__fail(ANYC_EINVAL, 0, "the socket of descriptor %d does not listen", fd);
    return 0;
}

static int adopt_check(const struct adopt_rule *rule, struct adoption *adoption)
{
    struct sockaddr_storage local = {0};
    struct sockaddr *address = (struct sockaddr *)&local;
    socklen_t len = sizeof local;
    int type = 0;
    int rc = adopt_check_socket(adoption->fd, &type);

    if (rc == 0 && getsockname(adoption->fd, address, &len) < 0)
        rc = anyc__fail_errno(errno, "descriptor %d", adoption->fd);
    if (rc < 0)
        return rc;
    adoption->family = address->sa_family;
    rc = adopt_check_state(rule, address, len, adoption);
    return rc < 0 ? rc : adopt_check_kind(rule, type, adoption);
}

/* 0 or -errno. */
static int adopt_set_flags(int fd, int status_flags, int descriptor_flags)
{
    if (fcntl(fd, F_SETFL, status_flags) < 0 || fcntl(fd, F_SETFD, descriptor_flags) < 0)
        return -errno;
    return 0;
}

int anyc__adopt(int fd, const struct adopt_rule *rule, struct adoption *out_adoption)
{
    struct adoption adoption = {.fd = fd};
    int rc = adopt_check(rule, &adoption);

    if (rc < 0)
        return rc;
    adoption.status_flags = fcntl(fd, F_GETFL);
    adoption.descriptor_flags = fcntl(fd, F_GETFD);
    if (adoption.status_flags < 0 || adoption.descriptor_flags < 0)
        return anyc__fail_errno(errno, "descriptor %d", fd);
    rc = adopt_set_flags(fd, adoption.status_flags | O_NONBLOCK,
                         adoption.descriptor_flags | FD_CLOEXEC);
    if (rc < 0) {
        anyc__adopt_undo(&adoption);
        return anyc__fail_errno(-rc, "descriptor %d", fd);
    }
    *out_adoption = adoption;
    return 0;
}

void anyc__adopt_undo(const struct adoption *adoption)
{
    int kept = errno;

    (void)adopt_set_flags(adoption->fd, adoption->status_flags, adoption->descriptor_flags);
    errno = kept; /* it is as it was, or not there any more */
}
