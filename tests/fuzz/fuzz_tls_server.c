/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tls_server.c - a TLS server of anyc against a hostile client: see tls_target.h.
 */
#include "fuzz.h"
#include "tls_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)tls_target_run(true, data, size);
    return 0;
}
