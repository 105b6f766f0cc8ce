/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tls_client.c - a TLS client of anyc against a hostile server: see tls_target.h.
 */
#include "fuzz.h"
#include "tls_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)tls_target_run(false, data, size);
    return 0;
}
