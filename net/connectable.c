/* SPDX-License-Identifier: MIT */
/*
 * connectable.c - objects that say where to connect. AnyIO: TCPConnectable, UNIXConnectable,
 * streams.buffered.BufferedConnectable, as_connectable.
 *
 * All of them are constant from their creation on, so connecting needs no lock and no state.
 */
#include <anyc/connectable.h>

#include <string.h>

#include <anyc/socket.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "net/address.h"
#include "net/connectable.h"
#include "net/unix_address.h"

struct tcp_connectable {
    anyc_connectable connectable;
    int port;
    char host[];
};

struct unix_connectable {
    anyc_connectable connectable;
    struct unix_address address;
    size_t path_len; /* bytes of the name in it */
};

struct buffered_connectable {
    anyc_connectable connectable;
    anyc_connectable *inner;
};

/* -- TCP -- */

static struct tcp_connectable *tcp_connectable_of(const anyc_connectable *connectable)
{
    return ANYC__CONTAINER(connectable, struct tcp_connectable, connectable);
}

static int tcp_connectable_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    const struct tcp_connectable *self = tcp_connectable_of(connectable);
    const anyc_error *cause;
    int rc = anyc_connect_tcp(self->host, self->port, NULL, out_stream);

    if (!anyc__connectable_unreachable(rc))
        return rc;
    cause = anyc_last_error();
    return anyc__fail(ANYC_ECONNECT, cause->os_error, "cannot reach %s port %d: %s", self->host,
                      self->port, cause->message);
}

static void tcp_connectable_destroy(anyc_connectable *connectable)
{
    anyc__free(tcp_connectable_of(connectable));
}

static const anyc_connectable_ops tcp_connectable_ops = {
    .type = "tcp connectable",
    .connect = tcp_connectable_connect,
    .destroy = tcp_connectable_destroy,
};

/* -- UNIX sockets -- */

static struct unix_connectable *unix_connectable_of(const anyc_connectable *connectable)
{
    return ANYC__CONTAINER(connectable, struct unix_connectable, connectable);
}

static int unix_connectable_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    const struct unix_connectable *self = unix_connectable_of(connectable);
    const anyc_connect_unix_options options = {.path_len = self->path_len};
    char name[ANYC__ADDRESS_TEXT_SIZE];
    const anyc_error *cause;
    int rc = anyc_connect_unix(self->address.un.sun_path, &options, out_stream);

    if (!anyc__connectable_unreachable(rc))
        return rc;
    anyc__address_format((const struct sockaddr *)&self->address.un, self->address.len, name,
                         sizeof name);
    cause = anyc_last_error();
    return anyc__fail(ANYC_ECONNECT, cause->os_error, "cannot reach %s: %s", name, cause->message);
}

static void unix_connectable_destroy(anyc_connectable *connectable)
{
    anyc__free(unix_connectable_of(connectable));
}

static const anyc_connectable_ops unix_connectable_ops = {
    .type = "unix connectable",
    .connect = unix_connectable_connect,
    .destroy = unix_connectable_destroy,
};

/* -- over another connectable -- */

static struct buffered_connectable *buffered_connectable_of(const anyc_connectable *connectable)
{
    return ANYC__CONTAINER(connectable, struct buffered_connectable, connectable);
}

static int buffered_connectable_open(const struct buffered_connectable *self,
                                     anyc_buffered_stream **out_stream)
{
    anyc_byte_stream *stream;
    int rc = anyc_connectable_connect(self->inner, &stream);

    if (rc < 0)
        return rc;
    rc = anyc_buffered_stream_create(stream, out_stream);
    if (rc < 0)
        anyc_aclose_forcefully(stream);
    return rc;
}

static int buffered_connectable_connect(anyc_connectable *connectable,
                                        anyc_byte_stream **out_stream)
{
    anyc_buffered_stream *stream;
    int rc = buffered_connectable_open(buffered_connectable_of(connectable), &stream);

    if (rc == 0)
        *out_stream = &stream->stream;
    return rc;
}

static void buffered_connectable_destroy(anyc_connectable *connectable)
{
    struct buffered_connectable *self = buffered_connectable_of(connectable);

    anyc_connectable_destroy(self->inner);
    anyc__free(self);
}

static const anyc_connectable_ops buffered_connectable_ops = {
    .type = "buffered connectable",
    .connect = buffered_connectable_connect,
    .destroy = buffered_connectable_destroy,
};

/* -- public -- */

int anyc_connectable_init(anyc_connectable *connectable, const anyc_connectable_ops *ops)
{
    if (ops->type == NULL || ops->connect == NULL || ops->destroy == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a slot of the connectable's table is missing");
    connectable->ops = ops;
    return 0;
}

int anyc_connectable_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    return connectable->ops->connect(connectable, out_stream);
}

void anyc_connectable_destroy(anyc_connectable *connectable)
{
    connectable->ops->destroy(connectable);
}

