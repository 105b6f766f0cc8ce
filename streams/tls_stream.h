/* SPDX-License-Identifier: MIT */
/*
 * tls_stream.h - a TLS stream, for the files that make it up.
 *
 * mbedTLS works on memory: what it wants to read it takes from `in`, what it wants to write it
 * appends to `out` (the functions for that are in tls_io.c). It never waits. Between two calls of
 * it, never within one, tasks wait for the transport: to fill `in`, or to send what is in `out`. So
 * one task may receive while another sends, on the one ssl context.
 *
 * Records go out in the order in which they were made. Who sends moves them from `out` to `sending`
 * and counts off what the transport took; when it is cancelled the rest stays where it is, for
 * whoever sends next.
 */
#ifndef ANYC_STREAMS_TLS_STREAM_H
#define ANYC_STREAMS_TLS_STREAM_H

#include <anyc/cancel.h>
#include <anyc/tls_stream.h>

#include "core/list.h"
#include "streams/byte_buffer.h"
#include "streams/stream.h"
#include "streams/tls_config.h"
#include "streams/tls_shim_cipher.h"

#define TLS_RECORD_HEADER 5
#define TLS_PLAIN_MAX 16384           /* bytes of data in a record, RFC 5246 section 6.2.1 */
#define TLS_RECORD_MAX (16384 + 2048) /* of what follows the header */
#define TLS_ALERT_LEN 2               /* bytes of data in an alert, RFC 5246 section 7.2 */

enum tls_state {
    TLS_SHAKING, /* in the handshake */
    TLS_OPEN,
    TLS_ENDED, /* the peer has sent all it wanted to */
    TLS_FAILED /* `failure` says how */
};

/* How a stream failed, to be answered again and again. */
struct tls_failure {
    int code;
    int os_error;
    anyc_error_tls tls;
    char *message; /* NULL: there was no memory for it */
};

/* A wait for the transport, which a close by this side ends. */
struct tls_wait {
    anyc_cancel_scope scope; /* around it, while `on` */
    bool on;
};

/* Invariants: in one direction at most one task is busy; its wait is on iff it waits for the
 * transport or for its turn to send; `closers` is empty unless `closed`. */
struct tls_stream {
    union {
        anyc_resource resource;
        anyc_byte_stream stream;
    };
    struct stream_life life;
    anyc_byte_stream *transport;
    struct tls_config *config; /* a reference */
    struct tls_verification peer;
    mbedtls_ssl_context ssl;

    enum tls_state state;
    struct tls_failure failure;
    bool standard_compatible;
    bool reused;   /* the handshake was a short one */
    bool closed;   /* by this side: nobody else may begin anything */
    bool notified; /* this side has told the end: no more can be sent */
    bool alerted;  /* an alert was sent */
    bool withheld; /* it was not, as mbedTLS has not encrypted it; `alert` says which */
    uint8_t alert; /* which, if that is known and it was fatal; 0: none */
    char cipher_name[ANYC__TLS_CIPHER_NAME_SIZE]; /* by IANA, once somebody asked for it */

    bool receiving;
    bool transport_ended; /* there is nothing to come behind what is in `in` */
    struct tls_wait receiver;
    struct byte_buffer in; /* from the transport, not yet taken by mbedTLS */
    size_t in_ready;       /* bytes of it that mbedTLS may take: whole records in the handshake */
    unsigned char *wanted; /* where mbedTLS wants `wanted_len` more bytes, its own memory */
    size_t wanted_len;     /* 0: it waits for none */
    size_t direct;         /* bytes that the transport has put there already */

    bool busy_sending; /* a task is in one of the sending calls */
    bool send_failed;  /* the transport takes no more; `failure` says why until there is another */
    bool flushing;     /* a task gives `sending` to the transport */
    struct tls_wait sender;
    struct byte_buffer out;     /* records of mbedTLS */
    struct byte_buffer sending; /* records on their way */
    struct byte_buffer gather;  /* pieces that become one record */
    size_t plain_max;           /* bytes of data in a record that this side makes */
    size_t expansion;           /* bytes that a record adds to its data, at most */
    size_t tickets_len;         /* bytes of `out` that wait for something else to be sent */
    anyc_list flushers;         /* waits of tasks whose turn to send has not come */

