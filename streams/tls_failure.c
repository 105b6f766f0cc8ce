/* SPDX-License-Identifier: MIT */
/*
 * tls_failure.c - how TLS streams fail: from mbedTLS's codes and alerts to anyc's errors, which a
 * spoilt stream answers again and again.
 */
#include "streams/tls_error.h"
#include "streams/tls_stream.h"

#include "core/error.h"
#include "streams/tls_shim_connection.h"

#include <anyc/cancel.h>

#include <stdio.h>
#include <string.h>

#define ALERT_SECONDS 1.0 /* that a last alert may take to get out */

enum { ALERT_CERTIFICATE_REQUIRED = 116 }; /* 2.28 has no name for it */

/* RFC 5246 section 7.2, RFC 8446 section 6, RFC 7301. */
static const struct {
    uint8_t number;
    const char *text;
} alert_texts[] = {
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {22, "record overflow"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown CA"},
    {49, "access denied"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {109, "missing extension"},
    {110, "unsupported extension"},
    {112, "unrecognized name"},
    {113, "bad certificate status response"},
    {115, "unknown PSK identity"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

/* What anyc says where mbedTLS's own words would leave people in the dark. */
static const struct {
    int library_code;
    const char *text;
} library_texts[] = {
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "what the peer sent is not TLS, or broken"},
    {MBEDTLS_ERR_SSL_BAD_INPUT_DATA, "what the peer sent is not TLS, or broken: a huge record"},
    {ANYC__TLS_BAD_CLIENT_HELLO, "what the client sent is not TLS, broken, or not acceptable"},
    {MBEDTLS_ERR_SSL_INVALID_MAC,
     "a record was changed on its way (wrong MAC), or too many empty ones came"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "the peer sent a message out of turn"},
    {ANYC__TLS_NO_COMMON_CIPHER,
     "there is no common cipher, or the peer wants a newer version of TLS"},
    {ANYC__TLS_NO_USABLE_CIPHER,
     "there is no common cipher: those of the peer need a key of another kind"},
    {ANYC__TLS_NO_COMMON_VERSION,
     "there is no common version of TLS: the peer's is too old or too new"},
};

static const char *alert_text(uint8_t number)
{
    for (size_t i = 0; i < sizeof alert_texts / sizeof *alert_texts; i++) {
        if (alert_texts[i].number == number)
            return alert_texts[i].text;
    }
    return "unknown";
}

static const char *library_text(int library_code, char *buf, size_t size)
{
    for (size_t i = 0; i < sizeof library_texts / sizeof *library_texts; i++) {
        if (library_texts[i].library_code == library_code)
            return library_texts[i].text;
    }
    anyc__tls_library_text(library_code, buf, size);
    return buf;
}

/* Remember rc as the stream's failure, with the details of the last error if that is it: a transport
 * of the program's own may answer what it likes. */
static int failure_note(struct tls_stream *self, int rc)
{
    const anyc_error *error = anyc_last_error();
    struct tls_failure *failure = &self->failure;

    anyc__free(failure->message);
    *failure = (struct tls_failure){.code = rc, .os_error = anyc__errno_of(rc)};
    if (error->code == rc) {
        failure->os_error = error->os_error;
        failure->tls = error->tls;
        failure->message = anyc__strdup(error->message);
    }
    return rc;
}

static int failure_keep(struct tls_stream *self, int rc)
{
    self->state = TLS_FAILED;
    return failure_note(self, rc);
}

int anyc__tls_failed_before(const struct tls_stream *self)
{
    const struct tls_failure *failure = &self->failure;

    return anyc__fail_tls(failure->code, failure->os_error, &failure->tls, "%s",
                          failure->message != NULL ? failure->message
                                                   : anyc_strerror(failure->code));
}

/* Errors after which the transport is as good as before. */
static bool failure_passes(int rc)
{
    return rc == ANYC_ECANCELLED || rc == ANYC_ENOMEM || rc == -ENOBUFS || rc == ANYC_EBUSY ||
           rc == ANYC_ECLOSED || rc == ANYC_ENOLOOP;
}

int anyc__tls_transport_failed(struct tls_stream *self, int rc)
{
    if (anyc_last_error()->code != rc)
        anyc__fail_plain(rc); /* it left no message */
    return failure_passes(rc) || self->state == TLS_FAILED ? rc : failure_keep(self, rc);
}

int anyc__tls_send_failed(struct tls_stream *self, int rc)
{
    if (self->state == TLS_SHAKING || self->state == TLS_FAILED || failure_passes(rc))
        return anyc__tls_transport_failed(self, rc);
    if (anyc_last_error()->code != rc)
        anyc__fail_plain(rc); /* it left no message */
    self->send_failed = true;
    return failure_note(self, rc);
}

/* -- the peer's certificate -- */

static int failure_certificate(const struct tls_stream *self, const anyc_error_tls *tls)
{
    const struct tls_verification *peer = &self->peer;
    const char *problem = peer->problem;

    if (tls->library_code == ANYC__TLS_NO_CERTIFICATE)
        return anyc__fail_tls(ANYC_ETLS_CERTIFICATE, 0, tls, "the peer showed no certificate");
    if (problem == NULL)
        problem =
            peer->refused < 0 ? "the program's own verification refused it" : "it does not verify";
    return anyc__fail_tls(peer->refused < 0 ? peer->refused : ANYC_ETLS_CERTIFICATE, 0, tls,
                          "the certificate of %s is not accepted: %s",
                          peer->hostname != NULL ? peer->hostname : "the peer", problem);
}

static bool failure_is_certificate(const struct tls_stream *self, int library_code)
{
    if (self->state != TLS_SHAKING || library_code == ANYC__TLS_FATAL_ALERT)
        return false;
    return self->peer.refused < 0 || self->peer.flags != 0 ||
           library_code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
           library_code == MBEDTLS_ERR_X509_FATAL_ERROR ||
           library_code == ANYC__TLS_BAD_CERTIFICATE || library_code == ANYC__TLS_NO_CERTIFICATE;
}

/* -- everything else -- */

static int failure_alert(const struct tls_stream *self, anyc_error_tls *tls)
{
    tls->alert = anyc__tls_shim_alert(&self->ssl);
    return anyc__fail_tls(ANYC_ETLS, 0, tls, "the peer ended TLS with the alert \"%s\" (%u)",
                          alert_text(tls->alert), tls->alert);
}

/* The alert that belongs to a failure. */
static uint8_t failure_alert_for(const struct tls_stream *self, int library_code)
{
    switch (library_code) {
    case ANYC__TLS_NO_CERTIFICATE: /* RFC 5246 section 7.4.6, RFC 8446 section 4.4.2.4 */
        return anyc__tls_shim_is_tls13(&self->ssl) ? ALERT_CERTIFICATE_REQUIRED
                                                   : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
        return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA: /* the record does not fit into mbedTLS's buffer */
        return MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW;
    default:
        return MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR;
    }
}

/* mbedTLS tells the peer of most failures; of the others it is to know too. */
static void failure_alert_peer(struct tls_stream *self, int library_code)
{
    uint8_t alert = failure_alert_for(self, library_code);
    bool is_mine = !self->alerted;

    if (library_code == ANYC__TLS_FATAL_ALERT || (self->alert != 0 && !self->withheld))
        return;
    if (self->withheld) {
        is_mine = true;
        self->withheld = false;
        if (library_code != ANYC__TLS_NO_CERTIFICATE && self->alert != 0)
            alert = self->alert;
    }
    if (is_mine ? anyc__tls_shim_send_alert(&self->ssl, alert) == 0
                : library_code == MBEDTLS_ERR_SSL_INVALID_MAC) /* that of mbedTLS, encrypted */
        self->alert = alert;
}

static int failure_library(const anyc_error_tls *tls)
{
    char buf[128];
    const char *text = library_text(tls->library_code, buf, sizeof buf);

    if (!tls->alert_sent)
        return anyc__fail_tls(ANYC_ETLS, 0, tls, "TLS: %s", text);
    return anyc__fail_tls(ANYC_ETLS, 0, tls, "TLS: %s; the peer was told \"%s\" (%u)", text,
                          alert_text(tls->alert), tls->alert);
}

int anyc__tls_cut(struct tls_stream *self)
{
    const anyc_error_tls tls = {.library_code = MBEDTLS_ERR_SSL_CONN_EOF};
    int rc;

    if (self->state == TLS_SHAKING)
        rc =
            anyc__fail_tls(ANYC_ETLS_EOF, 0, &tls, "the connection ended within the TLS handshake");
    else
        rc = anyc__fail_tls(
            ANYC_EBROKEN, 0, &tls,
            "the connection ended, and the peer had not ended TLS: it may have been cut");
    return failure_keep(self, rc);
}

int anyc__tls_library_failed(struct tls_stream *self, int library_code)
{
    anyc_error_tls tls = {.library_code = library_code};
    int rc;

    if (self->state == TLS_SHAKING && anyc__tls_shim_is_plain_alert(&self->ssl, library_code))
        library_code = tls.library_code = ANYC__TLS_FATAL_ALERT;
    if (library_code == 0 || library_code == MBEDTLS_ERR_SSL_CONN_EOF)
        return anyc__tls_cut(self);
    if (anyc__tls_shim_is_no_memory(library_code))
        return failure_keep(self, anyc__fail_plain(ANYC_ENOMEM));
    if (self->state == TLS_SHAKING)
        anyc__tls_verification_failed(&self->peer, &self->ssl);
    failure_alert_peer(self, library_code);
    tls.verify_flags = self->peer.flags;
    tls.alert = self->alert;
    tls.alert_sent = self->alert != 0;
    if (failure_is_certificate(self, library_code))
        rc = failure_certificate(self, &tls);
    else if (library_code == ANYC__TLS_FATAL_ALERT)
        rc = failure_alert(self, &(anyc_error_tls){.library_code = library_code});
    else
        rc = failure_library(&tls);
    failure_keep(self, rc);
    anyc__tls_send_alert(self);
    return anyc__tls_failed_before(self);
}

void anyc__tls_send_alert(struct tls_stream *self)
{
    anyc_cancel_scope scope;
    int rc;

    if (self->flushing || !anyc__tls_has_output(self) ||
        anyc_move_on_after(&scope, ALERT_SECONDS, false) < 0)
        return;
    rc = anyc__tls_flush(self, NULL);
    rc = anyc_cancel_scope_exit(&scope, rc);
    (void)rc; /* a courtesy: the failure is known */
}
