/* SPDX-License-Identifier: MIT */
/*
 * tls_connectable.c - objects that say where to connect by TLS. AnyIO: streams.tls.TLSConnectable.
 */
#include <anyc/connectable.h>

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "net/connectable.h"
#include "streams/tls_client.h"

struct tls_connectable {
    anyc_connectable connectable;
    anyc_connectable *inner;
    anyc_tls_stream_wrap_options options; /* with `hostname`, and a reference to the context */
    char hostname[];
};

static struct tls_connectable *tls_connectable_of(const anyc_connectable *connectable)
{
    return ANYC__CONTAINER(connectable, struct tls_connectable, connectable);
}

static int tls_connectable_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream)
{
    const struct tls_connectable *self = tls_connectable_of(connectable);
    const char *hostname = self->options.hostname;
    anyc_byte_stream *transport;
    const anyc_error *cause;
    int rc = anyc_connectable_connect(self->inner, &transport);

    if (rc < 0)
        return rc;
    rc = anyc__tls_client_wrap(transport, &self->options, out_stream);
    if (!anyc__connectable_unreachable(rc))
        return rc;
    cause = anyc_last_error();
    return anyc__fail_tls(ANYC_ECONNECT, cause->os_error, &cause->tls, "cannot reach %s by TLS: %s",
                          hostname != NULL ? hostname : self->inner->ops->type, cause->message);
}

static void tls_connectable_destroy(anyc_connectable *connectable)
{
    struct tls_connectable *self = tls_connectable_of(connectable);

    anyc_connectable_destroy(self->inner);
    anyc_tls_context_destroy(self->options.context);
    anyc__free(self);
}

static const anyc_connectable_ops tls_connectable_ops = {
    .type = "TLS connectable",
    .connect = tls_connectable_connect,
    .destroy = tls_connectable_destroy,
};

int anyc_tls_connectable_create(anyc_connectable *inner,
                                const anyc_tls_connectable_create_options *options,
                                anyc_connectable **out_connectable)
{
    anyc_tls_stream_wrap_options wrap = {.side = ANYC_TLS_CLIENT};
    struct tls_connectable *self;
    size_t size = 0;
    int rc;

    if (options != NULL) {
        wrap.context = options->context;
        wrap.hostname = options->hostname;
        wrap.not_standard_compatible = options->not_standard_compatible;
    }
    rc = anyc__tls_client_check(&wrap);
    if (rc < 0)
        return rc;
    if (wrap.hostname != NULL)
        size = strlen(wrap.hostname) + 1;
    self = anyc__alloc(sizeof *self + size);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->connectable.ops = &tls_connectable_ops;
    self->inner = inner;
    self->options = wrap;
    self->options.context = anyc__tls_context_ref(wrap.context);
    if (wrap.hostname != NULL)
        self->options.hostname = memcpy(self->hostname, wrap.hostname, size);
    *out_connectable = &self->connectable;
    return 0;
}

const char *anyc_tls_connectable_hostname(const anyc_connectable *connectable)
{
    if (connectable->ops != &tls_connectable_ops)
        return NULL;
    return tls_connectable_of(connectable)->options.hostname;
}

anyc_connectable *anyc_tls_connectable_inner(const anyc_connectable *connectable)
{
    if (connectable->ops != &tls_connectable_ops)
        return NULL;
    return tls_connectable_of(connectable)->inner;
}
