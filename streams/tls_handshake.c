/* SPDX-License-Identifier: MIT */
/*
 * tls_handshake.c - from a transport to a TLS stream. AnyIO: TLSStream.wrap.
 *
 * The costly part of a handshake is mbedTLS's own work, milliseconds of it: a step of it runs in a
 * worker thread, with whole records at hand, while the task waits. Nobody else has the stream then.
 */
#include <anyc/tls_stream.h>

#include <anyc/lowlevel.h>

#include "core/error.h"
#include "core/task.h"
#include "streams/tls_shim_connection.h"
#include "streams/tls_shim_session.h"
#include "streams/tls_stream.h"
#include "threads/worker_pool.h"

#define HANDSHAKE_ROUNDS 8 /* more than any needs, before others get their turn */

/* One step, for the thread that runs it. */
struct handshake_step {
    struct worker_job job;
    struct tls_stream *self;
    int library_code;
};

/* As far as the input goes. 0: the handshake is over. */
static int handshake_advance(struct tls_stream *self)
{
    int code = 0;

    while (code == 0 && !anyc__tls_shim_is_over(&self->ssl)) {
        if (anyc__tls_shim_is_at_certificate(&self->ssl)) {
            self->reused = false;
            anyc__tls_shim_drop_ticket(&self->ssl);
        }
        code = anyc__tls_shim_step(&self->ssl);
    }
    return code;
}

static int handshake_step_fn(struct worker_job *job)
{
    struct handshake_step *step = ANYC__CONTAINER(job, struct handshake_step, job);

    step->library_code = handshake_advance(step->self);
    return 0;
}

/* Answers 0 and what mbedTLS said, or an error. */
static int handshake_step(struct tls_stream *self, anyc_task *task, bool in_worker,
                          int *out_library_code)
{
    struct handshake_step step = {.job = {.fn = handshake_step_fn, .kind = WORKER_HANDSHAKES},
                                  .self = self};
    int rc = 0;

    if (in_worker)
        rc = anyc__worker_run(task, &step.job);
    else
        step.library_code = handshake_advance(self);
    *out_library_code = step.library_code;
    return rc;
}

/* The header of a record, or as much of it as is there, is that of TLS. */
static bool handshake_is_tls(const unsigned char *header, size_t len)
{
    enum { CHANGE_CIPHER_SPEC = 20, HEARTBEAT = 24, MAJOR_VERSION = 3 };

    return (len < 1 || (header[0] >= CHANGE_CIPHER_SPEC && header[0] <= HEARTBEAT)) &&
           (len < 2 || header[1] == MAJOR_VERSION);
}

/* How much of `in` mbedTLS may take: whole records, so that a worker is asked only when there is
 * work. False: what comes next is no TLS. */
static bool handshake_measure(struct tls_stream *self)
{
    const unsigned char *data = (const unsigned char *)self->in.data;
    size_t len = anyc__byte_buffer_len(&self->in);
    size_t at = 0;

    self->in_ready = 0;
    while (at < len) {
        const unsigned char *header = data + self->in.start + at;
        size_t size = TLS_RECORD_HEADER;

        if (!handshake_is_tls(header, len - at))
            return at > 0;
        if (len - at >= TLS_RECORD_HEADER)
            size += (size_t)header[3] << 8 | header[4];
        if (size > TLS_RECORD_HEADER + TLS_RECORD_MAX)
            size = len - at; /* mbedTLS refuses it */
        if (size > len - at || len - at < TLS_RECORD_HEADER)
            break;
        at += size;
        self->in_ready = at;
    }
    if (self->transport_ended)
        self->in_ready = len;
    return true;
}

/* A whole record or more, or the end. */
static int handshake_receive(struct tls_stream *self)
{
    int rc = anyc__tls_flush(self, NULL);
    bool is_tls = handshake_measure(self);

    while (rc >= 0 && is_tls && self->in_ready == 0 && !self->transport_ended) {
        rc = anyc__tls_fill(self, NULL);
        is_tls = handshake_measure(self);
    }
    if (rc >= 0 && !is_tls)
        rc = anyc__tls_library_failed(self, MBEDTLS_ERR_SSL_INVALID_RECORD);
    return rc;
}

/* Get the last of it out. A server's tickets (TLS 1.3) are no part of the handshake: they wait for
 * what is sent first. A client that sends first may not be receiving, so that both sides would wait
 * for each other; or it may have closed, and would reset the connection with all it has sent. */
static int handshake_finish(struct tls_stream *self)
{
    if (!self->config->server_side || !anyc__tls_shim_is_tls13(&self->ssl))
        return anyc__tls_flush(self, NULL);
    self->tickets_len = anyc__byte_buffer_len(&self->out);
    return 0;
}

