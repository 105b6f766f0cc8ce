/* SPDX-License-Identifier: MIT */
/*
 * worker_library.c - a library of the test program worker_host.c: the order in which things are
 * initialised, and a function for a worker.
 */
#include "worker_library.h"

#include <stdlib.h>
#include <string.h>

static char library_order[16];

void library_note(char letter)
{
    size_t len = strlen(library_order);

    if (len + 1 < sizeof library_order)
        library_order[len] = letter;
}

__attribute__((constructor(120))) static void library_initialise(void)
{
    library_note('l');
}

int library_tell_order(const void *input, size_t input_size, anyc_bytes *output)
{
    size_t len = strlen(library_order);

    (void)input;
    (void)input_size;
    output->data = malloc(len);
    if (output->data == NULL)
        return -12;
    memcpy(output->data, library_order, len);
    output->len = len;
    return 0;
}
