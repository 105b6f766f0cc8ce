/* SPDX-License-Identifier: MIT */
/*
 * port.h - included before a program of the pages that uses a port: the test says which.
 */
#ifndef TESTS_DOCS_PORT_H
#define TESTS_DOCS_PORT_H

#include <stdlib.h>

static inline int documents_port(void)
{
    const char *text = getenv("DOCUMENTS_PORT");

    return text != NULL ? atoi(text) : 0;
}

#endif
