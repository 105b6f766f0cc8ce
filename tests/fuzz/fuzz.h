/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what a fuzz target defines; libFuzzer or replay.c calls it.
 */
#ifndef ANYC_TESTS_FUZZ_H
#define ANYC_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Tries one input; a wrong answer aborts. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
