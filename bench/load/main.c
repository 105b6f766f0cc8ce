/* SPDX-License-Identifier: MIT */
/*
 * main.c - load: a load generator for echo and file servers, one thread on plain epoll. Prints one line of
 * JSON.
 *
 *   load --port P --connections 1000 --busy 50 --size 64 --seconds 2 --server-pid PID
 *   load --port P --connect-rate --in-flight 50 --size 64 --seconds 2
 *   load --port P --udp --connections 50 --size 64 --seconds 2
 *   load --port P --get /file --connections 8 --size 1048576 --seconds 2
 *
 * It ends by itself: an alarm bounds the whole run.
 */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OPEN_SECONDS_MAX = 90 };

static const struct option long_options[] = {
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"unix", required_argument, NULL, 'x'},
    {"connections", required_argument, NULL, 'n'},
    {"busy", required_argument, NULL, 'b'},
    {"size", required_argument, NULL, 's'},
    {"seconds", required_argument, NULL, 't'},
    {"warmup", required_argument, NULL, 'w'},
    {"pipeline", required_argument, NULL, 'k'},
    {"server-pid", required_argument, NULL, 'i'},
    {"connect-rate", no_argument, NULL, 'c'},
    {"in-flight", required_argument, NULL, 'f'},
    {"udp", no_argument, NULL, 'u'},
    {"get", required_argument, NULL, 'g'},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    bool (*run)(const struct load_options *options, struct load_result *result);
} modes[LOAD_MODES] = {
    [LOAD_ECHO] = {"echo", load_echo_run},
    [LOAD_CONNECT] = {"connect", load_connect_run},
    [LOAD_DATAGRAM] = {"udp", load_datagram_run},
    [LOAD_GET] = {"get", load_get_run},
};

static bool parse_count(const char *text, unsigned long max, unsigned long *out)
{
    char *end = NULL;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > max)
        return false;
    *out = value;
    return true;
}

static bool parse_unsigned(const char *text, unsigned long max, unsigned *out)
{
    unsigned long value = 0;
    bool ok = parse_count(text, max, &value);

    *out = (unsigned)value;
    return ok;
}

static bool parse_seconds(const char *text, double *out)
{
    char *end = NULL;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0.0 && *out <= 600.0;
}

static bool parse_pid(const char *text, pid_t *out)
{
    unsigned long value = 0;
    bool ok = parse_count(text, 1UL << 30, &value);

    *out = (pid_t)value;
    return ok;
}

static bool parse_option(int option, const char *value, struct load_options *out)
{
    switch (option) {
    case 'h':
        out->host = value;
        return true;
    case 'p':
        out->port = value;
        return true;
    case 'n':
        return parse_unsigned(value, 1000000, &out->connections);
    case 'b':
        return parse_unsigned(value, 1000000, &out->busy);
    case 's':
        return parse_count(value, 1UL << 30, &out->size);
    case 't':
        return parse_seconds(value, &out->seconds);
    case 'w':
        return parse_seconds(value, &out->warmup);
    case 'k':
        return parse_unsigned(value, LOAD_PIPELINE_MAX, &out->pipeline);
    case 'i':
        return parse_pid(value, &out->server_pid);
    case 'f':
        return parse_unsigned(value, 1000000, &out->in_flight);
    case 'c':
        out->mode = LOAD_CONNECT;
        return true;
    case 'u':
        out->mode = LOAD_DATAGRAM;
        return true;
    case 'g':
        out->mode = LOAD_GET;
        out->get = value;
        return true;
    case 'x':
        out->unix_path = value;
        return true;
    default:
        return false;
    }
}

