/* SPDX-License-Identifier: MIT */
/*
 * http_fields.h - the fields of a request that ask for a part of a file, or for none if the client
 * has it already, and what they refer to (RFC 9110, sections 8, 13 and 14).
 */
#ifndef ANYC_EXAMPLES_HTTP_FIELDS_H
#define ANYC_EXAMPLES_HTTP_FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <sys/stat.h>

/* A piece of a request; text == NULL: it is not there. */
struct http_text {
    const char *text;
    size_t len;
};

/* What tells one version of a file from another. */
struct http_version {
    char date[32]; /* Last-Modified */
    char tag[64];  /* ETag */
    time_t seconds;
    bool weak; /* it was changed just now, and may be once more without a new tag */
};

/* What of a file is to be sent. */
struct http_range {
    int64_t first;
    int64_t count;
};

enum http_range_kind { HTTP_RANGE_NONE, HTTP_RANGE_PART, HTTP_RANGE_UNSATISFIABLE };

/* The value of a field, from a head whose lines all have their ends. */
static inline struct http_text http_field(struct http_text head, const char *name)
{
    const char *end = head.text + head.len;
    const char *line = memchr(head.text, '\n', head.len);
    size_t name_len = strlen(name);

    while (line != NULL && ++line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if (next != NULL && (size_t)(next - line) > name_len && line[name_len] == ':' &&
            strncasecmp(line, name, name_len) == 0) {
            const char *value = line + name_len + 1;

            value += strspn(value, " \t");
            while (next > value && strchr("\r\t ", next[-1]) != NULL)
                next--;
            return (struct http_text){value, (size_t)(next - value)};
        }
        line = next;
    }
    return (struct http_text){NULL, 0};
}

/* Content-Type, by the end of a name. */
static inline const char *http_type(const char *path)
{
    static const char *const types[][2] = {
        {"html", "text/html"},     {"htm", "text/html"},       {"css", "text/css"},
        {"js", "text/javascript"}, {"mjs", "text/javascript"}, {"json", "application/json"},
        {"txt", "text/plain"},     {"md", "text/markdown"},    {"xml", "application/xml"},
        {"svg", "image/svg+xml"},  {"png", "image/png"},       {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},    {"gif", "image/gif"},       {"webp", "image/webp"},
        {"ico", "image/x-icon"},   {"pdf", "application/pdf"}, {"wasm", "application/wasm"},
        {"woff2", "font/woff2"},   {"mp4", "video/mp4"},       {"gz", "application/gzip"},
        {"zip", "application/zip"}};
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash == NULL ? path : slash, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++) {
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}

static inline bool http_text_is(struct http_text text, const char *other)
{
    return text.text != NULL && text.len == strlen(other) &&
           memcmp(text.text, other, text.len) == 0;
}

static inline void http_print_date(time_t when, char *out, size_t size)
{
    struct tm parts;

    if (gmtime_r(&when, &parts) == NULL ||
        strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        out[0] = '\0';
}

/* The three forms of section 5.6.7. */
static inline bool http_read_date(struct http_text text, time_t *out)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    char copy[64];

    if (text.text == NULL || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.text, text.len);
    copy[text.len] = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm parts = {0};
        const char *end = strptime(copy, forms[i], &parts);

        if (end != NULL && *end == '\0') {
            *out = timegm(&parts);
            return true;
        }
    }
    return false;
}

/* Two changes within a tick of the system's clock look like one, hence "weak" (section 8.8.1). */
static inline void http_version_of(const struct stat *status, time_t now, struct http_version *out)
{
    out->seconds = status->st_mtim.tv_sec;
    out->weak = out->seconds > now - 2;
    http_print_date(out->seconds, out->date, sizeof out->date);
    (void)snprintf(out->tag, sizeof out->tag, "%s\"%llx.%lx-%llx\"", out->weak ? "W/" : "",
                   (long long)out->seconds, (unsigned long)status->st_mtim.tv_nsec,
                   (long long)status->st_size);
}

/* Has the client this version already (section 13.2.2)? If-Match and If-Unmodified-Since are for
 * those who change files, and not looked at. */
static inline bool http_is_known(struct http_text head, const struct http_version *version)
{
    struct http_text tags = http_field(head, "If-None-Match");
    const char *tag = strchr(version->tag, '"'); /* weak or not does not matter here */
    time_t since;

    if (tags.text != NULL)
        return http_text_is(tags, "*") || memmem(tags.text, tags.len, tag, strlen(tag)) != NULL;
    return http_read_date(http_field(head, "If-Modified-Since"), &since) &&
           version->seconds <= since;
}

/* A range is of use only to a client that has the rest of this very version (section 13.1.5). */
static inline bool http_range_applies(struct http_text head, const struct http_version *version)
{
    struct http_text condition = http_field(head, "If-Range");

    return condition.text == NULL || (!version->weak && (http_text_is(condition, version->tag) ||
                                                         http_text_is(condition, version->date)));
}

/* Digits up to something else; -1: none. Too large a number is the largest. */
static inline int64_t http_read_number(const char **text, const char *end)
{
    int64_t value = 0;

    if (*text == end || **text < '0' || **text > '9')
        return -1;
    for (; *text < end && **text >= '0' && **text <= '9'; ++*text) {
        int digit = **text - '0';

        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    return value;
}

/* "bytes=0-99", "bytes=100-" or "bytes=-100". What is none of these is no range, several are taken
 * for none: a server may ignore what it does not like (section 14.2). */
static inline enum http_range_kind http_read_range(struct http_text field, int64_t size,
                                                   struct http_range *out)
{
    const char *at = field.text + (field.text == NULL ? 0 : 6);
    const char *end = field.text + field.len;
    int64_t first;
    int64_t last;

    if (field.len < 6 || strncasecmp(field.text, "bytes=", 6) != 0)
        return HTTP_RANGE_NONE;
    first = http_read_number(&at, end);
    if (at == end || *at++ != '-')
        return HTTP_RANGE_NONE;
    last = http_read_number(&at, end); /* or how many, if there is no first */
    if (at != end || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
        return HTTP_RANGE_NONE;
    if (first < 0 && last > 0 && size == 0)
        return HTTP_RANGE_NONE; /* the last bytes of nothing are all there is */
    if (first < 0)
        first = last < size ? size - last : 0;
    else if (last >= 0 && last < size)
        size = last + 1;
    if (first >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    *out = (struct http_range){first, size - first};
    return HTTP_RANGE_PART;
}

#endif
