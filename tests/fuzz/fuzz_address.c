/* SPDX-License-Identifier: MIT */
/*
 * fuzz_address.c - reads literal addresses: what can be read can be written and read again.
 */
#include "fuzz.h"

#include "net/address.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[128];
    struct sockaddr_storage first;
    struct sockaddr_storage second;
    socklen_t first_len;
    socklen_t second_len;
    size_t len = size < sizeof host - 1 ? size : sizeof host - 1;

    memcpy(host, data, len);
    host[len] = '\0';
    if (!anyc__address_parse(host, 80, &first, &first_len))
        return 0;
    anyc__address_host((struct sockaddr *)&first, first_len, host, sizeof host);
    if (!anyc__address_parse(host, 80, &second, &second_len))
        abort();
    if (!anyc__address_equal((struct sockaddr *)&first, first_len, (struct sockaddr *)&second,
                             second_len))
        abort();
    return 0;
}