static int handshake_run(struct tls_stream *self, anyc_task *task)
{
    bool in_worker = false; /* a client's first step is cheap, a server's waits for that */
    unsigned rounds = 0;
    int code = MBEDTLS_ERR_SSL_WANT_READ;
    int rc = 0;

    if (!self->config->server_side)
        rc = handshake_step(self, task, in_worker, &code);
    while (rc >= 0 && (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)) {
        in_worker = self->config->in_workers;
        rc = handshake_receive(self);
        if (rc >= 0)
            rc = ++rounds % HANDSHAKE_ROUNDS == 0 ? anyc_checkpoint() : anyc__check_cancelled(task);
        if (rc >= 0)
            rc = handshake_step(self, task, in_worker, &code);
    }
    if (rc >= 0 && code != 0)
        return anyc__tls_library_failed(self, code);
    return rc < 0 ? rc : handshake_finish(self);
}

/* -- wrapping -- */

static int wrap_check(const struct tls_config *config, const anyc_tls_stream_wrap_options *options)
{
    enum anyc_tls_side side = options->side;

    if (side == ANYC_TLS_SIDE_DEFAULT)
        side = options->hostname != NULL ? ANYC_TLS_CLIENT : ANYC_TLS_SERVER;
    if (config->server_side != (side == ANYC_TLS_SERVER))
        return anyc__fail(ANYC_EINVAL, 0, "the context is for %s, the wrap is for %s%s",
                          config->server_side ? "servers" : "clients",
                          config->server_side ? "a client" : "a server",
                          options->side == ANYC_TLS_SIDE_DEFAULT && !config->server_side
                              ? ", as no host name is given"
                              : "");
    if (config->needs_hostname && options->hostname == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a client needs the host name of its server");
    return 0;
}

/* Takes the reference of the configuration in any case. */
static int wrap_create(anyc_byte_stream *transport, struct tls_config *config,
                       const anyc_tls_stream_wrap_options *options, struct tls_stream **out_self)
{
    struct tls_stream *self = anyc__zalloc(sizeof *self);
    int rc;

    if (self == NULL) {
        anyc__tls_config_unref(config);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    self->transport = transport;
    self->config = config;
    self->state = TLS_SHAKING;
    self->reused = true; /* until the handshake shows certificates */
    self->standard_compatible = !options->not_standard_compatible;
    mbedtls_ssl_init(&self->ssl);
    rc = anyc__tls_verification_init(&self->peer, config, options->hostname);
    if (rc >= 0 && mbedtls_ssl_setup(&self->ssl, &config->ssl) != 0)
        rc = anyc__fail_plain(ANYC_ENOMEM);
    if (rc >= 0)
        rc = anyc__tls_verification_attach(&self->peer, &self->ssl);
    if (rc < 0) {
        anyc__tls_free(self);
        return rc;
    }
    mbedtls_ssl_set_bio(&self->ssl, self, anyc__tls_give, anyc__tls_take, NULL);
    anyc__tls_session_offer(&self->peer, &self->ssl);
    *out_self = self;
    return 0;
}

/* The handshake is over: the stream is whole. */
static void wrap_complete(struct tls_stream *self)
{
    int expansion = mbedtls_ssl_get_record_expansion(&self->ssl);
    int plain_max = mbedtls_ssl_get_max_out_record_payload(&self->ssl);

    self->plain_max =
        plain_max > 0 && plain_max < TLS_PLAIN_MAX ? (size_t)plain_max : TLS_PLAIN_MAX;
    self->expansion = expansion > 0 ? (size_t)expansion : TLS_RECORD_MAX - TLS_PLAIN_MAX;
    self->state = TLS_OPEN;
    self->in_ready = SIZE_MAX;
    anyc__tls_session_keep(&self->peer, &self->ssl);
    anyc__tls_open(self);
}

static int wrap_with(anyc_task *task, anyc_byte_stream *transport,
                     const anyc_tls_stream_wrap_options *options, anyc_tls_context *context,
                     anyc_byte_stream **out_stream)
{
    struct tls_config *config = anyc__tls_context_config(context);
    struct tls_stream *self = NULL;
    int rc = wrap_check(config, options);

    if (rc < 0) {
        anyc__tls_config_unref(config);
        return rc;
    }
    rc = wrap_create(transport, config, options, &self);
    if (rc < 0)
        return rc;
    rc = handshake_run(self, task);
    if (rc < 0) {
        anyc__tls_session_forget(&self->peer);
        anyc__tls_free(self);
        return rc;
    }
    wrap_complete(self);
    *out_stream = &self->stream;
    return 0;
}

int anyc_tls_stream_wrap(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                         anyc_byte_stream **out_stream)
{
    static const anyc_tls_stream_wrap_options defaults;
    const anyc_tls_stream_wrap_options *chosen = options != NULL ? options : &defaults;
    anyc_tls_context *context = chosen->context;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (context == NULL && (chosen->hostname == NULL || chosen->side == ANYC_TLS_SERVER))
        return anyc__fail(ANYC_EINVAL, 0,
                          "a server needs a context with a certificate, a client a host name");
    if (context == NULL)
        rc = anyc__tls_default_context(task, &context);
    if (rc < 0)
        return rc;
    return wrap_with(task, transport, chosen, context, out_stream);
}
