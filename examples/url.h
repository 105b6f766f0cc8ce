/* SPDX-License-Identifier: MIT */
/*
 * url.h - takes http://HOST[:PORT]/PATH or https://... to pieces, for fetch.c.
 */
#ifndef ANYC_EXAMPLES_URL_H
#define ANYC_EXAMPLES_URL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct url {
    bool tls;
    char host[256]; /* to connect to: an IPv6 address without its [] */
    int port;
    char authority[264]; /* HOST[:PORT] */
    const char *path;    /* in the argument */
};

static inline bool url_parse(const char *text, struct url *out)
{
    bool tls = strncmp(text, "https://", 8) == 0;
    const char *at = strstr(text, "://");
    size_t len;
    char *colon;

    if (!tls && strncmp(text, "http://", 7) != 0)
        return false;
    at += 3;
    len = strcspn(at, "/");
    if (len == 0 || len >= sizeof out->host)
        return false;
    out->tls = tls;
    out->path = at[len] == '/' ? at + len : "/";
    snprintf(out->authority, sizeof out->authority, "%.*s", (int)len, at);
    snprintf(out->host, sizeof out->host, "%.*s", (int)len, at);
    out->port = tls ? 443 : 80;
    colon = strrchr(out->host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) { /* not one within [] */
        out->port = atoi(colon + 1);
        *colon = '\0';
    }
    len = strlen(out->host);
    if (out->host[0] == '[' && out->host[len - 1] == ']') {
        memmove(out->host, out->host + 1, len - 2);
        out->host[len - 2] = '\0';
    }
    return out->host[0] != '\0';
}

#endif