int anyc_tcp_connectable_create(const char *host, int port, anyc_connectable **out_connectable)
{
    struct tcp_connectable *self;
    size_t size;

    if (host == NULL || *host == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "no host to connect to");
    if (port < 1 || port > 65535)
        return anyc__fail(ANYC_EINVAL, 0, "port %d is not within 1..65535", port);
    size = strlen(host) + 1;
    self = anyc__alloc(sizeof *self + size);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->connectable.ops = &tcp_connectable_ops;
    self->port = port;
    memcpy(self->host, host, size);
    *out_connectable = &self->connectable;
    return 0;
}

const char *anyc_tcp_connectable_host(const anyc_connectable *connectable)
{
    if (connectable->ops != &tcp_connectable_ops)
        return NULL;
    return tcp_connectable_of(connectable)->host;
}

int anyc_tcp_connectable_port(const anyc_connectable *connectable)
{
    if (connectable->ops != &tcp_connectable_ops)
        return 0;
    return tcp_connectable_of(connectable)->port;
}

int anyc_unix_connectable_create(const char *path, const anyc_connect_unix_options *options,
                                 anyc_connectable **out_connectable)
{
    size_t path_len = options == NULL ? 0 : options->path_len;
    struct unix_connectable *self;
    struct unix_address address;
    int rc = anyc__unix_address_make(path, path_len, &address);

    if (rc < 0)
        return rc;
    self = anyc__alloc(sizeof *self);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->connectable.ops = &unix_connectable_ops;
    self->address = address;
    self->path_len = path_len > 0 ? path_len : strlen(path);
    *out_connectable = &self->connectable;
    return 0;
}

const char *anyc_unix_connectable_path(const anyc_connectable *connectable, size_t *out_len)
{
    const struct unix_connectable *self = unix_connectable_of(connectable);

    if (connectable->ops != &unix_connectable_ops)
        return NULL;
    if (out_len != NULL)
        *out_len = self->path_len;
    return self->address.un.sun_path;
}

static bool target_wants_tls(const anyc_connect_target *target)
{
    return target->tls || target->tls_context != NULL || target->tls_hostname != NULL ||
           target->tls_not_standard_compatible;
}

/* Answers 0, or ANYC_EINVAL unless the target has one of the forms. */
static int target_check(const anyc_connect_target *target, bool tcp, bool path)
{
    int forms = (target->connectable != NULL) + tcp + path;

    if (forms != 1)
        return anyc__fail(ANYC_EINVAL, 0,
                          "a target is a connectable, host and port, or a path: this is %s",
                          forms == 0 ? "none of them" : "more than one of them");
    if (target->connectable != NULL && target_wants_tls(target))
        return anyc__fail(ANYC_EINVAL, 0,
                          "a connectable is taken as it is, without TLS options: see "
                          "anyc_tls_connectable_create");
    return 0;
}

/* Put TLS over the connectable of a target, or destroy it. */
static int target_add_tls(const anyc_connect_target *target, anyc_connectable *inner,
                          anyc_connectable **out_connectable)
{
    const anyc_tls_connectable_create_options options = {
        .context = target->tls_context,
        .hostname = target->tls_hostname != NULL ? target->tls_hostname : target->host,
        .not_standard_compatible = target->tls_not_standard_compatible,
    };
    int rc = anyc_tls_connectable_create(inner, &options, out_connectable);

    if (rc < 0)
        anyc_connectable_destroy(inner);
    return rc;
}

int anyc_as_connectable(const anyc_connect_target *target, anyc_connectable **out_connectable)
{
    const anyc_connect_unix_options options = {.path_len = target->path_len};
    bool tcp = target->host != NULL || target->port != 0;
    bool path = target->path != NULL || target->path_len != 0;
    anyc_connectable *made = target->connectable;
    int rc = target_check(target, tcp, path);

    if (rc == 0 && tcp)
        rc = anyc_tcp_connectable_create(target->host, target->port, &made);
    else if (rc == 0 && path)
        rc = anyc_unix_connectable_create(target->path, &options, &made);
    if (rc == 0 && target_wants_tls(target))
        return target_add_tls(target, made, out_connectable);
    if (rc == 0)
        *out_connectable = made;
    return rc;
}

int anyc_buffered_connectable_create(anyc_connectable *inner, anyc_connectable **out_connectable)
{
    struct buffered_connectable *self = anyc__alloc(sizeof *self);

    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->connectable.ops = &buffered_connectable_ops;
    self->inner = inner;
    *out_connectable = &self->connectable;
    return 0;
}

int anyc_buffered_connectable_connect(anyc_connectable *connectable,
                                      anyc_buffered_stream **out_stream)
{
    if (connectable->ops != &buffered_connectable_ops)
        return anyc__fail(ANYC_EINVAL, 0, "a %s makes no buffered streams", connectable->ops->type);
    return buffered_connectable_open(buffered_connectable_of(connectable), out_stream);
}
