/* SPDX-License-Identifier: MIT */
/*
 * tls_target.c - TLS streams against hostile bytes.
 */
#include "tls_target.h"

#include <anyc/error.h>
#include <anyc/loop.h>

#include <stdlib.h>

#include "support/tls_tape.h"

#define ROOM 4096 /* bytes */

struct target {
    bool is_server;
    anyc_tls_context *context;
    struct tape tape;
    long result;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool is_failed_handshake(int rc)
{
    return rc == ANYC_ETLS || rc == ANYC_ETLS_EOF || rc == ANYC_ETLS_CERTIFICATE;
}

/* All data, then an end that is the same again and again. */
static long receive_all(anyc_byte_stream *stream, size_t limit)
{
    char *block = malloc(ROOM);
    size_t total = 0;
    ssize_t n = 1;

    require(block != NULL);
    while (n > 0) {
        n = anyc_receive(stream, block, ROOM);
        total += n > 0 ? (size_t)n : 0;
    }
    require(total <= limit);
    require(n == ANYC_EOF || n == ANYC_ETLS || n == ANYC_EBROKEN);
    require(anyc_receive(stream, block, ROOM) == n);
    free(block);
    if (n != ANYC_EOF)
        require(anyc_last_error()->message[0] != '\0' && anyc_send(stream, "x", 1) == ANYC_EBROKEN);
    return (long)total;
}

static int main_task(void *arg)
{
    struct target *target = arg;
    struct tape *tape = &target->tape;
    size_t limit = tape->len;
    anyc_byte_stream *stream = NULL;
    int rc = tls_tape_wrap(target->is_server, target->context, tape, &stream);

    target->result = rc;
    if (rc < 0) {
        require(is_failed_handshake(rc) && anyc_last_error()->code == rc && stream == NULL);
        require(!tape->closed);
        return 0;
    }
    target->result = receive_all(stream, limit);
    rc = anyc_aclose(stream);
    require(rc == 0 || rc == ANYC_EBROKEN || rc == ANYC_ETLS);
    require(tape->closed);
    return 0;
}

static anyc_tls_context *contexts[2];

long tls_target_run(bool is_server, const uint8_t *data, size_t size)
{
    struct target target = {.is_server = is_server};

    if (size < 1 || size > TLS_TARGET_MAX)
        return 0;
    if (contexts[is_server] == NULL)
        contexts[is_server] = tls_tape_context(is_server);
    target.context = contexts[is_server];
    tape_play(&target.tape, data + 1, size - 1);
    target.tape.step = data[0];
    require(anyc_run_with(main_task, &target, NULL) == 0);
    tape_deinit(&target.tape);
    return target.result;
}

void tls_target_end(void)
{
    for (int i = 0; i < 2; i++) {
        anyc_tls_context_destroy(contexts[i]);
        contexts[i] = NULL;
    }
}
