/* SPDX-License-Identifier: MIT */
/*
 * signal_host.h - a host with a loop of its own, on which anyc runs, and a handle of its own for SIGUSR1.
 */
#ifndef ANYC_TESTS_UNIT_OS_SIGNAL_HOST_H
#define ANYC_TESTS_UNIT_OS_SIGNAL_HOST_H

/* The first member of what `open` makes. */
struct signal_host {
    unsigned heard; /* how often the host got the signal */
};

/* One for each library; weak, as it may not be there. */
struct signal_host_type {
    const char *backend;
    struct signal_host *(*open)(void);
    void *(*loop)(struct signal_host *host); /* for anyc_run_options.loop */
    void (*start)(struct signal_host *host); /* begin to get the signal */
    void (*stop)(struct signal_host *host);
    void (*close)(struct signal_host *host); /* fails if anything of anyc is left on the loop */
};

extern const struct signal_host_type signal_host_libuv __attribute__((weak));
extern const struct signal_host_type signal_host_libevent __attribute__((weak));

#endif
