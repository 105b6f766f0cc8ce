/* SPDX-License-Identifier: MIT */
/*
 * mail.h - the mail that starttls.c sends.
 */
#ifndef ANYC_EXAMPLES_MAIL_H
#define ANYC_EXAMPLES_MAIL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mail {
    const char *from;
    const char *to;
    char *text;
    size_t len; /* bytes of the text */
};

/* Appends all of a file to the text. */
static inline bool mail_read_file(FILE *file, struct mail *out)
{
    size_t room = 0;
    size_t n = 1;

    while (n > 0) {
        if (out->len == room) {
            char *more = realloc(out->text, room + 65536);

            if (more == NULL)
                return false;
            out->text = more;
            room += 65536;
        }
        n = fread(out->text + out->len, 1, room - out->len, file);
        out->len += n;
    }
    return !ferror(file);
}

/* The text of the file of this name; NULL: stdin. False after a message if that fails. */
static inline bool mail_read(const char *name, struct mail *out)
{
    FILE *file = name != NULL ? fopen(name, "r") : stdin;
    bool good = file != NULL && mail_read_file(file, out);

    if (!good)
        perror(name != NULL ? name : "stdin");
    if (file != NULL && file != stdin)
        fclose(file);
    return good;
}

/* Nothing that could end the command that it stands in. */
static inline bool mail_is_address(const char *text)
{
    return *text != '\0' && strpbrk(text, "<> \r\n") == NULL;
}

#endif