static bool options_parse(int argc, char **argv, struct load_options *out)
{
    bool ok = true;
    int option;

    *out = (struct load_options){.host = "127.0.0.1",
                                 .connections = 1,
                                 .pipeline = 1,
                                 .in_flight = 50,
                                 .size = 64,
                                 .seconds = 1.0};
    while (ok && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        ok = parse_option(option, optarg, out);
    if (out->busy == 0)
        out->busy = out->connections;
    ok = ok && optind == argc && (out->port != NULL || out->unix_path != NULL) &&
         out->connections > 0 && out->size > 0 && out->busy <= out->connections &&
         out->pipeline > 0 && out->in_flight > 0;
    if (!ok)
        fprintf(stderr,
                "usage: load --port P [--host H] [--connections N] [--busy M] [--size BYTES]\n"
                "            [--seconds S] [--warmup S] [--pipeline K] [--server-pid PID]\n"
                "       load --port P --connect-rate [--in-flight C] [...]\n"
                "       load --port P --udp [--connections CLIENTS] [...]\n"
                "       load --port P --get TARGET --size BYTES [--connections N] [...]\n"
                "       load --unix PATH [...]\n");
    return ok;
}

static void print_server(const struct load_options *options, const struct load_result *result)
{
    const struct sample *begin = &result->begin;
    const struct sample *end = &result->end;
    double messages = (double)result->messages;
    double wall_ns = (double)(end->wall_ns - begin->wall_ns);
    double cpu_ns = (double)(end->cpu_ns - begin->cpu_ns);
    double grown =
        (double)result->after_open.resident_bytes - (double)result->before_open.resident_bytes +
        (double)result->after_open.page_table_bytes - (double)result->before_open.page_table_bytes;

    if (result->messages > 0) /* else there is nothing to divide by */
        printf(", \"server_cpu_us\": %.4f, \"server_switches\": %.4f, \"server_preempted\": %.4f",
               cpu_ns / 1000.0 / messages, (double)(end->voluntary - begin->voluntary) / messages,
               (double)(end->involuntary - begin->involuntary) / messages);
    printf(", \"server_cpu_share\": %.3f, \"server_system_share\": %.3f", cpu_ns / wall_ns,
           cpu_ns > 0 ? (double)(end->system_ns - begin->system_ns) / cpu_ns : 0.0);
    printf(", \"rss_before_kib\": %.0f, \"rss_after_kib\": %.0f",
           (double)result->before_open.resident_bytes / 1024.0,
           (double)result->after_open.resident_bytes / 1024.0);
    if (options->mode == LOAD_ECHO)
        printf(", \"bytes_a_connection\": %.0f", grown / (double)options->connections);
}

static void print_result(const struct load_options *options, const struct load_result *result)
{
    double seconds = (double)(result->end.wall_ns - result->begin.wall_ns) / 1e9;

    printf("{\"mode\": \"%s\"", modes[options->mode].name);
    if (options->mode == LOAD_CONNECT)
        printf(", \"in_flight\": %u", options->in_flight);
    else
        printf(", \"connections\": %u, \"busy\": %u, \"pipeline\": %u", options->connections,
               options->busy, options->pipeline);
    printf(", \"size\": %zu, \"messages\": %llu, \"seconds\": %.4f, \"rate\": %.1f", options->size,
           (unsigned long long)result->messages, seconds, (double)result->messages / seconds);
    printf(", \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f",
           hist_quantile_us(&result->latency, 0.5), hist_quantile_us(&result->latency, 0.99),
           hist_quantile_us(&result->latency, 0.999), (double)result->latency.max_ns / 1000.0);
    printf(", \"errors\": %llu, \"stalled\": %llu, \"load_cpu_share\": %.3f",
           (unsigned long long)result->errors, (unsigned long long)result->stalled,
           (double)(result->end.own_cpu_ns - result->begin.own_cpu_ns) / seconds / 1e9);
    if (options->server_pid > 0)
        print_server(options, result);
    printf("}\n");
}

static void raise_nofile(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("load: setrlimit");
}

int main(int argc, char **argv)
{
    struct load_options options;
    struct load_result *result;
    bool ok;

    if (!options_parse(argc, argv, &options))
        return 2;
    alarm((unsigned)(options.seconds + options.warmup) + OPEN_SECONDS_MAX);
    raise_nofile();
    load_pattern_init();
    result = calloc(1, sizeof *result);
    if (result == NULL || !load_net_init(&options)) {
        free(result);
        return 1;
    }
    ok = modes[options.mode].run(&options, result);
    if (ok)
        print_result(&options, result);
    free(result);
    return ok ? 0 : 1;
}
