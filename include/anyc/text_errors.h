/* SPDX-License-Identifier: MIT */
/*
 * text_errors.h - what to do with what cannot be decoded or encoded. AnyIO: the argument `errors`.
 */
#ifndef ANYC_TEXT_ERRORS_H
#define ANYC_TEXT_ERRORS_H

/** What to do with bytes that are not text, or characters that the encoding lacks. */
typedef enum anyc_text_errors {
    ANYC_TEXT_STRICT,           /* answer ANYC_EDECODE or ANYC_EENCODE */
    ANYC_TEXT_IGNORE,           /* leave them out */
    ANYC_TEXT_REPLACE,          /* U+FFFD when receiving, '?' when sending */
    ANYC_TEXT_BACKSLASHREPLACE, /* \xe9, \u20ac, \U0001f600; when receiving, \x.. for each byte */
} anyc_text_errors;

#endif
