/* SPDX-License-Identifier: MIT */
/*
 * http_site.h - a folder of files, "http_server --root" with it, and requests.
 *
 * Below it: a.txt with ten digits, changed long ago; "a b.html"; sub/index.html; an empty folder;
 * links to a file inside, to the one that lies beside the folder, and to the folder's parent.
 */
#ifndef ANYC_TESTS_EXAMPLES_HTTP_SITE_H
#define ANYC_TESTS_EXAMPLES_HTTP_SITE_H

#include <check.h>

#include <anyc/testing.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/stat.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"

#define HTTP_HOST " HTTP/1.1\r\nHost: x\r\n"
#define SITE_SECRET "nobody may read this"
#define SITE_DATE "Wed, 01 Jan 2020 00:00:00 GMT"
#define SITE_TAG "\"5e0be100.0-a\"" /* seconds and nanoseconds of that, and 10 bytes */

enum { SITE_TIME = 1577836800, SITE_ANSWER = 8192 };

struct site {
    char top[64]; /* the folder is top/root */
    struct program server;
    int port;
    int idle; /* how many descriptors the server has without a connection */
};

/* Content of large files. */
static inline char site_byte(size_t offset)
{
    return (char)(offset * 7 + offset / 1000);
}

/* A name below the top. */
static inline const char *site_path(const struct site *site, const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", site->top, name);
    return path;
}

static inline void site_write(const struct site *site, const char *name, const void *data,
                              size_t len)
{
    const struct timespec times[2] = {{.tv_sec = SITE_TIME}, {.tv_sec = SITE_TIME}};
    int fd = open(site_path(site, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    ck_assert_int_eq(futimens(fd, times), 0);
    close(fd);
}

/* A large file of known content. */
static inline void site_write_large(const struct site *site, const char *name, size_t len)
{
    char *data = malloc(len);

    for (size_t i = 0; i < len; i++)
        data[i] = site_byte(i);
    site_write(site, name, data, len);
    free(data);
}

static inline void site_make(struct site *site)
{
    strcpy(site->top, "/tmp/anyc-site-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(site->top));
    ck_assert_int_eq(mkdir(site_path(site, "root"), 0755), 0);
    ck_assert_int_eq(mkdir(site_path(site, "root/sub"), 0755), 0);
    ck_assert_int_eq(mkdir(site_path(site, "root/empty"), 0755), 0);
    site_write(site, "secret.txt", SITE_SECRET, sizeof SITE_SECRET - 1);
    site_write(site, "root/a.txt", "0123456789", 10);
    site_write(site, "root/a b.html", "<p>", 3);
    site_write(site, "root/none", "", 0);
    site_write(site, "root/sub/index.html", "index", 5);
    ck_assert_int_eq(symlink("a.txt", site_path(site, "root/inside")), 0);
    ck_assert_int_eq(symlink("../secret.txt", site_path(site, "root/outside")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", site_path(site, "root/absolute")), 0);
    ck_assert_int_eq(symlink("..", site_path(site, "root/up")), 0);
    ck_assert_int_eq(symlink("loop", site_path(site, "root/loop")), 0);
    ck_assert_int_eq(mkfifo(site_path(site, "root/fifo"), 0644), 0);
}

/* How many descriptors the server has open. */
static inline int site_count_fds(const struct site *site)
{
    char path[64];
    int count = 0;
    DIR *folder;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)site->server.pid);
    folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Another process, which tells nobody: it is looked at until its descriptors are as many
 * as without a connection. */
static inline void site_await_idle(const struct site *site)
{
    const struct timespec pause = {.tv_nsec = 5000000};

    while (site_count_fds(site) != site->idle) /* the test's own timeout ends it */
        nanosleep(&pause, NULL);
}

/* Once the server has been started. */
static inline void site_started(struct site *site)
{
    site->port = program_port(&site->server);
    site->idle = site_count_fds(site);
}

/* Starts the server with some more arguments, which may be NULL. */
static inline void site_serve(struct site *site, const char *option, const char *value)
{
    program_start(&site->server, "http_server", "--root", site_path(site, "root"), option, value,
                  NULL);
    site_started(site);
}

static inline void site_start(struct site *site)
{
    site_make(site);
    site_serve(site, NULL, NULL);
}

static inline int site_remove_one(const char *path, const struct stat *status, int kind,
                                  struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void site_remove(const struct site *site)
{
    ck_assert_int_eq(nftw(site->top, site_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void site_end(struct site *site)
{
    site_await_idle(site); /* each file and each connection has been closed */
    program_stop(&site->server);
    site_remove(site);
}

/* Sends text on a connection of its own; all that is answered until the end. */
static inline const char *site_ask(const struct site *site, const char *request)
{
    static char answer[SITE_ANSWER];
    int client = program_connect(site->port);

    program_send(client, request);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    program_receive(client, "\xff", answer, sizeof answer);
    close(client);
    return answer;
}

/* "GET /target" with more fields, each with its end. */
static inline const char *site_get(const struct site *site, const char *target, const char *fields)
{
    char request[2048];

    (void)snprintf(request, sizeof request, "GET %s" HTTP_HOST "%s\r\n", target, fields);
    return site_ask(site, request);
}

static inline bool has_status(const char *answer, int status)
{
    char line[32];

    (void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    return strncmp(answer, line, strlen(line)) == 0;
}

/* The content of a single answer. */
static inline const char *content_of(const char *answer)
{
    const char *blank = strstr(answer, "\r\n\r\n");

    return blank == NULL ? "(no answer)" : blank + 4;
}

#endif
