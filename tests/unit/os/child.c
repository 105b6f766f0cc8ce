/* SPDX-License-Identifier: MIT */
/*
 * child.c - the program that the tests of processes start: it does as its first argument says.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 65536

/* Blocks until all is written, or ends the program. */
static void put(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0)
            _exit(100 + errno % 100);
        data += n;
        len -= (size_t)n;
    }
}

static void put_text(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

/* Everything up to the end of input; ends with a zero. */
static size_t get_all(char *room)
{
    size_t len = 0;
    ssize_t n = 1;

    while (n > 0 && len < ROOM - 1) {
        n = read(STDIN_FILENO, room + len, ROOM - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    room[len] = '\0';
    return len;
}

/* cat: input to output. */
static int do_cat(void)
{
    static char room[ROOM];
    ssize_t n;

    while ((n = read(STDIN_FILENO, room, sizeof room)) > 0)
        put(STDOUT_FILENO, room, (size_t)n);
    return 0;
}

/* reverse: the input backwards, and a line end. */
static int do_reverse(void)
{
    static char room[ROOM];

    for (size_t len = get_all(room); len > 0; len--)
        put(STDOUT_FILENO, &room[len - 1], 1);
    put_text(STDOUT_FILENO, "\n");
    return 0;
}

/* both CODE: a line on each output. */
static int do_both(const char *code)
{
    put_text(STDOUT_FILENO, "stdout-text\n");
    put_text(STDERR_FILENO, "stderr-text\n");
    return atoi(code);
}

/* quote: the input in a line on each output. */
static int do_quote(void)
{
    static char room[ROOM];
    char line[256];

    get_all(room);
    (void)snprintf(line, sizeof line, "somebody said '%.100s', and stdout says YES!\n", room);
    put_text(STDOUT_FILENO, line);
    (void)snprintf(line, sizeof line, "somebody said '%.100s', but stderr says NO!\n", room);
    put_text(STDERR_FILENO, line);
    return 0;
}

/* bytes COUNT: as many on standard output, and then as many on standard error. */
static int do_bytes(const char *text)
{
    static char room[1024];
    long count = atol(text);

    memset(room, 'x', sizeof room);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        for (long left = count; left > 0; left -= (long)sizeof room)
            put(fd, room, left < (long)sizeof room ? (size_t)left : sizeof room);
    }
    return 0;
}

static void exit_2(int signum)
{
    (void)signum;
    _exit(2);
}

/* wait ready|heed|ignore|stop: says "ready" and sleeps for a minute; what it does by SIGTERM, or stopped. */
static int do_wait(const char *how)
{
    if (strcmp(how, "heed") == 0)
        (void)signal(SIGTERM, exit_2);
    if (strcmp(how, "ignore") == 0)
        (void)signal(SIGTERM, SIG_IGN);
    put_text(STDOUT_FILENO, "ready\n");
    if (strcmp(how, "stop") == 0)
        (void)raise(SIGSTOP);
    for (int i = 0; i < 60; i++)
        (void)sleep(1);
    return 0;
}

/* grandchild: ends at once; its own child keeps the pipes until the end of input. */
static int do_grandchild(void)
{
    char byte;

    if (fork() != 0)
        return 0;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    put_text(STDOUT_FILENO, "grandchild\n");
    return 0;
}

/* keep_input: ends at once; its own child keeps the input, does not read it, and ends with it. */
static int do_keep_input(void)
{
    struct pollfd input = {.fd = STDIN_FILENO};

    if (fork() != 0)
        return 0;
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    return poll(&input, 1, -1) == 1 ? 0 : 1;
}

/* mark: its number on each of the three descriptors that is there. */
static int do_mark(void)
{
    for (int fd = 0; fd < 3; fd++) {
        char digit = (char)('0' + fd);

        if (fcntl(fd, F_GETFD) >= 0)
            put(fd, &digit, 1);
    }
    return 0;
}

/* descriptors: the numbers of those that are open. */
static int do_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    char line[4096] = "";
    int highest = 0;

    if (directory == NULL)
        return 1;
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && fd != dirfd(directory) && fd > highest)
            highest = fd;
    }
    for (int fd = 0; fd <= highest; fd++) {
        size_t len = strlen(line);

        if (fd != dirfd(directory) && fcntl(fd, F_GETFD) >= 0)
            (void)snprintf(line + len, sizeof line - len, "%d ", fd);
    }
    (void)closedir(directory);
    put_text(STDOUT_FILENO, line);
    return 0;
}

/* status: masks of ignored and blocked signals, as the kernel has them. */
static int do_status(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0)
            put_text(STDOUT_FILENO, line);
    }
    if (file != NULL)
        (void)fclose(file);
    return 0;
}

/* ids: user, group, umask, groups. */
static int do_ids(void)
{
    gid_t groups[64];
    int count = getgroups(64, groups);
    char line[1024];

    (void)snprintf(line, sizeof line, "%u %u %03o", geteuid(), getegid(), umask(0));
    for (int i = 0; i < count; i++)
        (void)snprintf(line + strlen(line), sizeof line - strlen(line), " %u", groups[i]);
    put_text(STDOUT_FILENO, line);
    return 0;
}

/* places: working directory, session, process group, and whether it leads that. */
static int do_places(void)
{
    char directory[1024];
    char line[2048];

    if (getcwd(directory, sizeof directory) == NULL)
        return 1;
    (void)snprintf(line, sizeof line, "%s %d %d %d", directory, getsid(0), getpgrp(), getpid());
    put_text(STDOUT_FILENO, line);
    return 0;
}

/* environment: all of it. */
static int do_environment(void)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        put_text(STDOUT_FILENO, *variable);
        put_text(STDOUT_FILENO, "\n");
    }
    return 0;
}

static int do_with(const char *what, const char *with)
{
    if (strcmp(what, "both") == 0)
        return do_both(with);
    if (strcmp(what, "bytes") == 0)
        return do_bytes(with);
    if (strcmp(what, "wait") == 0)
        return do_wait(with);
    if (strcmp(what, "exit") == 0)
        return atoi(with);
    if (strcmp(what, "raise") == 0)
        return raise(atoi(with));
    return 99;
}

static int do_alone(const char *what)
{
    static const struct {
        const char *name;
        int (*fn)(void);
    } actions[] = {
        {"cat", do_cat},
        {"reverse", do_reverse},
        {"quote", do_quote},
        {"grandchild", do_grandchild},
        {"mark", do_mark},
        {"descriptors", do_descriptors},
        {"status", do_status},
        {"ids", do_ids},
        {"places", do_places},
        {"environment", do_environment},
        {"keep_input", do_keep_input},
    };

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(what, actions[i].name) == 0)
            return actions[i].fn();
    }
    return 99;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return do_with(argv[1], argv[2]);
    return argc == 2 ? do_alone(argv[1]) : 98;
}
