/* SPDX-License-Identifier: MIT */
/*
 * tls_listener.c - a listener whose connections are TLS streams. AnyIO: streams.tls.TLSListener.
 *
 * The listener below accepts, and starts the task of each connection with the handler of this file
 * in front of the program's. The listener may be freed while connections are in their handshake:
 * each of them holds it until that is over.
 */
#include <anyc/tls_listener.h>

#include <stdio.h>

#include <anyc/cancel.h>
#include <anyc/semaphore.h>
#include <anyc/tls_stream.h>

#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "streams/stream.h"
#include "streams/tls_client.h"
#include "streams/tls_config.h"

#define HANDSHAKE_TIMEOUT 30.0 /* seconds; AnyIO's */

struct tls_listener {
    anyc_listener listener;
    anyc_listener *inner;
    anyc_tls_context *context; /* a reference */
    anyc_tls_listener_create_options options;
    anyc_semaphore turns; /* free ones of max_handshakes */
    struct stream_life life;
};

/* One call of serve, for the connections that it accepts. It is in use until the call has returned,
 * and by each connection until its handshake is over. */
struct tls_serving {
    struct stream_life life;
    struct tls_listener *self; /* held */
    anyc_connection_fn handler;
    void *arg;
};

static struct tls_listener *tls_listener_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct tls_listener, listener.resource);
}

static void tls_listener_free(struct tls_listener *self)
{
    anyc_tls_context_destroy(self->context);
    anyc__free(self);
}

static void tls_listener_release(struct tls_listener *self)
{
    if (anyc__stream_release(&self->life))
        tls_listener_free(self);
}

static void tls_serving_free(struct tls_serving *serving)
{
    tls_listener_release(serving->self);
    anyc__free(serving);
}

/* -- handshakes -- */

static int tls_listener_handshake(struct tls_listener *self, anyc_byte_stream *transport,
                                  anyc_byte_stream **out_stream)
{
    const anyc_tls_stream_wrap_options options = {
        .context = self->context,
        .side = ANYC_TLS_SERVER,
        .not_standard_compatible = self->options.not_standard_compatible,
    };
    bool has_turn = false;
    anyc_cancel_scope scope;
    int rc = anyc_fail_after(&scope, self->options.handshake_timeout, false);

    if (rc < 0)
        return rc;
    rc = anyc_semaphore_acquire(&self->turns);
    if (rc >= 0) {
        has_turn = true;
        rc = anyc_tls_stream_wrap(transport, &options, out_stream);
        (void)anyc_semaphore_release(&self->turns); /* there is no maximum to exceed */
    }
    rc = anyc_cancel_scope_exit(&scope, rc);
    if (anyc_cancel_scope_cancelled_caught(&scope))
        rc = anyc__fail(ANYC_ETIMEDOUT, ETIMEDOUT, "the TLS handshake was not %s after %g s",
                        has_turn ? "over" : "begun, others were before it",
                        self->options.handshake_timeout);
    return rc;
}

/* Nobody else hears of the failure. */
static void tls_listener_log_failure(anyc_byte_stream *transport, int rc)
{
    const anyc_error *error = anyc_last_error();
    struct stream_peer peer = {""};
    char why[256];

    (void)snprintf(why, sizeof why, "%s", error->code == rc ? error->message : anyc_strerror(rc));
    if (anyc_extra(transport, &anyc__stream_peer, &peer) < 0)
        peer.name[0] = '\0';
    anyc__log(rc, "a TLS handshake%s%s failed: %s", peer.name[0] != '\0' ? " with " : "", peer.name,
              why);
}

/* End a connection whose handshake failed. Answers the result of its task: without an error handler
 * the server goes on. */
static int tls_listener_give_up(const struct tls_listener *self, anyc_byte_stream *transport,
                                int rc)
{
    if (rc == ANYC_ECANCELLED)
        return anyc__stream_discard(transport, rc);
    if (self->options.handle_handshake_error != NULL)
        return self->options.handle_handshake_error(transport, rc, self->options.handle_arg);
    tls_listener_log_failure(transport, rc);
    anyc_aclose_forcefully(transport);
    return 0;
}

/* -- serving -- */

/* The task of a connection. */
static int tls_listener_handle(anyc_byte_stream *transport, void *arg)
{
    struct tls_serving *serving = arg;
    anyc_connection_fn handler = serving->handler;
    void *handler_arg = serving->arg;
    anyc_byte_stream *stream = NULL;
    int rc;

    anyc__stream_hold(&serving->life);
    rc = tls_listener_handshake(serving->self, transport, &stream);
    if (rc < 0)
        rc = tls_listener_give_up(serving->self, transport, rc);
    if (anyc__stream_release(&serving->life))
        tls_serving_free(serving);
    return stream != NULL ? handler(stream, handler_arg) : rc;
}