    anyc_list closers; /* waits of those who want to be alone with the stream */
};

static inline struct tls_stream *anyc__tls_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct tls_stream, resource);
}

/* The stream behind a byte stream, or NULL if that is no TLS stream. */
struct tls_stream *anyc__tls_cast(const anyc_byte_stream *stream);

/* -- tls_stream.c -- */

/* After the handshake: give the stream its table. */
void anyc__tls_open(struct tls_stream *self);

/* Free everything but the transport. */
void anyc__tls_free(struct tls_stream *self);

/* The frame of an operation of which only one may be under way; `*busy` is its mark. After 0 of
 * begin, end must follow, by which the stream may be gone. Those who want to be alone with the
 * stream are woken by it. */
int anyc__tls_begin(struct tls_stream *self, bool *busy);
void anyc__tls_end(struct tls_stream *self, bool *busy);

/* For who holds the stream (anyc__stream_hold): let go of it. */
void anyc__tls_release(struct tls_stream *self);

/* Receive bytes: how many, ANYC_EOF at the end, or an error. For `wait` see below. */
ssize_t anyc__tls_read(struct tls_stream *self, void *buf, size_t max_bytes, struct tls_wait *wait);

/* What mbedTLS said in place of data. Answers 0 if there is more to read, or an error. */
int anyc__tls_read_result(struct tls_stream *self, int code, struct tls_wait *wait);

/* -- tls_send.c -- */

int anyc__tls_send(anyc_byte_stream *base, const void *buf, size_t len);
int anyc__tls_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count);
ssize_t anyc__tls_send_some(anyc_byte_stream *base, const void *buf, size_t len);
int anyc__tls_send_eof(anyc_byte_stream *base);

/* -- tls_close.c -- */

int anyc__tls_close(anyc_resource *resource, bool forcefully);

/* -- tls_attribute.c -- */

int anyc__tls_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out);

/* -- tls_io.c -- */

/* The functions that mbedTLS reads and writes by; `ctx` is the stream. */
int anyc__tls_give(void *ctx, const unsigned char *buf, size_t len);
int anyc__tls_take(void *ctx, unsigned char *buf, size_t len);

/* Is there anything to be sent? */
static inline bool anyc__tls_has_output(const struct tls_stream *self)
{
    return anyc__byte_buffer_len(&self->sending) + anyc__byte_buffer_len(&self->out) > 0;
}

/* The functions below wait for the transport. `wait` is &self->receiver or &self->sender, so that a
 * close by this side can end it: ANYC_ECLOSED then. NULL for those who close, and for the handshake. */

/* Send what there is, waiting for others that are at it. Answers 0; ANYC_ECANCELLED, and the rest is
 * still there; or what the transport answers. */
int anyc__tls_flush(struct tls_stream *self, struct tls_wait *wait);

/* The same for who receives: leaves it to others that are at it, unless much has come together
 * because the peer asks but does not read. */
int anyc__tls_flush_before_wait(struct tls_stream *self, struct tls_wait *wait);

/* Get more from the transport into `in`, which mbedTLS has emptied or which has no whole record.
 * Answers 0, also at the transport's end, or as anyc__tls_flush. */
int anyc__tls_fill(struct tls_stream *self, struct tls_wait *wait);

/* -- tls_error.c -- */

/* An error of the transport: spoils the stream if it is one that lasts. Answers rc. */
int anyc__tls_transport_failed(struct tls_stream *self, int rc);

/* The same when sending: the stream can still be received from, for what the peer sent before it
 * stopped reading. */
int anyc__tls_send_failed(struct tls_stream *self, int rc);

/* An error of mbedTLS: spoils the stream, and tells the peer if mbedTLS has an alert for it. */
int anyc__tls_library_failed(struct tls_stream *self, int library_code);

/* The transport has ended and the peer had not told the end of TLS. */
int anyc__tls_cut(struct tls_stream *self);

/* Answer the failure of a spoilt stream again. */
int anyc__tls_failed_before(const struct tls_stream *self);

/* Sends the alert that mbedTLS may have left, but does not wait for long. Keeps the last error. */
void anyc__tls_send_alert(struct tls_stream *self);

#endif
