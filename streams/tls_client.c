/* SPDX-License-Identifier: MIT */
/*
 * tls_client.c - TLS for those who have just connected. AnyIO: the part that connect_tcp and
 * TLSConnectable have in common.
 */
#include "streams/tls_client.h"

#include "core/error.h"
#include "streams/stream.h"
#include "streams/tls_config.h"

int anyc__tls_client_check(const anyc_tls_stream_wrap_options *options)
{
    struct tls_config *config = NULL;
    int rc = 0;

    if (options->context != NULL)
        config = anyc__tls_context_config(options->context);
    if (config != NULL && config->server_side)
        rc = anyc__fail(ANYC_EINVAL, 0, "the context is for servers, a client connects");
    else if (options->hostname == NULL && (config == NULL || config->needs_hostname))
        rc = anyc__fail(ANYC_EINVAL, 0, "a client needs the host name of its server for TLS");
    if (config != NULL)
        anyc__tls_config_unref(config);
    return rc;
}

int anyc__tls_client_wrap(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                          anyc_byte_stream **out_stream)
{
    int rc = anyc_tls_stream_wrap(transport, options, out_stream);

    return rc < 0 ? anyc__stream_discard(transport, rc) : 0;
}