/* The call returns. Tasks that it has started last may not have run yet: once they have, they hold
 * what they need of it. */
static void tls_serving_end(struct tls_serving *serving)
{
    anyc_task *task = anyc__task();

    if (task != NULL)
        anyc__yield(task);
    if (anyc__stream_destroy(&serving->life))
        tls_serving_free(serving);
}

static int tls_listener_serve(anyc_listener *listener, const anyc_serving *outer)
{
    struct tls_listener *self = tls_listener_of(&listener->resource);
    struct tls_serving *serving = anyc__alloc(sizeof *serving);
    anyc_serving inner = *outer;
    int rc;

    if (serving == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *serving = (struct tls_serving){.self = self, .handler = outer->handler, .arg = outer->arg};
    anyc__stream_hold(&self->life);
    inner.handler = tls_listener_handle;
    inner.arg = serving;
    rc = anyc_listener_serve_inner(self->inner, &inner);
    tls_serving_end(serving);
    return rc;
}

static int tls_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    struct tls_listener *self = tls_listener_of(&listener->resource);
    anyc_byte_stream *transport;
    int rc;

    anyc__stream_hold(&self->life);
    rc = anyc_listener_accept(self->inner, &transport);
    if (rc >= 0) {
        rc = tls_listener_handshake(self, transport, out_stream);
        if (rc < 0)
            anyc__stream_discard(transport, rc);
    }
    tls_listener_release(self);
    return rc;
}

/* -- the rest -- */

static int tls_listener_close(anyc_resource *resource, bool forcefully)
{
    return anyc__stream_close_inner(&tls_listener_of(resource)->inner->resource, forcefully);
}

static void tls_listener_destroy(anyc_resource *resource)
{
    struct tls_listener *self = tls_listener_of(resource);

    anyc_listener_deinit(&self->listener);
    anyc_aclose_forcefully(self->inner);
    if (anyc__stream_destroy(&self->life))
        tls_listener_free(self);
}

static int tls_listener_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                              void *out)
{
    const struct tls_listener *self = tls_listener_of(resource);

    if (attribute != &ANYC_TLS_STANDARD_COMPATIBLE)
        return anyc__stream_extra_inner(&self->inner->resource, attribute, out);
    *(bool *)out = !self->options.not_standard_compatible;
    return 0;
}

static const anyc_listener_ops tls_listener_ops = {
    .resource =
        {
            .type = "TLS listener",
            .close = tls_listener_close,
            .destroy = tls_listener_destroy,
            .extra = tls_listener_extra,
        },
    .accept = tls_listener_accept,
    .serve = tls_listener_serve,
};

static int tls_listener_check(anyc_tls_context *context,
                              const anyc_tls_listener_create_options *options)
{
    struct tls_config *config = NULL;
    bool for_servers = false;

    if (context != NULL) {
        config = anyc__tls_context_config(context);
        for_servers = config->server_side;
        anyc__tls_config_unref(config);
    }
    if (!for_servers)
        return anyc__fail(ANYC_EINVAL, 0, "a listener needs a context for servers");
    if (!(options->handshake_timeout >= 0))
        return anyc__fail(ANYC_EINVAL, 0, "the timeout of handshakes is negative or no number");
    return 0;
}

int anyc_tls_listener_create(anyc_listener *listener, anyc_tls_context *context,
                             const anyc_tls_listener_create_options *options,
                             anyc_listener **out_listener)
{
    static const anyc_tls_listener_create_options defaults;
    const anyc_tls_listener_create_options *chosen = options != NULL ? options : &defaults;
    struct tls_listener *self;
    int rc = tls_listener_check(context, chosen);

    if (rc < 0)
        return rc;
    self = anyc__zalloc(sizeof *self);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->listener =
        (anyc_listener){.resource = {&tls_listener_ops.resource}, .ops = &tls_listener_ops};
    self->inner = listener;
    self->context = anyc__tls_context_ref(context);
    self->options = *chosen;
    if (chosen->handshake_timeout == 0)
        self->options.handshake_timeout = HANDSHAKE_TIMEOUT;
    self->turns = (anyc_semaphore){
        .value = chosen->max_handshakes > 0 ? chosen->max_handshakes : SIZE_MAX,
        .fast_acquire = true,
    };
    *out_listener = &self->listener;
    return 0;
}
