/* SPDX-License-Identifier: MIT */
/*
 * tls_fate.h - TLS handshakes between two sides of anyc, each with a fate of its own: half of them
 * are good, the others fail or are cancelled in one of many ways, at a place that is left to chance.
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_FATE_H
#define ANYC_TESTS_BEHAVIOUR_TLS_FATE_H

#include <anyc/tls.h>

#include <stddef.h>
#include <stdint.h>

enum fate {
    FATE_GOOD,
    FATE_CUT,            /* a transport ends at some byte */
    FATE_CHANGED,        /* a byte changes on its way */
    FATE_CANCELLED_CALL, /* one side is cancelled in a call of its transport */
    FATE_CANCELLED_TIME, /* both are cancelled after some time, in worker threads too */
    FATE_STALLED,        /* a transport hangs, and both sides have a time limit */
    FATE_BROKEN,         /* a transport fails */
    FATE_GARBAGE,        /* the client speaks no TLS */
    FATE_WRONG_NAME,
    FATE_EXPIRED,
    FATE_UNKNOWN_CA,
    FATE_NO_CERTIFICATE,
    FATE_NO_CIPHER,
    FATE_NO_PROTOCOL,
    FATE_COUNT
};

/* What all handshakes share. */
struct fates {
    uint32_t seed;
    anyc_tls_context *clients[5];
    anyc_tls_context *servers[5];
    size_t ended[FATE_COUNT];     /* handshakes by fate */
    size_t succeeded[FATE_COUNT]; /* of them, on both sides: a fate may come too late */
};

void fates_init(struct fates *fates, uint32_t seed);
void fates_deinit(struct fates *fates);

/* Do handshake `number`, whose fate follows from that and from the seed, and all that comes after
 * it. In a task; any number at the same time. */
void fates_shake(struct fates *fates, uint32_t number);

#endif
