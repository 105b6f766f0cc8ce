/* SPDX-License-Identifier: MIT */
/*
 * sample.c - what a process has used up to now.
 *
 * The server's processor time comes from its CPU clock, which is exact to the nanosecond and
 * counts threads that have ended too; /proc's schedstat lags by up to a tick on a running thread.
 */
#include "sample.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 256 };

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts = {0};

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* The number after `label` in a file of "Label:  123 kB" lines, added to *sum. */
static void add_field(const char *path, const char *label, uint64_t *sum)
{
    char line[LINE_BYTES];
    size_t len = strlen(label);
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, label, len) == 0) {
            *sum += strtoull(line + len, NULL, 10);
            break;
        }
    }
    fclose(file);
}

static void add_switches(pid_t pid, struct sample *out)
{
    char path[LINE_BYTES];
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    dir = opendir(path);
    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%.16s/status", (long)pid, entry->d_name);
        add_field(path, "voluntary_ctxt_switches:", &out->voluntary);
        add_field(path, "nonvoluntary_ctxt_switches:", &out->involuntary);
    }
    closedir(dir);
}

/* System time: the 15th field of stat, the 13th after the closing bracket of the name. */
static void add_system_time(pid_t pid, struct sample *out)
{
    char path[LINE_BYTES];
    char line[2 * LINE_BYTES];
    const char *field = NULL;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL)
        field = strrchr(line, ')');
    for (int i = 0; i < 13 && field != NULL; i++)
        field = strchr(field + 1, ' ');
    if (field != NULL)
        out->system_ns = strtoll(field, NULL, 10) * (1000000000 / sysconf(_SC_CLK_TCK));
    fclose(file);
}

static void add_memory(pid_t pid, struct sample *out)
{
    char path[LINE_BYTES];
    uint64_t resident_kib = 0;
    uint64_t table_kib = 0;

    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    add_field(path, "Rss:", &resident_kib);
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    if (resident_kib == 0)
        add_field(path, "VmRSS:", &resident_kib);
    add_field(path, "VmPTE:", &table_kib);
    out->resident_bytes = resident_kib * 1024;
    out->page_table_bytes = table_kib * 1024;
}

bool sample_take(pid_t pid, bool with_memory, struct sample *out)
{
    struct sample sample = {0};
    clockid_t clock;

    if (pid > 0) {
        if (clock_getcpuclockid(pid, &clock) != 0)
            return false;
        sample.cpu_ns = clock_ns(clock);
        add_switches(pid, &sample);
        add_system_time(pid, &sample);
        if (with_memory)
            add_memory(pid, &sample);
    }
    sample.own_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    sample.wall_ns = now_ns();
    *out = sample;
    return true;
}
